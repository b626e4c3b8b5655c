//! Stores with a newer or missing schema, migration, and locks that other processes do not release.

use std::{ops::Bound, time::Instant};

use redb::{StorageError, backends::FileBackend};

use super::*;
use crate::store::{ReadOps, Store};
use crate::store::{migrate_v2, new_store::create_db, record::SchemaNumberV1};

/// Gives the store at `path` a schema of a newer patdeck.
fn raise_schema(path: &Path) {
    let wait = RetryDeadline::new(Duration::from_secs(9));
    let (db, _) = open_to_write(path, &wait).unwrap();
    let transaction = begin_write(&db).unwrap();
    let mut tables = Tables::open_to_write(&transaction).unwrap();
    tables.meta.put(migrate::SCHEMA, &SchemaNumberV1(7)).unwrap();
    drop(tables);
    transaction.commit().unwrap();
    close(db);
}

#[test]
fn a_newer_store_is_refused_unchanged_even_while_open() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.redb");
    let running = Store::open(&path).unwrap();
    raise_schema(&path);
    let before = std::fs::read(&path).unwrap();
    let refused = Store::open(&path).map(drop).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the store has format 7, but this patdeck supports only formats up to 2"
    );
    assert_eq!(std::fs::read(&path).unwrap(), before);
    assert_eq!(running.read(ReadOps::token_count), Err(refused.clone()));
    let written: Result<(), StoreError> = running.write(|_| Ok(()));
    assert_eq!(written, Err(refused));
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

/// A migration step for tests.
fn add_a_table(transaction: &WriteTransaction) -> Result<(), StoreError> {
    const NEW: redb::TableDefinition<'_, u64, u64> = redb::TableDefinition::new("new-1");
    transaction.open_table(NEW)?;
    Ok(())
}

#[test]
fn a_migration_keeps_a_copy_of_the_original_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.redb");
    let store = Store::open(&path).unwrap();
    let event = |rows: &mut crate::store::Writer<'_>| {
        rows.append_event(crate::store::chain::tests::event_body(1))
    };
    let written = store.write(event).unwrap();
    // A copy from an interrupted migration exists and is not changed.
    let existing_copy = folder.path().join("s.redb.schema-2");
    std::fs::write(&existing_copy, "existing copy").unwrap();
    drop(store);
    let disk = FileDb::open(&path, OpenOptions::default()).unwrap();
    let wait = || RetryDeadline::new(Duration::from_secs(2));
    for _ in 0..2 {
        // The second time there is nothing to migrate or copy.
        let migrated = disk.migrate(&wait(), &[migrate_v2::run, add_a_table]);
        assert!(matches!(
            migrated,
            Ok(()) | Err(StoreError::NewerFormat { found: 3, supported: 2 })
        ));
    }
    assert_eq!(
        Store::open(&path).map(drop),
        Err(StoreError::NewerFormat { found: 3, supported: 2 })
    );
    assert_eq!(std::fs::read(&existing_copy).unwrap(), b"existing copy");
    let names: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    let copies = names.iter().filter(|name| name.to_string_lossy().contains("schema")).count();
    assert_eq!(copies, 2, "{names:?}");
    let copy = Store::open(&folder.path().join("s.redb.schema-2.2")).unwrap();
    assert_eq!(copy.read(ReadOps::schema), Ok(2));
    assert_eq!(copy.read(ReadOps::last_event), Ok(Some(written)));
    assert_eq!(copy.read(ReadOps::verify_chain).unwrap().first_fault, None);
}

#[test]
fn a_file_without_a_schema_number_is_not_a_store() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.redb");
    path_security::create_atomically(&path, |file| {
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
fn an_exclusive_lock_of_another_tool_makes_readers_busy() {
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

/// Locks the header like a process that was stopped while it held the lock.
fn lock_header(path: &Path) -> FileBackend {
    let held = FileBackend::new(path_security::open(path, true).unwrap().0).unwrap();
    let is_locked = held.try_lock_range(Bound::Included(0), Bound::Excluded(320)).unwrap();
    assert!(is_locked, "the header is already locked");
    held
}

#[test]
fn a_lock_that_is_never_released_causes_a_timeout() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.redb");
    let store = Store::open(&path).unwrap();
    store.read(ReadOps::token_count).unwrap();
    let held = lock_header(&path);
    let slow = Duration::from_millis(250); // Tolerance for a busy machine.
    let started = Instant::now();
    let answers = [
        store.read(ReadOps::token_count).map(drop),
        Store::open(&path).map(drop),
        store.write_within(Duration::from_millis(100), |_| Ok::<_, StoreError>(())),
    ];
    assert!(started.elapsed() < 3 * (READ_TIMEOUT + slow), "{:?}", started.elapsed());
    for answer in answers {
        assert!(matches!(answer, Err(StoreError::Busy { .. })), "{answer:?}");
    }
    let started = Instant::now();
    let write: Result<(), StoreError> = store.write(|_| Ok(()));
    assert!(matches!(write, Err(StoreError::Busy { .. })));
    assert!(
        started.elapsed() < OpenOptions::default().lock_timeout + slow,
        "{:?}",
        started.elapsed()
    );
    held.close().unwrap();
    // Without the lock, both work again.
    assert_eq!(store.read(ReadOps::token_count), Ok(0));
    store.write(|_| Ok::<_, StoreError>(())).unwrap();
}

#[test]
fn redb_errors_become_store_errors() {
    let path = Path::new("/srv/s.redb");
    let message = |error| open_error(path, error).to_string();
    assert_eq!(
        message(DatabaseError::LockProtocolMismatch),
        "the store is busy: /srv/s.redb is locked by another version of patdeck"
    );
    assert_eq!(
        message(DatabaseError::Storage(StorageError::Corrupted("page 3".into()))),
        "the store is damaged (page 3)"
    );
    let io =
        |kind: std::io::ErrorKind| message(DatabaseError::Storage(StorageError::Io(kind.into())));
    assert_eq!(io(std::io::ErrorKind::StorageFull), StoreError::Full.to_string());
    assert_eq!(io(std::io::ErrorKind::ReadOnlyFilesystem), StoreError::ReadOnly.to_string());
    assert_eq!(
        message(DatabaseError::Storage(StorageError::PreviousIo)),
        "cannot use the store (Previous I/O error occurred. Please close and re-open the database.)"
    );
}

#[test]
fn the_endings_that_a_commit_lacks_are_read_once() {
    use crate::domain::{Actor, AuditAction};
    use crate::store::scenario::{at, event_body, nth_token};
    use crate::store::{Ending, EndingKind, RevocationEntry};

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.redb");
    let store = Store::open(&path).unwrap();
    let token = nth_token(1);
    store
        .write(|rows| {
            rows.put_token(&token)?;
            rows.append_event(event_body(1, AuditAction::Created)).map(drop)
        })
        .unwrap();
    let pending_of = |store: &Store| {
        store.read(|rows| Ok::<_, StoreError>((rows.is_store_outdated(), rows.pending.clone())))
    };
    assert!(pending_of(&store).unwrap().1.is_none());
    // The ending is in no record and no longer pending, as in an older copy of the store.
    let ending = Ending { kind: EndingKind::Revoke, at: at(9), actor: Some(Actor::named("alice")) };
    let entry = RevocationEntry { pending: Some(ending), ..RevocationEntry::of_deleted(&token) };
    store.end_secrets(std::slice::from_ref(&entry), at(9)).unwrap();
    let event = crate::store::EventMark { sequence: 2, hash: crate::domain::EventHash::NONE };
    store.clear_pending_endings(&[entry], Some(event), None).unwrap();
    let (is_outdated, first) = pending_of(&store).unwrap();
    let (_, second) = pending_of(&store).unwrap();
    assert!(is_outdated);
    assert!(Arc::ptr_eq(&first.unwrap(), &second.unwrap()));
}
