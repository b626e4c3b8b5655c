//! Several handles on one file. redb locks open files, not processes, so two `Store` values behave
//! like two processes. The tests in `tests/crash` use real processes.

use std::{sync::mpsc, thread, time::Duration};

use patdeck::{
    domain::EventBody,
    output::advice::store_message,
    store::{OpenOptions, PathError, PathProblem, ReadOps, Store, StoreError, wait_for_writes},
};

use crate::{TempStore, add_token, at, event_body, token_names, write_to};

#[test]
fn a_commit_is_visible_to_all_other_handles_immediately() {
    let temp = TempStore::new();
    let (one, two) = (temp.store(), temp.store());
    for n in 0..20 {
        add_token(if n % 2 == 0 { &one } else { &two }, n).unwrap();
        assert_eq!(one.read(ReadOps::token_count), Ok(n as u64 + 1));
        assert_eq!(two.read(ReadOps::token_count), Ok(n as u64 + 1));
    }
}

#[test]
fn four_concurrent_writers_lose_no_change() {
    let temp = TempStore::new();
    // Long enough for a busy machine; another test covers the timeout.
    let options = OpenOptions { lock_timeout: Duration::from_secs(60), ..OpenOptions::default() };
    let open = || Store::open_with(&temp.path(), options).unwrap();
    thread::scope(|scope| {
        for writer in 0..4 {
            let store = open();
            scope.spawn(move || {
                for n in 0..50 {
                    add_token(&store, writer * 100 + n).unwrap();
                }
            });
        }
    });
    let store = open();
    assert_eq!(token_names(&store).len(), 200);
    let chain = store.read(ReadOps::verify_chain).unwrap();
    assert_eq!((chain.events, chain.first_fault), (200, None));
}

#[test]
fn cached_values_of_a_commit_are_not_returned_for_another() {
    let temp = TempStore::new();
    let (reading, writing) = (temp.store(), temp.store());
    add_token(&writing, 0).unwrap();
    let count = 200;
    let read_events = || {
        let mut seen = 0;
        while seen < count {
            // Both threads use one handle, so their header reads interleave.
            let (at, newest) = reading
                .read(|rows| {
                    Ok::<_, StoreError>((rows.recorded_time()?.newest_event, rows.newest_event()?))
                })
                .unwrap();
            let newest = newest.unwrap();
            assert_eq!(at, Some(newest.body.at), "event {}", newest.sequence);
            assert!(newest.sequence >= seen, "a read returned an older commit");
            seen = newest.sequence;
        }
    };
    thread::scope(|scope| {
        scope.spawn(read_events);
        scope.spawn(read_events);
        for minute in 2..=count {
            let event =
                |minute: u64| EventBody { at: at(minute.cast_signed()), ..event_body(None, "") };
            write_to(&writing, |rows| rows.append_event(event(minute)).map(drop)).unwrap();
        }
    });
}

#[test]
fn concurrent_creation_results_in_one_store() {
    let temp = TempStore::new();
    let ids: Vec<_> = thread::scope(|scope| {
        let open = || temp.store().read(ReadOps::store_id).unwrap();
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(open)).collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    assert!(ids.iter().all(|id| *id == ids[0]));
    let mut files: Vec<_> = std::fs::read_dir(temp.folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    assert_eq!(files, ["store.redb", "store.redb.revoked"]);
}

#[test]
fn a_waiting_write_names_the_lock_holder_and_reads_go_on() {
    let temp = TempStore::new();
    let holding = temp.store();
    let options = OpenOptions { lock_timeout: Duration::from_millis(50), ..OpenOptions::default() };
    let waiting = Store::open_with(&temp.path(), options).unwrap();
    let (held, wait_held) = mpsc::channel();
    let (release, wait_release) = mpsc::channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || {
            write_to(&holding, |_| {
                held.send(()).unwrap();
                wait_release.recv().unwrap();
                Ok(())
            })
        });
        wait_held.recv().unwrap();
        let busy = add_token(&waiting, 1).unwrap_err();
        assert!(matches!(busy, StoreError::Busy { .. }), "{busy}");
        let holder = format!("(process {}", std::process::id());
        assert!(!cfg!(target_os = "linux") || store_message(&busy).contains(&holder));
        assert!(store_message(&busy).ends_with("try again, or end that process if it hangs"));
        assert!(token_names(&waiting).is_empty());
        assert!(!wait_for_writes(Duration::ZERO), "a write is running");
        release.send(()).unwrap();
    });
    add_token(&waiting, 1).unwrap();
}

#[test]
fn a_file_that_replaces_the_store_is_read_from_then_on() {
    let (temp, other) = (TempStore::new(), TempStore::new());
    let store = temp.store();
    add_token(&store, 1).unwrap();
    add_token(&other.store(), 2).unwrap();
    let id = store.read(ReadOps::store_id).unwrap();
    std::fs::rename(other.path(), temp.path()).unwrap();
    assert_eq!(token_names(&store), ["Token 2"]);
    assert_ne!(store.read(ReadOps::store_id).unwrap(), id);
    add_token(&store, 3).unwrap();
    assert_eq!(token_names(&temp.store()), ["Token 2", "Token 3"]);
}

#[test]
fn a_deleted_store_is_not_created_again_while_open() {
    let temp = TempStore::new();
    let store = temp.store();
    std::fs::remove_file(temp.path()).unwrap();
    let missing = store.read(ReadOps::token_count).unwrap_err();
    assert!(store_message(&missing).starts_with("no store at "));
    assert!(matches!(
        add_token(&store, 1),
        Err(StoreError::Path(PathError { problem: PathProblem::NoStore, .. }))
    ));
    assert!(!temp.path().exists());
}
