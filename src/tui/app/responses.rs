//! What the app asks of the service, and what comes back: responses go to whoever made the
//! request, changes of the store to everything that shows the tokens concerned, and the delivery
//! of a new secret is recorded. Called by `update`.

use std::collections::HashSet;

use super::{
    App,
    done_text::done_text,
    effect::{Effect, HostAction, Tab},
    event::HostResult,
    local_plan::plan_locally,
    pending::{Origin, RequestId},
    service_request::{Response, ServiceRequest},
    undo::UndoEntry,
};
use crate::{
    domain::{Command, Delivery, NewToken, Plan, TokenId},
    list::ListResult,
    output::advice,
    service::{Committed, Followed, Issued, ServiceError},
    tui::{
        dialogs::{
            Dialog as _,
            plan::{PlanDialog, text::delivery_text},
            regenerate::RegenerateDialog,
            replace_draft::ReplaceDraftDialog,
            secret::SecretPanel,
        },
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
        if let ServiceRequest::Preview(command) = &request
            && let Some(plan) = plan_locally(command, &self.model)
        {
            return self.planned(origin, plan);
        }
        // It is being done already: a second Enter must not do it twice.
        if origin != Origin::App && self.pending.contains(origin) {
            return;
        }
        self.pending.insert(id, origin);
        self.effects.push(Effect::Service(id, request));
    }

    pub(super) fn request(&mut self, origin: Origin, request: ServiceRequest) {
        let id = RequestId::next();
        self.pending.insert(id, origin);
        self.effects.push(Effect::Service(id, request));
    }

    /// Asks for what the screen lacks: the rows of the list, the records of the tokens on it, and
    /// what the dialog on top wants to show.
    pub(super) fn request_missing(&mut self) {
        if let Some(question) = self.tokens.question(self.model.now) {
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

    pub(super) fn store_changed(&mut self, changes: Followed) {
        if let Followed::Tokens(changed, _) = &changes {
            let gone = changed.iter().filter(|(_, token)| token.is_none());
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

    pub(super) fn list_result(&mut self, mut listing: ListResult) {
        let first = !self.model.is_loaded();
        self.model.census = std::mem::take(&mut listing.summary);
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
        if let Response::Committed(committed) = &response {
            self.tokens.unmark(committed.plan.command.tokens());
            self.remember(origin, &committed.plan);
        }
        let response = match self.dialog_mut(origin) {
            Some(dialog) => dialog.deliver(response),
            None => Some(response),
        };
        let Some(response) = response else {
            return;
        };
        match response {
            Response::Tokens(tokens) => {
                self.model.take_tokens(tokens);
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
            Response::Planned(plan) => self.planned(origin, *plan),
            Response::Committed(committed) => self.committed(origin, *committed),
            Response::Template(id, new) => self.fill_form(origin, id, &new),
            // The dialog that asked is closed.
            Response::Decided(..) => {}
        }
    }

    /// Asks for a page more on either side, once what is on the screen has come: most moves then
    /// find everything at hand.
    fn fetch_nearby(&mut self) {
        let around = self.looked_at(1);
        self.model.known.evict(&around);
        let missing = self.model.missing(&around);
        if !missing.is_empty() {
            self.request(Origin::NearbyTokens, ServiceRequest::Fetch(missing));
        }
    }

    /// What was asked for is done: the dialog that asked closes, and a token that was deleted is
    /// no longer shown.
    fn close_done(&mut self, origin: Origin) {
        self.dialogs.retain(|open| origin != Origin::Dialog(open.id));
        let ctx = &self.model;
        if self.tab == Tab::Detail && self.detail.id().is_some_and(|id| ctx.is_gone(&id)) {
            self.tab = Tab::Tokens;
        }
        // What a dialog shows may be otherwise now.
        if let Some(open) = self.dialogs.last_mut() {
            open.asked = None;
        }
    }

    /// Keeps how to undo what `plan` did, whichever dialog shows that it is done.
    fn remember(&mut self, origin: Origin, plan: &Plan) {
        if origin == Origin::Undo {
            self.undo_history.pop();
        }
        self.undo_history.extend(UndoEntry::of(plan, &self.model));
    }

    /// A command was executed: what it did is shown.
    fn committed(&mut self, origin: Origin, mut committed: Committed) {
        self.close_done(origin);
        let text = done_text(&committed.plan, &self.model);
        if let Some(issued) = committed.issued.pop() {
            self.issued(origin, issued);
        } else if let Some(file) = committed.secret_file {
            // It stays until it was read.
            self.warn(delivery_text(committed.plan.changes.len(), &file));
        } else if let Some(text) = text {
            self.info(text);
        }
    }

    fn issued(&mut self, origin: Origin, issued: Issued) {
        if origin == Origin::CreateForm {
            self.create = Create::new(&self.model);
        }
        let id = issued.token.id;
        self.model.take_tokens([(id, Some(issued.token.clone()))]);
        self.tokens.select(id);
        self.tab = Tab::Detail;
        self.show(Some(id));
        self.secrets.push(SecretPanel::new(issued));
    }

    /// Fills the form in with what a token like `id` is made of. A draft in it goes only once the
    /// operator has agreed: the dialog that asked is then the origin.
    fn fill_form(&mut self, origin: Origin, id: TokenId, new: &NewToken) {
        if self.create.is_dirty() && origin == Origin::App {
            return self.open(Box::new(ReplaceDraftDialog::new(id)));
        }
        self.close_done(origin);
        self.create = Create::filled(new, &self.model);
        self.tab = Tab::Create;
        self.info("Copied from the other token. The new one gets its own secret.");
    }

    /// Shows what a command would do, or why it would do nothing to the only token it names.
    fn planned(&mut self, origin: Origin, plan: Plan) {
        self.close_done(origin);
        let gone: HashSet<_> =
            plan.left_out.iter().filter(|it| it.token.is_none()).map(|it| it.id).collect();
        self.tokens.keep_marks(|id| !gone.contains(id));
        let ctx = &self.model;
        match (&plan.command, plan.left_out.first()) {
            (command, Some(only)) if command.tokens().len() == 1 => {
                self.warn(only.reason.to_string());
            }
            (Command::Regenerate { secret_file: None, .. }, _) => {
                self.open(Box::new(RegenerateDialog::one(&plan, ctx)));
            }
            _ => self.open(Box::new(PlanDialog::new(plan))),
        }
    }

    fn failed(&mut self, origin: Origin, error: &ServiceError) {
        if matches!(origin, Origin::VisibleTokens | Origin::NearbyTokens) {
            self.model.fetch_failed();
        }
        // A store that failed may take it back later; a rule never will.
        if origin == Origin::Undo && !matches!(error, ServiceError::Store(_)) {
            self.undo_history.pop();
        }
        if let (ServiceError::ChangedMeanwhile { plan, .. }, Origin::Dialog(_)) = (error, origin) {
            return self.plan_again(origin, plan, advice::message(error));
        }
        let shown = match self.dialog_mut(origin) {
            Some(dialog) => dialog.refuse(error),
            None => origin == Origin::CreateForm && self.create.refuse(error),
        };
        if !shown {
            self.warn(advice::message(error));
        }
    }

    /// The plan that a dialog confirmed is not what the command would do any more: it asks again,
    /// about what there is now.
    fn plan_again(&mut self, origin: Origin, plan: &Plan, why: String) {
        let before = self.next_dialog;
        self.planned(origin, plan.clone());
        if let (true, Some(open)) = (self.next_dialog > before, self.dialogs.last_mut()) {
            open.dialog.fail(why);
        }
    }

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
    fn delivered(&mut self, how: Delivery, text: String) {
        let delivery = self.secrets.last_mut().and_then(|panel| panel.claimed(how, Some(text)));
        if let Some(delivery) = delivery {
            self.request(Origin::App, delivery);
        }
    }

    /// Closes what is on top; closing the panel of a secret says that somebody has it.
    pub(super) fn close_delivered(&mut self) {
        let delivery =
            self.secrets.last_mut().and_then(|panel| panel.claimed(Delivery::Acknowledged, None));
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
        let delivery = panel.claimed(Delivery::Printed, None);
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
