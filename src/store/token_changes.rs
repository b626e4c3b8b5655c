//! The changes of a token according to the audit trail: the newest ones, and whether it was deleted. 24
//! hours after a deletion, only the trail contains it. Called by the register, `restore` and the
//! service.

use std::{collections::BTreeSet, ops::ControlFlow};

use super::{chain::decode_event, error::StoreError, read_ops::ReadOps};
use crate::domain::{AuditAction, AuditEvent, TokenId};

/// Number of events of a token up to which its newest changes are searched.
const MAX_READ: usize = 65_536;
/// Number of newest changes of a token of which one is no end of a secret, usually the first.
const NEWEST: usize = 32;

impl<S: ReadOps> TokenChanges for S {}

/// The read operations on the changes of a token.
pub trait TokenChanges: ReadOps {
    /// Returns at most `count` undamaged events that changed the token `id`, newest first. The events
    /// of hooks are left out, because a run changes no token, and a token can have many of them.
    fn newest_changes_of(&self, id: &TokenId, count: usize) -> Result<Vec<AuditEvent>, StoreError> {
        let mut limit = count;
        loop {
            let found = self.events_of(id, limit)?;
            let read = found.rows.len();
            let is_complete = read.saturating_add(found.damaged.len()) < limit;
            let mut changes = found.rows;
            changes.retain(|event| event.body.action != AuditAction::HookRan);
            // A damaged tree can have a cycle, so the number of events that are read has a bound.
            let has_enough = changes.len() >= count || changes.len() == read;
            if is_complete || has_enough || limit >= MAX_READ {
                changes.truncate(count);
                return Ok(changes);
            }
            limit = limit.saturating_mul(8);
        }
    }

    /// Whether the store contains the deletion of the token: it is in the trash, or its last change in
    /// the trail removed it.
    fn was_deleted(&self, id: &TokenId) -> Result<bool, StoreError> {
        let newest = self.newest_changes_of(id, NEWEST)?;
        let last = newest.iter().map(|event| event.body.action).find(|it| !is_ending(*it));
        Ok(last.is_some_and(is_deletion) || self.trashed(id)?.is_some())
    }

    /// Whether the token is read as deleted, although its record does not have the deletion yet.
    fn is_deletion_pending(&self, id: &TokenId) -> bool {
        self.pending().is_some_and(|pending| pending.deletion_of(id).is_some())
    }

    /// Returns the tokens that were deleted according to the trail and have no record. Reads the whole
    /// trail; skips damaged events.
    fn deleted_without_record(&self) -> Result<Vec<TokenId>, StoreError> {
        let mut deleted = BTreeSet::new();
        self.tables().events.for_each(|sequence: u64, row| {
            let event = row.ok().and_then(|body| decode_event(sequence, body));
            if let Some((id, action)) = event.and_then(|it| Some((it.body.token?, it.body.action)))
                && action != AuditAction::HookRan
            {
                if is_deletion(action) {
                    deleted.insert(id);
                } else if !is_ending(action) {
                    deleted.remove(&id);
                }
            }
            ControlFlow::Continue(())
        })?;
        let mut without_record = Vec::new();
        for id in deleted {
            // A damaged record is one, too: its secrets are denied.
            let has_record = !matches!(self.token_without_usage(&id), Ok(None));
            if !has_record && self.trashed(&id)?.is_none() {
                without_record.push(id);
            }
        }
        Ok(without_record)
    }
}

/// Whether the change ends secrets, and can be recorded after the deletion of the token.
fn is_ending(action: AuditAction) -> bool {
    matches!(action, AuditAction::Revoked | AuditAction::OverlapEnded)
}

/// Whether the token has no record after this change, unless it is restored.
fn is_deletion(action: AuditAction) -> bool {
    matches!(action, AuditAction::Deleted | AuditAction::Purged)
}
