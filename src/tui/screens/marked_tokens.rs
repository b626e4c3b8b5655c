//! Set of marked tokens for bulk actions: single tokens, a range, or all rows. Marks survive a
//! change of the filter and are removed with their tokens. The token list draws them.

use std::collections::HashSet;

use super::token_actions::preview;
use crate::{
    domain::{Command, TokenId, TokensToDelete},
    keymap::Action,
    tui::{
        app::{effect::Effect, model::Model},
        dialogs::{regenerate::RegenerateDialog, scopes::ScopeDialog},
    },
};

#[derive(Debug, Default)]
pub(super) struct MarkedTokens {
    ids: HashSet<TokenId>,
    /// The start of the open range.
    anchor: Option<TokenId>,
}

impl MarkedTokens {
    pub(super) fn is_empty(&self) -> bool {
        self.ids.is_empty() && self.anchor.is_none()
    }

    pub(super) fn has_range(&self) -> bool {
        self.anchor.is_some()
    }

    /// Whether `id` is marked. Tokens in the open range do not count as marked.
    pub(super) fn contains(&self, id: &TokenId) -> bool {
        self.ids.contains(id)
    }

    /// The rows from the start of the open range to row `at`. `row_of` returns the row of a token.
    /// The result is empty if no range is open, or if the start of the range is not in the list.
    pub(super) fn range(
        &self,
        row_of: impl FnOnce(TokenId) -> Option<usize>,
        at: usize,
    ) -> std::ops::Range<usize> {
        let start = self.anchor.and_then(row_of);
        start.map_or(0..0, |start| start.min(at)..start.max(at) + 1)
    }

    /// Number of marked tokens, including those of `range`.
    pub(super) fn count(&self, range: impl IntoIterator<Item = TokenId>) -> usize {
        self.ids.len() + range.into_iter().filter(|id| !self.ids.contains(id)).count()
    }

    /// Marks `id`, or unmarks it if it is marked.
    pub(super) fn toggle(&mut self, id: TokenId) {
        if !self.ids.remove(&id) {
            self.ids.insert(id);
        }
    }

    pub(super) fn begin_range(&mut self, id: TokenId) {
        self.anchor = Some(id);
    }

    /// Closes the open range and marks `range`, the tokens of the open range. Does nothing if no
    /// range is open.
    pub(super) fn finish_range(&mut self, range: impl IntoIterator<Item = TokenId>) {
        if self.anchor.take().is_some() {
            self.ids.extend(range);
        }
    }

    /// Marks all `shown` tokens, or unmarks them if all are marked.
    pub(super) fn toggle_all(&mut self, shown: impl IntoIterator<Item = TokenId> + Clone) {
        if shown.clone().into_iter().all(|id| self.ids.contains(&id)) {
            for id in shown {
                self.ids.remove(&id);
            }
        } else {
            self.ids.extend(shown);
        }
    }

    /// Cancels the open range. If no range is open, clears all marks.
    pub(super) fn step_back(&mut self) {
        if self.anchor.take().is_none() {
            self.ids.clear();
        }
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Removes the marks of tokens for which `is_there` returns false.
    pub(super) fn retain(&mut self, is_there: impl Fn(&TokenId) -> bool) {
        self.ids.retain(&is_there);
        self.anchor = self.anchor.filter(is_there);
    }

    /// Returns the effect of `action` on all marked tokens, or `None` if `action` is not a bulk
    /// action.
    pub(super) fn bulk_effect(&self, action: Action, ctx: &Model) -> Option<Effect> {
        let ids = || {
            let mut ids: Vec<_> = self.ids.iter().copied().collect();
            ids.sort_unstable();
            ids
        };

        Some(match action {
            Action::Revoke => preview(Command::Revoke { tokens: ids() }),
            Action::Delete => preview(Command::Delete { tokens: TokensToDelete::Listed(ids()) }),
            Action::AddScope => Effect::open(ScopeDialog::add_to_many(ids(), ctx)),
            Action::Regenerate => Effect::open(RegenerateDialog::many(ids(), ctx)),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u8) -> TokenId {
        TokenId::from_bytes([b'a' + n; 12]).unwrap()
    }

    fn marked(marks: &MarkedTokens) -> Vec<u8> {
        (0..9).filter(|n| marks.contains(&id(*n))).collect()
    }

    #[test]
    fn toggle_marks_one_token_or_all_shown() {
        let mut marks = MarkedTokens::default();
        marks.toggle(id(1));
        marks.toggle(id(7));
        marks.toggle(id(7));
        assert_eq!(marked(&marks), [1]);
        marks.toggle_all((0..3).map(id));
        assert_eq!(marked(&marks), [0, 1, 2]);
        marks.toggle(id(8));
        marks.toggle_all((0..3).map(id));
        assert_eq!(marked(&marks), [8], "all shown tokens were marked before");
    }

    #[test]
    fn an_open_range_extends_both_ways_and_counts_as_marked() {
        let mut marks = MarkedTokens::default();
        let row_of = |wanted| (0..9).position(|n| id(n) == wanted);
        marks.toggle(id(4));
        marks.begin_range(id(3));
        assert_eq!(marks.range(row_of, 5), 3..6);
        assert_eq!(marks.range(row_of, 1), 1..4);
        assert_eq!(marks.count((3..6).map(id)), 3);
        marks.finish_range((3..6).map(id));
        assert!(!marks.has_range());
        assert_eq!(marked(&marks), [3, 4, 5]);
        assert_eq!(marks.range(row_of, 8), 0..0);
    }

    #[test]
    fn step_back_cancels_the_range_before_it_clears_marks() {
        let mut marks = MarkedTokens::default();
        marks.toggle(id(4));
        marks.begin_range(id(3));
        marks.step_back();
        assert!(!marks.has_range() && !marks.is_empty());
        marks.step_back();
        assert!(marks.is_empty());
    }

    #[test]
    fn marks_are_removed_with_their_tokens() {
        let mut marks = MarkedTokens::default();
        marks.toggle(id(4));
        marks.toggle(id(5));
        marks.begin_range(id(4));
        marks.retain(|each| *each != id(4));
        assert!(!marks.has_range());
        assert_eq!(marked(&marks), [5]);
    }
}
