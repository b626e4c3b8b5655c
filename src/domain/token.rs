//! Tokens: the record, its status at an instant, and its transitions as pure functions of record
//! and instant. Called by the plans and by the checks of the service, which add clock, store and
//! audit trail.

use chrono::TimeDelta;
use compact_str::CompactString;

use super::{
    Timestamp,
    event::Actor,
    id::TokenId,
    label::Labels,
    labelled_enum::labels,
    limits::{MaxUses, TokenLimits},
    name::{Description, Name, Owner},
    overlap::SecretOverlap,
    scope::Scopes,
    secret::Digest,
    secret_slot::SecretSlot,
    time_range::last_supported,
    usage::LastUse,
};

/// Why a transition is not allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TransitionError {
    #[error("the token is already revoked: regenerate it to use it again")]
    AlreadyRevoked,
    /// An overlap was requested for a secret that does not work.
    #[error("the old secret would not work: regenerate the token without an overlap")]
    NothingToOverlap,
    /// The end of an overlap was requested for a token that has only one secret.
    #[error("the token has no old secret: nothing to revoke")]
    NoPreviousSecret,
}

labels! {
    /// The status of a token at an instant. A revoked token past its expiry counts as revoked.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum Status, ALL, as_str {
        Active => "active",
        /// Before the time from which the token is valid.
        NotYetValid => "not-yet-valid",
        Expired => "expired",
        Revoked => "revoked",
    }
}

impl Status {
    /// Returns the status at `at`: revoked if `revoked`, otherwise expired if `at` is at or after
    /// `expires`, otherwise not yet valid if `at` is before `not_before`, otherwise active.
    pub fn of(
        revoked: bool,
        expires: Option<Timestamp>,
        not_before: Option<Timestamp>,
        at: Timestamp,
    ) -> Self {
        if revoked {
            Self::Revoked
        } else if expires.is_some_and(|end| at >= end) {
            Self::Expired
        } else if not_before.is_some_and(|start| at < start) {
            Self::NotYetValid
        } else {
            Self::Active
        }
    }

    /// Whether the secrets of the token have stopped working, so that only a regenerate makes the
    /// token active.
    pub fn is_ended(self) -> bool {
        matches!(self, Self::Expired | Self::Revoked)
    }
}

/// An active token expires soon if its expiry is less than 7 days away.
pub const EXPIRES_SOON_WITHIN: TimeDelta = TimeDelta::days(7);
/// A token that expires within this time is at the lowest [`LifetimeLevel`].
const CRITICAL_WITHIN: TimeDelta = TimeDelta::hours(24);

/// How much of the lifetime of a token is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LifetimeLevel {
    /// At least 20 %.
    Ample,
    /// Less than 20 %.
    Low,
    /// Less than 5 %, or less than 24 hours.
    Critical,
}

/// A token was recently used if its last use is less than 24 hours ago.
const RECENT_USE_WITHIN: TimeDelta = TimeDelta::hours(24);

/// The secret that the last regeneration replaced. It keeps working until the end of the overlap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreviousSecret {
    pub digest: Digest,
    /// The end of the overlap: the secret stops working at this time.
    pub until: Timestamp,
    /// The last use of the previous secret since the regeneration. A use shows that a bearer still
    /// needs the new secret.
    pub last_used: Option<LastUse>,
    /// The number of counted uses, see [`Token::uses_taken`].
    pub uses_taken: u32,
    /// The last denied attempt with the previous secret since the regeneration.
    pub last_denied: Option<LastUse>,
}

/// The record of a personal access token. It does not contain the secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Grows with each change of the record, and never decreases. Is at least the time of the change
    /// in milliseconds since 1970: if two copies of the store were changed, the later change has the
    /// higher version.
    pub version: u64,
    /// The number of the current secret: grows by one with each regenerate, and never decreases.
    /// The number of the previous secret is one less.
    pub generation: u32,
    /// The key of the record; never changes.
    pub id: TokenId,
    /// The name, which is unique in the store, ignoring case.
    pub name: Name,
    pub description: Description,
    pub scopes: Scopes,
    /// The prefix of the current secret, for [`Token::secret_hint`].
    pub prefix: CompactString,
    /// The digest of the current secret.
    pub digest: Digest,
    /// The previous secret, if the last regeneration had an overlap. It stays in the record after
    /// the end of the overlap, see [`Token::active_overlap`].
    pub previous: Option<PreviousSecret>,
    pub created: Timestamp,
    pub created_by: Actor,
    /// When the current secret was issued.
    pub issued: Timestamp,
    /// The time from which the token is expired. `None` means that the token never expires.
    pub expires: Option<Timestamp>,
    /// When the token was revoked.
    pub revoked: Option<Timestamp>,
    /// Whether the current secret was copied, written, printed or marked as saved.
    pub delivered: bool,
    /// The last use of the token, except uses that `previous` records. Only an allowed check is a
    /// use. Checks update this field at most once in 30 seconds.
    pub last_used: Option<LastUse>,
    pub limits: TokenLimits,
    /// The number of uses of the current secret that were counted. Uses are counted only while
    /// `limits` has a maximum. Each secret has its own count, so a regenerate starts with 0.
    pub uses_taken: u32,
    /// The last denied attempt, except attempts that `previous` records. Updated like `last_used`.
    pub last_denied: Option<LastUse>,
    /// Neither labels nor the owner affect a check.
    pub labels: Labels,
    pub owner: Owner,
}

impl Token {
    /// The version of a new record.
    pub const FIRST_VERSION: u64 = 1;
    /// How many secrets can work at the same time: the current one, and one of an overlap.
    pub const MAX_SECRETS: u32 = 2;

    pub fn status(&self, at: Timestamp) -> Status {
        Status::of(self.revoked.is_some(), self.expires, self.limits.not_before, at)
    }

    /// The number of counted uses of the secret in `slot`.
    pub fn uses_taken(&self, slot: SecretSlot) -> u32 {
        match slot {
            SecretSlot::Current => self.uses_taken,
            SecretSlot::Previous => self.previous.as_ref().map_or(0, |old| old.uses_taken),
        }
    }

    /// Adds one to the number of counted uses of the secret in `slot`.
    pub fn add_use(&mut self, slot: SecretSlot) {
        let taken = match (slot, &mut self.previous) {
            (SecretSlot::Previous, Some(old)) => &mut old.uses_taken,
            _ => &mut self.uses_taken,
        };
        *taken = taken.saturating_add(1);
    }

    /// How many uses of the current secret are left, and the maximum. `None` without a maximum.
    pub fn uses_left(&self) -> Option<(u32, MaxUses)> {
        self.limits.max_uses.map(|max| (max.left(self.uses_taken), max))
    }

    /// Whether all uses of the current secret are taken, so that every check is denied.
    pub fn is_used_up(&self) -> bool {
        self.uses_left().is_some_and(|(left, _)| left == 0)
    }

    /// Whether the token is active at `at` and expires within 7 days.
    pub fn expires_soon(&self, at: Timestamp) -> bool {
        self.status(at) == Status::Active
            && self.expires.is_some_and(|end| end - at < EXPIRES_SOON_WITHIN)
    }

    /// The instant 24 hours before the expiry. `None` if the token never expires.
    pub fn last_day_start(&self) -> Option<Timestamp> {
        self.expires?.checked_sub_signed(CRITICAL_WITHIN)
    }

    /// Whether the token is active at `at` and expires within 24 hours.
    pub fn expires_within_a_day(&self, at: Timestamp) -> bool {
        self.status(at) == Status::Active
            && self.expires.is_some_and(|end| end - at <= CRITICAL_WITHIN)
    }

    /// The remaining lifetime at `at`, in thousandths of the time from issue to expiry. It is 1,000
    /// for a token that never expires, and `None` for a token that has ended.
    pub fn remaining_permille(&self, at: Timestamp) -> Option<u16> {
        if !matches!(self.status(at), Status::Active | Status::NotYetValid) {
            return None;
        }
        let Some(end) = self.expires else { return Some(1_000) };
        let (left, whole) = ((end - at).num_seconds(), (end - self.issued).num_seconds());
        let permille = i128::from(left) * 1_000 / i128::from(whole.max(1));
        Some(u16::try_from(permille.clamp(0, 1_000)).unwrap_or(1_000))
    }

    /// How much of the lifetime is left at `at`; `None` for a token that has ended.
    pub fn lifetime_level(&self, at: Timestamp) -> Option<LifetimeLevel> {
        let permille = self.remaining_permille(at)?;
        Some(if self.expires_within_a_day(at) || permille < 50 {
            LifetimeLevel::Critical
        } else if permille < 200 {
            LifetimeLevel::Low
        } else {
            LifetimeLevel::Ample
        })
    }

    /// Whether the token was used in the last 24 hours before `at`.
    pub fn is_recently_used(&self, at: Timestamp) -> bool {
        self.last_use().is_some_and(|used| at - used.at < RECENT_USE_WITHIN)
    }

    /// Whether `digest` matches a secret of the token at `at`. Does not check the status.
    pub fn accepts(&self, digest: &Digest, at: Timestamp) -> bool {
        self.matching_slot(digest, at).is_some()
    }

    /// The previous secret, if it still works at `at`.
    pub fn active_overlap(&self, at: Timestamp) -> Option<&PreviousSecret> {
        let is_active = self.status(at) == Status::Active;
        self.previous.as_ref().filter(|old| is_active && at < old.until)
    }

    /// Whether the previous secret still works at `at`.
    pub fn has_overlap(&self, at: Timestamp) -> bool {
        self.active_overlap(at).is_some()
    }

    /// Revokes the token at `at` and ends its overlap. Returns an error if it is already revoked.
    pub fn revoke(mut self, at: Timestamp) -> Result<Self, TransitionError> {
        if self.revoked.is_some() {
            return Err(TransitionError::AlreadyRevoked);
        }
        self.revoked = Some(at);
        Ok(self.end_overlap())
    }

    /// Removes the previous secret, if there is one. `last_used` and `last_denied` become the later
    /// of those of both secrets.
    #[must_use]
    pub fn end_overlap(mut self) -> Self {
        self.last_used = self.last_use().cloned();
        self.last_denied = self.last_denial().cloned();
        self.previous = None;
        self
    }

    /// Replaces the current secret by the secret with this `digest`, sets a new expiry and clears a
    /// revocation. Id, name, description, scopes and limits are kept. With an `overlap`, the replaced
    /// secret works until the overlap ends or until its own expiry, whichever is first.
    ///
    /// Returns [`TransitionError::NothingToOverlap`] if an overlap is requested for a token that is
    /// not active.
    pub fn regenerate(
        mut self,
        digest: Digest,
        prefix: &str,
        expires: Option<Timestamp>,
        overlap: SecretOverlap,
        at: Timestamp,
    ) -> Result<Self, TransitionError> {
        let previous = match overlap.as_delta() {
            None => None,
            Some(_) if self.status(at) != Status::Active => {
                return Err(TransitionError::NothingToOverlap);
            }
            Some(delta) => {
                let end = self.expires.unwrap_or_else(last_supported);
                let until = at.checked_add_signed(delta).map_or(end, |until| end.min(until));
                Some(PreviousSecret {
                    digest: self.digest,
                    until,
                    last_used: None,
                    last_denied: None,
                    uses_taken: self.uses_taken,
                })
            }
        };
        self = self.end_overlap();
        self.digest = digest;
        self.generation = self.generation.saturating_add(1);
        self.prefix = prefix.into();
        self.previous = previous;
        self.uses_taken = 0;
        self.issued = at;
        self.expires = expires;
        self.revoked = None;
        self.delivered = false;
        Ok(self)
    }

    /// Returns the token with the version of a change of `before` at the time `at`.
    #[must_use]
    pub fn changed_at(self, at: Timestamp, before: &Self) -> Self {
        let milliseconds = u64::try_from(at.timestamp_millis()).unwrap_or(0);
        Self { version: before.version.saturating_add(1).max(milliseconds), ..self }
    }

    /// Returns this imported token in the place of `existing`, which has the same id. The version,
    /// the generation and the counted uses never fall below those of `existing`; otherwise a secret
    /// that has stopped working could work again.
    #[must_use]
    pub fn replacing(self, existing: &Self) -> Self {
        let previous = SecretSlot::Previous;
        let is_same = self.digest.matches(&existing.digest)
            && (self.previous.is_none()
                || self.digest_of(previous) == existing.digest_of(previous));
        let generation = if is_same {
            existing.generation
        } else {
            // Both secrets are later than those of `existing`.
            self.generation.max(existing.generation.saturating_add(Self::MAX_SECRETS))
        };
        let version = self.version.max(existing.version.saturating_add(1));
        Self { version, generation, ..self }.with_uses_of(existing)
    }

    /// Returns the token with the uses that it or `existing`, another record of the token, has
    /// counted: for each secret the higher number.
    #[must_use]
    pub fn with_uses_of(self, existing: &Self) -> Self {
        let taken = |digest: &Digest| {
            let slots = [SecretSlot::Current, SecretSlot::Previous];
            let is_same = |slot: &SecretSlot| existing.digest_of(*slot) == Some(digest);
            slots.into_iter().find(is_same).map_or(0, |slot| existing.uses_taken(slot))
        };
        let uses_taken = self.uses_taken.max(taken(&self.digest));
        let previous = self.previous.map(|old| PreviousSecret {
            uses_taken: old.uses_taken.max(taken(&old.digest)),
            ..old
        });
        Self { previous, uses_taken, ..self }
    }

    /// The owner, or the account of the creator if no owner was named. Characters unsafe on a terminal
    /// are escaped.
    pub fn owner_text(&self) -> String {
        match self.owner.as_str() {
            "" => self.created_by.account(),
            owner => owner.to_owned(),
        }
    }

    /// The public part of the current secret: `pat_<id>_…`.
    pub fn secret_hint(&self) -> String {
        [&self.prefix, "_", self.id.as_str(), "_…"].concat()
    }
}

#[cfg(test)]
#[path = "token_tests.rs"]
pub(crate) mod tests;
