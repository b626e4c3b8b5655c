//! Opens the store's file. A shared read-only handle sees the commits of all processes; a write
//! opens the file exclusively and retries until its deadline. Begins every read transaction and
//! checks the schema in it. Refuses a file that is not a store or has a newer schema. Never blocks
//! on a lock in the kernel. Called by `Store`, `CachedReader` and `write_transaction`.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use redb::{Builder, ConcurrencyMode, Database, DatabaseError, StorageBackend, WriteTransaction};

use super::{
    CacheSize, OpenOptions,
    backup::save_pre_migration_copy,
    commit_id::{CommitId, LatestCommitValues},
    error::{StoreError, WriteAccessReason},
    lock_timeout_backend::{
        LockTimeout, LockTimeoutBackend, RetryDeadline, with_deadline, without_wait,
    },
    migrate::{self, MigrationStep},
    new_store::create_store,
    panic_guard::catch_redb_panic,
    path_error::{PathError, PathProblem, open_error, table_error},
    path_security::{self, FileId},
    read_handle::{ReadOnlyDb, Snapshot, SnapshotSource, overtaken_error},
    read_ops::ReadOps,
    reader::Reader,
    recorded_time::mark_of_new_register,
    register::{self, EventMark, Register, RegisterId, RevocationEntry},
    tables::{ReadTables, Tables},
    write_ops::Writer,
};

/// The maximum time that a read waits for all locks together, including the opening of the file. A
/// check of a token must answer within 1 s.
const READ_TIMEOUT: Duration = Duration::from_millis(750);
/// How long the lock counts as held after a read timed out on it. So a command waits only once.
const LOCKED_FOR: Duration = Duration::from_secs(1);
/// How often a read begins if other processes commit while the file is read without its lock.
const READ_ATTEMPTS: usize = 3;
/// How often a read begins if other processes store an ending each time.
const OUTDATED_READ_ATTEMPTS: usize = 20;

/// The maximum time that a read waits for the lock before it reads without the lock.
const SHORT_READ_TIMEOUT: Duration = Duration::from_millis(30);

/// A store in a file: its path and options, its revocation register, and its read handle.
#[derive(Debug)]
pub(super) struct FileDb {
    pub(super) path: PathBuf,
    pub(super) options: OpenOptions,
    pub(super) register: Register,
    handle: Mutex<Option<Arc<ReadOnlyDb>>>,
    /// When a read last timed out on the lock and continued without it.
    was_locked: Mutex<Option<Instant>>,
    /// The register that the store named when it was opened.
    pub(super) register_at_open: Option<RegisterId>,
    /// Whether the store was older than its register when it was opened.
    pub(super) was_outdated: bool,
    /// Whether the register was older than the store at that time.
    pub(super) was_register_older: bool,
    /// The last commit that a closed handle has read.
    seen: Mutex<Option<CommitId>>,
    is_rewound: AtomicBool,
}

impl FileDb {
    /// Opens the file at `path`. Creates the file if it is missing and `options` allow it.
    pub(super) fn open(path: &Path, options: OpenOptions) -> Result<Self, StoreError> {
        let create_missing = options.create_missing && !options.read_only;
        let path = path_security::resolve_store_path(path, create_missing)?;
        let mut file = Self {
            register: Register::beside(&path),
            path,
            options,
            handle: Mutex::new(None),
            was_locked: Mutex::new(None),
            register_at_open: None,
            was_outdated: false,
            was_register_older: false,
            seen: Mutex::new(None),
            is_rewound: AtomicBool::new(false),
        };
        let opened = match file.begin_snapshot() {
            Err(StoreError::Path(PathError { problem: PathProblem::NoStore, .. }))
                if create_missing =>
            {
                let is_created = path_security::create_atomically(&file.path, create_store)?;
                if is_created {
                    file.create_first_register()?;
                }
                file.begin_snapshot()?
            }
            result => result?,
        };
        file.register_at_open = opened.reader.register_id().ok();
        file.was_outdated = opened.reader.is_store_outdated();
        file.was_register_older = opened.reader.is_register_older();
        Ok(file)
    }

    /// Creates the register of a new store. Holds the store's lock, because another process that
    /// opened the store now would find no register and create one itself.
    fn create_first_register(&self) -> Result<(), StoreError> {
        let deadline = RetryDeadline::new(self.options.lock_timeout);
        let (db, _) = open_to_write(&self.path, &deadline)?;
        let result = catch_redb_panic(|| {
            let transaction = begin_write(&db)?;
            let mut writer = Writer::new(Tables::open_to_write(&transaction)?);
            let id = register::load_id(&writer.tables)?;
            // The register of a lost store stays: an import must not bring back what it has ended.
            let found = register::read_file(self.register.path(), None)?;
            if found.id == Some(id) {
                return Ok(());
            }
            let Some(id) = found.id else {
                return self.create_register(&writer, &id, found.entries, None);
            };
            register::set_id(&mut writer.tables, &id)?;
            drop(writer);
            transaction.commit().map_err(StoreError::from)
        });
        close(db);
        result?
    }

    /// Creates the register `id`, in place of any file, from the records and from `kept`, the entries of
    /// a damaged register. Marks the event `marked`, or the newest one.
    pub(super) fn create_register(
        &self,
        rows: &impl ReadOps,
        id: &RegisterId,
        kept: Vec<RevocationEntry>,
        marked: Option<EventMark>,
    ) -> Result<(), StoreError> {
        let entries = [register::entries_from_records(rows)?, kept].concat();
        let mut mark = mark_of_new_register(rows)?;
        mark.event = marked.or(mark.event);
        register::create(self.register.path(), id, &register::merge_entries(entries), &mark)
    }

    /// In read-only mode, returns the error that write access is required for this `reason`.
    fn require_write_access(&self, reason: WriteAccessReason) -> Result<(), StoreError> {
        if self.options.read_only {
            return Err(StoreError::NeedsWriteAccess { path: self.path.clone(), reason });
        }
        Ok(())
    }

    /// Begins a read of the last commit. If that fails, opens the file again and retries once,
    /// because redb refuses every operation after an I/O error. Does not retry after a lock
    /// timeout.
    pub(super) fn snapshot(&self) -> Result<Snapshot, StoreError> {
        let result = self.begin_snapshot();
        if matches!(result, Ok(_) | Err(StoreError::Busy { .. })) {
            return result;
        }
        self.drop_handle();
        self.begin_snapshot()
    }

    /// Begins a read of the last commit. Returns `None` if it would have to wait for a lock.
    pub(super) fn snapshot_without_wait(&self) -> Result<Option<Snapshot>, StoreError> {
        match without_wait(|| self.begin_snapshot_with_lock(Duration::ZERO)) {
            Err(StoreError::Busy { .. }) => Ok(None),
            result => Ok(Some(result?).filter(|snapshot| !snapshot.seems_outdated(&self.path))),
        }
    }

    fn read_timeout(&self) -> Duration {
        let limit = if self.options.reads_locked_file { SHORT_READ_TIMEOUT } else { READ_TIMEOUT };
        self.options.lock_timeout.min(limit)
    }

    /// Begins a read, again if another process has stored an ending meanwhile.
    fn begin_snapshot(&self) -> Result<Snapshot, StoreError> {
        let mut snapshot = self.begin_one_snapshot()?;
        let mut attempts = 1..OUTDATED_READ_ATTEMPTS;
        while snapshot.seems_outdated(&self.path) && attempts.next().is_some() {
            snapshot = self.begin_one_snapshot()?;
        }
        Ok(snapshot)
    }

    /// Begins a read. If the file needs a repair that a full disk prevents, or if the lock times out
    /// and the options allow it, reads the file as it would be found after the repair.
    fn begin_one_snapshot(&self) -> Result<Snapshot, StoreError> {
        let was_locked = || self.was_locked.lock().unwrap_or_else(PoisonError::into_inner);
        let mut timeout = self.read_timeout();
        for _ in 0..READ_ATTEMPTS {
            let is_locked = was_locked().is_some_and(|at| at.elapsed() < LOCKED_FOR);
            if !is_locked {
                let deadline = Instant::now() + timeout;
                match with_deadline(deadline, || self.begin_snapshot_with_lock(timeout)) {
                    // A repair that needs space on a full disk must not prevent a read.
                    Err(error)
                        if error.is_out_of_space()
                            || self.options.reads_locked_file && error.is_busy() =>
                    {
                        *was_locked() = Some(Instant::now());
                    }
                    result => return result,
                }
            }
            let check = |tables: &ReadTables| self.check_tables(tables).map(drop);
            if let Some(snapshot) = Snapshot::of_locked_file(&self.path, &self.register, check)? {
                return Ok(snapshot);
            }
            // Another process has committed, so those that hold the lock go on.
            *was_locked() = None;
            timeout = READ_TIMEOUT.min(self.options.lock_timeout);
        }
        Err(overtaken_error(&self.path))
    }

    /// Begins a read through the current handle. Opens the file if there is no handle yet or if
    /// another file is at the path.
    fn begin_snapshot_with_lock(&self, timeout: Duration) -> Result<Snapshot, StoreError> {
        let mut current = self.lock_handle();
        let id = path_security::identify(&self.path)?;
        if let Some(handle) = current.as_ref().filter(|handle| handle.id == id).cloned() {
            drop(current);
            // A newer patdeck may have raised the schema in the meantime.
            let check = |tables: &ReadTables| migrate::schema(&tables.meta).map(drop);
            if let Some(reader) = handle.begin_read(&self.register, check)? {
                return Ok(Snapshot { reader, source: SnapshotSource::Handle(handle) });
            }
            // Pages that redb has cached can belong to the replaced state, so open the file again.
            current = self.lock_handle();
        }
        self.close(&mut current);
        let (handle, reader) = self.open_to_read(timeout)?;
        self.compare_with_seen(&reader);
        let handle = Arc::new(handle);
        *current = Some(Arc::clone(&handle));
        Ok(Snapshot { reader, source: SnapshotSource::Handle(handle) })
    }

    /// Closes the handle and remembers the last commit that it has read.
    fn close(&self, current: &mut Option<Arc<ReadOnlyDb>>) {
        if let Some(id) = current.take().and_then(|handle| handle.latest.id()) {
            *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(id);
        }
    }

    /// Sets `is_rewound` if an older state has replaced the state that was read before the file was
    /// opened again.
    fn compare_with_seen(&self, reader: &Reader) {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let (Some(seen), Some(id)) = (seen, &reader.cache.id)
            && id.rewinds(&seen)
        {
            self.is_rewound.store(true, Ordering::Relaxed);
        }
    }

    /// Whether an older state has replaced the store since the last call.
    pub(super) fn take_rewound(&self) -> bool {
        self.is_rewound.swap(false, Ordering::Relaxed)
    }

    /// Opens the file exclusively as soon as no other process has it open for writing.
    pub(super) fn writable(&self, deadline: &RetryDeadline) -> Result<Database, StoreError> {
        loop {
            // Opening for writing changes the file. So first check, by a read, that it is a store
            // and has no newer schema.
            let known = with_deadline(deadline.instant(), || self.snapshot())?.file_id();
            let (db, id) = open_to_write(&self.path, deadline)?;
            // A restore may have put another file at the path while this process waited.
            if id == known && path_security::identify(&self.path)? == id {
                return Ok(db);
            }
            close(db);
            deadline.pause(&self.path, known)?;
        }
    }

    /// Closes the read handle; the next read opens the file again.
    pub(super) fn drop_handle(&self) {
        self.close(&mut self.lock_handle());
    }

    fn lock_handle(&self) -> MutexGuard<'_, Option<Arc<ReadOnlyDb>>> {
        self.handle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens the file and checks that it is a store. The checks use the same transaction as the
    /// caller's first read. If the store needs a repair or a migration, it is done before that
    /// transaction.
    fn open_to_read(&self, timeout: Duration) -> Result<(ReadOnlyDb, Box<Reader>), StoreError> {
        let deadline = RetryDeadline::of_operation(timeout);
        let mut is_repaired = false;
        loop {
            let (opened, id) = path_security::open(&self.path, false)?;
            let file = opened.try_clone().map_err(|error| StoreError::at(&self.path, &error))?;
            let opened = catch_redb_panic(|| {
                let limit = LockTimeout::OfOperation(timeout);
                let backend = LockTimeoutBackend::new(opened, limit, self.path.clone(), id)?;
                builder(self.options.cache).open_read_only_with_backend(backend)
            })?;
            match opened {
                Ok(db) => {
                    let handle = ReadOnlyDb { db, id, latest: LatestCommitValues::default(), file };
                    let mut schema = 0;
                    let reader = handle.begin_read(&self.register, |tables| {
                        schema = self.check_tables(tables)?;
                        Ok(())
                    })?;
                    // A new handle has read nothing before, so it cannot find another history.
                    let Some(reader) = reader else { continue };
                    if schema == migrate::latest_schema(migrate::STEPS) {
                        return Ok((handle, reader));
                    }
                    drop((reader, handle));
                    self.require_write_access(WriteAccessReason::Migrate)?;
                    self.migrate(&deadline, migrate::STEPS)?;
                }
                // A writer was killed. Opening for writing repairs the file, in less than 1 ms.
                Err(DatabaseError::RepairAborted) => {
                    if is_repaired && deadline.has_passed() {
                        return Err(StoreError::corrupted("the repair after a crash failed"));
                    }
                    is_repaired = true;
                    self.require_write_access(WriteAccessReason::Repair)?;
                    let (db, _) = open_to_write(&self.path, &deadline)?;
                    // A repair that cannot be written is a full disk or a limit, not damage.
                    catch_redb_panic(|| db.close())?.map_err(|e| open_error(&self.path, e))?;
                }
                Err(DatabaseError::DatabaseAlreadyOpen) => deadline.pause(&self.path, id)?,
                Err(error) => return Err(open_error(&self.path, error)),
            }
        }
    }

    /// Checks the table `meta-1` and returns the schema number. If the schema is the latest, also
    /// checks the other tables. An older schema may not have all of them.
    fn check_tables(&self, tables: &ReadTables) -> Result<u32, StoreError> {
        tables.check_meta().map_err(|error| table_error(&self.path, error))?;
        let found = migrate::schema(&tables.meta)?;
        let found = found.ok_or_else(|| PathProblem::NotAStore.at(&self.path))?;
        if found == migrate::latest_schema(migrate::STEPS) {
            tables.check_all().map_err(|error| table_error(&self.path, error))?;
        }
        Ok(found)
    }

    /// Runs the `steps` that have not yet been run on the store. Keeps a copy of the unmigrated
    /// file in the same folder.
    fn migrate(&self, deadline: &RetryDeadline, steps: &[MigrationStep]) -> Result<(), StoreError> {
        let (db, _) = open_to_write(&self.path, deadline)?;
        let result = catch_redb_panic(|| {
            let transaction = begin_write(&db)?;
            let tables = Tables::open_to_write(&transaction)?;
            let found = migrate::schema(&tables.meta)?.unwrap_or(1);
            drop(tables);
            if found < migrate::latest_schema(steps) {
                // No other process writes: the file is open exclusively.
                save_pre_migration_copy(&self.path, found)?;
            }
            migrate::run(&transaction, found, steps)?;
            let writer = Writer::new(Tables::open_to_write(&transaction)?);
            self.create_register(&writer, &register::load_id(&writer.tables)?, Vec::new(), None)?;
            drop(writer);
            transaction.commit().map_err(StoreError::from)
        });
        close(db);
        result??;
        // Schema 1 reserved 1 MiB in this file to write on a full disk. Endings need no space now.
        let mut reserve = self.path.as_os_str().to_owned();
        reserve.push(".reserve");
        let _ = fs::remove_file(reserve);
        Ok(())
    }
}

/// Opens the file for writing as soon as no other process has it open for writing.
fn open_to_write(path: &Path, deadline: &RetryDeadline) -> Result<(Database, FileId), StoreError> {
    loop {
        let (file, id) = path_security::open(path, true)?;
        let opened = catch_redb_panic(|| {
            let limit = LockTimeout::Until(deadline.instant());
            open_backend(LockTimeoutBackend::new(file, limit, path.to_owned(), id)?)
        })?;
        match opened {
            Ok(db) => return Ok((db, id)),
            Err(DatabaseError::DatabaseAlreadyOpen) => deadline.pause(path, id)?,
            Err(error) => return Err(open_error(path, error)),
        }
    }
}

fn builder(cache: CacheSize) -> Builder {
    let mut builder = Database::builder();
    builder.set_concurrency_mode(ConcurrencyMode::SingleWriter).set_cache_size(cache.bytes());
    builder
}

/// Opens the database in `backend` for writing, with a page cache for a single scan.
pub(super) fn open_small(backend: impl StorageBackend) -> Result<Database, DatabaseError> {
    builder(CacheSize::Small).create_with_backend(backend)
}

/// Opens the database in `backend` for writing. Creates a database if the backend is empty.
pub(super) fn open_backend(backend: impl StorageBackend) -> Result<Database, DatabaseError> {
    builder(CacheSize::Large).create_with_backend(backend)
}

/// Begins a durable write transaction: its commit has two phases and writes the data for a quick
/// repair.
pub(super) fn begin_write(db: &Database) -> Result<WriteTransaction, StoreError> {
    let mut transaction = db.begin_write()?;
    transaction.set_quick_repair(true);
    Ok(transaction)
}

/// Closes a database after its transaction was committed or aborted. Ignores a failure, because the
/// next open repairs the file.
pub(super) fn close(db: Database) {
    let _ = catch_redb_panic(|| db.close());
}

#[cfg(test)]
#[path = "file_db_tests.rs"]
mod tests;
