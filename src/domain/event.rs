//! Events of the audit trail: actor, action, token and time. Each event contains the hash of the
//! event before it. Events contain no secrets and no digests. The service creates them and the
//! store chains and saves them.

use std::{fmt, str::FromStr};

use compact_str::CompactString;

use super::{
    Timestamp,
    id::TokenId,
    labelled_enum::labels,
    terminal_text::{escape, from_hex, to_hex},
};

/// Who performed a change: the account, the account that called sudo, and the origin of the
/// session.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Actor {
    /// The account that the process runs as.
    pub user: CompactString,
    /// The account that called sudo. `None` if sudo was not used.
    pub sudo_user: Option<CompactString>,
    /// The address of the SSH client. Without SSH, the name of the terminal.
    pub from: Option<CompactString>,
}

impl Actor {
    /// An actor of which only the account is known.
    pub fn named(user: &str) -> Self {
        Self { user: user.into(), sudo_user: None, from: None }
    }
}

impl Actor {
    /// The account, the account that called sudo, and the address, as far as they are known.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let names = [Some(&self.user), self.sudo_user.as_ref(), self.from.as_ref()];
        names.into_iter().flatten().map(CompactString::as_str)
    }

    /// The account without the address: `root (alice)`. Characters unsafe on a terminal are
    /// escaped.
    pub fn account(&self) -> String {
        Self { from: None, ..self.clone() }.to_string()
    }
}

impl fmt::Display for Actor {
    /// `root (alice) from 192.0.2.7`. Characters unsafe on a terminal are escaped.
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
    /// The kind of an event. The codes are stored and must not change their meaning.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    #[repr(u8)]
    pub enum AuditAction, ALL, as_str {
        Created = 1 => "created",
        Edited = 2 => "edited",
        ScopesAdded = 3 => "scope added",
        ScopesRemoved = 4 => "scope removed",
        Revoked = 5 => "revoked",
        Regenerated = 6 => "regenerated",
        /// A token was deleted. It can be restored for 24 hours.
        Deleted = 7 => "deleted",
        Restored = 8 => "restored",
        Purged = 9 => "purged",
        /// The operator received a new secret: it was copied, written to a file or printed, or the
        /// operator marked it as saved.
        Delivered = 10 => "secret saved",
        /// An operator accepted the system clock after it had been set back.
        ClockAccepted = 11 => "clock accepted",
        /// An overlap was ended early, so that the previous secret stopped working.
        OverlapEnded = 12 => "overlap ended",
        /// A token was imported from an export, either as a new token or in place of a stored
        /// token.
        Imported = 13 => "imported",
        /// A change of name, description or scopes was undone.
        Undone = 14 => "undone",
        /// The revocation register was missing or foreign, and was rebuilt from the records.
        RegisterRebuilt = 15 => "register rebuilt",
        /// A backup took the place of the store. The trail continues after the newest event of the
        /// backup.
        RestoredFromBackup = 16 => "restored from backup",
        /// A hook ran after an earlier event, whose number is in the detail.
        HookRan = 17 => "hook",
    }
}

impl AuditAction {
    pub fn code(self) -> u8 {
        self as u8
    }

    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.code() == code)
    }

    /// The action in JSON, where a label keeps the value that it had in version 0.1.0.
    pub fn json_label(self) -> &'static str {
        if self == Self::Delivered { "claimed" } else { self.as_str() }
    }

    /// The action as a verb, by which a filter names it.
    pub fn verb(self) -> &'static str {
        match self {
            Self::Created => "create",
            Self::Edited => "edit",
            Self::ScopesAdded => "scope-add",
            Self::ScopesRemoved => "scope-remove",
            Self::Revoked => "revoke",
            Self::Regenerated => "regenerate",
            Self::Deleted => "delete",
            Self::Restored => "restore",
            Self::Purged => "purge",
            Self::Delivered => "claim",
            Self::ClockAccepted => "clock-accept",
            Self::OverlapEnded => "overlap-end",
            Self::Imported => "import",
            Self::Undone => "undo",
            Self::RegisterRebuilt => "register-rebuild",
            Self::RestoredFromBackup => "backup-restore",
            Self::HookRan => "hook",
        }
    }

    /// The names by which a filter finds the action: verb, label and label in JSON.
    pub fn names(self) -> [&'static str; 3] {
        [self.verb(), self.as_str(), self.json_label()]
    }

    /// The action with one of these [`AuditAction::names`], in any case, with `-` or a space between
    /// words.
    pub fn from_word(word: &str) -> Option<Self> {
        let word = word.trim().to_lowercase().replace(' ', "-");
        let is_named = |action: &Self| action.names().iter().any(|it| it.replace(' ', "-") == word);
        Self::ALL.into_iter().find(is_named)
    }
}

/// SHA-256 of the stored bytes of an event, which include the hash of the previous event.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct EventHash([u8; 32]);

impl EventHash {
    /// The value of `previous` in the first event: all zeros.
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

/// The text is not a hash of 64 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("invalid hash: copy all 64 hexadecimal digits that `patdeck audit --check` printed")]
pub struct EventHashError;

impl FromStr for EventHash {
    type Err = EventHashError;

    fn from_str(text: &str) -> Result<Self, EventHashError> {
        from_hex(text.trim()).map(Self).ok_or(EventHashError)
    }
}

impl fmt::Debug for EventHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({self})")
    }
}

/// The content of an event, before the store chains it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventBody {
    pub at: Timestamp,
    pub actor: Actor,
    /// The token that the event concerns. `None` for an event of the whole store.
    pub token: Option<TokenId>,
    /// The name of the token at that time. The token can be renamed or deleted later.
    pub name: String,
    pub action: AuditAction,
    /// Details in English; never contains a secret.
    pub detail: String,
}

impl EventBody {
    /// The detail of the event that removes a damaged record. The text is stored, so it must not
    /// change.
    pub const RECORD_WAS_DAMAGED: &str = "record was damaged";

    /// Whether the event removed the token from the store and from the trash.
    pub fn removes_for_good(&self) -> bool {
        match self.action {
            AuditAction::Purged => true,
            AuditAction::Deleted => self.detail == Self::RECORD_WAS_DAMAGED,
            _ => false,
        }
    }
}

/// An event of the audit trail, chained to the event before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEvent {
    /// The number of the event, from 1 without gaps.
    pub sequence: u64,
    pub body: EventBody,
    pub previous: EventHash,
    pub hash: EventHash,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_is_found_by_its_verb_and_its_label() {
        for action in AuditAction::ALL {
            for name in action.names() {
                assert_eq!(AuditAction::from_word(name), Some(action));
            }
        }
        assert_eq!(AuditAction::from_word(" Scope-Added "), Some(AuditAction::ScopesAdded));
        assert_eq!(AuditAction::from_word("gone"), None);
    }

    #[test]
    fn every_action_round_trips_through_its_code() {
        for (index, action) in AuditAction::ALL.into_iter().enumerate() {
            assert_eq!(usize::from(action.code()), index + 1, "codes are frozen");
            assert_eq!(AuditAction::from_code(action.code()), Some(action));
        }
        assert_eq!(AuditAction::from_code(0), None);
        assert_eq!(AuditAction::from_code(200), None);
    }

    #[test]
    fn hash_round_trips_through_text_and_must_be_complete() {
        let hash = EventHash::from_bytes(std::array::from_fn(|n| 7 * u8::try_from(n).unwrap()));
        let text = hash.to_string();
        assert_eq!(format!(" {}\n", text.to_uppercase()).parse(), Ok(hash));
        for bad in ["", "0", &text[..63], &format!("{text}0"), &format!("{}g", &text[..63])] {
            assert_eq!(bad.parse::<EventHash>(), Err(EventHashError), "{bad}");
        }
    }

    #[test]
    fn displayed_actor_has_escape_sequences_escaped() {
        let actor = Actor {
            user: "root".into(),
            sudo_user: Some("al\u{1b}[2Jice".into()),
            from: Some("192.0.2.7".into()),
        };
        assert_eq!(actor.to_string(), "root (al\\u{1b}[2Jice) from 192.0.2.7");
    }
}
