//! The store that the tests damage, with a ledger of what each secret may do, and the program run
//! under limits of time and memory.

use std::{
    fs,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    process::Output,
    time::{Duration, Instant},
};

use chrono::{TimeDelta, Utc};
use patdeck::{
    domain::{Actor, Description, Labels, LimitChanges, Name, NewToken, Owner},
    service::{Clock, Entropy, Service},
    store::Store,
    testing::{ServiceTestExt as _, default_policy},
};
use tempfile::TempDir;

use crate::cases::program;

/// Maximum time of a command on any file, after its input has ended.
pub(crate) const TIME_LIMIT: Duration = Duration::from_secs(10);
/// Maximum address space of a command in KiB.
pub(crate) const MEMORY_LIMIT_KIB: &str = "3000000";

/// The number of tokens, enough for trees with branch pages.
const TOKENS: usize = 300;

/// An intact store without free pages, and what was issued and revoked in it.
pub(crate) struct Subject {
    folder: TempDir,
    pub(crate) pages: Vec<u8>,
    /// All secrets that were issued, one per line.
    pub(crate) secrets: String,
    /// The names of the tokens whose secrets must work, in the order of `secrets`.
    pub(crate) works: Vec<Option<String>>,
}

impl Subject {
    /// Creates the store. Its file is a backup, which contains no older state of any page: a stale
    /// page would be undetectable without a second witness.
    pub(crate) fn new() -> Self {
        let folder = memory_folder();
        let store = Store::memory().unwrap();
        let service = service_on(store, Clock::fixed(Utc::now() - TimeDelta::hours(2)));
        let (mut secrets, mut works) = (String::new(), Vec::new());
        for n in 0..TOKENS {
            let name = format!("token-{n}");
            let expires_early = n % 7 == 3;
            let description = Description::parse(&"a description ".repeat(n % 9)).unwrap();
            let lifetime = if expires_early { "1h" } else { "30d" }.parse().unwrap();
            let token = NewToken { description, lifetime, ..new_token(&name) };
            let issued = service.create(&token).unwrap();
            secrets.push_str(issued.secret.reveal());
            secrets.push('\n');
            let is_revoked = n % 3 == 1;
            let is_deleted = n % 11 == 5;
            if is_revoked {
                service.revoke(&issued.token.id).unwrap();
            }
            if is_deleted {
                service.delete(&issued.token.id).unwrap();
            }
            works.push((!expires_early && !is_revoked && !is_deleted).then_some(name));
        }
        let path = folder.path().join("base.redb");
        service.backup(&path).unwrap();
        let pages = fs::read(&path).unwrap();
        Self { folder, pages, secrets, works }
    }

    /// A folder for the files of one thread, with the path of its store.
    pub(crate) fn workplace(&self, thread: usize) -> PathBuf {
        let folder = self.folder.path().join(thread.to_string());
        let _ = fs::create_dir(&folder);
        folder.join("store.redb")
    }
}

/// A temporary folder in memory where the system has one: the tests of damage need no disk.
pub(crate) fn memory_folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    folder.unwrap()
}

/// The register beside the store at `store`.
pub(crate) fn register_of(store: &Path) -> PathBuf {
    store.with_file_name("store.redb.revoked")
}

/// A token for 30 days with one scope.
pub(crate) fn new_token(name: &str) -> NewToken {
    NewToken {
        name: Name::parse(name).unwrap(),
        description: Description::default(),
        lifetime: "30d".parse().unwrap(),
        scopes: vec!["channels:c-42:publish".parse().unwrap()],
        limits: LimitChanges::default(),
        labels: Labels::default(),
        owner: Owner::default(),
    }
}

/// A service with the default policy.
pub(crate) fn service_on(store: Store, clock: Clock) -> Service {
    Service::new(store, clock, Entropy::System, Actor::named("alice"), default_policy())
}

/// Replaces the store at `path`.
pub(crate) fn write_store(path: &Path, bytes: &[u8]) {
    let _ = fs::remove_file(path);
    let mut options = fs::OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(0o600).open(path).unwrap();
    std::io::Write::write_all(&mut file, bytes).unwrap();
}

/// Runs patdeck on the store at `path`. Panics with `case` if it does not end in time, ends by a
/// signal or a panic, or with an undocumented exit code.
pub(crate) fn run(case: &str, path: &Path, arguments: &[&str], input: &str) -> Output {
    let mut command = assert_cmd::Command::new("/bin/sh");
    let limits = format!("ulimit -v {MEMORY_LIMIT_KIB}; exec \"$0\" \"$@\"");
    command.args(["-c", &limits]).arg(program()).arg("--store").arg(path);
    command.args(arguments).env_clear().env("HOME", path.parent().unwrap());
    command.current_dir(path.parent().unwrap()).env("LANG", "C.UTF-8");
    let began = Instant::now();
    let output = command.write_stdin(input).timeout(TIME_LIMIT).output().unwrap();
    let took = began.elapsed();
    let errors = String::from_utf8_lossy(&output.stderr);
    let short: String = errors.chars().take(2_000).collect();
    let shown = format!("{case}: {arguments:?} {:?} after {took:?}\n{short}", output.status);
    assert!(took < TIME_LIMIT, "endless: {shown}");
    // 5 is for a change that may have been saved, or was saved in part.
    let parts = [
        "it is not known whether the change was saved",
        "may or may not have been changed",
        "its secrets are still denied",
    ];
    let most = if parts.iter().any(|part| errors.contains(part)) { 5 } else { 4 };
    assert!(output.status.code().is_some_and(|code| code <= most), "exit code: {shown}");
    assert!(!errors.contains("panicked") && !errors.contains("intact"), "panic: {shown}");
    let answers = String::from_utf8_lossy(&output.stdout);
    let is_reported = ["error: ", "warning: "].iter().any(|it| errors.contains(it))
        || answers.contains("error: ")
        // `doctor` reports the error among its findings.
        || answers.contains("Needs attention:");
    assert!(output.status.code() != Some(4) || is_reported, "no error: {shown}");
    output
}
