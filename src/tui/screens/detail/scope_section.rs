//! Draws the scopes of a token: the matrix with its headings in the title line, or one row for each
//! scope. Registers clicks on rows and cells. Called by the detail screen.

use ratatui::{layout::Rect, style::Style};

use super::{
    KeyReceiver,
    scope_table::{MAX_TYPE_WIDTH, MatrixWidths, ScopeTable, TableForm},
};
use crate::{
    domain::{CellState, Domain, Operation, describe_scopes::NO_SCOPES, grouped},
    keymap::{Action, Mode},
    tui::{
        theme::Theme,
        widgets::{
            canvas::{Canvas, LineWriter, line_rect, rect_below, truncate, width},
            hit_map::SyntheticInput,
            scrollbar::draw_scrollbar,
        },
    },
};

/// Minimum width of the labels for a column of domains.
const MIN_DOMAIN_LABELS: u16 = 36;

/// The cursor of the detail, which runs through the scopes and on into the events.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor {
    /// Number of the selected row. The rows of the scopes come first.
    pub row: usize,
    /// The column that the operator chose in the matrix.
    pub column: Option<usize>,
    pub focus: KeyReceiver,
}

impl Cursor {
    /// Whether the cursor is visible: the detail has the focus.
    pub fn is_shown(self) -> bool {
        self.focus == KeyReceiver::Detail
    }
}

/// A column of the matrix: its number and its operation.
type Column = (usize, Operation);

/// Draws the title and the rows `top` to `top + page` of `table`. `count_text` is the number of
/// scopes with the pending changes.
pub(super) fn draw_scopes(
    table: &ScopeTable,
    (count_text, top): (&str, usize),
    cursor: Cursor,
    area: Rect,
    canvas: &mut Canvas<'_>,
) {
    let ctx = canvas.ctx;
    let page = usize::from(area.height.saturating_sub(1));
    let count = table.row_count();
    let inner = Rect { width: area.width.saturating_sub(2), ..area };
    let mut columns: Vec<_> = table.matrix.operations.iter().copied().enumerate().collect();
    let fit = |columns: &[Column]| {
        let operations: Vec<_> = columns.iter().map(|(_, operation)| *operation).collect();
        MatrixWidths::fitting(&operations, inner.width, table.label_width())
    };
    let mut widths = fit(&columns).filter(|_| table.form == TableForm::Matrix);
    if cursor.focus == KeyReceiver::List && widths.as_ref().is_some_and(MatrixWidths::is_cut) {
        // Beside the list, nothing can be toggled: longer words tell more than empty columns.
        columns.retain(|(column, _)| table.has_scope(*column));
        widths = fit(&columns);
    }
    let room = widths.as_ref().map_or(inner.width, |widths| widths.labels);
    let shown = (count > page && page > 0).then(|| (top + 1, (top + page).min(count), count));
    let title = title(count_text, shown, room);
    draw_title(&title, area, canvas);
    if count == 0 {
        let key = ctx.key(Mode::Detail, Action::AddScope);
        canvas.line(area, 1).text(&format!("{NO_SCOPES} ({key} adds one)"), ctx.theme.warning);
        return;
    }
    let rows = (1..).zip(top..count.min(top + page));
    match widths {
        Some(widths) => {
            draw_domain_heading(table, width(&title), (widths.labels, area), canvas);
            draw_headings(&columns, &widths, area, canvas);
            for (line, row) in rows {
                draw_matrix_row((table, &columns), &widths, (row, line), cursor, inner, canvas);
            }
        }
        None => {
            for (line, row) in rows {
                draw_list_row(table, (row, line), cursor, inner, canvas);
            }
        }
    }
    draw_scrollbar(rect_below(area, 1), (top, page, count), canvas);
}

/// The title: the number of scopes, which is not that of the rows, and the first, the last and the
/// number of the rows if some of them are hidden. In at most `room` columns, if possible.
fn title(count_text: &str, shown: Option<(usize, usize, usize)>, room: u16) -> String {
    let short = format!(" Scopes {count_text} ");
    let Some((first, last, count)) = shown else { return short };
    let count = grouped(count);
    let long = format!(" Scopes {count_text}, rows {first}-{last} of {count} ");
    let middle = format!(" Scopes {count_text}: {first}-{last}/{count} ");
    [long, middle].into_iter().find(|text| width(text) < room).unwrap_or(short)
}

/// Draws a rule with a title on the first line of `area`.
pub(super) fn draw_title(title: &str, area: Rect, canvas: &mut Canvas<'_>) {
    canvas.rule(area, 0);
    let style = canvas.ctx.theme.heading;
    canvas.line(area, 0).skip(1).text(title, style);
}

/// Draws the heading above the domains, if the title leaves room for it.
fn draw_domain_heading(
    table: &ScopeTable,
    title: u16,
    (labels, area): (u16, Rect),
    canvas: &mut Canvas<'_>,
) {
    let text = " domain ";
    let from = LabelWidths::new(table, labels).domain_start();
    if let Some(from) = from.filter(|from| *from > title + 2 && from + width(text) <= labels + 1) {
        let style = canvas.ctx.theme.heading;
        canvas.line(area, 0).move_to(from - 1).text(text, style);
    }
}

fn draw_headings(columns: &[Column], widths: &MatrixWidths, area: Rect, canvas: &mut Canvas<'_>) {
    let style = canvas.ctx.theme.heading;
    let mut writer = canvas.line(area, 0).move_to(widths.labels);
    for (_, operation) in columns {
        let end = writer.column() + widths.cell(operation);
        writer = writer.text(" ", style).text(widths.heading(operation), style);
        // Keep the rule out of the gap between two headings.
        let gap = end.saturating_sub(writer.column());
        writer = writer.text(&" ".repeat(usize::from(gap)), style);
    }
    writer.text(" ", style);
}

fn draw_matrix_row(
    (table, columns): (&ScopeTable, &[Column]),
    widths: &MatrixWidths,
    (row, line): (usize, u16),
    cursor: Cursor,
    area: Rect,
    canvas: &mut Canvas<'_>,
) {
    let (ctx, theme) = (canvas.ctx, canvas.ctx.theme);
    let is_selected = cursor.is_shown() && row == cursor.row;
    let labels = Rect { width: widths.labels.min(area.width), ..area };
    draw_labels(table, row, (labels, line), canvas);
    ctx.hit_map.list_row(line_rect(area, line), row, cursor.row);
    if is_selected {
        canvas.fill_line(labels, line, theme.selected);
    }
    let selected_column = table.column(row, cursor.column);
    let mut column = widths.labels;
    for (at, operation) in columns.iter().copied() {
        let wide = widths.cell(&operation);
        let (text, style) = cell_glyph(table.state(row, at), &theme);
        let glyph = column + 1 + (wide - 2) / 2;
        let writer = canvas.line(area, line);
        if is_selected && at == selected_column {
            let writer = writer.move_to(glyph - 1).text("[", style).text(text, style);
            let cell = writer.text("]", style).rect_since(glyph - 1);
            canvas.buf.set_style(cell, theme.selected);
        } else {
            writer.move_to(glyph).text(text, style);
        }
        let cell = Rect { x: area.x + column, width: wide, ..line_rect(area, line) };
        register_cell((row, at), selected_column, cursor, cell, canvas);
        column += wide;
    }
}

/// Registers a click on a cell: it selects the cell, or toggles the selected cell.
fn register_cell(
    (row, column): (usize, usize),
    selected_column: usize,
    cursor: Cursor,
    cell: Rect,
    canvas: &Canvas<'_>,
) {
    let hit_map = &canvas.ctx.hit_map;
    if cursor.is_shown() && (row, column) == (cursor.row, selected_column) {
        return hit_map.click_action(cell, Action::ToggleCell);
    }
    let vertical = if row > cursor.row { Action::Down } else { Action::Up };
    let horizontal = if column > selected_column { Action::NextCell } else { Action::PreviousCell };
    let presses = [
        (SyntheticInput::Act(vertical), row.abs_diff(cursor.row)),
        (SyntheticInput::Act(horizontal), column.abs_diff(selected_column)),
    ];
    hit_map.click_sequence(cell, presses);
}

/// Widths of the texts before the cells of a matrix, in columns.
struct LabelWidths {
    entity_type: u16,
    entity: u16,
    /// `None` if the domain follows the entity.
    domain: Option<u16>,
}

impl LabelWidths {
    /// The widths for labels of `width` columns.
    fn new(table: &ScopeTable, labels: u16) -> Self {
        let types = table.matrix.rows.iter().map(|row| width(row.entity_type.as_str()));
        let entity_type = types.max().unwrap_or(0).min(MAX_TYPE_WIDTH);
        let left = labels.saturating_sub(entity_type + 2);
        if labels < MIN_DOMAIN_LABELS {
            return Self { entity_type, entity: left, domain: None };
        }
        let domain = (left / 3).min(14);
        Self { entity_type, entity: left - domain - 1, domain: Some(domain) }
    }

    /// The column of the domain, if it has its own.
    fn domain_start(&self) -> Option<u16> {
        self.domain.map(|_| self.entity_type + 1 + self.entity + 1)
    }
}

/// Draws type, entity and domain of a row of the matrix.
fn draw_labels(table: &ScopeTable, row: usize, (area, line): (Rect, u16), canvas: &mut Canvas<'_>) {
    let theme = canvas.ctx.theme;
    let Some(target) = table.matrix.rows.get(row) else { return };
    let widths = LabelWidths::new(table, area.width);
    let writer = canvas
        .line(area, line)
        .write_column(target.entity_type.as_str(), widths.entity_type, theme.text())
        .skip(1);
    let domain = target.domain.as_ref().map(Domain::as_str);
    let Some(domain_width) = widths.domain else {
        let left = widths.entity;
        let domain = domain.map_or_else(String::new, |domain| format!("@{domain}"));
        // A scope without its domain would look wider than it is, so that the entity is cut first.
        let entity = target.entity.as_str();
        let room = left.saturating_sub(width(&domain)).max(left.min(1));
        let text = format!("{}{domain}", truncate(entity, room, &theme));
        writer.write_column(&text, left, entity_style(entity, &theme));
        return;
    };
    let style = if domain.is_some() { theme.text() } else { theme.faint };
    let entity = target.entity.as_str();
    writer.write_column(entity, widths.entity, entity_style(entity, &theme)).skip(1).write_column(
        domain.unwrap_or("any"),
        domain_width,
        style,
    );
}

/// The style of an entity. `*` is highlighted, because it covers entities created later.
fn entity_style(entity: &str, theme: &Theme) -> Style {
    if entity == "*" { theme.warning } else { theme.text() }
}

/// The glyph and the style of a cell. Each state has a different glyph.
fn cell_glyph(state: CellState, theme: &Theme) -> (&'static str, Style) {
    match (state, theme.is_ascii()) {
        (CellState::Unavailable, _) => (" ", theme.text()),
        (CellState::Offered, false) => ("·", theme.faint),
        (CellState::Offered, true) => (".", theme.faint),
        (CellState::Granted, false) => ("✓", theme.good),
        (CellState::Granted, true) => ("x", theme.good),
        (CellState::Implied, _) => ("*", theme.faint),
        (CellState::Added, _) => ("+", theme.warning),
        (CellState::Removed, _) => ("-", theme.danger),
    }
}

/// The widths of the columns entity type, entity, operation and domain.
fn list_widths(area: u16) -> [u16; 4] {
    let room = area.saturating_sub(6);
    let (kind, operation) = (12.min(room / 4), 12.min(room / 4));
    let left = room - kind - operation;
    let domain = (left / 3).min(16);
    [kind, left - domain, operation, domain]
}

fn draw_list_row(
    table: &ScopeTable,
    (row, line): (usize, u16),
    cursor: Cursor,
    area: Rect,
    canvas: &mut Canvas<'_>,
) {
    let (ctx, theme) = (canvas.ctx, canvas.ctx.theme);
    let Some((scope, state)) = table.listed.get(row) else { return };
    let domain = scope.domain.as_ref().map(Domain::as_str);
    let cells = [
        (scope.entity_type.as_str(), theme.text()),
        (scope.entity.as_str(), entity_style(scope.entity.as_str(), &theme)),
        (scope.operation.as_str(), theme.text()),
        (domain.unwrap_or("any"), if domain.is_some() { theme.text() } else { theme.faint }),
    ];
    let writer = canvas.line(area, line);
    let mut writer: LineWriter<'_> = match state {
        CellState::Added | CellState::Removed => {
            let (text, style) = cell_glyph(*state, &theme);
            writer.text(text, style).skip(1)
        }
        _ => writer.skip(2),
    };
    for ((text, style), wide) in cells.into_iter().zip(list_widths(area.width.saturating_sub(2))) {
        writer = writer.write_column(text, wide, style).skip(2);
    }
    ctx.hit_map.list_row(line_rect(area, line), row, cursor.row);
    if cursor.is_shown() && row == cursor.row {
        canvas.fill_line(area, line, theme.selected);
    }
}
