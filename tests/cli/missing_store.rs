//! A path with a typing error: only `create` and `import` create a store there. Every other command
//! reports the missing store with exit 4 and creates no file and no folder. Nothing is created
//! below a folder of another user.

use std::{fs, os::unix::fs::PermissionsExt as _, os::unix::fs::chown, path::Path};

use crate::{CommandResult, Home, command, issue, run};

pub(crate) const HINT: &str =
    "check the path; `patdeck create` and `patdeck import` create a missing store";

/// Commands on a missing store that must not create it.
const READS_AND_CHANGES: &[&[&str]] = &[
    &["list"],
    &["show", "ci"],
    &["edit", "ci", "--name", "x"],
    &["scope", "add", "ci", "channels:c-1:read"],
    &["scope", "remove", "ci", "channels:c-1:read"],
    &["scope", "clear", "ci", "--yes"],
    &["revoke", "ci", "--yes"],
    &["regenerate", "ci", "--yes"],
    &["delete", "ci", "--yes"],
    &["delete", "--all", "--yes"],
    &["restore", "ci"],
    &["verify"],
    &["verify", "--lines"],
    &["audit"],
    &["audit", "--check"],
    &["audit", "--follow"],
    &["scan", "."],
    &["scan", ".", "--revoke", "--yes"],
    &["export"],
    &["backup", "copy.redb"],
];

fn entries(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn only_create_and_import_create_a_missing_store() {
    let home = Home::new();
    fs::write(home.path().join("all.jsonl"), "").unwrap();
    let message = format!("no store at {}", home.store().display());
    for arguments in READS_AND_CHANGES {
        run(&home, arguments).fails_with_hint(4, &message, HINT);
        assert_eq!(entries(&home.path()), ["all.jsonl"], "{arguments:?}");
    }
    let CommandResult { code, out, err } = run(&home, &["doctor"]);
    assert_eq!((code, err.as_str()), (4, ""));
    assert!(out.contains(&message), "{out}");
    assert_eq!(entries(&home.path()), ["all.jsonl"], "doctor");

    issue(&home, &["ci", "--store", "one/s.redb"]);
    run(&home, &["export", "--output", "ci.jsonl", "--store", "one/s.redb"]).success();
    let tried = run(&home, &["import", "ci.jsonl", "--dry-run", "--store", "two/s.redb"]);
    assert_eq!((tried.code, tried.out.contains("ci")), (0, true), "{tried:?}");
    let path = home.path().join("two/s.redb");
    let message = format!("No store at {}: the import would create it\n", path.display());
    assert!(tried.err.starts_with(&message) && !path.parent().unwrap().exists(), "{tried:?}");
    run(&home, &["import", "ci.jsonl", "--store", "two/s.redb"]).success();
    for store in ["one/s.redb", "two/s.redb"] {
        assert!(run(&home, &["list", "--store", store]).success().contains("ci"));
    }
}

#[test]
fn nothing_is_created_below_a_folder_of_another_user() {
    let home = Home::new();
    if chown(home.path(), Some(4_242), None).is_err() {
        println!("skipped: only root can give a folder away");
        return;
    }
    for arguments in [&["create", "ci"][..], &["list"], &["doctor"], &["config", "init"]] {
        let result = run(&home, arguments);
        assert_ne!(result.code, 0, "{result:?}");
        assert_eq!(entries(&home.path()), [""; 0], "{arguments:?}");
        if arguments[0] != "list" && arguments[0] != "doctor" {
            assert!(result.err.contains("belongs to user 4242"), "{result:?}");
        }
    }
}

#[test]
fn a_file_that_is_not_a_store_gets_no_advice_to_chmod() {
    let home = Home::new();
    let path = home.path().join("notes.txt");
    fs::write(&path, "root:x:0:0:root:/root:/bin/sh\n").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let message = format!("{} is not a patdeck store", path.display());
    let hint = "use another path; the file was not changed";
    run(&home, &["list", "--store", "notes.txt"]).fails_with_hint(4, &message, hint);
    run(&home, &["create", "ci", "--store", "notes.txt"]).fails_with_hint(4, &message, hint);
}

#[test]
fn a_tilde_in_the_path_of_the_store_is_the_home_folder() {
    let home = Home::new();
    run(&home, &["create", "t", "--store", "~/by-option.redb"]).success();
    let mut by_variable = command(&home, &["create", "t"]);
    by_variable.env("PATDECK_STORE", "~/by-variable.redb");
    assert!(by_variable.output().unwrap().status.success());
    for name in ["by-option.redb", "by-variable.redb"] {
        assert!(home.path().join(name).exists(), "{name}");
    }
    assert!(!home.path().join("~").exists());
}
