//! The app: four tabs, what lies over them, and what they share. Turns what happens into steps
//! of screens and steps into wants of the loop; draws. Does no I/O of its own.

use std::collections::VecDeque;

use chrono::TimeDelta;
use ratatui::crossterm::event::KeyEvent;

use super::{
    effect::Effect,
    input::Input,
    listing::Question,
    screen::{Overlay, audit::Audit, create::Create, detail::Detail, help::Help, tokens::Tokens},
    step::{Errand, Step, Tab},
    world::World,
};
use crate::{
    domain::{Moment, Secret, TokenId},
    keymap::{Action, Key, Mode, Resolved},
};

/// How long a good word stands.
const TOAST: TimeDelta = TimeDelta::seconds(4);
/// Within which a second press quits.
const AGAIN: TimeDelta = TimeDelta::milliseconds(1_500);

/// What the app wants done that it cannot do itself.
#[derive(Debug)]
pub enum Want {
    /// Ask the service.
    Ask(Effect),
    /// Ask what the list shows.
    List(Question),
    /// Do something on this machine.
    Run(Errand),
    /// Paint everything again.
    Repaint,
    /// A secret has left the screen: wipe every trace of it, then paint everything again.
    Forget,
    /// Stop until the shell continues us.
    Suspend,
    /// End.
    Quit,
}

/// Who asked the service: its answer goes there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asker {
    /// The app itself.
    App,
    /// The app, for the tokens that are looked at.
    Fetch,
    /// The create form.
    Form,
    /// The overlay with this number.
    Overlay(u64),
}

#[derive(Debug)]
struct Toast {
    text: String,
    bad: bool,
    until: Option<Moment>,
}

/// The whole app.
#[derive(Debug)]
pub struct App {
    pub(super) world: World,
    pub(super) who: String,
    pub(super) tab: Tab,
    pub(super) tokens: Tokens,
    pub(super) create: Create,
    pub(super) detail: Detail,
    pub(super) audit: Audit,
    pub(super) overlays: Vec<(u64, Overlay)>,
    pub(super) pressed: Vec<Key>,
    /// Whether list and detail stand side by side; the last drawing says.
    pub(super) wide: bool,
    next_overlay: u64,
    pub(super) asked: VecDeque<Asker>,
    toast: Option<Toast>,
    quitting: Option<(Moment, u8)>,
    pub(super) printed: Vec<Secret>,
    pub(super) wants: Vec<Want>,
}

impl App {
    /// An app that asks for the tokens first; `who` is told on the top line.
    pub fn new(world: World, who: String) -> Self {
        let create = Create::new(&world.view());
        Self {
            world,
            who,
            tab: Tab::default(),
            tokens: Tokens::default(),
            create,
            detail: Detail::default(),
            audit: Audit::default(),
            overlays: Vec::new(),
            pressed: Vec::new(),
            wide: false,
            next_overlay: 0,
            asked: VecDeque::new(),
            toast: None,
            quitting: None,
            printed: Vec::new(),
            wants: Vec::new(),
        }
    }

    /// The secrets to print after the program has ended.
    pub fn take_printed(&mut self) -> Vec<Secret> {
        std::mem::take(&mut self.printed)
    }

    /// The instant at which something changes by itself.
    pub fn deadline(&self) -> Moment {
        let next = self.world.next_change();
        self.toast.as_ref().and_then(|toast| toast.until).map_or(next, |until| until.min(next))
    }

    /// The instant of the present turn.
    pub fn world_now(&self) -> Moment {
        self.world.now()
    }

    /// The present instant is now: what depends on it is looked at again.
    pub fn tick(&mut self) {
        if self.world.tick() {
            self.tokens.refresh();
        }
        let now = self.world.now();
        if self.toast.as_ref().is_some_and(|toast| toast.until.is_some_and(|until| until <= now)) {
            self.toast = None;
        }
    }

    /// What the line that speaks says: a word and whether it is a bad one.
    pub(super) fn said(&self) -> Option<(&str, bool)> {
        self.toast.as_ref().map(|toast| (toast.text.as_str(), toast.bad))
    }

    /// Says something good for a moment.
    pub fn say(&mut self, text: impl Into<String>) {
        let until = Some(self.world.now() + TOAST);
        self.toast = Some(Toast { text: text.into(), bad: false, until });
    }

    /// Says what is wrong, until a key is pressed.
    pub fn warn(&mut self, text: impl Into<String>) {
        self.toast = Some(Toast { text: text.into(), bad: true, until: None });
    }

    /// In which mode keys are looked up.
    pub(super) fn mode(&self) -> Mode {
        match (self.overlays.last(), self.tab) {
            (Some((_, overlay)), _) => overlay.mode(),
            (None, Tab::Tokens) => self.tokens.mode(),
            (None, Tab::Create) => self.create.mode(),
            (None, Tab::Detail) => Mode::Detail,
            (None, Tab::Audit) => Mode::Audit,
        }
    }

    /// Whether `action` has something to do now.
    pub(super) fn enables(&self, action: Action) -> bool {
        let view = self.world.view();
        match (self.overlays.is_empty(), self.tab) {
            (false, _) | (true, Tab::Audit) => true,
            (true, Tab::Tokens) => self.tokens.enables(action, &view),
            (true, Tab::Create) => self.create.enables(action),
            (true, Tab::Detail) => self.detail.enables(action, &view),
        }
    }

    /// Takes what the operator does.
    pub fn input(&mut self, input: Input) {
        self.tick();
        match input {
            Input::Key(key) => self.key(key),
            Input::Paste(text) => self.paste(&text),
            Input::Resize(..) => {}
            Input::Gone => self.wants.push(Want::Quit),
        }
        self.follow_selection();
    }

    fn key(&mut self, event: KeyEvent) {
        self.toast = None;
        let mode = self.mode();
        let prefixed = !self.pressed.is_empty();
        self.pressed.push(Key::from(event));
        match self.world.view().keymap.resolve(mode, &self.pressed) {
            Resolved::Prefix => return,
            Resolved::Act(action) => self.act(action),
            Resolved::Nothing if prefixed => {}
            Resolved::Nothing if mode.takes_text() => self.text(event),
            Resolved::Nothing => {}
        }
        self.pressed.clear();
    }

    fn paste(&mut self, text: &str) {
        let taken = match (self.overlays.last_mut(), self.tab) {
            (Some((_, overlay)), _) => overlay.paste(text),
            (None, Tab::Tokens) => self.tokens.paste(text),
            (None, Tab::Create) => self.create.paste(text),
            (None, Tab::Detail | Tab::Audit) => false,
        };
        // A pasted entity is a new question, as a typed one is.
        if let (true, Some((number, Overlay::Test(test)))) = (taken, self.overlays.last())
            && let Some(question) = test.question()
        {
            self.ask(Asker::Overlay(*number), question);
        }
        if !taken {
            self.warn("nothing was pasted: this is no text field, or one that must be typed");
        }
    }

    fn text(&mut self, key: KeyEvent) {
        let view = self.world.view();
        let step = match (self.overlays.last_mut(), self.tab) {
            (Some((_, overlay)), _) => overlay.on_text(key, &view),
            (None, Tab::Tokens) => self.tokens.on_text(key),
            (None, Tab::Create) => self.create.on_text(key, &view),
            (None, Tab::Detail | Tab::Audit) => Step::Ignored,
        };
        self.apply(step);
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Interrupt => return self.interrupt(),
            Action::Redraw => return self.wants.push(Want::Repaint),
            Action::Suspend => return self.suspend(),
            _ => {}
        }
        let view = self.world.view();
        if let Some((_, overlay)) = self.overlays.last_mut() {
            let step = overlay.on(action, &view);
            return self.apply(step);
        }
        match action {
            Action::Quit => self.quit(),
            Action::Help => self.help(),
            Action::TokensTab => self.go(Tab::Tokens),
            Action::CreateTab => self.go(Tab::Create),
            Action::DetailTab => self.go(Tab::Detail),
            Action::AuditTab => self.go(Tab::Audit),
            Action::NextTab => self.go(self.beside(1)),
            Action::PreviousTab => self.go(self.beside(Tab::ALL.len() - 1)),
            Action::AcceptClock if self.world.is_clock_behind() => {
                self.ask(Asker::App, Effect::AcceptClock);
            }
            Action::AcceptClock => {}
            Action::Times => {
                self.world.times = self.world.times.next();
                self.say(format!("times are {}", self.world.times.word()));
            }
            _ => {
                let step = match self.tab {
                    Tab::Tokens => self.tokens.on(action, &view),
                    Tab::Create => self.create.on(action, &view),
                    Tab::Detail => self.detail.on(action, &view),
                    Tab::Audit => self.audit.on(action, &view),
                };
                self.apply(step);
            }
        }
    }

    fn beside(&self, by: usize) -> Tab {
        let at = Tab::ALL.iter().position(|tab| *tab == self.tab).unwrap_or(0);
        Tab::ALL.get((at + by) % Tab::ALL.len()).copied().unwrap_or_default()
    }

    fn help(&mut self) {
        let help = Help::new(self.mode(), |action| self.enables(action), &self.world.view());
        self.open(Overlay::Help(help));
    }

    /// The first press cancels what is on top, the second quits; a secret that nobody has yet
    /// takes a third.
    fn interrupt(&mut self) {
        let now = self.world.now();
        let presses = match self.quitting {
            Some((at, presses)) if now - at <= AGAIN => presses + 1,
            _ => 1,
        };
        self.quitting = Some((now, presses));
        let guarded = self.has_unclaimed_secret();
        if presses > 2 || (presses == 2 && !guarded) {
            return self.wants.push(Want::Quit);
        }
        if guarded {
            return self.warn("the secret would be lost: Ctrl-C a third time quits all the same");
        }
        self.pressed.clear();
        if !self.overlays.is_empty() {
            self.close();
        }
        self.say("cancelled: Ctrl-C once more quits");
    }

    fn quit(&mut self) {
        let now = self.world.now();
        let again = self.quitting.is_some_and(|(at, _)| now - at <= AGAIN * 2);
        if self.create.is_dirty() && !again {
            self.quitting = Some((now, 0));
            self.warn("the create form holds a draft: q again throws it away, 2 goes back to it");
            return;
        }
        self.wants.push(Want::Quit);
    }

    fn suspend(&mut self) {
        if let Some(panel) = self.panel_mut() {
            panel.hide();
        }
        self.wants.push(Want::Suspend);
    }

    fn go(&mut self, tab: Tab) {
        self.tab = tab;
        match tab {
            Tab::Audit => self.ask(Asker::App, Effect::Trail),
            Tab::Detail => self.show(self.detail.id().or(self.tokens.selected())),
            Tab::Tokens | Tab::Create => {}
        }
    }

    pub(super) fn show(&mut self, id: Option<TokenId>) {
        self.detail.show(id);
        if let Some(id) = id {
            self.ask(Asker::App, Effect::History(id));
        }
    }

    /// Beside the list, the detail shows what the list selects.
    pub(super) fn follow_selection(&mut self) {
        let selected = self.tokens.selected();
        if self.wide && self.tab == Tab::Tokens && self.detail.id() != selected {
            self.show(selected);
        }
    }

    pub(super) fn open(&mut self, overlay: Overlay) {
        self.next_overlay += 1;
        self.overlays.push((self.next_overlay, overlay));
    }

    /// Closes the topmost overlay; a secret that was on it is forgotten everywhere.
    pub(super) fn close(&mut self) {
        if let Some((_, Overlay::Secret(_))) = self.overlays.pop() {
            self.wants.push(Want::Forget);
        }
    }

    pub(super) fn ask(&mut self, asker: Asker, effect: Effect) {
        self.asked.push_back(asker);
        self.wants.push(Want::Ask(effect));
    }

    /// Does what the screen on top answered.
    fn apply(&mut self, step: Step) {
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

    fn take_row(&mut self, row: Option<usize>, scopes: Vec<crate::domain::Scope>) {
        match (self.create.take(row, scopes), self.overlays.last_mut()) {
            (Ok(()), _) => self.close(),
            (Err(fault), Some((_, Overlay::Scopes(dialog)))) => dialog.fail(fault),
            (Err(fault), _) => self.warn(fault),
        }
    }
}
