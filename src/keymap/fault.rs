//! What can be wrong with the operator's `[keys]`. Each text names the mode, the key and the
//! actions, and says what to do. Made by `overrides`, shown by the config with file and line.

use super::{Action, KeyError, Mode, Sequence};
use crate::domain::terminal_text::escape;

/// What is wrong with an override.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyFault {
    #[error("there is no mode `{given}`: {advice}", given = escape(.given))]
    Mode { given: String, advice: String },
    #[error("there is no action `{given}` in mode {mode}: {advice}", given = escape(.given), mode = .mode.as_str())]
    Action { mode: Mode, given: String, advice: String },
    #[error("{action} in mode {mode}: {error}", action = .action.as_str(), mode = .mode.as_str())]
    Key { mode: Mode, action: Action, error: KeyError },
    #[error("in mode {mode}, `{key}` is both {one} and {other}: give one of them another key",
        mode = .mode.as_str(), one = .actions.0.as_str(), other = .actions.1.as_str())]
    Twice { mode: Mode, key: Sequence, actions: (Action, Action) },
    /// One key begins the sequence of another, which could then never be pressed.
    #[error("in mode {mode}, `{short}` ({one}) is how `{long}` ({other}) begins: give one of them another key",
        mode = .mode.as_str(), one = .actions.0.as_str(), other = .actions.1.as_str())]
    Begins {
        mode: Mode,
        short: Sequence,
        long: Sequence,
        /// Of the key, and of the sequence.
        actions: (Action, Action),
    },
    #[error("in mode {mode}, `{key}` is text that is typed: give {action} a key such as Ctrl-G or Enter",
        mode = .mode.as_str(), action = .action.as_str())]
    Text { mode: Mode, key: Sequence, action: Action },
    /// An action that must always have a key has none.
    #[error("in mode {mode}, {action} must have a key: leave it at least one", mode = .mode.as_str(), action = .action.as_str())]
    Needed { mode: Mode, action: Action },
    /// A key of a nearer mode hides every key of an action that must always have one.
    #[error("in mode {mode}, `{key}` ({by}) hides {action}, which must have a key: give {by} another key",
        mode = .mode.as_str(), action = .action.as_str(), by = .by.as_str())]
    Hidden { mode: Mode, key: Sequence, action: Action, by: Action },
}

impl KeyFault {
    /// The setting that it is about, as the file spells it.
    pub fn setting(&self) -> String {
        let (mode, action) = match self {
            Self::Mode { given, .. } => return format!("keys.{given}"),
            Self::Action { mode, given, .. } => return format!("keys.{}.{given}", mode.as_str()),
            Self::Key { mode, action, .. }
            | Self::Text { mode, action, .. }
            | Self::Needed { mode, action }
            | Self::Twice { mode, actions: (action, _), .. }
            | Self::Begins { mode, actions: (action, _), .. }
            | Self::Hidden { mode, by: action, .. } => (mode, action),
        };
        format!("keys.{}.{}", mode.as_str(), action.as_str())
    }
}
