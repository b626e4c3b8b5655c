//! The app on the demo store, driven by keys, with each answer of the service taken at once.

use std::sync::Arc;

use patdeck::{
    config::{Glyphs, Theme},
    keymap::Keymap,
    list::ListEngine,
    service::{Followed, Position, Zone},
    tui::{
        app::{App, Want},
        effect::{Effect, perform},
        input::Input,
        look::Look,
        worker::Report,
        world::World,
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
    look: Look,
}

impl Stage {
    pub(crate) fn new(theme: Theme) -> Self {
        let demo = Demo::new();
        let look = Look::new(theme, Glyphs::Unicode);
        let (clock, zone) = (demo.clock.clone(), Zone::utc());
        let world = World::new(clock, zone, look, policy(), Keymap::default());
        let app = App::new(world, "alice@edge-1".to_owned());
        let engine = ListEngine::new(Arc::clone(&demo.service));
        let seen = demo.service.position().unwrap();
        let mut stage = Self { app, demo, engine, seen, look };
        stage.serve();
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
        self.app.input(Input::Key(key));
        self.serve();
    }

    /// What the loop and the worker do, without threads between them.
    fn serve(&mut self) {
        loop {
            let wants = self.app.take_wants();
            if wants.is_empty() {
                break;
            }
            for want in wants {
                match want {
                    Want::Ask(effect) => self.perform(&effect),
                    Want::List(request) => {
                        let app = &mut self.app;
                        let deliver = |result| app.report(Report::Listing(Box::new(result)));
                        self.engine.answer(&request, || true, deliver).unwrap();
                    }
                    _ => {}
                }
            }
        }
    }

    fn perform(&mut self, effect: &Effect) {
        let outcome = perform(&self.demo.service, effect);
        let news = self.demo.service.follow(self.seen).unwrap();
        if let Followed::Tokens(_, position) | Followed::Everything(position) = news {
            self.seen = position;
            self.app.report(Report::News(news));
        }
        self.app.report(Report::Reply(Box::new(outcome)));
    }

    /// What it draws at this size, as a picture.
    pub(crate) fn picture(&mut self, (columns, lines): (u16, u16)) -> String {
        let area = Rect::new(0, 0, columns, lines);
        // The second drawing has what the first one asked for.
        self.app.paint(area, &mut Buffer::empty(area));
        self.press(KeyEvent::new(KeyCode::Null, KeyModifiers::NONE));
        let mut buffer = Buffer::empty(area);
        let cursor = self.app.paint(area, &mut buffer);
        svg::picture(&buffer, cursor, self.look.base())
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
