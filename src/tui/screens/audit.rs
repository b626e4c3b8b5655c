//! The audit trail, newest first, filtered by token, kind or actor, with the state of its chain.
//! Reads only.

use ratatui::layout::Rect;

use crate::{
    domain::{AuditAction as Happened, AuditEvent, TokenId},
    keymap::{Action, Mode},
    service::Trail,
    tui::{
        app::{
            effect::{Effect, Tab, UiAction},
            model::Model,
        },
        theme::time_format::TimeFormat,
        widgets::{
            list_selection::ListSelection,
            paint::{Canvas, wrap},
        },
    },
};

/// Lines above the rows: chain and filter, headings.
const ABOVE: u16 = 2;

#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Filter {
    token: Option<(TokenId, String)>,
    action: Option<Happened>,
    actor: Option<String>,
}

impl Filter {
    fn shows(&self, event: &AuditEvent) -> bool {
        let what = &event.what;
        self.token.as_ref().is_none_or(|(id, _)| what.token == Some(*id))
            && self.action.is_none_or(|action| what.action == action)
            && self.actor.as_ref().is_none_or(|actor| what.actor.to_string() == *actor)
    }

    fn words(&self) -> Vec<String> {
        let token = self.token.as_ref().map(|(_, name)| format!("token {name}"));
        let action = self.action.map(|action| action.as_str().to_owned());
        let actor = self.actor.as_ref().map(|actor| format!("by {actor}"));
        token.into_iter().chain(action).chain(actor).collect()
    }
}

#[derive(Debug, Default)]
pub struct Audit {
    trail: Option<Trail>,
    filter: Filter,
    shown: Vec<usize>,
    rows: ListSelection,
}

impl Audit {
    /// Takes the trail as it is now; the selected event stays selected.
    pub fn deliver(&mut self, trail: Trail) {
        let selected = self.selected().map(|event| event.sequence);
        self.trail = Some(trail);
        self.refresh();
        let at = self
            .shown
            .iter()
            .position(|at| self.event(*at).is_some_and(|event| Some(event.sequence) == selected));
        // On the newest one, new ones are what is watched for.
        if let Some(at) = at.filter(|_| self.rows.selected() > 0) {
            self.rows.select(at);
        }
    }

    /// The token whose events are shown, if there is one; `None` if they are chosen by more than
    /// that.
    pub fn token(&self) -> Option<Option<TokenId>> {
        let plain = self.filter.action.is_none() && self.filter.actor.is_none();
        plain.then(|| self.filter.token.as_ref().map(|(id, _)| *id))
    }

    fn event(&self, at: usize) -> Option<&AuditEvent> {
        self.trail.as_ref()?.events.get(at)
    }

    fn selected(&self) -> Option<&AuditEvent> {
        self.event(*self.shown.get(self.rows.selected())?)
    }

    fn refresh(&mut self) {
        let events = self.trail.as_ref().map_or(&[][..], |trail| &trail.events);
        self.shown = (0..events.len())
            .filter(|at| events.get(*at).is_some_and(|event| self.filter.shows(event)))
            .collect();
    }

    fn set_filter(&mut self, filter: Filter) {
        self.filter = filter;
        self.rows.select(0);
        self.refresh();
    }

    pub fn update(&mut self, action: Action, ctx: &Model) -> Option<Effect> {
        if self.rows.on(action, self.shown.len()).is_some() {
            return None;
        }
        if action == Action::Back {
            if self.filter == Filter::default() {
                return Some(Effect::Ui(UiAction::GoTo(Tab::Tokens)));
            }
            self.set_filter(Filter::default());
            return None;
        }
        let event = self.selected()?.clone();
        let mut filter = self.filter.clone();
        match action {
            Action::FilterToken => {
                let token = event.what.token.map(|id| (id, event.what.name.clone()));
                filter.token = if filter.token.is_some() { None } else { token };
            }
            Action::FilterAction => {
                filter.action = filter.action.is_none().then_some(event.what.action);
            }
            Action::FilterActor => {
                filter.actor = filter.actor.is_none().then(|| event.what.actor.to_string());
            }
            Action::Open => {
                let token = event.what.token.filter(|id| ctx.token(id).is_some());
                return Some(match token {
                    Some(id) => Effect::Ui(UiAction::Show(id)),
                    None => Effect::warn("that token is gone: only its events are left"),
                });
            }
            _ => return None,
        }
        self.set_filter(filter);
        None
    }

    pub fn view(&mut self, area: Rect, canvas: &mut Canvas<'_>) {
        let (ctx, theme) = (canvas.ctx, &canvas.ctx.theme);
        self.draw_state(area, canvas);
        ctx.hit_map.wheel(area, 3);
        let wide = if ctx.times == TimeFormat::Relative { 12 } else { 17 };
        let heading = theme.heading;
        canvas
            .line(area, 1)
            .skip(1)
            .column_of("When", wide, heading)
            .skip(2)
            .column_of("What", 14, heading)
            .skip(2)
            .column_of("Token", 20, heading)
            .skip(2)
            .text("Who and how", heading);
        let page = usize::from(area.height.saturating_sub(ABOVE));
        let top = self.rows.window(page, self.shown.len());
        let visible = self.shown.iter().enumerate().skip(top).take(page);
        for (line, (at, place)) in (ABOVE..).zip(visible) {
            let Some(event) = self.event(*place) else {
                continue;
            };
            let what = &event.what;
            let when = ctx.short(what.at);
            canvas
                .line(area, line)
                .skip(1)
                .column_of(&when, wide, theme.text())
                .skip(2)
                .column_of(what.action.as_str(), 14, theme.text())
                .skip(2)
                .column_of(&what.name, 20, theme.text())
                .skip(2)
                .text(&what.actor.to_string(), theme.text())
                .skip(2)
                .text(&what.detail, theme.faint);
            canvas.list_row((area, line), (at, self.rows.selected()), Action::Open);
        }
        if self.trail.is_some() && self.shown.is_empty() {
            let text = if self.filter == Filter::default() {
                "Nothing has happened yet: every change of a token is written here.".to_owned()
            } else {
                let clear = ctx.key(Mode::Audit, Action::Back);
                format!("No event matches the filter: {clear} clears it.")
            };
            for (line, part) in (ABOVE + 1..).zip(wrap(&text, area.width.saturating_sub(2))) {
                canvas.line(area, line).skip(1).text(&part, theme.text());
            }
        }
    }

    fn draw_state(&self, area: Rect, canvas: &mut Canvas<'_>) {
        let (ctx, theme) = (canvas.ctx, &canvas.ctx.theme);
        let writer = canvas.line(area, 0).skip(1);
        let Some(trail) = &self.trail else {
            writer.text("reading the trail", theme.faint);
            return;
        };
        let chain = &trail.chain;
        let writer = match &chain.broken {
            None => writer.text(&format!("chain verified, {} events", chain.events), theme.good),
            Some((sequence, fault)) => writer
                .text(theme.fault(), theme.danger)
                .skip(1)
                .text(&format!("chain broken at event {sequence}: {fault}"), theme.danger),
        };
        let words = self.filter.words();
        if words.is_empty() {
            return;
        }
        let filter = format!("[{}]", words.join(", "));
        let from = writer.column();
        let writer = writer.skip(2).text(&filter, theme.accent);
        let all = format!("{} shows all", ctx.key(Mode::Audit, Action::Back));
        let writer = writer.skip(1).text(&all, theme.faint);
        ctx.hit_map.act(writer.since(from), Action::Back);
    }
}
