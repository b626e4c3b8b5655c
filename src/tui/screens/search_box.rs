//! The search of the list while it is typed and while it stands: its field, and what is wrong
//! with it: the term that cannot be read counts once it can. Owned by the list, which asks it
//! what to look for.

use ratatui::{
    crossterm::event::KeyEvent,
    layout::{Position, Rect},
};

use crate::{
    domain::{Search, SearchError, search::TERMS},
    keymap::Action,
    tui::widgets::{
        field::Field,
        form::FormInput as _,
        paint::{Canvas, width},
    },
};

/// Fewest columns of the field.
const FIELD: u16 = 12;

#[derive(Debug)]
pub(super) struct SearchBox {
    field: Field,
    typing: bool,
    fault: Option<SearchError>,
}

impl Default for SearchBox {
    fn default() -> Self {
        Self { field: Field::line(""), typing: false, fault: None }
    }
}

impl SearchBox {
    pub(super) fn is_typing(&self) -> bool {
        self.typing
    }

    pub(super) fn is_empty(&self) -> bool {
        self.field.is_empty()
    }

    /// What is wrong with what stands in the field.
    pub(super) fn fault(&self) -> Option<&SearchError> {
        self.fault.as_ref()
    }

    /// Begins to type, where one left off.
    pub(super) fn begin(&mut self) {
        self.typing = true;
    }

    /// Leaves the field; what stands in it stays in force.
    pub(super) fn keep(&mut self) {
        self.typing = false;
    }

    /// Takes a key; whether the text is another one now.
    pub(super) fn press(&mut self, key: KeyEvent) -> bool {
        self.typing && self.field.press(key)
    }

    /// Takes a paste; false while nothing is typed here.
    pub(super) fn paste(&mut self, text: &str) -> bool {
        if self.typing {
            self.field.paste(text);
        }
        self.typing
    }

    /// What the text searches for. A term that cannot be read is left out until it can, and the
    /// field says so.
    pub(super) fn search(&mut self) -> Search {
        let (search, fault) = Search::read(&self.field.text());
        self.fault = fault;
        search
    }

    /// Draws the field from column `from` of `area` on. Beside it stands what is wrong, or what
    /// could be typed while nothing is, or else `told`.
    pub(super) fn draw_field(
        &self,
        from: u16,
        told: &str,
        area: Rect,
        canvas: &mut Canvas<'_>,
    ) -> Option<Position> {
        let theme = &canvas.ctx.theme;
        let place = canvas.line(area, 0).to(from).text("/", theme.accent).column();
        let room = area.width.saturating_sub(place);
        let own = (width(&self.field.text()) + 2).max(FIELD);
        let (beside, style) = match &self.fault {
            Some(fault) => (format!("{} {fault}", theme.fault()), theme.danger),
            None if self.field.is_empty() => (TERMS.to_owned(), theme.faint),
            None if own + width(told) < room => (told.to_owned(), theme.faint),
            None => (String::new(), theme.faint),
        };
        // The text has a half of the line at least, whatever is said of it.
        let left = room.saturating_sub(width(&beside) + 1);
        let wide = if beside.is_empty() { room } else { left.max(own.min(room / 2)) };
        canvas.line(area, 0).to(place + wide + 1).text(&beside, style);
        let field = Rect { x: area.x + place, width: wide, height: 1, ..area };
        self.field.draw(field.intersection(area), canvas, true)
    }

    /// The columns of its chip, none while nothing is searched for.
    pub(super) fn width(&self) -> u16 {
        if self.is_empty() { 0 } else { width(&self.field.text()) + 2 }
    }

    /// Draws it as a chip at column `from` of `area`.
    pub(super) fn draw_chip(&self, from: u16, area: Rect, canvas: &mut Canvas<'_>) {
        let (ctx, theme) = (canvas.ctx, &canvas.ctx.theme);
        let text = format!("/{}", self.field.text());
        let writer = canvas.line(area, 0).to(from).text(&text, theme.accent);
        ctx.hit_map.act(writer.since(from), Action::Search);
    }
}
