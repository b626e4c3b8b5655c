//! A token comes back from its line as it was, and a spoiled line names its field.

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
            last_used: Some(LastUse { at: at(400), from: None, what: "identify allowed".into() }),
        }),
        created: at(1),
        created_by: Actor { user: "root".into(), sudo_user: Some("alice".into()), from: None },
        issued: at(2),
        expires: Some(at(900)),
        revoked: Some(at(3)),
        delivered: true,
        last_used: Some(LastUse {
            at: at(4),
            from: Some("192.0.2.7".into()),
            what: "identify allowed".into(),
        }),
    }
}

#[test]
fn a_token_comes_back_as_it_was() {
    let full = sample_token();
    assert_eq!(read(2, &written(&full).to_string()), Ok(full));
    let bare = Token {
        scopes: Scopes::default(),
        previous: None,
        expires: None,
        revoked: None,
        delivered: false,
        last_used: None,
        ..sample_token()
    };
    assert_eq!(read(2, &written(&bare).to_string()), Ok(bare));
}

/// What is told when the field at `pointer` is `value`, as `field: why`.
fn spoiled(pointer: &str, value: Value) -> Vec<String> {
    let mut line = written(&sample_token());
    *line.pointer_mut(pointer).unwrap() = value;
    told(&line)
}

fn told(line: &Value) -> Vec<String> {
    let faults = read(7, &line.to_string()).unwrap_err();
    assert!(faults.iter().all(|fault| fault.line == 7));
    let told = faults.iter();
    told.map(|fault| format!("{}: {}", fault.field, fault.why)).collect()
}

/// Where a field is, what is written there, and what is told of it.
type Spoiling = (&'static str, Value, &'static str);

fn spoilings() -> Vec<Spoiling> {
    vec![
        ("/id", json!("short"), "id: 12 letters and digits are expected"),
        ("/name", json!(" "), "name: a name is needed: type 1 to 64 characters"),
        ("/name", json!(5), "name: a text is expected"),
        (
            "/prefix",
            json!("PAT"),
            "prefix: a lower-case letter, then letters and digits are expected",
        ),
        ("/digest", json!("sha256:00"), "digest: sha256: and 64 hexadecimal digits are expected"),
        ("/digest", json!("md5:00"), "digest: sha256: and 64 hexadecimal digits are expected"),
        ("/issued", json!("yesterday"), "issued: a time like 2026-12-24T13:05:00Z is expected"),
        ("/expires", json!(1), "expires: a text is expected"),
        ("/claimed", json!("yes"), "claimed: true or false is expected"),
        ("/created_by", json!(null), "created_by: an object is expected"),
        ("/created_by/user", json!(null), "created_by.user: a text is expected"),
        (
            "/retiring/until",
            json!(""),
            "retiring.until: a time like 2026-12-24T13:05:00Z is expected",
        ),
        (
            "/last_used/what",
            json!("x".repeat(1_025)),
            "last_used.what: at most 1024 characters are expected",
        ),
        ("/scopes", json!({}), "scopes: a list of texts is expected"),
        (
            "/scopes",
            json!(["channels:*:publish", "channels:c:publish"]),
            "scopes: channels:c:publish is covered by channels:*:publish already: nothing to add",
        ),
    ]
}

#[test]
fn a_wrong_field_is_named_with_what_was_expected() {
    for (pointer, value, expected) in spoilings() {
        assert_eq!(spoiled(pointer, value).join(" | "), expected);
    }
}

#[test]
fn all_faults_of_a_line_are_told_at_once() {
    let mut line = written(&sample_token());
    line["id"] = json!("x");
    line["digest"] = json!(null);
    line["colour"] = json!("red");
    line["last_used"]["more"] = json!(1);
    line.as_object_mut().unwrap().remove("claimed");
    assert_eq!(
        told(&line),
        [
            "claimed: it is missing",
            "digest: a text is expected",
            "id: 12 letters and digits are expected",
            "last_used.more: this patdeck does not know it: update patdeck",
            "colour: this patdeck does not know it: update patdeck",
        ]
    );
}

#[test]
fn what_is_no_object_is_refused_whole() {
    for text in ["[]", "7", "\"x\"", "{", "nonsense"] {
        let faults = read(3, text).unwrap_err();
        assert_eq!((faults.len(), faults[0].field.as_str()), (1, ""), "{text}");
    }
}

proptest! {
    #[test]
    fn any_line_is_answered_without_a_panic(text in any::<String>()) {
        drop(read(1, &text));
    }

    #[test]
    fn times_come_back_to_the_nanosecond(second in -1_000_000_i64..4_000_000_000, nano in 0_u32..1_000_000_000) {
        let at = Utc.timestamp_opt(second, nano).unwrap();
        prop_assert_eq!(instant(&exact(at)), Ok(at));
    }
}
