//! Every command that issues a secret, with every fault of its output and of the store: the old
//! secret still works, or the new one was delivered. A secret that was printed and does not work is
//! reported as such.

use std::{
    fs,
    os::{fd::OwnedFd, unix::net::UnixStream},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::mpsc::channel,
    thread,
};

use patdeck::store::{Store, StoreError};

use crate::{Home, command, home::secrets, issue, run, run_with_input};

/// Each way to issue a secret. `FILE` is the path of the secret file.
const ISSUERS: &[&str] = &[
    "create new",
    "create new --json",
    "create new --like ci",
    "create new --secret-file FILE",
    "create new --secret-file FILE --json",
    "regenerate ci --yes",
    "regenerate ci --yes --json",
    "regenerate ci --yes --secret-file FILE",
    "regenerate ci other --yes --secret-file FILE --json",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    OutputFull,
    ClosedPipe,
    FileExists,
    DirectoryMissing,
    FileDiskFull,
    StoreBusy,
    StoreReadOnly,
}

impl Fault {
    const ALL: [Self; 8] = [
        Self::None,
        Self::OutputFull,
        Self::ClosedPipe,
        Self::FileExists,
        Self::DirectoryMissing,
        Self::FileDiskFull,
        Self::StoreBusy,
        Self::StoreReadOnly,
    ];

    /// The exit code of a command with this fault, as of the table in `docs/cli.md`.
    fn code(self, has_file: bool, is_json: bool) -> i32 {
        match self {
            Self::OutputFull if has_file && is_json => 5,
            Self::OutputFull | Self::ClosedPipe if !has_file => 2,
            Self::FileExists if has_file => 3,
            Self::DirectoryMissing | Self::FileDiskFull if has_file => 2,
            Self::StoreBusy => 4,
            Self::StoreReadOnly => 3,
            _ => 0,
        }
    }
}

struct Outcome {
    code: i32,
    delivered: String,
    err: String,
}

/// A directory on a full disk. Only root can mount one; otherwise there is none.
struct FullDisk(PathBuf);

impl FullDisk {
    fn mount(home: &Home) -> Option<Self> {
        let folder = home.path().join("full");
        fs::create_dir(&folder).unwrap();
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=4k,mode=700", "none"])
            .arg(&folder)
            .output();
        let disk = Self(folder);
        mount.is_ok_and(|done| done.status.success()).then(|| {
            fs::write(disk.0.join("filler"), [1; 4096]).unwrap();
            disk
        })
    }
}

impl Drop for FullDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).output();
    }
}

/// Runs `line` with `fault`; `None` if the fault cannot be made here.
fn run_with_fault(home: &Home, line: &str, fault: Fault) -> Option<Outcome> {
    let disk = if fault == Fault::FileDiskFull { Some(FullDisk::mount(home)?) } else { None };
    let file = match fault {
        Fault::FileExists => "kept",
        Fault::DirectoryMissing => "no/such/file",
        Fault::FileDiskFull => "full/file",
        _ => "file",
    };
    fs::write(home.path().join("kept"), "mine\n").unwrap();
    let words: Vec<_> =
        line.split(' ').map(|word| if word == "FILE" { file } else { word }).collect();
    let mut command = command(home, &words);
    if fault == Fault::StoreReadOnly {
        command.env("PATDECK_READ_ONLY", "1");
    }
    match fault {
        Fault::OutputFull => {
            command.stdout(fs::File::options().write(true).open("/dev/full").unwrap());
        }
        Fault::ClosedPipe => {
            let (output, reader) = UnixStream::pair().unwrap();
            drop(reader);
            command.stdout(OwnedFd::from(output));
        }
        _ => {}
    }
    let done = if fault == Fault::StoreBusy {
        while_locked(&home.store(), || command.stdin(Stdio::null()).output().unwrap())
    } else {
        command.stdin(Stdio::null()).output().unwrap()
    };
    let mut delivered = String::from_utf8(done.stdout).unwrap();
    delivered += &fs::read_to_string(home.path().join(file)).unwrap_or_default();
    drop(disk);
    let code = done.status.code().unwrap();
    Some(Outcome { code, delivered, err: String::from_utf8(done.stderr).unwrap() })
}

/// Runs `work` while another process has the lock of the store.
fn while_locked<T>(store: &Path, work: impl FnOnce() -> T) -> T {
    let store = Store::open(store).unwrap();
    let (locked, is_locked) = channel();
    let (done, is_done) = channel::<()>();
    let writer = thread::spawn(move || {
        store.write(|_| {
            locked.send(()).unwrap();
            let _ = is_done.recv();
            Ok::<_, StoreError>(())
        })
    });
    is_locked.recv().unwrap();
    let result = work();
    drop(done);
    writer.join().unwrap().unwrap();
    result
}

fn works(home: &Home, secret: &str) -> bool {
    run_with_input(home, &["verify"], secret).code == 0
}

fn assert_nothing_lost(line: &str, fault: Fault) {
    let home = Home::new();
    let old = issue(&home, &["ci"]);
    issue(&home, &["other"]);
    let events = || run(&home, &["audit", "--json"]).success();
    let before = events();
    // Only root can mount a full disk; the case is skipped for others.
    let Some(Outcome { code, delivered, err }) = run_with_fault(&home, line, fault) else { return };
    let context = format!("{line} {fault:?} => {code}\n{delivered}{err}");
    let (has_file, is_json) = (line.contains("FILE"), line.contains("--json"));
    assert_eq!(code, fault.code(has_file, is_json), "{context}");
    let is_done = matches!(code, 0 | 5);
    let new = secrets(&delivered);
    assert_eq!(events() == before, !is_done, "{context}");
    if is_done {
        assert!(!new.is_empty() && new.iter().all(|secret| works(&home, secret)), "{context}");
        let undelivered = run(&home, &["list", "--search", "unsaved"]).success();
        assert!(!undelivered.contains("new"), "{context}");
        assert_eq!(run(&home, &["audit", "--check"]).code, 0);
    } else {
        assert!(works(&home, &old), "{context}");
        assert!(new.is_empty() || err.contains("The printed secret does not work"), "{context}");
        assert_eq!(run(&home, &["show", "new"]).code, 1, "{context}");
    }
    assert_eq!(fs::read_to_string(home.path().join("kept")).unwrap(), "mine\n");
    assert_eq!(works(&home, &old), !is_done || !line.contains("regenerate"), "{context}");
}

#[test]
fn the_old_secret_works_or_the_new_one_was_delivered() {
    thread::scope(|scope| {
        for fault in Fault::ALL {
            scope.spawn(move || ISSUERS.iter().for_each(|line| assert_nothing_lost(line, fault)));
        }
    });
}

#[test]
fn a_change_whose_result_cannot_be_printed_exits_with_5() {
    let home = Home::new();
    issue(&home, &["ci", "--scope", "channels:c-1:read"]);
    for line in [
        "edit ci --description x --json",
        "scope clear ci --yes --json",
        "revoke ci --yes --json",
        "delete ci --yes --json",
        "restore ci --json",
        "backup copy --json",
        "export --output all.jsonl --json",
        "import all.jsonl --json",
    ] {
        let mut command = command(&home, &line.split(' ').collect::<Vec<_>>());
        command.stdout(fs::File::options().write(true).open("/dev/full").unwrap());
        let done = command.output().unwrap();
        let err = String::from_utf8(done.stderr).unwrap();
        assert_eq!(done.status.code(), Some(5), "{line}: {err}");
        assert!(err.contains("the change was made, but cannot write the output"), "{line}: {err}");
    }
}
