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
    confirm::Confirm,
    edit::Edit,
    regenerate::Regenerate,
    scopes::ScopeDialog,
    token_table::{draw_headings, draw_row, fitting},
};
use crate::{
    domain::{Column, Counts, Pat, Query, Status, StatusFilter, TokenId},
    keymap::{Action, Mode},
    tui::{
        effect::Effect,
        step::{Errand, Step, Tab},
        view::View,
        widget::{
            field::Field,
            paint::{Pen, band, row_of, width},
            rows::Rows,
        },
    },
};

/// Lines above the rows: chips, headings.
const ABOVE: u16 = 2;

/// The list and what it shows.
#[derive(Debug)]
pub struct Tokens {
    query: Query,
    search: Field,
    typing: bool,
    shown: Vec<TokenId>,
    counts: Counts,
    rows: Rows,
    selected: Option<TokenId>,
}

impl Default for Tokens {
    fn default() -> Self {
        Self {
            query: Query::default(),
            search: Field::line(""),
            typing: false,
            shown: Vec::new(),
            counts: Counts::default(),
            rows: Rows::default(),
            selected: None,
        }
    }
}

impl Tokens {
    /// In which mode its keys are looked up.
    pub fn mode(&self) -> Mode {
        if self.typing { Mode::Search } else { Mode::Tokens }
    }

    /// The selected token.
    pub fn selected(&self) -> Option<TokenId> {
        self.selected
    }

    /// What is shown.
    pub fn query(&self) -> &Query {
        &self.query
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
    }

    fn clear_search(&mut self) {
        self.search = Field::line("");
        self.query.search.clear();
        self.typing = false;
    }

    /// Whether `action` has something to do here.
    pub fn enables(&self, action: Action, view: &View<'_>) -> bool {
        let pat = self.selected.and_then(|id| view.pat(&id));
        match action {
            Action::Revoke => pat.is_some_and(|pat| pat.status(view.now) != Status::Revoked),
            Action::Open
            | Action::Clone
            | Action::Edit
            | Action::AddScope
            | Action::Regenerate
            | Action::Delete
            | Action::CopyId
            | Action::CopyJson
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
        if self.typing {
            return self.on_search(action, view);
        }
        match action {
            Action::New => Step::Go(Tab::Create),
            Action::DeleteAll => over(Overlay::Confirm(Confirm::delete_all(view))),
            Action::Search => {
                self.typing = true;
                Step::Changed
            }
            Action::Back if !self.query.search.is_empty() => {
                self.clear_search();
                self.refresh(view);
                Step::Changed
            }
            Action::NextStatus | Action::PreviousStatus => {
                self.query.status =
                    around(&StatusFilter::ALL, self.query.status, action == Action::NextStatus);
                self.rows.select(0);
                self.selected = None;
                self.refresh(view);
                Step::Changed
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

    fn on_search(&mut self, action: Action, view: &View<'_>) -> Step {
        match action {
            Action::Accept => self.typing = false,
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
        if !self.typing || !self.search.press(key) {
            return Step::Ignored;
        }
        self.searched(view);
        Step::Changed
    }

    /// Takes a paste into the search.
    pub fn paste(&mut self, text: &str, view: &View<'_>) -> bool {
        if self.typing {
            self.search.paste(text);
            self.searched(view);
        }
        self.typing
    }

    fn searched(&mut self, view: &View<'_>) {
        self.query.search = self.search.text();
        self.refresh(view);
    }

    /// Draws it into `area`; `focused` says whether it has the keys.
    pub fn draw(
        &mut self,
        area: Rect,
        buf: &mut Buffer,
        view: &View<'_>,
        focused: bool,
    ) -> Option<Position> {
        if self.typing {
            view.places.lead(Some(Action::Accept));
        }
        let cursor = self.draw_chips(area, buf, view);
        view.places.wheel(area, 3);
        let columns = fitting(area.width, view.times);
        draw_headings(&columns, self.query.sort, area, buf, view);
        let page = usize::from(area.height.saturating_sub(ABOVE));
        let top = self.rows.window(page, self.shown.len());
        let visible = self.shown.iter().enumerate().skip(top).take(page);
        for (line, (at, id)) in (ABOVE..).zip(visible) {
            let Some(pat) = view.pat(id) else { continue };
            draw_row(pat, &columns, line, area, buf, view);
            view.places.row(row_of(area, line), at, self.rows.selected());
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

    fn draw_chips(&self, area: Rect, buf: &mut Buffer, view: &View<'_>) -> Option<Position> {
        let look = &view.look;
        let narrow = area.width < 50;
        let mut pen = Pen::at(buf, area, 0, look).skip(1);
        for filter in StatusFilter::ALL {
            let on = filter == self.query.status;
            let style = if on { look.accent() } else { look.faint() };
            let word =
                if narrow { filter.word().get(..3).unwrap_or_default() } else { filter.word() };
            let chip = format!("{word} {}", self.counts.of(filter));
            let (open, close) = if on { ("[", "]") } else { (" ", " ") };
            let from = pen.column();
            pen = pen.text(open, style).text(&chip, style).text(close, style);
            let way = (place_of(self.query.status), place_of(filter));
            let count = StatusFilter::ALL.len();
            view.places.turn(pen.since(from), Action::NextStatus, way, count);
            pen = pen.skip(1);
        }
        if !self.typing && self.query.search.is_empty() {
            return None;
        }
        let at = pen.column();
        pen.skip(1).text("/", look.accent());
        let x = area.x + (at + 2).min(area.width);
        let place =
            Rect { x, width: area.right().saturating_sub(x), height: area.height.min(1), ..area };
        view.places.act(place, Action::Search);
        self.search.draw(place, buf, look, self.typing)
    }

    fn draw_emptiness(&self, area: Rect, buf: &mut Buffer, view: &View<'_>) {
        let look = &view.look;
        let lines: [String; 2] = if view.pats.is_empty() {
            let key = view.key(Mode::Tokens, Action::New);
            let advice = format!("Press {key} to create the first one.");
            ["No tokens yet.".into(), if view.read_only { String::new() } else { advice }]
        } else if self.query.search.is_empty() {
            let word = self.query.status.word().to_lowercase();
            [format!("No {word} tokens."), "Press f to see the next status.".into()]
        } else {
            [
                format!("Nothing {} matches the search.", self.query.status.word().to_lowercase())
                    .replace("all ", ""),
                "Press Esc to clear it, f to look at another status.".into(),
            ]
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
        Action::Clone => Step::Do(Effect::Like(pat.id)),
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
        Action::CopyJson => Step::Do(Effect::Json(pat.id)),
        _ => Step::Ignored,
    }
}

pub(super) fn over(overlay: Overlay) -> Step {
    Step::Open(Box::new(overlay))
}

fn copy(what: &'static str, text: String) -> Step {
    Step::Run(Errand::Copy { what, text })
}

fn place_of(filter: StatusFilter) -> usize {
    StatusFilter::ALL.iter().position(|each| *each == filter).unwrap_or(0)
}

fn around<T: Copy + PartialEq>(all: &[T], now: T, forward: bool) -> T {
    let at = all.iter().position(|each| *each == now).unwrap_or(0);
    let step = if forward { 1 } else { all.len().saturating_sub(1) };
    all.get((at + step) % all.len().max(1)).copied().unwrap_or(now)
}
