//! The reasons why a command is refused or a token is skipped. In either case nothing was changed.
//! The front ends print these messages unchanged.

use crate::domain::{
    count::grouped, id::TokenId, lifetime::LifetimeError, name::Name, scope::ScopeError,
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
    /// A scope cannot be added or removed.
    #[error(transparent)]
    Scope(#[from] ScopeError),
    /// The status of the token does not allow the change.
    #[error(transparent)]
    Transition(#[from] TransitionError),
    /// The delivered secret is not the current one.
    #[error(
        "{0} was regenerated again, so your secret is not the current one: see the events of the token for who did it"
    )]
    SecretReplaced(Name),
    /// The leaked secret does not work.
    #[error("the secret no longer works: nothing to revoke")]
    SecretNotWorking,
    /// One of several tokens was refused, and therefore the whole command.
    #[error("{name}: {reason}")]
    ForToken { name: Name, reason: Box<Refusal> },
    /// The command names more tokens than one transaction may change.
    #[error("too many tokens ({count}): select at most {max}", count = grouped(.0), max = grouped(super::MAX_TOKENS))]
    TooManyTokens(usize),
    /// No deleted token matches, or its 24 hours are over.
    #[error("nothing to restore: deleted tokens are kept for 24 hours")]
    NothingToRestore,
    /// The undo would discard a later change.
    #[error("can't undo: the {field} of {name} changed again, see its events for who did it")]
    ChangedSince {
        /// The field: `name`, `description` or `scopes`.
        field: &'static str,
        name: Name,
    },
    /// The latest deletion was another operator's.
    #[error("nothing of yours to restore: {by} deleted {name}, restore it with `patdeck restore`")]
    DeletedByAnother {
        /// The name of the token that was deleted last.
        name: Name,
        /// The actor who deleted it.
        by: String,
    },
}
