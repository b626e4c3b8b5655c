//! The ways into a journey: which store, which terminal, whose settings, which operator.

use std::{rc::Rc, sync::mpsc::channel, time::Duration};

use patdeck::{
    config::{Glyphs, ThemeName},
    keymap::Keymap,
    service::{Service, Zone},
    tui::{
        app::{App, model::Model},
        event_loop::EventLoop,
        terminal::clipboard::Route,
        theme::Theme,
        worker::Worker,
    },
};
use ratatui::layout::Size;

use super::{
    fixture::{Fixture, Place},
    journey::Journey,
    paper::Paper,
};

/// How long a test waits for something that must not happen.
pub(super) const LOOK: Duration = Duration::from_millis(10);

impl Journey {
    /// On an empty store, on a terminal of this size.
    pub(crate) fn at(width: u16, height: u16) -> Self {
        Self::on(Fixture::Empty, width, height)
    }

    /// On a store that holds what `fixture` says.
    pub(crate) fn on(fixture: Fixture, width: u16, height: u16) -> Self {
        let colourful = Theme::new(ThemeName::Default, Glyphs::Unicode);
        Self::looking(colourful, fixture, width, height)
    }

    /// The same in another look.
    pub(crate) fn looking(theme: Theme, fixture: Fixture, width: u16, height: u16) -> Self {
        let place = Rc::new(Place::with(fixture));
        Self::opened(place, theme, Size::new(width, height), "alice")
    }

    /// Another operator, bob, with an app of his own on the same file.
    pub(crate) fn second_on_same_store(&self) -> Self {
        let place = Rc::clone(&self.place);
        Self::opened(
            place,
            Theme::new(ThemeName::Default, Glyphs::Unicode),
            Size::new(80, 24),
            "bob",
        )
    }

    /// The same operator, who starts the app anew.
    pub(crate) fn again(&self) -> Self {
        let place = Rc::clone(&self.place);
        Self::opened(
            place,
            Theme::new(ThemeName::Default, Glyphs::Unicode),
            Size::new(80, 24),
            "alice",
        )
    }

    /// On a store that holds what `fixture` says, with the keys of an operator's settings.
    pub(crate) fn with_keys(keymap: Keymap, fixture: Fixture, width: u16, height: u16) -> Self {
        let place = Rc::new(Place::with(fixture));
        let theme = Theme::new(ThemeName::Default, Glyphs::Unicode);
        let service = place.service("alice");
        Self::opened_with(place, theme, Size::new(width, height), service, keymap)
    }

    /// On a store that holds what `fixture` says, opened for reading alone.
    pub(crate) fn reading(fixture: Fixture, width: u16, height: u16) -> Self {
        let place = Rc::new(Place::with(fixture));
        let theme = Theme::new(ThemeName::Default, Glyphs::Unicode);
        let service = place.reading("alice");
        Self::opened_with(place, theme, Size::new(width, height), service, Keymap::default())
    }

    /// The same, before anything has come of its questions.
    pub(crate) fn opening_another(&self) -> Self {
        let place = Rc::clone(&self.place);
        Self::opening(
            place,
            Theme::new(ThemeName::Default, Glyphs::Unicode),
            Size::new(80, 24),
            "bob",
        )
    }

    fn opened(place: Rc<Place>, theme: Theme, size: Size, who: &str) -> Self {
        let mut it = Self::opening(place, theme, size, who);
        it.settled();
        it
    }

    fn opening(place: Rc<Place>, theme: Theme, size: Size, who: &str) -> Self {
        let service = place.service(who);
        Self::opening_with(place, theme, size, service, Keymap::default())
    }

    fn opened_with(
        place: Rc<Place>,
        theme: Theme,
        size: Size,
        service: Service,
        keymap: Keymap,
    ) -> Self {
        let mut it = Self::opening_with(place, theme, size, service, keymap);
        it.settled();
        it
    }

    fn opening_with(
        place: Rc<Place>,
        theme: Theme,
        size: Size,
        service: Service,
        keymap: Keymap,
    ) -> Self {
        let who = service.actor().user.clone();
        let clock = place.clock.clone();
        let policy = service.policy().clone();
        let mut model = Model::new(clock, Zone::utc(), theme, policy, keymap);
        model.read_only = service.is_read_only();
        let app = App::new(model, format!("{who}@edge-1"));
        let (happen, inbox) = channel();
        let from_worker = happen.clone();
        let worker = Worker::start(service, move |event| from_worker.send(event).is_ok());
        let event_loop = EventLoop::new(app, Paper::new(size), worker, inbox, Route::Terminal);
        Self { event_loop, place, happen }
    }
}
