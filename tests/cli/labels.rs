//! Labels and owner of a token on the command line: set, change, remove and show them, find tokens by
//! them, and keep them in an export, an import, a backup and a copy.

use crate::{Home, issue, run};

fn token(home: &Home, name: &str) -> serde_json::Value {
    run(home, &["show", name, "--json"]).objects()[0]["token"].clone()
}

fn labels(home: &Home, name: &str) -> String {
    token(home, name)["labels"].to_string()
}

/// The names that `list --status all --search SEARCH` shows, in alphabetical order.
fn found(home: &Home, search: &str) -> Vec<String> {
    let arguments = ["list", "--status", "all", "--columns", "name", "--no-header", "--search"];
    let table = run(home, &[&arguments[..], &[search, "--sort", "name"]].concat());
    assert_eq!(table.code, 0, "{table:?}");
    table.out.lines().map(str::to_owned).collect()
}

#[test]
fn labels_and_owner_are_set_changed_removed_and_shown() {
    let home = Home::new();
    issue(&home, &["gate", "--label", "team=edge", "--label", "Env=prod", "--owner", "Ann Berg"]);
    assert_eq!(labels(&home, "gate"), r#"{"Env":"prod","team":"edge"}"#);
    assert_eq!(token(&home, "gate")["owner"], "Ann Berg");
    let shown = run(&home, &["show", "gate"]).success();
    for text in ["owner      Ann Berg", "label      Env=prod", "label      team=edge"] {
        assert!(shown.contains(text), "{text}: {shown}");
    }
    let columns = ["list", "--columns", "owner,labels"];
    let table = run(&home, &columns).success();
    assert_eq!(table, "OWNER     LABELS\nAnn Berg  Env=prod, team=edge\n");
    let edit = ["edit", "gate", "--label", "ENV=test", "--label", "x=1", "--remove-label", "Team"];
    run(&home, &edit).success();
    assert_eq!(labels(&home, "gate"), r#"{"ENV":"test","x":"1"}"#);
    run(&home, &["edit", "gate", "--owner", ""]).success();
    let creator = token(&home, "gate")["created_by"].as_str().unwrap().to_owned();
    assert_eq!(token(&home, "gate")["owner"], creator, "there is no SSH session");
    let trail = run(&home, &["audit", "--token", "gate"]).success();
    for text in [
        "owner Ann Berg, label Env=prod, label team=edge",
        "label ENV was prod, now test, label x=1, label team=edge removed",
        "owner was Ann Berg, now ",
    ] {
        assert!(trail.contains(text), "{text}: {trail}");
    }
    run(&home, &["audit", "--check"]).success();
}

#[test]
fn refused_labels_and_owners_change_nothing() {
    let home = Home::new();
    issue(&home, &["gate", "--label", "team=edge"]);
    let edit = |arguments: &[&str]| run(&home, &[&["edit", "gate"], arguments].concat());
    edit(&["--remove-label", "temp"]).fails(3, "the token has no label temp");
    edit(&["--label", "team=a", "--remove-label", "team"])
        .fails(3, "label team is set and removed at once: choose one of the two");
    edit(&["--label", "a=1", "--label", "A=2"])
        .fails(3, "label A is given more than once: use each key once");
    let many: Vec<_> = (0..16).map(|n| format!("--label=k{n}=x")).collect();
    edit(&many.iter().map(String::as_str).collect::<Vec<_>>())
        .fails(3, "too many labels: a token can have at most 16");
    for (option, value, message) in [
        ("--label", "team", "'team' for '--label <KEY=VALUE>': use KEY=VALUE, e.g. team=edge"),
        ("--label", "team=", "label team has no value"),
        ("--label", "te am=x", "invalid key `te am`"),
        ("--label", "team=a,b", "the value of team contains a comma"),
        ("--label", "team=a\u{1b}[2J", "contains U+001B"),
        ("--remove-label", "a=b", "'a=b' for '--remove-label <KEY>': use up to 63 letters"),
        ("--owner", "ann\u{202e}", "U+202E is invisible"),
        ("--owner", &"x".repeat(129), "too long (129 characters)"),
    ] {
        let refused = edit(&[option, value]);
        assert_eq!((refused.code, &*refused.out), (2, ""), "{refused:?}");
        assert!(refused.err.contains(message), "{message}: {refused:?}");
        assert!(!refused.err.contains('\u{1b}'), "{refused:?}");
    }
    assert_eq!(labels(&home, "gate"), r#"{"team":"edge"}"#);
    assert_eq!(run(&home, &["audit", "--token", "gate"]).success().lines().count(), 3);
}

#[test]
fn a_search_finds_labels_and_owners() {
    let home = Home::new();
    issue(&home, &["a", "--label", "team=edge", "--owner", "Ann"]);
    issue(&home, &["b", "--label", "team=edge nord"]);
    issue(&home, &["c", "--label", "env=prod", "--owner", "ann b"]);
    for (search, expected) in [
        ("label:team", &["a", "b"][..]),
        ("label:team=edge", &["a"]),
        ("label:\"team=edge nord\"", &["b"]),
        ("-label:team", &["c"]),
        ("owner:ANN", &["a", "c"]),
        ("owner:\"ann\"", &["a"]),
        ("owner:ann label:env=prod", &["c"]),
    ] {
        assert_eq!(found(&home, search), expected, "{search}");
    }
    // A bulk change by a label reaches no token with a longer value.
    run(&home, &["revoke", "--search", "label:team=edge", "--yes"]).success();
    assert_eq!(found(&home, "status:revoked"), ["a"]);
    run(&home, &["delete", "--search", "owner:\"ann b\"", "--yes"]).success();
    assert_eq!(found(&home, ""), ["a", "b"]);
}

#[test]
fn an_export_moves_labels_and_owner_and_asks_nothing() {
    let home = Home::new();
    issue(&home, &["gate", "--label", "team=edge", "--owner", "Ann"]);
    run(&home, &["export", "--output", "all.jsonl"]).success();
    let other = Home::new();
    std::fs::copy(home.path().join("all.jsonl"), other.path().join("all.jsonl")).unwrap();
    run(&other, &["import", "all.jsonl"]).success();
    assert_eq!(labels(&other, "gate"), r#"{"team":"edge"}"#);
    assert_eq!(token(&other, "gate")["owner"], "Ann");
    let again = run(&other, &["import", "all.jsonl"]);
    assert!(again.err.contains("1 unchanged"), "{again:?}");
    // Other labels are another version of the token, but they widen no access.
    run(&other, &["edit", "gate", "--label", "team=core", "--owner", "Bob"]).success();
    let refused = run(&other, &["import", "all.jsonl"]);
    assert_eq!(refused.code, 3, "{refused:?}");
    assert!(refused.err.contains("a different version of this token"), "{refused:?}");
    run(&other, &["import", "all.jsonl", "--on-conflict", "replace"]).success();
    assert_eq!(labels(&other, "gate"), r#"{"team":"edge"}"#);
    assert_eq!(token(&other, "gate")["owner"], "Ann");
}

#[test]
fn deletions_backups_and_regenerations_keep_labels() {
    let home = Home::new();
    issue(&home, &["gate", "--label", "team=edge", "--owner", "Ann"]);
    run(&home, &["backup", "create", "b.redb"]).success();
    run(&home, &["regenerate", "gate", "--yes"]).success();
    run(&home, &["delete", "gate", "--yes"]).success();
    run(&home, &["restore", "gate"]).success();
    assert_eq!(labels(&home, "gate"), r#"{"team":"edge"}"#);
    run(&home, &["edit", "gate", "--remove-label", "team"]).success();
    run(&home, &["backup", "restore", "b.redb", "--yes"]).success();
    assert_eq!(labels(&home, "gate"), r#"{"team":"edge"}"#);
    assert_eq!(token(&home, "gate")["owner"], "Ann");
}

#[test]
fn a_copy_has_the_labels_and_owner_unless_others_are_given() {
    let home = Home::new();
    issue(&home, &["gate", "--label", "team=edge", "--label", "env=prod", "--owner", "Ann"]);
    issue(&home, &["same", "--like", "gate"]);
    assert_eq!(labels(&home, "same"), labels(&home, "gate"));
    assert_eq!(token(&home, "same")["owner"], "Ann");
    issue(&home, &["other", "--like", "gate", "--label", "env=test", "--owner", "Bob"]);
    assert_eq!(labels(&home, "other"), r#"{"env":"test","team":"edge"}"#);
    assert_eq!(token(&home, "other")["owner"], "Bob");
}
