//! Ends secrets through the revocation register. An ending is a revoke, a delete or the end of an
//! overlap. It takes effect when it is in the register. The token's record is updated in the same
//! call or, if the store cannot be written now, in the next write transaction of any process. A
//! change that allows more, such as the restore of a deleted token, is written to the store first
//! and is never pending. Called by `execute` and by the import.

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use super::{
    CommandResult, Service, ServiceError,
    batch_size::BatchSize,
    ending_changes::{
        Ended, add_ended_meanwhile, ended_by, has_same_secrets, id_of, later_entries, only_for,
        pending_entries, tokens_changed_meanwhile,
    },
    execute::require_confirmed,
    pending_endings::{StoredEndings, apply_pending, raise_newest_ending},
};
use crate::{
    domain::{
        Actor, AuditAction, Command, ConfirmationProof, EventBody, MAX_PER_TRANSACTION, Plan,
        SecretSlot, Timestamp, Token, TokenChange, TokenId, plan::NewSecretDigests,
    },
    store::{HasTables as _, ReadOps as _, RevocationEntry, StoreError, Writer},
};

/// Maximum number of pending endings that one transaction stores, so that it stays short. The oldest
/// are stored first.
const MAX_PENDING: usize = 500;

/// Maximum time that the tokens of a search wait for the lock of the store before they end.
const SELECTION_TIMEOUT: Duration = Duration::from_millis(250);

/// An ending that was put into the register before the store.
struct Registered {
    plan: Plan,
    entries: Vec<RevocationEntry>,
    /// Whether the register has the entries.
    result: Result<(), StoreError>,
}

impl Service {
    /// Rebuilds the revocation register if it is missing, damaged or an older copy, see
    /// [`Store::ensure_register`](crate::store::Store::ensure_register).
    pub fn ensure_register(&self) -> Result<bool, ServiceError> {
        let rebuilt = || rebuilt_event(&self.actor, self.clock.now());
        Ok(self.store.ensure_register(rebuilt)?)
    }

    /// Whether the store was an older copy when it was opened, which lacked endings of its revocation
    /// register. Its tokens are read as ended, and the next write stores the endings.
    pub fn was_store_outdated(&self) -> bool {
        self.store.was_outdated()
    }

    /// Stores the endings that the records lack. Until then, a deleted token holds its name and cannot be
    /// restored. If this fails, a change would fail, too.
    pub fn store_pending_endings(&self) -> Result<(), ServiceError> {
        if self.store.is_read_only() { Ok(()) } else { Ok(self.store_missing_endings()?) }
    }

    /// Runs `work` in a write transaction. First stores the endings that the records lack, so that no
    /// secret is issued while an ending of its token is pending.
    pub(super) fn write<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&mut Writer<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.store_missing_endings()?;
        self.write_with_pending(work)
    }

    /// Stores the endings that the records lack, in batches.
    fn store_missing_endings(&self) -> Result<(), StoreError> {
        let count_missing = || self.store.read(|rows| Ok::<_, StoreError>(rows.pending_count()));
        let mut count = count_missing()?;
        while count > 0 {
            self.write_with_pending(|_| Ok::<_, StoreError>(()))?;
            let before = std::mem::replace(&mut count, count_missing()?);
            if count >= before {
                // The rest cannot be stored, for example because the records are damaged.
                break;
            }
        }
        Ok(())
    }

    fn write_with_pending<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&mut Writer<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut stored = StoredEndings::default();
        let result = self.store.write(|tx| {
            // Read them under the lock, or an ending that was undone in the meantime would be stored
            // again. If the register is unusable, store no endings: they cannot be read, and no
            // check has an answer.
            let mut found = self.store.pending_endings().unwrap_or_default();
            let is_complete = found.entries.len() <= MAX_PENDING;
            found.entries.truncate(MAX_PENDING);
            stored.raised = apply_pending(tx, &found.entries, found.newest_stored)?;
            let result = work(tx)?;
            stored.finish(tx, found, is_complete)?;
            Ok::<_, E>(result)
        })?;
        self.clear_stored_endings(&stored);
        Ok(result)
    }

    /// Records in the register what the store has stored, after it has raised the later entries. If this
    /// fails, the endings stay pending. Storing an ending twice changes nothing.
    fn clear_stored_endings(&self, stored: &StoredEndings) {
        let StoredEndings { entries, raised, event, lacking } = stored;
        if self.store.end_secrets(raised, self.clock.now()).is_ok() {
            let _ = self.store.clear_pending_endings(entries, *event, *lacking);
        }
    }

    /// Executes a command that only ends secrets: writes the register first, then the store.
    /// If the register cannot be written, writes the store alone. Returns `None` if the command does
    /// anything else, or if it ends more than 5,000 tokens without a register; the caller must then
    /// execute it in one transaction.
    pub(super) fn execute_ending(
        &self,
        command: &Command,
        confirmed: &ConfirmationProof,
    ) -> Result<Option<CommandResult>, ServiceError> {
        let ended = ended_by(command).filter(|_| self.store.path().is_some());
        let Some(ended) = ended.filter(|_| !self.store.is_read_only()) else { return Ok(None) };
        let is_overlap = matches!(command, Command::EndOverlap { .. });
        let mut plan = self.preview(command)?;
        if is_overlap && self.require_current_records(&plan).is_err() {
            // Another process may have changed the record after it was read.
            let confirmed = std::mem::replace(&mut plan, self.preview(command)?);
            self.require_current_records(&plan)?;
            if !has_same_secrets(&confirmed, &plan) {
                let expected = confirmed.change_count();
                return Err(ServiceError::ChangedMeanwhile { plan: Box::new(plan), expected });
            }
        }
        require_confirmed(&plan, confirmed)?;
        // If no secret is to be ended, the tokens that a search has selected can be compared with it
        // under the lock: one can have got a secret meanwhile.
        let works = |token: &Token| !token.status(plan.at).is_ended();
        if confirmed.has_search() && !plan.tokens_before().any(works) {
            return Ok(None);
        }
        // Other pending endings follow later, so that this one takes effect at once. Only those that
        // a store of another history lacks come first: until it has all of them, the entry of this
        // ending would count as one more. If this fails, the command itself still works: it needs the
        // register only.
        let is_of_other_history =
            self.store.read(|rows| Ok::<_, StoreError>(rows.is_of_other_history()));
        if is_of_other_history.unwrap_or(false) && self.write(|_| Ok::<_, StoreError>(())).is_ok() {
            plan = self.preview(command)?;
            require_confirmed(&plan, confirmed)?;
        }
        let Registered { plan, entries, result: registered } =
            self.put_into_register(command, confirmed, ended, plan)?;
        if registered.is_err() && entries.len() > MAX_PER_TRANSACTION {
            return Ok(None);
        }
        match self.store_ending(command, &entries, &plan) {
            Ok(plan) => {
                // A write that failed may have reached the file, so the endings can be in force.
                let unprotected = match registered {
                    Ok(()) => None,
                    Err(_) => self.update_register(&plan)?,
                };
                Ok(Some(CommandResult { unprotected, ..CommandResult::of(plan) }))
            }
            // The secrets have stopped working, so an error of the store does not make the command
            // fail.
            Err(ServiceError::Store(error)) if registered.is_ok() => {
                Ok(Some(CommandResult { deferred: Some(error), ..CommandResult::of(plan) }))
            }
            Err(error) => Err(match registered {
                // A part of the secrets can be ended.
                Err(unknown @ StoreError::CommitResultUnknown { .. }) => unknown.into(),
                _ => error,
            }),
        }
    }

    /// Puts the ending that `plan` plans into the register. If a search has selected the tokens, plans it
    /// again and puts it into the register under the lock of the store: no other process can change a
    /// token in between, so that it no longer matches. If the store is busy or cannot be written, the
    /// ending does not wait for it.
    fn put_into_register(
        &self,
        command: &Command,
        confirmed: &ConfirmationProof,
        ended: Ended,
        plan: Plan,
    ) -> Result<Registered, ServiceError> {
        let mut put = None;
        if confirmed.has_search() {
            let _ = self.store.write_within(SELECTION_TIMEOUT, |_| {
                put = Some(self.preview(command).and_then(|plan| {
                    require_confirmed(&plan, confirmed)?;
                    self.put_planned(plan, ended)
                }));
                Ok::<_, StoreError>(())
            });
        }
        put.unwrap_or_else(|| self.put_planned(plan, ended))
    }

    fn put_planned(&self, plan: Plan, ended: Ended) -> Result<Registered, ServiceError> {
        let mut entries = pending_entries(&plan, ended, &self.actor);
        if ended != Ended::OneSecret {
            self.end_later_secrets(&mut entries)?;
        }
        let result = self.store.end_secrets(&entries, plan.at);
        Ok(Registered { plan, entries, result })
    }

    /// Stores the ending that `entries` have put into the register: up to 5,000 tokens in one
    /// transaction, more in batches. If a batch fails, the register keeps the rest as pending.
    fn store_ending(
        &self,
        command: &Command,
        entries: &[RevocationEntry],
        previewed: &Plan,
    ) -> Result<Plan, ServiceError> {
        if entries.len() <= MAX_PER_TRANSACTION {
            return Ok(self.store_ending_batch(command, entries, &previewed.changes)?.0);
        }
        let mut plan = Plan { changes: Vec::new(), ..previewed.clone() };
        let mut size = BatchSize::default();
        let mut rest = entries;
        while !rest.is_empty() {
            let (batch, later) = rest.split_at(size.of(rest.len()).min(rest.len()));
            let ids: HashSet<TokenId> = batch.iter().map(|entry| entry.id).collect();
            let is_in_batch =
                |change: &&TokenChange| change.id().is_some_and(|id| ids.contains(&id));
            let changes: Vec<_> = previewed.changes.iter().filter(is_in_batch).cloned().collect();
            let command = only_for(command, &ids);
            let (saved, started) = self.store_ending_batch(&command, batch, &changes)?;
            plan.changes.extend(saved.changes);
            size.finish_batch(batch.len(), started);
            rest = later;
        }
        Ok(plan)
    }

    /// Stores the ending of these entries in one transaction. `previewed` are the changes that the
    /// operator confirmed. A revoke or deletion also ends a secret that was issued while the command waited
    /// for the lock. Also returns when the transaction got the lock.
    fn store_ending_batch(
        &self,
        command: &Command,
        entries: &[RevocationEntry],
        previewed: &[TokenChange],
    ) -> Result<(Plan, Instant), ServiceError> {
        let keys: HashSet<_> = entries.iter().map(RevocationEntry::ending_key).collect();
        let mut stored = StoredEndings::default();
        let (plan, started) = self.store.write(|tx| {
            let started = Instant::now();
            // If the register is unusable, it has no endings.
            let mut found = self.store.pending_endings().unwrap_or_default();
            let newest_stored = found.newest_stored;
            let (mut own, mut others): (Vec<_>, Vec<_>) = std::mem::take(&mut found.entries)
                .into_iter()
                .partition(|entry| keys.contains(&entry.ending_key()));
            let is_complete = others.len() <= MAX_PENDING;
            others.truncate(MAX_PENDING);
            let mut raised = apply_pending(tx, &others, newest_stored)?;
            let ended = ended_by(command).unwrap_or(Ended::AllSecrets);
            let changed = tokens_changed_meanwhile(tx, ended, entries, previewed);
            let of_changed: Vec<_> = own.extract_if(.., |it| changed.contains(&it.id)).collect();
            raised.extend(apply_pending(tx, &of_changed, newest_stored)?);
            others.extend(of_changed);
            let mut plan = self.plan(tx, command, &NewSecretDigests::default())?;
            if plan.job.is_some() {
                // Many tokens were added since the preview. The pending endings are stored later.
                plan.changes.clear();
                plan.job = None;
            }
            plan.changes.retain(|it| id_of(it).is_none_or(|id| !changed.contains(&id)));
            raised.extend(later_entries(&plan, entries));
            raise_newest_ending(tx, entries)?;
            self.apply(tx, &plan)?;
            add_ended_meanwhile(&mut plan, previewed, tx);
            stored.raised = raised;
            found.entries = [own, others].concat();
            stored.finish(tx, found, is_complete)?;
            Ok::<_, ServiceError>((plan, started))
        })?;
        self.clear_stored_endings(&stored);
        Ok((plan, started))
    }

    /// Fails with [`ServiceError::StillDenied`] if a secret that `plan` has permitted does not work:
    /// the register denies it, or another process has ended it since.
    fn require_not_denied(&self, plan: &Plan) -> Result<(), ServiceError> {
        let denied = self.store.read(|rows| {
            let is_denied = |token: &Token| {
                let (state, current) =
                    (rows.revocation_state(&token.id)?, rows.token_without_usage(&token.id)?);
                // Another process can have changed the record since, without an ending.
                let current = current.filter(|current| current.revoked.is_none());
                let works = current.is_some_and(|current| {
                    state.denial(&current, SecretSlot::Current, plan.at).is_none()
                });
                Ok::<_, StoreError>(token.revoked.is_none() && !works)
            };
            plan.tokens().map(is_denied).collect::<Result<Vec<_>, _>>()
        });
        if denied?.contains(&true) { Err(ServiceError::StillDenied(None)) } else { Ok(()) }
    }

    /// Fails with [`ServiceError::StillDenied`] if another process revoked or deleted a token of `plan`
    /// while `plan` was stored: its ending is pending, and the new secret does not work.
    fn require_no_later_ending(&self, plan: &Plan) -> Result<(), ServiceError> {
        self.store.read(|rows| {
            for token in plan.tokens().filter(|token| token.revoked.is_none()) {
                let current = rows.token_without_usage(&token.id)?;
                if current.is_none_or(|current| current.revoked.is_some()) {
                    return Err(ServiceError::StillDenied(None));
                }
            }
            Ok(())
        })
    }

    /// Updates the entries of the tokens that `plan` has changed. A process that has restored or imported one
    /// of them can be about to write its entry: that the token works again. That entry would then come too
    /// late, because the one written here is newer. So replaces an entry from before the record that was
    /// changed, unless another process has ended the token since.
    fn register_changed(&self, plan: &Plan) -> Result<(), StoreError> {
        let denied = self.store.read(|rows| {
            let mut denied = Vec::new();
            for change in &plan.changes {
                let (Some(before), Some(after)) = (change.before.token(), change.after.token())
                else {
                    continue;
                };
                let state = rows.revocation_state(&after.id)?;
                let entry = RevocationEntry {
                    min_version: before.version,
                    ..RevocationEntry::of_token(after)
                };
                if state.ended_generation <= entry.ended_generation || state.is_damaged() {
                    continue;
                }
                let current = rows.token_without_usage(&after.id)?;
                let is_last = |it: &Token| it.revoked.is_none() && it.version == after.version;
                denied.extend(current.is_some_and(|current| is_last(&current)).then_some(entry));
            }
            Ok::<_, StoreError>(denied)
        })?;
        if !denied.is_empty() {
            self.store.set_revocations(&denied)?;
        }
        let changed: Vec<_> = plan.tokens().map(RevocationEntry::of_token).collect();
        self.store.end_secrets(&changed, plan.at)
    }

    /// Updates the register after `plan` was stored, so that both agree about its tokens. Returns the
    /// error if the register could not be written. Fails with [`ServiceError::StillDenied`] if the
    /// register still denies a restored secret.
    pub(super) fn update_register(&self, plan: &Plan) -> Result<Option<StoreError>, ServiceError> {
        let entries =
            |entry: fn(&Token) -> RevocationEntry| plan.tokens().map(entry).collect::<Vec<_>>();
        match &plan.command {
            Command::Edit { changes, .. } if changes.limits.is_empty() => {}
            // The stored records already deny what was ended. The register only protects them from
            // a lost write and from an older copy of the file, so the change succeeds even if this
            // fails.
            Command::Regenerate { .. } => {
                let unprotected = self.register_changed(plan).err();
                self.require_no_later_ending(plan)?;
                return Ok(unprotected);
            }
            Command::RemoveScopes { .. }
            | Command::ChangeScopes { .. }
            | Command::Edit { .. }
            | Command::Revert(_) => return Ok(self.register_changed(plan).err()),
            Command::Revoke { .. } | Command::RevokeLeaked { .. } | Command::EndOverlap { .. } => {
                let ended = entries(RevocationEntry::of_token);
                return Ok(self.store.end_recorded(&ended, plan.at).err());
            }
            Command::Delete { .. } => {
                let ended = entries(RevocationEntry::of_deleted);
                return Ok(self.store.end_recorded(&ended, plan.at).err());
            }
            Command::AcceptClock => {
                let _ = self.store.set_newest_ending(plan.at.min(self.clock.now()));
            }
            Command::Restore(_) => {
                let lowered = self
                    .restored_entries(plan)
                    .and_then(|restored| self.store.set_revocations(&restored));
                lowered.map_err(|error| ServiceError::StillDenied(Some(error)))?;
                self.require_not_denied(plan)?;
            }
            _ => {}
        }
        Ok(None)
    }
}

/// Returns the event of a rebuilt register.
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
