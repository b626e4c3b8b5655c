//! The file as tests have it: it fails at the n-th call, or keeps account of what a power cut
//! would leave of it, if the test that opened it has said so. Takes the place of redb's own
//! backend under `lock_timeout` in the tests of the library.

use std::{
    fs::File,
    io,
    ops::Bound,
    sync::{Arc, Mutex},
    thread::ThreadId,
};

use redb::{BackendError, DatabaseError, StorageBackend, backends::FileBackend};

thread_local! {
    static PLAN: Arc<Mutex<Plan>> = Arc::default();
}

/// What is to happen to the files that this thread has opened, whoever uses them.
#[derive(Default)]
pub(super) enum Plan {
    #[default]
    Sound,
    /// They fail.
    Fail(Failure),
    /// What they are told is kept.
    Record(Record),
    /// Each read is noted.
    Observe(Vec<ReadCall>),
}

/// A read of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ReadCall {
    pub(super) offset: u64,
    pub(super) len: usize,
    pub(super) thread: ThreadId,
}

/// How they fail: with this error, from the call on before which there are `sound` ones.
pub(super) struct Failure {
    pub(super) error: io::ErrorKind,
    pub(super) sound: usize,
    /// Whether every later call fails too, as on a disk that stays full.
    pub(super) lasting: bool,
    /// How often it has failed.
    pub(super) failed: usize,
}

/// What was written and not synced yet.
#[derive(Clone)]
pub(super) enum Pending {
    Write(usize, Vec<u8>),
    Length(usize),
}

/// The moment before a sync: what the disk holds for certain, and what it may have of the rest.
pub(super) struct Cut {
    pub(super) certain: Arc<Vec<u8>>,
    pub(super) pending: Vec<Pending>,
    /// How many changes were acknowledged by then.
    pub(super) acknowledged: usize,
}

/// The account of one file.
pub(super) struct Record {
    pub(super) certain: Arc<Vec<u8>>,
    pub(super) pending: Vec<Pending>,
    pub(super) cuts: Vec<Cut>,
    pub(super) acknowledged: usize,
}

impl Pending {
    /// Does to `bytes` what the call does to the file.
    pub(super) fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Length(length) => bytes.resize(*length, 0),
            Self::Write(at, data) => {
                bytes.resize(bytes.len().max(at + data.len()), 0);
                bytes[*at..at + data.len()].copy_from_slice(data);
            }
        }
    }
}

/// Sets the plan; gives the one before.
pub(super) fn plan(plan: Plan) -> Plan {
    PLAN.with(|it| std::mem::replace(&mut *it.lock().unwrap(), plan))
}

/// Counts a change as acknowledged.
pub(super) fn acknowledge() {
    PLAN.with(|it| {
        if let Plan::Record(record) = &mut *it.lock().unwrap() {
            record.acknowledged += 1;
        }
    });
}

pub(super) struct Medium(FileBackend, Arc<Mutex<Plan>>);

impl std::fmt::Debug for Medium {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl Medium {
    pub(super) fn new(file: File) -> Result<Self, DatabaseError> {
        Ok(Self(FileBackend::new(file)?, PLAN.with(Arc::clone)))
    }

    fn may_fail(&self, reads: bool) -> io::Result<()> {
        let Plan::Fail(failure) = &mut *self.1.lock().unwrap() else {
            return Ok(());
        };
        // A full disk can be read.
        if reads && failure.error == io::ErrorKind::StorageFull {
            return Ok(());
        }
        if failure.sound > 0 {
            failure.sound -= 1;
            return Ok(());
        }
        if failure.failed > 0 && !failure.lasting {
            return Ok(());
        }
        failure.failed += 1;
        Err(failure.error.into())
    }

    /// Does `call`, which is `done` then.
    fn note(
        &self,
        done: Pending,
        call: impl FnOnce(&FileBackend) -> io::Result<()>,
    ) -> io::Result<()> {
        // One call after the other, so that the account has their order.
        let mut plan = self.1.lock().unwrap();
        call(&self.0)?;
        if let Plan::Record(record) = &mut *plan {
            record.pending.push(done);
        }
        Ok(())
    }

    fn note_sync(&self) {
        let Plan::Record(record) = &mut *self.1.lock().unwrap() else {
            return;
        };
        let pending = std::mem::take(&mut record.pending);
        let certain = Arc::clone(&record.certain);
        let mut after = (*certain).clone();
        for call in &pending {
            call.apply(&mut after);
        }
        record.certain = Arc::new(after);
        let acknowledged = record.acknowledged;
        record.cuts.push(Cut { certain, pending, acknowledged });
    }
}

fn offset(at: u64) -> usize {
    usize::try_from(at).unwrap()
}

impl StorageBackend for Medium {
    fn len(&self) -> io::Result<u64> {
        self.may_fail(true)?;
        self.0.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.may_fail(true)?;
        if let Plan::Observe(calls) = &mut *self.1.lock().unwrap() {
            let thread = std::thread::current().id();
            calls.push(ReadCall { offset, len: out.len(), thread });
        }
        self.0.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.may_fail(false)?;
        self.note(Pending::Length(offset(len)), |file| file.set_len(len))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.may_fail(false)?;
        self.note_sync();
        Ok(())
    }

    fn write(&self, at: u64, data: &[u8]) -> io::Result<()> {
        self.may_fail(false)?;
        self.note(Pending::Write(offset(at), data.to_owned()), |file| file.write(at, data))
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
