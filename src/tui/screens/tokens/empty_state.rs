//! An empty token list: the reason, and the keys that lead on. Called by the token list.

use ratatui::layout::Rect;

use super::TokensScreen;
use crate::{
    domain::{StatusFilter, counted},
    keymap::{Action, Mode},
    tui::{
        app::model::Model,
        widgets::canvas::{Canvas, width},
    },
};

impl TokensScreen {
    /// Draws the texts into `area`, where the rows would be.
    pub(super) fn draw_empty_state(&self, area: Rect, canvas: &mut Canvas<'_>) {
        let (ctx, theme) = (canvas.ctx, &canvas.ctx.theme);
        let lines = self.empty_state_text(ctx);
        let styles = std::iter::once(theme.heading).chain(std::iter::repeat(theme.text()));
        for (line, (text, style)) in (area.height / 3..).zip(lines.iter().zip(styles)) {
            let indent = area.width.saturating_sub(width(text)) / 2;
            canvas.line(area, line).skip(indent).text(text, style);
        }
    }

    /// The reason why the list is empty, followed by the next steps, one per line.
    fn empty_state_text(&self, ctx: &Model) -> Vec<String> {
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
        let is_typing = self.search_box.field.is_typing();
        let advice = if is_typing || self.query.search.filters_status() {
            format!("Press {clear} to clear the search.")
        } else {
            format!("Press {clear} to clear the search, {next} for another status.")
        };
        let search = &self.query.search;
        let take = ctx.key(Mode::Search, Action::TakeTerm);
        let take = if is_typing {
            format!("{take} takes it.")
        } else {
            format!("{}, then {take} takes it.", key(Action::Search))
        };
        let meant = search.meant_term().map(|term| format!("Did you mean {term}? {take}"));
        let unknown = || {
            let unknown = search.unknown_word(&ctx.policy.catalogue)?;
            Some(format!("No {} begins with {}.", unknown.kind, unknown.start))
        };
        let elsewhere = || {
            let word = search.only_word()?;
            Some(format!("Try entity:{word}, owner:{word} or label:{word}."))
        };
        [reason]
            .into_iter()
            .chain(meant.or_else(unknown).or_else(elsewhere))
            .chain([advice])
            .collect()
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
