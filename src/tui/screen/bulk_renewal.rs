//! The form before many tokens get new secrets: how long they last, how long the old secrets of
//! active ones go on working, and the new file that takes all secrets. Leads to the preview.

use ratatui::{
    buffer::Buffer,
    crossterm::event::{KeyCode, KeyEvent},
    layout::{Position, Rect},
};

use super::{
    ask::{counted, paragraph},
    regenerate::{overlap_of, overlaps},
};
use crate::{
    domain::{Lifetime, TokenId},
    keymap::Action,
    output::advice,
    service::{Bulk, Renewal, ServiceError},
    tui::{
        effect::Effect,
        step::Step,
        view::View,
        widget::{
            buttons,
            choice::Choice,
            field::Field,
            form::{self, Note, labelled},
            lifetime::LifetimeField,
            paint::{Pen, wrap},
            panel,
        },
    },
};

const TEXT: &str = "Each gets a new secret and a new lifetime. All new secrets go to one new file, \
                    name and secret in a line, before an old one dies. The list of them comes \
                    before anything happens.";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Focus {
    Lifetime,
    Overlap,
    File,
    Buttons,
}

/// New secrets for many tokens, being asked for.
#[derive(Debug)]
pub struct BulkRenewal {
    ids: Vec<TokenId>,
    lifetime: LifetimeField,
    overlap: Choice,
    file: Field,
    focus: Focus,
    go: bool,
    fault: Option<String>,
}

impl BulkRenewal {
    /// The form on these tokens, with a file name that is not taken by an earlier use.
    pub fn new(ids: Vec<TokenId>, view: &View<'_>) -> Self {
        let wall = view.zone.wall(view.now).format("%Y%m%d-%H%M%S");
        Self {
            ids,
            lifetime: LifetimeField::new(view),
            overlap: overlaps(),
            file: Field::line(&format!("./secrets-{wall}.tsv")),
            focus: Focus::Lifetime,
            go: true,
            fault: None,
        }
    }

    fn go(&mut self, down: bool) -> Step {
        if self.focus == Focus::Lifetime && self.lifetime.go(down) {
            return Step::Changed;
        }
        self.focus = match (self.focus, down) {
            (Focus::Lifetime, true) | (Focus::File, false) => Focus::Overlap,
            (Focus::Overlap, true) | (Focus::Buttons, false) => Focus::File,
            (Focus::File | Focus::Buttons, true) => Focus::Buttons,
            (Focus::Lifetime | Focus::Overlap, false) => Focus::Lifetime,
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
        let Some(change) = self.renewing(lifetime) else {
            self.focus = Focus::File;
            self.fault = Some("a file name is needed: the secrets must go somewhere".into());
            return Step::Changed;
        };
        Step::Do(Effect::Preview(change, self.ids.clone()))
    }

    /// What it leads to, once its fields are sound.
    pub fn effect(&self, view: &View<'_>) -> Option<Effect> {
        let change = self.renewing(self.lifetime.named(view)?)?;
        Some(Effect::Bulk(change, self.ids.clone()))
    }

    /// The change that it describes; `None` while no file is named.
    fn renewing(&self, lifetime: Lifetime) -> Option<Bulk> {
        let file = self.file.text().trim().to_owned();
        let renewal = Renewal { lifetime, overlap: overlap_of(&self.overlap) };
        (!file.is_empty()).then_some(Bulk::Regenerate { renewal, file })
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
        let changed = match self.focus {
            Focus::Lifetime => self.lifetime.press(key),
            Focus::Overlap => self.overlap.press(key),
            Focus::File => self.file.press(key),
            Focus::Buttons => {
                let turn = matches!(key.code, KeyCode::Left | KeyCode::Right);
                self.go ^= turn;
                turn
            }
        };
        if !changed {
            return Step::Ignored;
        }
        self.fault = None;
        Step::Changed
    }

    /// Takes a paste into a field of text.
    pub fn paste(&mut self, text: &str) -> bool {
        match self.focus {
            Focus::Lifetime => self.lifetime.paste(text),
            Focus::File => {
                self.file.paste(text);
                true
            }
            Focus::Overlap | Focus::Buttons => false,
        }
    }

    /// Shows why there is no preview.
    pub fn refuse(&mut self, error: &ServiceError) {
        self.fault = Some(advice::message(error));
    }

    /// Draws it over `area`.
    pub fn draw(&mut self, area: Rect, buf: &mut Buffer, view: &View<'_>) -> Option<Position> {
        let look = &view.look;
        let wide = 66.min(area.width.saturating_sub(6));
        let words = paragraph(TEXT, wide);
        let said = u16::try_from(words.len()).unwrap_or(u16::MAX);
        let lifetime = self.lifetime.height(wide);
        let fault = self.fault.as_ref().map_or(0, |f| wrap(f, wide.saturating_sub(2)).len());
        let fields = lifetime + 3 + u16::try_from(fault).unwrap_or(0);
        let title = format!("Regenerate {}", counted(self.ids.len(), "token"));
        let size = (wide, said + fields + 4);
        let inner = panel::draw(&title, size, false, area, buf, look);
        // Where it is low the words give way to the fields.
        let mut line = (said + 2).min(inner.height.saturating_sub(fields + 1));
        for (at, words) in (1..line).zip(&words) {
            Pen::at(buf, inner, at, look).text(words, look.text());
        }
        let mut cursor = self.lifetime.draw(line, self.focus == Focus::Lifetime, inner, buf, view);
        line += lifetime;
        let focused = self.focus == Focus::Overlap;
        let place = labelled("Overlap", focused, (line, 1), inner, buf, view);
        cursor = cursor.or(self.overlap.draw(place, buf, view, focused));
        let hint = "how long the old secrets of active ones still work";
        form::note(&Note::Hint(hint.into()), line + 1, inner, buf, look);
        line += 2;
        let focused = self.focus == Focus::File;
        let place = labelled("New file", focused, (line, 1), inner, buf, view);
        cursor = cursor.or(self.file.draw(place, buf, look, focused));
        if let Some(fault) = &self.fault {
            form::fault(fault, line + 1, inner, buf, look);
        }
        let chosen = (self.focus == Focus::Buttons).then_some(usize::from(self.go));
        let last =
            Rect { y: inner.bottom().saturating_sub(1), height: inner.height.min(1), ..inner };
        cursor.or(buttons::draw(&["Cancel", "Preview"], chosen, last, buf, view))
    }
}
