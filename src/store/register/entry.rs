//! The entry of a token in the register, the ending that can be pending in it, and the state that follows
//! from all entries of a token. Their bytes are in `layout`. Used by the register and the service.

use crate::domain::{Actor, Denial, DigestPrefix, SecretSlot, Timestamp, Token, TokenId};

/// Stands for an unknown generation: more than one regeneration a second for 30 years.
const UNKNOWN_GENERATION: u32 = 1_000_000_000;

/// The content of the register for one token. Raising an entry merges it with new values: each
/// number becomes the maximum of the old and the new one, so that no ended secret works again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevocationEntry {
    pub id: TokenId,
    /// Secrets of the token with a generation up to this one never work again.
    pub ended_generation: u32,
    /// A record of the token with a lower version is out of date: no secret of the token is
    /// accepted.
    pub min_version: u64,
    /// When the token expires; the entry can be dropped from then on. `None` for never.
    pub expires: Option<Timestamp>,
    /// The ending that the store's record does not contain yet.
    pub pending: Option<Ending>,
}

impl RevocationEntry {
    /// How many secrets a newer state of the store can have that the register does not know: all that can
    /// work at the same time.
    pub const UNKNOWN_SECRETS: u32 = Token::MAX_SECRETS;

    /// Returns an entry that ends nothing.
    pub fn of(id: TokenId) -> Self {
        Self { id, ended_generation: 0, min_version: 0, expires: None, pending: None }
    }

    /// Returns the entry for the current record of `token`. The entry ends all secrets of the token
    /// except those that the record still accepts.
    pub fn of_token(token: &Token) -> Self {
        let working = match (token.revoked, &token.previous) {
            (Some(_), _) => 0,
            (None, None) => 1,
            (None, Some(_)) => 2,
        };
        Self {
            ended_generation: token.generation.saturating_sub(working),
            min_version: token.version,
            expires: token.expires,
            ..Self::of(token.id)
        }
    }

    /// Returns the entry of a deleted token: it ends all secrets of `token`.
    pub fn of_deleted(token: &Token) -> Self {
        Self { ended_generation: token.generation, ..Self::of_token(token) }
    }

    /// Returns an entry that ends all secrets that a token has had, if its generation is unknown: its
    /// record is damaged, or it has no record any more.
    pub fn all_ended(id: TokenId) -> Self {
        Self { ended_generation: UNKNOWN_GENERATION, ..Self::of(id) }
    }

    /// Returns the entry of a damaged slot. It ends all secrets that its token has or will have.
    pub(in crate::store) fn damaged(id: TokenId) -> Self {
        Self { ended_generation: u32::MAX, ..Self::of(id) }
    }

    /// Returns the entry that ends all secrets of the token for good, those of every record and every
    /// later secret. For a token whose record is out of date: this store does not know its newest
    /// secret, nor what was taken from the token.
    #[must_use]
    pub fn ended_for_good(self) -> Self {
        Self { ended_generation: u32::MAX, min_version: u64::MAX, ..self }
    }

    /// Returns the entry without the version that it demands, for a copy whose records must not count
    /// as out of date. A token that was ended for good stays so.
    #[must_use]
    pub(in crate::store) fn for_copy(self) -> Self {
        if self.is_ended_for_good() { self } else { Self { min_version: 0, ..self } }
    }

    /// Whether no record and no secret of the token can work any more.
    pub fn is_ended_for_good(&self) -> bool {
        self.min_version == u64::MAX
    }

    /// Identifies the pending ending of this entry. Contains only token, kind and time. Other
    /// fields can change when the entry is stored: a slot cuts a long actor, and raising merges the
    /// entry with the earlier content of its slot.
    pub fn ending_key(&self) -> (TokenId, Option<(EndingKind, Timestamp)>) {
        (self.id, self.pending.as_ref().map(|ending| (ending.kind, ending.at)))
    }

    /// Merges two entries of one token. Returns `None` for entries of two tokens, if both have a
    /// pending ending, or if the merged entry would no longer say which secret its ending has seen.
    pub(super) fn merged(&self, other: &Self) -> Option<Self> {
        let keeps_ending = |one: &Self, other: &Self| {
            one.pending.is_none() || one.ended_generation >= other.ended_generation
        };
        let is_one = self.id == other.id
            && (self.pending.is_none() || other.pending.is_none() || self.pending == other.pending)
            && keeps_ending(self, other)
            && keeps_ending(other, self);
        is_one.then(|| Self {
            id: self.id,
            ended_generation: self.ended_generation.max(other.ended_generation),
            min_version: self.min_version.max(other.min_version),
            // `None` is never, which is the latest.
            expires: self.expires.zip(other.expires).map(|(one, other)| one.max(other)),
            pending: self.pending.clone().or_else(|| other.pending.clone()),
        })
    }
}

/// A change that ends secrets, with the time and actor for its audit event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    pub kind: EndingKind,
    pub at: Timestamp,
    /// `None` for an ending that a newer state of the store contained. The register keeps no actor
    /// of such an ending.
    pub actor: Option<Actor>,
}

impl Ending {
    /// The actor for the audit event.
    pub fn recorded_actor(&self) -> Actor {
        self.actor.clone().unwrap_or_else(|| Actor::named("unknown"))
    }
}

/// The changes that end secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EndingKind {
    /// Ends all secrets of the token.
    Revoke,
    /// Ends one secret, and the token only if this is its current secret: the end of an overlap, or the
    /// revoke of a leaked secret. Names the secret, because the token can get others meanwhile.
    EndSecret(DigestPrefix),
    /// Ends all secrets of the token, and deletes it.
    Delete,
}

/// The maxima of the entries of one token. A check compares the token with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RevocationState {
    /// Secrets with a generation up to this one are ended.
    pub ended_generation: u32,
    /// Records with a lower version are out of date.
    pub min_version: u64,
}

impl RevocationState {
    /// Every secret of the token is ended, because one of its slots is damaged.
    pub(super) const ALL_ENDED: Self = Self { ended_generation: u32::MAX, min_version: 0 };

    /// Whether no secret of the token can work, not even a new one, until the register is rebuilt.
    pub fn is_damaged(self) -> bool {
        self == Self::ALL_ENDED
    }

    /// Whether no record and no new secret of the token can work, see
    /// [`RevocationEntry::ended_for_good`].
    pub fn is_ended_for_good(self) -> bool {
        self.min_version == u64::MAX
    }

    /// Whether the record `token` is out of date, unless the token was ended for good.
    pub fn is_stale(&self, token: &Token) -> bool {
        token.version < self.min_version && !self.is_ended_for_good()
    }

    /// Returns why the secret in this slot of `token` is denied, whatever its record says. Returns
    /// `None` if the register does not overrule the record.
    pub fn denial(&self, token: &Token, slot: SecretSlot, at: Timestamp) -> Option<Denial> {
        if token.generation_of(slot) <= self.ended_generation {
            Some(Denial::Revoked(token.revoked.unwrap_or(at)))
        } else {
            (token.version < self.min_version).then_some(Denial::StaleRecord)
        }
    }

    pub(super) fn merge(&mut self, other: &RevocationEntry) {
        self.ended_generation = self.ended_generation.max(other.ended_generation);
        self.min_version = self.min_version.max(other.min_version);
    }
}
