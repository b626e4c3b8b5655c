//! Responses that arrive out of order reach the screen that made the request. Runs without event
//! loop and worker, because those preserve the order.

use std::{
    sync::{Mutex, mpsc::channel},
    time::Duration,
};

use patdeck::{
    config::{GlyphSet, ThemeName},
    keymap::{Key, Keymap},
    service::Zone,
    tui::{
        app::{
            App,
            effect::Effect,
            event::AppEvent,
            model::Model,
            pending_requests::RequestId,
            service_request::{Response, ServiceRequest, execute_request},
        },
        terminal::input::TerminalInput,
        theme::Theme,
        worker::Worker,
    },
};
use ratatui::{buffer::Buffer, layout::Rect};

use super::{
    fixture::{Fixture, TestStore},
    journey::key_event,
    screen_text,
};

/// An app whose service requests the test answers itself.
struct AppWithoutWorker {
    app: App,
    store: TestStore,
}

impl AppWithoutWorker {
    fn on(fixture: Fixture) -> Self {
        let store = TestStore::with(fixture);
        let policy = store.observer().policy().clone();
        let theme = Theme::new(ThemeName::Default, GlyphSet::Unicode);
        let model = Model::new(store.clock.clone(), Zone::utc(), theme, policy, Keymap::default());
        Self { app: App::new(model, "alice".into()), store }
    }

    /// Presses keys separated by spaces; returns the service requests that they cause.
    fn keys(&mut self, keys: &str) -> Vec<(RequestId, ServiceRequest)> {
        let mut requests = Vec::new();
        for key in keys.split_whitespace() {
            let key: Key = key.parse().unwrap();
            for effect in self.app.update(AppEvent::Input(TerminalInput::Key(key_event(key)))) {
                if let Effect::Service(id, request) = effect {
                    requests.push((id, request));
                }
            }
        }
        requests
    }

    /// Performs a request and passes the response to the app; returns the resulting effects.
    fn answers(&mut self, (id, request): &(RequestId, ServiceRequest)) -> Vec<Effect> {
        let response: Response = execute_request(&self.store.service("alice"), request);
        self.app.update(AppEvent::Response(*id, Box::new(response)))
    }

    fn screen(&mut self) -> String {
        let area = Rect::new(0, 0, 80, 24);
        let mut buffer = Buffer::empty(area);
        self.app.paint(area, &mut buffer);
        screen_text::text(&buffer)
    }
}

#[test]
fn a_late_refusal_still_reaches_its_form() {
    let mut it = AppWithoutWorker::on(Fixture::One);
    // The name already exists.
    let requests = it.keys("n c i - d e p l o y Ctrl-S");
    let [create] = requests.as_slice() else { panic!("{requests:?}") };
    let requests = it.keys("Esc 4");
    let [trail] = requests.as_slice() else { panic!("{requests:?}") };
    it.answers(trail);
    assert!(it.screen().contains("Chain verified"), "{}", it.screen());
    it.answers(create);
    assert!(!it.screen().contains("another token"), "{}", it.screen());
    it.keys("2");
    assert!(it.screen().contains("! another token is already named ci-deploy"), "{}", it.screen());
}

#[test]
fn an_unexpected_response_changes_nothing() {
    let mut it = AppWithoutWorker::on(Fixture::One);
    let requests = it.keys("n x Ctrl-S");
    let [create] = requests.as_slice() else { panic!("{requests:?}") };
    assert_eq!(it.keys("Ctrl-S").len(), 0, "the request is already pending");
    it.answers(create);
    assert!(it.screen().contains("Secret of x"), "{}", it.screen());
    let before = it.screen();
    let again = (create.0, ServiceRequest::Trail);
    assert!(it.answers(&again).is_empty());
    assert_eq!(it.screen(), before);
}

#[test]
fn a_change_does_not_wait_for_the_audit_trail() {
    let store = TestStore::with(Fixture::One);
    let (fetched, first) = channel();
    let (answered, answers) = channel();
    let first = Mutex::new(first);
    // The answer with the trail is held until the answer to the later request was delivered.
    let worker = Worker::start(store.service("alice"), move |event| {
        let AppEvent::Response(_, response) = event else { return true };
        if matches!(*response, Response::Trail(_)) {
            let is_second = first.lock().unwrap().recv_timeout(Duration::from_secs(20)).is_ok();
            return answered.send(is_second).is_ok();
        }
        fetched.send(()).is_ok()
    });
    assert!(worker.request(RequestId::next(), ServiceRequest::Trail));
    assert!(worker.request(RequestId::next(), ServiceRequest::Fetch(Vec::new())));
    assert_eq!(answers.recv(), Ok(true));
}
