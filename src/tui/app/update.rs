//! Event handling of the app: looks up the key, passes the action to the focused dialog or tab, and
//! runs the UI effects that the dialog or tab returns. All other effects are collected for the
//! event loop.

use ratatui::crossterm::event::{KeyCode, KeyEvent};

use super::{
    App, OpenDialog,
    effect::{Effect, OutputAction, Tab, UiChange},
    event::AppEvent,
    pending_requests::RequestOrigin,
    service_request::ServiceRequest,
    top_dialog_mut,
};
use crate::{
    domain::{Command, Secret, TokenId, grouped},
    keymap::{Action, Key, KeyResolution, Mode},
    output::advice,
    service::HookSelection,
    tui::{
        dialogs::{
            Dialog, help::HelpDialog, message_log::MessageLogDialog, palette::PaletteDialog,
            secret::SecretPanel,
        },
        terminal::input::{MouseInput, TerminalInput},
        widgets::{hit_map::SyntheticInput, text_input::MAX_CHARS},
    },
};

/// Why the demo refuses to write a secret to a file.
pub(super) const NO_FILE_IN_DEMO: &str = "The demo writes no file.";

impl App {
    /// Handles an event. Returns the effects that the event loop must run.
    pub fn update(&mut self, event: AppEvent) -> Vec<Effect> {
        if !matches!(event, AppEvent::FrameDrawn) {
            self.tick();
        }
        let is_input = matches!(event, AppEvent::Input(_));
        match event {
            AppEvent::Input(input) => self.handle_input(input),
            AppEvent::Response(id, response) => self.handle_response(id, *response),
            AppEvent::StoreChanged(changes) => self.handle_store_change(changes),
            AppEvent::ListResult(result) => self.handle_list_result(*result),
            AppEvent::ListFailed(error) => {
                self.tokens.stop_waiting();
                self.warn(advice::message(&error));
            }
            AppEvent::HooksFailed(summary) => {
                for warning in advice::hook_warnings(&summary, HookSelection::New) {
                    self.warn(warning.to_string());
                }
            }
            AppEvent::ChangeReadFailed(error) => self.warn(advice::message(&error)),
            AppEvent::ServiceUnresponsive => {
                self.warn("The store does not respond. Another process may hold its lock.");
            }
            AppEvent::HostResult(result) => self.handle_host_result(result),
            AppEvent::FrameDrawn | AppEvent::Tick => {}
        }
        if is_input {
            self.delay_detail();
        }
        self.follow_selection();
        self.request_missing();
        self.model.has_draft = self.create.is_dirty();
        self.model.hidden_marks = self.tokens.hidden_marks();
        self.model.has_scope_changes = self.detail.unapplied(&self.model).is_some();
        self.model.shown_secrets = self.secrets.iter().map(SecretPanel::id).collect();
        self.model.secrets_to_print = self.secrets_to_print.iter().map(Secret::id).collect();
        std::mem::take(&mut self.effects)
    }

    /// Updates the current time and everything that depends on it.
    fn tick(&mut self) {
        if self.model.tick() {
            self.tokens.refresh();
            self.overview.refresh();
        }
        let elapsed = self.model.elapsed;
        self.messages.tick(elapsed);
        self.end_detail_delay();
        self.secrets.iter_mut().for_each(|panel| panel.tick(elapsed));
    }

    /// Shows a secret again that was hidden because no key was pressed. Returns `false` if no
    /// secret was hidden.
    fn wake_secret(&mut self) -> bool {
        let elapsed = self.model.elapsed;
        self.secrets.last_mut().is_some_and(|panel| panel.on_input(elapsed))
    }

    fn handle_input(&mut self, input: TerminalInput) {
        match input {
            TerminalInput::Key(key) => self.handle_key(key),
            TerminalInput::Paste(text) => self.handle_paste(&text),
            TerminalInput::Mouse(mouse) => self.handle_mouse(mouse),
            TerminalInput::Resize(..) => {}
            TerminalInput::Closed => self.effects.push(Effect::Quit),
        }
    }

    fn handle_key(&mut self, event: KeyEvent) {
        self.messages.dismiss();
        let mode = self.mode();
        // The key that shows a hidden secret does nothing else, unless it works everywhere.
        let is_woken = self.wake_secret();
        let everywhere = self.model.keymap.resolve(Mode::Always, &[Key::from(event)]);
        if is_woken && everywhere == KeyResolution::Unbound {
            return;
        }
        let prefixed = !self.pending_keys.is_empty();
        self.pending_keys.push(Key::from(event));
        match self.model.keymap.resolve(mode, &self.pending_keys) {
            KeyResolution::Prefix => return,
            KeyResolution::Action(action) => self.run_action(action),
            // The key does not continue the sequence: it does what it does on its own. On a secret,
            // a mistyped key could close the panel.
            KeyResolution::Unbound
                if prefixed && event.code != KeyCode::Esc && mode != Mode::Secret =>
            {
                self.pending_keys.clear();
                return self.handle_key(event);
            }
            KeyResolution::Unbound if !prefixed && mode.takes_text() => self.handle_text(event),
            KeyResolution::Unbound => self.explain_key(mode, Key::from(event)),
        }
        self.pending_keys.clear();
    }

    /// Says where a key works that does nothing here.
    fn explain_key(&mut self, mode: Mode, key: Key) {
        if let Some(other) = self.model.keymap.other_screen(mode, key) {
            let label = key.label(self.model.theme.is_ascii());
            self.warn(format!("{label} works {}.", other.place()));
        }
    }

    fn handle_text(&mut self, key: KeyEvent) {
        match (top_dialog_mut(&mut self.secrets, &mut self.dialogs), self.tab) {
            (Some(dialog), _) => dialog.text(key),
            (None, Tab::Tokens) => self.tokens.text(key),
            (None, Tab::Create) => self.create.text(key),
            (None, Tab::Audit) => self.audit.text(key),
            (None, Tab::Detail | Tab::Overview) => {}
        }
    }

    fn handle_paste(&mut self, text: &str) {
        let is_accepted = match (top_dialog_mut(&mut self.secrets, &mut self.dialogs), self.tab) {
            (Some(dialog), _) => dialog.paste(text),
            (None, Tab::Tokens) => self.tokens.paste(text),
            (None, Tab::Create) => self.create.paste(text),
            (None, Tab::Audit) => self.audit.paste(text),
            (None, Tab::Detail | Tab::Overview) => false,
        };
        if !is_accepted {
            self.warn("Paste ignored: there is no text field here, or the text must be typed");
        } else if text.len() > MAX_CHARS {
            let (all, kept) = (text.chars().count(), MAX_CHARS);
            if all > kept {
                let (all, kept) = (grouped(all), grouped(kept));
                self.warn(format!("Only the first {kept} of {all} pasted characters fit."));
            }
        }
    }

    /// Handles a click or a wheel movement. Finds the regions of the last frame at the position of
    /// the mouse. Focuses the form field and runs the actions that are registered there.
    fn handle_mouse(&mut self, mouse: MouseInput) {
        self.messages.dismiss();
        self.pending_keys.clear();
        if self.wake_secret() {
            return;
        }
        let hit_map = &self.model.hit_map;
        let (field, inputs) = match mouse {
            MouseInput::Click(at) => (hit_map.field_at(at), hit_map.click_at(at)),
            MouseInput::Wheel { at, down } => (None, hit_map.scroll_at(at, down)),
        };
        match (field, top_dialog_mut(&mut self.secrets, &mut self.dialogs)) {
            (Some(field), Some(dialog)) => dialog.focus_field(field),
            (Some(field), None) => self.create.focus_field(field),
            (None, _) => {}
        }
        for (input, times) in inputs {
            for _ in 0..times {
                match input {
                    SyntheticInput::Act(action) => self.run_action(action),
                    SyntheticInput::Key(code) => self.handle_text(KeyEvent::from(code)),
                }
            }
        }
    }

    fn run_action(&mut self, action: Action) {
        // The interrupt key and the quit key count repeated presses. Any other action resets the
        // count.
        if action != Action::Interrupt {
            self.interrupt_presses = None;
        }
        if action != Action::Quit {
            self.draft_warned_at = None;
        }
        match action {
            Action::Interrupt => return self.interrupt(),
            Action::Redraw => return self.effects.push(Effect::Repaint),
            Action::Suspend => return self.suspend(),
            Action::CopyCommand => return self.copy_command(),
            Action::Help => {
                return self.open(Box::new(HelpDialog::new(self.palette_commands(), self.mode())));
            }
            _ => {}
        }
        if self.model.read_only && action.changes_store() {
            return self.warn("Read-only mode: nothing can be changed");
        }
        let ctx = &self.model;
        let effect = match top_dialog_mut(&mut self.secrets, &mut self.dialogs) {
            Some(dialog) => dialog.update(action, ctx),
            None => return self.run_tab_action(action),
        };
        self.run_effects(effect);
    }

    fn run_tab_action(&mut self, action: Action) {
        match action {
            Action::Quit => self.quit(),
            Action::Palette => self.open(Box::new(PaletteDialog::new(self.palette_commands()))),
            Action::Messages => {
                self.open(Box::new(MessageLogDialog::new(self.messages.messages())));
            }
            Action::TokensTab => self.go_to(Tab::Tokens),
            Action::CreateTab => self.go_to(Tab::Create),
            Action::DetailTab => self.go_to(Tab::Detail),
            Action::AuditTab => self.go_to(Tab::Audit),
            Action::OverviewTab => self.go_to(Tab::Overview),
            Action::GoToLostSecret => self.go_to_lost_secret(),
            Action::Back if self.lost_secret_line(u16::MAX).is_some() => {
                self.model.dismiss_undelivered();
            }
            Action::NextTab => self.go_to(self.neighbour_tab(true)),
            Action::PreviousTab => self.go_to(self.neighbour_tab(false)),
            Action::AcceptClock => {
                if self.model.summary.clock_behind.is_some() {
                    let request = ServiceRequest::Preview(Command::AcceptClock);
                    self.request(RequestOrigin::App, request);
                }
            }
            Action::Undo => self.undo(),
            Action::Times => {
                self.model.time_format = self.model.time_format.next();
                self.info(format!("Times are shown {}.", self.model.time_format.as_str()));
            }
            _ => {
                let ctx = &self.model;
                let effect = match self.tab {
                    Tab::Tokens => self.tokens.update(action, ctx),
                    Tab::Create => self.create.update(action, ctx),
                    Tab::Detail => self.detail.update(action, ctx),
                    Tab::Audit => self.audit.update(action, ctx),
                    Tab::Overview => self.overview.update(action),
                };
                self.run_effects(effect);
            }
        }
    }

    /// Runs the UI effects and sends the requests of a screen. Passes all other effects to the
    /// event loop.
    #[deny(clippy::wildcard_enum_match_arm, reason = "nothing may be ignored in silence")]
    fn run_effects(&mut self, effect: impl IntoIterator<Item = Effect>) {
        for effect in effect {
            match effect {
                Effect::Ui(action) => self.run_ui_action(action),
                Effect::Service(id, request) => self.request_for_screen(id, request),
                Effect::Host(OutputAction::WriteSecret(_)) if self.model.is_demo => {
                    self.warn(NO_FILE_IN_DEMO);
                }
                Effect::List(_)
                | Effect::Host(_)
                | Effect::Suspend
                | Effect::Repaint
                | Effect::WipeScreen
                | Effect::Quit => self.effects.push(effect),
            }
        }
    }

    pub fn run_ui_action(&mut self, action: UiChange) {
        match action {
            UiChange::Close => self.close_delivered(),
            UiChange::Cancel(text) => {
                self.close();
                self.info(text);
            }
            UiChange::Open(dialog) => self.open(dialog),
            UiChange::Run(action) => {
                self.close();
                self.run_action(action);
            }
            UiChange::GoTo(tab) => self.go_to(tab),
            UiChange::LeaveDetail => self.go_to(self.detail_returns_to),
            UiChange::ShowToken(id) => {
                self.tokens.select(id);
                self.detail_returns_to = match self.tab {
                    Tab::Audit | Tab::Overview => self.tab,
                    Tab::Tokens | Tab::Create | Tab::Detail => Tab::Tokens,
                };
                self.tab = Tab::Detail;
                self.show_token(Some(id));
            }
            UiChange::ShowList { status, search } => {
                self.tokens.show_filtered(status, &search);
                self.go_to(Tab::Tokens);
            }
            UiChange::TypeTerm(start) => self.type_term(start),
            UiChange::Info(text) => self.info(text),
            UiChange::Warn(text) => self.warn(text),
            UiChange::FillScopes { row, scopes } => self.fill_scopes(row, scopes),
            UiChange::AddToChanges(scopes) => self.add_to_changes(&scopes),
        }
    }

    /// Shows an info message for a few seconds.
    pub(super) fn info(&mut self, text: impl AsRef<str>) {
        self.messages.info(text.as_ref(), self.model.now, self.model.elapsed);
    }

    /// Shows a warning until a key is pressed.
    pub(super) fn warn(&mut self, text: impl AsRef<str>) {
        self.messages.warn(text.as_ref(), self.model.now);
    }

    fn go_to(&mut self, tab: Tab) {
        self.follow_selection_now();
        match (self.tab, tab) {
            (Tab::Create, Tab::Create) => {}
            (Tab::Create, _) => self.leave_create_form(),
            (_, Tab::Create) => self.enter_create_form(),
            _ => {}
        }
        self.tab = tab;
        self.detail_returns_to = Tab::Tokens;
        match tab {
            Tab::Audit => self.request(RequestOrigin::App, ServiceRequest::Trail),
            Tab::Detail => self.show_token(self.detail.id().or(self.tokens.selected())),
            Tab::Overview => self.overview.refresh(),
            Tab::Tokens | Tab::Create => {}
        }
    }

    pub(super) fn show_token(&mut self, id: Option<TokenId>) {
        self.detail.show(id);
        if let Some(id) = id {
            self.request(RequestOrigin::App, ServiceRequest::History(id));
        }
    }

    pub(super) fn open(&mut self, dialog: Box<dyn Dialog>) {
        self.next_dialog += 1;
        self.dialogs.push(OpenDialog { id: self.next_dialog, dialog, last_query: None });
    }

    /// Closes the topmost panel or dialog. The secret of a closed panel is erased from the screen,
    /// and kept only if it is printed when the app quits.
    pub(super) fn close(&mut self) {
        match self.secrets.last_mut().map(SecretPanel::close_save_dialog) {
            Some(true) => {}
            Some(false) => {
                self.effects.push(Effect::WipeScreen);
                let secret = self.secrets.pop().and_then(SecretPanel::into_secret_to_print);
                if let Some(secret) = secret {
                    self.secrets_to_print.push(secret);
                    self.info("The secret will be printed when patdeck exits.");
                }
            }
            None => {
                self.dialogs.pop();
            }
        }
    }

    fn copy_command(&mut self) {
        match self.cli_equivalent() {
            Some(equivalent) => {
                let text = equivalent.to_string();
                self.effects.push(Effect::Host(OutputAction::Copy { label: "command", text }));
            }
            None if self.enables(Action::CopyCommand) => {
                self.warn("No equivalent command yet: fill in the missing fields.");
            }
            None => {}
        }
    }

    /// Hides all secrets and suspends the process.
    fn suspend(&mut self) {
        self.secrets.iter_mut().for_each(SecretPanel::hide);
        self.effects.push(Effect::Suspend);
    }
}
