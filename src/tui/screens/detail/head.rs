//! The head of the detail: name and status, then the description with the two actions that change
//! the status. Draws the actions as click regions. Called by the detail screen.

use ratatui::layout::Rect;

use super::facts::wrap_lines;
use crate::{
    domain::{Status, Token},
    keymap::{Action, Mode},
    tui::{
        app::model::Model,
        widgets::canvas::{Canvas, width},
    },
};

/// Below this height, in lines, the head contains the expiry and there are no facts.
pub(super) const MIN_FACTS_HEIGHT: u16 = 10;
/// Minimum room, in columns, for a long description beside the actions.
const MIN_DESCRIPTION_WIDTH: u16 = 30;

/// Draws the head and returns its number of lines.
pub(super) fn draw_head(token: &Token, area: Rect, canvas: &mut Canvas<'_>) -> u16 {
    let (ctx, theme) = (canvas.ctx, &canvas.ctx.theme);
    let status = token.status(ctx.now);
    let used_up = if token.is_used_up() && status == Status::Active { ", used up" } else { "" };
    let sign = format!("{} {}{used_up}", theme.status_glyph(status), status.as_str());
    let at = area.width.saturating_sub(width(&sign));
    canvas
        .line(area, 0)
        .text_within(token.name.as_str(), at.saturating_sub(2), theme.heading)
        .move_to(at)
        .text(&sign, theme.status(status).patch(theme.heading));
    let room = draw_actions(token, area, canvas).saturating_sub(2);
    if area.height < MIN_FACTS_HEIGHT {
        canvas.line(area, 1).text_within(&expiry_text(token, ctx), room, theme.text());
        return 2;
    }
    let text = token.description.as_str();
    if text.is_empty() {
        return 2;
    }
    let is_short = !text.contains('\n') && width(text) <= room;
    let (line, room) =
        if is_short || room >= MIN_DESCRIPTION_WIDTH { (1, room) } else { (2, area.width) };
    let lines = wrap_lines(text, room, usize::from(area.height / 10).clamp(1, 4), theme);
    let count = u16::try_from(lines.len()).unwrap_or(1);
    canvas.text_lines(area, line.., lines, theme.text());
    (line + count).max(2)
}

/// Draws the actions that change the status at the right end of line 1. Returns the column at which
/// they start.
fn draw_actions(token: &Token, area: Rect, canvas: &mut Canvas<'_>) -> u16 {
    let (ctx, theme) = (canvas.ctx, &canvas.ctx.theme);
    let can_revoke = !token.status(ctx.now).is_ended();
    let actions: Vec<_> = [(Action::Revoke, "revoke"), (Action::Regenerate, "regenerate")]
        .into_iter()
        .filter(|(action, _)| !ctx.read_only && (can_revoke || *action != Action::Revoke))
        .map(|(action, verb)| (action, ctx.key(Mode::Detail, action), verb))
        .collect();
    let wide = |(_, key, verb): &(Action, String, &str)| width(key) + 1 + width(verb) + 2;
    let start = (area.width + 2).saturating_sub(actions.iter().map(wide).sum());
    let start = start.min(area.width);
    let mut writer = canvas.line(area, 1).move_to(start);
    for (action, key, verb) in &actions {
        let from = writer.column();
        writer = writer.text(key, theme.key).skip(1).text(verb, theme.text());
        ctx.hit_map.click_action(writer.rect_since(from), *action);
        writer = writer.skip(2);
    }
    start
}

/// The expiry as a short text: `expires in 27d`.
fn expiry_text(token: &Token, ctx: &Model) -> String {
    match token.expires {
        None => "never expires".to_owned(),
        Some(at) if at <= ctx.now => format!("expired {}", ctx.short_time(at)),
        Some(at) => format!("expires {}", ctx.short_time(at)),
    }
}
