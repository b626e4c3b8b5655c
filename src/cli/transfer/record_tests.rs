//! Tests that a token survives the conversion to a line and back, and that the faults of an invalid
//! line name their fields.

use chrono::TimeZone as _;
use proptest::prelude::*;
use serde_json::Value;

use super::*;

fn at(second: i64) -> Timestamp {
    Utc.timestamp_opt(second, 123_456_789).unwrap()
}

fn sample_token() -> Token {
    let mut scopes = Scopes::default();
    for scope in ["channels:*:publish@d1", "clients:a:b@c:read"] {
        scopes.add(scope.parse().unwrap()).unwrap();
    }
    Token {
        id: TokenId::parse("4fKq9Zt0WbXe").unwrap(),
        name: Name::parse("CI \"prod\" søk").unwrap(),
        description: Description::parse("two\nlines").unwrap(),
        scopes,
        prefix: "acme2".into(),
        digest: Digest::from_bytes([0xa7; 32]),
        previous: Some(PreviousSecret {
            digest: Digest::from_bytes([9; 32]),
            until: at(500),
            last_used: Some(LastUse {
                at: at(400),
                from: None,
                summary: "identify allowed".into(),
            }),
            uses_taken: 2,
            last_denied: None,
        }),
        created: at(1),
        created_by: Actor { user: "root".into(), sudo_user: Some("alice".into()), from: None },
        issued: at(2),
        expires: Some(at(900)),
        revoked: Some(at(3)),
        version: 1,
        generation: 1,
        delivered: true,
        last_used: Some(LastUse {
            at: at(4),
            from: Some("192.0.2.7".into()),
            summary: "identify allowed".into(),
        }),
        limits: TokenLimits {
            sources: Some("10.0.0.0/8,2001:db8::1".parse().unwrap()),
            not_before: Some(at(600)),
            max_uses: MaxUses::new(5),
        },
        labels: "team=edge, Env=prod \"x\"".parse().unwrap(),
        owner: Owner::parse("Ann Müller").unwrap(),
        uses_taken: 4,
        last_denied: Some(LastUse { at: at(5), from: None, summary: "identify".into() }),
    }
}

#[test]
fn a_token_survives_the_round_trip() {
    let full = sample_token();
    assert_eq!(parse(2, &to_value(&full).to_string()), Ok(full));
    let bare = Token {
        scopes: Scopes::default(),
        previous: None,
        expires: None,
        revoked: None,
        delivered: false,
        last_used: None,
        limits: TokenLimits::default(),
        uses_taken: 0,
        last_denied: None,
        labels: Labels::default(),
        owner: Owner::default(),
        ..sample_token()
    };
    let mut line = to_value(&bare);
    assert_eq!(parse(2, &line.to_string()), Ok(bare.clone()));
    // Exports of version 0.1.0 lack these fields.
    for field in ["labels", "limits", "owner", "uses_taken"] {
        line.as_object_mut().unwrap().remove(field);
    }
    assert_eq!(parse(2, &line.to_string()), Ok(bare));
}

#[test]
fn the_highest_generation_and_version_are_valid() {
    let (version, generation) = (1_000_000_000_000_000, 2_000_000_000);
    let token = Token { version, generation, ..sample_token() };
    assert_eq!(parse(2, &to_value(&token).to_string()), Ok(token));
}

/// Returns the faults if the field at `pointer` is `value`, each as `field: reason`.
fn faults_with(pointer: &str, value: Value) -> Vec<String> {
    let mut line = to_value(&sample_token());
    *line.pointer_mut(pointer).unwrap() = value;
    faults_of(&line)
}

fn faults_of(line: &Value) -> Vec<String> {
    let faults = parse(7, &line.to_string()).unwrap_err();
    assert!(faults.iter().all(|fault| fault.line == 7));
    let faults = faults.iter();
    faults.map(|fault| format!("{}: {}", fault.field, fault.reason)).collect()
}

/// Pointer to a field, its invalid value, and the expected fault.
type InvalidValue = (&'static str, Value, &'static str);

fn invalid_values() -> Vec<InvalidValue> {
    vec![
        ("/id", json!("short"), "id: expected 12 letters and digits"),
        ("/name", json!(" "), "name: missing name: type 1 to 64 characters"),
        ("/name", json!(5), "name: expected a string"),
        ("/prefix", json!("PAT"), "prefix: expected a lower-case letter, then letters and digits"),
        ("/digest", json!("sha256:00"), "digest: expected sha256: and 64 hexadecimal digits"),
        ("/digest", json!("md5:00"), "digest: expected sha256: and 64 hexadecimal digits"),
        ("/issued", json!("yesterday"), "issued: expected a time such as 2026-12-24T13:05:00Z"),
        ("/expires", json!(1), "expires: expected a string"),
        ("/claimed", json!("yes"), "claimed: expected true or false"),
        ("/created_by", json!(null), "created_by: expected an object"),
        ("/created_by/user", json!(null), "created_by.user: expected a string"),
        (
            "/retiring/until",
            json!(""),
            "retiring.until: expected a time such as 2026-12-24T13:05:00Z",
        ),
        (
            "/last_used/what",
            json!("x".repeat(1_025)),
            "last_used.what: longer than 1024 characters",
        ),
        (
            "/limits/allow_from",
            json!(["10.0.0.1/8"]),
            "limits.allow_from: 10.0.0.1/8 has bits beyond its prefix: use 10.0.0.0/8",
        ),
        (
            "/limits/allow_from",
            json!([]),
            "limits.allow_from: no network is given: use e.g. 10.0.0.0/8",
        ),
        ("/limits/max_uses", json!(0), "limits.max_uses: out of range"),
        ("/limits/not_before", json!(5), "limits.not_before: expected a string"),
        ("/generation", json!(0), "generation: out of range"),
        ("/generation", json!(2_000_000_001), "generation: out of range"),
        ("/generation", json!(u32::MAX), "generation: out of range"),
        ("/version", json!(0), "version: out of range"),
        ("/version", json!(1_000_000_000_000_001_u64), "version: out of range"),
        ("/version", json!(u64::MAX), "version: out of range"),
        ("/uses_taken", json!(-1), "uses_taken: expected a number"),
        ("/scopes", json!({}), "scopes: expected a list of strings"),
        (
            "/scopes",
            json!(["channels:*:publish", "channels:c:publish"]),
            "scopes: channels:c:publish is already covered by channels:*:publish: nothing to add",
        ),
    ]
}

fn invalid_labels() -> Vec<InvalidValue> {
    vec![
        ("/labels", json!(["a=b"]), "labels: expected an object"),
        ("/labels/team", json!(5), "labels.team: expected a string"),
        ("/labels", json!({"a": ""}), "labels.a: label a has no value: use a=VALUE"),
        (
            "/labels",
            json!({"a": "1", "A": "2"}),
            "labels.a: label a is given more than once: use each key once",
        ),
        (
            "/labels",
            json!({"a b": "1"}),
            "labels.a b: invalid key `a b`: use up to 63 letters, digits or -_./, beginning with a letter or digit",
        ),
        (
            "/labels",
            (0..17).map(|n| (format!("k{n}"), json!("x"))).collect(),
            "labels.*: too many labels: a token can have at most 16",
        ),
        (
            "/owner",
            json!("a\u{1b}b"),
            "owner: character U+001B is invisible or a control character: remove it",
        ),
    ]
}

#[test]
fn an_invalid_field_is_named_with_the_expected_value() {
    for (pointer, value, expected) in invalid_values().into_iter().chain(invalid_labels()) {
        assert_eq!(faults_with(pointer, value).join(" | "), expected);
    }
}

#[test]
fn all_faults_of_a_line_are_reported() {
    let mut line = to_value(&sample_token());
    line["id"] = json!("x");
    line["digest"] = json!(null);
    line["colour"] = json!("red");
    line["last_used"]["more"] = json!(1);
    line.as_object_mut().unwrap().remove("claimed");
    assert_eq!(
        faults_of(&line),
        [
            "claimed: missing",
            "digest: expected a string",
            "id: expected 12 letters and digits",
            "last_used.more: unknown field; a newer patdeck may support it",
            "colour: unknown field; a newer patdeck may support it",
        ]
    );
}

#[test]
fn a_line_that_is_not_an_object_has_one_fault() {
    for text in ["[]", "7", "\"x\"", "{", "nonsense"] {
        let faults = parse(3, text).unwrap_err();
        assert_eq!((faults.len(), faults[0].field.as_str()), (1, ""), "{text}");
    }
}

proptest! {
    #[test]
    fn parsing_never_panics(text in any::<String>()) {
        drop(parse(1, &text));
    }

    #[test]
    fn times_keep_their_nanoseconds(second in 0_i64..4_000_000_000, nano in 0_u32..1_000_000_000) {
        let at = Utc.timestamp_opt(second, nano).unwrap();
        prop_assert_eq!(parse_time(&nanos_text(at)), Ok(at));
    }
}
