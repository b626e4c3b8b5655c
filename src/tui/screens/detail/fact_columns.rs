//! Draws the facts of a token: in two columns if there is room, else in one. If the height is
//! short, the lines with the highest rank are left out. Called by the detail screen.

use ratatui::layout::Rect;

use super::facts::{Fact, FactLine, wrap_lines};
use crate::tui::{
    theme::Theme,
    widgets::canvas::{Canvas, line_rect, width},
};

/// Minimum width, in columns, for facts in two columns.
const MIN_TWO_COLUMNS: u16 = 76;
/// Width of the labels of the left and of the right column.
pub(super) const LABEL_WIDTHS: [u16; 2] = [11, 8];

/// A fact line after wrapping: one line of the screen.
struct FactRow<'a> {
    label: &'static str,
    text: String,
    line: &'a FactLine,
}

/// Draws `facts`, the left and the right column, on at most `area.height` lines. Returns the number
/// of lines used.
pub(super) fn draw_facts(facts: &[Vec<Fact>; 2], area: Rect, canvas: &mut Canvas<'_>) -> u16 {
    let theme = canvas.ctx.theme;
    let [left, right] = facts;
    let most = if area.height > 16 { 3 } else { 2 };
    let [left_label, right_label] = LABEL_WIDTHS;
    let (left_area, right_area) = column_areas(area);
    let right_text = right_area.width.saturating_sub(right_label);
    let left_text = left_area.width.saturating_sub(left_label);
    if right_area.width == 0 {
        let all = left.iter().chain(right);
        let rows = fitting_rows(all, (left_text, most), area.height, &theme);
        return draw_rows(&rows, left_label, area, canvas);
    }
    let left = fitting_rows(left, (left_text, most), area.height, &theme);
    let right = fitting_rows(right, (right_text, most), area.height, &theme);
    let lines = draw_rows(&left, left_label, left_area, canvas);
    lines.max(draw_rows(&right, right_label, right_area, canvas))
}

/// The areas of the two columns. The right one is empty if there is room for only one.
fn column_areas(area: Rect) -> (Rect, Rect) {
    if area.width < MIN_TWO_COLUMNS {
        return (area, Rect { width: 0, ..area });
    }
    let left = area.width * 17 / 30;
    (
        Rect { width: left - 1, ..area },
        // Two blank columns keep the label apart from a long text of the left column.
        Rect { x: area.x + left + 1, width: area.width - left - 1, ..area },
    )
}

/// Wraps the lines of `facts` and leaves out lines until the rest fits into `height`.
fn fitting_rows<'a>(
    facts: impl IntoIterator<Item = &'a Fact>,
    (room, most): (u16, usize),
    height: u16,
    theme: &Theme,
) -> Vec<FactRow<'a>> {
    let mut rows = Vec::new();
    for fact in facts {
        let mut label = fact.label;
        for line in &fact.lines {
            for text in wrap_lines(&line.full_text(), room, most, theme) {
                rows.push(FactRow { label: std::mem::take(&mut label), text, line });
            }
        }
    }
    while rows.len() > usize::from(height) {
        let Some(worst) = rows.iter().map(|row| row.line.rank).max() else { break };
        rows.retain(|row| row.line.rank != worst);
    }
    rows
}

fn draw_rows(rows: &[FactRow<'_>], label: u16, area: Rect, canvas: &mut Canvas<'_>) -> u16 {
    let theme = canvas.ctx.theme;
    for (at, row) in (0..).zip(rows) {
        let writer = canvas.line(area, at).write_column(row.label, label, theme.faint);
        let start = writer.column();
        let writer = writer.text(&row.text, row.line.style);
        let text = writer.rect_since(start).intersection(line_rect(area, at));
        let (lead, tail) = (&row.line.lead, &row.line.tail);
        if !lead.content.is_empty() && row.text.starts_with(&*lead.content) {
            let wide = width(&lead.content).min(text.width);
            canvas.buf.set_style(Rect { width: wide, ..text }, lead.style);
        }
        if !tail.content.is_empty() && row.text.ends_with(&*tail.content) {
            let wide = width(&tail.content).min(text.width);
            let x = text.right() - wide;
            canvas.buf.set_style(Rect { x, width: wide, ..text }, tail.style);
        }
    }
    u16::try_from(rows.len()).unwrap_or(area.height).min(area.height)
}
