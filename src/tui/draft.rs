//! What comes to the create form from elsewhere. Part of the app.

use super::{app::App, screen::Overlay};
use crate::domain::Scope;

impl App {
    /// Takes scopes that a dialog named into the form, in the place of row `row` or as a new
    /// one; the dialog closes, or says why not.
    pub(super) fn take_row(&mut self, row: Option<usize>, scopes: Vec<Scope>) {
        match (self.create.take(row, scopes), self.overlays.last_mut()) {
            (Ok(()), _) => self.close(),
            (Err(fault), Some((_, Overlay::Scopes(dialog)))) => dialog.fail(fault),
            (Err(fault), _) => self.warn(fault),
        }
    }
}
