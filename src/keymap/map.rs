//! The active key bindings and the lookup from pressed keys to an action. Does not know the screens
//! and has no timeout: the caller keeps the pressed keys of an incomplete sequence. Built by the
//! config, called by the app for each key press.

use std::sync::LazyLock;

use super::{Action, BINDINGS, Key, KeyBinding, KeySequence, Mode};

/// The result of looking up the keys pressed so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyResolution {
    Action(Action),
    /// The prefix of a longer sequence: wait for the next key.
    Prefix,
    /// No binding matches: the keys are text for the focused field, or are ignored.
    Unbound,
}

/// A row of the table with its current keys.
#[derive(Debug, Clone)]
pub(super) struct ActiveBinding {
    pub(super) binding: &'static KeyBinding,
    pub(super) keys: Vec<KeySequence>,
}

impl PartialEq for ActiveBinding {
    fn eq(&self, other: &Self) -> bool {
        self.id() == other.id() && self.keys == other.keys
    }
}

/// Identifies a row of the table.
pub(super) type BindingId = (Mode, Action);

impl ActiveBinding {
    pub(super) fn id(&self) -> BindingId {
        (self.binding.mode, self.binding.action)
    }
}

/// The active key bindings: the defaults, or the defaults with the overrides of the config.
#[derive(Debug, Clone, Default)]
pub struct Keymap {
    /// The rows with overrides. `None` means [`DEFAULT_KEYS`]. Most commands never look up a key,
    /// so the default keys are parsed only on first use.
    custom: Option<RowsByMode>,
}

/// The rows of each mode, in the order of the table.
type RowsByMode = Vec<Vec<ActiveBinding>>;

/// The default bindings, parsed once.
static DEFAULT_KEYS: LazyLock<RowsByMode> = LazyLock::new(|| {
    let row = |binding: &'static KeyBinding| ActiveBinding {
        binding,
        // A test checks that every key of the table parses.
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
    pub(super) fn modes(&self) -> &[Vec<ActiveBinding>] {
        self.custom.as_ref().unwrap_or(&DEFAULT_KEYS)
    }

    pub(super) fn modes_mut(&mut self) -> &mut [Vec<ActiveBinding>] {
        self.custom.get_or_insert_with(|| DEFAULT_KEYS.clone())
    }

    /// Looks up `pressed` in `mode` and the modes it falls back on. The nearest mode with a match
    /// wins, even if `pressed` matches only the start of a sequence of that mode.
    pub fn resolve(&self, mode: Mode, pressed: &[Key]) -> KeyResolution {
        if pressed.is_empty() {
            return KeyResolution::Unbound;
        }
        match self.best_match(mode, pressed) {
            Some((row, sequence)) if sequence.keys() == pressed => {
                KeyResolution::Action(row.binding.action)
            }
            Some(_) => KeyResolution::Prefix,
            None => KeyResolution::Unbound,
        }
    }

    /// The screen other than that of `mode` on which `key` works, if it does nothing in `mode`.
    pub fn other_screen(&self, mode: Mode, key: Key) -> Option<Mode> {
        let screens = [Mode::Tokens, Mode::Detail, Mode::Audit, Mode::Overview];
        let is_screen = screens.contains(&mode);
        let works = |other: &Mode| matches!(self.resolve(*other, &[key]), KeyResolution::Action(_));
        screens.into_iter().find(works).filter(|_| is_screen)
    }

    /// Returns the keys of `action` in `mode`, or in the nearest mode that `mode` falls back on.
    /// The slice is empty if the action has no key.
    #[cfg(any(test, feature = "testing"))]
    pub fn keys(&self, mode: Mode, action: Action) -> &[KeySequence] {
        self.effective_rows(mode)
            .find(|row| row.binding.action == action && !row.keys.is_empty())
            .map_or(&[], |row| row.keys.as_slice())
    }

    /// All bindings with their current keys, in the order of the table.
    pub fn iter(&self) -> impl Iterator<Item = (Mode, Action, &[KeySequence])> {
        self.modes().iter().flatten().map(|row| {
            let ActiveBinding { binding, keys } = row;
            (binding.mode, binding.action, keys.as_slice())
        })
    }

    /// The keys that can follow `pressed` in `mode`, with their bindings.
    pub fn continuations(&self, mode: Mode, pressed: &[Key]) -> Vec<(Key, &'static KeyBinding)> {
        let mut continuations: Vec<(Key, &'static KeyBinding)> = Vec::new();
        for row in self.effective_rows(mode) {
            for sequence in self.reachable_keys(mode, row) {
                let next = sequence.keys().get(pressed.len());
                if let (true, Some(key)) = (sequence.starts_with(pressed), next) {
                    continuations.push((*key, row.binding));
                }
            }
        }
        continuations
    }

    /// The rows of `mode` and of the modes it falls back on, nearest mode first.
    pub(super) fn effective_rows(&self, mode: Mode) -> impl Iterator<Item = &ActiveBinding> {
        mode.chain().iter().flat_map(|near| self.rows_of(*near))
    }

    fn rows_of(&self, mode: Mode) -> &[ActiveBinding] {
        let own =
            |rows: &&Vec<ActiveBinding>| rows.first().is_some_and(|row| row.binding.mode == mode);
        self.modes().iter().find(own).map_or(&[], Vec::as_slice)
    }

    /// The keys of `row` that no other binding shadows in `mode`.
    pub(super) fn reachable_keys<'a>(
        &'a self,
        mode: Mode,
        row: &'a ActiveBinding,
    ) -> impl Iterator<Item = &'a KeySequence> {
        row.keys
            .iter()
            .filter(move |sequence| self.shadowing_binding(mode, row, sequence).is_none())
    }

    /// The row and sequence that match `pressed` in the nearest mode with a match. Prefers a full
    /// match to a match of the start of a sequence.
    fn best_match(&self, mode: Mode, pressed: &[Key]) -> Option<(&ActiveBinding, &KeySequence)> {
        mode.chain().iter().find_map(|near| {
            let rows = self.rows_of(*near);
            let prefixed = || {
                rows.iter()
                    .flat_map(|row| row.keys.iter().map(move |sequence| (row, sequence)))
                    .filter(|(_, sequence)| sequence.starts_with(pressed))
            };
            prefixed()
                .find(|(_, sequence)| sequence.keys() == pressed)
                .or_else(|| prefixed().next())
        })
    }

    /// The binding that receives the keys of `sequence` in `mode` instead of `row`.
    pub(super) fn shadowing_binding(
        &self,
        mode: Mode,
        row: &ActiveBinding,
        sequence: &KeySequence,
    ) -> Option<(&ActiveBinding, &KeySequence)> {
        let keys = sequence.keys();
        (1..=keys.len()).find_map(|count| {
            let (other, by) = self.best_match(mode, keys.get(..count)?)?;
            let is_complete = by.keys().len() == count;
            let is_same_row = other.id() == row.id();
            let waits = count < keys.len() && !is_complete;
            (!is_same_row && !waits).then_some((other, by))
        })
    }
}

#[cfg(test)]
#[path = "map_tests.rs"]
mod tests;
