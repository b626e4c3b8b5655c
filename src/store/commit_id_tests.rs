//! How redb reads its header, and when the header changes. Each of these tests fails if another
//! version of redb breaks an assumption of `CommitId`.

use std::thread;

use super::*;
use crate::store::{
    OpenOptions, ReadOps, Store, StoreError,
    fault_injection::{RecordedFileRead, TestBackendBehaviour, set_behaviour},
    file_db::FileDb,
};

/// Opens a store on this thread and records its reads from now on.
fn observed() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("s.redb")).unwrap();
    set_behaviour(TestBackendBehaviour::RecordReads(Vec::new()));
    (folder, store)
}

/// The reads of the file since the previous call.
fn reads() -> Vec<RecordedFileRead> {
    match set_behaviour(TestBackendBehaviour::RecordReads(Vec::new())) {
        TestBackendBehaviour::RecordReads(calls) => calls,
        _ => panic!("not observed"),
    }
}

/// The reads of the header among them.
fn header_reads() -> Vec<RecordedFileRead> {
    reads().into_iter().filter(|call| call.offset < HEADER_LEN as u64).collect()
}

fn commit(store: &Store) {
    let event = crate::store::chain::tests::event_body(1);
    let written: Result<_, StoreError> = store.write(|rows| rows.append_event(event.clone()));
    written.unwrap();
}

#[test]
fn begin_read_reads_the_header_once_on_its_own_thread() {
    let (_folder, store) = observed();
    for work in [|_: &Store| (), commit] {
        work(&store);
        for _ in 0..2 {
            reads();
            assert_eq!(store.read(ReadOps::schema), Ok(2));
            let thread = thread::current().id();
            let expected = [RecordedFileRead { offset: 0, len: 320, thread }];
            assert_eq!(header_reads(), expected);
        }
    }
    let elsewhere = thread::scope(|scope| {
        let read = scope.spawn(|| {
            assert_eq!(store.read(ReadOps::schema), Ok(2));
            thread::current().id()
        });
        read.join().unwrap()
    });
    let expected = [RecordedFileRead { offset: 0, len: 320, thread: elsewhere }];
    assert_eq!(header_reads(), expected);
}

#[test]
fn an_id_changes_with_each_commit_only() {
    let (folder, store) = observed();
    let path = folder.path().join("s.redb");
    let file = FileDb::open(&path, OpenOptions::default()).unwrap();
    let id = |db: &FileDb| db.snapshot().unwrap().reader.cache.id.clone();
    let mut seen = vec![id(&file)];
    assert!(seen[0].is_some(), "the id is known");
    for _ in 0..5 {
        assert_eq!(id(&file), seen[seen.len() - 1]);
        let is_latest =
            |id: &Option<CommitId>| id.as_ref().unwrap().is_latest_of(&File::open(&path).unwrap());
        assert!(is_latest(&seen[seen.len() - 1]));
        assert_eq!(store.read(ReadOps::schema), Ok(2), "a read does not commit");
        commit(&store);
        assert!(!is_latest(&seen[seen.len() - 1]));
        let next = id(&file);
        assert!(next.is_some() && !seen.contains(&next));
        seen.push(next);
    }
}

#[test]
fn opening_checks_and_first_read_share_one_transaction() {
    let (folder, store) = observed();
    let options = OpenOptions::default();
    let other = Store::open_with(store.path().unwrap(), options).unwrap();
    let opened = header_reads().len();
    // The file was replaced, so the next read opens it.
    let path = folder.path().join("s.redb");
    std::fs::copy(&path, folder.path().join("copy")).unwrap();
    std::fs::rename(folder.path().join("copy"), &path).unwrap();
    let mut session = other.cached_reader();
    assert_eq!(session.read(ReadOps::token_count), Ok(0));
    assert_eq!(header_reads().len(), opened, "the read used the transaction of the checks");
    assert_eq!(session.read(ReadOps::schema), Ok(2));
    session.release();
    assert!(header_reads().len() <= 1);
    assert_eq!(session.read(ReadOps::schema), Ok(2));
    assert_eq!(header_reads().len(), 1, "a new read needs a new transaction");
}

#[test]
fn unexpected_header_reads_give_no_id() {
    let header = [7; HEADER_LEN];
    let observed = |reads: &[(u64, &[u8])]| {
        let ((), id) = CommitIdObserver::observe(|| {
            for (offset, bytes) in reads {
                CommitIdObserver::on_read(*offset, bytes);
            }
        });
        id
    };
    assert_eq!(observed(&[(0, &header)]), Some(CommitId(Box::new(header))));
    assert_eq!(observed(&[(0, &header), (4_096, &[1])]), Some(CommitId(Box::new(header))));
    assert_eq!(observed(&[]), None);
    assert_eq!(observed(&[(0, &header), (0, &header)]), None, "two headers are ambiguous");
    assert_eq!(observed(&[(0, &header[1..])]), None);
    assert_eq!(observed(&[(64, &header)]), None);
    CommitIdObserver::on_read(0, &header);
    assert_eq!(observed(&[]), None, "earlier reads are ignored");
}

#[test]
fn a_value_is_cached_for_its_commit_and_no_other() {
    let latest = LatestCommitValues::default();
    let id = |byte| Some(CommitId(Box::new([byte; HEADER_LEN])));
    let accept = || Ok::<_, ()>(());
    let first = latest.cache_of(id(1), accept).unwrap();
    assert!(Arc::ptr_eq(&first, &latest.cache_of(id(1), || Err(())).unwrap()));
    assert!(latest.cache_of(id(2), || Err(())).is_err(), "a new commit is checked first");
    let second = latest.cache_of(id(2), accept).unwrap();
    assert!(!Arc::ptr_eq(&first, &second));
    assert!(!Arc::ptr_eq(&second, &latest.cache_of(None, accept).unwrap()));
    assert!(latest.cache_of(None, || Err(())).is_err());
}

#[test]
fn a_later_commit_rewinds_none_that_was_seen() {
    let (folder, store) = observed();
    let path = folder.path().join("s.redb");
    let file = FileDb::open(&path, OpenOptions::default()).unwrap();
    let id = || file.snapshot().unwrap().reader.cache.id.clone().unwrap();
    let first = id();
    thread::scope(|scope| {
        let writer = scope.spawn(|| (0..100).for_each(|_| commit(&store)));
        let mut last = first.clone();
        while !writer.is_finished() {
            let next = id();
            assert!(!next.rewinds(&last), "also while a commit is being written");
            last = next;
        }
    });
    let last = id();
    assert!(first.rewinds(&last) && !last.rewinds(&first) && !last.rewinds(&last));
    assert!(!file.take_rewound());
}

#[test]
fn another_content_with_the_same_transaction_id_rewinds() {
    let (folder, store) = observed();
    let path = folder.path().join("s.redb");
    let old = std::fs::read(&path).unwrap();
    let file = FileDb::open(&path, OpenOptions::default()).unwrap();
    let id = || file.snapshot().unwrap().reader.cache.id.clone().unwrap();
    commit(&store);
    let one = id();
    std::fs::write(&path, &old).unwrap();
    store.release_file();
    let event = crate::store::chain::tests::event_body(2);
    let written: Result<_, StoreError> = store.write(|rows| rows.append_event(event.clone()));
    written.unwrap();
    let other = id();
    assert!(other.rewinds(&one) && one.rewinds(&other));
    assert!(file.take_rewound());
    assert!(!file.take_rewound(), "it is reported once");
}
