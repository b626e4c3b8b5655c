//! The error of all use cases: a rule refused the change, or the store or the system failed.
//! Nothing was changed, except for [`ServiceError::StillDenied`] and [`ServiceError::Interrupted`],
//! and possibly for [`ServiceError::ResultUnknown`]. The app and the command line print the texts.

use std::path::{Path, PathBuf};

use super::secret_file::SecretFileError;
use crate::{
    domain::{
        Command, NameError, Plan, Refusal, ScopeError, ScopePresetError, TokensToDelete, counted,
        grouped,
    },
    store::StoreError,
};

/// Why a use case failed. Nothing was changed unless a variant says otherwise.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// No token matches this id, name or prefix. `similar` is the name of a token that differs in
    /// one or two letters.
    #[error("token {} not found", crate::domain::terminal_text::escape(.given))]
    NotFound { given: String, similar: Option<String> },
    /// The token with this name was deleted and can be restored.
    #[error("token {} was deleted", crate::domain::terminal_text::escape(.0))]
    Deleted(String),
    /// Like `Deleted`, but no restore makes a secret of the token work again.
    #[error("token {} was deleted", crate::domain::terminal_text::escape(.0))]
    DeletedForGood(String),
    /// No token that can be restored matches this id, name or prefix.
    #[error("no deleted token matches {}", crate::domain::terminal_text::escape(.0))]
    NotDeleted(String),
    /// A name or a prefix matches several tokens.
    #[error("several tokens match {}: {candidates}", crate::domain::terminal_text::escape(.given))]
    Ambiguous { given: String, candidates: String },
    #[error(transparent)]
    Name(#[from] NameError),
    #[error(transparent)]
    Preset(#[from] ScopePresetError),
    /// The store was changed after the confirmation. `plan` is the new plan, which differs from the
    /// confirmed one.
    #[error("{}", changed_meanwhile(.plan, *.expected))]
    ChangedMeanwhile {
        plan: Box<Plan>,
        /// Number of tokens that the confirmed plan changes.
        expected: usize,
    },
    #[error(transparent)]
    SecretFile(#[from] SecretFileError),
    /// The result of the commit is unknown. The new secrets were printed, or are in `file`.
    #[error("{cause}. The tokens may or may not have been changed: check them before you use the {}", new_secrets(.file.as_deref()))]
    ResultUnknown { cause: Box<ServiceError>, file: Option<PathBuf> },
    /// A new secret could not be printed, so nothing was changed.
    #[error(
        "cannot print the new secret ({0}); nothing was changed: check the output, or write the secret to a file with --secret-file"
    )]
    NotPrinted(std::io::Error),
    /// The commit failed after the new secret was printed.
    #[error("{0}. The printed secret does not work: discard it")]
    PrintedSecretVoid(Box<ServiceError>),
    /// The change was saved, but the revocation register still denies the secrets that the change
    /// permits: it could not be updated, or another change has ended them since.
    #[error("the change was saved, but its secrets are still denied: {}", still_denied(.0.as_ref()))]
    StillDenied(Option<StoreError>),
    /// A job stopped between two batches. `changed` of its `total` tokens are changed.
    #[error("{cause}; {} of {} are done", grouped(.changed), counted(.total, "token"))]
    Interrupted { cause: Box<ServiceError>, changed: usize, total: usize },
    #[error("nothing was changed, because the system's random source failed ({0}): try again")]
    Entropy(String),
}

impl ServiceError {
    /// Whether another process held the lock of the store until the lock timeout.
    pub fn is_busy(&self) -> bool {
        matches!(self, Self::Store(StoreError::Busy { .. }))
    }

    /// Whether the change was refused because the store is open in read-only mode.
    pub fn is_read_only_mode(&self) -> bool {
        matches!(self, Self::Store(StoreError::ReadOnlyMode))
    }
}

impl From<ScopeError> for ServiceError {
    fn from(error: ScopeError) -> Self {
        Self::Refused(error.into())
    }
}

fn still_denied(cause: Option<&StoreError>) -> String {
    let ended = || "another change has ended them since".to_owned();
    cause.map_or_else(ended, ToString::to_string)
}

fn new_secrets(file: Option<&Path>) -> String {
    file.map_or_else(
        || "printed secret".to_owned(),
        |file| format!("new secrets in {}", file.display()),
    )
}

fn changed_meanwhile(plan: &Plan, expected: usize) -> String {
    let all = Command::Delete { tokens: TokensToDelete::All };
    let count = plan.change_count();
    if plan.command == all && count != expected {
        let (now, expected) = (counted(count, "token"), grouped(expected));
        return format!(
            "nothing was deleted, because the store now has {now} instead of {expected}: check the list and try again"
        );
    }
    "nothing was done, because the store was changed in the meantime: check the tokens and try again".to_owned()
}
