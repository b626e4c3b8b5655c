//! The sources of store errors.

use super::*;

#[test]
fn an_io_error_names_operation_path_and_source() {
    let denied = io::Error::from_raw_os_error(5);
    let error = StoreError::io(IoOperation::Sync, Some(Path::new("/srv/s.redb")), &denied);
    assert_eq!(error.to_string(), "cannot sync /srv/s.redb (Input/output error (os error 5))");
    assert_eq!(error.source().unwrap().to_string(), denied.to_string());
    let error = StoreError::from(&denied);
    assert_eq!(error.to_string(), "cannot use the store (Input/output error (os error 5))");
}

#[test]
fn an_error_of_the_backend_is_unwrapped_from_redb_errors() {
    let known = StoreError::Busy { path: "/srv/s.redb".into(), holder: "patdeck".into() };
    let wrapped = || io::Error::other(known.clone());
    assert_eq!(StoreError::from(StorageError::Io(wrapped())), known);
    assert_eq!(StoreError::io(IoOperation::Read, None, &wrapped()), known);
}

#[test]
fn an_unknown_commit_result_keeps_its_source() {
    let unknown = |error: StoreError| error.commit_unknown().source().unwrap().to_string();
    assert_eq!(unknown(StoreError::Full), "the disk is full");
    assert_eq!(unknown(StoreError::corrupted("page 3")), "page 3");
    assert_eq!(unknown(StoreError::failed(IoOperation::Use, "no")), "no");
    let busy = StoreError::Busy { path: "/s".into(), holder: "patdeck".into() };
    assert_eq!(unknown(busy.clone()), busy.to_string());
}
