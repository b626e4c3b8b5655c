//! Constructors of [`Journey`]: store, screen size, theme, keymap and operator.

use std::{rc::Rc, sync::mpsc::channel, time::Duration};

use chrono::FixedOffset;
use patdeck::{
    config::{GlyphSet, NamedView, ThemeName},
    keymap::Keymap,
    service::{Service, Zone},
    tui::{
        app::{App, model::Model},
        event_loop::EventLoop,
        terminal::clipboard::ClipboardRoute,
        theme::Theme,
        worker::Worker,
    },
};
use ratatui::layout::Size;

use super::{
    fixture::{Fixture, TestStore},
    journey::Journey,
    recording_display::RecordingDisplay,
};

/// Unit of waiting for an event that must not arrive.
pub(super) const POLL_INTERVAL: Duration = Duration::from_millis(10);

impl Journey {
    /// An empty store, at this screen size.
    pub(crate) fn at(width: u16, height: u16) -> Self {
        Self::on(Fixture::Empty, width, height)
    }

    /// A store with the content of `fixture`.
    pub(crate) fn on(fixture: Fixture, width: u16, height: u16) -> Self {
        let theme = Theme::new(ThemeName::Default, GlyphSet::Unicode);
        Self::with_theme(theme, fixture, width, height)
    }

    /// Like [`Journey::on`], with another theme.
    pub(crate) fn with_theme(theme: Theme, fixture: Fixture, width: u16, height: u16) -> Self {
        let store = Rc::new(TestStore::with(fixture));
        Self::start(store, theme, Size::new(width, height), "alice")
    }

    /// A second app on the same store, run by another operator, bob.
    pub(crate) fn second_on_same_store(&self) -> Self {
        let store = Rc::clone(&self.store);
        Self::start(
            store,
            Theme::new(ThemeName::Default, GlyphSet::Unicode),
            Size::new(80, 24),
            "bob",
        )
    }

    /// A second app on the same store, run by the same operator: a restart.
    pub(crate) fn restarted(&self) -> Self {
        let store = Rc::clone(&self.store);
        Self::start(
            store,
            Theme::new(ThemeName::Default, GlyphSet::Unicode),
            Size::new(80, 24),
            "alice",
        )
    }

    /// Like [`Journey::on`], with a remapped keymap.
    pub(crate) fn with_keys(keymap: Keymap, fixture: Fixture, width: u16, height: u16) -> Self {
        let store = Rc::new(TestStore::with(fixture));
        let theme = Theme::new(ThemeName::Default, GlyphSet::Unicode);
        let service = store.service("alice");
        Self::start_with(store, theme, Size::new(width, height), service, keymap)
    }

    /// Like [`Journey::on`], with views: names and searches.
    pub(crate) fn with_views(
        views: &[(&str, &str)],
        fixture: Fixture,
        width: u16,
        height: u16,
    ) -> Self {
        let store = Rc::new(TestStore::with(fixture));
        let theme = Theme::new(ThemeName::Default, GlyphSet::Unicode);
        let service = store.service("alice");
        let view = |(name, search): &(&str, &str)| NamedView {
            name: (*name).to_owned(),
            search: (*search).to_owned(),
        };
        let views = views.iter().map(view).collect();
        let size = Size::new(width, height);
        let mut it =
            Self::assemble(store, theme, size, service, (Keymap::default(), Zone::utc()), views);
        it.settle_and_draw();
        it
    }

    /// Like [`Journey::on`], in a time zone `hours` east of UTC, at 80x24.
    pub(crate) fn in_zone(fixture: Fixture, hours: i32) -> Self {
        let store = Rc::new(TestStore::with(fixture));
        let theme = Theme::new(ThemeName::Default, GlyphSet::Unicode);
        let service = store.service("alice");
        let zone = Zone::Fixed(FixedOffset::east_opt(hours * 3600).unwrap());
        let mut it = Self::assemble(
            store,
            theme,
            Size::new(80, 24),
            service,
            (Keymap::default(), zone),
            Vec::new(),
        );
        it.settle_and_draw();
        it
    }

    /// Like [`Journey::on`], in read-only mode.
    pub(crate) fn read_only(fixture: Fixture, width: u16, height: u16) -> Self {
        let store = Rc::new(TestStore::with(fixture));
        let theme = Theme::new(ThemeName::Default, GlyphSet::Unicode);
        let service = store.read_only_service("alice");
        Self::start_with(store, theme, Size::new(width, height), service, Keymap::default())
    }

    /// A second app on the same store, before any response has arrived.
    pub(crate) fn second_before_first_frame(&self) -> Self {
        let store = Rc::clone(&self.store);
        Self::start_unsettled(
            store,
            Theme::new(ThemeName::Default, GlyphSet::Unicode),
            Size::new(80, 24),
            "bob",
        )
    }

    fn start(store: Rc<TestStore>, theme: Theme, size: Size, who: &str) -> Self {
        let mut it = Self::start_unsettled(store, theme, size, who);
        it.settle_and_draw();
        it
    }

    fn start_unsettled(store: Rc<TestStore>, theme: Theme, size: Size, who: &str) -> Self {
        let service = store.service(who);
        Self::start_unsettled_with(store, theme, size, service, Keymap::default())
    }

    fn start_with(
        store: Rc<TestStore>,
        theme: Theme,
        size: Size,
        service: Service,
        keymap: Keymap,
    ) -> Self {
        let mut it = Self::start_unsettled_with(store, theme, size, service, keymap);
        it.settle_and_draw();
        it
    }

    fn start_unsettled_with(
        store: Rc<TestStore>,
        theme: Theme,
        size: Size,
        service: Service,
        keymap: Keymap,
    ) -> Self {
        Self::assemble(store, theme, size, service, (keymap, Zone::utc()), Vec::new())
    }

    fn assemble(
        store: Rc<TestStore>,
        theme: Theme,
        size: Size,
        service: Service,
        (keymap, zone): (Keymap, Zone),
        views: Vec<NamedView>,
    ) -> Self {
        let who = service.actor().user.clone();
        let clock = store.clock.clone();
        let policy = service.policy().clone();
        let mut model = Model::new(clock, zone, theme, policy, keymap);
        model.read_only = service.is_read_only();
        model.views = views;
        let app = App::new(model, format!("{who}@edge-1"));
        let (sender, inbox) = channel();
        let from_worker = sender.clone();
        let worker = Worker::start(service, move |event| from_worker.send(event).is_ok());
        let event_loop = EventLoop::new(
            app,
            RecordingDisplay::new(size),
            worker,
            inbox,
            ClipboardRoute::Terminal,
        );
        Self { event_loop, store, events: sender }
    }
}
