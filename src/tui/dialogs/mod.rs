//! What lies over a tab and has the keys: one dialog a file. A dialog is a value: it answers
//! actions and text with an effect, draws itself from a read-only context, and does no I/O. The
//! app keeps the open ones on a stack and knows them by this trait alone; the panel of a new
//! secret is one too, but the app keeps it apart, for it owns a secret.

use crate::tui::widgets::paint::Canvas;
pub mod access_check;
pub mod edit;
pub mod help;
pub mod messages;
pub mod palette;
pub mod plan;
pub mod preset;
pub mod regenerate;
pub mod replace_draft;
pub mod save_secret;
pub mod scopes;
pub mod secret;
pub(super) mod text;

use std::fmt::Debug;

use ratatui::{
    crossterm::event::KeyEvent,
    layout::{Position, Rect},
};

use super::{
    app::{
        effect::Effect,
        model::Model,
        service_request::{Response, ServiceRequest},
    },
    widgets::form::{Form, FormAction},
};
use crate::{
    keymap::{Action, Mode},
    output::advice,
    service::ServiceError,
};

/// Something over a tab that has the keys.
pub trait Dialog: Debug {
    fn mode(&self) -> Mode {
        Mode::Form
    }

    /// Its inputs and buttons, if it is a form; the defaults below then pass everything to it.
    fn form(&mut self) -> Option<Form<'_>> {
        None
    }

    /// Does what the form is for, or shows what is wrong.
    fn submit(&mut self, _ctx: &Model) -> Option<Effect> {
        None
    }

    fn cancel(&mut self) -> Option<Effect> {
        Some(Effect::close())
    }

    /// The input with the focus changed: an old fault is no longer true.
    fn edited(&mut self) {}

    fn update(&mut self, action: Action, ctx: &Model) -> Option<Effect> {
        match self.form()?.update(action)? {
            FormAction::Submit => self.submit(ctx),
            FormAction::Cancel => self.cancel(),
        }
    }

    /// Draws it over `area`; the place of the cursor.
    fn view(&mut self, area: Rect, canvas: &mut Canvas<'_>) -> Option<Position>;

    fn enables(&self, _action: Action) -> bool {
        true
    }

    /// Takes a key that is text for the field with the focus.
    fn text(&mut self, key: KeyEvent) {
        if self.form().is_some_and(|mut form| form.press(key)) {
            self.edited();
        }
    }

    /// Takes a paste; false where there is no field for it.
    fn paste(&mut self, text: &str) -> bool {
        let taken = self.form().is_some_and(|mut form| form.paste(text));
        if taken {
            self.edited();
        }
        taken
    }

    /// Gives the focus to a field, by the number under which it drew it.
    fn focus_field(&mut self, field: usize) {
        if let Some(mut form) = self.form() {
            form.focus_field(field);
        }
    }

    /// What it would ask of the service as it stands, for the equivalent command; `None` while
    /// something is missing, and where it asks for nothing.
    fn request(&self, _ctx: &Model) -> Option<ServiceRequest> {
        None
    }

    /// What it asks without being told to, each time that this changes.
    fn query(&self) -> Option<ServiceRequest> {
        None
    }

    /// Takes a response that only it can show; gives back what is for others.
    fn deliver(&mut self, response: Response) -> Option<Response> {
        Some(response)
    }

    /// Shows why what it asked for was refused; false if it has no place for that.
    fn refuse(&mut self, error: &ServiceError) -> bool {
        self.fail(advice::message(error))
    }

    /// Shows what is wrong; false if it has no place for that.
    fn fail(&mut self, _fault: String) -> bool {
        false
    }
}
