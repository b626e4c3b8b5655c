//! The list of tokens: chips for the status, search as one types, sorting, and one row a token.
//! Shows and selects; everything that it does to a token is a dialog or another tab.

mod marking;

use std::ops::ControlFlow;

use ratatui::{
    crossterm::event::KeyEvent,
    layout::{Position, Rect},
};

use super::{
    filter_bar::FilterBar,
    multi_select::MultiSelect,
    search_box::SearchBox,
    token_actions::{on_token, preview},
    token_table::{draw_headings, draw_row, fitting},
};
use crate::{
    domain::{
        Column, Command, Query, Search, Status, StatusFilter, Timestamp, TokenId, TokenSelection,
    },
    keymap::{Action, Mode},
    list::{Completeness, ListRequest, ListResult},
    tui::{
        app::{
            effect::{Effect, Tab, UiAction},
            model::Model,
        },
        widgets::{
            list_selection::ListSelection,
            paint::{Canvas, row_of, width},
        },
    },
};

/// Lines above the rows: chips, headings.
const ABOVE: u16 = 2;

#[derive(Debug, Default)]
pub struct Tokens {
    query: Query,
    search_box: SearchBox,
    listing: ListResult,
    rows: ListSelection,
    selected: Option<TokenId>,
    /// The list was asked for since something changed.
    is_current: bool,
    /// The number of the last question.
    asked: u64,
    /// The selected token is to be shown, whatever the filter.
    seek: bool,
    marks: MultiSelect,
}

impl Tokens {
    pub fn mode(&self) -> Mode {
        if self.search_box.is_typing() { Mode::Search } else { Mode::Tokens }
    }

    pub fn selected(&self) -> Option<TokenId> {
        self.selected
    }

    pub fn query(&self) -> &Query {
        &self.query
    }

    /// Which row of how many is selected, for the line at the foot.
    pub fn place(&self) -> String {
        match self.listing.total {
            0 => String::new(),
            count => format!("{} of {count}", self.rows.selected() + 1),
        }
    }

    /// Selects `id`; with a filter that shows it, if the present one does not.
    pub fn select(&mut self, id: TokenId) {
        if self.selected != Some(id) || self.row_of(id).is_none() {
            self.selected = Some(id);
            self.seek = true;
            self.is_current = false;
        }
    }

    /// What is shown is to be asked for anew, after tokens, query or time changed.
    pub fn refresh(&mut self) {
        self.is_current = false;
    }

    /// What is shown is not known, and will not be told before it is asked for again.
    pub fn give_up(&mut self) {
        self.listing.number = self.asked;
        self.listing.completeness = Completeness::Complete;
    }

    /// What is to be asked, once.
    pub fn question(&mut self, at: Timestamp) -> Option<ListRequest> {
        if std::mem::replace(&mut self.is_current, true) {
            return None;
        }
        self.asked += 1;
        let (query, selected, row) = (self.query.clone(), self.selected, self.rows.selected());
        Some(ListRequest { number: self.asked, query, at, selected, row })
    }

    /// Whether the rows on the screen are still to be told.
    pub fn awaits_rows(&self) -> bool {
        !self.is_current || self.listing.number != self.asked
    }

    /// Whether any row is.
    #[cfg(any(test, feature = "testing"))]
    pub fn awaits_more(&self) -> bool {
        self.awaits_rows() || !self.listing.is_complete()
    }

    /// Takes what is shown. The selected token stays selected; if it is not shown any more,
    /// the row that took its place is.
    pub fn deliver(&mut self, listing: ListResult) {
        if listing.number != self.asked {
            return;
        }
        self.listing = listing.after(&self.listing);
        // The operator may have moved on since the question was asked.
        let own = self.selected.and_then(|id| self.row_of(id));
        if let Some(row) = own {
            self.rows.select(row);
            self.seek = false;
        } else if self.seek && self.listing.is_complete() {
            self.seek = false;
            self.query.status = StatusFilter::All;
            self.clear_search();
            self.is_current = false;
            return;
        }
        self.rows.select(self.rows.selected().min(self.listing.total.saturating_sub(1)));
        if own.is_none() && !self.seek {
            self.selected = self.id_at(self.rows.selected());
        }
    }

    /// Whether the first row is selected, as at the beginning.
    pub fn is_at_the_top(&self) -> bool {
        self.rows.selected() == 0
    }

    /// The tokens whose records are looked at, with those of `pages` more on either side.
    pub fn wanted(&self, pages: usize) -> Vec<TokenId> {
        let seen = self.rows.ahead(self.listing.total);
        let more = pages * seen.len();
        let rows = seen.start.saturating_sub(more)..(seen.end + more).min(self.listing.total);
        rows.filter_map(|row| self.id_at(row)).chain(self.selected).collect()
    }

    fn id_at(&self, row: usize) -> Option<TokenId> {
        self.listing.tokens.get(row)
    }

    fn row_of(&self, id: TokenId) -> Option<usize> {
        // Looking for one that is not shown among a million takes milliseconds.
        match self.listing.selected_row.filter(|(asked, _)| *asked == id) {
            Some((_, told)) => told,
            None if self.id_at(self.rows.selected()) == Some(id) => Some(self.rows.selected()),
            None => self.listing.tokens.find(&id),
        }
    }

    fn clear_search(&mut self) {
        self.search_box = SearchBox::default();
        self.query.search = Search::default();
    }

    pub fn enables(&self, action: Action, ctx: &Model) -> bool {
        let token = self.selected.and_then(|id| ctx.token(&id));
        match action {
            Action::Revoke if self.marks.is_empty() => {
                token.is_some_and(|token| token.status(ctx.now) != Status::Revoked)
            }
            Action::Open
            | Action::Clone
            | Action::Edit
            | Action::AddScope
            | Action::Regenerate
            | Action::Delete
            | Action::Mark
            | Action::MarkRange
            | Action::MarkAll
            | Action::CopyId
            | Action::CopyJson
            | Action::CopyName => token.is_some(),
            Action::DeleteAll | Action::Search | Action::NextSort | Action::ReverseSort => {
                ctx.census.total > 0
            }
            _ => true,
        }
    }

    pub fn update(&mut self, action: Action, ctx: &Model) -> Option<Effect> {
        if self.rows.on(action, self.listing.total).is_some() {
            self.selected = self.id_at(self.rows.selected());
            return None;
        }
        if self.search_box.is_typing() {
            return self.on_search(action);
        }
        if let ControlFlow::Break(answer) = self.on_marks(action, ctx) {
            return answer;
        }
        match action {
            Action::New => Some(Effect::Ui(UiAction::GoTo(Tab::Create))),
            Action::DeleteAll => Some(preview(Command::Delete { tokens: TokenSelection::All })),
            Action::NextStatus | Action::PreviousStatus | Action::Expiring => self.filter(action),
            Action::Search => {
                self.search_box.begin();
                None
            }
            Action::Back if !self.search_box.is_empty() => {
                self.clear_search();
                self.refresh();
                None
            }
            Action::NextSort => {
                self.query.sort.column = around(&Column::ALL, self.query.sort.column, true);
                self.refresh();
                None
            }
            Action::ReverseSort => {
                self.query.sort.descending ^= true;
                self.refresh();
                None
            }
            _ => on_token(action, self.selected.and_then(|id| ctx.token(&id))?, ctx),
        }
    }

    fn on_search(&mut self, action: Action) -> Option<Effect> {
        match action {
            // What cannot be read is not kept.
            Action::Accept => match self.search_box.fault() {
                Some(fault) => return Some(Effect::warn(fault.to_string())),
                None => self.search_box.keep(),
            },
            Action::Cancel => {
                self.clear_search();
                self.refresh();
            }
            _ => {}
        }
        None
    }

    pub fn text(&mut self, key: KeyEvent) {
        if self.search_box.press(key) {
            self.searched();
        }
    }

    pub fn paste(&mut self, text: &str) -> bool {
        let taken = self.search_box.paste(text);
        if taken {
            self.searched();
        }
        taken
    }

    /// Looks for what the field says now.
    fn searched(&mut self) {
        let search = self.search_box.search();
        if search != self.query.search {
            self.query.search = search;
            self.refresh();
        }
    }

    /// Shows other statuses, unless the search says which.
    fn filter(&mut self, action: Action) -> Option<Effect> {
        if self.query.search.names_status() {
            return Some(Effect::info("the search says which statuses are shown: Esc clears it"));
        }
        let now = self.query.status;
        self.query.status = match (action, now) {
            (Action::NextStatus, StatusFilter::Expiring) => StatusFilter::Expired,
            (_, StatusFilter::Expiring) => StatusFilter::Active,
            (Action::Expiring, _) => StatusFilter::Expiring,
            _ => around(&StatusFilter::STATUSES, now, action == Action::NextStatus),
        };
        self.rows.select(0);
        self.selected = None;
        self.refresh();
        None
    }

    /// Draws it into `area`; `focused` says whether it has the keys.
    pub fn view(&mut self, area: Rect, canvas: &mut Canvas<'_>, focused: bool) -> Option<Position> {
        let (ctx, theme) = (canvas.ctx, &canvas.ctx.theme);
        if self.search_box.is_typing() {
            ctx.hit_map.prefix(Some(Action::Accept));
        }
        let range = self.range();
        let filter_bar = FilterBar {
            chosen: self.query.shown(),
            counts: self.listing.counts,
            search_box: &self.search_box,
            marked: self.marks.count(self.ranged()),
        };
        let cursor = filter_bar.draw(area, canvas);
        ctx.hit_map.wheel(area, 3);
        let columns = fitting(area.width, ctx.times);
        draw_headings(&columns, self.query.sort, area, canvas);
        let page = usize::from(area.height.saturating_sub(ABOVE));
        let total = self.listing.total;
        let top = self.rows.window(page, total);
        for (line, at) in (ABOVE..).zip(top..(top + page).min(total)) {
            ctx.hit_map.row(row_of(area, line), at, self.rows.selected());
            if let Some(token) = self.id_at(at).and_then(|id| ctx.token(&id)) {
                let marked = range.contains(&at) || self.marks.has(&token.id);
                draw_row(token, marked, &columns, (line, area), canvas);
            }
            if at == self.rows.selected() {
                let style = if focused { theme.selected } else { theme.selected_idle };
                canvas.band(area, line, style);
            }
        }
        if self.listing.is_complete() && total == 0 {
            self.draw_emptiness(area, canvas);
        }
        cursor
    }

    fn draw_emptiness(&self, area: Rect, canvas: &mut Canvas<'_>) {
        let (ctx, theme) = (canvas.ctx, &canvas.ctx.theme);
        let lines: [String; 2] = if ctx.census.total == 0 {
            let key = ctx.key(Mode::Tokens, Action::New);
            let advice = format!("Press {key} to create the first one.");
            ["No tokens yet.".into(), if ctx.read_only { String::new() } else { advice }]
        } else if self.query.search.is_empty() {
            let word = self.query.status.as_str().to_lowercase();
            [format!("No {word} tokens."), "Press f to see the next status.".into()]
        } else {
            let word = self.query.shown().as_str().to_lowercase();
            let other = if self.query.search.names_status() {
                "Press Esc to clear it."
            } else {
                "Press Esc to clear it, f to look at another status."
            };
            [format!("Nothing {word} matches the search.").replace("all ", ""), other.into()]
        };
        let middle = ABOVE + area.height.saturating_sub(ABOVE) / 3;
        for (line, (text, style)) in (middle..).zip(lines.iter().zip([theme.heading, theme.text()]))
        {
            let indent = area.width.saturating_sub(width(text)) / 2;
            canvas.line(area, line).skip(indent).text(text, style);
        }
    }
}

fn around<T: Copy + PartialEq>(all: &[T], now: T, forward: bool) -> T {
    let at = all.iter().position(|each| *each == now).unwrap_or(0);
    let step = if forward { 1 } else { all.len().saturating_sub(1) };
    all.get((at + step) % all.len().max(1)).copied().unwrap_or(now)
}

#[cfg(test)]
mod tests;
