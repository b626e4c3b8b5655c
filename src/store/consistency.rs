//! Checks that the tables agree with each other: names and tokens refer to each other, no token is
//! both present and deleted, and the state of each token follows from the audit trail. Only this
//! check would detect a partial transaction. It ignores damaged records, which the scans report.
//! Called by `read_ops`.

use std::{collections::BTreeMap, ops::ControlFlow};

use super::{
    codec::decode,
    error::StoreError,
    name_index::EntryCheck,
    record::{EventV1, TokenIdRecordV1, TrashV2},
    tables::{Tables, Transaction, display_key},
    token_names::TokenNames,
    trash_index,
};
use crate::domain::{AuditAction, EventBody, TokenId, counted};

type Key = [u8; TokenId::LEN];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TokenLocation {
    Stored,
    Trash,
    Purged,
}

impl TokenLocation {
    fn as_str(self) -> &'static str {
        match self {
            Self::Stored => "present",
            Self::Trash => "deleted",
            Self::Purged => "purged",
        }
    }
}

/// The state of a token according to its events. A field is `None` if the events do not determine
/// it.
#[derive(Debug, Default, Clone, Copy)]
struct AuditedTokenState {
    location: Option<TokenLocation>,
    revoked: Option<bool>,
}

impl AuditedTokenState {
    fn apply(&mut self, event: &EventBody) {
        let action = event.action;
        self.location = match action {
            _ if event.removes_for_good() => Some(TokenLocation::Purged),
            AuditAction::Deleted => Some(TokenLocation::Trash),
            AuditAction::ClockAccepted
            | AuditAction::RegisterRebuilt
            | AuditAction::RestoredFromBackup
            | AuditAction::HookRan => self.location,
            // Can be recorded after the deletion of the token.
            AuditAction::Revoked | AuditAction::OverlapEnded => {
                self.location.or(Some(TokenLocation::Stored))
            }
            _ => Some(TokenLocation::Stored),
        };
        match action {
            AuditAction::Revoked => self.revoked = Some(true),
            AuditAction::Created | AuditAction::Regenerated => self.revoked = Some(false),
            // An imported token may be revoked or not.
            AuditAction::Imported => self.revoked = None,
            _ => {}
        }
    }
}

/// Returns the contradictions between the tables, one sentence for each.
pub(super) fn find_inconsistencies<T: Transaction>(
    tables: &Tables<T>,
) -> Result<Vec<String>, StoreError> {
    let mut check = ConsistencyCheck::default();
    check.check_tokens(tables)?;
    check.check_names(tables)?;
    check.check_trail(tables)?;
    check.check_change_log(tables)?;
    Ok(check.faults)
}

#[derive(Default)]
struct ConsistencyCheck {
    tokens: TokenNames,
    /// For each deleted token, whether it is revoked, or `None` if its record is damaged.
    trash: BTreeMap<Key, Option<bool>>,
    faults: Vec<String>,
}

impl ConsistencyCheck {
    fn add_fault(&mut self, key: &[u8], predicate: &str) {
        self.faults.push(format!("{} {predicate}", display_key(key)));
    }

    fn check_tokens<T: Transaction>(&mut self, tables: &Tables<T>) -> Result<(), StoreError> {
        self.tokens = TokenNames::load(tables)?;
        tables.trash.for_each(|key: &Key, row| {
            if self.tokens.contains(key) {
                self.add_fault(key, "is both present and deleted");
            }
            let token = row.ok().and_then(|body| TrashV2::decode_parts(key, body));
            self.trash.insert(*key, token.map(|(token, _)| token.revoked.is_some()));
            ControlFlow::Continue(())
        })?;
        let tables_of_uses = [
            (&tables.uses, false, "has a last use but does not exist"),
            (&tables.usage_days, true, "has numbers of uses but does not exist"),
            (&tables.denials, true, "has denied attempts but does not exist"),
        ];
        for (table, outlasts_deletion, predicate) in tables_of_uses {
            table.for_each(|key: &Key, _| {
                let is_deleted = outlasts_deletion && self.trash.contains_key(key);
                if !self.tokens.contains(key) && !is_deleted {
                    self.add_fault(key, predicate);
                }
                ControlFlow::Continue(())
            })?;
        }
        for (_, id) in trash_index::missing_entries(tables)? {
            self.add_fault(id.as_bytes(), "cannot be found by the time of its deletion");
        }
        let wrong = trash_index::wrong_entries(tables)?.len();
        if wrong > 0 {
            self.faults
                .push(format!("{} without a deleted token", counted(wrong, "deletion time")));
        }
        Ok(())
    }

    fn check_names<T: Transaction>(&mut self, tables: &Tables<T>) -> Result<(), StoreError> {
        let mut check = EntryCheck::default();
        tables.names.for_each(|name: &[u8], row| {
            let key = row.ok().and_then(decode).map(|TokenIdRecordV1(key)| key);
            let token = key.and_then(|key| self.tokens.get(&key));
            let token = token.map(|token| (token.folded.as_str(), &token.key));
            let (is_valid, exists) = (check.is_valid(name, token), token.is_some());
            let Some(key) = key else {
                return ControlFlow::Continue(());
            };
            if is_valid {
                self.tokens.set_has_entry(&key);
            } else if exists {
                self.add_fault(name, "refers to a token with another name");
            } else if !self.tokens.damaged.contains(&key) {
                self.add_fault(name, "is the name of a token that does not exist");
            }
            ControlFlow::Continue(())
        })?;
        let nameless: Vec<Key> =
            self.tokens.rows.iter().filter(|row| !row.has_entry).map(|row| row.key).collect();
        for key in nameless {
            self.add_fault(&key, "cannot be found by its name");
        }
        Ok(())
    }

    fn check_trail<T: Transaction>(&mut self, tables: &Tables<T>) -> Result<(), StoreError> {
        // The present tokens in the order of `tokens.rows`, and the other tokens of the trail.
        let mut audited = vec![None; self.tokens.rows.len()];
        let mut others: BTreeMap<Key, AuditedTokenState> = BTreeMap::new();
        let mut is_readable = true;
        tables.events.for_each(|_, row| {
            let event = row.ok().and_then(|body| body.decode::<EventV1<'_>>()?.into_event_body());
            is_readable &= event.is_some();
            if let Some(event) = event
                && let Some(id) = event.token
            {
                let present = self.tokens.index_of(id.as_bytes());
                match present.and_then(|index| audited.get_mut(index)) {
                    Some(state) => state.get_or_insert_with(AuditedTokenState::default),
                    None => others.entry(*id.as_bytes()).or_default(),
                }
                .apply(&event);
            }
            ControlFlow::Continue(())
        })?;
        if !is_readable {
            // An incomplete trail proves nothing, and the check of the chain reports the damage.
            return Ok(());
        }
        let names = std::mem::take(&mut self.tokens);
        for (row, audited) in names.rows.iter().zip(audited) {
            match audited {
                Some(audited) => {
                    let found = (TokenLocation::Stored, Some(row.is_revoked));
                    self.check_state(&row.key, audited, found);
                }
                None => self.add_fault(&row.key, "has no event in the audit trail"),
            }
        }
        let trash = std::mem::take(&mut self.trash);
        for key in trash.keys().filter(|key| !others.contains_key(*key) && !names.contains(key)) {
            self.add_fault(key, "has no event in the audit trail");
        }
        for (key, audited) in others {
            let found = match trash.get(&key) {
                _ if names.damaged.contains(&key) => continue,
                Some(is_revoked) => (TokenLocation::Trash, *is_revoked),
                None => (TokenLocation::Purged, None),
            };
            self.check_state(&key, audited, found);
        }
        Ok(())
    }

    /// Compares the state according to the trail with where the token is, and whether it is revoked.
    fn check_state(
        &mut self,
        key: &Key,
        audited: AuditedTokenState,
        (location, is_revoked): (TokenLocation, Option<bool>),
    ) {
        let (is, should_be) = if let Some(other) = audited.location.filter(|it| *it != location) {
            (location.as_str(), other.as_str())
        } else if let (Some(is), Some(should_be)) = (is_revoked, audited.revoked)
            && is != should_be
        {
            let word = |revoked| if revoked { "revoked" } else { "not revoked" };
            (word(is), word(should_be))
        } else {
            return;
        };
        let predicate = format!("is {is}, but should be {should_be} according to the audit trail");
        self.add_fault(key, &predicate);
    }

    fn check_change_log<T: Transaction>(&mut self, tables: &Tables<T>) -> Result<(), StoreError> {
        let (first, last) = (tables.changes.first_key()?, tables.changes.last_key()?);
        let expected = first.map_or(0, |first| last.saturating_sub(first).saturating_add(1));
        if tables.changes.len()? != expected {
            self.faults.push(format!("the change log has a gap before {last}"));
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "consistency_tests.rs"]
mod tests;
