//! The scrollbar of a list, the same on every screen. Called by the lists of tokens, scopes and events.

use ratatui::{
    layout::Rect,
    widgets::{Scrollbar, ScrollbarOrientation, ScrollbarState, StatefulWidget as _},
};

use super::canvas::Canvas;

/// Draws a scrollbar in the last column of `area`, which shows `page` of `count` rows from row `top`
/// on. Draws nothing if all rows are visible.
pub fn draw_scrollbar(
    area: Rect,
    (top, page, count): (usize, usize, usize),
    canvas: &mut Canvas<'_>,
) {
    if count <= page || area.is_empty() {
        return;
    }
    let theme = &canvas.ctx.theme;
    let (track, thumb) = theme.scrollbar();
    let bar = Scrollbar::new(ScrollbarOrientation::VerticalRight)
        .begin_symbol(None)
        .end_symbol(None)
        .track_symbol(Some(track))
        .thumb_symbol(thumb)
        .track_style(theme.rule)
        .thumb_style(theme.rule);
    let mut state =
        ScrollbarState::new(count - page + 1).position(top).viewport_content_length(page);
    bar.render(area.intersection(canvas.buf.area), canvas.buf, &mut state);
}
