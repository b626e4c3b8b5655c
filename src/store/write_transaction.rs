//! Runs a write transaction: opens the file, writes, commits and closes it. Finds out whether a
//! failed commit is on disk. Never retries after an I/O error: an fsync that succeeds the second
//! time may have lost the data of the first. Called by `Store::write`.

use std::time::Duration;

use redb::{Database, WriteTransaction};

use super::{
    error::StoreError,
    file_db::{self, FileDb},
    lock_timeout_backend::RetryDeadline,
    migrate,
    panic_guard::catch_redb_panic,
    path_error::PathProblem,
    path_security,
    read_ops::ReadOps as _,
    tables::Tables,
    temp_file,
    write_ops::Writer,
};

/// The error of a transaction.
pub(super) enum TransactionError<E> {
    Store(StoreError),
    /// The closure of the caller returned this error.
    Work(E),
    /// The commit failed. The second value is the generation that the commit would have produced,
    /// or `None` if there were no changes.
    Commit(StoreError, Option<u64>),
}

impl<E> From<StoreError> for TransactionError<E> {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Runs `work` in one transaction on the file.
pub(super) fn run_on_file<T, E>(
    file: &FileDb,
    timeout: Duration,
    work: impl FnOnce(&mut Writer<'_>) -> Result<T, E>,
) -> Result<T, TransactionError<E>> {
    let db = file.writable(&RetryDeadline::new(timeout))?;
    let written = path_security::identify(&file.path)?;
    let result = run(&db, work).and_then(|value| {
        let is_at_path = path_security::identify(&file.path).is_ok_and(|found| found == written);
        let replaced = || PathProblem::ReplacedMeanwhile.at(&file.path);
        is_at_path.then_some(value).ok_or_else(|| TransactionError::Store(replaced()))
    });
    file_db::close(db);
    temp_file::remove_abandoned(&file.path);
    resolve_failed_commit(file, result)
}

/// Finds out whether a failed commit is on disk, which is possible if only its last step failed. If
/// it may be on disk, returns [`StoreError::CommitResultUnknown`], because the original error can
/// say that nothing was changed.
fn resolve_failed_commit<T, E>(
    file: &FileDb,
    result: Result<T, TransactionError<E>>,
) -> Result<T, TransactionError<E>> {
    let (error, generation) = match result {
        Err(TransactionError::Commit(error, Some(generation))) => (error, generation),
        result => return result,
    };
    file.drop_handle();
    let found = file.snapshot().and_then(|snapshot| snapshot.reader.generation());
    let is_absent = found.is_ok_and(|found| found < generation);
    Err(TransactionError::Store(if is_absent { error } else { error.commit_unknown() }))
}

/// A transaction that is aborted when it is dropped. After a panic, redb panics again when it drops
/// the transaction, so that panic must be caught, too.
struct GuardedTransaction(Option<WriteTransaction>);

impl GuardedTransaction {
    fn begin(db: &Database) -> Result<Self, StoreError> {
        Ok(Self(Some(catch_redb_panic(|| file_db::begin_write(db))??)))
    }

    fn open_tables(&self) -> Result<Writer<'_>, StoreError> {
        let Some(transaction) = &self.0 else {
            return Err(StoreError::corrupted("the transaction is over"));
        };
        catch_redb_panic(|| {
            let tables = Tables::open_to_write(transaction)?;
            migrate::schema(&tables.meta)?;
            Ok(Writer::new(tables))
        })?
    }

    fn commit(mut self) -> Result<(), StoreError> {
        let commit = |transaction: WriteTransaction| transaction.commit().map_err(StoreError::from);
        catch_redb_panic(|| self.0.take().map_or(Ok(()), commit))?
    }
}

impl Drop for GuardedTransaction {
    fn drop(&mut self) {
        // A failed abort is harmless: uncommitted changes are never visible.
        let _ = catch_redb_panic(|| self.0.take().map(WriteTransaction::abort));
    }
}

/// Runs `work` in one transaction on `db` and commits it.
pub(super) fn run<T, E>(
    db: &Database,
    work: impl FnOnce(&mut Writer<'_>) -> Result<T, E>,
) -> Result<T, TransactionError<E>> {
    let transaction = GuardedTransaction::begin(db)?;
    let mut writer = transaction.open_tables()?;
    let work_result = work(&mut writer);
    let out_of_space = writer.tables.error.first().filter(StoreError::is_out_of_space);
    let result = match work_result {
        Ok(value) => {
            writer.finish().map(|generation| (value, generation)).map_err(TransactionError::Store)
        }
        // A write in the closure failed because there was no space.
        Err(error) => {
            Err(out_of_space.map_or(TransactionError::Work(error), TransactionError::Store))
        }
    };
    let dropped = catch_redb_panic(|| drop(writer));
    let (value, generation) =
        result.and_then(|value| dropped.map(|()| value).map_err(TransactionError::Store))?;
    let committed = transaction.commit();
    committed.map(|()| value).map_err(|error| TransactionError::Commit(error, generation))
}
