//! The draft in the create form. It is kept while the program runs, a message names it when the
//! operator leaves or enters the form, and quitting discards it only after a second press. Called by
//! `update`.

use std::time::Duration;

use super::{App, effect::Effect, top_dialog_mut};
use crate::{
    domain::Scope,
    keymap::{Action, Mode},
    tui::screens::create::CreateForm,
};

/// How long after a warning about a draft the quit key discards the draft and quits.
const DISCARD_WINDOW: Duration = Duration::from_secs(3);

impl App {
    /// Says that the form contains a draft, because a new form is empty.
    pub(super) fn enter_create_form(&mut self) {
        if self.create.is_dirty() {
            let key = self.model.key(Mode::Create, Action::ClearForm);
            self.info(format!("This is the draft that you left. {key} empties the form."));
        }
    }

    /// Keeps a draft and says how to return to it. A form without changes becomes empty, so that a
    /// clone that was not edited leaves nothing.
    pub(super) fn leave_create_form(&mut self) {
        if self.create.is_dirty() {
            let key = self.model.key(Mode::Global, Action::CreateTab);
            self.info(format!("Draft kept: {key} returns to it."));
        } else {
            self.create = CreateForm::new(&self.model);
        }
    }

    /// Puts the scopes that were chosen in a dialog into the create form, and closes the dialog. If
    /// the form rejects the scopes, shows the fault in the dialog instead.
    pub(super) fn fill_scopes(&mut self, row: Option<usize>, scopes: Vec<Scope>) {
        match self.create.set_scopes(row, scopes) {
            Ok(()) => self.close(),
            Err(fault) => {
                let top = top_dialog_mut(&mut self.secrets, &mut self.dialogs);
                if !top.is_some_and(|dialog| dialog.show_fault(fault.clone())) {
                    self.warn(fault);
                }
            }
        }
    }

    /// Quits. If the create form has a draft, the first press only warns.
    pub(super) fn quit(&mut self) {
        let now = self.model.elapsed;
        let again = self.draft_warned_at.is_some_and(|at| now.saturating_sub(at) <= DISCARD_WINDOW);
        if !self.create.is_dirty() || again {
            return self.effects.push(Effect::Quit);
        }
        self.draft_warned_at = Some(now);
        let ctx = &self.model;
        let key = |action| ctx.key(Mode::Global, action);
        let (quit, form) = (key(Action::Quit), key(Action::CreateTab));
        self.warn(format!(
            "The create form has a draft. Press {quit} again to quit and discard the draft, or {form} to return to it."
        ));
    }
}
