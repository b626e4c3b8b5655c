//! A store of a later schema, which only this module can make, and what a read-write handle
//! held elsewhere does to a reader that comes.

use std::{ops::Bound, time::Instant};

use redb::backends::FileBackend;

use super::*;
use crate::store::{ReadOps, Store};

/// Makes the store at `path` one that a later patdeck wrote.
fn raise_schema(path: &Path) {
    let wait = RetryDeadline::new(Duration::from_secs(9));
    let (db, _) = open_to_write(path, &wait).unwrap();
    let transaction = begin_write(&db).unwrap();
    let mut tables = Tables::open_to_write(&transaction).unwrap();
    tables.meta.put(migrate::SCHEMA, &SchemaV1(7)).unwrap();
    drop(tables);
    transaction.commit().unwrap();
    close(db);
}

#[test]
fn a_newer_store_is_refused_untouched_at_the_start_and_under_a_running_program() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.redb");
    let running = Store::open(&path).unwrap();
    raise_schema(&path);
    let before = std::fs::read(&path).unwrap();
    let refused = Store::open(&path).map(drop).unwrap_err();
    assert_eq!(refused.to_string(), "the store has format 7 and this patdeck knows 1");
    assert_eq!(std::fs::read(&path).unwrap(), before);
    assert_eq!(running.read(ReadOps::token_count), Err(refused.clone()));
    let written: Result<(), StoreError> = running.write(|_| Ok(()));
    assert_eq!(written, Err(refused));
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

/// A step that no patdeck has yet.
fn add_a_table(transaction: &WriteTransaction) -> Result<(), StoreError> {
    const NEW: redb::TableDefinition<'_, u64, u64> = redb::TableDefinition::new("new-1");
    transaction.open_table(NEW)?;
    Ok(())
}

#[test]
fn a_migrated_store_leaves_the_file_as_it_was_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.redb");
    let store = Store::open(&path).unwrap();
    let event = |rows: &mut crate::store::Writer<'_>| {
        rows.append_event(crate::store::chain::tests::draft(1))
    };
    let told = store.write(event).unwrap();
    // An attempt that was killed left a file behind, which is not touched.
    let taken = folder.path().join("s.redb.schema-1");
    std::fs::write(&taken, "of before").unwrap();
    drop(store);
    let disk = FileDb::open(&path, OpenOptions::default()).unwrap();
    let wait = || RetryDeadline::new(Duration::from_secs(2));
    for _ in 0..2 {
        // The second time there is nothing to do, and nothing to keep.
        let migrated = disk.migrate(&wait(), &[add_a_table]);
        assert!(matches!(migrated, Ok(()) | Err(StoreError::Newer { found: 2, known: 1 })));
    }
    assert_eq!(Store::open(&path).map(drop), Err(StoreError::Newer { found: 2, known: 1 }));
    assert_eq!(std::fs::read(&taken).unwrap(), b"of before");
    let names: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    let kept = names.iter().filter(|name| name.to_string_lossy().contains("schema")).count();
    assert_eq!(kept, 2, "{names:?}");
    let kept = Store::open(&folder.path().join("s.redb.schema-1.2")).unwrap();
    assert_eq!(kept.read(ReadOps::schema), Ok(1));
    assert_eq!(kept.read(ReadOps::last_event), Ok(Some(told)));
    assert_eq!(kept.read(ReadOps::verify_chain).unwrap().broken, None);
}

#[test]
fn a_file_without_a_schema_number_is_no_store() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.redb");
    file::create(&path, |file| {
        let db = create_db(file).unwrap();
        let transaction = begin_write(&db).unwrap();
        drop(Tables::open_to_write(&transaction).unwrap());
        transaction.commit().unwrap();
        close(db);
        Ok(())
    })
    .unwrap();
    let refused = Store::open(&path).map(drop);
    assert!(matches!(
        refused,
        Err(StoreError::Path(PathError { problem: PathProblem::NotAStore, .. }))
    ));
}

#[test]
fn an_exclusive_holder_such_as_another_tool_makes_readers_busy_not_hang() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.redb");
    drop(Store::open(&path).unwrap());
    let other = Database::builder().open(&path).unwrap();
    let opening = OpenOptions { lock_timeout: Duration::from_millis(20), ..OpenOptions::default() };
    let busy = Store::open_with(&path, opening).map(drop);
    assert!(matches!(busy, Err(StoreError::Busy { .. })), "{busy:?}");
    drop(other);
    drop(Store::open(&path).unwrap());
}

/// The lock of the header, as a process holds it that was stopped at the worst moment.
fn stuck(path: &Path) -> FileBackend {
    let held = FileBackend::new(file::open(path, true).unwrap().0).unwrap();
    let taken = held.try_lock_range(Bound::Included(0), Bound::Excluded(320)).unwrap();
    assert!(taken, "somebody else has it");
    held
}

#[test]
fn a_lock_that_is_never_given_back_keeps_nobody_for_longer_than_promised() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.redb");
    let kept = Store::open(&path).unwrap();
    kept.read(ReadOps::token_count).unwrap();
    let held = stuck(&path);
    let slow = Duration::from_millis(250); // of a machine that builds something else
    let started = Instant::now();
    let answers = [
        kept.read(ReadOps::token_count).map(drop),
        Store::open(&path).map(drop),
        kept.write_within(Duration::from_millis(100), |_| Ok::<_, StoreError>(())),
    ];
    assert!(started.elapsed() < 3 * (READ_TIMEOUT + slow), "{:?}", started.elapsed());
    for answer in answers {
        assert!(matches!(answer, Err(StoreError::Busy { .. })), "{answer:?}");
    }
    let started = Instant::now();
    let write: Result<(), StoreError> = kept.write(|_| Ok(()));
    assert!(matches!(write, Err(StoreError::Busy { .. })));
    assert!(
        started.elapsed() < OpenOptions::default().lock_timeout + slow,
        "{:?}",
        started.elapsed()
    );
    held.close().unwrap();
    // All go on by themselves.
    assert_eq!(kept.read(ReadOps::token_count), Ok(0));
    kept.write(|_| Ok::<_, StoreError>(())).unwrap();
}

#[test]
fn errors_of_redb_become_errors_of_the_store() {
    let path = Path::new("/srv/s.redb");
    let said = |error| refused(path, error).to_string();
    assert_eq!(
        said(DatabaseError::LockProtocolMismatch),
        "store busy: /srv/s.redb is held by another version of patdeck"
    );
    assert_eq!(
        said(DatabaseError::Storage(StorageError::Corrupted("page 3".into()))),
        "the store is damaged (page 3)"
    );
    let io = |kind: std::io::ErrorKind| said(DatabaseError::Storage(StorageError::Io(kind.into())));
    assert_eq!(io(std::io::ErrorKind::StorageFull), StoreError::Full.to_string());
    assert_eq!(io(std::io::ErrorKind::ReadOnlyFilesystem), StoreError::ReadOnly.to_string());
    assert_eq!(
        said(DatabaseError::Storage(StorageError::PreviousIo)),
        "cannot use the store: Previous I/O error occurred. Please close and re-open the database."
    );
}
