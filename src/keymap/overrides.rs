//! Laying the operator's `[keys]` over the table. Refuses what clashes, steals text or locks the
//! operator in, and reports all of it at once. Called by `Keymap::new`.

use super::map::{Place, Row};
use super::suggest::{advice, nearest};
use super::{Action, BINDINGS, KeyFault, Keymap, Mode, Sequence};

/// One line of `[keys]`: in this mode, this action gets these keys instead of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    pub mode: String,
    pub action: String,
    /// The keys; none takes the action's keys away.
    pub keys: Vec<String>,
}

impl Keymap {
    /// The table with `overrides` laid over it, or every fault with the index of the override
    /// that it is in.
    pub fn new(overrides: &[Override]) -> Result<Self, Vec<(usize, KeyFault)>> {
        let mut map = Self::default();
        let mut faults = Vec::new();
        let mut changed = Vec::new();
        for (at, line) in overrides.iter().enumerate() {
            let (place, found) = map.apply(line);
            changed.extend(place.map(|place| (at, place)));
            faults.extend(found.into_iter().map(|fault| (at, fault)));
        }
        map.clashes(&changed, &mut faults);
        map.lockouts(&changed, &mut faults);
        faults.sort_by_key(|(at, _)| *at);
        if faults.is_empty() { Ok(map) } else { Err(faults) }
    }

    /// Lays one line over the table: the place of its row, if there is one, and what is wrong.
    /// Sound keys are laid over even beside faulty ones, lest a clash be told that is none.
    fn apply(&mut self, line: &Override) -> (Option<Place>, Vec<KeyFault>) {
        let mode = match mode(&line.mode) {
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
            match text.parse::<Sequence>() {
                Ok(key) if steals_text(mode, &key) => {
                    faults.push(KeyFault::Text { mode, key, action });
                }
                Ok(key) if row.keys.contains(&key) => {}
                Ok(key) => row.keys.push(key),
                Err(error) => faults.push(KeyFault::Key { mode, action, error }),
            }
        }
        (Some(row.place()), faults)
    }

    /// Keys that have two meanings in one mode, told once for each pair of rows and keys.
    fn clashes(&self, changed: &[(usize, Place)], faults: &mut Vec<(usize, KeyFault)>) {
        let line = |one: Place, other: Place| {
            let by = changed.iter().rev().find(|(_, at)| *at == one || *at == other);
            by.map_or(0, |(line, _)| *line)
        };
        for rows in self.modes() {
            for (index, row) in rows.iter().enumerate() {
                for other in rows.iter().skip(index + 1) {
                    for one in &row.keys {
                        let clash =
                            other.keys.iter().filter_map(|two| clash((row, one), (other, two)));
                        let line = || line(row.place(), other.place());
                        faults.extend(clash.map(|fault| (line(), fault)));
                    }
                }
            }
        }
    }

    /// Needed actions that no key leads to any more, though one did in the table.
    fn lockouts(&self, changed: &[(usize, Place)], faults: &mut Vec<(usize, KeyFault)>) {
        let line = |wanted: &Row| {
            changed.iter().find_map(|(line, at)| (*at == wanted.place()).then_some(*line))
        };
        let table = Self::default();
        for mode in Mode::ALL {
            if table.chained(mode).eq(self.chained(mode)) {
                continue;
            }
            let rows = table.chained(mode).zip(self.chained(mode));
            for (before, now) in rows {
                let (home, action) = now.place();
                if !needed(home, action)
                    || table.live(mode, before).next().is_none()
                    || self.live(mode, now).next().is_some()
                {
                    continue;
                }
                // The modes that fall back on the one where it is hidden lose it by the same line.
                let told = |by: Action| {
                    faults.iter().any(|(_, fault)| {
                        matches!(fault, KeyFault::Hidden { action: lost, by: other, .. }
                            if (*lost, *other) == (action, by))
                    })
                };
                let hidden = now.keys.iter().find_map(|key| self.hider(mode, now, key));
                match hidden {
                    // Within one mode it is a clash, and told as such.
                    Some((by, _)) if by.binding.mode == home || told(by.binding.action) => {}
                    Some((by, key)) => {
                        let at = line(by).or_else(|| line(now));
                        let (key, by) = (key.clone(), by.binding.action);
                        let fault = KeyFault::Hidden { mode, key, action, by };
                        faults.push((at.unwrap_or(0), fault));
                    }
                    // A farther mode's loss is told once, where it happened.
                    None if mode != home => {}
                    None => {
                        let at = line(now).unwrap_or(0);
                        // Keys that were refused are not keys that were taken away.
                        if !faults.iter().any(|(line, _)| *line == at) {
                            faults.push((at, KeyFault::Needed { mode, action }));
                        }
                    }
                }
            }
        }
    }
}

/// Without these an operator could not leave, learn how to, or save a new secret.
fn needed(home: Mode, action: Action) -> bool {
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

/// Whether `key` would be missing from what can be typed. The scope rows show text but take none.
pub(super) fn steals_text(mode: Mode, key: &Sequence) -> bool {
    let typed = mode == Mode::Always || (mode.takes_text() && mode != Mode::Rows);
    typed && key.keys().first().is_some_and(|key| key.character().is_some())
}

fn clash((row, one): (&Row, &Sequence), (other, two): (&Row, &Sequence)) -> Option<KeyFault> {
    let mode = row.binding.mode;
    let (mine, theirs) = (row.binding.action, other.binding.action);
    if one == two {
        let (key, actions) = (one.clone(), (mine, theirs));
        return Some(KeyFault::Twice { mode, key, actions });
    }
    let begins = |short: &Sequence, long: &Sequence, actions| KeyFault::Begins {
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

/// The mode that the operator calls `word`.
pub fn mode(word: &str) -> Result<Mode, KeyFault> {
    Mode::ALL.into_iter().find(|mode| mode.as_str() == word).ok_or_else(|| KeyFault::Mode {
        given: word.to_owned(),
        advice: advice(word, Mode::ALL.map(Mode::as_str)),
    })
}

/// Names the nearest action of the mode; failing that, the mode in which the word is known.
fn unknown_action(mode: Mode, line: &Override) -> KeyFault {
    let known = || BINDINGS.iter().filter(|binding| binding.mode == mode);
    let words = || known().map(|binding| binding.action.as_str());
    let elsewhere = BINDINGS
        .iter()
        .find(|binding| binding.action.as_str() == line.action)
        .map(|binding| format!("it belongs into [keys.{}]", binding.mode.as_str()));
    let advice = match nearest(&line.action, words()) {
        Some(_) => advice(&line.action, words()),
        None => elsewhere.unwrap_or_else(|| advice(&line.action, words())),
    };
    KeyFault::Action { mode, given: line.action.clone(), advice }
}
