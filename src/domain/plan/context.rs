//! Inputs of a plan: read access to the tokens, the time, the policy and the digests of new
//! secrets. The service implements the trait and fills the context.

use std::collections::HashMap;

use chrono::NaiveDateTime;

use super::{Refusal, StoredToken};
use crate::domain::{
    Timestamp,
    catalogue::ScopeCatalogue,
    command::DeliveryMethod,
    event::{Actor, AuditEvent, EventHash},
    id::TokenId,
    lifetime::{Lifetime, LifetimeError, LifetimeLimits},
    limits::{LimitChanges, TokenLimits},
    name::Name,
    secret::{Digest, SecretPrefix},
    time_range::{CLOCK_TOLERANCE, TIME_RESOLUTION},
    token::Token,
};

/// Read access for plans. All reads must see the same snapshot.
pub trait ReadTokens {
    /// The error of a failed read or a refused command.
    type Error: From<Refusal>;

    /// The token with this id, unless it is deleted.
    fn token(&self, id: &TokenId) -> Result<Option<Token>, Self::Error>;
    /// The state of the token with this id, unless it is deleted. A damaged record is not an error.
    fn stored(&self, id: &TokenId) -> Result<StoredToken, Self::Error>;
    /// The id of the token with this name.
    fn id_of_name(&self, name: &Name) -> Result<Option<TokenId>, Self::Error>;
    /// The name of a token that looks like `name` but is another name.
    fn lookalike_of(&self, name: &Name) -> Result<Option<Name>, Self::Error>;
    /// All tokens whose records are readable, and the ids of the tokens with damaged records.
    fn tokens(&self) -> Result<(Vec<Token>, Vec<TokenId>), Self::Error>;
    /// All tokens in the trash with their deletion times, the latest first.
    fn deleted(&self) -> Result<Vec<(Token, Timestamp)>, Self::Error>;
    /// The time of the last deletion whose token is still in the trash.
    fn newest_deletion(&self) -> Result<Option<Timestamp>, Self::Error>;
    /// At most `limit` tokens that were deleted at `until` or before, with their deletion times, the
    /// oldest first.
    fn deleted_until(
        &self,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<(Token, Timestamp)>, Self::Error>;
    /// Calls `visit` with each token, or with the id of a damaged record.
    fn visit_tokens(
        &self,
        visit: &mut dyn FnMut(Result<Token, TokenId>),
    ) -> Result<(), Self::Error> {
        let (tokens, damaged) = self.tokens()?;
        tokens.into_iter().map(Ok).chain(damaged.into_iter().map(Err)).for_each(visit);
        Ok(())
    }
    /// The number of tokens, including damaged records.
    fn token_count(&self) -> Result<usize, Self::Error> {
        self.tokens().map(|(tokens, damaged)| tokens.len().saturating_add(damaged.len()))
    }
    /// The token in the trash with this id, and the time of its deletion.
    fn deleted_token(&self, id: &TokenId) -> Result<Option<(Token, Timestamp)>, Self::Error> {
        Ok(self.deleted()?.into_iter().find(|(token, _)| token.id == *id))
    }
    /// The number of tokens in the trash that were deleted at this time.
    fn count_deleted_at(&self, at: Timestamp) -> Result<usize, Self::Error> {
        Ok(self.deleted()?.iter().filter(|(_, deleted)| *deleted == at).count())
    }
    /// At most `limit` tokens in the trash that were deleted at this time.
    fn deleted_at(&self, at: Timestamp, limit: usize) -> Result<Vec<Token>, Self::Error> {
        let deleted = self.deleted()?.into_iter().filter(|(_, deleted)| *deleted == at);
        Ok(deleted.map(|(token, _)| token).take(limit).collect())
    }
    /// The latest deletion before the time `before`, with one of its tokens. Without `before`, the
    /// latest deletion.
    fn deletion_before(
        &self,
        before: Option<Timestamp>,
    ) -> Result<Option<(Timestamp, TokenId)>, Self::Error> {
        let deleted = self.deleted()?.into_iter();
        let mut earlier = deleted.filter(|(_, at)| before.is_none_or(|before| *at < before));
        Ok(earlier.next().map(|(token, at)| (at, token.id)))
    }
    /// The number and the hash of the newest event of the store.
    fn newest_event(&self) -> Result<(u64, EventHash), Self::Error>;
    /// The newest event of the token with this id.
    fn newest_event_of(&self, id: &TokenId) -> Result<Option<AuditEvent>, Self::Error>;
}

/// The digests of the secrets that a command issues, by token id, and how these secrets are
/// delivered before the commit. There are no digests in a preview.
#[derive(Debug, Clone, Default)]
pub struct NewSecretDigests {
    digests: HashMap<TokenId, Digest>,
    delivery: Option<DeliveryMethod>,
}

impl NewSecretDigests {
    /// The digest of the new secret of token `id`. In a preview, the digest is all zeros.
    pub fn of(&self, id: &TokenId) -> Digest {
        self.digests.get(id).copied().unwrap_or(Digest::from_bytes([0; 32]))
    }

    /// The id of the only token with a new secret. In a preview, returns [`TokenId::PLACEHOLDER`].
    pub fn only_id(&self) -> TokenId {
        self.digests.keys().next().copied().unwrap_or(TokenId::PLACEHOLDER)
    }

    /// Sets how the secrets are delivered before the commit; `None` if they are delivered later.
    #[must_use]
    pub fn delivered_by(self, delivery: Option<DeliveryMethod>) -> Self {
        Self { delivery, ..self }
    }

    /// How the secrets are delivered before the commit.
    pub fn delivery(&self) -> Option<DeliveryMethod> {
        self.delivery
    }
}

impl FromIterator<(TokenId, Digest)> for NewSecretDigests {
    fn from_iter<I: IntoIterator<Item = (TokenId, Digest)>>(digests: I) -> Self {
        Self { digests: digests.into_iter().collect(), delivery: None }
    }
}

/// The inputs of a plan other than the stored tokens.
#[derive(Debug, Clone, Copy)]
pub struct PlanContext<'a> {
    /// The time for denial, at which statuses are evaluated. It is never earlier than the newest
    /// event, the newest use, and the newest time that this process has seen.
    pub at: Timestamp,
    /// The time of the system clock. New secrets are issued at this time.
    pub clock: Timestamp,
    pub actor: &'a Actor,
    /// The prefix of new secrets.
    pub prefix: &'a SecretPrefix,
    pub limits: &'a LifetimeLimits,
    /// The scopes that may be granted.
    pub catalogue: &'a ScopeCatalogue,
    /// Converts a local wall-clock time to UTC.
    pub to_utc: fn(NaiveDateTime) -> Timestamp,
    /// The time of an earlier deletion that this deletion joins. `None` starts a new deletion.
    pub deletion: Option<Timestamp>,
    pub digests: &'a NewSecretDigests,
}

impl PlanContext<'_> {
    /// Returns the time at which secrets are issued: the time of the clock. If the clock once ran
    /// ahead, a secret that is issued at the time for denial would work longer than requested.
    /// Returns an error if the clock is more than [`CLOCK_TOLERANCE`] behind the time for denial.
    pub fn granting_time(&self) -> Result<Timestamp, Refusal> {
        // While the clock is behind, a change is a little later than the time for denial.
        if self.at - self.clock > CLOCK_TOLERANCE + TIME_RESOLUTION {
            return Err(Refusal::ClockBehind { clock: self.clock, newest: self.at });
        }
        Ok(self.clock)
    }

    /// Returns the expiry of a secret issued now with this lifetime, or `None` if it never expires.
    pub(super) fn expiry(&self, lifetime: Lifetime) -> Result<Option<Timestamp>, Refusal> {
        Ok(lifetime.expiry(self.granting_time()?, self.limits, self.to_utc)?)
    }

    /// Returns the limits after `changes` of `before`, for a token that expires at `expires`. A
    /// duration counts from the time for denial, because a later start is safer. Refuses to loosen a
    /// limit while the clock is behind.
    pub(super) fn changed_limits(
        &self,
        changes: &LimitChanges,
        before: &TokenLimits,
        expires: Option<Timestamp>,
    ) -> Result<TokenLimits, Refusal> {
        let after = changes.apply(before, self.at, self.to_utc)?;
        if after != *before {
            after.check_expiry(expires)?;
        }
        self.require_granting_to_loosen(&after, before)?;
        Ok(after)
    }

    /// Refuses while the clock is behind, if a limit of `after` allows more than that of `before`.
    pub(super) fn require_granting_to_loosen(
        &self,
        after: &TokenLimits,
        before: &TokenLimits,
    ) -> Result<(), Refusal> {
        match after.loosened_since(before, self.at) {
            Some(_) => self.granting_time().map(drop),
            None => Ok(()),
        }
    }

    /// Returns the expiry of a new secret of `token` with this lifetime, counted from now. If
    /// `lifetime` is `None`, the secret gets the last lifetime of the token.
    pub(super) fn renewed_expiry(
        &self,
        lifetime: Option<Lifetime>,
        token: &Token,
    ) -> Result<Option<Timestamp>, Refusal> {
        let own = || Lifetime::between(token.issued, token.expires, self.to_utc);
        self.expiry(lifetime.or_else(own).ok_or(LifetimeError::TooShort)?)
    }
}
