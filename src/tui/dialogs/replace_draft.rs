//! Confirmation before a clone replaces the draft in the create form. The Cancel button has the
//! focus initially.

use crate::tui::widgets::canvas::Canvas;
use ratatui::layout::{Position, Rect};

use super::{Dialog, plan::draw::draw_buttons};
use crate::{
    domain::TokenId,
    keymap::{Action, HintChange, Mode},
    tui::app::{effect::Effect, model::Model, service_request::ServiceRequest},
};

const TITLE: &str = "Replace the draft?";

/// Asks whether a clone of the token `id` may replace the draft in the create form.
#[derive(Debug)]
pub struct ReplaceDraftDialog {
    id: TokenId,
    is_accept_focused: bool,
}

impl ReplaceDraftDialog {
    /// The confirmation for a clone of the token `id`.
    pub fn new(id: TokenId) -> Self {
        Self { id, is_accept_focused: false }
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
            Action::Accept if self.is_accept_focused => return accept(),
            Action::Accept | Action::Cancel => return Some(Effect::close()),
            Action::NextField | Action::PreviousField => self.is_accept_focused ^= true,
            _ => {}
        }
        None
    }

    fn hint_change(&self, action: Action) -> Option<HintChange> {
        let label = if self.is_accept_focused { "replace" } else { "cancel" };
        (action == Action::Accept).then(|| HintChange::new(label, 1))
    }

    fn view(&mut self, area: Rect, canvas: &mut Canvas<'_>) -> Option<Position> {
        let key = canvas.ctx.key(Mode::Tokens, Action::CreateTab);
        let text = [format!(
            "The create form contains a draft. Cancel keeps the draft, and {key} then shows it."
        )];
        draw_buttons((TITLE, &text, None), ("Replace", self.is_accept_focused), area, canvas)
    }
}
