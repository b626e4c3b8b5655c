//! Replaces a store by a backup. Keeps the revocation register at the path, so that every secret
//! that was ended since the backup stays ended. Keeps the replaced file under another name. Refuses
//! a backup of another store. The caller changes the records. Called by the service.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

use redb::Database;

use super::{
    Backend, OpenOptions, Store,
    backup::{copy_tables, create_beside},
    error::StoreError,
    file_db,
    lock_timeout_backend::{InnerBackend, RetryDeadline},
    new_store,
    panic_guard::catch_redb_panic,
    path_error::{PathError, PathProblem},
    path_security,
    read_ops::ReadOps,
    recorded_time::mark_of_new_register,
    register::{self, RegisterId, RevocationEntry, StoredMark, register_path},
    tables::Tables,
    write_ops::Writer,
};
use crate::domain::{Timestamp, Token};

/// The path at which a backup is restored, and the store that is there.
#[derive(Debug)]
pub struct RestoreTarget {
    path: PathBuf,
    /// The store that is replaced; `None` if it is missing or cannot be read.
    current: Option<Store>,
}

/// The endings that survive a restore: those in the target's register and records, and those in the
/// backup's register.
#[derive(Debug)]
pub struct KeptEndings {
    pub entries: Vec<RevocationEntry>,
    /// The id of the register at the path; `None` if it is unusable.
    register: Option<RegisterId>,
}

impl KeptEndings {
    /// Whether the register at the path is kept. Otherwise, a new one is made from `entries`.
    pub fn has_register(&self) -> bool {
        self.register.is_some()
    }
}

impl RestoreTarget {
    /// Opens the store at `path`, if there is one that can be read.
    ///
    /// # Errors
    ///
    /// Returns [`PathProblem::OtherStore`] if the store at `path` is not the one that `backup` was
    /// made of, and [`PathProblem::IsTheStore`] if it is `backup` itself.
    pub fn open(path: &Path, backup: &Store) -> Result<Self, StoreError> {
        let options = OpenOptions { create_missing: false, ..OpenOptions::default() };
        let resolved = match path_security::resolve_store_path(path, false) {
            // The folder is missing, too. `replace` creates it.
            Err(error) if error == PathProblem::NoStore.at(path) => {
                return Ok(Self { path: path.to_owned(), current: None });
            }
            resolved => resolved?,
        };
        if backup.path() == Some(&resolved) {
            return Err(PathProblem::IsTheStore.at(&resolved));
        }
        let current = if_readable(Store::open_with(&resolved, options))?;
        if let Some(store) = &current
            && let Ok(id) = store.read(ReadOps::store_id)
            && id != backup.read(ReadOps::store_id)?
        {
            return Err(PathProblem::OtherStore.at(&resolved));
        }
        Ok(Self { path: resolved, current })
    }

    /// The store that is replaced; `None` if it is missing or cannot be read.
    pub fn current(&self) -> Option<&Store> {
        self.current.as_ref()
    }

    /// The store that is replaced, or one that has appeared at the path since the target was opened.
    pub fn current_or_new(&self, backup: &Store) -> Result<Option<Store>, StoreError> {
        match &self.current {
            Some(store) => Ok(Some(store.clone())),
            None => Ok(Self::open(&self.path, backup)?.current),
        }
    }

    /// The error for a store that was changed after the operator saw how the backup differs from it.
    pub fn changed_meanwhile(&self) -> StoreError {
        PathProblem::ChangedMeanwhile.at(&self.path)
    }

    /// Returns the endings that survive a restore of `backup`.
    ///
    /// # Errors
    ///
    /// [`PathProblem::OtherRegister`] if an intact register of another store is in the place of that of
    /// the store.
    pub fn kept_endings(&self, backup: &Store, now: Timestamp) -> Result<KeptEndings, StoreError> {
        let expected = match &self.current {
            Some(store) => if_readable(store.register())?.flatten().map(|(_, id)| id),
            None => None,
        };
        if let Some(id) = &expected {
            register::Register::beside(&self.path).is_usable(id)?;
        }
        let found = register::read_file(&register_path(&self.path), expected.as_ref())?;
        let mut entries = found.entries;
        if let Some(store) = &self.current
            && let Ok(recorded) = store.read(register::entries_from_records)
        {
            entries.extend(recorded);
            entries.extend(replaced_secrets(store, backup, now)?);
        }
        if let (Some(from), Some((_, id))) = (backup.path(), backup.register()?) {
            let own = register::read_file(&register_path(from), Some(&id))?.entries;
            // Only entries of the target may mark records of the backup as out of date.
            entries.extend(own.into_iter().map(RevocationEntry::for_copy));
        }
        Ok(KeptEndings { entries: register::merge_entries(entries), register: found.id })
    }

    /// Replaces the store by a copy of `backup`. `work` changes the records of the copy so that
    /// they agree with the kept endings. Returns the path under which the replaced file is kept.
    ///
    /// # Errors
    ///
    /// Nothing was replaced, unless the error came from the last step, the update of the register.
    /// If the register could not be created then, checks have no answer until the next command that
    /// writes.
    pub fn replace(
        &self,
        backup: &Store,
        now: Timestamp,
        work: impl FnOnce(&mut Writer<'_>, &[RevocationEntry]) -> Result<(), StoreError>,
    ) -> Result<Option<PathBuf>, StoreError> {
        path_security::resolve_store_path(&self.path, true)?;
        let mut lock = None;
        let mut result = None;
        let replaced = path_security::replace_atomically(&self.path, |file| {
            let copy = file.try_clone().map_err(|error| StoreError::at(&self.path, &error))?;
            backup.read_once(|rows| catch_redb_panic(|| copy_tables(&rows.tables, file))?)?;
            // From here on no process writes to the file that is replaced.
            lock = self.lock()?;
            let kept = self.kept_endings(backup, now)?;
            let after = self.generation();
            let work = |tx: &mut Writer<'_>, kept: &[RevocationEntry]| {
                tx.hooks = backup.hooks().clone();
                work(tx, kept)
            };
            let restored = catch_redb_panic(|| write_restored(copy, &kept, after, work))??;
            result = Some((kept, restored, self.keep_replaced()?));
            Ok(())
        });
        if let Some(db) = lock {
            file_db::close(db);
        }
        replaced?;
        let Some((kept, restored, saved)) = result else { return Ok(None) };
        let RestoredRegister { id, recorded, mark } = restored;
        let register = register::Register::beside(&self.path);
        if kept.has_register() {
            register.raise(&id, &recorded, now)?;
            register.replace_mark(&id, &mark)?;
        } else {
            let all = kept.entries.into_iter().chain(recorded).collect();
            let entries = register::merge_entries(all);
            register::create(register.path(), &id, &entries, &mark)?;
        }
        Ok(saved)
    }

    /// Opens the replaced store for writing, so that no other process can write to it.
    fn lock(&self) -> Result<Option<Database>, StoreError> {
        let Some(Backend::File(file)) = self.current.as_ref().map(|store| &*store.backend) else {
            return Ok(None);
        };
        if_readable(file.writable(&RetryDeadline::new(file.options.lock_timeout)))
    }

    /// The generation of the replaced store, or 0 if it cannot be read.
    fn generation(&self) -> u64 {
        let current = self.current.as_ref();
        current.and_then(|store| store.read(ReadOps::generation).ok()).unwrap_or_default()
    }

    /// Gives the replaced file a second name, because the rename of the new file removes the first.
    fn keep_replaced(&self) -> Result<Option<PathBuf>, StoreError> {
        if !fs::symlink_metadata(&self.path).is_ok_and(|found| found.is_file()) {
            return Ok(None);
        }
        let link = |to: &Path| {
            fs::hard_link(&self.path, to).map_err(|error| match error.kind() {
                std::io::ErrorKind::AlreadyExists => PathProblem::Exists.at(to),
                _ => StoreError::at(to, &error),
            })
        };
        create_beside(&self.path, "before-restore", link).map(Some)
    }
}

/// Returns `None` if the store is missing or damaged, so that a restore may replace it. Returns any
/// other error, such as a lock timeout: the store may be intact.
pub fn if_readable<T>(result: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(
            StoreError::Corrupted { .. }
            | StoreError::Damaged(_)
            | StoreError::Path(PathError {
                problem: PathProblem::NoStore | PathProblem::NotAStore,
                ..
            }),
        ) => Ok(None),
        Err(error) => Err(error),
    }
}

/// What the register of a restored store must contain.
struct RestoredRegister {
    id: RegisterId,
    /// The entries derived from the records.
    recorded: Vec<RevocationEntry>,
    mark: StoredMark,
}

/// Changes the copy of the backup in `file` with `work`, in one transaction. Gives the copy a
/// generation later than `after`, with a gap in the change log, so that every process reads
/// everything again. Returns what its register must contain.
fn write_restored(
    file: File,
    kept: &KeptEndings,
    after: u64,
    work: impl FnOnce(&mut Writer<'_>, &[RevocationEntry]) -> Result<(), StoreError>,
) -> Result<RestoredRegister, StoreError> {
    let backend = InnerBackend::new(file).map_err(StoreError::corrupted)?;
    let db = file_db::open_backend(backend).map_err(StoreError::corrupted)?;
    let transaction = file_db::begin_write(&db)?;
    let mut writer = Writer::new(Tables::open_to_write(&transaction)?);
    if let Some(id) = &kept.register {
        register::set_id(&mut writer.tables, id)?;
    }
    work(&mut writer, &kept.entries)?;
    writer.skip_generations(after);
    writer.finish()?;
    let restored = RestoredRegister {
        id: register::load_id(&writer.tables)?,
        recorded: register::entries_from_records(&writer)?,
        mark: mark_of_new_register(&writer)?,
    };
    drop(writer);
    transaction.commit()?;
    new_store::close_checked(db)?;
    Ok(restored)
}

/// Returns entries that end the previous secrets of `store` that `backup` would make work for longer:
/// their overlap is over, or they are the current secrets of the backup.
fn replaced_secrets(
    store: &Store,
    backup: &Store,
    now: Timestamp,
) -> Result<Vec<RevocationEntry>, StoreError> {
    let tokens = store.read(ReadOps::tokens)?.rows;
    backup.read(|rows| {
        let is_ended = |token: &&Token| {
            let saved = || rows.token_without_usage(&token.id);
            token.previous.as_ref().is_some_and(|previous| {
                previous.until <= now
                    || matches!(saved(), Ok(Some(saved)) if saved.generation < token.generation)
            })
        };
        let entry = |token: &Token| RevocationEntry {
            ended_generation: token.generation.saturating_sub(1),
            ..RevocationEntry::of(token.id)
        };
        Ok(tokens.iter().filter(is_ended).map(entry).collect())
    })
}
