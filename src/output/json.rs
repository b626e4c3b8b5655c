//! The JSON of tokens and events, which the command line prints and the app copies. Pure. The JSON
//! never contains a secret or its digest.

mod overview;
mod token;

use std::{borrow::Cow, fmt::Write as _, io};

use chrono::SecondsFormat;
use serde_json::{Value, json};

pub use self::overview::overview_json;
use self::token::TokenJson;
use crate::{
    domain::{
        AuditEvent, DeniedAttempt, DeniedAttempts, Hook, SecretSlot, Timestamp, Token, UsageDays,
        terminal_text::escape_with,
    },
    service::StoredHookRun,
};

/// The schema version in every JSON object that patdeck prints.
pub const SCHEMA_VERSION: u32 = 1;

/// The maximum number of events in the JSON of one token.
pub const MAX_EVENTS: usize = 10;

/// Prints the object `value` with the schema version, on one line.
pub fn versioned_line(value: Value) -> String {
    let mut object = json!({ "schema": SCHEMA_VERSION });
    if let (Value::Object(object), Value::Object(value)) = (&mut object, value) {
        object.extend(value);
    }
    to_line(&object)
}

/// Prints `value` on one line. Characters that are unsafe for a terminal become JSON escapes, which
/// do not change the value.
pub fn to_line(value: &Value) -> String {
    terminal_safe(&value.to_string()).into_owned()
}

/// Replaces unsafe characters by JSON escapes. Only the strings in JSON can contain unsafe
/// characters.
fn terminal_safe(json: &str) -> Cow<'_, str> {
    escape_with(json, push_escape)
}

/// Replaces all characters of `json` that are not ASCII by JSON escapes.
pub fn to_ascii(json: &str) -> String {
    let mut out = String::with_capacity(json.len().saturating_add(8));
    for c in json.chars() {
        if c.is_ascii() { out.push(c) } else { push_escape(c, &mut out) }
    }
    out
}

/// `text` as a JSON string with its quotes, in ASCII.
pub fn quoted(text: &str) -> String {
    to_ascii(&Value::from(text).to_string())
}

fn push_escape(c: char, out: &mut String) {
    for unit in c.encode_utf16(&mut [0; 2]) {
        // Writing to a `String` cannot fail.
        let _ = write!(out, "\\u{unit:04x}");
    }
}

/// Whether `json` is safe to print without escaping. It must contain only printable ASCII and the
/// bytes of the `…` in secret hints, which cannot form an unsafe character. The loop has no early
/// exit, so that the compiler vectorizes it. [`terminal_safe`] handles all other text.
fn is_plain(json: &[u8]) -> bool {
    json.iter().fold(true, |all, byte| all & matches!(byte, b' '..=b'~' | 0xe2 | 0x80 | 0xa6))
}

/// A token with its numbers of uses on each day, its last denied attempts and its newest `events`, as `show --json` prints it.
pub fn token_details(
    token: &Token,
    days: &UsageDays,
    denied: &DeniedAttempts,
    events: &[AuditEvent],
    now: Timestamp,
) -> Value {
    let days = days.as_slice().iter().rev();
    let days: Vec<_> = days
        .map(|it| json!({ "day": it.day.date().to_string(), "used": it.used, "denied": it.denied }))
        .collect();
    let events: Vec<_> = events.iter().map(event_json).collect();
    let denied: Vec<_> = denied.as_slice().iter().map(denied_json).collect();
    json!({ "token": token_json(token, now), "days": days, "denied": denied, "events": events })
}

/// Formats an instant in RFC 3339 with seconds, such as `2026-11-24T12:00:00Z`. Tables use this
/// format too.
pub fn format_time(at: Timestamp) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// A token as a JSON value at the time `now`, which decides the status.
pub fn token_json(token: &Token, now: Timestamp) -> Value {
    // Every field has a JSON form, so the conversion cannot fail.
    serde_json::to_value(TokenJson::new(token, now, None)).unwrap_or_default()
}

/// Appends a token with the schema version to `to`, as one line with its line break.
pub fn write_line(to: &mut Vec<u8>, token: &Token, now: Timestamp) -> io::Result<()> {
    let start = to.len();
    serde_json::to_writer(&mut *to, &TokenJson::new(token, now, Some(SCHEMA_VERSION)))?;
    let json = to.get(start..).unwrap_or_default();
    if !is_plain(json) {
        let safe = terminal_safe(&String::from_utf8_lossy(json)).into_owned();
        to.truncate(start);
        to.extend_from_slice(safe.as_bytes());
    }
    to.push(b'\n');
    Ok(())
}

fn denied_json(attempt: &DeniedAttempt) -> Value {
    json!({
        "at": format_time(attempt.at),
        "from": attempt.from.as_deref(),
        "reason": attempt.reason.as_str(),
        "retiring": attempt.slot == SecretSlot::Previous,
        "what": attempt.request.as_str(),
    })
}

/// An audit event as a JSON value.
pub fn event_json(event: &AuditEvent) -> Value {
    let body = &event.body;
    json!({
        "sequence": event.sequence,
        "at": format_time(body.at),
        "action": body.action.json_label(),
        "token": body.token.map(|id| id.to_string()),
        "name": body.name,
        "actor": body.actor.to_string(),
        "detail": body.detail,
        "hash": event.hash.to_string(),
    })
}

/// A hook of the config as a JSON value.
pub fn hook_json(hook: &Hook) -> Value {
    json!({
        "name": hook.name(),
        "on": hook.actions().iter().map(|action| action.verb()).collect::<Vec<_>>(),
        "run": hook.command().collect::<Vec<_>>(),
        "timeout": format!("{}s", hook.timeout().as_secs()),
    })
}

/// A run in the queue of hooks as a JSON value.
pub fn hook_run_json(stored: &StoredHookRun) -> Value {
    let run = &stored.run;
    let failure = run.failure.as_ref();
    json!({
        "hook": run.hook,
        "event": run.event,
        "at": format_time(run.at),
        "action": run.action.verb(),
        "token": run.token.map(|id| id.to_string()),
        "name": run.name,
        "state": stored.state.as_str(),
        "attempts": failure.map_or(0, |failure| failure.attempts),
        "failed_at": failure.map(|failure| format_time(failure.at)),
        "reason": failure.map(|failure| &failure.reason),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::{Actor, terminal_text::first_unsafe, token::tests::sample_token};

    #[test]
    fn plain_bytes_are_safe_for_terminals() {
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
        fn write_line_prints_the_versioned_token(user in prop_oneof![any::<String>(), "[ -~…]{0,9}"]) {
            let created_by = Actor { from: Some("\u{301}ø\n".into()), ..Actor::named(&user) };
            for token in [Token { created_by, ..sample_token() }, sample_token()] {
                let mut line = b"before".to_vec();
                write_line(&mut line, &token, token.created).unwrap();
                let expected = versioned_line(token_json(&token, token.created));
                prop_assert_eq!(first_unsafe(&expected), None);
                prop_assert_eq!(String::from_utf8(line).unwrap(), format!("before{expected}\n"));
            }
        }

        #[test]
        fn escaped_json_parses_back_and_is_terminal_safe(key in any::<String>(), text in any::<String>()) {
            let value = json!({ key: [text, "\u{9b}2J\u{7f}\u{202e}\u{e0041}\u{301}\n"] });
            let shown = to_line(&value);
            prop_assert_eq!(first_unsafe(&shown), None);
            prop_assert_eq!(serde_json::from_str::<Value>(&shown).unwrap(), value);
        }
    }
}
