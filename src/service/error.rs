//! Why a use case was refused or failed: the rule's own words, or the store's. Nothing was
//! changed in any of these cases. Shown as it is by both faces.

use std::path::PathBuf;

use super::handout::HandoutError;
use crate::{
    domain::{LifetimeError, Name, NameError, PresetError, ScopeError, TransitionError},
    store::StoreError,
};

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// The store refused or failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The token is not there.
    #[error("there is no token {0}: it was deleted meanwhile, nothing was changed")]
    Gone(String),
    /// Nothing is called so.
    #[error("there is no token {given}: `patdeck list --status all` shows them", given = crate::domain::text::escape(.0))]
    NotFound(String),
    /// The start of an id names several tokens.
    #[error("{given} is the start of several ids: write more of it; it may be {candidates}")]
    Ambiguous {
        /// What was written.
        given: String,
        /// What it may mean.
        candidates: String,
    },
    /// The name belongs to another token.
    #[error("another token is called {0}: choose another name")]
    NameTaken(Name),
    /// A name or a description was refused.
    #[error(transparent)]
    Name(#[from] NameError),
    /// A lifetime was refused.
    #[error(transparent)]
    Lifetime(#[from] LifetimeError),
    /// A scope was refused.
    #[error(transparent)]
    Scope(#[from] ScopeError),
    /// A preset was refused.
    #[error(transparent)]
    Preset(#[from] PresetError),
    /// The token's status does not allow it.
    #[error(transparent)]
    Transition(#[from] TransitionError),
    /// There are not as many tokens as the operator was told.
    #[error("there are {now} tokens now, not {expected}: nothing was deleted, look again")]
    CountChanged {
        /// How many the operator confirmed.
        expected: usize,
        /// How many there are.
        now: usize,
    },
    /// The secret that was taken is not the present one.
    #[error(
        "somebody regenerated {0} meanwhile: the secret that you have is not its present one, its events tell who did it"
    )]
    Replaced(Name),
    /// One of many was refused, and the others with it.
    #[error("{name}: {why}")]
    OneOfMany {
        /// Which.
        name: Name,
        /// Why.
        why: Box<ServiceError>,
    },
    /// It is not what the operator was shown any more.
    #[error("it was changed meanwhile: nothing was done, look again")]
    Changed,
    /// More than one transaction should hold.
    #[error("{0} tokens are too many at once: at most {max} are changed together, mark fewer", max = super::bulk::MOST)]
    TooMany(usize),
    /// The file for new secrets was refused.
    #[error(transparent)]
    Handout(#[from] HandoutError),
    /// Whether the change took place is not known, and its secrets were kept.
    #[error("{why}. Whether the tokens were changed is not known: {} is kept, its secrets work if they were: look at the tokens before you use it", .file.display())]
    Unsure {
        /// What happened.
        why: Box<ServiceError>,
        /// Where the secrets are.
        file: PathBuf,
    },
    /// Nothing to bring back, or too late.
    #[error("nothing can be brought back: a deleted token is kept for 24 hours")]
    NothingToRestore,
    /// Undoing would throw away what somebody did since.
    #[error(
        "the {what} of {name} changed again since: nothing was undone, its events tell who did it"
    )]
    ChangedMeanwhile {
        /// What of it.
        what: &'static str,
        /// Which token.
        name: Name,
    },
    /// The last delete was not one's own.
    #[error("nothing of yours to undo; `patdeck restore` brings back {name}, which {by} deleted")]
    DeletedByAnother {
        /// The token that was deleted last.
        name: Name,
        /// Who did it.
        by: String,
    },
    /// The system gave no random bytes.
    #[error("the system's random source failed ({0}): no token was made, try again")]
    Entropy(String),
}

impl ServiceError {
    /// Whether it was refused because nothing may be changed.
    pub fn is_sealed(&self) -> bool {
        matches!(self, Self::Store(StoreError::ReadOnlyMode))
    }
}
