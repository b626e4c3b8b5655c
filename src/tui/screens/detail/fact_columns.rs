//! Draws the facts of a token: in two columns if there is room, else in one. If the height is
//! short, the lines with the highest rank are left out; the zoomed view scrolls through all of them.
//! Called by the detail screen.

use ratatui::layout::Rect;

use super::facts::{Fact, FactLine, wrap_lines};
use crate::tui::{
    theme::Theme,
    widgets::{
        canvas::{Canvas, line_rect, width, wrap},
        list_selection::ListSelection,
    },
};

/// Minimum width, in columns, for facts in two columns.
const MIN_TWO_COLUMNS: u16 = 76;
/// Width of the labels of the left and of the right column.
pub(super) const LABEL_WIDTHS: [u16; 2] = [11, 8];
/// Width of the labels in the zoomed view, which includes the description.
const ALL_LABEL_WIDTH: u16 = 12;

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
    let most = max_lines(area);
    let heights = columns(facts, area).into_iter().map(|(facts, label, area)| {
        let room = (area.width.saturating_sub(label), most);
        let rows = fitting_rows(facts, room, area.height, &theme);
        draw_rows(&rows.iter().collect::<Vec<_>>(), label, area, canvas)
    });
    heights.max().unwrap_or(0)
}

/// Whether `draw_facts` shows all lines of `facts`, uncut.
pub(super) fn fit(facts: &[Vec<Fact>; 2], area: Rect, theme: &Theme) -> bool {
    let most = max_lines(area);
    columns(facts, area).into_iter().all(|(facts, label, area)| {
        let room = area.width.saturating_sub(label);
        let lines = facts.iter().flat_map(|fact| &fact.lines);
        let heights: Vec<_> =
            lines.map(|line| wrap(&line.full_text(), room, theme).len()).collect();
        heights.iter().sum::<usize>() <= usize::from(area.height)
            && heights.iter().all(|height| *height <= most)
    })
}

/// Draws the lines of `facts` in one column, without leaving any out. The selected line of `view` is
/// the first one that is shown. Returns its number and that of all lines.
pub(super) fn draw_all_facts(
    facts: &[Vec<Fact>; 2],
    view: &mut ListSelection,
    area: Rect,
    canvas: &mut Canvas<'_>,
) -> (usize, usize) {
    let label = ALL_LABEL_WIDTH;
    let room = (area.width.saturating_sub(label), usize::MAX);
    let rows = fitting_rows(facts.iter().flatten(), room, u16::MAX, &canvas.ctx.theme);
    let page = usize::from(area.height);
    let top = view.selected().min(rows.len().saturating_sub(page));
    view.select(top);
    view.scroll_to_selection(page, rows.len());
    let shown: Vec<_> = rows.iter().skip(top).take(page).collect();
    draw_rows(&shown, label, area, canvas);
    (top, rows.len())
}

/// Maximum number of lines of one line of a fact after wrapping.
fn max_lines(area: Rect) -> usize {
    if area.height > 16 { 3 } else { 2 }
}

/// The facts of each column with the width of its labels and its area.
fn columns(facts: &[Vec<Fact>; 2], area: Rect) -> Vec<(Vec<&Fact>, u16, Rect)> {
    let [left, right] = facts;
    let [left_label, right_label] = LABEL_WIDTHS;
    let (left_area, right_area) = column_areas(area);
    if right_area.width == 0 {
        return vec![(left.iter().chain(right).collect(), left_label, area)];
    }
    vec![
        (left.iter().collect(), left_label, left_area),
        (right.iter().collect(), right_label, right_area),
    ]
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

fn draw_rows(rows: &[&FactRow<'_>], label: u16, area: Rect, canvas: &mut Canvas<'_>) -> u16 {
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
