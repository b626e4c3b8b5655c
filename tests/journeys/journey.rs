//! The test harness: one operator at one terminal. It waits for responses instead of sleeping. A
//! failed expectation prints the screen.

use std::{path::PathBuf, rc::Rc, sync::mpsc::Sender, time::Duration};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use chrono::TimeDelta;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use patdeck::{
    domain::{AccessRequest, Scope, Timestamp, Token, TokenId},
    keymap::Key,
    service::Service,
    tui::{
        app::event::AppEvent,
        event_loop::{EventLoop, ExitReason},
        terminal::input::{MouseInput, TerminalInput},
    },
};
use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect, Size},
};
use zeroize::Zeroizing;

use super::{
    fixture::TestStore, recording_display::RecordingDisplay, screen_text, setup::POLL_INTERVAL,
};

/// Longest wait for a response; only a failing test reaches it.
const DEADLINE: Duration = Duration::from_secs(20);

/// An app on a test store, driven as an operator would.
pub(crate) struct Journey {
    pub(crate) event_loop: EventLoop<RecordingDisplay>,
    pub(crate) store: Rc<TestStore>,
    pub(super) events: Sender<AppEvent>,
}

impl Journey {
    /// Waits for all responses, then draws, as the event loop does.
    pub(super) fn settle_and_draw(&mut self) {
        self.event_loop.app.rest_cursor();
        self.event_loop.wait_until_idle(DEADLINE).unwrap();
        assert!(
            self.event_loop.is_over() || !self.event_loop.app.is_waiting(),
            "no response from the store\n{}",
            self.screen()
        );
        if !self.event_loop.is_over() {
            self.event_loop.draw().unwrap();
        }
        if self.event_loop.app.is_waiting() {
            self.settle_and_draw();
        }
    }

    fn input(&mut self, input: TerminalInput) {
        assert!(!self.event_loop.is_over(), "the app has ended already");
        self.event_loop.process(AppEvent::Input(input)).unwrap();
        self.settle_and_draw();
    }

    /// Presses one key.
    pub(crate) fn press(&mut self, key: KeyEvent) -> &mut Self {
        self.input(TerminalInput::Key(key));
        self
    }

    /// Presses the keys of `script` so quickly that the cursor does not rest. Returns the number of
    /// bytes sent for the last frame.
    pub(crate) fn keys_without_rest(&mut self, script: &str) -> u64 {
        let mut bytes = 0;
        for key in keys(script) {
            self.event_loop.process(AppEvent::Input(TerminalInput::Key(key))).unwrap();
            bytes = self.redraw_bytes();
        }
        bytes
    }

    /// Presses the keys of `script`. Words are typed letter by letter; `<Enter>`, `<S-Tab>` and
    /// `<C-s>` are keys. Spaces only separate; `<Space>` is the space key.
    pub(crate) fn keys(&mut self, script: &str) -> &mut Self {
        for key in keys(script) {
            self.press(key);
        }
        self
    }

    /// Types `text` literally, including spaces.
    pub(crate) fn types(&mut self, text: &str) -> &mut Self {
        for char in text.chars() {
            self.press(KeyEvent::new(KeyCode::Char(char), KeyModifiers::NONE));
        }
        self
    }

    /// Replaces the content of the focused one-line field with `text`.
    pub(crate) fn retypes(&mut self, text: &str) -> &mut Self {
        self.keys("<Home> <C-k>").types(text)
    }

    /// Sends `text` as a bracketed paste.
    pub(crate) fn paste(&mut self, text: &str) -> &mut Self {
        self.input(TerminalInput::Paste(text.to_owned()));
        self
    }

    /// Clicks on the first character of the first occurrence of `text`.
    #[track_caller]
    pub(crate) fn clicks(&mut self, text: &str) -> &mut Self {
        let at = self.finds(text);
        self.clicks_at(at.x, at.y)
    }

    /// Clicks at a position.
    pub(crate) fn clicks_at(&mut self, x: u16, y: u16) -> &mut Self {
        self.input(TerminalInput::Mouse(MouseInput::Click(Position::new(x, y))));
        self
    }

    /// Turns the wheel by one notch over `text`.
    #[track_caller]
    pub(crate) fn wheels(&mut self, text: &str, down: bool) -> &mut Self {
        let at = self.finds(text);
        self.input(TerminalInput::Mouse(MouseInput::Wheel { at, down }));
        self
    }

    /// Position of the first occurrence of `text`; panics if there is none.
    #[track_caller]
    fn finds(&self, text: &str) -> Position {
        let found = screen_text::find(&self.event_loop.display.last_frame, text);
        found.unwrap_or_else(|| panic!("`{text}` is not on the screen\n{}", self.screen()))
    }

    /// The text of the highlighted row.
    pub(crate) fn selected(&self) -> String {
        screen_text::highlighted_text(&self.event_loop.display.last_frame)
    }

    /// Resizes the terminal.
    pub(crate) fn resize(&mut self, width: u16, height: u16) -> &mut Self {
        self.event_loop.display.size = Size::new(width, height);
        self.input(TerminalInput::Resize(width, height));
        self
    }

    /// Advances the clock and sends one tick.
    pub(crate) fn clock_forward(&mut self, by: TimeDelta) -> &mut Self {
        self.store.clock.set(self.store.clock.now() + by);
        self.event_loop.process(AppEvent::Tick).unwrap();
        self.settle_and_draw();
        self
    }

    /// Runs the event loop on `script` until the app quits; returns the secrets to print.
    pub(crate) fn exits_after(&mut self, script: &str) -> Vec<String> {
        for key in keys(script) {
            self.events.send(AppEvent::Input(TerminalInput::Key(key))).unwrap();
        }
        // If the script does not quit the app, the end of input stops the loop and fails the test.
        self.events.send(AppEvent::Input(TerminalInput::Closed)).unwrap();
        match self.event_loop.run() {
            ExitReason::Quit(secrets) => secrets.iter().map(|s| s.reveal().to_owned()).collect(),
            ExitReason::TerminalGone => {
                panic!("`{script}` did not quit the app\n{}", self.screen())
            }
        }
    }

    /// The text of the screen, without trailing spaces.
    pub(crate) fn screen(&self) -> String {
        screen_text::text(&self.event_loop.display.last_frame)
    }

    /// Fails unless `text` is on the screen; it may be wrapped.
    #[track_caller]
    pub(crate) fn sees(&mut self, text: &str) -> &mut Self {
        assert!(self.shows(text), "`{text}` is not on the screen\n{}", self.screen());
        self
    }

    /// Fails if `text` is on the screen.
    #[track_caller]
    pub(crate) fn never_sees(&mut self, text: &str) -> &mut Self {
        assert!(!self.shows(text), "`{text}` is on the screen\n{}", self.screen());
        self
    }

    /// Whether `text` is on the screen.
    pub(crate) fn shows(&self, text: &str) -> bool {
        let screen = self.screen();
        screen.contains(text) || screen_text::unwrapped(&screen).contains(text)
    }

    /// Processes events, such as changes by other apps, until `text` is on the screen.
    #[track_caller]
    pub(crate) fn waits_for(&mut self, text: &str) -> &mut Self {
        while !self.shows(text) {
            let received = self.event_loop.process_next(DEADLINE).unwrap();
            self.settle_and_draw();
            assert!(received, "`{text}` did not appear\n{}", self.screen());
        }
        self
    }

    /// Whether an event arrives within ten polling intervals.
    pub(crate) fn receives_event(&mut self) -> bool {
        self.event_loop.process_next(POLL_INTERVAL * 10).unwrap()
    }

    /// Draws again; returns the number of bytes sent.
    pub(crate) fn redraw_bytes(&mut self) -> u64 {
        let before = self.event_loop.display.renderer.output().bytes_written();
        self.event_loop.draw().unwrap();
        self.event_loop.display.renderer.output().bytes_written() - before
    }

    /// The text that a terminal emulator shows after all bytes sent so far.
    pub(crate) fn terminal_text(&self) -> String {
        let Size { width, height } = self.event_loop.display.size;
        let mut terminal =
            vt100::Parser::new(height.try_into().unwrap(), width.try_into().unwrap(), 0);
        terminal.process(self.event_loop.display.renderer.output().sink());
        let lines = terminal.screen().rows(0, width);
        let lines: Vec<_> = lines.map(|line| line.trim_end().to_owned()).collect();
        lines.join("\n").trim_end().to_owned()
    }

    /// Texts sent to the clipboard, oldest first.
    pub(crate) fn copied_texts(&self) -> Vec<String> {
        let sent = self.event_loop.display.sent_bytes.iter();
        sent.map(|bytes| {
            let text = String::from_utf8(bytes.clone()).unwrap();
            let encoded = text.strip_prefix("\x1b]52;c;").unwrap();
            let encoded = encoded.strip_suffix("\x1b\\").unwrap();
            String::from_utf8(BASE64_STANDARD.decode(encoded).unwrap()).unwrap()
        })
        .collect()
    }

    /// The secret on the screen.
    pub(crate) fn secret(&self) -> Option<String> {
        let screen = self.screen();
        let mut words = screen.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        words.find(|word| word.starts_with("pat_") && word.len() == 55).map(str::to_owned)
    }

    /// Whether the state of the app or the buffers of its display contain `secret`.
    pub(crate) fn contains_secret(&self, secret: &str) -> bool {
        let random = &secret[17..];
        let state = format!("{:?}", self.event_loop.app);
        let buffers = self.event_loop.display.renderer.debug_buffers();
        [state, buffers, self.screen()].iter().any(|text| text.contains(random))
    }

    /// The cursor position, if the cursor is shown.
    pub(crate) fn cursor(&mut self) -> Option<Position> {
        let Size { width, height } = self.event_loop.display.size;
        let area = Rect::new(0, 0, width, height);
        self.event_loop.app.paint(area, &mut Buffer::empty(area))
    }

    /// A path in the directory of the store.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.store.folder.path().join(name)
    }

    /// A service for assertions, independent of any app.
    pub(crate) fn service(&self) -> &Service {
        self.store.observer()
    }

    /// The token with this name.
    pub(crate) fn token(&self, name: &str) -> Token {
        let tokens = self.service().load_snapshot().unwrap().tokens;
        let found = tokens.into_iter().find(|token| token.name.as_str() == name);
        found.unwrap_or_else(|| panic!("there is no token {name}\n{}", self.store_dump()))
    }

    /// The id of the token with this name.
    pub(crate) fn id(&self, name: &str) -> TokenId {
        self.token(name).id
    }

    /// The result of an access check: `allowed` or `denied`.
    pub(crate) fn access_result(&self, secret: &str, scope: &str) -> String {
        let scope: Scope = scope.parse().unwrap();
        let request = AccessRequest {
            entity_type: scope.entity_type,
            entity: scope.entity,
            operation: scope.operation,
            domain: scope.domain,
        };
        let presented = Zeroizing::new(secret.to_owned());
        let outcome = self.service().check(presented, Some(&request), None).unwrap();
        if outcome.decision.is_allowed() { "allowed".to_owned() } else { "denied".to_owned() }
    }

    /// One line per token and event, oldest event first; contains no part of a secret.
    pub(crate) fn store_dump(&self) -> String {
        dump(self.service(), self.store.clock.now())
    }
}

fn dump(service: &Service, now: Timestamp) -> String {
    let mut lines = Vec::new();
    for token in service.load_snapshot().unwrap().tokens {
        let scopes: Vec<_> = token.scopes.into_iter().map(ToString::to_string).collect();
        let end = token
            .expires
            .map_or("never".to_owned(), |end| end.format("%Y-%m-%d %H:%M").to_string());
        lines.push(format!(
            "token {} {} until {end} [{}] {:?}{}",
            token.name,
            token.status(now).as_str(),
            scopes.join(" "),
            token.description.as_str(),
            if token.delivered { "" } else { " undelivered" },
        ));
    }
    lines.sort();
    for event in service.audit_trail(10_000).unwrap().events.iter().rev() {
        let body = &event.body;
        let action = body.action.as_str();
        lines.push(format!(
            "event {} {action} {} by {}: {}",
            event.sequence, body.name, body.actor, body.detail
        ));
    }
    lines.join("\n")
}

/// Parses a key script, see [`Journey::keys`].
fn keys(script: &str) -> Vec<KeyEvent> {
    let mut keys = Vec::new();
    for word in script.split_whitespace() {
        let named = word.strip_prefix('<').and_then(|w| w.strip_suffix('>'));
        match named {
            Some(name) => {
                let name = name.replace("C-", "Ctrl-").replace("S-", "Shift-");
                let key: Key = name.parse().unwrap();
                keys.push(key_event(key));
            }
            None => keys
                .extend(word.chars().map(|c| KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE))),
        }
    }
    keys
}

/// The event that a terminal reports for `key`.
pub(crate) fn key_event(key: Key) -> KeyEvent {
    let back = key.code() == KeyCode::Tab && key.modifiers() == KeyModifiers::SHIFT;
    let code = if back { KeyCode::BackTab } else { key.code() };
    KeyEvent::new(code, key.modifiers())
}
