//! The limits of a token on the command line: set, change, remove and show them, checks that need an
//! address or a use, and imports that loosen them. The count of uses is exact across processes, also
//! if they are killed.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, Stdio},
};

use crate::{CommandResult, Home, command, issue, run, run_with_input};

fn check(home: &Home, secret: &str, arguments: &[&str]) -> CommandResult {
    run_with_input(home, &[&["verify", "--explain"], arguments].concat(), secret)
}

fn reason(result: CommandResult) -> String {
    result.objects()[0]["reason"].as_str().unwrap_or("allowed").to_owned()
}

fn limits_of(home: &Home, name: &str) -> serde_json::Value {
    run(home, &["show", name, "--json"]).objects()[0]["token"]["limits"].clone()
}

#[test]
fn a_source_limit_compares_the_address_of_the_check() {
    let home = Home::new();
    let allow = ["--allow-from", "10.0.0.0/8", "--allow-from", "2001:db8::1"];
    let secret = issue(&home, &[&["t"], &allow[..]].concat());
    let none = check(&home, &secret, &[]);
    assert_eq!(
        (none.code, none.out.trim()),
        (1, "denied: source not allowed: no address was given")
    );
    let outside = check(&home, &secret, &["--from", "192.0.2.7"]);
    assert_eq!((outside.code, outside.out.trim()), (1, "denied: source not allowed: 192.0.2.7"));
    for from in ["10.9.8.7", "::ffff:10.9.8.7", "2001:db8::1"] {
        assert_eq!(check(&home, &secret, &["--from", from]).code, 0, "{from}");
    }
    assert_eq!(reason(check(&home, &secret, &["--json"])), "source-not-allowed");
    // The address of the operator's own SSH session is not the address of the bearer.
    let mut session = command(&home, &["verify", "--lines"]);
    session
        .env("SSH_CONNECTION", "10.0.0.1 50000 10.0.0.2 22")
        .env("SSH_CLIENT", "10.0.0.1 50000 22");
    let mut child = session.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let lines = format!("{secret}\n{secret} channels:c:read 10.0.0.9\n");
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    let out = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
    assert_eq!(out, "denied\ndenied\n", "the second line lacks a scope");
}

#[test]
fn lines_compare_their_own_address() {
    let home = Home::new();
    let secret = issue(&home, &["t", "--scope", "channels:c:read", "--allow-from", "10.0.0.0/8"]);
    let lines = format!(
        "{secret} channels:c:read 10.1.1.1\n{secret} channels:c:read 192.0.2.7\n{secret} channels:c:read\n"
    );
    let result = run_with_input(&home, &["verify", "--lines"], &lines);
    assert_eq!(result.out, "allowed\ndenied\ndenied\n");
    let result = run_with_input(&home, &["verify", "--lines", "--from", "10.1.1.1"], &lines);
    assert_eq!(result.out, "allowed\ndenied\nallowed\n");
}

#[test]
fn a_token_is_not_valid_before_its_time() {
    let home = Home::new();
    let created = run(&home, &["create", "t", "--not-before", "2h", "--json"]).objects();
    let secret = created[0]["secret"].as_str().unwrap().to_owned();
    assert_eq!(created[0]["token"]["status"], "not-yet-valid");
    assert_eq!(reason(check(&home, &secret, &["--json"])), "not-yet-valid");
    assert!(run(&home, &["create", "u", "--not-before", "2h"]).err.contains("it is valid from 2"));
    assert_eq!(run(&home, &["list"]).out, "");
    assert!(run(&home, &["list", "--status", "not-yet-valid"]).out.contains("not-yet-valid"));
    assert!(run(&home, &["list", "--search", "status:not-yet-valid"]).out.contains(" t "));
    let saved = run(&home, &["edit", "t", "--not-before", "none"]);
    assert_eq!(saved.code, 0, "{saved:?}");
    assert_eq!(check(&home, &secret, &[]).code, 0);
    let date = run(&home, &["edit", "t", "--not-before", "2026-01-01"]);
    date.fails(3, "2026-01-01 is in the past: choose a later time");
}

#[test]
fn limits_are_set_changed_removed_and_shown() {
    let home = Home::new();
    issue(&home, &["t", "--allow-from", "192.0.2.7", "--max-uses", "5"]);
    assert_eq!(
        limits_of(&home, "t"),
        serde_json::json!({
            "allow_from": ["192.0.2.7/32"],
            "max_uses": 5,
            "not_before": null,
            "uses_left": 5,
        })
    );
    let shown = run(&home, &["show", "t"]).success();
    assert!(shown.contains("allow from") && shown.contains("5 of 5 uses left"), "{shown}");
    run(&home, &["edit", "t", "--max-uses", "3", "--allow-from", "10.0.0.0/8"]).success();
    assert_eq!(limits_of(&home, "t")["allow_from"], serde_json::json!(["10.0.0.0/8"]));
    assert_eq!(limits_of(&home, "t")["max_uses"], 3);
    let trail = run(&home, &["audit", "--token", "t"]).success();
    assert!(trail.contains("allow from was 192.0.2.7/32, now 10.0.0.0/8"), "{trail}");
    issue(&home, &["copy", "--like", "t", "--allow-from", "none"]);
    assert_eq!(limits_of(&home, "copy")["allow_from"], serde_json::Value::Null);
    assert_eq!(limits_of(&home, "copy")["max_uses"], 3);
    run(&home, &["regenerate", "t", "--yes"]).success();
    assert_eq!(limits_of(&home, "t")["max_uses"], 3);
    run(&home, &["edit", "t", "--max-uses", "none", "--allow-from", "none"]).success();
    assert_eq!(limits_of(&home, "t"), serde_json::Value::Null);
    let both = run(&home, &["edit", "t", "--allow-from", "none", "--allow-from", "10.0.0.1"]);
    both.fails(2, "--allow-from none cannot be combined with a network");
}

#[test]
fn a_used_up_token_says_so_and_stays_active() {
    let home = Home::new();
    let secret = issue(&home, &["t", "--max-uses", "2"]);
    let first = check(&home, &secret, &["--json"]).objects();
    assert_eq!(first[0]["token"]["uses_left"], 1);
    assert_eq!(check(&home, &secret, &[]).code, 0);
    let denied = check(&home, &secret, &[]);
    assert_eq!((denied.code, denied.out.trim()), (1, "denied: uses exhausted: 0 of 2 uses left"));
    assert_eq!(reason(check(&home, &secret, &["--json"])), "uses-exhausted");
    let listed = run(&home, &["list"]).success();
    assert!(listed.contains("active") && listed.contains("0 of 2 uses left"), "{listed}");
}

#[test]
fn a_read_only_check_of_a_counted_token_has_no_answer() {
    let home = Home::new();
    let secret = issue(&home, &["t", "--max-uses", "2"]);
    run_with_input(&home, &["--read-only", "verify"], &secret).fails_with_hint(
        4,
        "the token has a maximum number of uses, and this use could not be counted \
         (patdeck is in read-only mode; nothing was changed)",
        "treat the access as denied; run the check without --read-only",
    );
    let lines =
        run_with_input(&home, &["--read-only", "verify", "--lines"], &format!("{secret}\n"));
    assert_eq!(lines.code, 4, "{lines:?}");
    assert!(lines.out.starts_with("error: the token has a maximum"), "{lines:?}");
    assert_eq!(limits_of(&home, "t")["uses_left"], 2);
}

#[test]
fn an_import_that_loosens_a_limit_asks() {
    let home = Home::new();
    let secret = issue(&home, &["t", "--allow-from", "10.0.0.0/8", "--max-uses", "3"]);
    run_with_input(&home, &["verify", "--from", "10.0.0.1"], &secret).success();
    run(&home, &["export", "--output", "wide.jsonl"]).success();
    run(&home, &["edit", "t", "--max-uses", "2", "--allow-from", "10.1.0.0/16"]).success();
    run_with_input(&home, &["verify", "--from", "10.1.0.1"], &secret).success();
    let import = ["import", "wide.jsonl", "--on-conflict", "replace"];
    let refused = run(&home, &import);
    assert_eq!(refused.code, 3, "{refused:?}");
    let text = "limits: the import would loosen its limit allow-from";
    assert!(refused.err.contains(text), "{refused:?}");
    let done = run(&home, &[&import[..], &["--yes"]].concat());
    assert!(done.err.contains("1 of them with wider access"), "{done:?}");
    // The uses that were taken since the export stay taken.
    assert_eq!(limits_of(&home, "t")["max_uses"], 3);
    assert_eq!(limits_of(&home, "t")["uses_left"], 1);
    let other = Home::new();
    std::fs::copy(home.path().join("wide.jsonl"), other.path().join("wide.jsonl")).unwrap();
    run(&other, &["import", "wide.jsonl"]).success();
    assert_eq!(limits_of(&other, "t")["uses_left"], 2, "the count moves to another host");
}

#[test]
fn a_restored_backup_keeps_the_uses_that_were_taken_since() {
    let home = Home::new();
    let secret = issue(&home, &["t", "--max-uses", "3"]);
    run(&home, &["backup", "create", "b.redb"]).success();
    run_with_input(&home, &["verify"], &secret).success();
    run(&home, &["edit", "t", "--max-uses", "2"]).success();
    let restored = run(&home, &["backup", "restore", "b.redb", "--yes"]);
    assert!(restored.err.contains("t (looser limits)"), "{restored:?}");
    assert_eq!(limits_of(&home, "t")["uses_left"], 2);
    assert_eq!(limits_of(&home, "t")["max_uses"], 3);
}

/// A `verify --lines` that checks `secret` `checks` times.
fn start_checks(home: &Home, secret: &str, checks: usize) -> Child {
    let mut checking = command(home, &["verify", "--lines"]);
    checking.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = checking.spawn().unwrap();
    let lines = format!("{secret}\n").repeat(checks);
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    child
}

#[test]
fn parallel_processes_take_each_use_exactly_once() {
    let home = Home::new();
    let secret = issue(&home, &["t", "--max-uses", "40"]);
    let mut allowed = 0;
    // A check that could not get the lock has no answer, so the rounds go on until all are taken.
    while limits_of(&home, "t")["uses_left"] != 0 {
        let children: Vec<_> = (0..4).map(|_| start_checks(&home, &secret, 15)).collect();
        for child in children {
            let out = child.wait_with_output().unwrap().stdout;
            allowed += String::from_utf8(out).unwrap().matches("valid: t").count();
        }
    }
    assert_eq!(allowed, 40);
}

#[test]
fn killed_checks_never_exceed_the_maximum() {
    let home = Home::new();
    let secret = issue(&home, &["t", "--max-uses", "12"]);
    let mut allowed = 0;
    for round in 0..6 {
        let mut child = start_checks(&home, &secret, 4);
        let answers = BufReader::new(child.stdout.take().unwrap()).lines();
        let read: Vec<_> = answers.take(round % 3).map(Result::unwrap).collect();
        child.kill().unwrap();
        child.wait().unwrap();
        allowed += read.iter().filter(|line| *line == "valid: t").count();
    }
    let left = usize::try_from(limits_of(&home, "t")["uses_left"].as_u64().unwrap()).unwrap();
    assert!(allowed + left <= 12, "{allowed} uses were answered, and {left} are left");
    let rest = start_checks(&home, &secret, left + 3).wait_with_output().unwrap();
    let rest = String::from_utf8(rest.stdout).unwrap().matches("valid: t").count();
    assert_eq!(rest, left);
    run(&home, &["audit", "--check"]).success();
}
