//! How commands print: JSON objects or aligned text, escaped so that no stored text moves a
//! terminal's cursor. Data goes to standard output, everything else beside it.

use std::io::{self, IsTerminal as _, Write};

use serde_json::Value;
use unicode_width::UnicodeWidthStr as _;

use crate::{domain::terminal_text::escape, output::json};

#[derive(Debug)]
pub struct Output {
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
        self.line(&json::object(value))
    }

    pub fn line(&self, text: &str) -> io::Result<()> {
        write_lines(&mut io::stdout().lock(), text)
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

/// Writes a line of data, or several.
pub(super) fn write_lines(out: &mut impl Write, text: &str) -> io::Result<()> {
    // What needs no escape is not copied: it may be a secret.
    for line in text.split('\n') {
        out.write_all(escape(line).as_bytes())?;
        out.write_all(b"\n")?;
    }
    Ok(())
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
pub fn print_message(text: &str) {
    let lines: Vec<_> = text.split('\n').map(escape).collect();
    // Where standard error is closed nobody is listening.
    drop(writeln!(io::stderr(), "patdeck: {}", lines.join("\n")));
}
