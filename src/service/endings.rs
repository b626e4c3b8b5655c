//! Endings of secrets through the revocation register. An ending is in force once the register has
//! it; the record follows in the same call or, if the store cannot be written now, with the next
//! write of any process. What permits something is written to the store first and never waits
//! here. Called by `execute` and by the import.

use std::collections::{HashMap, HashSet};

use super::{CommandResult, Service, ServiceError, execute::require_confirmed};
use crate::{
    domain::{
        Actor, AuditAction, Command, ConfirmationProof, EventBody, Plan, StoredToken, Timestamp,
        Token, TokenChange, TokenId, plan::NewSecretDigests,
    },
    store::{Ending, EndingKind, ReadOps, RevocationEntry, StoreError, Writer},
};

/// The kind of ending that `command` is, if it does nothing but end secrets.
fn ending_kind(command: &Command) -> Option<EndingKind> {
    match command {
        Command::Revoke { .. } | Command::RevokeLeaked { .. } => Some(EndingKind::Revoke),
        Command::EndOverlap { .. } => Some(EndingKind::EndOverlap),
        Command::Delete { .. } => Some(EndingKind::Delete),
        Command::Create { .. }
        | Command::Edit { .. }
        | Command::AddScopes { .. }
        | Command::RemoveScopes { .. }
        | Command::Regenerate { .. }
        | Command::Restore(_)
        | Command::Revert(_)
        | Command::RecordDelivery { .. }
        | Command::AcceptClock
        | Command::PurgeTrash => None,
    }
}

impl Service {
    /// Rebuilds the revocation register if it is missing, damaged or that of another store. Every
    /// process that may write calls it at its start. Returns whether it was rebuilt.
    pub fn ensure_register(&self) -> Result<bool, ServiceError> {
        if self.store.is_read_only() || self.store.has_register()? {
            return Ok(false);
        }
        Ok(self.store.rebuild_register(&rebuilt_event(&self.actor, self.clock.now()))?)
    }

    /// Runs `work` in a write transaction, after the pending endings of any process were stored in
    /// it.
    pub(super) fn write<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&mut Writer<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        // Without a usable register there is nothing to store; checks have no answer then.
        let pending = self.store.pending_endings().unwrap_or_default();
        let result = self.store.write(|tx| {
            apply_pending(tx, &pending)?;
            work(tx)
        })?;
        // An ending that is applied twice changes nothing, so it may stay pending.
        let _ = self.store.clear_pending_endings(&pending);
        Ok(result)
    }

    /// Executes `command` through the register if it only ends secrets; `None` if it does not, or
    /// if the register cannot be written. Then the store alone must be.
    pub(super) fn execute_ending(
        &self,
        command: &Command,
        confirmed: &ConfirmationProof,
    ) -> Result<Option<CommandResult>, ServiceError> {
        let kind = ending_kind(command).filter(|_| self.store.path().is_some());
        let Some(kind) = kind.filter(|_| !self.store.is_read_only()) else { return Ok(None) };
        let plan = self.preview(command)?;
        require_confirmed(&plan, confirmed)?;
        let entries = pending_entries(&plan, kind, self);
        if self.store.end_secrets(&entries, plan.at).is_err() {
            return Ok(None);
        }
        // From here on the secrets are ended, so nothing is refused any more.
        match self.store_ending(command, &entries, &plan) {
            Ok(plan) => Ok(Some(CommandResult::of(plan))),
            Err(ServiceError::Store(error)) => {
                Ok(Some(CommandResult { deferred: Some(error), ..CommandResult::of(plan) }))
            }
            Err(error) => Err(error),
        }
    }

    /// Stores the ending that `entries` have put into the register. Leaves out tokens that have a
    /// later secret in the meantime, because the operator did not see that secret.
    fn store_ending(
        &self,
        command: &Command,
        entries: &[RevocationEntry],
        previewed: &Plan,
    ) -> Result<Plan, ServiceError> {
        let ended: HashMap<TokenId, u32> =
            entries.iter().map(|entry| (entry.id, entry.ended_generation)).collect();
        let pending = self.store.pending_endings()?;
        let own: HashSet<_> = entries.iter().map(RevocationEntry::ending_key).collect();
        let is_other = |entry: &&RevocationEntry| !own.contains(&entry.ending_key());
        let others: Vec<_> = pending.iter().filter(is_other).cloned().collect();
        let plan = self.store.write(|tx| {
            apply_pending(tx, &others)?;
            let mut plan = self.plan(tx, command, &NewSecretDigests::default())?;
            let has_later_secret = |change: &TokenChange| match (&change.before, ending_of(change))
            {
                (StoredToken::Live(before), Some(generation)) => {
                    ended.get(&before.id).is_none_or(|ended| generation > *ended)
                }
                (_, ending) => ending.is_some(),
            };
            let planned: HashSet<TokenId> = plan.changes.iter().filter_map(id_of).collect();
            plan.changes.retain(|change| !has_later_secret(change));
            self.apply(tx, &plan)?;
            // Another process has stored the rest of this ending, which was pending.
            let is_stored =
                |change: &&TokenChange| id_of(change).is_some_and(|id| !planned.contains(&id));
            plan.changes.extend(previewed.changes.iter().filter(is_stored).cloned());
            Ok::<_, ServiceError>(plan)
        })?;
        let _ = self.store.clear_pending_endings(&pending);
        Ok(plan)
    }

    /// Writes to the register what the stored `plan` restricts or permits. Fails with
    /// [`ServiceError::StillDenied`] if the register still denies a restored secret.
    pub(super) fn update_register(&self, plan: &Plan) -> Result<(), ServiceError> {
        let stored: Vec<_> = plan.tokens().map(RevocationEntry::of_token).collect();
        match &plan.command {
            // The record alone denies what was ended; the register protects it from a lost write
            // and from an older file. So a failure here is no failure of the change.
            Command::Regenerate { .. } | Command::RemoveScopes { .. } | Command::Revert(_) => {
                let _ = self.store.end_secrets(&stored, plan.at);
            }
            Command::Restore(_) => {
                self.store.set_revocations(&stored).map_err(ServiceError::StillDenied)?;
            }
            _ => {}
        }
        Ok(())
    }
}

/// The event of a rebuilt register.
pub(super) fn rebuilt_event(actor: &Actor, at: Timestamp) -> EventBody {
    EventBody {
        at,
        actor: actor.clone(),
        token: None,
        name: String::new(),
        action: AuditAction::RegisterRebuilt,
        detail: String::new(),
    }
}

fn id_of(change: &TokenChange) -> Option<TokenId> {
    change.before.token().map(|token| token.id)
}

/// The highest generation that a change ends; `None` if it ends nothing.
fn ending_of(change: &TokenChange) -> Option<u32> {
    match (&change.before, &change.after) {
        (StoredToken::Live(before), StoredToken::Deleted(..)) => Some(before.generation),
        (StoredToken::Live(before), StoredToken::Live(after)) if before != after => {
            Some(RevocationEntry::of_token(after).ended_generation)
        }
        _ => None,
    }
}

/// The register entries of `plan`, each with the ending that its record does not contain yet.
fn pending_entries(plan: &Plan, kind: EndingKind, service: &Service) -> Vec<RevocationEntry> {
    let ending = Ending { kind, at: plan.at, actor: service.actor.clone() };
    let entry = |change: &TokenChange| {
        if let StoredToken::Damaged(id) = change.before {
            // Its generation is unknown, so every secret of the token is ended.
            return Some(RevocationEntry { ended_generation: u32::MAX, ..RevocationEntry::of(id) });
        }
        let (ended_generation, before) = (ending_of(change)?, change.before.token()?);
        Some(RevocationEntry {
            ended_generation,
            min_version: before.version,
            expires: before.expires,
            pending: Some(ending.clone()),
            ..RevocationEntry::of(before.id)
        })
    };
    plan.changes.iter().filter_map(entry).collect()
}

/// Stores pending endings, each with its own time and actor in the audit trail. Skips those that
/// the records contain already, and those of a secret that was replaced.
pub(super) fn apply_pending(
    tx: &mut Writer<'_>,
    pending: &[RevocationEntry],
) -> Result<(), StoreError> {
    let recorded = tx.recorded_time()?.newest();
    for entry in pending {
        let Some(ending) = &entry.pending else { continue };
        let event = match tx.token(&entry.id) {
            Ok(Some(token)) => apply_ending(tx, entry, ending, &token)?,
            Ok(None) => None,
            // One damaged record must not make every later write fail.
            Err(StoreError::Damaged(_)) => delete_damaged(tx, entry, ending)?,
            Err(error) => return Err(error),
        };
        if let Some(event) = event {
            tx.append_event(event)?;
        }
    }
    // The newest event may now be older than the newest one before.
    match recorded.filter(|_| !pending.is_empty()) {
        Some(recorded) => tx.raise_newest_use(recorded),
        None => Ok(()),
    }
}

/// Changes the record of `token` and returns the event, or `None` if the record contains the ending
/// already or has a later secret.
fn apply_ending(
    tx: &mut Writer<'_>,
    entry: &RevocationEntry,
    ending: &Ending,
    token: &Token,
) -> Result<Option<EventBody>, StoreError> {
    let is_deleted =
        ending.kind == EndingKind::Delete && token.generation <= entry.ended_generation;
    if is_deleted {
        tx.remove_token(&token.id)?;
        tx.put_trash(token, ending.at)?;
    } else {
        let ended = entry.applied(ending, token.clone());
        if ended == *token {
            return Ok(None);
        }
        tx.put_token(&ended)?;
    }
    Ok(Some(pending_event(ending, token)))
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
        actor: ending.actor.clone(),
        token: Some(entry.id),
        name,
        action: AuditAction::Deleted,
        detail: EventBody::RECORD_WAS_DAMAGED.to_owned(),
    }))
}

/// The event of an ending that another process stores. `token` is the record before the ending.
fn pending_event(ending: &Ending, token: &Token) -> EventBody {
    let was = token.status(ending.at).as_str();
    let (action, detail) = match ending.kind {
        EndingKind::Revoke => (AuditAction::Revoked, format!("was {was}, recorded later")),
        EndingKind::EndOverlap => (AuditAction::OverlapEnded, "recorded later".to_owned()),
        EndingKind::Delete => (
            AuditAction::Deleted,
            format!("was {was}, recorded later, can be brought back for 24 hours"),
        ),
    };
    EventBody {
        at: ending.at,
        actor: ending.actor.clone(),
        token: Some(token.id),
        name: token.name.to_string(),
        action,
        detail,
    }
}
