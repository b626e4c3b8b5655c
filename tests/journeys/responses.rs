//! Responses of the service in another order than the requests: each goes to whoever made its
//! request. No loop and no worker here, for those keep the order.

use patdeck::{
    config::{Glyphs, ThemeName},
    keymap::{Key, Keymap},
    service::Zone,
    tui::{
        app::{
            App,
            effect::Effect,
            event::AppEvent,
            model::Model,
            pending::RequestId,
            service_request::{Response, ServiceRequest, perform},
        },
        terminal::input::Input,
        theme::Theme,
    },
};
use ratatui::{buffer::Buffer, layout::Rect};

use super::{
    fixture::{Fixture, Place},
    journey::pressed,
    picture,
};

struct Operator {
    app: App,
    place: Place,
}

impl Operator {
    fn on(fixture: Fixture) -> Self {
        let place = Place::with(fixture);
        let policy = place.outside().policy().clone();
        let theme = Theme::new(ThemeName::Default, Glyphs::Unicode);
        let model = Model::new(place.clock.clone(), Zone::utc(), theme, policy, Keymap::default());
        Self { app: App::new(model, "alice".into()), place }
    }

    /// Presses keys, apart by blanks; what the app asks of the service then.
    fn keys(&mut self, keys: &str) -> Vec<(RequestId, ServiceRequest)> {
        let mut requests = Vec::new();
        for key in keys.split_whitespace() {
            let key: Key = key.parse().unwrap();
            for effect in self.app.update(AppEvent::Input(Input::Key(pressed(key)))) {
                if let Effect::Service(id, request) = effect {
                    requests.push((id, request));
                }
            }
        }
        requests
    }

    fn answers(&mut self, (id, request): &(RequestId, ServiceRequest)) -> Vec<Effect> {
        let response: Response = perform(&self.place.service("alice"), request);
        self.app.update(AppEvent::Response(*id, Box::new(response)))
    }

    fn screen(&mut self) -> String {
        let area = Rect::new(0, 0, 80, 24);
        let mut buffer = Buffer::empty(area);
        self.app.paint(area, &mut buffer);
        picture::text(&buffer)
    }
}

#[test]
fn a_refusal_reaches_the_form_though_a_later_request_was_answered_before() {
    let mut it = Operator::on(Fixture::One);
    // The name is taken.
    let created = it.keys("n c i - d e p l o y Ctrl-S");
    let [create] = created.as_slice() else { panic!("{created:?}") };
    let asked = it.keys("Esc 4");
    let [trail] = asked.as_slice() else { panic!("{asked:?}") };
    it.answers(trail);
    assert!(it.screen().contains("chain verified"), "{}", it.screen());
    it.answers(create);
    assert!(!it.screen().contains("another token"), "{}", it.screen());
    it.keys("2");
    assert!(it.screen().contains("! another token is called ci-deploy"), "{}", it.screen());
}

#[test]
fn a_response_that_nobody_waits_for_changes_nothing() {
    let mut it = Operator::on(Fixture::One);
    let created = it.keys("n x Ctrl-S");
    let [create] = created.as_slice() else { panic!("{created:?}") };
    assert_eq!(it.keys("Ctrl-S").len(), 0, "it is under way already");
    it.answers(create);
    assert!(it.screen().contains("The secret of x"), "{}", it.screen());
    let before = it.screen();
    let again = (create.0, ServiceRequest::Trail);
    assert!(it.answers(&again).is_empty());
    assert_eq!(it.screen(), before);
}
