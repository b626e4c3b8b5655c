//! Audit trail, newest event first, with a search, filters by token, action and actor, and the
//! result of the hash chain verification. The screen is read-only. Called by the app.

mod draw;
mod event_filter;

use std::cmp::Reverse;

use ratatui::{
    crossterm::event::KeyEvent,
    layout::{Position, Rect},
};

use self::event_filter::EventFilter;
use crate::{
    domain::{
        AuditAction, AuditEvent, Timestamp, TokenId,
        search::{EVENT_TERM_FORMS, EventSearch, EventSearchError},
    },
    keymap::{Action, HintChange, Mode},
    output::command_line::{self, CommandLine},
    service::{AuditTrail, ChainCheckResult},
    tui::{
        app::{
            effect::{Effect, Tab, UiChange},
            model::Model,
        },
        dialogs::search_terms::SearchTermsDialog,
        widgets::{
            canvas::{Canvas, rect_below},
            list_selection::ListSelection,
            search_field::SearchField,
        },
    },
};

#[derive(Debug, Default)]
pub struct AuditScreen {
    /// The trail, and the time at which it was read and verified.
    trail: Option<AuditTrail>,
    verified_at: Timestamp,
    filter: EventFilter,
    search_field: SearchField<EventSearchError>,
    /// The indexes of the shown events.
    visible: Vec<usize>,
    /// The number of events of each action among those that match all but the action, the most frequent
    /// one first.
    action_counts: Vec<(AuditAction, usize)>,
    rows: ListSelection,
}

impl AuditScreen {
    pub fn mode(&self) -> Mode {
        if self.search_field.is_typing() { Mode::Search } else { Mode::Audit }
    }

    /// The verified hash chain and the time of the verification, once the trail was read.
    pub fn chain(&self) -> Option<(&ChainCheckResult, Timestamp)> {
        self.trail.as_ref().map(|trail| (&trail.chain, self.verified_at))
    }

    /// Replaces the trail, which was verified at `now`. The selected event stays selected, unless
    /// it is in the first row.
    pub fn deliver(&mut self, trail: AuditTrail, now: Timestamp) {
        let selected = self.selected().map(|event| event.sequence);
        self.trail = Some(trail);
        self.verified_at = now;
        self.apply_filter();
        let at = self
            .visible
            .iter()
            .position(|at| self.event(*at).is_some_and(|event| Some(event.sequence) == selected));
        // If the first row was selected, keep the first row selected, so that new events come into
        // view.
        if let Some(at) = at.filter(|_| self.rows.selected() > 0) {
            self.rows.select(at);
        }
    }

    /// The command line that prints these events.
    pub fn cli_equivalent(&self) -> CommandLine {
        let EventFilter { token, action, actor } = &self.filter;
        let token = token.as_ref().map(|(id, _)| *id);
        let search = self.search_field.text();
        let search = (!self.search_field.is_empty()).then_some(search.as_str());
        command_line::of_trail(token, *action, (actor.as_deref(), search))
    }

    fn events(&self) -> &[AuditEvent] {
        self.trail.as_ref().map_or(&[], |trail| &trail.events)
    }

    fn event(&self, at: usize) -> Option<&AuditEvent> {
        self.events().get(at)
    }

    fn selected(&self) -> Option<&AuditEvent> {
        self.event(*self.visible.get(self.rows.selected())?)
    }

    /// The token of the selected event, whose record decides whether it can be opened.
    pub fn selected_token(&self) -> Option<TokenId> {
        self.selected()?.body.token
    }

    /// Whether all events are shown.
    fn is_unfiltered(&self) -> bool {
        self.filter == EventFilter::default() && self.search_field.is_empty()
    }

    /// Selects the events to show, and counts the actions.
    fn apply_filter(&mut self) {
        let (search, now) = (self.search_field.parse(EventSearch::parse_lenient), self.verified_at);
        let (mut visible, mut counts) = (Vec::new(), [0_usize; AuditAction::ALL.len()]);
        for (at, event) in self.events().iter().enumerate() {
            let body = &event.body;
            if !self.filter.matches_all_but_action(body) || !search.matches(body, now) {
                continue;
            }
            let index = AuditAction::ALL.iter().position(|action| *action == body.action);
            if let Some(count) = index.and_then(|index| counts.get_mut(index)) {
                *count += 1;
            }
            if self.filter.action.is_none_or(|action| action == body.action) {
                visible.push(at);
            }
        }
        let counted = AuditAction::ALL.into_iter().zip(counts);
        let selected = self.filter.action;
        self.action_counts =
            counted.filter(|(action, count)| *count > 0 || Some(*action) == selected).collect();
        self.action_counts.sort_by_key(|(_, count)| Reverse(*count));
        self.visible = visible;
    }

    fn set_filter(&mut self, filter: EventFilter) {
        self.filter = filter;
        self.show_from_start();
    }

    fn clear_search(&mut self) {
        self.search_field = SearchField::default();
        self.show_from_start();
    }

    /// Applies a changed filter or search, and selects the newest event that matches.
    fn show_from_start(&mut self) {
        self.rows.select(0);
        self.apply_filter();
    }

    /// The action filters that the chips offer: all actions, then each action that occurs.
    fn chips(&self) -> impl Iterator<Item = Option<AuditAction>> {
        [None].into_iter().chain(self.action_counts.iter().map(|(action, _)| Some(*action)))
    }

    /// Whether `action` has an effect now.
    pub fn enables(&self, action: Action) -> bool {
        match action {
            Action::Open => self.selected().is_some_and(|event| event.body.token.is_some()),
            Action::FilterToken | Action::FilterActor => self.selected().is_some(),
            Action::TakeTerm => false,
            Action::FilterAction | Action::PreviousAction | Action::Search => {
                !self.events().is_empty()
            }
            _ => true,
        }
    }

    /// The footer says that the key clears the filters before it goes back.
    pub fn hint_change(&self, action: Action) -> Option<HintChange> {
        let clears = action == Action::Back && !self.is_unfiltered();
        clears.then(|| HintChange::new("show all", 2))
    }

    pub fn update(&mut self, action: Action, ctx: &Model) -> Option<Effect> {
        if self.rows.apply_movement(action, self.visible.len()).is_some() {
            return None;
        }
        if self.search_field.is_typing() {
            return self.update_search(action);
        }
        match action {
            Action::Search if !self.events().is_empty() => self.search_field.begin(),
            Action::Back if self.is_unfiltered() => {
                return Some(Effect::Ui(UiChange::GoTo(Tab::Tokens)));
            }
            Action::Back => {
                self.search_field = SearchField::default();
                self.set_filter(EventFilter::default());
            }
            Action::FilterAction => self.cycle_action(true),
            Action::PreviousAction => self.cycle_action(false),
            Action::FilterToken | Action::FilterActor => {
                let body = self.selected()?.body.clone();
                let mut filter = self.filter.clone();
                if action == Action::FilterToken {
                    filter.toggle_token(&body);
                } else {
                    filter.toggle_actor(&body);
                }
                self.set_filter(filter);
            }
            Action::Open => return self.open_token(ctx),
            _ => {}
        }
        None
    }

    fn update_search(&mut self, action: Action) -> Option<Effect> {
        match action {
            // An invalid search stays in the field until it is corrected.
            Action::Accept => match self.search_field.fault() {
                Some(fault) => return Some(Effect::warn(fault.to_string())),
                None => self.search_field.leave(),
            },
            Action::Cancel => self.clear_search(),
            Action::Terms => {
                return Some(Effect::open(SearchTermsDialog::new(&EVENT_TERM_FORMS)));
            }
            _ => {}
        }
        None
    }

    /// Appends the start of a term to the search that is being typed.
    pub fn append_term(&mut self, start: &str) {
        self.search_field.append_term(start);
        self.show_from_start();
    }

    fn cycle_action(&mut self, forward: bool) {
        let chips: Vec<_> = self.chips().collect();
        let at = chips.iter().position(|chip| *chip == self.filter.action).unwrap_or_default();
        let step = if forward { 1 } else { chips.len().saturating_sub(1) };
        let next = chips.get((at + step) % chips.len().max(1)).copied().flatten();
        self.set_filter(EventFilter { action: next, ..self.filter.clone() });
    }

    fn open_token(&self, ctx: &Model) -> Option<Effect> {
        Some(match self.selected()?.body.token {
            None => Effect::info("This event does not belong to a token."),
            Some(id) if ctx.is_gone(&id) => {
                Effect::warn("This token was deleted. Only its events remain.")
            }
            Some(id) => Effect::Ui(UiChange::ShowToken(id)),
        })
    }

    pub fn text(&mut self, key: KeyEvent) {
        if self.search_field.press(key) {
            self.show_from_start();
        }
    }

    pub fn paste(&mut self, text: &str) -> bool {
        let is_accepted = self.search_field.paste(text);
        if is_accepted {
            self.show_from_start();
        }
        is_accepted
    }

    /// Draws the tab, and below it the whole text of the selected event. Returns the cursor position while a search is typed.
    pub fn view(&mut self, area: Rect, canvas: &mut Canvas<'_>) -> Option<Position> {
        if self.search_field.is_typing() {
            canvas.ctx.hit_map.set_prefix(Some(Action::Accept));
        }
        let header = draw::header_lines(area);
        let text = self.selected_text(area.width, canvas.ctx);
        let most = area.height.saturating_sub(header) / 2;
        let text_height = u16::try_from(text.len()).unwrap_or(most).min(most);
        let below = rect_below(area, area.height - text_height);
        let area = Rect { height: area.height - text_height, ..area };
        let page = usize::from(area.height.saturating_sub(header));
        let top = self.rows.scroll_to_selection(page, self.visible.len());
        let cursor = self.draw_header(area, canvas);
        self.draw_rows((header, area), (top, page), canvas);
        canvas.text_lines(below, 0.., text, canvas.ctx.theme.text());
        canvas.ctx.hit_map.set_prefix(None);
        cursor
    }
}
