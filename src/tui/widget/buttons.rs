//! A row of buttons of which one is chosen. The first is the safe one and is chosen at first.

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
};

use super::paint::{Pen, width};
use crate::tui::look::Look;

/// Draws `words` as buttons in the first line of `area`; `chosen` has the focus, `None` when
/// the focus is elsewhere. The place of the cursor when one has it.
pub fn draw(
    words: &[&str],
    chosen: Option<usize>,
    area: Rect,
    buf: &mut Buffer,
    look: &Look,
) -> Option<Position> {
    let mut column = 0;
    let mut cursor = None;
    for (at, word) in words.iter().enumerate() {
        let here = chosen == Some(at);
        let style = if here { look.selected() } else { look.text() };
        Pen::at(buf, area, 0, look).to(column).text(&format!("[ {word} ]"), style);
        if here && column + 2 < area.width && area.height > 0 {
            cursor = Some(Position::new(area.x + column + 2, area.y));
        }
        column = column.saturating_add(width(word) + 6);
    }
    cursor
}
