//! Damage to the store is reported: a broken event by `audit --check`, a damaged token by `list`.
//! Also tests ambiguous prefixes, and readers that close the pipe.

use std::{fs, path::Path, process::Stdio};

use chrono::Utc;
use patdeck::{
    domain::{
        Actor, Description, Digest, Labels, Name, Owner, Scopes, Token, TokenId, TokenLimits,
    },
    store::{Store, StoreError},
};
use serde_json::json;

use crate::{Home, command, issue, run};

/// Flips a bit at each occurrence of `needle` in the store file.
pub(crate) fn flip(home: &Home, needle: &str) {
    flip_in(&home.store(), needle);
}

/// Flips a bit at each occurrence of `needle` in `file`.
pub(crate) fn flip_in(file: &Path, needle: &str) {
    let mut bytes = fs::read(file).unwrap();
    for at in 0..bytes.len() - needle.len() {
        if bytes[at..].starts_with(needle.as_bytes()) {
            bytes[at] ^= 1;
        }
    }
    fs::write(file, bytes).unwrap();
}

#[test]
fn the_check_names_the_first_broken_event() {
    let home = Home::new();
    issue(&home, &["ci"]);
    assert_eq!(run(&home, &["edit", "ci", "--name", "second"]).code, 0);
    assert_eq!(run(&home, &["edit", "second", "--name", "third"]).code, 0);
    assert_eq!(run(&home, &["audit", "--check"]).code, 0);
    flip(&home, "name was second");
    let message = "the audit trail is broken at event 4 (4 in events-1 is damaged)";
    let hint = "keep an unchanged copy of the file, and compare it with a backup";
    run(&home, &["audit", "--check"]).fails_with_hint(1, message, hint);
    let result = run(&home, &["audit", "--check", "--json"]);
    assert_eq!((result.code, result.err), (1, format!("error: {message}\nhint: {hint}\n")));
    let checked: serde_json::Value = serde_json::from_str(&result.out).unwrap();
    assert_eq!((&checked["holds"], &checked["broken_at"]), (&json!(false), &json!(4)));
    let result = run(&home, &["doctor"]);
    assert_eq!(result.code, 1);
    assert!(result.out.contains("the audit trail is broken at event 4"), "{result:?}");

    let mut command = command(&home, &["audit", "--check", "--json"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(1), "a closed pipe is not success");
}

#[test]
fn an_earlier_hash_proves_that_the_trail_was_truncated() {
    let head = |home: &Home| {
        let checked = run(home, &["audit", "--check"]).success();
        checked.trim_end().rsplit(' ').next().unwrap().to_owned()
    };
    let home = crate::home_with_store();
    let none = head(&home);
    issue(&home, &["ci"]);
    let (first, before) = (head(&home), fs::read(home.store()).unwrap());
    assert_eq!(run(&home, &["edit", "ci", "--name", "cd"]).code, 0);
    let second = head(&home);
    let expected_at = |hash: &str| {
        let result = run(&home, &["audit", "--check", "--expect", hash, "--json"]);
        (result.code, result.objects()[0]["expected_at"].as_u64())
    };
    assert_eq!(
        [&none, &first, &second].map(|hash| expected_at(hash)),
        [0, 2, 3].map(|n| (0, Some(n)))
    );
    let checked = run(&home, &["audit", "--check", "--expect", &first]).success();
    let expected = "\nexpected hash found at event 2, 1 event since\n";
    assert!(checked.ends_with(expected), "{checked}");

    // An older copy of the store has a truncated trail.
    fs::write(home.store(), before).unwrap();
    assert_eq!(run(&home, &["audit", "--check"]).code, 0);
    assert_eq!((expected_at(&first), expected_at(&second)), ((0, Some(2)), (1, None)));
    let result = run(&home, &["audit", "--check", "--expect", &second]);
    let message = "error: no event has the expected hash; the trail was truncated or rewritten \
                   since that check\nhint: compare the store with a backup made soon after that check\n";
    assert_eq!((result.code, result.err.as_str()), (1, message));
}

#[test]
fn a_restored_backup_explains_a_missing_event() {
    let home = crate::home_with_store();
    run(&home, &["backup", "before.redb"]).success();
    issue(&home, &["ci"]);
    let checked = run(&home, &["audit", "--check"]).success();
    let head = checked.trim_end().rsplit(' ').next().unwrap();
    run(&home, &["backup", "restore", "before.redb", "--yes"]).success();
    let result = run(&home, &["audit", "--check", "--expect", head]);
    let restores = run(&home, &["audit", "--json", "--limit", "1"]).objects();
    let hint = format!("hint: event {} restored a backup, which removes", restores[0]["sequence"]);
    assert!(result.code == 1 && result.err.contains(&hint), "{result:?} {restores:?}");
}

#[test]
fn a_damaged_token_is_reported_and_the_others_are_listed() {
    let home = Home::new();
    issue(&home, &["ci", "--description", "needle one"]);
    issue(&home, &["cd"]);
    flip(&home, "needle one");
    let result = run(&home, &["list", "--json"]);
    assert_eq!((result.code, result.out.lines().count()), (0, 1));
    let warning =
        " in tokens-2 is damaged and left out\nhint: restore a backup, or delete this record\n";
    assert!(result.err.starts_with("warning: ") && result.err.ends_with(warning), "{result:?}");
}

fn token(id: &str, name: &str) -> Token {
    let at = Utc::now();
    Token {
        id: TokenId::parse(id).unwrap(),
        name: Name::parse(name).unwrap(),
        description: Description::parse("").unwrap(),
        scopes: Scopes::default(),
        prefix: "pat".into(),
        digest: Digest::from_bytes([7; 32]),
        previous: None,
        created: at,
        created_by: Actor::named("alice"),
        issued: at,
        expires: None,
        revoked: None,
        version: 1,
        generation: 1,
        delivered: true,
        last_used: None,
        limits: TokenLimits::default(),
        labels: Labels::default(),
        owner: Owner::default(),
        uses_taken: 0,
        last_denied: None,
    }
}

#[test]
fn an_id_prefix_must_be_unique() {
    let home = Home::new();
    let store = Store::open(&home.store()).unwrap();
    for (id, name) in [("abcdX0000001", "one"), ("abcdX0000002", "two"), ("abcdY0000003", "three")]
    {
        store.write::<_, StoreError>(|rows| rows.put_token(&token(id, name))).unwrap();
    }
    let shown = run(&home, &["show", "abcdY"]).success();
    assert!(shown.contains("three"), "{shown}");
    let message = "several tokens match abcdX: abcdX0000001 (one), abcdX0000002 (two)";
    let hint = "give the id, or more characters of the name";
    for words in
        [&["show", "abcdX"][..], &["revoke", "abcdX", "--yes"], &["delete", "abcdX", "--yes"]]
    {
        run(&home, words).fails_with_hint(2, message, hint);
    }
    let hint = "a prefix needs at least 4 characters; \
                list all tokens with `patdeck list --status all`";
    run(&home, &["show", "abc"]).fails_with_hint(1, "token abc not found", hint);
}

#[test]
fn a_prefix_of_a_name_works_like_one_of_an_id() {
    let home = Home::new();
    for name in ["ci-oslo-1", "ci-oslo-15", "Edge-Lyon", "edge", "h\u{e9}llo-w\u{f6}rld"] {
        issue(&home, &[name]);
    }
    let name = |given: &str| {
        run(&home, &["show", given, "--json"]).objects()[0]["token"]["name"].to_string()
    };
    for (given, expected) in [
        ("EDGE-", "\"Edge-Lyon\""),
        ("edge", "\"edge\""),
        ("ci-oslo-1", "\"ci-oslo-1\""),
        ("H\u{c9}LL", "\"h\u{e9}llo-w\u{f6}rld\""),
    ] {
        assert_eq!(name(given), expected, "{given}");
    }
    let ambiguous = run(&home, &["revoke", "ci-oslo", "--yes"]);
    assert_eq!(ambiguous.code, 2, "{ambiguous:?}");
    assert!(ambiguous.err.starts_with("error: several tokens match ci-oslo: "), "{ambiguous:?}");
    assert!(ambiguous.err.contains("(ci-oslo-15)"), "{ambiguous:?}");
    let blank = run(&home, &["show", "     "]);
    assert_eq!(blank.code, 1, "{blank:?}");
    run(&home, &["delete", "ci-oslo-15", "--yes"]).success();
    assert!(run(&home, &["restore", "ci-os"]).err.contains("Restored ci-oslo-15"));
}

#[test]
fn an_ambiguous_prefix_lists_ten_tokens_at_most() {
    let home = Home::new();
    for n in 0..12 {
        issue(&home, &[&format!("fleet-{n:02}")]);
    }
    let result = run(&home, &["show", "fleet"]);
    assert_eq!((result.err.matches("(fleet-").count(), result.code), (10, 2), "{result:?}");
    assert!(result.err.contains(", ...\n"), "{result:?}");
}

#[test]
fn a_name_with_a_typing_error_gets_a_suggestion() {
    let home = Home::new();
    for name in ["ci-oslo-15", "backup", "web"] {
        issue(&home, &[name]);
    }
    for (given, name) in [
        ("ci-olso-15", "ci-oslo-15"),
        ("CI-OSLO-I6", "ci-oslo-15"),
        ("bakcup", "backup"),
        ("wep", "web"),
    ] {
        let hint = format!("did you mean {name}?");
        run(&home, &["revoke", given, "--yes"]).fails_with_hint(
            1,
            &format!("token {given} not found"),
            &hint,
        );
    }
    run(&home, &["delete", "web", "--yes"]).success();
    let hint = "`patdeck restore web` brings it back";
    for command in
        [&["show", "Web"][..], &["revoke", "web", "--yes"], &["edit", "web", "--name", "x"]]
    {
        run(&home, command).fails_with_hint(1, "token web was deleted", hint);
    }
    for given in ["ci-17-oslo", "wxy", "b"] {
        let result = run(&home, &["show", given]);
        assert!(!result.err.contains("did you mean"), "{result:?}");
    }
}

#[test]
fn a_closed_pipe_ends_a_command_quietly() {
    let home = Home::new();
    for n in 0..3 {
        issue(&home, &[&format!("token {n}")]);
    }
    for words in [
        &["list"][..],
        &["list", "--json"],
        &["audit"],
        &["show", "token 1"],
        &["config", "show"],
        &["man"],
    ] {
        let mut command = command(&home, words);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!((output.status.code(), output.stderr), (Some(0), Vec::new()), "{words:?}");
    }
}
