//! What the app wants of others and still waits for: answers of the service, the rows of the
//! list, and the records of the tokens that are looked at. Part of the app; called by the loop.

use super::{
    app::{App, Asker, Want},
    effect::Effect,
};

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
        let wanted = |pages| {
            let others = self.detail.id().into_iter().chain(self.world.first_unclaimed());
            self.tokens.wanted(pages).into_iter().chain(others).collect::<Vec<_>>()
        };
        if self.world.missing(&wanted(0)).is_empty() {
            return;
        }
        // A page more on either side, so that most moves find everything at hand.
        let wanted = wanted(1);
        self.world.tidy(&wanted);
        self.ask(Asker::Fetch, Effect::Fetch(self.world.missing(&wanted)));
    }

    /// Whether an answer is still to come without which the screen is not right.
    pub fn is_waiting(&self) -> bool {
        !self.asked.is_empty() || self.tokens.awaits_rows()
    }

    /// Whether anything is still to come that was asked for.
    pub fn is_busy(&self) -> bool {
        self.is_waiting() || self.tokens.awaits_more()
    }
}
