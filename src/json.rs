//! Tokens and events as JSON: the one form in which both faces hand them out, with the version
//! of it. Pure; nothing here is a secret or the digest of one.

mod terminal_safe;
mod token;

use std::io;

use chrono::SecondsFormat;
use serde_json::{Value, json};

use self::token::TokenJson;
use crate::domain::{Event, Moment, Pat};

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
    let mut text = Vec::new();
    // Memory takes every write, and JSON is UTF-8.
    let _ = terminal_safe::write(&mut text, value);
    String::from_utf8(text).unwrap_or_default()
}

/// A token whole, with its newest `events`.
pub fn shown(pat: &Pat, events: &[Event], now: Moment) -> Value {
    let events: Vec<_> = events.iter().map(event).collect();
    json!({ "token": token(pat, now), "events": events })
}

/// An instant, as tables print it too.
pub fn time(at: Moment) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// A token as JSON; never its secret or its digest.
pub fn token(pat: &Pat, now: Moment) -> Value {
    let mut text = Vec::new();
    let written = terminal_safe::write(&mut text, &TokenJson::new(pat, now, None));
    // Memory takes every write, and what was written is JSON.
    written.ok().and_then(|()| serde_json::from_slice(&text).ok()).unwrap_or_default()
}

/// Writes a token as the text of an object of the current schema, with the end of its line.
pub fn write_line(to: &mut Vec<u8>, pat: &Pat, now: Moment) -> io::Result<()> {
    terminal_safe::write(to, &TokenJson::new(pat, now, Some(SCHEMA)))?;
    to.push(b'\n');
    Ok(())
}

/// An event as JSON.
pub fn event(event: &Event) -> Value {
    let what = &event.what;
    json!({
        "sequence": event.sequence,
        "at": time(what.at),
        "action": what.action.word(),
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
    use crate::domain::text::first_unsafe;

    proptest! {
        #[test]
        fn json_reads_back_the_same_and_moves_no_cursor(key in any::<String>(), told in any::<String>()) {
            let value = json!({ key: [told, "\u{9b}2J\u{7f}\u{202e}\u{e0041}\u{301}\n"] });
            let shown = text(&value);
            prop_assert_eq!(first_unsafe(&shown), None);
            prop_assert_eq!(serde_json::from_str::<Value>(&shown).unwrap(), value);
        }
    }
}
