//! How the list answers the keys of marks: one, a range, all that are shown, and the way back;
//! and what is to be done to the marked tokens. Part of the list; the marks themselves are
//! `multi_select`.

use std::ops::{ControlFlow, Range};

use super::Tokens;
use crate::{
    domain::TokenId,
    keymap::Action,
    tui::app::{effect::Effect, model::Model},
};

impl Tokens {
    /// Answers what concerns marks, and what is to be done to the marked tokens; all else goes on.
    pub(super) fn on_marks(&mut self, action: Action, ctx: &Model) -> ControlFlow<Option<Effect>> {
        match action {
            Action::Mark if !self.marks.is_ranging() => {
                if let Some(id) = self.selected {
                    self.marks.toggle(id);
                    self.rows.on(Action::Down, self.listing.total);
                    self.selected = self.id_at(self.rows.selected());
                }
            }
            Action::MarkRange if !self.marks.is_ranging() => {
                if let Some(id) = self.selected {
                    self.marks.begin(id);
                }
            }
            Action::Mark | Action::MarkRange => self.settle(),
            Action::MarkAll if !self.listing.is_complete() => {
                let text = "the list is still being read: once more, please";
                return ControlFlow::Break(Some(Effect::info(text)));
            }
            Action::MarkAll => {
                self.settle();
                self.marks.all(self.listing.tokens.iter());
            }
            Action::Back if !self.marks.is_empty() => self.marks.back(),
            Action::Revoke | Action::Delete | Action::AddScope | Action::Regenerate
                if !self.marks.is_empty() =>
            {
                self.settle();
                return ControlFlow::Break(self.marks.on(action, ctx));
            }
            _ => return ControlFlow::Continue(()),
        }
        ControlFlow::Break(None)
    }

    /// The rows of the range that is being drawn, among those that are known.
    pub(super) fn range(&self) -> Range<usize> {
        self.marks.range(|anchor| self.row_of(anchor), self.rows.selected())
    }

    /// The tokens of the range that is being drawn.
    pub(super) fn ranged(&self) -> Vec<TokenId> {
        self.range().filter_map(|row| self.id_at(row)).collect()
    }

    fn settle(&mut self) {
        let ids = self.ranged();
        self.marks.settle(ids);
    }

    /// Takes every mark away if they were for a command on `tokens`, which was executed.
    pub fn unmark(&mut self, tokens: &[TokenId]) {
        if tokens.iter().any(|id| self.marks.has(id)) {
            self.marks.clear();
        }
    }

    /// Takes the marks of tokens away for which `is_there` says no.
    pub fn keep_marks(&mut self, is_there: impl Fn(&TokenId) -> bool) {
        self.marks.keep(is_there);
    }
}
