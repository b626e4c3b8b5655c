//! What a plan reads and what it must be told: the tokens, the time, the policy and the digests
//! of new secrets. Implemented and filled in by the service.

use std::collections::HashMap;

use chrono::NaiveDateTime;

use super::Refusal;
use crate::domain::{
    Timestamp,
    catalogue::Catalogue,
    event::{Actor, AuditEvent},
    id::TokenId,
    lifetime::{Lifetime, LifetimeLimits},
    name::Name,
    secret::{Digest, Prefix},
    token::Token,
};

/// The reads that a plan needs, all of one snapshot.
pub trait ReadTokens {
    /// A failed read, or a refusal.
    type Error: From<Refusal>;

    /// The token with this id.
    fn token(&self, id: &TokenId) -> Result<Option<Token>, Self::Error>;
    /// The id of the token with this name.
    fn id_of_name(&self, name: &Name) -> Result<Option<TokenId>, Self::Error>;
    /// Every token that can be read.
    fn tokens(&self) -> Result<Vec<Token>, Self::Error>;
    /// Every deleted token with the time of its deletion, the latest first.
    fn deleted(&self) -> Result<Vec<(Token, Timestamp)>, Self::Error>;
    /// The newest event of a token.
    fn last_event(&self, id: &TokenId) -> Result<Option<AuditEvent>, Self::Error>;
    /// The time of the newest event of all.
    fn newest_event_at(&self) -> Result<Option<Timestamp>, Self::Error>;
}

/// The digests of the secrets that a command issues, by token. A preview has none.
#[derive(Debug, Clone, Default)]
pub struct NewDigests(HashMap<TokenId, Digest>);

impl NewDigests {
    /// The digest of the new secret of `id`; all zeros in a preview.
    pub fn of(&self, id: &TokenId) -> Digest {
        self.0.get(id).copied().unwrap_or(Digest::from_bytes([0; 32]))
    }

    /// The id of the only token; a placeholder in a preview.
    pub fn only_id(&self) -> TokenId {
        self.0.keys().next().copied().unwrap_or(TokenId::PLACEHOLDER)
    }
}

impl FromIterator<(TokenId, Digest)> for NewDigests {
    fn from_iter<I: IntoIterator<Item = (TokenId, Digest)>>(digests: I) -> Self {
        Self(digests.into_iter().collect())
    }
}

/// Everything else that a plan depends on.
#[derive(Debug, Clone, Copy)]
pub struct PlanContext<'a> {
    /// The time that statuses are judged by.
    pub at: Timestamp,
    /// The time of the machine's clock.
    pub clock: Timestamp,
    /// The acting operator.
    pub actor: &'a Actor,
    /// The first part of new secrets.
    pub prefix: &'a Prefix,
    /// The limits of a lifetime.
    pub limits: &'a LifetimeLimits,
    /// What each entity type offers.
    pub catalogue: &'a Catalogue,
    /// Converts a local wall-clock time to an instant.
    pub to_utc: fn(NaiveDateTime) -> Timestamp,
    /// The time of the deletion that this one belongs to; `None` for one of its own.
    pub deletion: Option<Timestamp>,
    /// The digests of the new secrets.
    pub digests: &'a NewDigests,
}

impl PlanContext<'_> {
    /// When a secret issued now with this lifetime expires; `None` for never.
    pub(super) fn expiry(&self, lifetime: Lifetime) -> Result<Option<Timestamp>, Refusal> {
        Ok(lifetime.expiry(self.at, self.limits, self.to_utc)?)
    }
}
