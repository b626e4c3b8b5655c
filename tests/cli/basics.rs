//! The command line where no terminal and no home is needed: version, unknown arguments, and the
//! sentence that the app ends with where it has no terminal. What needs one is in `tests/pty`.

#![expect(clippy::unwrap_used, reason = "the helpers fail as the tests do")]

use std::{process::Stdio, str};

use assert_cmd::Command;

/// The program with these arguments, in surroundings of its own.
fn patdeck(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_patdeck"));
    command.env_clear().env("HOME", "/nonexistent").env("TERM", "xterm-256color").args(arguments);
    command
}

/// Exit code, standard output and standard error.
fn ended(arguments: &[&str]) -> String {
    let output = patdeck(arguments).output().unwrap();
    let text = |bytes| str::from_utf8(bytes).unwrap().to_owned();
    format!(
        "exit {}\n--- stdout\n{}--- stderr\n{}",
        output.status.code().unwrap(),
        text(&output.stdout),
        text(&output.stderr)
    )
}

#[test]
fn the_version_is_one_line() {
    let version = env!("CARGO_PKG_VERSION");
    let expected = format!("exit 0\n--- stdout\npatdeck {version}\n--- stderr\n");
    assert_eq!(ended(&["--version"]), expected);
    assert_eq!(ended(&["-V"]), expected);
}

#[test]
fn an_unknown_argument_is_named() {
    insta::assert_snapshot!(ended(&["--stor", "x"]));
}

#[test]
fn without_a_terminal_one_line_names_the_cause_and_nothing_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.redb");
    let store = path.to_str().unwrap();
    let refused = patdeck(&["--store", store]).assert().code(2).stdout("");
    refused.stderr(
        "patdeck: standard input is not a terminal; run patdeck in one (over SSH: `ssh -t`), or \
         use a subcommand such as `patdeck list`\n",
    );
    assert!(!path.exists());
}

#[test]
fn a_reader_that_went_away_is_no_failure_of_the_help() {
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_patdeck"))
        .arg("--help")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_slip_in_a_command_or_a_flag_gets_a_suggestion() {
    insta::assert_snapshot!(ended(&["crate", "ci"]));
    insta::assert_snapshot!(ended(&["list", "--statsu", "all"]));
    insta::assert_snapshot!(ended(&["list", "--status", "activ"]));
}
