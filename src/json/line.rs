//! A token as JSON: the one place that knows its fields, written without a detour, for a store may
//! have a million. Called by `json` alone.

use std::io::{self, Write as _};

use chrono::{Datelike as _, Timelike as _};
use serde_json::Value;

use super::SCHEMA;
use crate::domain::{LastUse, Moment, Pat, Which, text::first_unsafe};

/// Writes the name of a field that is not the first.
macro_rules! field {
    ($to:expr, $name:literal) => {
        $to.extend_from_slice(concat!(",\"", $name, "\":").as_bytes())
    };
}

/// Writes a token as a JSON object, its fields in the order of their names; never its secret or
/// its digest.
pub(super) fn write(to: &mut Vec<u8>, pat: &Pat, now: Moment, schema: bool) -> io::Result<()> {
    to.extend_from_slice(b"{\"claimed\":");
    to.extend_from_slice(if pat.claimed { b"true" } else { b"false" });
    field!(to, "created");
    time(to, Some(pat.created));
    field!(to, "created_by");
    spelled(to, |to| pat.created_by.spell(|piece| to.write_all(piece.as_bytes())))?;
    field!(to, "description");
    string(to, pat.description.as_str());
    field!(to, "expires");
    time(to, pat.expires);
    field!(to, "hint");
    hint(to, pat);
    field!(to, "id");
    plain(to, pat.id.as_bytes());
    field!(to, "issued");
    time(to, Some(pat.issued));
    field!(to, "last_used");
    last_use(to, pat.last_use());
    field!(to, "name");
    string(to, pat.name.as_str());
    field!(to, "retiring_last_used");
    last_use(to, pat.used_by(Which::Retiring));
    field!(to, "retiring_until");
    time(to, pat.retiring.as_ref().map(|old| old.until));
    field!(to, "revoked");
    time(to, pat.revoked);
    if schema {
        field!(to, "schema");
        serde_json::to_writer(&mut *to, &SCHEMA)?;
    }
    field!(to, "scopes");
    to.push(b'[');
    for (at, scope) in pat.scopes.iter().enumerate() {
        if at > 0 {
            to.push(b',');
        }
        spelled(to, |to| scope.spell(|piece| to.write_all(piece.as_bytes())))?;
    }
    to.push(b']');
    field!(to, "status");
    plain(to, pat.status(now).word().as_bytes());
    to.push(b'}');
    Ok(())
}

/// The part of its secret that may be shown.
fn hint(to: &mut Vec<u8>, pat: &Pat) {
    let pieces = pat.hint_pieces();
    if !is_plain(pat.prefix.as_bytes()) {
        return string(to, &pieces.concat());
    }
    to.push(b'"');
    for piece in pieces {
        to.extend_from_slice(piece.as_bytes());
    }
    to.push(b'"');
}

fn last_use(to: &mut Vec<u8>, used: Option<&LastUse>) {
    let Some(used) = used else {
        return to.extend_from_slice(b"null");
    };
    to.extend_from_slice(b"{\"at\":");
    time(to, Some(used.at));
    field!(to, "from");
    match &used.from {
        None => to.extend_from_slice(b"null"),
        Some(from) => string(to, from),
    }
    field!(to, "what");
    string(to, &used.what);
    to.push(b'}');
}

/// What `spell` writes, as [`string`] has it.
fn spelled(to: &mut Vec<u8>, spell: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> io::Result<()> {
    to.push(b'"');
    let start = to.len();
    spell(to)?;
    let text = to.get(start..).unwrap_or_default();
    if is_plain(text) {
        to.push(b'"');
        return Ok(());
    }
    let text = String::from_utf8_lossy(text).into_owned();
    to.truncate(start - 1);
    string(to, &text);
    Ok(())
}

/// A text with what a terminal must not get in the escapes of JSON, as [`super::text`] has it.
fn string(to: &mut Vec<u8>, text: &str) {
    let quoted = |byte: u8| byte < b' ' || byte == b'"' || byte == b'\\';
    if is_plain(text.as_bytes()) || !(text.bytes().any(quoted) || first_unsafe(text).is_some()) {
        return plain(to, text.as_bytes());
    }
    // Of ASCII, JSON itself escapes all that a terminal must not get but the last: a line break is
    // the only one that many texts have.
    let is_escaped = text.bytes().all(|byte| byte < 0x7f);
    if !(is_escaped && serde_json::to_writer(&mut *to, text).is_ok()) {
        to.extend_from_slice(super::text(&Value::from(text)).as_bytes());
    }
}

/// A text that JSON has as it is.
fn plain(to: &mut Vec<u8>, text: &[u8]) {
    to.push(b'"');
    to.extend_from_slice(text);
    to.push(b'"');
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
    let (parts, digit) =
        (at.naive_utc(), |number: u32| b'0' + u8::try_from(number % 10).unwrap_or(0));
    let (date, clock) = (parts.date(), parts.time());
    let (year, month, day) = (date.year(), date.month(), date.day());
    let (hour, minute, second) = (clock.hour(), clock.minute(), clock.second());
    match u32::try_from(year) {
        Ok(year @ ..=9_999) => to.extend_from_slice(&[
            b'"',
            digit(year / 1_000),
            digit(year / 100),
            digit(year / 10),
            digit(year),
            b'-',
            digit(month / 10),
            digit(month),
            b'-',
            digit(day / 10),
            digit(day),
            b'T',
            digit(hour / 10),
            digit(hour),
            b':',
            digit(minute / 10),
            digit(minute),
            b':',
            digit(second / 10),
            digit(second),
            b'Z',
            b'"',
        ]),
        _ => string(to, &super::time(at)),
    }
}

#[cfg(test)]
mod tests {
    use chrono::{TimeZone as _, Utc};
    use proptest::prelude::*;

    use super::*;
    use crate::domain::{Actor, pat::tests::pat};

    proptest! {
        #[test]
        fn who_made_it_and_its_hint_are_told_as_everywhere_else(
            user in any::<String>(), sudo_user in any::<Option<String>>(), from in any::<Option<String>>(),
            prefix in "[a-z0-9\"\u{1b}é]{0,4}",
        ) {
            let (sudo_user, from) = (sudo_user.map(Into::into), from.map(Into::into));
            let created_by = Actor { user: user.into(), sudo_user, from };
            let pat = Pat { prefix: prefix.into(), created_by, ..pat() };
            let mut written = Vec::new();
            write(&mut written, &pat, pat.created, true).unwrap();
            let told: Value = serde_json::from_slice(&written).unwrap();
            prop_assert_eq!(&told["created_by"], &Value::from(pat.created_by.to_string()));
            prop_assert_eq!(&told["hint"], &Value::from(pat.hint()));
        }

        #[test]
        fn a_text_is_written_as_everywhere_else(text in any::<String>()) {
            let expected = crate::json::text(&Value::from(text.as_str())).into_bytes();
            let (mut written, mut told) = (Vec::new(), b"[".to_vec());
            string(&mut written, &text);
            spelled(&mut told, |to| write!(to, "{text}")).unwrap();
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
