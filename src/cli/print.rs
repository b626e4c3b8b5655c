//! Output of the commands. Data goes to standard output as JSON objects or as aligned text,
//! messages go to standard error. Everything is escaped, so that no stored or given text controls
//! the terminal. The prefixes `error:`, `warning:` and `hint:` are written here only.

use std::{
    borrow::Cow,
    fs::File,
    io::{self, IsTerminal as _, Write},
    os::fd::AsFd as _,
    sync::{
        LazyLock,
        atomic::{AtomicBool, Ordering},
    },
};

use serde_json::Value;
use unicode_width::UnicodeWidthStr as _;

use super::exit::CliError;
use crate::{
    config::{Environment, GlyphSet},
    domain::{
        scan::redact_secrets,
        terminal_text::{escape, to_ascii},
    },
    output::{
        advice::{self, Diagnostic},
        json,
    },
    service::CommandResult,
};

/// Whether the locale has no UTF-8. All text is then printed in ASCII.
static IS_ASCII: LazyLock<bool> = LazyLock::new(|| {
    GlyphSet::for_locale(Environment::of_process().locale.as_deref()) == GlyphSet::Ascii
});

/// Escapes what the terminal cannot show: unsafe characters and, in a locale without UTF-8, all
/// characters that are not ASCII. If nothing is escaped, returns `text` itself, because `text` may
/// be a secret and must not be copied.
pub(super) fn printable(text: &str) -> Cow<'_, str> {
    match escape(text) {
        text if !*IS_ASCII || text.is_ascii() => text,
        text => Cow::Owned(to_ascii(&text).into_owned()),
    }
}

/// The form of a JSON text for output: in a locale without UTF-8, all characters that are not ASCII
/// are JSON escapes, which do not change the value.
pub(super) fn printable_json(json: String) -> String {
    if *IS_ASCII { json::to_ascii(&json) } else { json }
}

/// Whether the reader closed standard output.
static IS_CLOSED: AtomicBool = AtomicBool::new(false);

/// Returns success if `printed` failed because the reader closed the output, which is no failure of
/// the command: it goes on without output, and its exit code is the same as with a reader.
pub(super) fn ok_if_closed(printed: io::Result<()>) -> io::Result<()> {
    match printed {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
            IS_CLOSED.store(true, Ordering::Relaxed);
            Ok(())
        }
        printed => printed,
    }
}

/// Whether the reader has closed the output. A command whose exit code does not depend on the rest of
/// its work can end then.
pub(super) fn is_output_closed() -> bool {
    IS_CLOSED.load(Ordering::Relaxed)
}

/// Standard output of a command. What is printed after the reader closed it is discarded, except by
/// [`Output::deliver`].
#[derive(Debug)]
pub struct Output {
    /// Whether to print JSON instead of text.
    pub json: bool,
    /// The columns of the terminal, if standard output is a terminal.
    pub width: Option<usize>,
    /// Whether to print styles: standard output is a terminal, and colours are not disabled.
    pub styled: bool,
}

/// The width of a terminal that does not report one.
const DEFAULT_WIDTH: usize = 80;

impl Output {
    /// Prints styles if `colours` is set and standard output is a terminal.
    pub fn new(json: bool, colours: bool) -> Self {
        let width = io::stdout().is_terminal().then(|| {
            let size = rustix::termios::tcgetwinsize(io::stdout());
            let columns = size.map_or(0, |size| usize::from(size.ws_col));
            if columns == 0 { DEFAULT_WIDTH } else { columns }
        });
        Self { json, width, styled: colours && width.is_some() }
    }

    /// Prints `value` on one line, with the schema version.
    pub fn object(&self, value: Value) -> io::Result<()> {
        self.line(&json_line(value))
    }

    pub fn line(&self, text: &str) -> io::Result<()> {
        ok_if_closed(write_lines(&mut io::stdout().lock(), text))
    }

    /// Prints the result of a change that was made.
    pub fn result(&self, value: Value) -> Result<(), CliError> {
        self.object(value).map_err(|error| CliError::not_delivered(&error))
    }

    /// Prints a text that is lost if nobody reads it, such as a secret: returns an error if the
    /// reader closed the output. A regular file is also synced to its disk, because some file
    /// systems report a full disk only then.
    pub fn deliver(&self, text: &str) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        write_lines(&mut stdout, text)?;
        stdout.flush()?;
        let file = File::from(stdout.as_fd().try_clone_to_owned()?);
        if file.metadata()?.is_file() { file.sync_all() } else { Ok(()) }
    }

    /// Prints each row as a name and a value, without headings.
    pub fn fields(&self, rows: &[[String; 2]]) -> io::Result<()> {
        let wide = rows.iter().map(|[name, _]| name.width()).max().unwrap_or_default();
        print_rows(
            rows.iter().map(|row| join_cells(row.each_ref().map(String::as_str), &[wide, 0])),
        )
    }

    /// Prints `rows` under `headings`; each column is as wide as its widest cell.
    pub fn table<const N: usize>(
        &self,
        headings: [&str; N],
        rows: &[[String; N]],
    ) -> io::Result<()> {
        self.streamed_table(headings, rows.iter().cloned())
    }

    /// Like [`Output::table`], but a cell of more than `max` columns widens no column: what follows it
    /// in its row is not aligned.
    pub fn table_with_long_cells<const N: usize>(
        &self,
        headings: [&str; N],
        rows: &[[String; N]],
        max: usize,
    ) -> io::Result<()> {
        self.print_table(headings, rows.iter().cloned(), max)
    }

    /// Like [`Output::table`], but makes the cells of each row twice instead of keeping them.
    pub fn streamed_table<const N: usize>(
        &self,
        headings: [&str; N],
        rows: impl Iterator<Item = [String; N]> + Clone,
    ) -> io::Result<()> {
        self.print_table(headings, rows, usize::MAX)
    }

    fn print_table<const N: usize>(
        &self,
        headings: [&str; N],
        rows: impl Iterator<Item = [String; N]> + Clone,
        max: usize,
    ) -> io::Result<()> {
        let mut widths = headings.map(str::width);
        for row in rows.clone() {
            for (width, cell) in widths.iter_mut().zip(&row) {
                let own = printable(cell).width();
                *width = if own > max { *width } else { own.max(*width) };
            }
        }
        let (on, off) = if self.styled { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
        let headings = format!("{on}{}{off}", join_cells(headings, &widths));
        let rows = rows.map(|row| join_cells(row.each_ref().map(String::as_str), &widths));
        print_rows([headings].into_iter().chain(rows))
    }
}

/// Prints rows whose cells are escaped.
fn print_rows(mut rows: impl Iterator<Item = String>) -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    ok_if_closed(rows.try_for_each(|row| writeln!(out, "{row}")).and_then(|()| out.flush()))
}

/// Writes each line of `text`, escaped.
pub(super) fn write_lines(out: &mut impl Write, text: &str) -> io::Result<()> {
    // `text` can be a secret, so avoid copies of it: `printable` copies a line only if it changes
    // the line.
    for line in text.split('\n') {
        out.write_all(printable(line).as_bytes())?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

/// Formats the object `value` with the schema version on one line, in the form of
/// [`printable_json`].
pub(super) fn json_line(value: Value) -> String {
    printable_json(json::versioned_line(value))
}

/// Like [`printable_json`], for several lines of JSON.
pub(super) fn printable_json_lines(lines: &[u8]) -> Cow<'_, [u8]> {
    match std::str::from_utf8(lines) {
        Ok(text) if *IS_ASCII && !text.is_ascii() => Cow::Owned(json::to_ascii(text).into_bytes()),
        _ => Cow::Borrowed(lines),
    }
}

fn join_cells<const N: usize>(cells: [&str; N], widths: &[usize; N]) -> String {
    let mut line = String::new();
    for (cell, width) in cells.into_iter().zip(widths) {
        let cell = printable(cell);
        line.push_str(&cell);
        line.extend(std::iter::repeat_n(' ', width.saturating_sub(cell.width()) + 2));
    }
    line.truncate(line.trim_end().len());
    line
}

/// Prints a message without a prefix on standard error: progress, or the result of a change.
pub fn print_message(text: &str) {
    print_lines(text);
}

/// Prints why a command failed, and the hint if there is one.
pub fn print_error(error: &Diagnostic) {
    print_diagnostic("error", error);
}

/// Prints a problem that did not stop the command, and the hint if there is one.
pub fn print_warning(warning: &Diagnostic) {
    print_diagnostic("warning", warning);
}

/// Prints which steps of a committed change have failed, if any.
pub(super) fn print_failed_steps(committed: &CommandResult) {
    if let Some(error) = &committed.deferred {
        print_message(&advice::deferred_sentence(error));
    }
    if let Some(error) = &committed.unprotected {
        print_warning(&advice::unprotected_warning(error));
    }
}

/// Prints a hint that follows from the output, not from an error.
pub fn print_hint(hint: &str) {
    print_lines(&format!("hint: {hint}"));
}

fn print_diagnostic(prefix: &str, diagnostic: &Diagnostic) {
    let hint = diagnostic.hint.as_ref().map_or_else(String::new, |hint| format!("\nhint: {hint}"));
    print_lines(&format!("{prefix}: {}{hint}", diagnostic.message));
}

/// Prints lines on standard error. A message can quote input or a path, which can contain a secret.
fn print_lines(text: &str) {
    let text = redact_secrets(text);
    let lines: Vec<_> = text.split('\n').map(printable).collect();
    // There is no other place to report that standard error is closed.
    drop(writeln!(io::stderr(), "{}", lines.join("\n")));
}
