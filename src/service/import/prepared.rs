//! The second step of an import: decides the action for each staged row and writes the rows in
//! batches within one transaction. If conflicts arose since the rows were checked, it fails and
//! writes nothing. Called by the command line.

use std::{
    mem::take,
    sync::atomic::{AtomicU64, Ordering},
};

use super::{
    ImportError,
    conflicts::{Conflict, ConflictPolicy, ImportAction, ImportActions, ImportOutcome},
    source::{ImportRow, ImportSource, LineFault, LineFaults},
    staging::{StagedToken, StagingBuffer},
};
use crate::{
    domain::{AuditAction, EventBody, Status, Timestamp, TokenId, plan::expiry_text},
    service::{ChangePosition, Service, ServiceError, audit},
    store::{EncodedToken, ImportedFields, NameBatch, ReadOps, StoreError, Writer},
};

/// An import whose rows were checked and have no faults.
#[derive(Debug)]
pub struct PreparedImport<'a, S> {
    service: &'a Service,
    source: &'a S,
    policy: ConflictPolicy,
    staging: StagingBuffer,
    /// The state of the store against which the rows were checked.
    checked_at: ChangePosition,
}

/// The planned writes of a batch, and the conflicts for which rows are refused.
#[derive(Default)]
struct PlannedBatch<'b> {
    actions: Vec<ImportAction>,
    refused: Vec<LineFault>,
    replaced_ids: Vec<TokenId>,
    displaced_ids: Vec<TokenId>,
    /// The tokens that are inserted, with their folded names and their events.
    tokens: Vec<EncodedToken<'b>>,
    names: Vec<(String, TokenId)>,
    events: Vec<EventBody>,
}

/// Which staged rows are checked again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CheckMode {
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
        policy: ConflictPolicy,
        staging: StagingBuffer,
        checked_at: ChangePosition,
    ) -> Self {
        Self { service, source, policy, staging, checked_at }
    }

    /// Returns the actions that [`PreparedImport::commit`] would take now. Changes nothing. Fails
    /// with the conflicts that arose since the rows were checked.
    pub fn dry_run(&self) -> Result<ImportActions, ImportError> {
        let at = self.service.now()?;
        let (mut actions, mut refused) = (ImportActions::default(), LineFaults::default());
        for staged in self.staging.batches() {
            let staged = staged?;
            let batch = self.plan_batch(&staged, at, CheckMode::DryRun)?;
            actions.extend(batch.actions);
            refused.extend(batch.refused);
        }
        if refused.is_empty() { Ok(actions) } else { Err(refused.into()) }
    }

    /// Imports the tokens, all of them or none. Writes one event for each token, with the id of the
    /// store that exported it. Sets `done` to the number of written rows, for a progress display.
    /// Fails with the conflicts that arose since the rows were checked.
    pub fn commit(&self, done: &AtomicU64) -> Result<ImportActions, ImportError> {
        self.service.store.write(|rows| {
            // A write that fails because the disk is full is run a second time.
            done.store(0, Ordering::Relaxed);
            let at = self.service.clock.denial_time(rows)?;
            // From here on, the write lock keeps other processes from writing.
            let now = audit::position(rows, rows.newest_event()?.as_ref())?;
            let is_unchanged = now == self.checked_at;
            let mode = if is_unchanged { CheckMode::Unchanged } else { CheckMode::Recheck };
            let (mut actions, mut refused) = (ImportActions::default(), LineFaults::default());
            let (mut names, mut deletion_time) = (NameBatch::default(), None);
            for staged in self.staging.batches() {
                let staged = staged?;
                let mut batch = self.plan_batch(&staged, at, mode)?;
                refused.extend(batch.refused.drain(..));
                if refused.is_empty() {
                    self.write_batch(rows, &batch, &mut deletion_time)?;
                    let count = u64::try_from(batch.actions.len()).unwrap_or(0);
                    done.fetch_add(count, Ordering::Relaxed);
                    names.extend(batch.names);
                    if names.is_full() {
                        rows.insert_names(take(&mut names))?;
                    }
                }
                actions.extend(batch.actions);
            }
            rows.insert_names(names)?;
            if refused.is_empty() { Ok(actions) } else { Err(refused.into()) }
        })
    }

    /// Plans a batch against the last commit. The plan is valid within the write transaction, too:
    /// no id or name occurs twice in an import, and no other process writes.
    fn plan_batch<'b>(
        &self,
        staged: &'b [u8],
        at: Timestamp,
        mode: CheckMode,
    ) -> Result<PlannedBatch<'b>, StoreError> {
        self.service.store.read(|rows| {
            let mut batch = PlannedBatch::default();
            for token in StagedToken::read_all(staged) {
                let token = token?;
                let (action, refused) = if mode == CheckMode::Unchanged && token.is_new {
                    (ImportAction::INSERT, Vec::new())
                } else {
                    let row = ImportRow { line: token.line, token: token.decode()? };
                    self.policy.decide(rows, at, &row)?
                };
                if mode != CheckMode::DryRun && action.outcome.writes() {
                    self.plan_write(rows, &mut batch, &token, &action, at)?;
                }
                batch.refused.extend(refused);
                batch.actions.push(action);
            }
            Ok(batch)
        })
    }

    /// Adds the token and its event to `batch`, and the tokens to be replaced or deleted for it.
    fn plan_write<'b>(
        &self,
        rows: &impl ReadOps,
        batch: &mut PlannedBatch<'b>,
        token: &StagedToken<'b>,
        action: &ImportAction,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let ImportedFields { id, name, is_revoked, expires } = token.summary()?;
        let (status, store) =
            (Status::of(is_revoked, expires, at).as_str(), self.source.store_id());
        let mut detail = [status, " from store ", store, ", ", &expiry_text(expires)].concat();
        if action.outcome == ImportOutcome::Replaced {
            batch.replaced_ids.push(id);
            if let Ok(Some(existing)) = rows.token(&id) {
                detail.extend([", was ", existing.status(at).as_str(), " here"]);
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

    /// Writes a batch. Deletes the tokens whose names it takes, with the `deletion_time` that all
    /// batches share. Removes the written tokens from the trash.
    fn write_batch(
        &self,
        rows: &mut Writer<'_>,
        batch: &PlannedBatch<'_>,
        deletion_time: &mut Option<Timestamp>,
    ) -> Result<(), ServiceError> {
        for id in &batch.replaced_ids {
            rows.remove_token(id)?;
        }
        if !batch.displaced_ids.is_empty() {
            self.service.delete_displaced(rows, &batch.displaced_ids, deletion_time)?;
        }
        if rows.has_trash()? {
            for (_, id) in &batch.names {
                rows.remove_trash(id)?;
            }
        }
        Ok(rows.insert_tokens(&batch.tokens, &batch.events)?)
    }
}
