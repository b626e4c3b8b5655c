//! How the app answers an event: it looks up the key, passes the action to the dialog or tab that
//! has the keys, and performs the effects that it returns. Effects on the world outside are
//! collected for the event loop.

use chrono::TimeDelta;
use ratatui::crossterm::event::KeyEvent;

use super::{
    App, OpenDialog,
    effect::{Effect, HostAction, Tab, UiAction},
    event::AppEvent,
    pending::Origin,
    service_request::ServiceRequest,
    topmost,
    undo::UndoEntry,
};
use crate::{
    domain::{Command, RestoreTarget, Scope, TokenId},
    keymap::{Action, Key, Mode, Resolved},
    output::advice,
    tui::{
        dialogs::{
            Dialog, help::HelpDialog, messages::MessagesDialog, palette::PaletteDialog,
            secret::SecretPanel,
        },
        terminal::input::{Input, Mouse},
        widgets::hit_map::SyntheticInput,
    },
};

/// Within which a second Ctrl-C quits.
const AGAIN: TimeDelta = TimeDelta::milliseconds(1_500);

impl App {
    /// Takes what happened; what is to be done about it.
    pub fn update(&mut self, event: AppEvent) -> Vec<Effect> {
        if !matches!(event, AppEvent::Drawn) {
            self.tick();
        }
        match event {
            AppEvent::Input(input) => self.input(input),
            AppEvent::Response(id, response) => self.response(id, *response),
            AppEvent::StoreChanged(changes) => self.store_changed(changes),
            AppEvent::ListResult(listing) => self.list_result(*listing),
            AppEvent::ListFailed(error) => {
                self.tokens.give_up();
                self.warn(advice::message(&error));
            }
            AppEvent::FollowFailed(error) => self.warn(advice::message(&error)),
            AppEvent::ServiceSilent => {
                self.warn("the store does not answer: another process may hold it");
            }
            AppEvent::HostResult(result) => self.host_result(result),
            AppEvent::Drawn | AppEvent::Tick => {}
        }
        self.follow_selection();
        self.request_missing();
        std::mem::take(&mut self.effects)
    }

    /// The present instant is now: what depends on it is looked at again.
    fn tick(&mut self) {
        if self.model.tick() {
            self.tokens.refresh();
        }
        self.messages.tick(self.model.now);
    }

    fn input(&mut self, input: Input) {
        match input {
            Input::Key(key) => self.key(key),
            Input::Paste(text) => self.paste(&text),
            Input::Mouse(mouse) => self.mouse(mouse),
            Input::Resize(..) => {}
            Input::Gone => self.effects.push(Effect::Quit),
        }
    }

    fn key(&mut self, event: KeyEvent) {
        self.messages.dismiss();
        let mode = self.mode();
        let prefixed = !self.pressed.is_empty();
        self.pressed.push(Key::from(event));
        match self.model.keymap.resolve(mode, &self.pressed) {
            Resolved::Prefix => return,
            Resolved::Act(action) => self.act(action),
            Resolved::Nothing if !prefixed && mode.takes_text() => self.text(event),
            Resolved::Nothing => {}
        }
        self.pressed.clear();
    }

    fn text(&mut self, key: KeyEvent) {
        match (topmost(&mut self.secrets, &mut self.dialogs), self.tab) {
            (Some(dialog), _) => dialog.text(key),
            (None, Tab::Tokens) => self.tokens.text(key),
            (None, Tab::Create) => self.create.text(key),
            (None, Tab::Detail | Tab::Audit) => {}
        }
    }

    fn paste(&mut self, text: &str) {
        let taken = match (topmost(&mut self.secrets, &mut self.dialogs), self.tab) {
            (Some(dialog), _) => dialog.paste(text),
            (None, Tab::Tokens) => self.tokens.paste(text),
            (None, Tab::Create) => self.create.paste(text),
            (None, Tab::Detail | Tab::Audit) => false,
        };
        if !taken {
            self.warn("nothing was pasted: this is no text field, or one that must be typed");
        }
    }

    /// Does what the last frame says that a click or the wheel means here.
    fn mouse(&mut self, mouse: Mouse) {
        self.messages.dismiss();
        self.pressed.clear();
        let hit_map = &self.model.hit_map;
        let (field, inputs) = match mouse {
            Mouse::Click(at) => (hit_map.field_at(at), hit_map.click_at(at)),
            Mouse::Wheel { at, down } => (None, hit_map.scroll_at(at, down)),
        };
        match (field, topmost(&mut self.secrets, &mut self.dialogs)) {
            (Some(field), Some(dialog)) => dialog.focus_field(field),
            (Some(field), None) => self.create.focus_field(field),
            (None, _) => {}
        }
        for (input, times) in inputs {
            for _ in 0..times {
                match input {
                    SyntheticInput::Act(action) => self.act(action),
                    SyntheticInput::Key(code) => self.text(KeyEvent::from(code)),
                }
            }
        }
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Interrupt => return self.interrupt(),
            Action::Redraw => return self.effects.push(Effect::Repaint),
            Action::Suspend => return self.suspend(),
            Action::CopyCommand => return self.copy_command(),
            _ => {}
        }
        if self.model.read_only && action.changes() {
            return self.warn("patdeck runs read-only: nothing can be changed");
        }
        let ctx = &self.model;
        let effect = match topmost(&mut self.secrets, &mut self.dialogs) {
            Some(dialog) => dialog.update(action, ctx),
            None => return self.act_on_tab(action),
        };
        self.perform(effect);
    }

    fn act_on_tab(&mut self, action: Action) {
        match action {
            Action::Quit => self.quit(),
            Action::Help => self.open(Box::new(HelpDialog::new(self.commands()))),
            Action::Palette => self.open(Box::new(PaletteDialog::new(self.commands()))),
            Action::Messages => self.open(Box::new(MessagesDialog::new(self.messages.messages()))),
            Action::TokensTab => self.go_to(Tab::Tokens),
            Action::CreateTab => self.go_to(Tab::Create),
            Action::DetailTab => self.go_to(Tab::Detail),
            Action::AuditTab => self.go_to(Tab::Audit),
            Action::NextTab => self.go_to(self.neighbour_tab(true)),
            Action::PreviousTab => self.go_to(self.neighbour_tab(false)),
            Action::AcceptClock => {
                if self.model.census.clock_behind.is_some() {
                    let request = ServiceRequest::execute(Command::AcceptClock);
                    self.request(Origin::App, request);
                }
            }
            Action::Undo => self.undo(),
            Action::Times => {
                self.model.times = self.model.times.next();
                self.info(format!("times are {}", self.model.times.as_str()));
            }
            _ => {
                let ctx = &self.model;
                let effect = match self.tab {
                    Tab::Tokens => self.tokens.update(action, ctx),
                    Tab::Create => self.create.update(action, ctx),
                    Tab::Detail => self.detail.update(action, ctx),
                    Tab::Audit => self.audit.update(action, ctx),
                };
                self.perform(effect);
            }
        }
    }

    /// Undoes the last command of this run, or the operator's last deletion before it.
    fn undo(&mut self) {
        if self.pending.contains(Origin::Undo) {
            return;
        }
        match self.undo_history.last() {
            Some(UndoEntry::Undo(command)) => {
                let request = ServiceRequest::execute(command.clone());
                self.request(Origin::Undo, request);
            }
            Some(UndoEntry::Irreversible(why)) => {
                let why = why.clone();
                self.undo_history.pop();
                self.warn(why);
            }
            None => {
                let last = Command::Restore(RestoreTarget::LastDeletion);
                self.request(Origin::App, ServiceRequest::execute(last));
            }
        }
    }

    /// Performs what a screen answered, as far as it is for the app; passes on the rest.
    fn perform(&mut self, effect: impl IntoIterator<Item = Effect>) {
        for effect in effect {
            match effect {
                Effect::Ui(action) => self.change_ui(action),
                Effect::Service(id, request) => self.request_for_screen(id, request),
                Effect::List(_)
                | Effect::Host(_)
                | Effect::Suspend
                | Effect::Repaint
                | Effect::WipeScreen
                | Effect::Quit => self.effects.push(effect),
            }
        }
    }

    pub fn change_ui(&mut self, action: UiAction) {
        match action {
            UiAction::Close => self.close_delivered(),
            UiAction::Open(dialog) => self.open(dialog),
            UiAction::Run(action) => {
                self.close();
                self.act(action);
            }
            UiAction::GoTo(tab) => self.go_to(tab),
            UiAction::Show(id) => {
                self.tokens.select(id);
                self.tab = Tab::Detail;
                self.show(Some(id));
            }
            UiAction::Info(text) => self.info(text),
            UiAction::Warn(text) => self.warn(text),
            UiAction::FillScopes { row, scopes } => self.fill_scopes(row, scopes),
            UiAction::PrintSecret => self.print_secret(),
        }
    }

    /// Says that something went well, for a moment.
    pub(super) fn info(&mut self, text: impl AsRef<str>) {
        self.messages.info(text.as_ref(), self.model.now);
    }

    /// Says what is wrong, until a key is pressed.
    pub(super) fn warn(&mut self, text: impl AsRef<str>) {
        self.messages.warn(text.as_ref(), self.model.now);
    }

    fn go_to(&mut self, tab: Tab) {
        self.tab = tab;
        match tab {
            Tab::Audit => self.request(Origin::App, ServiceRequest::Trail),
            Tab::Detail => self.show(self.detail.id().or(self.tokens.selected())),
            Tab::Tokens | Tab::Create => {}
        }
    }

    pub(super) fn show(&mut self, id: Option<TokenId>) {
        self.detail.show(id);
        if let Some(id) = id {
            self.request(Origin::App, ServiceRequest::History(id));
        }
    }

    /// Beside the list, the detail shows what the list selects.
    pub(super) fn follow_selection(&mut self) {
        let selected = self.tokens.selected();
        if self.wide && self.tab == Tab::Tokens && self.detail.id() != selected {
            self.show(selected);
        }
    }

    pub(super) fn open(&mut self, dialog: Box<dyn Dialog>) {
        self.next_dialog += 1;
        self.dialogs.push(OpenDialog { id: self.next_dialog, dialog, asked: None });
    }

    /// Closes what is on top; a secret that was on it is forgotten everywhere.
    pub(super) fn close(&mut self) {
        match self.secrets.last_mut().map(SecretPanel::close_inner) {
            Some(true) => {}
            Some(false) => {
                self.secrets.pop();
                self.effects.push(Effect::WipeScreen);
            }
            None => {
                self.dialogs.pop();
            }
        }
    }

    /// Takes scopes that a dialog named into the create form; the dialog closes, or says why not.
    fn fill_scopes(&mut self, row: Option<usize>, scopes: Vec<Scope>) {
        match self.create.take(row, scopes) {
            Ok(()) => self.close(),
            Err(fault) => {
                let top = topmost(&mut self.secrets, &mut self.dialogs);
                if !top.is_some_and(|dialog| dialog.fail(fault.clone())) {
                    self.warn(fault);
                }
            }
        }
    }

    fn copy_command(&mut self) {
        match self.cli_equivalent() {
            Some(equivalent) => {
                let text = equivalent.to_string();
                self.effects.push(Effect::Host(HostAction::Copy { what: "command", text }));
            }
            None if self.top().is_none() && self.tab == Tab::Audit => {
                self.warn("the command line filters the trail by token only: clear the rest first");
            }
            None if self.enables(Action::CopyCommand) => {
                self.warn("there is no command for this as it stands: fill in what is missing");
            }
            None => {}
        }
    }

    /// The first press cancels what is on top, the second quits; a secret that nobody has yet
    /// takes a third.
    fn interrupt(&mut self) {
        let now = self.model.now;
        let presses = match self.quitting {
            Some((at, presses)) if now - at <= AGAIN => presses + 1,
            _ => 1,
        };
        self.quitting = Some((now, presses));
        let guarded = self.has_undelivered_secret();
        if presses > 2 || (presses == 2 && !guarded) {
            return self.effects.push(Effect::Quit);
        }
        if guarded {
            return self.warn("the secret would be lost: Ctrl-C a third time quits all the same");
        }
        self.pressed.clear();
        self.close();
        self.info("cancelled: Ctrl-C once more quits");
    }

    /// Quits; asks once more where a draft would be lost.
    fn quit(&mut self) {
        let now = self.model.now;
        let again = self.quitting.is_some_and(|(at, _)| now - at <= AGAIN * 2);
        if !self.create.is_dirty() || again {
            return self.effects.push(Effect::Quit);
        }
        self.quitting = Some((now, 0));
        let ctx = &self.model;
        let key = |action| ctx.key(Mode::Global, action);
        let (quit, form) = (key(Action::Quit), key(Action::CreateTab));
        self.warn(format!(
            "the create form holds a draft: {quit} again throws it away, {form} goes back to it"
        ));
    }

    /// Hides what is secret and gives the shell back.
    fn suspend(&mut self) {
        self.secrets.iter_mut().for_each(SecretPanel::hide);
        self.effects.push(Effect::Suspend);
    }
}
