//! Applies the `[keys]` of the config to the default bindings. Refuses conflicting keys, bindings of
//! typed characters, and overrides that leave an essential action without a key. Reports all faults
//! at once. Called by the config.

use super::map::{ActiveBinding, BindingId};
use super::suggest::{advice, nearest};
use super::{Action, BINDINGS, KeyFault, KeySequence, Keymap, Mode};

/// One entry of `[keys]`: replaces the default keys of an action in a mode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyOverride {
    pub mode: String,
    pub action: String,
    /// The keys; an empty list leaves the action without a key.
    pub keys: Vec<String>,
}

impl Keymap {
    /// The default bindings with `overrides` applied. Returns all faults, each with the index of its
    /// override.
    pub fn new(overrides: &[KeyOverride]) -> Result<Self, Vec<(usize, KeyFault)>> {
        let mut map = Self::default();
        let mut faults = Vec::new();
        let mut changed = Vec::new();
        for (at, line) in overrides.iter().enumerate() {
            let (id, found) = map.apply(line);
            changed.extend(id.map(|id| (at, id)));
            faults.extend(found.into_iter().map(|fault| (at, fault)));
        }
        map.report_conflicts(&changed, &mut faults);
        map.report_unreachable_actions(&changed, &mut faults);
        faults.sort_by_key(|(at, _)| *at);
        if faults.is_empty() { Ok(map) } else { Err(faults) }
    }

    /// Applies one override. Returns the id of its row, if the row exists, and the faults. Valid keys
    /// are applied even if others are faulty: a default key left in place would report a conflict
    /// that does not exist.
    fn apply(&mut self, line: &KeyOverride) -> (Option<BindingId>, Vec<KeyFault>) {
        let mode = match parse_mode(&line.mode) {
            Ok(mode) => mode,
            Err(fault) => return (None, vec![fault]),
        };
        let mut rows = self.modes_mut().iter_mut().flatten();
        let Some(row) =
            rows.find(|row| row.binding.mode == mode && row.binding.action.as_str() == line.action)
        else {
            return (None, vec![unknown_action(mode, line)]);
        };
        let action = row.binding.action;
        let mut faults = Vec::new();
        row.keys.clear();
        for text in &line.keys {
            match text.parse::<KeySequence>() {
                Ok(key) if is_typed_text(mode, &key) => {
                    faults.push(KeyFault::TypedCharacter { mode, key, action });
                }
                Ok(key) if row.keys.contains(&key) => {}
                Ok(key) => row.keys.push(key),
                Err(error) => faults.push(KeyFault::InvalidKey { mode, action, error }),
            }
        }
        (Some(row.id()), faults)
    }

    /// Adds a fault for each pair of conflicting keys within a mode.
    fn report_conflicts(
        &self,
        changed: &[(usize, BindingId)],
        faults: &mut Vec<(usize, KeyFault)>,
    ) {
        let line = |one: BindingId, other: BindingId| {
            let by = changed.iter().rev().find(|(_, at)| *at == one || *at == other);
            by.map_or(0, |(line, _)| *line)
        };
        for rows in self.modes() {
            for (index, row) in rows.iter().enumerate() {
                for other in rows.iter().skip(index + 1) {
                    for one in &row.keys {
                        let found =
                            other.keys.iter().filter_map(|two| conflict((row, one), (other, two)));
                        let line = || line(row.id(), other.id());
                        faults.extend(found.map(|fault| (line(), fault)));
                    }
                }
            }
        }
    }

    /// Adds a fault for each essential action that has a default key but no reachable key left.
    fn report_unreachable_actions(
        &self,
        changed: &[(usize, BindingId)],
        faults: &mut Vec<(usize, KeyFault)>,
    ) {
        let line = |row: &ActiveBinding| {
            changed.iter().find_map(|(line, at)| (*at == row.id()).then_some(*line))
        };
        let table = Self::default();
        for mode in Mode::ALL {
            if table.effective_rows(mode).eq(self.effective_rows(mode)) {
                continue;
            }
            let rows = table.effective_rows(mode).zip(self.effective_rows(mode));
            for (before, now) in rows {
                let (home, action) = now.id();
                if !must_be_reachable(home, action)
                    || table.reachable_keys(mode, before).next().is_none()
                    || self.reachable_keys(mode, now).next().is_some()
                {
                    continue;
                }
                // The same override can shadow the action in several modes. Report the fault only
                // once.
                let is_reported = |by: Action| {
                    faults.iter().any(|(_, fault)| {
                        matches!(fault, KeyFault::ShadowedKey { action: lost, by: other, .. }
                            if (*lost, *other) == (action, by))
                    })
                };
                let shadowed =
                    now.keys.iter().find_map(|key| self.shadowing_binding(mode, now, key));
                match shadowed {
                    // `report_conflicts` has already reported conflicts within one mode.
                    Some((by, _)) if by.binding.mode == home || is_reported(by.binding.action) => {}
                    Some((by, key)) => {
                        let at = line(by).or_else(|| line(now));
                        let (key, by) = (key.clone(), by.binding.action);
                        let fault = KeyFault::ShadowedKey { mode, key, action, by };
                        faults.push((at.unwrap_or(0), fault));
                    }
                    // A missing key is reported once, in the mode of the action.
                    None if mode != home => {}
                    None => {
                        let at = line(now).unwrap_or(0);
                        // If the keys were refused, the fault of each key is already reported.
                        if !faults.iter().any(|(line, _)| *line == at) {
                            faults.push((at, KeyFault::MissingKey { mode, action }));
                        }
                    }
                }
            }
        }
    }
}

/// Whether the action must always have a key: without it an operator could not quit, cancel, read
/// the help or save a new secret.
fn must_be_reachable(home: Mode, action: Action) -> bool {
    home == Mode::Secret
        || matches!(
            action,
            Action::Quit
                | Action::Help
                | Action::Interrupt
                | Action::Accept
                | Action::Cancel
                | Action::Close
        )
}

/// Whether `key` starts with a character that `mode` needs for typed text. The scope rows show text
/// but accept none.
pub(super) fn is_typed_text(mode: Mode, key: &KeySequence) -> bool {
    let accepts_text = mode == Mode::Always || (mode.takes_text() && mode != Mode::Rows);
    accepts_text && key.keys().first().is_some_and(|key| key.character().is_some())
}

/// Returns a fault if the keys of two actions in a mode are equal, or if one key is a prefix of the
/// other.
fn conflict(
    (row, one): (&ActiveBinding, &KeySequence),
    (other, two): (&ActiveBinding, &KeySequence),
) -> Option<KeyFault> {
    let mode = row.binding.mode;
    let (mine, theirs) = (row.binding.action, other.binding.action);
    if one == two {
        let (key, actions) = (one.clone(), (mine, theirs));
        return Some(KeyFault::DuplicateKey { mode, key, actions });
    }
    let begins = |short: &KeySequence, long: &KeySequence, actions| KeyFault::PrefixConflict {
        mode,
        short: short.clone(),
        long: long.clone(),
        actions,
    };
    if two.starts_with(one.keys()) {
        Some(begins(one, two, (mine, theirs)))
    } else if one.starts_with(two.keys()) {
        Some(begins(two, one, (theirs, mine)))
    } else {
        None
    }
}

/// The mode with the label `word`.
pub fn parse_mode(word: &str) -> Result<Mode, KeyFault> {
    Mode::ALL.into_iter().find(|mode| mode.as_str() == word).ok_or_else(|| KeyFault::UnknownMode {
        given: word.to_owned(),
        advice: advice(word, Mode::ALL.map(Mode::as_str)),
    })
}

/// Suggests the nearest action of the mode, or else the mode that has this action.
fn unknown_action(mode: Mode, line: &KeyOverride) -> KeyFault {
    let known = || BINDINGS.iter().filter(|binding| binding.mode == mode);
    let words = || known().map(|binding| binding.action.as_str());
    let elsewhere = BINDINGS
        .iter()
        .find(|binding| binding.action.as_str() == line.action)
        .map(|binding| format!("it belongs in [keys.{}]", binding.mode.as_str()));
    let advice = match nearest(&line.action, words()) {
        Some(_) => advice(&line.action, words()),
        None => elsewhere.unwrap_or_else(|| advice(&line.action, words())),
    };
    KeyFault::UnknownAction { mode, given: line.action.clone(), advice }
}
