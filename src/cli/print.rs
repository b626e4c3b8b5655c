//! What commands print: tokens and events as JSON or as aligned text, escaped so that no stored
//! text moves a terminal's cursor. Data goes to standard output, everything else beside it.

use std::{
    fmt::Write as _,
    io::{self, IsTerminal as _, Write},
};

use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr as _;

use crate::domain::{
    Event, Moment, Pat,
    text::{escape, escape_with},
};

/// The version of every JSON object that patdeck prints.
pub const SCHEMA: u32 = 1;

/// Where a command prints.
#[derive(Debug)]
pub struct Output {
    /// Whether JSON is wanted.
    pub json: bool,
    bold: bool,
}

impl Output {
    /// Standard output; with headings in bold on a terminal that takes colours.
    pub fn new(json: bool, colours: bool) -> Self {
        Self { json, bold: colours && io::stdout().is_terminal() }
    }

    /// Prints `value` on a line of its own, as an object of the current schema.
    pub fn object(&self, value: Value) -> io::Result<()> {
        let mut object = json!({ "schema": SCHEMA });
        if let (Value::Object(object), Value::Object(value)) = (&mut object, value) {
            object.extend(value);
        }
        self.line(&json_text(&object))
    }

    /// Prints a line of data, or several.
    pub fn line(&self, text: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        // What needs no escape is not copied: it may be a secret.
        for line in text.split('\n') {
            out.write_all(escape(line).as_bytes())?;
            out.write_all(b"\n")?;
        }
        Ok(())
    }

    /// Prints rows under headings, each column as wide as its widest cell.
    pub fn table<const N: usize>(
        &self,
        headings: [&str; N],
        rows: &[[String; N]],
    ) -> io::Result<()> {
        let mut widths = headings.map(str::width);
        for row in rows {
            for (wide, cell) in widths.iter_mut().zip(row) {
                *wide = (*wide).max(escape(cell).width());
            }
        }
        let mut out = io::BufWriter::new(io::stdout().lock());
        let (on, off) = if self.bold { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
        writeln!(out, "{on}{}{off}", joined(headings, &widths))?;
        for row in rows {
            writeln!(out, "{}", joined(row.each_ref().map(String::as_str), &widths))?;
        }
        out.flush()
    }
}

fn joined<const N: usize>(cells: [&str; N], widths: &[usize; N]) -> String {
    let mut line = String::new();
    for (cell, wide) in cells.into_iter().zip(widths) {
        let cell = escape(cell);
        line.push_str(&cell);
        line.extend(std::iter::repeat_n(' ', wide.saturating_sub(cell.width()) + 2));
    }
    line.truncate(line.trim_end().len());
    line
}

/// Says something to the operator, beside the data. Errors repeat what was given, paths are what
/// others made them: no part of it moves the cursor.
pub fn tell(text: &str) {
    let lines: Vec<_> = text.split('\n').map(escape).collect();
    // Where standard error is closed nobody is listening.
    drop(writeln!(io::stderr(), "patdeck: {}", lines.join("\n")));
}

/// `value` on one line, with what a terminal must not get in the escapes of JSON: the same value.
pub(super) fn json_text(value: &Value) -> String {
    let units = |c: char, out: &mut String| {
        for unit in c.encode_utf16(&mut [0; 2]) {
            // A string takes whatever is written to it.
            let _ = write!(out, "\\u{unit:04x}");
        }
    };
    escape_with(&value.to_string(), units).into_owned()
}

/// An instant as JSON and tables print it.
pub fn time(at: Moment) -> String {
    at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A token as JSON; never its secret or its digest.
pub fn token(pat: &Pat, now: Moment) -> Value {
    json!({
        "id": pat.id.as_str(),
        "name": pat.name.as_str(),
        "description": pat.description.as_str(),
        "status": pat.status(now).word(),
        "hint": pat.hint(),
        "scopes": pat.scopes.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "issued": time(pat.issued),
        "expires": pat.expires.map(time),
        "revoked": pat.revoked.map(time),
        "retiring_until": pat.retiring.map(|old| time(old.until)),
        "created": time(pat.created),
        "created_by": pat.created_by.to_string(),
        "claimed": pat.claimed,
        "last_used": pat.last_used.as_ref().map(|used| json!({
            "at": time(used.at),
            "from": used.from,
            "what": used.what,
        })),
    })
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
        fn json_reads_back_the_same_and_moves_no_cursor(key in any::<String>(), text in any::<String>()) {
            let value = json!({ key: [text, "\u{9b}2J\u{7f}\u{202e}\u{e0041}\u{301}\n"] });
            let shown = json_text(&value);
            prop_assert_eq!(first_unsafe(&shown), None);
            prop_assert_eq!(serde_json::from_str::<Value>(&shown).unwrap(), value);
        }
    }
}
