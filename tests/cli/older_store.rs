//! Changes on an older copy of the store, before the newer store comes back: what was taken from a token
//! on either of them stays taken.

use std::fs;

use crate::{Home, issue, run, run_with_input, write_private};

const READ_C1: [&str; 3] = ["verify", "--scope", "channels:c-1:read"];
const REMOVE_C1: [&str; 4] = ["scope", "remove", "t", "channels:c-1:read"];

/// A store with the token `t`, which may read two channels, and a copy of it from before a scope was
/// removed. Also returns the secret and an export of the copy.
fn narrowed() -> (Home, Vec<u8>, String) {
    let home = Home::new();
    let scopes = ["--scope", "channels:c-1:read", "--scope", "channels:c-2:read"];
    issue(&home, &[["t"].as_slice(), &scopes].concat());
    let old = fs::read(home.store()).unwrap();
    let export = run(&home, &["export"]).success();
    write_private(&home, "old.jsonl", &export);
    run(&home, &REMOVE_C1).success();
    let secret = run(&home, &["regenerate", "t", "--yes"]).success().trim().to_owned();
    (home, old, secret)
}

fn code_of(home: &Home, secret: &str) -> i32 {
    run_with_input(home, &["verify"], secret).code
}

#[test]
fn a_stale_token_that_was_revoked_gets_no_new_secret() {
    for ending in ["revoke", "delete"] {
        let (home, old, secret) = narrowed();
        let newer = fs::read(home.store()).unwrap();
        fs::write(home.store(), old).unwrap();
        run(&home, &[ending, "t", "--yes"]).success();
        if ending == "revoke" {
            let refused = run(&home, &["regenerate", "t", "--yes"]);
            assert_eq!((refused.code, refused.out.as_str()), (3, ""), "{refused:?}");
        } else {
            let refused = run(&home, &["restore", "t"]);
            assert_eq!((refused.code, refused.out.as_str()), (3, ""), "{refused:?}");
        }
        let import = ["import", "old.jsonl", "--on-conflict", "replace", "--yes"];
        let refused = run(&home, &import);
        assert_eq!(refused.code, 3, "{refused:?}");
        assert!(refused.err.contains("was ended for good"), "{refused:?}");
        // A backup is a store without a token that could be given more than before.
        run(&home, &["backup", "create", "b.redb"]).success();
        let report = run(&home, &["doctor"]);
        assert_eq!(report.code, 0, "{report:?}");
        // The copy did not know the secret that was issued since.
        fs::write(home.store(), newer).unwrap();
        assert_eq!(code_of(&home, &secret), 1, "{ending}");
        let other = Home::new();
        for suffix in ["", ".revoked"] {
            let name = format!("b.redb{suffix}");
            fs::copy(home.path().join(&name), other.path().join(&name)).unwrap();
        }
        run(&other, &["backup", "restore", "b.redb", "--yes"]).success();
        for change in [["regenerate", "t", "--yes"].as_slice(), &["restore", "t"]] {
            let refused = run(&other, change);
            assert_ne!(refused.code, 0, "{ending}: {refused:?}");
            assert_eq!(refused.out, "", "{ending}: {refused:?}");
        }
    }
}

#[test]
fn every_refusal_tells_that_a_token_was_ended_for_good() {
    let (home, old, _) = narrowed();
    fs::write(home.store(), &old).unwrap();
    let refused = run(&home, &["regenerate", "t", "--yes"]);
    assert!(refused.err.contains("t is out of date"), "{refused:?}");
    run(&home, &["revoke", "t", "--yes"]).success();
    let for_good = "t: the token was ended for good, because its record was older than the \
                    revocation register: create a new token";
    let mut commands = vec![
        vec!["regenerate", "t", "--yes"],
        vec!["revoke", "t", "--yes"],
        vec!["revoke", "t", "--old", "--yes"],
        vec!["edit", "t", "--description", "x"],
        vec!["scope", "add", "t", "channels:c-9:read"],
    ];
    for command in &commands {
        run(&home, command).fails(3, for_good);
    }
    run(&home, &["delete", "t", "--yes"]).success();
    run(&home, &["restore", "t"]).fails(3, for_good);
    commands.push(vec!["create", "new", "--like", "t"]);
    commands.push(vec!["show", "t"]);
    let hint = "it was ended for good and cannot be restored: create a new token";
    for command in &commands {
        run(&home, command).fails_with_hint(1, "token t was deleted", hint);
    }
}

#[test]
fn many_stale_tokens_are_ended_for_good() {
    let (home, old, secret) = narrowed();
    let newer = fs::read(home.store()).unwrap();
    fs::write(home.store(), old).unwrap();
    run(&home, &["delete", "--all", "--yes"]).success();
    fs::write(home.store(), newer).unwrap();
    assert_eq!(code_of(&home, &secret), 1);
}

#[test]
fn a_change_on_an_older_copy_ends_nothing_in_the_newer_store() {
    let home = Home::new();
    let replaced = issue(&home, &["a"]);
    issue(&home, &["b"]);
    let old = fs::read(home.store()).unwrap();
    let secret = run(&home, &["regenerate", "a", "--yes"]).success().trim().to_owned();
    run(&home, &["revoke", "b", "--yes"]).success();
    let newer = fs::read(home.store()).unwrap();
    fs::write(home.store(), old).unwrap();
    run(&home, &["create", "c"]).success();
    assert_eq!(code_of(&home, &replaced), 1);
    assert_eq!(run(&home, &["regenerate", "a", "--yes"]).code, 3, "the copy lacks a change of a");
    // As `doctor` advises.
    fs::write(home.store(), newer).unwrap();
    assert_eq!(code_of(&home, &secret), 0, "the newer store came back");
    assert_eq!(code_of(&home, &replaced), 1);
    run(&home, &["regenerate", "a", "--yes"]).success();
}

/// A secret that a restored record does not know, of a store that is put back after the restore.
#[test]
fn a_deletion_after_a_restore_also_ends_the_newer_secret() {
    let home = Home::new();
    issue(&home, &["a"]);
    run(&home, &["backup", "create", "b.redb"]).success();
    let secret = run(&home, &["regenerate", "a", "--yes"]).success().trim().to_owned();
    run(&home, &["delete", "a", "--yes"]).success();
    let replaced = fs::read(home.store()).unwrap();
    run(&home, &["backup", "restore", "b.redb", "--yes"]).success();
    run(&home, &["delete", "a", "--yes"]).success();
    fs::write(home.store(), replaced).unwrap();
    let refused = run(&home, &["restore", "a"]);
    assert_eq!(refused.code, 3, "{refused:?}");
    assert_eq!(code_of(&home, &secret), 1);
}

#[test]
fn a_limit_that_was_set_on_an_older_copy_stays_in_force() {
    let home = Home::new();
    let secret = issue(&home, &["t", "--scope", "channels:c-1:read"]);
    let old = fs::read(home.store()).unwrap();
    // The newer record has more changes than the older one will have.
    for (name, new_name) in [("t", "t2"), ("t2", "t3"), ("t3", "t")] {
        run(&home, &["edit", name, "--name", new_name]).success();
    }
    let newer = fs::read(home.store()).unwrap();
    fs::write(home.store(), &old).unwrap();
    run(&home, &REMOVE_C1).success();
    assert_eq!(run_with_input(&home, &READ_C1, &secret).code, 1);
    fs::write(home.store(), newer).unwrap();
    assert_eq!(run_with_input(&home, &READ_C1, &secret).code, 1, "the newer store came back");
}

#[test]
fn an_older_copy_that_lacks_many_endings_stores_them_all() {
    const COUNT: usize = 1_200;
    let home = Home::new();
    let secret = issue(&home, &["t0000"]);
    let export = run(&home, &["export"]).success();
    let (header, row) = export.split_once('\n').unwrap();
    let mut row: serde_json::Value = serde_json::from_str(row).unwrap();
    let mut rows = vec![header.replace("\"tokens\":1", &format!("\"tokens\":{COUNT}"))];
    for number in 1..=COUNT {
        row["id"] = format!("aaaaaaaa{number:04}").into();
        row["name"] = format!("t{number:04}").into();
        rows.push(row.to_string());
    }
    write_private(&home, "many.jsonl", &rows.join("\n"));
    run(&home, &["import", "many.jsonl", "--yes"]).success();
    let old = fs::read(home.store()).unwrap();
    let names: Vec<_> = (0..=COUNT).map(|number| format!("t{number:04}")).collect();
    let revoked = run_with_input(&home, &["revoke", "-", "--yes"], &names.join("\n"));
    assert_eq!(revoked.code, 0, "{revoked:?}");
    fs::write(home.store(), old).unwrap();
    run(&home, &["create", "another"]).success();
    let trail = run(&home, &["audit", "--limit", "5000"]).success();
    assert_eq!(trail.matches("recorded later").count(), COUNT + 1);
    // The records have the endings, so they stay ended without the register.
    fs::remove_file(home.store().with_file_name("store.redb.revoked")).unwrap();
    assert_eq!(code_of(&home, &secret), 1);
    let active = run(&home, &["list", "--status", "active", "--json"]);
    assert_eq!(active.objects().len(), 1);
}

/// A store and a backup `b.redb` of it. Since the backup, `t` was regenerated with an overlap, and lost
/// a scope or got a limit by `restriction`. Returns also the two secrets.
fn restricted(restriction: &[&str]) -> (Home, Vec<u8>, [String; 2]) {
    let home = Home::new();
    let scopes = ["--scope", "channels:c-1:read", "--scope", "channels:c-2:read"];
    let replaced = issue(&home, &[["t"].as_slice(), &scopes].concat());
    run(&home, &["backup", "create", "b.redb"]).success();
    let old = fs::read(home.store()).unwrap();
    run(&home, restriction).success();
    let regenerated = run(&home, &["regenerate", "t", "--overlap", "15m"]).success();
    (home, old, [replaced, regenerated.trim().to_owned()])
}

const RESTRICTIONS: [&[&str]; 3] =
    [&REMOVE_C1, &["edit", "t", "--allow-from", "10.0.0.0/8"], &["edit", "t", "--max-uses", "3"]];

#[test]
fn a_restore_after_a_lost_or_older_store_gives_nothing_back() {
    for restriction in RESTRICTIONS {
        for is_lost in [false, true] {
            let (home, old, [replaced, _]) = restricted(restriction);
            if is_lost {
                fs::remove_file(home.store()).unwrap();
            } else {
                fs::write(home.store(), old).unwrap();
            }
            let restored = run(&home, &["backup", "restore", "b.redb", "--yes"]);
            assert_eq!(restored.code, 0, "{restored:?}");
            let listed = "1 token changed since in an unknown way, to stay denied: t";
            assert!(restored.err.contains(listed), "{is_lost}: {restored:?}");
            assert_eq!(run_with_input(&home, &READ_C1, &replaced).code, 1, "{restriction:?}");
            let report = run(&home, &["doctor"]);
            assert_eq!(report.code, 1, "{report:?}");
        }
    }
}

#[test]
fn a_rebuilt_register_protects_from_copies_with_more_access() {
    for restriction in RESTRICTIONS {
        let (home, old, [replaced, _]) = restricted(restriction);
        fs::remove_file(home.store().with_file_name("store.redb.revoked")).unwrap();
        run(&home, &["list"]).success();
        fs::write(home.store(), old).unwrap();
        assert_eq!(run_with_input(&home, &READ_C1, &replaced).code, 1, "{restriction:?}");
    }
}

#[test]
fn an_ended_overlap_stays_ended_after_another_revoke() {
    let home = Home::new();
    issue(&home, &["t"]);
    issue(&home, &["other"]);
    let second = run(&home, &["regenerate", "t", "--overlap", "15m", "--yes"]).success();
    let old = fs::read(home.store()).unwrap();
    run(&home, &["regenerate", "t", "--overlap", "15m", "--yes"]).success();
    run(&home, &["revoke", "other", "--yes"]).success();
    fs::write(home.store(), old).unwrap();
    assert_eq!(code_of(&home, second.trim()), 1);
    // The endings of the copy are stored now.
    run(&home, &["create", "new"]).success();
    assert_eq!(code_of(&home, second.trim()), 1);
}

#[test]
fn a_store_that_was_lost_takes_an_import_with_consent() {
    let home = Home::new();
    let secret = issue(&home, &["t"]);
    write_private(&home, "t.jsonl", &run(&home, &["export"]).success());
    run(&home, &["revoke", "t", "--yes"]).success();
    fs::remove_file(home.store()).unwrap();
    run(&home, &["create", "another"]).success();
    let import = ["import", "t.jsonl", "--on-conflict", "replace"];
    assert_eq!(run(&home, &import).code, 3);
    run(&home, &[import.as_slice(), &["--yes"]].concat()).success();
    assert_eq!(code_of(&home, &secret), 0, "as the import has said");
}

#[test]
fn an_older_register_is_rebuilt_from_the_store() {
    let home = Home::new();
    let [revoked, deleted] = ["t", "u"].map(|name| issue(&home, &[name]));
    let old = fs::read(home.store()).unwrap();
    let register = home.store().with_file_name("store.redb.revoked");
    let old_register = fs::read(&register).unwrap();
    run(&home, &["revoke", "t", "--yes"]).success();
    run(&home, &["delete", "u", "--yes"]).success();
    fs::write(&register, &old_register).unwrap();
    let listed = run(&home, &["list"]);
    assert!(listed.err.contains("missing, damaged or older"), "{listed:?}");
    assert!(!run(&home, &["list"]).err.contains("missing, damaged or older"));
    fs::write(home.store(), old).unwrap();
    assert_eq!([code_of(&home, &revoked), code_of(&home, &deleted)], [1, 1]);
}

#[test]
fn an_ending_after_a_restore_also_ends_the_newer_secret() {
    for (ending, code, is_revoked) in
        [("delete", 0, false), ("revoke", 3, false), ("delete", 0, true), ("revoke", 3, true)]
    {
        let home = Home::new();
        issue(&home, &["t"]);
        if is_revoked {
            run(&home, &["revoke", "t", "--yes"]).success();
        }
        run(&home, &["backup", "create", "old.redb"]).success();
        let newer = run(&home, &["regenerate", "t", "--yes"]).success();
        run(&home, &["backup", "create", "new.redb"]).success();
        run(&home, &["backup", "restore", "old.redb", "--yes"]).success();
        // The restore has revoked the token, whose secret was replaced.
        let ended = run(&home, &[ending, "t", "--yes"]);
        assert_eq!(ended.code, code, "{ended:?}");
        run(&home, &["backup", "restore", "new.redb", "--yes"]).success();
        assert_eq!(code_of(&home, newer.trim()), 1, "{ending} {is_revoked}");
        // A new secret works.
        let next = run(&home, &["regenerate", "t", "--yes"]).success();
        assert_eq!(code_of(&home, next.trim()), 0, "{ending}");
    }
}

#[test]
fn a_repeated_import_completes_the_register() {
    for edit in [None, Some(["edit", "t", "--description", "edited"])] {
        check_repeated_import(edit.as_ref().map(<[_; 4]>::as_slice));
    }
}

/// Repeats an import that did not write the register, with `edit` in between.
fn check_repeated_import(edit: Option<&[&str]>) {
    let (home, other) = (Home::new(), Home::new());
    let secret = issue(&other, &["t"]);
    write_private(&home, "e1", &run(&other, &["export"]).success());
    run(&home, &["import", "e1"]).success();
    let old = fs::read(home.store()).unwrap();
    let register = home.store().with_file_name("store.redb.revoked");
    let register_before = fs::read(&register).unwrap();
    run(&other, &["revoke", "t", "--yes"]).success();
    write_private(&home, "e2", &run(&other, &["export"]).success());
    let import = ["import", "e2", "--on-conflict", "replace"];
    run(&home, &import).success();
    // As if the import had been killed between its commit and the update of the register.
    fs::write(&register, register_before).unwrap();
    if let Some(edit) = edit {
        run(&home, edit).success();
    }
    let repeated = run(&home, &import);
    let expected = if edit.is_some() { "1 replaced" } else { "1 unchanged" };
    assert!(repeated.err.contains(expected), "{repeated:?}");
    fs::write(home.store(), old).unwrap();
    assert_eq!(code_of(&home, &secret), 1);
}

#[test]
fn a_token_that_is_out_of_date_is_no_template() {
    let (home, old, _) = narrowed();
    run(&home, &["create", "copy", "--like", "t"]).success();
    fs::write(home.store(), old).unwrap();
    let refused = run(&home, &["create", "q", "--like", "t"]);
    assert_eq!((refused.code, refused.out.as_str()), (3, ""), "{refused:?}");
    assert!(refused.err.contains("out of date"), "{refused:?}");
}

/// Ways to end the secret of `a` that need no pending ending.
const OTHER_ENDINGS: [&[&str]; 2] = [
    &["import", "other.jsonl", "--on-conflict", "replace", "--yes"],
    &["backup", "restore", "b.redb", "--yes"],
];

#[test]
fn an_ending_by_import_or_restore_is_known_to_an_older_copy() {
    for (ending, is_rebuilt) in OTHER_ENDINGS.into_iter().flat_map(|it| [(it, false), (it, true)]) {
        let (home, other) = (Home::new(), Home::new());
        issue(&other, &["a"]);
        write_private(&home, "other.jsonl", &run(&other, &["export"]).success());
        let first = issue(&home, &["a"]);
        run(&home, &["backup", "b.redb"]).success();
        let secret = if ending.contains(&"restore") {
            run(&home, &["regenerate", "a", "--yes"]).success().trim().to_owned()
        } else {
            first
        };
        let id = run(&home, &["list", "-q"]).success().trim().to_owned();
        let old = fs::read(home.store()).unwrap();
        run(&home, ending).success();
        assert_eq!(code_of(&home, &secret), 1, "{ending:?}");
        if is_rebuilt {
            fs::remove_file(format!("{}.revoked", home.store().display())).unwrap();
            run(&home, &["list"]).success();
        }
        fs::write(home.store(), &old).unwrap();
        let listed = run(&home, &["list"]);
        assert!(listed.err.contains("older"), "{ending:?}: {listed:?}");
        let exported = run(&home, &["export"]).success();
        assert!(!exported.contains("\"revoked\":null"), "{ending:?}: {exported}");
        run(&home, &["delete", &id, "--yes"]);
        run(&home, &["restore", &id]);
        assert_eq!(code_of(&home, &secret), 1, "{ending:?}");
    }
}
