//! Examples and properties of the scope grammar and the scope algebra.

use proptest::prelude::*;

use super::*;

fn scope(text: &str) -> Scope {
    text.parse().unwrap()
}

fn scopes_of(texts: &[&str]) -> Scopes {
    let mut scopes = Scopes::default();
    for text in texts {
        scopes.add(scope(text)).unwrap();
    }
    scopes
}

fn texts(scopes: &Scopes) -> Vec<String> {
    scopes.iter().map(ToString::to_string).collect()
}

#[test]
fn add_missing_adds_only_scopes_that_are_not_covered() {
    let parsed = |texts: &[&str]| texts.iter().map(|t| t.parse().unwrap()).collect::<Vec<Scope>>();
    let mut set = Scopes::default();
    set.add_missing(parsed(&["channels:*:read", "users:u-1:read"])).unwrap();
    let more = parsed(&["channels:c-1:read", "users:u-1:read", "users:u-1:list", "users:*:read"]);
    let missing = set.add_missing(more).unwrap();
    assert_eq!(missing, parsed(&["users:u-1:list", "users:*:read"]));
    let held: Vec<_> = set.iter().map(ToString::to_string).collect();
    assert_eq!(held, ["channels:*:read", "users:*:read", "users:u-1:list"]);
}

#[test]
fn scope_parses_from_its_parts() {
    let read = scope("channels:c-42:publish");
    assert_eq!(read.entity_type.as_str(), "channels");
    assert_eq!(read.entity, Entity::Id("c-42".into()));
    assert_eq!(read.operation.as_str(), "publish");
    assert_eq!(read.domain, None);
    assert_eq!(scope("channels:*:publish@d1").domain.unwrap().as_str(), "d1");
    assert_eq!(scope("channels:a:b@c:publish").entity.as_str(), "a:b@c");
}

#[test]
fn invalid_scopes_are_errors_with_the_expected_form() {
    let error = |t: &str| t.parse::<Scope>().unwrap_err().to_string();
    assert_eq!(
        error("channels"),
        "invalid scope `channels`: use TYPE:ENTITY:OPERATION, e.g. channels:c-42:publish"
    );
    assert_eq!(
        error("channels::publish"),
        "missing entity: type an entity id, or * for any entity"
    );
    assert_eq!(
        error("channels:a b:publish"),
        "invalid entity: use 1 to 128 visible characters without spaces"
    );
    assert_eq!(
        error("Channels:*:publish"),
        "invalid name `Channels`: use at most 32 lower-case letters, digits, - and _"
    );
    assert!("channels:\u{202e}x:publish".parse::<Scope>().is_err());
}

#[test]
fn a_star_beside_other_characters_is_refused_unless_stored() {
    for text in ["channels:c-*:read", "channels:**:read", "channels:c:read@*", "channels:*:read@e*"]
    {
        let error = text.parse::<Scope>().unwrap_err();
        assert!(matches!(error, ScopeError::EntityPattern | ScopeError::DomainPattern));
        let stored = Scope::parse_stored(text).unwrap();
        assert_eq!((stored.to_string().as_str(), stored.require_grantable()), (text, Err(error)));
    }
    assert_eq!(scope("channels:*:read@eu").require_grantable(), Ok(()));
}

#[test]
fn duplicate_and_covered_scopes_are_errors() {
    let mut scopes = scopes_of(&["channels:*:publish"]);
    assert_eq!(
        scopes.add(scope("channels:*:publish")).unwrap_err().to_string(),
        "channels:*:publish is already granted: nothing to add"
    );
    assert_eq!(
        scopes.add(scope("channels:c1:publish")).unwrap_err().to_string(),
        "channels:c1:publish is already covered by channels:*:publish: nothing to add"
    );
    assert_eq!(scopes.len(), 1);
}

#[test]
fn star_absorbs_only_same_type_operation_and_domain() {
    let mut scopes = scopes_of(&[
        "channels:c1:publish",
        "channels:c2:publish",
        "channels:c1:subscribe",
        "channels:c1:publish@d1",
        "clients:c1:read",
    ]);
    let added = scopes.add(scope("channels:*:publish")).unwrap();
    assert_eq!(added.absorbed, [scope("channels:c1:publish"), scope("channels:c2:publish")]);
    assert_eq!(
        texts(&scopes),
        [
            "channels:*:publish",
            "channels:c1:publish@d1",
            "channels:c1:subscribe",
            "clients:c1:read"
        ]
    );
}

#[test]
fn the_257th_scope_is_an_error_unless_it_covers_others() {
    let mut scopes = Scopes::default();
    for n in 0..256 {
        scopes.add(scope(&format!("channels:c{n}:publish"))).unwrap();
    }
    assert_eq!(scopes.add(scope("clients:*:read")), Err(ScopeError::TooMany));
    assert_eq!(scopes.add(scope("channels:*:publish")).unwrap().absorbed.len(), 256);
    assert_eq!(scopes.len(), 1);
}

#[test]
fn remove_requires_an_equal_scope() {
    let mut scopes = scopes_of(&["channels:c1:publish"]);
    assert!(matches!(scopes.remove(&scope("channels:*:publish")), Err(ScopeError::Missing(_))));
    scopes.remove(&scope("channels:c1:publish")).unwrap();
    assert!(scopes.is_empty());
}

#[test]
fn stored_scopes_that_break_a_rule_are_rejected() {
    let stored = |texts: &[&str]| Scopes::from_stored(texts.iter().map(|t| scope(t)).collect());
    assert_eq!(stored(&[]), Some(Scopes::default()));
    let good = ["channels:*:publish", "channels:c1:publish@d1"];
    assert_eq!(stored(&good), Some(scopes_of(&good)));
    for bad in [
        ["channels:c1:publish", "channels:*:publish"],
        ["channels:*:publish", "channels:*:publish"],
        ["channels:*:publish", "channels:c1:publish"],
        ["channels:*:publish@d1", "channels:c1:publish@d1"],
        ["users:*:read", "clients:*:read"],
    ] {
        assert_eq!(stored(&bad), None, "{bad:?}");
    }
    let many = |n| (0..n).map(|n| scope(&format!("channels:c{n:03}:publish"))).collect();
    assert_eq!(Scopes::from_stored(many(256)).unwrap().len(), 256);
    assert_eq!(Scopes::from_stored(many(257)), None);
}

#[test]
fn ascii_fast_path_of_is_label_agrees_with_the_slow_path() {
    for c in (0..=0x7f_u8).map(char::from) {
        assert_eq!(is_label(&format!("a{c}")), is_label(&format!("\u{e6}{c}")), "{c:?}");
    }
    assert!(is_label(&"a".repeat(128)));
    assert!(!is_label(&"a".repeat(129)) && !is_label(""));
}

fn any_scope() -> impl Strategy<Value = Scope> {
    let entity = prop_oneof![Just("*".to_owned()), "[!-~]{1,4}"];
    let domain = prop_oneof![Just(String::new()), Just("@d1".to_owned()), Just("@d2".to_owned())];
    ("[a-b]", entity, "[p-q]", domain).prop_filter_map("a scope", |(t, e, o, d)| {
        let domain = d.strip_prefix('@').and_then(|d| Domain::parse(d).ok());
        Some(Scope {
            entity_type: EntityType::parse(&t).ok()?,
            entity: Entity::parse(&e).ok()?,
            operation: Operation::parse(&o).ok()?,
            domain,
        })
    })
}

proptest! {
    #[test]
    fn scope_round_trips_through_text(given in any_scope()) {
        prop_assert_eq!(given.to_string().parse::<Scope>().unwrap(), given);
    }

    #[test]
    fn words_sort_like_their_text(one in "[a-b][a-b0-9_-]{0,31}", other in "[a-b]{1,3}") {
        let word = |text: &str| Operation::parse(text).unwrap();
        let (first, second) = (word(&one), word(&other));
        prop_assert_eq!(first.as_str(), &one);
        prop_assert_eq!(first.cmp(&second), one.cmp(&other));
    }

    #[test]
    fn errors_for_any_text_are_safe_to_display(text in any::<String>()) {
        if let Err(error) = text.parse::<Scope>() {
            prop_assert_eq!(first_unsafe(&error.to_string()), None);
        }
    }

    #[test]
    fn set_allows_exactly_the_added_scopes(
        given in prop::collection::vec(any_scope(), 0..24),
        requested in any_scope(),
    ) {
        let mut scopes = Scopes::default();
        for scope in &given {
            let _ = scopes.add(scope.clone());
        }
        let allows = |held: &[Scope]| held.iter().any(|s| s.covers(&requested));
        prop_assert_eq!(allows(scopes.as_slice()), allows(&given));
        for (n, a) in scopes.iter().enumerate() {
            for (m, b) in scopes.iter().enumerate() {
                prop_assert!(n == m || !a.covers(b));
            }
        }
        prop_assert!(scopes.as_slice().is_sorted());
        prop_assert_eq!(Scopes::from_stored(scopes.as_slice().to_vec()), Some(scopes));
    }

    #[test]
    fn from_stored_accepts_exactly_the_sets_that_add_builds(
        mut given in prop::collection::vec(any_scope(), 0..6), sort in any::<bool>(),
    ) {
        if sort {
            given.sort();
        }
        let mut scopes = Scopes::default();
        for scope in &given {
            let _ = scopes.add(scope.clone());
        }
        let same = scopes.as_slice() == given;
        prop_assert_eq!(Scopes::from_stored(given).is_some(), same);
    }
}
