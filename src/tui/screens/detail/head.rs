//! The head of the detail: name and status, then the description with the actions beside it. Draws
//! the actions as click regions. Called by the detail screen.

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

/// The lines below the name: the description, or the expiry on a small screen, and the actions.
pub(super) struct Head {
    /// The actions at the right end of line 1: each with its key and its label.
    actions: Vec<(Action, String, &'static str)>,
    /// The column at which the actions start.
    actions_start: u16,
    /// The number of the first line of the text.
    first_line: u16,
    lines: Vec<String>,
}

impl Head {
    /// The head of `token` in `area`. If facts are hidden, the only action is the one that shows them:
    /// the footer contains the others, too.
    pub(super) fn new(token: &Token, hides_facts: bool, area: Rect, ctx: &Model) -> Self {
        let can_revoke = !token.status(ctx.now).is_ended();
        let shown: &[_] = if hides_facts {
            &[(Action::Zoom, "all facts")]
        } else {
            &[(Action::Revoke, "revoke"), (Action::Regenerate, "regenerate")]
        };
        let is_shown = |action: Action| {
            !(ctx.read_only && action.changes_store()) && (can_revoke || action != Action::Revoke)
        };
        let shown = shown.iter().filter(|(action, _)| is_shown(*action));
        let actions: Vec<_> = shown
            .map(|(action, label)| (*action, ctx.key(Mode::Detail, *action), *label))
            .collect();
        let wide = |(_, key, label): &(Action, String, &str)| width(key) + 1 + width(label) + 2;
        let actions_start = (area.width + 2).saturating_sub(actions.iter().map(wide).sum());
        let actions_start = actions_start.min(area.width);
        let room = actions_start.saturating_sub(2);
        let head = Self { actions, actions_start, first_line: 1, lines: Vec::new() };
        if area.height < MIN_FACTS_HEIGHT {
            let lines = wrap_lines(&expiry_text(token, ctx), room, 1, &ctx.theme);
            return Self { lines, ..head };
        }
        let text = token.description.as_str();
        if text.is_empty() {
            return head;
        }
        let is_short = !text.contains('\n') && width(text) <= room;
        let (first_line, room) =
            if is_short || room >= MIN_DESCRIPTION_WIDTH { (1, room) } else { (2, area.width) };
        let most = usize::from(area.height / 10).clamp(1, 4);
        let lines = wrap_lines(text, room, most, &ctx.theme);
        Self { first_line, lines, ..head }
    }

    /// The number of lines with that of the name.
    pub(super) fn height(&self) -> u16 {
        let count = u16::try_from(self.lines.len()).unwrap_or(1);
        (self.first_line + count).max(2)
    }

    pub(super) fn draw(&self, token: &Token, area: Rect, canvas: &mut Canvas<'_>) {
        let (ctx, theme) = (canvas.ctx, &canvas.ctx.theme);
        draw_name(token, area, canvas);
        let mut writer = canvas.line(area, 1).move_to(self.actions_start);
        for (action, key, label) in &self.actions {
            let from = writer.column();
            writer = writer.text(key, theme.key).skip(1).text(label, theme.text());
            ctx.hit_map.click_action(writer.rect_since(from), *action);
            writer = writer.skip(2);
        }
        canvas.text_lines(area, self.first_line.., &self.lines, theme.text());
    }
}

/// Draws the name and the status on the first line of `area`.
pub(super) fn draw_name(token: &Token, area: Rect, canvas: &mut Canvas<'_>) {
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
}

/// The end as a short text: `expires in 27d`.
fn expiry_text(token: &Token, ctx: &Model) -> String {
    if let Some(at) = token.revoked {
        return format!("revoked {}", ctx.short_time(at));
    }
    match token.expires {
        None => "never expires".to_owned(),
        Some(at) if at <= ctx.now => format!("expired {}", ctx.short_time(at)),
        Some(at) => format!("expires {}", ctx.short_time(at)),
    }
}

/// Why a check denies every operation of the token, whatever its scopes are.
pub(super) fn deny_reason(token: &Token, ctx: &Model) -> Option<&'static str> {
    match token.status(ctx.now) {
        Status::Revoked => Some("Revoked"),
        Status::Expired => Some("Expired"),
        Status::NotYetValid => Some("Not valid yet"),
        Status::Active => match token.uses_left() {
            Some((0, _)) => Some("No uses left"),
            _ => None,
        },
    }
}
