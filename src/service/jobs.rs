//! Changes of more than 5,000 tokens as jobs: batches of one transaction each, so that other
//! processes can write in between. The record of the job is updated with each batch, so a job that
//! was interrupted can be finished. A token with an event after the plan of the job is skipped. An
//! import is a job of its own (`import`). `job_batches` saves the batches. Called by `execute` and by
//! `doctor`.

use super::{
    CommandResult, Service, ServiceError, batch_size::BatchSize, execute::require_confirmed,
};
use crate::{
    domain::{
        Command, ConfirmationProof, EventHash, Job, JobKind, MAX_PER_TRANSACTION, Plan, Timestamp,
        TokenId, TokensToDelete, TokensToRestore,
        plan::{JobPlan, NewSecretDigests},
    },
    store::{JobLock, JobReads as _, ReadOps, StoreError, Writer},
};

/// An unfinished job of the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredJob {
    pub number: u64,
    pub job: Job,
    /// Whether a process is running the job. If not, it was interrupted.
    pub is_running: bool,
}

impl Service {
    /// Returns the unfinished jobs. A process that was killed, or an error between two batches, leaves
    /// a job that is not running.
    pub fn jobs(&self) -> Result<Vec<StoredJob>, ServiceError> {
        Ok(self.store.read(|tx| self.jobs_in(tx))?)
    }

    pub(super) fn jobs_in(&self, tx: &impl ReadOps) -> Result<Vec<StoredJob>, StoreError> {
        let jobs = tx.jobs()?.rows.into_iter();
        let with_state = |(number, job)| {
            let is_running = self.store.is_running(&job);
            StoredJob { number, job, is_running }
        };
        Ok(jobs.map(with_state).collect())
    }

    /// The first job that was interrupted.
    pub(super) fn first_interrupted(&self, tx: &impl ReadOps) -> Result<Option<Job>, StoreError> {
        let mut jobs = self.jobs_in(tx)?.into_iter().filter(|stored| !stored.is_running);
        Ok(jobs.next().map(|stored| stored.job))
    }

    /// Whether [`Service::execute`] runs this command as a job, which can take minutes.
    pub fn runs_as_job(&self, command: &Command, confirmed: &ConfirmationProof) -> bool {
        match command {
            Command::Restore(TokensToRestore::Deletion(at)) => {
                let count = self.store.read(|tx| tx.count_deleted_at(*at));
                count.is_ok_and(|count| count > MAX_PER_TRANSACTION)
            }
            command => {
                confirmed.newest_event().is_some() || command.tokens().len() > MAX_PER_TRANSACTION
            }
        }
    }

    /// Finishes an interrupted job. Of an import, only removes the record, because only its file has
    /// the remaining tokens. Does nothing if another process has finished or continued it.
    pub fn finish_job(&self, number: u64) -> Result<(), ServiceError> {
        let lock = self.store.lock_job()?;
        let taken = self.write(|tx| {
            let Some(mut job) = tx.job(number)? else { return Ok(None) };
            if self.store.is_running(&job) {
                return Ok(None);
            }
            if !job.can_be_finished() {
                tx.remove_job(number)?;
                return Ok(None);
            }
            job.lock = lock.number();
            tx.put_job(number, &job)?;
            Ok::<_, StoreError>(Some(job))
        })?;
        if let Some(job) = taken {
            self.repeat_register_of(&job)?;
            self.run_job(number, &lock, &mut JobPlan::default(), &mut None)?;
        }
        Ok(())
    }

    /// Executes `command` as a job if it changes more tokens than one transaction may. Returns `None`
    /// if it does not.
    pub(super) fn execute_as_job(
        &self,
        command: &Command,
        confirmed: &ConfirmationProof,
    ) -> Result<Option<CommandResult>, ServiceError> {
        let (total, (number, lock)) = match command {
            Command::Delete { tokens: TokensToDelete::All } => {
                let Some(newest_event) = confirmed.newest_event() else { return Ok(None) };
                (confirmed.count(), self.start_deletion(newest_event, confirmed)?)
            }
            Command::Restore(TokensToRestore::Deletion(_) | TokensToRestore::LastDeletion) => {
                let plan = self.preview(command)?;
                let Some(size) = &plan.job else { return Ok(None) };
                let Command::Restore(TokensToRestore::Deletion(deletion)) = plan.command else {
                    return Ok(None);
                };
                let kind = JobKind::Restore { deletion };
                (size.tokens, self.start_job(kind, size.tokens, |_| Ok(()))?)
            }
            Command::AddScopes { tokens, .. } | Command::RemoveScopes { tokens, .. }
                if tokens.len() > MAX_PER_TRANSACTION =>
            {
                let mut plan = self.preview(command)?;
                let kind = plan.job.take().and_then(|_| scopes_job(command, plan.ids()));
                let Some(kind) = kind else { return Ok(None) };
                require_confirmed(&plan, confirmed)?;
                self.require_current_records(&plan)?;
                (plan.change_count(), self.start_job(kind, plan.change_count(), |_| Ok(()))?)
            }
            _ => return Ok(None),
        };
        let (mut size, mut first) = (JobPlan::default(), None);
        match self.run_job(number, &lock, &mut size, &mut first) {
            Ok(()) => Ok(Some(CommandResult::of(Plan::of_job(command, first, size)))),
            // A deletion can have ended secrets in the register before its first batch was saved.
            Err(cause) if size.tokens == 0 && !matches!(command, Command::Delete { .. }) => {
                // Nothing was changed, so the record is of no use.
                let _ = self.write(|tx| tx.remove_job(number));
                Err(cause)
            }
            Err(cause) => {
                Err(ServiceError::Interrupted { cause: cause.into(), changed: size.tokens, total })
            }
        }
    }

    /// Starts the deletion of all tokens. Fails if the events that the confirmed plan included are no
    /// longer in the store.
    pub(super) fn start_deletion(
        &self,
        (sequence, hash): (u64, EventHash),
        confirmed: &ConfirmationProof,
    ) -> Result<(u64, JobLock), ServiceError> {
        self.store.reserve_endings(confirmed.count(), self.clock.now())?;
        let deletion = self.store.read(|tx| self.deletion_time(tx))?;
        let kind = JobKind::DeleteAll { deletion, after_event: sequence };
        self.start_job(kind, confirmed.count(), |tx| {
            let event = tx.event(sequence)?;
            if event.map_or(EventHash::NONE, |event| event.hash) == hash {
                return Ok(());
            }
            let command = Command::Delete { tokens: TokensToDelete::All };
            let plan = self.plan(tx, &command, &NewSecretDigests::default())?;
            Err(ServiceError::ChangedMeanwhile { plan: plan.into(), expected: confirmed.count() })
        })
    }

    /// Adds the record of a job, if `check` permits it. The time of a deletion is later than that of
    /// any other.
    fn start_job(
        &self,
        mut kind: JobKind,
        total: usize,
        check: impl FnOnce(&Writer<'_>) -> Result<(), ServiceError>,
    ) -> Result<(u64, JobLock), ServiceError> {
        let lock = self.store.lock_job()?;
        let number = self.write(|tx| {
            check(tx)?;
            if let JobKind::DeleteAll { deletion, .. } = &mut kind {
                *deletion = self.deletion_time(tx)?;
            }
            if let JobKind::Restore { deletion } = kind {
                self.require_granting(tx)?;
                self.cancel_deletion(tx, deletion)?;
            }
            let (actor, started) = (self.actor.clone(), self.clock.denial_time(tx)?);
            let job = Job::new(kind, actor, started, total, lock.number());
            Ok::<_, ServiceError>(tx.add_job(&job)?)
        })?;
        Ok((number, lock))
    }

    /// Removes the record of an interrupted deletion at this time, which a restoration undoes.
    pub(super) fn cancel_deletion(
        &self,
        tx: &mut Writer<'_>,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        for (number, job) in tx.jobs()?.rows {
            let is_undone =
                matches!(job.kind, JobKind::DeleteAll { deletion, .. } if deletion == at);
            if is_undone && !self.store.is_running(&job) {
                tx.remove_job(number)?;
            }
        }
        Ok(())
    }

    /// Runs the batches of a job to its end. Adds what they have changed to `size`, and puts the plan
    /// of the first batch into `first`.
    fn run_job(
        &self,
        number: u64,
        _lock: &JobLock,
        size: &mut JobPlan,
        first: &mut Option<Plan>,
    ) -> Result<(), ServiceError> {
        let mut batch_size = BatchSize::default();
        while let Some(batch) = self.save_batch(number, batch_size.get())? {
            size.tokens += batch.plan.changes.len();
            size.damaged += batch.plan.damaged_count();
            size.skipped += batch.count.saturating_sub(batch.plan.changes.len());
            // `save_batch` ends the secrets of a deletion before its commit, in short writes. A
            // second write of the whole batch would only keep other processes from the register.
            if !matches!(batch.plan.command, Command::Delete { .. }) {
                drop(self.update_register(&batch.plan)?);
            }
            batch_size.finish_batch(batch.count, batch.started);
            first.get_or_insert(batch.plan);
            if batch.is_last {
                break;
            }
        }
        Ok(())
    }
}

/// The job that changes the scopes of these tokens; `None` for any other command.
fn scopes_job(command: &Command, remaining: Vec<TokenId>) -> Option<JobKind> {
    match command {
        Command::AddScopes { scopes, .. } => {
            Some(JobKind::AddScopes { scopes: scopes.clone(), remaining })
        }
        Command::RemoveScopes { scopes, .. } => {
            Some(JobKind::RemoveScopes { scopes: scopes.clone(), remaining })
        }
        _ => None,
    }
}
