//! What is not opened, with what the message tells to do. The modes hold for root too: they are
//! looked at, not run into.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, chown, symlink},
    path::Path,
    process::Command,
};

use patdeck::output::advice::store_message;
use patdeck::store::{PathError, PathProblem, ReadOps, Store, StoreError};

use crate::{Place, add, chmod, mode};

fn refused(path: &Path) -> String {
    store_message(&Store::open(path).unwrap_err())
}

#[test]
fn folder_file_and_reserve_are_ours_alone_under_any_umask() {
    for umask in ["000", "022", "077"] {
        let place = Place::new();
        let path = place.folder.path().join("new/deep/store.redb");
        // A umask belongs to a process, and tests share theirs: a child has its own.
        let child = Command::new("sh")
            .args(["-c", "umask $0; exec \"$1\" --exact refusals::child_opens", umask])
            .arg(std::env::current_exe().unwrap())
            .env("PATDECK_TEST_OPEN", &path)
            .output()
            .unwrap();
        assert!(child.status.success(), "{child:?}");
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(path.parent().unwrap()), 0o700);
        assert_eq!(mode(&path.with_file_name("store.redb.reserve")), 0o600);
    }
}

#[test]
fn child_opens() {
    if let Some(path) = std::env::var_os("PATDECK_TEST_OPEN") {
        add(&Store::open(Path::new(&path)).unwrap(), 1).unwrap();
    }
}

#[test]
fn a_file_that_others_may_read_is_refused_at_the_start_and_later() {
    let place = Place::new();
    let store = place.store();
    for open in [0o640, 0o604, 0o602, 0o610] {
        chmod(&place.path(), open);
        let shown = fs::canonicalize(place.path()).unwrap();
        let expected = format!(
            "{0} is open to others (mode {open:04o}): run `chmod 600 {0}`",
            shown.display()
        );
        assert_eq!(refused(&place.path()), expected);
        let running = store.read(ReadOps::token_count).unwrap_err();
        assert_eq!(store_message(&running), expected);
        assert_eq!(store_message(&add(&store, 1).unwrap_err()), expected);
    }
    chmod(&place.path(), 0o600);
    add(&store, 1).unwrap();
}

#[test]
fn a_folder_that_others_may_write_is_refused() {
    let place = Place::new();
    drop(place.store());
    let folder = fs::canonicalize(place.folder.path()).unwrap();
    chmod(&folder, 0o770);
    let expected = format!("(mode 0770): run `chmod 700 {}`", folder.display());
    assert!(refused(&place.path()).ends_with(&expected));
    chmod(&folder, 0o1777);
    let inner = folder.join("patdeck");
    assert!(refused(&place.path()).ends_with(&format!(
        "run `mkdir -m 700 {0}` and keep the store there: `{0}`",
        inner.display()
    )));
    chmod(&folder, 0o755);
    drop(place.store());
}

#[test]
fn a_folder_on_the_way_is_refused_only_if_anybody_could_swap_what_is_in_it() {
    let place = Place::new();
    let way = fs::canonicalize(place.folder.path()).unwrap().join("way");
    let path = way.join("own/store.redb");
    drop(Store::open(&path).unwrap());
    chmod(&way, 0o777);
    let expected = format!("run `chmod o-w {}`", way.display());
    assert!(refused(&path).ends_with(&expected));
    for harmless in [0o1777, 0o775] {
        chmod(&way, harmless);
        drop(Store::open(&path).unwrap());
    }
}

#[test]
fn another_users_file_or_folder_is_refused() {
    let place = Place::new();
    drop(place.store());
    if chown(place.path(), Some(4_242), None).is_err() {
        return; // Only root can give a file away.
    }
    let expected = "belongs to user 4242: run patdeck as that user, or give it to yours with chown";
    assert!(refused(&place.path()).ends_with(expected));
    chown(place.path(), Some(0), None).unwrap();
    chown(place.folder.path(), Some(4_242), None).unwrap();
    assert!(refused(&place.path()).ends_with(expected));
}

#[test]
fn links_folders_and_pipes_are_refused() {
    let place = Place::new();
    let target = place.folder.path().join("target.redb");
    drop(Store::open(&target).unwrap());
    symlink(&target, place.path()).unwrap();
    let link = "is a symbolic link: name the path that it leads to";
    assert!(refused(&place.path()).ends_with(link));
    fs::remove_file(&target).unwrap();
    assert!(refused(&place.path()).ends_with(link), "also one to nothing");
    assert!(!target.exists());
    fs::remove_file(place.path()).unwrap();
    let not_a_file = "is not a regular file: name another path";
    fs::create_dir(place.path()).unwrap();
    assert!(refused(&place.path()).ends_with(not_a_file));
    fs::remove_dir(place.path()).unwrap();
    assert!(Command::new("mkfifo").arg(place.path()).status().unwrap().success());
    assert!(refused(&place.path()).ends_with(not_a_file));
    assert!(refused(Path::new("/")).ends_with(not_a_file));
}

#[test]
fn a_link_in_the_folder_is_followed() {
    let place = Place::new();
    let real = place.folder.path().join("real");
    add(&Store::open(&real.join("s.redb")).unwrap(), 1).unwrap();
    let link = place.folder.path().join("link");
    symlink(&real, &link).unwrap();
    let store = Store::open(&link.join("s.redb")).unwrap();
    assert_eq!(store.read(ReadOps::token_count), Ok(1));
}

#[test]
fn what_is_no_store_is_refused_and_left_as_it_is() {
    let place = Place::new();
    let text = b"a letter, longer than any magic number, that somebody still needs".to_vec();
    let redb = {
        const LETTERS: redb::TableDefinition<'_, u64, u64> = redb::TableDefinition::new("letters");
        let db = redb::Database::create(place.path()).unwrap();
        let transaction = db.begin_write().unwrap();
        transaction.open_table(LETTERS).unwrap().insert(1, 1).unwrap();
        transaction.commit().unwrap();
        drop(db);
        fs::read(place.path()).unwrap()
    };
    for bytes in [vec![], b"x".to_vec(), text, redb] {
        fs::write(place.path(), &bytes).unwrap();
        fs::set_permissions(place.path(), fs::Permissions::from_mode(0o600)).unwrap();
        assert!(refused(&place.path()).ends_with(
            "is not a patdeck store: it was left as it is, move it away or name another path"
        ));
        assert_eq!(fs::read(place.path()).unwrap(), bytes);
        assert!(!place.folder.path().join("store.redb.reserve").exists());
    }
}

#[test]
fn a_store_whose_folder_is_a_file_says_which() {
    let place = Place::new();
    fs::write(place.folder.path().join("file"), "x").unwrap();
    let error = Store::open(&place.folder.path().join("file/s.redb")).unwrap_err();
    assert!(
        matches!(
            error,
            StoreError::Path(PathError { problem: PathProblem::NotAFile, .. })
                | StoreError::Io { .. }
        ),
        "{error}"
    );
}
