//! What comes back from the service: replies go to whoever asked, news to everything that shows
//! the tokens concerned. Part of the app.

use super::{
    app::{App, Asker, Want},
    effect::{Effect, Outcome},
    screen::{Overlay, create::Create, secret::SecretPanel},
    step::{Errand, Tab},
    undo::Back,
    worker::Report,
};
use crate::{
    domain::Pat,
    service::{Issued, ServiceError},
};

impl App {
    /// Takes what the worker tells.
    pub fn report(&mut self, report: Report) {
        self.tick();
        match report {
            Report::News(news) => {
                let changed = self.world.follow(news);
                self.tokens.refresh(&self.world.view());
                let shown = self.detail.id();
                let concerned = changed.is_none_or(|ids| shown.is_some_and(|id| ids.contains(&id)));
                if let (true, Some(id)) = (concerned, shown) {
                    self.ask(Asker::App, Effect::History(id));
                }
                if self.tab == Tab::Audit {
                    self.ask(Asker::App, Effect::Trail);
                }
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
            Outcome::Loaded(loaded) => {
                self.world.load(loaded);
                let left = self.world.first_unclaimed();
                match left {
                    // Its dialogs are one key away, as the banner says.
                    Some(id) => self.tokens.select(id, &self.world.view()),
                    None => self.tokens.refresh(&self.world.view()),
                }
            }
            Outcome::History(id, events) => self.detail.deliver(id, events),
            Outcome::Trail(trail) => self.audit.deliver(trail),
            Outcome::Text(what, text) => self.wants.push(Want::Run(Errand::Copy { what, text })),
            Outcome::Failed(error) => self.failed(asker, error),
            Outcome::Issued(issued) => self.issued(asker, *issued),
            Outcome::Done(text, back) => {
                self.done(asker);
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
        if self.tab == Tab::Detail && self.detail.id().is_some_and(|id| view.pat(&id).is_none()) {
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
            format!("{name} was created: D deletes it")
        } else {
            format!("the secret that {name} had before stays dead: nothing leads back to it")
        }));
        let id = *id;
        self.tokens.select(id, &self.world.view());
        self.tab = Tab::Detail;
        self.show(Some(id));
        self.open(Overlay::Secret(SecretPanel::new(issued)));
    }

    fn failed(&mut self, asker: Asker, error: ServiceError) {
        let left = match (asker, self.overlay_of(asker)) {
            (_, Some(overlay)) => overlay.refuse(error),
            (Asker::Form, None) => self.create.refuse(error),
            (_, None) => Some(error),
        };
        if let Some(error) = left {
            self.warn(error.to_string());
        }
    }
}
