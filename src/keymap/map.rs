//! The keys in force, and the one lookup from pressed keys to an action. Knows nothing of
//! screens and does not wait: whoever holds the keys pressed so far decides how long a beginning
//! may last. Built by the config, asked by the app on every key.

use std::sync::LazyLock;

use super::{Action, BINDINGS, Binding, Key, Mode, Sequence};

/// What the keys pressed so far mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolved {
    Act(Action),
    /// The beginning of a longer sequence: wait for the next key.
    Prefix,
    /// Nothing here: text for the focused field, or to be ignored.
    Nothing,
}

/// A row of the table with the keys that it has now.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) binding: &'static Binding,
    pub(super) keys: Vec<Sequence>,
}

impl PartialEq for Row {
    fn eq(&self, other: &Self) -> bool {
        self.place() == other.place() && self.keys == other.keys
    }
}

/// What tells one row of the table from all others.
pub(super) type Place = (Mode, Action);

impl Row {
    pub(super) fn place(&self) -> Place {
        (self.binding.mode, self.binding.action)
    }
}

/// The keys in force.
#[derive(Debug, Clone, Default)]
pub struct Keymap {
    /// The rows where settings changed the table; `None` for the table as it is, which is not
    /// read before somebody asks for a key: most commands never do.
    own: Option<Modes>,
}

/// The rows of each mode, in the order of the table: a key is looked up in few modes.
type Modes = Vec<Vec<Row>>;

/// The table as it is, its keys read once.
static TABLE: LazyLock<Modes> = LazyLock::new(|| {
    let row = |binding: &'static Binding| Row {
        binding,
        // A text in the table that names no key is caught by its test.
        keys: binding.keys.iter().flat_map(|k| k.parse()).collect(),
    };
    let modes = BINDINGS.chunk_by(|one, next| one.mode == next.mode);
    modes.map(|rows| rows.iter().map(row).collect()).collect()
});

impl PartialEq for Keymap {
    fn eq(&self, other: &Self) -> bool {
        self.modes() == other.modes()
    }
}

impl Keymap {
    pub(super) fn modes(&self) -> &[Vec<Row>] {
        self.own.as_ref().unwrap_or(&TABLE)
    }

    pub(super) fn modes_mut(&mut self) -> &mut [Vec<Row>] {
        self.own.get_or_insert_with(|| TABLE.clone())
    }

    /// What `pressed` means in `mode`: the nearest mode that knows it decides, be it as a whole
    /// or as a beginning.
    pub fn resolve(&self, mode: Mode, pressed: &[Key]) -> Resolved {
        if pressed.is_empty() {
            return Resolved::Nothing;
        }
        match self.winner(mode, pressed) {
            Some((row, sequence)) if sequence.keys() == pressed => {
                Resolved::Act(row.binding.action)
            }
            Some(_) => Resolved::Prefix,
            None => Resolved::Nothing,
        }
    }

    /// The keys of `action` in `mode` or the nearest mode it falls back on; none if it has none.
    #[cfg(any(test, feature = "testing"))]
    pub fn keys(&self, mode: Mode, action: Action) -> &[Sequence] {
        self.chained(mode)
            .find(|row| row.binding.action == action && !row.keys.is_empty())
            .map_or(&[], |row| row.keys.as_slice())
    }

    /// Every action with the keys of its own, in the order of the documents.
    pub fn each(&self) -> impl Iterator<Item = (Mode, Action, &[Sequence])> {
        self.modes().iter().flatten().map(|row| {
            let Row { binding, keys } = row;
            (binding.mode, binding.action, keys.as_slice())
        })
    }

    /// Which keys may follow `pressed` in `mode`, and what each leads to.
    pub fn continuations(&self, mode: Mode, pressed: &[Key]) -> Vec<(Key, &'static Binding)> {
        let mut found: Vec<(Key, &'static Binding)> = Vec::new();
        for row in self.chained(mode) {
            for sequence in self.live(mode, row) {
                let next = sequence.keys().get(pressed.len());
                if let (true, Some(key)) = (sequence.starts_with(pressed), next) {
                    found.push((*key, row.binding));
                }
            }
        }
        found
    }

    /// The rows that count in `mode`, nearest mode first.
    pub(super) fn chained(&self, mode: Mode) -> impl Iterator<Item = &Row> {
        mode.chain().iter().flat_map(|near| self.of(*near))
    }

    fn of(&self, mode: Mode) -> &[Row] {
        let own = |rows: &&Vec<Row>| rows.first().is_some_and(|row| row.binding.mode == mode);
        self.modes().iter().find(own).map_or(&[], Vec::as_slice)
    }

    /// The keys of `row` that really lead to it in `mode`, unhidden by a nearer mode.
    pub(super) fn live<'a>(
        &'a self,
        mode: Mode,
        row: &'a Row,
    ) -> impl Iterator<Item = &'a Sequence> {
        row.keys.iter().filter(move |sequence| self.hider(mode, row, sequence).is_none())
    }

    /// The nearest row and sequence that `pressed` completes or begins; completing goes first.
    fn winner(&self, mode: Mode, pressed: &[Key]) -> Option<(&Row, &Sequence)> {
        mode.chain().iter().find_map(|near| {
            let rows = self.of(*near);
            let begun = || {
                rows.iter()
                    .flat_map(|row| row.keys.iter().map(move |sequence| (row, sequence)))
                    .filter(|(_, sequence)| sequence.starts_with(pressed))
            };
            begun().find(|(_, sequence)| sequence.keys() == pressed).or_else(|| begun().next())
        })
    }

    /// What takes the keys of `sequence` away from `row` in `mode` before they are complete.
    pub(super) fn hider(
        &self,
        mode: Mode,
        row: &Row,
        sequence: &Sequence,
    ) -> Option<(&Row, &Sequence)> {
        let keys = sequence.keys();
        (1..=keys.len()).find_map(|count| {
            let (winner, by) = self.winner(mode, keys.get(..count)?)?;
            let complete = by.keys().len() == count;
            let itself = winner.place() == row.place();
            let waits = count < keys.len() && !complete;
            (!itself && !waits).then_some((winner, by))
        })
    }
}

#[cfg(test)]
#[path = "map_tests.rs"]
mod tests;
