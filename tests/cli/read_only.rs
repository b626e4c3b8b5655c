//! `--read-only`: commands that change the store fail before they ask or create anything, all other
//! commands work, and no byte of the store changes.

use std::{fs, path::Path};

use patdeck::cli::CliCommand;

use crate::{Home, command, issue, run, run_with_input};

const MESSAGE: &str = "patdeck is in read-only mode; nothing was changed";
const HINT: &str =
    "to make changes, remove --read-only, PATDECK_READ_ONLY and `read-only` in the config";

/// A command line of every command that changes the store.
const CHANGES: &[&[&str]] = &[
    &["create", "new", "--secret-file", "new.secret"],
    &["edit", "ci", "--name", "other"],
    &["scope", "add", "ci", "channels:c-1:publish"],
    &["scope", "remove", "ci", "channels:c-42:publish"],
    &["scope", "clear", "ci", "--yes"],
    &["revoke", "ci", "--yes"],
    &["revoke", "--old", "ci", "--yes"],
    &["regenerate", "ci", "--yes", "--secret-file", "new.secret"],
    &["delete", "ci", "--yes"],
    &["delete", "--all", "--yes"],
    &["restore", "gone"],
    &["scan", ".", "--revoke", "--yes"],
    &["import", "all.jsonl"],
    &["hooks", "run"],
    &["hooks", "discard", "log"],
];

/// Returns the path and the content of every file below `folder`.
fn files(folder: &Path) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push((path.clone(), fs::read(&path).unwrap()));
        }
    }
    found.sort();
    found
}

#[test]
fn commands_that_change_the_store_fail() {
    let home = Home::new();
    issue(&home, &["ci", "--scope", "channels:c-42:publish"]);
    issue(&home, &["gone"]);
    run(&home, &["delete", "gone", "--yes"]);
    run(&home, &["export", "all.jsonl"]);
    let before = files(&home.path());
    for arguments in CHANGES {
        run(&home, &[arguments, &["--read-only"][..]].concat()).fails_with_hint(3, MESSAGE, HINT);
        assert_eq!(files(&home.path()), before, "{arguments:?}");
    }
}

#[test]
fn commands_that_read_work_and_write_nothing() {
    let home = Home::new();
    let secret = issue(&home, &["ci", "--scope", "channels:c-42:publish"]);
    let before = files(&home.path());
    let reads: &[&[&str]] = &[
        &["list"],
        &["show", "ci"],
        &["audit", "--check"],
        &["verify", "--scope", "channels:c-42:publish"],
        &["verify"],
        &["doctor"],
        &["export"],
        &["scan", "."],
    ];
    for arguments in reads {
        let result = run_with_input(
            &home,
            &[arguments, &["--read-only"][..]].concat(),
            &format!("{secret}\n"),
        );
        assert_eq!(result.code, 0, "{arguments:?}: {result:?}");
        assert!(!result.err.contains("not recorded"), "{result:?}");
        assert_eq!(files(&home.path()), before, "{arguments:?}");
    }
    assert!(run(&home, &["show", "ci"]).success().contains("last used"));
}

#[test]
fn a_variable_or_the_config_enables_read_only_mode() {
    let home = Home::new();
    issue(&home, &["ci"]);
    let settings = home.path().join("quiet.toml");
    fs::write(&settings, "read-only = true\n").unwrap();
    run(&home, &["revoke", "ci", "--yes", "--config", "quiet.toml"])
        .fails_with_hint(3, MESSAGE, HINT);
    let with = |value: &str, arguments: &[&str]| {
        command(&home, arguments).env("PATDECK_READ_ONLY", value).output().unwrap().status.code()
    };
    assert_eq!(with("1", &["revoke", "ci", "--yes"]), Some(3));
    // The variable overrides the file in both directions.
    assert_eq!(with("0", &["edit", "ci", "--name", "x", "--config", "quiet.toml"]), Some(0));
}

#[test]
fn read_only_mode_creates_no_store() {
    let home = Home::new();
    let store = home.path().join("no/store.redb");
    let result = run(&home, &["list", "--read-only", "--store", store.to_str().unwrap()]);
    let message = format!("no store at {}", store.display());
    result.fails_with_hint(4, &message, crate::missing_store::HINT);
    assert!(!home.path().join("no").exists());
}

#[test]
fn the_table_contains_only_commands_that_change_the_store() {
    use clap::Parser as _;
    for arguments in CHANGES {
        let args = patdeck::cli::Args::try_parse_from([&["patdeck"], *arguments].concat());
        assert!(args.unwrap().command.as_ref().is_some_and(CliCommand::changes), "{arguments:?}");
    }
}
