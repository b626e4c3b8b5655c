//! Runs a write transaction: opens the file, writes, commits, closes. Decides what a failed commit
//! came to and whether a full disk is worth a second run. Nothing is retried after an I/O error:
//! an fsync that succeeds the second time may have lost what failed the first. Called by
//! `Store::write`.

use std::time::Duration;

use redb::Database;

use super::{
    error::StoreError,
    file_db::{self, FileDb},
    lock_timeout::RetryDeadline,
    migrate,
    panic::catch_redb_panic,
    read_ops::ReadOps as _,
    tables::Tables,
    writer::Writer,
};

pub(super) enum TxError<E> {
    Store(StoreError),
    Work(E),
    /// The commit failed, which would have led to this generation.
    Commit(StoreError, Option<u64>),
}

impl<E> From<StoreError> for TxError<E> {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Runs `work` in one transaction on the file; once more without the reserve if the disk is full.
pub(super) fn run_on_file<T, E>(
    file: &FileDb,
    timeout: Duration,
    work: &mut impl FnMut(&mut Writer<'_>) -> Result<T, E>,
) -> Result<T, TxError<E>> {
    let deadline = RetryDeadline::new(timeout);
    let mut attempt = || {
        let db = file.writable(&deadline)?;
        let done = run(&db, work);
        file_db::close(db);
        done
    };
    let first = attempt();
    let is_full = matches!(
        &first,
        Err(TxError::Store(StoreError::Full) | TxError::Commit(StoreError::Full, _))
    );
    let released = is_full && file.reserve.give_up();
    let done = match resolve_failed_commit(file, first) {
        Err(TxError::Store(StoreError::Full)) if released => resolve_failed_commit(file, attempt()),
        done => done,
    };
    if done.is_ok() {
        file.reserve.take();
    }
    done
}

/// Finds out whether a failed commit is on disk: a failure at its very end may have left the
/// change there, and the error must not claim that nothing was changed.
fn resolve_failed_commit<T, E>(
    file: &FileDb,
    done: Result<T, TxError<E>>,
) -> Result<T, TxError<E>> {
    let (error, generation) = match done {
        Err(TxError::Commit(error, Some(generation))) => (error, generation),
        done => return done,
    };
    file.drop_handle();
    let found = file.snapshot().and_then(|snapshot| snapshot.reader.generation());
    let is_absent = found.is_ok_and(|found| found < generation);
    Err(TxError::Store(if is_absent { error } else { error.commit_unknown() }))
}

pub(super) fn run<T, E>(
    db: &Database,
    work: &mut impl FnMut(&mut Writer<'_>) -> Result<T, E>,
) -> Result<T, TxError<E>> {
    let transaction = catch_redb_panic(|| file_db::begin_write(db))??;
    let mut writer = catch_redb_panic(|| {
        let tables = Tables::open_to_write(&transaction)?;
        migrate::schema(&tables.meta)?;
        Ok::<_, StoreError>(Writer::new(tables))
    })??;
    let worked = work(&mut writer);
    let is_full = writer.tables.error.first() == Some(StoreError::Full);
    let done = match worked {
        Ok(done) => writer.finish().map(|leads_to| (done, leads_to)).map_err(TxError::Store),
        // The closure only passes on the error of its first write to a full disk.
        Err(_) if is_full => Err(TxError::Store(StoreError::Full)),
        Err(error) => Err(TxError::Work(error)),
    };
    let dropped = catch_redb_panic(|| drop(writer));
    match done.and_then(|done| dropped.map(|()| done).map_err(TxError::Store)) {
        Ok((done, leads_to)) => {
            let committed = catch_redb_panic(|| transaction.commit().map_err(StoreError::from));
            let committed = committed.and_then(|committed| committed);
            committed.map(|()| done).map_err(|error| TxError::Commit(error, leads_to))
        }
        Err(error) => {
            // A failed abort changes nothing: what was not committed does not exist.
            let _ = catch_redb_panic(|| transaction.abort());
            Err(error)
        }
    }
}
