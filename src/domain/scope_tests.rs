//! Examples and properties of the scope grammar and the scope algebra.

use proptest::prelude::*;

use super::*;

fn scope(text: &str) -> Scope {
    text.parse().unwrap()
}

fn holding(texts: &[&str]) -> Scopes {
    let mut scopes = Scopes::default();
    for text in texts {
        scopes.add(scope(text)).unwrap();
    }
    scopes
}

fn printed(scopes: &Scopes) -> Vec<String> {
    scopes.iter().map(ToString::to_string).collect()
}

#[test]
fn only_what_is_missing_is_added_where_that_is_asked_for() {
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
fn a_scope_reads_from_its_three_parts() {
    let read = scope("channels:c-42:publish");
    assert_eq!(read.entity_type.as_str(), "channels");
    assert_eq!(read.entity, Entity::Id("c-42".into()));
    assert_eq!(read.operation.as_str(), "publish");
    assert_eq!(read.domain, None);
    assert_eq!(scope("channels:*:publish@d1").domain.unwrap().as_str(), "d1");
    assert_eq!(scope("channels:a:b@c:publish").entity.as_str(), "a:b@c");
}

#[test]
fn what_is_no_scope_is_refused_with_the_shape_to_write() {
    let told = |t: &str| t.parse::<Scope>().unwrap_err().to_string();
    assert_eq!(
        told("channels"),
        "`channels` is not a scope: write TYPE:ENTITY:OPERATION, such as channels:*:publish"
    );
    assert_eq!(told("channels::publish"), "an entity is needed: type its id, or * for any");
    assert_eq!(
        told("channels:a b:publish"),
        "an entity is 1 to 128 visible characters without spaces"
    );
    assert_eq!(
        told("Channels:*:publish"),
        "`Channels` is not a word: use lower-case letters, digits, - and _, at most 32"
    );
    assert!("channels:\u{202e}x:publish".parse::<Scope>().is_err());
}

#[test]
fn a_duplicate_and_a_covered_scope_are_refused() {
    let mut scopes = holding(&["channels:*:publish"]);
    assert_eq!(
        scopes.add(scope("channels:*:publish")).unwrap_err().to_string(),
        "channels:*:publish is there already: nothing to add"
    );
    assert_eq!(
        scopes.add(scope("channels:c1:publish")).unwrap_err().to_string(),
        "channels:c1:publish is covered by channels:*:publish already: nothing to add"
    );
    assert_eq!(scopes.len(), 1);
}

#[test]
fn a_star_absorbs_only_its_own_type_operation_and_domain() {
    let mut scopes = holding(&[
        "channels:c1:publish",
        "channels:c2:publish",
        "channels:c1:subscribe",
        "channels:c1:publish@d1",
        "clients:c1:read",
    ]);
    let added = scopes.add(scope("channels:*:publish")).unwrap();
    assert_eq!(added.absorbed, [scope("channels:c1:publish"), scope("channels:c2:publish")]);
    assert_eq!(
        printed(&scopes),
        [
            "channels:*:publish",
            "channels:c1:publish@d1",
            "channels:c1:subscribe",
            "clients:c1:read"
        ]
    );
}

#[test]
fn the_257th_scope_is_refused_and_a_star_makes_room() {
    let mut scopes = Scopes::default();
    for n in 0..256 {
        scopes.add(scope(&format!("channels:c{n}:publish"))).unwrap();
    }
    assert_eq!(scopes.add(scope("clients:*:read")), Err(ScopeError::TooMany));
    assert_eq!(scopes.add(scope("channels:*:publish")).unwrap().absorbed.len(), 256);
    assert_eq!(scopes.len(), 1);
}

#[test]
fn removing_asks_for_the_very_scope() {
    let mut scopes = holding(&["channels:c1:publish"]);
    assert!(matches!(scopes.remove(&scope("channels:*:publish")), Err(ScopeError::Missing(_))));
    scopes.remove(&scope("channels:c1:publish")).unwrap();
    assert!(scopes.is_empty());
}

#[test]
fn stored_scopes_that_break_a_rule_are_refused() {
    let stored = |texts: &[&str]| Scopes::from_stored(texts.iter().map(|t| scope(t)).collect());
    assert_eq!(stored(&[]), Some(Scopes::default()));
    let good = ["channels:*:publish", "channels:c1:publish@d1"];
    assert_eq!(stored(&good), Some(holding(&good)));
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
fn a_label_of_ascii_alone_obeys_the_rules_of_all_labels() {
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
    fn parse_after_print_is_the_same_scope(given in any_scope()) {
        prop_assert_eq!(given.to_string().parse::<Scope>().unwrap(), given);
    }

    #[test]
    fn words_are_in_the_order_of_their_texts(one in "[a-b][a-b0-9_-]{0,31}", other in "[a-b]{1,3}") {
        let word = |text: &str| Operation::parse(text).unwrap();
        let (first, second) = (word(&one), word(&other));
        prop_assert_eq!(first.as_str(), &one);
        prop_assert_eq!(first.cmp(&second), one.cmp(&other));
    }

    #[test]
    fn any_text_is_answered_and_a_refusal_can_be_shown(text in any::<String>()) {
        if let Err(error) = text.parse::<Scope>() {
            prop_assert_eq!(first_unsafe(&error.to_string()), None);
        }
    }

    #[test]
    fn a_set_permits_just_what_was_added_and_covers_nothing_twice(
        given in prop::collection::vec(any_scope(), 0..24),
        asked in any_scope(),
    ) {
        let mut scopes = Scopes::default();
        for scope in &given {
            let _ = scopes.add(scope.clone());
        }
        let permits = |held: &[Scope]| held.iter().any(|s| s.covers(&asked));
        prop_assert_eq!(permits(scopes.as_slice()), permits(&given));
        for (n, a) in scopes.iter().enumerate() {
            for (m, b) in scopes.iter().enumerate() {
                prop_assert!(n == m || !a.covers(b));
            }
        }
        prop_assert!(scopes.as_slice().is_sorted());
        prop_assert_eq!(Scopes::from_stored(scopes.as_slice().to_vec()), Some(scopes));
    }

    #[test]
    fn stored_scopes_are_taken_just_when_adding_them_gives_the_same(
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
