//! A consistent copy of a store in a new file: every row of one read transaction, as it is,
//! compared after writing. Others write meanwhile; the file grows by what they write until the
//! copy is done. Also the one way to make a new file that is not the store itself.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use redb::{Key, ReadableDatabase as _, ReadableTable as _};

use super::{
    Store,
    codec::unseal,
    error::{Damage, Operation, StoreError},
    file, file_db,
    panic::catch_redb_panic,
    path_error::{PathError, PathProblem},
    tables::{ReadOnly, ReadWrite, RecordTable, Tables},
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    pub tokens: u64,
    pub events: u64,
    /// The records that are damaged in the store, and so in the copy.
    pub damaged: Vec<Damage>,
}

impl Store {
    /// Writes a copy of the last commit to a new file (0600) at `to`, which opens as a store.
    /// Refuses what exists; a copy that differs from the store gets no name at all.
    pub fn backup(&self, to: &Path) -> Result<Backup, StoreError> {
        new_file(to, |file| self.read(|reader| catch_redb_panic(|| copy(&reader.tables, file))?))
    }
}

/// Makes the file at `path` by `fill`, which is given an empty one (0600) under another name
/// and has it on the disk when it returns. Nobody ever sees half of it, and nothing that exists
/// is touched.
pub fn new_file<T>(
    path: &Path,
    fill: impl FnOnce(File) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    if path.file_name().is_none() {
        return Err(PathProblem::NotAFile.at(path));
    }
    if fs::symlink_metadata(path).is_ok() {
        return Err(PathProblem::Exists.at(path));
    }
    if !file::folder_of(path).is_dir() {
        return Err(PathProblem::NoFolder.at(path));
    }
    let mut filled = None;
    let first = file::create(path, |file| {
        filled = Some(fill(file)?);
        Ok(())
    })?;
    filled.filter(|_| first).ok_or_else(|| PathProblem::Exists.at(path))
}

/// Keeps the file of the store at `path`, which is of this schema, under the first free name
/// beside it: `store.redb.schema-1`, `store.redb.schema-1.2`, … To be called by who holds it.
pub(super) fn keep_beside(path: &Path, schema: u32) -> Result<PathBuf, StoreError> {
    let mut number = 1_u32;
    loop {
        let again = if number == 1 { String::new() } else { format!(".{number}") };
        let mut beside = path.to_owned().into_os_string();
        beside.push(format!(".schema-{schema}{again}"));
        let beside = PathBuf::from(beside);
        let kept = new_file(&beside, |mut to| {
            let (mut from, _) = file::open(path, false)?;
            let copied = io::copy(&mut from, &mut to).and_then(|_| to.sync_all());
            copied.map_err(|error| StoreError::from(&error))
        });
        match kept {
            Err(StoreError::Path(PathError { problem: PathProblem::Exists, .. })) => {
                number = number.saturating_add(1);
            }
            kept => return kept.map(|()| beside),
        }
    }
}

fn copy(from: &Tables<ReadOnly>, file: File) -> Result<Backup, StoreError> {
    let db = file_db::create_db(file)?;
    let transaction = file_db::begin_write(&db)?;
    let mut to = Tables::open_to_write(&transaction)?;
    let mut damaged = Vec::new();
    from.copy_rows(&mut to, &mut damaged)?;
    drop(to);
    transaction.commit()?;
    let written = Tables::open(db.begin_read()?)?;
    let same = from.equals(&written)?;
    let backup = Backup { tokens: written.tokens.len()?, events: written.events.len()?, damaged };
    drop(written);
    file_db::close_checked(db)?;
    if same {
        return Ok(backup);
    }
    Err(StoreError::failed(
        Operation::CompareCopy,
        "the copy reads back differently from the store",
    ))
}

impl<K: Key + 'static> RecordTable<K, ReadOnly> {
    /// Inserts every row into `to`, and lists the damaged ones.
    pub(super) fn copy_rows(
        &self,
        to: &mut RecordTable<K, ReadWrite<'_>>,
        damaged: &mut Vec<Damage>,
    ) -> Result<(), StoreError> {
        let mut copied = Ok(());
        self.each_raw(|key, row| {
            if unseal(self.name, K::as_bytes(&key).as_ref(), row).is_none() {
                damaged.push(self.damage(&key));
            }
            copied = to.error.run(|| Ok(to.inner.insert(&key, row).map(drop)?));
            copied.is_ok()
        })?;
        copied
    }

    /// Whether `other` has the same rows, byte for byte.
    pub(super) fn equals(&self, other: &Self) -> Result<bool, StoreError> {
        let mut same = Ok(true);
        self.each_raw(|key, row| {
            same =
                other.with_table(|table| Ok(table.get(&key)?.is_some_and(|it| it.value() == row)));
            same == Ok(true)
        })?;
        Ok(same? && self.len()? == other.len()?)
    }

    /// Shows `visit` every row as it is, for as long as it says so.
    fn each_raw(
        &self,
        mut visit: impl FnMut(K::SelfType<'_>, &[u8]) -> bool,
    ) -> Result<(), StoreError> {
        self.with_table(|table| {
            for row in table.iter()? {
                let (key, value) = row?;
                if !visit(key.value(), value.value()) {
                    break;
                }
            }
            Ok(())
        })
    }
}
