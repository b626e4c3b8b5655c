//! One token whole: its fields, its status with the one action that fits it, its scopes as a
//! table and its own events. Beside the list where there is room, else a tab of its own.

use ratatui::{layout::Rect, style::Style};

use super::token_actions::{on_token, preview};
use crate::{
    domain::{
        AuditEvent, Command, Scope, ScopeSelection, Status, Token, TokenId,
        describe::{describe_scopes, wildcard_warning},
    },
    keymap::{Action, Mode},
    tui::{
        app::{
            effect::{Effect, Tab, UiAction},
            model::Model,
        },
        dialogs::{access_check::AccessCheckDialog, preset::PresetDialog, text::whence},
        theme::time_format,
        widgets::{
            list_selection::ListSelection,
            paint::{Canvas, below, cut, row_of, wrap},
        },
    },
};

/// Fewest lines in which every field is shown.
const LOW: u16 = 12;
/// Columns of the field names.
const LABELS: u16 = 13;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Focus {
    Here,
    /// To the list beside it.
    List,
    /// To what lies over the screen.
    Above,
}

#[derive(Debug, Default)]
pub struct Detail {
    id: Option<TokenId>,
    rows: ListSelection,
    history: Vec<AuditEvent>,
}

impl Detail {
    pub fn id(&self) -> Option<TokenId> {
        self.id
    }

    /// Shows `id`; its events are not known yet.
    pub fn show(&mut self, id: Option<TokenId>) {
        if self.id != id {
            *self = Self { id, ..Self::default() };
        }
    }

    /// Takes the events of `id`.
    pub fn deliver(&mut self, id: TokenId, events: Vec<AuditEvent>) {
        if self.id == Some(id) {
            self.history = events;
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
            Action::Revoke => token.status(ctx.now) == Status::Active,
            Action::EndOverlap => token.overlaps(ctx.now),
            Action::RemoveScope | Action::ClearScopes => !token.scopes.is_empty(),
            _ => true,
        }
    }

    pub fn update(&mut self, action: Action, ctx: &Model) -> Option<Effect> {
        if action == Action::Back {
            return Some(Effect::Ui(UiAction::GoTo(Tab::Tokens)));
        }
        let token = self.token(ctx)?;
        if self.rows.on(action, token.scopes.len()).is_some() {
            return None;
        }
        match action {
            Action::Open => None,
            Action::RemoveScope | Action::ClearScopes if token.scopes.is_empty() => {
                Some(Effect::warn(format!("{} has no scopes: a adds some", token.name)))
            }
            Action::RemoveScope => Some(preview(Command::RemoveScopes {
                tokens: vec![token.id],
                scopes: ScopeSelection::Listed(vec![self.scope(ctx)?.clone()]),
            })),
            Action::ClearScopes => Some(preview(Command::RemoveScopes {
                tokens: vec![token.id],
                scopes: ScopeSelection::All,
            })),
            Action::EndOverlap if token.overlaps(ctx.now) => {
                Some(preview(Command::EndOverlap { tokens: vec![token.id] }))
            }
            Action::EndOverlap => {
                Some(Effect::warn(format!("{} has no old secret that works", token.name)))
            }
            Action::Preset => Some(Effect::open(PresetDialog::add(token, ctx))),
            Action::Test => Some(Effect::open(AccessCheckDialog::new(token, ctx))),
            _ => on_token(action, token, ctx),
        }
    }

    pub fn view(&mut self, area: Rect, canvas: &mut Canvas<'_>, focus: Focus) {
        let (ctx, theme) = (canvas.ctx, &canvas.ctx.theme);
        let area =
            Rect { x: area.x + 1.min(area.width), width: area.width.saturating_sub(2), ..area };
        let Some(token) = self.token(ctx) else {
            let gone = self.id.is_some_and(|id| ctx.is_gone(&id));
            let key = |action| ctx.key(Mode::Detail, action);
            let text = if self.id.is_some() && !gone {
                String::new()
            } else if gone {
                let (undo, back) = (key(Action::Undo), key(Action::Back));
                format!(
                    "This token is gone: it was deleted. {undo} brings it back if that was you; {back} goes back to the list."
                )
            } else if focus == Focus::List {
                "No token is selected.".into()
            } else {
                let (list, open) = (key(Action::TokensTab), ctx.key(Mode::Tokens, Action::Open));
                format!(
                    "No token is selected. Go to the list with {list} and open one with {open}."
                )
            };
            canvas.text_lines(area, 1.., wrap(&text, area.width), theme.text());
            return;
        };
        ctx.hit_map.wheel(area, 3);
        draw_title(token, area, canvas);
        let used = 1 + draw_fields(token, below(area, 1), canvas);
        let rest = below(area, used);
        // The events get what the scopes leave; where it is low, the scopes get it all.
        let wanted = u16::try_from(token.scopes.len().max(1)).unwrap_or(u16::MAX).saturating_add(3);
        let for_events = match rest.height {
            0..8 => 0,
            high => high.saturating_sub(wanted).max(3),
        };
        let scopes = Rect { height: rest.height - for_events, ..rest };
        self.draw_scopes(token, scopes, canvas, focus);
        self.draw_history(below(rest, scopes.height), canvas);
    }

    fn draw_scopes(&mut self, token: &Token, area: Rect, canvas: &mut Canvas<'_>, focus: Focus) {
        let (ctx, theme) = (canvas.ctx, &canvas.ctx.theme);
        canvas.rule(area, 0);
        let count = token.scopes.len();
        canvas.line(area, 0).skip(1).text(&format!(" Scopes {count} "), theme.heading);
        if token.scopes.is_empty() {
            let text = "no scopes: every operation is denied (a adds some)";
            canvas.line(area, 1).text(text, theme.warning);
            return;
        }
        let widths = scope_columns(area.width);
        let headings = ["Entity type", "Entity", "Operation", "Domain"];
        draw_cells(headings, widths, 1, area, canvas, true);
        let page = usize::from(area.height.saturating_sub(2));
        let top = self.rows.window(page, count);
        for (line, (at, scope)) in (2..).zip(token.scopes.iter().enumerate().skip(top).take(page)) {
            let domain = scope.domain.as_ref().map_or("any", |domain| domain.as_str());
            let cells = [
                scope.entity_type.as_str(),
                scope.entity.as_str(),
                scope.operation.as_str(),
                domain,
            ];
            draw_cells(cells, widths, line, area, canvas, false);
            ctx.hit_map.row(row_of(area, line), at, self.rows.selected());
            if focus == Focus::Here && at == self.rows.selected() {
                canvas.band(area, line, theme.selected);
            }
        }
    }

    fn draw_history(&self, area: Rect, canvas: &mut Canvas<'_>) {
        let (ctx, theme) = (canvas.ctx, &canvas.ctx.theme);
        canvas.rule(area, 0);
        let title = format!(" Events {} ", self.history.len());
        canvas.line(area, 0).skip(1).text(&title, theme.heading);
        let page = usize::from(area.height.saturating_sub(1));
        for (line, event) in (1..).zip(self.history.iter().take(page)) {
            let when = ctx.short(event.what.at);
            canvas
                .line(area, line)
                .column_of(&when, 12.max(when.len().try_into().unwrap_or(12)), theme.faint)
                .skip(2)
                .column_of(event.what.action.as_str(), 13, theme.text())
                .skip(2)
                .text(&event.what.actor.to_string(), theme.text())
                .skip(2)
                .text(&event.what.detail, theme.faint);
        }
    }
}

fn draw_title(token: &Token, area: Rect, canvas: &mut Canvas<'_>) {
    let (ctx, theme) = (canvas.ctx, &canvas.ctx.theme);
    let status = token.status(ctx.now);
    let name = area.width.saturating_sub(30).max(10);
    let (action, verb) = match status {
        Status::Active => (Action::Revoke, "revoke"),
        Status::Expired | Status::Revoked => (Action::Regenerate, "regenerate"),
    };
    let key = ctx.key(Mode::Detail, action);
    let sign = format!("{} {}", theme.status_glyph(status), status.as_str());
    let writer = canvas.line(area, 0);
    let indent = area.width.saturating_sub(26);
    let writer = writer
        .within(token.name.as_str(), name, theme.heading)
        .to(indent)
        .text(&sign, theme.status(status).patch(theme.heading));
    if !ctx.read_only {
        writer.skip(2).text(&key, theme.key).skip(1).text(verb, theme.text());
    }
}

/// A field: its name, its text, its style.
type FieldLine = (&'static str, String, Style);

/// The fields, a line each; how many lines they took.
fn draw_fields(token: &Token, area: Rect, canvas: &mut Canvas<'_>) -> u16 {
    let (ctx, theme) = (canvas.ctx, &canvas.ctx.theme);
    let room = area.width.saturating_sub(LABELS);
    let mut lines = fields(token, ctx);
    if area.height < LOW {
        // The scopes have the keys; beside them there is room for what changes most.
        lines.retain(|(name, ..)| matches!(*name, "expires" | "expired" | "last used"));
    } else {
        let most = usize::from(area.height / 5).clamp(1, 4);
        lines.extend(several("description", token.description.as_str(), room, most, ctx));
    }
    if !token.scopes.is_empty() && area.height > 16 {
        lines.extend(several("in words", &describe_scopes(&token.scopes), room, 2, ctx));
        if let Some(warning) = wildcard_warning(&token.scopes) {
            lines.push(("", format!("{} {warning}", theme.fault()), theme.warning));
        }
    }
    for (line, (name, text, style)) in (0..).zip(&lines) {
        canvas.line(area, line).column_of(name, LABELS, theme.faint).text(text, *style);
    }
    u16::try_from(lines.len()).unwrap_or(u16::MAX)
}

fn fields(token: &Token, ctx: &Model) -> Vec<FieldLine> {
    let theme = &ctx.theme;
    let text = theme.text();
    let at = |at| ctx.detailed(at);
    let hint = token.hint().replace('…', theme.ellipsis());
    let unconfirmed = if token.delivered { "" } else { "   secret never confirmed as saved" };
    let mut lines =
        vec![("id", token.id.to_string(), text), ("token", format!("{hint}{unconfirmed}"), text)];
    if let (Some(revoked), Status::Revoked) = (token.revoked, token.status(ctx.now)) {
        lines.push(("revoked", at(revoked), theme.danger));
    }
    if let Some(old) = token.overlap(ctx.now) {
        lines.push(("old secret", format!("works until {}", at(old.until)), theme.warning));
        lines.push(match &old.last_used {
            Some(used) => ("", format!("last used {}", whence(used, ctx)), theme.warning),
            None => ("", "not used since the rotation".to_owned(), theme.good),
        });
        if !token.is_in_use() {
            lines.push(("new secret", "not used yet".to_owned(), theme.warning));
        }
    }
    let ends = if token.status(ctx.now) == Status::Expired { "expired" } else { "expires" };
    let style = if token.expires_soon(ctx.now) { theme.warning } else { text };
    lines.push(("issued", at(token.issued), text));
    lines.push((ends, token.expires.map_or_else(|| "never".to_owned(), at), style));
    lines.extend(last_used(token, ctx));
    let created = format!("{} by {}", time_format::full(token.created, ctx.zone), token.created_by);
    lines.push(("created", created, text));
    lines
}

/// When it was last used; and on a line of its own for what and from where.
fn last_used(token: &Token, ctx: &Model) -> Vec<FieldLine> {
    let text = ctx.theme.text();
    let Some(used) = token.last_use() else {
        return vec![("last used", "never used".to_owned(), text)];
    };
    let when = ctx.detailed(used.at);
    let from = used.from.as_ref().map_or_else(String::new, |from| format!(", from {from}"));
    vec![("last used", when, text), ("  for", format!("{}{from}", used.what), text)]
}

/// A field in at most `most` lines; what is left out leaves a mark.
fn several(name: &'static str, text: &str, room: u16, most: usize, ctx: &Model) -> Vec<FieldLine> {
    let parts = wrap(text, room);
    let left_out = parts.len() > most;
    let mut lines: Vec<FieldLine> =
        parts.into_iter().take(most).map(|part| ("", part, ctx.theme.text())).collect();
    if let Some(first) = lines.first_mut() {
        first.0 = name;
    }
    if let (true, Some(last)) = (left_out, lines.last_mut()) {
        last.1 = cut(&format!("{}   ", last.1), room, &ctx.theme).into_owned();
        last.1.push_str(ctx.theme.ellipsis());
    }
    lines
}

/// The widths of entity type, entity, operation and domain.
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
        writer = writer.column_of(cell, wide, if faint { theme.faint } else { style }).skip(2);
    }
}
