//! What comes to the create form from elsewhere. Part of the app.

use super::{App, Asker, effect::Tab};
use crate::{
    domain::{Scope, TokenId},
    service::NewPat,
    tui::{
        dialogs::{Overlay, confirm::Ask},
        screens::create::Create,
    },
};

impl App {
    /// Fills the form in with what a token like `id` is made of. A draft in it goes only once
    /// the operator has agreed: `asker` is then the dialog that asked.
    pub(super) fn fill(&mut self, asker: Asker, id: TokenId, new: &NewPat) {
        if self.create.is_dirty() && asker == Asker::App {
            return self.open(Overlay::Ask(Ask::replace_draft(id)));
        }
        self.done(asker);
        self.create = Create::filled(new, &self.world.view());
        self.tab = Tab::Create;
        self.say("filled in like the other token; the secret will be a new one");
    }

    /// Takes scopes that a dialog named into the form, in the place of row `row` or as a new
    /// one; the dialog closes, or says why not.
    pub(super) fn take_row(&mut self, row: Option<usize>, scopes: Vec<Scope>) {
        match (self.create.take(row, scopes), self.overlays.last_mut()) {
            (Ok(()), _) => self.close(),
            (Err(fault), Some((_, Overlay::Scopes(dialog)))) => dialog.fail(fault),
            (Err(fault), Some((_, Overlay::Preset(dialog)))) => dialog.fail(fault),
            (Err(fault), _) => self.warn(fault),
        }
    }
}
