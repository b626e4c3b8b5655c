//! The panel that shows a new secret, once: it can be copied, written, printed at exit or
//! hidden, and closes only after one of these or an explicit word. Owns the secret and wipes it
//! when it closes; no field, toast or history ever holds it.

use ratatui::{
    buffer::Buffer,
    crossterm::event::KeyEvent,
    layout::{Position, Rect},
};

use super::{Overlay, save_secret::Write};
use crate::{
    domain::{Name, Secret, TokenId},
    keymap::{Action, Mode},
    service::{Claim, Issued},
    tui::{
        app::{
            effect::{Errand, Step},
            service_request::Effect,
            view_context::View,
        },
        widgets::{
            paint::{Pen, width, wrap},
            panel,
        },
    },
};

const WARNING: &str = "Copy it now: it will not be shown again.";

/// A new secret on the screen.
#[derive(Debug)]
pub struct SecretPanel {
    secret: Secret,
    name: Name,
    hidden: bool,
    claimed: bool,
    warned: bool,
    /// What the last way out said of itself.
    told: Option<String>,
}

impl SecretPanel {
    /// The panel of what was just issued.
    pub fn new(issued: Issued) -> Self {
        Self {
            secret: issued.secret,
            name: issued.pat.name,
            hidden: false,
            claimed: false,
            warned: false,
            told: None,
        }
    }

    /// Whose secret it is.
    pub fn id(&self) -> TokenId {
        self.secret.id()
    }

    /// The secret, for the errand that hands it over.
    pub fn secret(&self) -> &Secret {
        &self.secret
    }

    /// Gives the secret up to be printed after the program has ended.
    pub fn into_secret(self) -> Secret {
        self.secret
    }

    /// Notes that somebody has it, and what the way out `told`: from now on the panel closes.
    /// The effect that records it; saying that one has it adds nothing to having taken it.
    pub fn claimed(&mut self, how: Claim, told: Option<String>) -> Option<Effect> {
        let known = self.claimed && how == Claim::Acknowledged;
        self.claimed = true;
        self.told = told;
        (!known).then(|| Effect::Claim(self.id(), self.secret.digest(), how))
    }

    /// Whether nobody has said yet that they have it.
    pub fn is_unclaimed(&self) -> bool {
        !self.claimed
    }

    /// Hides the secret, before the screen is left to others.
    pub fn hide(&mut self) {
        self.hidden = true;
    }

    /// Answers an action.
    pub fn on(&mut self, action: Action, _: &View<'_>) -> Step {
        match action {
            Action::CopySecret => Step::Run(Errand::CopySecret),
            Action::WriteSecret => Step::Open(Box::new(Overlay::Write(Write::new(&self.name)))),
            Action::PrintSecret => Step::Run(Errand::PrintSecret),
            Action::HideSecret => {
                self.hidden = !self.hidden;
                Step::Changed
            }
            Action::Acknowledge => Step::Close,
            Action::Close if self.claimed => Step::Close,
            Action::Close => {
                self.warned = true;
                Step::Changed
            }
            _ => Step::Ignored,
        }
    }

    /// It has no text.
    pub fn on_text(&mut self, _: KeyEvent, _: &View<'_>) -> Step {
        Step::Ignored
    }

    /// Draws it over `area`. The secret stands on one line or not at all: a broken one would be
    /// copied broken.
    pub fn draw(&mut self, area: Rect, buf: &mut Buffer, view: &View<'_>) -> Option<Position> {
        let look = &view.look;
        let shown = width(self.secret.reveal());
        let wide = shown.max(60).min(area.width.saturating_sub(4));
        let title = format!("The secret of {}", self.name);
        let warning = wrap(WARNING, wide);
        let below = self.below(wide, view);
        let count = |lines: usize| u16::try_from(lines).unwrap_or(u16::MAX);
        let high = count(warning.len() + below.len() + 5);
        let inner = panel::draw(&title, (wide, high), false, area, buf, look);
        // Where it is low the empty lines go first.
        let gap = u16::from(inner.height >= high);
        for (at, text) in (gap..).zip(&warning) {
            Pen::at(buf, inner, at, look).text(text, look.warning().patch(look.heading()));
        }
        let line = count(warning.len()) + 2 * gap;
        let pen = Pen::at(buf, inner, line, look);
        if self.hidden {
            let mask = if look.is_ascii() { "*" } else { "•" };
            pen.text(&mask.repeat(usize::from(shown.min(inner.width))), look.heading());
        } else if shown <= inner.width {
            pen.text(self.secret.reveal(), look.heading());
        } else {
            let ways = [Action::CopySecret, Action::WriteSecret, Action::PrintSecret];
            let ways = ways.map(|way| view.key(Mode::Secret, way)).join(" ");
            pen.text(&format!("too narrow to show: widen, or {ways}"), look.danger());
        }
        for (at, (text, bad)) in (line + 1 + gap..).zip(below) {
            let style = if bad { look.danger() } else { look.text() };
            Pen::at(buf, inner, at, look).text(&text, style);
        }
        None
    }

    /// The lines under the secret: always as many, so that the box does not jump.
    fn below(&self, wide: u16, view: &View<'_>) -> Vec<(String, bool)> {
        let key = |action| view.key(Mode::Secret, action);
        let [copy, write, print, hide, saved, close] = [
            Action::CopySecret,
            Action::WriteSecret,
            Action::PrintSecret,
            Action::HideSecret,
            Action::Acknowledge,
            Action::Close,
        ]
        .map(key);
        let text = match &self.told {
            Some(told) => format!("{told}. {close} closes this panel."),
            None if self.claimed => format!(
                "You have it: {close} closes this panel, and then the secret is nowhere here."
            ),
            None if self.warned => format!(
                "Not closed: the secret would be lost. Press {copy} to copy it, {write} to write \
                 it to a file, {print} to print it after patdeck ends, or {saved} if you have \
                 saved it."
            ),
            None => format!(
                "{copy} copies it, {write} writes it to a new file, {print} prints it after \
                 patdeck ends, {hide} hides it, {saved} says that you have saved it."
            ),
        };
        let bad = self.warned && !self.claimed;
        let mut lines: Vec<_> = wrap(&text, wide).into_iter().map(|line| (line, bad)).collect();
        lines.resize(lines.len().max(3), (String::new(), false));
        lines
    }
}
