//! Opens the store's file. A shared read-only handle sees the commits of all processes; a write
//! opens the file exclusively, with retries until its deadline. Every read transaction begins
//! here, with the schema checked in it. Nothing here waits inside the kernel. Called by `Store`
//! and `ReadSession`.

use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rand::{TryRng as _, rngs::SysRng};
use redb::{
    Builder, ConcurrencyMode, Database, DatabaseError, ReadOnlyDatabase, ReadableDatabase as _,
    StorageBackend, StorageError, TableError, WriteTransaction,
};

use super::{
    CacheSize, OpenOptions,
    backup::keep_beside,
    error::{Operation, StoreError, WriteNeed},
    file::{self, FileId},
    lock_timeout::{LockTimeout, LockTimeoutBackend, Medium, RetryDeadline},
    migrate::{self, Step},
    panic::catch_redb_panic,
    path_error::{PathError, PathProblem},
    read_ops::{BIRTH, Reader},
    record::{BirthV1, SchemaV1},
    reserve::Reserve,
    snapshot_id::{HeaderCapture, LatestSnapshot},
    tables::{ReadOnly, Tables},
};

/// The longest that a read waits, opening included: a check must answer within a second.
const READ_TIMEOUT: Duration = Duration::from_millis(750);

#[derive(Debug)]
pub(super) struct FileDb {
    pub(super) path: PathBuf,
    pub(super) reserve: Reserve,
    pub(super) options: OpenOptions,
    handle: Mutex<Option<Arc<ReadHandle>>>,
}

/// A read-only handle. By itself it holds no transaction.
pub(super) struct ReadHandle {
    db: ReadOnlyDatabase,
    id: FileId,
    latest: LatestSnapshot,
    /// The same file, to read its header without redb.
    file: File,
}

/// A read transaction, with the handle that it reads through.
pub(super) struct Snapshot {
    pub(super) reader: Reader,
    handle: Arc<ReadHandle>,
}

impl Snapshot {
    /// Whether nothing was committed to the file since.
    pub(super) fn is_current(&self) -> bool {
        let id = self.reader.cache.id.as_ref();
        id.is_some_and(|id| id.is_latest_of(&self.handle.file))
    }
}

impl std::fmt::Debug for ReadHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReadHandle").finish_non_exhaustive()
    }
}

impl FileDb {
    /// Opens the file at `path`; creates it if it is missing and may be created.
    pub(super) fn open(path: &Path, options: OpenOptions) -> Result<Self, StoreError> {
        if options.read_only && !path.exists() {
            return Err(StoreError::NeedsWriteAccess {
                path: path.to_owned(),
                need: WriteNeed::Create,
            });
        }
        let path = file::place(path)?;
        let file = Self { reserve: Reserve::of(&path), path, options, handle: Mutex::new(None) };
        match file.begin() {
            Err(StoreError::Path(PathError { path, problem: PathProblem::NotFound }))
                if path == file.path && !options.read_only =>
            {
                file::create(&file.path, create_store)?;
                file.reserve.take();
                drop(file.begin()?);
            }
            begun => drop(begun?),
        }
        Ok(file)
    }

    /// In read-only mode, refuses a store with this `need`.
    fn require_write_access(&self, need: WriteNeed) -> Result<(), StoreError> {
        if self.options.read_only {
            return Err(StoreError::NeedsWriteAccess { path: self.path.clone(), need });
        }
        Ok(())
    }

    /// A read of the last commit. A handle that fails is replaced once, because redb refuses
    /// everything after an I/O error. A lock timeout is no such failure.
    pub(super) fn snapshot(&self) -> Result<Snapshot, StoreError> {
        let begun = self.begin();
        if matches!(begun, Ok(_) | Err(StoreError::Busy { .. })) {
            return begun;
        }
        self.drop_handle();
        self.begin()
    }

    /// Begins a read through the current handle; opens the file if there is none yet or if
    /// another file is at the path now.
    fn begin(&self) -> Result<Snapshot, StoreError> {
        let mut current = self.lock_handle();
        let id = file::identify(&self.path)?;
        if let Some(handle) = current.as_ref().filter(|handle| handle.id == id).cloned() {
            drop(current);
            // A later patdeck may have raised the schema since.
            let reader = handle.begin_read(|tables| migrate::schema(&tables.meta).map(drop))?;
            return Ok(Snapshot { reader, handle });
        }
        *current = None;
        let (handle, reader) = self.open_to_read()?;
        let handle = Arc::new(handle);
        *current = Some(Arc::clone(&handle));
        Ok(Snapshot { reader, handle })
    }

    /// The file, exclusively, as soon as no other process has it open for writing.
    pub(super) fn writable(&self, deadline: &RetryDeadline) -> Result<Database, StoreError> {
        loop {
            // Opening for writing changes the file, so first make sure that it is a store, and
            // of no later patdeck.
            let known = self.snapshot()?.handle.id;
            let (db, id) = open_to_write(&self.path, deadline)?;
            if id == known {
                return Ok(db);
            }
            deadline.pause(&self.path, known)?;
        }
    }

    /// Closes the read handle; the next read opens the file again.
    pub(super) fn drop_handle(&self) {
        *self.lock_handle() = None;
    }

    fn lock_handle(&self) -> MutexGuard<'_, Option<Arc<ReadHandle>>> {
        self.handle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens the file and checks in one transaction, which is the first read, that it is a store.
    fn open_to_read(&self) -> Result<(ReadHandle, Reader), StoreError> {
        let timeout = self.options.lock_timeout.min(READ_TIMEOUT);
        let deadline = RetryDeadline::new(timeout);
        loop {
            let (opened, id) = file::open(&self.path, false)?;
            let file = opened.try_clone().map_err(|error| StoreError::at(&self.path, &error))?;
            let opened = catch_redb_panic(|| {
                let limit = LockTimeout::Each(timeout);
                let backend = LockTimeoutBackend::new(opened, limit, self.path.clone(), id)?;
                builder(self.options.cache).open_read_only_with_backend(backend)
            })?;
            match opened {
                Ok(db) => {
                    let handle = ReadHandle { db, id, latest: LatestSnapshot::default(), file };
                    let mut schema = 0;
                    let reader = handle.begin_read(|tables| {
                        schema = self.check_tables(tables)?;
                        Ok(())
                    })?;
                    if schema == migrate::known(migrate::STEPS) {
                        return Ok((handle, reader));
                    }
                    drop((reader, handle));
                    self.require_write_access(WriteNeed::Migrate)?;
                    self.migrate(&deadline, migrate::STEPS)?;
                }
                // A writer was killed. Opening for writing repairs that, in under 1 ms.
                Err(DatabaseError::RepairAborted) => {
                    if deadline.has_passed() {
                        return Err(StoreError::broken("it needs a repair that does not hold"));
                    }
                    self.require_write_access(WriteNeed::Repair)?;
                    let (db, _) = self.with_reserve(|| open_to_write(&self.path, &deadline))?;
                    close(db);
                }
                Err(DatabaseError::DatabaseAlreadyOpen) => deadline.pause(&self.path, id)?,
                Err(error) => return Err(refused(&self.path, error)),
            }
        }
    }

    /// The schema number. Of an older schema the other tables are not looked at: it may lack some.
    fn check_tables(&self, tables: &Tables<ReadOnly>) -> Result<u32, StoreError> {
        tables.check_meta().map_err(|error| no_table(&self.path, error))?;
        let found = migrate::schema(&tables.meta)?;
        let found = found.ok_or_else(|| PathProblem::NotAStore.at(&self.path))?;
        if found == migrate::known(migrate::STEPS) {
            tables.check_all().map_err(|error| no_table(&self.path, error))?;
        }
        Ok(found)
    }

    /// Runs the `steps` that the store lacks. A copy of the file as it was stays beside it.
    fn migrate(&self, deadline: &RetryDeadline, steps: &[Step]) -> Result<(), StoreError> {
        self.with_reserve(|| {
            let (db, _) = open_to_write(&self.path, deadline)?;
            let done = catch_redb_panic(|| {
                let transaction = begin_write(&db)?;
                let tables = Tables::open_to_write(&transaction)?;
                let found = migrate::schema(&tables.meta)?.unwrap_or(1);
                drop(tables);
                if found < migrate::known(steps) {
                    // Nobody else writes meanwhile: the file is open exclusively.
                    keep_beside(&self.path, found)?;
                }
                migrate::run(&transaction, found, steps)?;
                transaction.commit().map_err(StoreError::from)
            });
            close(db);
            done?
        })
    }

    /// Runs `change`, and once more without the reserve if the disk is full.
    fn with_reserve<T>(&self, change: impl Fn() -> Result<T, StoreError>) -> Result<T, StoreError> {
        match change() {
            Err(StoreError::Full) if self.reserve.give_up() => change(),
            done => done,
        }
    }
}

impl ReadHandle {
    /// Begins a read of the last commit. `check` is run in the same transaction, once for each
    /// commit.
    fn begin_read(
        &self,
        check: impl FnOnce(&Tables<ReadOnly>) -> Result<(), StoreError>,
    ) -> Result<Reader, StoreError> {
        catch_redb_panic(|| {
            let (transaction, id) = HeaderCapture::observe(|| self.db.begin_read());
            let tables = Tables::open(transaction?)?;
            let cache = self.latest.cache_of(id, || check(&tables))?;
            Ok(Reader { tables, cache })
        })?
    }
}

/// Opens the file for writing as soon as no other process has it open for writing.
fn open_to_write(path: &Path, deadline: &RetryDeadline) -> Result<(Database, FileId), StoreError> {
    loop {
        let (file, id) = file::open(path, true)?;
        let opened = catch_redb_panic(|| {
            let limit = LockTimeout::Until(deadline.at());
            database(LockTimeoutBackend::new(file, limit, path.to_owned(), id)?)
        })?;
        match opened {
            Ok(db) => return Ok((db, id)),
            Err(DatabaseError::DatabaseAlreadyOpen) => deadline.pause(path, id)?,
            Err(error) => return Err(refused(path, error)),
        }
    }
}

fn builder(cache: CacheSize) -> Builder {
    let mut builder = Database::builder();
    builder.set_concurrency_mode(ConcurrencyMode::SingleWriter).set_cache_size(cache.bytes());
    builder
}

/// The database that `backend` holds, for writing; a new one if it is empty.
pub(super) fn database(backend: impl StorageBackend) -> Result<Database, DatabaseError> {
    builder(CacheSize::Large).create_with_backend(backend)
}

/// A durable transaction: two-phase, with what a quick repair needs.
pub(super) fn begin_write(db: &Database) -> Result<WriteTransaction, StoreError> {
    let mut transaction = db.begin_write()?;
    transaction.set_quick_repair(true);
    Ok(transaction)
}

/// Closes a database whose transaction is committed or aborted. A failure changes neither: the
/// next open repairs the file.
pub(super) fn close(db: Database) {
    let _ = catch_redb_panic(|| db.close());
}

/// Creates a store in an empty file.
fn create_store(file: File) -> Result<(), StoreError> {
    catch_redb_panic(|| {
        let db = create_db(file)?;
        init_schema(&db)?;
        close_checked(db)
    })?
}

pub(super) fn create_db(file: File) -> Result<Database, StoreError> {
    Medium::new(file).and_then(database).map_err(|error| match error {
        DatabaseError::Storage(error) => error.into(),
        other => StoreError::failed(Operation::Create, other),
    })
}

/// Closes a new database, which is complete only then.
pub(super) fn close_checked(db: Database) -> Result<(), StoreError> {
    db.close().map_err(|error| StoreError::failed(Operation::Close, error))
}

/// Writes the records of an empty store: its schema, id and creation time.
pub(super) fn init_schema(db: &Database) -> Result<(), StoreError> {
    let mut id = [0; 16];
    SysRng.try_fill_bytes(&mut id).map_err(|error| StoreError::failed(Operation::Create, error))?;
    let created = chrono::Utc::now().into();
    let transaction = begin_write(db)?;
    let mut tables = Tables::open_to_write(&transaction)?;
    let schema = SchemaV1(migrate::known(migrate::STEPS));
    tables.meta.put(migrate::SCHEMA, &schema)?;
    tables.meta.put(BIRTH, &BirthV1 { id, created })?;
    drop(tables);
    Ok(transaction.commit()?)
}

fn refused(path: &Path, error: DatabaseError) -> StoreError {
    match error {
        DatabaseError::Storage(StorageError::Io(error)) => match error.kind() {
            std::io::ErrorKind::InvalidData => PathProblem::NotAStore.at(path),
            _ => StoreError::from(&error),
        },
        DatabaseError::Storage(error) => error.into(),
        DatabaseError::LockProtocolMismatch => StoreError::Busy {
            path: path.to_owned(),
            holder: "another version of patdeck".to_owned(),
        },
        other => StoreError::broken(other),
    }
}

/// A redb file without our tables belongs to another program.
fn no_table(path: &Path, error: TableError) -> StoreError {
    match error {
        TableError::Storage(error) => error.into(),
        _ => PathProblem::NotAStore.at(path),
    }
}

#[cfg(test)]
#[path = "file_db_tests.rs"]
mod tests;
