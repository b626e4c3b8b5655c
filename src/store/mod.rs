//! The embedded store: redb and bincode are used here and nowhere else. [`Store::read`] and
//! [`Store::write`] take one closure each and run it in one transaction; [`Rows`] holds the
//! read operations, [`Writer`] the write operations. Any number of processes share one file,
//! without a daemon. Called by the service only.

mod backup;
mod bulk;
mod chain;
mod codec;
mod consistency;
mod error;
#[cfg(test)]
mod fault_tests;
#[cfg(test)]
mod faulty;
mod file;
mod file_db;
#[cfg(any(test, feature = "testing"))]
mod fuzz_hook;
mod inflight;
mod lock_holder;
mod lock_timeout;
mod migrate;
mod panic;
mod path_error;
#[cfg(test)]
mod power_tests;
mod raw_batch;
mod read_ops;
mod read_session;
mod record;
mod reserve;
#[cfg(test)]
mod script;
mod snapshot_id;
mod tables;
mod transaction;
mod watch;
mod writer;

use std::{fs::File, path::Path, sync::Arc, time::Duration};

use redb::Database;
#[cfg(any(test, feature = "testing"))]
use redb::backends::InMemoryBackend;

pub use backup::{Backup, new_file};
pub use bulk::{EncodedToken, NameBatch};
#[cfg(test)]
pub use error::{Cause, WriteNeed};
pub use error::{Damage, Operation, StoreError};
pub use file::{InputTrust, is_at_hand, judge_handed};
#[cfg(any(test, feature = "testing"))]
pub use fuzz_hook::any_record;
pub use inflight::wait_for_writes;
pub use panic::panic_is_caught;
pub use path_error::{PathError, PathProblem, PermissionFix};
pub use raw_batch::RawBatch;
pub use read_ops::{ChainState, Changes, ReadOps, Reader, TokenCursor};
#[cfg(any(test, feature = "testing"))]
pub use read_ops::{ScanResult, Trashed};
pub use read_session::ReadSession;
pub use record::TokenSummary;
pub use watch::ChangeWatcher;
pub use writer::Writer;

use self::{file_db::FileDb, inflight::InFlightWrite, transaction::TxError};

/// One file of tokens that any number of processes share, or the same in memory. A clone is
/// another handle to it.
#[derive(Debug, Clone)]
pub struct Store {
    backend: Arc<Backend>,
}

#[derive(Debug)]
enum Backend {
    File(FileDb),
    #[cfg_attr(not(any(test, feature = "testing")), expect(dead_code, reason = "for tests"))]
    Memory(Database),
}

#[derive(Debug, Clone, Copy)]
pub struct OpenOptions {
    /// No byte changes: every write is refused, and so is a store that would have to be created,
    /// repaired or migrated first.
    pub read_only: bool,
    /// How long a write waits for its turn. A read waits as long, but at most 750 ms.
    pub lock_timeout: Duration,
    /// The size of the page cache of reads.
    pub cache: CacheSize,
}

/// The size of the page cache of reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CacheSize {
    /// 16 MiB, enough for the pages that a screen or a single token needs again and again.
    #[default]
    Default,
    /// 2 MiB, for a single scan: pages that are not read again only displace others from the
    /// processor's cache.
    Small,
    /// 128 MiB, for random access over a long time: of a million tokens, 20,000 lie in 80 MB of
    /// the file. Writes use it too: they are slow if pages are evicted before the commit.
    Large,
}

impl CacheSize {
    fn bytes(self) -> usize {
        match self {
            Self::Default => 16 << 20,
            Self::Small => 2 << 20,
            Self::Large => 128 << 20,
        }
    }
}

impl Default for OpenOptions {
    /// Read and write, with a timeout that lets a command answer within 2 s.
    fn default() -> Self {
        Self {
            read_only: false,
            lock_timeout: Duration::from_millis(1_750),
            cache: CacheSize::Default,
        }
    }
}

impl Store {
    /// Opens the store at `path`; creates it (0600), and its folder (0700), if it is missing.
    /// Refuses a path that others could read or change, and a file that is no store, without
    /// touching either.
    #[cfg(any(test, feature = "testing"))]
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Self::open_with(path, OpenOptions::default())
    }

    /// As [`Store::open`], with these options.
    pub fn open_with(path: &Path, options: OpenOptions) -> Result<Self, StoreError> {
        Ok(Self { backend: Arc::new(Backend::File(FileDb::open(path, options)?)) })
    }

    #[cfg(any(test, feature = "testing"))]
    pub fn memory() -> Result<Self, StoreError> {
        let io = |error: redb::DatabaseError| StoreError::failed(Operation::Create, error);
        let db = Database::builder().create_with_backend(InMemoryBackend::new()).map_err(io)?;
        file_db::init_schema(&db)?;
        Ok(Self { backend: Arc::new(Backend::Memory(db)) })
    }

    pub fn is_read_only(&self) -> bool {
        matches!(&*self.backend, Backend::File(file) if file.options.read_only)
    }

    /// The path of its file; `None` in memory.
    pub fn path(&self) -> Option<&Path> {
        match &*self.backend {
            Backend::File(file) => Some(&file.path),
            Backend::Memory(_) => None,
        }
    }

    /// An empty file (0600) without a name, gone when it is closed. It is created in the folder of
    /// the store, which is as private as the store itself, or, if that is not possible, in the
    /// system's temporary folder.
    pub fn scratch(&self) -> Result<File, StoreError> {
        let folder = self.path().and_then(Path::parent).filter(|_| !self.is_read_only());
        match folder.map(file::nameless) {
            Some(Ok(file)) => Ok(file),
            _ => file::nameless(&std::env::temp_dir()),
        }
    }

    /// Runs `work` on the last commit of any process. Copy out what is needed and return: while a
    /// read is open, the file grows with each write.
    pub fn read<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&Reader) -> Result<T, E>,
    ) -> Result<T, E> {
        self.read_session().read(work)
    }

    pub fn read_session(&self) -> ReadSession {
        ReadSession::new(self.clone())
    }

    /// Runs `work` in one transaction, exclusively among all processes: an `Ok` is on disk when
    /// this returns, an `Err` has changed nothing. `work` must not wait for anything. It runs a
    /// second time only if the first run found the disk full, which changed nothing; the reserve
    /// was released then, so that a revocation succeeds on a full disk.
    pub fn write<T, E: From<StoreError>>(
        &self,
        work: impl FnMut(&mut Writer<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let timeout = match &*self.backend {
            Backend::File(file) => file.options.lock_timeout,
            Backend::Memory(_) => OpenOptions::default().lock_timeout,
        };
        self.write_within(timeout, work)
    }

    /// As [`Store::write`], but waits at most `timeout` for its turn.
    pub fn write_within<T, E: From<StoreError>>(
        &self,
        timeout: Duration,
        mut work: impl FnMut(&mut Writer<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        if self.is_read_only() {
            return Err(StoreError::ReadOnlyMode.into());
        }
        let _in_flight = InFlightWrite::start();
        let done = match &*self.backend {
            Backend::Memory(db) => transaction::run(db, &mut work),
            Backend::File(file) => transaction::run_on_file(file, timeout, &mut work),
        };
        done.map_err(|error| match error {
            TxError::Store(error) | TxError::Commit(error, _) => error.into(),
            TxError::Work(error) => error,
        })
    }
}
