//! Copies every row of one read transaction unchanged to a new file, then compares the copy with
//! the store. Other processes can write meanwhile; the store's file grows until the copy is done.
//! Also creates all other new files of patdeck, such as exports, in one step. Refuses a path that
//! exists. Called by the service and, before a migration, by `file_db`.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use redb::{Key, ReadTransaction, ReadableDatabase as _, ReadableTable as _, WriteTransaction};

use super::{
    Store,
    codec::verify_checksum,
    error::{Cause, DamagedRecord, IoOperation, StoreError},
    file_db,
    key_order::KeyOrder,
    new_store,
    panic_guard::catch_redb_panic,
    path_error::{PathError, PathProblem},
    path_security,
    recorded_time::mark_of_new_register,
    register::{self, register_path},
    tables::{ReadTables, RecordTable, Tables},
};

/// The result of a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupReport {
    pub tokens: u64,
    pub events: u64,
    /// The damaged records, which the copy contains unchanged.
    pub damaged: Vec<DamagedRecord>,
}

impl Store {
    /// Writes a copy of the last commit to a new file (0600) at `to`, and its revocation register
    /// to a file beside it. The copy can be opened as a store.
    ///
    /// # Errors
    ///
    /// Refuses a path that exists. If the copy differs from the store, no file remains at `to`.
    pub fn backup(&self, to: &Path) -> Result<BackupReport, StoreError> {
        let register_path = register_path(to);
        if let Some(taken) = [to, &register_path].into_iter().find(|path| is_taken(path)) {
            return Err(PathProblem::Exists.at(taken));
        }
        let report = create_output_file(to, |file| {
            let (report, records) = self.read_once(|reader| {
                let report = catch_redb_panic(|| copy_tables(&reader.tables, file))??;
                let records = register::entries_from_records(reader)?;
                Ok::<_, StoreError>((report, (records, mark_of_new_register(reader)?)))
            })?;
            if let Some((file, id)) = self.register()? {
                file.register.copy_to(&register_path, &id, records)?;
            }
            Ok(report)
        });
        if report.is_err() {
            // A register without its store is useless. The path was checked above, so this is no
            // other file.
            let _ = fs::remove_file(&register_path);
        }
        report
    }
}

impl Store {
    /// Writes a copy of the last commit to the first free name of `store.redb.SUFFIX`,
    /// `store.redb.SUFFIX.2`, … Returns `None` for a store in memory.
    pub fn backup_beside(&self, suffix: &str) -> Result<Option<PathBuf>, StoreError> {
        let Some(path) = self.path() else { return Ok(None) };
        create_beside(path, suffix, |copy| self.backup(copy).map(drop)).map(Some)
    }
}

/// Calls `create` with the first free path of `PATH.SUFFIX`, `PATH.SUFFIX.2`, … Returns the path.
pub(super) fn create_beside(
    path: &Path,
    suffix: &str,
    create: impl Fn(&Path) -> Result<(), StoreError>,
) -> Result<PathBuf, StoreError> {
    let mut number = 1_u32;
    loop {
        let mut copy = path.to_owned().into_os_string();
        copy.push(format!(".{suffix}"));
        if number > 1 {
            copy.push(format!(".{number}"));
        }
        let copy = PathBuf::from(copy);
        match create(&copy) {
            Err(StoreError::Path(PathError { problem: PathProblem::Exists, .. })) => {
                number = number.saturating_add(1);
            }
            result => return result.map(|()| copy),
        }
    }
}

/// Like `create_new_file`, for a file that is not the store: a disk error names `path`, because it
/// would otherwise look like an error of the store.
///
/// # Errors
///
/// As `create_new_file`.
pub fn create_output_file<T>(
    path: &Path,
    fill: impl FnOnce(File) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    create_new_file(path, fill).map_err(|error| {
        let source = match error {
            StoreError::Full => Cause::new("the disk is full"),
            StoreError::FileSizeLimit => Cause::new("the file size limit is reached"),
            StoreError::ReadOnly => Cause::new("the file system is read-only"),
            StoreError::Io { path: None, source, .. } => source,
            other => return other,
        };
        StoreError::Io { operation: IoOperation::Write, path: Some(path.to_owned()), source }
    })
}

/// Creates the file at `path` in one step. `fill` gets an empty file (0600) under a temporary name
/// and must sync it; the file is then renamed to `path`. So no process sees a partial file.
///
/// # Errors
///
/// Refuses a path that exists, and a path whose folder does not exist. Returns an error of `fill`
/// unchanged.
fn create_new_file<T>(
    path: &Path,
    fill: impl FnOnce(File) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    if path.file_name().is_none() {
        return Err(PathProblem::NotAFile.at(path));
    }
    if path.as_os_str().as_encoded_bytes().ends_with(b"/") {
        return Err(PathProblem::NamesFolder.at(path));
    }
    if is_taken(path) {
        return Err(PathProblem::Exists.at(path));
    }
    if !path_security::folder_of(path).is_dir() {
        return Err(PathProblem::MissingFolder.at(path));
    }
    let mut filled = None;
    let is_created = path_security::create_atomically(path, |file| {
        filled = Some(fill(file)?);
        Ok(())
    })?;
    filled.filter(|_| is_created).ok_or_else(|| PathProblem::Exists.at(path))
}

/// Returns whether a file, a folder or a link is at `path`.
fn is_taken(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

/// Copies the store's file at `path`, which has the schema number `schema`, to the first free name
/// in the same folder: `store.redb.schema-1`, `store.redb.schema-1.2`, … The caller must have the
/// file open exclusively.
pub(super) fn save_pre_migration_copy(path: &Path, schema: u32) -> Result<PathBuf, StoreError> {
    create_beside(path, &format!("schema-{schema}"), |copy| {
        create_new_file(copy, |mut to| {
            let (mut from, _) = path_security::open(path, false)?;
            let copied = io::copy(&mut from, &mut to).and_then(|_| to.sync_all());
            copied.map_err(|error| StoreError::from(&error))
        })
    })
}

pub(super) fn copy_tables(from: &ReadTables, file: File) -> Result<BackupReport, StoreError> {
    let db = new_store::create_db(file)?;
    let transaction = file_db::begin_write(&db)?;
    let mut to = Tables::open_to_write(&transaction)?;
    let mut damaged = Vec::new();
    from.copy_rows(&mut to, &mut damaged)?;
    drop(to);
    transaction.commit()?;
    let written = Tables::open(db.begin_read()?)?;
    let is_equal = from.equals(&written)?;
    let backup =
        BackupReport { tokens: written.tokens.len()?, events: written.events.len()?, damaged };
    drop(written);
    new_store::close_checked(db)?;
    if is_equal {
        return Ok(backup);
    }
    Err(StoreError::failed(IoOperation::CompareCopy, "the copy differs from the store"))
}

impl<K: Key + 'static> RecordTable<K, Arc<ReadTransaction>> {
    /// Copies every row to `to`, including damaged rows, which are also listed in `damaged`.
    pub(super) fn copy_rows(
        &self,
        to: &mut RecordTable<K, &WriteTransaction>,
        damaged: &mut Vec<DamagedRecord>,
    ) -> Result<(), StoreError> {
        let mut copied = Ok(());
        self.for_each_raw(|key, row| {
            if verify_checksum(self.name, K::as_bytes(&key).as_ref(), row).is_none() {
                damaged.push(self.damage(&key));
            }
            copied = to.error.run(|| Ok(to.inner.insert(&key, row).map(drop)?));
            copied.is_ok()
        })?;
        copied
    }

    /// Returns whether `other` has the same rows, byte for byte.
    pub(super) fn equals(&self, other: &Self) -> Result<bool, StoreError> {
        let mut same = Ok(true);
        self.for_each_raw(|key, row| {
            same =
                other.with_table(|table| Ok(table.get(&key)?.is_some_and(|it| it.value() == row)));
            same == Ok(true)
        })?;
        Ok(same? && self.len()? == other.len()?)
    }

    /// Calls `visit` with every row, without verifying the checksum, until `visit` returns `false`.
    fn for_each_raw(
        &self,
        mut visit: impl FnMut(K::SelfType<'_>, &[u8]) -> bool,
    ) -> Result<(), StoreError> {
        self.with_table(|table| {
            let mut order = KeyOrder::new::<K>(&.., false);
            for row in table.iter()? {
                let (key, value) = row?;
                order.check::<K>(K::as_bytes(&key.value()).as_ref())?;
                if !visit(key.value(), value.value()) {
                    break;
                }
            }
            Ok(())
        })
    }
}
