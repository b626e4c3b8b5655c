//! The table of unfinished jobs, the locks that show which jobs are running, and the reads that
//! batches of a job need. A process that runs a job holds a lock on a temporary file, which the
//! kernel releases when the process ends. Called by the service.

use std::ops::ControlFlow;

use super::{
    Backend, ScanResult, Store, chain,
    error::StoreError,
    read_ops::{ReadOps, TokenCursor},
    record::JobV1,
    tables::{Tables, Transaction},
    temp_file::{self, TempFile},
    trash_index,
    write_ops::{NO_TOKEN, Writer},
};
use crate::domain::{EventBody, Job, Timestamp, Token, TokenId};

/// Shows other processes that a job is running, until it is dropped.
#[derive(Debug)]
pub struct JobLock(Option<TempFile>);

impl JobLock {
    /// The number that names the lock in the record of the job.
    pub fn number(&self) -> u64 {
        self.0.as_ref().map_or(0, |file| file.number)
    }
}

impl Store {
    /// Creates and takes the lock of a new job. A store in memory has no other process.
    pub fn lock_job(&self) -> Result<JobLock, StoreError> {
        match &*self.backend {
            Backend::Memory(_) => Ok(JobLock(None)),
            Backend::File(file) => Ok(JobLock(Some(TempFile::next_to(&file.path)?.0))),
        }
    }

    /// Whether a process holds the lock of `job`.
    pub fn is_running(&self, job: &Job) -> bool {
        self.path().is_some_and(|path| temp_file::is_held(path, job.lock))
    }
}

/// The numbers of the jobs whose records are damaged.
pub(super) fn damaged<T: Transaction>(tables: &Tables<T>) -> Result<Vec<u64>, StoreError> {
    let mut damaged = Vec::new();
    tables.jobs.for_each(|number: u64, row| {
        if row.ok().and_then(JobV1::decode_job).is_none() {
            damaged.push(number);
        }
        ControlFlow::Continue(())
    })?;
    Ok(damaged)
}

impl<S: ReadOps> JobReads for S {}

/// The read operations of jobs.
pub trait JobReads: ReadOps {
    /// Returns the unfinished jobs with their numbers. A damaged one is reported apart.
    fn jobs(&self) -> Result<ScanResult<(u64, Job)>, StoreError> {
        let jobs = &self.tables().jobs;
        let mut found = ScanResult::default();
        jobs.for_each(|number: u64, row| {
            let decode = |body| JobV1::decode_job(body).ok_or_else(|| jobs.damage(&number));
            let job = row.and_then(decode);
            found.push(job.map(|job| (number, job)));
            ControlFlow::Continue(())
        })?;
        Ok(found)
    }

    /// Returns the job with this number; `None` if it was finished.
    fn job(&self, number: u64) -> Result<Option<Job>, StoreError> {
        self.tables().jobs.get(number, JobV1::decode_job)
    }

    /// The number of the newest event of a token; 0 if it has none.
    fn newest_event_number_of(&self, id: &TokenId) -> Result<u64, StoreError> {
        chain::newest_sequence_of(self.tables(), id)
    }

    /// Returns the latest deletion before the time `before`, with one of its tokens. Without
    /// `before`, returns the latest deletion.
    fn deletion_before(
        &self,
        before: Option<Timestamp>,
    ) -> Result<Option<(Timestamp, TokenId)>, StoreError> {
        trash_index::deletion_before(self.tables(), before)
    }

    /// Counts the tokens that were deleted at this time.
    fn count_deleted_at(&self, at: Timestamp) -> Result<usize, StoreError> {
        trash_index::count_deleted_at(self.tables(), at)
    }

    /// Reads at most `limit` tokens that were deleted at this time and have a key after `after`.
    /// Also returns the last key that was read; `None` if no more tokens are left.
    fn deleted_at(
        &self,
        at: Timestamp,
        after: Option<[u8; TokenId::LEN]>,
        limit: usize,
    ) -> Result<(Vec<Token>, Option<[u8; TokenId::LEN]>), StoreError> {
        trash_index::deleted_at(self.tables(), at, after, limit)
    }

    /// Reads at most `limit` tokens after the key `after`, as [`ReadOps::tokens_after`] does. Also
    /// returns the last key that was read; `None` if no more tokens are left.
    fn tokens_after_key(
        &self,
        after: Option<[u8; TokenId::LEN]>,
        limit: usize,
    ) -> Result<(ScanResult<Token>, Option<[u8; TokenId::LEN]>), StoreError> {
        let (found, next) = self.tokens_after(after.map(TokenCursor), limit)?;
        Ok((found, next.map(|TokenCursor(key)| key)))
    }
}

impl Writer<'_> {
    /// Adds a job and returns its number.
    pub fn add_job(&mut self, job: &Job) -> Result<u64, StoreError> {
        let number = self.tables.jobs.last_key()?.saturating_add(1);
        self.put_job(number, job)?;
        Ok(number)
    }

    pub fn put_job(&mut self, number: u64, job: &Job) -> Result<(), StoreError> {
        self.tables.jobs.put(number, &JobV1::from(job))?;
        self.mark_changed(NO_TOKEN);
        Ok(())
    }

    pub fn remove_job(&mut self, number: u64) -> Result<(), StoreError> {
        if self.tables.jobs.remove(number)? {
            self.mark_changed(NO_TOKEN);
        }
        Ok(())
    }

    /// Appends events to the audit chain, faster than one by one.
    pub fn append_events(&mut self, events: &[EventBody]) -> Result<(), StoreError> {
        if events.is_empty() {
            return Ok(());
        }
        self.append_to_chain(events)?;
        for event in events {
            self.mark_changed(event.token.map_or(NO_TOKEN, |id| *id.as_bytes()));
        }
        Ok(())
    }
}
