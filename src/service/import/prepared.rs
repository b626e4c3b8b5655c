//! The second step of an import: decides the action for each staged row and writes the rows, up to
//! 5,000 in one transaction. If conflicts arose since the rows were checked, it fails and writes
//! nothing. Called by the command line.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicU64, Ordering},
};

use super::{
    ImportError,
    conflicts::{Conflict, ConflictResolver, wider_access},
    row_plans::{RowOutcome, RowPlan, RowPlans},
    source::{ImportFaults, ImportRow, ImportSource, LineFault},
    staging::{CheckResult, StagedToken, StagingBuffer},
};
use crate::{
    domain::{
        AuditAction, EventBody, MAX_PER_TRANSACTION, Status, Timestamp, Token, TokenId,
        plan::expiry_text,
    },
    service::{ChangeLogPosition, Service, ServiceError, store_reads},
    store::{
        ComparedFields, EncodedToken, HasTables as _, ReadOps, RevocationEntry, StoreError, Writer,
        token_with_use_counts,
    },
};

/// An import whose rows were checked and have no faults.
#[derive(Debug)]
pub struct PreparedImport<'a, S> {
    pub(super) service: &'a Service,
    source: &'a S,
    pub(super) policy: ConflictResolver,
    pub(super) staging: StagingBuffer,
    /// The state of the store against which the rows were checked.
    pub(super) checked_at: ChangeLogPosition,
    /// Number of rows up to which the import is one transaction.
    pub(super) max_per_transaction: usize,
}

/// The planned writes of a batch, and the conflicts that the policy refuses.
#[derive(Default)]
pub(super) struct PlannedBatch<'b> {
    pub(super) actions: Vec<RowPlan>,
    refused: Vec<LineFault>,
    /// Number of rows with a refused conflict.
    pub(super) refused_rows: usize,
    replaced_ids: Vec<TokenId>,
    displaced_ids: Vec<TokenId>,
    /// Entries that the register lacks of tokens that the import does not change: an earlier import was
    /// killed after its commit.
    unregistered: Vec<RevocationEntry>,
    /// The replaced tokens of which the register lacks the entry for the same reason.
    lagging_ids: BTreeSet<TokenId>,
    /// The tokens that are inserted.
    tokens: Vec<EncodedToken<'b>>,
    /// The folded name and the id of each inserted token.
    names: Vec<(String, TokenId)>,
    /// The audit event for each inserted token.
    events: Vec<EventBody>,
}

/// The entries that an import writes to the revocation register after its commit.
#[derive(Default)]
pub(super) struct RegisterChanges {
    /// Entries that end the tokens that were deleted because imported tokens have their names.
    pub(super) ended: Vec<RevocationEntry>,
    /// Entries that agree with the new records of the replaced tokens.
    replaced: Vec<RevocationEntry>,
    /// The entries of those replaced tokens that are allowed less than before. Only these protect the
    /// new records from an older copy of the store.
    narrowed: Vec<RevocationEntry>,
    /// Entries of unchanged tokens.
    unregistered: Vec<RevocationEntry>,
}

/// Which staged rows are checked again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RecheckMode {
    /// Check all rows, collect no writes.
    DryRun,
    /// Check all rows: the store changed since they were staged.
    Recheck,
    /// The store has not changed since the rows were staged: rows that were new need no second
    /// check.
    Unchanged,
}

impl<'a, S: ImportSource> PreparedImport<'a, S> {
    pub(super) fn new(
        service: &'a Service,
        source: &'a S,
        policy: ConflictResolver,
        staging: StagingBuffer,
        checked_at: ChangeLogPosition,
    ) -> Self {
        let max_per_transaction = MAX_PER_TRANSACTION;
        Self { service, source, policy, staging, checked_at, max_per_transaction }
    }

    /// Saves more than `max` rows in batches.
    #[cfg(test)]
    pub fn with_max_per_transaction(self, max: usize) -> Self {
        Self { max_per_transaction: max, ..self }
    }

    /// Returns the actions that [`PreparedImport::commit`] would take now. Changes nothing. Fails
    /// with the conflicts that arose since the rows were checked.
    pub fn dry_run(&self) -> Result<RowPlans, ImportError> {
        let at = self.service.now()?;
        let (mut actions, mut refused) = (RowPlans::default(), ImportFaults::default());
        for staged in self.staging.batches() {
            let staged = staged?;
            let tokens = StagedToken::read_all(&staged).collect::<Result<Vec<_>, _>>()?;
            let batch = self.plan_batch(&tokens, at, RecheckMode::DryRun)?;
            actions.extend(batch.actions);
            refused.extend(batch.refused);
        }
        if refused.is_empty() { Ok(actions) } else { Err(refused.into()) }
    }

    /// Imports the tokens: up to [`MAX_PER_TRANSACTION`] all or none, more in batches, see
    /// [`ImportError::Interrupted`]. Writes one event for each token, with the id of the store that
    /// exported it. Sets `done` to the number of saved rows, for a progress display. Fails with the
    /// conflicts that arose since the rows were checked.
    pub fn commit(&self, done: &AtomicU64) -> Result<RowPlans, ImportError> {
        if self.staging.row_count() > self.max_per_transaction {
            return self.commit_in_batches(done);
        }
        let staged = self.staging.batches().collect::<Result<Vec<_>, _>>()?;
        let tokens = staged.iter().flat_map(|staged| StagedToken::read_all(staged));
        let tokens = tokens.collect::<Result<Vec<_>, _>>()?;
        let mut register = RegisterChanges::default();
        let actions = self.service.write(|rows| {
            self.service.require_granting(rows)?;
            // From here on, the write lock keeps other processes from writing.
            let now = store_reads::position(rows, rows.newest_event()?.as_ref())?;
            let is_unchanged = now == self.checked_at;
            let mode = if is_unchanged { RecheckMode::Unchanged } else { RecheckMode::Recheck };
            let batch = self.plan_batch(&tokens, self.service.clock.change_time(rows)?, mode)?;
            if !batch.refused.is_empty() {
                let mut refused = ImportFaults::default();
                refused.extend(batch.refused);
                return Err(ImportError::from(refused));
            }
            let deletion_time = self.service.deletion_time(rows)?;
            self.write_batch(rows, &batch, deletion_time, &mut register)?;
            if !register.ended.is_empty() {
                self.service.purge_in(rows)?;
            }
            let mut actions = RowPlans::default();
            actions.extend(batch.actions);
            Ok(actions)
        })?;
        done.fetch_add(u64::try_from(actions.len()).unwrap_or(0), Ordering::Relaxed);
        self.update_register(&register)?;
        Ok(actions)
    }

    /// Writes to the register what saved batches have ended and replaced. Fails with
    /// [`ServiceError::StillDenied`] if the register still denies a replaced secret.
    pub(super) fn update_register(&self, changes: &RegisterChanges) -> Result<(), ServiceError> {
        // The store already denies the deleted tokens. The register only protects this from a lost
        // write and from an older copy of the file, so an error is ignored.
        let _ = self.service.store.end_recorded(&changes.ended, self.service.clock.now());
        let lowered = self.service.store.set_revocations(&changes.replaced);
        lowered.map_err(|error| ServiceError::StillDenied(Some(error)))?;
        for entries in [&changes.narrowed, &changes.unregistered] {
            let _ = self.service.store.end_secrets(entries, self.service.clock.now());
        }
        Ok(())
    }

    /// Plans a batch against the last commit. No id or name occurs twice in an import, and the open
    /// write transaction keeps other processes from writing.
    pub(super) fn plan_batch<'b>(
        &self,
        tokens: &[StagedToken<'b>],
        at: Timestamp,
        mode: RecheckMode,
    ) -> Result<PlannedBatch<'b>, StoreError> {
        self.service.store.read(|rows| {
            let mut batch = PlannedBatch::default();
            for token in tokens {
                let is_new = token.result == CheckResult::New;
                let (mut action, refused) = if mode == RecheckMode::Unchanged && is_new {
                    (RowPlan::INSERT, Vec::new())
                } else {
                    let row = ImportRow { line: token.line, token: token.decode()? };
                    // Another process may have revoked the token after the operator consented.
                    let may_reactivate = token.result == CheckResult::Reactivating;
                    self.policy.decide(rows, at, &row, may_reactivate)?
                };
                if !refused.is_empty() {
                    batch.refused_rows += 1;
                    action.outcome = RowOutcome::Skipped;
                }
                if mode != RecheckMode::DryRun && action.outcome.writes() {
                    self.plan_write(rows, &mut batch, token, &action, at)?;
                }
                if mode != RecheckMode::DryRun && !is_new {
                    let id = token.summary()?.id;
                    match (action.outcome, unregistered(rows, &id, at)?) {
                        (RowOutcome::Unchanged, entry) => batch.unregistered.extend(entry),
                        (RowOutcome::Replaced, Some(_)) => drop(batch.lagging_ids.insert(id)),
                        _ => {}
                    }
                }
                batch.refused.extend(refused);
                batch.actions.push(action);
            }
            Ok(batch)
        })
    }

    /// Adds to `batch` the token, its event, and the ids of the tokens that are replaced or deleted
    /// for it.
    fn plan_write<'b>(
        &self,
        rows: &impl ReadOps,
        batch: &mut PlannedBatch<'b>,
        token: &StagedToken<'b>,
        action: &RowPlan,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let ComparedFields { id, name, is_revoked, expires, not_before } = token.summary()?;
        let (status, store) =
            (Status::of(is_revoked, expires, not_before, at).as_str(), self.source.store_id());
        let mut detail = [status, " from store ", store, ", ", &expiry_text(expires)].concat();
        if action.outcome == RowOutcome::Replaced {
            batch.replaced_ids.push(id);
            if let Ok(Some(existing)) = rows.token(&id) {
                detail.extend([", was ", existing.status(at).as_str(), " here"]);
            }
        }
        for conflict in &action.conflicts {
            if let Conflict::EndsOverlap { until, .. } = conflict {
                let until = expiry_text(Some(*until));
                detail.extend([", ended the overlap of a secret that would have worked ", &until]);
            }
        }
        batch.displaced_ids.extend(action.conflicts.iter().filter_map(|conflict| match conflict {
            Conflict::NameTaken(id) => Some(*id),
            _ => None,
        }));
        batch.events.push(EventBody {
            at,
            actor: self.service.actor.clone(),
            token: Some(id),
            name: name.to_string(),
            action: AuditAction::Imported,
            detail,
        });
        batch.names.push((name.folded(), id));
        batch.tokens.push(token.encoded);
        Ok(())
    }

    /// Writes a batch. Deletes the tokens whose names the batch takes, with the `deletion_time`
    /// that all batches share. Removes the written tokens from the trash.
    pub(super) fn write_batch(
        &self,
        rows: &mut Writer<'_>,
        batch: &PlannedBatch<'_>,
        deletion_time: Timestamp,
        register: &mut RegisterChanges,
    ) -> Result<(), ServiceError> {
        register.unregistered.extend(batch.unregistered.iter().cloned());
        let mut replaced = Vec::new();
        for id in &batch.replaced_ids {
            replaced.push((*id, stored_or_deleted(rows, id)?));
            rows.remove_record(id)?;
        }
        for id in &batch.displaced_ids {
            let displaced = stored_or_deleted(rows, id)?;
            register.ended.extend(displaced.map(|token| RevocationEntry::of_deleted(&token)));
        }
        if !batch.displaced_ids.is_empty() {
            self.service.delete_displaced(rows, &batch.displaced_ids, deletion_time)?;
        }
        if rows.has_trash()? {
            for (_, id) in &batch.names {
                rows.remove_trash(id)?;
            }
        }
        rows.insert_tokens(&batch.tokens, &batch.events)?;
        if self.policy.is_replacing() {
            // A later batch replaces the tokens that still have these names.
            rows.yield_names(&batch.names)?;
        }
        rows.insert_names(&batch.names)?;
        let at = self.service.clock.denial_time(rows)?;
        for (id, existing) in replaced {
            let Some(mut token) = rows.token(&id)? else { continue };
            if let Some(existing) = existing {
                token = token.replacing(&existing);
                rows.put_counters(&token)?;
                rows.put_use_count(&token)?;
                let is_lagging = batch.lagging_ids.contains(&id);
                if is_lagging || !wider_access(&token, &existing, at).is_empty() {
                    register.narrowed.push(RevocationEntry::of_token(&token));
                }
            } else {
                // The register knows a token that the store has lost. It must neither count the imported
                // record as older, nor forget the secrets that it ends.
                let state = self.service.store.read(|rows| rows.revocation_state(&id))?;
                token.version = token.version.max(state.min_version.saturating_add(1));
                let ended = RevocationEntry::of_token(&token).ended_generation;
                if !state.is_damaged() {
                    let missing = state.ended_generation.saturating_sub(ended);
                    token.generation = token.generation.saturating_add(missing);
                }
                rows.put_counters(&token)?;
                rows.put_use_count(&token)?;
            }
            register.replaced.push(RevocationEntry::of_token(&token));
        }
        Ok(())
    }
}

/// Returns the token in the store or, if it was deleted, as it was before. `None` if there is no
/// such token, or if its record is damaged.
fn stored_or_deleted(rows: &impl ReadOps, id: &TokenId) -> Result<Option<Token>, StoreError> {
    let deleted = || Ok(rows.trashed(id)?.map(|deleted| deleted.token));
    match token_with_use_counts(rows, id)
        .and_then(|token| token.map_or_else(deleted, |token| Ok(Some(token))))
    {
        Err(StoreError::Damaged(_)) => Ok(None),
        found => found,
    }
}

/// Returns the entry of the token if the register ends less of it than its record.
fn unregistered(
    rows: &impl ReadOps,
    id: &TokenId,
    at: Timestamp,
) -> Result<Option<RevocationEntry>, StoreError> {
    let Some(token) = rows.token(id)? else { return Ok(None) };
    let (entry, state) = (RevocationEntry::of_token(&token), rows.revocation_state(id)?);
    // The register drops the entries of expired tokens.
    let can_expire = token.expires.is_none_or(|expires| at < expires);
    let is_changed = token.version > Token::FIRST_VERSION && token.version > state.min_version;
    let is_behind = entry.ended_generation > state.ended_generation || is_changed;
    Ok((can_expire && is_behind).then_some(entry))
}
