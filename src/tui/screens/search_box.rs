//! Search field of the token list with the earlier searches, shown as a chip while it is not edited.
//! Owned by the token list.

use ratatui::{
    crossterm::event::KeyEvent,
    layout::{Position, Rect},
};

use crate::{
    domain::{Search, SearchError, search::TERMS},
    keymap::Action,
    tui::widgets::{
        canvas::{Canvas, width},
        search_field::SearchField,
    },
};

#[derive(Debug, Default)]
pub(super) struct SearchBox {
    pub(super) field: SearchField<SearchError>,
    history: SearchHistory,
}

/// The searches that were kept, newest last.
#[derive(Debug, Default)]
struct SearchHistory {
    texts: Vec<String>,
    /// The index of the recalled text, if the field contains one.
    recalled: Option<usize>,
}

impl SearchBox {
    /// Stops editing; the search stays active and is added to the history.
    pub(super) fn leave(&mut self) {
        self.field.leave();
        let text = self.field.text();
        if !text.trim().is_empty() {
            self.history.texts.retain(|other| *other != text);
            self.history.texts.push(text);
        }
        self.history.recalled = None;
    }

    /// Empties the field and stops editing. The history stays.
    pub(super) fn clear(&mut self) {
        self.field = SearchField::default();
        self.history.recalled = None;
    }

    /// Replaces the text by the next older search, or the next newer one. Returns false if the field
    /// contains a text that was not kept, or if there is no such search.
    pub(super) fn recall(&mut self, older: bool) -> bool {
        let SearchHistory { texts, recalled } = &self.history;
        let text = self.field.text();
        let next = match (recalled, older) {
            (Some(at), true) => at.checked_sub(1),
            (Some(at), false) => Some(at + 1),
            (None, true) if text.is_empty() => texts.len().checked_sub(1),
            // The last search is still in the field.
            (None, true) if texts.last() == Some(&text) => texts.len().checked_sub(2),
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
        self.field.leave();
    }

    /// Passes a key to the field. Returns true if the text changed.
    pub(super) fn press(&mut self, key: KeyEvent) -> bool {
        let is_changed = self.field.press(key);
        if is_changed {
            self.history.recalled = None;
        }
        is_changed
    }

    /// Parses the text. Invalid terms are left out.
    pub(super) fn search(&mut self) -> Search {
        self.field.parse(Search::parse_lenient)
    }

    /// Draws the field at column `from` of `area`. The list of terms follows an empty field; a field
    /// with text is followed by the first of `notes` for which there is enough room.
    pub(super) fn draw_field(
        &self,
        from: u16,
        notes: [&str; 2],
        area: Rect,
        canvas: &mut Canvas<'_>,
    ) -> Option<Position> {
        let room = area.width.saturating_sub(from + width("/"));
        let left = room.saturating_sub(self.field.needed_width());
        let note = if self.field.is_empty() {
            TERMS
        } else {
            // The message line shows an error in full.
            notes.into_iter().find(|note| width(note) < left).unwrap_or_default()
        };
        self.field.draw(from, (note, canvas.ctx.theme.faint), area, canvas)
    }

    /// The width of the chip in columns, 0 without a search.
    pub(super) fn chip_width(&self) -> u16 {
        if self.field.is_empty() { 0 } else { width(&self.field.text()) + 2 }
    }

    /// Draws the search as a chip at column `from` of `area`.
    pub(super) fn draw_chip(&self, from: u16, area: Rect, canvas: &mut Canvas<'_>) {
        let (ctx, theme) = (canvas.ctx, &canvas.ctx.theme);
        let text = format!("/{}", self.field.text());
        let writer = canvas.line(area, 0).move_to(from).text(&text, theme.accent);
        ctx.hit_map.click_action(writer.rect_since(from), Action::Search);
    }
}
