//! The marks of the list: tokens that the next change is for, set one by one, as a range or all
//! that are shown. They stay when the filter changes and go with their tokens. Answers the keys
//! of marks and those that change tokens, once there are marks; the list draws them.

use std::collections::HashSet;

use super::token_actions::preview;
use crate::{
    domain::{Command, TokenId, TokenSelection},
    keymap::Action,
    tui::{
        app::{effect::Effect, model::Model},
        dialogs::{regenerate::RegenerateDialog, scopes::ScopeDialog},
    },
};

#[derive(Debug, Default)]
pub(super) struct MultiSelect {
    ids: HashSet<TokenId>,
    /// Where the range begins that is being drawn.
    anchor: Option<TokenId>,
}

impl MultiSelect {
    pub(super) fn is_empty(&self) -> bool {
        self.ids.is_empty() && self.anchor.is_none()
    }

    pub(super) fn is_ranging(&self) -> bool {
        self.anchor.is_some()
    }

    /// Whether `id` is marked, the range aside.
    pub(super) fn has(&self, id: &TokenId) -> bool {
        self.ids.contains(id)
    }

    /// The rows of the range from its start to row `at`, by the row that `row_of` gives; none
    /// when no range is drawn, or when its start is not shown any more.
    pub(super) fn range(
        &self,
        row_of: impl FnOnce(TokenId) -> Option<usize>,
        at: usize,
    ) -> std::ops::Range<usize> {
        let start = self.anchor.and_then(row_of);
        start.map_or(0..0, |start| start.min(at)..start.max(at) + 1)
    }

    /// How many are marked, with those of `range` that are not marked anyway.
    pub(super) fn count(&self, range: impl IntoIterator<Item = TokenId>) -> usize {
        self.ids.len() + range.into_iter().filter(|id| !self.ids.contains(id)).count()
    }

    /// Marks `id`, or takes its mark away.
    pub(super) fn toggle(&mut self, id: TokenId) {
        if !self.ids.remove(&id) {
            self.ids.insert(id);
        }
    }

    pub(super) fn begin(&mut self, id: TokenId) {
        self.anchor = Some(id);
    }

    /// Ends the range, whose tokens are `range`: they are marked like any other now.
    pub(super) fn settle(&mut self, range: impl IntoIterator<Item = TokenId>) {
        if self.anchor.take().is_some() {
            self.ids.extend(range);
        }
    }

    /// Marks all that are shown; if they are all marked, takes their marks away.
    pub(super) fn all(&mut self, shown: impl IntoIterator<Item = TokenId> + Clone) {
        if shown.clone().into_iter().all(|id| self.ids.contains(&id)) {
            for id in shown {
                self.ids.remove(&id);
            }
        } else {
            self.ids.extend(shown);
        }
    }

    /// Gives up the range that is being drawn, or else every mark.
    pub(super) fn back(&mut self) {
        if self.anchor.take().is_none() {
            self.ids.clear();
        }
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Takes the marks of tokens away that are not there any more.
    pub(super) fn keep(&mut self, is_there: impl Fn(&TokenId) -> bool) {
        self.ids.retain(&is_there);
        self.anchor = self.anchor.filter(is_there);
    }

    /// What `action` does to the marked tokens.
    pub(super) fn on(&self, action: Action, ctx: &Model) -> Option<Effect> {
        let ids = || {
            let mut ids: Vec<_> = self.ids.iter().copied().collect();
            ids.sort_unstable();
            ids
        };

        Some(match action {
            Action::Revoke => preview(Command::Revoke { tokens: ids() }),
            Action::Delete => preview(Command::Delete { tokens: TokenSelection::Listed(ids()) }),
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

    fn marked(marks: &MultiSelect) -> Vec<u8> {
        (0..9).filter(|n| marks.has(&id(*n))).collect()
    }

    #[test]
    fn one_by_one_and_all_that_are_shown() {
        let mut marks = MultiSelect::default();
        marks.toggle(id(1));
        marks.toggle(id(7));
        marks.toggle(id(7));
        assert_eq!(marked(&marks), [1]);
        marks.all((0..3).map(id));
        assert_eq!(marked(&marks), [0, 1, 2]);
        marks.toggle(id(8));
        marks.all((0..3).map(id));
        assert_eq!(marked(&marks), [8], "all of the shown were marked");
    }

    #[test]
    fn a_range_grows_both_ways_and_counts_before_it_is_settled() {
        let mut marks = MultiSelect::default();
        let row_of = |wanted| (0..9).position(|n| id(n) == wanted);
        marks.toggle(id(4));
        marks.begin(id(3));
        assert_eq!(marks.range(row_of, 5), 3..6);
        assert_eq!(marks.range(row_of, 1), 1..4);
        assert_eq!(marks.count((3..6).map(id)), 3);
        marks.settle((3..6).map(id));
        assert!(!marks.is_ranging());
        assert_eq!(marked(&marks), [3, 4, 5]);
        assert_eq!(marks.range(row_of, 8), 0..0);
    }

    #[test]
    fn the_way_back_gives_up_the_range_first_and_the_marks_then() {
        let mut marks = MultiSelect::default();
        marks.toggle(id(4));
        marks.begin(id(3));
        marks.back();
        assert!(!marks.is_ranging() && !marks.is_empty());
        marks.back();
        assert!(marks.is_empty());
    }

    #[test]
    fn marks_go_with_their_tokens() {
        let mut marks = MultiSelect::default();
        marks.toggle(id(4));
        marks.toggle(id(5));
        marks.begin(id(4));
        marks.keep(|each| *each != id(4));
        assert!(!marks.is_ranging());
        assert_eq!(marked(&marks), [5]);
    }
}
