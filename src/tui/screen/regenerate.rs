//! The dialog that gives a token a new secret: the new lifetime and, for an active token, how
//! long the old secret goes on working. Says what dies before it does it.

use ratatui::{
    buffer::Buffer,
    crossterm::event::KeyEvent,
    layout::{Position, Rect},
};

use super::ask::{last_used, paragraph};
use crate::{
    domain::{Lifetime, Overlap, Pat, Status, TokenId},
    keymap::Action,
    output::advice,
    service::{Renewal, ServiceError},
    tui::{
        effect::Effect,
        step::Step,
        view::View,
        widget::{
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
pub struct Regenerate {
    id: TokenId,
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

impl Regenerate {
    /// The dialog on `pat`.
    pub fn new(pat: &Pat, view: &View<'_>) -> Self {
        let status = pat.status(view.now);
        let active = status == Status::Active;
        let consequence = if active {
            "It gets a new secret and a new lifetime; id, name, description and scopes stay. \
             Whoever uses the old secret is denied once the overlap is over."
        } else {
            "It gets a new secret and a new lifetime and is active again; id, name, description \
             and scopes stay. The old secret stays dead."
        };
        Self {
            id: pat.id,
            title: format!("Regenerate {} ({})?", pat.name, status.word()),
            text: vec![consequence.to_owned(), last_used(pat, view)],
            lifetime: LifetimeField::new(view),
            overlap: active.then(overlaps),
            focus: Focus::Lifetime,
            go: false,
            fault: None,
        }
    }

    fn go(&mut self, down: bool) -> Step {
        if self.focus == Focus::Lifetime && self.lifetime.go(down) {
            return Step::Changed;
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
        Step::Changed
    }

    fn submit(&mut self, view: &View<'_>) -> Step {
        let Some(lifetime) = self.lifetime.submit(view) else {
            self.focus = Focus::Lifetime;
            self.lifetime.enter(false);
            return Step::Changed;
        };
        Step::Do(self.renewing(lifetime))
    }

    /// What it asks for, once its fields are sound.
    pub fn effect(&self, view: &View<'_>) -> Option<Effect> {
        self.lifetime.named(view).map(|lifetime| self.renewing(lifetime))
    }

    fn renewing(&self, lifetime: Lifetime) -> Effect {
        let overlap = self.overlap.as_ref().map(overlap_of).unwrap_or_default();
        Effect::Regenerate(self.id, Renewal { lifetime, overlap })
    }

    /// Answers an action.
    pub fn on(&mut self, action: Action, view: &View<'_>) -> Step {
        match action {
            Action::NextField => self.go(true),
            Action::PreviousField => self.go(false),
            Action::Accept if self.focus != Focus::Buttons => self.go(true),
            Action::Accept if !self.go => Step::Close,
            Action::Accept | Action::Submit => self.submit(view),
            Action::Cancel => Step::Close,
            _ => Step::Ignored,
        }
    }

    /// Answers a key that is for the focused field.
    pub fn on_text(&mut self, key: KeyEvent, _: &View<'_>) -> Step {
        use ratatui::crossterm::event::KeyCode;
        let changed = match (self.focus, self.overlap.as_mut()) {
            (Focus::Lifetime, _) => self.lifetime.press(key),
            (Focus::Overlap, Some(overlap)) => overlap.press(key),
            (Focus::Overlap, None) => false,
            (Focus::Buttons, _) => {
                let turn = matches!(key.code, KeyCode::Left | KeyCode::Right);
                self.go ^= turn;
                turn
            }
        };
        if changed { Step::Changed } else { Step::Ignored }
    }

    /// Takes a paste into the field for one's own lifetime.
    pub fn paste(&mut self, text: &str) -> bool {
        self.focus == Focus::Lifetime && self.lifetime.paste(text)
    }

    /// Shows why it was refused.
    pub fn refuse(&mut self, error: &ServiceError) {
        self.fault = Some(advice::message(error));
    }

    /// Draws it over `area`.
    pub fn draw(&mut self, area: Rect, buf: &mut Buffer, view: &View<'_>) -> Option<Position> {
        let look = &view.look;
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
        let mut sheet = Sheet::new(inner, line + needed, view);
        let (inner, screen, buf) = (sheet.page.area, buf, &mut sheet.page);
        for (at, words) in (1..line).zip(&lines) {
            Pen::at(buf, inner, at, look).text(words, look.text());
        }
        let on_lifetime = self.focus == Focus::Lifetime;
        let mut cursor = self.lifetime.draw(line, on_lifetime, inner, buf, view);
        line += lifetime;
        if let Some(choice) = &self.overlap {
            let focused = self.focus == Focus::Overlap;
            let place = labelled("Overlap", focused, (line, 1), inner, buf, view);
            cursor = cursor.or(choice.draw(place, buf, view, focused));
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
        let cursor = cursor.or(buttons::draw(&["Cancel", "Regenerate"], chosen, last, buf, view));
        sheet.lay(cursor, screen, view)
    }
}
