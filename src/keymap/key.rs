//! Keys and key sequences: parses and prints the syntax of `[keys]`, and normalizes the key events of
//! the terminal, so that equal keys compare equal. Refuses keys that terminals do not send reliably.
//! Called by the keymap and by the input of the app.

use std::{fmt, str::FromStr};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::domain::terminal_text::{escape, first_unsafe};

/// Why a text is not a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error("missing key: write a character, Ctrl- and a letter, or a name such as Enter")]
    Missing,
    #[error("`{given}` is not a key: write a character, Ctrl- and a letter, or one of {names}", given = escape(.0), names = key_names())]
    Unknown(String),
    /// Alt arrives as Esc and a key, which slow links split into two key presses.
    #[error("`{given}` does not arrive reliably over SSH: use a key without Alt", given = escape(.0))]
    Alt(String),
    #[error("terminals cannot distinguish `{given}` from {same}: write {same}", given = escape(.given))]
    Indistinguishable { given: String, same: &'static str },
}

/// The named keys: code, name in the config, and glyph in the app.
const NAMES: [(KeyCode, &str, &str); 15] = [
    (KeyCode::Enter, "Enter", "Enter"),
    (KeyCode::Esc, "Esc", "Esc"),
    (KeyCode::Tab, "Tab", "Tab"),
    (KeyCode::Char(' '), "Space", "Space"),
    (KeyCode::Backspace, "Backspace", "Backspace"),
    (KeyCode::Delete, "Delete", "Del"),
    (KeyCode::Insert, "Insert", "Ins"),
    (KeyCode::Up, "Up", "↑"),
    (KeyCode::Down, "Down", "↓"),
    (KeyCode::Left, "Left", "←"),
    (KeyCode::Right, "Right", "→"),
    (KeyCode::PageUp, "PgUp", "PgUp"),
    (KeyCode::PageDown, "PgDn", "PgDn"),
    (KeyCode::Home, "Home", "Home"),
    (KeyCode::End, "End", "End"),
];

fn key_names() -> String {
    NAMES.map(|(_, name, _)| name).join(", ")
}

/// A key with its modifiers, normalized: a character never has Shift, Shift-Tab is Tab with Shift,
/// and Ctrl has a lower-case letter. Ctrl-H and Backspace remain different keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key {
    code: KeyCode,
    modifiers: KeyModifiers,
}

impl Key {
    /// Normalizes a key event of the terminal.
    pub fn new(code: KeyCode, mut modifiers: KeyModifiers) -> Self {
        let code = match code {
            KeyCode::BackTab => {
                modifiers |= KeyModifiers::SHIFT;
                KeyCode::Tab
            }
            KeyCode::Char(c) => {
                let shifted = modifiers.contains(KeyModifiers::SHIFT);
                modifiers -= KeyModifiers::SHIFT;
                KeyCode::Char(if modifiers.contains(KeyModifiers::CONTROL) {
                    c.to_ascii_lowercase()
                } else if shifted {
                    c.to_ascii_uppercase()
                } else {
                    c
                })
            }
            other => other,
        };
        Self { code, modifiers }
    }

    #[cfg(any(test, feature = "testing"))]
    pub fn code(self) -> KeyCode {
        self.code
    }

    /// The modifiers that remain after normalization.
    #[cfg(any(test, feature = "testing"))]
    pub fn modifiers(self) -> KeyModifiers {
        self.modifiers
    }

    /// The character that this key types into a text field. `None` for a key with Ctrl or a named
    /// key.
    pub fn character(self) -> Option<char> {
        match self.code {
            KeyCode::Char(c) if self.modifiers.is_empty() => Some(c),
            _ => None,
        }
    }

    /// Returns the label for footer and help. Arrows are glyphs of one column, or names if `ascii`.
    pub fn label(self, ascii: bool) -> String {
        let name = NAMES.iter().find(|(code, ..)| *code == self.code);
        let letter = match (self.code, name) {
            (_, Some((_, name, glyph))) => (*if ascii { name } else { glyph }).to_owned(),
            (KeyCode::Char(c), _) if self.modifiers.contains(KeyModifiers::CONTROL) => {
                c.to_ascii_uppercase().to_string()
            }
            (KeyCode::Char(c), _) => c.to_string(),
            (other, _) => other.to_string(),
        };
        let mut text = String::new();
        for (modifier, prefix) in [
            (KeyModifiers::CONTROL, "Ctrl-"),
            (KeyModifiers::ALT, "Alt-"),
            (KeyModifiers::SHIFT, "Shift-"),
        ] {
            if self.modifiers.contains(modifier) {
                text.push_str(prefix);
            }
        }
        text + &letter
    }
}

impl From<KeyEvent> for Key {
    fn from(event: KeyEvent) -> Self {
        Self::new(event.code, event.modifiers)
    }
}

impl fmt::Display for Key {
    /// Prints the syntax that [`FromStr`] parses.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.label(true))
    }
}

impl FromStr for Key {
    type Err = KeyError;

    /// Parses one visible character or a name in any case, after optional `Ctrl-` and `Shift-`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unknown = || KeyError::Unknown(text.to_owned());
        let mut rest = text;
        let mut modifiers = KeyModifiers::NONE;
        loop {
            if let Some(after) = strip_prefix_ignore_case(rest, "Ctrl-") {
                modifiers |= KeyModifiers::CONTROL;
                rest = after;
            } else if let Some(after) = strip_prefix_ignore_case(rest, "Shift-") {
                modifiers |= KeyModifiers::SHIFT;
                rest = after;
            } else if strip_prefix_ignore_case(rest, "Alt-").is_some() {
                return Err(KeyError::Alt(text.to_owned()));
            } else {
                break;
            }
        }
        let mut chars = rest.chars();
        let code = match (chars.next(), chars.next()) {
            (None, _) if text.is_empty() => return Err(KeyError::Missing),
            (Some(c), None) if !c.is_whitespace() && first_unsafe(rest).is_none() => {
                KeyCode::Char(c)
            }
            _ => NAMES
                .iter()
                .find(|(_, name, _)| name.eq_ignore_ascii_case(rest))
                .map(|(code, ..)| *code)
                .ok_or_else(unknown)?,
        };
        let key = Self::new(code, modifiers);
        match (key.code, modifiers.contains(KeyModifiers::CONTROL)) {
            (KeyCode::Char('i'), true) => Err(("Tab", text).into()),
            (KeyCode::Char('m'), true) => Err(("Enter", text).into()),
            (KeyCode::Char(c), true) if !c.is_ascii_alphabetic() && c != ' ' => Err(unknown()),
            _ => Ok(key),
        }
    }
}

impl From<(&'static str, &str)> for KeyError {
    fn from((same, given): (&'static str, &str)) -> Self {
        Self::Indistinguishable { given: given.to_owned(), same }
    }
}

/// Returns the text after `prefix`, which is compared ignoring case. Returns `None` if `text` does
/// not start with `prefix` or nothing follows it.
fn strip_prefix_ignore_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (head, rest) = text.split_at_checked(prefix.len())?;
    (head.eq_ignore_ascii_case(prefix) && !rest.is_empty()).then_some(rest)
}

/// One or more keys, pressed in order: `n`, `Ctrl-D`, `y i`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct KeySequence(Vec<Key>);

impl KeySequence {
    /// The keys, at least one.
    pub fn keys(&self) -> &[Key] {
        &self.0
    }

    /// Whether `pressed` is a prefix of the sequence, or all of it.
    pub fn starts_with(&self, pressed: &[Key]) -> bool {
        self.0.starts_with(pressed)
    }

    /// The label for footer and help, see [`Key::label`].
    pub fn label(&self, ascii: bool) -> String {
        let keys: Vec<_> = self.0.iter().map(|key| key.label(ascii)).collect();
        keys.join(" ")
    }
}

impl FromStr for KeySequence {
    type Err = KeyError;

    /// Parses keys separated by spaces.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let keys = text.split_whitespace().map(str::parse).collect::<Result<Vec<Key>, _>>()?;
        if keys.is_empty() {
            return Err(KeyError::Missing);
        }
        Ok(Self(keys))
    }
}

impl fmt::Display for KeySequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.label(true))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use unicode_width::UnicodeWidthStr as _;

    use super::*;

    fn pressed(code: KeyCode, modifiers: KeyModifiers) -> String {
        Key::from(KeyEvent::new(code, modifiers)).to_string()
    }

    #[test]
    fn equal_keys_are_normalized_to_one_form() {
        let (shift, ctrl) = (KeyModifiers::SHIFT, KeyModifiers::CONTROL);
        assert_eq!(pressed(KeyCode::Char('R'), shift), "R");
        assert_eq!(pressed(KeyCode::Char('r'), shift), "R");
        assert_eq!(pressed(KeyCode::Char('?'), shift), "?");
        assert_eq!(pressed(KeyCode::BackTab, shift), "Shift-Tab");
        assert_eq!(pressed(KeyCode::BackTab, KeyModifiers::NONE), "Shift-Tab");
        assert_eq!(pressed(KeyCode::Tab, shift), "Shift-Tab");
        assert_eq!(pressed(KeyCode::Char('D'), ctrl | shift), "Ctrl-D");
        assert_eq!(pressed(KeyCode::Char('h'), ctrl), "Ctrl-H");
        assert_eq!(pressed(KeyCode::Backspace, KeyModifiers::NONE), "Backspace");
        assert_eq!(pressed(KeyCode::Char('x'), KeyModifiers::ALT), "Alt-x");
    }

    #[test]
    fn only_an_unmodified_character_is_text() {
        let text = |t: &str| t.parse::<Key>().unwrap().character();
        assert_eq!(text("R"), Some('R'));
        assert_eq!(text("Space"), Some(' '));
        assert_eq!(text("Ctrl-S"), None);
        assert_eq!(text("Enter"), None);
    }

    #[test]
    fn case_matters_for_characters_and_not_for_names() {
        let same = |a: &str, b: &str| a.parse::<KeySequence>() == b.parse::<KeySequence>();
        assert!(same("enter", "Enter"));
        assert!(same("ctrl-d", "Ctrl-D"));
        assert!(same(" y  i ", "y i"));
        assert!(!same("r", "R"));
        assert!(!same("Ctrl-H", "Backspace"));
        assert_eq!("-".parse::<Key>().unwrap().character(), Some('-'));
    }

    #[test]
    fn invalid_keys_are_refused_with_advice() {
        let error = |t: &str| t.parse::<KeySequence>().unwrap_err().to_string();
        let names = key_names();
        assert_eq!(
            error("Entr"),
            format!(
                "`Entr` is not a key: write a character, Ctrl- and a letter, or one of {names}"
            )
        );
        for bad in ["Ctrl-", "F1", "Ctrl-1", "Shift-", "\u{202e}", "\u{301}", "Ctrl-é"] {
            assert!(error(bad).contains("is not a key"), "{bad:?}");
        }
        assert!(error(" ").starts_with("missing key"));
        assert!(error("alt-x").contains("does not arrive reliably"));
        assert_eq!(error("Ctrl-I"), "terminals cannot distinguish `Ctrl-I` from Tab: write Tab");
    }

    #[test]
    fn glyphs_are_one_column_wide() {
        assert_eq!("Up".parse::<Key>().unwrap().label(false), "↑");
        assert_eq!("y Enter".parse::<KeySequence>().unwrap().label(false), "y Enter");
        for (_, name, glyph) in NAMES {
            assert!(glyph.is_ascii() || glyph.width() == 1, "{name}");
        }
    }

    fn key() -> impl Strategy<Value = Key> {
        let names = prop::sample::select(NAMES.map(|(code, ..)| code).to_vec());
        let modifiers = prop::sample::select(vec![
            KeyModifiers::NONE,
            KeyModifiers::SHIFT,
            KeyModifiers::CONTROL,
        ]);
        let letters =
            prop::sample::select(('a'..='z').filter(|c| !"im".contains(*c)).collect::<Vec<_>>());
        prop_oneof![
            (names, modifiers).prop_map(|(code, with)| Key::new(code, with)),
            "[!-~éß→]".prop_map(|t| Key::new(
                KeyCode::Char(t.chars().next().unwrap()),
                KeyModifiers::NONE
            )),
            letters.prop_map(|c| Key::new(KeyCode::Char(c), KeyModifiers::CONTROL)),
        ]
    }

    proptest! {
        #[test]
        fn a_printed_sequence_parses_back(keys in prop::collection::vec(key(), 1..4)) {
            let sequence = KeySequence(keys);
            prop_assert_eq!(sequence.to_string().parse::<KeySequence>().unwrap(), sequence);
        }

        #[test]
        fn parsing_never_panics(text in any::<String>()) {
            let _ = text.parse::<KeySequence>();
        }
    }
}
