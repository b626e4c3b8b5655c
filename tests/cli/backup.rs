//! `backup create`, `backup check` and `backup restore`: a backup is checked before it is trusted,
//! and a restore brings back tokens but no secret that was ended since.

use std::fs;

use patdeck::service::Clock;

use crate::{Home, home::service_on, issue, run, run_with_input, write_private};

fn verdict(home: &Home, secret: &str) -> i32 {
    run_with_input(home, &["verify"], secret).code
}

#[test]
fn a_restore_brings_back_tokens_but_no_ended_secret() {
    let home = Home::new();
    let [kept, revoked, deleted, replaced] =
        ["kept", "revoked", "deleted", "replaced"].map(|name| issue(&home, &[name]));
    run(&home, &["backup", "create", "b.redb"]).success();
    run(&home, &["revoke", "revoked", "--yes"]).success();
    run(&home, &["delete", "deleted", "--yes"]).success();
    for _ in 0..3 {
        run(&home, &["regenerate", "replaced", "--yes"]).success();
    }
    let later = issue(&home, &["later"]);
    let result = run(&home, &["backup", "restore", "b.redb", "--yes"]);
    assert_eq!(result.code, 0, "{result:?}");
    for line in [
        "1 token only in the backup: deleted",
        "1 token only in the store, to be lost: later",
        "2 tokens whose secret was ended since the backup, to stay revoked: ",
        "1 token with a newer secret, which will stop working: replaced",
        "Restored 4 tokens and ",
        "store.redb.before-restore",
    ] {
        assert!(result.err.contains(line), "{line}\n{}", result.err);
    }
    assert_eq!(verdict(&home, &kept), 0);
    for secret in [&revoked, &deleted, &replaced, &later] {
        assert_eq!(verdict(&home, secret), 1);
    }
    let trail = run(&home, &["audit"]).success();
    assert!(trail.contains("restored from backup"), "{trail}");
    run(&home, &["audit", "--check"]).success();
    let report = run(&home, &["doctor"]);
    assert_eq!(report.code, 0, "{report:?}");
    // A regenerated secret works although the lost secrets had higher numbers.
    let new = run(&home, &["regenerate", "replaced", "--yes"]).success();
    assert_eq!(verdict(&home, new.trim()), 0);
    assert!(home.store().with_file_name("store.redb.before-restore").exists());
}

#[test]
fn a_restore_lists_access_that_widens() {
    let home = Home::new();
    let scope = "channels:c-42:publish";
    issue(&home, &["t", "--scope", scope]);
    run(&home, &["backup", "b.redb"]).success();
    run(&home, &["scope", "remove", "t", scope]).success();
    let refused = run(&home, &["backup", "restore", "b.redb"]);
    assert_eq!(refused.code, 2, "{refused:?}");
    let result = run(&home, &["backup", "restore", "b.redb", "--yes"]);
    assert!(
        result.err.contains("1 token with more access in the backup: t (more scopes)"),
        "{result:?}"
    );
    let shown = run(&home, &["show", "t"]).success();
    assert!(shown.contains(scope), "{shown}");
    let again = run(&home, &["backup", "restore", "b.redb", "--yes"]);
    assert!(again.err.contains("store.redb.before-restore.2"), "{again:?}");
}

#[test]
fn a_damaged_or_missing_store_can_be_restored() {
    let home = Home::new();
    let (secret, revoked) = (issue(&home, &["t"]), issue(&home, &["r"]));
    run(&home, &["backup", "b.redb"]).success();
    run(&home, &["revoke", "r", "--yes"]).success();
    for content in [Some(b"no store".as_slice()), None] {
        match content {
            Some(bytes) => fs::write(home.store(), bytes).unwrap(),
            None => fs::remove_file(home.store()).unwrap(),
        }
        run(&home, &["backup", "restore", "b.redb", "--yes"]).success();
        assert_eq!(verdict(&home, &secret), 0);
        assert_eq!(verdict(&home, &revoked), 1, "the register was kept");
    }
}

#[test]
fn a_backup_is_restored_on_an_empty_host() {
    let home = Home::new();
    let (secret, revoked) = (issue(&home, &["t"]), issue(&home, &["r"]));
    run(&home, &["revoke", "r", "--yes"]).success();
    run(&home, &["backup", "b.redb"]).success();
    fs::remove_dir_all(home.store().parent().unwrap()).unwrap();
    let result = run(&home, &["backup", "restore", "b.redb", "--yes"]);
    assert_eq!(result.code, 0, "{result:?}");
    assert_eq!((verdict(&home, &secret), verdict(&home, &revoked)), (0, 1));
    // Without its register, the backup denies what its records say is revoked.
    fs::remove_file(home.path().join("b.redb.revoked")).unwrap();
    fs::remove_dir_all(home.store().parent().unwrap()).unwrap();
    let result = run(&home, &["backup", "restore", "b.redb", "--yes"]);
    assert!(result.err.contains("The backup has no revocation register"), "{result:?}");
    assert_eq!((verdict(&home, &secret), verdict(&home, &revoked)), (0, 1));
}

#[test]
fn reading_a_backup_or_a_restored_store_changes_nothing() {
    let home = Home::new();
    issue(&home, &["t"]);
    issue(&home, &["r"]);
    run(&home, &["revoke", "r", "--yes"]).success();
    run(&home, &["backup", "b.redb"]).success();
    let backup = ["b.redb", "b.redb.revoked"].map(|file| home.path().join(file));
    let before = backup.each_ref().map(|file| fs::read(file).unwrap());
    for command in ["list", "status", "audit", "doctor", "export"] {
        let result = run(&home, &[command, "--store", "b.redb"]);
        assert!(!result.err.contains("register"), "{command}: {result:?}");
    }
    assert!(backup.each_ref().map(|file| fs::read(file).unwrap()) == before);
    fs::remove_dir_all(home.store().parent().unwrap()).unwrap();
    run(&home, &["backup", "restore", "b.redb", "--yes"]).success();
    let result = run(&home, &["list"]);
    assert_eq!((result.code, result.err.as_str()), (0, ""), "{result:?}");
}

#[test]
fn a_damaged_backup_is_reported_and_not_restored() {
    let home = Home::new();
    let secret = issue(&home, &["t"]);
    run(&home, &["backup", "b.redb"]).success();
    let sound = run(&home, &["backup", "check", "b.redb"]);
    assert_eq!((sound.code, sound.err.as_str()), (0, ""), "{sound:?}");
    assert!(
        sound
            .out
            .contains("No faults in b.redb, which contains 1 token, 0 deleted tokens, 2 events"),
        "{sound:?}"
    );
    let path = home.path().join("b.redb");
    let whole = fs::read(&path).unwrap();
    let mut damaged = 0;
    for page in 1..whole.len() / 4096 {
        let mut bytes = whole.clone();
        bytes[page * 4096..(page + 1) * 4096].fill(0);
        fs::write(&path, &bytes).unwrap();
        let checked = run(&home, &["backup", "check", "b.redb"]).code;
        assert!([0, 1].contains(&checked), "page {page}: {checked}");
        if checked != 0 {
            damaged += 1;
            let restored = run(&home, &["backup", "restore", "b.redb", "--yes"]);
            let expected = if checked == 1 { 3 } else { 2 };
            assert_eq!(restored.code, expected, "page {page}: {restored:?}");
        }
    }
    assert!(damaged > 5, "{damaged}");
    assert_eq!(verdict(&home, &secret), 0);
    assert_eq!(run(&home, &["backup", "check", "missing.redb"]).code, 2);
}

#[test]
fn a_store_is_not_restored_from_itself() {
    let home = Home::new();
    let secret = issue(&home, &["t"]);
    let store = home.store();
    let refused = run(&home, &["backup", "restore", store.to_str().unwrap(), "--yes"]);
    assert_eq!(refused.code, 4, "{refused:?}");
    assert!(refused.err.contains("is the store itself, not a backup of it"), "{refused:?}");
    assert_eq!(verdict(&home, &secret), 0);
}

#[test]
fn a_backup_of_another_store_is_not_restored() {
    let (home, other) = (Home::new(), Home::new());
    issue(&home, &["t"]);
    issue(&other, &["t"]);
    run(&other, &["backup", "b.redb"]).success();
    let file = other.path().join("b.redb").display().to_string();
    let result = run(&home, &["backup", "restore", &file, "--yes"]);
    assert!(result.code != 0 && result.err.contains("another store"), "{result:?}");
}

#[test]
fn doctor_and_backup_find_a_lost_page_write() {
    let home = Home::new();
    issue(&home, &["t"]);
    run(&home, &["edit", "t", "--description", "one"]).success();
    let before = fs::read(home.store()).unwrap();
    run(&home, &["edit", "t", "--description", "two"]).success();
    let after = fs::read(home.store()).unwrap();
    let mut found = 0;
    let pages = before.len().min(after.len()) / 4096;
    for page in 1..pages {
        let range = page * 4096..(page + 1) * 4096;
        if before[range.clone()] == after[range.clone()] {
            continue;
        }
        let mut bytes = after.clone();
        bytes[range.clone()].copy_from_slice(&before[range]);
        fs::write(home.store(), &bytes).unwrap();
        if run(&home, &["doctor"]).code == 0 {
            let shown = run(&home, &["show", "t"]).success();
            assert!(shown.contains("two"), "page {page}: {shown}");
        } else {
            found += 1;
            let copy = format!("b{page}.redb");
            assert_ne!(run(&home, &["backup", &copy]).code, 0, "page {page}");
        }
    }
    assert!(found > 0);
}

#[test]
fn a_store_with_any_damaged_page_can_be_restored() {
    let home = Home::new();
    let (secret, revoked) = (issue(&home, &["t"]), issue(&home, &["r"]));
    run(&home, &["backup", "b.redb"]).success();
    run(&home, &["revoke", "r", "--yes"]).success();
    let whole = fs::read(home.store()).unwrap();
    for page in 0..whole.len() / 4096 {
        let mut bytes = whole.clone();
        bytes[page * 4096..(page + 1) * 4096].fill(0);
        fs::write(home.store(), &bytes).unwrap();
        let result = run(&home, &["backup", "restore", "b.redb", "--yes"]);
        assert_eq!(result.code, 0, "page {page}: {result:?}");
        assert_eq!(verdict(&home, &secret), 0, "page {page}");
        assert_eq!(verdict(&home, &revoked), 1, "page {page}");
        fs::remove_file(home.store()).unwrap();
        fs::write(home.store(), &whole).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        fs::set_permissions(home.store(), mode).unwrap();
    }
}

#[test]
fn a_restore_is_refused_if_the_store_changed_after_the_question() {
    let home = Home::new();
    issue(&home, &["t", "--scope", "channels:c-1:read"]);
    run(&home, &["backup", "create", "b.redb"]).success();
    let service = service_on(&home.path().join("b.redb"), Clock::System);
    let target = service.restore_target(&home.store()).unwrap();
    let seen = service.restore_differences(&target).unwrap();
    run(&home, &["scope", "remove", "t", "channels:c-1:read"]).success();
    let error = service.restore_backup(&target, &seen).unwrap_err();
    assert!(error.to_string().contains("changed in the meantime"), "{error}");
    let shown = run(&home, &["show", "t", "--json"]).objects();
    assert_eq!(shown[0]["token"]["scopes"], serde_json::json!([]));
    let seen = service.restore_differences(&target).unwrap();
    service.restore_backup(&target, &seen).unwrap();
}

#[test]
fn a_restore_is_refused_if_another_history_replaced_the_store() {
    let home = Home::new();
    issue(&home, &["t", "--scope", "channels:c-1:read"]);
    let backup = home.path().join("b.redb");
    run(&home, &["backup", "create", "b.redb"]).success();
    run(&home, &["edit", "t", "--description", "1"]).success();
    run(&home, &["edit", "t", "--description", "2"]).success();
    // Each replacement has as many events as the store that the operator saw.
    let replacements: [&dyn Fn(); 2] = [
        &|| {
            run(&home, &["backup", "restore", "b.redb", "--yes"]).success();
            run(&home, &["scope", "remove", "t", "channels:c-1:read"]).success();
        },
        &|| {
            for file in [home.store(), home.store().with_file_name("store.redb.revoked")] {
                fs::remove_file(file).unwrap();
            }
            for name in ["a", "b", "c"] {
                issue(&home, &[name]);
            }
        },
    ];
    for replace in replacements {
        let service = service_on(&backup, Clock::System);
        let target = service.restore_target(&home.store()).unwrap();
        let seen = service.restore_differences(&target).unwrap();
        replace();
        let before = run(&home, &["export"]).success();
        service.restore_backup(&target, &seen).unwrap_err();
        assert_eq!(run(&home, &["export"]).success().lines().nth(1), before.lines().nth(1));
    }
}

#[test]
fn a_restore_is_refused_if_a_store_appeared_after_the_question() {
    let home = Home::new();
    issue(&home, &["t"]);
    run(&home, &["backup", "create", "b.redb"]).success();
    let current = fs::read(home.store()).unwrap();
    fs::remove_file(home.store()).unwrap();
    let service = service_on(&home.path().join("b.redb"), Clock::System);
    let target = service.restore_target(&home.store()).unwrap();
    let seen = service.restore_differences(&target).unwrap();
    write_private(&home, "current", "");
    fs::write(home.path().join("current"), current).unwrap();
    fs::rename(home.path().join("current"), home.store()).unwrap();
    let error = service.restore_backup(&target, &seen).unwrap_err();
    assert!(error.to_string().contains("changed in the meantime"), "{error}");
}

#[test]
fn a_restore_keeps_the_register_of_another_store() {
    let (home, other) = (Home::new(), Home::new());
    for home in [&home, &other] {
        let secret = issue(home, &["t"]);
        run(home, &["revoke", "t", "--yes"]).success();
        assert_eq!(verdict(home, &secret), 1);
    }
    run(&home, &["backup", "create", "b.redb"]).success();
    let register = |home: &Home| home.store().with_file_name("store.redb.revoked");
    fs::copy(register(&other), register(&home)).unwrap();
    let refused = run(&home, &["backup", "restore", "b.redb", "--yes"]);
    assert_ne!(refused.code, 0, "{refused:?}");
    assert_eq!(fs::read(register(&home)).unwrap(), fs::read(register(&other)).unwrap());
}
