//! The secret on the screen: who may hold it, how it is handed over, and that it leaves the
//! screen only once somebody has it. Part of the app; the panel itself is a screen.

use super::{App, Asker, Want};
use crate::{
    domain::Secret,
    service::Claim,
    tui::dialogs::{Overlay, secret::SecretPanel},
};

impl App {
    pub(super) fn has_unclaimed_secret(&self) -> bool {
        self.panel().is_some_and(SecretPanel::is_unclaimed)
    }

    /// Closing the panel of a secret says that somebody has it.
    pub(super) fn close_asked(&mut self) {
        // Not so a dialog that lies over the panel: leaving that one says nothing.
        let claim = match self.overlays.last_mut() {
            Some((_, Overlay::Secret(panel))) => panel.claimed(Claim::Acknowledged, None),
            _ => None,
        };
        self.close();
        if let Some(claim) = claim {
            self.ask(Asker::App, claim);
        }
    }

    /// The panel of a new secret, if one is open.
    fn panel(&self) -> Option<&SecretPanel> {
        self.overlays.iter().find_map(|(_, overlay)| match overlay {
            Overlay::Secret(panel) => Some(panel),
            _ => None,
        })
    }

    pub(super) fn panel_mut(&mut self) -> Option<&mut SecretPanel> {
        self.overlays.iter_mut().find_map(|(_, overlay)| match overlay {
            Overlay::Secret(panel) => Some(panel),
            _ => None,
        })
    }

    /// The secret on the screen, for an errand.
    pub fn secret(&self) -> Option<&Secret> {
        self.panel().map(SecretPanel::secret)
    }

    /// An errand handed the secret over: it is claimed, and `word` says how.
    pub fn handed_over(&mut self, how: Claim, word: String) {
        if how == Claim::Written && matches!(self.overlays.last(), Some((_, Overlay::Write(_)))) {
            self.close();
        }
        // The panel itself says where the secret went: that is where the operator looks.
        let claim = self.panel_mut().and_then(|panel| panel.claimed(how, Some(word)));
        if let Some(claim) = claim {
            self.ask(Asker::App, claim);
        }
    }

    /// An errand failed: its dialog says so, or the line that speaks.
    pub fn errand_failed(&mut self, fault: String) {
        match self.overlays.last_mut() {
            Some((_, Overlay::Write(dialog))) => dialog.fail(fault),
            _ => self.warn(fault),
        }
    }

    pub(super) fn print(&mut self) {
        let Some((_, Overlay::Secret(mut panel))) = self.overlays.pop() else {
            return;
        };
        let claim = panel.claimed(Claim::Printed, None);
        let id = panel.id();
        // Regenerated again in this session: only the newest secret works.
        self.printed.retain(|secret| secret.id() != id);
        self.printed.push(panel.into_secret());
        self.wants.push(Want::Forget);
        if let Some(claim) = claim {
            self.ask(Asker::App, claim);
        }
        self.say("the secret is printed when patdeck ends");
    }
}
