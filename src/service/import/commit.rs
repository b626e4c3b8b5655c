//! The second step of an import: worker threads plan batches of staged rows, this thread writes
//! them, all in one transaction. It refuses conflicts that arose since the rows were checked, and
//! then writes nothing. Called by the command line.

use std::{
    mem::take,
    ops::ControlFlow,
    sync::atomic::{AtomicU64, Ordering},
};

use super::{
    ImportError,
    conflicts::{Conflict, ConflictPolicy, ImportAction, ImportActions, ImportOutcome},
    source::{ImportRow, ImportSource, LineFault, LineFaults},
    staging::{StagedToken, StagingBuffer},
};
use crate::{
    domain::{Action, EventDraft, Moment, Pat, TokenId, plan::until},
    service::{Position, Service, ServiceError, audit},
    store::{NameBatch, Rows, StoreError, Writer},
};

/// An import without faults.
#[derive(Debug)]
pub struct PreparedImport<'a, S> {
    service: &'a Service,
    source: &'a S,
    policy: ConflictPolicy,
    staging: StagingBuffer,
    /// The state of the store against which the rows were checked.
    checked_at: Position,
}

/// A batch of staged rows, and what to write for them.
#[derive(Default)]
struct PlannedBatch {
    actions: Vec<ImportAction>,
    refused: Vec<LineFault>,
    /// Tokens that are replaced.
    replaced_ids: Vec<TokenId>,
    /// Tokens whose names are taken.
    displaced_ids: Vec<TokenId>,
    /// Of the rows that are written: folded names, and events.
    names: Vec<(String, TokenId)>,
    events: Vec<EventDraft>,
    /// The rows, as they were staged.
    staged: Vec<u8>,
}

/// How staged rows are checked once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CheckMode {
    /// To report what a commit would do.
    DryRun,
    /// The store changed since the rows were checked.
    Recheck,
    /// The store did not change: rows that were new still are.
    Unchanged,
}

impl<'a, S: ImportSource> PreparedImport<'a, S> {
    pub(super) fn new(
        service: &'a Service,
        source: &'a S,
        policy: ConflictPolicy,
        staging: StagingBuffer,
        checked_at: Position,
    ) -> Self {
        Self { service, source, policy, staging, checked_at }
    }

    /// What [`PreparedImport::commit`] would do now; changes nothing.
    pub fn dry_run(&self) -> Result<ImportActions, ImportError> {
        let at = self.service.now()?;
        let (mut actions, mut refused) = (ImportActions::default(), LineFaults::default());
        self.plan_batches(at, CheckMode::DryRun, |batch| {
            actions.extend(batch.actions);
            refused.extend(batch.refused);
            Ok(())
        })?;
        if refused.is_empty() { Ok(actions) } else { Err(refused.into()) }
    }

    /// Imports the tokens, all of them or none, each with one event that names the store that
    /// exported it. `done` counts the rows.
    pub fn commit(&self, done: &AtomicU64) -> Result<ImportActions, ImportError> {
        self.service.store.write(|rows| {
            // A write that finds the disk full runs a second time.
            done.store(0, Ordering::Relaxed);
            let at = self.service.judged_at(rows)?;
            // No other process writes from here on.
            let now = audit::position(rows, rows.newest_event()?.as_ref())?;
            let is_unchanged = now == self.checked_at;
            let mode = if is_unchanged { CheckMode::Unchanged } else { CheckMode::Recheck };
            let (mut actions, mut refused) = (ImportActions::default(), LineFaults::default());
            let (mut names, mut deletion_time) = (NameBatch::default(), None);
            self.plan_batches(at, mode, |mut batch| {
                refused.extend(batch.refused.drain(..));
                if refused.is_empty() {
                    self.write_batch(rows, &mut batch, &mut deletion_time, &mut names)?;
                    let count = u64::try_from(batch.actions.len()).unwrap_or(0);
                    done.fetch_add(count, Ordering::Relaxed);
                }
                actions.extend(batch.actions);
                Ok(())
            })?;
            rows.insert_names(names)?;
            if refused.is_empty() { Ok(actions) } else { Err(refused.into()) }
        })
    }

    /// Plans batches in parallel against the last commit, and passes them to `take` in the order
    /// of the rows. This holds within a transaction, too: no id and no name occurs twice, and
    /// nobody else writes.
    fn plan_batches(
        &self,
        at: Moment,
        mode: CheckMode,
        mut take: impl FnMut(PlannedBatch) -> Result<(), ImportError>,
    ) -> Result<(), ImportError> {
        let mut result = Ok(());
        self.staging.for_each_batch(
            |staged| self.plan_batch(staged?, at, mode),
            |batch| {
                result = batch.map_err(ImportError::from).and_then(&mut take);
                if result.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            },
        );
        result
    }

    fn plan_batch(
        &self,
        staged: Vec<u8>,
        at: Moment,
        mode: CheckMode,
    ) -> Result<PlannedBatch, StoreError> {
        let mut batch = PlannedBatch::default();
        self.service.store.read(|rows| {
            for token in StagedToken::read_all(&staged) {
                let token = token?;
                let row = ImportRow { line: token.line, pat: token.decode()? };
                let (action, refused) = if mode == CheckMode::Unchanged && token.is_new {
                    (ImportAction::INSERT, Vec::new())
                } else {
                    self.policy.decide(rows, at, &row)?
                };
                if mode != CheckMode::DryRun && action.outcome.writes() {
                    self.plan_write(rows, &mut batch, row.pat, &action, at);
                }
                batch.refused.extend(refused);
                batch.actions.push(action);
            }
            Ok::<_, StoreError>(())
        })?;
        batch.staged = staged;
        Ok(batch)
    }

    /// Plans how `pat` is written.
    fn plan_write(
        &self,
        rows: &impl Rows,
        batch: &mut PlannedBatch,
        pat: Pat,
        action: &ImportAction,
        at: Moment,
    ) {
        let (status, store) = (pat.status(at).word(), self.source.store_id());
        let mut detail = format!("{status} from store {store}, {}", until(pat.expires));
        if action.outcome == ImportOutcome::Replaced {
            batch.replaced_ids.push(pat.id);
            if let Ok(Some(here)) = rows.pat(&pat.id) {
                detail.extend([", was ", here.status(at).word(), " here"]);
            }
        }
        batch.displaced_ids.extend(action.conflicts.iter().filter_map(|conflict| match conflict {
            Conflict::NameTaken(by) => Some(*by),
            _ => None,
        }));
        batch.names.push((pat.name.folded(), pat.id));
        batch.events.push(self.service.event(at, Action::Imported, Some(&pat), detail));
    }

    /// Writes a batch. Tokens whose names it takes are deleted at `deletion_time`, which all
    /// batches share; the tokens that it writes leave the trash.
    fn write_batch(
        &self,
        rows: &mut Writer<'_>,
        batch: &mut PlannedBatch,
        deletion_time: &mut Option<Moment>,
        names: &mut NameBatch,
    ) -> Result<(), ServiceError> {
        for id in &batch.replaced_ids {
            rows.remove_pat(id)?;
        }
        if !batch.displaced_ids.is_empty() {
            self.service.displace(rows, &batch.displaced_ids, deletion_time)?;
        }
        if rows.has_trash()? {
            for (_, id) in &batch.names {
                rows.remove_trash(id)?;
            }
        }
        let staged = StagedToken::read_all(&batch.staged).zip(&batch.actions);
        let written = staged.filter(|(_, action)| action.outcome.writes());
        let tokens = written.map(|(token, _)| Ok(token?.encoded));
        let tokens = tokens.collect::<Result<Vec<_>, StoreError>>()?;
        rows.insert_tokens(&tokens, &batch.events)?;
        names.extend(batch.names.drain(..));
        if names.is_full() {
            rows.insert_names(take(names))?;
        }
        Ok(())
    }
}
