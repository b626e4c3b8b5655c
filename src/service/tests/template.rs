//! A token like another one: what is taken over, and what never is.

use super::*;

#[test]
fn it_has_all_that_can_be_given_again_under_a_free_name() {
    let world = World::new();
    let text = Description::parse("what it is for").unwrap();
    let model = NewToken { description: text.clone(), lifetime: lifetime("90m"), ..new("ci") };
    let id = world.create(&model).unwrap().token.id;
    world.issue("CI-2");
    // An expired or revoked one is as good a model.
    world.go_to(DAY);
    world.revoke(&id).unwrap();
    let like = world.idle(|s| s.template_from(&id));
    assert_eq!(like.name, name("ci-3"), "ci-2 is taken, however it is spelled");
    assert_eq!((&like.description, like.lifetime), (&text, lifetime("90m")));
    assert_eq!(like.scopes, model.scopes);
    let made = world.create(&like).unwrap();
    assert_ne!(made.token.id, id);
    assert!(world.works(&made.secret));
    assert_eq!(world.template_from(&made.token.id).unwrap().name, name("ci-4"));
}

#[test]
fn a_day_stays_a_day_and_what_is_not_allowed_any_more_becomes_what_is_offered() {
    let mut world = World::new();
    world.service.policy.limits.allow_never = true;
    let day = |name: &str, text: &str| {
        world.clock.set(at(0) + TimeDelta::seconds(7));
        world.create(&NewToken { lifetime: lifetime(text), ..new(name) }).unwrap().token.id
    };
    let ids = [day("through", "2026-12-24"), day("never", "never"), day("long", "300d")];
    let like = |world: &World| ids.map(|id| world.template_from(&id).unwrap().lifetime.to_string());
    assert_eq!(like(&world), ["2026-12-24", "never", "300d"]);
    world.service.policy.limits =
        LifetimeLimits { max: "90d".parse().unwrap(), allow_never: false };
    assert_eq!(like(&world), ["2026-12-24", "30d", "30d"]);
    world.go_to(60 * DAY);
    assert_eq!(like(&world)[0], "30d", "that day is over");
}
