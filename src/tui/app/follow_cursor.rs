//! Keeps the detail beside the list on the token under the cursor. While the cursor moves, the detail
//! waits, so that a held key sends a row for each step and not half a screen. Called by `update` and
//! before each frame.

use std::time::Duration;

use super::{App, effect::Tab};

/// How long the cursor must rest before the detail follows. People hardly notice it.
pub(super) const CURSOR_REST: Duration = Duration::from_millis(80);

impl App {
    /// Whether the detail beside the list shows another token than the selected one.
    fn shows_other_detail(&self) -> bool {
        self.is_wide && self.tab == Tab::Tokens && self.detail.id() != self.tokens.selected()
    }

    /// Makes the detail wait if the last input has selected another token.
    pub(super) fn delay_detail(&mut self) {
        if self.shows_other_detail() {
            self.moved_at = Some(self.model.elapsed);
        }
    }

    /// Ends the wait if the cursor has rested.
    pub(super) fn end_detail_delay(&mut self) {
        let elapsed = self.model.elapsed;
        self.moved_at = self.moved_at.filter(|at| elapsed < *at + CURSOR_REST);
    }

    /// Makes the detail beside the list show the selected token, unless it waits.
    pub(super) fn follow_selection(&mut self) {
        if self.moved_at.is_none() && self.shows_other_detail() {
            self.show_token(self.tokens.selected());
        }
    }

    /// The same without a wait, before the detail gets the keys.
    pub(super) fn follow_selection_now(&mut self) {
        self.moved_at = None;
        self.follow_selection();
    }

    /// Behaves as if the cursor had rested.
    #[cfg(any(test, feature = "testing"))]
    pub fn rest_cursor(&mut self) {
        self.moved_at = None;
    }
}
