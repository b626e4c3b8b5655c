//! Panel that shows a new secret once. The panel closes only after the secret was delivered:
//! copied, written to a file, handed over for printing at exit, or marked as saved by the operator.
//! The panel owns the secret and wipes it on closing. No text field, message or history ever
//! contains the secret.

use ratatui::{
    crossterm::event::KeyEvent,
    layout::{Position, Rect},
};

use super::{Dialog, save_secret::SaveSecretDialog};
use crate::{
    domain::{Command, DeliveryMethod, Name, Secret, TokenId},
    keymap::{Action, Mode},
    service::IssuedToken,
    tui::{
        app::{
            effect::{Effect, OutputAction, UiChange},
            model::Model,
            service_request::ServiceRequest,
        },
        widgets::{
            canvas::{Canvas, width, wrap},
            panel,
        },
    },
};

const WARNING: &str = "Copy it now: it will not be shown again.";

/// The panel with one new secret. Dropping it wipes the secret.
#[derive(Debug)]
pub struct SecretPanel {
    secret: Secret,
    name: Name,
    is_hidden: bool,
    is_delivered: bool,
    has_warned: bool,
    /// The result of the last delivery.
    delivery_text: Option<String>,
    /// The dialog over the panel that asks for a file path.
    save_dialog: Option<SaveSecretDialog>,
}

impl SecretPanel {
    /// Takes ownership of a secret that was just issued.
    pub fn new(issued: IssuedToken) -> Self {
        Self {
            secret: issued.secret,
            name: issued.token.name,
            is_hidden: false,
            is_delivered: false,
            has_warned: false,
            delivery_text: None,
            save_dialog: None,
        }
    }

    pub fn id(&self) -> TokenId {
        self.secret.id()
    }

    /// The secret, for the `OutputAction` that copies it or writes it to a file.
    pub fn secret(&self) -> &Secret {
        &self.secret
    }

    /// Moves the secret out, to be printed after the program ends.
    pub fn into_secret(self) -> Secret {
        self.secret
    }

    /// Marks the secret as delivered, so that the panel can close, and shows `text`. Returns the
    /// request that records the delivery. Returns `None` if the operator marks an already delivered
    /// secret as saved.
    pub fn on_delivered(
        &mut self,
        how: DeliveryMethod,
        text: Option<String>,
    ) -> Option<ServiceRequest> {
        let is_recorded = self.is_delivered && how == DeliveryMethod::Acknowledged;
        self.is_delivered = true;
        self.save_dialog = None;
        self.delivery_text = text;
        (!is_recorded).then(|| self.record_delivery(how))
    }

    /// The request that records how the secret was delivered.
    fn record_delivery(&self, how: DeliveryMethod) -> ServiceRequest {
        let (token, digest) = (self.id(), self.secret.digest());
        ServiceRequest::execute(Command::RecordDelivery { token, digest, method: how })
    }

    /// Whether the secret was not delivered yet.
    pub fn is_undelivered(&self) -> bool {
        !self.is_delivered
    }

    /// Closes the file dialog. Returns false if it is not open.
    pub fn close_save_dialog(&mut self) -> bool {
        self.save_dialog.take().is_some()
    }

    /// Masks the secret, e.g. before the program is suspended.
    pub fn hide(&mut self) {
        self.is_hidden = true;
    }

    /// The lines under the secret, each with a flag that is true for a warning. There are at least
    /// three lines, so that the panel keeps its height.
    fn help_lines(&self, wide: u16, ctx: &Model) -> Vec<(String, bool)> {
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
        let text = match &self.delivery_text {
            Some(text) => format!("{text}. {close} closes this panel."),
            None if self.is_delivered => format!(
                "Secret saved. {close} closes this panel and erases the secret from memory."
            ),
            None if self.has_warned => format!(
                "Not closed: the secret would be lost. Press {copy} to copy it, {write} to write \
                 it to a file, {print} to print it when patdeck exits, or {saved} if you saved it."
            ),
            None => format!(
                "{copy} copies it, {write} writes it to a new file, {print} prints it when patdeck \
                 exits, {hide} hides it, {saved} confirms that you saved it."
            ),
        };
        let bad = self.has_warned && !self.is_delivered;
        let mut lines: Vec<_> =
            wrap(&text, wide, &ctx.theme).into_iter().map(|line| (line, bad)).collect();
        lines.resize(lines.len().max(3), (String::new(), false));
        lines
    }
}

impl Dialog for SecretPanel {
    fn mode(&self) -> Mode {
        self.save_dialog.as_ref().map_or(Mode::Secret, SaveSecretDialog::mode)
    }

    fn update(&mut self, action: Action, ctx: &Model) -> Option<Effect> {
        if let Some(saving) = &mut self.save_dialog {
            return match saving.update(action, ctx) {
                Some(Effect::Ui(UiChange::Close)) => {
                    self.save_dialog = None;
                    None
                }
                other => other,
            };
        }
        match action {
            Action::CopySecret => Some(Effect::Host(OutputAction::CopySecret)),
            Action::WriteSecret => {
                self.save_dialog = Some(SaveSecretDialog::new(&self.name));
                None
            }
            Action::PrintSecret => Some(Effect::Ui(UiChange::PrintSecret)),
            Action::HideSecret => {
                self.is_hidden = !self.is_hidden;
                None
            }
            Action::Acknowledge => Some(Effect::close()),
            Action::Close if self.is_delivered => Some(Effect::close()),
            Action::Close => {
                self.has_warned = true;
                None
            }
            _ => None,
        }
    }

    /// Draws the panel over `area`. The secret is shown on one line or not at all, because the
    /// terminal would copy a wrapped secret with a line break.
    fn view(&mut self, area: Rect, canvas: &mut Canvas<'_>) -> Option<Position> {
        let (ctx, theme) = (canvas.ctx, &canvas.ctx.theme);
        let shown = width(self.secret.reveal());
        let wide = shown.max(60).min(area.width.saturating_sub(4));
        let title = format!("Secret of {}", self.name);
        let warning = wrap(WARNING, wide, theme);
        let below = self.help_lines(wide, ctx);
        let count = |lines: usize| u16::try_from(lines).unwrap_or(u16::MAX);
        let high = count(warning.len() + below.len() + 5);
        let inner = panel::draw(&title, (wide, high), false, area, canvas);
        // If the height is short, drop the empty lines first.
        let gap = u16::from(inner.height >= high);
        canvas.text_lines(inner, gap.., &warning, theme.warning.patch(theme.heading));
        let line = count(warning.len()) + 2 * gap;
        let writer = canvas.line(inner, line);
        if self.is_hidden {
            let mask = if theme.is_ascii() { "*" } else { "•" };
            writer.text(&mask.repeat(usize::from(shown.min(inner.width))), theme.heading);
        } else if shown <= inner.width {
            writer.text(self.secret.reveal(), theme.heading);
        } else {
            let ways = [Action::CopySecret, Action::WriteSecret, Action::PrintSecret];
            let ways = ways.map(|way| ctx.key(Mode::Secret, way)).join(" ");
            writer.text(&format!("Terminal too narrow: widen it, or press {ways}"), theme.danger);
        }
        for (at, (text, bad)) in (line + 1 + gap..).zip(below) {
            let style = if bad { theme.danger } else { theme.text() };
            canvas.line(inner, at).text(&text, style);
        }
        let saving = self.save_dialog.as_mut()?;
        ctx.hit_map.clear_under(area);
        saving.view(area, canvas)
    }

    fn enables(&self, action: Action) -> bool {
        self.save_dialog.as_ref().is_none_or(|saving| saving.enables(action))
    }

    fn text(&mut self, key: KeyEvent) {
        if let Some(saving) = &mut self.save_dialog {
            saving.text(key);
        }
    }

    fn paste(&mut self, text: &str) -> bool {
        self.save_dialog.as_mut().is_some_and(|saving| saving.paste(text))
    }

    fn show_fault(&mut self, fault: String) -> bool {
        self.save_dialog.as_mut().is_some_and(|saving| saving.show_fault(fault))
    }
}
