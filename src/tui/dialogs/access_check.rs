//! The dialog that asks "may this token do this?": choose a type, an entity and an operation,
//! and see at once which scope allows it, or which one is missing.

use ratatui::{
    buffer::Buffer,
    crossterm::event::KeyEvent,
    layout::{Position, Rect},
};

use super::{Overlay, scopes::ScopeDialog};
use crate::{
    domain::{Decision, Denial, Pat, Request, TokenId},
    keymap::{Action, Mode},
    tui::{
        app::{effect::Step, service_request::Effect, view_context::View},
        widgets::{
            form,
            paint::{Pen, wrap},
            panel,
            scope_fields::{Part, ScopeFields},
            sheet::Sheet,
        },
    },
};

/// Lines for the decision.
const SAID: u16 = 3;

/// A request on one token and its decision.
#[derive(Debug)]
pub struct Test {
    id: TokenId,
    title: String,
    fields: ScopeFields,
    part: Part,
    decided: Option<(Request, Decision)>,
}

impl Test {
    /// The dialog on `pat`, starting with its first scope, and the first question it asks.
    pub fn new(pat: &Pat, view: &View<'_>) -> Self {
        Self {
            id: pat.id,
            title: format!("What may {} do?", pat.name),
            fields: ScopeFields::one(&view.policy.catalogue, pat.scopes.as_slice().first()),
            part: Part::EntityType,
            decided: None,
        }
    }

    /// What it asks the service now, if the fields name a request.
    pub fn question(&self) -> Option<Effect> {
        self.request().map(|request| Effect::Test(self.id, request))
    }

    fn request(&self) -> Option<Request> {
        let scope = self.fields.named()?.into_iter().next()?;
        Some(Request {
            entity_type: scope.entity_type,
            entity: scope.entity,
            operation: scope.operation,
            domain: scope.domain,
        })
    }

    fn ask(&self) -> Step {
        self.question().map_or(Step::Changed, Step::Do)
    }

    /// Takes the decision on `request`, unless another one is asked by now.
    pub fn deliver(&mut self, id: TokenId, request: &Request, decision: Decision) {
        if id == self.id && self.request().as_ref() == Some(request) {
            self.decided = Some((request.clone(), decision));
        }
    }

    /// Answers an action.
    pub fn on(&mut self, action: Action, view: &View<'_>) -> Step {
        match action {
            Action::NextField | Action::Accept => {
                self.part = self.part.next(true).unwrap_or(Part::EntityType);
                Step::Changed
            }
            Action::PreviousField => {
                self.part = self.part.next(false).unwrap_or(Part::Domain);
                Step::Changed
            }
            Action::Submit => self.add_missing(view),
            Action::Cancel => Step::Close,
            _ => Step::Ignored,
        }
    }

    fn missing(&self) -> Option<&crate::domain::Scope> {
        match &self.decided {
            Some((_, Decision::Deny(Denial::NoScope(scope)))) => Some(scope),
            _ => None,
        }
    }

    fn add_missing(&self, view: &View<'_>) -> Step {
        match (self.missing(), view.pat(&self.id)) {
            (Some(scope), Some(pat)) => {
                let dialog = ScopeDialog::prefilled(pat, std::slice::from_ref(scope), view);
                Step::Open(Box::new(Overlay::Scopes(dialog)))
            }
            _ => Step::Ignored,
        }
    }

    /// Answers a key that is for the focused field; a change asks anew.
    pub fn on_text(&mut self, key: KeyEvent, _: &View<'_>) -> Step {
        if self.fields.press(self.part, key) { self.ask() } else { Step::Ignored }
    }

    /// Takes a paste into the field that has the focus.
    pub fn paste(&mut self, text: &str) -> bool {
        let taken = self.fields.paste(self.part, text);
        if taken {
            // Asked again with the next key; an old answer must not stand for a new request.
            self.decided = None;
        }
        taken
    }

    /// Draws it over `area`.
    pub fn draw(&mut self, area: Rect, buf: &mut Buffer, view: &View<'_>) -> Option<Position> {
        let look = &view.look;
        let wide = 70.min(area.width.saturating_sub(6));
        let tight = area.height < self.fields.height(wide, false) + SAID + 4;
        let top = u16::from(!tight);
        let fields = self.fields.height(wide, tight);
        let size = (wide, fields + SAID + 1 + top);
        let inner = panel::draw(&self.title, size, false, area, buf, look);
        // The fields may be scrolled; the decision stays in sight.
        let line = (fields + top).min(inner.height - SAID.min(inner.height / 2));
        let mut sheet = Sheet::new(Rect { height: line, ..inner }, fields + top, view);
        let cursor =
            self.fields.draw(top, (Some(self.part), tight), sheet.page.area, &mut sheet.page, view);
        let cursor = sheet.lay(cursor, buf, view);
        let current = self.request();
        let decided = self.decided.as_ref().filter(|(asked, _)| Some(asked) == current.as_ref());
        match decided {
            Some((_, Decision::Allow(scope))) => {
                let said = format!("allowed, by {scope}");
                for (at, part) in (line..).zip(wrap(&said, inner.width)) {
                    Pen::at(buf, inner, at, look).text(&part, look.good());
                }
            }
            Some((_, Decision::Deny(denial))) => {
                let more = match denial {
                    Denial::NoScope(_) if !view.read_only => {
                        format!(" ({} adds it)", view.key(Mode::Form, Action::Submit))
                    }
                    _ => String::new(),
                };
                form::fault(&format!("denied: {denial}{more}"), line, inner, buf, look);
            }
            None if current.is_none() => {
                form::fault("name an entity, or * for any, to ask", line, inner, buf, look);
            }
            None => {
                Pen::at(buf, inner, line, look).text("asking", look.faint());
            }
        }
        cursor
    }
}
