//! A backup that is restored into a store which lacks one of its tokens, because an older backup or
//! copy took the place of the store: the token gets nothing back that was taken from it.

use std::fs;

use crate::{CommandResult, Home, issue, run, run_with_input, write_private};

const SCOPES: [&str; 4] = ["--scope", "channels:c-1:read", "--scope", "channels:c-2:read"];

/// The ways to a store without the token `t`, each with the commands or the file that lead there.
const WAYS: [&str; 3] = ["monday restored", "lost, monday restored", "older copy"];

/// A store with a copy and a backup from before the token `t` was created, and a backup and an export
/// with the token. Returns the copy and the secret.
fn two_backups(options: &[&str]) -> (Home, Vec<u8>, String) {
    let home = Home::new();
    issue(&home, &["first"]);
    let old = fs::read(home.store()).unwrap();
    run(&home, &["backup", "create", "monday"]).success();
    let secret = issue(&home, &[&["t"], &SCOPES[..], options].concat());
    run(&home, &["backup", "create", "tuesday"]).success();
    let export = run(&home, &["export"]).success();
    write_private(&home, "export.jsonl", &export);
    (home, old, secret)
}

fn lose_token(home: &Home, way: &str, old: &[u8]) {
    if way == "older copy" {
        fs::write(home.store(), old).unwrap();
        return;
    }
    if way.starts_with("lost") {
        fs::remove_file(home.store()).unwrap();
    }
    run(home, &["backup", "restore", "monday", "--yes"]).success();
}

fn read_c1(home: &Home, secret: &str) -> CommandResult {
    let arguments = ["verify", "--scope", "channels:c-1:read", "--from", "192.0.2.7"];
    run_with_input(home, &arguments, secret)
}

#[test]
fn a_second_restore_gives_nothing_back() {
    let changes: [&[&str]; 5] = [
        &["scope", "remove", "t", "channels:c-1:read"],
        &["edit", "t", "--allow-from", "10.0.0.0/8"],
        &["edit", "t", "--not-before", "2h"],
        &["regenerate", "t", "--overlap", "0", "--yes"],
        &["revoke", "t", "--yes"],
    ];
    for way in WAYS {
        for change in changes {
            let (home, old, secret) = two_backups(&[]);
            assert_eq!(read_c1(&home, &secret).code, 0);
            run(&home, change).success();
            assert_eq!(read_c1(&home, &secret).code, 1);
            lose_token(&home, way, &old);
            let restored = run(&home, &["backup", "restore", "tuesday", "--yes"]);
            assert_eq!(restored.code, 0, "{restored:?}");
            let code = read_c1(&home, &secret).code;
            assert_eq!(code, 1, "{way}, {change:?}: {restored:?}");
        }
    }
}

#[test]
fn a_token_that_was_not_changed_comes_back() {
    for way in WAYS {
        let (home, old, secret) = two_backups(&[]);
        lose_token(&home, way, &old);
        run(&home, &["backup", "restore", "tuesday", "--yes"]).success();
        assert_eq!(read_c1(&home, &secret).code, 0, "{way}");
    }
}

#[test]
fn the_replaced_store_can_be_put_back() {
    let (home, _, secret) = two_backups(&["--max-uses", "5"]);
    run(&home, &["scope", "remove", "t", "channels:c-2:read"]).success();
    assert_eq!(read_c1(&home, &secret).code, 0);
    run(&home, &["backup", "restore", "monday", "--yes"]).success();
    assert_eq!(read_c1(&home, &secret).code, 1);
    fs::rename(home.store().with_file_name("store.redb.before-restore"), home.path().join("b"))
        .unwrap();
    run(&home, &["backup", "restore", "b", "--yes"]).success();
    assert_eq!(read_c1(&home, &secret).code, 0);
    assert_eq!(run(&home, &["doctor"]).code, 0);
}

#[test]
fn taken_uses_stay_taken_after_two_restores() {
    for way in ["monday restored", "imported"] {
        let (home, old, secret) = two_backups(&["--max-uses", "2"]);
        let codes = [0, 1, 2].map(|_| read_c1(&home, &secret).code);
        assert_eq!(codes, [0, 0, 1]);
        lose_token(&home, "monday restored", &old);
        assert_eq!(run(&home, &["doctor"]).code, 0);
        if way == "imported" {
            run(&home, &["import", "export.jsonl", "--on-conflict", "skip"]).success();
        } else {
            run(&home, &["backup", "restore", "tuesday", "--yes"]).success();
        }
        assert_eq!(read_c1(&home, &secret).code, 1, "{way}");
        let report = run(&home, &["doctor"]);
        assert_eq!(report.code, 0, "{report:?}");
    }
}

#[test]
fn taken_uses_survive_the_removal_of_the_maximum() {
    let (home, _, secret) = two_backups(&["--max-uses", "2"]);
    let codes = [0, 1, 2].map(|_| read_c1(&home, &secret).code);
    assert_eq!(codes, [0, 0, 1]);
    run(&home, &["edit", "t", "--max-uses", "none"]).success();
    run(&home, &["import", "export.jsonl", "--on-conflict", "replace"]).success();
    assert_eq!(read_c1(&home, &secret).code, 1);
}

/// Ways back to a secret whose uses are taken, each as command lines.
const WAYS_BACK: [(&str, &[&str]); 5] = [
    ("regenerated", &["backup restore monday --yes", "backup restore later --yes"]),
    ("maximum set later", &["backup restore before --yes", "backup restore later --yes"]),
    ("maximum set again", &["backup restore before --yes", "edit t --max-uses 2"]),
    (
        "deleted, not in the backup",
        &[
            "delete t --yes",
            "backup restore monday --yes",
            "import export --on-conflict replace --yes",
        ],
    ),
    (
        "deleted, in the backup",
        &[
            "delete t --yes",
            "backup restore later --yes",
            "import export --on-conflict replace --yes",
        ],
    ),
];

#[test]
fn uses_stay_taken_on_every_way_back() {
    for (way, back) in WAYS_BACK {
        let home = Home::new();
        let line = |line: &str| run(&home, &line.split(' ').collect::<Vec<_>>());
        issue(&home, &["first"]);
        line("backup create monday").success();
        let mut secret = issue(&home, &["t"]);
        if way == "regenerated" {
            line("edit t --max-uses 2").success();
            secret = line("regenerate t --yes").success();
        }
        line("backup create before").success();
        line("edit t --max-uses 2");
        line("scope add t channels:c-1:read").success();
        line("backup create later").success();
        write_private(&home, "export", &line("export").success());
        let codes = [0, 1, 2].map(|_| read_c1(&home, secret.trim()).code);
        assert_eq!(codes, [0, 0, 1], "{way}");
        for command in back {
            line(command).success();
        }
        line("scope add t channels:c-1:read");
        assert_eq!(read_c1(&home, secret.trim()).code, 1, "{way}");
        let report = line("doctor");
        assert_eq!(report.code, 0, "{way} {report:?}");
    }
}

/// A backup of a token that is deleted, and a later one of its newest secret.
#[test]
fn an_import_after_a_restore_gives_an_ended_secret_no_new_life() {
    for ending in ["revoke", "delete"] {
        let home = Home::new();
        let first = issue(&home, &["a"]);
        run(&home, &["delete", "a", "--yes"]).success();
        run(&home, &["backup", "create", "deleted"]).success();
        run(&home, &["restore", "a"]).success();
        write_private(&home, "a.jsonl", &run(&home, &["export"]).success());
        let second = run(&home, &["regenerate", "a", "--yes"]).success();
        run(&home, &["backup", "create", "newest"]).success();
        run(&home, &[ending, "a", "--yes"]).success();
        run(&home, &["backup", "restore", "deleted", "--yes"]).success();
        let import = ["import", "a.jsonl", "--on-conflict", "replace"];
        assert_eq!(run(&home, &import).code, 3);
        run(&home, &[import.as_slice(), &["--yes"]].concat()).success();
        let check = |secret: &str| run_with_input(&home, &["verify"], secret.trim()).code;
        assert_eq!((check(&first), check(&second)), (0, 1), "{ending}: as the import has said");
        run(&home, &["backup", "restore", "newest", "--yes"]).success();
        assert_eq!(check(&second), 1, "{ending}");
    }
}

#[test]
fn an_import_without_a_record_asks_for_what_was_taken() {
    let home = Home::new();
    issue(&home, &[&["a"], &SCOPES[..]].concat());
    run(&home, &["revoke", "a", "--yes"]).success();
    write_private(&home, "a.jsonl", &run(&home, &["export"]).success());
    run(&home, &["delete", "a", "--yes"]).success();
    run(&home, &["backup", "create", "deleted"]).success();
    run(&home, &["restore", "a"]).success();
    run(&home, &["scope", "remove", "a", "channels:c-1:read"]).success();
    run(&home, &["edit", "a", "--allow-from", "10.0.0.0/8"]).success();
    run(&home, &["backup", "restore", "deleted", "--yes"]).success();
    let import = ["import", "a.jsonl", "--on-conflict", "replace"];
    let refused = run(&home, &import);
    assert_eq!(refused.code, 3, "{refused:?}");
    assert!(refused.err.contains("may give back scopes and limits"), "{refused:?}");
    run(&home, &[import.as_slice(), &["--yes"]].concat()).success();
}
