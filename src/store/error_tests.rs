//! What an error keeps of the one beneath it.

use super::*;

#[test]
fn an_io_error_names_operation_path_and_source() {
    let denied = io::Error::from_raw_os_error(5);
    let error = StoreError::io(Operation::Sync, Some(Path::new("/srv/s.redb")), &denied);
    assert_eq!(error.to_string(), "cannot sync /srv/s.redb: Input/output error (os error 5)");
    assert_eq!(error.source().unwrap().to_string(), denied.to_string());
    let error = StoreError::from(&denied);
    assert_eq!(error.to_string(), "cannot use the store: Input/output error (os error 5)");
}

#[test]
fn what_the_backend_knows_is_kept_through_redb() {
    let known = StoreError::Busy { path: "/srv/s.redb".into(), holder: "patdeck".into() };
    let wrapped = || io::Error::other(known.clone());
    assert_eq!(StoreError::from(StorageError::Io(wrapped())), known);
    assert_eq!(StoreError::io(Operation::Read, None, &wrapped()), known);
}

#[test]
fn a_commit_whose_result_is_unknown_keeps_the_failure_as_its_source() {
    let unknown = |error: StoreError| error.commit_unknown().source().unwrap().to_string();
    assert_eq!(unknown(StoreError::Full), "the disk is full");
    assert_eq!(unknown(StoreError::broken("page 3")), "page 3");
    assert_eq!(unknown(StoreError::failed(Operation::Use, "no")), "no");
    let busy = StoreError::Busy { path: "/s".into(), holder: "patdeck".into() };
    assert_eq!(unknown(busy.clone()), busy.to_string());
}
