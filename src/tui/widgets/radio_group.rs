//! One of several words in a line: the chosen one in brackets, changed with the arrow keys or
//! by its first letter. Called by forms for lifetimes, entity types and operations.

use ratatui::{
    crossterm::event::{KeyCode, KeyEvent},
    layout::{Position, Rect},
};

use super::{
    form::FormInput,
    hit_map::SyntheticInput,
    paint::{Canvas, width},
};

/// Words of which one is chosen.
#[derive(Debug, Clone)]
pub struct RadioGroup {
    words: Vec<String>,
    chosen: usize,
}

impl RadioGroup {
    /// `words` with the one at `chosen` chosen.
    pub fn new(words: impl IntoIterator<Item = impl Into<String>>, chosen: usize) -> Self {
        let words: Vec<String> = words.into_iter().map(Into::into).collect();
        let chosen = chosen.min(words.len().saturating_sub(1));
        Self { words, chosen }
    }

    /// The place of the chosen word.
    pub fn chosen(&self) -> usize {
        self.chosen
    }

    pub fn as_str(&self) -> &str {
        self.words.get(self.chosen).map_or("", String::as_str)
    }

    pub fn choose(&mut self, word: &str) {
        if let Some(at) = self.words.iter().position(|w| w == word) {
            self.chosen = at;
        }
    }

    /// Where each word starts: column and row, in lines of `columns`. Each word has room for
    /// its brackets, so that nothing moves when another one is chosen.
    fn places(&self, columns: u16) -> Vec<(u16, u16)> {
        let (mut column, mut row) = (0, 0);
        let mut places = Vec::with_capacity(self.words.len());
        for word in &self.words {
            let wide = width(word) + 2;
            if column > 0 && column + wide > columns {
                (column, row) = (0, row + 1);
            }
            places.push((column, row));
            column += wide + 1;
        }
        places
    }
}

impl FormInput for RadioGroup {
    /// Arrow keys and Space go to the next or previous word, a letter to the next word that
    /// starts with it. Returns whether another word is chosen.
    fn press(&mut self, key: KeyEvent) -> bool {
        let before = self.chosen;
        let count = self.words.len().max(1);
        match key.code {
            KeyCode::Char(' ') => self.chosen = (self.chosen + 1) % count,
            _ => self.chosen = moved(&self.words, before, key).unwrap_or(before),
        }
        self.chosen != before
    }

    fn height(&self, columns: u16) -> u16 {
        self.places(columns).last().map_or(1, |(_, row)| row + 1)
    }

    fn draw(&self, area: Rect, canvas: &mut Canvas<'_>, focused: bool) -> Option<Position> {
        let (ctx, theme) = (canvas.ctx, &canvas.ctx.theme);
        let mut cursor = None;
        for (at, ((column, row), word)) in
            self.places(area.width).into_iter().zip(&self.words).enumerate()
        {
            let writer = canvas.line(area, row).to(column);
            let writer = if at == self.chosen {
                let style = if focused { theme.selected } else { theme.heading };
                cursor = Some(Position::new(area.x + column, area.y + row));
                writer.text(&format!("[{word}]"), style)
            } else {
                writer.skip(1).text(word, theme.faint).skip(1)
            };
            let way = if at > self.chosen { KeyCode::Right } else { KeyCode::Left };
            ctx.hit_map.click(
                writer.since(column),
                SyntheticInput::Key(way),
                at.abs_diff(self.chosen),
            );
        }
        cursor.filter(|at| focused && area.contains(*at))
    }
}

/// Where `key` goes from word `at`: an arrow to the next or previous word, a letter to the next
/// word that starts with it; `None` if it goes nowhere.
pub(super) fn moved(words: &[impl AsRef<str>], at: usize, key: KeyEvent) -> Option<usize> {
    let count = words.len().max(1);
    match key.code {
        KeyCode::Left => Some(at.saturating_sub(1)),
        KeyCode::Right => Some((at + 1).min(count - 1)),
        KeyCode::Char(letter) if key.modifiers.is_empty() => (at + 1..=at + count)
            .map(|at| at % count)
            .find(|at| words.get(*at).is_some_and(|word| word.as_ref().starts_with(letter))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use ratatui::crossterm::event::KeyModifiers;

    use super::*;

    fn press(choice: &mut RadioGroup, code: KeyCode) -> String {
        choice.press(KeyEvent::new(code, KeyModifiers::NONE));
        choice.as_str().to_owned()
    }

    #[test]
    fn arrows_stop_at_the_ends_and_space_goes_round() {
        let mut choice = RadioGroup::new(["24h", "7d", "30d"], 2);
        assert_eq!(press(&mut choice, KeyCode::Right), "30d");
        assert_eq!(press(&mut choice, KeyCode::Char(' ')), "24h");
        assert_eq!(press(&mut choice, KeyCode::Left), "24h");
    }

    #[test]
    fn a_letter_goes_to_the_next_word_that_starts_with_it() {
        let mut choice = RadioGroup::new(["channels", "clients", "users"], 0);
        assert_eq!(press(&mut choice, KeyCode::Char('c')), "clients");
        assert_eq!(press(&mut choice, KeyCode::Char('c')), "channels");
        assert_eq!(press(&mut choice, KeyCode::Char('u')), "users");
        assert_eq!(press(&mut choice, KeyCode::Char('z')), "users");
    }

    #[test]
    fn words_that_do_not_fit_go_to_the_next_line() {
        let choice = RadioGroup::new(["domains", "groups", "channels"], 0);
        assert_eq!(choice.height(80), 1);
        assert_eq!(choice.height(20), 2);
        assert_eq!(choice.height(3), 3);
    }

    #[test]
    fn an_empty_choice_does_no_harm() {
        let mut choice = RadioGroup::new(Vec::<String>::new(), 3);
        assert_eq!(press(&mut choice, KeyCode::Char(' ')), "");
    }
}
