//! Selects one of several labels by the keys that are pressed: arrows, or the start of a label, letter by
//! letter. Remembers the letters typed so far. Called by the groups of radio buttons and of checkboxes.

use ratatui::crossterm::event::{KeyCode, KeyEvent};

/// The letters that were typed since the last other key.
#[derive(Debug, Clone, Default)]
pub(super) struct TypeAhead(String);

impl TypeAhead {
    /// The index to which `key` moves from label `at`. An arrow moves to the previous or next label. A
    /// letter stays on the label if its start was typed, or else moves to the next such label; a letter that
    /// continues no label begins a new word, from the next label on. Returns `None` for any other key.
    pub(super) fn index(
        &mut self,
        labels: &[impl AsRef<str>],
        at: usize,
        key: KeyEvent,
    ) -> Option<usize> {
        let last = labels.len().saturating_sub(1);
        match key.code {
            KeyCode::Char(letter) if letter != ' ' && key.modifiers.is_empty() => {
                let is_fresh = self.0.is_empty();
                self.0.push(letter);
                if let Some(found) = next_with_start(labels, at, &self.0) {
                    return Some(found);
                }
                self.0 = letter.to_string();
                let found = next_with_start(labels, at + usize::from(!is_fresh), &self.0);
                if found.is_none() {
                    self.0.clear();
                }
                found
            }
            code => {
                self.0.clear();
                match code {
                    KeyCode::Left => Some(at.saturating_sub(1)),
                    KeyCode::Right => Some((at + 1).min(last)),
                    _ => None,
                }
            }
        }
    }
}

/// The first label from `at` on, and then from the first one, that starts with `typed`.
fn next_with_start(labels: &[impl AsRef<str>], at: usize, typed: &str) -> Option<usize> {
    let indexes = (0..labels.len()).map(|step| (at + step) % labels.len());
    let starts = |at: &usize| labels.get(*at).is_some_and(|it| it.as_ref().starts_with(typed));
    indexes.into_iter().find(starts)
}

#[cfg(test)]
mod tests {
    use ratatui::crossterm::event::KeyModifiers;

    use super::*;

    /// The labels on which `keys` end, from the first one on.
    fn typed(labels: &[&str], keys: &str) -> Vec<usize> {
        let (mut ahead, mut at, mut seen) = (TypeAhead::default(), 0, Vec::new());
        for letter in keys.chars() {
            let code = if letter == '>' { KeyCode::Right } else { KeyCode::Char(letter) };
            at = ahead.index(labels, at, KeyEvent::new(code, KeyModifiers::NONE)).unwrap_or(at);
            seen.push(at);
        }
        seen
    }

    #[test]
    fn the_start_of_a_label_selects_it() {
        let types = ["domains", "channels", "clients", "users"];
        assert_eq!(typed(&types, "cl"), [1, 2]);
        assert_eq!(typed(&types, "ch"), [1, 1]);
        assert_eq!(typed(&types, "clients"), [1, 2, 2, 2, 2, 2, 2]);
        assert_eq!(typed(&["none", "15m", "1h", "24h"], "1h"), [1, 2]);
        assert_eq!(typed(&["list", "delete"], "del"), [1, 1, 1]);
    }

    #[test]
    fn the_same_letter_again_goes_to_the_next_label() {
        let types = ["domains", "channels", "clients", "users"];
        assert_eq!(typed(&types, "cccu"), [1, 2, 1, 3]);
        assert_eq!(typed(&["channels", "clients"], "cc"), [0, 1], "a match stays at first");
        assert_eq!(typed(&types, "c>l"), [1, 2, 2], "another key ends the word");
        assert_eq!(typed(&types, "xc"), [0, 1]);
        assert_eq!(typed(&[], "c>"), [0, 0]);
    }
}
