//! The audit trail, newest first, filtered by token, kind or actor, with the state of its chain.
//! Reads only.

use ratatui::layout::Rect;

use crate::{
    domain::{Action as Happened, Event, TokenId},
    keymap::{Action, Mode},
    service::Trail,
    tui::{
        app::{
            effect::{Effect, Tab, UiAction},
            model::Model,
        },
        theme::time_format::TimeFormat,
        widgets::{
            paint::{Canvas, wrap},
            rows::Rows,
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
    fn shows(&self, event: &Event) -> bool {
        let what = &event.what;
        self.token.as_ref().is_none_or(|(id, _)| what.token == Some(*id))
            && self.action.is_none_or(|action| what.action == action)
            && self.actor.as_ref().is_none_or(|actor| what.actor.to_string() == *actor)
    }

    fn words(&self) -> Vec<String> {
        let token = self.token.as_ref().map(|(_, name)| format!("token {name}"));
        let action = self.action.map(|action| action.word().to_owned());
        let actor = self.actor.as_ref().map(|actor| format!("by {actor}"));
        token.into_iter().chain(action).chain(actor).collect()
    }
}

#[derive(Debug, Default)]
pub struct Audit {
    trail: Option<Trail>,
    filter: Filter,
    shown: Vec<usize>,
    rows: Rows,
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

    fn event(&self, at: usize) -> Option<&Event> {
        self.trail.as_ref()?.events.get(at)
    }

    fn selected(&self) -> Option<&Event> {
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
                let token = event.what.token.filter(|id| ctx.pat(id).is_some());
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
        let (ctx, look) = (canvas.ctx, &canvas.ctx.look);
        self.draw_state(area, canvas);
        ctx.hit_map.wheel(area, 3);
        let wide = if ctx.times == TimeFormat::Relative { 12 } else { 17 };
        let heading = look.heading;
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
                .column_of(&when, wide, look.text())
                .skip(2)
                .column_of(what.action.word(), 14, look.text())
                .skip(2)
                .column_of(&what.name, 20, look.text())
                .skip(2)
                .text(&what.actor.to_string(), look.text())
                .skip(2)
                .text(&what.detail, look.faint);
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
                canvas.line(area, line).skip(1).text(&part, look.text());
            }
        }
    }

    fn draw_state(&self, area: Rect, canvas: &mut Canvas<'_>) {
        let (ctx, look) = (canvas.ctx, &canvas.ctx.look);
        let pen = canvas.line(area, 0).skip(1);
        let Some(trail) = &self.trail else {
            pen.text("reading the trail", look.faint);
            return;
        };
        let chain = &trail.chain;
        let pen = match &chain.broken {
            None => pen.text(&format!("chain verified, {} events", chain.events), look.good),
            Some((sequence, fault)) => pen
                .text(look.fault(), look.danger)
                .skip(1)
                .text(&format!("chain broken at event {sequence}: {fault}"), look.danger),
        };
        let words = self.filter.words();
        if words.is_empty() {
            return;
        }
        let filter = format!("[{}]", words.join(", "));
        let from = pen.column();
        let pen = pen.skip(2).text(&filter, look.accent);
        let all = format!("{} shows all", ctx.key(Mode::Audit, Action::Back));
        let pen = pen.skip(1).text(&all, look.faint);
        ctx.hit_map.act(pen.since(from), Action::Back);
    }
}
