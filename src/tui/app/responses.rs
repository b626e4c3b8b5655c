//! What the app asks of the service, and what comes back: responses go to whoever made the
//! request, changes of the store to everything that shows the tokens concerned, and the delivery
//! of a new secret is recorded. Called by `update`.

use std::{collections::HashSet, path::Path};

use super::{
    App,
    effect::{Effect, HostAction, Tab},
    event::HostResult,
    pending::{Origin, RequestId},
    service_request::{Response, ServiceRequest},
    undo::UndoEntry,
};
use crate::{
    domain::{Pat, TokenId},
    keymap::{Action, Mode},
    service::{Bulk, Claim, Followed, Issued, NewPat, Preview, ServiceError, Undo},
    tui::{
        dialogs::{
            Dialog as _, bulk::BulkDialog, bulk_text, confirm::ConfirmDialog, secret::SecretPanel,
        },
        listing::Listing,
        screens::create::Create,
    },
};

impl App {
    /// Makes a request that a dialog or tab answered with.
    pub(super) fn request_for_screen(&mut self, id: RequestId, request: ServiceRequest) {
        let origin = match (self.dialogs.last(), self.tab) {
            (Some(open), _) => Origin::Dialog(open.id),
            (None, Tab::Create) => Origin::CreateForm,
            (None, Tab::Tokens | Tab::Detail | Tab::Audit) => Origin::App,
        };
        // It is being done already: a second Enter must not do it twice.
        if origin != Origin::App && self.pending.contains(origin) {
            return;
        }
        self.pending.insert(id, origin);
        self.effects.push(Effect::Service(id, request));
    }

    /// Makes a request of the app itself.
    pub(super) fn request(&mut self, origin: Origin, request: ServiceRequest) {
        let id = RequestId::next();
        self.pending.insert(id, origin);
        self.effects.push(Effect::Service(id, request));
    }

    /// Asks for what the screen lacks: the rows of the list, the records of the tokens on it, and
    /// what the dialog on top wants to show.
    pub(super) fn request_missing(&mut self) {
        if let Some(question) = self.tokens.question(self.model.now()) {
            self.effects.push(Effect::List(question));
        }
        // One fetch at a time: its answer may be what the next one is about.
        if !self.pending.contains(Origin::VisibleTokens) {
            let missing = self.model.missing(&self.looked_at(0));
            if !missing.is_empty() {
                self.request(Origin::VisibleTokens, ServiceRequest::Fetch(missing));
            }
        }
        if let Some(open) = self.dialogs.last_mut() {
            let query = open.dialog.query();
            if query != open.asked {
                open.asked.clone_from(&query);
                let origin = Origin::Query(open.id);
                if let Some(query) = query {
                    self.request(origin, query);
                }
            }
        }
    }

    /// Tokens were changed, by whomever.
    pub(super) fn store_changed(&mut self, changes: Followed) {
        if let Followed::Tokens(changed, _) = &changes {
            let gone = changed.iter().filter(|(_, pat)| pat.is_none());
            let gone: HashSet<_> = gone.map(|(id, _)| *id).collect();
            self.tokens.keep_marks(|id| !gone.contains(id));
        }
        let ids = self.model.follow(changes);
        self.tokens.refresh();
        let shown = self.detail.id();
        let concerned = ids.is_none_or(|ids| shown.is_some_and(|id| ids.contains(&id)));
        if let (true, Some(id)) = (concerned, shown) {
            self.request(Origin::App, ServiceRequest::History(id));
        }
        if self.tab == Tab::Audit {
            self.request(Origin::App, ServiceRequest::Trail);
        }
    }

    pub(super) fn list_result(&mut self, mut listing: Listing) {
        let first = !self.model.is_loaded();
        self.model.take(&mut listing);
        self.tokens.deliver(listing);
        // Its dialogs are one key away, as the banner says; but what the operator has chosen
        // meanwhile stays chosen.
        let untouched = first && self.model.is_loaded() && self.tokens.is_at_the_top();
        if let (true, Some(id)) = (untouched, self.model.first_unclaimed()) {
            self.tokens.select(id);
        }
    }

    /// The service has answered request `id`. A dialog that is closed by now gets nothing.
    pub(super) fn response(&mut self, id: RequestId, response: Response) {
        let Some(origin) = self.pending.remove(id) else {
            return;
        };
        if let Response::Changed(..) = response {
            self.tokens.unmark();
        }
        let response = match self.dialog_mut(origin) {
            Some(dialog) => dialog.deliver(response),
            None => Some(response),
        };
        let Some(response) = response else {
            return;
        };
        match response {
            Response::Pats(pats) => {
                self.model.take_pats(pats);
                if origin == Origin::VisibleTokens {
                    self.fetch_nearby();
                }
            }
            Response::History(id, events) => self.detail.deliver(id, events),
            Response::Trail(trail) => self.audit.deliver(trail),
            Response::Text(what, text) => {
                self.effects.push(Effect::Host(HostAction::Copy { what, text }));
            }
            Response::Failed(error) => self.failed(origin, &error),
            Response::Issued(issued) => self.issued(origin, *issued),
            Response::Done(text, undo) => self.done(origin, text, undo),
            Response::NotUndone(undo, error) => {
                self.undo_history.push(UndoEntry::Undo(undo));
                self.failed(origin, &error.into());
            }
            Response::Likeness(id, new) => self.fill_form(origin, id, &new),
            Response::Previewed(preview) => self.previewed(origin, preview),
            Response::Changed(bulk, count, file) => {
                self.changed(origin, &bulk, count, file.as_deref());
            }
            // The dialog that asked is closed.
            Response::Decided(..) => {}
        }
    }

    /// Asks for a page more on either side, once what is on the screen has come: most moves then
    /// find everything at hand.
    fn fetch_nearby(&mut self) {
        let around = self.looked_at(1);
        self.model.tidy(&around);
        let missing = self.model.missing(&around);
        if !missing.is_empty() {
            self.request(Origin::NearbyTokens, ServiceRequest::Fetch(missing));
        }
    }

    /// What was asked for is done: the dialog that asked closes, and a token that was deleted is
    /// no longer shown.
    fn close_done(&mut self, origin: Origin) {
        self.dialogs.retain(|open| origin != Origin::Dialog(open.id));
        let ctx = self.model.context();
        if self.tab == Tab::Detail && self.detail.id().is_some_and(|id| ctx.is_gone(&id)) {
            self.tab = Tab::Tokens;
        }
        // What a dialog shows may be otherwise now.
        if let Some(open) = self.dialogs.last_mut() {
            open.asked = None;
        }
    }

    fn done(&mut self, origin: Origin, mut text: String, undo: UndoEntry) {
        self.close_done(origin);
        if let UndoEntry::Undo(Undo::Deletion(_)) = undo {
            text = self.deleted_text(&text);
        }
        self.undo_history.push(undo);
        if !text.is_empty() {
            self.info(text);
        }
    }

    fn issued(&mut self, origin: Origin, issued: Issued) {
        self.close_done(origin);
        if origin == Origin::CreateForm {
            self.create = Create::new(&self.model.context());
        }
        let Pat { id, name, .. } = &issued.pat;
        self.undo_history.push(UndoEntry::Irreversible(if origin == Origin::CreateForm {
            let delete = self.model.context().key(Mode::Tokens, Action::Delete);
            format!("{name} was created: {delete} deletes it")
        } else {
            format!("the secret that {name} had before stays dead: nothing leads back to it")
        }));
        let id = *id;
        self.model.take_pats([(id, Some(issued.pat.clone()))]);
        self.tokens.select(id);
        self.tab = Tab::Detail;
        self.show(Some(id));
        self.secrets.push(SecretPanel::new(issued));
    }

    /// Fills the form in with what a token like `id` is made of. A draft in it goes only once the
    /// operator has agreed: the dialog that asked is then the origin.
    fn fill_form(&mut self, origin: Origin, id: TokenId, new: &NewPat) {
        if self.create.is_dirty() && origin == Origin::App {
            return self.open(Box::new(ConfirmDialog::replace_draft(id)));
        }
        self.close_done(origin);
        self.create = Create::filled(new, &self.model.context());
        self.tab = Tab::Create;
        self.info("filled in like the other token; the secret will be a new one");
    }

    fn previewed(&mut self, origin: Origin, preview: Preview) {
        self.close_done(origin);
        // Those that are not among them are gone.
        let there: HashSet<_> = preview.candidates.iter().map(|it| it.id).collect();
        self.tokens.keep_marks(|id| there.contains(id));
        let dialog = BulkDialog::new(preview, &self.model.context());
        self.open(Box::new(dialog));
    }

    /// Many tokens were changed. Where new secrets went is said until it was read.
    fn changed(&mut self, origin: Origin, bulk: &Bulk, count: usize, file: Option<&Path>) {
        self.close_done(origin);
        if let Some(file) = file {
            return self.warn(bulk_text::delivery_text(count, file));
        }
        let done = bulk_text::done(bulk, count);
        let gone = matches!(bulk, Bulk::Delete);
        self.info(if gone { self.deleted_text(&done) } else { done });
    }

    /// What is said of a delete, with the key that leads back.
    fn deleted_text(&self, done: &str) -> String {
        let undo = self.model.context().key(Mode::Tokens, Action::Undo);
        format!("{done}: {undo} undoes it for 24 hours")
    }

    fn failed(&mut self, origin: Origin, error: &ServiceError) {
        if matches!(origin, Origin::VisibleTokens | Origin::NearbyTokens) {
            self.model.fetch_failed();
        }
        let shown = match self.dialog_mut(origin) {
            Some(dialog) => dialog.refuse(error),
            None => origin == Origin::CreateForm && self.create.refuse(error),
        };
        if !shown {
            self.warn(error.to_string());
        }
    }

    /// Something on this host was done, or not.
    pub(super) fn host_result(&mut self, result: HostResult) {
        match result {
            HostResult::Copied(text) => self.info(text),
            HostResult::Delivered(how, text) => self.delivered(how, text),
            HostResult::Failed(fault) => {
                let saving = self.secrets.last_mut();
                if !saving.is_some_and(|panel| panel.fail(fault.clone())) {
                    self.warn(fault);
                }
            }
            HostResult::NotSuspended => {
                self.warn("there is no shell to come back from: patdeck was not suspended");
            }
        }
    }

    /// The secret was handed over. Its panel says where it went: that is where the operator looks.
    fn delivered(&mut self, how: Claim, text: String) {
        let delivery = self.secrets.last_mut().and_then(|panel| panel.claimed(how, Some(text)));
        if let Some(delivery) = delivery {
            self.request(Origin::App, delivery);
        }
    }

    /// Closes what is on top; closing the panel of a secret says that somebody has it.
    pub(super) fn close_delivered(&mut self) {
        let delivery =
            self.secrets.last_mut().and_then(|panel| panel.claimed(Claim::Acknowledged, None));
        self.close();
        if let Some(delivery) = delivery {
            self.request(Origin::App, delivery);
        }
    }

    /// Keeps the secret on the screen until the program ends.
    pub(super) fn print_secret(&mut self) {
        let Some(mut panel) = self.secrets.pop() else {
            return;
        };
        let delivery = panel.claimed(Claim::Printed, None);
        let id = panel.id();
        // Regenerated again in this session: only the newest secret works.
        self.printed.retain(|secret| secret.id() != id);
        self.printed.push(panel.into_secret());
        self.effects.push(Effect::WipeScreen);
        if let Some(delivery) = delivery {
            self.request(Origin::App, delivery);
        }
        self.info("the secret is printed when patdeck ends");
    }
}
