//! The ways out: Ctrl-C, quit, suspend. Each asks once more where something would be lost. Part
//! of the app.

use chrono::TimeDelta;

use super::{App, Want};
use crate::keymap::{Action, Mode};

/// Within which a second press quits.
const AGAIN: TimeDelta = TimeDelta::milliseconds(1_500);

impl App {
    /// The first press cancels what is on top, the second quits; a secret that nobody has yet
    /// takes a third.
    pub(super) fn interrupt(&mut self) {
        let now = self.world.now();
        let presses = match self.quitting {
            Some((at, presses)) if now - at <= AGAIN => presses + 1,
            _ => 1,
        };
        self.quitting = Some((now, presses));
        let guarded = self.has_unclaimed_secret();
        if presses > 2 || (presses == 2 && !guarded) {
            return self.wants.push(Want::Quit);
        }
        if guarded {
            return self.warn("the secret would be lost: Ctrl-C a third time quits all the same");
        }
        self.pressed.clear();
        if !self.overlays.is_empty() {
            self.close();
        }
        self.say("cancelled: Ctrl-C once more quits");
    }

    pub(super) fn quit(&mut self) {
        let now = self.world.now();
        let again = self.quitting.is_some_and(|(at, _)| now - at <= AGAIN * 2);
        if self.create.is_dirty() && !again {
            self.quitting = Some((now, 0));
            let view = self.world.view();
            let key = |action| view.key(Mode::Global, action);
            let (quit, form) = (key(Action::Quit), key(Action::CreateTab));
            self.warn(format!(
                "the create form holds a draft: {quit} again throws it away, {form} goes back to it"
            ));
            return;
        }
        self.wants.push(Want::Quit);
    }

    pub(super) fn suspend(&mut self) {
        if let Some(panel) = self.panel_mut() {
            panel.hide();
        }
        self.wants.push(Want::Suspend);
    }
}
