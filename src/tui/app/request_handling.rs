//! Sends requests to the service and handles the responses. Passes each response to the origin of
//! its request, and each change of the store to every screen that shows the changed token. Called by
//! `update`.

use std::collections::HashSet;

use super::{
    App,
    effect::{Effect, OutputAction, Tab},
    event::OutputResult,
    pending_requests::{RequestId, RequestOrigin},
    plan_from_cache::plan_from_cache,
    service_request::{Response, ServiceRequest},
    success_text::success_text,
    undo::UndoEntry,
};
use crate::{
    domain::{Command, NewToken, Plan, TokenId, Warning},
    list::ListResult,
    output::advice,
    service::{CommandResult, IssuedToken, ServiceError, TokenChanges},
    tui::{
        dialogs::{
            Dialog as _,
            plan::{PlanDialog, text::delivery_text},
            regenerate::RegenerateDialog,
            replace_draft::ReplaceDraftDialog,
            secret::SecretPanel,
        },
        screens::create::CreateForm,
    },
};

impl App {
    /// Sends a request of the focused dialog or tab. Plans a preview from the cache if possible.
    pub(super) fn request_for_screen(&mut self, id: RequestId, request: ServiceRequest) {
        let origin = match (self.dialogs.last(), self.tab) {
            (Some(open), _) => RequestOrigin::Dialog(open.id),
            (None, Tab::Create) => RequestOrigin::CreateForm,
            (None, Tab::Tokens | Tab::Detail | Tab::Audit | Tab::Overview) => RequestOrigin::App,
        };
        if let ServiceRequest::Preview(command) = &request
            && let Some(plan) = plan_from_cache(command, &self.model)
        {
            return self.show_plan(origin, plan);
        }
        // The request is already pending: a second Enter must not repeat it.
        if origin != RequestOrigin::App && self.pending.contains(origin) {
            return;
        }
        self.pending.insert(id, origin);
        self.effects.push(Effect::Service(id, request));
    }

    pub(super) fn request(&mut self, origin: RequestOrigin, request: ServiceRequest) {
        let id = RequestId::next();
        self.pending.insert(id, origin);
        self.effects.push(Effect::Service(id, request));
    }

    /// Requests the content that the screen lacks: the rows of the list, the visible tokens, and
    /// the query of the topmost dialog.
    pub(super) fn request_missing(&mut self) {
        if let Some(request) = self.tokens.take_request(self.model.now) {
            self.effects.push(Effect::List(request));
        }
        // Send only one fetch at a time: the response to the first fetch may already contain the
        // tokens that a second fetch would request.
        if !self.pending.contains(RequestOrigin::VisibleTokens) {
            let missing = self.model.missing_tokens(&self.needed_tokens(0));
            if !missing.is_empty() {
                self.request(RequestOrigin::VisibleTokens, ServiceRequest::Fetch(missing));
            }
        }
        self.request_figures();
        if let Some(open) = self.dialogs.last_mut() {
            let query = open.dialog.query();
            if query != open.last_query {
                open.last_query.clone_from(&query);
                let origin = RequestOrigin::Query(open.id);
                if let Some(query) = query {
                    self.request(origin, query);
                }
            }
        }
    }

    /// Requests the figures of the overview and the audit chain, if the tab shows outdated ones.
    fn request_figures(&mut self) {
        if self.tab == Tab::Overview
            && !self.pending.contains(RequestOrigin::Figures)
            && self.overview.take_request(&self.model)
        {
            self.request(RequestOrigin::Figures, ServiceRequest::Overview);
            self.request(RequestOrigin::Figures, ServiceRequest::Trail);
        }
    }

    pub(super) fn handle_store_change(&mut self, changes: TokenChanges) {
        if let TokenChanges::Tokens(changed, _) = &changes {
            let gone = changed.iter().filter(|(_, token)| token.is_none());
            let gone: HashSet<_> = gone.map(|(id, _)| *id).collect();
            self.tokens.retain_marks(|id| !gone.contains(id));
        }
        let ids = self.model.apply_changes(changes);
        self.tokens.refresh();
        self.overview.refresh();
        let shown = self.detail.id();
        let concerned = ids.is_none_or(|ids| shown.is_some_and(|id| ids.contains(&id)));
        if let (true, Some(id)) = (concerned, shown) {
            self.request(RequestOrigin::App, ServiceRequest::History(id));
        }
        if self.tab == Tab::Audit {
            self.request(RequestOrigin::App, ServiceRequest::Trail);
        }
    }

    pub(super) fn handle_list_result(&mut self, mut result: ListResult) {
        self.model.summary = std::mem::take(&mut result.summary);
        self.tokens.deliver(result);
    }

    /// Handles the response to request `id`. A response for a closed dialog goes to the app.
    #[deny(clippy::wildcard_enum_match_arm, reason = "nothing may be ignored in silence")]
    pub(super) fn handle_response(&mut self, id: RequestId, response: Response) {
        let Some(origin) = self.pending.remove(id) else {
            return;
        };
        if let Response::Committed(committed) = &response {
            self.tokens.clear_marks_of(committed.plan.command.tokens());
            self.record_undo(origin, &committed.plan);
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
                self.model.update_tokens(tokens);
                if origin == RequestOrigin::VisibleTokens {
                    self.fetch_nearby();
                }
            }
            Response::History(id, events, days, denied) => {
                self.detail.deliver(id, events, days, denied);
            }
            Response::Trail(trail) => self.audit.deliver(trail, self.model.now),
            Response::Overview(overview) => self.overview.deliver(*overview),
            Response::ClipboardText(label, text) => {
                self.effects.push(Effect::Host(OutputAction::Copy { label, text }));
            }
            Response::Failed(error) => self.handle_failure(origin, &error),
            Response::Planned(plan) => self.show_plan(origin, *plan),
            Response::Committed(committed) => self.show_committed(origin, *committed),
            Response::Template(id, new) => self.fill_form(origin, id, &new),
            // The dialog that sent the request was closed before the response arrived.
            Response::Decided(..) | Response::EntitiesInUse(..) => {}
        }
    }

    /// Prefetches the tokens of one page before and after the visible rows, so that most movements
    /// of the selection find their tokens in the cache. Called when the visible tokens have
    /// arrived.
    fn fetch_nearby(&mut self) {
        let around = self.needed_tokens(1);
        self.model.token_cache.evict(&around);
        let missing = self.model.missing_tokens(&around);
        if !missing.is_empty() {
            self.request(RequestOrigin::NearbyTokens, ServiceRequest::Fetch(missing));
        }
    }

    /// Closes the dialog whose command has finished. Leaves the detail tab if its token was
    /// deleted.
    fn close_finished_dialog(&mut self, origin: RequestOrigin) {
        self.dialogs.retain(|open| origin != RequestOrigin::Dialog(open.id));
        let ctx = &self.model;
        if self.tab == Tab::Detail && self.detail.id().is_some_and(|id| ctx.is_gone(&id)) {
            self.tab = Tab::Tokens;
        }
        // The content of the remaining dialog may be out of date: query it again.
        if let Some(open) = self.dialogs.last_mut() {
            open.last_query = None;
        }
    }

    /// Adds `plan` to the undo history. If `plan` is itself an undo, first removes the entry that
    /// was undone.
    fn record_undo(&mut self, origin: RequestOrigin, plan: &Plan) {
        if origin == RequestOrigin::Undo {
            self.undo_history.pop();
        }
        self.undo_history.extend(UndoEntry::for_plan(plan));
    }

    /// Shows the result of an executed command.
    fn show_committed(&mut self, origin: RequestOrigin, mut committed: CommandResult) {
        self.close_finished_dialog(origin);
        let command = &committed.plan.command;
        let mut tokens = committed.plan.tokens();
        if let (Command::Restore(_), Some(token), None) = (command, tokens.next(), tokens.next()) {
            self.tokens.select(token.id);
        }
        if command.issues_secrets() {
            // Nobody has the secrets that the new ones replace, and nobody needs them.
            self.secrets_to_print.retain(|secret| !command.tokens().contains(&secret.id()));
        }
        // The panel of the secret has already said how it was delivered.
        let is_said = matches!(command, Command::RecordDelivery { .. })
            && !matches!(origin, RequestOrigin::Dialog(_));
        let text = success_text(&committed.plan, self.tab, &self.model).filter(|_| !is_said);
        let unprotected = committed.unprotected.take();
        if let Some(issued) = committed.issued.pop() {
            self.show_issued_secret(origin, issued);
            if let Some(warning) = committed.plan.warnings.iter().find_map(Warning::name_text) {
                self.warn(format!("{warning}."));
            }
        } else if let Some(file) = committed.secret_file {
            // Show the path as a warning. Unlike an info message, a warning stays until a key is
            // pressed, and the operator must read the path.
            let count = committed.plan.changes.len();
            self.warn(delivery_text(count, &file, self.model.is_demo));
        } else if let (Some(error), Some(text)) = (&committed.deferred, &text) {
            self.warn(format!("{text} {}", advice::deferred_sentence(error)));
        } else if let Some(text) = text {
            self.info(text);
        }
        if let Some(error) = unprotected {
            self.warn(format!("{}.", advice::unprotected_warning(&error)));
        }
    }

    fn show_issued_secret(&mut self, origin: RequestOrigin, issued: IssuedToken) {
        if origin == RequestOrigin::CreateForm {
            self.create = CreateForm::new(&self.model);
        }
        let id = issued.token.id;
        self.model.update_tokens([(id, Some(issued.token.clone()))]);
        self.tokens.select(id);
        self.tab = Tab::Detail;
        self.show_token(Some(id));
        self.secrets.push(SecretPanel::new(issued));
    }

    /// Fills the create form with a copy of token `id`. If the form has a draft, only opens a
    /// dialog that asks whether to replace the draft. If the operator agrees, the dialog requests
    /// the template again, and `origin` is then that dialog.
    fn fill_form(&mut self, origin: RequestOrigin, id: TokenId, new: &NewToken) {
        if self.create.is_dirty() && origin == RequestOrigin::App {
            return self.open(Box::new(ReplaceDraftDialog::new(id)));
        }
        self.close_finished_dialog(origin);
        self.create = CreateForm::from_template(new, &self.model);
        self.tab = Tab::Create;
        let name = self.model.token(&id).map_or("the token", |token| token.name.as_str());
        let text = format!("Copied from {name}, with its own new secret.");
        self.info(text);
    }

    /// Shows the plan of a command. If the only token of the command is skipped, shows the reason
    /// instead.
    fn show_plan(&mut self, origin: RequestOrigin, plan: Plan) {
        self.close_finished_dialog(origin);
        let gone: HashSet<_> =
            plan.skipped.iter().filter(|skip| skip.token.is_none()).map(|skip| skip.id).collect();
        self.tokens.retain_marks(|id| !gone.contains(id));
        let ctx = &self.model;
        match (&plan.command, plan.skipped.first()) {
            (command, Some(only)) if command.tokens().len() == 1 => {
                self.warn(plan.require_all().err().unwrap_or(only.reason.clone()).to_string());
            }
            (Command::Regenerate { secret_file: None, .. }, _) => {
                self.open(Box::new(RegenerateDialog::one(&plan, ctx)));
            }
            _ => self.open(Box::new(PlanDialog::new(plan, ctx.is_demo))),
        }
    }

    fn handle_failure(&mut self, origin: RequestOrigin, error: &ServiceError) {
        if matches!(origin, RequestOrigin::VisibleTokens | RequestOrigin::NearbyTokens) {
            self.model.fetch_failed();
        }
        // After a store error, keep the undo entry, because the undo can succeed later. After a
        // refusal, remove the entry, because the service would refuse the undo again.
        if origin == RequestOrigin::Undo && !matches!(error, ServiceError::Store(_)) {
            self.undo_history.pop();
        }
        if let (ServiceError::ChangedMeanwhile { plan, .. }, RequestOrigin::Dialog(_)) =
            (error, origin)
        {
            return self.show_changed_plan(origin, plan, advice::message(error));
        }
        let shown = match self.dialog_mut(origin) {
            Some(dialog) => dialog.show_error(error),
            None => origin == RequestOrigin::CreateForm && self.create.show_error(error),
        };
        if !shown {
            self.warn(advice::message(error));
        }
    }

    /// Replaces the dialog of `origin`, whose plan is out of date because tokens changed. The new
    /// dialog shows the new `plan` and the reason `why`.
    fn show_changed_plan(&mut self, origin: RequestOrigin, plan: &Plan, why: String) {
        let before = self.next_dialog;
        self.show_plan(origin, plan.clone());
        if let (true, Some(open)) = (self.next_dialog > before, self.dialogs.last_mut()) {
            open.dialog.show_fault(why);
        }
    }

    pub(super) fn handle_host_result(&mut self, result: OutputResult) {
        match result {
            OutputResult::Copied(text) => self.info(text),
            OutputResult::Delivered(how, text) => self.record_delivery(how, text),
            OutputResult::Failed(fault) => {
                let saving = self.secrets.last_mut();
                if !saving.is_some_and(|panel| panel.show_fault(fault.clone())) {
                    self.warn(fault);
                }
            }
            OutputResult::NotSuspended => {
                self.warn("Not suspended: there is no shell to resume patdeck.");
            }
        }
    }
}
