//! Dialogs over a tab, one per file, and the trait that they implement. A dialog turns actions and
//! text into effects, draws itself from the read-only model, and does no I/O. The app keeps the
//! open dialogs on a stack. The app holds the panel of a new secret separately, because that panel
//! owns the secret.

use crate::tui::widgets::canvas::Canvas;
pub mod access_check;
pub mod edit;
pub mod help;
pub mod message_log;
pub mod palette;
pub mod plan;
pub mod regenerate;
pub mod replace_draft;
pub mod save_secret;
pub mod scope_preset;
pub mod scopes;
pub mod search_terms;
pub mod secret;
pub(super) mod shared_text;

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
    keymap::{Action, HintChange, Mode},
    output::advice,
    service::ServiceError,
};

/// A component over a tab that receives all key input while it is on top.
pub trait Dialog: Debug {
    fn mode(&self) -> Mode {
        Mode::Form
    }

    /// The form with the inputs and buttons, or `None` if the dialog is not a form. The default
    /// methods pass key presses and pasted text to the form.
    fn form(&mut self) -> Option<Form<'_>> {
        None
    }

    /// The labels of the buttons of the form. The last button submits.
    fn buttons(&self) -> &[&'static str] {
        &[]
    }

    /// Returns the effect of the submit button, or shows the first fault and returns `None`.
    fn submit(&mut self, _ctx: &Model) -> Option<Effect> {
        None
    }

    fn cancel(&mut self) -> Option<Effect> {
        Some(Effect::close())
    }

    /// Called after the focused input changed. Implementations clear the outdated fault of that
    /// input.
    fn on_edit(&mut self) {}

    fn update(&mut self, action: Action, ctx: &Model) -> Option<Effect> {
        match self.form()?.update(action)? {
            FormAction::Submit => self.submit(ctx),
            FormAction::Cancel => self.cancel(),
        }
    }

    /// Draws the dialog over `area` and returns the position of the text cursor, if any.
    fn view(&mut self, area: Rect, canvas: &mut Canvas<'_>) -> Option<Position>;

    fn enables(&self, _action: Action) -> bool {
        true
    }

    /// What the state of the dialog changes in the hint of `action` in the footer. By default, the hint
    /// of the key that submits has the text of the button that does so.
    fn hint_change(&self, action: Action) -> Option<HintChange> {
        let submits = self.buttons().last().filter(|_| action == Action::Submit)?;
        Some(HintChange::new(submits.to_lowercase(), 1))
    }

    /// Passes a text key to the focused field.
    fn text(&mut self, key: KeyEvent) {
        if self.form().is_some_and(|mut form| form.press(key)) {
            self.on_edit();
        }
    }

    /// Pastes `text` into the focused field. Returns false if no field accepts it.
    fn paste(&mut self, text: &str) -> bool {
        let taken = self.form().is_some_and(|mut form| form.paste(text));
        if taken {
            self.on_edit();
        }
        taken
    }

    /// Moves the focus to the field with the index `field` in `form`.
    fn focus_field(&mut self, field: usize) {
        if let Some(mut form) = self.form() {
            form.focus_field(field);
        }
    }

    /// The request that the dialog would send if it was submitted now. The equivalent command line
    /// is made from this request. Returns `None` while an input is invalid, or if the dialog sends
    /// no request.
    fn request(&self, _ctx: &Model) -> Option<ServiceRequest> {
        None
    }

    /// A read-only request for content of the dialog. The app sends the request again whenever its
    /// value changes.
    fn query(&self) -> Option<ServiceRequest> {
        None
    }

    /// Consumes a response meant for this dialog. Returns every other response.
    fn deliver(&mut self, response: Response) -> Option<Response> {
        Some(response)
    }

    /// Shows why the service refused the request of this dialog. Returns false if the dialog cannot
    /// show errors.
    fn show_error(&mut self, error: &ServiceError) -> bool {
        self.show_fault(advice::message(error))
    }

    /// Shows `fault`. Returns false if the dialog cannot show it.
    fn show_fault(&mut self, _fault: String) -> bool {
        false
    }
}
