//! An import of more than 5,000 tokens: a job whose batches are saved one by one, so that other
//! processes can write in between. A conflict that arises after the start skips its row. An import
//! that was interrupted is finished by running it again, because its saved rows are unchanged then.
//! Called by `prepared`.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

use super::{
    ImportError,
    prepared::{PreparedImport, RecheckMode, RegisterChanges},
    row_plans::RowPlans,
    source::ImportSource,
    staging::StagedToken,
};
use crate::{
    domain::{EventHash, Job, JobKind, Timestamp},
    service::{
        batch_size::BatchSize,
        store_reads::{self, newest_event},
    },
    store::{JobLock, JobReads as _, ReadOps, Writer},
};

/// The state of a running import.
struct RunningImport {
    lock: JobLock,
    /// The job and its number, from the first batch on.
    job: Option<(u64, Job)>,
    /// The time of deletion of the tokens whose names the import takes.
    deletion_time: Timestamp,
    /// Number and hash of the newest event after the last batch. While it is the newest, no other
    /// process has changed a token since the rows were checked.
    newest_event: Option<(u64, EventHash)>,
    actions: RowPlans,
    /// Whether the import has deleted tokens whose names it takes.
    has_displaced: bool,
}

impl<S: ImportSource> PreparedImport<'_, S> {
    /// Saves the rows in batches. Fails with [`ImportError::Interrupted`] if some of them are saved.
    pub(super) fn commit_in_batches(&self, done: &AtomicU64) -> Result<RowPlans, ImportError> {
        if self.service.position()? != self.checked_at {
            // Nothing is saved if conflicts arose since the rows were checked.
            self.dry_run()?;
        }
        let mut running = RunningImport {
            lock: self.service.store.lock_job()?,
            job: None,
            deletion_time: Timestamp::default(),
            newest_event: None,
            actions: RowPlans::default(),
            has_displaced: false,
        };
        match self.save_all(&mut running, done) {
            Ok(()) => Ok(running.actions),
            Err(cause) if running.actions.len() == 0 => Err(cause),
            Err(cause) => Err(ImportError::Interrupted {
                cause: cause.into(),
                done: running.actions.len(),
                total: self.staging.row_count(),
            }),
        }
    }

    fn save_all(&self, running: &mut RunningImport, done: &AtomicU64) -> Result<(), ImportError> {
        let mut size = BatchSize::default();
        for staged in self.staging.batches() {
            let staged = staged?;
            let tokens = StagedToken::read_all(&staged).collect::<Result<Vec<_>, _>>()?;
            let mut rest = tokens.as_slice();
            while !rest.is_empty() {
                let most = size.of(rest.len()).min(self.max_per_transaction.max(1));
                let (batch, later) = rest.split_at(most.min(rest.len()));
                let (register, started) = self.save_batch(running, batch)?;
                self.update_register(&register)?;
                done.fetch_add(u64::try_from(batch.len()).unwrap_or(0), Ordering::Relaxed);
                size.finish_batch(batch.len(), started);
                rest = later;
            }
        }
        Ok(())
    }

    /// Saves one batch in one transaction. Returns what it changes in the register, and when it got
    /// the lock.
    fn save_batch(
        &self,
        running: &mut RunningImport,
        tokens: &[StagedToken<'_>],
    ) -> Result<(RegisterChanges, Instant), ImportError> {
        let (job, batch, newest, saved) = self.service.write(|rows| {
            let started = Instant::now();
            self.service.require_granting(rows)?;
            let (number, mut job) = match running.job.clone() {
                Some(job) => job,
                None => self.start(rows, running)?,
            };
            let mode = if Some(newest_event(rows)?) == running.newest_event {
                RecheckMode::Unchanged
            } else {
                RecheckMode::Recheck
            };
            let batch = self.plan_batch(tokens, self.service.clock.change_time(rows)?, mode)?;
            let mut register = RegisterChanges::default();
            self.write_batch(rows, &batch, running.deletion_time, &mut register)?;
            job.add_batch(tokens.len(), batch.refused_rows);
            let has_displaced = running.has_displaced || !register.ended.is_empty();
            if job.done >= job.total {
                rows.remove_job(number)?;
                if has_displaced {
                    self.service.purge_in(rows)?;
                }
            } else {
                rows.put_job(number, &job)?;
            }
            // After a change by another process, all later rows are checked again.
            let is_unchanged = mode == RecheckMode::Unchanged;
            let newest = is_unchanged.then(|| newest_event(rows)).transpose()?;
            running.has_displaced = has_displaced;
            Ok::<_, ImportError>(((number, job), batch, newest, (register, started)))
        })?;
        (running.job, running.newest_event) = (Some(job), newest);
        running.actions.add_refused(batch.refused_rows);
        running.actions.extend(batch.actions);
        Ok(saved)
    }

    /// Adds the job in the transaction of its first batch. Takes the place of interrupted imports of
    /// the same tokens.
    fn start(
        &self,
        rows: &mut Writer<'_>,
        running: &mut RunningImport,
    ) -> Result<(u64, Job), ImportError> {
        let position = store_reads::position(rows, rows.newest_event()?.as_ref())?;
        let is_unchanged = position == self.checked_at;
        running.newest_event = is_unchanged.then(|| newest_event(rows)).transpose()?;
        running.deletion_time = self.service.deletion_time(rows)?;
        let kind = JobKind::Import { ids_crc: self.policy.ids_crc() };
        for (number, job) in rows.jobs()?.rows {
            if job.kind == kind && !self.service.store.is_running(&job) {
                rows.remove_job(number)?;
            }
        }
        let (actor, started) = (self.service.actor.clone(), self.service.clock.denial_time(rows)?);
        let total = self.staging.row_count();
        let job = Job::new(kind, actor, started, total, running.lock.number());
        Ok((rows.add_job(&job)?, job))
    }
}
