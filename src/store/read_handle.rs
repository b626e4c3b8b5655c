//! The handle of the open file for reading, and a read transaction that uses it. If an older state
//! has replaced the file's content, no read begins, because pages that redb has cached could belong
//! to the replaced state. Created by `file_db`.

use std::{
    fs::File,
    path::Path,
    sync::{Arc, atomic::Ordering},
};

use redb::{Database, ReadOnlyDatabase, ReadableDatabase as _};

use super::{
    commit_id::{CommitId, CommitIdObserver, LatestCommitValues},
    crash_image::{CrashImage, Overtaken},
    error::StoreError,
    panic_guard::catch_redb_panic,
    path_security::{self, FileId},
    reader::Reader,
    register::Register,
    tables::{ReadTables, Tables},
};

/// A read-only handle of the open file. It does not keep a transaction open.
pub(super) struct ReadOnlyDb {
    pub(super) db: ReadOnlyDatabase,
    pub(super) id: FileId,
    pub(super) latest: LatestCommitValues,
    /// The file of `db`, for reading its header without redb.
    pub(super) file: File,
}

/// A read transaction and the open file that it uses.
pub(super) struct Snapshot {
    /// Boxed, because it has 2 KB and is moved with each read.
    pub(super) reader: Box<Reader>,
    pub(super) source: SnapshotSource,
}

pub(super) enum SnapshotSource {
    Handle(Arc<ReadOnlyDb>),
    /// A repaired copy in memory, because another process holds the lock of the file.
    CrashImage {
        _db: Database,
        id: FileId,
        /// The file and its commit of which the copy was made.
        file: File,
        commit: CommitId,
        is_overtaken: Overtaken,
    },
}

impl Snapshot {
    /// Begins a read of the file as it would be found if the process that holds its lock were
    /// killed.
    /// Returns `None` if another process commits meanwhile.
    pub(super) fn of_locked_file(
        path: &Path,
        register: &Register,
        check: impl FnOnce(&ReadTables) -> Result<(), StoreError>,
    ) -> Result<Option<Self>, StoreError> {
        let (file, id) = path_security::open(path, false)?;
        let is_overtaken = Overtaken::default();
        let open_image = || {
            let at_path = |error| StoreError::at(path, &error);
            let copied = file.try_clone().map_err(at_path)?;
            let image = CrashImage::new(copied, is_overtaken.clone()).map_err(at_path)?;
            let commit = image.commit().clone();
            let db = Database::builder().create_with_backend(image);
            let db = db.map_err(StoreError::corrupted)?;
            let tables = Tables::open(db.begin_read()?)?;
            check(&tables)?;
            let reader = Reader::new(tables, Arc::default(), register).into();
            let is_overtaken = is_overtaken.clone();
            let source = SnapshotSource::CrashImage { _db: db, id, file, commit, is_overtaken };
            Ok(Self { reader, source })
        };
        let opened = catch_redb_panic(open_image).flatten();
        if is_overtaken.is_set() { Ok(None) } else { opened.map(Some) }
    }

    /// Returns an error if the results of the read cannot be used, because another process committed
    /// while the file was read without its lock.
    pub(super) fn check_not_overtaken(&self, path: &Path) -> Result<(), StoreError> {
        match &self.source {
            SnapshotSource::CrashImage { is_overtaken, .. } if is_overtaken.is_set() => {
                Err(overtaken_error(path))
            }
            _ => Ok(()),
        }
    }

    /// Whether the store only seems older than its register: the register was read after the
    /// transaction began, and in between another process has stored an ending, or has put another
    /// store and its register at `path`.
    pub(super) fn seems_outdated(&self, path: &Path) -> bool {
        // Every read asks this, so files are looked at only if the answer depends on them.
        if !self.reader.is_store_outdated() {
            return false;
        }
        let (read, is_latest) = match (&self.source, &self.reader.cache.id) {
            (SnapshotSource::Handle(handle), Some(id)) => {
                (&handle.id, id.is_latest_of(&handle.file))
            }
            (SnapshotSource::Handle(handle), None) => (&handle.id, true),
            (SnapshotSource::CrashImage { id, file, commit, .. }, _) => {
                (id, commit.is_latest_of(file))
            }
        };
        !is_latest || path_security::identify(path).is_ok_and(|found| found != *read)
    }

    /// Whether nothing was committed to the file, and nothing was ended in the register, since the
    /// snapshot began.
    pub(super) fn is_current(&self) -> bool {
        match (&self.source, &self.reader.cache.id) {
            (SnapshotSource::Handle(handle), Some(id)) => {
                id.is_latest_of(&handle.file) && self.reader.is_register_current()
            }
            _ => false,
        }
    }

    /// Whether the read has asked what the register ends, and something has changed since it began.
    pub(super) fn is_overtaken(&self) -> bool {
        matches!(self.source, SnapshotSource::Handle(_))
            && self.reader.has_asked_register.load(Ordering::Relaxed)
            && !self.is_current()
    }

    /// The file that was read.
    pub(super) fn file_id(&self) -> FileId {
        match &self.source {
            SnapshotSource::Handle(handle) => handle.id,
            SnapshotSource::CrashImage { id, .. } => *id,
        }
    }
}

/// The error of a read that another process has overtaken.
pub(super) fn overtaken_error(path: &Path) -> StoreError {
    let holder = "other processes, which write to it".to_owned();
    StoreError::Busy { path: path.to_owned(), holder }
}

impl std::fmt::Debug for ReadOnlyDb {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReadOnlyDb").finish_non_exhaustive()
    }
}

impl ReadOnlyDb {
    /// Begins a read of the last commit. Runs `check` in the same transaction, but only once for
    /// each commit. Returns `None` if the last commit does not continue the history that this
    /// handle has read: the file must then be opened again.
    pub(super) fn begin_read(
        &self,
        register: &Register,
        check: impl FnOnce(&ReadTables) -> Result<(), StoreError>,
    ) -> Result<Option<Box<Reader>>, StoreError> {
        catch_redb_panic(|| {
            let (transaction, id) = CommitIdObserver::observe(|| self.db.begin_read());
            if self.latest.is_rewound_by(id.as_ref()) {
                return Ok(None);
            }
            let tables = Tables::open(transaction?)?;
            let cache = self.latest.cache_of(id, || check(&tables))?;
            Ok(Some(Reader::new(tables, cache, register).into()))
        })?
    }
}
