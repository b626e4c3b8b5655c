//! Editable list of a new token's scopes, with one row per entity and domain. The list rejects
//! duplicate rows. A summary, a warning about `*` or a fault is shown below the list. The create
//! form uses this list.

use std::cmp::Ordering;

use ratatui::layout::{Position, Rect};

use super::{
    canvas::{Canvas, line_rect, wrap},
    form::{self, FieldNote, FormInput, LABEL_WIDTH, draw_label, draw_note},
    hit_map::SyntheticInput,
    list_selection::ListSelection,
    scrollbar::draw_scrollbar,
};
use crate::{
    domain::{
        Scope, Scopes,
        describe_scopes::{NO_SCOPES, wildcard_warning},
        scope_matrix::describe_merged,
    },
    keymap::{Action, Mode},
    tui::app::model::Model,
};

/// Number of lines of the summary that are always reserved, so that the first scope does not shift
/// the inputs below.
const MIN_SUMMARY: u16 = 2;
/// Maximum number of lines of the summary.
const MAX_SUMMARY: u16 = 4;
/// Minimum width of a row for columns.
const MIN_ROW_COLUMNS: u16 = 40;

/// Scopes grouped into rows, and the selected row.
#[derive(Debug, Default)]
pub struct ScopeRows {
    rows: Vec<Vec<Scope>>,
    selection: ListSelection,
    fault: Option<String>,
}

impl ScopeRows {
    pub fn from_scopes(scopes: &[Scope]) -> Self {
        Self { rows: group_by_entity(scopes.to_vec()), ..Self::default() }
    }

    #[cfg(any(test, feature = "testing"))]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// All scopes, in row order.
    pub fn scopes(&self) -> Vec<Scope> {
        self.rows.concat()
    }

    /// All scopes as the set that the token will have.
    pub fn to_scopes(&self) -> Scopes {
        let mut set = Scopes::default();
        for scope in self.rows.iter().flatten() {
            // Cannot fail: `insert_or_replace` added the same scopes to a set before.
            drop(set.add(scope.clone()));
        }
        set
    }

    /// The index and scopes of the selected row.
    pub fn selected(&self) -> Option<(usize, &[Scope])> {
        let at = self.selection.selected();
        Some((at, self.rows.get(at)?.as_slice()))
    }

    /// Removes the selected row. Returns `false` if no row is selected.
    pub fn remove(&mut self) -> bool {
        let at = self.selection.selected();
        let exists = at < self.rows.len();
        if exists {
            self.rows.remove(at);
            self.fault = None;
        }
        exists
    }

    /// Replaces row `row` with `scopes`, or adds `scopes` as new rows if `row` is `None`. A scope
    /// that another row contains or covers is an error. Rows that a new `*` covers are removed.
    pub fn insert_or_replace(
        &mut self,
        row: Option<usize>,
        scopes: Vec<Scope>,
    ) -> Result<(), String> {
        let mut rows = self.rows.clone();
        match row.filter(|row| *row < rows.len()) {
            Some(row) => rows.splice(row..=row, group_by_entity(scopes)).for_each(drop),
            None => rows.extend(group_by_entity(scopes)),
        }
        let mut set = Scopes::default();
        for scope in rows.iter().flatten() {
            set.add(scope.clone()).map_err(|fault| fault.to_string())?;
        }
        for row in &mut rows {
            row.retain(|scope| set.as_slice().contains(scope));
        }
        rows.retain(|row| !row.is_empty());
        self.fault = None;
        self.selection.select(row.unwrap_or(rows.len().saturating_sub(1)));
        self.rows = rows;
        Ok(())
    }

    /// Shows `fault` below the rows until the next change.
    pub fn set_fault(&mut self, fault: String) {
        self.fault = Some(fault);
    }

    /// The height of all rows with the summary and the warning in lines, at a width of `columns`.
    /// `end` completes the summary.
    pub fn full_height(&self, end: Option<&str>, columns: u16, ctx: &Model) -> u16 {
        let warning = u16::from(wildcard_warning(self.rows.iter().flatten()).is_some());
        let columns = columns.saturating_sub(LABEL_WIDTH);
        let summary = wrap(&self.summary(end), columns, &ctx.theme).len();
        let summary = u16::try_from(summary).unwrap_or(u16::MAX);
        let notes = summary.clamp(MIN_SUMMARY, MAX_SUMMARY) + warning;
        u16::try_from(self.rows.len().max(1)).unwrap_or(u16::MAX).saturating_add(notes)
    }

    /// What the scopes allow, as one sentence. `end` completes the sentence: when the scopes end.
    fn summary(&self, end: Option<&str>) -> String {
        if self.rows.is_empty() {
            return NO_SCOPES.to_owned();
        }
        let access = describe_merged(&self.scopes());
        end.map_or_else(|| access.clone(), |end| format!("{access} {end}"))
    }

    /// Draws the rows from line `line` of `area`, with the summary below. Leaves the last line free
    /// for the buttons. `end` completes the summary: when the scopes end. Returns the cursor position
    /// if the rows have the focus.
    pub fn draw_rows(
        &mut self,
        line: u16,
        (field, focused): (usize, bool),
        end: Option<&str>,
        area: Rect,
        canvas: &mut Canvas<'_>,
    ) -> Option<Position> {
        let (ctx, theme) = (canvas.ctx, &canvas.ctx.theme);
        let warning = wildcard_warning(self.rows.iter().flatten());
        // Below the rows: the summary, one line for the buttons, one for the warning.
        let reserved = MIN_SUMMARY + 1 + u16::from(warning.is_some());
        let page = area.height.saturating_sub(line + reserved).max(1);
        let rect = draw_label("Scopes", (field, focused), (line, page), area, canvas);
        if self.rows.is_empty() {
            let style = if focused { theme.selected } else { theme.text() };
            let key = |action| ctx.key(Mode::Rows, action);
            let (add, preset) = (key(Action::AddRow), key(Action::Preset));
            let text = format!("None: {add} adds one, {preset} uses a preset");
            canvas.line(rect, 0).text(&text, style);
            self.register_row(0, line_rect(rect, 0), focused, ctx);
        }
        let top = self.selection.scroll_to_selection(usize::from(page), self.rows.len());
        let rows = self.rows.iter().enumerate().skip(top).take(usize::from(page));
        for (at, (row, scopes)) in (0..).zip(rows) {
            draw_row(scopes, at, rect, canvas);
            self.register_row(row, line_rect(rect, at), focused, ctx);
            if focused && row == self.selection.selected() {
                canvas.fill_line(rect, at, theme.selected);
            }
        }
        if self.rows.len() > usize::from(page) {
            let count = self.rows.len();
            let last = top.saturating_add(usize::from(page)).min(count);
            let text = format!("{}-{last} of {count}", top.saturating_add(1));
            let below = (line + 1).min(line + page - 1);
            if below > line {
                canvas.line(area, below).text(&text, theme.faint);
            }
            draw_scrollbar(rect, (top, usize::from(page), count), canvas);
        }
        let drawn = u16::try_from(self.rows.len()).unwrap_or(u16::MAX).clamp(1, page);
        self.draw_notes(line + drawn, (warning, end), area, canvas);
        let row = u16::try_from(self.selection.selected().saturating_sub(top)).unwrap_or(0);
        let y = rect.y.saturating_add(row).min(area.bottom().saturating_sub(1));
        focused.then_some(Position::new(rect.x, y))
    }

    /// Registers a click on row `row`. The click selects the row, or edits the row if it is already
    /// selected.
    fn register_row(&self, row: usize, line: Rect, focused: bool, ctx: &Model) {
        let selected = self.selection.selected();
        let (action, times) = match row.cmp(&selected) {
            Ordering::Less => (Action::Up, selected - row),
            Ordering::Equal => (Action::ChangeRow, usize::from(focused)),
            Ordering::Greater => (Action::Down, row - selected),
        };
        ctx.hit_map.click(line, SyntheticInput::Act(action), times);
    }

    fn draw_notes(
        &self,
        line: u16,
        (warning, end): (Option<String>, Option<&str>),
        area: Rect,
        canvas: &mut Canvas<'_>,
    ) {
        let theme = &canvas.ctx.theme;
        if let Some(fault) = &self.fault {
            return draw_note(&FieldNote::Fault(fault.clone()), line, area, canvas);
        }
        let style = if self.rows.is_empty() { theme.warning } else { theme.good };
        let free = area.height.saturating_sub(line + 1);
        let warning_lines = u16::from(warning.is_some()).min(free);
        let room = (free - warning_lines).min(MAX_SUMMARY);
        let text = Rect {
            x: area.x + LABEL_WIDTH.min(area.width),
            width: area.width.saturating_sub(LABEL_WIDTH),
            ..area
        };
        let next = form::draw_wrapped(&self.summary(end), (line, room), style, text, canvas);
        if let Some(warning) = warning {
            form::draw_warning(&warning, next, text, canvas);
        }
    }
}

impl FormInput for ScopeRows {
    fn arrow(&mut self, down: bool) -> bool {
        let action = if down { Action::Down } else { Action::Up };
        self.selection.apply_movement(action, self.rows.len()) == Some(true)
    }

    fn enter(&mut self, from_above: bool) {
        self.selection.select(if from_above { 0 } else { self.rows.len() });
    }
}

/// Groups `scopes` into rows of the same entity type, entity and domain.
fn group_by_entity(scopes: Vec<Scope>) -> Vec<Vec<Scope>> {
    let mut rows: Vec<Vec<Scope>> = Vec::new();
    for scope in scopes {
        let key = |scope: &Scope| (scope.entity_type, scope.entity.clone(), scope.domain.clone());
        let row = rows.iter_mut().find(|row| row.first().is_some_and(|it| key(it) == key(&scope)));
        match row {
            Some(row) => row.push(scope),
            None => rows.push(vec![scope]),
        }
    }
    rows
}

/// Draws one row of scopes, which differ only in their operation.
fn draw_row(scopes: &[Scope], line: u16, area: Rect, canvas: &mut Canvas<'_>) {
    let theme = &canvas.ctx.theme;
    let Some(first) = scopes.first() else { return };
    let operations: Vec<_> = scopes.iter().map(|scope| scope.operation.as_str()).collect();
    let operations = operations.join(", ");
    let domain = first.domain.as_ref().map_or_else(String::new, |d| format!(" in {d}"));
    if area.width < MIN_ROW_COLUMNS {
        let text = format!("{} {}{domain}: {operations}", first.entity_type, first.entity);
        canvas.line(area, line).text(&text, theme.text());
        return;
    }
    canvas
        .line(area, line)
        .write_column(first.entity_type.as_str(), 11, theme.text())
        .skip(1)
        .write_column(&format!("{}{domain}", first.entity), 18, theme.text())
        .skip(1)
        .text(&operations, theme.text());
}
