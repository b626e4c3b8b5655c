//! The line above the list: a chip for each status with its count, the search that stands, and
//! how many tokens are marked. While a search is typed the line is the field's, but for the chip
//! that is chosen. Draws what the list tells it.

use ratatui::layout::{Position, Rect};

use super::search_box::SearchBox;
use crate::{
    domain::{Counts, StatusFilter},
    keymap::Action,
    tui::{
        app::model::Model,
        widgets::{
            hit_map::SyntheticInput,
            paint::{Canvas, width},
        },
    },
};

/// What the line tells.
#[derive(Debug, Clone, Copy)]
pub(super) struct FilterBar<'a> {
    /// The filter in force.
    pub(super) chosen: StatusFilter,
    /// How many there are of each, once that is known.
    pub(super) counts: Option<Counts>,
    /// The search.
    pub(super) search_box: &'a SearchBox,
    /// How many are marked.
    pub(super) marked: usize,
}

impl FilterBar<'_> {
    /// Draws the line; the place of the cursor while a search is typed.
    pub(super) fn draw(self, area: Rect, canvas: &mut Canvas<'_>) -> Option<Position> {
        let (ctx, theme) = (canvas.ctx, &canvas.ctx.theme);
        let mut room = area;
        if self.marked > 0 {
            let text = format!("{} marked", self.marked);
            room.width = area.width.saturating_sub(width(&text) + 2);
            canvas.line(area, 0).to(room.width + 1).text(&text, theme.accent);
        }
        let typing = self.search_box.is_typing();
        let mut column = 1;
        let mut others = Vec::new();
        for (filter, text) in self.fitting(room.width) {
            let on = filter == self.chosen;
            if typing && !on {
                others.push(text);
                continue;
            }
            let style = if on { theme.accent } else { theme.faint };
            let (open, close) = if on { ("[", "]") } else { (" ", " ") };
            let writer = canvas.line(room, 0).to(column);
            let writer = writer.text(open, style).text(&text, style).text(close, style);
            self.note(filter, writer.since(column), ctx);
            column = writer.column() + 1;
        }
        if typing {
            return self.search_box.draw_field(column, &others.join("  "), room, canvas);
        }
        if !self.search_box.is_empty() {
            self.search_box.draw_chip(column + 1, room, canvas);
        }
        None
    }

    /// A click into `area` chooses `filter`: it stands for the keys that go round to it.
    fn note(self, filter: StatusFilter, area: Rect, ctx: &Model) {
        let place = |filter| StatusFilter::STATUSES.iter().position(|each| *each == filter);
        let count = StatusFilter::STATUSES.len();
        match (place(self.chosen), place(filter)) {
            (_, None) => ctx.hit_map.act(area, Action::Expiring),
            (Some(now), Some(to)) => {
                ctx.hit_map.cycle_to(area, Action::NextStatus, (now, to), count);
            }
            // From what expires soon the next one is the second.
            (None, Some(to)) => {
                let times = (to + count - 1) % count + 1;
                ctx.hit_map.click(area, SyntheticInput::Act(Action::NextStatus), times);
            }
        }
    }

    /// The chips with their texts, the words cut where the line is short. That nothing expires
    /// soon takes no room.
    fn fitting(self, room: u16) -> Vec<(StatusFilter, String)> {
        let chips = |word: fn(StatusFilter) -> String| {
            let shown = StatusFilter::ALL.into_iter().filter(|filter| {
                let some = self.counts.is_some_and(|counts| counts.of(*filter) > 0);
                *filter != StatusFilter::Expiring || *filter == self.chosen || some
            });
            let texts = shown.map(|filter| {
                let count = self.counts.map(|counts| format!(" {}", counts.of(filter)));
                (filter, word(filter) + &count.unwrap_or_default())
            });
            texts.collect::<Vec<_>>()
        };
        let whole = chips(|filter| filter.as_str().to_owned());
        let wide: u16 = whole.iter().map(|(_, text)| width(text) + 3).sum();
        let search = if self.search_box.is_typing() { 0 } else { self.search_box.width() };
        if wide + search <= room { whole } else { chips(short) }
    }
}

fn short(filter: StatusFilter) -> String {
    match filter {
        StatusFilter::Expiring => "Soon".to_owned(),
        other => other.as_str().chars().take(3).collect(),
    }
}
