//! The dialog that names scopes: to add to a token at once, or as a row of the create form.
//! Says in plain words what they would permit, and what the token's scopes make of them.

use crate::tui::widgets::paint::Canvas;
use ratatui::{
    crossterm::event::KeyEvent,
    layout::{Position, Rect},
};

use super::Dialog;
use crate::{
    domain::counted,
    domain::{
        Command, Scope, Scopes, Token, TokenId,
        describe::{describe_scopes, wildcard_warning},
    },
    keymap::Action,
    tui::{
        app::{
            effect::{Effect, UiAction},
            model::Model,
            service_request::ServiceRequest,
        },
        widgets::{
            form::{self, Form},
            scope_fields::ScopeFields,
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
    fault: Option<String>,
}

impl ScopeDialog {
    pub fn add(token: &Token, ctx: &Model) -> Self {
        Self::prefilled(token, &[], ctx)
    }

    /// Scopes to add to `pat`, starting with `scopes`.
    pub fn prefilled(token: &Token, scopes: &[Scope], ctx: &Model) -> Self {
        let title = format!("Add scopes to {}", token.name);
        Self {
            held: token.scopes.clone(),
            ..Self::new(title, "Add", Target::Token(token.id), scopes, ctx)
        }
    }

    /// Scopes to add to many tokens, once they have been looked at.
    pub fn add_to_many(ids: Vec<TokenId>, ctx: &Model) -> Self {
        let title = format!("Add scopes to {}", counted(ids.len(), "token"));
        Self::new(title, "Preview", Target::Many(ids), &[], ctx)
    }

    /// A row of the create form: row `row` with its `scopes`, or a new one.
    pub fn row(row: Option<usize>, scopes: &[Scope], ctx: &Model) -> Self {
        let verb = if row.is_some() { "Change" } else { "Add" };
        Self::new(format!("{verb} scopes"), verb, Target::Row(row), scopes, ctx)
    }

    fn new(
        title: String,
        verb: &'static str,
        target: Target,
        scopes: &[Scope],
        ctx: &Model,
    ) -> Self {
        let fields = ScopeFields::several(&ctx.policy.catalogue, scopes);
        Self { title, verb, target, held: Scopes::default(), fields, fault: None }
    }

    /// What it asks of the service for `scopes`; nothing for a row of the create form.
    fn request_for(&self, scopes: Vec<Scope>) -> Option<ServiceRequest> {
        match &self.target {
            Target::Token(id) => {
                let command = Command::AddScopes { tokens: vec![*id], scopes };
                Some(ServiceRequest::execute(command))
            }
            Target::Many(ids) => {
                let command = Command::AddScopes { tokens: ids.clone(), scopes };
                Some(ServiceRequest::Preview(command))
            }
            Target::Row(_) => None,
        }
    }

    fn say(&self, line: u16, area: Rect, canvas: &mut Canvas<'_>) {
        let theme = &canvas.ctx.theme;
        // A look at the fields must not mark them as faulty.
        let Some(scopes) = self.fields.named() else {
            return;
        };
        let mut said = describe_scopes(&scopes);
        let mut held = self.held.clone();
        let absorbed: usize = scopes
            .iter()
            .filter_map(|scope| held.add(scope.clone()).ok())
            .map(|added| added.absorbed.len())
            .sum();
        if absorbed > 0 {
            said = format!("{said}; makes {absorbed} narrower needless, which go");
        }
        let next = form::said(&said, (line, SAID - 1), theme.good, area, canvas);
        if let Some(warning) = wildcard_warning(&scopes) {
            form::warning(&warning, next, area, canvas);
        }
    }
}

impl Dialog for ScopeDialog {
    fn form(&mut self) -> Option<Form<'_>> {
        Some(self.fields.form(std::slice::from_ref(&self.verb)))
    }

    fn submit(&mut self, _: &Model) -> Option<Effect> {
        let scopes = self.fields.scopes()?;
        match self.target {
            Target::Row(row) => Some(Effect::Ui(UiAction::FillScopes { row, scopes })),
            Target::Token(_) | Target::Many(_) => self.request_for(scopes).map(Effect::request),
        }
    }

    fn edited(&mut self) {
        self.fault = None;
    }

    fn view(&mut self, area: Rect, canvas: &mut Canvas<'_>) -> Option<Position> {
        let (inner, line, cursor) = self.fields.draw_panel(&self.title, SAID + 1, area, canvas);
        match self.fault.as_deref().or(self.fields.hidden_fault()) {
            Some(fault) => {
                let above = Rect { height: inner.height.saturating_sub(1), ..inner };
                form::fault(fault, line, above, canvas);
            }
            None => self.say(line, inner, canvas),
        }
        let form = self.fields.form(std::slice::from_ref(&self.verb));
        cursor.or(form.draw_buttons(inner, canvas))
    }

    /// A row of the create form is no command of its own.
    fn enables(&self, action: Action) -> bool {
        action != Action::CopyCommand || !matches!(self.target, Target::Row(_))
    }

    fn text(&mut self, key: KeyEvent) {
        if self.fields.press(key) {
            self.edited();
        }
    }

    fn request(&self, _: &Model) -> Option<ServiceRequest> {
        self.request_for(self.fields.named()?)
    }

    fn fail(&mut self, fault: String) -> bool {
        self.fault = Some(fault);
        true
    }
}
