//! Line above the token list: a chip per status with its count, the active search, and the number
//! of marked tokens. While a search is typed, the search field replaces all chips except the
//! selected one. Called by the token list.

use ratatui::layout::{Position, Rect};

use super::{search_box::SearchBox, tokens::view_number};
use crate::{
    domain::{StatusCounts, StatusFilter, grouped},
    keymap::{Action, Mode},
    tui::{
        app::model::Model,
        widgets::canvas::{Canvas, width},
    },
};

/// The values that the line shows.
#[derive(Debug, Clone, Copy)]
pub(super) struct FilterBar<'a> {
    /// The active status filter.
    pub(super) selected: StatusFilter,
    /// The number of tokens per status. `None` until the tokens are counted.
    pub(super) counts: Option<StatusCounts>,
    pub(super) search_box: &'a SearchBox,
    /// Number of marked tokens.
    pub(super) marked: usize,
}

impl FilterBar<'_> {
    /// Draws the line. Returns the cursor position while a search is typed.
    pub(super) fn draw(self, area: Rect, canvas: &mut Canvas<'_>) -> Option<Position> {
        let (ctx, theme) = (canvas.ctx, &canvas.ctx.theme);
        let mut room = area;
        if self.marked > 0 {
            let text = format!("{} marked", grouped(self.marked));
            room.width = area.width.saturating_sub(width(&text) + 2);
            canvas.line(area, 0).move_to(room.width + 1).text(&text, theme.accent);
        }
        let typing = self.search_box.field.is_typing();
        let mut column = 1;
        let mut others = Vec::new();
        for (filter, text) in self.fitting_chips(room.width, ctx) {
            let on = filter == self.selected;
            if typing && !on {
                others.push(text);
                continue;
            }
            let style = if on { theme.accent } else { theme.faint };
            let (open, close) = if on { ("[", "]") } else { (" ", " ") };
            let writer = canvas.line(room, 0).move_to(column);
            let writer = writer.text(open, style).text(&text, style).text(close, style);
            self.add_click(filter, writer.rect_since(column), ctx);
            column = writer.column() + 1;
        }
        if typing {
            let others = others.join("  ");
            let short: Vec<_> = self
                .chips(short_label)
                .into_iter()
                .filter(|(filter, _)| *filter != self.selected)
                .map(|(_, text)| text)
                .collect();
            return self.search_box.draw_field(column, [&others, &short.join(" ")], room, canvas);
        }
        let column = self.draw_views(column, room, canvas);
        if self.search_box.field.is_empty() {
            self.draw_search_hint(column, room, canvas);
        } else {
            self.search_box.draw_chip(column + 1, room, canvas);
        }
        None
    }

    /// Draws the names of the views from column `from` on: that of the current view, and those of the
    /// others that fit beside the search. The key of the next view stands for those that do not fit.
    /// Returns the column behind them.
    fn draw_views(self, from: u16, area: Rect, canvas: &mut Canvas<'_>) -> u16 {
        let (ctx, theme) = (canvas.ctx, &canvas.ctx.theme);
        let current = view_number(&self.search_box.field.text(), ctx);
        let all: u16 = ctx.views.iter().map(|view| width(&view.name) + 3).sum();
        let more = more_views(ctx);
        let room = area.width.saturating_sub(self.search_box.chip_width());
        let mut left = room.saturating_sub(from);
        let is_cut = all > left;
        if is_cut {
            let own = current.and_then(|at| ctx.views.get(at)).map_or(0, |it| width(&it.name) + 3);
            left = left.saturating_sub(width(&more) + own);
        }
        let mut column = from;
        for (at, view) in ctx.views.iter().enumerate() {
            let is_current = current == Some(at);
            let wide = width(&view.name) + 3;
            if is_cut && !is_current {
                if wide > left {
                    continue;
                }
                left -= wide;
            }
            let style = if is_current { theme.accent } else { theme.faint };
            let (open, close) = if is_current { ("[", "]") } else { (" ", " ") };
            let writer = canvas.line(area, 0).move_to(column);
            let writer = writer.text(open, style).text(&view.name, style).text(close, style);
            // Without a view, the key leads to the first one, and from the last one to none.
            let now = current.map_or(0, |at| at + 1);
            let states = (now, at + 1);
            let count = ctx.views.len() + 1;
            ctx.hit_map.cycle_to(writer.rect_since(column), Action::NextView, states, count);
            column = writer.column() + 1;
        }
        if is_cut && column + width(&more) <= room {
            let writer = canvas.line(area, 0).move_to(column).text(&more, theme.faint);
            ctx.hit_map.click_action(writer.rect_since(column), Action::NextView);
            column = writer.column() + 1;
        }
        column
    }

    /// Draws the key of the search at the right end of `area`, if the chips end at `column` and leave
    /// enough room.
    fn draw_search_hint(self, column: u16, area: Rect, canvas: &mut Canvas<'_>) {
        let (ctx, theme) = (canvas.ctx, &canvas.ctx.theme);
        let key = ctx.key(Mode::Tokens, Action::Search);
        let start = area.width.saturating_sub(width(&key) + width(" search") + 1);
        if self.marked > 0 || ctx.summary.total == 0 || start < column + 2 {
            return;
        }
        let writer = canvas.line(area, 0).move_to(start).text(&key, theme.key);
        let writer = writer.text(" search", theme.faint);
        ctx.hit_map.click_action(writer.rect_since(start), Action::Search);
    }

    /// Makes a click into `area` select `filter`. The click acts like the key presses that lead
    /// from the selected filter to `filter`.
    fn add_click(self, filter: StatusFilter, area: Rect, ctx: &Model) {
        let offered = StatusFilter::offered(self.selected, self.counts);
        let index_of = |filter| offered.iter().position(|status| *status == filter);
        if let (Some(now), Some(to)) = (index_of(self.selected), index_of(filter)) {
            ctx.hit_map.cycle_to(area, Action::NextStatus, (now, to), offered.len());
        }
    }

    /// The chips with their labels, which are shortened if `room` columns are not enough. Omits
    /// those that are not worth offering.
    fn fitting_chips(self, room: u16, ctx: &Model) -> Vec<(StatusFilter, String)> {
        let is_typing = self.search_box.field.is_typing();
        let search = if is_typing { 0 } else { self.search_box.chip_width() };
        let views = if is_typing { 0 } else { self.least_views_width(ctx) };
        let fits = |chips: &Vec<(StatusFilter, String)>| {
            let wide: u16 = chips.iter().map(|(_, text)| width(text) + 3).sum();
            wide + search + views <= room
        };
        let labels = [|filter: StatusFilter| filter.as_str().to_owned(), medium_label];
        let longer = labels.into_iter().map(|label| self.chips(label)).find(fits);
        longer.unwrap_or_else(|| self.chips(short_label))
    }

    /// The width of the chip of the current view and of the sign for the others.
    fn least_views_width(self, ctx: &Model) -> u16 {
        let current = view_number(&self.search_box.field.text(), ctx);
        let own = current.and_then(|at| ctx.views.get(at)).map_or(0, |it| width(&it.name) + 3);
        let has_others = ctx.views.len() > usize::from(own > 0);
        own + if has_others { width(&more_views(ctx)) + 1 } else { 0 }
    }

    /// The chips that are worth offering, with the counts of their tokens. `word` names a filter.
    fn chips(self, word: fn(StatusFilter) -> String) -> Vec<(StatusFilter, String)> {
        let shown = StatusFilter::offered(self.selected, self.counts).into_iter();
        let texts = shown.map(|filter| {
            let count = self.counts.map(|counts| format!(" {}", grouped(counts.count_for(filter))));
            (filter, word(filter) + &count.unwrap_or_default())
        });
        texts.collect()
    }
}

/// The sign for views that do not fit: the key that shows the next view.
fn more_views(ctx: &Model) -> String {
    format!("{} {}", ctx.key(Mode::Tokens, Action::NextView), ctx.theme.ellipsis())
}

/// The short label, but the whole word for "expiring", whose start is that of "expired".
fn medium_label(filter: StatusFilter) -> String {
    match filter {
        StatusFilter::Expiring => filter.as_str().to_owned(),
        other => short_label(other),
    }
}

fn short_label(filter: StatusFilter) -> String {
    match filter {
        StatusFilter::Expiring => "Soon".to_owned(),
        StatusFilter::NotYetValid => "Not yet".to_owned(),
        other => other.as_str().chars().take(3).collect(),
    }
}
