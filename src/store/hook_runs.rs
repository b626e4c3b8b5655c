//! The queue of the runs of hooks. The transaction that appends an event also adds a row for each hook
//! that runs after it, so that no crash loses a run. A process takes a run by writing the number of
//! its lock into the row; see `jobs`. Called by `write_ops` and the service.

use std::ops::ControlFlow;

use super::{
    Store, chain,
    error::StoreError,
    read_ops::{ReadOps, ScanResult},
    record::HookRunV1,
    tables::{Tables, Transaction},
    temp_file,
    write_ops::{NO_TOKEN, Writer},
};
use crate::domain::{EventBody, HookRun};

impl Store {
    /// Whether a process holds the lock with this number; see [`Store::lock_job`].
    pub fn is_lock_held(&self, number: u64) -> bool {
        number != 0 && self.path().is_some_and(|path| temp_file::is_held(path, number))
    }
}

/// The numbers of the runs whose records are damaged.
pub(super) fn damaged<T: Transaction>(tables: &Tables<T>) -> Result<Vec<u64>, StoreError> {
    let mut damaged = Vec::new();
    tables.hook_runs.for_each(|number: u64, row| {
        if row.ok().and_then(HookRunV1::decode_run).is_none() {
            damaged.push(number);
        }
        ControlFlow::Continue(())
    })?;
    Ok(damaged)
}

impl<S: ReadOps> HookRunReads for S {}

/// The read operations of the queue.
pub trait HookRunReads: ReadOps {
    /// Reads at most `limit` runs with a number higher than `after`, oldest first.
    fn hook_runs_after(
        &self,
        after: u64,
        limit: usize,
    ) -> Result<ScanResult<(u64, HookRun)>, StoreError> {
        let runs = &self.tables().hook_runs;
        let mut found = ScanResult::default();
        runs.scan(after.saturating_add(1).., false, |number: u64, row| {
            if found.rows.len() >= limit {
                return ControlFlow::Break(());
            }
            let decode = |body| HookRunV1::decode_run(body).ok_or_else(|| runs.damage(&number));
            found.push(row.and_then(decode).map(|run| (number, run)));
            ControlFlow::Continue(())
        })?;
        Ok(found)
    }

    /// Returns the run with this number; `None` if it has ended.
    fn hook_run(&self, number: u64) -> Result<Option<HookRun>, StoreError> {
        self.tables().hook_runs.get(number, HookRunV1::decode_run)
    }
}

impl Writer<'_> {
    /// Appends events to the audit chain, and queues the runs of hooks that they require.
    pub(super) fn append_to_chain(&mut self, events: &[EventBody]) -> Result<(), StoreError> {
        let head = chain::load_head(&self.tables.meta)?;
        chain::append_all(&mut self.tables, head, events)?;
        self.queue_hook_runs(head.event_count.saturating_add(1), events)
    }

    /// Queues the runs of hooks that `events` require. `first` is the number of the first event.
    pub(super) fn queue_hook_runs(
        &mut self,
        first: u64,
        events: &[EventBody],
    ) -> Result<(), StoreError> {
        let hooks = self.hooks.clone();
        for (sequence, event) in (first..).zip(events) {
            for run in hooks.runs_after(sequence, event) {
                self.add_hook_run(&run)?;
            }
        }
        Ok(())
    }

    /// Adds a run at the end of the queue.
    pub fn add_hook_run(&mut self, run: &HookRun) -> Result<(), StoreError> {
        let number = self.tables.hook_runs.last_key()?.saturating_add(1);
        self.put_hook_run(number, run)
    }

    pub fn put_hook_run(&mut self, number: u64, run: &HookRun) -> Result<(), StoreError> {
        self.tables.hook_runs.put(number, &HookRunV1::from(run))?;
        self.mark_changed(NO_TOKEN);
        Ok(())
    }

    pub fn remove_hook_run(&mut self, number: u64) -> Result<(), StoreError> {
        if self.tables.hook_runs.remove(number)? {
            self.mark_changed(NO_TOKEN);
        }
        Ok(())
    }
}
