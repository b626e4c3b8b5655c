//! The uses of a token: the last allowed use and the last denied attempt of each of its secrets. A
//! denied attempt is never a use. Pure; the verifier of the service records them, and all front ends
//! show them.

use std::borrow::Borrow;

use compact_str::CompactString;

use super::{Timestamp, secret_slot::SecretSlot, token::Token};

/// The last allowed use of a secret, or the last denied attempt to use it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastUse {
    pub at: Timestamp,
    /// The address of the bearer, as given by the caller of the check.
    pub from: Option<CompactString>,
    /// The request as text. For a use, the text ends with `allowed`.
    pub summary: CompactString,
}

impl Token {
    /// Returns the last recorded use of the secret in `slot`. A use recorded for
    /// [`SecretSlot::Current`] can date from before the last regeneration.
    pub fn last_use_of(&self, slot: SecretSlot) -> Option<&LastUse> {
        match slot {
            SecretSlot::Current => self.last_used.as_ref(),
            SecretSlot::Previous => self.previous.as_ref()?.last_used.as_ref(),
        }
    }

    /// The later of the last uses of the current and the previous secret.
    pub fn last_use(&self) -> Option<&LastUse> {
        later_use(self.last_use_of(SecretSlot::Current), self.last_use_of(SecretSlot::Previous))
    }

    /// Returns the last denied attempt with the secret in `slot`.
    pub fn last_denial_of(&self, slot: SecretSlot) -> Option<&LastUse> {
        match slot {
            SecretSlot::Current => self.last_denied.as_ref(),
            SecretSlot::Previous => self.previous.as_ref()?.last_denied.as_ref(),
        }
    }

    /// The later of the last denied attempts with the current and the previous secret.
    pub fn last_denial(&self) -> Option<&LastUse> {
        let [current, previous] =
            [SecretSlot::Current, SecretSlot::Previous].map(|slot| self.last_denial_of(slot));
        later_use(current, previous)
    }

    /// Whether the current secret was used since it was issued.
    pub fn is_in_use(&self) -> bool {
        self.last_used.as_ref().is_some_and(|used| used.at >= self.issued)
    }
}

/// Returns the later of two uses. If only one use is given, returns that use.
pub fn later_use<U: Borrow<LastUse>>(one: Option<U>, other: Option<U>) -> Option<U> {
    one.into_iter().chain(other).max_by_key(|used| used.borrow().at)
}
