//! Which changes are reported, and which are not. Each test waits for its condition, up to 30 s.

use std::{
    fs,
    sync::mpsc::{Receiver, channel},
};

use super::*;
use crate::store::{ReadOps, Store, StoreError};

const DEADLINE: Duration = Duration::from_secs(30);

fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("s.redb")).unwrap();
    (folder, store)
}

fn commit(store: &Store) {
    let event = crate::store::chain::tests::event_body(1);
    let written: Result<_, StoreError> = store.write(|rows| rows.append_event(event.clone()));
    written.unwrap();
}

fn watched(store: &Store) -> (ChangeWatcher, Receiver<()>) {
    let (report, reports) = channel();
    let watcher = ChangeWatcher::start(store.path(), move || report.send(()).is_ok());
    (watcher.unwrap(), reports)
}

/// Waits for reports until the store has this generation.
fn wait_for(generation: u64, store: &Store, reports: &Receiver<()>) {
    while store.read(ReadOps::generation) != Ok(generation) {
        reports.recv_timeout(DEADLINE).expect("the last commit is reported");
    }
}

#[test]
fn a_commit_of_another_handle_is_reported() {
    let (_folder, store) = store();
    let other = Store::open(store.path().unwrap()).unwrap();
    let (_watcher, reports) = watched(&store);
    for generation in 1..=3 {
        thread::scope(|scope| {
            scope.spawn(|| commit(&other));
            wait_for(generation, &store, &reports);
        });
    }
}

#[test]
fn a_replaced_file_and_its_changes_are_reported() {
    let (folder, store) = store();
    let (_watcher, reports) = watched(&store);
    let path = store.path().unwrap();
    let copy = folder.path().join("copy.redb");
    fs::copy(path, &copy).unwrap();
    commit(&Store::open(&copy).unwrap());
    fs::rename(&copy, path).unwrap();
    wait_for(1, &store, &reports);
    commit(&Store::open(path).unwrap());
    wait_for(2, &store, &reports);
}

#[cfg(target_os = "linux")]
#[test]
fn reads_and_other_files_are_not_reported() {
    let (folder, store) = store();
    let other = Store::open(store.path().unwrap()).unwrap();
    // The events of `watch` are available as soon as the system call that causes them returns.
    let mut watch = FileWatch::new(store.path().unwrap()).unwrap();
    assert_eq!(other.read(ReadOps::token_count), Ok(0));
    assert!(Store::open(store.path().unwrap()).is_ok());
    fs::write(folder.path().join("else"), "s.redb").unwrap();
    assert!(!watch.take_changes().unwrap());
    commit(&other);
    assert!(watch.take_changes().unwrap());
    assert!(!watch.take_changes().unwrap(), "once");
    let path = store.path().unwrap();
    let aside = folder.path().join("aside");
    fs::rename(path, &aside).unwrap();
    assert!(watch.take_changes().unwrap(), "it was moved away");
    fs::write(&aside, "old content").unwrap();
    assert!(!watch.take_changes().unwrap(), "it is no longer the store");
    fs::rename(&aside, path).unwrap();
    assert!(watch.take_changes().unwrap(), "it was moved back");
    fs::remove_dir_all(folder.path()).unwrap();
    assert!(watch.take_changes().is_err(), "the folder was deleted");
}

#[test]
fn the_changes_of_a_burst_are_reported_together() {
    let (_folder, store) = store();
    let (_watcher, reports) = watched(&store);
    for _ in 0..20 {
        commit(&store);
    }
    let count = || reports.recv_timeout(DEADLINE).map(|()| 1 + reports.try_iter().count());
    assert!(count().unwrap() <= 40, "more than two reports for each commit");
}

#[test]
fn without_inotify_it_polls_until_it_is_dropped_or_stopped() {
    let (report, reports) = channel();
    let timer = || WatchSource::Timer(Duration::from_millis(1));
    let watcher = ChangeWatcher::spawn(timer(), move || report.send(()).is_ok()).unwrap();
    for _ in 0..3 {
        reports.recv_timeout(DEADLINE).unwrap();
    }
    drop(watcher);
    let _ = reports.try_iter().count();
    assert!(reports.recv_timeout(DEADLINE).is_err(), "its thread has ended");
    let (report, reports) = channel();
    let _watcher = ChangeWatcher::spawn(timer(), move || report.send(()).is_err()).unwrap();
    assert_eq!(reports.iter().count(), 1, "`false` ends it");
    let memory = Store::memory().unwrap();
    assert!(matches!(
        memory.path().map_or(WatchSource::Timer(POLL_INTERVAL), WatchSource::of),
        WatchSource::Timer(_)
    ));
    assert!(matches!(WatchSource::of(Path::new("/nowhere/s.redb")), WatchSource::Timer(_)));
}
