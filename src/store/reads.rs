//! Reads that follow each other closely. To begin one costs more than most of them do, so the
//! last one is kept for as long as nothing was committed since; that is looked at each time. Made
//! by `Store::reads`, and asked by `Store::read` for a single one.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use redb::ReadableDatabase as _;

use super::{Place, Store, StoreError, disk::Begun, rows::Reader, tables::Tables};

/// How long a read is kept at most. Only what lies in the file is looked at each time; that
/// another file took its place, or that others may write it now, is seen within this time.
const KEPT: Duration = Duration::from_millis(1);

/// Reads of one store, one after the other. What one of them keeps makes the file grow while
/// others write: call [`Reads::let_go`] before waiting for anything.
pub struct Reads<'s> {
    store: &'s Store,
    kept: Option<(Begun, Instant)>,
}

impl fmt::Debug for Reads<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reads").finish_non_exhaustive()
    }
}

impl<'s> Reads<'s> {
    pub(super) fn of(store: &'s Store) -> Self {
        Self { store, kept: None }
    }

    /// Runs `work` on the last commit of any process.
    pub fn read<T, E: From<StoreError>>(
        &mut self,
        work: impl FnOnce(&Reader) -> Result<T, E>,
    ) -> Result<T, E> {
        let disk = match &self.store.place {
            Place::Disk(disk) => disk,
            Place::Memory(db) => {
                let transaction = db.begin_read().map_err(StoreError::from)?;
                let tables = Tables::open(transaction).map_err(StoreError::from)?;
                return work(&Reader { tables, commit: Arc::default() });
            }
        };
        let is_good = |(begun, since): &(Begun, Instant)| since.elapsed() < KEPT && begun.is_last();
        let kept = if let Some(kept) = self.kept.take().filter(is_good) {
            kept
        } else {
            // Before it begins: what changes meanwhile is within the time, too.
            let since = Instant::now();
            (disk.begun()?, since)
        };
        let reader = &kept.0.reader;
        let done = work(reader);
        if reader.tables.trouble.first().is_some() {
            // An I/O error makes a handle useless for ever.
            disk.forget();
        } else {
            self.kept = Some(kept);
        }
        done
    }

    /// Keeps nothing until the next read.
    pub fn let_go(&mut self) {
        self.kept = None;
    }
}
