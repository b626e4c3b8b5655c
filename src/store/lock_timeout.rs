//! Bounded waits for file locks. Wraps redb's file backend so that lock waits time out; otherwise
//! a stopped process (Ctrl-Z, a debugger, a suspended machine) could block all readers. The error
//! names the lock holder. Also the deadline of retries to open the file. Used by `file_db`.

use std::{
    fs::File,
    io,
    ops::Bound,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use rand::{TryRng as _, rngs::SysRng};
#[cfg(not(test))]
pub(super) use redb::backends::FileBackend as Medium;
use redb::{BackendError, DatabaseError, StorageBackend};

#[cfg(test)]
pub(super) use super::faulty::Medium;
use super::{
    error::{Operation, StoreError},
    file::FileId,
    lock_holder::describe_lock_holders,
    snapshot_id::HeaderCapture,
};

/// The first pause between two attempts to get a lock.
const MIN_PAUSE: Duration = Duration::from_micros(5);
const MAX_PAUSE: Duration = Duration::from_millis(1);

#[derive(Debug, Clone, Copy)]
pub(super) enum LockTimeout {
    /// Each lock for this long. For a read handle, which stays open.
    Each(Duration),
    /// All locks together until this instant.
    Until(Instant),
}

/// A storage backend whose lock waits time out. In tests its medium fails on demand.
#[derive(Debug)]
pub(super) struct LockTimeoutBackend {
    inner: Medium,
    timeout: LockTimeout,
    path: PathBuf,
    id: FileId,
}

impl LockTimeoutBackend {
    /// A backend on `file`, which is the file `id` at `path`.
    pub(super) fn new(
        file: File,
        timeout: LockTimeout,
        path: PathBuf,
        id: FileId,
    ) -> Result<Self, DatabaseError> {
        Ok(Self { inner: Medium::new(file)?, timeout, path, id })
    }

    /// Puts the operation and the path into an error, for `StoreError::from` to take out.
    fn error_in(&self, operation: Operation) -> impl FnOnce(io::Error) -> io::Error + '_ {
        move |error| {
            io::Error::new(error.kind(), StoreError::io(operation, Some(&self.path), &error))
        }
    }

    fn wait(
        &self,
        try_lock: impl Fn(&Medium) -> Result<bool, BackendError>,
    ) -> Result<(), BackendError> {
        let deadline = match self.timeout {
            LockTimeout::Each(timeout) => Instant::now() + timeout,
            LockTimeout::Until(deadline) => deadline,
        };
        // Such a lock is held for some microseconds; only a stopped process holds it longer.
        let mut pause = MIN_PAUSE;
        while !try_lock(&self.inner)? {
            if Instant::now() >= deadline {
                return Err(BackendError::Io(io::Error::other(busy(&self.path, self.id))));
            }
            std::thread::sleep(pause);
            pause = MAX_PAUSE.min(pause.saturating_mul(2));
        }
        Ok(())
    }
}

impl StorageBackend for LockTimeoutBackend {
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
        self.inner.len().map_err(self.error_in(Operation::Read))
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.inner.read(offset, out).map_err(self.error_in(Operation::Read))?;
        HeaderCapture::on_read(offset, out);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.inner.set_len(len).map_err(self.error_in(Operation::Resize))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.inner.sync_data().map_err(self.error_in(Operation::Sync))
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.inner.write(offset, data).map_err(self.error_in(Operation::Write))
    }

    fn close(&self) -> io::Result<()> {
        self.inner.close().map_err(self.error_in(Operation::Close))
    }
}

pub(super) struct RetryDeadline(Instant);

impl RetryDeadline {
    pub(super) fn new(timeout: Duration) -> Self {
        Self(Instant::now() + timeout)
    }

    pub(super) fn at(&self) -> Instant {
        self.0
    }

    pub(super) fn has_passed(&self) -> bool {
        Instant::now() >= self.0
    }

    /// Sleeps 0.1 to 1 ms, at random so that two processes do not stay in step, and the shorter
    /// the less time is left, so that the last to come is served too. `Busy` after the deadline.
    pub(super) fn pause(&self, path: &Path, file: FileId) -> Result<(), StoreError> {
        if self.has_passed() {
            return Err(busy(path, file));
        }
        let left = self.0.saturating_duration_since(Instant::now());
        let most = u32::try_from(left.as_micros() / 2_000).unwrap_or(u32::MAX).clamp(1, 900);
        let random = SysRng.try_next_u32().unwrap_or(500);
        std::thread::sleep(Duration::from_micros(u64::from(100 + random % most)));
        Ok(())
    }
}

fn busy(path: &Path, file: FileId) -> StoreError {
    StoreError::Busy { path: path.to_owned(), holder: describe_lock_holders(file) }
}
