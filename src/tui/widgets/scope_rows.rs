//! The scopes of a token in the making, a row for each thing that they are on, with what they
//! permit, what to know of `*`, and what is wrong. Refuses a row that repeats another one.

use std::cmp::Ordering;

use ratatui::layout::{Position, Rect};

use super::{
    form::{self, FormInput, LABELS, Note, labelled, note},
    hit_map::SyntheticInput,
    list_selection::ListSelection,
    paint::{Canvas, row_of},
};
use crate::{
    domain::{
        Scope, Scopes,
        describe::{describe_scopes, wildcard_warning},
    },
    keymap::Action,
    tui::app::model::Model,
};

#[derive(Debug, Default)]
pub struct ScopeRows {
    rows: Vec<Vec<Scope>>,
    at: ListSelection,
    fault: Option<String>,
}

impl ScopeRows {
    pub fn holding(scopes: &[Scope]) -> Self {
        Self { rows: parted(scopes.to_vec()), ..Self::default() }
    }

    #[cfg(any(test, feature = "testing"))]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// All the scopes, in the order of the rows.
    pub fn scopes(&self) -> Vec<Scope> {
        self.rows.concat()
    }

    /// The same as a token would hold them.
    pub fn set(&self) -> Scopes {
        let mut set = Scopes::default();
        for scope in self.rows.iter().flatten() {
            // What a row holds was added to such a set before.
            drop(set.add(scope.clone()));
        }
        set
    }

    /// The selected row and its place.
    pub fn selected(&self) -> Option<(usize, &[Scope])> {
        let at = self.at.selected();
        Some((at, self.rows.get(at)?.as_slice()))
    }

    /// Takes the selected row away; whether there was one.
    pub fn remove(&mut self) -> bool {
        let at = self.at.selected();
        let there = at < self.rows.len();
        if there {
            self.rows.remove(at);
            self.fault = None;
        }
        there
    }

    /// Takes `scopes` in the place of row `row`, or as rows of their own. Refuses those that the
    /// other rows hold or cover already; a `*` makes the rows under it needless, which go.
    pub fn take(&mut self, row: Option<usize>, scopes: Vec<Scope>) -> Result<(), String> {
        let mut rows = self.rows.clone();
        match row.and_then(|row| rows.get_mut(row)) {
            Some(old) => *old = scopes,
            None => rows.extend(parted(scopes)),
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
        self.at.select(row.unwrap_or(rows.len().saturating_sub(1)));
        self.rows = rows;
        Ok(())
    }

    pub fn refuse(&mut self, fault: String) {
        self.fault = Some(fault);
    }

    /// Draws them from line `line` of `area` on, leaving its last line free; the place of the
    /// cursor when they have the focus.
    pub fn draw_rows(
        &mut self,
        line: u16,
        (field, focused): (usize, bool),
        area: Rect,
        canvas: &mut Canvas<'_>,
    ) -> Option<Position> {
        let (ctx, theme) = (canvas.ctx, &canvas.ctx.theme);
        let warning = wildcard_warning(self.rows.iter().flatten());
        // Two lines stay for the sentence, one for the warning and one for the button.
        let kept = 3 + u16::from(warning.is_some());
        let page = area.height.saturating_sub(line + kept).max(1);
        let place = labelled("Scopes", (field, focused), (line, page), area, canvas);
        if self.rows.is_empty() {
            let style = if focused { theme.selected } else { theme.text() };
            let text = "none yet: a adds some here, p adds those of a preset";
            canvas.line(place, 0).text(text, style);
            self.note_row(0, row_of(place, 0), focused, ctx);
        }
        let top = self.at.window(usize::from(page), self.rows.len());
        let rows = self.rows.iter().enumerate().skip(top).take(usize::from(page));
        for (at, (row, scopes)) in (0..).zip(rows) {
            draw_row(scopes, at, place, canvas);
            self.note_row(row, row_of(place, at), focused, ctx);
            if focused && row == self.at.selected() {
                canvas.band(place, at, theme.selected);
            }
        }
        let shown = u16::try_from(self.rows.len()).unwrap_or(u16::MAX).clamp(1, page);
        self.draw_notes(line + shown, warning, area, canvas);
        let row = u16::try_from(self.at.selected().saturating_sub(top)).unwrap_or(0);
        let y = place.y.saturating_add(row).min(area.bottom().saturating_sub(1));
        focused.then_some(Position::new(place.x, y))
    }

    /// A click goes to the row, and changes it if it is selected already.
    fn note_row(&self, row: usize, line: Rect, focused: bool, ctx: &Model) {
        let selected = self.at.selected();
        let (action, times) = match row.cmp(&selected) {
            Ordering::Less => (Action::PreviousField, selected - row),
            Ordering::Equal => (Action::ChangeRow, usize::from(focused)),
            Ordering::Greater => (Action::NextField, row - selected),
        };
        ctx.hit_map.click(line, SyntheticInput::Act(action), times);
    }

    fn draw_notes(&self, line: u16, warning: Option<String>, area: Rect, canvas: &mut Canvas<'_>) {
        let theme = &canvas.ctx.theme;
        if let Some(fault) = &self.fault {
            return note(&Note::Fault(fault.clone()), line, area, canvas);
        }
        let style = if self.rows.is_empty() { theme.warning } else { theme.good };
        let free = area.height.saturating_sub(line + 1);
        let warned = u16::from(warning.is_some()).min(free);
        let room = (free - warned).min(2);
        let text = Rect {
            x: area.x + LABELS.min(area.width),
            width: area.width.saturating_sub(LABELS),
            ..area
        };
        let said = describe_scopes(self.rows.iter().flatten());
        let next = form::said(&said, (line, room), style, text, canvas);
        if let Some(warning) = warning {
            form::warning(&warning, next, text, canvas);
        }
    }
}

impl FormInput for ScopeRows {
    fn step(&mut self, down: bool) -> bool {
        let action = if down { Action::Down } else { Action::Up };
        self.at.on(action, self.rows.len()) == Some(true)
    }

    fn enter(&mut self, from_above: bool) {
        self.at.select(if from_above { 0 } else { self.rows.len() });
    }
}

/// `scopes` in rows: together what differs in its operation only.
fn parted(scopes: Vec<Scope>) -> Vec<Vec<Scope>> {
    let mut rows: Vec<Vec<Scope>> = Vec::new();
    for scope in scopes {
        let on = |scope: &Scope| (scope.entity_type, scope.entity.clone(), scope.domain.clone());
        let row = rows.iter_mut().find(|row| row.first().is_some_and(|it| on(it) == on(&scope)));
        match row {
            Some(row) => row.push(scope),
            None => rows.push(vec![scope]),
        }
    }
    rows
}

/// One row: scopes that differ in their operation only.
fn draw_row(scopes: &[Scope], line: u16, area: Rect, canvas: &mut Canvas<'_>) {
    let theme = &canvas.ctx.theme;
    let Some(first) = scopes.first() else { return };
    let operations: Vec<_> = scopes.iter().map(|scope| scope.operation.as_str()).collect();
    let domain = first.domain.as_ref().map_or_else(String::new, |d| format!(" in {d}"));
    canvas
        .line(area, line)
        .column_of(first.entity_type.as_str(), 11, theme.text())
        .skip(1)
        .column_of(&format!("{}{domain}", first.entity), 18, theme.text())
        .skip(1)
        .text(&operations.join(", "), theme.text());
}
