//! Reading a TOML file entry by entry, so that one pass finds every mistake with its line; a
//! derived `Deserialize` would stop at the first and could not name the nearest known setting.
//! Knows no setting. Called by `file` and `catalogue`.

use toml::de::{DeTable, DeValue};

use super::fault::{Fault, Problem};
use crate::keymap::suggest::advice;

/// Mistakes that are told at once: more are not read, and a file that is none of ours has as many
/// as it has bytes.
const MOST_FAULTS: usize = 100;

/// A file that is being read, with the mistakes found in it so far.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    text: &'a str,
    pub(super) faults: Vec<Fault>,
}

/// A key and its value, and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Entry<'a> {
    pub(super) word: &'a str,
    /// The key with those of the tables around it.
    pub(super) path: String,
    /// The byte at which the key begins.
    pub(super) at: usize,
    value: &'a DeValue<'a>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, faults: Vec::new() }
    }

    /// Notes that something is wrong at this byte, unless enough is wrong already.
    pub(super) fn fault(&mut self, at: usize, problem: Problem) {
        if self.faults.len() >= MOST_FAULTS {
            return;
        }
        let before = self.text.get(..at).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        self.faults.push(Fault { line, problem });
    }

    /// Notes what is wrong with the value of `entry`.
    pub(super) fn refuse(&mut self, entry: &Entry<'_>, error: &str) {
        let problem = Problem::Value { path: entry.path.clone(), error: error.to_owned() };
        self.fault(entry.at, problem);
    }

    /// The entries of these keys; every other key is a mistake.
    pub(super) fn pick<const N: usize>(
        &mut self,
        entries: Vec<Entry<'a>>,
        known: [&str; N],
    ) -> [Option<Entry<'a>>; N] {
        let mut found = [const { None }; N];
        for entry in entries {
            let slot = known.iter().zip(&mut found);
            match slot.into_iter().find(|(word, _)| **word == entry.word) {
                Some((_, slot)) => *slot = Some(entry),
                None => self.fault(
                    entry.at,
                    Problem::Unknown {
                        path: entry.path.clone(),
                        advice: advice(entry.word, known),
                    },
                ),
            }
        }
        found
    }

    /// The entries of a table that may be missing, in the order of the file.
    pub(super) fn table(&mut self, entry: Option<&Entry<'a>>) -> Vec<Entry<'a>> {
        let Some(entry) = entry else {
            return Vec::new();
        };
        if let DeValue::Table(table) = entry.value {
            return entries(&entry.path, table);
        }
        self.kind(entry, "a table of settings");
        Vec::new()
    }

    /// What `result` holds; an error is a mistake in the value of `entry`.
    pub(super) fn sound<T, E: ToString>(
        &mut self,
        entry: &Entry<'_>,
        result: Result<T, E>,
    ) -> Option<T> {
        result.map_err(|error| self.refuse(entry, &error.to_string())).ok()
    }

    /// A text, read by `parse`.
    pub(super) fn parsed<T, E: ToString>(
        &mut self,
        entry: Option<&Entry<'a>>,
        expected: &'static str,
        parse: impl FnOnce(&'a str) -> Result<T, E>,
    ) -> Option<T> {
        let entry = entry?;
        let DeValue::String(text) = entry.value else {
            self.kind(entry, expected);
            return None;
        };
        self.sound(entry, parse(text))
    }

    pub(super) fn switch(&mut self, entry: Option<&Entry<'a>>) -> Option<bool> {
        let entry = entry?;
        if let DeValue::Boolean(on) = entry.value {
            return Some(*on);
        }
        self.kind(entry, "true or false");
        None
    }

    pub(super) fn list(
        &mut self,
        entry: Option<&Entry<'a>>,
        expected: &'static str,
    ) -> Option<Vec<Entry<'a>>> {
        let entry = entry?;
        let texts = match entry.value {
            DeValue::Array(items) => items
                .iter()
                .map(|item| Entry { at: item.span().start, value: item.get_ref(), ..entry.clone() })
                .collect(),
            _ => vec![],
        };
        if matches!(entry.value, DeValue::Array(_)) && texts.iter().all(|e| e.text().is_some()) {
            return Some(texts);
        }
        self.kind(entry, expected);
        None
    }

    /// Notes that the value of `entry` is of another kind.
    pub(super) fn kind(&mut self, entry: &Entry<'_>, expected: &'static str) {
        let found = match entry.value {
            DeValue::String(_) => "a text",
            DeValue::Integer(_) | DeValue::Float(_) => "a number",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date without quotes",
            DeValue::Array(items) if items.iter().all(|i| i.get_ref().is_str()) => "a list",
            DeValue::Array(_) => "a list with something else in it",
            DeValue::Table(_) => "a table",
        };
        let problem = Problem::Kind { path: entry.path.clone(), expected, found };
        self.fault(entry.at, problem);
    }
}

impl<'a> Entry<'a> {
    pub(super) fn text(&self) -> Option<&'a str> {
        match self.value {
            DeValue::String(text) => Some(text),
            _ => None,
        }
    }
}

/// The entries of `table`, which is at `path`, in the order of the file.
pub(super) fn entries<'a>(path: &str, table: &'a DeTable<'a>) -> Vec<Entry<'a>> {
    let mut entries: Vec<_> = table
        .iter()
        .map(|(key, value)| {
            let word: &str = key.get_ref();
            Entry {
                word,
                path: match path {
                    "" => spelled(word),
                    _ => format!("{path}.{}", spelled(word)),
                },
                at: key.span().start,
                value: value.get_ref(),
            }
        })
        .collect();
    entries.sort_by_key(|entry| entry.at);
    entries
}

/// `word` as a key of a file: in quotes if it is empty, or holds what would end it.
fn spelled(word: &str) -> String {
    let bare = |c: char| c.is_alphanumeric() || "-_".contains(c);
    if !word.is_empty() && word.chars().all(bare) { word.to_owned() } else { format!("\"{word}\"") }
}
