//! What the operator has entered and not saved: the draft in the create form and the changes of
//! scopes in the detail. Both are kept while the program runs, and quitting discards them only after
//! a second press of the quit or the interrupt key. A message names the draft when the operator leaves
//! or enters the form. Also passes what was chosen in a dialog to the screen behind it. Called by
//! `update`.

use std::time::Duration;

use super::{App, Tab, effect::Effect, top_dialog_mut};
use crate::{
    domain::Scope,
    keymap::{Action, Mode},
    tui::screens::create::CreateForm,
};

/// How long after a warning about a draft the quit key discards the draft and quits.
const DISCARD_WINDOW: Duration = Duration::from_secs(3);
/// A press of the interrupt key counts as repeated if the previous press is at most this long ago.
const INTERRUPT_WINDOW: Duration = Duration::from_millis(1_500);

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

    /// Puts the scopes that were chosen in a dialog into row `row` of the create form.
    pub(super) fn fill_scopes(&mut self, row: Option<usize>, scopes: Vec<Scope>) {
        let filled = self.create.set_scopes(row, scopes);
        self.close_if_taken(filled);
    }

    /// Adds the scopes that were chosen in a dialog to the changes in the detail.
    pub(super) fn add_to_changes(&mut self, scopes: &[Scope]) {
        let added = self.detail.add_to_changes(scopes, &self.model);
        self.close_if_taken(added);
    }

    /// Closes the list of search terms, and appends `start` to the search that is being typed.
    pub(super) fn type_term(&mut self, start: &str) {
        self.dialogs.pop();
        match self.tab {
            Tab::Audit => self.audit.append_term(start),
            _ => self.tokens.append_term(start),
        }
    }

    /// Closes the dialog whose choice a screen has taken. If the screen rejects it, shows the fault in
    /// the dialog instead.
    fn close_if_taken(&mut self, taken: Result<(), String>) {
        match taken {
            Ok(()) => self.close(),
            Err(fault) => {
                let top = top_dialog_mut(&mut self.secrets, &mut self.dialogs);
                if !top.is_some_and(|dialog| dialog.show_fault(fault.clone())) {
                    self.warn(fault);
                }
            }
        }
    }

    /// Quits. If something is not saved, the first press only warns.
    pub(super) fn quit(&mut self) {
        let now = self.model.elapsed;
        let again = self.draft_warned_at.is_some_and(|at| now.saturating_sub(at) <= DISCARD_WINDOW);
        match self.unsaved_text().filter(|_| !again) {
            Some(text) => {
                self.draft_warned_at = Some(now);
                self.warn(text);
            }
            None => self.effects.push(Effect::Quit),
        }
    }

    /// What would be lost, and the keys that quit and that lead back to it.
    fn unsaved_text(&self) -> Option<String> {
        let ctx = &self.model;
        let key = |action| ctx.key(Mode::Global, action);
        let quit = key(Action::Quit);
        if self.create.is_dirty() {
            let form = key(Action::CreateTab);
            return Some(format!(
                "The create form has a draft. Press {quit} again to quit and discard the draft, or {form} to return to it."
            ));
        }
        let token = self.detail.unapplied(ctx)?;
        let name = ctx.token(&token).map_or("A token", |token| token.name.as_str());
        Some(format!(
            "{name} has changes of scopes that are not applied. Press {quit} again to quit and discard them."
        ))
    }

    /// Handles a press of the interrupt key. The first press closes the topmost dialog, and the
    /// second press quits. With an undelivered secret on the screen, the first two presses only
    /// warn and the third quits.
    pub(super) fn interrupt(&mut self) {
        let now = self.model.elapsed;
        let presses = match self.interrupt_presses {
            Some((at, presses)) if now.saturating_sub(at) <= INTERRUPT_WINDOW => presses + 1,
            _ => 1,
        };
        self.interrupt_presses = Some((now, presses));
        let is_guarded = self.would_lose_secret();
        if presses > 2 || (presses == 2 && !is_guarded) {
            return self.effects.push(Effect::Quit);
        }
        let key = self.model.key(Mode::Always, Action::Interrupt);
        if is_guarded {
            let more = if presses == 1 { "twice" } else { "once" };
            return self.warn(format!(
                "The secret would be lost. Press {key} {more} more to quit anyway."
            ));
        }
        self.pending_keys.clear();
        self.close();
        self.info(format!("Cancelled. Press {key} again to quit."));
    }
}
