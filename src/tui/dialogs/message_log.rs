//! Message log: the messages of this run with their times, newest first. Typed text filters the
//! list. The log also contains messages that disappeared before the operator read them.

use ratatui::{
    crossterm::event::KeyEvent,
    layout::{Position, Rect},
};

use super::Dialog;
use super::palette::{HEADER_LINES, draw_search, menu_height};
use crate::{
    keymap::{Action, Mode},
    tui::{
        app::{effect::Effect, message_log::Message, model::Model},
        theme::time_format,
        widgets::{
            canvas::{Canvas, wrap},
            form::FormInput as _,
            list_selection::ListSelection,
            panel,
            text_input::TextInput,
        },
    },
};

/// Maximum width of the panel.
const MAX_WIDTH: u16 = 90;
/// Width of the time column.
const TIME_WIDTH: u16 = 10;
/// Height of the area with the full text of the selected message, including the rule above the
/// text.
const PREVIEW_HEIGHT: u16 = 4;

/// The message log. It shows the messages that existed when the dialog was opened.
#[derive(Debug)]
pub struct MessageLogDialog {
    messages: Vec<Message>,
    search: TextInput,
    rows: ListSelection,
}

impl MessageLogDialog {
    /// The message log with `messages`, which are sorted newest first.
    pub fn new(messages: Vec<Message>) -> Self {
        Self { messages, search: TextInput::single_line(""), rows: ListSelection::default() }
    }

    fn matching(&self) -> impl Iterator<Item = &Message> {
        let typed = self.search.text().trim().to_lowercase();
        self.messages.iter().filter(move |message| message.text.to_lowercase().contains(&typed))
    }
}

impl Dialog for MessageLogDialog {
    fn mode(&self) -> Mode {
        Mode::Menu
    }

    fn update(&mut self, action: Action, _: &Model) -> Option<Effect> {
        self.rows.apply_movement(action, self.matching().count());
        (action == Action::Close).then(Effect::close)
    }

    fn view(&mut self, area: Rect, canvas: &mut Canvas<'_>) -> Option<Position> {
        let (ctx, theme) = (canvas.ctx, &canvas.ctx.theme);
        let wide = MAX_WIDTH.min(area.width.saturating_sub(6));
        let inner = panel::draw("Messages", (wide, menu_height(area)), false, area, canvas);
        let total = self.matching().count();
        let mut rows = self.rows;
        let preview_height = if inner.height > 2 * PREVIEW_HEIGHT { PREVIEW_HEIGHT } else { 0 };
        let list = Rect { height: inner.height.saturating_sub(preview_height), ..inner };
        let page = usize::from(list.height.saturating_sub(HEADER_LINES));
        let top = rows.scroll_to_selection(page, total);
        let count = format!("{} of {total}", (rows.selected() + 1).min(total));
        let cursor = draw_search(&self.search, &count, list, canvas);
        ctx.hit_map.wheel(inner, 3);
        for (line, (at, message)) in
            (HEADER_LINES..).zip(self.matching().enumerate().skip(top).take(page))
        {
            let time = time_format::clock(message.at, ctx.zone);
            let (sign, style) = if message.is_warning {
                (theme.fault_glyph(), theme.danger)
            } else {
                (" ", theme.text())
            };
            canvas
                .line(list, line)
                .skip(1)
                .write_column(&time, TIME_WIDTH, theme.faint)
                .text(sign, style)
                .skip(1)
                .text(&message.text, style);
            canvas.list_row((list, line), (at, rows.selected()), Action::Open);
        }
        if let Some(message) = self.matching().nth(rows.selected()).filter(|_| preview_height > 0) {
            let rest = Rect { y: list.bottom(), height: preview_height, ..inner };
            canvas.rule(rest, 0);
            canvas.text_lines(rest, 1.., wrap(&message.text, rest.width, theme), theme.text());
        }
        if total == 0 {
            let text = if self.messages.is_empty() {
                "No messages yet. Past messages appear here."
            } else {
                "No message matches."
            };
            canvas.text_lines(inner, HEADER_LINES.., wrap(text, inner.width, theme), theme.text());
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
