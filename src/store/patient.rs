//! The file as redb has it, with one difference: a lock is waited for, but not for ever. A
//! process that is stopped while it holds one (Ctrl-Z, a debugger, a suspended machine) would
//! keep every other from reading else. Who waited in vain is told who holds it. Used by `disk`.

use std::{
    io,
    ops::Bound,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

#[cfg(not(test))]
pub(super) use redb::backends::FileBackend as Medium;
use redb::{BackendError, StorageBackend};

#[cfg(test)]
pub(super) use super::faulty::Medium;
use super::{commit::Head, error::StoreError, file::FileId, holder::holder};

/// The first pause between two tries to get a lock.
const SHORTEST: Duration = Duration::from_micros(5);
/// The longest one.
const LONGEST: Duration = Duration::from_millis(1);

/// How long a lock is waited for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Limit {
    /// Each lock so long: a handle that is kept has no end of its own.
    Each(Duration),
    /// Whatever is locked, until then.
    Until(Instant),
}

/// A file whose locks are waited for within `limit`. Under it lies the medium, which fails on
/// demand in tests.
#[derive(Debug)]
pub(super) struct Patient {
    pub(super) inner: Medium,
    pub(super) limit: Limit,
    pub(super) path: PathBuf,
    pub(super) id: FileId,
    pub(super) head: Arc<Head>,
}

impl Patient {
    fn wait(
        &self,
        acquired: impl Fn(&Medium) -> Result<bool, BackendError>,
    ) -> Result<(), BackendError> {
        let deadline = match self.limit {
            Limit::Each(patience) => Instant::now() + patience,
            Limit::Until(deadline) => deadline,
        };
        // Such a lock is held for some microseconds; only a process that is stopped keeps it.
        let mut pause = SHORTEST;
        while !acquired(&self.inner)? {
            if Instant::now() >= deadline {
                let busy = StoreError::Busy { path: self.path.clone(), holder: holder(self.id) };
                return Err(BackendError::Io(io::Error::other(busy)));
            }
            std::thread::sleep(pause);
            pause = LONGEST.min(pause.saturating_mul(2));
        }
        Ok(())
    }
}

impl StorageBackend for Patient {
    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.wait(|inner| inner.try_lock_range(start, end))
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.wait(|inner| inner.try_lock_shared_range(start, end))
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.inner.try_lock_range(start, end)
    }

    fn try_lock_shared_range(
        &self,
        start: Bound<u64>,
        end: Bound<u64>,
    ) -> Result<bool, BackendError> {
        self.inner.try_lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.inner.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.inner.query_lock_range(start, end)
    }

    fn len(&self) -> io::Result<u64> {
        self.inner.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.inner.read(offset, out)?;
        if offset == 0 {
            self.head.take(out);
        }
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.inner.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.inner.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.inner.write(offset, data)
    }

    fn close(&self) -> io::Result<()> {
        self.inner.close()
    }
}
