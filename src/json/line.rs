//! A token as JSON: the one place that knows its fields, written without a detour, for a store may
//! have a million. Called by `json` alone.

use std::io::{self, Write as _};

use chrono::{Datelike as _, Timelike as _};
use serde_json::Value;

use super::SCHEMA;
use crate::domain::{LastUse, Moment, Pat, Which};

/// Writes a token as a JSON object, its fields in the order of their names; never its secret or
/// its digest.
pub(super) fn write(to: &mut Vec<u8>, pat: &Pat, now: Moment, schema: bool) -> io::Result<()> {
    to.extend_from_slice(b"{\"claimed\":");
    to.extend_from_slice(if pat.claimed { b"true" } else { b"false" });
    field(to, "created");
    time(to, Some(pat.created));
    text_field(to, "created_by", &pat.created_by.to_string())?;
    text_field(to, "description", pat.description.as_str())?;
    field(to, "expires");
    time(to, pat.expires);
    text_field(to, "hint", &pat.hint())?;
    text_field(to, "id", pat.id.as_str())?;
    field(to, "issued");
    time(to, Some(pat.issued));
    field(to, "last_used");
    last_use(to, pat.last_use())?;
    text_field(to, "name", pat.name.as_str())?;
    field(to, "retiring_last_used");
    last_use(to, pat.used_by(Which::Retiring))?;
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
        string(to, &scope.to_string())?;
    }
    to.push(b']');
    text_field(to, "status", pat.status(now).word())?;
    to.push(b'}');
    Ok(())
}

fn last_use(to: &mut Vec<u8>, used: Option<&LastUse>) -> io::Result<()> {
    let Some(used) = used else {
        to.extend_from_slice(b"null");
        return Ok(());
    };
    to.extend_from_slice(b"{\"at\":");
    time(to, Some(used.at));
    field(to, "from");
    match &used.from {
        None => to.extend_from_slice(b"null"),
        Some(from) => string(to, from)?,
    }
    text_field(to, "what", &used.what)?;
    to.push(b'}');
    Ok(())
}

fn field(to: &mut Vec<u8>, name: &str) {
    to.extend_from_slice(b",\"");
    to.extend_from_slice(name.as_bytes());
    to.extend_from_slice(b"\":");
}

fn text_field(to: &mut Vec<u8>, name: &str, text: &str) -> io::Result<()> {
    field(to, name);
    string(to, text)
}

/// A text with what a terminal must not get in the escapes of JSON, as [`super::text`] has it.
fn string(to: &mut Vec<u8>, text: &str) -> io::Result<()> {
    if text.bytes().all(|byte| byte.is_ascii() && byte != 0x7f) {
        return Ok(serde_json::to_writer(to, text)?);
    }
    to.extend_from_slice(super::text(&Value::from(text)).as_bytes());
    Ok(())
}

/// An instant as [`super::time`] writes it, or `null`.
fn time(to: &mut Vec<u8>, at: Option<Moment>) {
    let Some(at) = at else {
        return to.extend_from_slice(b"null");
    };
    to.push(b'"');
    match u32::try_from(at.year()) {
        Ok(year @ ..=9_999) => {
            digits(to, year / 100);
            digits(to, year % 100);
            for (before, number) in [
                (b'-', at.month()),
                (b'-', at.day()),
                (b'T', at.hour()),
                (b':', at.minute()),
                (b':', at.second()),
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
        fn an_instant_is_written_as_everywhere_else(second in -70_000_000_000_i64..300_000_000_000) {
            let at = Utc.timestamp_opt(second, 5).unwrap();
            let mut written = Vec::new();
            time(&mut written, Some(at));
            prop_assert_eq!(written, format!("\"{}\"", crate::json::time(at)).into_bytes());
        }
    }
}
