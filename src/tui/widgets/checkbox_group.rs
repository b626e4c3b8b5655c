//! Several of several words, each with its box: arrows move, Space ticks, `*` ticks all or none.
//! Called by the scope dialog for operations.

use std::collections::BTreeSet;

use ratatui::{
    crossterm::event::{KeyCode, KeyEvent},
    layout::{Position, Rect},
};

use super::{
    form::FormInput,
    hit_map::SyntheticInput,
    paint::{Canvas, width},
    radio_group::moved,
};

/// Words of which any number is ticked.
#[derive(Debug, Clone, Default)]
pub struct CheckboxGroup {
    words: Vec<String>,
    /// The numbers of the ticked words.
    ticked: BTreeSet<usize>,
    at: usize,
}

impl CheckboxGroup {
    /// `words`, those in `ticked` ticked.
    pub fn new<'a>(words: impl IntoIterator<Item = &'a str>, ticked: &[String]) -> Self {
        let words: Vec<String> = words.into_iter().map(str::to_owned).collect();
        let is_ticked = |at: &usize| words.get(*at).is_some_and(|word| ticked.contains(word));
        let ticked = (0..words.len()).filter(is_ticked).collect();
        Self { words, ticked, at: 0 }
    }

    pub fn ticked(&self) -> Vec<String> {
        self.ticked.iter().filter_map(|at| self.words.get(*at)).cloned().collect()
    }

    /// The width of one word with its box: all are as wide as the widest, in columns.
    fn cell(&self) -> u16 {
        self.words.iter().map(|word| width(word)).max().unwrap_or(0) + 4 + 2
    }

    fn across(&self, columns: u16) -> usize {
        usize::from((columns / self.cell().max(1)).max(1))
    }
}

impl FormInput for CheckboxGroup {
    /// Arrow keys move, Space ticks, `*` ticks all (or none, when all are), a letter goes to
    /// the next word that starts with it. Returns whether anything changed.
    fn press(&mut self, key: KeyEvent) -> bool {
        match key.code {
            KeyCode::Char(' ') if self.at < self.words.len() => {
                if !self.ticked.remove(&self.at) {
                    self.ticked.insert(self.at);
                }
            }
            KeyCode::Char('*') => {
                let all = self.ticked.len() == self.words.len();
                self.ticked = if all { BTreeSet::new() } else { (0..self.words.len()).collect() };
            }
            _ => match moved(&self.words, self.at, key) {
                Some(at) => self.at = at,
                None => return false,
            },
        }
        true
    }

    fn height(&self, columns: u16) -> u16 {
        let rows = self.words.len().div_ceil(self.across(columns));
        u16::try_from(rows.max(1)).unwrap_or(u16::MAX)
    }

    fn draw(&self, area: Rect, canvas: &mut Canvas<'_>, focused: bool) -> Option<Position> {
        let (ctx, theme) = (canvas.ctx, &canvas.ctx.theme);
        let across = self.across(area.width);
        let mut cursor = None;
        for (at, word) in self.words.iter().enumerate() {
            let on = self.ticked.contains(&at);
            let row = u16::try_from(at / across).unwrap_or(u16::MAX);
            let column = u16::try_from(at % across).unwrap_or(0).saturating_mul(self.cell());
            let here = focused && at == self.at;
            let style = match (here, on) {
                (true, _) => theme.selected,
                (false, true) => theme.heading,
                (false, false) => theme.text(),
            };
            let writer = canvas
                .line(area, row)
                .to(column)
                .text(&format!("{} {word}", theme.tick(on)), style);
            let way = if at > self.at { KeyCode::Right } else { KeyCode::Left };
            let tick = (SyntheticInput::Key(KeyCode::Char(' ')), 1);
            let presses = [(SyntheticInput::Key(way), at.abs_diff(self.at)), tick];
            ctx.hit_map.clicks(writer.since(column), presses);
            if here {
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
        checks.ticked().join(" ")
    }

    #[test]
    fn space_ticks_star_ticks_all_or_none() {
        let mut checks = CheckboxGroup::new(["read", "list", "publish"], &["list".into()]);
        assert_eq!(press(&mut checks, KeyCode::Char(' ')), "read list");
        assert_eq!(press(&mut checks, KeyCode::Char('p')), "read list");
        assert_eq!(press(&mut checks, KeyCode::Char(' ')), "read list publish");
        assert_eq!(press(&mut checks, KeyCode::Char('*')), "");
        assert_eq!(press(&mut checks, KeyCode::Char('*')), "read list publish");
    }

    #[test]
    fn they_fall_into_columns() {
        let checks = CheckboxGroup::new(["read", "subscribe"], &[]);
        assert_eq!(checks.height(80), 1);
        assert_eq!(checks.height(20), 2);
        assert_eq!(checks.height(0), 2);
    }
}
