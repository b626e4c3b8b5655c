//! Tests of the command line with the real binary on real files: output and exit code of each
//! command. `table` runs the one-line cases of `outcomes.txt`; each other module has one topic.
//! `home`, `support` and `secret_encodings` are shared with the tests in a pseudo-terminal.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking, in its helpers as in itself"
)]

mod audit;
mod backup;
mod basics;
mod clock;
mod completion;
mod damage;
mod damaged_register;
mod delivery;
mod doctor;
mod files;
mod follow;
mod help;
#[path = "../pty/home.rs"]
#[expect(dead_code, reason = "shared with the tests in a pseudo-terminal")]
mod home;
mod hooks;
mod hostile;
mod labels;
mod limits;
mod lines;
mod listing;
mod locale;
mod missing_store;
mod names;
mod older_reports;
mod older_store;
mod output_failures;
mod pending;
mod prompts;
mod read_only;
mod regenerate;
mod register;
mod restored_twice;
#[path = "../pty/secret_encodings.rs"]
mod secret_encodings;
mod secrets;
mod selection;
mod settings;
mod sharing;
mod slips;
mod space;
mod status;
#[path = "../pty/support.rs"]
#[expect(dead_code, clippy::expect_used, reason = "shared with the tests in a pseudo-terminal")]
mod support;
mod system_clock;
mod table;
mod trail;
mod verify;

use std::{fmt, io::Write as _, process::Stdio};

use home::Home;

/// Result of a command.
#[derive(Clone, PartialEq, Eq)]
struct CommandResult {
    code: i32,
    out: String,
    err: String,
}

impl fmt::Debug for CommandResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { code, out, err } = self;
        write!(f, "exit {code}\n--- stdout\n{out}--- stderr\n{err}")
    }
}

impl CommandResult {
    /// Asserts success, and returns the standard output.
    #[track_caller]
    fn success(self) -> String {
        assert_eq!(self.code, 0, "{self:?}");
        self.out
    }

    /// Asserts the exit code, an empty standard output, and this error without a hint.
    #[track_caller]
    fn fails(&self, code: i32, message: &str) {
        let err = format!("error: {message}\n");
        assert_eq!(*self, Self { code, out: String::new(), err });
    }

    /// Asserts the exit code, an empty standard output, and this error with this hint.
    #[track_caller]
    fn fails_with_hint(&self, code: i32, message: &str, hint: &str) {
        self.fails(code, &format!("{message}\nhint: {hint}"));
    }

    /// Returns the JSON objects on standard output, one per line.
    #[track_caller]
    fn objects(self) -> Vec<serde_json::Value> {
        let out = self.out;
        out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// Returns a home with an empty store.
fn home_with_store() -> Home {
    let home = Home::new();
    drop(home.service(chrono::TimeDelta::zero()));
    home
}

/// Returns the command `patdeck ARGUMENTS` with `home` and a clean environment.
fn command(home: &Home, arguments: &[&str]) -> std::process::Command {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_patdeck"));
    command.env_clear().env("HOME", home.path()).env("LANG", "C.UTF-8");
    command.current_dir(home.path()).args(arguments);
    command
}

/// Runs patdeck with empty input.
fn run(home: &Home, arguments: &[&str]) -> CommandResult {
    run_with_input(home, arguments, "")
}

/// Runs patdeck with `input`.
fn run_with_input(home: &Home, arguments: &[&str], input: &str) -> CommandResult {
    let mut command = command(home, arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A command that rejects its arguments does not read its input.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    CommandResult {
        code: output.status.code().unwrap(),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}

/// Creates a token, and returns its secret.
fn issue(home: &Home, arguments: &[&str]) -> String {
    let arguments = [&["create"], arguments].concat();
    run(home, &arguments).success().trim_end().to_owned()
}

/// Writes a new file that may be imported.
fn write_private(home: &Home, name: &str, text: &str) {
    let path = home.path().join(name);
    std::fs::write(&path, text).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(path, mode).unwrap();
}
