//! A window on many rows with one selected: which are shown, and how the keys move through
//! them. Only the visible rows are ever built. Called by every list.

use crate::keymap::Action;

/// Rows that are taken to be visible before the first drawing.
const FIRST_PAGE: usize = 60;

/// The selected row and the first visible one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ListSelection {
    selected: usize,
    top: usize,
    page: usize,
}

impl ListSelection {
    pub fn selected(&self) -> usize {
        self.selected
    }

    /// The rows of `count` that the next drawing shows, as far as can be told before.
    pub fn ahead(&self, count: usize) -> std::ops::Range<usize> {
        let mut next = *self;
        let page = if self.page == 0 { FIRST_PAGE } else { self.page };
        let top = next.window(page, count);
        top..(top + page).min(count)
    }

    pub fn select(&mut self, row: usize) {
        self.selected = row;
    }

    /// Moves as `action` says within `count` rows; `None` if it is no movement, else whether
    /// the selection changed.
    pub fn on(&mut self, action: Action, count: usize) -> Option<bool> {
        let before = self.selected;
        let last = count.saturating_sub(1);
        let page = self.page.max(1);
        let down = |by: usize| before.saturating_add(by).min(last);
        self.selected = match action {
            Action::Down => down(1),
            Action::Up => before.saturating_sub(1),
            Action::HalfPageDown => down((page / 2).max(1)),
            Action::HalfPageUp => before.saturating_sub((page / 2).max(1)),
            Action::PageDown => down(page),
            Action::PageUp => before.saturating_sub(page),
            Action::First => 0,
            Action::Last => last,
            _ => return None,
        };
        Some(self.selected != before)
    }

    /// Takes note that `page` of `count` rows are visible, and gives the first of them.
    /// Reaching an edge scrolls by half a page, so that most moves repaint two rows only.
    pub fn window(&mut self, page: usize, count: usize) -> usize {
        self.page = page;
        self.selected = self.selected.min(count.saturating_sub(1));
        if page == 0 {
            return self.selected;
        }
        let furthest = count.saturating_sub(page);
        if self.selected < self.top {
            self.top = self.selected.saturating_sub(page / 2);
        } else if self.selected >= self.top + page {
            self.top = self.selected - page / 2;
        }
        // A selection that jumped to the very end or start shows a full page there.
        self.top = self.top.min(furthest);
        self.top
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn moving_past_the_edge_scrolls_half_a_page() {
        let mut rows = ListSelection::default();
        rows.window(10, 100);
        for _ in 0..10 {
            rows.on(Action::Down, 100);
        }
        assert_eq!((rows.selected(), rows.window(10, 100)), (10, 5));
        rows.on(Action::Last, 100);
        assert_eq!((rows.selected(), rows.window(10, 100)), (99, 90));
    }

    #[test]
    fn what_is_no_movement_is_left_to_others() {
        assert_eq!(ListSelection::default().on(Action::Revoke, 5), None);
        assert_eq!(ListSelection::default().on(Action::Up, 5), Some(false));
    }

    proptest! {
        #[test]
        fn the_selected_row_is_always_visible(
            moves in prop::collection::vec((0_usize..8, 0_usize..40, 0_usize..60), 0..60),
        ) {
            let actions = [
                Action::Down, Action::Up, Action::HalfPageDown, Action::HalfPageUp,
                Action::PageDown, Action::PageUp, Action::First, Action::Last,
            ];
            let mut rows = ListSelection::default();
            for (action, page, count) in moves {
                rows.on(actions[action], count);
                let top = rows.window(page, count);
                prop_assert!(count == 0 || rows.selected() < count);
                prop_assert!(page == 0 || (top..top + page).contains(&rows.selected()));
            }
        }
    }
}
