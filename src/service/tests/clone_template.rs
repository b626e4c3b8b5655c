//! Cloning a token: which properties are copied and which are not.

use super::*;

#[test]
fn template_copies_everything_but_the_name_and_secret() {
    let fixture = TestService::new();
    let text = Description::parse("purpose").unwrap();
    let original = NewToken {
        description: text.clone(),
        lifetime: lifetime("90m"),
        labels: "team=edge".parse().unwrap(),
        owner: Owner::parse("Ann").unwrap(),
        ..new_token("ci")
    };
    let id = fixture.create(&original).unwrap().token.id;
    fixture.issue("CI-2");
    // An expired or revoked token can be cloned, too.
    fixture.set_minute(DAY);
    fixture.revoke(&id).unwrap();
    let template = fixture.expect_no_change(|s| s.template_from(&id));
    assert_eq!(template.name, name("ci-3"), "ci-2 is taken, in another case");
    assert_eq!((&template.description, template.lifetime), (&text, lifetime("90m")));
    assert_eq!(template.scopes, original.scopes);
    assert_eq!((&template.labels, &template.owner), (&original.labels, &original.owner));
    let clone = fixture.create(&template).unwrap();
    assert_ne!(clone.token.id, id);
    assert!(fixture.works(&clone.secret));
    assert_eq!(fixture.template_from(&clone.token.id).unwrap().name, name("ci-4"));
}

#[test]
fn template_replaces_a_lifetime_that_is_not_allowed() {
    let mut fixture = TestService::new();
    fixture.service.policy.limits.allow_never = true;
    let day = |name: &str, text: &str| {
        fixture.clock.set(at(0) + TimeDelta::seconds(7));
        fixture.create(&NewToken { lifetime: lifetime(text), ..new_token(name) }).unwrap().token.id
    };
    let ids = [day("through", "2026-12-24"), day("never", "never"), day("long", "300d")];
    let template = |fixture: &TestService| {
        ids.map(|id| fixture.template_from(&id).unwrap().lifetime.to_string())
    };
    assert_eq!(template(&fixture), ["2026-12-24", "never", "300d"]);
    fixture.service.policy.limits =
        LifetimeLimits { max: "90d".parse().unwrap(), allow_never: false };
    assert_eq!(template(&fixture), ["2026-12-24", "30d", "30d"]);
    fixture.set_minute(60 * DAY);
    assert_eq!(template(&fixture)[0], "30d", "the date is in the past");
}
