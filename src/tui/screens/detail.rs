//! One token whole: its fields, its status with the one action that fits it, its scopes as a
//! table and its own events. Beside the list where there is room, else a tab of its own.

use ratatui::{layout::Rect, style::Style};

use super::token_actions::{on_token, preview};
use crate::{
    domain::{
        Command, Event, Pat, Scope, ScopeSelection, Status, TokenId,
        sentence::{permits, wildcards},
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
            paint::{Canvas, below, cut, row_of, wrap},
            rows::Rows,
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
    rows: Rows,
    history: Vec<Event>,
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
    pub fn deliver(&mut self, id: TokenId, events: Vec<Event>) {
        if self.id == Some(id) {
            self.history = events;
        }
    }

    fn pat<'a>(&self, ctx: &'a Model) -> Option<&'a Pat> {
        self.id.and_then(|id| ctx.pat(&id))
    }

    fn scope<'a>(&self, ctx: &'a Model) -> Option<&'a Scope> {
        self.pat(ctx)?.scopes.as_slice().get(self.rows.selected())
    }

    pub fn enables(&self, action: Action, ctx: &Model) -> bool {
        let Some(pat) = self.pat(ctx) else {
            return matches!(
                action,
                Action::Back | Action::Undo | Action::Help | Action::Quit | Action::NextTab
            );
        };
        match action {
            Action::Revoke => pat.status(ctx.now) == Status::Active,
            Action::EndOverlap => pat.overlaps(ctx.now),
            Action::RemoveScope | Action::ClearScopes => !pat.scopes.is_empty(),
            _ => true,
        }
    }

    pub fn update(&mut self, action: Action, ctx: &Model) -> Option<Effect> {
        if action == Action::Back {
            return Some(Effect::Ui(UiAction::GoTo(Tab::Tokens)));
        }
        let pat = self.pat(ctx)?;
        if self.rows.on(action, pat.scopes.len()).is_some() {
            return None;
        }
        match action {
            Action::Open => None,
            Action::RemoveScope | Action::ClearScopes if pat.scopes.is_empty() => {
                Some(Effect::warn(format!("{} has no scopes: a adds some", pat.name)))
            }
            Action::RemoveScope => Some(preview(Command::RemoveScopes {
                tokens: vec![pat.id],
                scopes: ScopeSelection::Listed(vec![self.scope(ctx)?.clone()]),
            })),
            Action::ClearScopes => Some(preview(Command::RemoveScopes {
                tokens: vec![pat.id],
                scopes: ScopeSelection::All,
            })),
            Action::EndOverlap if pat.overlaps(ctx.now) => {
                Some(preview(Command::EndOverlap { tokens: vec![pat.id] }))
            }
            Action::EndOverlap => {
                Some(Effect::warn(format!("{} has no old secret that works", pat.name)))
            }
            Action::Preset => Some(Effect::open(PresetDialog::add(pat, ctx))),
            Action::Test => Some(Effect::open(AccessCheckDialog::new(pat, ctx))),
            _ => on_token(action, pat, ctx),
        }
    }

    pub fn view(&mut self, area: Rect, canvas: &mut Canvas<'_>, focus: Focus) {
        let (ctx, look) = (canvas.ctx, &canvas.ctx.look);
        let area =
            Rect { x: area.x + 1.min(area.width), width: area.width.saturating_sub(2), ..area };
        let Some(pat) = self.pat(ctx) else {
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
            canvas.text_lines(area, 1.., wrap(&text, area.width), look.text());
            return;
        };
        ctx.hit_map.wheel(area, 3);
        draw_title(pat, area, canvas);
        let used = 1 + draw_fields(pat, below(area, 1), canvas);
        let rest = below(area, used);
        // The events get what the scopes leave; where it is low, the scopes get it all.
        let wanted = u16::try_from(pat.scopes.len().max(1)).unwrap_or(u16::MAX).saturating_add(3);
        let for_events = match rest.height {
            0..8 => 0,
            high => high.saturating_sub(wanted).max(3),
        };
        let scopes = Rect { height: rest.height - for_events, ..rest };
        self.draw_scopes(pat, scopes, canvas, focus);
        self.draw_history(below(rest, scopes.height), canvas);
    }

    fn draw_scopes(&mut self, pat: &Pat, area: Rect, canvas: &mut Canvas<'_>, focus: Focus) {
        let (ctx, look) = (canvas.ctx, &canvas.ctx.look);
        canvas.rule(area, 0);
        let count = pat.scopes.len();
        canvas.line(area, 0).skip(1).text(&format!(" Scopes {count} "), look.heading);
        if pat.scopes.is_empty() {
            let text = "no scopes: every operation is denied (a adds some)";
            canvas.line(area, 1).text(text, look.warning);
            return;
        }
        let widths = scope_columns(area.width);
        let headings = ["Entity type", "Entity", "Operation", "Domain"];
        draw_cells(headings, widths, 1, area, canvas, true);
        let page = usize::from(area.height.saturating_sub(2));
        let top = self.rows.window(page, count);
        for (line, (at, scope)) in (2..).zip(pat.scopes.iter().enumerate().skip(top).take(page)) {
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
                canvas.band(area, line, look.selected);
            }
        }
    }

    fn draw_history(&self, area: Rect, canvas: &mut Canvas<'_>) {
        let (ctx, look) = (canvas.ctx, &canvas.ctx.look);
        canvas.rule(area, 0);
        let title = format!(" Events {} ", self.history.len());
        canvas.line(area, 0).skip(1).text(&title, look.heading);
        let page = usize::from(area.height.saturating_sub(1));
        for (line, event) in (1..).zip(self.history.iter().take(page)) {
            let when = ctx.short(event.what.at);
            canvas
                .line(area, line)
                .column_of(&when, 12.max(when.len().try_into().unwrap_or(12)), look.faint)
                .skip(2)
                .column_of(event.what.action.word(), 13, look.text())
                .skip(2)
                .text(&event.what.actor.to_string(), look.text())
                .skip(2)
                .text(&event.what.detail, look.faint);
        }
    }
}

fn draw_title(pat: &Pat, area: Rect, canvas: &mut Canvas<'_>) {
    let (ctx, look) = (canvas.ctx, &canvas.ctx.look);
    let status = pat.status(ctx.now);
    let name = area.width.saturating_sub(30).max(10);
    let (action, verb) = match status {
        Status::Active => (Action::Revoke, "revoke"),
        Status::Expired | Status::Revoked => (Action::Regenerate, "regenerate"),
    };
    let key = ctx.key(Mode::Detail, action);
    let sign = format!("{} {}", look.status_glyph(status), status.word());
    let pen = canvas.line(area, 0);
    let indent = area.width.saturating_sub(26);
    let pen = pen
        .within(pat.name.as_str(), name, look.heading)
        .to(indent)
        .text(&sign, look.status(status).patch(look.heading));
    if !ctx.read_only {
        pen.skip(2).text(&key, look.key).skip(1).text(verb, look.text());
    }
}

/// A field: its name, its text, its style.
type FieldLine = (&'static str, String, Style);

/// The fields, a line each; how many lines they took.
fn draw_fields(pat: &Pat, area: Rect, canvas: &mut Canvas<'_>) -> u16 {
    let (ctx, look) = (canvas.ctx, &canvas.ctx.look);
    let room = area.width.saturating_sub(LABELS);
    let mut lines = fields(pat, ctx);
    if area.height < LOW {
        // The scopes have the keys; beside them there is room for what changes most.
        lines.retain(|(name, ..)| matches!(*name, "expires" | "expired" | "last used"));
    } else {
        let most = usize::from(area.height / 5).clamp(1, 4);
        lines.extend(several("description", pat.description.as_str(), room, most, ctx));
    }
    if !pat.scopes.is_empty() && area.height > 16 {
        lines.extend(several("in words", &permits(&pat.scopes), room, 2, ctx));
        if let Some(warning) = wildcards(&pat.scopes) {
            lines.push(("", format!("{} {warning}", look.fault()), look.warning));
        }
    }
    for (line, (name, text, style)) in (0..).zip(&lines) {
        canvas.line(area, line).column_of(name, LABELS, look.faint).text(text, *style);
    }
    u16::try_from(lines.len()).unwrap_or(u16::MAX)
}

fn fields(pat: &Pat, ctx: &Model) -> Vec<FieldLine> {
    let look = &ctx.look;
    let text = look.text();
    let at = |at| ctx.detailed(at);
    let hint = pat.hint().replace('…', look.ellipsis());
    let unconfirmed = if pat.claimed { "" } else { "   secret never confirmed as saved" };
    let mut lines =
        vec![("id", pat.id.to_string(), text), ("token", format!("{hint}{unconfirmed}"), text)];
    if let (Some(revoked), Status::Revoked) = (pat.revoked, pat.status(ctx.now)) {
        lines.push(("revoked", at(revoked), look.danger));
    }
    if let Some(old) = pat.overlap(ctx.now) {
        lines.push(("old secret", format!("works until {}", at(old.until)), look.warning));
        lines.push(match &old.last_used {
            Some(used) => ("", format!("last used {}", whence(used, ctx)), look.warning),
            None => ("", "not used since the rotation".to_owned(), look.good),
        });
        if !pat.is_in_use() {
            lines.push(("new secret", "not used yet".to_owned(), look.warning));
        }
    }
    let ends = if pat.status(ctx.now) == Status::Expired { "expired" } else { "expires" };
    let style = if pat.expires_soon(ctx.now) { look.warning } else { text };
    lines.push(("issued", at(pat.issued), text));
    lines.push((ends, pat.expires.map_or_else(|| "never".to_owned(), at), style));
    lines.extend(last_used(pat, ctx));
    let created = format!("{} by {}", time_format::full(pat.created, ctx.zone), pat.created_by);
    lines.push(("created", created, text));
    lines
}

/// When it was last used; and on a line of its own for what and from where.
fn last_used(pat: &Pat, ctx: &Model) -> Vec<FieldLine> {
    let text = ctx.look.text();
    let Some(used) = pat.last_use() else {
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
        parts.into_iter().take(most).map(|part| ("", part, ctx.look.text())).collect();
    if let Some(first) = lines.first_mut() {
        first.0 = name;
    }
    if let (true, Some(last)) = (left_out, lines.last_mut()) {
        last.1 = cut(&format!("{}   ", last.1), room, &ctx.look).into_owned();
        last.1.push_str(ctx.look.ellipsis());
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
    let look = &canvas.ctx.look;
    let style = if heading { look.heading } else { look.text() };
    let mut pen = canvas.line(area, line);
    for (cell, wide) in cells.into_iter().zip(widths) {
        let faint = !heading && matches!(cell, "any");
        pen = pen.column_of(cell, wide, if faint { look.faint } else { style }).skip(2);
    }
}
