//! The embedded store. Only this module uses redb and bincode. [`Store::read`] and [`Store::write`]
//! each run a closure in one transaction. [`ReadOps`] has the read operations, [`Writer`] the write
//! operations. Any number of processes share one file, without a daemon. Only the service calls
//! this module.

mod backup;
mod bulk_insert;
mod cached_reader;
mod chain;
mod codec;
mod commit_id;
mod consistency;
mod crash_image;
mod denials;
mod error;
#[cfg(test)]
mod fault_injection;
#[cfg(test)]
mod fault_tests;
mod file_db;
#[cfg(any(test, feature = "testing"))]
mod fuzz;
mod hook_runs;
mod inflight_writes;
mod integrity;
mod jobs;
mod key_order;
mod lock_holder;
mod lock_timeout_backend;
mod merge_join;
mod migrate;
mod migrate_v2;
mod name_index;
mod new_store;
mod overruled_tokens;
mod panic_guard;
mod path_error;
mod path_security;
#[cfg(test)]
mod power_tests;
mod raw_batch;
mod read_handle;
mod read_ops;
mod reader;
mod record;
mod recorded_time;
mod register;
mod repair;
mod restore;
mod revocations;
#[cfg(test)]
mod scenario;
mod tables;
mod temp_file;
mod token_changes;
mod token_names;
mod trash_index;
mod usage_days;
mod use_counts;
mod watch;
mod write_ops;
mod write_transaction;

use std::{fs::File, path::Path, sync::Arc, time::Duration};

use redb::Database;
use redb::backends::InMemoryBackend;

pub use backup::{BackupReport, create_output_file};
pub use bulk_insert::EncodedToken;
pub use cached_reader::CachedReader;
pub use chain::VerifiedChain;
#[cfg(test)]
pub use error::{Cause, WriteAccessReason};
pub use error::{DamagedRecord, IoOperation, StoreError};
#[cfg(test)]
pub(crate) use fault_injection::fill_disk_after;
#[cfg(any(test, feature = "testing"))]
pub use fuzz::check_round_trip;
pub use hook_runs::HookRunReads;
pub use inflight_writes::wait_for_writes;
pub use jobs::{JobLock, JobReads};
pub use name_index::NameClash;
pub use overruled_tokens::OverruledTokens;
#[cfg(any(test, feature = "testing"))]
pub use panic_guard::catch_redb_panic;
pub use panic_guard::{panic_ends_process, panic_is_caught};
pub use path_error::{PathError, PathProblem, PermissionFix};
pub use path_security::{
    InputSensitivity, check_input_file, create_private_folder, is_local_regular_file,
};
pub use raw_batch::RawBatch;
pub use read_ops::{
    ChainCheckResult, ChangesSince, HasTables, ReadOps, ScanResult, TokenCursor, TrashedToken,
};
pub use reader::Reader;
pub use record::ComparedFields;
pub use recorded_time::RecordedTime;
pub use register::{
    Ending, EndingKind, EndingsToStore, EventMark, RevocationEntry, RevocationState,
};
pub use repair::Repair;
pub use restore::{KeptEndings, RestoreTarget, if_readable};
pub use temp_file::abandoned_files;
pub use token_changes::TokenChanges;
pub use use_counts::token_with_use_counts;
pub use watch::ChangeWatcher;
pub use write_ops::Writer;

use crate::domain::Hooks;

use self::{file_db::FileDb, inflight_writes::InFlightWrite, write_transaction::TransactionError};

/// A database of tokens: a file that any number of processes share, or memory in tests and in the
/// demo. A clone refers to the same database.
#[derive(Debug, Clone)]
pub struct Store {
    backend: Arc<Backend>,
    /// The hooks whose runs the writes of this process queue.
    hooks: Hooks,
}

#[derive(Debug)]
enum Backend {
    File(FileDb),
    Memory(Database),
}

/// How to open a store.
#[derive(Debug, Clone, Copy)]
pub struct OpenOptions {
    /// If `true`, patdeck writes no byte: every write is refused. A store that must first be
    /// created, repaired or migrated cannot be opened.
    pub read_only: bool,
    /// Whether a missing store is created, with its folder. If `false`, or in read-only mode, a
    /// missing store is an error, because a path with a typing error must not look like an empty
    /// store.
    pub create_missing: bool,
    /// The maximum time that a write waits for the lock. For a read, it is the same, but never more
    /// than 750 ms.
    pub lock_timeout: Duration,
    /// Whether a read waits at most 30 ms for the lock, and then reads the file as it would be
    /// found if the lock holder were killed. Only for commands that end secrets: they must work
    /// even while a stopped process holds the lock.
    pub reads_locked_file: bool,
    /// The size of the page cache that reads use.
    pub cache: CacheSize,
}

/// The size of the page cache that reads use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CacheSize {
    /// 16 MiB, enough for the pages that a screen or a single token reads repeatedly.
    #[default]
    Default,
    /// 2 MiB, for a single scan. A scan reads each page only once, so that keeping more pages would
    /// only evict useful data from the processor's cache.
    Small,
    /// 128 MiB, for random access over a long time: in a store with a million tokens, the pages of
    /// 20,000 tokens occupy 80 MB. Writes always use this size, because they are slow if pages are
    /// evicted before the commit.
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
    /// Returns options that allow writing and creating. The timeout for the write lock is short
    /// enough that a command ends within 2 s.
    fn default() -> Self {
        Self {
            read_only: false,
            create_missing: true,
            lock_timeout: Duration::from_millis(1_750),
            reads_locked_file: false,
            cache: CacheSize::Default,
        }
    }
}

impl Store {
    /// Opens the store at `path` with the default options. Creates the file (0600) and its folder
    /// (0700) if they are missing. Refuses, without changing anything, a path that other users can
    /// read or change, and a file that is not a store.
    #[cfg(any(test, feature = "testing"))]
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Self::open_with(path, OpenOptions::default())
    }

    /// Opens the store at `path`. Creates the file (0600) and its folder (0700) if they are missing
    /// and `options` allow it.
    ///
    /// # Errors
    ///
    /// Returns [`PathProblem::NoStore`] if the store is missing and is not created.
    ///
    /// Refuses, without changing anything, a path that other users can read or change, a file that
    /// is not a store, and a store with a newer format. Returns [`StoreError::Busy`] if the file is
    /// still locked after the timeout.
    pub fn open_with(path: &Path, options: OpenOptions) -> Result<Self, StoreError> {
        Ok(Self::of(Backend::File(FileDb::open(path, options)?)))
    }

    /// Creates an empty store in memory, for tests and the demo.
    pub fn memory() -> Result<Self, StoreError> {
        let io = |error: redb::DatabaseError| StoreError::failed(IoOperation::Create, error);
        let db = Database::builder().create_with_backend(InMemoryBackend::new()).map_err(io)?;
        new_store::init_schema(&db)?;
        Ok(Self::of(Backend::Memory(db)))
    }

    fn of(backend: Backend) -> Self {
        Self { backend: Arc::new(backend), hooks: Hooks::default() }
    }

    /// Returns the same store, whose writes also queue the runs of `hooks` that their events require.
    #[must_use]
    pub fn with_hooks(self, hooks: Hooks) -> Self {
        Self { hooks, ..self }
    }

    pub fn hooks(&self) -> &Hooks {
        &self.hooks
    }

    pub fn is_read_only(&self) -> bool {
        matches!(&*self.backend, Backend::File(file) if file.options.read_only)
    }

    /// Returns the path of the store's file, or `None` for a store in memory.
    pub fn path(&self) -> Option<&Path> {
        match &*self.backend {
            Backend::File(file) => Some(&file.path),
            Backend::Memory(_) => None,
        }
    }

    /// Returns an empty file (0600) without a name, which the kernel deletes when it is closed. The
    /// file is created in the store's folder, or, if that fails, in the system's temporary
    /// folder.
    pub fn scratch_file(&self) -> Result<File, StoreError> {
        let folder = self.path().and_then(Path::parent).filter(|_| !self.is_read_only());
        match folder.map(path_security::anonymous_file) {
            Some(Ok(file)) => Ok(file),
            _ => path_security::anonymous_file(&std::env::temp_dir()),
        }
    }

    /// Runs `work` in one read transaction on the last commit of any process. Runs it again if it asked
    /// what the register ends and another process has changed something meanwhile, see
    /// [`CachedReader::read`]. `work` should only copy what it needs: while a read is open, the file
    /// grows with each write.
    pub fn read<T, E: From<StoreError>>(
        &self,
        work: impl Fn(&Reader) -> Result<T, E>,
    ) -> Result<T, E> {
        self.cached_reader().read(work)
    }

    /// Like [`Store::read`], but runs `work` once. For work that passes on what it reads, or that reads
    /// everything.
    pub fn read_once<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&Reader) -> Result<T, E>,
    ) -> Result<T, E> {
        self.cached_reader().read_once(work)
    }

    /// Closes the file and drops all cached pages; the next read opens the file again.
    pub fn release_file(&self) {
        if let Backend::File(file) = &*self.backend {
            file.drop_handle();
        }
    }

    /// Whether an older state of the file, such as a backup, has replaced a newer one since the
    /// last call. Only reads of this process detect this.
    pub fn take_rewound(&self) -> bool {
        matches!(&*self.backend, Backend::File(file) if file.take_rewound())
    }

    /// Starts a session that reuses its read transaction while nothing is committed.
    pub fn cached_reader(&self) -> CachedReader {
        CachedReader::new(self.clone())
    }

    /// Moves the content to the front of the file and gives the free space back to the disk. Other
    /// processes cannot write meanwhile. Returns the size of the file in bytes before and after.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError::Busy`] if another process reads an older state of the store.
    pub fn compact(&self) -> Result<(u64, u64), StoreError> {
        match &*self.backend {
            Backend::Memory(_) => Ok((0, 0)),
            Backend::File(file) if file.options.read_only => Err(StoreError::ReadOnlyMode),
            Backend::File(file) => {
                // redb moves the pages of a damaged tree without end.
                self.verify_tree()?;
                let _in_flight = InFlightWrite::start();
                file.compact()
            }
        }
    }

    /// The stopped processes that have the store open. Their reads can make the file grow.
    pub fn stopped_processes(&self) -> Vec<String> {
        let id = self.path().and_then(|path| path_security::identify(path).ok());
        id.map_or(Vec::new(), lock_holder::stopped_holders)
    }

    /// Runs `work` in one write transaction; no other process writes at the same time. If the
    /// result is `Ok`, the change is on disk. If it is an `Err` other than
    /// [`StoreError::CommitResultUnknown`], nothing was changed. `work` must not block.
    pub fn write<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&mut Writer<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let timeout = match &*self.backend {
            Backend::File(file) => file.options.lock_timeout,
            Backend::Memory(_) => OpenOptions::default().lock_timeout,
        };
        self.write_within(timeout, work)
    }

    /// Like [`Store::write`], but waits at most `timeout` for the lock.
    pub fn write_within<T, E: From<StoreError>>(
        &self,
        timeout: Duration,
        work: impl FnOnce(&mut Writer<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        if self.is_read_only() {
            return Err(StoreError::ReadOnlyMode.into());
        }
        let _in_flight = InFlightWrite::start();
        let work = |tx: &mut Writer<'_>| {
            tx.hooks = self.hooks.clone();
            work(tx)
        };
        let result = match &*self.backend {
            Backend::Memory(db) => write_transaction::run(db, work),
            Backend::File(file) => write_transaction::run_on_file(file, timeout, work),
        };
        result.map_err(|error| match error {
            TransactionError::Store(error) | TransactionError::Commit(error, _) => error.into(),
            TransactionError::Work(error) => error,
        })
    }
}
