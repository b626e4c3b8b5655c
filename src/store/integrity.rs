//! Verifies and compacts the whole file. Verifies the checksum of every page, which redb does not
//! do when it reads, in a private copy without a name, because redb repairs the file that it
//! verifies. Called through the service by `doctor`, `backup` and `compact`, never by a check of a
//! secret.

use std::{
    env,
    fs::{self, File},
    io::{self, Seek as _},
};

use redb::CompactionError;

use super::{
    Backend, Store,
    error::{Cause, IoOperation, StoreError},
    file_db::{self, FileDb},
    lock_holder::describe_lock_holders,
    lock_timeout_backend::{InnerBackend, RetryDeadline},
    panic_guard::catch_redb_panic,
    path_security,
};

/// Number of copies that are attempted without the write lock, before the lock is taken to stop
/// other processes from writing.
const ATTEMPTS: usize = 5;

impl Store {
    /// Verifies the checksums of all pages of the last commit and the list of free pages.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError::Corrupted`] if a page was lost or damaged.
    pub fn verify_tree(&self) -> Result<(), StoreError> {
        let Backend::File(file) = &*self.backend else { return Ok(()) };
        let copy = self.private_copy(file)?;
        catch_redb_panic(|| {
            let backend = InnerBackend::new(copy).map_err(StoreError::corrupted)?;
            let mut db = file_db::open_small(backend).map_err(StoreError::corrupted)?;
            let is_sound = db.check_integrity().map_err(StoreError::corrupted)?;
            file_db::close(db);
            if is_sound { Ok(()) } else { Err(StoreError::corrupted("a page was lost or damaged")) }
        })?
    }

    /// Copies the file to an anonymous file. Repeats the copy if another process committed
    /// meanwhile.
    fn private_copy(&self, file: &FileDb) -> Result<File, StoreError> {
        for _ in 0..ATTEMPTS {
            if let Some(copy) = self.copy_unchanged(file)? {
                return Ok(copy);
            }
        }
        let deadline = RetryDeadline::new(file.options.lock_timeout);
        if !file.options.read_only {
            let db = file.writable(&deadline)?;
            let copy = self.copy_bytes(file);
            file_db::close(db);
            return copy;
        }
        // In read-only mode, the lock must not be taken. Retry until no process commits during a
        // copy.
        loop {
            if let Some(copy) = self.copy_unchanged(file)? {
                return Ok(copy);
            }
            deadline.pause(&file.path, path_security::identify(&file.path)?)?;
        }
    }

    /// Copies the file. Returns `None` if another process committed meanwhile.
    fn copy_unchanged(&self, file: &FileDb) -> Result<Option<File>, StoreError> {
        let snapshot = file.snapshot()?;
        let copy = self.copy_bytes(file)?;
        Ok(snapshot.is_current().then_some(copy))
    }

    fn copy_bytes(&self, file: &FileDb) -> Result<File, StoreError> {
        let at = |error: io::Error| StoreError::at(&file.path, &error);
        let (mut from, _) = path_security::open(&file.path, false)?;
        let mut copy = self.scratch_file()?;
        io::copy(&mut from, &mut copy).map_err(|error| {
            match StoreError::at(&file.path, &error) {
                // The disk of the temporary folder, as for a backup, which is opened in read-only mode.
                full if full.is_out_of_space() && self.is_read_only() => {
                    let (operation, path) = (IoOperation::Write, Some(env::temp_dir()));
                    StoreError::Io { operation, path, source: Cause::new(full) }
                }
                error => error,
            }
        })?;
        copy.rewind().map_err(at)?;
        Ok(copy)
    }
}

impl FileDb {
    /// Compacts the file. Returns its size in bytes before and after.
    pub(super) fn compact(&self) -> Result<(u64, u64), StoreError> {
        let size = || {
            let found = fs::symlink_metadata(&self.path);
            found.map(|found| found.len()).map_err(|error| StoreError::at(&self.path, &error))
        };
        let before = size()?;
        let mut db = self.writable(&RetryDeadline::new(self.options.lock_timeout))?;
        // The read handle of this process would keep the old pages in use.
        self.drop_handle();
        let compacted = catch_redb_panic(|| db.compact());
        file_db::close(db);
        match compacted? {
            Ok(_) => Ok((before, size()?)),
            Err(CompactionError::Storage(error)) => Err(error.into()),
            Err(CompactionError::TransactionInProgress) => {
                let id = path_security::identify(&self.path)?;
                let holder = describe_lock_holders(id);
                Err(StoreError::Busy { path: self.path.clone(), holder })
            }
            Err(error) => Err(StoreError::failed(IoOperation::Resize, error)),
        }
    }
}
