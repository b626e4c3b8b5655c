//! Several handles on one file, as several processes have them: redb locks open files, not
//! processes, so two `Store` values stand for two processes here. The tests in `crash` have real ones.

use std::{sync::mpsc, thread, time::Duration};

use patdeck::{
    domain::EventDraft,
    output::advice::store_message,
    store::{OpenOptions, PathError, PathProblem, ReadOps, Store, StoreError, wait_for_writes},
};

use crate::{Place, add, at, draft, names, write};

#[test]
fn a_commit_is_seen_by_all_others_at_once() {
    let place = Place::new();
    let (one, two) = (place.store(), place.store());
    for n in 0..20 {
        add(if n % 2 == 0 { &one } else { &two }, n).unwrap();
        assert_eq!(one.read(ReadOps::token_count), Ok(n as u64 + 1));
        assert_eq!(two.read(ReadOps::token_count), Ok(n as u64 + 1));
    }
}

#[test]
fn four_writers_at_once_lose_nothing() {
    let place = Place::new();
    // Enough for a busy machine: the deadline is tested elsewhere.
    let opening = OpenOptions { lock_timeout: Duration::from_secs(60), ..OpenOptions::default() };
    let open = || Store::open_with(&place.path(), opening).unwrap();
    thread::scope(|scope| {
        for writer in 0..4 {
            let store = open();
            scope.spawn(move || {
                for n in 0..50 {
                    add(&store, writer * 100 + n).unwrap();
                }
            });
        }
    });
    let store = open();
    assert_eq!(names(&store).len(), 200);
    let chain = store.read(ReadOps::verify_chain).unwrap();
    assert_eq!((chain.events, chain.broken), (200, None));
}

#[test]
fn what_is_known_of_a_commit_is_never_told_of_another() {
    let place = Place::new();
    let (reading, writing) = (place.store(), place.store());
    add(&writing, 0).unwrap();
    let count = 200;
    let look = || {
        let mut seen = 0;
        while seen < count {
            // One handle for both threads: each reads the head of the file under the other.
            let (at, newest) = reading
                .read(|rows| Ok::<_, StoreError>((rows.newest_event_at()?, rows.newest_event()?)))
                .unwrap();
            let newest = newest.unwrap();
            assert_eq!(at, Some(newest.what.at), "event {}", newest.sequence);
            assert!(newest.sequence >= seen, "a read went back");
            seen = newest.sequence;
        }
    };
    thread::scope(|scope| {
        scope.spawn(look);
        scope.spawn(look);
        for minute in 2..=count {
            let what = |minute: u64| EventDraft { at: at(minute.cast_signed()), ..draft(None, "") };
            write(&writing, |rows| rows.append_event(what(minute)).map(drop)).unwrap();
        }
    });
}

#[test]
fn two_who_make_the_store_at_once_share_one() {
    let place = Place::new();
    let ids: Vec<_> = thread::scope(|scope| {
        let open = || place.store().read(ReadOps::store_id).unwrap();
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(open)).collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    assert!(ids.iter().all(|id| *id == ids[0]));
    let mut there: Vec<_> = std::fs::read_dir(place.folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    there.sort();
    assert_eq!(there, ["store.redb", "store.redb.reserve"]);
}

#[test]
fn a_write_waits_for_its_turn_then_names_the_holder_while_reads_go_on() {
    let place = Place::new();
    let holding = place.store();
    let opening = OpenOptions { lock_timeout: Duration::from_millis(50), ..OpenOptions::default() };
    let waiting = Store::open_with(&place.path(), opening).unwrap();
    let (held, wait_held) = mpsc::channel();
    let (release, wait_release) = mpsc::channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || {
            write(&holding, |_| {
                held.send(()).unwrap();
                wait_release.recv().unwrap();
                Ok(())
            })
        });
        wait_held.recv().unwrap();
        let busy = add(&waiting, 1).unwrap_err();
        assert!(matches!(busy, StoreError::Busy { .. }), "{busy}");
        let here = format!("(process {}", std::process::id());
        assert!(!cfg!(target_os = "linux") || store_message(&busy).contains(&here));
        assert!(store_message(&busy).ends_with("try again, or end that process if it hangs"));
        assert!(names(&waiting).is_empty());
        assert!(!wait_for_writes(Duration::ZERO), "a write is running");
        release.send(()).unwrap();
    });
    add(&waiting, 1).unwrap();
}

#[test]
fn a_file_put_in_the_place_of_the_store_is_read_from_then_on() {
    let (place, other) = (Place::new(), Place::new());
    let store = place.store();
    add(&store, 1).unwrap();
    add(&other.store(), 2).unwrap();
    let id = store.read(ReadOps::store_id).unwrap();
    std::fs::rename(other.path(), place.path()).unwrap();
    assert_eq!(names(&store), ["Token 2"]);
    assert_ne!(store.read(ReadOps::store_id).unwrap(), id);
    add(&store, 3).unwrap();
    assert_eq!(names(&place.store()), ["Token 2", "Token 3"]);
}

#[test]
fn a_store_that_is_gone_is_not_made_anew_behind_the_operators_back() {
    let place = Place::new();
    let store = place.store();
    std::fs::remove_file(place.path()).unwrap();
    let gone = store.read(ReadOps::token_count).unwrap_err();
    assert!(
        store_message(&gone).ends_with(
            "store.redb is gone: put it back, or start patdeck again for an empty store"
        )
    );
    assert!(matches!(
        add(&store, 1),
        Err(StoreError::Path(PathError { problem: PathProblem::NotFound, .. }))
    ));
    assert!(!place.path().exists());
}
