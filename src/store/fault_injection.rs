//! A storage backend for tests. It fails at the n-th call, logs writes and syncs to simulate power
//! cuts, or records reads, as the test requests. In unit tests, it replaces redb's file backend
//! under `lock_timeout_backend`.

use std::{
    fs::File,
    io,
    ops::Bound,
    sync::{Arc, Mutex},
    thread::ThreadId,
};

use redb::{BackendError, DatabaseError, StorageBackend, backends::FileBackend};

thread_local! {
    static MODE: Arc<Mutex<TestBackendBehaviour>> = Arc::default();
}

/// The behaviour of the files that this thread has opened, on all threads that use them.
#[derive(Default)]
pub(super) enum TestBackendBehaviour {
    #[default]
    PassThrough,
    /// Calls fail as planned.
    Fail(FailurePlan),
    /// Writes and syncs are logged.
    Log(PowerCutLog),
    /// Reads are recorded.
    RecordReads(Vec<RecordedFileRead>),
}

/// A read of the file, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RecordedFileRead {
    pub(super) offset: u64,
    pub(super) len: usize,
    pub(super) thread: ThreadId,
}

/// The calls that fail, and how: with this error, after `calls_before` successful calls.
pub(super) struct FailurePlan {
    pub(super) error: io::ErrorKind,
    pub(super) calls_before: usize,
    /// Whether all later calls fail, too, as on a full disk.
    pub(super) is_persistent: bool,
    /// The number of failed calls so far.
    pub(super) failure_count: usize,
}

/// A call that was not synced yet.
#[derive(Clone)]
pub(super) enum PendingCall {
    Write(usize, Vec<u8>),
    SetLen(usize),
}

/// The state before a sync: the bytes that are durable, and the calls that may be lost.
pub(super) struct PowerCutState {
    pub(super) durable: Arc<Vec<u8>>,
    pub(super) pending: Vec<PendingCall>,
    /// The number of changes acknowledged so far.
    pub(super) acknowledged: usize,
}

/// The writes and syncs of one file.
pub(super) struct PowerCutLog {
    pub(super) durable: Arc<Vec<u8>>,
    pub(super) pending: Vec<PendingCall>,
    pub(super) power_cuts: Vec<PowerCutState>,
    pub(super) acknowledged: usize,
}

impl PendingCall {
    /// Applies the call to `bytes`.
    pub(super) fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::SetLen(length) => bytes.resize(*length, 0),
            Self::Write(at, data) => {
                bytes.resize(bytes.len().max(at + data.len()), 0);
                bytes[*at..at + data.len()].copy_from_slice(data);
            }
        }
    }
}

/// Sets the mode of the files of this thread. Returns the previous mode.
pub(super) fn set_behaviour(mode: TestBackendBehaviour) -> TestBackendBehaviour {
    MODE.with(|it| std::mem::replace(&mut *it.lock().unwrap(), mode))
}

/// Lets the disk be full after this number of calls to the files of this thread; `None` makes space.
pub(crate) fn fill_disk_after(calls: Option<usize>) {
    set_behaviour(calls.map_or(TestBackendBehaviour::PassThrough, |calls_before| {
        let error = io::ErrorKind::StorageFull;
        let plan = FailurePlan { error, calls_before, is_persistent: true, failure_count: 0 };
        TestBackendBehaviour::Fail(plan)
    }));
}

/// Counts a change as acknowledged.
pub(super) fn acknowledge() {
    MODE.with(|it| {
        if let TestBackendBehaviour::Log(log) = &mut *it.lock().unwrap() {
            log.acknowledged += 1;
        }
    });
}

pub(super) struct TestBackend(FileBackend, Arc<Mutex<TestBackendBehaviour>>);

impl std::fmt::Debug for TestBackend {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl TestBackend {
    pub(super) fn new(file: File) -> Result<Self, DatabaseError> {
        Ok(Self(FileBackend::new(file)?, MODE.with(Arc::clone)))
    }

    fn fail_if_due(&self, reads: bool) -> io::Result<()> {
        let TestBackendBehaviour::Fail(failure) = &mut *self.1.lock().unwrap() else {
            return Ok(());
        };
        // Reads succeed on a full disk.
        if reads && failure.error == io::ErrorKind::StorageFull {
            return Ok(());
        }
        if failure.calls_before > 0 {
            failure.calls_before -= 1;
            return Ok(());
        }
        if failure.failure_count > 0 && !failure.is_persistent {
            return Ok(());
        }
        failure.failure_count += 1;
        Err(failure.error.into())
    }

    /// Runs `call` and logs it as `logged`.
    fn apply_and_log(
        &self,
        logged: PendingCall,
        call: impl FnOnce(&FileBackend) -> io::Result<()>,
    ) -> io::Result<()> {
        // The lock covers the call, so that the log has the order of the calls.
        let mut mode = self.1.lock().unwrap();
        call(&self.0)?;
        if let TestBackendBehaviour::Log(log) = &mut *mode {
            log.pending.push(logged);
        }
        Ok(())
    }

    fn log_sync(&self) {
        let TestBackendBehaviour::Log(log) = &mut *self.1.lock().unwrap() else {
            return;
        };
        let pending = std::mem::take(&mut log.pending);
        let durable = Arc::clone(&log.durable);
        let mut after = (*durable).clone();
        for call in &pending {
            call.apply(&mut after);
        }
        log.durable = Arc::new(after);
        let acknowledged = log.acknowledged;
        log.power_cuts.push(PowerCutState { durable, pending, acknowledged });
    }
}

fn offset(at: u64) -> usize {
    usize::try_from(at).unwrap()
}

impl StorageBackend for TestBackend {
    fn len(&self) -> io::Result<u64> {
        self.fail_if_due(true)?;
        self.0.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.fail_if_due(true)?;
        if let TestBackendBehaviour::RecordReads(calls) = &mut *self.1.lock().unwrap() {
            let thread = std::thread::current().id();
            calls.push(RecordedFileRead { offset, len: out.len(), thread });
        }
        self.0.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.fail_if_due(false)?;
        self.apply_and_log(PendingCall::SetLen(offset(len)), |file| file.set_len(len))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.fail_if_due(false)?;
        self.log_sync();
        Ok(())
    }

    fn write(&self, at: u64, data: &[u8]) -> io::Result<()> {
        self.fail_if_due(false)?;
        self.apply_and_log(PendingCall::Write(offset(at), data.to_owned()), |file| {
            file.write(at, data)
        })
    }

    fn close(&self) -> io::Result<()> {
        self.0.close()
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.0.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.0.lock_shared_range(start, end)
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.0.try_lock_range(start, end)
    }

    fn try_lock_shared_range(
        &self,
        start: Bound<u64>,
        end: Bound<u64>,
    ) -> Result<bool, BackendError> {
        self.0.try_lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.0.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.0.query_lock_range(start, end)
    }
}
