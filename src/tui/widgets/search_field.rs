//! The text of a search, whether it is being edited, and the error of its first invalid term. Invalid
//! terms are ignored until they parse. Never keeps the random characters of a secret. Called by the token list and the audit tab, which show the
//! field beside their notes.

use ratatui::{
    crossterm::event::{KeyCode, KeyEvent},
    layout::{Position, Rect},
    style::Style,
};

use super::{
    canvas::{Canvas, width},
    form::FormInput as _,
    text_input::TextInput,
};
use crate::domain::search::without_secrets;

/// Minimum width of the field in columns.
const MIN_WIDTH: u16 = 12;

/// A search field whose errors are `E`.
#[derive(Debug)]
pub struct SearchField<E> {
    input: TextInput,
    is_typing: bool,
    fault: Option<E>,
    /// Number of typed characters to ignore, because they belong to a secret. A terminal without
    /// bracketed paste sends a pasted secret as keys.
    ignored_chars: usize,
}

impl<E> Default for SearchField<E> {
    fn default() -> Self {
        Self { input: TextInput::single_line(""), is_typing: false, fault: None, ignored_chars: 0 }
    }
}

impl<E> SearchField<E> {
    pub fn is_typing(&self) -> bool {
        self.is_typing
    }

    pub fn is_empty(&self) -> bool {
        self.input.is_empty()
    }

    pub fn text(&self) -> String {
        self.input.text()
    }

    /// Replaces the text, whether the field is being edited or not.
    pub fn set_text(&mut self, text: &str) {
        self.input.set_text(text);
        self.remove_secrets();
    }

    /// Appends the start of a term, after a blank if the text needs one.
    pub fn append_term(&mut self, start: &str) {
        let text = self.text();
        let blank = if text.is_empty() || text.ends_with(char::is_whitespace) { "" } else { " " };
        self.set_text(&format!("{text}{blank}{start}"));
    }

    /// The error of the first invalid term.
    pub fn fault(&self) -> Option<&E> {
        self.fault.as_ref()
    }

    /// Starts editing. The kept text is selected: typing replaces it, and an arrow key edits it.
    pub fn begin(&mut self) {
        self.is_typing = true;
        self.input = TextInput::preselected(&self.input.text());
    }

    /// Stops editing; the search stays active.
    pub fn leave(&mut self) {
        self.is_typing = false;
    }

    /// Passes a key to the field. Returns true if the text changed.
    pub fn press(&mut self, key: KeyEvent) -> bool {
        let is_alphanumeric = matches!(key.code, KeyCode::Char(c) if c.is_ascii_alphanumeric());
        self.ignored_chars = if is_alphanumeric { self.ignored_chars } else { 0 };
        if let Some(left) = self.ignored_chars.checked_sub(1) {
            self.ignored_chars = left;
            return false;
        }
        let is_changed = self.is_typing && self.input.press(key);
        self.ignored_chars = self.remove_secrets();
        is_changed
    }

    /// Reduces each secret to its start with the id, before the text is shown or kept. Returns the
    /// number of characters that a secret lacks at the end of the text.
    fn remove_secrets(&mut self) -> usize {
        let Some(reduced) = without_secrets(&self.input.text()) else { return 0 };
        self.input.set_text(&reduced.text);
        reduced.missing
    }

    /// Pastes `text`. Returns false if the field is not being edited.
    pub fn paste(&mut self, text: &str) -> bool {
        let is_taken = self.is_typing && self.input.paste(text);
        self.remove_secrets();
        is_taken
    }

    /// Parses the text with `parse`, which leaves out invalid terms. Afterwards, `fault` returns the
    /// first error.
    pub fn parse<S>(&mut self, parse: impl Fn(&str) -> (S, Option<E>)) -> S {
        let (search, fault) = parse(&self.input.text());
        self.fault = fault;
        search
    }

    /// The width in columns that the text needs.
    pub fn needed_width(&self) -> u16 {
        (width(&self.input.text()) + 2).max(MIN_WIDTH)
    }

    /// Draws the field at column `from` of the first line of `area`, followed by `note`, which can
    /// be empty. Returns the position of the cursor.
    pub fn draw(
        &self,
        from: u16,
        (note, style): (&str, Style),
        area: Rect,
        canvas: &mut Canvas<'_>,
    ) -> Option<Position> {
        let accent = canvas.ctx.theme.accent;
        let start = canvas.line(area, 0).move_to(from).text("/", accent).column();
        let room = area.width.saturating_sub(start);
        // However long the note is, the field keeps the width of its text, up to half of the line.
        let left = room.saturating_sub(width(note) + 1);
        let wide = if note.is_empty() { room } else { left.max(self.needed_width().min(room / 2)) };
        canvas.line(area, 0).move_to(start + wide + 1).text(note, style);
        let field = Rect { x: area.x + start, width: wide, height: 1, ..area };
        self.input.draw(field.intersection(area), canvas, true)
    }
}
