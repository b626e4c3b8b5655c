//! Panel that shows a new secret once. The panel closes only after the secret was delivered
//! (copied, written to a file, or marked as saved by the operator), or if the secret is printed when
//! the program exits. A promise to print is no delivery: the print itself is recorded. The panel owns
//! the secret and wipes it on closing. No text field, message or history ever contains the secret.

use std::time::Duration;

use ratatui::{
    crossterm::event::KeyEvent,
    layout::{Position, Rect},
    style::Style,
};
use zeroize::Zeroizing;

use super::{Dialog, save_secret::SaveSecretDialog};
use crate::{
    domain::{Command, DeliveryMethod, Name, Secret, Timestamp, TokenId},
    keymap::{Action, Mode},
    output::secret_format::SecretFormat,
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

/// How long the secret is shown after the last key press.
const SHOWN_FOR: Duration = Duration::from_secs(60);
/// Number of columns between two key hints.
const HINT_GAP: u16 = 3;

/// The panel with one new secret. Dropping it wipes the secret.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "they are independent of each other")]
pub struct SecretPanel {
    secret: Secret,
    name: Name,
    /// When the secret was issued, if it replaces an earlier one, whose file can still exist.
    replaced_at: Option<Timestamp>,
    is_hidden: bool,
    /// Whether the secret is hidden because no key was pressed for [`SHOWN_FOR`].
    is_idle: bool,
    /// The last key press, as a value of [`crate::service::Clock::elapsed`].
    last_input: Option<Duration>,
    /// How the secret was delivered. Each method is recorded once.
    deliveries: Vec<DeliveryMethod>,
    /// Whether the secret is printed when the program exits.
    is_printed_at_exit: bool,
    has_warned: bool,
    /// The result of the last delivery.
    delivery_text: Option<String>,
    /// The dialog over the panel that asks for a file path.
    save_dialog: Option<SaveSecretDialog>,
}

/// A key hint of the panel: the key, its label, and the action of a click.
type KeyHint = (String, &'static str, Option<Action>);

impl SecretPanel {
    /// Takes ownership of a secret that was just issued.
    pub fn new(issued: IssuedToken) -> Self {
        Self {
            secret: issued.secret,
            replaced_at: (issued.token.issued != issued.token.created)
                .then_some(issued.token.issued),
            name: issued.token.name,
            is_hidden: false,
            is_idle: false,
            last_input: None,
            deliveries: Vec::new(),
            is_printed_at_exit: false,
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

    /// Moves the secret out if it is printed when the program exits. Otherwise wipes it.
    pub fn into_secret_to_print(self) -> Option<Secret> {
        self.is_printed_at_exit.then_some(self.secret)
    }

    /// Marks the secret as delivered, so that the panel can close, and shows `text`. Returns the
    /// request that records the delivery. Returns `None` if the same delivery was recorded before,
    /// or if the operator marks a secret as saved that cannot be lost: the key then only closes the
    /// panel.
    pub fn on_delivered(
        &mut self,
        how: DeliveryMethod,
        text: Option<String>,
    ) -> Option<ServiceRequest> {
        let is_recorded = self.deliveries.contains(&how)
            || how == DeliveryMethod::Acknowledged && !self.would_be_lost();
        self.deliveries.push(how);
        self.save_dialog = None;
        self.delivery_text = text;
        (!is_recorded).then(|| self.record_delivery(how))
    }

    /// The request that records how the secret was delivered.
    fn record_delivery(&self, how: DeliveryMethod) -> ServiceRequest {
        let (token, digest) = (self.id(), self.secret.digest());
        ServiceRequest::execute(Command::RecordDelivery { token, digest, method: how })
    }

    /// Whether the secret would be lost if the panel closed now.
    pub fn would_be_lost(&self) -> bool {
        self.deliveries.is_empty() && !self.is_printed_at_exit
    }

    /// The text in the form `format` that the event loop copies.
    pub fn text_in(&self, format: SecretFormat) -> Zeroizing<String> {
        format.text(&self.secret, &self.name)
    }

    /// Hides the secret at `elapsed` if no key was pressed for [`SHOWN_FOR`].
    pub fn tick(&mut self, elapsed: Duration) {
        let last = *self.last_input.get_or_insert(elapsed);
        self.is_idle |= elapsed.saturating_sub(last) >= SHOWN_FOR;
    }

    /// The time from `elapsed` until the secret is hidden. `None` if it is hidden already.
    pub fn time_to_hiding(&self, elapsed: Duration) -> Option<Duration> {
        let since = self.last_input.map_or(Duration::ZERO, |last| elapsed.saturating_sub(last));
        (!self.is_idle && !self.is_hidden).then(|| SHOWN_FOR.saturating_sub(since))
    }

    /// Records a key press at `elapsed` and shows a secret that [`SecretPanel::tick`] has hidden.
    /// Returns true if the key press has no other effect.
    pub fn on_input(&mut self, elapsed: Duration) -> bool {
        self.last_input = Some(elapsed);
        std::mem::take(&mut self.is_idle) && self.save_dialog.is_none()
    }

    /// Closes the file dialog. Returns false if it is not open.
    pub fn close_save_dialog(&mut self) -> bool {
        self.save_dialog.take().is_some()
    }

    /// Masks the secret, e.g. before the program is suspended.
    pub fn hide(&mut self) {
        self.is_hidden = true;
    }

    /// The text between the secret and the keys, with its style.
    fn status_text(&self, ctx: &Model) -> (String, Style) {
        let theme = &ctx.theme;
        let key = |action| ctx.key(Mode::Secret, action);
        let close = key(Action::Close);
        match &self.delivery_text {
            _ if self.is_idle => (
                "Hidden, because no key was pressed for 60 s. Any key shows the secret.".to_owned(),
                theme.text(),
            ),
            Some(text) => (format!("{text}. {close} closes this panel."), theme.good),
            None if self.is_printed_at_exit => (
                format!(
                    "The secret will be printed when patdeck exits. {close} closes this panel."
                ),
                theme.good,
            ),
            None if !self.would_be_lost() => (
                format!("Secret saved. {close} closes this panel and erases the secret."),
                theme.good,
            ),
            None if self.has_warned => (
                format!(
                    "Not closed: the secret would be lost. Save it first, or press {} if you \
                     saved it.",
                    key(Action::Acknowledge)
                ),
                theme.danger,
            ),
            None => (
                "Shown once. Save it now; patdeck keeps only its SHA-256.".to_owned(),
                theme.warning,
            ),
        }
    }

    /// The keys of the panel in rows of at most `wide` columns.
    fn key_rows(&self, wide: u16, ctx: &Model) -> Vec<Vec<KeyHint>> {
        let hint = |action, label| (ctx.key(Mode::Secret, action), label, Some(action));
        let copy_as = ctx.key(Mode::Secret, Action::CopyAsHeader);
        // The first key of the sequence; the footer then shows the forms.
        let copy_as = copy_as.split(' ').next().unwrap_or_default().to_owned();
        let last = if self.would_be_lost() {
            hint(Action::Acknowledge, "I saved it")
        } else {
            hint(Action::Close, "close")
        };
        let hints = [
            hint(Action::CopySecret, "copy"),
            (copy_as, "copy as a header, .env line, …", None),
            hint(Action::WriteSecret, "save to file"),
            hint(Action::PrintSecret, "print on exit"),
            hint(Action::HideSecret, if self.is_hidden { "show" } else { "hide" }),
            last,
        ];
        let (mut rows, mut used) = (vec![Vec::new()], 0);
        for (key, label, action) in hints {
            let label = if ctx.theme.is_ascii() { label.trim_end_matches(", …") } else { label };
            let columns = width(&key) + 1 + width(label);
            if used > 0 && used + HINT_GAP + columns > wide {
                rows.push(Vec::new());
                used = 0;
            }
            used += columns + if used > 0 { HINT_GAP } else { 0 };
            rows.last_mut().into_iter().for_each(|row| row.push((key.clone(), label, action)));
        }
        rows
    }

    /// Draws the secret or its mask on `rows` lines from line `from`. A secret that is wider than
    /// the panel is split: copied with the mouse, it has a line break, but the keys copy it whole.
    fn draw_secret(&self, (from, rows): (u16, u16), area: Rect, canvas: &mut Canvas<'_>) {
        let theme = &canvas.ctx.theme;
        let style = theme.heading;
        let shown = self.secret.reveal();
        let wide = usize::from(area.width.max(1));
        let mask = if theme.is_ascii() { "*" } else { "•" };
        for (at, line) in (0..rows).zip(from..) {
            let start = usize::from(at) * wide;
            let end = (start + wide).min(shown.len());
            if self.is_hidden || self.is_idle {
                let count = end.saturating_sub(start);
                canvas.line(area, line).text(&mask.repeat(count), style);
            } else {
                canvas.line(area, line).text(shown.get(start..end).unwrap_or_default(), style);
            }
        }
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
        let copy = |format| Some(Effect::Host(OutputAction::CopySecret(format)));
        match action {
            Action::CopySecret => copy(SecretFormat::Secret),
            Action::CopyAsHeader => copy(SecretFormat::Header),
            Action::CopyAsEnv => copy(SecretFormat::Env),
            Action::CopyAsNetrc => copy(SecretFormat::Netrc),
            Action::CopyAsUserPass => copy(SecretFormat::UserPass),
            Action::CopyAsJson => copy(SecretFormat::Json),
            Action::WriteSecret => {
                let suffix = self.replaced_at.map_or_else(String::new, |at| {
                    ctx.zone.wall_time(at).format("-%Y%m%d-%H%M%S").to_string()
                });
                self.save_dialog = Some(SaveSecretDialog::new(&self.name, &suffix));
                None
            }
            Action::PrintSecret => {
                self.is_printed_at_exit = true;
                self.delivery_text = None;
                None
            }
            Action::HideSecret => {
                self.is_hidden = !self.is_hidden;
                None
            }
            Action::Acknowledge => Some(Effect::close()),
            Action::Close if !self.would_be_lost() => Some(Effect::close()),
            Action::Close => {
                self.has_warned = true;
                None
            }
            _ => None,
        }
    }

    /// Draws the panel over `area`: the secret, the state of its delivery, and the keys.
    fn view(&mut self, area: Rect, canvas: &mut Canvas<'_>) -> Option<Position> {
        let (ctx, theme) = (canvas.ctx, &canvas.ctx.theme);
        let shown = width(self.secret.reveal());
        let wide = shown.max(60).min(area.width.saturating_sub(4)).max(1);
        let rows = shown.div_ceil(wide);
        let title = format!("Secret of {}", self.name);
        let (text, style) = self.status_text(ctx);
        let text = wrap(&text, wide, theme);
        let keys = self.key_rows(wide, ctx);
        let count = |lines: usize| u16::try_from(lines).unwrap_or(u16::MAX);
        let high = rows + count(text.len() + keys.len()) + 3;
        let inner = panel::draw(&title, (wide, high), false, area, canvas);
        // If the height is short, drop the empty lines first.
        let gap = u16::from(inner.height >= high);
        self.draw_secret((gap, rows), inner, canvas);
        let below = rows + 2 * gap;
        canvas.text_lines(inner, below.., &text, style);
        let from = below + count(text.len()) + gap;
        for (line, row) in (from..inner.height).zip(keys) {
            let mut writer = canvas.line(inner, line);
            for (key, label, action) in row {
                let start = writer.column();
                writer = writer.text(&key, theme.key).skip(1).text(label, theme.text());
                if let Some(action) = action {
                    ctx.hit_map.click_action(writer.rect_since(start), action);
                }
                writer = writer.skip(HINT_GAP);
            }
        }
        let saving = self.save_dialog.as_mut()?;
        ctx.hit_map.clear_under(area);
        saving.view(area, canvas)
    }

    fn enables(&self, action: Action) -> bool {
        match (&self.save_dialog, action) {
            (Some(saving), _) => saving.enables(action),
            (None, Action::Acknowledge) => self.would_be_lost(),
            (None, Action::Close) => !self.would_be_lost(),
            (None, _) => true,
        }
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
