//! Dialog that shows a plan and asks the operator to confirm it: with a button, or by typing the
//! name of the token or the number of tokens. The service computes the plan. The dialog refuses a
//! paste, because typing is meant to slow the operator down.

pub(super) mod draw;
pub(in crate::tui) mod text;

use crate::tui::widgets::canvas::Canvas;
use std::cmp::Reverse;

use ratatui::{
    crossterm::event::KeyEvent,
    layout::{Position, Rect},
};

use super::Dialog;
use crate::{
    domain::{Command, Confirmation, LastUse, Name, Plan, SkippedToken, Status, Token},
    keymap::{Action, HintChange, Mode},
    output::question::question,
    tui::{
        app::{
            effect::Effect,
            model::Model,
            service_request::{Response, ServiceRequest},
        },
        widgets::{canvas::width, form::FormInput as _, text_input::TextInput},
    },
};

/// The input that confirms the plan.
#[derive(Debug)]
enum ConfirmInput {
    /// No input, because the plan skips every token.
    Nothing,
    /// A cancel button and an accept button. The value is true if the accept button has the focus.
    Buttons(bool),
    /// The Enter key, after the operator has reviewed the list.
    Enter,
    /// A text that the operator must type. Contains a description of the text for the hint, the
    /// expected text, and the text field.
    Typed(&'static str, String, Box<TextInput>),
}

/// A row of the token list: one token that the command names.
#[derive(Debug)]
struct TokenRow {
    name: Name,
    status: Status,
    last_used: Option<LastUse>,
    /// The reason for skipping the token. `None` if the command changes the token.
    skip_label: Option<String>,
}

/// The preview of a plan with its confirmation.
#[derive(Debug)]
pub struct PlanDialog {
    plan: Plan,
    title: String,
    input: ConfirmInput,
    /// One row per token if the command names several tokens, otherwise empty. Most recently used
    /// tokens are first, skipped tokens are last.
    rows: Vec<TokenRow>,
    /// Width of the longest name in columns.
    name_width: u16,
    scroll_top: usize,
    visible_rows: usize,
    fault: Option<String>,
    /// Whether the command writes no file, because this is the demo.
    is_demo: bool,
    /// The text to show after the command was executed.
    result_text: Option<String>,
}

impl PlanDialog {
    pub fn new(plan: Plan, is_demo: bool) -> Self {
        let rows = if plan.command.tokens().len() > 1 { rows(&plan) } else { Vec::new() };
        let input = match plan.confirmation() {
            _ if plan.changes.is_empty() => ConfirmInput::Nothing,
            Confirmation::TypeName(name) => ConfirmInput::Typed(
                "its name",
                name.to_string(),
                Box::new(TextInput::single_line("")),
            ),
            Confirmation::TypeCount(count) => ConfirmInput::Typed(
                "the count",
                count.to_string(),
                Box::new(TextInput::single_line("")),
            ),
            Confirmation::TypeWord(word) => ConfirmInput::Typed(
                "the word",
                word.to_owned(),
                Box::new(TextInput::single_line("")),
            ),
            Confirmation::None if !rows.is_empty() => ConfirmInput::Enter,
            Confirmation::None | Confirmation::Ask(_) => {
                // The operator has marked each of these changes, and can undo them.
                ConfirmInput::Buttons(matches!(plan.command, Command::ChangeScopes { .. }))
            }
        };
        let title = match &input {
            ConfirmInput::Nothing => format!("Nothing to {}", text::verb(&plan)),
            _ => question(&plan),
        };
        Self {
            title,
            input,
            name_width: rows.iter().map(|row| width(row.name.as_str())).max().unwrap_or(0),
            rows,
            plan,
            scroll_top: 0,
            visible_rows: 0,
            fault: None,
            is_demo,
            result_text: None,
        }
    }

    /// The request to execute the command on the tokens that it changes, without the skipped
    /// tokens.
    fn execute(&self) -> ServiceRequest {
        let command = self.plan.command.clone();
        let command = if self.plan.skipped.is_empty() {
            command
        } else {
            command.for_tokens(self.plan.ids())
        };
        ServiceRequest::Execute(command, self.plan.confirm())
    }

    fn accept(&mut self) -> Option<Effect> {
        match &self.input {
            _ if self.result_text.is_some() => Some(Effect::close()),
            ConfirmInput::Nothing => Some(Effect::close()),
            ConfirmInput::Buttons(false) => self.cancel(),
            ConfirmInput::Buttons(true) | ConfirmInput::Enter => {
                Some(Effect::request(self.execute()))
            }
            ConfirmInput::Typed(_, _, field) if self.plan.is_confirmed_by(&field.text()) => {
                Some(Effect::request(self.execute()))
            }
            ConfirmInput::Typed(description, expected, _) => {
                self.fault = Some(format!("Type {description} exactly: {expected}"));
                None
            }
        }
    }

    fn scroll(&mut self, action: Action) {
        let page = self.visible_rows.max(1);
        match action {
            Action::Down => self.scroll_top += 1,
            Action::Up => self.scroll_top = self.scroll_top.saturating_sub(1),
            Action::PageDown => self.scroll_top += page,
            Action::PageUp => self.scroll_top = self.scroll_top.saturating_sub(page),
            _ => {}
        }
        self.scroll_top = self.scroll_top.min(self.rows.len().saturating_sub(page));
    }
}

/// One row for each token that the command names. Changed tokens come before skipped tokens; in
/// each group, the most recently used token is first.
fn rows(plan: &Plan) -> Vec<TokenRow> {
    let row = |token: &Token, left_out: Option<&SkippedToken>| TokenRow {
        name: token.name.clone(),
        status: token.status(plan.at),
        last_used: token.last_use().cloned(),
        skip_label: left_out.map(text::skip_label),
    };
    let changed = plan.changes.iter().filter_map(|change| Some(row(change.before.token()?, None)));
    let left_out = plan.skipped.iter().filter_map(|it| Some(row(it.token.as_ref()?, Some(it))));
    let mut rows: Vec<TokenRow> = changed.chain(left_out).collect();
    rows.sort_by_cached_key(|row| {
        let used = Reverse(row.last_used.as_ref().map(|used| used.at));
        (row.skip_label.is_some(), used, row.name.folded())
    });
    rows
}

impl Dialog for PlanDialog {
    fn mode(&self) -> Mode {
        match self.input {
            ConfirmInput::Buttons(_) => Mode::Ask,
            ConfirmInput::Typed(..) if self.rows.is_empty() => Mode::Confirm,
            _ => Mode::Bulk,
        }
    }

    fn update(&mut self, action: Action, _: &Model) -> Option<Effect> {
        match (action, &mut self.input) {
            (Action::Cancel, _) => return self.cancel(),
            (Action::Submit, ConfirmInput::Buttons(_)) => {
                return Some(Effect::request(self.execute()));
            }
            (Action::Accept, _) => return self.accept(),
            (Action::NextField | Action::PreviousField, ConfirmInput::Buttons(accepts)) => {
                *accepts ^= true;
            }
            _ => self.scroll(action),
        }
        None
    }

    /// After the command was executed, the only key closes the dialog.
    fn enables(&self, action: Action) -> bool {
        let is_close = matches!(action, Action::Accept | Action::Help | Action::Quit);
        // No command line marks a secret as saved.
        let is_command = !matches!(self.plan.command, Command::RecordDelivery { .. });
        (self.result_text.is_none() || is_close) && (is_command || action != Action::CopyCommand)
    }

    fn hint_change(&self, action: Action) -> Option<HintChange> {
        let label = match &self.input {
            _ if action != Action::Accept => return None,
            _ if self.result_text.is_some() => "close",
            ConfirmInput::Nothing => "close",
            ConfirmInput::Buttons(false) => "cancel",
            ConfirmInput::Buttons(true) => text::verb(&self.plan),
            ConfirmInput::Enter | ConfirmInput::Typed(..) => return None,
        };
        Some(HintChange::new(label, 1))
    }

    fn cancel(&mut self) -> Option<Effect> {
        let has_question = self.result_text.is_none() && !self.plan.changes.is_empty();
        Some(match text::cancelled(&self.plan.command) {
            Some(text) if has_question => Effect::cancel(text),
            _ => Effect::close(),
        })
    }

    fn view(&mut self, area: Rect, canvas: &mut Canvas<'_>) -> Option<Position> {
        draw::draw(self, area, canvas)
    }

    fn text(&mut self, key: KeyEvent) {
        if let (ConfirmInput::Typed(_, _, field), None) = (&mut self.input, &self.result_text)
            && field.press(key)
        {
            self.fault = None;
        }
    }

    fn request(&self, _: &Model) -> Option<ServiceRequest> {
        let is_pending = self.result_text.is_none() && !self.plan.changes.is_empty();
        is_pending.then(|| self.execute())
    }

    /// If new secrets were written to a file, keeps the dialog open to show the path of the file.
    fn deliver(&mut self, response: Response) -> Option<Response> {
        match response {
            Response::Committed(committed) if committed.secret_file.is_some() => {
                let count = committed.plan.changes.len();
                let file = committed.secret_file.as_deref();
                self.result_text = file.map(|file| text::delivery_text(count, file, self.is_demo));
                self.fault = None;
                None
            }
            other => Some(other),
        }
    }

    fn show_fault(&mut self, fault: String) -> bool {
        self.fault = Some(fault);
        true
    }
}
