//! Wraps redb's file backend so that lock waits time out; otherwise a stopped process (Ctrl-Z, a
//! debugger, a suspended machine) could block all readers. The error names the lock holder. Also
//! contains the deadline for retries to open the file. Used by `file_db`.

use std::{
    fs::File,
    io,
    ops::Bound,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use rand::{TryRng as _, rngs::SysRng};
#[cfg(not(test))]
pub(super) use redb::backends::FileBackend as InnerBackend;
use redb::{BackendError, DatabaseError, StorageBackend};

#[cfg(test)]
pub(super) use super::fault_injection::TestBackend as InnerBackend;
use super::{
    commit_id::CommitIdObserver,
    error::{IoOperation, StoreError},
    lock_holder::describe_lock_holders,
    path_security::FileId,
};

/// The first pause between two attempts to get a lock.
const MIN_PAUSE: Duration = Duration::from_micros(5);
/// The maximum pause between two attempts to get a lock.
const MAX_PAUSE: Duration = Duration::from_millis(1);

/// How long lock waits may take.
#[derive(Debug, Clone, Copy)]
pub(super) enum LockTimeout {
    /// Each wait takes at most this long. A read handle uses this limit, because it stays open.
    Each(Duration),
    /// All waits end at this instant.
    Until(Instant),
}

/// A storage backend whose lock waits time out. In tests, its inner backend can inject faults.
#[derive(Debug)]
pub(super) struct LockTimeoutBackend {
    inner: InnerBackend,
    timeout: LockTimeout,
    path: PathBuf,
    id: FileId,
}

impl LockTimeoutBackend {
    /// Wraps `file`. `path` and `id` are only used in errors.
    pub(super) fn new(
        file: File,
        timeout: LockTimeout,
        path: PathBuf,
        id: FileId,
    ) -> Result<Self, DatabaseError> {
        Ok(Self { inner: InnerBackend::new(file)?, timeout, path, id })
    }

    /// Puts a [`StoreError`] with `operation` and path into an I/O error. `StoreError::from` takes
    /// the [`StoreError`] out again.
    fn error_in(&self, operation: IoOperation) -> impl FnOnce(io::Error) -> io::Error + '_ {
        move |error| {
            io::Error::new(error.kind(), StoreError::io(operation, Some(&self.path), &error))
        }
    }

    fn wait(
        &self,
        try_lock: impl Fn(&InnerBackend) -> Result<bool, BackendError>,
    ) -> Result<(), BackendError> {
        let deadline = match self.timeout {
            LockTimeout::Each(timeout) => Instant::now() + timeout,
            LockTimeout::Until(deadline) => deadline,
        };
        // Processes hold these locks for some microseconds, unless they are stopped.
        let mut pause = MIN_PAUSE;
        while !try_lock(&self.inner)? {
            if Instant::now() >= deadline {
                return Err(BackendError::Io(io::Error::other(busy_error(&self.path, self.id))));
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
        self.inner.len().map_err(self.error_in(IoOperation::Read))
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.inner.read(offset, out).map_err(self.error_in(IoOperation::Read))?;
        CommitIdObserver::on_read(offset, out);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.inner.set_len(len).map_err(self.error_in(IoOperation::Resize))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.inner.sync_data().map_err(self.error_in(IoOperation::Sync))
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.inner.write(offset, data).map_err(self.error_in(IoOperation::Write))
    }

    fn close(&self) -> io::Result<()> {
        self.inner.close().map_err(self.error_in(IoOperation::Close))
    }
}

/// The deadline for retries to open the file.
pub(super) struct RetryDeadline(Instant);

impl RetryDeadline {
    pub(super) fn new(timeout: Duration) -> Self {
        Self(Instant::now() + timeout)
    }

    pub(super) fn instant(&self) -> Instant {
        self.0
    }

    pub(super) fn has_passed(&self) -> bool {
        Instant::now() >= self.0
    }

    /// Sleeps for a random time of 0.1 to 1 ms, so that two processes do not retry in lockstep. The
    /// maximum shrinks with the time left, which favours the process that waited longest. Returns
    /// `Busy` after the deadline.
    pub(super) fn pause(&self, path: &Path, file: FileId) -> Result<(), StoreError> {
        if self.has_passed() {
            return Err(busy_error(path, file));
        }
        let left = self.0.saturating_duration_since(Instant::now());
        let most = u32::try_from(left.as_micros() / 2_000).unwrap_or(u32::MAX).clamp(1, 900);
        let random = SysRng.try_next_u32().unwrap_or(500);
        std::thread::sleep(Duration::from_micros(u64::from(100 + random % most)));
        Ok(())
    }
}

fn busy_error(path: &Path, file: FileId) -> StoreError {
    StoreError::Busy { path: path.to_owned(), holder: describe_lock_holders(file) }
}
