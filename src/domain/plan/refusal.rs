//! Why a rule refused a command, or left a token out of it. Nothing was changed. The front ends
//! print these sentences as they are.

use crate::domain::{
    id::TokenId, lifetime::LifetimeError, name::Name, scope::ScopeError, token::TransitionError,
};

/// Why nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no such token.
    #[error("there is no token {0}: it was deleted meanwhile, nothing was changed")]
    Gone(TokenId),
    /// The name belongs to another token.
    #[error("another token is called {0}: choose another name")]
    NameTaken(Name),
    /// A lifetime was refused.
    #[error(transparent)]
    Lifetime(#[from] LifetimeError),
    /// A scope was refused.
    #[error(transparent)]
    Scope(#[from] ScopeError),
    /// The token's status does not allow it.
    #[error(transparent)]
    Transition(#[from] TransitionError),
    /// The delivered secret is not the current one.
    #[error(
        "somebody regenerated {0} meanwhile: the secret that you have is not its present one, its events tell who did it"
    )]
    Replaced(Name),
    /// The leaked secret does not work.
    #[error("its secret does not work any more: nothing to revoke")]
    NotWorking,
    /// One of several was refused, and the others with it.
    #[error("{name}: {why}")]
    OneOfMany { name: Name, why: Box<Refusal> },
    /// The command names more tokens than one transaction may change.
    #[error("{0} tokens are too many at once: at most {max} are changed together, mark fewer", max = super::MAX_TOKENS)]
    TooMany(usize),
    /// No deleted token to restore, or its time is over.
    #[error("nothing can be brought back: a deleted token is kept for 24 hours")]
    NothingToRestore,
    /// Undoing would discard what somebody changed since.
    #[error(
        "the {what} of {name} changed again since: nothing was undone, its events tell who did it"
    )]
    ChangedSince {
        /// The field: `name`, `description` or `scopes`.
        what: &'static str,
        name: Name,
    },
    /// The latest deletion was another operator's.
    #[error("nothing of yours to undo; `patdeck restore` brings back {name}, which {by} deleted")]
    DeletedByAnother {
        /// The token that was deleted last.
        name: Name,
        /// Who deleted it.
        by: String,
    },
}
