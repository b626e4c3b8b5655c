//! Generates the surroundings of a command: environment, umask, and what is connected to its
//! standard descriptors; and runs a command in them under limits of time and memory.

use std::{
    ffi::OsString,
    fs::File,
    io::{self, PipeReader, PipeWriter, Read as _, Write as _},
    os::unix::{ffi::OsStringExt as _, process::ExitStatusExt as _},
    process::{Command, ExitStatus, Stdio},
    sync::mpsc::channel,
    thread,
    time::{Duration, Instant},
};

use rand::{RngExt as _, rngs::StdRng};
use rustix::process::{Pid, Signal, kill_process};

use crate::{
    cases::program,
    command_lines::pick,
    sandbox::Sandbox,
    subject::{MEMORY_LIMIT_KIB, TIME_LIMIT},
};

/// Time after which an endless input ends, and an output that follows changes is terminated.
const ENDLESS: Duration = Duration::from_millis(500);
/// Number of output bytes that are kept.
const KEPT: usize = 4 << 20;

/// The environment of one command.
#[derive(Debug)]
pub(crate) struct Surroundings {
    pub(crate) variables: Vec<(&'static str, OsString)>,
    umask: &'static str,
    stdin: Input,
    stdout: Output,
    stderr: Output,
    /// Whether `~/` leads into the sandbox.
    pub(crate) has_home: bool,
}

/// What standard input is connected to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Input {
    Closed,
    Null,
    Folder,
    /// The content of a file of the sandbox.
    Content(&'static str),
    /// A line of 16 MiB.
    LongLine,
    /// The same bytes until the reader ends, at most for [`ENDLESS`].
    Endless(&'static [u8]),
    /// Nothing until [`ENDLESS`] has passed.
    Silence,
}

/// What standard output or standard error is connected to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Output {
    Read,
    Closed,
    Full,
    /// A pipe whose reader has closed it.
    BrokenPipe,
}

/// The result of one command.
pub(crate) struct Outcome {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
    pub(crate) took: Duration,
    pub(crate) was_killed: bool,
    pub(crate) was_terminated: bool,
}

impl Surroundings {
    pub(crate) fn generate(sandbox: &Sandbox, random: &mut StdRng) -> Self {
        let (home, has_home) = home(sandbox, random);
        let mut variables: Vec<(&'static str, OsString)> = Vec::new();
        variables.extend(home.map(|home| ("HOME", home)));
        if !has_home {
            // Without HOME, the password database names the home of the account that runs the tests.
            variables.push(("XDG_DATA_HOME", sandbox.home().join(".local/share").into()));
            variables.push(("XDG_CONFIG_HOME", sandbox.home().join(".config").into()));
        }
        variables.push(("TMPDIR", sandbox.root.join("tmp").into()));
        let long = OsString::from("x".repeat(5_000));
        for (name, values) in VARIABLES {
            // A fifth of the variables, so that most commands get as far as the store.
            if random.random_ratio(1, 5) && (has_home || name != "PATDECK_STORE") {
                let value = match random.random_range(0..20) {
                    0 => OsString::from_vec(b"\xff\x1b[2J\xfe".to_vec()),
                    1 => long.clone(),
                    _ => pick(random, values).into(),
                };
                variables.push((name, value));
            }
        }
        let stdin = *pick(random, &INPUTS);
        let [stdout, stderr] = [0, 1].map(|_| match random.random_range(0..24) {
            0 => Output::Closed,
            1 => Output::Full,
            2 => Output::BrokenPipe,
            _ => Output::Read,
        });
        let umask = *pick(random, &["000", "022", "077"]);
        Self { variables, umask, stdin, stdout, stderr, has_home }
    }

    /// Runs patdeck with `arguments` in the folder `work` of `sandbox`.
    pub(crate) fn run(&self, sandbox: &Sandbox, arguments: &[OsString]) -> Outcome {
        let mut script = format!("ulimit -v {MEMORY_LIMIT_KIB}; umask {}; exec", self.umask);
        script.push_str(" \"$0\" \"$@\"");
        script.push_str(if self.stdin == Input::Closed { " <&-" } else { "" });
        script.push_str(if self.stdout == Output::Closed { " >&-" } else { "" });
        script.push_str(if self.stderr == Output::Closed { " 2>&-" } else { "" });
        let mut command = Command::new("/bin/sh");
        command.args(["-c", &script]).arg(program()).args(arguments);
        command.env_clear().envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.current_dir(sandbox.work());
        let (stdin, input) = self.stdin.open(sandbox);
        let (stdout, out) = self.stdout.open();
        let (stderr, err) = self.stderr.open();
        command.stdin(stdin).stdout(stdout).stderr(stderr);
        let began = Instant::now();
        let mut child = command.spawn().unwrap();
        // The command holds the only other ends of the pipes.
        drop(command);
        let process = Pid::from_child(&child);
        let follows = arguments.iter().any(|argument| argument == "--follow");
        thread::scope(|scope| {
            let (ended, end) = channel::<()>();
            let watchdog = scope.spawn(move || {
                let has_ended = |limit| end.recv_timeout(limit).is_ok();
                let was_terminated = follows && !has_ended(ENDLESS);
                if was_terminated {
                    let _ = kill_process(process, Signal::TERM);
                }
                let was_killed = (!follows || was_terminated) && !has_ended(TIME_LIMIT + ENDLESS);
                if was_killed {
                    let _ = kill_process(process, Signal::KILL);
                }
                (was_terminated, was_killed)
            });
            let feeder = input.map(|pipe| scope.spawn(move || self.stdin.feed(pipe, sandbox)));
            let [out, err] = [out, err].map(|pipe| scope.spawn(move || read_all(pipe)));
            let status = child.wait().unwrap();
            let took = began.elapsed();
            // Fails if the watchdog has ended.
            let _ = ended.send(());
            let (was_terminated, was_killed) = watchdog.join().unwrap();
            if let Some(feeder) = feeder {
                feeder.join().unwrap();
            }
            let (stdout, stderr) = (out.join().unwrap(), err.join().unwrap());
            Outcome { status, stdout, stderr, took, was_killed, was_terminated }
        })
    }
}

impl Outcome {
    /// The exit code, with 128 plus the number of the signal that ended the process.
    pub(crate) fn code(&self) -> i32 {
        self.status.code().or(self.status.signal().map(|signal| 128 + signal)).unwrap()
    }
}

/// Environment variables with their values. Paths are relative to the folder `work`.
const VARIABLES: [(&str, &[&str]); 16] = [
    ("LANG", &["C", "C.UTF-8", "nonsense", "de_DE.ISO-8859-1"]),
    ("LC_ALL", &["C", "C.UTF-8", ""]),
    ("TERM", &["dumb", "xterm-256color", "", "nonsense"]),
    (
        "PATDECK_STORE",
        &[
            "",
            "",
            "../home/.local/share/patdeck/store.redb",
            "no/such/store",
            "folder",
            "fifo",
            "text",
            "link",
            "backup.redb",
            "~/x.redb",
            "new.redb",
            "new/",
        ],
    ),
    (
        "PATDECK_CONFIG",
        &[
            "",
            "",
            "good.toml",
            "broken.toml",
            "nul.toml",
            "escaped.toml",
            "invalid.toml",
            "huge.toml",
            "open.toml",
            "folder",
            "fifo",
            "ci.token",
            "zero",
            "no/such.toml",
        ],
    ),
    ("PATDECK_READ_ONLY", &["", "0", "1", "nonsense"]),
    ("TZ", &["", "Nowhere/Nonsense", ":/etc/passwd", "UTC+99", "<->-24", "\u{1}"]),
    ("RUST_BACKTRACE", &["1", "full"]),
    ("RUST_LOG", &["trace"]),
    ("RUST_LIB_BACKTRACE", &["1"]),
    ("RAYON_NUM_THREADS", &["1", "0", "nonsense"]),
    ("NO_COLOR", &["1", ""]),
    ("COLUMNS", &["0", "1", "99999999999"]),
    ("SSH_CONNECTION", &["", "nonsense", "192.0.2.7 1 192.0.2.8 22"]),
    ("SUDO_USER", &["", "root", "nobody"]),
    ("TMUX", &["", "nonsense,1,2"]),
];

/// What standard input is, the usual cases more often.
const INPUTS: [Input; 16] = [
    Input::Null,
    Input::Content("empty"),
    Input::Closed,
    Input::Folder,
    Input::Content("ci.token"),
    Input::Content("ci.token"),
    Input::Content("web.token"),
    Input::Content("ended.token"),
    Input::Content("export.jsonl"),
    Input::Content("utf16.jsonl"),
    Input::Content("broken.jsonl"),
    Input::LongLine,
    Input::Endless(b"\0"),
    Input::Endless(b"y\n"),
    Input::Endless(b"pat_"),
    Input::Silence,
];

/// A value of HOME, and whether it leads into the sandbox.
fn home(sandbox: &Sandbox, random: &mut StdRng) -> (Option<OsString>, bool) {
    let home = match random.random_range(0..32) {
        0 => return (None, false),
        1 => return (Some("".into()), false),
        2 => return (Some("relative".into()), true),
        3 => sandbox.root.join("foreign").into(),
        // Nobody can create a file there, not even root.
        4 => "/proc".into(),
        5 => sandbox.work().join("text").into(),
        6 => sandbox.root.join("no/such/home").into(),
        7 => sandbox.root.join("x".repeat(5_000)).into(),
        _ => sandbox.home().into(),
    };
    (Some(home), true)
}

impl Input {
    /// Returns what the command gets, and the pipe that [`Self::feed`] writes.
    fn open(self, sandbox: &Sandbox) -> (Stdio, Option<PipeWriter>) {
        match self {
            Self::Closed | Self::Null => (Stdio::null(), None),
            Self::Folder => (File::open(sandbox.work()).unwrap().into(), None),
            Self::Content(_) | Self::LongLine | Self::Endless(_) | Self::Silence => {
                let (reader, writer) = io::pipe().unwrap();
                (reader.into(), Some(writer))
            }
        }
    }

    /// Writes to the input until the reader ends.
    fn feed(self, mut pipe: PipeWriter, sandbox: &Sandbox) {
        match self {
            Self::Content(file) => {
                let bytes = std::fs::read(sandbox.work().join(file)).unwrap();
                let _ = pipe.write_all(&bytes);
            }
            Self::LongLine => {
                let _ = pipe.write_all(&vec![b'a'; 16 << 20]);
                let _ = pipe.write_all(b"\n");
            }
            Self::Endless(text) => {
                let (chunk, began) = (text.repeat(4 << 10), Instant::now());
                while began.elapsed() < ENDLESS && pipe.write_all(&chunk).is_ok() {}
            }
            Self::Silence => thread::sleep(ENDLESS),
            Self::Closed | Self::Null | Self::Folder => {}
        }
    }
}

impl Output {
    fn open(self) -> (Stdio, Option<PipeReader>) {
        match self {
            // The shell closes it.
            Self::Closed => (Stdio::null(), None),
            Self::Full => (File::create("/dev/full").unwrap().into(), None),
            Self::Read | Self::BrokenPipe => {
                let (reader, writer) = io::pipe().unwrap();
                (writer.into(), (self == Self::Read).then_some(reader))
            }
        }
    }
}

/// Reads to the end, and returns the first [`KEPT`] bytes.
fn read_all(pipe: Option<PipeReader>) -> Vec<u8> {
    let mut kept = Vec::new();
    if let Some(pipe) = pipe {
        let mut limited = pipe.take(KEPT as u64);
        limited.read_to_end(&mut kept).unwrap();
        io::copy(&mut limited.into_inner(), &mut io::sink()).unwrap();
    }
    kept
}
