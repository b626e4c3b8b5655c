//! Stops a writer process at random moments. Commands of the real program must return in time, with
//! a result or an error that names the lock holder, and must succeed after the writer continues or
//! exits. `PATDECK_STOP_ROUNDS` sets the number of rounds.

use std::{
    fs,
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant, SystemTime},
};

use patdeck::{
    domain::{Labels, LimitChanges, Name, NewToken, Owner},
    testing::ServiceTestExt as _,
};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use rustix::process::{Pid, Signal, kill_process};

use crate::{program, rounds, service, writer::WriterProcess};

/// Tolerance for a busy machine.
const SLOW_MACHINE: Duration = Duration::from_secs(1);

#[test]
fn commands_return_in_time_while_a_writer_is_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.redb");
    let new = NewToken {
        name: Name::parse("checked").unwrap(),
        description: patdeck::domain::Description::default(),
        lifetime: "30d".parse().unwrap(),
        scopes: vec![],
        limits: LimitChanges::default(),
        labels: Labels::default(),
        owner: Owner::default(),
    };
    let secret = service(&path).create(&new).unwrap().secret.reveal().to_owned();
    let mut random = StdRng::seed_from_u64(6);
    let mut busy = 0;
    let mut slowest = [Duration::ZERO; 3];
    for round in 0..rounds("PATDECK_STOP_ROUNDS", 3) {
        let (mut writer, mut lines) = WriterProcess::start(&path, 900_000 + round);
        lines.find(|line| line.as_ref().unwrap().starts_with("ok ")).unwrap().unwrap();
        thread::sleep(Duration::from_micros(random.random_range(0..20_000)));
        let pid = Pid::from_child(&writer.process);
        kill_process(pid, Signal::STOP).unwrap();
        let holder = format!("(process {} of user ", writer.process.id());
        let name = format!("new {round}");
        let answers = [
            (&["verify"][..], secret.as_str(), 1_000),
            (&["list"], "", 2_000),
            (&["create", &name], "", 2_000),
        ];
        thread::scope(|scope| {
            let run = |(arguments, input, limit)| {
                let path = &path;
                scope.spawn(move || (run_program(path, arguments, input), limit))
            };
            for (n, answered) in answers.map(run).into_iter().enumerate() {
                let ((code, stderr, took), limit) = answered.join().unwrap();
                slowest[n] = slowest[n].max(took);
                assert!(took < Duration::from_millis(limit) + SLOW_MACHINE, "{took:?}: {stderr}");
                assert!(code == 0 || code == 4, "{code}: {stderr}");
                if code == 4 {
                    assert!(stderr.starts_with("error: the store is busy: "), "{stderr}");
                    assert!(stderr.contains(&holder) && stderr.contains(", stopped)"), "{stderr}");
                    busy += 1;
                }
            }
        });
        // The writer continues or is killed; no other action is needed.
        if round % 2 == 0 {
            kill_process(pid, Signal::CONT).unwrap();
            lines.find(|line| line.as_ref().unwrap().starts_with("ok ")).unwrap().unwrap();
        }
        writer.process.kill().unwrap();
        writer.process.wait().unwrap();
        for (arguments, input) in [(&["verify"][..], secret.as_str()), (&["create", &name], "")] {
            let (code, stderr, _) = run_program(&path, arguments, input);
            // In this case, the first `create` had already succeeded.
            assert!(code == 0 || stderr.contains("new "), "{stderr}");
        }
    }
    println!("{busy} commands failed with a lock timeout; the slowest took {slowest:?}");
}

/// A revoke is in force at once, whatever the stopped process holds.
#[test]
fn a_revoke_is_in_force_beside_a_stopped_writer() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.redb");
    let mut random = StdRng::seed_from_u64(7);
    let (mut pending, mut slowest) = (0, Duration::ZERO);
    for round in 0..rounds("PATDECK_STOP_ROUNDS", 3) {
        let new = NewToken {
            name: Name::parse(&format!("leaked {round}")).unwrap(),
            description: patdeck::domain::Description::default(),
            lifetime: "30d".parse().unwrap(),
            scopes: vec![],
            limits: LimitChanges::default(),
            labels: Labels::default(),
            owner: Owner::default(),
        };
        let secret = service(&path).create(&new).unwrap().secret.reveal().to_owned();
        let (mut writer, mut lines) = WriterProcess::start(&path, 910_000 + round);
        lines.find(|line| line.as_ref().unwrap().starts_with("ok ")).unwrap().unwrap();
        thread::sleep(Duration::from_micros(random.random_range(0..20_000)));
        kill_process(Pid::from_child(&writer.process), Signal::STOP).unwrap();
        let started = SystemTime::now();
        let (code, stderr, _) = run_program(&path, &["revoke", new.name.as_str(), "--yes"], "");
        assert_eq!(code, 0, "{stderr}");
        let register = fs::metadata(path.with_file_name("store.redb.revoked")).unwrap();
        let written = register.modified().unwrap().duration_since(started).unwrap_or_default();
        slowest = slowest.max(written);
        pending += u32::from(stderr.contains("will be updated"));
        assert_ne!(run_program(&path, &["verify"], &secret).0, 0, "a revoked secret works");
        writer.process.kill().unwrap();
        writer.process.wait().unwrap();
        assert_eq!(run_program(&path, &["verify"], &secret).0, 1, "denied with a reason");
    }
    println!("{pending} revokes were pending; a revoke was in force after at most {slowest:?}");
}

/// Runs the program. Returns its exit code, its standard error and its duration.
fn run_program(store: &Path, arguments: &[&str], input: &str) -> (i32, String, Duration) {
    let started = Instant::now();
    let mut child = Command::new(program())
        .arg("--store")
        .arg(store)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Fails if the program exits without reading.
    drop(child.stdin.take().unwrap().write_all(input.as_bytes()));
    let ended = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(ended.stderr).unwrap();
    (ended.status.code().unwrap(), stderr, started.elapsed())
}
