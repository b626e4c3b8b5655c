//! Reads that follow each other closely: what is kept between two of them must never be seen.

use std::{
    fs,
    time::{Duration, Instant},
};

use patdeck::store::{PathError, PathProblem, ReadOps, StoreError};

use crate::{Place, add, at, token, write};

#[test]
fn every_read_in_a_row_sees_the_last_commit_of_all() {
    let place = Place::in_memory();
    let (one, other) = (place.store(), place.store());
    let mut reads = one.read_session();
    for n in 0..30_u64 {
        // Twice the same, and then what another process did.
        for _ in 0..3 {
            assert_eq!(reads.read(ReadOps::token_count), Ok(n));
        }
        add(&other, usize::try_from(n).unwrap()).unwrap();
    }
    // What this process does itself, too.
    add(&one, 30).unwrap();
    assert_eq!(reads.read(ReadOps::token_count), Ok(31));
    let refused: Result<(), StoreError> = write(&other, |_| Err(StoreError::Full));
    assert_eq!(refused, Err(StoreError::Full));
    assert_eq!(reads.read(ReadOps::token_count), Ok(31));
}

#[test]
fn another_file_in_the_place_of_the_store_is_soon_read_in_a_row_too() {
    let (place, elsewhere) = (Place::in_memory(), Place::in_memory());
    let store = place.store();
    add(&store, 1).unwrap();
    let other = elsewhere.store();
    add(&other, 1).unwrap();
    add(&other, 2).unwrap();
    let mut reads = store.read_session();
    assert_eq!(reads.read(ReadOps::token_count), Ok(1));
    // The old file lives on under another name: nothing in it tells.
    fs::rename(place.path(), place.folder.path().join("old.redb")).unwrap();
    fs::copy(elsewhere.path(), place.path()).unwrap();
    let started = Instant::now();
    while reads.read(ReadOps::token_count) != Ok(2) {
        assert!(started.elapsed() < Duration::from_secs(1), "it is never seen");
    }
    fs::remove_file(place.path()).unwrap();
    reads.release();
    let gone = reads.read(ReadOps::token_count);
    assert!(
        matches!(gone, Err(StoreError::Path(PathError { problem: PathProblem::NotFound, .. }))),
        "{gone:?}"
    );
}

#[test]
fn reads_in_a_row_leave_the_file_of_others_small() {
    let place = Place::in_memory();
    let (open, other) = (place.store(), place.store());
    for n in 0..20 {
        add(&other, n).unwrap();
    }
    let commits_beside = |look: &mut dyn FnMut()| {
        for n in 0..200 {
            let mut changed = token(n % 20);
            changed.revoked = Some(at(1));
            write(&other, |rows| rows.put_token(&changed)).unwrap();
            look();
        }
        fs::metadata(place.path()).unwrap().len()
    };
    let alone = commits_beside(&mut || ());
    let mut reads = open.read_session();
    let asked = commits_beside(&mut || drop(reads.read(ReadOps::token_count)));
    reads.release();
    let let_go = commits_beside(&mut || ());
    assert!(asked <= alone + (1 << 20) && let_go <= asked, "{alone}, {asked}, {let_go}");
}
