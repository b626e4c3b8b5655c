//! Tokens as lines of JSON: the one place that knows their fields, written without a detour, for
//! a store may have a million. Reading and writing go on side by side, a part of the store at a
//! time, so that memory does not grow with it and nothing is held while a reader of the output
//! takes its time.

use std::{
    io::{self, Write},
    sync::mpsc::sync_channel,
    thread,
};

use chrono::{Datelike as _, Timelike as _};

use super::{
    exit::Failure,
    print::{SCHEMA, tell},
};
use crate::{
    domain::{Moment, Pat, Query},
    service::{Service, ServiceError},
};

/// Parts that are read ahead of what is written.
const AHEAD: usize = 2;

/// Prints the tokens that `query` shows and `keep` wants, each on a line, in the order of their
/// ids; whether there was one. Each part is as it was when it was read.
pub(super) fn print(
    service: &Service,
    query: &Query,
    now: Moment,
    keep: impl Fn(&Pat) -> bool,
) -> Result<bool, Failure> {
    let (parts, read) = sync_channel(AHEAD);
    thread::scope(|scope| {
        let reading = scope.spawn(move || service.each_part(|part| parts.send(part).is_ok()));
        let (mut found, mut line) = (false, Vec::new());
        let mut out = io::BufWriter::with_capacity(1 << 16, io::stdout().lock());
        for part in read {
            for damage in part.damaged {
                tell(&format!(
                    "{damage} is damaged and left out: restore a backup, or delete this record"
                ));
            }
            let shown = query.shown(&part.rows, now);
            for pat in shown.filter(|pat| keep(pat)) {
                found = true;
                line.clear();
                write(&mut line, pat, now, true)?;
                line.push(b'\n');
                out.write_all(&line)?;
            }
        }
        out.flush()?;
        // A thread that panicked has said so.
        reading.join().unwrap_or(Ok::<_, ServiceError>(()))?;
        Ok(found)
    })
}

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
    match &pat.last_used {
        None => to.extend_from_slice(b"null"),
        Some(used) => {
            to.extend_from_slice(b"{\"at\":");
            time(to, Some(used.at));
            field(to, "from");
            serde_json::to_writer(&mut *to, &used.from)?;
            text_field(to, "what", &used.what)?;
            to.push(b'}');
        }
    }
    text_field(to, "name", pat.name.as_str())?;
    field(to, "retiring_until");
    time(to, pat.retiring.map(|old| old.until));
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
        serde_json::to_writer(&mut *to, &scope.to_string())?;
    }
    to.push(b']');
    text_field(to, "status", pat.status(now).word())?;
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
    Ok(serde_json::to_writer(to, text)?)
}

/// An instant as [`super::print::time`] writes it, or `null`.
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
        _ => to.extend_from_slice(super::print::time(at).as_bytes()),
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
            prop_assert_eq!(written, format!("\"{}\"", super::super::print::time(at)).into_bytes());
        }
    }
}
