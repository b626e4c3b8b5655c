//! The dialog on a plan: what a command would do, to which tokens, and what confirms it, a
//! button, the name of the token or the number of tokens. All of it comes from the plan, which
//! the service made; a paste is refused, because the dialog exists to slow people down.

pub(super) mod draw;
pub(in crate::tui) mod text;

use crate::tui::widgets::paint::Canvas;
use std::cmp::Reverse;

use ratatui::{
    crossterm::event::KeyEvent,
    layout::{Position, Rect},
};

use super::Dialog;
use crate::{
    domain::{Confirmation, LastUse, Name, Plan, SkippedToken, Status, Token},
    keymap::{Action, Mode},
    output::question::question,
    tui::{
        app::{
            effect::Effect,
            model::Model,
            service_request::{Response, ServiceRequest},
        },
        widgets::{field::Field, form::FormInput as _, paint::width},
    },
};

/// What confirms the plan.
#[derive(Debug)]
enum Input {
    /// Nothing has to be done: every token is left out.
    Nothing,
    /// The second of two buttons; whether it has the focus.
    Buttons(bool),
    /// Enter, after a look at the list.
    Enter,
    /// A text to type; what it is, for the hint.
    Typed(&'static str, String, Box<Field>),
}

/// A token in the list of those that the command names.
#[derive(Debug)]
struct TokenRow {
    name: Name,
    status: Status,
    last_used: Option<LastUse>,
    /// The reason for leaving it out.
    left_out: Option<String>,
}

#[derive(Debug)]
pub struct PlanDialog {
    plan: Plan,
    title: String,
    input: Input,
    /// The tokens, if the command names several: the one used last first, then those left out.
    rows: Vec<TokenRow>,
    /// The width of the longest name.
    name_width: u16,
    top: usize,
    page: usize,
    fault: Option<String>,
    /// What must be read once the command was executed.
    finished: Option<String>,
}

impl PlanDialog {
    pub fn new(plan: Plan) -> Self {
        let rows = if plan.command.tokens().len() > 1 { rows(&plan) } else { Vec::new() };
        let input = match plan.confirmation() {
            _ if plan.changes.is_empty() => Input::Nothing,
            Confirmation::TypeName(name) => {
                Input::Typed("its name", name.to_string(), Box::new(Field::line("")))
            }
            Confirmation::TypeCount(count) => {
                Input::Typed("the count", count.to_string(), Box::new(Field::line("")))
            }
            Confirmation::None if !rows.is_empty() => Input::Enter,
            Confirmation::None | Confirmation::Ask(_) => Input::Buttons(false),
        };
        let title = match &input {
            Input::Nothing => format!("Nothing to {}", text::verb(&plan)),
            _ => question(&plan),
        };
        Self {
            title,
            input,
            name_width: rows.iter().map(|row| width(row.name.as_str())).max().unwrap_or(0),
            rows,
            plan,
            top: 0,
            page: 0,
            fault: None,
            finished: None,
        }
    }

    /// The command for the tokens that it changes: those left out are not named again.
    fn execute(&self) -> ServiceRequest {
        let command = self.plan.command.clone();
        let command = if self.plan.left_out.is_empty() {
            command
        } else {
            command.for_tokens(self.plan.ids())
        };
        ServiceRequest::Execute(command, self.plan.confirmed())
    }

    fn accept(&mut self) -> Option<Effect> {
        match &self.input {
            _ if self.finished.is_some() => Some(Effect::close()),
            Input::Nothing | Input::Buttons(false) => Some(Effect::close()),
            Input::Buttons(true) | Input::Enter => Some(Effect::request(self.execute())),
            Input::Typed(_, expected, field) if field.text().trim() == expected => {
                Some(Effect::request(self.execute()))
            }
            Input::Typed(what, expected, _) => {
                self.fault = Some(format!("type {what} exactly: {expected}"));
                None
            }
        }
    }

    fn scroll(&mut self, action: Action) {
        let page = self.page.max(1);
        match action {
            Action::Down => self.top += 1,
            Action::Up => self.top = self.top.saturating_sub(1),
            Action::PageDown => self.top += page,
            Action::PageUp => self.top = self.top.saturating_sub(page),
            _ => {}
        }
        self.top = self.top.min(self.rows.len().saturating_sub(page));
    }
}

/// The tokens that the command names, those first that are changed, the one used last first.
fn rows(plan: &Plan) -> Vec<TokenRow> {
    let row = |token: &Token, left_out: Option<&SkippedToken>| TokenRow {
        name: token.name.clone(),
        status: token.status(plan.at),
        last_used: token.last_use().cloned(),
        left_out: left_out.map(text::reason),
    };
    let changed = plan.changes.iter().filter_map(|change| Some(row(change.before.token()?, None)));
    let left_out = plan.left_out.iter().filter_map(|it| Some(row(it.token.as_ref()?, Some(it))));
    let mut rows: Vec<TokenRow> = changed.chain(left_out).collect();
    rows.sort_by_cached_key(|row| {
        let used = Reverse(row.last_used.as_ref().map(|used| used.at));
        (row.left_out.is_some(), used, row.name.folded())
    });
    rows
}

impl Dialog for PlanDialog {
    fn mode(&self) -> Mode {
        match self.input {
            Input::Buttons(_) => Mode::Ask,
            Input::Typed(..) if self.rows.is_empty() => Mode::Confirm,
            _ => Mode::Bulk,
        }
    }

    fn update(&mut self, action: Action, _: &Model) -> Option<Effect> {
        match (action, &mut self.input) {
            (Action::Cancel, _) => return Some(Effect::close()),
            (Action::Submit, Input::Buttons(_)) => return Some(Effect::request(self.execute())),
            (Action::Accept, _) => return self.accept(),
            (Action::NextField | Action::PreviousField, Input::Buttons(accepts)) => {
                *accepts ^= true;
            }
            _ => self.scroll(action),
        }
        None
    }

    fn view(&mut self, area: Rect, canvas: &mut Canvas<'_>) -> Option<Position> {
        draw::draw(self, area, canvas)
    }

    fn text(&mut self, key: KeyEvent) {
        if let (Input::Typed(_, _, field), None) = (&mut self.input, &self.finished)
            && field.press(key)
        {
            self.fault = None;
        }
    }

    fn request(&self, _: &Model) -> Option<ServiceRequest> {
        (!self.plan.changes.is_empty()).then(|| self.execute())
    }

    /// Stays open to show where new secrets are.
    fn deliver(&mut self, response: Response) -> Option<Response> {
        match response {
            Response::Committed(committed) if committed.secret_file.is_some() => {
                let count = committed.plan.changes.len();
                let file = committed.secret_file.as_deref();
                self.finished = file.map(|file| text::delivery_text(count, file));
                self.fault = None;
                None
            }
            other => Some(other),
        }
    }

    fn fail(&mut self, fault: String) -> bool {
        self.fault = Some(fault);
        true
    }
}
