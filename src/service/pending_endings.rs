//! Stores the endings that the records lack: those that are pending in the revocation register and,
//! if the store is an older copy, those of the whole register. Skips what is stored already. Called
//! by `Service::write` and by revokes.

use crate::{
    domain::{AuditAction, EventBody, SecretSlot, Timestamp, Token, TokenId},
    store::{
        Ending, EndingKind, EndingsToStore, EventMark, ReadOps as _, RevocationEntry, StoreError,
        TokenChanges as _, TrashedToken, Writer,
    },
};

/// Number of the newest changes of a token that are searched for an ending.
const NEWEST_CHANGES: usize = 32;

/// What a transaction has stored of the register, for the update of the register after its commit.
#[derive(Debug, Default)]
pub(super) struct StoredEndings {
    pub(super) entries: Vec<RevocationEntry>,
    /// Entries that must be raised before, see [`apply_pending`].
    pub(super) raised: Vec<RevocationEntry>,
    /// The last event of the transaction, if the store then has all endings that are not pending.
    pub(super) event: Option<EventMark>,
    /// The marked event that the store lacked before.
    pub(super) lacking: Option<EventMark>,
}

impl StoredEndings {
    /// Completes the result of `tx`, which has stored the endings `found`. `is_complete` is whether these
    /// are all.
    pub(super) fn finish(
        &mut self,
        tx: &Writer<'_>,
        found: EndingsToStore,
        is_complete: bool,
    ) -> Result<(), StoreError> {
        let is_other_history = found.lacking.is_some() || found.is_store_outdated;
        // A store of another history counts as such until it has all endings.
        if is_complete && is_other_history || !is_other_history && !found.entries.is_empty() {
            self.event = tx.newest_event()?.as_ref().map(EventMark::of);
            self.lacking = found.lacking;
        }
        self.entries = found.entries;
        Ok(())
    }
}

/// Stores pending endings, each with its own time and actor in the audit trail. Skips an ending
/// that the record already contains. Returns the entries that must be raised in the register after
/// the commit: those of secrets that were issued meanwhile, and of records that are out of date.
/// `newest_stored` is the time of the newest ending that the store contains.
pub(super) fn apply_pending(
    tx: &mut Writer<'_>,
    pending: &[RevocationEntry],
    newest_stored: Option<Timestamp>,
) -> Result<Vec<RevocationEntry>, StoreError> {
    let mut raised = Vec::new();
    if pending.is_empty() {
        return Ok(raised);
    }
    let recorded = tx.recorded_time()?.newest();
    for entry in pending {
        let Some(ending) = &entry.pending else { continue };
        if is_stored(tx, &entry.id, ending)? {
            continue;
        }
        let event = match tx.token(&entry.id) {
            Ok(Some(token)) => {
                raised.extend(raised_entry(entry, ending, &token));
                apply_ending(tx, entry, ending, &token)?
            }
            Ok(None) => apply_to_deleted(tx, entry, ending)?,
            // One damaged record must not make every later write fail.
            Err(StoreError::Damaged(_)) => delete_damaged(tx, entry, ending)?,
            Err(error) => return Err(error),
        };
        if let Some(event) = event {
            tx.append_event(event)?;
        }
    }
    // The newest event may now be older than the newest one before, and no longer show that the store
    // has the endings up to then.
    if let Some(recorded) = recorded {
        tx.raise_newest_use(recorded)?;
    }
    raise_newest_ending(tx, pending)?;
    if let Some(at) = newest_stored {
        tx.raise_newest_ending(at)?;
    }
    Ok(raised)
}

/// Records the newest of the pending endings that the transaction takes over from the register.
pub(super) fn raise_newest_ending(
    tx: &mut Writer<'_>,
    pending: &[RevocationEntry],
) -> Result<(), StoreError> {
    let times = pending.iter().filter_map(|entry| entry.pending.as_ref()).map(|ending| ending.at);
    times.max().map_or(Ok(()), |at| tx.raise_newest_ending(at))
}

/// Returns the entry that ends what `entry` does not end yet: a secret of `token` that was issued while
/// the ending was pending, or every later secret if an operator ended a token whose record is out of
/// date. An ending of a newer state of the store ends no later secret: that state may return.
fn raised_entry(
    entry: &RevocationEntry,
    ending: &Ending,
    token: &Token,
) -> Option<RevocationEntry> {
    let slot = match ending.kind {
        EndingKind::EndSecret(secret) => token.slot_of(secret)?,
        EndingKind::Revoke | EndingKind::Delete => SecretSlot::Current,
    };
    let ended_generation = token.generation_of(slot);
    let is_outlasted = ended_generation > entry.ended_generation;
    let is_by_operator = ending.actor.is_some() && !matches!(ending.kind, EndingKind::EndSecret(_));
    let ends_all = slot == SecretSlot::Current && (is_outlasted || is_by_operator);
    let raised = RevocationEntry { pending: None, ..entry.clone() };
    if ends_all && token.version < entry.min_version {
        return Some(raised.ended_for_good());
    }
    is_outlasted.then_some(RevocationEntry { ended_generation, ..raised })
}

/// Whether the audit trail has this ending, or a later one of the same kind. The token may have been
/// restored since; storing the ending again would undo that. The ending of one secret can be stored again:
/// it changes nothing if the token no longer has the secret.
fn is_stored(tx: &Writer<'_>, id: &TokenId, ending: &Ending) -> Result<bool, StoreError> {
    let action = match ending.kind {
        EndingKind::Revoke => AuditAction::Revoked,
        EndingKind::Delete => AuditAction::Deleted,
        EndingKind::EndSecret(_) => return Ok(false),
    };
    has_event(tx, id, action, |at| at >= ending.at)
}

/// Whether one of the newest events of the token has this action and a time that `is_its_time` accepts.
pub(super) fn has_event(
    tx: &Writer<'_>,
    id: &TokenId,
    action: AuditAction,
    is_its_time: impl Fn(Timestamp) -> bool,
) -> Result<bool, StoreError> {
    let newest = tx.newest_changes_of(id, NEWEST_CHANGES)?;
    Ok(newest.iter().any(|event| event.body.action == action && is_its_time(event.body.at)))
}

/// Changes the record of `token` and returns the event, or `None` if the record contains the ending
/// already.
fn apply_ending(
    tx: &mut Writer<'_>,
    entry: &RevocationEntry,
    ending: &Ending,
    token: &Token,
) -> Result<Option<EventBody>, StoreError> {
    let action = if ending.kind == EndingKind::Delete {
        tx.delete_token(token, ending.at)?;
        AuditAction::Deleted
    } else {
        let ended = entry.with_pending(ending, token.clone());
        if ended == *token {
            return Ok(None);
        }
        tx.put_token(&ended)?;
        action_of(&ended)
    };
    Ok(Some(pending_event(ending, token, action)))
}

/// Changes the record of a token that was deleted before `ending` was in the register: it must not work
/// again when the token is restored. Returns the event.
fn apply_to_deleted(
    tx: &mut Writer<'_>,
    entry: &RevocationEntry,
    ending: &Ending,
) -> Result<Option<EventBody>, StoreError> {
    let Some(TrashedToken { token, at }) = tx.trashed(&entry.id)? else { return Ok(None) };
    let ended = entry.with_pending(ending, token.clone());
    if ending.kind == EndingKind::Delete || ended == token {
        return Ok(None);
    }
    tx.put_trash(&ended, at)?;
    Ok(Some(pending_event(ending, &token, action_of(&ended))))
}

/// The action of an ending whose result is `ended`.
fn action_of(ended: &Token) -> AuditAction {
    if ended.revoked.is_some() { AuditAction::Revoked } else { AuditAction::OverlapEnded }
}

/// Removes a damaged record whose deletion is pending, and returns the event. Leaves the record in
/// place for any other ending, because the register denies its secrets.
fn delete_damaged(
    tx: &mut Writer<'_>,
    entry: &RevocationEntry,
    ending: &Ending,
) -> Result<Option<EventBody>, StoreError> {
    if ending.kind != EndingKind::Delete {
        return Ok(None);
    }
    let name = tx.first_name_of(&entry.id)?;
    tx.remove_token(&entry.id)?;
    Ok(Some(EventBody {
        at: ending.at,
        actor: ending.recorded_actor(),
        token: Some(entry.id),
        name,
        action: AuditAction::Deleted,
        detail: EventBody::RECORD_WAS_DAMAGED.to_owned(),
    }))
}

/// Returns the event for a pending ending that is stored now, usually by another process. `token`
/// is the record before the ending.
fn pending_event(ending: &Ending, token: &Token, action: AuditAction) -> EventBody {
    let was = token.status(ending.at).as_str();
    let detail = match action {
        AuditAction::OverlapEnded => "recorded later".to_owned(),
        AuditAction::Deleted => {
            format!("was {was}, recorded later, can be brought back for 24 hours")
        }
        _ => format!("was {was}, recorded later"),
    };
    EventBody {
        at: ending.at,
        actor: ending.recorded_actor(),
        token: Some(token.id),
        name: token.name.to_string(),
        action,
        detail,
    }
}
