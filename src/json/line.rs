//! A token as JSON: the one place that knows its fields, written without a detour, for a store may
//! have a million. Called by `json` alone.

use std::{
    fmt::Display,
    io::{self, Write as _},
};

use chrono::{Datelike as _, Timelike as _};
use serde_json::Value;

use super::SCHEMA;
use crate::domain::{LastUse, Moment, Pat, Which, text::first_unsafe};

/// Writes a token as a JSON object, its fields in the order of their names; never its secret or
/// its digest.
pub(super) fn write(to: &mut Vec<u8>, pat: &Pat, now: Moment, schema: bool) -> io::Result<()> {
    to.extend_from_slice(b"{\"claimed\":");
    to.extend_from_slice(if pat.claimed { b"true" } else { b"false" });
    field(to, "created");
    time(to, Some(pat.created));
    field(to, "created_by");
    shown(to, &pat.created_by)?;
    text_field(to, "description", pat.description.as_str());
    field(to, "expires");
    time(to, pat.expires);
    text_field(to, "hint", &pat.hint());
    text_field(to, "id", pat.id.as_str());
    field(to, "issued");
    time(to, Some(pat.issued));
    field(to, "last_used");
    last_use(to, pat.last_use());
    text_field(to, "name", pat.name.as_str());
    field(to, "retiring_last_used");
    last_use(to, pat.used_by(Which::Retiring));
    field(to, "retiring_until");
    time(to, pat.retiring.as_ref().map(|old| old.until));
    field(to, "revoked");
    time(to, pat.revoked);
    if schema {
        field(to, "schema");
        write!(to, "{SCHEMA}")?;
    }
    field(to, "scopes");
    to.push(b'[');
    for (at, scope) in pat.scopes.iter().enumerate() {
        if at > 0 {
            to.push(b',');
        }
        shown(to, scope)?;
    }
    to.push(b']');
    text_field(to, "status", pat.status(now).word());
    to.push(b'}');
    Ok(())
}

fn last_use(to: &mut Vec<u8>, used: Option<&LastUse>) {
    let Some(used) = used else {
        return to.extend_from_slice(b"null");
    };
    to.extend_from_slice(b"{\"at\":");
    time(to, Some(used.at));
    field(to, "from");
    match &used.from {
        None => to.extend_from_slice(b"null"),
        Some(from) => string(to, from),
    }
    text_field(to, "what", &used.what);
    to.push(b'}');
}

fn field(to: &mut Vec<u8>, name: &str) {
    to.extend_from_slice(b",\"");
    to.extend_from_slice(name.as_bytes());
    to.extend_from_slice(b"\":");
}

fn text_field(to: &mut Vec<u8>, name: &str, text: &str) {
    field(to, name);
    string(to, text);
}

/// What `told` says, as [`string`] has it.
fn shown(to: &mut Vec<u8>, told: &impl Display) -> io::Result<()> {
    let start = to.len();
    write!(to, "\"{told}\"")?;
    let text = to.get(start + 1..to.len() - 1).unwrap_or_default();
    if is_plain(text) {
        return Ok(());
    }
    to.truncate(start);
    string(to, &told.to_string());
    Ok(())
}

/// A text with what a terminal must not get in the escapes of JSON, as [`super::text`] has it.
fn string(to: &mut Vec<u8>, text: &str) {
    let quoted = |byte: u8| byte < b' ' || byte == b'"' || byte == b'\\';
    if is_plain(text.as_bytes()) || !(text.bytes().any(quoted) || first_unsafe(text).is_some()) {
        to.push(b'"');
        to.extend_from_slice(text.as_bytes());
        to.push(b'"');
    } else {
        to.extend_from_slice(super::text(&Value::from(text)).as_bytes());
    }
}

/// Whether JSON has this text as it is: most are, so no byte is a reason to stop looking.
fn is_plain(text: &[u8]) -> bool {
    let plain = |byte: u8| matches!(byte, b' ' | b'!' | b'#'..=b'[' | b']'..=b'~');
    text.iter().fold(true, |all, byte| all & plain(*byte))
}

/// An instant as [`super::time`] writes it, or `null`.
fn time(to: &mut Vec<u8>, at: Option<Moment>) {
    let Some(at) = at else {
        return to.extend_from_slice(b"null");
    };
    to.push(b'"');
    let parts = at.naive_utc();
    match u32::try_from(parts.year()) {
        Ok(year @ ..=9_999) => {
            digits(to, year / 100);
            digits(to, year % 100);
            for (before, number) in [
                (b'-', parts.month()),
                (b'-', parts.day()),
                (b'T', parts.hour()),
                (b':', parts.minute()),
                (b':', parts.second()),
            ] {
                to.push(before);
                digits(to, number);
            }
            to.push(b'Z');
        }
        _ => to.extend_from_slice(super::time(at).as_bytes()),
    }
    to.push(b'"');
}

/// Two digits.
fn digits(to: &mut Vec<u8>, number: u32) {
    for digit in [number / 10 % 10, number % 10] {
        to.push(b'0' + u8::try_from(digit).unwrap_or(0));
    }
}

#[cfg(test)]
mod tests {
    use chrono::{TimeZone as _, Utc};
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_text_is_written_as_everywhere_else(text in any::<String>()) {
            let expected = crate::json::text(&Value::from(text.as_str())).into_bytes();
            let (mut written, mut told) = (Vec::new(), b"[".to_vec());
            string(&mut written, &text);
            shown(&mut told, &text).unwrap();
            prop_assert_eq!(told.split_first(), Some((&b'[', expected.as_slice())));
            prop_assert_eq!(written, expected);
        }

        #[test]
        fn an_instant_is_written_as_everywhere_else(second in -70_000_000_000_i64..300_000_000_000) {
            let at = Utc.timestamp_opt(second, 5).unwrap();
            let mut written = Vec::new();
            time(&mut written, Some(at));
            prop_assert_eq!(written, format!("\"{}\"", crate::json::time(at)).into_bytes());
        }
    }
}
