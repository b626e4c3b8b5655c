//! What comes of the answer of a screen: overlays open and close, tabs change, effects and errands
//! go out. Part of the app.

use super::{
    App, Asker, Want,
    effect::{Errand, Step, Tab},
    service_request::Effect,
};
use crate::tui::dialogs::Overlay;
impl App {
    /// Does what the screen on top answered.
    pub(super) fn apply(&mut self, step: Step) {
        match step {
            Step::Ignored | Step::Changed => {}
            Step::Close => self.close_asked(),
            Step::Open(overlay) => {
                let question = match &*overlay {
                    Overlay::Test(test) => test.question(),
                    _ => None,
                };
                self.open(*overlay);
                if let Some(question) = question {
                    self.ask(Asker::Overlay(self.next_overlay), question);
                }
            }
            Step::Act(action) => {
                self.close();
                self.act(action);
            }
            Step::Go(tab) => self.go(tab),
            Step::Show(id) => {
                self.tokens.select(id);
                self.tab = Tab::Detail;
                self.show(Some(id));
            }
            Step::Do(effect) => self.ask_from_top(effect),
            Step::Run(Errand::PrintSecret) => self.print(),
            Step::Run(errand) => self.wants.push(Want::Run(errand)),
            Step::Say(text) => self.say(text),
            Step::Warn(text) => self.warn(text),
            Step::Scopes { row, scopes } => self.take_row(row, scopes),
        }
    }

    fn ask_from_top(&mut self, effect: Effect) {
        let asker = match (self.overlays.last(), self.tab) {
            (Some((number, overlay)), _) => {
                let asker = Asker::Overlay(*number);
                // It is being done already: a second Enter must not do it twice.
                if overlay.closes_when_done() && self.asked.contains(&asker) {
                    return;
                }
                asker
            }
            (None, Tab::Create) if self.asked.contains(&Asker::Form) => return,
            (None, Tab::Create) => Asker::Form,
            (None, _) => Asker::App,
        };
        self.ask(asker, effect);
    }
}
