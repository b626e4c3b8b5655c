//! The app on the sample store, driven by keys. Service requests are answered synchronously,
//! without event loop and worker.

use std::{collections::VecDeque, sync::Arc};

use patdeck::{
    config::{GlyphSet, ThemeName},
    keymap::Keymap,
    list::ListEngine,
    service::{ChangeLogPosition, Policy, TokenChanges, Zone},
    tui::{
        app::{
            App,
            effect::Effect,
            event::AppEvent,
            model::Model,
            pending_requests::RequestId,
            service_request::{ServiceRequest, execute_request},
        },
        terminal::input::TerminalInput,
        theme::Theme,
    },
};
use ratatui::{
    buffer::Buffer,
    crossterm::event::{KeyCode, KeyEvent, KeyModifiers},
    layout::Rect,
};

use super::{demo_store::DemoStore, svg};

/// The app, its store and its list engine.
pub(crate) struct DemoApp {
    app: App,
    demo: DemoStore,
    engine: ListEngine,
    cursor: ChangeLogPosition,
    theme: Theme,
}

impl DemoApp {
    pub(crate) fn new(theme: ThemeName) -> Self {
        let demo = DemoStore::new();
        let theme = Theme::new(theme, GlyphSet::Unicode);
        let (clock, zone) = (demo.clock.clone(), Zone::utc());
        let model = Model::new(clock, zone, theme, Policy::default(), Keymap::default());
        let app = App::new(model, "alice@edge-1".to_owned());
        let engine = ListEngine::new(Arc::clone(&demo.service));
        let seen = demo.service.position().unwrap();
        let mut demo_app = Self { app, demo, engine, cursor: seen, theme };
        demo_app.update(AppEvent::Tick);
        demo_app
    }

    /// Presses keys separated by spaces: `f`, `Enter`, `Ctrl-S`.
    pub(crate) fn keys(&mut self, script: &str) {
        for word in script.split_whitespace() {
            self.press(key(word));
        }
    }

    /// Types text literally.
    pub(crate) fn text(&mut self, text: &str) {
        for letter in text.chars() {
            self.press(KeyEvent::new(KeyCode::Char(letter), KeyModifiers::NONE));
        }
    }

    fn press(&mut self, key: KeyEvent) {
        self.update(AppEvent::Input(TerminalInput::Key(key)));
    }

    /// Processes an event and all events that follow from it.
    fn update(&mut self, event: AppEvent) {
        let mut events = VecDeque::from([event]);
        while let Some(event) = events.pop_front() {
            for effect in self.app.update(event) {
                match effect {
                    Effect::Service(id, request) => events.extend(self.perform(id, &request)),
                    Effect::List(request) => {
                        let deliver =
                            |result| events.push_back(AppEvent::ListResult(Box::new(result)));
                        self.engine.answer(&request, || true, deliver).unwrap();
                    }
                    _ => {}
                }
            }
        }
    }

    fn perform(&mut self, id: RequestId, request: &ServiceRequest) -> Vec<AppEvent> {
        let response =
            AppEvent::Response(id, Box::new(execute_request(&self.demo.service, request)));
        let changes = self.demo.service.changes_since(self.cursor).unwrap();
        let (TokenChanges::Tokens(_, position) | TokenChanges::NeedsReload(position)) = changes
        else {
            return vec![response];
        };
        self.cursor = position;
        vec![AppEvent::StoreChanged(changes), response]
    }

    /// The screen at this size, as SVG.
    pub(crate) fn picture(&mut self, (columns, lines): (u16, u16)) -> String {
        let area = Rect::new(0, 0, columns, lines);
        // The second frame contains the data that the first one requested.
        self.app.paint(area, &mut Buffer::empty(area));
        self.press(KeyEvent::new(KeyCode::Null, KeyModifiers::NONE));
        let mut buffer = Buffer::empty(area);
        let cursor = self.app.paint(area, &mut buffer);
        svg::render_svg(&buffer, cursor, self.theme.base)
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
