//! Audit trail, newest event first, with filters by token, action and actor, and the result of the
//! hash chain verification. The screen is read-only.

use ratatui::layout::Rect;

use crate::{
    domain::{AuditAction, AuditEvent, TokenId, counted, grouped},
    keymap::{Action, Mode},
    service::AuditTrail,
    tui::{
        app::{
            effect::{Effect, Tab, UiChange},
            model::Model,
        },
        theme::time_format::TimeFormat,
        widgets::{
            canvas::{Canvas, wrap},
            list_selection::ListSelection,
        },
    },
};

/// Number of lines above the rows: one for the chain state and the filter, one for the headings.
const HEADER_LINES: u16 = 2;

#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct EventFilter {
    token: Option<(TokenId, String)>,
    action: Option<AuditAction>,
    actor: Option<String>,
}

impl EventFilter {
    /// Whether the filter shows `event`. A criterion that is `None` matches every event.
    fn matches(&self, event: &AuditEvent) -> bool {
        let body = &event.body;
        self.token.as_ref().is_none_or(|(id, _)| body.token == Some(*id))
            && self.action.is_none_or(|action| body.action == action)
            && self.actor.as_ref().is_none_or(|actor| body.actor.to_string() == *actor)
    }

    fn labels(&self) -> Vec<String> {
        let token = self.token.as_ref().map(|(_, name)| format!("token {name}"));
        let action = self.action.map(|action| action.as_str().to_owned());
        let actor = self.actor.as_ref().map(|actor| format!("by {actor}"));
        token.into_iter().chain(action).chain(actor).collect()
    }
}

#[derive(Debug, Default)]
pub struct AuditScreen {
    trail: Option<AuditTrail>,
    filter: EventFilter,
    visible: Vec<usize>,
    rows: ListSelection,
}

impl AuditScreen {
    /// Replaces the trail. The selected event stays selected, unless it is in the first row.
    pub fn deliver(&mut self, trail: AuditTrail) {
        let selected = self.selected().map(|event| event.sequence);
        self.trail = Some(trail);
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

    /// Returns the token for the equivalent command line, or `Some(None)` if that command line
    /// shows all tokens. Returns `None` if an action or actor filter is active, because the command
    /// line can filter only by token.
    pub fn requested_token(&self) -> Option<Option<TokenId>> {
        let plain = self.filter.action.is_none() && self.filter.actor.is_none();
        plain.then(|| self.filter.token.as_ref().map(|(id, _)| *id))
    }

    fn event(&self, at: usize) -> Option<&AuditEvent> {
        self.trail.as_ref()?.events.get(at)
    }

    fn selected(&self) -> Option<&AuditEvent> {
        self.event(*self.visible.get(self.rows.selected())?)
    }

    fn apply_filter(&mut self) {
        let events = self.trail.as_ref().map_or(&[][..], |trail| &trail.events);
        self.visible = (0..events.len())
            .filter(|at| events.get(*at).is_some_and(|event| self.filter.matches(event)))
            .collect();
    }

    fn set_filter(&mut self, filter: EventFilter) {
        self.filter = filter;
        self.rows.select(0);
        self.apply_filter();
    }

    pub fn update(&mut self, action: Action, ctx: &Model) -> Option<Effect> {
        if self.rows.apply_movement(action, self.visible.len()).is_some() {
            return None;
        }
        if action == Action::Back {
            if self.filter == EventFilter::default() {
                return Some(Effect::Ui(UiChange::GoTo(Tab::Tokens)));
            }
            self.set_filter(EventFilter::default());
            return None;
        }
        let event = self.selected()?.clone();
        let mut filter = self.filter.clone();
        match action {
            Action::FilterToken => {
                let token = event.body.token.map(|id| (id, event.body.name.clone()));
                filter.token = if filter.token.is_some() { None } else { token };
            }
            Action::FilterAction => {
                filter.action = filter.action.is_none().then_some(event.body.action);
            }
            Action::FilterActor => {
                filter.actor = filter.actor.is_none().then(|| event.body.actor.to_string());
            }
            Action::Open => {
                let token = event.body.token.filter(|id| ctx.token(id).is_some());
                return Some(match token {
                    Some(id) => Effect::Ui(UiChange::ShowToken(id)),
                    None => Effect::warn("This token was deleted. Only its events remain."),
                });
            }
            _ => return None,
        }
        self.set_filter(filter);
        None
    }

    pub fn view(&mut self, area: Rect, canvas: &mut Canvas<'_>) {
        let (ctx, theme) = (canvas.ctx, &canvas.ctx.theme);
        self.draw_chain_state(area, canvas);
        ctx.hit_map.wheel(area, 3);
        let wide = if ctx.time_format == TimeFormat::Relative { 12 } else { 17 };
        let heading = theme.heading;
        canvas
            .line(area, 1)
            .skip(1)
            .write_column("Time", wide, heading)
            .skip(2)
            .write_column("Action", 14, heading)
            .skip(2)
            .write_column("Token", 20, heading)
            .skip(2)
            .text("Actor and detail", heading);
        let page = usize::from(area.height.saturating_sub(HEADER_LINES));
        let top = self.rows.scroll_to_selection(page, self.visible.len());
        let visible = self.visible.iter().enumerate().skip(top).take(page);
        for (line, (at, index)) in (HEADER_LINES..).zip(visible) {
            let Some(event) = self.event(*index) else {
                continue;
            };
            let body = &event.body;
            let when = ctx.short_time(body.at);
            canvas
                .line(area, line)
                .skip(1)
                .write_column(&when, wide, theme.text())
                .skip(2)
                .write_column(body.action.as_str(), 14, theme.text())
                .skip(2)
                .write_column(&body.name, 20, theme.text())
                .skip(2)
                .text(&body.actor.to_string(), theme.text())
                .skip(2)
                .text(&body.detail, theme.faint);
            canvas.list_row((area, line), (at, self.rows.selected()), Action::Open);
        }
        if self.trail.is_some() && self.visible.is_empty() {
            let text = if self.filter == EventFilter::default() {
                "No events yet. Every change to a token is recorded here.".to_owned()
            } else {
                let clear = ctx.key(Mode::Audit, Action::Back);
                format!("No event matches the filter. Press {clear} to clear it.")
            };
            for (line, part) in
                (HEADER_LINES + 1..).zip(wrap(&text, area.width.saturating_sub(2), &ctx.theme))
            {
                canvas.line(area, line).skip(1).text(&part, theme.text());
            }
        }
    }

    fn draw_chain_state(&self, area: Rect, canvas: &mut Canvas<'_>) {
        let (ctx, theme) = (canvas.ctx, &canvas.ctx.theme);
        let writer = canvas.line(area, 0).skip(1);
        let Some(trail) = &self.trail else {
            writer.text("Loading the audit trail", theme.faint);
            return;
        };
        let chain = &trail.chain;
        let writer = match &chain.first_fault {
            None => {
                let events = counted(chain.events, "event");
                writer.text(&format!("Chain verified, {events}"), theme.good)
            }
            Some((sequence, fault)) => writer.text(theme.fault_glyph(), theme.danger).skip(1).text(
                &format!("Chain broken at event {}: {fault}", grouped(sequence)),
                theme.danger,
            ),
        };
        let labels = self.filter.labels();
        if labels.is_empty() {
            return;
        }
        let filter = format!("[{}]", labels.join(", "));
        let from = writer.column();
        let writer = writer.skip(2).text(&filter, theme.accent);
        let all = format!("{} show all", ctx.key(Mode::Audit, Action::Back));
        let writer = writer.skip(1).text(&all, theme.faint);
        ctx.hit_map.click_action(writer.rect_since(from), Action::Back);
    }
}
