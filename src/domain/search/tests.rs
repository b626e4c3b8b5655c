//! Tests of the search grammar and of its evaluation.

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

/// Four tokens `a` to `d` for a search one day after their issue.
fn sample_tokens() -> Vec<Token> {
    vec![
        Token {
            scopes: scopes(&["channels:*:publish", "clients:c-42:read@factory"]),
            description: Description::parse("Deploys to Oslo").unwrap(),
            last_used: Some(LastUse { at: at(DAY - 5), from: None, summary: "".into() }),
            labels: "team=edge, Env=prod".parse().unwrap(),
            owner: Owner::parse("Ann Müller").unwrap(),
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
            labels: "team=Edge Nord, temp=1".parse().unwrap(),
            ..token(b'b', "CI Prod")
        },
        Token {
            expires: Some(at(60)),
            labels: "TEAM=EDGE".parse().unwrap(),
            ..token(b'c', "expired-one")
        },
        Token { revoked: Some(at(5)), expires: Some(at(60)), ..token(b'd', "revoked-one") },
    ]
}

/// The letters of the sample tokens that match `text`.
fn matches_of(text: &str) -> String {
    let search = search(text);
    let tokens = sample_tokens();
    let matches = tokens.iter().filter(|token| search.matches(token, at(DAY)));
    matches.map(|token| char::from(token.id.as_bytes()[0])).collect()
}

#[test]
fn words_match_name_id_and_description_ignoring_case() {
    assert_eq!(matches_of(""), "abcd");
    assert_eq!(matches_of("  ci  "), "ab");
    assert_eq!(matches_of("oslo DEPLOYS"), "a");
    assert_eq!(matches_of("oslo prod"), "");
    assert_eq!(matches_of("bbbb"), "b");
    assert_eq!(matches_of("\"to oslo\""), "a");
    assert_eq!(matches_of("\"oslo to\""), "");
    assert_eq!(matches_of("\"\""), "abcd");
}

/// Ids are random: a word of a name must not match some of them by chance.
#[test]
fn a_word_matches_only_the_start_of_an_id() {
    let mut token = token(b'x', "gateway");
    token.id = TokenId::from_bytes(*b"4fKq9Zt0WbXe").unwrap();
    let matches = |word: &str| search(word).matches(&token, at(DAY));
    assert!(matches("4fkq") && matches("4FKQ9zt0wbxe") && matches("id:wb"));
    assert!(!matches("4fk") && !matches("fKq9Zt") && !matches("wb") && !matches("-gateway"));
}

#[test]
fn each_term_matches_the_expected_tokens() {
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
        ("unsaved", "b"),
        ("name:ci", "ab"),
        ("name:prod", "b"),
        ("id:dd", "d"),
        ("by:alice", "acd"),
        ("by:bob", "b"),
        ("by:192.0.2", "b"),
        ("owner:ann", "a"),
        ("owner:\"ann müller\"", "a"),
        ("owner:\"ann\"", ""),
        ("owner:alice", "cd"),
        ("owner:bob", "b"),
        ("owner:root", "b"),
        ("owner:192.0.2", ""),
        ("-owner:ann", "bcd"),
        ("label:team", "abc"),
        ("label:te", "abc"),
        ("label:\"te\"", ""),
        ("label:temp", "b"),
        ("label:te=", ""),
        ("label:Team=", "abc"),
        ("label:team=edge", "ac"),
        ("label:team=EDGE", "ac"),
        ("label:team=e", ""),
        ("label:\"team=edge nord\"", "b"),
        ("label:\"team = edge\"", "ac"),
        ("label:env=prod label:team=edge", "a"),
        ("-label:team=edge", "bd"),
        ("-label:team", "d"),
        ("idle>12h", "bcd"),
        ("idle<1h", "a"),
        ("expiring<7d", "b"),
        ("expires<7d", "b"),
        ("expires>7d", "a"),
    ] {
        assert_eq!(matches_of(text), letters, "{text}");
    }
}

#[test]
fn scope_terms_must_match_a_single_scope() {
    assert_eq!(matches_of("type:channels op:publish"), "a");
    assert_eq!(matches_of("type:clients op:publish"), "");
    assert_eq!(matches_of("type:clients entity:c-42 domain:fact"), "a");
    assert_eq!(matches_of("wildcard op:read"), "");
}

#[test]
fn may_term_uses_the_rule_of_access_checks() {
    assert_eq!(matches_of("may:channels:c-42:publish"), "a");
    assert_eq!(matches_of("may:channels:c-42:subscribe"), "b");
    assert_eq!(matches_of("may:clients:c-42:read"), "");
    assert_eq!(matches_of("may:clients:c-42:read@factory"), "a");
    assert_eq!(matches_of("-may:channels:c-42:publish status:active"), "b");
}

#[test]
fn quoted_value_matches_exactly() {
    assert_eq!(matches_of("entity:c-42 type:groups"), "b");
    assert_eq!(matches_of("entity:\"c-42\" type:groups"), "");
    assert_eq!(matches_of("name:\"ci prod\""), "b");
    assert_eq!(matches_of("name:\"ci\""), "");
    assert_eq!(matches_of("op:\"publis\""), "");
    assert_eq!(matches_of("by:\"ali\""), "");
}

#[test]
fn dash_negates_a_term() {
    assert_eq!(matches_of("-ci"), "cd");
    assert_eq!(matches_of("ci -op:publish"), "b");
    assert_eq!(matches_of("-unused"), "a");
    assert_eq!(matches_of("-status:active"), "cd");
    // One scope is on channels, and no scope allows publish.
    assert_eq!(matches_of("type:channels -op:publish"), "b");
    // A dash alone or inside a word is text.
    assert_eq!(matches_of("-"), "acd");
    assert_eq!(matches_of("\"-one\""), "cd");
}

#[test]
fn errors_name_the_term_and_the_valid_forms() {
    let error = |text: &str| Search::parse(text).unwrap_err().to_string();
    assert_eq!(
        error("ci staus:x"),
        format!(
            "unknown term staus:x (did you mean status:?): put it in \"quotes\", or use {TERMS}"
        )
    );
    assert_eq!(
        error("-status:gone"),
        "-status:gone needs active, not-yet-valid, expired, revoked or all"
    );
    assert_eq!(error("status:"), "status: needs active, not-yet-valid, expired, revoked or all");
    assert_eq!(error("type: ci"), "type: needs an entity type, e.g. type:channels");
    assert_eq!(error("name:\"\""), "name:\"\" needs part of a name, e.g. name:ci");
    let label = "needs a label, e.g. label:team or label:team=edge";
    for text in ["label:", "label:=x", "label:-x", "label:te!m", "label:\"a b=c\""] {
        assert_eq!(error(text), format!("{text} {label}"));
    }
    assert_eq!(
        error("label:team=\"Edge Nord\""),
        "label:team=\"Edge needs quotes around the whole label, e.g. label:\"team=Edge Nord\""
    );
    assert_eq!(error("idle>soon"), "idle>soon needs a duration with a unit, e.g. idle>90d");
    assert_eq!(error("idle:soon"), "idle:soon needs a duration with a unit, e.g. idle>90d");
    assert_eq!(error("expires<"), "expires< needs a duration with a unit, e.g. expires<7d");
    assert_eq!(error("may:"), "may: needs a scope, e.g. may:channels:c-1:publish");
    assert_eq!(
        error("may:channels"),
        "may:channels: invalid scope `channels`: use TYPE:ENTITY:OPERATION, e.g. \
         channels:c-42:publish"
    );
    assert!(error("foo:\u{1b}[2J").starts_with("unknown term foo:\\u{1b}[2J: "));
}

#[test]
fn lenient_parsing_ignores_invalid_terms() {
    let (parsed, error) = Search::parse_lenient("ci idle> op:pub foo:x");
    assert_eq!(parsed, search("ci op:pub"));
    assert_eq!(error, Search::parse("idle>").err());
    assert_eq!(Search::parse_lenient("ci "), (search("ci"), None));
}

#[test]
fn search_reports_which_fields_it_needs() {
    let needs = |text: &str| {
        let search = search(text);
        (search.is_words_only(), search.filters_scopes(), search.filters_ownership())
    };
    for text in ["", "ci", "\"two words\" ci"] {
        assert_eq!(needs(text), (true, false, false), "{text}");
    }
    for text in ["-ci", "name:x", "status:all unused idle>1d expires<7d"] {
        assert_eq!(needs(text), (false, false, false), "{text}");
    }
    for text in ["op:x", "wildcard", "-type:x", "may:channels:*:read"] {
        assert_eq!(needs(text), (false, true, false), "{text}");
    }
    for text in ["-by:alice", "owner:ann", "label:team", "-label:team=edge"] {
        assert_eq!(needs(text), (false, false, true), "{text}");
    }
    let words = search("CI -prod name:x \"two words\"");
    assert_eq!(words.words().collect::<Vec<_>>(), ["ci", "two words"]);
    assert!(search("-status:revoked").filters_status() && !search("expires<7d").filters_status());
    assert!(search("\"\" ").is_empty() && !search("x").is_empty());
}

#[test]
fn search_prints_in_canonical_form() {
    let printed = |text: &str| search(text).to_string();
    assert_eq!(printed("  CI   status:EXP idle>1y "), "ci status:expired idle>365d");
    assert_eq!(
        printed("\"two words\" \"status:x\" \"unused\""),
        "\"two words\" \"status:x\" \"unused\""
    );
    assert_eq!(printed("--x name:\"A \\\"b\\\" \\\\\""), "-\"-x\" name:\"a \\\"b\\\" \\\\\"");
    assert_eq!(printed("\"open to the end"), "\"open to the end\"");
    assert_eq!(printed("label:\"Team = EDGE\" owner:ANN"), "label:team=edge owner:ann");
    assert_eq!(printed("label:\"team=Edge N\" label:\"a\""), "label:\"team=edge n\" label:\"a\"");
    assert_eq!(printed("12:30 a/b:c"), "12:30 a/b:c");
}

/// Texts that are likely to contain terms.
fn text() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        Just("status:".to_owned()),
        Just("idle>".to_owned()),
        Just("expires<".to_owned()),
        Just("name:\"".to_owned()),
        Just("may:channels:*:read".to_owned()),
        Just("90d".to_owned()),
        Just("unused".to_owned()),
        Just("label:".to_owned()),
        Just("label:\"a=".to_owned()),
        Just("label:a=".to_owned()),
        Just("owner:".to_owned()),
        "[-\"\\\\ :<>a-cK]{0,6}",
        any::<String>(),
    ];
    prop::collection::vec(word, 0..8).prop_map(|words| words.concat())
}

#[test]
fn a_value_that_folds_to_a_blank_or_a_quote_round_trips() {
    for term in ["owner:\u{384}", "name:a\u{a8}b", "by:\u{ff02}x", "label:a=\u{384}", "\u{ff02}x"] {
        let search = search(term);
        assert_eq!(Search::parse(&search.to_string()), Ok(search), "{term}");
    }
}

#[test]
fn terms_on_other_fields_count_as_true() {
    let tokens = sample_tokens();
    let facts = TokenFacts::of(&tokens[0], at(DAY));
    for text in ["by:bob", "-by:alice", "type:none", "-may:channels:c-42:publish"] {
        assert!(search(text).matches_facts(&facts, || SearchableTexts::of(&tokens[0])), "{text}");
    }
    assert!(search("type:none ci").matches_ownership(Ownership::of(&tokens[0])));
    assert!(search("by:bob ci").matches_scopes(&tokens[0].scopes));
}

#[test]
fn errors_with_hostile_terms_are_safe_to_display() {
    // The fuzz target `search` found the second term.
    for term in ["a:\u{1}", "mAy:\u{fffd}G\u{1}s", "may:\u{1}:e:o", "status:\u{1}"] {
        let error = Search::parse(term).unwrap_err().to_string();
        assert_eq!(first_unsafe(&error), None, "{error:?}");
    }
}

proptest! {
    #[test]
    fn search_round_trips_through_text(text in text()) {
        if let Ok(search) = Search::parse(&text) {
            prop_assert_eq!(Search::parse(&search.to_string()), Ok(search));
        }
    }

    #[test]
    fn term_matches_exactly_if_its_negation_does_not(text in text(), minute in 0_i64..100_000) {
        let Ok(search) = Search::parse(&text) else { return Ok(()) };
        for term in search.terms {
            let negated = Search { terms: vec![SearchTerm { negated: !term.negated, ..term.clone() }] };
            let one = Search { terms: vec![term] };
            for token in sample_tokens() {
                prop_assert_ne!(one.matches(&token, at(minute)), negated.matches(&token, at(minute)));
            }
        }
    }
}

#[test]
fn a_corrected_search_keeps_the_other_terms() {
    let cases = [
        ("ci owner=ann unused", Some("ci owner:ann unused")),
        ("team=edge", Some("label:team=edge")),
        ("-op:read owner:edge team", Some("-op:read owner:\"edge team\"")),
        ("-team=edge", None),
        ("owner:ann", None),
    ];
    for (typed, corrected) in cases {
        assert_eq!(search(typed).corrected().as_deref(), corrected, "{typed}");
    }
}
