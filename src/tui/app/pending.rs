//! What the app wants of others and still waits for: answers of the service, the rows of the
//! list, and the records of the tokens that are looked at. Part of the app; called by the loop.

use super::{App, Asker, Want, service_request::Effect};
use crate::domain::TokenId;

impl App {
    /// What it wants done, oldest first; asked once.
    pub fn take_wants(&mut self) -> Vec<Want> {
        if let Some(question) = self.tokens.question(self.world.now()) {
            self.wants.push(Want::List(question));
        }
        self.fetch();
        std::mem::take(&mut self.wants)
    }

    /// Asks for the tokens that are looked at and not at hand.
    fn fetch(&mut self) {
        // One fetch at a time: its answer may be what the next one is about.
        if self.asked.contains(&Asker::Fetch) {
            return;
        }
        let missing = self.world.missing(&self.looked_at(0));
        if !missing.is_empty() {
            self.ask(Asker::Fetch, Effect::Fetch(missing));
        }
    }

    /// Asks for a page more on either side, once what is on the screen has come: most moves then
    /// find everything at hand.
    pub(super) fn fetch_ahead(&mut self) {
        let around = self.looked_at(1);
        self.world.tidy(&around);
        let missing = self.world.missing(&around);
        if !missing.is_empty() {
            self.ask(Asker::Ahead, Effect::Fetch(missing));
        }
    }

    fn looked_at(&self, pages: usize) -> Vec<TokenId> {
        let others = self.detail.id().into_iter().chain(self.world.first_unclaimed());
        self.tokens.wanted(pages).into_iter().chain(others).collect()
    }

    /// Whether an answer is still to come without which the screen is not right.
    pub fn is_waiting(&self) -> bool {
        self.asked.iter().any(|asker| *asker != Asker::Ahead) || self.tokens.awaits_rows()
    }

    /// Whether anything is still to come that was asked for.
    pub fn is_busy(&self) -> bool {
        !self.asked.is_empty() || self.tokens.awaits_more()
    }
}
