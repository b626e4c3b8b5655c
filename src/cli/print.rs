//! What commands print: tokens and events as JSON or as aligned text, escaped so that no stored
//! text moves a terminal's cursor. Data goes to standard output, everything else beside it.

use std::io::{self, IsTerminal as _, Write};

use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr as _;

use super::stream;
use crate::domain::{Event, Moment, Pat, text::escape};

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
        self.line(&object.to_string())
    }

    /// Prints a line of data.
    pub fn line(&self, text: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes())?;
        out.write_all(b"\n")
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

/// Says something to the operator, beside the data.
pub fn tell(text: &str) {
    // Where standard error is closed nobody is listening.
    drop(writeln!(io::stderr(), "patdeck: {text}"));
}

/// An instant as JSON and tables print it.
pub fn time(at: Moment) -> String {
    at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A token as JSON; never its secret or its digest.
pub fn token(pat: &Pat, now: Moment) -> Value {
    let mut text = Vec::new();
    let written = stream::write(&mut text, pat, now, false);
    written.ok().and_then(|()| serde_json::from_slice(&text).ok()).unwrap_or_default()
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
