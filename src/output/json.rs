//! Tokens and events as JSON: the one form in which both faces hand them out, with the version
//! of it. Pure; nothing here is a secret or the digest of one.

mod token;

use std::{borrow::Cow, fmt::Write as _, io};

use chrono::SecondsFormat;
use serde_json::{Value, json};

use self::token::TokenJson;
use crate::domain::{AuditEvent, Timestamp, Token, terminal_text::escape_with};

/// The version of every JSON object that patdeck hands out.
pub const SCHEMA: u32 = 1;

/// Newest events that a token is shown with.
pub const EVENTS: usize = 10;

/// `value` as the text of an object of the current schema, on one line.
pub fn object(value: Value) -> String {
    let mut object = json!({ "schema": SCHEMA });
    if let (Value::Object(object), Value::Object(value)) = (&mut object, value) {
        object.extend(value);
    }
    text(&object)
}

/// `value` on one line, with JSON escapes for what a terminal must not get: the same value.
pub fn text(value: &Value) -> String {
    terminal_safe(&value.to_string()).into_owned()
}

/// JSON with escapes for what a terminal must not get, which only its strings can contain.
fn terminal_safe(json: &str) -> Cow<'_, str> {
    escape_with(json, |c, out| {
        for unit in c.encode_utf16(&mut [0; 2]) {
            // Writing to a string does not fail.
            let _ = write!(out, "\\u{unit:04x}");
        }
    })
}

/// Whether a terminal may get `json` as it is: printable ASCII, and the `…` of a token's hint, the
/// bytes of which form no character that it must not get. Every byte is looked at, which the
/// compiler vectorizes; [`terminal_safe`] decides about other text.
fn is_plain(json: &[u8]) -> bool {
    json.iter().fold(true, |all, byte| all & matches!(byte, b' '..=b'~' | 0xe2 | 0x80 | 0xa6))
}

/// A token whole, with its newest `events`.
pub fn token_with_events(token: &Token, events: &[AuditEvent], now: Timestamp) -> Value {
    let events: Vec<_> = events.iter().map(event_value).collect();
    json!({ "token": token_value(token, now), "events": events })
}

/// An instant, as tables print it too.
pub fn time(at: Timestamp) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// A token as JSON; never its secret or its digest.
pub fn token_value(token: &Token, now: Timestamp) -> Value {
    // There is JSON for each of the fields.
    serde_json::to_value(TokenJson::new(token, now, None)).unwrap_or_default()
}

/// Writes a token as the text of an object of the current schema, with the end of its line.
pub fn write_line(to: &mut Vec<u8>, token: &Token, now: Timestamp) -> io::Result<()> {
    let start = to.len();
    serde_json::to_writer(&mut *to, &TokenJson::new(token, now, Some(SCHEMA)))?;
    let json = to.get(start..).unwrap_or_default();
    if !is_plain(json) {
        let safe = terminal_safe(&String::from_utf8_lossy(json)).into_owned();
        to.truncate(start);
        to.extend_from_slice(safe.as_bytes());
    }
    to.push(b'\n');
    Ok(())
}

pub fn event_value(event: &AuditEvent) -> Value {
    let what = &event.what;
    json!({
        "sequence": event.sequence,
        "at": time(what.at),
        "action": what.action.as_str(),
        "token": what.token.map(|id| id.to_string()),
        "name": what.name,
        "actor": what.actor.to_string(),
        "detail": what.detail,
        "hash": event.hash.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::{Actor, terminal_text::first_unsafe, token::tests::sample_token};

    #[test]
    fn plain_bytes_form_no_unsafe_text() {
        for c in char::MIN..=char::MAX {
            let text = format!("a{c}");
            if is_plain(text.as_bytes()) {
                assert_eq!(first_unsafe(&text), None, "{c:?}");
            }
        }
        assert!(is_plain("{\"hint\":\"pat_4fKq9Zt0WbXe_…\"}".as_bytes()));
    }

    proptest! {
        #[test]
        fn a_line_is_the_object_of_the_token(user in prop_oneof![any::<String>(), "[ -~…]{0,9}"]) {
            let created_by = Actor { from: Some("\u{301}ø\n".into()), ..Actor::named(&user) };
            for token in [Token { created_by, ..sample_token() }, sample_token()] {
                let mut line = b"before".to_vec();
                write_line(&mut line, &token, token.created).unwrap();
                let expected = object(token_value(&token, token.created));
                prop_assert_eq!(first_unsafe(&expected), None);
                prop_assert_eq!(String::from_utf8(line).unwrap(), format!("before{expected}\n"));
            }
        }

        #[test]
        fn json_reads_back_the_same_and_moves_no_cursor(key in any::<String>(), told in any::<String>()) {
            let value = json!({ key: [told, "\u{9b}2J\u{7f}\u{202e}\u{e0041}\u{301}\n"] });
            let shown = text(&value);
            prop_assert_eq!(first_unsafe(&shown), None);
            prop_assert_eq!(serde_json::from_str::<Value>(&shown).unwrap(), value);
        }
    }
}
