//! The dialog that asks "may this token do this?": choose a type, an entity and an operation,
//! and see at once which scope allows it, or which one is missing.

use ratatui::{
    crossterm::event::KeyEvent,
    layout::{Position, Rect},
};

use super::{Dialog, scopes::ScopeDialog};
use crate::{
    domain::{AccessRequest, Decision, Denial, Token, TokenId},
    keymap::{Action, Mode},
    tui::{
        app::{
            effect::Effect,
            model::Model,
            service_request::{Response, ServiceRequest},
        },
        widgets::{
            form::{self, Form},
            paint::{Canvas, wrap},
            scope_fields::{self, ScopeFields},
        },
    },
};

/// Lines for the decision.
const SAID: u16 = 3;

/// A request on one token and its decision.
#[derive(Debug)]
pub struct AccessCheckDialog {
    id: TokenId,
    title: String,
    fields: ScopeFields,
    decided: Option<(AccessRequest, Decision)>,
}

impl AccessCheckDialog {
    /// The dialog on `pat`, starting with its first scope, and the first question it asks.
    pub fn new(token: &Token, ctx: &Model) -> Self {
        Self {
            id: token.id,
            title: format!("What may {} do?", token.name),
            fields: ScopeFields::one(&ctx.policy.catalogue, token.scopes.as_slice().first()),
            decided: None,
        }
    }

    fn access(&self) -> Option<AccessRequest> {
        let scope = self.fields.named()?.into_iter().next()?;
        Some(AccessRequest {
            entity_type: scope.entity_type,
            entity: scope.entity,
            operation: scope.operation,
            domain: scope.domain,
        })
    }

    fn missing(&self) -> Option<&crate::domain::Scope> {
        match &self.decided {
            Some((_, Decision::Deny(Denial::NoScope(scope)))) => Some(scope),
            _ => None,
        }
    }

    fn add_missing(&self, ctx: &Model) -> Option<Effect> {
        match (self.missing(), ctx.token(&self.id)) {
            (Some(scope), Some(token)) => {
                let dialog = ScopeDialog::prefilled(token, std::slice::from_ref(scope), ctx);
                Some(Effect::open(dialog))
            }
            _ => None,
        }
    }
}

impl Dialog for AccessCheckDialog {
    fn form(&mut self) -> Option<Form<'_>> {
        Some(self.fields.form(&[]))
    }

    fn edited(&mut self) {
        // An old answer must not stand for a new request.
        self.decided = None;
    }

    fn update(&mut self, action: Action, ctx: &Model) -> Option<Effect> {
        match action {
            Action::NextField | Action::Accept => {
                self.fields.focus.at = (self.fields.focus.at + 1) % scope_fields::COUNT;
            }
            Action::PreviousField => {
                let last = scope_fields::COUNT - 1;
                self.fields.focus.at = self.fields.focus.at.checked_sub(1).unwrap_or(last);
            }
            Action::Submit => return self.add_missing(ctx),
            Action::Cancel => return Some(Effect::close()),
            _ => {}
        }
        None
    }

    fn view(&mut self, area: Rect, canvas: &mut Canvas<'_>) -> Option<Position> {
        let (ctx, theme) = (canvas.ctx, &canvas.ctx.theme);
        let (inner, line, cursor) = self.fields.draw_panel(&self.title, SAID, area, canvas);
        let current = self.access();
        let decided = self.decided.as_ref().filter(|(asked, _)| Some(asked) == current.as_ref());
        match decided {
            Some((_, Decision::Allow(scope))) => {
                let scope = scope.as_ref().map_or_else(String::new, ToString::to_string);
                let said = format!("allowed, by {scope}");
                canvas.text_lines(inner, line.., wrap(&said, inner.width), theme.good);
            }
            Some((_, Decision::Deny(denial))) => {
                let more = match denial {
                    Denial::NoScope(_) if !ctx.read_only => {
                        format!(" ({} adds it)", ctx.key(Mode::Form, Action::Submit))
                    }
                    _ => String::new(),
                };
                form::fault(&format!("denied: {denial}{more}"), line, inner, canvas);
            }
            None if current.is_none() => {
                form::fault("name an entity, or * for any, to ask", line, inner, canvas);
            }
            None => {
                canvas.line(inner, line).text("asking", theme.faint);
            }
        }
        cursor
    }

    fn text(&mut self, key: KeyEvent) {
        self.fields.press(key);
    }

    fn request(&self, _: &Model) -> Option<ServiceRequest> {
        self.query()
    }

    fn query(&self) -> Option<ServiceRequest> {
        self.access().map(|access| ServiceRequest::Check(self.id, access))
    }

    /// Takes a decision, unless its question is no longer the one that is asked.
    fn deliver(&mut self, response: Response) -> Option<Response> {
        match response {
            Response::Decided(id, access, decision) => {
                if id == self.id && self.access().as_ref() == Some(&access) {
                    self.decided = Some((access, decision));
                }
                None
            }
            other => Some(other),
        }
    }
}
