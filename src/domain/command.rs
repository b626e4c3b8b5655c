//! A change of tokens as data: what an operator wants done, to one token or to many. Both front
//! ends build commands, [`plan`](super::plan::plan) says what one would do, and the service
//! executes it. Holds ids, never secrets; refuses nothing itself.

use super::{
    Timestamp,
    id::TokenId,
    lifetime::Lifetime,
    name::{Description, Name},
    scope::Scope,
    secret::{Digest, Secret},
    token::{Overlap, Token},
};

/// One change of the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Issue a token.
    Create {
        token: NewToken,
        /// The new file that takes its secret; `None` returns the secret to the caller.
        secret_file: Option<String>,
    },
    /// Change name or description; `None` leaves a field as it is.
    Edit {
        token: TokenId,
        /// Its new name.
        name: Option<Name>,
        /// Its new description; empty for none.
        description: Option<Description>,
    },
    /// Add to each token those scopes that it does not hold yet.
    AddScopes { tokens: Vec<TokenId>, scopes: Vec<Scope> },
    /// Remove scopes from each token.
    RemoveScopes { tokens: Vec<TokenId>, scopes: ScopeSelection },
    /// End each token: its secrets stop working.
    Revoke { tokens: Vec<TokenId> },
    /// End the tokens of those of these secrets that still work; leaves out the others.
    RevokeLeaked {
        /// Secrets that were found where they do not belong.
        secrets: Vec<LeakedSecret>,
    },
    /// End the previous secret of each token before its overlap is over.
    EndOverlap { tokens: Vec<TokenId> },
    /// Give each token a new secret and a new lifetime; it is active again.
    Regenerate {
        tokens: Vec<TokenId>,
        /// How long each is valid from now.
        lifetime: Lifetime,
        /// How long the old secret of an active token keeps working.
        overlap: Overlap,
        /// The new file that takes the secrets: the bare secret of one token; name, tab and
        /// secret in a line for each of several. `None` returns them to the caller.
        secret_file: Option<String>,
    },
    /// Delete tokens; they can be restored for 24 hours.
    Delete { tokens: TokenSelection },
    /// Bring back deleted tokens, with their secrets.
    Restore(RestoreTarget),
    /// Take back edits and changes of scopes, unless somebody changed the same since.
    Revert(Vec<Edited>),
    /// Record how the operator took the secret behind `digest`.
    RecordDelivery {
        token: TokenId,
        /// The digest of the secret that was delivered.
        digest: Digest,
        /// The way it took.
        how: Delivery,
    },
    /// Judge expiry by the machine's clock again, after it was ahead and has been set back.
    AcceptClock,
    /// Remove deleted tokens whose 24 hours are over.
    PurgeTrash,
}

/// The content of a token to be issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewToken {
    /// Its name, which no other token may have.
    pub name: Name,
    /// What it is for.
    pub description: Description,
    /// How long it is valid.
    pub lifetime: Lifetime,
    /// What it may do.
    pub scopes: Vec<Scope>,
}

/// Which scopes of a token a command removes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScopeSelection {
    /// These; each must be held.
    Listed(Vec<Scope>),
    /// All that it holds.
    All,
}

/// Which tokens a command deletes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenSelection {
    Listed(Vec<TokenId>),
    /// Every token of the store.
    All,
}

/// Which deleted tokens a command restores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RestoreTarget {
    Token(TokenId),
    /// All that were deleted together, at this time.
    Deletion(Timestamp),
    /// All of the acting operator's own latest deletion.
    LastDeletion,
}

/// A token before and after an edit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edited {
    /// The record before the edit.
    pub before: Token,
    /// The record that the edit wrote.
    pub after: Token,
}

/// A secret that was found where it does not belong: its token, and the proof that it is real.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeakedSecret {
    /// The token in the secret's text.
    pub id: TokenId,
    /// The digest of the secret.
    pub digest: Digest,
}

impl From<&Secret> for LeakedSecret {
    fn from(secret: &Secret) -> Self {
        Self { id: secret.id(), digest: secret.digest() }
    }
}

/// How an operator took a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// It was sent to the clipboard.
    Copied,
    /// It was written to a file.
    Written,
    /// It was printed.
    Printed,
    /// The operator confirmed having saved it.
    Acknowledged,
}

impl Delivery {
    /// The text of its audit event.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Copied => "sent to the clipboard",
            Self::Written => "written to a file",
            Self::Printed => "printed",
            Self::Acknowledged => "said to be saved",
        }
    }
}

impl Command {
    /// The tokens that it names, in its order, each as often as it names it.
    pub fn tokens(&self) -> &[TokenId] {
        match self {
            Self::AddScopes { tokens, .. }
            | Self::RemoveScopes { tokens, .. }
            | Self::Revoke { tokens }
            | Self::EndOverlap { tokens }
            | Self::Regenerate { tokens, .. }
            | Self::Delete { tokens: TokenSelection::Listed(tokens) } => tokens,
            Self::Edit { token, .. }
            | Self::RecordDelivery { token, .. }
            | Self::Restore(RestoreTarget::Token(token)) => std::slice::from_ref(token),
            Self::Create { .. }
            | Self::RevokeLeaked { .. }
            | Self::Delete { tokens: TokenSelection::All }
            | Self::Restore(RestoreTarget::Deletion(_) | RestoreTarget::LastDeletion)
            | Self::Revert(_)
            | Self::AcceptClock
            | Self::PurgeTrash => &[],
        }
    }

    /// The same command for `tokens` instead of those that it names; a command that names none
    /// stays as it is.
    #[must_use]
    pub fn for_tokens(mut self, ids: Vec<TokenId>) -> Self {
        match &mut self {
            Self::AddScopes { tokens, .. }
            | Self::RemoveScopes { tokens, .. }
            | Self::Revoke { tokens }
            | Self::EndOverlap { tokens }
            | Self::Regenerate { tokens, .. }
            | Self::Delete { tokens: TokenSelection::Listed(tokens) } => *tokens = ids,
            Self::Create { .. }
            | Self::Edit { .. }
            | Self::RevokeLeaked { .. }
            | Self::Delete { tokens: TokenSelection::All }
            | Self::Restore(_)
            | Self::Revert(_)
            | Self::RecordDelivery { .. }
            | Self::AcceptClock
            | Self::PurgeTrash => {}
        }
        self
    }

    /// The file that takes new secrets, if it names one.
    pub fn secret_file(&self) -> Option<&str> {
        match self {
            Self::Create { secret_file, .. } | Self::Regenerate { secret_file, .. } => {
                secret_file.as_deref()
            }
            _ => None,
        }
    }
}
