//! Reuses a read transaction, because beginning a new transaction costs more than most reads. Keeps
//! the last transaction while nothing is committed; each read checks this first. Created by
//! `Store::cached_reader`; `Store::read` uses a `CachedReader` for a single read.

use std::{
    fmt,
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use redb::ReadableDatabase as _;

use super::{Backend, Store, StoreError, read_handle::Snapshot, reader::Reader, tables::Tables};

/// The maximum age of a reused read transaction. A reuse only compares the header of the open file,
/// so a replaced file or insecure permissions are noticed after this time at the latest.
const MAX_SNAPSHOT_AGE: Duration = Duration::from_millis(1);

/// How often [`CachedReader::read`] runs its work. While other processes commit without pause, an
/// answer must come nevertheless.
const MAX_RUNS: usize = 3;

/// A transaction and the time before it began.
type CachedSnapshot = (Snapshot, Instant);

/// Reads a store several times in quick succession. While other processes write, the open
/// transaction makes the file grow: call [`CachedReader::release`] before waiting for anything.
pub struct CachedReader {
    store: Store,
    cached: Option<CachedSnapshot>,
    /// Whether `cached` was begun for the next read.
    is_begun: bool,
}

impl fmt::Debug for CachedReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CachedReader").finish_non_exhaustive()
    }
}

impl CachedReader {
    pub(super) fn new(store: Store) -> Self {
        Self { store, cached: None, is_begun: false }
    }

    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Runs `work` in one transaction on the last commit of any process. The register is read later than
    /// the records, so a record that another process changes in between can seem out of date. If `work`
    /// has asked what the register ends and something has changed since, runs it again, at most
    /// [`MAX_RUNS`] times in all.
    pub fn read<T, E: From<StoreError>>(
        &mut self,
        work: impl Fn(&Reader) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut result = self.read_once(&work);
        let mut runs = 1;
        while runs < MAX_RUNS && self.is_overtaken() {
            result = self.read_once(&work);
            runs += 1;
        }
        result
    }

    /// Whether the last read has asked what the register ends, and another process has committed or
    /// ended something since.
    fn is_overtaken(&self) -> bool {
        self.cached.as_ref().is_some_and(|(snapshot, _)| snapshot.is_overtaken())
    }

    /// Like [`CachedReader::read`], but runs `work` once.
    pub fn read_once<T, E: From<StoreError>>(
        &mut self,
        work: impl FnOnce(&Reader) -> Result<T, E>,
    ) -> Result<T, E> {
        let file = match &*self.store.backend {
            Backend::File(file) => file,
            Backend::Memory(db) => {
                let transaction = db.begin_read().map_err(StoreError::from)?;
                let tables = Tables::open(transaction).map_err(StoreError::from)?;
                return work(&Reader::without_register(tables));
            }
        };
        let begun = self.cached.take();
        let is_begun = std::mem::take(&mut self.is_begun);
        let usable = begun.filter(|cached| is_begun || is_usable(cached));
        let cached = if let Some(cached) = usable {
            cached
        } else {
            // The time is taken before the transaction begins, so that its age is never
            // underestimated.
            let since = Instant::now();
            (file.snapshot()?, since)
        };
        let reader = &cached.0.reader;
        reader.has_asked_register.store(false, Ordering::Relaxed);
        let result = work(reader);
        cached.0.check_not_overtaken(&file.path)?;
        if reader.tables.error.first().is_some() {
            // redb refuses every operation on a handle that had an I/O error.
            file.drop_handle();
        } else {
            self.cached = Some(cached);
        }
        result
    }

    /// Begins the next read, which must follow at once. Returns whether it has begun: `false` if that
    /// needs to wait for a lock, or fails, so that the next read waits or returns the error.
    pub fn begin_without_wait(&mut self) -> bool {
        let Backend::File(file) = &*self.store.backend else { return true };
        self.cached = self.cached.take().filter(is_usable).or_else(|| {
            let since = Instant::now();
            Some((file.snapshot_without_wait().ok().flatten()?, since))
        });
        self.is_begun = self.cached.is_some();
        self.is_begun
    }

    /// Ends the transaction that is kept for the next read.
    pub fn release(&mut self) {
        (self.cached, self.is_begun) = (None, false);
    }
}

/// Whether the transaction still sees the last commit.
fn is_usable((snapshot, since): &CachedSnapshot) -> bool {
    since.elapsed() < MAX_SNAPSHOT_AGE && snapshot.is_current()
}
