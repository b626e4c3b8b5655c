//! Where a click means something, noted while drawing. A click stands for keys: those that would
//! lead to the same end. So no screen knows of the mouse, nothing can be done with it that keys
//! cannot do, and a widget only says which region stands for which keys. A field of a form has a
//! number, by which the form gives it the focus.
//!
//! Holds the regions of the last frame; the app looks them up. Drawing code gets it with the context.

use std::cell::RefCell;

use ratatui::{
    crossterm::event::KeyCode,
    layout::{Position, Rect},
};

use crate::keymap::Action;

/// One key that a click stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyntheticInput {
    /// A key of this action, whichever it is.
    Act(Action),
    /// A key of the focused field.
    Key(KeyCode),
}

/// Keys, each with how often.
pub type SyntheticInputs = Vec<(SyntheticInput, usize)>;

#[derive(Debug)]
enum Region {
    /// Where a click stands for these presses.
    Click(SyntheticInputs),
    /// Where a notch of the wheel stands for so many lines, after these presses.
    Wheel(SyntheticInputs, usize),
    /// A field of a form, by its number.
    Field(usize),
}

#[derive(Debug, Default)]
struct Regions {
    /// In the order in which they were drawn: what comes later lies on top.
    all: Vec<(Rect, Region)>,
    prefix: SyntheticInputs,
}

impl Regions {
    /// The first from the top at `at` that `pick` takes.
    fn find<T>(&self, at: Position, pick: impl Fn(&Region) -> Option<T>) -> Option<T> {
        let here = self.all.iter().rev().filter(|(area, _)| area.contains(at));
        here.map(|(_, what)| what).find_map(pick)
    }
}

#[derive(Debug, Default)]
pub struct HitMap(RefCell<Regions>);

impl HitMap {
    pub(in crate::tui) fn clear(&self) {
        *self.0.borrow_mut() = Regions::default();
    }

    /// Forgets what lies under `area`, for something is drawn over it that has the keys.
    pub(in crate::tui) fn clear_under(&self, area: Rect) {
        let noted = &mut *self.0.borrow_mut();
        noted
            .all
            .retain(|(place, what)| matches!(what, Region::Click(_)) && !place.intersects(area));
        noted.prefix.clear();
    }

    /// What must be pressed before anything in the regions that are noted from here on: a pane
    /// that does not have the keys says which action gives them to it.
    pub fn prefix(&self, action: Option<Action>) {
        self.0.borrow_mut().prefix =
            action.map(|action| (SyntheticInput::Act(action), 1)).into_iter().collect();
    }

    /// A click into `area` stands for `press`, `times` over.
    pub fn click(&self, area: Rect, press: SyntheticInput, times: usize) {
        self.clicks(area, [(press, times)]);
    }

    pub fn act(&self, area: Rect, action: Action) {
        self.click(area, SyntheticInput::Act(action), 1);
    }

    /// A click into `area` stands for these presses, one after the other.
    pub fn clicks(&self, area: Rect, presses: impl IntoIterator<Item = (SyntheticInput, usize)>) {
        let noted = &mut *self.0.borrow_mut();
        let presses = noted.prefix.iter().copied().chain(presses).collect();
        noted.all.push((area, Region::Click(presses)));
    }

    /// `area` is the row `at` of a list whose selected row is `selected`: a click selects it, and
    /// opens it if it is selected already.
    pub fn row(&self, area: Rect, at: usize, selected: usize) {
        self.entry(area, at, selected, Action::Open);
    }

    /// The same in a menu, where a click on the selected row does `action`.
    pub fn entry(&self, area: Rect, at: usize, selected: usize, action: Action) {
        if at == selected && self.0.borrow().prefix.is_empty() {
            return self.act(area, action);
        }
        let way = if at > selected { Action::Down } else { Action::Up };
        self.click(area, SyntheticInput::Act(way), at.abs_diff(selected));
    }

    /// A click into `area` goes from word `now` to word `to` of those that `next` goes round,
    /// `count` in all.
    pub fn cycle_to(&self, area: Rect, next: Action, (now, to): (usize, usize), count: usize) {
        let times = (to + count).saturating_sub(now) % count.max(1);
        self.click(area, SyntheticInput::Act(next), times);
    }

    /// `area` is field number `field` of a form: a click into it first gives it the focus.
    pub fn field(&self, area: Rect, field: usize) {
        self.0.borrow_mut().all.push((area, Region::Field(field)));
    }

    /// The wheel over `area` moves up and down in it, `lines` presses a notch.
    pub fn wheel(&self, area: Rect, lines: usize) {
        let noted = &mut *self.0.borrow_mut();
        let prefix = noted.prefix.clone();
        noted.all.push((area, Region::Wheel(prefix, lines)));
    }

    /// How many regions are noted by now.
    pub(in crate::tui) fn mark(&self) -> usize {
        self.0.borrow().all.len()
    }

    /// What was noted since `mark` is shown `lines` further up, and within `window` only.
    pub(in crate::tui) fn scroll(&self, mark: usize, lines: u16, window: Rect) {
        for (area, _) in self.0.borrow_mut().all.iter_mut().skip(mark) {
            let top = area.y.saturating_sub(lines);
            let lost = lines.saturating_sub(area.y);
            let moved = Rect { y: top, height: area.height.saturating_sub(lost), ..*area };
            *area = moved.intersection(window);
        }
    }

    /// What a click at `at` stands for; what was drawn last lies on top.
    pub(in crate::tui) fn click_at(&self, at: Position) -> SyntheticInputs {
        let click = |what: &Region| match what {
            Region::Click(inputs) => Some(inputs.clone()),
            Region::Wheel(..) | Region::Field(_) => None,
        };
        self.0.borrow().find(at, click).unwrap_or_default()
    }

    /// What a notch of the wheel at `at` stands for.
    pub(in crate::tui) fn scroll_at(&self, at: Position, down: bool) -> SyntheticInputs {
        let way = if down { Action::Down } else { Action::Up };
        let wheel = |what: &Region| match what {
            Region::Wheel(prefix, lines) => {
                Some(prefix.iter().copied().chain([(SyntheticInput::Act(way), *lines)]).collect())
            }
            Region::Click(_) | Region::Field(_) => None,
        };
        self.0.borrow().find(at, wheel).unwrap_or_default()
    }

    /// The number of the field at `at`; of a field within a field, that one's.
    pub(in crate::tui) fn field_at(&self, at: Position) -> Option<usize> {
        let field = |region: &Region| match region {
            Region::Field(field) => Some(*field),
            Region::Click(_) | Region::Wheel(..) => None,
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
    fn a_row_is_moved_to_and_the_selected_one_opened() {
        let hit_map = HitMap::default();
        hit_map.row(LINE, 7, 4);
        assert_eq!(hit_map.click_at(AT), acts(Action::Down, 3));
        hit_map.row(LINE, 0, 4);
        assert_eq!(hit_map.click_at(AT), acts(Action::Up, 4), "the last drawn lies on top");
        hit_map.row(LINE, 4, 4);
        assert_eq!(hit_map.click_at(AT), acts(Action::Open, 1));
        assert_eq!(hit_map.click_at(Position::new(4, 4)), []);
    }

    #[test]
    fn a_pane_without_the_keys_gets_them_first_and_opens_nothing() {
        let hit_map = HitMap::default();
        hit_map.prefix(Some(Action::DetailTab));
        hit_map.row(LINE, 4, 4);
        hit_map.wheel(LINE, 3);
        let prefix = (SyntheticInput::Act(Action::DetailTab), 1);
        assert_eq!(hit_map.click_at(AT), [prefix, (SyntheticInput::Act(Action::Up), 0)]);
        assert_eq!(hit_map.scroll_at(AT, true), [prefix, (SyntheticInput::Act(Action::Down), 3)]);
    }

    #[test]
    fn words_are_gone_round_forward() {
        let hit_map = HitMap::default();
        hit_map.cycle_to(LINE, Action::NextStatus, (3, 1), 4);
        assert_eq!(hit_map.click_at(AT), acts(Action::NextStatus, 2));
        hit_map.cycle_to(LINE, Action::NextStatus, (2, 2), 4);
        assert_eq!(hit_map.click_at(AT), acts(Action::NextStatus, 0));
    }

    #[test]
    fn what_is_covered_is_gone_and_what_lies_beside_stays() {
        let hit_map = HitMap::default();
        hit_map.act(LINE, Action::Help);
        hit_map.act(Rect { y: 9, ..LINE }, Action::Quit);
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
    fn what_is_scrolled_moves_and_what_is_out_of_sight_is_out_of_reach() {
        let hit_map = HitMap::default();
        hit_map.act(Rect { y: 9, ..LINE }, Action::Quit);
        let mark = hit_map.mark();
        hit_map.field(Rect { y: 1, ..LINE }, 0);
        hit_map.field(Rect { y: 5, ..LINE }, 1);
        hit_map.scroll(mark, 2, Rect::new(0, 1, 10, 4));
        assert_eq!(hit_map.field_at(AT), Some(1));
        assert_eq!(hit_map.field_at(Position::new(4, 0)), None);
        assert_eq!(hit_map.click_at(Position::new(4, 9)), acts(Action::Quit, 1));
    }
}
