//! Why a use case was refused or failed: a rule, the store, or the system. Nothing was changed,
//! but for [`ServiceError::Unsure`]. Both front ends print the sentence.

use std::path::PathBuf;

use super::secret_file::SecretFileError;
use crate::{
    domain::{Command, NameError, Plan, PresetError, Refusal, ScopeError, TokenSelection},
    store::StoreError,
};

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// No token has this id, id prefix or name.
    #[error("there is no token {given}: `patdeck list --status all` shows them", given = crate::domain::terminal_text::escape(.0))]
    NotFound(String),
    /// The start of an id names several tokens.
    #[error("{given} is the start of several ids: write more of it; it may be {candidates}")]
    Ambiguous { given: String, candidates: String },
    #[error(transparent)]
    Name(#[from] NameError),
    #[error(transparent)]
    Preset(#[from] PresetError),
    /// The plan is not the one that was confirmed, because the store was changed since.
    #[error("{}", changed_meanwhile(.plan, *.expected))]
    ChangedMeanwhile {
        plan: Box<Plan>,
        /// How many tokens the confirmed plan changed.
        expected: usize,
    },
    #[error(transparent)]
    SecretFile(#[from] SecretFileError),
    /// The result of the commit is unknown, and the file with the new secrets was kept.
    #[error("{why}. Whether the tokens were changed is not known: {} is kept, its secrets work if they were: look at the tokens before you use it", .file.display())]
    Unsure { why: Box<ServiceError>, file: PathBuf },
    #[error("the system's random source failed ({0}): no token was made, try again")]
    Entropy(String),
}

impl ServiceError {
    /// Whether another process held the store for too long.
    pub fn is_busy(&self) -> bool {
        matches!(self, Self::Store(StoreError::Busy { .. }))
    }

    /// Whether it was refused because nothing may be changed.
    pub fn is_sealed(&self) -> bool {
        matches!(self, Self::Store(StoreError::ReadOnlyMode))
    }
}

impl From<ScopeError> for ServiceError {
    fn from(error: ScopeError) -> Self {
        Self::Refused(error.into())
    }
}

fn changed_meanwhile(plan: &Plan, expected: usize) -> String {
    let all = Command::Delete { tokens: TokenSelection::All };
    let now = plan.changes.len();
    if plan.command == all && now != expected {
        return format!(
            "there are {now} tokens now, not {expected}: nothing was deleted, look again"
        );
    }
    "it was changed meanwhile: nothing was done, look again".to_owned()
}
