//! The texts of an empty token list: the reason, and the keys that lead on. The token list draws
//! them.

use super::TokensScreen;
use crate::{
    domain::{StatusFilter, counted},
    keymap::{Action, Mode},
    tui::app::model::Model,
};

impl TokensScreen {
    /// The reason why the list is empty, followed by the next steps, one per line.
    pub(super) fn empty_state_text(&self, ctx: &Model) -> Vec<String> {
        let key = |action| ctx.key(Mode::Tokens, action);
        if ctx.summary.total == 0 {
            return Self::no_tokens_text(ctx);
        }
        let status = self.query.effective_status();
        let word = status.as_str().to_lowercase();
        let (next, clear) = (key(Action::NextStatus), key(Action::Back));
        if self.query.search.is_empty() {
            let total = counted(ctx.summary.total, "token");
            let reason = match status {
                StatusFilter::Expiring => "No token expires within 7 days.".to_owned(),
                _ => format!("No {word} tokens."),
            };
            let advice = format!("Press {next} to show tokens of the next status.");
            return vec![reason, advice, format!("The store has {total}.")];
        }
        let reason = format!("No {word} tokens match the search.").replace("all ", "");
        let advice = if self.query.search.filters_status() {
            format!("Press {clear} to clear the search.")
        } else {
            format!("Press {clear} to clear the search, {next} for another status.")
        };
        vec![reason, advice]
    }

    fn no_tokens_text(ctx: &Model) -> Vec<String> {
        let key = |action| ctx.key(Mode::Tokens, action);
        let reason = "No tokens yet.".to_owned();
        if ctx.read_only {
            return vec![reason];
        }
        if ctx.has_deleted_tokens {
            let undo = key(Action::Undo);
            return vec!["No tokens.".to_owned(), format!("Press {undo} to undo the deletion.")];
        }
        vec![
            reason,
            format!("Press {} to create the first one.", key(Action::New)),
            format!("Press {} to find any command.", key(Action::Palette)),
            format!("Press {} to show the keys.", key(Action::Help)),
        ]
    }
}
