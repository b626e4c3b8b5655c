//! The harness: one operator at one terminal. Everything is awaited, nothing is slept for, and
//! whatever is missing on the screen is reported together with the screen.

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
        terminal::input::{Input, Mouse},
    },
};
use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect, Size},
};
use zeroize::Zeroizing;

use super::{fixture::Place, opening::LOOK, paper::Paper, picture};

/// How long an answer may take before the journey counts as stuck; reached by faults only.
const DEADLINE: Duration = Duration::from_secs(20);

/// One operator at work.
pub(crate) struct Journey {
    pub(crate) event_loop: EventLoop<Paper>,
    pub(crate) place: Rc<Place>,
    pub(super) happen: Sender<AppEvent>,
}

impl Journey {
    /// Waits for every answer, then draws, as the loop does.
    pub(super) fn settled(&mut self) {
        self.event_loop.settle(DEADLINE).unwrap();
        assert!(
            self.event_loop.is_over() || !self.event_loop.app.is_waiting(),
            "the store never answered\n{}",
            self.screen()
        );
        if !self.event_loop.is_over() {
            self.event_loop.draw().unwrap();
        }
        if self.event_loop.app.is_waiting() {
            self.settled();
        }
    }

    fn input(&mut self, input: Input) {
        assert!(!self.event_loop.is_over(), "the app has ended already");
        self.event_loop.process(AppEvent::Input(input)).unwrap();
        self.settled();
    }

    /// Presses one key.
    pub(crate) fn press(&mut self, key: KeyEvent) -> &mut Self {
        self.input(Input::Key(key));
        self
    }

    /// Presses the keys of `script`: words are typed letter by letter, `<Enter>`, `<S-Tab>`,
    /// `<C-s>` are keys, and blanks only part them: `<Space>` is a blank.
    pub(crate) fn keys(&mut self, script: &str) -> &mut Self {
        for key in keys(script) {
            self.press(key);
        }
        self
    }

    /// Types `text` as it is, blanks included.
    pub(crate) fn types(&mut self, text: &str) -> &mut Self {
        for char in text.chars() {
            self.press(KeyEvent::new(KeyCode::Char(char), KeyModifiers::NONE));
        }
        self
    }

    /// Empties the field of one line that has the keys, and types `text` into it.
    pub(crate) fn retypes(&mut self, text: &str) -> &mut Self {
        self.keys("<Home> <C-k>").types(text)
    }

    /// Pastes `text` as a terminal does.
    pub(crate) fn paste(&mut self, text: &str) -> &mut Self {
        self.input(Input::Paste(text.to_owned()));
        self
    }

    /// Clicks on the first character of `text`, wherever it stands first on the screen.
    #[track_caller]
    pub(crate) fn clicks(&mut self, text: &str) -> &mut Self {
        let at = self.finds(text);
        self.clicks_at(at.x, at.y)
    }

    /// Clicks at a place.
    pub(crate) fn clicks_at(&mut self, x: u16, y: u16) -> &mut Self {
        self.input(Input::Mouse(Mouse::Click(Position::new(x, y))));
        self
    }

    /// Turns the wheel by a notch over `text`.
    #[track_caller]
    pub(crate) fn wheels(&mut self, text: &str, down: bool) -> &mut Self {
        let at = self.finds(text);
        self.input(Input::Mouse(Mouse::Wheel { at, down }));
        self
    }

    /// Where `text` stands first on the screen.
    #[track_caller]
    fn finds(&self, text: &str) -> Position {
        let found = picture::find(&self.event_loop.display.drawn, text);
        found.unwrap_or_else(|| panic!("`{text}` is not on the screen\n{}", self.screen()))
    }

    /// The text of the row with the bar.
    pub(crate) fn selected(&self) -> String {
        picture::reversed(&self.event_loop.display.drawn)
    }

    /// Gives the terminal another size.
    pub(crate) fn resize(&mut self, width: u16, height: u16) -> &mut Self {
        self.event_loop.display.size = Size::new(width, height);
        self.input(Input::Resize(width, height));
        self
    }

    /// Lets time pass; the app wakes up by itself at the end of it.
    pub(crate) fn clock_forward(&mut self, by: TimeDelta) -> &mut Self {
        self.place.clock.set(self.place.clock.now() + by);
        self.event_loop.process(AppEvent::Tick).unwrap();
        self.settled();
        self
    }

    /// Lets the loop itself take `script` until the app ends; the secrets to be printed.
    pub(crate) fn ends_with(&mut self, script: &str) -> Vec<String> {
        for key in keys(script) {
            self.happen.send(AppEvent::Input(Input::Key(key))).unwrap();
        }
        // A script that does not end the app ends as a terminal that went away.
        self.happen.send(AppEvent::Input(Input::Gone)).unwrap();
        match self.event_loop.run() {
            ExitReason::Quit(secrets) => secrets.iter().map(|s| s.reveal().to_owned()).collect(),
            ExitReason::TerminalGone => panic!("`{script}` did not end the app\n{}", self.screen()),
        }
    }

    /// What is on the screen, without the blanks at the ends of the lines.
    pub(crate) fn screen(&self) -> String {
        picture::text(&self.event_loop.display.drawn)
    }

    /// Fails unless `text` is on the screen; a line's end may part its words.
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
        screen.contains(text) || picture::flowing(&screen).contains(text)
    }

    /// Waits for news of others until `text` is on the screen.
    #[track_caller]
    pub(crate) fn comes_to_see(&mut self, text: &str) -> &mut Self {
        while !self.shows(text) {
            let told = self.event_loop.process_next(DEADLINE).unwrap();
            self.settled();
            assert!(told, "`{text}` never came\n{}", self.screen());
        }
        self
    }

    /// Whether anything happens within a few looks of the worker.
    pub(crate) fn is_disturbed(&mut self) -> bool {
        self.event_loop.process_next(LOOK * 10).unwrap()
    }

    /// Draws once more; how many bytes that took.
    pub(crate) fn draws(&mut self) -> u64 {
        let before = self.event_loop.display.renderer.output().bytes();
        self.event_loop.draw().unwrap();
        self.event_loop.display.renderer.output().bytes() - before
    }

    /// What the terminal itself shows once it has taken every byte so far.
    pub(crate) fn on_the_terminal(&self) -> String {
        let Size { width, height } = self.event_loop.display.size;
        let mut terminal =
            vt100::Parser::new(height.try_into().unwrap(), width.try_into().unwrap(), 0);
        terminal.process(self.event_loop.display.renderer.output().sink());
        let lines = terminal.screen().rows(0, width);
        let lines: Vec<_> = lines.map(|line| line.trim_end().to_owned()).collect();
        lines.join("\n").trim_end().to_owned()
    }

    /// What was sent to the clipboard, oldest first.
    pub(crate) fn sent(&self) -> Vec<String> {
        let sent = self.event_loop.display.sent.iter();
        sent.map(|bytes| {
            let text = String::from_utf8(bytes.clone()).unwrap();
            let coded = text.strip_prefix("\x1b]52;c;").unwrap();
            let coded = coded.strip_suffix("\x1b\\").unwrap();
            String::from_utf8(BASE64_STANDARD.decode(coded).unwrap()).unwrap()
        })
        .collect()
    }

    /// The secret that stands on the screen.
    pub(crate) fn secret(&self) -> Option<String> {
        let screen = self.screen();
        let mut words = screen.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        words.find(|word| word.starts_with("pat_") && word.len() == 55).map(str::to_owned)
    }

    /// Whether `secret` stands anywhere in what the app and its display hold.
    pub(crate) fn holds(&self, secret: &str) -> bool {
        let random = &secret[17..];
        let state = format!("{:?}", self.event_loop.app);
        let buffers = self.event_loop.display.renderer.held();
        [state, buffers, self.screen()].iter().any(|text| text.contains(random))
    }

    /// Where the cursor stands, if it is shown.
    pub(crate) fn cursor(&mut self) -> Option<Position> {
        let Size { width, height } = self.event_loop.display.size;
        let area = Rect::new(0, 0, width, height);
        self.event_loop.app.paint(area, &mut Buffer::empty(area))
    }

    /// A path in the folder of the store.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.place.folder.path().join(name)
    }

    /// The operator of no app, who looks at the store from outside.
    pub(crate) fn service(&self) -> &Service {
        self.place.outside()
    }

    /// The one token of this name.
    pub(crate) fn token(&self, name: &str) -> Token {
        let tokens = self.service().load().unwrap().tokens;
        let found = tokens.into_iter().find(|token| token.name.as_str() == name);
        found.unwrap_or_else(|| panic!("there is no token {name}\n{}", self.store_dump()))
    }

    /// The id of the one token of this name.
    pub(crate) fn id(&self, name: &str) -> TokenId {
        self.token(name).id
    }

    /// The answer to the bearer of `secret` who wants what `scope` says.
    pub(crate) fn verdict(&self, secret: &str, scope: &str) -> String {
        let scope: Scope = scope.parse().unwrap();
        let request = AccessRequest {
            entity_type: scope.entity_type,
            entity: scope.entity,
            operation: scope.operation,
            domain: scope.domain,
        };
        let presented = Zeroizing::new(secret.to_owned());
        let verdict = self.service().check(presented, Some(&request), None).unwrap();
        if verdict.decision.is_allowed() { "allowed".to_owned() } else { "denied".to_owned() }
    }

    /// The tokens and the events, oldest first, a line each; nothing of any secret.
    pub(crate) fn store_dump(&self) -> String {
        dump(self.service(), self.place.clock.now())
    }
}

fn dump(service: &Service, now: Timestamp) -> String {
    let mut lines = Vec::new();
    for token in service.load().unwrap().tokens {
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
            if token.delivered { "" } else { " unclaimed" },
        ));
    }
    lines.sort();
    for event in service.trail(10_000).unwrap().events.iter().rev() {
        let what = &event.what;
        let action = what.action.as_str();
        lines.push(format!(
            "event {} {action} {} by {}: {}",
            event.sequence, what.name, what.actor, what.detail
        ));
    }
    lines.join("\n")
}

/// The keys that `script` spells, see [`Journey::keys`].
fn keys(script: &str) -> Vec<KeyEvent> {
    let mut keys = Vec::new();
    for word in script.split_whitespace() {
        let named = word.strip_prefix('<').and_then(|w| w.strip_suffix('>'));
        match named {
            Some(name) => {
                let name = name.replace("C-", "Ctrl-").replace("S-", "Shift-");
                let key: Key = name.parse().unwrap();
                keys.push(pressed(key));
            }
            None => keys
                .extend(word.chars().map(|c| KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE))),
        }
    }
    keys
}

/// `key` as terminals report it.
pub(crate) fn pressed(key: Key) -> KeyEvent {
    let back = key.code() == KeyCode::Tab && key.modifiers() == KeyModifiers::SHIFT;
    let code = if back { KeyCode::BackTab } else { key.code() };
    KeyEvent::new(code, key.modifiers())
}
