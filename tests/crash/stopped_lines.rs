//! `verify --lines` beside a writer that was stopped in its commit, where it holds the lock that every
//! read needs.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    os::unix::fs::MetadataExt as _,
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use patdeck::{
    domain::{Description, Labels, LimitChanges, Name, NewToken, Owner},
    testing::ServiceTestExt as _,
};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use rustix::process::{Pid, Signal, kill_process};

use crate::{
    service,
    writer::{OutputLines, WriterProcess},
};

const DECIDED: usize = 10;
const WAITING: usize = 990;

/// A running `verify --lines`, which has read the store once.
struct Gateway {
    process: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Gateway {
    fn start(store: &Path, secret: &str) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_patdeck"))
            .arg("--store")
            .arg(store)
            .args(["verify", "--lines"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (requests, answers) = (process.stdin.take().unwrap(), process.stdout.take().unwrap());
        let mut gateway = Self { process, requests, answers: BufReader::new(answers) };
        writeln!(gateway.requests, "{secret}").unwrap();
        assert_eq!(gateway.answer(), "valid: checked");
        gateway
    }

    /// Sends requests that need no read of the store, and then requests that need one.
    fn send_all(&mut self, secret: &str) {
        let requests = "rubbish\n".repeat(DECIDED) + &format!("{secret}\n").repeat(WAITING);
        self.requests.write_all(requests.as_bytes()).unwrap();
        assert_eq!([(); DECIDED].map(|()| self.answer()), ["denied"; DECIDED]);
    }

    fn answer(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    fn end(mut self) {
        drop(self.requests);
        self.process.wait().unwrap();
    }
}

/// Stops the writer in a commit.
fn stop_in_commit(writer: &WriterProcess, lines: &mut OutputLines, store: &Path) {
    let pid = Pid::from_child(&writer.process);
    let stat = format!("/proc/{}/stat", writer.process.id());
    let mut random = StdRng::seed_from_u64(8);
    loop {
        lines.next().unwrap().unwrap();
        let stop_at = Instant::now() + Duration::from_micros(random.random_range(0..9_000));
        while Instant::now() < stop_at {
            std::hint::spin_loop();
        }
        kill_process(pid, Signal::STOP).unwrap();
        while !fs::read_to_string(&stat).unwrap().contains(") T ") {
            thread::yield_now();
        }
        if is_header_locked(store) {
            return;
        }
        kill_process(pid, Signal::CONT).unwrap();
    }
}

/// Whether a process holds the exclusive lock of the header of the file at `path`.
fn is_header_locked(path: &Path) -> bool {
    let inode = format!(":{} ", fs::metadata(path).unwrap().ino());
    let locks = fs::read_to_string("/proc/locks").unwrap();
    locks
        .lines()
        .any(|lock| lock.contains(&inode) && lock.contains(" WRITE ") && lock.ends_with(" 0 319"))
}

#[test]
fn lines_beside_a_stopped_writer_wait_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.redb");
    let new = NewToken {
        name: Name::parse("checked").unwrap(),
        description: Description::default(),
        lifetime: "30d".parse().unwrap(),
        scopes: vec![],
        limits: LimitChanges::default(),
        labels: Labels::default(),
        owner: Owner::default(),
    };
    let secret = service(&path).create(&new).unwrap().secret.reveal().to_owned();
    let mut gateway = Gateway::start(&path, &secret);
    let (mut writer, mut lines) = WriterProcess::start(&path, 920_000);
    lines.find(|line| line.as_ref().unwrap().starts_with("ok ")).unwrap().unwrap();
    stop_in_commit(&writer, &mut lines, &path);
    let started = Instant::now();
    gateway.send_all(&secret);
    for _ in 0..WAITING {
        let answer = gateway.answer();
        assert!(answer.starts_with("error: the store is busy: "), "{answer}");
        assert!(answer.contains(", stopped)"), "{answer}");
    }
    // One wait of 750 ms; the rest is tolerance for a busy machine.
    assert!(started.elapsed() < Duration::from_millis(2_500), "{:?}", started.elapsed());
    gateway.end();

    // The answers that need no read are printed before the wait for the lock.
    kill_process(Pid::from_child(&writer.process), Signal::CONT).unwrap();
    let mut gateway = Gateway::start(&path, &secret);
    stop_in_commit(&writer, &mut lines, &path);
    gateway.send_all(&secret);
    kill_process(Pid::from_child(&writer.process), Signal::CONT).unwrap();
    assert_eq!(gateway.answer(), "valid: checked");
    writer.process.kill().unwrap();
    drop(lines);
    for _ in 1..WAITING {
        assert_eq!(gateway.answer(), "valid: checked");
    }
    gateway.end();
}
