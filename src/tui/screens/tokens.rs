//! Token list: status chips, incremental search, sorting, marks, and one row per token. It does
//! not change tokens itself; its effects open dialogs or other tabs.

mod empty_state;
mod expiry_strip;
mod expiry_window;
mod filters;
mod highlight;
mod marking;
mod table;

use std::ops::ControlFlow;

use ratatui::{
    crossterm::event::KeyEvent,
    layout::{Position, Rect},
};

pub(in crate::tui) use self::table::width_beside_detail;
use self::{
    expiry_strip::StripState,
    table::{draw_headings, draw_row, fitting_columns, next_sort},
};
use super::{
    filter_bar::FilterBar,
    marked_tokens::MarkedTokens,
    search_box::SearchBox,
    token_actions::{preview, token_effect},
};
use crate::{
    domain::{
        Command, ListQuery, Sort, Status, StatusFilter, Timestamp, TokenId, TokensToDelete,
        search::TOKEN_TERM_FORMS,
    },
    keymap::{Action, Mode},
    list::{Completeness, ListRequest, ListResult},
    tui::{
        app::{
            effect::{Effect, Tab, UiChange},
            model::Model,
        },
        dialogs::search_terms::SearchTermsDialog,
        widgets::{
            canvas::{Canvas, line_rect, rect_below},
            list_selection::ListSelection,
        },
    },
};

#[derive(Debug, Default)]
pub struct TokensScreen {
    query: ListQuery,
    search_box: SearchBox,
    result: ListResult,
    rows: ListSelection,
    selected: Option<TokenId>,
    /// Whether the list was already requested for the current query, tokens and time.
    is_requested: bool,
    /// The number of the last request.
    last_request: u64,
    /// Whether the selected token must be shown. If the filter hides the token, the filter is
    /// cleared.
    must_show_selected: bool,
    marks: MarkedTokens,
    /// Number of tokens that the last frame shows as marked, with those of the open range.
    marked_count: usize,
    /// Number of marked tokens that were not in the list when the last bulk action began.
    hidden_marks: usize,
    strip: StripState,
    /// The status filter to return to when the filter of a row of the overview is cleared.
    status_before: Option<StatusFilter>,
    /// The sort order to return to when the window of expiries is left.
    sort_before_window: Option<Sort>,
}

impl TokensScreen {
    pub fn mode(&self) -> Mode {
        if self.search_box.field.is_typing() { Mode::Search } else { Mode::Tokens }
    }

    pub fn selected(&self) -> Option<TokenId> {
        self.selected
    }

    pub fn query(&self) -> &ListQuery {
        &self.query
    }

    /// The visible rows for the line above the footer, for example `8-21 of 1,234`. The text is
    /// empty if the list is empty.
    pub fn position_text(&self) -> String {
        self.rows.visible_rows_text(self.result.total)
    }

    /// The error of the search that is being typed, for the message line.
    pub fn search_fault(&self) -> Option<String> {
        let fault = self.search_box.field.fault().filter(|_| self.search_box.field.is_typing());
        fault.map(ToString::to_string)
    }

    /// Selects `id`, and clears the filter if it hides that token.
    pub fn select(&mut self, id: TokenId) {
        if self.selected != Some(id) || self.row_of(id).is_none() {
            self.selected = Some(id);
            self.must_show_selected = true;
            self.is_requested = false;
        }
    }

    /// Requests the list again, after tokens, query or time changed.
    pub fn refresh(&mut self) {
        self.is_requested = false;
    }

    /// Stops waiting for the result of the last request, which failed. Keeps the previous result.
    pub fn stop_waiting(&mut self) {
        self.result.number = self.last_request;
        self.result.completeness = Completeness::Complete;
    }

    /// Returns the list request to send at time `at`, or `None` if nothing changed since the last
    /// request.
    pub fn take_request(&mut self, at: Timestamp) -> Option<ListRequest> {
        if std::mem::replace(&mut self.is_requested, true) {
            return None;
        }
        self.last_request += 1;
        let (query, selected, row) = (self.query.clone(), self.selected, self.rows.selected());
        Some(ListRequest { number: self.last_request, query, at, selected, row })
    }

    /// Whether the visible rows are still being loaded.
    pub fn awaits_rows(&self) -> bool {
        !self.is_requested || self.result.number != self.last_request
    }

    /// Whether any rows are still being loaded.
    #[cfg(any(test, feature = "testing"))]
    pub fn awaits_more(&self) -> bool {
        self.awaits_rows() || !self.result.is_complete()
    }

    /// Shows the result of the last request. Ignores results of older requests. The selected token
    /// stays selected. If the token is no longer in the list, the same row stays selected.
    pub fn deliver(&mut self, result: ListResult) {
        if result.number != self.last_request {
            return;
        }
        self.result = result.after(&self.result);
        // Look up the row of the current selection, which may have moved since the request was
        // sent.
        let own = self.selected.and_then(|id| self.row_of(id));
        if let Some(row) = own {
            self.rows.select(row);
            self.must_show_selected = false;
        } else if self.must_show_selected && self.result.is_complete() {
            self.must_show_selected = false;
            self.query.status = StatusFilter::All;
            self.clear_search();
            self.is_requested = false;
            return;
        }
        self.rows.select(self.rows.selected().min(self.result.total.saturating_sub(1)));
        if own.is_none() && !self.must_show_selected {
            self.selected = self.id_at(self.rows.selected());
        }
    }

    /// The tokens whose records are needed: visible rows, `pages` pages before and after them, and
    /// the selected token.
    pub fn tokens_to_load(&self, pages: usize) -> Vec<TokenId> {
        let seen = self.rows.next_visible_rows(self.result.total);
        let more = pages * seen.len();
        let rows = seen.start.saturating_sub(more)..(seen.end + more).min(self.result.total);
        rows.filter_map(|row| self.id_at(row)).chain(self.selected).collect()
    }

    fn id_at(&self, row: usize) -> Option<TokenId> {
        self.result.tokens.get(row)
    }

    fn row_of(&self, id: TokenId) -> Option<usize> {
        // Use the row in the result if the request asked for `id`, because a search for an absent
        // id in a million rows takes milliseconds.
        match self.result.selected_row.filter(|(asked, _)| *asked == id) {
            Some((_, row)) => row,
            None if self.id_at(self.rows.selected()) == Some(id) => Some(self.rows.selected()),
            None => self.result.tokens.find(&id),
        }
    }

    pub fn enables(&self, action: Action, ctx: &Model) -> bool {
        let token = self.selected.and_then(|id| ctx.token(&id));
        match action {
            Action::Revoke if self.marks.is_empty() => {
                token.is_some_and(|token| token.status(ctx.now) != Status::Revoked)
            }
            Action::EndOverlap => token.is_some_and(|token| token.has_overlap(ctx.now)),
            Action::Open
            | Action::Test
            | Action::Preset
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
            Action::DeleteAll => self.result.total > 0,
            Action::Search
            | Action::NextStatus
            | Action::PreviousStatus
            | Action::Expiring
            | Action::NextView
            | Action::NextSort
            | Action::ReverseSort => ctx.summary.total > 0,
            Action::TakeTerm => self.corrected_search().is_some(),
            _ => true,
        }
    }

    pub fn update(&mut self, action: Action, ctx: &Model) -> Option<Effect> {
        let is_recall =
            self.search_box.field.is_typing() && matches!(action, Action::Up | Action::Down);
        if is_recall && self.search_box.recall(action == Action::Up) {
            self.apply_search();
            return None;
        }
        if self.rows.apply_movement(action, self.result.total).is_some() {
            self.selected = self.id_at(self.rows.selected());
            return None;
        }
        if self.search_box.field.is_typing() {
            return self.update_search(action);
        }
        if let ControlFlow::Break(answer) = self.update_marks(action, ctx) {
            return answer;
        }
        match action {
            Action::New => Some(Effect::Ui(UiChange::GoTo(Tab::Create))),
            Action::DeleteAll => Some(preview(Command::Delete { tokens: TokensToDelete::All })),
            Action::NextStatus | Action::PreviousStatus | Action::Expiring => {
                self.change_status_filter(action, ctx)
            }
            Action::NextView => self.show_next_view(ctx),
            Action::Search => {
                self.search_box.field.begin();
                None
            }
            Action::Zoom => self.strip.toggle(ctx),
            Action::Back => {
                let is_of_overview = self.is_opened_from_overview();
                self.clear_filter();
                is_of_overview.then(|| Effect::Ui(UiChange::GoTo(Tab::Overview)))
            }
            Action::NextSort => {
                self.sort_before_window = None;
                self.query.sort = next_sort(self.query.sort);
                self.refresh();
                None
            }
            Action::ReverseSort => {
                self.sort_before_window = None;
                self.query.sort.descending ^= true;
                self.refresh();
                None
            }
            _ => token_effect(action, self.selected.and_then(|id| ctx.token(&id))?, None, ctx),
        }
    }

    fn update_search(&mut self, action: Action) -> Option<Effect> {
        match action {
            // An invalid search stays in the field until it is corrected.
            Action::Accept => match self.search_box.field.fault() {
                Some(fault) => return Some(Effect::warn(fault.to_string())),
                None => self.search_box.leave(),
            },
            Action::Cancel => {
                self.clear_search();
                self.refresh();
            }
            Action::Terms => {
                return Some(Effect::open(SearchTermsDialog::new(&TOKEN_TERM_FORMS)));
            }
            Action::TakeTerm => {
                if let Some(text) = self.corrected_search() {
                    self.search_box.field.set_text(&text);
                    self.apply_search();
                }
            }
            _ => {}
        }
        None
    }

    /// The search with the term that was probably meant, if no token matches the typed one.
    fn corrected_search(&self) -> Option<String> {
        let is_valid = self.search_box.field.fault().is_none();
        self.query.search.corrected().filter(|_| is_valid && self.result.total == 0)
    }

    /// Appends the start of a term to the search that is being typed.
    pub fn append_term(&mut self, start: &str) {
        self.search_box.field.append_term(start);
        self.apply_search();
    }

    pub fn text(&mut self, key: KeyEvent) {
        if self.search_box.press(key) {
            self.apply_search();
        }
    }

    pub fn paste(&mut self, text: &str) -> bool {
        let taken = self.search_box.field.paste(text);
        if taken {
            self.apply_search();
        }
        taken
    }

    /// Parses the search field and requests the list if the search changed.
    fn apply_search(&mut self) {
        let search = self.search_box.search();
        if search != self.query.search {
            self.query.search = search;
            self.refresh();
        }
    }

    /// Draws the list into `area`. `focused` is true if the list receives key input.
    pub fn view(&mut self, area: Rect, canvas: &mut Canvas<'_>, focused: bool) -> Option<Position> {
        let (ctx, theme) = (canvas.ctx, &canvas.ctx.theme);
        if self.search_box.field.is_typing() {
            ctx.hit_map.set_prefix(Some(Action::Accept));
        }
        let range = self.range();
        self.marked_count = self.marks.count(self.range_tokens());
        let filter_bar = FilterBar {
            selected: self.query.effective_status(),
            counts: self.result.counts,
            search_box: &self.search_box,
            marked: self.marked_count,
        };
        let cursor = filter_bar.draw(area, canvas);
        ctx.hit_map.wheel(area, 3);
        let columns = fitting_columns(area.width, ctx.time_format);
        let headings = 1 + self.strip.draw(1, area, canvas);
        let header = headings + 1;
        draw_headings(&columns, self.query.sort, (headings, area), canvas);
        let page = usize::from(area.height.saturating_sub(header));
        let total = self.result.total;
        let top = self.rows.scroll_to_selection(page, total);
        for (line, at) in (header..).zip(top..(top + page).min(total)) {
            ctx.hit_map.list_row(line_rect(area, line), at, self.rows.selected());
            if let Some(token) = self.id_at(at).and_then(|id| ctx.token(&id)) {
                let marked = range.contains(&at) || self.marks.contains(&token.id);
                let words: Vec<&str> = self.query.search.words().collect();
                draw_row(token, (marked, &words), &columns, (line, area), canvas);
            }
            if at == self.rows.selected() {
                let style = if focused { theme.selected } else { theme.selected_idle };
                let bar = u16::from(self.rows.is_scrollable(total));
                canvas.fill_line(Rect { width: area.width - bar, ..area }, line, style);
            }
        }
        if self.result.is_complete() {
            self.rows.draw_scrollbar(total, rect_below(area, header), canvas);
        }
        if self.result.is_complete() && total == 0 {
            self.draw_empty_state(rect_below(area, header), canvas);
        }
        cursor
    }
}

/// The number of the view with this search; `None` if no view has it.
pub(super) fn view_number(search: &str, ctx: &Model) -> Option<usize> {
    ctx.views.iter().position(|view| view.search.trim() == search.trim())
}

#[cfg(test)]
mod tests;
