//! `--read-only`: what would change the store is refused before anything is asked or made, all
//! else answers, and no byte of the store changes.

use std::{fs, path::Path};

use patdeck::cli::CliCommand;

use crate::{Home, command, fed, issue, run};

const REFUSAL: &str = "patdeck runs read-only and nothing was changed: leave away --read-only, \
    PATDECK_READ_ONLY or `read-only` in the settings to change something";

/// One of each that would change the store.
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
];

/// Everything under `folder` with its bytes.
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
fn every_command_that_would_change_the_store_is_refused_and_changes_nothing() {
    let home = Home::new();
    issue(&home, &["ci", "--scope", "channels:c-42:publish"]);
    issue(&home, &["gone"]);
    run(&home, &["delete", "gone", "--yes"]);
    run(&home, &["export", "all.jsonl"]);
    let before = files(&home.path());
    for arguments in CHANGES {
        run(&home, &[arguments, &["--read-only"][..]].concat()).refused(3, REFUSAL);
        assert_eq!(files(&home.path()), before, "{arguments:?}");
    }
}

#[test]
fn what_only_reads_answers_and_leaves_no_trace_not_even_a_last_use() {
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
        let ended = fed(&home, &[arguments, &["--read-only"][..]].concat(), &format!("{secret}\n"));
        assert_eq!(ended.code, 0, "{arguments:?}: {ended:?}");
        assert!(!ended.err.contains("not recorded"), "{ended:?}");
        assert_eq!(files(&home.path()), before, "{arguments:?}");
    }
    assert!(run(&home, &["show", "ci"]).done().contains("last used"));
}

#[test]
fn a_variable_and_the_settings_make_it_read_only_as_well() {
    let home = Home::new();
    issue(&home, &["ci"]);
    let settings = home.path().join("quiet.toml");
    fs::write(&settings, "read-only = true\n").unwrap();
    run(&home, &["revoke", "ci", "--yes", "--config", "quiet.toml"]).refused(3, REFUSAL);
    let with = |value: &str, arguments: &[&str]| {
        command(&home, arguments).env("PATDECK_READ_ONLY", value).output().unwrap().status.code()
    };
    assert_eq!(with("1", &["revoke", "ci", "--yes"]), Some(3));
    // A variable is stronger than the file, in both ways.
    assert_eq!(with("0", &["edit", "ci", "--name", "x", "--config", "quiet.toml"]), Some(0));
}

#[test]
fn no_store_is_made_where_there_is_none() {
    let home = Home::new();
    let store = home.path().join("no/store.redb");
    let ended = run(&home, &["list", "--read-only", "--store", store.to_str().unwrap()]);
    ended.refused(
        4,
        &format!(
            "{} is not there, and patdeck runs read-only: start it once without --read-only",
            store.display()
        ),
    );
    assert!(!home.path().join("no").exists());
}

#[test]
fn the_table_of_changes_names_every_command_that_changes() {
    use clap::Parser as _;
    for arguments in CHANGES {
        let args = patdeck::cli::Args::try_parse_from([&["patdeck"], *arguments].concat());
        assert!(args.unwrap().command.as_ref().is_some_and(CliCommand::changes), "{arguments:?}");
    }
}
