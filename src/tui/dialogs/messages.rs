//! What was said in this run, newest first, with times: for a sentence that was gone before it
//! was read. Typed letters narrow it. Reads only.

use ratatui::{
    crossterm::event::KeyEvent,
    layout::{Position, Rect},
};

use super::Dialog;
use super::palette::{ABOVE, draw_search, height};
use crate::{
    domain::terminal_text::escape,
    keymap::{Action, Mode},
    tui::{
        app::{effect::Effect, message_line::Message, model::Model},
        theme::time_format,
        widgets::{
            field::Field,
            form::FormInput as _,
            list_selection::ListSelection,
            paint::{Canvas, wrap},
            panel,
        },
    },
};

/// Most columns, and columns of the times.
const WIDE: u16 = 90;
const TIME: u16 = 10;
/// Lines for the whole of the selected one, with the rule above it.
const WHOLE: u16 = 4;

/// The sentences as they were when it was opened.
#[derive(Debug)]
pub struct MessagesDialog {
    said: Vec<Message>,
    search: Field,
    rows: ListSelection,
}

impl MessagesDialog {
    /// The screen of what was `said`, newest first.
    pub fn new(said: Vec<Message>) -> Self {
        Self { said, search: Field::line(""), rows: ListSelection::default() }
    }

    fn found(&self) -> impl Iterator<Item = &Message> {
        let typed = self.search.text().trim().to_lowercase();
        self.said.iter().filter(move |said| said.text.to_lowercase().contains(&typed))
    }
}

impl Dialog for MessagesDialog {
    fn mode(&self) -> Mode {
        Mode::Menu
    }

    fn update(&mut self, action: Action, _: &Model) -> Option<Effect> {
        self.rows.on(action, self.found().count());
        (action == Action::Close).then(Effect::close)
    }

    fn view(&mut self, area: Rect, canvas: &mut Canvas<'_>) -> Option<Position> {
        let (ctx, theme) = (canvas.ctx, &canvas.ctx.theme);
        let wide = WIDE.min(area.width.saturating_sub(6));
        let inner = panel::draw("Messages", (wide, height(area)), false, area, canvas);
        let total = self.found().count();
        let mut rows = self.rows;
        let whole = if inner.height > 2 * WHOLE { WHOLE } else { 0 };
        let list = Rect { height: inner.height.saturating_sub(whole), ..inner };
        let page = usize::from(list.height.saturating_sub(ABOVE));
        let top = rows.window(page, total);
        let count = format!("{} of {total}", (rows.selected() + 1).min(total));
        let cursor = draw_search(&self.search, &count, list, canvas);
        ctx.hit_map.wheel(inner, 3);
        for (line, (at, said)) in (ABOVE..).zip(self.found().enumerate().skip(top).take(page)) {
            let time = time_format::clock(said.at, ctx.zone);
            let (sign, style) =
                if said.bad { (theme.fault(), theme.danger) } else { (" ", theme.text()) };
            canvas
                .line(list, line)
                .skip(1)
                .column_of(&time, TIME, theme.faint)
                .text(sign, style)
                .skip(1)
                .text(&said.text, style);
            canvas.list_row((list, line), (at, rows.selected()), Action::Open);
        }
        if let Some(said) = self.found().nth(rows.selected()).filter(|_| whole > 0) {
            let rest = Rect { y: list.bottom(), height: whole, ..inner };
            canvas.rule(rest, 0);
            canvas.text_lines(rest, 1.., wrap(&escape(&said.text), rest.width), theme.text());
        }
        if total == 0 {
            let text = if self.said.is_empty() {
                "Nothing was said yet: what stands at the foot for a moment is kept here."
            } else {
                "No message has that in it."
            };
            canvas.text_lines(inner, ABOVE.., wrap(text, inner.width), theme.text());
        }
        self.rows = rows;
        cursor
    }

    fn enables(&self, action: Action) -> bool {
        action != Action::Accept
    }

    fn text(&mut self, key: KeyEvent) {
        if self.search.press(key) {
            self.rows.select(0);
        }
    }
}
