//! The opener, alone in its file so that another engine or mode can take its place. A kept
//! read-only handle follows the commits of all processes; a write opens the file for itself
//! alone, tried again and again until its deadline. Nothing here waits inside the kernel.

use std::{
    fs::File,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use rand::{TryRng as _, rngs::SysRng};
use redb::{
    Builder, ConcurrencyMode, Database, DatabaseError, ReadOnlyDatabase, ReadableDatabase as _,
    StorageBackend, StorageError, TableError, WriteTransaction,
};

use super::{
    Cache, Opening,
    backup::keep_beside,
    caught::caught,
    commit::{Commit, Head},
    error::StoreError,
    file::{self, FileId},
    holder::holder,
    migrate::{self, Step},
    patient::{Limit, Medium, Patient},
    record::{BirthV1, SchemaV1},
    reserve::Reserve,
    rows::{BIRTH, Reader},
    tables::{self, Tables},
};

/// More than the head of a file takes.
const HEAD_BYTES: usize = 512;

/// The longest that a read waits, opening included: a check must answer within a second.
const READING: Duration = Duration::from_millis(750);

/// One store on disk.
#[derive(Debug)]
pub(super) struct Disk {
    pub(super) path: PathBuf,
    pub(super) reserve: Reserve,
    pub(super) opening: Opening,
    kept: Mutex<Option<Arc<Handle>>>,
}

/// A read-only handle. By itself it holds no transaction.
pub(super) struct Handle {
    db: ReadOnlyDatabase,
    id: FileId,
    head: Arc<Head>,
    /// The commit that was read last.
    commit: Mutex<Arc<Commit>>,
    /// The same file, to look at its head alone.
    file: File,
}

/// A read that was begun.
pub(super) struct Begun {
    pub(super) reader: Reader,
    handle: Arc<Handle>,
}

impl Begun {
    /// Whether it reads the last commit of its file.
    pub(super) fn is_last(&self) -> bool {
        let seen = &self.reader.commit.head;
        let mut bytes = [0; HEAD_BYTES];
        let Some(head) = bytes.get_mut(..seen.len()).filter(|head| !head.is_empty()) else {
            return false;
        };
        self.handle.file.read_exact_at(head, 0).is_ok() && head == seen
    }
}

impl std::fmt::Debug for Handle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Handle").finish_non_exhaustive()
    }
}

impl Disk {
    pub(super) fn open(path: &Path, opening: Opening) -> Result<Self, StoreError> {
        if opening.sealed && !path.exists() {
            return Err(StoreError::Unready { path: path.to_owned(), why: "is not there" });
        }
        let path = file::place(path)?;
        let disk = Self { reserve: Reserve::of(&path), path, opening, kept: Mutex::new(None) };
        match disk.handle() {
            Err(StoreError::Gone { path }) if path == disk.path && !opening.sealed => {
                file::create(&disk.path, begin)?;
                disk.reserve.take();
                disk.handle()?;
            }
            found => drop(found?),
        }
        Ok(disk)
    }

    /// Refuses, if nothing may be changed, what `why` would need.
    fn unsealed(&self, why: &'static str) -> Result<(), StoreError> {
        if self.opening.sealed {
            return Err(StoreError::Unready { path: self.path.clone(), why });
        }
        Ok(())
    }

    /// A read of the last commit. A handle that fails is replaced once: it may be one that an
    /// I/O error made useless. To have waited in vain is no such failure.
    pub(super) fn reader(&self) -> Result<Reader, StoreError> {
        Ok(self.begun()?.reader)
    }

    /// As [`Disk::reader`], with the handle that it reads through.
    pub(super) fn begun(&self) -> Result<Begun, StoreError> {
        let attempt = || {
            let handle = self.handle()?;
            Ok(Begun { reader: handle.reader(&self.path)?, handle })
        };
        let begun = attempt();
        if matches!(begun, Ok(_) | Err(StoreError::Busy { .. })) {
            return begun;
        }
        self.forget();
        attempt()
    }

    /// The file for ourselves alone, as soon as nobody else has it.
    pub(super) fn writable(&self, wait: &Wait) -> Result<Database, StoreError> {
        loop {
            // Opening for writing changes the file, so it must be known before that it is a store
            // of ours and of no later patdeck.
            drop(self.reader()?);
            let known = self.handle()?.id;
            let (db, id) = open_to_write(&self.path, wait)?;
            if id == known {
                return Ok(db);
            }
            wait.pause(&self.path, known)?;
        }
    }

    /// Drops the kept handle.
    pub(super) fn forget(&self) {
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// The kept handle, or a new one if there is none or another file lies there now.
    fn handle(&self) -> Result<Arc<Handle>, StoreError> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let id = file::identify(&self.path)?;
        if let Some(handle) = kept.as_ref().filter(|handle| handle.id == id) {
            return Ok(Arc::clone(handle));
        }
        *kept = None;
        let handle = Arc::new(self.open_to_read()?);
        *kept = Some(Arc::clone(&handle));
        Ok(handle)
    }

    fn open_to_read(&self) -> Result<Handle, StoreError> {
        let patience = self.opening.patience.min(READING);
        let wait = Wait::new(patience);
        loop {
            let (file, id) = file::open(&self.path, false)?;
            let limit = Limit::Each(patience);
            let head = Arc::<Head>::default();
            let beside = file.try_clone().map_err(|error| StoreError::at(&self.path, &error))?;
            let opened = caught(|| {
                let (path, head) = (self.path.clone(), Arc::clone(&head));
                let medium = Patient { inner: Medium::new(file)?, limit, path, id, head };
                builder(self.opening.cache).open_read_only_with_backend(medium)
            })?;
            match opened {
                Ok(db) => {
                    let handle = Handle { db, id, head, commit: Mutex::default(), file: beside };
                    if handle.schema(&self.path)? == migrate::known(migrate::STEPS) {
                        let tables = handle.reader(&self.path)?.tables;
                        caught(|| tables.all_there())?
                            .map_err(|error| no_table(&self.path, error))?;
                        return Ok(handle);
                    }
                    drop(handle);
                    self.unsealed("has an older format")?;
                    self.migrate(&wait, migrate::STEPS)?;
                }
                // A writer was killed. Opening for writing repairs that, in under 1 ms.
                Err(DatabaseError::RepairAborted) => {
                    if wait.is_over() {
                        let why = "it needs a repair that does not hold".to_owned();
                        return Err(StoreError::Broken { why });
                    }
                    self.unsealed("needs a repair after a crash")?;
                    let (db, _) = self.with_reserve(|| open_to_write(&self.path, &wait))?;
                    close(db);
                }
                Err(DatabaseError::DatabaseAlreadyOpen) => wait.pause(&self.path, id)?,
                Err(error) => return Err(refused(&self.path, error)),
            }
        }
    }

    /// Does the `steps` that the store lacks. The file as it was stays beside it.
    fn migrate(&self, wait: &Wait, steps: &[Step]) -> Result<(), StoreError> {
        self.with_reserve(|| {
            let (db, _) = open_to_write(&self.path, wait)?;
            let done = caught(|| {
                let transaction = begin_write(&db)?;
                let tables = Tables::open_to_write(&transaction)?;
                let found = migrate::schema(&tables.meta)?.unwrap_or(1);
                drop(tables);
                if found < migrate::known(steps) {
                    // Nobody else writes meanwhile: the file is ours.
                    keep_beside(&self.path, found)?;
                }
                migrate::run(&transaction, found, steps)?;
                transaction.commit().map_err(StoreError::from)
            });
            close(db);
            done?
        })
    }

    /// Runs `change` once more with the reserve given up if it finds the disk full.
    fn with_reserve<T>(&self, change: impl Fn() -> Result<T, StoreError>) -> Result<T, StoreError> {
        match change() {
            Err(StoreError::Full) if self.reserve.give_up() => change(),
            done => done,
        }
    }
}

impl Handle {
    fn reader(&self, path: &Path) -> Result<Reader, StoreError> {
        caught(|| {
            let (transaction, head) = self.head.seen(|| self.db.begin_read());
            let tables = Tables::open(transaction?).map_err(|error| no_table(path, error))?;
            let mut last = self.commit.lock().unwrap_or_else(PoisonError::into_inner);
            if head.as_ref() == Some(&last.head) {
                return Ok(Reader { tables, commit: Arc::clone(&last) });
            }
            // A later patdeck may have raised the schema since.
            migrate::schema(&tables.meta)?;
            let mut commit = Arc::<Commit>::default();
            if let Some(head) = head {
                commit = Arc::new(Commit { head, ..Commit::default() });
                *last = Arc::clone(&commit);
            }
            Ok(Reader { tables, commit })
        })?
    }

    /// The schema alone, for the other tables may be those of another one.
    fn schema(&self, path: &Path) -> Result<u32, StoreError> {
        caught(|| {
            let transaction = self.db.begin_read()?;
            let meta = tables::meta(transaction).map_err(|error| no_table(path, error))?;
            let found = migrate::schema(&meta)?;
            found.ok_or_else(|| StoreError::NotAStore { path: path.to_owned() })
        })?
    }
}

/// Opens the file for writing as soon as no other process has it.
fn open_to_write(path: &Path, wait: &Wait) -> Result<(Database, FileId), StoreError> {
    loop {
        let (file, id) = file::open(path, true)?;
        let limit = Limit::Until(wait.deadline);
        let opened = caught(|| {
            let inner = Medium::new(file)?;
            let (path, head) = (path.to_owned(), Arc::default());
            database(Patient { inner, limit, path, id, head })
        })?;
        match opened {
            Ok(db) => return Ok((db, id)),
            Err(DatabaseError::DatabaseAlreadyOpen) => wait.pause(path, id)?,
            Err(error) => return Err(refused(path, error)),
        }
    }
}

fn builder(cache: Cache) -> Builder {
    let mut builder = Database::builder();
    builder.set_concurrency_mode(ConcurrencyMode::SingleWriter).set_cache_size(cache.bytes());
    builder
}

/// The database that `backend` holds, for writing; a new one if it is empty.
pub(super) fn database(backend: impl StorageBackend) -> Result<Database, DatabaseError> {
    builder(Cache::Lasting).create_with_backend(backend)
}

/// A durable transaction: two-phase, with what a quick repair needs.
pub(super) fn begin_write(db: &Database) -> Result<WriteTransaction, StoreError> {
    let mut transaction = db.begin_write()?;
    transaction.set_quick_repair(true);
    Ok(transaction)
}

/// Closes a handle whose work is committed or given up. What fails now changes neither: the
/// next to open the file repairs it.
pub(super) fn close(db: Database) {
    let _ = caught(|| db.close());
}

/// Makes a fresh store of an empty file.
fn begin(file: File) -> Result<(), StoreError> {
    caught(|| {
        let db = fresh(file)?;
        found(&db)?;
        closed(db)
    })?
}

/// A database in an empty file.
pub(super) fn fresh(file: File) -> Result<Database, StoreError> {
    Medium::new(file).and_then(database).map_err(|error| match error {
        DatabaseError::Storage(error) => error.into(),
        other => StoreError::Io { why: other.to_string() },
    })
}

/// Closes a fresh database, which is whole only then.
pub(super) fn closed(db: Database) -> Result<(), StoreError> {
    db.close().map_err(|error| StoreError::Io { why: error.to_string() })
}

/// Writes what a store has from its first moment on.
pub(super) fn found(db: &Database) -> Result<(), StoreError> {
    let mut id = [0; 16];
    SysRng.try_fill_bytes(&mut id).map_err(|error| StoreError::Io { why: error.to_string() })?;
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
    let path = path.to_owned();
    match error {
        DatabaseError::Storage(StorageError::Io(error)) => match error.kind() {
            std::io::ErrorKind::InvalidData => StoreError::NotAStore { path },
            _ => StoreError::from(&error),
        },
        DatabaseError::Storage(error) => error.into(),
        DatabaseError::LockProtocolMismatch => {
            StoreError::Busy { path, holder: "another version of patdeck".to_owned() }
        }
        other => StoreError::Broken { why: other.to_string() },
    }
}

/// A redb file without our tables is somebody else's.
fn no_table(path: &Path, error: TableError) -> StoreError {
    match error {
        TableError::Storage(error) => error.into(),
        _ => StoreError::NotAStore { path: path.to_owned() },
    }
}

/// How long to go on trying.
pub(super) struct Wait {
    deadline: Instant,
}

impl Wait {
    pub(super) fn new(patience: Duration) -> Self {
        Self { deadline: Instant::now() + patience }
    }

    fn is_over(&self) -> bool {
        Instant::now() >= self.deadline
    }

    /// Sleeps 0.1 to 1 ms, at random so that two do not keep meeting, and the shorter the less
    /// time is left, so that nobody waits much longer than the others. `Busy` after the deadline.
    fn pause(&self, path: &Path, file: FileId) -> Result<(), StoreError> {
        if self.is_over() {
            return Err(StoreError::Busy { path: path.to_owned(), holder: holder(file) });
        }
        let left = self.deadline.saturating_duration_since(Instant::now());
        let most = u32::try_from(left.as_micros() / 2_000).unwrap_or(u32::MAX).clamp(1, 900);
        let random = SysRng.try_next_u32().unwrap_or(500);
        std::thread::sleep(Duration::from_micros(u64::from(100 + random % most)));
        Ok(())
    }
}

#[cfg(test)]
#[path = "disk_tests.rs"]
mod tests;
