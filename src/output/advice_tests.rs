//! The text of every error of the store, with its hint, as operators read it.

use super::*;
use crate::service::{Cause, DamagedRecord, IoOperation, WriteAccessReason};

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
fn a_path_error_has_a_hint() {
    let io = std::io::Error::from_raw_os_error(5);
    for (error, sentence) in [
        (
            at(PathProblem::NotAStore),
            "/srv/s.redb is not a patdeck store: use another path; the file was not changed",
        ),
        (
            at(PathProblem::Exists),
            "/srv/s.redb already exists and was not changed: choose another name",
        ),
        (
            at(PathProblem::MissingFolder),
            "the folder of /srv/s.redb does not exist: create the folder, or choose another path",
        ),
        (
            at(PathProblem::ForeignOwner(7)),
            "/srv/s.redb belongs to user 7: run patdeck as that user, or change the owner with chown",
        ),
        (
            at(PathProblem::Symlink),
            "/srv/s.redb is a symbolic link: use the path that the link points to",
        ),
        (at(PathProblem::NotAFile), "/srv/s.redb is not a regular file: use another path"),
        (
            at(PathProblem::Network("NFS")),
            "/srv/s.redb is on NFS, where file locks are unreliable: keep the store on a local disk",
        ),
        (
            StoreError::Busy { path: path(), holder: "patdeck (process 7, stopped)".into() },
            "the store is busy: /srv/s.redb is locked by patdeck (process 7, stopped); try again, or end that process if it hangs",
        ),
        (
            StoreError::NeedsWriteAccess { path: path(), reason: WriteAccessReason::Repair },
            "/srv/s.redb needs a repair after a crash, but patdeck is in read-only mode: run patdeck once without --read-only",
        ),
        (
            at(PathProblem::PermissionDenied),
            "/srv/s.redb cannot be opened: permission denied; run patdeck as the owner of the file",
        ),
        (
            at(PathProblem::NoStore),
            "no store at /srv/s.redb: check the path; `patdeck create` and `patdeck import` create a missing store",
        ),
        (at(PathProblem::NotFound), "/srv/s.redb does not exist: check the path"),
        (
            at(PathProblem::NamesFolder),
            "/srv/s.redb names a folder, not a file: add the name of a file",
        ),
        (
            StoreError::Io {
                operation: IoOperation::Sync,
                path: Some(path()),
                source: Cause::new(io),
            },
            "cannot sync /srv/s.redb (Input/output error (os error 5)): check the disk, then try again",
        ),
    ] {
        assert_eq!(diagnose_store(&error).to_string(), sentence);
    }
}

#[test]
fn a_content_error_has_a_hint() {
    for (error, sentence) in [
        (
            StoreError::NewerFormat { found: 7, supported: 1 },
            "the store has format 7, but this patdeck supports only formats up to 1: update patdeck; the file was not changed",
        ),
        (
            StoreError::CommitResultUnknown { source: Cause::new("the disk is full") },
            "it is not known whether the change was saved (the disk is full): check the result before you repeat the change",
        ),
        (
            StoreError::Full,
            "the disk is full; nothing was changed: free some space, then try again",
        ),
        (
            StoreError::ReadOnly,
            "the store's file system is read-only; nothing was changed: remount the file system as writable, or use another store",
        ),
        (
            StoreError::ReadOnlyMode,
            "patdeck is in read-only mode; nothing was changed: to make changes, remove --read-only, PATDECK_READ_ONLY and `read-only` in the config",
        ),
        (
            StoreError::Damaged(DamagedRecord { table: "pats-1", key: "k".into() }),
            "k in pats-1 is damaged and was not used: restore a backup",
        ),
        (
            StoreError::Corrupted { source: Cause::new("page 3") },
            "the store is damaged (page 3): keep a copy of the file, then restore a backup",
        ),
        (
            StoreError::TooLarge { table: "events-1" },
            "the record is too large for the table events-1: shorten its name, description or scopes",
        ),
        (
            StoreError::UnsupportedTime,
            "a time is outside the years 1970 to 9999: correct the clock",
        ),
    ] {
        assert_eq!(diagnose_store(&error).to_string(), sentence);
    }
}

#[test]
fn a_permission_error_names_the_command_that_fixes_it() {
    for (path, fix, command) in [
        ("/srv/s.redb", PermissionFix::Chmod("600"), "`chmod 600 /srv/s.redb`"),
        ("/srv/it's", PermissionFix::Chmod("go-w"), r"`chmod go-w '/srv/it'\''s'`"),
        (
            "/tmp",
            PermissionFix::PrivateFolder,
            "`mkdir -m 700 /tmp/patdeck` and keep the store in /tmp/patdeck",
        ),
    ] {
        let expected = format!("{path} is accessible to other users (mode 1777): run {command}");
        assert_eq!(diagnose_store(&insecure(path, 0o1777, fix)).to_string(), expected);
    }
}

#[test]
fn a_path_in_a_command_is_quoted_for_the_shell() {
    assert_eq!(shell_quote(Path::new("/srv/a-b_c.redb")), "/srv/a-b_c.redb");
    assert_eq!(shell_quote(Path::new("/srv/a b")), "'/srv/a b'");
    assert_eq!(shell_quote(Path::new("/srv/it's;")), r"'/srv/it'\''s;'");
}

#[test]
fn an_inner_error_has_its_hint_too() {
    let full = || Box::new(ServiceError::Store(StoreError::Full));
    let unsure = ServiceError::ResultUnknown { cause: full(), file: Some("/srv/secrets".into()) };
    let sentence = message(&unsure);
    assert!(sentence.starts_with(
        "the disk is full; nothing was changed: free some space, then try again. The tokens may or may not"
    ));
    assert!(sentence.ends_with("check them before you use the new secrets in /srv/secrets"));
    let rule = ServiceError::Refused(crate::domain::Refusal::NothingToRestore);
    assert_eq!(message(&rule), rule.to_string());
}

#[test]
fn message_and_hint_are_joined_by_a_colon_or_a_semicolon() {
    let joined = |message: &str| Diagnostic::new(message).with_hint("try again").to_string();
    assert_eq!(joined("the disk is full"), "the disk is full: try again");
    assert_eq!(joined("busy: locked"), "busy: locked; try again");
    assert_eq!(Diagnostic::new("busy: locked").to_string(), "busy: locked");
}
