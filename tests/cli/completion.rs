//! Completion in shells: what the store offers, and that a missing or damaged store offers nothing
//! and is not created.

use std::fs;

use chrono::TimeDelta;

use crate::{Home, command};

/// The candidates that fish gets for the last of `words`, without their descriptions.
fn candidates(home: &Home, words: &[&str]) -> Vec<String> {
    let mut command = command(home, &[&["--", "patdeck"], words].concat());
    let output = command.env("PATDECK_COMPLETE", "fish").output().unwrap();
    assert_eq!((output.status.code(), output.stderr), (Some(0), Vec::new()), "{words:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let mut all: Vec<_> =
        text.lines().map(|line| line.split('\t').next().unwrap().to_owned()).collect();
    all.sort();
    all
}

fn home_with_tokens() -> Home {
    let home = Home::new();
    for name in ["ci-oslo", "ci-lyon", "two words"] {
        home.seed(name, "", "90d", TimeDelta::hours(3));
    }
    home
}

#[test]
fn names_and_ids_of_the_store_are_offered() {
    let home = home_with_tokens();
    for words in [
        &["show", "ci"][..],
        &["revoke", "ci-lyon", "ci"],
        &["scope", "clear", "ci"],
        &["create", "x", "--like", "ci"],
        &["audit", "--token", "ci"],
        &["rm", "ci"],
    ] {
        assert_eq!(candidates(&home, words), ["ci-lyon", "ci-oslo"], "{words:?}");
    }
    let service = home.service(TimeDelta::zero());
    let id = service.resolve("two words").unwrap().id.to_string();
    assert_eq!(candidates(&home, &["show", &id[..6]]), [id]);
    let other = home.path().join("other.redb");
    let store = other.to_str().unwrap();
    assert_eq!(candidates(&home, &["show", "--store", store, "ci"]), [""; 0]);
}

#[test]
fn scopes_presets_columns_and_actions_are_offered() {
    let home = home_with_tokens();
    for (words, expected) in [
        (&["create", "x", "--scope", "chan"][..], "channels:"),
        (&["create", "x", "--scope", "channels:c"], "channels:c-42:"),
        (&["scope", "add", "ci-oslo", "channels:c-42:pub"], "channels:c-42:publish"),
        (&["create", "x", "--preset", "pub"], "publisher:"),
        (&["list", "--sort", "exp"], "expires"),
        (&["list", "--columns", "own"], "owner"),
        (&["audit", "--action", "rev"], "revoke"),
    ] {
        assert_eq!(candidates(&home, words), [expected], "{words:?}");
    }
}

#[test]
fn labels_and_owners_of_the_store_are_offered() {
    let home = home_with_tokens();
    for (name, label, owner) in [("ci-oslo", "team=edge", "Ann"), ("ci-lyon", "tier=1", "Bob")] {
        let edit = ["edit", name, "--label", label, "--label", "env=prod", "--owner", owner];
        crate::run(&home, &edit).success();
    }
    // A shell would split a text with blanks.
    let edit = ["edit", "two words", "--label", "team=edge nord", "--owner", "Bo Lie"];
    crate::run(&home, &edit).success();
    for (words, expected) in [
        (&["create", "x", "--label", "t"][..], &["team=", "tier="][..]),
        (&["create", "x", "--label", "team="], &["team=edge"]),
        (&["edit", "ci-oslo", "--label", "env"], &["env="]),
        (&["edit", "ci-oslo", "--remove-label", ""], &["env", "team", "tier"]),
        (&["edit", "ci-oslo", "--owner", "B"], &["Bob"]),
    ] {
        assert_eq!(candidates(&home, words), expected, "{words:?}");
    }
}

#[test]
fn a_missing_or_damaged_store_offers_nothing_and_stays() {
    let home = Home::new();
    assert_eq!(candidates(&home, &["show", "ci"]), [""; 0]);
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
    fs::create_dir_all(home.store().parent().unwrap()).unwrap();
    fs::write(home.store(), "no store").unwrap();
    assert_eq!(candidates(&home, &["show", "ci"]), [""; 0]);
    assert_eq!(fs::read(home.store()).unwrap(), b"no store");
}

#[test]
fn a_completion_changes_no_byte_of_the_store() {
    let home = home_with_tokens();
    let before = fs::read(home.store()).unwrap();
    assert_eq!(candidates(&home, &["show", "ci"]).len(), 2);
    assert!(fs::read(home.store()).unwrap() == before);
}
