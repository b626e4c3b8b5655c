//! What comes back from the service: replies go to whoever asked, news to everything that shows
//! the tokens concerned. Part of the app.

use std::{collections::HashSet, path::PathBuf};

use super::{
    app::{App, Asker, Want},
    effect::{Effect, Outcome},
    screen::{Overlay, bulk::BulkDialog, bulk_words, create::Create, secret::SecretPanel},
    step::{Errand, Tab},
    undo::Back,
    worker::Report,
};
use crate::{
    domain::Pat,
    keymap::{Action, Mode},
    output::advice,
    service::{Bulk, Followed, Issued, ServiceError, Undo},
};

impl App {
    /// Takes what the worker tells.
    pub fn report(&mut self, report: Report) {
        self.tick();
        match report {
            Report::News(news) => {
                if let Followed::Tokens(changed, _) = &news {
                    let gone = changed.iter().filter(|(_, pat)| pat.is_none());
                    let gone: HashSet<_> = gone.map(|(id, _)| *id).collect();
                    self.tokens.keep_marks(|id| !gone.contains(id));
                }
                let changed = self.world.follow(news);
                self.tokens.refresh();
                let shown = self.detail.id();
                let concerned = changed.is_none_or(|ids| shown.is_some_and(|id| ids.contains(&id)));
                if let (true, Some(id)) = (concerned, shown) {
                    self.ask(Asker::App, Effect::History(id));
                }
                if self.tab == Tab::Audit {
                    self.ask(Asker::App, Effect::Trail);
                }
            }
            Report::Listing(mut listing) => {
                let first = !self.world.is_loaded();
                self.world.take(&mut listing);
                self.tokens.deliver(*listing);
                // Its dialogs are one key away, as the banner says; but what the operator has
                // chosen meanwhile stays chosen.
                let untouched = first && self.world.is_loaded() && self.tokens.is_at_the_top();
                if let (true, Some(id)) = (untouched, self.world.first_unclaimed()) {
                    self.tokens.select(id);
                }
            }
            Report::Unlisted(error) => {
                self.tokens.give_up();
                self.warn(advice::message(&error));
            }
            Report::Reply(outcome) => {
                let asker = self.asked.pop_front().unwrap_or(Asker::App);
                self.reply(asker, *outcome);
            }
        }
        self.follow_selection();
    }

    fn reply(&mut self, asker: Asker, outcome: Outcome) {
        match outcome {
            Outcome::Pats(pats) => {
                self.world.take_pats(pats);
                if asker == Asker::Fetch {
                    self.fetch_ahead();
                }
            }
            Outcome::History(id, events) => self.detail.deliver(id, events),
            Outcome::Trail(trail) => self.audit.deliver(trail),
            Outcome::Text(what, text) => self.wants.push(Want::Run(Errand::Copy { what, text })),
            Outcome::Failed(error) => self.failed(asker, error),
            Outcome::Issued(issued) => self.issued(asker, *issued),
            Outcome::Done(mut text, back) => {
                self.done(asker);
                if let Back::By(Undo::Deletion(_)) = back {
                    text = self.deleted(&text);
                }
                self.remember(back);
                if !text.is_empty() {
                    self.say(text);
                }
            }
            Outcome::NotUndone(undo, error) => {
                self.remember(Back::By(undo));
                self.failed(asker, error.into());
            }
            Outcome::Likeness(id, new) => self.fill(asker, id, &new),
            Outcome::Previewed(preview) => {
                self.done(asker);
                // Those that are not among them are gone.
                let there: HashSet<_> = preview.candidates.iter().map(|it| it.id).collect();
                self.tokens.keep_marks(|id| there.contains(id));
                let dialog = BulkDialog::new(preview, &self.world.view());
                self.open(Overlay::Bulk(dialog));
            }
            Outcome::Changed(bulk, count, file) => self.changed(asker, &bulk, count, file),
            Outcome::Decided(id, request, decision) => {
                if let Some(overlay) = self.overlay_of(asker) {
                    overlay.deliver(Outcome::Decided(id, request, decision));
                }
            }
        }
    }

    fn overlay_of(&mut self, asker: Asker) -> Option<&mut Overlay> {
        let Asker::Overlay(number) = asker else {
            return None;
        };
        self.overlays.iter_mut().find(|(each, _)| *each == number).map(|(_, overlay)| overlay)
    }

    /// What was asked for is done: the dialog that asked closes, and a token that was deleted
    /// is no longer shown.
    pub(super) fn done(&mut self, asker: Asker) {
        if self.overlay_of(asker).is_some_and(|overlay| overlay.closes_when_done()) {
            self.overlays.retain(|(number, _)| asker != Asker::Overlay(*number));
        }
        let view = self.world.view();
        if self.tab == Tab::Detail && self.detail.id().is_some_and(|id| view.is_gone(&id)) {
            self.tab = Tab::Tokens;
        }
        // A request that lacked a scope is decided anew once the scope may be there.
        if let Some((number, Overlay::Test(test))) = self.overlays.last()
            && let Some(question) = test.question()
        {
            self.ask(Asker::Overlay(*number), question);
        }
    }

    fn issued(&mut self, asker: Asker, issued: Issued) {
        self.done(asker);
        if asker == Asker::Form {
            self.create = Create::new(&self.world.view());
        }
        let Pat { id, name, .. } = &issued.pat;
        self.remember(Back::Closed(if asker == Asker::Form {
            let delete = self.world.view().key(Mode::Tokens, Action::Delete);
            format!("{name} was created: {delete} deletes it")
        } else {
            format!("the secret that {name} had before stays dead: nothing leads back to it")
        }));
        let id = *id;
        self.world.take_pats([(id, Some(issued.pat.clone()))]);
        self.tokens.select(id);
        self.tab = Tab::Detail;
        self.show(Some(id));
        self.open(Overlay::Secret(SecretPanel::new(issued)));
    }

    /// Many tokens were changed. Where new secrets went must be read before it is gone.
    fn changed(&mut self, asker: Asker, bulk: &Bulk, count: usize, file: Option<PathBuf>) {
        self.tokens.unmark();
        let told = file.map(|file| bulk_words::handed_out(count, &file));
        if let (Some(told), Some(Overlay::Bulk(dialog))) = (&told, self.overlay_of(asker)) {
            dialog.finish(told.clone());
            return;
        }
        self.done(asker);
        if let Some(told) = told {
            self.warn(told);
            return;
        }
        let done = bulk_words::done(bulk, count);
        let gone = matches!(bulk, Bulk::Delete);
        self.say(if gone { self.deleted(&done) } else { done });
    }

    /// What is said of a delete, with the key that leads back.
    fn deleted(&self, done: &str) -> String {
        let undo = self.world.view().key(Mode::Tokens, Action::Undo);
        format!("{done}: {undo} undoes it for 24 hours")
    }

    fn failed(&mut self, asker: Asker, error: ServiceError) {
        if matches!(asker, Asker::Fetch | Asker::Ahead) {
            self.world.stuck();
        }
        let left = match (asker, self.overlay_of(asker)) {
            (_, Some(overlay)) => overlay.refuse(error),
            (Asker::Form, None) => self.create.refuse(error),
            (_, None) => Some(error),
        };
        if let Some(error) = left {
            self.warn(advice::message(&error));
        }
    }
}
