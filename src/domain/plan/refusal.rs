//! The reasons why a command is refused or a token is skipped. In either case nothing was changed.
//! The front ends print these messages unchanged.

use crate::domain::{
    Timestamp, count::grouped, id::TokenId, label::LabelError, lifetime::LifetimeError,
    limits::LimitError, name::Name, scope::ScopeError, time_text::second_text,
    token::TransitionError,
};

/// Why a command was refused, or why it skips a token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The token does not exist.
    #[error("token {0} not found: it was deleted in the meantime")]
    NotFound(TokenId),
    /// The name belongs to another token.
    #[error("another token is already named {0}: choose another name")]
    NameTaken(Name),
    /// The lifetime is not allowed.
    #[error(transparent)]
    Lifetime(#[from] LifetimeError),
    /// A limit is not allowed.
    #[error(transparent)]
    Limit(#[from] LimitError),
    /// A label cannot be set or removed.
    #[error(transparent)]
    Label(#[from] LabelError),
    /// A scope cannot be added or removed.
    #[error(transparent)]
    Scope(#[from] ScopeError),
    /// The status of the token does not allow the change.
    #[error(transparent)]
    Transition(#[from] TransitionError),
    /// The delivered secret is not the current one.
    #[error(
        "{0} was regenerated again, so your secret is no longer the current one: its events show who did this"
    )]
    SecretReplaced(Name),
    /// The leaked secret does not work.
    #[error("the secret does not work: nothing to revoke")]
    SecretNotWorking,
    /// The change of this token was refused, and therefore the whole command was refused.
    #[error("{name}: {reason}")]
    ForToken { name: Name, reason: Box<Refusal> },
    /// The command names more tokens than one command may name.
    #[error("too many tokens ({count}): select at most {max}", count = grouped(.0), max = grouped(super::MAX_TOKENS))]
    TooManyTokens(usize),
    /// One file must have all new secrets, so a regeneration is never saved in batches.
    #[error("too many tokens ({count}): regenerate at most {max} at once", count = grouped(.0), max = grouped(super::MAX_PER_TRANSACTION))]
    TooManySecrets(usize),
    /// No deleted token matches, or the matching tokens were deleted at least 24 hours ago.
    #[error("nothing to undo: no token was deleted in the last 24 hours")]
    NothingToRestore,
    /// The clock is behind the newest time in the store. One of the two times is wrong, so the
    /// lifetime of a new secret could be wrong, too.
    #[error(
        "the clock ({}) is behind the newest time in the store ({}): correct the clock, or accept it with `patdeck clock accept`",
        second_text(*.clock),
        second_text(*.newest)
    )]
    ClockBehind { clock: Timestamp, newest: Timestamp },
    /// An older copy of the store was put back, and the token was changed since that copy. A change of
    /// its record would give back what was taken from it.
    #[error(
        "{0} is out of date, because an older copy of the store was put back: revoke or delete it, or put the newer store back"
    )]
    StaleRecord(Name),
    /// The token was revoked or deleted while its record was out of date. No record and no new secret of
    /// it can work again.
    #[error(
        "the token was ended for good, because its record was older than the revocation register: create a new token"
    )]
    EndedForGood,
    /// An older copy of the store was put back, in which the token counts as ended.
    #[error(
        "the token was ended in a newer state of this store, of which an older copy was put back: delete it to end it in both"
    )]
    EndedInNewerStore,
    /// The undo would discard a later change.
    #[error(
        "cannot undo: the {field} of {name} has changed again since; its events show who did this"
    )]
    ChangedSince {
        /// The field: `name`, `description`, `scopes`, `limits`, `labels` or `owner`.
        field: &'static str,
        name: Name,
    },
    /// The acting operator has deleted no token, and another operator made the latest deletion.
    #[error(
        "you have deleted no token: {by} deleted {name}; to restore it, run `patdeck restore` with its name"
    )]
    DeletedByAnother {
        /// The name of the token that was deleted last.
        name: Name,
        /// The actor who deleted it.
        by: String,
    },
}

impl Refusal {
    /// Adds the name of the token whose change was refused.
    #[must_use]
    pub fn for_token(self, name: &Name) -> Self {
        Self::ForToken { name: name.clone(), reason: Box::new(self) }
    }
}
