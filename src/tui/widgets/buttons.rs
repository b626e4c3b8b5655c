//! A row of buttons of which at most one has the focus. The last button submits. If there are two
//! buttons, the first one cancels and is selected at first. Forms and confirm dialogs call this
//! module.

use ratatui::layout::{Position, Rect};

use super::canvas::{Canvas, width};
use crate::keymap::Action;

/// Draws a button per label on the first line of `area`. `focused` is the index of the button with
/// the focus, if any. Returns the cursor position if a button has the focus.
pub fn draw(
    labels: &[&str],
    focused: Option<usize>,
    area: Rect,
    canvas: &mut Canvas<'_>,
) -> Option<Position> {
    let action = |at| if at + 1 == labels.len() { Action::Submit } else { Action::Cancel };
    let buttons: Vec<_> =
        labels.iter().enumerate().map(|(at, label)| (*label, action(at))).collect();
    draw_with_actions(&buttons, focused, area, canvas)
}

/// Like [`draw`], for buttons with their actions.
pub fn draw_with_actions(
    buttons: &[(&str, Action)],
    focused: Option<usize>,
    area: Rect,
    canvas: &mut Canvas<'_>,
) -> Option<Position> {
    let (ctx, theme) = (canvas.ctx, &canvas.ctx.theme);
    let mut column = 0;
    let mut cursor = None;
    for (at, (label, action)) in buttons.iter().enumerate() {
        let has_focus = focused == Some(at);
        let style = if has_focus { theme.selected } else { theme.text() };
        let writer = canvas.line(area, 0).move_to(column).text(&format!("[ {label} ]"), style);
        ctx.hit_map.click_action(writer.rect_since(column), *action);
        if has_focus && column + 2 < area.width && area.height > 0 {
            cursor = Some(Position::new(area.x + column + 2, area.y));
        }
        column = column.saturating_add(width(label) + 6);
    }
    cursor
}
