//! Every call to the file may fail, once or from then on: for each kind of change and for each
//! of its calls, the change is there whole or not at all, the error says which, and the same
//! program goes on once the fault is gone.

use std::io::ErrorKind;

use super::{
    ReadOps as _, Store, StoreError,
    faulty::{Failure, Plan, plan},
    script::{self, ROUND, State, state, step},
};

/// Does `work` on a copy of `bytes` with a failure at each of its calls in turn; gives how many
/// calls there were. `judge` looks at what came out, with the failure gone.
fn at_every_call<T>(
    bytes: &[u8],
    (error, lasting): (ErrorKind, bool),
    work: impl Fn(&Store) -> Result<T, StoreError>,
    judge: impl Fn(&Store, Result<T, StoreError>),
) -> usize {
    let folder = script::folder();
    for sound in 0.. {
        let store = Store::open(&script::put(&folder, bytes)).unwrap();
        plan(Plan::Fail(Failure { error, sound, lasting, failed: 0 }));
        let done = work(&store);
        let Plan::Fail(Failure { failed, .. }) = plan(Plan::Sound) else {
            panic!("the plan is gone");
        };
        assert!(failed > 0 || done.is_ok(), "failed without a fault");
        judge(&store, done);
        if failed == 0 {
            return sound;
        }
    }
    0
}

/// The state before and after step `n`, and the store before it.
fn around(n: usize) -> (State, State, Vec<u8>) {
    let folder = script::folder();
    let path = folder.path().join("s.redb");
    let store = Store::open(&path).unwrap();
    for earlier in 0..n {
        store.write(|rows| step(earlier, rows)).unwrap();
    }
    let bytes = std::fs::read(&path).unwrap();
    let before = state(&store).unwrap();
    store.write(|rows| step(n, rows)).unwrap();
    (before, state(&store).unwrap(), bytes)
}

const FAULTS: [(ErrorKind, bool); 3] =
    [(ErrorKind::StorageFull, true), (ErrorKind::Other, false), (ErrorKind::Other, true)];

#[test]
fn whichever_call_fails_a_change_is_whole_or_absent_and_the_error_says_which() {
    let mut unsure = std::cell::Cell::new(0);
    let mut calls = 0;
    for n in 0..ROUND {
        let (before, after, bytes) = around(n);
        for fault in FAULTS {
            let work = |store: &Store| store.write(|rows| step(n, rows));
            calls += at_every_call(&bytes, fault, work, |store, done| {
                // The next to come opens it without a hand.
                let fresh = Store::open(store.path().unwrap()).unwrap();
                let found = state(&fresh).unwrap();
                assert_eq!(state(store).unwrap(), found, "step {n}, {fault:?}");
                match done {
                    Ok(()) => assert_eq!(found, after, "step {n}, {fault:?}"),
                    Err(StoreError::CommitResultUnknown { .. }) => {
                        unsure.set(unsure.get() + 1);
                        assert!(found == before || found == after, "step {n}, {fault:?}");
                    }
                    Err(error) => {
                        if let StoreError::Io { path, .. } = &error {
                            assert_eq!(path.as_deref(), store.path(), "{error}");
                        }
                        assert_eq!(found, before, "step {n}, {fault:?}: {error}");
                    }
                }
                if found == before {
                    store.write(|rows| step(n, rows)).unwrap();
                    assert_eq!(state(&fresh).unwrap(), after);
                }
            });
        }
    }
    println!("{calls} calls failed, {} times the end was not sure", unsure.get_mut());
    assert!(calls > 500);
}

#[test]
fn whichever_call_fails_a_read_says_so_or_is_right_and_the_next_one_is() {
    let (before, _, bytes) = around(ROUND);
    for fault in [(ErrorKind::Other, false), (ErrorKind::Other, true)] {
        let work = |store: &Store| store.read(|rows| Ok((rows.tokens()?, rows.last_event()?)));
        let calls = at_every_call(&bytes, fault, work, |store, done| {
            let sound: Result<_, StoreError> =
                store.read(|rows| Ok((rows.tokens()?, rows.last_event()?)));
            let sound = sound.unwrap();
            assert_eq!(done.unwrap_or_else(|_| sound.clone()), sound);
            assert_eq!(state(store).unwrap(), before);
        });
        assert!(calls > 0);
    }
}

#[test]
fn whichever_call_fails_a_copy_is_whole_or_has_no_name() {
    let (before, _, bytes) = around(ROUND);
    for fault in [(ErrorKind::StorageFull, true), (ErrorKind::Other, false)] {
        let to = |store: &Store| store.path().unwrap().with_file_name("copy.redb");
        let work = |store: &Store| store.backup(&to(store));
        at_every_call(&bytes, fault, work, |store, done| {
            let copy = to(store);
            assert_eq!(copy.exists(), done.is_ok(), "{done:?}");
            if done.is_ok() {
                assert_eq!(state(&Store::open(&copy).unwrap()).unwrap(), before);
                std::fs::remove_file(&copy).unwrap();
            }
        });
    }
}
