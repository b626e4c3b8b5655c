//! Endings that are in the revocation register and not yet in the records, because another process holds
//! the lock of the store: every command treats the token as ended, and as deleted if it was deleted.

use patdeck::store::{Store, StoreError};
use serde_json::json;

use crate::{CommandResult, Home, issue, run, run_with_input};

/// Runs the commands while this process writes to the store. Each one prints that it succeeded.
fn beside_a_writer(home: &Home, commands: &[&[&str]]) {
    let store = Store::open(&home.store()).unwrap();
    let written = store.write(|_| {
        for command in commands {
            let done = run(home, command);
            assert_eq!(done.code, 0, "{command:?} {done:?}");
            assert!(done.err.contains("will be updated"), "{command:?} {done:?}");
        }
        Ok::<_, StoreError>(())
    });
    written.unwrap();
}

fn deleted() -> (Home, String) {
    let home = Home::new();
    let secret = issue(&home, &["a"]);
    issue(&home, &["b"]);
    beside_a_writer(&home, &[&["delete", "a", "--yes"]]);
    (home, secret)
}

fn code_and_error(result: CommandResult) -> (i32, String) {
    (result.code, result.err)
}

#[test]
fn a_token_whose_deletion_is_pending_counts_as_deleted() {
    for command in [["revoke", "a", "--yes"], ["delete", "a", "--yes"]] {
        let (home, secret) = deleted();
        assert_eq!(run_with_input(&home, &["verify"], &secret).code, 1);
        let listed = run(&home, &["list", "--status", "all", "-q"]).success();
        assert_eq!(listed.lines().count(), 1, "{listed}");
        let (code, error) = code_and_error(run(&home, &command));
        assert_eq!(code, 1, "{error}");
        assert!(error.contains("not found") || error.contains("was deleted"), "{error}");
        run(&home, &["restore", "a"]).success();
        assert_eq!(run_with_input(&home, &["verify"], &secret).code, 0);
        run(&home, &["audit", "--check"]).success();
    }
}

#[test]
fn a_scan_finds_a_secret_whose_deletion_is_pending() {
    let (home, secret) = deleted();
    std::fs::write(home.path().join("leak"), &secret).unwrap();
    let found = run(&home, &["scan", "leak", "--json"]).objects();
    assert_eq!((&found[0]["status"], &found[0]["name"]), (&json!("deleted"), &json!("a")));
    // The next write stores the deletion, which changes nothing.
    issue(&home, &["c"]);
    assert_eq!(run(&home, &["scan", "leak", "--json"]).objects(), found);
}

#[test]
fn the_name_of_a_pending_deletion_is_free() {
    let (home, secret) = deleted();
    let new = issue(&home, &["a"]);
    let codes = [&secret, &new].map(|secret| run_with_input(&home, &["verify"], secret).code);
    assert_eq!(codes, [1, 0]);
    assert_eq!(run(&home, &["doctor"]).code, 0);
}

#[test]
fn pending_endings_of_one_token_are_stored_in_order() {
    let home = Home::new();
    let old = issue(&home, &["a"]);
    let new = run(&home, &["regenerate", "a", "--overlap", "1h"]).success();
    beside_a_writer(&home, &[&["revoke", "a", "--old", "--yes"], &["revoke", "a", "--yes"]]);
    run(&home, &["create", "next"]).success();
    let codes = [old.as_str(), new.trim()].map(|it| run_with_input(&home, &["verify"], it).code);
    assert_eq!(codes, [1, 1]);
    let trail = run(&home, &["audit", "--token", "a"]).success();
    assert_eq!(trail.matches("recorded later").count(), 2, "{trail}");
}

/// The newest ending of the register is pending. The endings before it must nevertheless reach the
/// older copy.
#[test]
fn a_pending_ending_hides_no_ending_from_an_older_copy() {
    for ending in [["revoke", "b"].as_slice(), &["delete", "b"], &["revoke", "--old", "b"]] {
        for is_pending_first in [true, false] {
            let home = Home::new();
            let secret = issue(&home, &["b"]);
            issue(&home, &["a"]);
            if ending.contains(&"--old") {
                run(&home, &["regenerate", "b", "--overlap", "1h"]).success();
            }
            let old = std::fs::read(home.store()).unwrap();
            run(&home, &[ending, &["--yes"]].concat()).success();
            let put_back = || std::fs::write(home.store(), &old).unwrap();
            let revoke_a: &[&[&str]] = &[&["revoke", "a", "--yes"]];
            if is_pending_first {
                beside_a_writer(&home, revoke_a);
                put_back();
            } else {
                put_back();
                beside_a_writer(&home, revoke_a);
            }
            let case = format!("{ending:?} {is_pending_first}");
            let listed = run(&home, &["list"]);
            assert!(listed.err.contains("older"), "{case}: {listed:?}");
            // A change, then every way by which the records alone decide.
            run(&home, &["create", "c"]).success();
            let check = || run_with_input(&home, &["verify"], &secret).code;
            assert_eq!(check(), 1, "{case}");
            std::fs::remove_file(format!("{}.revoked", home.store().display())).unwrap();
            run(&home, &["create", "d"]).success();
            assert_eq!(check(), 1, "{case}, from the records");
            run(&home, &["delete", "b", "--yes"]);
            run(&home, &["restore", "b"]);
            if !ending.contains(&"delete") {
                assert_eq!(check(), 1, "{case}, restored");
            }
        }
    }
}

#[test]
fn a_pending_deletion_hides_no_ending_from_an_older_copy() {
    let home = Home::new();
    issue(&home, &["a"]);
    run(&home, &["backup", "create", "b.redb"]).success();
    let secret = run(&home, &["regenerate", "a", "--yes"]).success();
    let old = std::fs::read(home.store()).unwrap();
    run(&home, &["backup", "restore", "b.redb", "--yes"]).success();
    beside_a_writer(&home, &[&["delete", "a", "--yes"]]);
    std::fs::write(home.store(), &old).unwrap();
    run(&home, &["restore", "a"]);
    let check = run_with_input(&home, &["verify"], secret.trim());
    assert_eq!(check.code, 1, "{check:?}");
}

/// The end of an overlap that waits for the store while the token is regenerated, as a pending ending
/// and as a command that runs at the same time.
#[test]
fn ending_an_overlap_beside_a_regenerate_ends_no_other_secret() {
    for round in 0..12 {
        let home = Home::new();
        let old = issue(&home, &["t"]);
        let current = run(&home, &["regenerate", "t", "--overlap", "1h"]).success();
        let mut ending = crate::command(&home, &["revoke", "t", "--old", "--yes"]);
        let mut ending = ending.stderr(std::process::Stdio::null()).spawn().unwrap();
        let regenerated = run(&home, &["regenerate", "t", "--overlap", "1h", "--yes"]);
        let code = ending.wait().unwrap().code();
        let check = |secret: &str| run_with_input(&home, &["verify"], secret.trim()).code;
        assert_eq!(check(&old), 1, "{round}");
        if regenerated.code == 3 {
            // Refused, perhaps after the new secret was printed, which comes before the change.
            assert_eq!(check(&current), 0, "{round}: {regenerated:?}");
            continue;
        }
        assert_eq!(regenerated.code, 0, "{round}: {regenerated:?}");
        assert_eq!(check(&regenerated.out), 0, "{round}: the newest secret");
        // If the overlap was ended before, or the command refused, the current secret works still.
        let ended_second = code == Some(0) && check(&current) != 0;
        let events = run(&home, &["audit", "--json"]).out;
        let is_later = events.matches("overlap ended").count() > 0;
        assert!(!ended_second || is_later, "{round}: {events}");
    }
}

#[test]
fn two_endings_at_once_leave_no_record_out_of_date() {
    for round in 0..12 {
        let home = Home::new();
        issue(&home, &["t"]);
        run(&home, &["regenerate", "t", "--overlap", "1h"]).success();
        let start = |arguments: &[&str]| {
            let mut command = crate::command(&home, arguments);
            command.stderr(std::process::Stdio::null()).spawn().unwrap()
        };
        let both = [start(&["revoke", "t", "--old", "--yes"]), start(&["revoke", "t", "--yes"])];
        for mut one in both {
            one.wait().unwrap();
        }
        let export = run(&home, &["export"]);
        assert_eq!(export.code, 0, "{round}: {export:?}");
        run(&home, &["regenerate", "t", "--yes"]).success();
    }
}

#[test]
fn an_older_copy_without_a_pending_token_is_reported() {
    for command in ["revoke", "delete"] {
        let home = Home::new();
        issue(&home, &["kept"]);
        let copy = std::fs::read(home.store()).unwrap();
        issue(&home, &["a"]);
        issue(&home, &["lost"]);
        beside_a_writer(&home, &[&[command, "a", "--yes"]]);
        assert!(run(&home, &["status"]).out.starts_with("ok: "));
        std::fs::write(home.store(), copy).unwrap();
        let status = run(&home, &["status"]);
        assert_eq!(status.code, 1, "{status:?}");
        assert!(status.out.contains("an older copy of the store was put back"), "{status:?}");
    }
}

#[test]
fn pending_deletions_are_stored_in_an_older_copy() {
    let home = Home::new();
    issue(&home, &["kept"]);
    let copy = std::fs::read(home.store()).unwrap();
    issue(&home, &["a"]);
    beside_a_writer(&home, &[&["delete", "a", "--yes"], &["delete", "kept", "--yes"]]);
    std::fs::write(home.store(), copy).unwrap();
    issue(&home, &["next"]);
    assert_eq!(run(&home, &["list", "--status", "all", "-q"]).success().lines().count(), 1);
    run(&home, &["restore", "kept"]).success();
    run(&home, &["audit", "--check"]).success();
}
