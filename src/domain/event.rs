//! One row of the audit trail: who did what to which token, when, chained to the row before
//! by its hash. Holds no secret and no digest. Written by the service, kept by the store.

use std::{fmt, str::FromStr};

use compact_str::CompactString;

use super::{
    Timestamp,
    id::TokenId,
    labels::labels,
    terminal_text::{escape, from_hex, to_hex},
};

/// Who acts: the account, whom it was switched from, and where the session comes from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Actor {
    /// The account that the process runs as.
    pub user: CompactString,
    /// The account that called sudo, if one did.
    pub sudo_user: Option<CompactString>,
    /// The address of the SSH client, or the terminal.
    pub from: Option<CompactString>,
}

impl Actor {
    /// Somebody of whom only the account is known.
    pub fn named(user: &str) -> Self {
        Self { user: user.into(), sudo_user: None, from: None }
    }
}

impl fmt::Display for Actor {
    /// `root (alice) from 192.0.2.7`, fit for a terminal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&escape(&self.user))?;
        if let Some(sudo) = &self.sudo_user {
            [" (", &escape(sudo), ")"].into_iter().try_for_each(|piece| f.write_str(piece))?;
        }
        match &self.from {
            Some(from) => f.write_str(" from ").and_then(|()| f.write_str(&escape(from))),
            None => Ok(()),
        }
    }
}

labels! {
    /// What happened. The numbers are stored: they are never given another meaning.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    #[repr(u8)]
    pub enum AuditAction, ALL, as_str {
        Created = 1 => "created",
        Edited = 2 => "edited",
        ScopesAdded = 3 => "scope added",
        ScopesRemoved = 4 => "scope removed",
        Revoked = 5 => "revoked",
        Regenerated = 6 => "regenerated",
        /// A token was deleted; it can be brought back for 24 hours.
        Deleted = 7 => "deleted",
        Restored = 8 => "restored",
        Purged = 9 => "purged",
        /// A new secret was copied, written, printed or acknowledged.
        Claimed = 10 => "claimed",
        /// An operator declared the machine's clock right after it had gone back.
        ClockAccepted = 11 => "clock accepted",
        /// The overlap of a rotation was ended early.
        OverlapEnded = 12 => "overlap ended",
        /// A token came from another store's export, or took the place of one that was here.
        Imported = 13 => "imported",
        /// A change of name, description or scopes was taken back.
        Undone = 14 => "undone",
    }
}

impl AuditAction {
    pub fn code(self) -> u8 {
        self as u8
    }

    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.code() == code)
    }
}

/// SHA-256 of an event's stored bytes, which hold the hash of the event before.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct EventHash([u8; 32]);

impl EventHash {
    /// What the first event has for the one before it.
    pub const NONE: Self = Self([0; 32]);

    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for EventHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&to_hex(&self.0))
    }
}

/// Why a text is no hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a hash has 64 hexadecimal digits: copy the whole of what `patdeck audit --check` printed")]
pub struct HashError;

impl FromStr for EventHash {
    type Err = HashError;

    fn from_str(text: &str) -> Result<Self, HashError> {
        from_hex(text.trim()).map(Self).ok_or(HashError)
    }
}

impl fmt::Debug for EventHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({self})")
    }
}

/// What is known of an event before the store gives it its place in the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventDraft {
    pub at: Timestamp,
    pub actor: Actor,
    /// Which token; `None` for what concerns the whole store.
    pub token: Option<TokenId>,
    /// The token's name at that time, for it may be gone since.
    pub name: String,
    pub action: AuditAction,
    /// What exactly, in words; never a secret.
    pub detail: String,
}

/// An event in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEvent {
    /// Its place, from 1, without gaps.
    pub sequence: u64,
    pub what: EventDraft,
    pub previous: EventHash,
    pub hash: EventHash,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_comes_back_from_its_number() {
        for (place, action) in AuditAction::ALL.into_iter().enumerate() {
            assert_eq!(usize::from(action.code()), place + 1, "numbers are frozen");
            assert_eq!(AuditAction::from_code(action.code()), Some(action));
        }
        assert_eq!(AuditAction::from_code(0), None);
        assert_eq!(AuditAction::from_code(200), None);
    }

    #[test]
    fn a_hash_reads_as_it_prints_and_a_part_of_one_does_not() {
        let hash = EventHash::from_bytes(std::array::from_fn(|n| 7 * u8::try_from(n).unwrap()));
        let text = hash.to_string();
        assert_eq!(format!(" {}\n", text.to_uppercase()).parse(), Ok(hash));
        for bad in ["", "0", &text[..63], &format!("{text}0"), &format!("{}g", &text[..63])] {
            assert_eq!(bad.parse::<EventHash>(), Err(HashError), "{bad}");
        }
    }

    #[test]
    fn an_actor_from_a_hostile_environment_cannot_move_the_cursor() {
        let actor = Actor {
            user: "root".into(),
            sudo_user: Some("al\u{1b}[2Jice".into()),
            from: Some("192.0.2.7".into()),
        };
        assert_eq!(actor.to_string(), "root (al\\u{1b}[2Jice) from 192.0.2.7");
    }
}
