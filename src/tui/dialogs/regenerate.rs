//! The dialog that gives a token a new secret: the new lifetime and, for an active token, how
//! long the old secret goes on working. Says what dies before it does it.

use ratatui::{
    buffer::Buffer,
    crossterm::event::{KeyCode, KeyEvent},
    layout::{Position, Rect},
};

use super::Dialog;
use super::text::{last_used, paragraph};
use crate::{
    domain::{Command, Confirmed, Overlap, Plan, Status, TokenId},
    keymap::Action,
    output::{advice, question::question},
    service::ServiceError,
    tui::{
        app::{effect::Effect, service_request::ServiceRequest, view_context::ViewContext},
        widgets::{
            buttons,
            choice::Choice,
            form::{self, labelled},
            lifetime::LifetimeField,
            paint::{Pen, wrap},
            panel,
            sheet::Sheet,
        },
    },
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Focus {
    Lifetime,
    Overlap,
    Buttons,
}

/// A new secret for one token, being asked for.
#[derive(Debug)]
pub struct RegenerateDialog {
    tokens: Vec<TokenId>,
    /// The plan that the dialog was opened on: the question that its buttons answer.
    confirmed: Confirmed,
    title: String,
    text: Vec<String>,
    lifetime: LifetimeField,
    overlap: Option<Choice>,
    focus: Focus,
    go: bool,
    fault: Option<String>,
}

/// A choice of how long an old secret goes on working.
pub(super) fn overlaps() -> Choice {
    let words = Overlap::ALL.map(|overlap| match overlap {
        Overlap::None => "none",
        other => other.word(),
    });
    Choice::new(words, 0)
}

/// What is chosen of [`overlaps`].
pub(super) fn overlap_of(choice: &Choice) -> Overlap {
    Overlap::ALL.get(choice.chosen()).copied().unwrap_or_default()
}

impl RegenerateDialog {
    /// The dialog on what regenerating one token would do; its fields then say how.
    pub fn new(plan: &Plan, ctx: &ViewContext<'_>) -> Self {
        let token = plan.changes.first().and_then(|change| change.before.token());
        let active = token.is_some_and(|token| token.status(plan.at) == Status::Active);
        let consequence = if active {
            "The token gets a new secret and a new lifetime; id, name, description and scopes \
             stay. The old secret stops working when the overlap ends, without one immediately."
        } else {
            "The token gets a new secret and a new lifetime and is active again; id, name, \
             description and scopes stay. The old secret can't be restored."
        };
        let status = token.map_or("", |token| token.status(plan.at).word());
        let last_used = token.map(|token| last_used(token, ctx));
        Self {
            tokens: plan.ids(),
            confirmed: plan.confirmed(),
            title: format!("{} ({status})?", question(plan).trim_end_matches('?')),
            text: [consequence.to_owned()].into_iter().chain(last_used).collect(),
            lifetime: LifetimeField::new(ctx),
            overlap: active.then(overlaps),
            focus: Focus::Lifetime,
            go: false,
            fault: None,
        }
    }

    fn go(&mut self, down: bool) {
        if self.focus == Focus::Lifetime && self.lifetime.go(down) {
            return;
        }
        self.focus = match (self.focus, down, self.overlap.is_some()) {
            (Focus::Lifetime, true, true) | (Focus::Buttons, false, true) => Focus::Overlap,
            (Focus::Lifetime, true, false) | (Focus::Overlap | Focus::Buttons, true, _) => {
                Focus::Buttons
            }
            (_, false, _) => Focus::Lifetime,
        };
        if self.focus == Focus::Lifetime {
            self.lifetime.enter(down);
        }
    }

    fn submit(&mut self, ctx: &ViewContext<'_>) -> Option<Effect> {
        if self.lifetime.submit(ctx).is_none() {
            self.focus = Focus::Lifetime;
            self.lifetime.enter(false);
        }
        self.request(ctx).map(Effect::request)
    }
}

impl Dialog for RegenerateDialog {
    fn update(&mut self, action: Action, ctx: &ViewContext<'_>) -> Option<Effect> {
        match action {
            Action::NextField => self.go(true),
            Action::PreviousField => self.go(false),
            Action::Accept if self.focus != Focus::Buttons => self.go(true),
            Action::Accept if !self.go => return Some(Effect::close()),
            Action::Accept | Action::Submit => return self.submit(ctx),
            Action::Cancel => return Some(Effect::close()),
            _ => {}
        }
        None
    }

    fn view(&mut self, area: Rect, buf: &mut Buffer, ctx: &ViewContext<'_>) -> Option<Position> {
        let look = &ctx.look;
        let wide = 66.min(area.width.saturating_sub(6));
        let lines: Vec<_> = self.text.iter().flat_map(|text| paragraph(text, wide)).collect();
        let text = u16::try_from(lines.len()).unwrap_or(u16::MAX);
        let lifetime = self.lifetime.height(wide);
        let overlap = if self.overlap.is_some() { 2 } else { 0 };
        let fault = self.fault.as_ref().map_or(0, |f| wrap(f, wide.saturating_sub(2)).len());
        let fault = u16::try_from(fault).unwrap_or(0);
        let size = (wide, text + lifetime + overlap + fault + 4);
        let inner = panel::draw(&self.title, size, true, area, buf, look);
        // Where it is low the words give way to the fields.
        let needed = lifetime + overlap + fault + 1;
        let mut line = (text + 2).min(inner.height.saturating_sub(needed));
        let mut sheet = Sheet::new(inner, line + needed, ctx);
        let (inner, screen, buf) = (sheet.page.area, buf, &mut sheet.page);
        for (at, words) in (1..line).zip(&lines) {
            Pen::at(buf, inner, at, look).text(words, look.text());
        }
        let on_lifetime = self.focus == Focus::Lifetime;
        let mut cursor =
            self.lifetime.draw(line, (Focus::Lifetime as usize, on_lifetime), inner, buf, ctx);
        line += lifetime;
        if let Some(choice) = &self.overlap {
            let focused = self.focus == Focus::Overlap;
            let place =
                labelled("Overlap", (Focus::Overlap as usize, focused), (line, 1), inner, buf, ctx);
            cursor = cursor.or(choice.draw(place, buf, ctx, focused));
            let hint = "how long the old secret still works";
            form::note(&form::Note::Hint(hint.into()), line + 1, inner, buf, look);
            line += 2;
        }
        if let Some(fault) = &self.fault {
            form::fault(fault, line, inner, buf, look);
        }
        let chosen = (self.focus == Focus::Buttons).then_some(usize::from(self.go));
        let last =
            Rect { y: inner.bottom().saturating_sub(1), height: inner.height.min(1), ..inner };
        let cursor = cursor.or(buttons::draw(&["Cancel", "Regenerate"], chosen, last, buf, ctx));
        sheet.lay(cursor, screen, ctx)
    }

    fn text(&mut self, key: KeyEvent) {
        match (self.focus, self.overlap.as_mut()) {
            (Focus::Lifetime, _) => {
                self.lifetime.press(key);
            }
            (Focus::Overlap, Some(overlap)) => {
                overlap.press(key);
            }
            (Focus::Overlap, None) => {}
            (Focus::Buttons, _) => self.go ^= matches!(key.code, KeyCode::Left | KeyCode::Right),
        }
    }

    fn paste(&mut self, text: &str) -> bool {
        self.focus == Focus::Lifetime && self.lifetime.paste(text)
    }

    fn focus_field(&mut self, field: usize) {
        let on_overlap = field == Focus::Overlap as usize;
        self.focus = if on_overlap { Focus::Overlap } else { Focus::Lifetime };
        self.lifetime.focus_field(field);
    }

    fn request(&self, ctx: &ViewContext<'_>) -> Option<ServiceRequest> {
        let lifetime = self.lifetime.named(ctx)?;
        let overlap = self.overlap.as_ref().map(overlap_of).unwrap_or_default();
        let tokens = self.tokens.clone();
        let command = Command::Regenerate { tokens, lifetime, overlap, secret_file: None };
        Some(ServiceRequest::Execute(command, self.confirmed.clone()))
    }

    fn refuse(&mut self, error: &ServiceError) -> bool {
        if let ServiceError::ChangedMeanwhile { plan, .. } = error {
            self.confirmed = plan.confirmed();
        }
        self.fail(advice::message(error))
    }

    fn fail(&mut self, fault: String) -> bool {
        self.fault = Some(fault);
        true
    }
}
