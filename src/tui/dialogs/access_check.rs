//! Access check: enter an entity type, an entity and an operation, and for a token with allowed
//! networks an address, and see which scope of the token allows the request or which scope is
//! missing and can be added. The service decides again after each change of the input.

use ratatui::{
    crossterm::event::KeyEvent,
    layout::{Position, Rect},
};

use super::{Dialog, scopes::ScopeDialog};
use crate::{
    domain::{AccessRequest, Decision, Denial, Entity, Scope, Token, TokenId, decision::allows},
    keymap::{Action, HintChange, Mode},
    tui::{
        app::{
            effect::Effect,
            model::Model,
            service_request::{Response, ServiceRequest},
        },
        widgets::{
            canvas::{Canvas, wrap},
            form::{self, Form},
            scope_fields::ScopeFields,
        },
    },
};

/// Number of lines for the decision.
const DECISION_LINES: u16 = 3;

/// A form with an access request for one token, and the decision on the request.
#[derive(Debug)]
pub struct AccessCheckDialog {
    id: TokenId,
    title: String,
    fields: ScopeFields,
    decision: Option<((AccessRequest, Option<String>), Decision)>,
}

impl AccessCheckDialog {
    /// The access check for `token`, with `scope` or else its first scope as the initial request.
    pub fn new(token: &Token, scope: Option<&Scope>, ctx: &Model) -> Self {
        Self {
            id: token.id,
            title: format!("What may {} do?", token.name),
            fields: ScopeFields::for_request(
                &ctx.policy.catalogue,
                scope.or(token.scopes.as_slice().first()),
                token.limits.sources.is_some(),
            ),
            decision: None,
        }
    }

    /// The answer to a denied request for any entity, if the token has the operation for some.
    fn narrower(&self, access: &AccessRequest, ctx: &Model) -> Option<String> {
        if access.entity != Entity::Any {
            return None;
        }
        let (kind, operation) = (&access.entity_type, &access.operation);
        let scopes = ctx.token(&self.id)?.scopes.iter();
        let held = scopes.filter(|it| it.entity_type == *kind && it.operation == *operation);
        let name = |scope: &Scope| match &scope.domain {
            Some(domain) => format!("{}@{domain}", scope.entity),
            None => scope.entity.to_string(),
        };
        let names: Vec<_> = held.map(name).collect();
        let text = format!("Denied for {kind} in general; {operation} is allowed for");
        (!names.is_empty()).then(|| format!("{text} {}", names.join(", ")))
    }

    /// What to do about a denial, as the end of the sentence that says it.
    fn advice(&self, denial: &Denial, ctx: &Model) -> String {
        match denial {
            Denial::NoScope(_) if !ctx.read_only => {
                format!(" ({} adds it)", ctx.key(Mode::Form, Action::Submit))
            }
            Denial::SourceNotAllowed(_) if self.fields.source().is_none() => {
                let scope = self.access().and_then(|(access, _)| {
                    let scopes = &ctx.token(&self.id)?.scopes;
                    scopes.iter().find(|scope| allows(scope, &access))
                });
                match scope {
                    Some(scope) => format!(": enter one in From; {scope} allows the rest"),
                    None => ": enter one in From; no scope allows this either".to_owned(),
                }
            }
            _ => String::new(),
        }
    }

    /// The scope without which the shown decision denies the request.
    fn missing_scope(&self) -> Option<Scope> {
        let (asked, decision) = self.decision.as_ref()?;
        let is_missing = matches!(decision, Decision::Deny(Denial::NoScope(_)));
        let is_shown = self.access().as_ref() == Some(asked);
        (is_missing && is_shown).then(|| self.fields.valid_scopes()?.into_iter().next())?
    }

    /// The request and the address to check.
    fn access(&self) -> Option<(AccessRequest, Option<String>)> {
        let scope = self.fields.valid_scopes()?.into_iter().next()?;
        Some((AccessRequest::from(scope), self.fields.source()))
    }
}

impl Dialog for AccessCheckDialog {
    fn form(&mut self) -> Option<Form<'_>> {
        Some(self.fields.form(&[]))
    }

    fn on_edit(&mut self) {
        // The decision belongs to the request before the edit.
        self.decision = None;
    }

    fn update(&mut self, action: Action, ctx: &Model) -> Option<Effect> {
        match action {
            Action::Submit if !ctx.read_only => {
                let (scope, token) = (self.missing_scope()?, ctx.token(&self.id)?);
                return Some(Effect::open(ScopeDialog::add_missing(token, &[scope], ctx)));
            }
            Action::NextField | Action::Accept => {
                self.fields.focus.index = (self.fields.focus.index + 1) % self.fields.input_count();
            }
            Action::PreviousField => {
                let last = self.fields.input_count() - 1;
                self.fields.focus.index = self.fields.focus.index.checked_sub(1).unwrap_or(last);
            }
            Action::Cancel => return Some(Effect::close()),
            Action::Down | Action::Up => {
                self.fields.form(&[]).update(action);
                // There are no buttons below the last input.
                let last = self.fields.input_count() - 1;
                self.fields.focus.index = self.fields.focus.index.min(last);
            }
            _ => {}
        }
        None
    }

    fn view(&mut self, area: Rect, canvas: &mut Canvas<'_>) -> Option<Position> {
        let (ctx, theme) = (canvas.ctx, &canvas.ctx.theme);
        let (inner, line, cursor) =
            self.fields.draw_panel(&self.title, (DECISION_LINES, DECISION_LINES), area, canvas);
        let current = self.access();
        let decision = self.decision.as_ref().filter(|(asked, _)| Some(asked) == current.as_ref());
        match decision {
            Some((_, Decision::Allow(scope))) => {
                let scope = scope.as_ref().map_or_else(String::new, ToString::to_string);
                let text = format!("Allowed by {scope}");
                canvas.text_lines(inner, line.., wrap(&text, inner.width, theme), theme.good);
            }
            Some((_, Decision::Deny(denial))) => {
                let more = self.advice(denial, ctx);
                let narrower = match (denial, &current) {
                    (Denial::NoScope(_), Some((access, _))) => self.narrower(access, ctx),
                    _ => None,
                };
                let text = narrower.unwrap_or_else(|| format!("Denied: {denial}{more}"));
                form::draw_fault(&text, line, inner, canvas);
            }
            None if current.is_none() => {
                form::draw_fault("Enter an entity, or * for any", line, inner, canvas);
            }
            None => {
                canvas.line(inner, line).text("Checking", theme.faint);
            }
        }
        cursor
    }

    /// The dialog answers after each key, so there is nothing to submit but a missing scope.
    fn enables(&self, action: Action) -> bool {
        action != Action::Submit || self.missing_scope().is_some()
    }

    fn hint_change(&self, action: Action) -> Option<HintChange> {
        (action == Action::Submit).then(|| HintChange::new("add scope", 1))
    }

    fn text(&mut self, key: KeyEvent) {
        self.fields.press(key);
    }

    fn request(&self, _: &Model) -> Option<ServiceRequest> {
        self.query()
    }

    fn query(&self) -> Option<ServiceRequest> {
        self.access().map(|(access, from)| ServiceRequest::Check(self.id, access, from))
    }

    /// Keeps a decision on the current request. Drops a decision on an earlier request.
    fn deliver(&mut self, response: Response) -> Option<Response> {
        match response {
            Response::Decided(id, access, decision) => {
                if id == self.id && self.access().as_ref() == Some(&access) {
                    self.decision = Some((access, decision));
                }
                None
            }
            other => Some(other),
        }
    }
}
