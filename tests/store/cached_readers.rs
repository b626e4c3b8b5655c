//! Read sessions: a reused transaction must never return outdated data.

use std::{
    fs,
    time::{Duration, Instant},
};

use patdeck::store::{PathError, PathProblem, ReadOps, StoreError};

use crate::{TempStore, add_token, at, token, write_to};

#[test]
fn every_read_of_a_session_sees_the_last_commit() {
    let temp = TempStore::in_memory();
    let (one, other) = (temp.store(), temp.store());
    let mut reads = one.cached_reader();
    for n in 0..30_u64 {
        // Repeated reads without a commit, then a commit of another process.
        for _ in 0..3 {
            assert_eq!(reads.read(ReadOps::token_count), Ok(n));
        }
        add_token(&other, usize::try_from(n).unwrap()).unwrap();
    }
    // A commit of this process is seen, too.
    add_token(&one, 30).unwrap();
    assert_eq!(reads.read(ReadOps::token_count), Ok(31));
    let refused: Result<(), StoreError> = write_to(&other, |_| Err(StoreError::Full));
    assert_eq!(refused, Err(StoreError::Full));
    assert_eq!(reads.read(ReadOps::token_count), Ok(31));
}

#[test]
fn a_session_soon_reads_a_file_that_replaced_the_store() {
    let (temp, elsewhere) = (TempStore::in_memory(), TempStore::in_memory());
    let store = temp.store();
    add_token(&store, 1).unwrap();
    let other = elsewhere.store();
    add_token(&other, 1).unwrap();
    add_token(&other, 2).unwrap();
    let mut reads = store.cached_reader();
    assert_eq!(reads.read(ReadOps::token_count), Ok(1));
    // The old file still exists under another name and is unchanged.
    fs::rename(temp.path(), temp.folder.path().join("old.redb")).unwrap();
    fs::copy(elsewhere.path(), temp.path()).unwrap();
    let started = Instant::now();
    while reads.read(ReadOps::token_count) != Ok(2) {
        assert!(started.elapsed() < Duration::from_secs(1), "the new file is not read");
    }
    fs::remove_file(temp.path()).unwrap();
    reads.release();
    let missing = reads.read(ReadOps::token_count);
    assert!(
        matches!(missing, Err(StoreError::Path(PathError { problem: PathProblem::NoStore, .. }))),
        "{missing:?}"
    );
}

#[test]
fn sessions_do_not_let_the_file_grow() {
    let temp = TempStore::in_memory();
    let (open, other) = (temp.store(), temp.store());
    for n in 0..20 {
        add_token(&other, n).unwrap();
    }
    let size_after_commits = |read: &mut dyn FnMut()| {
        for n in 0..200 {
            let mut changed = token(n % 20);
            changed.revoked = Some(at(1));
            write_to(&other, |rows| rows.put_token(&changed)).unwrap();
            read();
        }
        fs::metadata(temp.path()).unwrap().len()
    };
    let alone = size_after_commits(&mut || ());
    let mut reads = open.cached_reader();
    let with_session = size_after_commits(&mut || drop(reads.read(ReadOps::token_count)));
    reads.release();
    let after_release = size_after_commits(&mut || ());
    assert!(
        with_session <= alone + (1 << 20) && after_release <= with_session,
        "{alone}, {with_session}, {after_release}"
    );
}
