//! Disks that are filled again before each command, beside a thread that writes in a loop: each
//! revoke is in force at once, other changes are refused whole, and all endings are in the trail as
//! soon as there is space.

use std::{
    path::Path,
    process::{Command, Output, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use patdeck::{domain::NewToken, service::Clock, store::Store, testing::ServiceTestExt as _};

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

use crate::{
    cases::{case_count, only_seed, program},
    small_disk::{DiskKind, SmallDisk},
    subject::{TIME_LIMIT, memory_folder, new_token, run, service_on},
    tracer::TracedProcess,
};

/// Issues `count` tokens. Returns their names and secrets.
fn issue_tokens(store: &Path, count: u64) -> Vec<(String, String)> {
    let service = service_on(Store::open(store).unwrap(), Clock::System);
    let issue = |number| {
        let name = format!("ci-{number}");
        let token = NewToken { scopes: vec![], ..new_token(&name) };
        let secret = service.create(&token).unwrap().secret;
        (name, secret.reveal().to_owned())
    };
    (0..count).map(issue).collect()
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A store on a full disk, and what happened to it.
struct FullStore<'s, F, E> {
    store: &'s Path,
    fill: F,
    execute: E,
    /// Other changes that succeeded, in pages that were free inside the file.
    created: usize,
    /// Revokes whose record could not be written yet.
    pending: usize,
    slowest: Duration,
}

impl<F: Fn(), E: Fn(&[&str], &str) -> Output> FullStore<'_, F, E> {
    fn execute(&self, arguments: &[&str], input: &str) -> Output {
        (self.fill)();
        (self.execute)(arguments, input)
    }

    /// Another change succeeds, or changes nothing.
    fn create(&mut self, number: usize) {
        let done = self.execute(&["create", &format!("other-{number}")], "");
        match done.status.code() {
            Some(0) => self.created += 1,
            Some(4) => assert!(text(&done).contains("nothing was changed"), "{}", text(&done)),
            code => panic!("{code:?}: {}", text(&done)),
        }
    }

    /// Kills a command at a random system call, which can leave a file that needs a repair.
    fn kill_edit(&self, random: &mut StdRng) {
        (self.fill)();
        let edit = ["edit", "ci-0", "--description", "changed"];
        if let Ok(mut killed) = TracedProcess::start(self.store, &edit, Stdio::null()) {
            killed.run_until(random.random_range(100..400));
        }
    }

    fn revoke(&mut self, name: &str, secret: &str) {
        (self.fill)();
        let began = Instant::now();
        let revoked = (self.execute)(&["revoke", name, "--yes"], "");
        self.slowest = self.slowest.max(began.elapsed());
        assert_eq!(revoked.status.code(), Some(0), "{name}: {}", text(&revoked));
        self.pending += usize::from(text(&revoked).contains("will be updated"));
        let checked = self.execute(&["verify"], secret);
        assert_eq!(checked.status.code(), Some(1), "{name}: {}", text(&checked));
    }

    /// Revokes all `tokens`, with other changes and killed ones in between.
    fn revoke_all(&mut self, tokens: &[(String, String)], can_kill: bool) {
        let seed = only_seed().unwrap_or(1);
        let mut random = StdRng::seed_from_u64(seed);
        for (number, (name, secret)) in tokens.iter().enumerate() {
            match random.random_range(0..8) {
                0 => self.create(number),
                1 if can_kill => self.kill_edit(&mut random),
                _ => {}
            }
            self.revoke(name, secret);
        }
    }

    /// Asserts that the next write stores all endings, each with its own event.
    fn check_when_there_is_space(&self, count: usize) {
        let run = |arguments: &[&str]| run("there is space", self.store, arguments, "");
        let done = run(&["create", "later"]);
        assert_eq!(done.status.code(), Some(0), "{}", text(&done));
        let trail = String::from_utf8(run(&["audit", "--json"]).stdout).unwrap();
        let events = |text| trail.lines().filter(|line| line.contains(text)).count();
        assert_eq!(events("\"action\":\"revoked\""), count, "events of revokes");
        assert_eq!(events("\"name\":\"other-"), self.created, "events of other changes");
        assert_eq!(run(&["audit", "--check"]).status.code(), Some(0));
        let listed = run(&["list", "--status", "revoked", "--json"]).stdout;
        assert_eq!(String::from_utf8(listed).unwrap().lines().count(), count);
        let report = run(&["doctor", "--json"]).stdout;
        let report: serde_json::Value = serde_json::from_slice(&report).unwrap();
        // Tokens issued without a front end have no event of their delivery.
        let is_expected = |fault: &serde_json::Value| fault.to_string().contains("not saved yet");
        assert!(report["attention"].as_array().unwrap().iter().all(is_expected), "{report}");
        let Self { created, pending, slowest, .. } = self;
        println!(
            "{count} revokes, {pending} pending, slowest {slowest:?}; {created} other changes"
        );
    }
}

fn revoke_on_a_full_disk(kind: DiskKind) {
    let Some(disk) = SmallDisk::mount(kind, 24) else {
        return;
    };
    let store = disk.path().join("store.redb");
    let tokens = issue_tokens(&store, case_count(12, 1_000));
    let stop = AtomicBool::new(false);
    let execute = |arguments: &[&str], input: &str| run("full disk", &store, arguments, input);
    let mut full = full_store(&store, || disk.fill(), execute);
    thread::scope(|scope| {
        scope.spawn(|| disk.keep_full(&stop));
        let _stop_on_drop = StopOnDrop(&stop);
        full.revoke_all(&tokens, true);
    });
    disk.empty();
    print!("{kind:?}: ");
    full.check_when_there_is_space(tokens.len());
}

fn full_store<F: Fn(), E: Fn(&[&str], &str) -> Output>(
    store: &Path,
    fill: F,
    execute: E,
) -> FullStore<'_, F, E> {
    FullStore { store, fill, execute, created: 0, pending: 0, slowest: Duration::ZERO }
}

/// Stops the filling thread, also after a failed assertion.
struct StopOnDrop<'o>(&'o AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn revokes_work_on_a_full_tmpfs_beside_a_writer() {
    revoke_on_a_full_disk(DiskKind::Tmpfs);
}

#[test]
fn revokes_work_on_a_full_ext4_beside_a_writer() {
    revoke_on_a_full_disk(DiskKind::Ext4);
}

/// Works without root: no file may grow.
#[test]
fn revokes_work_under_a_file_size_limit() {
    let folder = memory_folder();
    let store = folder.path().join("store.redb");
    let mut tokens = issue_tokens(&store, 400);
    tokens.truncate(usize::try_from(case_count(12, 400)).unwrap());
    // The limit also holds for writes inside a file, so that the larger file decides. The shell
    // counts blocks of 512 bytes.
    let size = |name: &str| folder.path().join(name).metadata().unwrap().len();
    let limit = size("store.redb").max(size("store.redb.revoked")) / 512;
    let script = format!("ulimit -f {limit}; exec \"$0\" \"$@\"");
    let execute = |arguments: &[&str], input: &str| {
        let mut command = assert_cmd::Command::from_std(Command::new("/bin/sh"));
        command.args(["-c", &script]).arg(program()).arg("--store").arg(&store);
        command.args(arguments).env_clear().env("HOME", folder.path());
        command.timeout(TIME_LIMIT).write_stdin(input).output().unwrap()
    };
    let mut full = full_store(&store, || {}, execute);
    full.revoke_all(&tokens, false);
    print!("file size limit: ");
    full.check_when_there_is_space(tokens.len());
}
