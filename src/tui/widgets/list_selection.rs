//! Selection and scroll position of a list. Maps movement actions to the selected row and computes
//! the visible rows, so that a list builds only the visible rows. Every list uses this module.

use ratatui::layout::Rect;

use super::{canvas::Canvas, scrollbar::draw_scrollbar};
use crate::{domain::grouped, keymap::Action};

/// Assumed number of visible rows before the first frame.
const DEFAULT_PAGE: usize = 60;

/// The selected row, the first visible row and the number of visible rows.
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

    /// The rows of `count` that the next frame is expected to show, so that they can be loaded.
    pub fn next_visible_rows(&self, count: usize) -> std::ops::Range<usize> {
        let mut next = *self;
        let page = if self.page == 0 { DEFAULT_PAGE } else { self.page };
        let top = next.scroll_to_selection(page, count);
        top..(top + page).min(count)
    }

    /// The visible rows of `count`, for example `8-21 of 1,234`. The text is empty if the list is
    /// empty.
    pub fn visible_rows_text(&self, count: usize) -> String {
        let (first, last) = (self.top + 1, (self.top + self.page.max(1)).min(count));
        let total = grouped(count);
        match count {
            0 => String::new(),
            _ if first == last => format!("{} of {total}", grouped(first)),
            _ => format!("{}-{} of {total}", grouped(first), grouped(last)),
        }
    }

    /// Whether the list has more than the visible rows.
    pub fn is_scrollable(&self, count: usize) -> bool {
        count > self.page
    }

    /// Draws a scrollbar in the last column of `area`, which contains the visible rows of `count`.
    /// Draws nothing if all rows are visible.
    pub fn draw_scrollbar(&self, count: usize, area: Rect, canvas: &mut Canvas<'_>) {
        draw_scrollbar(area, (self.top, self.page, count), canvas);
    }

    pub fn select(&mut self, row: usize) {
        self.selected = row;
    }

    /// Applies a movement action to a list of `count` rows. Returns whether the selection changed,
    /// or `None` if `action` is not a movement.
    pub fn apply_movement(&mut self, action: Action, count: usize) -> Option<bool> {
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

    /// Records that `page` of `count` rows are visible. Scrolls the selected row into view, and
    /// returns the first visible row. Scrolls by half a page at an edge, so that most moves repaint
    /// only two rows.
    pub fn scroll_to_selection(&mut self, page: usize, count: usize) -> usize {
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
        // Never scroll past the end: the last page is a full one.
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
        rows.scroll_to_selection(10, 100);
        for _ in 0..10 {
            rows.apply_movement(Action::Down, 100);
        }
        assert_eq!((rows.selected(), rows.scroll_to_selection(10, 100)), (10, 5));
        rows.apply_movement(Action::Last, 100);
        assert_eq!((rows.selected(), rows.scroll_to_selection(10, 100)), (99, 90));
    }

    #[test]
    fn other_actions_are_not_handled() {
        assert_eq!(ListSelection::default().apply_movement(Action::Revoke, 5), None);
        assert_eq!(ListSelection::default().apply_movement(Action::Up, 5), Some(false));
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
                rows.apply_movement(actions[action], count);
                let top = rows.scroll_to_selection(page, count);
                prop_assert!(count == 0 || rows.selected() < count);
                prop_assert!(page == 0 || (top..top + page).contains(&rows.selected()));
            }
        }
    }
}
