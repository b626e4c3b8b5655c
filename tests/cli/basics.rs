//! Tests that need neither a terminal nor a home: version, unknown arguments, and the error of the
//! app without a terminal. `tests/pty` tests the app in a pseudo-terminal.

#![expect(clippy::unwrap_used, reason = "the helpers fail as the tests do")]

use std::{process::Stdio, str};

use assert_cmd::Command;

/// Returns the command `patdeck ARGUMENTS` with a clean environment.
fn patdeck(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_patdeck"));
    command.env_clear().env("HOME", "/nonexistent").env("TERM", "xterm-256color").args(arguments);
    command
}

/// Runs the command, and formats its exit code, standard output and standard error.
fn outcome(arguments: &[&str]) -> String {
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
    assert_eq!(outcome(&["--version"]), expected);
    assert_eq!(outcome(&["-V"]), expected);
}

#[test]
fn an_unknown_argument_is_named() {
    insta::assert_snapshot!(outcome(&["--stor", "x"]));
}

#[test]
fn the_app_needs_a_terminal_and_creates_nothing_without_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.redb");
    let store = path.to_str().unwrap();
    let failed = patdeck(&["--store", store]).assert().code(2).stdout("");
    failed.stderr(
        "error: standard input is not a terminal; run patdeck in one (over SSH: `ssh -t`), or \
         use a subcommand such as `patdeck list`\n",
    );
    assert!(!path.exists());
}

#[test]
fn help_succeeds_if_its_reader_is_gone() {
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
    insta::assert_snapshot!(outcome(&["crate", "ci"]));
    insta::assert_snapshot!(outcome(&["list", "--statsu", "all"]));
    insta::assert_snapshot!(outcome(&["list", "--status", "activ"]));
}
