//! Reads TOML entry by entry, so that one pass finds every fault with its line. A derived
//! `Deserialize` would stop at the first fault and could not suggest the nearest setting. Does not
//! know the settings. Called by `file` and `scope_catalogue`.

use toml::de::{DeTable, DeValue};

use super::error::{ConfigFault, FaultKind};
use crate::keymap::suggest::advice;

/// Maximum number of faults in a report. The report needs a limit, because a file that is not TOML
/// can have a fault at every byte.
const MAX_FAULTS: usize = 100;

/// A reader of one file, with the faults found so far.
#[derive(Debug)]
pub(super) struct TomlReader<'a> {
    text: &'a str,
    pub(super) faults: Vec<ConfigFault>,
}

/// A key with its value and position.
#[derive(Debug, Clone)]
pub(super) struct TomlEntry<'a> {
    pub(super) key: &'a str,
    /// The dotted path of the key, including its tables.
    pub(super) path: String,
    /// The byte offset of the key.
    pub(super) at: usize,
    value: &'a DeValue<'a>,
}

impl<'a> TomlReader<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, faults: Vec::new() }
    }

    /// Records a fault at the byte offset `at`, up to [`MAX_FAULTS`].
    pub(super) fn fault(&mut self, at: usize, kind: FaultKind) {
        if self.faults.len() >= MAX_FAULTS {
            return;
        }
        let before = self.text.get(..at).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        self.faults.push(ConfigFault { line, kind });
    }

    /// Records that the value of `entry` is invalid.
    pub(super) fn invalid_value(&mut self, entry: &TomlEntry<'_>, error: &str) {
        let kind = FaultKind::InvalidValue { path: entry.path.clone(), error: error.to_owned() };
        self.fault(entry.at, kind);
    }

    /// The entries with the `known` keys. Every other key is a fault.
    pub(super) fn take_known<const N: usize>(
        &mut self,
        entries: Vec<TomlEntry<'a>>,
        known: [&str; N],
    ) -> [Option<TomlEntry<'a>>; N] {
        let mut found = [const { None }; N];
        for entry in entries {
            let slot = known.iter().zip(&mut found);
            match slot.into_iter().find(|(word, _)| **word == entry.key) {
                Some((_, slot)) => *slot = Some(entry),
                None => self.fault(
                    entry.at,
                    FaultKind::UnknownSetting {
                        path: entry.path.clone(),
                        advice: advice(entry.key, known),
                    },
                ),
            }
        }
        found
    }

    /// The entries of an optional table, in the order of the file.
    pub(super) fn table(&mut self, entry: Option<&TomlEntry<'a>>) -> Vec<TomlEntry<'a>> {
        let Some(entry) = entry else {
            return Vec::new();
        };
        if let DeValue::Table(table) = entry.value {
            return entries(&entry.path, table);
        }
        self.wrong_type(entry, "a table of settings");
        Vec::new()
    }

    /// The value of `result`. An error is recorded as a fault of `entry`.
    pub(super) fn value_or_fault<T, E: ToString>(
        &mut self,
        entry: &TomlEntry<'_>,
        result: Result<T, E>,
    ) -> Option<T> {
        result.map_err(|error| self.invalid_value(entry, &error.to_string())).ok()
    }

    /// Returns the string of `entry`, converted by `parse`. Records a fault if the value is not a
    /// string or `parse` fails.
    pub(super) fn parsed_text<T, E: ToString>(
        &mut self,
        entry: Option<&TomlEntry<'a>>,
        expected: &'static str,
        parse: impl FnOnce(&'a str) -> Result<T, E>,
    ) -> Option<T> {
        let entry = entry?;
        let DeValue::String(text) = entry.value else {
            self.wrong_type(entry, expected);
            return None;
        };
        self.value_or_fault(entry, parse(text))
    }

    pub(super) fn boolean(&mut self, entry: Option<&TomlEntry<'a>>) -> Option<bool> {
        let entry = entry?;
        if let DeValue::Boolean(on) = entry.value {
            return Some(*on);
        }
        self.wrong_type(entry, "true or false");
        None
    }

    /// Returns the strings of a list, each as an entry of its own. Records a fault if the value is
    /// not a list of strings.
    pub(super) fn list(
        &mut self,
        entry: Option<&TomlEntry<'a>>,
        expected: &'static str,
    ) -> Option<Vec<TomlEntry<'a>>> {
        let entry = entry?;
        let texts = match entry.value {
            DeValue::Array(items) => items
                .iter()
                .map(|item| TomlEntry {
                    at: item.span().start,
                    value: item.get_ref(),
                    ..entry.clone()
                })
                .collect(),
            _ => vec![],
        };
        if matches!(entry.value, DeValue::Array(_)) && texts.iter().all(|e| e.text().is_some()) {
            return Some(texts);
        }
        self.wrong_type(entry, expected);
        None
    }

    /// The tables of an array of tables, each as an entry of its own. Records a fault if the value is
    /// anything else.
    pub(super) fn tables(&mut self, entry: &TomlEntry<'a>) -> Vec<TomlEntry<'a>> {
        let items: &'a [_] = match entry.value {
            DeValue::Array(items) => items,
            _ => &[],
        };
        if items.is_empty() || !items.iter().all(|item| item.get_ref().is_table()) {
            self.wrong_type(entry, "an array of tables, each under the line [[hook]]");
            return Vec::new();
        }
        let table = |item: &'a toml::Spanned<DeValue<'a>>| TomlEntry {
            at: item.span().start,
            value: item.get_ref(),
            ..entry.clone()
        };
        items.iter().map(table).collect()
    }

    /// Records that the value of `entry` has the wrong type.
    pub(super) fn wrong_type(&mut self, entry: &TomlEntry<'_>, expected: &'static str) {
        let found = match entry.value {
            DeValue::String(_) => "a text",
            DeValue::Integer(_) | DeValue::Float(_) => "a number",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date without quotes",
            DeValue::Array(items) if items.iter().all(|i| i.get_ref().is_str()) => "a list",
            DeValue::Array(_) => "a list with other values in it",
            DeValue::Table(_) => "a table",
        };
        let kind = FaultKind::WrongType { path: entry.path.clone(), expected, found };
        self.fault(entry.at, kind);
    }
}

impl<'a> TomlEntry<'a> {
    pub(super) fn text(&self) -> Option<&'a str> {
        match self.value {
            DeValue::String(text) => Some(text),
            _ => None,
        }
    }
}

/// The entries of `table`, whose dotted path is `path`, in the order of the file.
pub(super) fn entries<'a>(path: &str, table: &'a DeTable<'a>) -> Vec<TomlEntry<'a>> {
    let mut entries: Vec<_> = table
        .iter()
        .map(|(key, value)| {
            let word: &str = key.get_ref();
            TomlEntry {
                key: word,
                path: match path {
                    "" => quoted_key(word),
                    _ => format!("{path}.{}", quoted_key(word)),
                },
                at: key.span().start,
                value: value.get_ref(),
            }
        })
        .collect();
    entries.sort_by_key(|entry| entry.at);
    entries
}

/// `word` as a TOML key: in quotes unless it is a bare key.
fn quoted_key(word: &str) -> String {
    let bare = |c: char| c.is_alphanumeric() || "-_".contains(c);
    if !word.is_empty() && word.chars().all(bare) { word.to_owned() } else { format!("\"{word}\"") }
}
