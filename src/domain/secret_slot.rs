//! The two secrets that a token can have at a time: finds one by its digest, and says how long it works
//! and which generation it has. Called by checks, plans and the revocation register.

use super::{
    Timestamp,
    secret::{Digest, DigestPrefix},
    token::Token,
};

/// Which of a token's secrets a bearer presented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretSlot {
    /// The newest secret.
    Current,
    /// The secret before the current one. It works only during the overlap.
    Previous,
}

impl Token {
    /// The number of the secret in this slot.
    pub fn generation_of(&self, slot: SecretSlot) -> u32 {
        match slot {
            SecretSlot::Current => self.generation,
            SecretSlot::Previous => self.generation.saturating_sub(1),
        }
    }

    /// Returns which secret `digest` matches: the current secret, or the previous secret during its
    /// overlap. Does not check the status of the token. Always compares both digests, so that the
    /// duration does not reveal which digest matched.
    pub fn matching_slot(&self, digest: &Digest, at: Timestamp) -> Option<SecretSlot> {
        let is_current = self.digest.matches(digest);
        let is_previous = self.previous.as_ref().is_some_and(|old| {
            let is_equal = old.digest.matches(digest);
            is_equal && at < old.until
        });
        match (is_current, is_previous) {
            (true, _) => Some(SecretSlot::Current),
            (false, true) => Some(SecretSlot::Previous),
            (false, false) => None,
        }
    }

    /// When the secret with this digest ends: `Some(None)` for never, `None` if the token does not
    /// have it.
    pub fn end_of(&self, digest: &Digest) -> Option<Option<Timestamp>> {
        if self.digest == *digest {
            return Some(self.expires);
        }
        let old = self.previous.as_ref().filter(|old| old.digest == *digest)?;
        Some(Some(self.expires.map_or(old.until, |expires| old.until.min(expires))))
    }

    pub fn digest_of(&self, slot: SecretSlot) -> Option<&Digest> {
        match slot {
            SecretSlot::Current => Some(&self.digest),
            SecretSlot::Previous => self.previous.as_ref().map(|old| &old.digest),
        }
    }

    /// The slot of the secret whose digest begins with `prefix`.
    pub fn slot_of(&self, prefix: DigestPrefix) -> Option<SecretSlot> {
        let slots = [SecretSlot::Current, SecretSlot::Previous];
        slots.into_iter().find(|slot| self.digest_of(*slot).map(Digest::prefix) == Some(prefix))
    }
}
