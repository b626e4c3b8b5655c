//! Writers and readers stopped at every system call. Beside each one, another process revokes a
//! token: the secret is not allowed from then on, nothing hangs, and after SIGKILL of the stopped
//! process the store opens and its chain is intact.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    sync::Mutex,
    time::{Duration, Instant, SystemTime},
};

use patdeck::{service::Clock, store::Store, testing::ServiceTestExt as _};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

use crate::{
    cases::{case_count, is_long, run_cases},
    subject::{memory_folder, new_token, register_of, run, service_on, write_store},
    tracer::{TraceError, TracedProcess},
};

/// The commands that are stopped. `#` before one removes the register first, so that the command
/// rebuilds it. Readers are stopped too: they hold locks.
const COMMANDS: [&str; 20] = [
    "create new",
    "regenerate ci --yes",
    "regenerate ci --overlap 1h",
    "regenerate other --overlap 1h",
    "revoke other --yes",
    "revoke ci --yes",
    "delete ci --yes",
    "delete --all --yes",
    "restore gone",
    "scope clear ci --yes",
    "edit ci --description changed",
    "list",
    "verify --secret-file ci.token",
    "clock accept --yes",
    "doctor --repair --yes",
    "export",
    "compact",
    "backup restore backup.redb --yes",
    "import export.jsonl --on-conflict replace --yes",
    "#list",
];

/// A revoke must be in the register within this time, and some more on a busy machine.
const EFFECTIVE: Duration = Duration::from_millis(100);
const SLOW_MACHINE: Duration = Duration::from_secs(3);

/// A store to copy, with the secret of the token `ci`.
struct StoppedSubject {
    folder: tempfile::TempDir,
    secret: String,
}

impl StoppedSubject {
    fn new() -> Self {
        let folder = memory_folder();
        let path = folder.path().join("store.redb");
        let service = service_on(Store::open(&path).unwrap(), Clock::System);
        let mut issued = Vec::new();
        for name in ["ci", "other", "gone"] {
            issued.push(service.create(&new_token(name)).unwrap());
        }
        service.delete(&issued[2].token.id).unwrap();
        let secret = issued[0].secret.reveal().to_owned();
        write_store(&folder.path().join("ci.token"), secret.as_bytes());
        run("export", &path, &["export", "--output", "export.jsonl"], "");
        run("backup", &path, &["backup", "backup.redb"], "");
        Self { folder, secret }
    }

    /// Copies the files to a new folder, and returns the path of its store.
    fn copy(&self, thread: usize) -> PathBuf {
        let folder = self.folder.path().join(thread.to_string());
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir(&folder).unwrap();
        for entry in fs::read_dir(self.folder.path()).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_file() {
                fs::copy(entry.path(), folder.join(entry.file_name())).unwrap();
            }
        }
        folder.join("store.redb")
    }
}

/// The slowest cases: the time after which a revoke was in force, and the duration of a check.
#[derive(Default)]
struct Slowest {
    effective: (Duration, String),
    verify: (Duration, String),
    /// Revokes that were in force later than [`EFFECTIVE`].
    late: u32,
    pending: u32,
    cases: u32,
}

/// Starts `command`, one of [`COMMANDS`], on `store`.
fn start(store: &Path, command: &str) -> Result<TracedProcess, TraceError> {
    let words: Vec<_> = command.trim_start_matches('#').split(' ').collect();
    if command.starts_with('#') {
        fs::remove_file(register_of(store)).unwrap();
    }
    TracedProcess::start(store, &words, Stdio::null())
}

/// Runs one case: stops `command` before system call `call`. Returns whether it had so many.
fn stop_and_revoke(
    case: &str,
    store: &Path,
    command: &str,
    call: usize,
    subject: &StoppedSubject,
    slowest: &Mutex<Slowest>,
) -> bool {
    let mut stopped = start(store, command).unwrap();
    if stopped.run_until(call) < call {
        return false;
    }
    let (began, clock) = (Instant::now(), SystemTime::now());
    let revoked = run(case, store, &["revoke", "ci", "--yes"], "");
    let errors = String::from_utf8_lossy(&revoked.stderr).into_owned();
    // The stopped command may have revoked or deleted the token itself.
    let is_ended = revoked.status.code() == Some(0)
        || errors.contains("already revoked")
        || ["not found", "was deleted"].iter().any(|it| errors.contains(it));
    // Without a register, there is no second place for the revoke beside a stopped process.
    assert!(is_ended || command.starts_with('#'), "{case}: {errors}");
    let is_pending = errors.contains("will be updated");
    let written = fs::metadata(register_of(store)).and_then(|file| file.modified());
    let effective = match written.map(|at| at.duration_since(clock)) {
        Ok(Ok(after)) => after,
        // It was in the register before, or there is none.
        _ => Duration::ZERO,
    };
    assert!(effective < EFFECTIVE + SLOW_MACHINE, "{case}: in force after {effective:?}");
    let asked = Instant::now();
    let checked = run(case, store, &["verify"], &subject.secret);
    let verify = asked.elapsed();
    let is_allowed = checked.status.code() == Some(0);
    assert!(
        !(is_allowed && is_ended),
        "{case}: a revoked secret works after {:?}",
        began.elapsed()
    );
    {
        let mut all = slowest.lock().unwrap();
        if effective > all.effective.0 {
            all.effective = (effective, case.to_owned());
        }
        all.late += u32::from(effective > EFFECTIVE);
        // Beside a stopped rebuild of the register, a check waits for the lock of a write.
        if verify > all.verify.0 && !command.starts_with('#') {
            all.verify = (verify, case.to_owned());
        }
        all.pending += u32::from(is_pending);
        all.cases += 1;
    }
    if !call.is_multiple_of(3) && command.contains(" ci ") {
        // The stopped command goes on, to its end or until it is killed, and must not undo the revoke
        // that was acknowledged.
        let next = if call.is_multiple_of(2) { call + 1 + call % 97 } else { usize::MAX };
        stopped.run_until(next);
        drop(stopped);
        if revoked.status.code() == Some(0) && !command.starts_with("delete") {
            check_revoke_is_recorded(case, store);
        }
    } else {
        drop(stopped);
    }
    check_after_kill(case, store, is_ended, subject);
    true
}

/// Asserts that the token `ci` is revoked, unless it was regenerated after the revoke was recorded.
fn check_revoke_is_recorded(case: &str, store: &Path) {
    run(case, store, &["create", "next"], "");
    let trail = run(case, store, &["audit", "--token", "ci", "--json"], "");
    let trail = String::from_utf8_lossy(&trail.stdout).into_owned();
    let last = |action: &str| trail.rfind(&format!("\"action\":\"{action}\""));
    assert!(last("revoked").is_some(), "{case}: {trail}");
    let shown = run(case, store, &["show", "ci", "--json"], "");
    let is_active = String::from_utf8_lossy(&shown.stdout).contains("\"status\":\"active\"");
    assert!(!is_active || last("regenerated") > last("revoked"), "{case}: {trail}");
}

/// Asserts that the store opens, that the ended secret stays ended, and that the trail is complete.
fn check_after_kill(case: &str, store: &Path, is_ended: bool, subject: &StoppedSubject) {
    let created = run(case, store, &["create", "afterwards"], "");
    assert_eq!(created.status.code(), Some(0), "{case}: {created:?}");
    if is_ended {
        let checked = run(case, store, &["verify"], &subject.secret);
        assert_eq!(checked.status.code(), Some(1), "{case}: {checked:?}");
    }
    let chain = run(case, store, &["audit", "--check"], "");
    assert_eq!(chain.status.code(), Some(0), "{case}: {chain:?}");
    let options = patdeck::store::OpenOptions { create_missing: false, ..Default::default() };
    let opened = Store::open_with(store, options).unwrap();
    let faults = opened.read(patdeck::store::ReadOps::find_inconsistencies).unwrap();
    assert_eq!(faults, [""; 0], "{case}");
}

/// The number of system calls of `command`, or `None` if nothing can be traced here.
fn count_calls(subject: &StoppedSubject, command: &str) -> Option<usize> {
    match start(&subject.copy(9), command) {
        Ok(mut process) => Some(process.run_until(usize::MAX)),
        Err(error) => {
            println!("skipped: no process can be traced here: {error}");
            None
        }
    }
}

#[test]
fn a_revoke_works_beside_a_process_stopped_at_any_call() {
    let subject = StoppedSubject::new();
    let Some(calls) = COMMANDS.map(|one| count_calls(&subject, one)).into_iter().collect() else {
        return;
    };
    let calls: Vec<usize> = calls;
    let slowest = Mutex::new(Slowest::default());
    // In the long form, case n is the n-th call of all commands in a row.
    let all: u64 = calls.iter().map(|count| *count as u64).sum();
    run_cases(
        case_count(COMMANDS.len() as u64, all),
        |thread| thread,
        |seed, thread| {
            let (command, call) = if is_long() {
                nth_call(&calls, usize::try_from(seed).unwrap())
            } else {
                let command = usize::try_from(seed).unwrap() % COMMANDS.len();
                // The first calls load the program.
                let first = calls[command] / 3;
                let call = StdRng::seed_from_u64(seed).random_range(first..=calls[command]);
                (command, call)
            };
            let case = format!("seed {seed}: `{}` stopped at call {call}", COMMANDS[command]);
            let store = subject.copy(*thread);
            stop_and_revoke(&case, &store, COMMANDS[command], call, &subject, &slowest);
        },
    );
    let Slowest { effective, verify, late, pending, cases } = slowest.into_inner().unwrap();
    println!(
        "{cases} stops, {pending} revokes pending, {late} in force after more than {EFFECTIVE:?}; \
         slowest {effective:?}; slowest check {verify:?}"
    );
}

/// The command and the number, from 1, of the `n`-th system call of all commands in a row.
fn nth_call(calls: &[usize], mut n: usize) -> (usize, usize) {
    for (command, count) in calls.iter().enumerate() {
        if n < *count {
            return (command, n + 1);
        }
        n -= count;
    }
    (0, 1)
}

/// Stops an import before system call `call`, ends the overlap of `ci` beside it, and lets it go on. The
/// old secret, which the import makes current again, must not outlast the end of its overlap.
fn stop_and_end_overlap(case: &str, store: &Path, call: usize, old: &str) {
    let import = ["import", "export.jsonl", "--on-conflict", "replace", "--yes"];
    let mut stopped = TracedProcess::start(store, &import, Stdio::null()).unwrap();
    if stopped.run_until(call) < call {
        return;
    }
    let ended = run(case, store, &["revoke", "ci", "--old", "--yes"], "");
    if ended.status.code() != Some(0) {
        // The import has replaced the token.
        return;
    }
    let is_running = stopped.run_until(usize::MAX) > call;
    drop(stopped);
    let trail = run(case, store, &["audit", "--token", "ci", "--json"], "");
    let trail = String::from_utf8_lossy(&trail.stdout).into_owned();
    let last = |action: &str| trail.rfind(&format!("\"action\":\"{action}\""));
    // An import that had not begun its write asks the store again, and has the consent of `--yes`.
    let is_later = last("imported") > last("overlap ended") && last("overlap ended").is_some();
    for next in ["one", "two"] {
        let checked = run(case, store, &["verify"], old);
        assert!(is_later || checked.status.code() == Some(1), "{case} {is_running}: {trail}");
        run(case, store, &["create", next], "");
    }
    let chain = run(case, store, &["audit", "--check"], "");
    assert_eq!(chain.status.code(), Some(0), "{case}: {chain:?}");
}

#[test]
fn the_end_of_an_overlap_outlasts_a_stopped_import() {
    let subject = StoppedSubject::new();
    let path = subject.folder.path().join("store.redb");
    run("rotate", &path, &["regenerate", "ci", "--overlap", "1h"], "");
    let import = "import export.jsonl --on-conflict replace --yes";
    let Some(calls) = count_calls(&subject, import) else { return };
    run_cases(
        case_count(12, calls as u64),
        |thread| thread,
        |seed, thread| {
            // The first calls load the program.
            let first = calls / 2;
            let call = StdRng::seed_from_u64(seed).random_range(first..=calls);
            let case = format!("seed {seed}: `{import}` stopped at call {call}");
            stop_and_end_overlap(&case, &subject.copy(*thread), call, &subject.secret);
        },
    );
}
