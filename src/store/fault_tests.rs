//! Lets every file call fail in turn, once or persistently. For each kind of change and each of its
//! calls, the change must be complete or absent, the error must say which, and the store must work
//! again without the fault.

use std::io::ErrorKind;

use super::{
    ReadOps as _, Store, StoreError,
    fault_injection::{FailurePlan, TestBackendBehaviour, set_behaviour},
    scenario::{self, STEPS_PER_ROUND, StoreContents, apply_step, contents},
};

/// Runs `work` on a copy of `bytes` repeatedly, each time with a failure at a later file call. Runs
/// `check` after each run, without the failure. Returns the number of file calls of `work`.
fn fail_each_call<T>(
    bytes: &[u8],
    (error, is_persistent): (ErrorKind, bool),
    work: impl Fn(&Store) -> Result<T, StoreError>,
    check: impl Fn(&Store, Result<T, StoreError>),
) -> usize {
    let folder = scenario::temp_folder();
    for calls_before in 0.. {
        let store = Store::open(&scenario::write_store_file(&folder, bytes)).unwrap();
        set_behaviour(TestBackendBehaviour::Fail(FailurePlan {
            error,
            calls_before,
            is_persistent,
            failure_count: 0,
        }));
        let done = work(&store);
        let TestBackendBehaviour::Fail(FailurePlan { failure_count, .. }) =
            set_behaviour(TestBackendBehaviour::PassThrough)
        else {
            panic!("the mode was changed");
        };
        assert!(failure_count > 0 || done.is_ok(), "failed without an injected fault");
        check(&store, done);
        if failure_count == 0 {
            return calls_before;
        }
    }
    0
}

/// The contents before and after step `n`, and the bytes of the store before that step.
fn contents_around(n: usize) -> (StoreContents, StoreContents, Vec<u8>) {
    let folder = scenario::temp_folder();
    let path = folder.path().join("s.redb");
    let store = Store::open(&path).unwrap();
    for earlier in 0..n {
        store.write(|rows| apply_step(earlier, rows)).unwrap();
    }
    let bytes = std::fs::read(&path).unwrap();
    let before = contents(&store).unwrap();
    store.write(|rows| apply_step(n, rows)).unwrap();
    (before, contents(&store).unwrap(), bytes)
}

const FAULTS: [(ErrorKind, bool); 3] =
    [(ErrorKind::StorageFull, true), (ErrorKind::Other, false), (ErrorKind::Other, true)];

#[test]
fn a_failed_call_leaves_a_change_complete_or_absent() {
    let mut unknown_results = std::cell::Cell::new(0);
    let mut calls = 0;
    for n in 0..STEPS_PER_ROUND {
        let (before, after, bytes) = contents_around(n);
        for fault in FAULTS {
            let work = |store: &Store| store.write(|rows| apply_step(n, rows));
            calls += fail_each_call(&bytes, fault, work, |store, done| {
                // A new process can open it without manual repair.
                let reopened = Store::open(store.path().unwrap()).unwrap();
                let found = contents(&reopened).unwrap();
                assert_eq!(contents(store).unwrap(), found, "step {n}, {fault:?}");
                match done {
                    Ok(()) => assert_eq!(found, after, "step {n}, {fault:?}"),
                    Err(StoreError::CommitResultUnknown { .. }) => {
                        unknown_results.set(unknown_results.get() + 1);
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
                    store.write(|rows| apply_step(n, rows)).unwrap();
                    assert_eq!(contents(&reopened).unwrap(), after);
                }
            });
        }
    }
    println!(
        "{calls} calls failed, {} times the result of a commit was unknown",
        unknown_results.get_mut()
    );
    assert!(calls > 500);
}

#[test]
fn a_failed_call_makes_a_read_fail_or_return_correct_data() {
    let (before, _, bytes) = contents_around(STEPS_PER_ROUND);
    for fault in [(ErrorKind::Other, false), (ErrorKind::Other, true)] {
        let work = |store: &Store| store.read(|rows| Ok((rows.tokens()?, rows.last_event()?)));
        let calls = fail_each_call(&bytes, fault, work, |store, done| {
            let expected: Result<_, StoreError> =
                store.read(|rows| Ok((rows.tokens()?, rows.last_event()?)));
            let expected = expected.unwrap();
            assert_eq!(done.unwrap_or_else(|_| expected.clone()), expected);
            assert_eq!(contents(store).unwrap(), before);
        });
        assert!(calls > 0);
    }
}

#[test]
fn a_failed_call_leaves_a_complete_backup_or_none() {
    let (before, _, bytes) = contents_around(STEPS_PER_ROUND);
    for fault in [(ErrorKind::StorageFull, true), (ErrorKind::Other, false)] {
        let to = |store: &Store| store.path().unwrap().with_file_name("copy.redb");
        let work = |store: &Store| store.backup(&to(store));
        fail_each_call(&bytes, fault, work, |store, done| {
            let copy = to(store);
            assert_eq!(copy.exists(), done.is_ok(), "{done:?}");
            if done.is_ok() {
                assert_eq!(contents(&Store::open(&copy).unwrap()).unwrap(), before);
                std::fs::remove_file(&copy).unwrap();
                std::fs::remove_file(copy.with_file_name("copy.redb.revoked")).unwrap();
            }
        });
    }
}
