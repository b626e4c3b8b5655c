//! Commands: changes of one or more tokens as data. Both front ends build commands,
//! [`plan`](super::plan::plan) computes their effect and the service executes them. A command
//! contains ids and digests but no secrets, and validates nothing itself.

use super::{
    Timestamp,
    id::TokenId,
    label::{LabelChanges, Labels},
    lifetime::Lifetime,
    limits::LimitChanges,
    name::{Description, Name, Owner},
    overlap::SecretOverlap,
    scope::Scope,
    secret::{Digest, Secret},
    token::Token,
};

/// A change of the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Create a token.
    Create {
        token: NewToken,
        /// Path of the new file to write the secret to. If `None`, the secret is returned to the
        /// caller.
        secret_file: Option<String>,
    },
    /// Change the name, the description, the limits, the labels or the owner.
    Edit { token: TokenId, changes: FieldChanges },
    /// Add to each token the scopes that it does not have yet.
    AddScopes { tokens: Vec<TokenId>, scopes: Vec<Scope> },
    /// Remove scopes from each token.
    RemoveScopes { tokens: Vec<TokenId>, scopes: ScopesToRemove },
    /// Remove `removed` from the token, then add `added`, all or none.
    ChangeScopes { token: TokenId, added: Vec<Scope>, removed: Vec<Scope> },
    /// Revoke each token: its secrets stop working.
    Revoke { tokens: Vec<TokenId> },
    /// Revoke the tokens whose leaked secret still works, and skip the others.
    RevokeLeaked { secrets: Vec<LeakedSecret> },
    /// End the overlap of each token early: its previous secret stops working.
    EndOverlap { tokens: Vec<TokenId> },
    /// Give each token a new secret and a new expiry. Revoked and expired tokens become active.
    Regenerate {
        tokens: Vec<TokenId>,
        /// The lifetime of the new secrets, counted from now. If `None`, each token keeps its own
        /// last lifetime.
        lifetime: Option<Lifetime>,
        /// How long the previous secret of an active token keeps working.
        overlap: SecretOverlap,
        /// Path of the new file to write the secrets to. For a single token, the file contains the
        /// bare secret. For several tokens, each line contains a name, a tab and a secret. If
        /// `None`, the secrets are returned to the caller.
        secret_file: Option<String>,
    },
    /// Delete tokens. They can be restored for 24 hours.
    Delete { tokens: TokensToDelete },
    /// Restore deleted tokens with their secrets.
    Restore(TokensToRestore),
    /// Undo edits and scope changes. The command is refused if a field has changed again since the
    /// edit.
    Revert(Vec<TokenEdit>),
    /// Record how a secret was delivered to the operator.
    RecordDelivery { token: TokenId, digest: Digest, method: DeliveryMethod },
    /// Decide expiry by the system clock again, after the clock ran ahead and was set back.
    AcceptClock,
    /// Permanently remove tokens that were deleted at least 24 hours ago.
    PurgeTrash,
}

/// The properties of a token to create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewToken {
    /// The name, which must be unique in the store.
    pub name: Name,
    pub description: Description,
    pub lifetime: Lifetime,
    pub scopes: Vec<Scope>,
    pub limits: LimitChanges,
    pub labels: Labels,
    /// The owner. If the text is empty, the creator is the owner.
    pub owner: Owner,
}

/// The changes of an edit. A field that is `None` or empty stays unchanged.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FieldChanges {
    pub name: Option<Name>,
    /// The new description. An empty text removes the description.
    pub description: Option<Description>,
    pub limits: LimitChanges,
    pub labels: LabelChanges,
    /// The new owner. With an empty text, the creator is the owner.
    pub owner: Option<Owner>,
}

impl FieldChanges {
    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Which scopes of a token a command removes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScopesToRemove {
    /// Remove these scopes. The token must have each of them.
    Listed(Vec<Scope>),
    All,
}

/// Which tokens a command deletes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokensToDelete {
    Listed(Vec<TokenId>),
    /// Every token of the store.
    All,
}

/// Which deleted tokens a command restores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokensToRestore {
    Token(TokenId),
    /// All tokens deleted together at this time.
    Deletion(Timestamp),
    /// All tokens of the latest deletion by the acting operator.
    LastDeletion,
}

/// A token before and after an edit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenEdit {
    pub before: Token,
    pub after: Token,
}

/// A secret found by a scan: the token id in its text, and the digest that is compared with the
/// store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeakedSecret {
    pub id: TokenId,
    pub digest: Digest,
}

impl From<&Secret> for LeakedSecret {
    fn from(secret: &Secret) -> Self {
        Self { id: secret.id(), digest: secret.digest() }
    }
}

/// How a secret was delivered to the operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryMethod {
    /// Sent to the clipboard of the terminal or the desktop.
    Copied,
    /// Written to a file.
    Written,
    /// Printed to standard output.
    Printed,
    /// Marked as saved by the operator.
    Acknowledged,
}

impl DeliveryMethod {
    /// The detail text of the audit event. The text is stored, so it must not change.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Copied => "sent to the clipboard",
            Self::Written => "written to a file",
            Self::Printed => "printed",
            Self::Acknowledged => "marked as saved",
        }
    }
}

impl Command {
    /// The tokens that the command names, in the order of the command and with duplicates.
    pub fn tokens(&self) -> &[TokenId] {
        match self {
            Self::AddScopes { tokens, .. }
            | Self::RemoveScopes { tokens, .. }
            | Self::Revoke { tokens }
            | Self::EndOverlap { tokens }
            | Self::Regenerate { tokens, .. }
            | Self::Delete { tokens: TokensToDelete::Listed(tokens) } => tokens,
            Self::Edit { token, .. }
            | Self::ChangeScopes { token, .. }
            | Self::RecordDelivery { token, .. }
            | Self::Restore(TokensToRestore::Token(token)) => std::slice::from_ref(token),
            Self::Create { .. }
            | Self::RevokeLeaked { .. }
            | Self::Delete { tokens: TokensToDelete::All }
            | Self::Restore(TokensToRestore::Deletion(_) | TokensToRestore::LastDeletion)
            | Self::Revert(_)
            | Self::AcceptClock
            | Self::PurgeTrash => &[],
        }
    }

    /// Returns the command with `ids` in place of its list of tokens. A command that has no list of
    /// tokens, or that names a single fixed token, is returned unchanged.
    #[must_use]
    pub fn for_tokens(mut self, ids: Vec<TokenId>) -> Self {
        match &mut self {
            Self::AddScopes { tokens, .. }
            | Self::RemoveScopes { tokens, .. }
            | Self::Revoke { tokens }
            | Self::EndOverlap { tokens }
            | Self::Regenerate { tokens, .. }
            | Self::Delete { tokens: TokensToDelete::Listed(tokens) } => *tokens = ids,
            Self::Create { .. }
            | Self::Edit { .. }
            | Self::ChangeScopes { .. }
            | Self::RevokeLeaked { .. }
            | Self::Delete { tokens: TokensToDelete::All }
            | Self::Restore(_)
            | Self::Revert(_)
            | Self::RecordDelivery { .. }
            | Self::AcceptClock
            | Self::PurgeTrash => {}
        }
        self
    }

    /// Whether the command gives tokens a new secret.
    pub fn issues_secrets(&self) -> bool {
        matches!(self, Self::Create { .. } | Self::Regenerate { .. })
    }

    /// The path of the file to write new secrets to, if the command has one.
    pub fn secret_file(&self) -> Option<&str> {
        match self {
            Self::Create { secret_file, .. } | Self::Regenerate { secret_file, .. } => {
                secret_file.as_deref()
            }
            _ => None,
        }
    }
}
