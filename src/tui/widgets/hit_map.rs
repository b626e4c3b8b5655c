//! Maps screen regions of the last frame to the key presses that a click or the wheel triggers.
//! Widgets register regions while they draw; the app looks up a region on a mouse event.
//!
//! A click becomes the key presses with the same effect. So screens need no mouse code, and the
//! mouse can do nothing that keys cannot. A form field is registered by its number, so that a click
//! can focus it.

use std::cell::RefCell;

use ratatui::{
    crossterm::event::KeyCode,
    layout::{Position, Rect},
};

use crate::keymap::Action;

/// One key press that a click stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyntheticInput {
    /// Any key that is bound to this action.
    Act(Action),
    /// A key for the focused field.
    Key(KeyCode),
}

/// Key presses in order, each with a repeat count.
pub type SyntheticInputs = Vec<(SyntheticInput, usize)>;

/// What the mouse does in a rectangle.
#[derive(Debug)]
enum HitAction {
    /// A click sends these presses.
    Click(SyntheticInputs),
    /// A wheel notch sends these presses, then moves by this number of lines.
    Wheel(SyntheticInputs, usize),
    /// A click focuses the form field with this number.
    Field(usize),
}

#[derive(Debug, Default)]
struct HitRegions {
    /// In drawing order: later regions are on top.
    all: Vec<(Rect, HitAction)>,
    /// Key presses that are sent before the presses of each region registered from now on.
    prefix: SyntheticInputs,
}

impl HitRegions {
    /// The first result of `pick` for the regions at `at`, topmost first.
    fn find<T>(&self, at: Position, pick: impl Fn(&HitAction) -> Option<T>) -> Option<T> {
        let here = self.all.iter().rev().filter(|(area, _)| area.contains(at));
        here.map(|(_, region)| region).find_map(pick)
    }
}

/// The regions of the last frame. Interior mutability lets drawing code register them through
/// `&Model`.
#[derive(Debug, Default)]
pub struct HitMap(RefCell<HitRegions>);

impl HitMap {
    pub(in crate::tui) fn clear(&self) {
        *self.0.borrow_mut() = HitRegions::default();
    }

    /// Removes the click regions under a dialog at `area`, and all wheel and field regions, because
    /// the dialog receives all keys.
    pub(in crate::tui) fn clear_under(&self, area: Rect) {
        let regions = &mut *self.0.borrow_mut();
        regions.all.retain(|(rect, region)| {
            matches!(region, HitAction::Click(_)) && !rect.intersects(area)
        });
        regions.prefix.clear();
    }

    /// Sets an action that is triggered before the presses of each region registered from now on. A
    /// pane without the focus sets the action that moves the focus to the pane.
    pub fn set_prefix(&self, action: Option<Action>) {
        self.0.borrow_mut().prefix =
            action.map(|action| (SyntheticInput::Act(action), 1)).into_iter().collect();
    }

    /// A click into `area` sends `press`, `times` times.
    pub fn click(&self, area: Rect, press: SyntheticInput, times: usize) {
        self.click_sequence(area, [(press, times)]);
    }

    /// A click into `area` triggers `action`.
    pub fn click_action(&self, area: Rect, action: Action) {
        self.click(area, SyntheticInput::Act(action), 1);
    }

    /// A click into `area` sends these presses in order.
    pub fn click_sequence(
        &self,
        area: Rect,
        presses: impl IntoIterator<Item = (SyntheticInput, usize)>,
    ) {
        let regions = &mut *self.0.borrow_mut();
        let presses = regions.prefix.iter().copied().chain(presses).collect();
        regions.all.push((area, HitAction::Click(presses)));
    }

    /// `area` is row `at` of a list in which row `selected` is selected. A click selects the row; a
    /// click on the selected row opens it.
    pub fn list_row(&self, area: Rect, at: usize, selected: usize) {
        self.menu_row(area, at, selected, Action::Open);
    }

    /// Like [`HitMap::list_row`], but a click on the selected row triggers `action`.
    pub fn menu_row(&self, area: Rect, at: usize, selected: usize, action: Action) {
        if at == selected && self.0.borrow().prefix.is_empty() {
            return self.click_action(area, action);
        }
        let movement = if at > selected { Action::Down } else { Action::Up };
        self.click(area, SyntheticInput::Act(movement), at.abs_diff(selected));
    }

    /// A click into `area` repeats `next`, which cycles through `count` values, until the value
    /// changes from number `now` to number `to`.
    pub fn cycle_to(&self, area: Rect, next: Action, (now, to): (usize, usize), count: usize) {
        let times = (to + count).saturating_sub(now) % count.max(1);
        self.click(area, SyntheticInput::Act(next), times);
    }

    /// `area` is field number `field` of a form: a click focuses the field before anything else.
    pub fn field(&self, area: Rect, field: usize) {
        self.0.borrow_mut().all.push((area, HitAction::Field(field)));
    }

    /// The wheel over `area` moves up or down by `lines` per notch.
    pub fn wheel(&self, area: Rect, lines: usize) {
        let regions = &mut *self.0.borrow_mut();
        let prefix = regions.prefix.clone();
        regions.all.push((area, HitAction::Wheel(prefix, lines)));
    }

    /// Number of regions registered so far.
    pub(in crate::tui) fn region_count(&self) -> usize {
        self.0.borrow().all.len()
    }

    /// Scrolls region number `first` and all later regions up by `lines`, and clips them to
    /// `window`.
    pub(in crate::tui) fn scroll_regions(&self, first: usize, lines: u16, window: Rect) {
        for (area, _) in self.0.borrow_mut().all.iter_mut().skip(first) {
            let top = area.y.saturating_sub(lines);
            let clipped = lines.saturating_sub(area.y);
            let moved = Rect { y: top, height: area.height.saturating_sub(clipped), ..*area };
            *area = moved.intersection(window);
        }
    }

    /// The presses of a click at `at`; empty if no region is there.
    pub(in crate::tui) fn click_at(&self, at: Position) -> SyntheticInputs {
        let click = |region: &HitAction| match region {
            HitAction::Click(inputs) => Some(inputs.clone()),
            HitAction::Wheel(..) | HitAction::Field(_) => None,
        };
        self.0.borrow().find(at, click).unwrap_or_default()
    }

    /// The presses of a wheel notch at `at`; empty if no region is there.
    pub(in crate::tui) fn scroll_at(&self, at: Position, down: bool) -> SyntheticInputs {
        let movement = if down { Action::Down } else { Action::Up };
        let wheel = |region: &HitAction| match region {
            HitAction::Wheel(prefix, lines) => Some(
                prefix.iter().copied().chain([(SyntheticInput::Act(movement), *lines)]).collect(),
            ),
            HitAction::Click(_) | HitAction::Field(_) => None,
        };
        self.0.borrow().find(at, wheel).unwrap_or_default()
    }

    /// The number of the topmost field at `at`; an inner field is above its outer field.
    pub(in crate::tui) fn field_at(&self, at: Position) -> Option<usize> {
        let field = |region: &HitAction| match region {
            HitAction::Field(field) => Some(*field),
            HitAction::Click(_) | HitAction::Wheel(..) => None,
        };
        self.0.borrow().find(at, field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: Rect = Rect::new(0, 3, 10, 1);
    const AT: Position = Position::new(4, 3);

    fn acts(action: Action, times: usize) -> SyntheticInputs {
        vec![(SyntheticInput::Act(action), times)]
    }

    #[test]
    fn a_click_selects_a_row_or_opens_the_selected_one() {
        let hit_map = HitMap::default();
        hit_map.list_row(LINE, 7, 4);
        assert_eq!(hit_map.click_at(AT), acts(Action::Down, 3));
        hit_map.list_row(LINE, 0, 4);
        assert_eq!(hit_map.click_at(AT), acts(Action::Up, 4), "the last drawn lies on top");
        hit_map.list_row(LINE, 4, 4);
        assert_eq!(hit_map.click_at(AT), acts(Action::Open, 1));
        assert_eq!(hit_map.click_at(Position::new(4, 4)), []);
    }

    #[test]
    fn a_click_in_an_unfocused_pane_focuses_it_first() {
        let hit_map = HitMap::default();
        hit_map.set_prefix(Some(Action::DetailTab));
        hit_map.list_row(LINE, 4, 4);
        hit_map.wheel(LINE, 3);
        let prefix = (SyntheticInput::Act(Action::DetailTab), 1);
        assert_eq!(hit_map.click_at(AT), [prefix, (SyntheticInput::Act(Action::Up), 0)]);
        assert_eq!(hit_map.scroll_at(AT, true), [prefix, (SyntheticInput::Act(Action::Down), 3)]);
    }

    #[test]
    fn cycle_to_counts_forward_with_wrap_around() {
        let hit_map = HitMap::default();
        hit_map.cycle_to(LINE, Action::NextStatus, (3, 1), 4);
        assert_eq!(hit_map.click_at(AT), acts(Action::NextStatus, 2));
        hit_map.cycle_to(LINE, Action::NextStatus, (2, 2), 4);
        assert_eq!(hit_map.click_at(AT), acts(Action::NextStatus, 0));
    }

    #[test]
    fn clear_under_keeps_regions_beside_the_dialog() {
        let hit_map = HitMap::default();
        hit_map.click_action(LINE, Action::Help);
        hit_map.click_action(Rect { y: 9, ..LINE }, Action::Quit);
        hit_map.field(LINE, 3);
        hit_map.wheel(LINE, 3);
        hit_map.clear_under(Rect::new(0, 0, 20, 8));
        assert_eq!(hit_map.click_at(AT), []);
        assert_eq!(hit_map.click_at(Position::new(4, 9)), acts(Action::Quit, 1));
        assert_eq!(
            (hit_map.field_at(AT), hit_map.scroll_at(AT, true)),
            (None, SyntheticInputs::new())
        );
    }

    #[test]
    fn scrolled_regions_move_and_are_clipped() {
        let hit_map = HitMap::default();
        hit_map.click_action(Rect { y: 9, ..LINE }, Action::Quit);
        let first = hit_map.region_count();
        hit_map.field(Rect { y: 1, ..LINE }, 0);
        hit_map.field(Rect { y: 5, ..LINE }, 1);
        hit_map.scroll_regions(first, 2, Rect::new(0, 1, 10, 4));
        assert_eq!(hit_map.field_at(AT), Some(1));
        assert_eq!(hit_map.field_at(Position::new(4, 0)), None);
        assert_eq!(hit_map.click_at(Position::new(4, 9)), acts(Action::Quit, 1));
    }
}
