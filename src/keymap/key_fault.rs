//! The faults of the `[keys]` table in the config. Each message names the mode, the key and the
//! actions, and gives a remedy. Created by `overrides`, printed by the config with file and line.

use super::{Action, KeyError, KeySequence, Mode};
use crate::domain::terminal_text::escape;

/// A fault of an override.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyFault {
    #[error("unknown mode `{given}`: {advice}", given = escape(.given))]
    UnknownMode { given: String, advice: String },
    #[error("unknown action `{given}` in mode {mode}: {advice}", given = escape(.given), mode = .mode.as_str())]
    UnknownAction { mode: Mode, given: String, advice: String },
    #[error("{action} in mode {mode}: {error}", action = .action.as_str(), mode = .mode.as_str())]
    InvalidKey { mode: Mode, action: Action, error: KeyError },
    #[error("in mode {mode}, `{key}` is bound to both {one} and {other}: give one of them another key",
        mode = .mode.as_str(), one = .actions.0.as_str(), other = .actions.1.as_str())]
    DuplicateKey { mode: Mode, key: KeySequence, actions: (Action, Action) },
    /// A key is the prefix of a longer sequence, which could then never be completed.
    #[error("in mode {mode}, `{short}` ({one}) is a prefix of `{long}` ({other}): give one of them another key",
        mode = .mode.as_str(), one = .actions.0.as_str(), other = .actions.1.as_str())]
    PrefixConflict {
        mode: Mode,
        short: KeySequence,
        long: KeySequence,
        /// The action of `short` and the action of `long`.
        actions: (Action, Action),
    },
    #[error("in mode {mode}, `{key}` would be typed as text: give {action} a key such as Ctrl-G or Enter",
        mode = .mode.as_str(), action = .action.as_str())]
    TypedCharacter { mode: Mode, key: KeySequence, action: Action },
    /// An essential action has no key left.
    #[error("in mode {mode}, {action} must have a key: keep at least one", mode = .mode.as_str(), action = .action.as_str())]
    MissingKey { mode: Mode, action: Action },
    /// A key of a nearer mode shadows every key of an essential action.
    #[error("in mode {mode}, `{key}` is bound to {by}, which leaves {action} without a key: give {by} another key",
        mode = .mode.as_str(), action = .action.as_str(), by = .by.as_str())]
    ShadowedKey { mode: Mode, key: KeySequence, action: Action, by: Action },
}

impl KeyFault {
    /// The path of the setting in the config file, such as `keys.tokens.new`.
    pub fn setting(&self) -> String {
        let (mode, action) = match self {
            Self::UnknownMode { given, .. } => return format!("keys.{given}"),
            Self::UnknownAction { mode, given, .. } => {
                return format!("keys.{}.{given}", mode.as_str());
            }
            Self::InvalidKey { mode, action, .. }
            | Self::TypedCharacter { mode, action, .. }
            | Self::MissingKey { mode, action }
            | Self::DuplicateKey { mode, actions: (action, _), .. }
            | Self::PrefixConflict { mode, actions: (action, _), .. }
            | Self::ShadowedKey { mode, by: action, .. } => (mode, action),
        };
        format!("keys.{}.{}", mode.as_str(), action.as_str())
    }
}
