//! A group of radio buttons: labels in a row, with the selected one in brackets. Arrow keys or the
//! start of a label change the selection. Forms use it for lifetimes, entity types and operations.

use std::cell::Cell;

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

/// Labels of which exactly one is selected.
#[derive(Debug, Clone)]
pub struct RadioGroup {
    labels: Vec<String>,
    selected: usize,
    typed: TypeAhead,
    /// The width in the last frame.
    columns: Cell<u16>,
}

impl RadioGroup {
    /// One button per label; `selected` is an index, clamped to the last label.
    pub fn new(labels: impl IntoIterator<Item = impl Into<String>>, selected: usize) -> Self {
        let labels: Vec<String> = labels.into_iter().map(Into::into).collect();
        let selected = selected.min(labels.len().saturating_sub(1));
        Self { labels, selected, typed: TypeAhead::default(), columns: Cell::new(u16::MAX) }
    }

    pub fn selected_index(&self) -> usize {
        self.selected
    }

    /// The selected label; empty if there are no labels.
    pub fn selected_label(&self) -> &str {
        self.labels.get(self.selected).map_or("", String::as_str)
    }

    /// Selects the button with this label, if there is one.
    pub fn select(&mut self, label: &str) {
        if let Some(at) = self.labels.iter().position(|l| l == label) {
            self.selected = at;
        }
    }

    /// Column and row of each label if a line is `columns` wide. Every label has space for
    /// brackets, so that no label moves when the selection changes.
    fn label_positions(&self, columns: u16) -> Vec<(u16, u16)> {
        let (mut column, mut row) = (0, 0);
        let mut positions = Vec::with_capacity(self.labels.len());
        for label in &self.labels {
            let wide = width(label) + 2;
            if column > 0 && column + wide > columns {
                (column, row) = (0, row + 1);
            }
            positions.push((column, row));
            column += wide + 1;
        }
        positions
    }
}

impl FormInput for RadioGroup {
    /// Arrow keys select the previous or next label, and Space selects the next label. Letters select the
    /// label that starts with them. Returns whether the selection changed.
    fn press(&mut self, key: KeyEvent) -> bool {
        let before = self.selected;
        let count = self.labels.len().max(1);
        let chosen = self.typed.index(&self.labels, before, key);
        self.selected = match key.code {
            KeyCode::Char(' ') => (self.selected + 1) % count,
            _ => chosen.unwrap_or(before),
        };
        self.selected != before
    }

    /// Moves to the nearest label of the next or previous row of the last frame. Returns `false` at the
    /// first or last row.
    fn arrow(&mut self, down: bool) -> bool {
        let positions = self.label_positions(self.columns.get());
        let Some(&(column, row)) = positions.get(self.selected) else { return false };
        let Some(wanted) = (if down { Some(row + 1) } else { row.checked_sub(1) }) else {
            return false;
        };
        let in_row = positions.iter().enumerate().filter(|(_, (_, row))| *row == wanted);
        let nearest = in_row.min_by_key(|(_, (other, _))| other.abs_diff(column));
        self.selected = nearest.map_or(self.selected, |(at, _)| at);
        nearest.is_some()
    }

    fn enter(&mut self, _: bool) {
        self.typed = TypeAhead::default();
    }

    fn height(&self, columns: u16) -> u16 {
        self.label_positions(columns).last().map_or(1, |(_, row)| row + 1)
    }

    fn draw(&self, area: Rect, canvas: &mut Canvas<'_>, focused: bool) -> Option<Position> {
        let (ctx, theme) = (canvas.ctx, &canvas.ctx.theme);
        self.columns.set(area.width);
        let mut cursor = None;
        for (at, ((column, row), label)) in
            self.label_positions(area.width).into_iter().zip(&self.labels).enumerate()
        {
            let writer = canvas.line(area, row).move_to(column);
            let writer = if at == self.selected {
                let style = if focused { theme.selected } else { theme.heading };
                cursor = Some(Position::new(area.x + column, area.y + row));
                writer.text(&format!("[{label}]"), style)
            } else {
                writer.skip(1).text(label, theme.faint).skip(1)
            };
            let arrow = if at > self.selected { KeyCode::Right } else { KeyCode::Left };
            ctx.hit_map.click(
                writer.rect_since(column),
                SyntheticInput::Key(arrow),
                at.abs_diff(self.selected),
            );
        }
        cursor.filter(|at| focused && area.contains(*at))
    }
}

#[cfg(test)]
mod tests {
    use ratatui::crossterm::event::KeyModifiers;

    use super::*;

    fn press(choice: &mut RadioGroup, code: KeyCode) -> String {
        choice.press(KeyEvent::new(code, KeyModifiers::NONE));
        choice.selected_label().to_owned()
    }

    #[test]
    fn arrows_stop_at_the_ends_and_space_wraps() {
        let mut choice = RadioGroup::new(["24h", "7d", "30d"], 2);
        assert_eq!(press(&mut choice, KeyCode::Right), "30d");
        assert_eq!(press(&mut choice, KeyCode::Char(' ')), "24h");
        assert_eq!(press(&mut choice, KeyCode::Left), "24h");
    }

    #[test]
    fn letters_select_the_label_that_starts_with_them() {
        let mut choice = RadioGroup::new(["channels", "clients", "users"], 0);
        assert_eq!(press(&mut choice, KeyCode::Char('c')), "channels");
        assert_eq!(press(&mut choice, KeyCode::Char('c')), "clients");
        assert_eq!(press(&mut choice, KeyCode::Char('u')), "users");
        assert_eq!(press(&mut choice, KeyCode::Char('z')), "users");
    }

    #[test]
    fn labels_that_do_not_fit_wrap() {
        let choice = RadioGroup::new(["domains", "groups", "channels"], 0);
        assert_eq!(choice.height(80), 1);
        assert_eq!(choice.height(20), 2);
        assert_eq!(choice.height(3), 3);
    }

    #[test]
    fn arrows_move_between_the_rows_of_labels() {
        let mut choice = RadioGroup::new(["domains", "groups", "channels"], 0);
        assert!(!choice.arrow(true), "one row before the first frame");
        choice.columns.set(20);
        assert!(choice.arrow(true) && !choice.arrow(true));
        assert_eq!(choice.selected_label(), "channels");
        assert!(choice.arrow(false) && !choice.arrow(false));
        assert_eq!(choice.selected_label(), "domains");
    }

    #[test]
    fn an_empty_group_does_not_panic() {
        let mut choice = RadioGroup::new(Vec::<String>::new(), 3);
        assert_eq!(press(&mut choice, KeyCode::Char(' ')), "");
    }
}
