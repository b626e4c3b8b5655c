//! Checks that the tables agree with each other: names and tokens refer to each other, no token is
//! both present and deleted, and the state of each token follows from the audit trail. Only this
//! check would detect a partial transaction. It ignores damaged records, which the scans report.
//! Called by `read_ops`.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
};

use super::{
    codec::decode,
    error::StoreError,
    name_index::EntryCheck,
    record::{EventV1, TokenIdRecordV1, TokenV2, TrashV2},
    tables::{Tables, Transaction, display_key},
    trash_index,
};
use crate::domain::{AuditAction, EventBody, Token, TokenId, counted};

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
            | AuditAction::RestoredFromBackup => self.location,
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
    tokens: BTreeMap<Key, Token>,
    damaged: BTreeSet<Key>,
    /// For each deleted token, whether it is revoked, or `None` if its record is damaged.
    trash: BTreeMap<Key, Option<bool>>,
    faults: Vec<String>,
}

impl ConsistencyCheck {
    fn add_fault(&mut self, key: &[u8], predicate: &str) {
        self.faults.push(format!("{} {predicate}", display_key(key)));
    }

    fn check_tokens<T: Transaction>(&mut self, tables: &Tables<T>) -> Result<(), StoreError> {
        tables.tokens.for_each(|key: &Key, row| {
            match row.ok().and_then(|body| TokenV2::decode_token(key, body)) {
                Some(token) => drop(self.tokens.insert(*key, token)),
                None => drop(self.damaged.insert(*key)),
            }
            ControlFlow::Continue(())
        })?;
        tables.uses.for_each(|key: &Key, _| {
            if !self.tokens.contains_key(key) && !self.damaged.contains(key) {
                self.add_fault(key, "has a last use but does not exist");
            }
            ControlFlow::Continue(())
        })?;
        tables.use_counts.for_each(|key: &Key, _| {
            if !self.tokens.contains_key(key) && !self.damaged.contains(key) {
                self.add_fault(key, "has counted uses but does not exist");
            }
            ControlFlow::Continue(())
        })?;
        tables.trash.for_each(|key: &Key, row| {
            if self.tokens.contains_key(key) || self.damaged.contains(key) {
                self.add_fault(key, "is both present and deleted");
            }
            let token = row.ok().and_then(|body| TrashV2::decode_parts(key, body));
            self.trash.insert(*key, token.map(|(token, _)| token.revoked.is_some()));
            ControlFlow::Continue(())
        })?;
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
        let mut nameless: BTreeSet<Key> = self.tokens.keys().copied().collect();
        let mut check = EntryCheck::default();
        tables.names.for_each(|name: &[u8], row| {
            let key = row.ok().and_then(decode).map(|TokenIdRecordV1(key)| key);
            let token = key.and_then(|key| Some((key, self.tokens.get(&key)?.name.folded())));
            let token = token.as_ref().map(|(key, name)| (name.as_str(), key));
            let is_valid = check.is_valid(name, token);
            let Some(key) = key else {
                return ControlFlow::Continue(());
            };
            match token {
                Some(_) if is_valid => drop(nameless.remove(&key)),
                Some(_) => self.add_fault(name, "refers to a token with another name"),
                None if self.damaged.contains(&key) => {}
                None => self.add_fault(name, "is the name of a token that does not exist"),
            }
            ControlFlow::Continue(())
        })?;
        for key in nameless {
            self.add_fault(&key, "cannot be found by its name");
        }
        Ok(())
    }

    fn check_trail<T: Transaction>(&mut self, tables: &Tables<T>) -> Result<(), StoreError> {
        let mut audited: BTreeMap<Key, AuditedTokenState> = BTreeMap::new();
        let mut is_readable = true;
        tables.events.for_each(|_, row| {
            let event = row.ok().and_then(|body| body.decode::<EventV1<'_>>()?.into_event_body());
            is_readable &= event.is_some();
            if let Some(event) = event
                && let Some(id) = event.token
            {
                audited.entry(*id.as_bytes()).or_default().apply(&event);
            }
            ControlFlow::Continue(())
        })?;
        if !is_readable {
            // An incomplete trail proves nothing, and the check of the chain reports the damage.
            return Ok(());
        }
        let unknown: Vec<Key> = self
            .tokens
            .keys()
            .chain(self.trash.keys())
            .filter(|key| !audited.contains_key(*key))
            .copied()
            .collect();
        for key in unknown {
            self.add_fault(&key, "has no event in the audit trail");
        }
        for (key, audited) in audited {
            let (location, is_revoked) = match (self.tokens.get(&key), self.trash.get(&key)) {
                (Some(token), _) => (TokenLocation::Stored, Some(token.revoked.is_some())),
                (None, _) if self.damaged.contains(&key) => continue,
                (None, Some(is_revoked)) => (TokenLocation::Trash, *is_revoked),
                (None, None) => (TokenLocation::Purged, None),
            };
            if let Some(other) = audited.location.filter(|other| *other != location) {
                let (is, should_be) = (location.as_str(), other.as_str());
                self.add_fault(
                    &key,
                    &format!("is {is}, but should be {should_be} according to the audit trail"),
                );
            } else if let (Some(is), Some(should_be)) = (is_revoked, audited.revoked)
                && is != should_be
            {
                let word = |revoked| if revoked { "revoked" } else { "not revoked" };
                let (is, should_be) = (word(is), word(should_be));
                self.add_fault(
                    &key,
                    &format!("is {is}, but should be {should_be} according to the audit trail"),
                );
            }
        }
        Ok(())
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
