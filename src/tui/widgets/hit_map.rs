//! Where a click means something, noted while drawing. A click stands for presses of keys: those
//! that would lead to the same end. So no screen knows of the mouse, nothing can be done with it
//! that keys cannot do, and a widget only says which place stands for which presses.
//!
//! Holds what the last frame noted; `app::mouse` looks it up. Drawing code gets it with the `View`.

use std::cell::RefCell;

use ratatui::{
    crossterm::event::KeyCode,
    layout::{Position, Rect},
};

use crate::keymap::Action;

/// One press that a click stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Press {
    /// A key of this action, whichever it is.
    Act(Action),
    /// A key of the focused field.
    Key(KeyCode),
}

/// Presses, each with how often.
pub type Presses = Vec<(Press, usize)>;

/// What a place on the screen is.
#[derive(Debug)]
enum What {
    /// Where a click stands for these presses.
    Click(Presses),
    /// Where a notch of the wheel stands for so many lines, after these presses.
    Wheel(Presses, usize),
    /// A part of a form, and whether it has the focus.
    Part(bool),
}

#[derive(Debug, Default)]
struct Noted {
    /// In the order in which they were drawn: what comes later lies on top.
    all: Vec<(Rect, What)>,
    lead: Presses,
    frame: Rect,
}

impl Noted {
    /// The first from the top at `at` that `pick` takes.
    fn find<T>(&self, at: Position, pick: impl Fn(&What) -> Option<T>) -> Option<T> {
        let here = self.all.iter().rev().filter(|(area, _)| area.contains(at));
        here.map(|(_, what)| what).find_map(pick)
    }

    /// The parts of the form, in their order.
    fn parts(&self) -> Vec<(Rect, bool)> {
        let part = |(area, what): &(Rect, What)| match what {
            What::Part(focused) => Some((*area, *focused)),
            _ => None,
        };
        self.all.iter().filter_map(part).collect()
    }
}

/// The places of a frame.
#[derive(Debug, Default)]
pub struct Places(RefCell<Noted>);

impl Places {
    /// Forgets the last frame; the next one fills `frame`.
    pub(in crate::tui) fn clear(&self, frame: Rect) {
        *self.0.borrow_mut() = Noted { frame, ..Noted::default() };
    }

    /// What the last frame filled.
    pub(in crate::tui) fn frame(&self) -> Rect {
        self.0.borrow().frame
    }

    /// Forgets what lies under `area`, for something is drawn over it that has the keys.
    pub(in crate::tui) fn cover(&self, area: Rect) {
        let noted = &mut *self.0.borrow_mut();
        noted.all.retain(|(place, what)| matches!(what, What::Click(_)) && !place.intersects(area));
        noted.lead.clear();
    }

    /// What must be pressed before anything in the places that are noted from here on: a pane
    /// that does not have the keys says which action gives them to it.
    pub fn lead(&self, action: Option<Action>) {
        self.0.borrow_mut().lead =
            action.map(|action| (Press::Act(action), 1)).into_iter().collect();
    }

    /// A click into `area` stands for `press`, `times` over.
    pub fn click(&self, area: Rect, press: Press, times: usize) {
        self.clicks(area, [(press, times)]);
    }

    /// A click into `area` does `action`.
    pub fn act(&self, area: Rect, action: Action) {
        self.click(area, Press::Act(action), 1);
    }

    /// A click into `area` stands for these presses, one after the other.
    pub fn clicks(&self, area: Rect, presses: impl IntoIterator<Item = (Press, usize)>) {
        let noted = &mut *self.0.borrow_mut();
        let presses = noted.lead.iter().copied().chain(presses).collect();
        noted.all.push((area, What::Click(presses)));
    }

    /// `area` is the row `at` of a list whose selected row is `selected`: a click selects it, and
    /// opens it if it is selected already.
    pub fn row(&self, area: Rect, at: usize, selected: usize) {
        self.entry(area, at, selected, Action::Open);
    }

    /// The same in a menu, where a click on the selected row does `action`.
    pub fn entry(&self, area: Rect, at: usize, selected: usize, action: Action) {
        if at == selected && self.0.borrow().lead.is_empty() {
            return self.act(area, action);
        }
        let way = if at > selected { Action::Down } else { Action::Up };
        self.click(area, Press::Act(way), at.abs_diff(selected));
    }

    /// A click into `area` goes from word `now` to word `to` of those that `next` goes round,
    /// `count` in all.
    pub fn turn(&self, area: Rect, next: Action, (now, to): (usize, usize), count: usize) {
        let times = (to + count).saturating_sub(now) % count.max(1);
        self.click(area, Press::Act(next), times);
    }

    /// `area` is a part of a form, in the order in which keys go through them: a click into it
    /// first goes there.
    pub fn part(&self, area: Rect, focused: bool) {
        self.0.borrow_mut().all.push((area, What::Part(focused)));
    }

    /// The wheel over `area` moves up and down in it, `lines` presses a notch.
    pub fn wheel(&self, area: Rect, lines: usize) {
        let noted = &mut *self.0.borrow_mut();
        let lead = noted.lead.clone();
        noted.all.push((area, What::Wheel(lead, lines)));
    }

    /// How many places are noted by now.
    pub(in crate::tui) fn mark(&self) -> usize {
        self.0.borrow().all.len()
    }

    /// What was noted since `mark` is shown `lines` further up, and within `window` only. What is
    /// out of sight keeps its number.
    pub(in crate::tui) fn scroll(&self, mark: usize, lines: u16, window: Rect) {
        for (area, _) in self.0.borrow_mut().all.iter_mut().skip(mark) {
            let top = area.y.saturating_sub(lines);
            let lost = lines.saturating_sub(area.y);
            let moved = Rect { y: top, height: area.height.saturating_sub(lost), ..*area };
            *area = moved.intersection(window);
        }
    }

    /// What a click at `at` stands for; what was drawn last lies on top.
    pub(in crate::tui) fn presses(&self, at: Position) -> Presses {
        let click = |what: &What| match what {
            What::Click(presses) => Some(presses.clone()),
            _ => None,
        };
        self.0.borrow().find(at, click).unwrap_or_default()
    }

    /// What a notch of the wheel at `at` stands for.
    pub(in crate::tui) fn notch(&self, at: Position, down: bool) -> Presses {
        let way = if down { Action::Down } else { Action::Up };
        let wheel = |what: &What| match what {
            What::Wheel(lead, lines) => {
                Some(lead.iter().copied().chain([(Press::Act(way), *lines)]).collect())
            }
            _ => None,
        };
        self.0.borrow().find(at, wheel).unwrap_or_default()
    }

    /// The part of the form that lies at `at`, by its number.
    pub(in crate::tui) fn part_at(&self, at: Position) -> Option<usize> {
        self.0.borrow().parts().iter().rposition(|(area, _)| area.contains(at))
    }

    /// The part that has the focus, and how many there are.
    pub(in crate::tui) fn focused(&self) -> (Option<usize>, usize) {
        let parts = self.0.borrow().parts();
        // A part within a part has the focus more truly than the whole.
        (parts.iter().rposition(|(_, focused)| *focused), parts.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: Rect = Rect::new(0, 3, 10, 1);
    const AT: Position = Position::new(4, 3);

    fn acts(action: Action, times: usize) -> Presses {
        vec![(Press::Act(action), times)]
    }

    #[test]
    fn a_row_is_moved_to_and_the_selected_one_opened() {
        let places = Places::default();
        places.row(LINE, 7, 4);
        assert_eq!(places.presses(AT), acts(Action::Down, 3));
        places.row(LINE, 0, 4);
        assert_eq!(places.presses(AT), acts(Action::Up, 4), "the last drawn lies on top");
        places.row(LINE, 4, 4);
        assert_eq!(places.presses(AT), acts(Action::Open, 1));
        assert_eq!(places.presses(Position::new(4, 4)), []);
    }

    #[test]
    fn a_pane_without_the_keys_gets_them_first_and_opens_nothing() {
        let places = Places::default();
        places.lead(Some(Action::DetailTab));
        places.row(LINE, 4, 4);
        places.wheel(LINE, 3);
        let lead = (Press::Act(Action::DetailTab), 1);
        assert_eq!(places.presses(AT), [lead, (Press::Act(Action::Up), 0)]);
        assert_eq!(places.notch(AT, true), [lead, (Press::Act(Action::Down), 3)]);
    }

    #[test]
    fn words_are_gone_round_forward() {
        let places = Places::default();
        places.turn(LINE, Action::NextStatus, (3, 1), 4);
        assert_eq!(places.presses(AT), acts(Action::NextStatus, 2));
        places.turn(LINE, Action::NextStatus, (2, 2), 4);
        assert_eq!(places.presses(AT), acts(Action::NextStatus, 0));
    }

    #[test]
    fn what_is_covered_is_gone_and_what_lies_beside_stays() {
        let places = Places::default();
        places.act(LINE, Action::Help);
        places.act(Rect { y: 9, ..LINE }, Action::Quit);
        places.part(LINE, true);
        places.wheel(LINE, 3);
        places.cover(Rect::new(0, 0, 20, 8));
        assert_eq!(places.presses(AT), []);
        assert_eq!(places.presses(Position::new(4, 9)), acts(Action::Quit, 1));
        assert_eq!((places.part_at(AT), places.notch(AT, true)), (None, Presses::new()));
    }

    #[test]
    fn what_is_scrolled_moves_and_what_is_out_of_sight_keeps_its_number() {
        let places = Places::default();
        places.act(Rect { y: 9, ..LINE }, Action::Quit);
        let mark = places.mark();
        places.part(Rect { y: 1, ..LINE }, false);
        places.part(Rect { y: 5, ..LINE }, true);
        places.scroll(mark, 2, Rect::new(0, 1, 10, 4));
        assert_eq!((places.part_at(AT), places.focused()), (Some(1), (Some(1), 2)));
        assert_eq!(places.part_at(Position::new(4, 0)), None);
        assert_eq!(places.presses(Position::new(4, 9)), acts(Action::Quit, 1));
    }
}
