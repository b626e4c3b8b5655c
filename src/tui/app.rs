//! The app: four tabs, what lies over them, and what they share. Turns what happens into steps
//! of screens and steps into wants of the loop; draws. Does no I/O of its own.

use std::collections::VecDeque;

use ratatui::crossterm::event::KeyEvent;

use super::{
    effect::Effect,
    input::Input,
    screen::{
        Overlay, audit::Audit, create::Create, detail::Detail, help::Help, messages::Messages,
        palette::Palette, tokens::Tokens,
    },
    step::{Errand, Step, Tab},
    twin::{self, Twin},
    undo::Back,
    voice::{Message, Voice},
    world::World,
};
use crate::{
    domain::{Moment, Secret, TokenId},
    keymap::{Action, Command, Key, Mode, Resolved, commands},
    list::ListRequest,
};

/// What the app wants done that it cannot do itself.
#[derive(Debug)]
pub enum Want {
    /// Ask the service.
    Ask(Effect),
    /// Ask what the list shows.
    List(ListRequest),
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
    /// The app, for those around them.
    Ahead,
    /// The create form.
    Form,
    /// The overlay with this number.
    Overlay(u64),
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
    /// The options that name the store and the settings, for command lines that do the same.
    pub(super) options: Vec<(&'static str, String)>,
    pub(super) next_overlay: u64,
    pub(super) asked: VecDeque<Asker>,
    pub(super) voice: Voice,
    pub(super) quitting: Option<(Moment, u8)>,
    pub(super) past: Vec<Back>,
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
            options: Vec::new(),
            next_overlay: 0,
            asked: VecDeque::new(),
            voice: Voice::default(),
            quitting: None,
            past: Vec::new(),
            printed: Vec::new(),
            wants: Vec::new(),
        }
    }

    /// The same app, whose command lines name the store and the settings by these options.
    pub fn with_options(mut self, options: Vec<(&'static str, String)>) -> Self {
        self.options = options;
        self
    }

    /// The secrets to print after the program has ended.
    pub fn take_printed(&mut self) -> Vec<Secret> {
        std::mem::take(&mut self.printed)
    }

    /// The instant at which something changes by itself.
    pub fn deadline(&self) -> Moment {
        let next = self.world.next_change();
        self.voice.until().map_or(next, |until| until.min(next))
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
        self.voice.tick(self.world.now());
    }

    /// What the line that speaks says.
    pub(super) fn said(&self) -> Option<&Message> {
        self.voice.said()
    }

    /// Says something good for a moment.
    pub fn say(&mut self, text: impl AsRef<str>) {
        self.voice.say(text.as_ref(), self.world.now());
    }

    /// Says what is wrong, until a key is pressed.
    pub fn warn(&mut self, text: impl AsRef<str>) {
        self.voice.warn(text.as_ref(), self.world.now());
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
        if view.read_only && action.changes() {
            return false;
        }
        match (self.overlays.is_empty(), self.tab) {
            (false, _) => self.overlays.last().is_none_or(|(_, top)| top.enables(action)),
            (true, Tab::Audit) => true,
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
            Input::Mouse(mouse) => self.point(mouse),
            Input::Resize(..) => {}
            Input::Gone => self.wants.push(Want::Quit),
        }
        self.follow_selection();
    }

    fn key(&mut self, event: KeyEvent) {
        self.voice.hush();
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

    pub(super) fn text(&mut self, key: KeyEvent) {
        let view = self.world.view();
        let step = match (self.overlays.last_mut(), self.tab) {
            (Some((_, overlay)), _) => overlay.on_text(key, &view),
            (None, Tab::Tokens) => self.tokens.on_text(key),
            (None, Tab::Create) => self.create.on_text(key, &view),
            (None, Tab::Detail | Tab::Audit) => Step::Ignored,
        };
        self.apply(step);
    }

    pub(super) fn act(&mut self, action: Action) {
        match action {
            Action::Interrupt => return self.interrupt(),
            Action::Redraw => return self.wants.push(Want::Repaint),
            Action::Suspend => return self.suspend(),
            Action::CopyCommand => return self.copy_command(),
            _ => {}
        }
        if self.world.read_only && action.changes() {
            return self.warn("patdeck runs read-only: nothing can be changed");
        }
        let view = self.world.view();
        if let Some((_, overlay)) = self.overlays.last_mut() {
            let step = overlay.on(action, &view);
            return self.apply(step);
        }
        match action {
            Action::Quit => self.quit(),
            Action::Help => self.open(Overlay::Help(Help::new(self.commands()))),
            Action::Palette => self.open(Overlay::Palette(Palette::new(self.commands()))),
            Action::Messages => {
                self.open(Overlay::Messages(Messages::new(self.voice.messages())));
            }
            Action::TokensTab => self.go(Tab::Tokens),
            Action::CreateTab => self.go(Tab::Create),
            Action::DetailTab => self.go(Tab::Detail),
            Action::AuditTab => self.go(Tab::Audit),
            Action::NextTab => self.go(self.beside(true)),
            Action::PreviousTab => self.go(self.beside(false)),
            Action::AcceptClock if self.world.is_clock_behind() => {
                self.ask(Asker::App, Effect::AcceptClock);
            }
            Action::AcceptClock => {}
            Action::Undo => self.undo(),
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

    /// The tab after this one, or the one before it.
    fn beside(&self, forward: bool) -> Tab {
        let tabs = self.world.view().tabs();
        let at = tabs.iter().position(|tab| *tab == self.tab).unwrap_or(0);
        let by = if forward { 1 } else { tabs.len().saturating_sub(1) };
        tabs.get((at + by) % tabs.len().max(1)).copied().unwrap_or_default()
    }

    /// The command line that does what the screen on top would do, or shows what it shows.
    pub(super) fn twin(&self) -> Option<Twin> {
        let view = self.world.view();
        let twin = match (self.overlays.last(), self.tab) {
            (Some((_, overlay)), _) => twin::of(&overlay.effect(&view)?, &view),
            (None, Tab::Tokens) => Some(twin::of_list(self.tokens.query())),
            (None, Tab::Create) => twin::of(&self.create.effect(&view)?, &view),
            (None, Tab::Detail) => view.pat(&self.detail.id()?).map(twin::of_token),
            (None, Tab::Audit) => self.audit.token().map(twin::of_trail),
        };
        twin.map(|twin| twin.with(&self.options))
    }

    fn copy_command(&mut self) {
        match self.twin() {
            Some(twin) => {
                let text = twin.to_string();
                self.wants.push(Want::Run(Errand::Copy { what: "command", text }));
            }
            None if self.overlays.is_empty() && self.tab == Tab::Audit => {
                self.warn("the command line filters the trail by token only: clear the rest first");
            }
            None if self.enables(Action::CopyCommand) => {
                self.warn("there is no command for this as it stands: fill in what is missing");
            }
            None => {}
        }
    }

    /// What can be run here, or elsewhere.
    fn commands(&self) -> Vec<Command> {
        let view = self.world.view();
        let enabled = |action| self.enables(action);
        let mut all = commands(view.keymap, self.mode(), enabled, view.look.is_ascii());
        // A list of commands that offers itself leads nowhere.
        all.retain(|command| !matches!(command.action, Action::Help | Action::Palette));
        all.retain(|command| !(view.read_only && command.action.changes()));
        all
    }

    pub(super) fn go(&mut self, tab: Tab) {
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
}
