//! Examples and properties of the search grammar.

use proptest::prelude::*;

use super::*;
use crate::domain::{
    Actor, Description, LastUse, Name, TokenId,
    scope::Scopes,
    terminal_text::first_unsafe,
    token::tests::{at, sample_token},
};

fn search(text: &str) -> Search {
    Search::parse(text).unwrap()
}

fn scopes(texts: &[&str]) -> Scopes {
    let mut scopes = Scopes::default();
    for text in texts {
        scopes.add(text.parse().unwrap()).unwrap();
    }
    scopes
}

fn token(letter: u8, name: &str) -> Token {
    Token {
        id: TokenId::from_bytes([letter; 12]).unwrap(),
        name: Name::parse(name).unwrap(),
        expires: Some(at(30 * DAY)),
        ..sample_token()
    }
}

const DAY: i64 = 24 * 60;

/// Four tokens, looked at one day after they were issued.
fn some() -> Vec<Token> {
    vec![
        Token {
            scopes: scopes(&["channels:*:publish", "clients:c-42:read@factory"]),
            description: Description::parse("Deploys to Oslo").unwrap(),
            last_used: Some(LastUse { at: at(DAY - 5), from: None, what: "".into() }),
            ..token(b'a', "ci-deploy")
        },
        Token {
            scopes: scopes(&["channels:c-42:subscribe", "groups:c-420:list"]),
            created_by: Actor {
                user: "root".into(),
                sudo_user: Some("bob".into()),
                from: Some("192.0.2.7".into()),
            },
            expires: Some(at(3 * DAY)),
            delivered: false,
            ..token(b'b', "CI Prod")
        },
        Token { expires: Some(at(60)), ..token(b'c', "expired-one") },
        Token { revoked: Some(at(5)), expires: Some(at(60)), ..token(b'd', "revoked-one") },
    ]
}

/// The letters of those that `text` finds.
fn found(text: &str) -> String {
    let search = search(text);
    let tokens = some();
    let found = tokens.iter().filter(|token| search.matches(token, at(DAY)));
    found.map(|token| char::from(token.id.as_bytes()[0])).collect()
}

#[test]
fn free_words_are_each_looked_for_in_name_id_and_description_without_case() {
    assert_eq!(found(""), "abcd");
    assert_eq!(found("  ci  "), "ab");
    assert_eq!(found("oslo DEPLOYS"), "a");
    assert_eq!(found("oslo prod"), "");
    assert_eq!(found("bbbb"), "b");
    assert_eq!(found("\"to oslo\""), "a");
    assert_eq!(found("\"oslo to\""), "");
    assert_eq!(found("\"\""), "abcd");
}

#[test]
fn each_term_finds_what_it_says() {
    for (text, letters) in [
        ("status:active", "ab"),
        ("status:expired", "c"),
        ("status:revoked", "d"),
        ("status:all", "abcd"),
        ("status:e", "c"),
        ("STATUS:Rev", "d"),
        ("type:channels", "ab"),
        ("type:chan", "ab"),
        ("op:publish", "a"),
        ("entity:c-42", "ab"),
        ("entity:*", "a"),
        ("domain:factory", "a"),
        ("wildcard", "a"),
        ("unused", "bcd"),
        ("unclaimed", "b"),
        ("name:ci", "ab"),
        ("name:prod", "b"),
        ("id:dd", "d"),
        ("by:alice", "acd"),
        ("by:bob", "b"),
        ("by:192.0.2", "b"),
        ("idle>12h", "bcd"),
        ("idle<1h", "a"),
        ("expiring<7d", "b"),
        ("expiring>7d", "a"),
    ] {
        assert_eq!(found(text), letters, "{text}");
    }
}

#[test]
fn terms_about_scopes_are_asked_of_one_scope_together() {
    assert_eq!(found("type:channels op:publish"), "a");
    assert_eq!(found("type:clients op:publish"), "");
    assert_eq!(found("type:clients entity:c-42 domain:fact"), "a");
    assert_eq!(found("wildcard op:read"), "");
}

#[test]
fn who_may_do_something_is_answered_by_the_rule_of_the_checks() {
    assert_eq!(found("may:channels:c-42:publish"), "a");
    assert_eq!(found("may:channels:c-42:subscribe"), "b");
    assert_eq!(found("may:clients:c-42:read"), "");
    assert_eq!(found("may:clients:c-42:read@factory"), "a");
    assert_eq!(found("-may:channels:c-42:publish status:active"), "b");
}

#[test]
fn a_value_in_quotes_is_all_that_stands_there() {
    assert_eq!(found("entity:c-42 type:groups"), "b");
    assert_eq!(found("entity:\"c-42\" type:groups"), "");
    assert_eq!(found("name:\"ci prod\""), "b");
    assert_eq!(found("name:\"ci\""), "");
    assert_eq!(found("op:\"publis\""), "");
    assert_eq!(found("by:\"ali\""), "");
}

#[test]
fn a_dash_finds_the_others() {
    assert_eq!(found("-ci"), "cd");
    assert_eq!(found("ci -op:publish"), "b");
    assert_eq!(found("-unused"), "a");
    assert_eq!(found("-status:active"), "cd");
    // Some scope of it is on channels, and none may publish.
    assert_eq!(found("type:channels -op:publish"), "b");
    // A dash by itself, or within a word, is text.
    assert_eq!(found("-"), "acd");
    assert_eq!(found("\"-one\""), "cd");
}

#[test]
fn what_cannot_be_read_names_the_term_and_what_to_write() {
    let told = |text: &str| Search::parse(text).unwrap_err().to_string();
    assert_eq!(
        told("ci staus:x"),
        format!("staus:x is no term: choose of {TERMS}, or put it in \"quotes\"")
    );
    assert_eq!(told("-status:gone"), "-status:gone wants active, expired, revoked or all");
    assert_eq!(told("status:"), "status: wants active, expired, revoked or all");
    assert_eq!(told("type: ci"), "type: wants an entity type, as type:channels");
    assert_eq!(told("name:\"\""), "name:\"\" wants a part of a name");
    assert_eq!(told("idle>soon"), "idle>soon wants a time, as idle>90d");
    assert_eq!(told("idle:90d"), "idle:90d wants a time, as idle>90d");
    assert_eq!(told("expiring<"), "expiring< wants a time, as expiring<7d");
    assert_eq!(
        told("may:channels"),
        "may:channels: `channels` is not a scope: write TYPE:ENTITY:OPERATION, such as \
         channels:*:publish"
    );
    assert!(told("foo:\u{1b}[2J").starts_with("foo:\\u{1b}[2J is no term"));
}

#[test]
fn what_is_still_being_typed_counts_as_far_as_it_can_be_read() {
    let (read, fault) = Search::read("ci idle> op:pub foo:x");
    assert_eq!(read, search("ci op:pub"));
    assert_eq!(fault, Search::parse("idle>").err());
    assert_eq!(Search::read("ci "), (search("ci"), None));
}

#[test]
fn it_knows_what_it_asks_for() {
    let asks = |text: &str| {
        let search = search(text);
        (search.is_words(), search.asks_for_scopes(), search.asks_for_maker())
    };
    for text in ["", "ci", "\"two words\" ci"] {
        assert_eq!(asks(text), (true, false, false), "{text}");
    }
    for text in ["-ci", "name:x", "status:all unused idle>1d expiring<7d"] {
        assert_eq!(asks(text), (false, false, false), "{text}");
    }
    for text in ["op:x", "wildcard", "-type:x", "may:channels:*:read"] {
        assert_eq!(asks(text), (false, true, false), "{text}");
    }
    assert_eq!(asks("-by:alice"), (false, false, true));
    let words = search("CI -prod name:x \"two words\"");
    assert_eq!(words.words().collect::<Vec<_>>(), ["ci", "two words"]);
    assert!(search("-status:revoked").names_status() && !search("expiring<7d").names_status());
    assert!(search("\"\" ").is_empty() && !search("x").is_empty());
}

#[test]
fn it_prints_in_one_form() {
    let printed = |text: &str| search(text).to_string();
    assert_eq!(printed("  CI   status:EXP idle>1y "), "ci status:expired idle>365d");
    assert_eq!(
        printed("\"two words\" \"status:x\" \"unused\""),
        "\"two words\" \"status:x\" \"unused\""
    );
    assert_eq!(printed("--x name:\"A \\\"b\\\" \\\\\""), "-\"-x\" name:\"a \\\"b\\\" \\\\\"");
    assert_eq!(printed("\"open to the end"), "\"open to the end\"");
    assert_eq!(printed("12:30 a/b:c"), "12:30 a/b:c");
}

/// Texts that are likely to hold terms.
fn text() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        Just("status:".to_owned()),
        Just("idle>".to_owned()),
        Just("expiring<".to_owned()),
        Just("name:\"".to_owned()),
        Just("may:channels:*:read".to_owned()),
        Just("90d".to_owned()),
        Just("unused".to_owned()),
        "[-\"\\\\ :<>a-cK]{0,6}",
        any::<String>(),
    ];
    prop::collection::vec(word, 0..8).prop_map(|words| words.concat())
}

#[test]
fn what_is_asked_elsewhere_rules_nobody_out() {
    let tokens = some();
    let facts = Facts::of(&tokens[0], at(DAY));
    for text in ["by:bob", "-by:alice", "type:none", "-may:channels:c-42:publish"] {
        assert!(search(text).fits(&facts, || Texts::of(&tokens[0])), "{text}");
    }
    assert!(search("type:none ci").fits_maker(&tokens[0].created_by));
    assert!(search("by:bob ci").fits_scopes(&tokens[0].scopes));
}

#[test]
fn a_refused_term_is_told_so_that_it_can_be_shown() {
    // The second was found by the fuzz target `search`.
    for term in ["a:\u{1}", "mAy:\u{fffd}G\u{1}s", "may:\u{1}:e:o", "status:\u{1}"] {
        let told = Search::parse(term).unwrap_err().to_string();
        assert_eq!(first_unsafe(&told), None, "{told:?}");
    }
}

proptest! {
    #[test]
    fn parse_after_print_is_the_same_search(text in text()) {
        if let Ok(search) = Search::parse(&text) {
            prop_assert_eq!(Search::parse(&search.to_string()), Ok(search));
        }
    }

    #[test]
    fn each_term_and_its_negation_part_all_tokens(text in text(), minute in 0_i64..100_000) {
        let Ok(search) = Search::parse(&text) else { return Ok(()) };
        for term in search.terms {
            let turned = Search { terms: vec![Term { negated: !term.negated, ..term.clone() }] };
            let one = Search { terms: vec![term] };
            for token in some() {
                prop_assert_ne!(one.matches(&token, at(minute)), turned.matches(&token, at(minute)));
            }
        }
    }
}
