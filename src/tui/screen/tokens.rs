//! The list of tokens: chips for the status, search as one types, sorting, and one row a token.
//! Shows and selects; everything that it does to a token is a dialog or another tab.

use ratatui::{
    buffer::Buffer,
    crossterm::event::KeyEvent,
    layout::{Position, Rect},
};

use super::{
    Overlay,
    ask::Ask,
    chips::Chips,
    confirm::Confirm,
    edit::Edit,
    finder::Finder,
    marks::Marks,
    regenerate::Regenerate,
    scopes::ScopeDialog,
    token_table::{draw_headings, draw_row, fitting},
};
use crate::{
    domain::{Column, Counts, Pat, Query, Search, Status, StatusFilter, TokenId},
    keymap::{Action, Mode},
    tui::{
        effect::Effect,
        step::{Errand, Step, Tab},
        view::View,
        widget::{
            paint::{Pen, band, width},
            rows::Rows,
        },
    },
};

/// Lines above the rows: chips, headings.
const ABOVE: u16 = 2;

/// The list and what it shows.
#[derive(Debug, Default)]
pub struct Tokens {
    query: Query,
    finder: Finder,
    shown: Vec<TokenId>,
    counts: Counts,
    rows: Rows,
    selected: Option<TokenId>,
    marks: Marks,
}

impl Tokens {
    /// In which mode its keys are looked up.
    pub fn mode(&self) -> Mode {
        if self.finder.is_typing() { Mode::Search } else { Mode::Tokens }
    }

    /// The selected token.
    pub fn selected(&self) -> Option<TokenId> {
        self.selected
    }

    /// Which row of how many is selected, for the line at the foot.
    pub fn place(&self) -> String {
        match self.shown.len() {
            0 => String::new(),
            count => format!("{} of {count}", self.rows.selected() + 1),
        }
    }

    /// Selects `id`; with a filter that shows it, if the present one does not.
    pub fn select(&mut self, id: TokenId, view: &View<'_>) {
        self.selected = Some(id);
        self.refresh(view);
        if !self.shown.contains(&id) {
            self.query.status = StatusFilter::All;
            self.clear_search();
            self.selected = Some(id);
            self.refresh(view);
        }
    }

    /// Reads the rows anew after tokens, query or time changed. The selected token stays
    /// selected; if it is gone, the row that took its place is.
    pub fn refresh(&mut self, view: &View<'_>) {
        let (places, counts) = self.query.select(view.pats, view.now);
        self.counts = counts;
        self.shown = places.iter().filter_map(|at| view.pats.get(*at)).map(|pat| pat.id).collect();
        if let Some(at) = self.shown.iter().position(|id| Some(*id) == self.selected) {
            self.rows.select(at);
        }
        let last = self.shown.len().saturating_sub(1);
        self.rows.select(self.rows.selected().min(last));
        self.selected = self.shown.get(self.rows.selected()).copied();
        self.marks.keep(|id| view.pat(id).is_some());
    }

    fn clear_search(&mut self) {
        self.finder = Finder::default();
        self.query.search = Search::default();
    }

    /// Whether `action` has something to do here.
    pub fn enables(&self, action: Action, view: &View<'_>) -> bool {
        let pat = self.selected.and_then(|id| view.pat(&id));
        match action {
            Action::Revoke if self.marks.is_empty() => {
                pat.is_some_and(|pat| pat.status(view.now) != Status::Revoked)
            }
            Action::Open
            | Action::Edit
            | Action::AddScope
            | Action::Regenerate
            | Action::Delete
            | Action::Mark
            | Action::MarkRange
            | Action::MarkAll
            | Action::CopyId
            | Action::CopyName => pat.is_some(),
            Action::DeleteAll | Action::Search | Action::NextSort | Action::ReverseSort => {
                !view.pats.is_empty()
            }
            _ => true,
        }
    }

    /// Answers an action.
    pub fn on(&mut self, action: Action, view: &View<'_>) -> Step {
        if let Some(moved) = self.rows.on(action, self.shown.len()) {
            self.selected = self.shown.get(self.rows.selected()).copied();
            return if moved { Step::Changed } else { Step::Ignored };
        }
        if self.finder.is_typing() {
            return self.on_search(action, view);
        }
        if let Some(step) = self.on_marks(action, view) {
            return step;
        }
        match action {
            Action::New => Step::Go(Tab::Create),
            Action::Undo => Step::Do(Effect::Undo),
            Action::DeleteAll => over(Overlay::Confirm(Confirm::delete_all(view))),
            Action::Search => {
                self.finder.begin();
                Step::Changed
            }
            Action::Back if !self.finder.is_empty() => {
                self.clear_search();
                self.refresh(view);
                Step::Changed
            }
            Action::NextStatus | Action::PreviousStatus | Action::Expiring => {
                self.filter(action, view)
            }
            Action::NextSort => {
                self.query.sort.column = around(&Column::ALL, self.query.sort.column, true);
                self.refresh(view);
                Step::Changed
            }
            Action::ReverseSort => {
                self.query.sort.descending ^= true;
                self.refresh(view);
                Step::Changed
            }
            _ => {
                let pat = self.selected.and_then(|id| view.pat(&id));
                pat.map_or(Step::Ignored, |pat| on_pat(action, pat, view))
            }
        }
    }

    /// Answers what concerns marks, and what is to be done to the marked tokens.
    fn on_marks(&mut self, action: Action, view: &View<'_>) -> Option<Step> {
        match action {
            Action::Mark if !self.marks.is_ranging() => {
                self.marks.toggle(self.selected?);
                self.rows.on(Action::Down, self.shown.len());
                self.selected = self.shown.get(self.rows.selected()).copied();
            }
            Action::MarkRange if !self.marks.is_ranging() => self.marks.begin(self.selected?),
            Action::Mark | Action::MarkRange => self.settle(),
            Action::MarkAll => {
                self.settle();
                self.marks.all(self.shown.iter().copied());
            }
            Action::Back if !self.marks.is_empty() => self.marks.back(),
            Action::Revoke | Action::Delete | Action::AddScope | Action::Regenerate
                if !self.marks.is_empty() =>
            {
                self.settle();
                return self.marks.on(action, view);
            }
            _ => return None,
        }
        Some(Step::Changed)
    }

    /// The rows of the range that is being drawn.
    fn range(&self) -> std::ops::Range<usize> {
        self.marks.range(self.shown.iter().copied(), self.rows.selected())
    }

    fn settle(&mut self) {
        let range = self.shown.get(self.range()).unwrap_or_default();
        self.marks.settle(range.iter().copied());
    }

    /// Takes every mark away: what they were for is done.
    pub fn unmark(&mut self) {
        self.marks.clear();
    }

    fn on_search(&mut self, action: Action, view: &View<'_>) -> Step {
        match action {
            // What cannot be read is not kept.
            Action::Accept => match self.finder.fault() {
                Some(fault) => return Step::Warn(fault.to_string()),
                None => self.finder.keep(),
            },
            Action::Cancel => {
                self.clear_search();
                self.refresh(view);
            }
            _ => return Step::Ignored,
        }
        Step::Changed
    }

    /// Answers a key that is text of the search.
    pub fn on_text(&mut self, key: KeyEvent, view: &View<'_>) -> Step {
        if !self.finder.press(key) {
            return Step::Ignored;
        }
        self.searched(view);
        Step::Changed
    }

    /// Takes a paste into the search.
    pub fn paste(&mut self, text: &str, view: &View<'_>) -> bool {
        let taken = self.finder.paste(text);
        if taken {
            self.searched(view);
        }
        taken
    }

    /// Looks for what the field says now.
    fn searched(&mut self, view: &View<'_>) {
        let search = self.finder.search();
        if search != self.query.search {
            self.query.search = search;
            self.refresh(view);
        }
    }

    /// Shows other statuses, unless the search says which.
    fn filter(&mut self, action: Action, view: &View<'_>) -> Step {
        if self.query.search.names_status() {
            return Step::Say("the search says which statuses are shown: Esc clears it".into());
        }
        let now = self.query.status;
        self.query.status = match (action, now) {
            (Action::Expiring, StatusFilter::Expiring) => StatusFilter::Active,
            (Action::Expiring, _) => StatusFilter::Expiring,
            (_, StatusFilter::Expiring) if action == Action::PreviousStatus => StatusFilter::Active,
            (_, StatusFilter::Expiring) => StatusFilter::Expired,
            _ => around(&StatusFilter::STATUSES, now, action == Action::NextStatus),
        };
        self.rows.select(0);
        self.selected = None;
        self.refresh(view);
        Step::Changed
    }

    /// Draws it into `area`; `focused` says whether it has the keys.
    pub fn draw(
        &mut self,
        area: Rect,
        buf: &mut Buffer,
        view: &View<'_>,
        focused: bool,
    ) -> Option<Position> {
        let range = self.range();
        let marked =
            self.marks.count(self.shown.get(range.clone()).unwrap_or_default().iter().copied());
        let chips = Chips {
            chosen: self.query.shown(),
            counts: Some(self.counts),
            finder: &self.finder,
            marked,
        };
        let cursor = chips.draw(area, buf, view);
        let columns = fitting(area.width, view.times);
        draw_headings(&columns, self.query.sort, area, buf, view);
        let page = usize::from(area.height.saturating_sub(ABOVE));
        let top = self.rows.window(page, self.shown.len());
        let visible = self.shown.iter().enumerate().skip(top).take(page);
        for (line, (at, id)) in (ABOVE..).zip(visible) {
            let Some(pat) = view.pat(id) else { continue };
            let marked = range.contains(&at) || self.marks.has(id);
            draw_row(pat, marked, &columns, (line, area), buf, view);
            if at == self.rows.selected() {
                let look = &view.look;
                let style = if focused { look.selected() } else { look.selected_idle() };
                band(buf, area, line, style);
            }
        }
        if self.shown.is_empty() {
            self.draw_emptiness(area, buf, view);
        }
        cursor
    }

    fn draw_emptiness(&self, area: Rect, buf: &mut Buffer, view: &View<'_>) {
        let look = &view.look;
        let lines: [String; 2] = if view.pats.is_empty() {
            ["No tokens yet.".into(), "Press n to create the first one.".into()]
        } else if self.query.search.is_empty() {
            let word = self.query.status.word().to_lowercase();
            [format!("No {word} tokens."), "Press f to see the next status.".into()]
        } else {
            let word = self.query.shown().word().to_lowercase();
            let other = if self.query.search.names_status() {
                "Press Esc to clear it."
            } else {
                "Press Esc to clear it, f to look at another status."
            };
            [format!("Nothing {word} matches the search.").replace("all ", ""), other.into()]
        };
        let middle = ABOVE + area.height.saturating_sub(ABOVE) / 3;
        for (line, (text, style)) in (middle..).zip(lines.iter().zip([look.heading(), look.text()]))
        {
            let indent = area.width.saturating_sub(width(text)) / 2;
            Pen::at(buf, area, line, look).skip(indent).text(text, style);
        }
    }
}

/// What a key does to the token that the list or the detail shows.
pub(super) fn on_pat(action: Action, pat: &Pat, view: &View<'_>) -> Step {
    match action {
        Action::Open => Step::Show(pat.id),
        Action::Edit => over(Overlay::Edit(Edit::new(pat))),
        Action::AddScope => over(Overlay::Scopes(ScopeDialog::add(pat, view))),
        Action::Revoke if pat.status(view.now) == Status::Revoked => {
            Step::Warn(format!("{} is revoked already: R regenerates it", pat.name))
        }
        Action::Revoke => over(Overlay::Ask(Ask::revoke(pat, view))),
        Action::Regenerate => over(Overlay::Regenerate(Regenerate::new(pat, view))),
        Action::Delete => over(Overlay::Confirm(Confirm::delete(pat, view))),
        Action::CopyId => copy("id", pat.id.to_string()),
        Action::CopyName => copy("name", pat.name.to_string()),
        _ => Step::Ignored,
    }
}

pub(super) fn over(overlay: Overlay) -> Step {
    Step::Open(Box::new(overlay))
}

fn copy(what: &'static str, text: String) -> Step {
    Step::Run(Errand::Copy { what, text })
}

fn around<T: Copy + PartialEq>(all: &[T], now: T, forward: bool) -> T {
    let at = all.iter().position(|each| *each == now).unwrap_or(0);
    let step = if forward { 1 } else { all.len().saturating_sub(1) };
    all.get((at + step) % all.len().max(1)).copied().unwrap_or(now)
}
