//! The panel that shows a new secret, once: it can be copied, written, printed at exit or
//! hidden, and closes only after one of these or an explicit word. Owns the secret and wipes it
//! when it closes; no field, toast or history ever holds it.

use ratatui::{
    crossterm::event::KeyEvent,
    layout::{Position, Rect},
};

use super::{Dialog, save_secret::SaveSecretDialog};
use crate::{
    domain::{Command, Delivery, Name, Secret, TokenId},
    keymap::{Action, Mode},
    service::Issued,
    tui::{
        app::{
            effect::{Effect, HostAction, UiAction},
            model::Model,
            service_request::ServiceRequest,
        },
        widgets::{
            paint::{Canvas, width, wrap},
            panel,
        },
    },
};

const WARNING: &str = "Copy it now: it will not be shown again.";

#[derive(Debug)]
pub struct SecretPanel {
    secret: Secret,
    name: Name,
    hidden: bool,
    claimed: bool,
    warned: bool,
    /// What the last way out said of itself.
    told: Option<String>,
    /// Asks for the file to write it to, over the panel.
    saving: Option<SaveSecretDialog>,
}

impl SecretPanel {
    /// The panel of what was just issued.
    pub fn new(issued: Issued) -> Self {
        Self {
            secret: issued.secret,
            name: issued.token.name,
            hidden: false,
            claimed: false,
            warned: false,
            told: None,
            saving: None,
        }
    }

    pub fn id(&self) -> TokenId {
        self.secret.id()
    }

    /// The secret, for the host action that hands it over.
    pub fn secret(&self) -> &Secret {
        &self.secret
    }

    /// Gives the secret up to be printed after the program has ended.
    pub fn into_secret(self) -> Secret {
        self.secret
    }

    /// Notes that somebody has it, and what the way out `told`: from now on the panel closes.
    /// The effect that records it; saying that one has it adds nothing to having taken it.
    pub fn claimed(&mut self, how: Delivery, told: Option<String>) -> Option<ServiceRequest> {
        let known = self.claimed && how == Delivery::Acknowledged;
        self.claimed = true;
        self.saving = None;
        self.told = told;
        (!known).then(|| self.delivery(how))
    }

    /// The request that records how the secret was delivered.
    fn delivery(&self, how: Delivery) -> ServiceRequest {
        let (token, digest) = (self.id(), self.secret.digest());
        ServiceRequest::execute(Command::RecordDelivery { token, digest, how })
    }

    /// Whether nobody has said yet that they have it.
    pub fn is_unclaimed(&self) -> bool {
        !self.claimed
    }

    /// Closes what is open over the panel; false if nothing is.
    pub fn close_inner(&mut self) -> bool {
        self.saving.take().is_some()
    }

    /// Hides the secret, before the screen is left to others.
    pub fn hide(&mut self) {
        self.hidden = true;
    }

    /// The lines under the secret: always as many, so that the box does not jump.
    fn below(&self, wide: u16, ctx: &Model) -> Vec<(String, bool)> {
        let key = |action| ctx.key(Mode::Secret, action);
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

impl Dialog for SecretPanel {
    fn mode(&self) -> Mode {
        self.saving.as_ref().map_or(Mode::Secret, SaveSecretDialog::mode)
    }

    fn update(&mut self, action: Action, ctx: &Model) -> Option<Effect> {
        if let Some(saving) = &mut self.saving {
            return match saving.update(action, ctx) {
                Some(Effect::Ui(UiAction::Close)) => {
                    self.saving = None;
                    None
                }
                other => other,
            };
        }
        match action {
            Action::CopySecret => Some(Effect::Host(HostAction::CopySecret)),
            Action::WriteSecret => {
                self.saving = Some(SaveSecretDialog::new(&self.name));
                None
            }
            Action::PrintSecret => Some(Effect::Ui(UiAction::PrintSecret)),
            Action::HideSecret => {
                self.hidden = !self.hidden;
                None
            }
            Action::Acknowledge => Some(Effect::close()),
            Action::Close if self.claimed => Some(Effect::close()),
            Action::Close => {
                self.warned = true;
                None
            }
            _ => None,
        }
    }

    /// Draws it over `area`. The secret stands on one line or not at all: a broken one would be
    /// copied broken.
    fn view(&mut self, area: Rect, canvas: &mut Canvas<'_>) -> Option<Position> {
        let (ctx, theme) = (canvas.ctx, &canvas.ctx.theme);
        let shown = width(self.secret.reveal());
        let wide = shown.max(60).min(area.width.saturating_sub(4));
        let title = format!("The secret of {}", self.name);
        let warning = wrap(WARNING, wide);
        let below = self.below(wide, ctx);
        let count = |lines: usize| u16::try_from(lines).unwrap_or(u16::MAX);
        let high = count(warning.len() + below.len() + 5);
        let inner = panel::draw(&title, (wide, high), false, area, canvas);
        // Where it is low the empty lines go first.
        let gap = u16::from(inner.height >= high);
        canvas.text_lines(inner, gap.., &warning, theme.warning.patch(theme.heading));
        let line = count(warning.len()) + 2 * gap;
        let writer = canvas.line(inner, line);
        if self.hidden {
            let mask = if theme.is_ascii() { "*" } else { "•" };
            writer.text(&mask.repeat(usize::from(shown.min(inner.width))), theme.heading);
        } else if shown <= inner.width {
            writer.text(self.secret.reveal(), theme.heading);
        } else {
            let ways = [Action::CopySecret, Action::WriteSecret, Action::PrintSecret];
            let ways = ways.map(|way| ctx.key(Mode::Secret, way)).join(" ");
            writer.text(&format!("too narrow to show: widen, or {ways}"), theme.danger);
        }
        for (at, (text, bad)) in (line + 1 + gap..).zip(below) {
            let style = if bad { theme.danger } else { theme.text() };
            canvas.line(inner, at).text(&text, style);
        }
        let saving = self.saving.as_mut()?;
        ctx.hit_map.clear_under(area);
        saving.view(area, canvas)
    }

    fn enables(&self, action: Action) -> bool {
        self.saving.as_ref().is_none_or(|saving| saving.enables(action))
    }

    fn text(&mut self, key: KeyEvent) {
        if let Some(saving) = &mut self.saving {
            saving.text(key);
        }
    }

    fn paste(&mut self, text: &str) -> bool {
        self.saving.as_mut().is_some_and(|saving| saving.paste(text))
    }

    fn fail(&mut self, fault: String) -> bool {
        self.saving.as_mut().is_some_and(|saving| saving.fail(fault))
    }
}
