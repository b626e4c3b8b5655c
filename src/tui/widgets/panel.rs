//! A titled, centred box over the screen, sized to its content. The box clears the cells that it
//! covers and stays within its area. It has no border if the area is too small. Dialogs call it.

use ratatui::{
    layout::Rect,
    style::Style,
    widgets::{Clear, Widget as _},
};

use super::canvas::{Canvas, truncate, width};

/// Minimum number of columns beside a box in which the screen behind it stays visible.
const MIN_MARGINS: u16 = 20;

/// Draws a box with `columns` x `lines` cells inside and returns the inner area. `danger` selects
/// the style for destructive dialogs.
pub fn draw(
    title: &str,
    (columns, lines): (u16, u16),
    danger: bool,
    area: Rect,
    canvas: &mut Canvas<'_>,
) -> Rect {
    let theme = &canvas.ctx.theme;
    let area = area.intersection(canvas.buf.area);
    let wide = columns.saturating_add(4).min(area.width);
    let high = lines.saturating_add(2).min(area.height);
    let frame = Rect {
        x: area.x + (area.width - wide) / 2,
        y: area.y + (area.height - high) / 2,
        width: wide,
        height: high,
    };
    // One blank column on each side separates the box from the text around it. A few letters beside
    // a wide box would only distract.
    let margin = if area.width - wide < MIN_MARGINS {
        Rect { x: area.x, width: area.width, ..frame }
    } else {
        Rect { x: frame.x.saturating_sub(1), width: frame.width + 2, ..frame }
    };
    let margin = margin.intersection(area);
    Clear.render(margin, canvas.buf);
    canvas.buf.set_style(margin, theme.base);
    if wide < 10 || high < 4 {
        return frame;
    }
    let style = if danger { theme.danger } else { theme.accent };
    border(frame, canvas, style);
    let room = frame.width.saturating_sub(6);
    let title = format!(" {} ", truncate(title, room, theme));
    canvas.line(frame, 0).skip(2).text(&title, style.patch(theme.heading));
    Rect { x: frame.x + 2, y: frame.y + 1, width: frame.width - 4, height: frame.height - 2 }
}

/// Draws the left, right and bottom edges of `frame`, with `text` at the end of the bottom edge. The
/// line above `frame` is the top edge, such as a text input with suggestions.
pub fn draw_open_frame(text: &str, frame: Rect, canvas: &mut Canvas<'_>) {
    let theme = &canvas.ctx.theme;
    let style = theme.accent;
    draw_sides(frame, 0, style, canvas);
    let [_, _, left, right] = theme.corners();
    let text = format!(" {text} {}", theme.dash());
    let dashes = usize::from(frame.width.saturating_sub(2 + width(&text)));
    let bottom = format!("{left}{}{text}{right}", theme.dash().repeat(dashes));
    canvas.line(frame, frame.height.saturating_sub(1)).text(&bottom, style);
}

/// Draws the left and right edges of `frame` from line `first` to the line above the last.
fn draw_sides(frame: Rect, first: u16, style: Style, canvas: &mut Canvas<'_>) {
    let theme = &canvas.ctx.theme;
    for line in first..frame.height.saturating_sub(1) {
        canvas.line(frame, line).text(theme.bar(), style);
        canvas.line(frame, line).move_to(frame.width.saturating_sub(1)).text(theme.bar(), style);
    }
}

fn border(frame: Rect, canvas: &mut Canvas<'_>, style: Style) {
    let theme = &canvas.ctx.theme;
    let [top_left, top_right, bottom_left, bottom_right] = theme.corners();
    let dashes = theme.dash().repeat(usize::from(frame.width.saturating_sub(2)));
    let last = frame.height - 1;
    canvas.line(frame, 0).text(&format!("{top_left}{dashes}{top_right}"), style);
    canvas.line(frame, last).text(&format!("{bottom_left}{dashes}{bottom_right}"), style);
    draw_sides(frame, 1, style, canvas);
}
