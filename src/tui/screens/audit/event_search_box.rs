//! Search field of the audit trail. Invalid terms are ignored until they parse, and the field shows
//! the error. Owned by the audit tab.

use ratatui::{
    crossterm::event::KeyEvent,
    layout::{Position, Rect},
};

use crate::{
    domain::search::{EVENT_TERMS, EventSearch, EventSearchError},
    tui::widgets::{
        canvas::{Canvas, width},
        form::FormInput as _,
        text_input::TextInput,
    },
};

/// Minimum width of the field in columns.
const MIN_FIELD_WIDTH: u16 = 12;

#[derive(Debug)]
pub(super) struct EventSearchBox {
    field: TextInput,
    is_typing: bool,
    fault: Option<EventSearchError>,
}

impl Default for EventSearchBox {
    fn default() -> Self {
        Self { field: TextInput::single_line(""), is_typing: false, fault: None }
    }
}

impl EventSearchBox {
    pub(super) fn is_typing(&self) -> bool {
        self.is_typing
    }

    pub(super) fn is_empty(&self) -> bool {
        self.field.is_empty()
    }

    pub(super) fn text(&self) -> String {
        self.field.text()
    }

    /// The error of the first invalid term.
    pub(super) fn fault(&self) -> Option<&EventSearchError> {
        self.fault.as_ref()
    }

    /// Starts editing; the field keeps its text and cursor.
    pub(super) fn begin(&mut self) {
        self.is_typing = true;
    }

    /// Stops editing; the search stays active.
    pub(super) fn leave(&mut self) {
        self.is_typing = false;
    }

    /// Passes a key to the field. Returns true if the text changed.
    pub(super) fn press(&mut self, key: KeyEvent) -> bool {
        self.is_typing && self.field.press(key)
    }

    /// Pastes `text`. Returns false if the field is not being edited.
    pub(super) fn paste(&mut self, text: &str) -> bool {
        self.is_typing && self.field.paste(text)
    }

    /// Parses the text. Invalid terms are left out. Afterwards, `fault` returns the first error.
    pub(super) fn search(&mut self) -> EventSearch {
        let (search, fault) = EventSearch::parse_lenient(&self.field.text());
        self.fault = fault;
        search
    }

    /// Draws the field on the first line of `area`, followed by the error, or by the list of terms
    /// while it is empty, or by `note`.
    pub(super) fn draw(&self, note: &str, area: Rect, canvas: &mut Canvas<'_>) -> Option<Position> {
        let theme = &canvas.ctx.theme;
        let start = canvas.line(area, 0).skip(1).text("/", theme.accent).column();
        let room = area.width.saturating_sub(start);
        let needed = (width(&self.field.text()) + 2).max(MIN_FIELD_WIDTH);
        let (text, style) = match &self.fault {
            Some(fault) => (format!("{} {fault}", theme.fault_glyph()), theme.danger),
            None if self.field.is_empty() => (EVENT_TERMS.to_owned(), theme.faint),
            None => (note.to_owned(), theme.faint),
        };
        // However long the note is, the field keeps the width of its text, up to half of the line.
        let left = room.saturating_sub(width(&text) + 1);
        let wide = left.max(needed.min(room / 2));
        canvas.line(area, 0).move_to(start + wide + 1).text(&text, style);
        let field = Rect { x: area.x + start, width: wide, height: 1, ..area };
        self.field.draw(field.intersection(area), canvas, true)
    }
}
