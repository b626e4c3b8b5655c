//! Search field of the token list, shown as a chip while it is not edited. Invalid terms are
//! ignored until they parse, and the field shows the error. Owned by the token list.

use ratatui::{
    crossterm::event::KeyEvent,
    layout::{Position, Rect},
};

use crate::{
    domain::{Search, SearchError, search::TERMS},
    keymap::Action,
    tui::widgets::{
        canvas::{Canvas, width},
        form::FormInput as _,
        text_input::TextInput,
    },
};

/// Minimum width of the field in columns.
const MIN_FIELD_WIDTH: u16 = 12;

#[derive(Debug)]
pub(super) struct SearchBox {
    field: TextInput,
    is_typing: bool,
    fault: Option<SearchError>,
    history: SearchHistory,
}

/// The searches that were kept, newest last.
#[derive(Debug, Default)]
struct SearchHistory {
    texts: Vec<String>,
    /// The index of the recalled text, if the field contains one.
    recalled: Option<usize>,
}

impl Default for SearchBox {
    fn default() -> Self {
        Self {
            field: TextInput::single_line(""),
            is_typing: false,
            fault: None,
            history: SearchHistory::default(),
        }
    }
}

impl SearchBox {
    pub(super) fn is_typing(&self) -> bool {
        self.is_typing
    }

    pub(super) fn is_empty(&self) -> bool {
        self.field.is_empty()
    }

    /// The error of the first invalid term.
    pub(super) fn fault(&self) -> Option<&SearchError> {
        self.fault.as_ref()
    }

    /// Starts editing; the field keeps its text and cursor.
    pub(super) fn begin(&mut self) {
        self.is_typing = true;
    }

    /// Stops editing; the search stays active and is added to the history.
    pub(super) fn leave(&mut self) {
        self.is_typing = false;
        let text = self.field.text();
        if !text.trim().is_empty() {
            self.history.texts.retain(|other| *other != text);
            self.history.texts.push(text);
        }
        self.history.recalled = None;
    }

    /// Empties the field and stops editing. The history stays.
    pub(super) fn clear(&mut self) {
        let history = SearchHistory { recalled: None, ..std::mem::take(&mut self.history) };
        *self = Self { history, ..Self::default() };
    }

    /// Replaces the text by the next older search, or the next newer one. Returns false if the field
    /// contains a text that was not recalled, or if there is no such search.
    pub(super) fn recall(&mut self, older: bool) -> bool {
        let SearchHistory { texts, recalled } = &self.history;
        let next = match (recalled, older) {
            (Some(at), true) => at.checked_sub(1),
            (Some(at), false) => Some(at + 1),
            (None, true) if self.is_empty() => texts.len().checked_sub(1),
            (None, _) => None,
        };
        let Some(text) = next.and_then(|next| texts.get(next)) else { return false };
        self.field.set_text(text);
        self.history.recalled = next;
        true
    }

    /// Replaces the search by `text`; the field is not being edited.
    pub(super) fn set_text(&mut self, text: &str) {
        self.field.set_text(text);
        self.is_typing = false;
    }

    /// Passes a key to the field. Returns true if the text changed.
    pub(super) fn press(&mut self, key: KeyEvent) -> bool {
        let is_changed = self.is_typing && self.field.press(key);
        if is_changed {
            self.history.recalled = None;
        }
        is_changed
    }

    /// Pastes `text`. Returns false if the field is not being edited.
    pub(super) fn paste(&mut self, text: &str) -> bool {
        if self.is_typing {
            self.field.paste(text);
        }
        self.is_typing
    }

    /// Parses the text. Invalid terms are left out. Afterwards, `fault` returns the first error.
    pub(super) fn search(&mut self) -> Search {
        let (search, fault) = Search::parse_lenient(&self.field.text());
        self.fault = fault;
        search
    }

    /// Draws the field at column `from` of `area`, followed by the error, if any. Without an error,
    /// the list of terms follows an empty field. A field with text is followed by `note` if there
    /// is enough room.
    pub(super) fn draw_field(
        &self,
        from: u16,
        note: &str,
        area: Rect,
        canvas: &mut Canvas<'_>,
    ) -> Option<Position> {
        let theme = &canvas.ctx.theme;
        let start = canvas.line(area, 0).move_to(from).text("/", theme.accent).column();
        let room = area.width.saturating_sub(start);
        let field_width = (width(&self.field.text()) + 2).max(MIN_FIELD_WIDTH);
        let (note_text, style) = match &self.fault {
            // The message line shows the error in full.
            Some(_) => (String::new(), theme.danger),
            None if self.field.is_empty() => (TERMS.to_owned(), theme.faint),
            None if field_width + width(note) < room => (note.to_owned(), theme.faint),
            None => (String::new(), theme.faint),
        };
        // However long the note is, the field keeps the width of its text, up to half of the line.
        let left = room.saturating_sub(width(&note_text) + 1);
        let wide = if note_text.is_empty() { room } else { left.max(field_width.min(room / 2)) };
        canvas.line(area, 0).move_to(start + wide + 1).text(&note_text, style);
        let field = Rect { x: area.x + start, width: wide, height: 1, ..area };
        self.field.draw(field.intersection(area), canvas, true)
    }

    /// The width of the chip in columns, 0 without a search.
    pub(super) fn chip_width(&self) -> u16 {
        if self.is_empty() { 0 } else { width(&self.field.text()) + 2 }
    }

    /// Draws the search as a chip at column `from` of `area`.
    pub(super) fn draw_chip(&self, from: u16, area: Rect, canvas: &mut Canvas<'_>) {
        let (ctx, theme) = (canvas.ctx, &canvas.ctx.theme);
        let text = format!("/{}", self.field.text());
        let writer = canvas.line(area, 0).move_to(from).text(&text, theme.accent);
        ctx.hit_map.click_action(writer.rect_since(from), Action::Search);
    }
}
