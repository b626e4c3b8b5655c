//! The dialog that names scopes: to add to a token at once, or as a row of the create form.
//! Says in plain words what they would permit, and what the token's scopes make of them.

use ratatui::{
    buffer::Buffer,
    crossterm::event::KeyEvent,
    layout::{Position, Rect},
};

use super::Dialog;
use crate::{
    domain::{
        Command, Pat, Scope, Scopes, TokenId,
        sentence::{permits, wildcards},
    },
    keymap::Action,
    output::question::count,
    tui::{
        app::{
            effect::{Effect, UiAction},
            service_request::ServiceRequest,
            view_context::ViewContext,
        },
        widgets::{
            buttons, form, panel,
            scope_fields::{Part, ScopeFields},
            sheet::Sheet,
        },
    },
};

/// Lines for the sentence and the warning, or for the fault.
const SAID: u16 = 3;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Target {
    Token(TokenId),
    Many(Vec<TokenId>),
    Row(Option<usize>),
}

/// A few scopes for a token or for the form.
#[derive(Debug)]
pub struct ScopeDialog {
    title: String,
    verb: &'static str,
    target: Target,
    held: Scopes,
    fields: ScopeFields,
    part: Option<Part>,
    fault: Option<String>,
}

impl ScopeDialog {
    /// Scopes to add to `pat`.
    pub fn add(pat: &Pat, ctx: &ViewContext<'_>) -> Self {
        Self::prefilled(pat, &[], ctx)
    }

    /// Scopes to add to `pat`, starting with `scopes`.
    pub fn prefilled(pat: &Pat, scopes: &[Scope], ctx: &ViewContext<'_>) -> Self {
        Self {
            title: format!("Add scopes to {}", pat.name),
            verb: "Add",
            target: Target::Token(pat.id),
            held: pat.scopes.clone(),
            fields: ScopeFields::several(&ctx.policy.catalogue, scopes),
            part: Some(Part::EntityType),
            fault: None,
        }
    }

    /// Scopes to add to many tokens, once they have been looked at.
    pub fn add_to_many(ids: Vec<TokenId>, ctx: &ViewContext<'_>) -> Self {
        Self {
            title: format!("Add scopes to {}", count(ids.len(), "token")),
            verb: "Preview",
            target: Target::Many(ids),
            held: Scopes::default(),
            fields: ScopeFields::several(&ctx.policy.catalogue, &[]),
            part: Some(Part::EntityType),
            fault: None,
        }
    }

    /// A row of the create form: row `row` with its `scopes`, or a new one.
    pub fn row(row: Option<usize>, scopes: &[Scope], ctx: &ViewContext<'_>) -> Self {
        let title = if row.is_some() { "Change scopes" } else { "Add scopes" };
        Self {
            title: title.to_owned(),
            verb: if row.is_some() { "Change" } else { "Add" },
            target: Target::Row(row),
            held: Scopes::default(),
            fields: ScopeFields::several(&ctx.policy.catalogue, scopes),
            part: Some(Part::EntityType),
            fault: None,
        }
    }

    fn go(&mut self, down: bool) {
        self.part = match (self.part, down) {
            (Some(part), true) => part.next(true),
            (Some(part), false) => Some(part.next(false).unwrap_or(part)),
            (None, true) => None,
            (None, false) => Some(Part::Domain),
        };
    }

    fn submit(&mut self) -> Option<Effect> {
        let scopes = match self.fields.scopes() {
            Ok(scopes) => scopes,
            Err(part) => {
                self.part = Some(part);
                return None;
            }
        };
        match &self.target {
            Target::Row(row) => Some(Effect::Ui(UiAction::FillScopes { row: *row, scopes })),
            Target::Many(ids) => {
                let command = Command::AddScopes { tokens: ids.clone(), scopes };
                Some(Effect::request(ServiceRequest::Preview(command)))
            }
            Target::Token(id) => {
                let command = Command::AddScopes { tokens: vec![*id], scopes };
                Some(Effect::request(ServiceRequest::execute(command)))
            }
        }
    }

    fn say(&self, line: u16, area: Rect, buf: &mut Buffer, ctx: &ViewContext<'_>) {
        // A look at the fields must not mark them as faulty.
        let Some(scopes) = self.fields.named() else {
            return;
        };
        let mut said = permits(&scopes);
        let mut held = self.held.clone();
        let absorbed: usize = scopes
            .iter()
            .filter_map(|scope| held.add(scope.clone()).ok())
            .map(|added| added.absorbed.len())
            .sum();
        if absorbed > 0 {
            said = format!("{said}; makes {absorbed} narrower needless, which go");
        }
        let look = &ctx.look;
        let next = form::said(&said, (line, SAID - 1), look.good(), area, buf, look);
        if let Some(warning) = wildcards(&scopes) {
            form::warning(&warning, next, area, buf, look);
        }
    }
}

impl Dialog for ScopeDialog {
    fn update(&mut self, action: Action, _: &ViewContext<'_>) -> Option<Effect> {
        match action {
            Action::NextField => self.go(true),
            Action::PreviousField => self.go(false),
            Action::Accept if self.part.is_some() => self.go(true),
            Action::Accept | Action::Submit => return self.submit(),
            Action::Cancel => return Some(Effect::close()),
            _ => {}
        }
        None
    }

    fn view(&mut self, area: Rect, buf: &mut Buffer, ctx: &ViewContext<'_>) -> Option<Position> {
        let look = &ctx.look;
        let wide = 70.min(area.width.saturating_sub(6));
        let tight = area.height < self.fields.height(wide, false) + SAID + 5;
        let top = u16::from(!tight);
        let fields = self.fields.height(wide, tight);
        let size = (wide, fields + SAID + 2 + top);
        let inner = panel::draw(&self.title, size, false, area, buf, look);
        // The fields may be scrolled; what is said of them and the button stay in sight.
        let line = (fields + top).min(inner.height - (SAID + 1).min(inner.height / 2));
        let mut sheet = Sheet::new(Rect { height: line, ..inner }, fields + top, ctx);
        let cursor =
            self.fields.draw(top, (self.part, tight), sheet.page.area, &mut sheet.page, ctx);
        let cursor = sheet.lay(cursor, buf, ctx);
        let hidden = self.fields.first_fault().filter(|_| tight);
        match self.fault.as_deref().or(hidden) {
            Some(fault) => {
                let above = Rect { height: inner.height.saturating_sub(1), ..inner };
                form::fault(fault, line, above, buf, look);
            }
            None => self.say(line, inner, buf, ctx),
        }
        let last =
            Rect { y: inner.bottom().saturating_sub(1), height: inner.height.min(1), ..inner };
        let chosen = self.part.is_none().then_some(0);
        cursor.or(buttons::draw(&[self.verb], chosen, last, buf, ctx))
    }

    /// A row of the create form is no command of its own.
    fn enables(&self, action: Action) -> bool {
        action != Action::CopyCommand || !matches!(self.target, Target::Row(_))
    }

    fn text(&mut self, key: KeyEvent) {
        if let Some(part) = self.part {
            self.fault = None;
            self.fields.press(part, key);
        }
    }

    fn paste(&mut self, text: &str) -> bool {
        self.part.is_some_and(|part| self.fields.paste(part, text))
    }

    fn focus_field(&mut self, field: usize) {
        self.part = Part::ALL.get(field).copied().or(self.part);
    }

    fn request(&self, _: &ViewContext<'_>) -> Option<ServiceRequest> {
        match &self.target {
            Target::Token(id) => {
                let (tokens, scopes) = (vec![*id], self.fields.named()?);
                Some(ServiceRequest::execute(Command::AddScopes { tokens, scopes }))
            }
            Target::Many(ids) => {
                let (tokens, scopes) = (ids.clone(), self.fields.named()?);
                Some(ServiceRequest::Preview(Command::AddScopes { tokens, scopes }))
            }
            Target::Row(_) => None,
        }
    }

    fn fail(&mut self, fault: String) -> bool {
        self.fault = Some(fault);
        true
    }
}
