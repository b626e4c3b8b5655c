//! A row of buttons of which one is chosen. The last one does it; one before it cancels, and is
//! chosen at first.

use ratatui::layout::{Position, Rect};

use super::paint::{Canvas, width};
use crate::keymap::Action;

/// Draws `words` as buttons in the first line of `area`; `chosen` has the focus, `None` when
/// the focus is elsewhere. The place of the cursor when one has it.
pub fn draw(
    words: &[&str],
    chosen: Option<usize>,
    area: Rect,
    canvas: &mut Canvas<'_>,
) -> Option<Position> {
    let (ctx, theme) = (canvas.ctx, &canvas.ctx.theme);
    let mut column = 0;
    let mut cursor = None;
    for (at, word) in words.iter().enumerate() {
        let here = chosen == Some(at);
        let style = if here { theme.selected } else { theme.text() };
        let writer = canvas.line(area, 0).to(column).text(&format!("[ {word} ]"), style);
        let does = if at + 1 == words.len() { Action::Submit } else { Action::Cancel };
        ctx.hit_map.act(writer.since(column), does);
        if here && column + 2 < area.width && area.height > 0 {
            cursor = Some(Position::new(area.x + column + 2, area.y));
        }
        column = column.saturating_add(width(word) + 6);
    }
    cursor
}
