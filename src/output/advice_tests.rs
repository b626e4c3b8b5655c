//! Every sentence about an error of the store, as operators read it.

use super::*;
use crate::service::{Cause, Damage, Operation, WriteNeed};

fn path() -> std::path::PathBuf {
    "/srv/s.redb".into()
}

fn at(problem: PathProblem) -> StoreError {
    PathError { path: path(), problem }.into()
}

fn insecure(path: &str, mode: u32, fix: PermissionFix) -> StoreError {
    PathError { path: path.into(), problem: PathProblem::InsecurePermissions { mode, fix } }.into()
}

#[test]
fn an_error_of_a_path_says_what_to_do_about_it() {
    let io = std::io::Error::from_raw_os_error(5);
    for (error, sentence) in [
        (
            at(PathProblem::NotAStore),
            "/srv/s.redb is not a patdeck store: it was left as it is, move it away or name another path",
        ),
        (
            at(PathProblem::Exists),
            "/srv/s.redb exists already and was left as it is: choose another name",
        ),
        (
            at(PathProblem::NoFolder),
            "the folder of /srv/s.redb does not exist: make it first, or choose another",
        ),
        (
            at(PathProblem::ForeignOwner(7)),
            "/srv/s.redb belongs to user 7: run patdeck as that user, or give it to yours with chown",
        ),
        (
            at(PathProblem::Symlink),
            "/srv/s.redb is a symbolic link: name the path that it leads to",
        ),
        (at(PathProblem::NotAFile), "/srv/s.redb is not a regular file: name another path"),
        (
            at(PathProblem::Network("NFS")),
            "/srv/s.redb lies on NFS, where locks cannot be relied on: keep the store on a local disk",
        ),
        (
            StoreError::Busy { path: path(), holder: "patdeck (process 7, stopped)".into() },
            "store busy: /srv/s.redb is held by patdeck (process 7, stopped); try again, or end that process if it hangs",
        ),
        (
            StoreError::NeedsWriteAccess { path: path(), need: WriteNeed::Repair },
            "/srv/s.redb needs a repair after a crash, and patdeck runs read-only: start it once without --read-only",
        ),
        (
            at(PathProblem::PermissionDenied),
            "/srv/s.redb may not be opened: run patdeck as the user that owns it",
        ),
        (
            at(PathProblem::NotFound),
            "/srv/s.redb is gone: put it back, or start patdeck again for an empty store",
        ),
        (
            StoreError::Io {
                operation: Operation::Sync,
                path: Some(path()),
                source: Cause::new(io),
            },
            "the store cannot be used (Input/output error (os error 5)): check its disk, then try again",
        ),
    ] {
        assert_eq!(store_message(&error), sentence);
    }
}

#[test]
fn an_error_of_the_content_says_what_to_do_about_it() {
    for (error, sentence) in [
        (
            StoreError::Newer { found: 7, known: 1 },
            "the store has format 7 and this patdeck knows 1: update patdeck, the file was left as it is",
        ),
        (
            StoreError::CommitResultUnknown { source: Cause::new("the disk is full") },
            "whether the change was kept is not sure (the disk is full): look at it before you make it again",
        ),
        (
            StoreError::Full,
            "the disk is full and nothing was changed: free some space, then try again",
        ),
        (
            StoreError::ReadOnly,
            "the store's file system is read-only and nothing was changed: remount it, or name another store",
        ),
        (
            StoreError::ReadOnlyMode,
            "patdeck runs read-only and nothing was changed: leave away --read-only, PATDECK_READ_ONLY or `read-only` in the settings to change something",
        ),
        (
            StoreError::Damaged(Damage { table: "pats-1", key: "k".into() }),
            "k in pats-1 is damaged and was not used: restore a backup",
        ),
        (
            StoreError::Broken { source: Cause::new("page 3") },
            "the store is damaged (page 3): copy its file away, then restore a backup",
        ),
        (
            StoreError::TooLarge { table: "events-1" },
            "this record is too large for events-1: shorten its texts",
        ),
    ] {
        assert_eq!(store_message(&error), sentence);
    }
}

#[test]
fn the_command_that_closes_a_path_to_others_is_complete() {
    for (path, fix, command) in [
        ("/srv/s.redb", PermissionFix::Chmod("600"), "chmod 600 /srv/s.redb"),
        ("/srv/it's", PermissionFix::Chmod("go-w"), r"chmod go-w '/srv/it'\''s'"),
        (
            "/tmp",
            PermissionFix::PrivateFolder,
            "mkdir -m 700 /tmp/patdeck` and keep the store there: `/tmp/patdeck",
        ),
    ] {
        let expected = format!("{path} is open to others (mode 1777): run `{command}`");
        assert_eq!(store_message(&insecure(path, 0o1777, fix)), expected);
    }
}

#[test]
fn a_path_in_a_command_is_one_word_of_the_shell() {
    assert_eq!(quoted(Path::new("/srv/a-b_c.redb")), "/srv/a-b_c.redb");
    assert_eq!(quoted(Path::new("/srv/a b")), "'/srv/a b'");
    assert_eq!(quoted(Path::new("/srv/it's;")), r"'/srv/it'\''s;'");
}

#[test]
fn an_error_within_another_has_its_advice_too() {
    let full = || Box::new(ServiceError::Store(StoreError::Full));
    let unsure = ServiceError::Unsure { why: full(), file: "/srv/secrets".into() };
    let sentence = message(&unsure);
    assert!(sentence.starts_with(
        "the disk is full and nothing was changed: free some space, then try again. Whether the tokens were changed"
    ));
    assert!(sentence.ends_with(
        "/srv/secrets is kept, its secrets work if they were: look at the tokens before you use it"
    ));
    let rule = ServiceError::Refused(crate::domain::Refusal::NothingToRestore);
    assert_eq!(message(&rule), rule.to_string());
}
