//! The command line, as the real binary on real files: what each command says and how it ends.
//! `table` holds the short cases, one line each; the other modules hold one subject each.
//! `home`, `support` and `traces` are those of the tests in a pseudo-terminal.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking, in its helpers as in itself"
)]

mod basics;
mod doctor;
mod files;
mod follow;
mod help;
#[path = "../pty/home.rs"]
#[expect(dead_code, reason = "shared with the tests in a pseudo-terminal")]
mod home;
mod hostile;
mod lines;
mod listing;
mod prompts;
mod read_only;
mod secrets;
mod settings;
mod sharing;
#[path = "../pty/support.rs"]
#[expect(dead_code, clippy::expect_used, reason = "shared with the tests in a pseudo-terminal")]
mod support;
mod table;
#[path = "../pty/traces.rs"]
mod traces;
mod trail;
mod verify;

use std::{fmt, io::Write as _, process::Stdio};

use home::Home;

/// How a command ended.
#[derive(Clone, PartialEq, Eq)]
struct Ended {
    code: i32,
    out: String,
    err: String,
}

impl fmt::Debug for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { code, out, err } = self;
        write!(f, "exit {code}\n--- stdout\n{out}--- stderr\n{err}")
    }
}

impl Ended {
    /// Asserts success; gives the standard output.
    #[track_caller]
    fn done(self) -> String {
        assert_eq!(self.code, 0, "{self:?}");
        self.out
    }

    /// Asserts this exit code, silence on standard output, and this one sentence.
    #[track_caller]
    fn refused(&self, code: i32, sentence: &str) {
        let expected = Self { code, out: String::new(), err: format!("patdeck: {sentence}\n") };
        assert_eq!(*self, expected);
    }

    /// The objects that were printed, one a line.
    #[track_caller]
    fn objects(self) -> Vec<serde_json::Value> {
        let out = self.out;
        out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// The program at `home`, in surroundings of its own.
fn command(home: &Home, arguments: &[&str]) -> std::process::Command {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_patdeck"));
    command.env_clear().env("HOME", home.path()).env("LANG", "C.UTF-8");
    command.current_dir(home.path()).args(arguments);
    command
}

/// Runs it with nothing on its input.
fn run(home: &Home, arguments: &[&str]) -> Ended {
    fed(home, arguments, "")
}

/// Runs it with `input`.
fn fed(home: &Home, arguments: &[&str], input: &str) -> Ended {
    let mut command = command(home, arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // One that refuses its arguments does not read.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ended {
        code: output.status.code().unwrap(),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}

/// Makes a token; gives its secret.
fn issue(home: &Home, arguments: &[&str]) -> String {
    let arguments = [&["create"], arguments].concat();
    run(home, &arguments).done().trim_end().to_owned()
}
