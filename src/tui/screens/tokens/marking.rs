//! Mark actions of the token list: mark one, a range or all rows, and start bulk actions on the
//! marked tokens. The set of marks is in `marked_tokens`.

use std::ops::{ControlFlow, Range};

use super::TokensScreen;
use crate::{
    domain::{TokenId, grouped},
    keymap::{Action, HintChange, Mode},
    tui::app::{effect::Effect, model::Model},
};

impl TokensScreen {
    /// Handles mark actions and, if tokens are marked, bulk actions. Returns
    /// `ControlFlow::Continue` for any other action.
    pub(super) fn update_marks(
        &mut self,
        action: Action,
        ctx: &Model,
    ) -> ControlFlow<Option<Effect>> {
        match action {
            Action::Mark if !self.marks.has_range() => {
                if let Some(id) = self.selected {
                    self.marks.toggle(id);
                    self.rows.apply_movement(Action::Down, self.result.total);
                    self.selected = self.id_at(self.rows.selected());
                }
            }
            Action::MarkRange if !self.marks.has_range() => {
                if let Some(id) = self.selected {
                    self.marks.begin_range(id);
                }
            }
            Action::Mark | Action::MarkRange => self.finish_range(),
            Action::MarkAll if !self.result.is_complete() => {
                let text = "The list is still loading. Try again.";
                return ControlFlow::Break(Some(Effect::info(text)));
            }
            Action::MarkAll => {
                self.finish_range();
                self.marks.toggle_all(self.result.tokens.iter());
            }
            Action::Back if !self.marks.is_empty() => self.marks.step_back(),
            Action::Revoke | Action::Delete | Action::AddScope | Action::Regenerate
                if !self.marks.is_empty() =>
            {
                self.finish_range();
                self.hidden_marks = self.count_hidden_marks();
                return ControlFlow::Break(self.marks.bulk_effect(action, ctx));
            }
            Action::Edit | Action::Clone | Action::Preset | Action::Test | Action::EndOverlap
                if !self.marks.is_empty() =>
            {
                let marked = grouped(self.marks.count(self.range_tokens()));
                let key = |action| ctx.key(Mode::Tokens, action);
                return ControlFlow::Break(Some(Effect::warn(format!(
                    "{} works on one token, and {marked} are marked. {} clears the marks.",
                    key(action),
                    key(Action::Back)
                ))));
            }
            _ => return ControlFlow::Continue(()),
        }
        ControlFlow::Break(None)
    }

    /// While tokens are marked, the footer shows the actions on them and their number.
    pub fn hint_change(&self, action: Action) -> Option<HintChange> {
        if self.marked_count == 0 {
            let is_back = action == Action::Back && self.is_opened_from_overview();
            return is_back.then(|| HintChange::new("overview", 2));
        }
        let of_marked = |verb: &str| format!("{verb} {}", grouped(self.marked_count));
        let back = if self.marks.has_range() { "end range" } else { "unmark" };
        Some(match action {
            Action::Revoke => HintChange::new(of_marked("revoke"), 1),
            Action::Back => HintChange::new(back, 2),
            Action::Regenerate => HintChange::new(of_marked("regenerate"), 3),
            Action::Delete => HintChange::new(of_marked("delete"), 4),
            Action::AddScope => HintChange::new(of_marked("scope"), 5),
            Action::Mark => HintChange::new("mark", 6),
            Action::Open => HintChange::new("open", 7),
            Action::New | Action::Edit | Action::Clone => HintChange::new("", 0),
            _ => return None,
        })
    }

    /// Number of marked tokens that were hidden by the filter when the last bulk action began.
    pub fn hidden_marks(&self) -> usize {
        self.hidden_marks
    }

    /// Number of marked tokens that are not in the list. 0 while the list is loading.
    fn count_hidden_marks(&self) -> usize {
        if !self.result.is_complete() {
            return 0;
        }
        let listed = self.result.tokens.iter().filter(|id| self.marks.contains(id)).count();
        self.marks.count([]).saturating_sub(listed)
    }

    /// The rows of the open range.
    pub(super) fn range(&self) -> Range<usize> {
        self.marks.range(|anchor| self.row_of(anchor), self.rows.selected())
    }

    /// The tokens of the open range, as far as their rows are loaded.
    pub(super) fn range_tokens(&self) -> Vec<TokenId> {
        self.range().filter_map(|row| self.id_at(row)).collect()
    }

    fn finish_range(&mut self) {
        let ids = self.range_tokens();
        self.marks.finish_range(ids);
    }

    /// Clears all marks if one of `tokens`, which a command just changed, is marked.
    pub fn clear_marks_of(&mut self, tokens: &[TokenId]) {
        if tokens.iter().any(|id| self.marks.contains(id)) {
            self.marks.clear();
        }
    }

    /// Removes the marks of tokens for which `is_there` returns false.
    pub fn retain_marks(&mut self, is_there: impl Fn(&TokenId) -> bool) {
        self.marks.retain(is_there);
    }
}
