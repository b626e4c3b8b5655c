//! Reuse of a read transaction. To begin one costs more than most reads do, so the last one is kept
//! for as long as nothing was committed since, which is checked with each read. Made by
//! `Store::read_session`; `Store::read` uses one for a single read.

use std::{
    fmt,
    time::{Duration, Instant},
};

use redb::ReadableDatabase as _;

use super::{
    Backend, Store, StoreError, file_db::Snapshot, read_ops::Reader, snapshot_id::SnapshotCache,
    tables::Tables,
};

/// How long a read transaction is kept at most. Each read only compares the header of the open
/// file; that another file took its place, or that others may write it now, shows within this
/// time.
const MAX_SNAPSHOT_AGE: Duration = Duration::from_millis(1);

/// Reads of one store in quick succession. The transaction that it keeps makes the file grow while
/// others write: call [`ReadSession::release`] before waiting for anything.
pub struct ReadSession {
    store: Store,
    kept: Option<(Snapshot, Instant)>,
}

impl fmt::Debug for ReadSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadSession").finish_non_exhaustive()
    }
}

impl ReadSession {
    pub(super) fn new(store: Store) -> Self {
        Self { store, kept: None }
    }

    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Runs `work` on the last commit of any process, in one transaction.
    pub fn read<T, E: From<StoreError>>(
        &mut self,
        work: impl FnOnce(&Reader) -> Result<T, E>,
    ) -> Result<T, E> {
        let file = match &*self.store.backend {
            Backend::File(file) => file,
            Backend::Memory(db) => {
                let transaction = db.begin_read().map_err(StoreError::from)?;
                let tables = Tables::open(transaction).map_err(StoreError::from)?;
                return work(&Reader { tables, cache: SnapshotCache::default().into() });
            }
        };
        let is_usable = |(snapshot, since): &(Snapshot, Instant)| {
            since.elapsed() < MAX_SNAPSHOT_AGE && snapshot.is_current()
        };
        let kept = if let Some(kept) = self.kept.take().filter(is_usable) {
            kept
        } else {
            // Before it begins, so that a change meanwhile shows within the time, too.
            let since = Instant::now();
            (file.snapshot()?, since)
        };
        let reader = &kept.0.reader;
        let done = work(reader);
        if reader.tables.error.first().is_some() {
            // redb refuses everything on a handle that had an I/O error.
            file.drop_handle();
        } else {
            self.kept = Some(kept);
        }
        done
    }

    pub fn release(&mut self) {
        self.kept = None;
    }
}
