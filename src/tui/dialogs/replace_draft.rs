//! The question before a clone replaces a draft in the create form: two buttons, Cancel first.

use crate::tui::widgets::paint::Canvas;
use ratatui::layout::{Position, Rect};

use super::{Dialog, plan::draw::draw_buttons};
use crate::{
    domain::TokenId,
    keymap::{Action, Mode},
    tui::app::{effect::Effect, model::Model, service_request::ServiceRequest},
};

const TITLE: &str = "Replace the draft?";
const TEXT: &str = "The create form contains a draft. Cancel keeps it, and 2 goes back to it.";

/// Whether to fill in the create form like a token, although it holds a draft.
#[derive(Debug)]
pub struct ReplaceDraftDialog {
    id: TokenId,
    accepts: bool,
}

impl ReplaceDraftDialog {
    /// The question before the form is filled in like token `id`.
    pub fn new(id: TokenId) -> Self {
        Self { id, accepts: false }
    }
}

impl Dialog for ReplaceDraftDialog {
    fn mode(&self) -> Mode {
        Mode::Ask
    }

    fn update(&mut self, action: Action, _: &Model) -> Option<Effect> {
        let accept = || Some(Effect::request(ServiceRequest::Template(self.id)));
        match action {
            Action::Submit => return accept(),
            Action::Accept if self.accepts => return accept(),
            Action::Accept | Action::Cancel => return Some(Effect::close()),
            Action::NextField | Action::PreviousField => self.accepts ^= true,
            _ => {}
        }
        None
    }

    fn view(&mut self, area: Rect, canvas: &mut Canvas<'_>) -> Option<Position> {
        let text = [TEXT.to_owned()];
        draw_buttons((TITLE, &text, None), ("Replace", self.accepts), area, canvas)
    }
}
