//! Details of one token: fields, status with the matching action, table of scopes, and events.
//! Shown beside the list if there is room, else as a tab.

use ratatui::{layout::Rect, style::Style};

use super::token_actions::{preview, token_effect};
use crate::{
    domain::{
        AuditEvent, Command, Scope, ScopesToRemove, Status, Token, TokenId, UsageDays,
        describe_scopes::{NO_SCOPES, describe_scopes, wildcard_warning},
        grouped, uses_left_text,
    },
    keymap::{Action, Mode},
    tui::{
        app::{
            effect::{Effect, Tab, UiChange},
            model::Model,
        },
        dialogs::{
            access_check::AccessCheckDialog,
            scope_preset::ScopePresetDialog,
            shared_text::{describe_use, time_and_origin},
        },
        theme::time_format,
        widgets::{
            canvas::{Canvas, line_rect, rect_below, truncate, wrap},
            list_selection::ListSelection,
        },
    },
};

/// Minimum height, in lines, for showing every field.
const MIN_FULL_HEIGHT: u16 = 12;
/// Width of the field names in columns.
const LABEL_WIDTH: u16 = 13;

/// Which component receives key input while the detail screen is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyReceiver {
    Detail,
    /// The list beside the detail screen.
    List,
    /// A dialog over the screen.
    Overlay,
}

#[derive(Debug, Default)]
pub struct DetailScreen {
    id: Option<TokenId>,
    rows: ListSelection,
    events: Vec<AuditEvent>,
    days: UsageDays,
}

impl DetailScreen {
    pub fn id(&self) -> Option<TokenId> {
        self.id
    }

    /// Shows the token `id`. If another token was shown before, no events are shown until `deliver`
    /// is called.
    pub fn show(&mut self, id: Option<TokenId>) {
        if self.id != id {
            *self = Self { id, ..Self::default() };
        }
    }

    /// Shows the events of the token `id`, newest first, and its numbers of uses. Does nothing if
    /// another token is shown.
    pub fn deliver(&mut self, id: TokenId, events: Vec<AuditEvent>, days: UsageDays) {
        if self.id == Some(id) {
            self.events = events;
            self.days = days;
        }
    }

    fn token<'a>(&self, ctx: &'a Model) -> Option<&'a Token> {
        self.id.and_then(|id| ctx.token(&id))
    }

    fn scope<'a>(&self, ctx: &'a Model) -> Option<&'a Scope> {
        self.token(ctx)?.scopes.as_slice().get(self.rows.selected())
    }

    pub fn enables(&self, action: Action, ctx: &Model) -> bool {
        let Some(token) = self.token(ctx) else {
            return matches!(
                action,
                Action::Back | Action::Undo | Action::Help | Action::Quit | Action::NextTab
            );
        };
        match action {
            Action::Revoke => !token.status(ctx.now).is_ended(),
            Action::EndOverlap => token.has_overlap(ctx.now),
            Action::RemoveScope | Action::ClearScopes => !token.scopes.is_empty(),
            _ => true,
        }
    }

    pub fn update(&mut self, action: Action, ctx: &Model) -> Option<Effect> {
        if action == Action::Back {
            return Some(Effect::Ui(UiChange::GoTo(Tab::Tokens)));
        }
        let token = self.token(ctx)?;
        if self.rows.apply_movement(action, token.scopes.len()).is_some() {
            return None;
        }
        match action {
            Action::Open => None,
            Action::RemoveScope | Action::ClearScopes if token.scopes.is_empty() => {
                let key = ctx.key(Mode::Detail, Action::AddScope);
                Some(Effect::warn(format!("{} has no scopes. Press {key} to add one.", token.name)))
            }
            Action::RemoveScope => Some(preview(Command::RemoveScopes {
                tokens: vec![token.id],
                scopes: ScopesToRemove::Listed(vec![self.scope(ctx)?.clone()]),
            })),
            Action::ClearScopes => Some(preview(Command::RemoveScopes {
                tokens: vec![token.id],
                scopes: ScopesToRemove::All,
            })),
            Action::EndOverlap if token.has_overlap(ctx.now) => {
                Some(preview(Command::EndOverlap { tokens: vec![token.id] }))
            }
            Action::EndOverlap => {
                Some(Effect::warn(format!("{} has no overlap to end", token.name)))
            }
            Action::Preset => Some(Effect::open(ScopePresetDialog::add(token, ctx))),
            Action::Test => Some(Effect::open(AccessCheckDialog::new(token, ctx))),
            _ => token_effect(action, token, ctx),
        }
    }

    pub fn view(&mut self, area: Rect, canvas: &mut Canvas<'_>, focus: KeyReceiver) {
        let (ctx, theme) = (canvas.ctx, &canvas.ctx.theme);
        let area =
            Rect { x: area.x + 1.min(area.width), width: area.width.saturating_sub(2), ..area };
        let Some(token) = self.token(ctx) else {
            let is_deleted = self.id.is_some_and(|id| ctx.is_gone(&id));
            let key = |action| ctx.key(Mode::Detail, action);
            let text = if self.id.is_some() && !is_deleted {
                String::new()
            } else if is_deleted {
                let (undo, back) = (key(Action::Undo), key(Action::Back));
                format!(
                    "This token was deleted. Press {undo} to undo your last change, {back} to go back to the list."
                )
            } else if focus == KeyReceiver::List {
                "No token selected.".into()
            } else {
                let (list, open) = (key(Action::TokensTab), ctx.key(Mode::Tokens, Action::Open));
                format!(
                    "No token selected. Press {list} for the list, then {open} to open a token."
                )
            };
            canvas.text_lines(area, 1.., wrap(&text, area.width, &ctx.theme), theme.text());
            return;
        };
        ctx.hit_map.wheel(area, 3);
        draw_title(token, area, canvas);
        let used = 1 + draw_fields(token, &self.days, rect_below(area, 1), canvas);
        let rest = rect_below(area, used);
        // Events get the height that the scopes leave. Below 8 lines, no events are shown.
        let wanted = u16::try_from(token.scopes.len().max(1)).unwrap_or(u16::MAX).saturating_add(3);
        let for_events = match rest.height {
            0..8 => 0,
            high => high.saturating_sub(wanted).max(3),
        };
        let scopes = Rect { height: rest.height - for_events, ..rest };
        self.draw_scopes(token, scopes, canvas, focus);
        self.draw_events(rect_below(rest, scopes.height), canvas);
    }

    fn draw_scopes(
        &mut self,
        token: &Token,
        area: Rect,
        canvas: &mut Canvas<'_>,
        focus: KeyReceiver,
    ) {
        let (ctx, theme) = (canvas.ctx, &canvas.ctx.theme);
        canvas.rule(area, 0);
        let count = token.scopes.len();
        canvas.line(area, 0).skip(1).text(&format!(" Scopes {} ", grouped(count)), theme.heading);
        if token.scopes.is_empty() {
            let key = ctx.key(Mode::Detail, Action::AddScope);
            let text = format!("{NO_SCOPES} ({key} adds one)");
            canvas.line(area, 1).text(&text, theme.warning);
            return;
        }
        let widths = scope_columns(area.width);
        let headings = ["Entity type", "Entity", "Operation", "Domain"];
        draw_cells(headings, widths, 1, area, canvas, true);
        let page = usize::from(area.height.saturating_sub(2));
        let top = self.rows.scroll_to_selection(page, count);
        for (line, (at, scope)) in (2..).zip(token.scopes.iter().enumerate().skip(top).take(page)) {
            let domain = scope.domain.as_ref().map_or("any", |domain| domain.as_str());
            let cells = [
                scope.entity_type.as_str(),
                scope.entity.as_str(),
                scope.operation.as_str(),
                domain,
            ];
            draw_cells(cells, widths, line, area, canvas, false);
            ctx.hit_map.list_row(line_rect(area, line), at, self.rows.selected());
            if focus == KeyReceiver::Detail && at == self.rows.selected() {
                canvas.fill_line(area, line, theme.selected);
            }
        }
    }

    fn draw_events(&self, area: Rect, canvas: &mut Canvas<'_>) {
        let (ctx, theme) = (canvas.ctx, &canvas.ctx.theme);
        canvas.rule(area, 0);
        let title = format!(" Events {} ", grouped(self.events.len()));
        canvas.line(area, 0).skip(1).text(&title, theme.heading);
        let page = usize::from(area.height.saturating_sub(1));
        for (line, event) in (1..).zip(self.events.iter().take(page)) {
            let when = ctx.short_time(event.body.at);
            canvas
                .line(area, line)
                .write_column(&when, 12.max(when.len().try_into().unwrap_or(12)), theme.faint)
                .skip(2)
                .write_column(event.body.action.as_str(), 13, theme.text())
                .skip(2)
                .text(&event.body.actor.to_string(), theme.text())
                .skip(2)
                .text(&event.body.detail, theme.faint);
        }
    }
}

fn draw_title(token: &Token, area: Rect, canvas: &mut Canvas<'_>) {
    let (ctx, theme) = (canvas.ctx, &canvas.ctx.theme);
    let status = token.status(ctx.now);
    let name = area.width.saturating_sub(30).max(10);
    let (action, verb) = match status {
        Status::Active | Status::NotYetValid => (Action::Revoke, "revoke"),
        Status::Expired | Status::Revoked => (Action::Regenerate, "regenerate"),
    };
    let key = ctx.key(Mode::Detail, action);
    let sign = format!("{} {}", theme.status_glyph(status), status.as_str());
    let writer = canvas.line(area, 0);
    let indent = area.width.saturating_sub(26);
    let writer = writer
        .text_within(token.name.as_str(), name, theme.heading)
        .move_to(indent)
        .text(&sign, theme.status(status).patch(theme.heading));
    if !ctx.read_only {
        writer.skip(2).text(&key, theme.key).skip(1).text(verb, theme.text());
    }
}

/// A line of a field: the field name, the text, and the style of the text.
type FieldLine = (&'static str, String, Style);

/// Draws the fields, one per line, and returns the number of lines.
fn draw_fields(token: &Token, days: &UsageDays, area: Rect, canvas: &mut Canvas<'_>) -> u16 {
    let (ctx, theme) = (canvas.ctx, &canvas.ctx.theme);
    let room = area.width.saturating_sub(LABEL_WIDTH);
    let mut lines = fields(token, days, ctx);
    if area.height < MIN_FULL_HEIGHT {
        // The scopes need the height, so keep only the fields that change most often.
        lines.retain(|(name, ..)| {
            matches!(*name, "expires" | "expired" | "not before" | "uses" | "last used")
        });
    } else {
        let most = usize::from(area.height / 5).clamp(1, 4);
        lines.extend(wrapped_field("description", token.description.as_str(), room, most, ctx));
    }
    if area.height <= 16 {
        // The scopes are more important than the counts.
        lines.retain(|(name, ..)| *name != "used today");
    }
    if !token.scopes.is_empty() && area.height > 16 {
        lines.extend(wrapped_field("allows", &describe_scopes(&token.scopes), room, 2, ctx));
        if let Some(warning) = wildcard_warning(&token.scopes) {
            lines.push(("", format!("{} {warning}", theme.fault_glyph()), theme.warning));
        }
    }
    for (line, (name, text, style)) in (0..).zip(&lines) {
        canvas.line(area, line).write_column(name, LABEL_WIDTH, theme.faint).text(text, *style);
    }
    u16::try_from(lines.len()).unwrap_or(u16::MAX)
}

fn fields(token: &Token, days: &UsageDays, ctx: &Model) -> Vec<FieldLine> {
    let theme = &ctx.theme;
    let text = theme.text();
    let at = |at| ctx.detailed_time(at);
    let hint = token.secret_hint();
    let delivery_note = if token.delivered { "" } else { "   secret not saved yet" };
    let mut lines =
        vec![("id", token.id.to_string(), text), ("token", format!("{hint}{delivery_note}"), text)];
    if let (Some(revoked), Status::Revoked) = (token.revoked, token.status(ctx.now)) {
        lines.push(("revoked", at(revoked), theme.danger));
    }
    if let Some(old) = token.active_overlap(ctx.now) {
        lines.push(("old secret", format!("works until {}", at(old.until)), theme.warning));
        lines.push(match &old.last_used {
            Some(used) => ("", format!("last used {}", time_and_origin(used, ctx)), theme.warning),
            None => ("", "not used since the regeneration".to_owned(), theme.good),
        });
        if !token.is_in_use() {
            lines.push(("new secret", "not used yet".to_owned(), theme.warning));
        }
    }
    let ends = if token.status(ctx.now) == Status::Expired { "expired" } else { "expires" };
    let style = if token.expires_soon(ctx.now) { theme.warning } else { text };
    lines.push(("issued", at(token.issued), text));
    lines.push((ends, token.expires.map_or_else(|| "never".to_owned(), at), style));
    lines.extend(limit_fields(token, ctx));
    lines.extend(last_use_fields(token, ctx));
    if let Some(denied) = token.last_denial() {
        lines.push(("last denied", describe_use(denied, ctx), theme.warning));
    }
    if let Some(today) = days.on_day_of(ctx.now) {
        lines.push(("used today", today.describe(), text));
    }
    let created = format!("{} by {}", time_format::long(token.created, ctx.zone), token.created_by);
    lines.push(("created", created, text));
    lines
}

/// The lines about the limits of the token.
fn limit_fields(token: &Token, ctx: &Model) -> Vec<FieldLine> {
    let theme = &ctx.theme;
    let mut lines = Vec::new();
    if let Some(start) = token.limits.not_before {
        let is_early = ctx.now < start;
        let style = if is_early { theme.accent } else { theme.text() };
        lines.push(("not before", ctx.detailed_time(start), style));
    }
    if let Some(sources) = &token.limits.sources {
        lines.push(("allowed from", sources.to_string(), theme.text()));
    }
    if let Some((left, max)) = token.uses_left() {
        let style = if left == 0 { theme.warning } else { theme.text() };
        lines.push(("uses", uses_left_text(left, max), style));
    }
    lines
}

/// The lines about the last use: the first with the time, the second with the operation and origin.
fn last_use_fields(token: &Token, ctx: &Model) -> Vec<FieldLine> {
    let text = ctx.theme.text();
    let Some(used) = token.last_use() else {
        return vec![("last used", "never used".to_owned(), text)];
    };
    let when = ctx.detailed_time(used.at);
    let from = used.from.as_ref().map_or_else(String::new, |from| format!(", from {from}"));
    vec![("last used", when, text), ("used for", format!("{}{from}", used.summary), text)]
}

/// Wraps a field to at most `most` lines. A truncated field ends with an ellipsis.
fn wrapped_field(
    name: &'static str,
    text: &str,
    room: u16,
    most: usize,
    ctx: &Model,
) -> Vec<FieldLine> {
    let parts = wrap(text, room, &ctx.theme);
    let left_out = parts.len() > most;
    let mut lines: Vec<FieldLine> =
        parts.into_iter().take(most).map(|part| ("", part, ctx.theme.text())).collect();
    if let Some(first) = lines.first_mut() {
        first.0 = name;
    }
    if let (true, Some(last)) = (left_out, lines.last_mut()) {
        last.1 = truncate(&format!("{}   ", last.1), room, &ctx.theme).into_owned();
        last.1.push_str(ctx.theme.ellipsis());
    }
    lines
}

/// The widths of the columns entity type, entity, operation and domain.
fn scope_columns(area: u16) -> [u16; 4] {
    let room = area.saturating_sub(6);
    let (kind, operation) = (12.min(room / 4), 12.min(room / 4));
    let left = room - kind - operation;
    let domain = (left / 3).min(16);
    [kind, left - domain, operation, domain]
}

fn draw_cells(
    cells: [&str; 4],
    widths: [u16; 4],
    line: u16,
    area: Rect,
    canvas: &mut Canvas<'_>,
    heading: bool,
) {
    let theme = &canvas.ctx.theme;
    let style = if heading { theme.heading } else { theme.text() };
    let mut writer = canvas.line(area, line);
    for (cell, wide) in cells.into_iter().zip(widths) {
        let faint = !heading && matches!(cell, "any");
        writer = writer.write_column(cell, wide, if faint { theme.faint } else { style }).skip(2);
    }
}
