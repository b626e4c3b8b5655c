//! The filters of the token list: the status filter, the windows of expiries, the views and the filter
//! of a row of the overview. Called by the token list.

use super::{TokensScreen, expiry_window, view_number};
use crate::{
    domain::{Column, Search, Sort, StatusFilter},
    keymap::{Action, Mode},
    tui::app::{effect::Effect, model::Model},
};

impl TokensScreen {
    /// Shows the tokens of a row of the overview. Clearing the search then returns to the status
    /// filter of before.
    pub fn show_filtered(&mut self, status: StatusFilter, search: &str) {
        let before = self.status_before.unwrap_or(self.query.status);
        self.sort_window(search.starts_with("expires"));
        self.set_filter(status, search);
        self.status_before = Some(before);
    }

    /// Whether the overview has chosen the filter, and the operator has not changed it since.
    pub(in crate::tui) fn is_opened_from_overview(&self) -> bool {
        self.status_before.is_some()
    }

    /// Clears the search, and the status filter if it is a part of another one.
    pub(super) fn clear_filter(&mut self) {
        let before = self.status_before.take().unwrap_or(self.query.status);
        self.query.status = before.containing();
        self.sort_window(false);
        self.clear_search();
        self.refresh();
    }

    /// Sorts by expiry in a window of expiries, and as before outside of it, unless the operator
    /// has chosen another order meanwhile.
    fn sort_window(&mut self, is_in_window: bool) {
        if !is_in_window {
            self.query.sort = self.sort_before_window.take().unwrap_or(self.query.sort);
        } else if self.sort_before_window.is_none() {
            self.sort_before_window = Some(self.query.sort);
            self.query.sort = Sort::by(Column::Expires);
        }
    }

    /// Shows the tokens with this status that match this search, from the first row on.
    fn set_filter(&mut self, status: StatusFilter, search: &str) {
        self.query.status = status;
        self.search_box.set_text(search);
        self.query.search = self.search_box.search();
        self.rows.select(0);
        (self.selected, self.must_show_selected) = (None, false);
        self.status_before = None;
        self.refresh();
    }

    /// Shows the view after the current one; after the last one, all active tokens.
    pub(super) fn show_next_view(&mut self, ctx: &Model) -> Option<Effect> {
        if ctx.views.is_empty() {
            return Some(Effect::info(
                "There are no views. The table [views] of the config names searches.",
            ));
        }
        let next = view_number(&self.search_box.field.text(), ctx).map_or(0, |at| at + 1);
        let search = ctx.views.get(next).map_or("", |view| view.search.as_str());
        self.set_filter(StatusFilter::Active, search);
        None
    }

    pub(super) fn clear_search(&mut self) {
        self.search_box.clear();
        self.query.search = Search::default();
    }

    /// Selects another status filter, unless the search contains a status term.
    pub(super) fn change_status_filter(&mut self, action: Action, ctx: &Model) -> Option<Effect> {
        if self.query.search.filters_status() {
            return Some(Effect::info(format!(
                "The search already filters by status. {} clears the search.",
                ctx.key(Mode::Tokens, Action::Back)
            )));
        }
        if action == Action::Expiring {
            let text = self.search_box.field.text();
            let (status, search) = expiry_window::next_window(self.query.status, &text);
            self.set_filter(status, &search);
            self.sort_window(expiry_window::window_state(status, &search) > 0);
            return None;
        }
        let without_window = expiry_window::without_window(&self.search_box.field.text());
        if let Some(search) = without_window {
            self.search_box.set_text(&search);
            self.query.search = self.search_box.search();
        }
        let now = self.query.status;
        let offered = StatusFilter::offered(now, self.result.counts);
        self.query.status = cycle(&offered, now, action == Action::NextStatus);
        self.sort_window(self.query.status == StatusFilter::Expiring);
        self.rows.select(0);
        (self.selected, self.status_before) = (None, None);
        self.refresh();
        None
    }
}

fn cycle<T: Copy + PartialEq>(all: &[T], now: T, forward: bool) -> T {
    let at = all.iter().position(|each| *each == now).unwrap_or(0);
    let step = if forward { 1 } else { all.len().saturating_sub(1) };
    all.get((at + step) % all.len().max(1)).copied().unwrap_or(now)
}
