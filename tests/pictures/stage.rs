//! The app on the demo store, driven by keys, with each answer of the service taken at once.

use std::{collections::VecDeque, sync::Arc};

use patdeck::{
    config::{Glyphs, ThemeName},
    keymap::Keymap,
    list::ListEngine,
    service::{Followed, Position, Zone},
    tui::{
        app::{
            App,
            effect::Effect,
            event::AppEvent,
            model::Model,
            pending::RequestId,
            service_request::{ServiceRequest, perform},
        },
        terminal::input::Input,
        theme::Theme,
    },
};
use ratatui::{
    buffer::Buffer,
    crossterm::event::{KeyCode, KeyEvent, KeyModifiers},
    layout::Rect,
};

use super::{
    demo::{Demo, policy},
    svg,
};

/// The app with nobody but us at it.
pub(crate) struct Stage {
    app: App,
    demo: Demo,
    engine: ListEngine,
    seen: Position,
    theme: Theme,
}

impl Stage {
    pub(crate) fn new(theme: ThemeName) -> Self {
        let demo = Demo::new();
        let theme = Theme::new(theme, Glyphs::Unicode);
        let (clock, zone) = (demo.clock.clone(), Zone::utc());
        let model = Model::new(clock, zone, theme, policy(), Keymap::default());
        let app = App::new(model, "alice@edge-1".to_owned());
        let engine = ListEngine::new(Arc::clone(&demo.service));
        let seen = demo.service.position().unwrap();
        let mut stage = Self { app, demo, engine, seen, theme };
        stage.update(AppEvent::Tick);
        stage
    }

    /// Presses keys, apart by blanks: `f`, `Enter`, `Ctrl-S`.
    pub(crate) fn keys(&mut self, script: &str) {
        for word in script.split_whitespace() {
            self.press(key(word));
        }
    }

    /// Types text as it is.
    pub(crate) fn text(&mut self, text: &str) {
        for letter in text.chars() {
            self.press(KeyEvent::new(KeyCode::Char(letter), KeyModifiers::NONE));
        }
    }

    fn press(&mut self, key: KeyEvent) {
        self.update(AppEvent::Input(Input::Key(key)));
    }

    /// What the loop and the worker do, without threads between them.
    fn update(&mut self, event: AppEvent) {
        let mut events = VecDeque::from([event]);
        while let Some(event) = events.pop_front() {
            for effect in self.app.update(event) {
                match effect {
                    Effect::Service(id, request) => events.extend(self.perform(id, &request)),
                    Effect::List(question) => {
                        let tell =
                            |listing| events.push_back(AppEvent::ListResult(Box::new(listing)));
                        self.engine.answer(&question, || true, tell).unwrap();
                    }
                    _ => {}
                }
            }
        }
    }

    fn perform(&mut self, id: RequestId, request: &ServiceRequest) -> Vec<AppEvent> {
        let response = AppEvent::Response(id, Box::new(perform(&self.demo.service, request)));
        let changes = self.demo.service.follow(self.seen).unwrap();
        let (Followed::Tokens(_, position) | Followed::Everything(position)) = changes else {
            return vec![response];
        };
        self.seen = position;
        vec![AppEvent::StoreChanged(changes), response]
    }

    /// What it draws at this size, as a picture.
    pub(crate) fn picture(&mut self, (columns, lines): (u16, u16)) -> String {
        let area = Rect::new(0, 0, columns, lines);
        // The second drawing has what the first one asked for.
        self.app.paint(area, &mut Buffer::empty(area));
        self.press(KeyEvent::new(KeyCode::Null, KeyModifiers::NONE));
        let mut buffer = Buffer::empty(area);
        let cursor = self.app.paint(area, &mut buffer);
        svg::picture(&buffer, cursor, self.theme.base)
    }
}

fn key(word: &str) -> KeyEvent {
    let (word, modifiers) = word
        .strip_prefix("Ctrl-")
        .map_or((word, KeyModifiers::NONE), |rest| (rest, KeyModifiers::CONTROL));
    let code = match word {
        "Enter" => KeyCode::Enter,
        "Esc" => KeyCode::Esc,
        "Tab" => KeyCode::Tab,
        "BS" => KeyCode::Backspace,
        "Space" => KeyCode::Char(' '),
        letter => KeyCode::Char(letter.to_lowercase().chars().next().unwrap()),
    };
    KeyEvent::new(code, modifiers)
}
