//! Wraps redb's file backend so that lock waits time out; otherwise a stopped process (Ctrl-Z, a
//! debugger, a suspended machine) could block all readers. The error names the lock holder. Also
//! contains the deadlines: all waits of one operation share one. Used by `file_db`.

use std::{
    cell::Cell,
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
    /// All waits end at the deadline of the operation, see [`with_deadline`]. A read handle uses this,
    /// because it stays open. A wait outside of an operation takes at most this long.
    OfOperation(Duration),
    /// All waits end at this instant.
    Until(Instant),
}

/// The deadline of an operation.
#[derive(Debug, Clone, Copy)]
struct Deadline {
    at: Instant,
    /// Whether the error should name the lock holder, which takes longer than most reads.
    names_holder: bool,
}

thread_local! {
    /// The deadline of the operation that runs on this thread.
    static DEADLINE: Cell<Option<Deadline>> = const { Cell::new(None) };
}

/// Runs `operation`. All its waits for locks end at `deadline`, or at the deadline of the operation
/// around it if that is earlier. `operation` must not wait on other threads.
pub(super) fn with_deadline<T>(deadline: Instant, operation: impl FnOnce() -> T) -> T {
    with(Deadline { at: deadline, names_holder: true }, operation)
}

/// Runs `operation`, which fails with [`StoreError::Busy`] instead of waiting for a lock. The error
/// does not name the holder.
pub(super) fn without_wait<T>(operation: impl FnOnce() -> T) -> T {
    with(Deadline { at: Instant::now(), names_holder: false }, operation)
}

fn with<T>(deadline: Deadline, operation: impl FnOnce() -> T) -> T {
    /// Restores the deadline of the operation around it, even after a panic.
    struct Restore(Option<Deadline>);
    impl Drop for Restore {
        fn drop(&mut self) {
            DEADLINE.set(self.0);
        }
    }
    let outer = DEADLINE.get();
    let _restore = Restore(outer);
    let earlier = outer.filter(|outer| outer.at < deadline.at);
    DEADLINE.set(Some(earlier.unwrap_or(deadline)));
    operation()
}

/// The deadline of the operation on this thread, or `timeout` from now.
fn operation_deadline(timeout: Duration) -> Instant {
    DEADLINE.get().map_or_else(|| Instant::now() + timeout, |deadline| deadline.at)
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
            LockTimeout::OfOperation(timeout) => operation_deadline(timeout),
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

    /// The deadline of the operation on this thread, or `timeout` from now.
    pub(super) fn of_operation(timeout: Duration) -> Self {
        Self(operation_deadline(timeout))
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
    let names_holder = DEADLINE.get().is_none_or(|deadline| deadline.names_holder);
    let holder = if names_holder { describe_lock_holders(file) } else { String::new() };
    StoreError::Busy { path: path.to_owned(), holder }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_waits_of_one_operation_share_a_deadline() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.redb");
        drop(crate::store::Store::open(&path).unwrap());
        let open = || File::options().read(true).write(true).open(&path).unwrap();
        let id = crate::store::path_security::identify(&path).unwrap();
        let other = InnerBackend::new(open()).unwrap();
        let (start, end) = (Bound::Included(0), Bound::Excluded(9));
        assert!(other.try_lock_range(start, end).unwrap());
        let hour = Duration::from_secs(3_600);
        let backend =
            LockTimeoutBackend::new(open(), LockTimeout::OfOperation(hour), path.clone(), id);
        let backend = backend.unwrap();
        let started = Instant::now();
        let waits = || [(); 3].map(|()| backend.lock_shared_range(start, end).is_err());
        // The shorter deadline counts, whichever operation has it.
        let short = started + Duration::from_millis(20);
        assert_eq!(with_deadline(short, || with_deadline(started + hour, waits)), [true; 3]);
        assert_eq!(with_deadline(started + hour, || with_deadline(short, waits)), [true; 3]);
        assert_eq!(with_deadline(started + hour, || without_wait(waits)), [true; 3]);
        assert!(started.elapsed() < hour);
        other.unlock_range(start, end).unwrap();
        assert_eq!(without_wait(waits), [false; 3]);
    }
}
