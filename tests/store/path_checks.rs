//! Paths that the store refuses to open, and the advice in the messages. The permission checks
//! apply to root, too, because the store checks modes itself.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, chown, symlink},
    path::Path,
    process::Command,
};

use patdeck::output::advice::store_message;
use patdeck::store::{PathError, PathProblem, ReadOps, Store, StoreError};

use crate::{TempStore, add_token, chmod, mode};

fn open_error(path: &Path) -> String {
    store_message(&Store::open(path).unwrap_err())
}

#[test]
fn folder_file_and_register_are_private_under_any_umask() {
    for umask in ["000", "022", "077"] {
        let temp = TempStore::new();
        let path = temp.folder.path().join("new/deep/store.redb");
        // All tests share the umask of this process, so a child process sets its own.
        let child = Command::new("sh")
            .args(["-c", "umask $0; exec \"$1\" --exact path_checks::child_opens", umask])
            .arg(std::env::current_exe().unwrap())
            .env("PATDECK_TEST_OPEN", &path)
            .output()
            .unwrap();
        assert!(child.status.success(), "{child:?}");
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(path.parent().unwrap()), 0o700);
        assert_eq!(mode(&path.with_file_name("store.redb.revoked")), 0o600);
    }
}

#[test]
fn child_opens() {
    if let Some(path) = std::env::var_os("PATDECK_TEST_OPEN") {
        add_token(&Store::open(Path::new(&path)).unwrap(), 1).unwrap();
    }
}

#[test]
fn a_file_that_others_can_read_is_refused_even_while_open() {
    let temp = TempStore::new();
    let store = temp.store();
    for open in [0o640, 0o604, 0o602, 0o610] {
        chmod(&temp.path(), open);
        let shown = fs::canonicalize(temp.path()).unwrap();
        let expected = format!(
            "{0} is accessible to other users (mode {open:04o}): run `chmod 600 {0}`",
            shown.display()
        );
        assert_eq!(open_error(&temp.path()), expected);
        let running = store.read(ReadOps::token_count).unwrap_err();
        assert_eq!(store_message(&running), expected);
        assert_eq!(store_message(&add_token(&store, 1).unwrap_err()), expected);
    }
    chmod(&temp.path(), 0o600);
    add_token(&store, 1).unwrap();
}

#[test]
fn a_folder_that_others_can_write_is_refused() {
    let temp = TempStore::new();
    drop(temp.store());
    let folder = fs::canonicalize(temp.folder.path()).unwrap();
    chmod(&folder, 0o770);
    let expected = format!("(mode 0770): run `chmod 700 {}`", folder.display());
    assert!(open_error(&temp.path()).ends_with(&expected));
    chmod(&folder, 0o1777);
    let inner = folder.join("patdeck");
    assert!(
        open_error(&temp.path()).ends_with(&format!(
            "run `mkdir -m 700 {0}` and keep the store in {0}",
            inner.display()
        ))
    );
    chmod(&folder, 0o755);
    drop(temp.store());
}

#[test]
fn an_ancestor_folder_is_refused_if_all_users_can_write_it() {
    let temp = TempStore::new();
    let ancestor = fs::canonicalize(temp.folder.path()).unwrap().join("ancestor");
    let path = ancestor.join("own/store.redb");
    drop(Store::open(&path).unwrap());
    chmod(&ancestor, 0o777);
    let expected = format!("run `chmod o-w {}`", ancestor.display());
    assert!(open_error(&path).ends_with(&expected));
    for harmless in [0o1777, 0o775] {
        chmod(&ancestor, harmless);
        drop(Store::open(&path).unwrap());
    }
}

#[test]
fn a_file_or_folder_of_another_user_is_refused() {
    let temp = TempStore::new();
    drop(temp.store());
    if chown(temp.path(), Some(4_242), None).is_err() {
        return; // Only root can give a file away.
    }
    let expected = "belongs to user 4242: run patdeck as that user, or change the owner with chown";
    assert!(open_error(&temp.path()).ends_with(expected));
    chown(temp.path(), Some(0), None).unwrap();
    chown(temp.folder.path(), Some(4_242), None).unwrap();
    assert!(open_error(&temp.path()).ends_with(expected));
}

#[test]
fn links_folders_and_pipes_are_refused() {
    let temp = TempStore::new();
    let target = temp.folder.path().join("target.redb");
    drop(Store::open(&target).unwrap());
    symlink(&target, temp.path()).unwrap();
    let link = "is a symbolic link: use the path that the link points to";
    assert!(open_error(&temp.path()).ends_with(link));
    fs::remove_file(&target).unwrap();
    assert!(open_error(&temp.path()).ends_with(link), "a dangling link, too");
    assert!(!target.exists());
    fs::remove_file(temp.path()).unwrap();
    let not_a_file = "is not a regular file: use another path";
    fs::create_dir(temp.path()).unwrap();
    assert!(open_error(&temp.path()).ends_with(not_a_file));
    fs::remove_dir(temp.path()).unwrap();
    assert!(Command::new("mkfifo").arg(temp.path()).status().unwrap().success());
    assert!(open_error(&temp.path()).ends_with(not_a_file));
    assert!(open_error(Path::new("/")).ends_with(not_a_file));
}

#[test]
fn a_link_in_the_folder_path_is_followed() {
    let temp = TempStore::new();
    let real = temp.folder.path().join("real");
    add_token(&Store::open(&real.join("s.redb")).unwrap(), 1).unwrap();
    let link = temp.folder.path().join("link");
    symlink(&real, &link).unwrap();
    let store = Store::open(&link.join("s.redb")).unwrap();
    assert_eq!(store.read(ReadOps::token_count), Ok(1));
}

#[test]
fn a_file_that_is_not_a_store_is_refused_unchanged() {
    let temp = TempStore::new();
    let text = b"a text file that is longer than the magic number of redb".to_vec();
    let redb = {
        const LETTERS: redb::TableDefinition<'_, u64, u64> = redb::TableDefinition::new("letters");
        let db = redb::Database::create(temp.path()).unwrap();
        let transaction = db.begin_write().unwrap();
        transaction.open_table(LETTERS).unwrap().insert(1, 1).unwrap();
        transaction.commit().unwrap();
        drop(db);
        fs::read(temp.path()).unwrap()
    };
    for bytes in [vec![], b"x".to_vec(), text, redb] {
        fs::write(temp.path(), &bytes).unwrap();
        fs::set_permissions(temp.path(), fs::Permissions::from_mode(0o600)).unwrap();
        assert!(
            open_error(&temp.path())
                .ends_with("is not a patdeck store: use another path; the file was not changed")
        );
        assert_eq!(fs::read(temp.path()).unwrap(), bytes);
        assert!(!temp.folder.path().join("store.redb.revoked").exists());
    }
}

#[test]
fn a_store_whose_folder_is_a_file_is_refused() {
    let temp = TempStore::new();
    fs::write(temp.folder.path().join("file"), "x").unwrap();
    let error = Store::open(&temp.folder.path().join("file/s.redb")).unwrap_err();
    assert!(
        matches!(
            error,
            StoreError::Path(PathError { problem: PathProblem::NotAFile, .. })
                | StoreError::Io { .. }
        ),
        "{error}"
    );
}
