//! A group of checkboxes laid out in a grid. Arrow keys move the cursor, Space toggles a box, and
//! `*` toggles all of them. The scope dialog uses it for operations.

use std::{cell::Cell, collections::BTreeSet};

use ratatui::{
    crossterm::event::{KeyCode, KeyEvent},
    layout::{Position, Rect},
};

use super::{
    canvas::{Canvas, width},
    form::FormInput,
    hit_map::SyntheticInput,
    type_ahead::TypeAhead,
};

/// Checkboxes with any number checked, and a cursor on one of them.
#[derive(Debug, Clone, Default)]
pub struct CheckboxGroup {
    labels: Vec<String>,
    /// Indexes of the checked boxes.
    checked: BTreeSet<usize>,
    cursor: usize,
    typed: TypeAhead,
    /// Number of boxes per row in the last frame.
    across: Cell<usize>,
}

impl CheckboxGroup {
    /// Creates one box per label. A box starts checked if its label is in `checked`.
    pub fn new<'a>(labels: impl IntoIterator<Item = &'a str>, checked: &[String]) -> Self {
        let labels: Vec<String> = labels.into_iter().map(str::to_owned).collect();
        let is_checked = |at: &usize| labels.get(*at).is_some_and(|label| checked.contains(label));
        let checked = (0..labels.len()).filter(is_checked).collect();
        let across = Cell::new(usize::MAX);
        Self { labels, checked, cursor: 0, typed: TypeAhead::default(), across }
    }

    pub fn checked_labels(&self) -> Vec<String> {
        self.checked.iter().filter_map(|at| self.labels.get(*at)).cloned().collect()
    }

    /// Width of one grid cell in columns, with room for a box, the widest label and a gap.
    fn cell_width(&self) -> u16 {
        self.labels.iter().map(|label| width(label)).max().unwrap_or(0) + 4 + 2
    }

    fn cells_per_row(&self, columns: u16) -> usize {
        usize::from((columns / self.cell_width().max(1)).max(1))
    }
}

impl FormInput for CheckboxGroup {
    /// Arrow keys move the cursor, and Space toggles a box. `*` checks all boxes, or unchecks them
    /// if all are checked. Letters move to the label that starts with them. Returns whether the key was
    /// handled.
    fn press(&mut self, key: KeyEvent) -> bool {
        let chosen = self.typed.index(&self.labels, self.cursor, key);
        match key.code {
            KeyCode::Char(' ') if self.cursor < self.labels.len() => {
                if !self.checked.remove(&self.cursor) {
                    self.checked.insert(self.cursor);
                }
            }
            KeyCode::Char('*') => {
                let all = self.checked.len() == self.labels.len();
                self.checked = if all { BTreeSet::new() } else { (0..self.labels.len()).collect() };
            }
            _ => match chosen {
                Some(at) => self.cursor = at,
                None => return false,
            },
        }
        true
    }

    /// Moves the cursor one row up or down in the grid of the last frame. Returns `false` at the
    /// first or last row.
    fn arrow(&mut self, down: bool) -> bool {
        let across = self.across.get().max(1);
        let last = self.labels.len().saturating_sub(1);
        let next = if down {
            (self.cursor / across < last / across).then(|| (self.cursor + across).min(last))
        } else {
            self.cursor.checked_sub(across)
        };
        self.cursor = next.unwrap_or(self.cursor);
        next.is_some()
    }

    fn enter(&mut self, _: bool) {
        self.typed = TypeAhead::default();
    }

    fn height(&self, columns: u16) -> u16 {
        let rows = self.labels.len().div_ceil(self.cells_per_row(columns));
        u16::try_from(rows.max(1)).unwrap_or(u16::MAX)
    }

    fn draw(&self, area: Rect, canvas: &mut Canvas<'_>, focused: bool) -> Option<Position> {
        let (ctx, theme) = (canvas.ctx, &canvas.ctx.theme);
        let across = self.cells_per_row(area.width);
        self.across.set(across);
        let mut cursor = None;
        for (at, label) in self.labels.iter().enumerate() {
            let on = self.checked.contains(&at);
            let row = u16::try_from(at / across).unwrap_or(u16::MAX);
            let column = u16::try_from(at % across).unwrap_or(0).saturating_mul(self.cell_width());
            let has_cursor = focused && at == self.cursor;
            let style = match (has_cursor, on) {
                (true, _) => theme.selected,
                (false, true) => theme.heading,
                (false, false) => theme.text(),
            };
            let writer = canvas
                .line(area, row)
                .move_to(column)
                .text(&format!("{} {label}", theme.checkbox(on)), style);
            let arrow = if at > self.cursor { KeyCode::Right } else { KeyCode::Left };
            let toggle = (SyntheticInput::Key(KeyCode::Char(' ')), 1);
            let presses = [(SyntheticInput::Key(arrow), at.abs_diff(self.cursor)), toggle];
            ctx.hit_map.click_sequence(writer.rect_since(column), presses);
            if has_cursor {
                cursor = Some(Position::new(area.x + column + 1, area.y + row));
            }
        }
        cursor.filter(|at| area.contains(*at))
    }
}

#[cfg(test)]
mod tests {
    use ratatui::crossterm::event::KeyModifiers;

    use super::*;

    fn press(checks: &mut CheckboxGroup, code: KeyCode) -> String {
        checks.press(KeyEvent::new(code, KeyModifiers::NONE));
        checks.checked_labels().join(" ")
    }

    #[test]
    fn space_toggles_one_box_and_star_all() {
        let mut checks = CheckboxGroup::new(["read", "list", "publish"], &["list".into()]);
        assert_eq!(press(&mut checks, KeyCode::Char(' ')), "read list");
        assert_eq!(press(&mut checks, KeyCode::Char('p')), "read list");
        assert_eq!(press(&mut checks, KeyCode::Char(' ')), "read list publish");
        assert_eq!(press(&mut checks, KeyCode::Char('*')), "");
        assert_eq!(press(&mut checks, KeyCode::Char('*')), "read list publish");
    }

    #[test]
    fn arrows_move_between_the_rows_of_the_grid() {
        let mut checks = CheckboxGroup::new(["a", "b", "c", "d", "e"], &[]);
        assert!(!checks.arrow(true), "one row before the first frame");
        checks.across.set(2);
        assert!(checks.arrow(true) && checks.arrow(true) && !checks.arrow(true));
        assert_eq!(press(&mut checks, KeyCode::Char(' ')), "e");
        checks.press(KeyEvent::new(KeyCode::Left, KeyModifiers::NONE));
        assert!(checks.arrow(false) && !checks.arrow(false), "d, b, then out");
        assert_eq!(press(&mut checks, KeyCode::Char(' ')), "b e");
    }

    #[test]
    fn boxes_wrap_into_rows() {
        let checks = CheckboxGroup::new(["read", "subscribe"], &[]);
        assert_eq!(checks.height(80), 1);
        assert_eq!(checks.height(20), 2);
        assert_eq!(checks.height(0), 2);
    }
}
