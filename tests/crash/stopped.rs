//! A neighbour that is stopped in the middle of its writes: the commands of the real program
//! answer in time, with a result or with who keeps them from it, and work again once it goes on
//! or is gone. `PATDECK_STOP_ROUNDS` stops it that many times.

use std::{
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use patdeck::domain::Name;
use patdeck::{domain::NewToken, testing::Changes as _};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use rustix::process::{Pid, Signal, kill_process};

use crate::{rounds, service, writer::Writer};

/// For a machine that builds something else at the same time.
const SLOW: Duration = Duration::from_secs(1);

#[test]
fn beside_a_stopped_writer_all_answer_in_time_and_go_on_by_themselves() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.redb");
    let new = NewToken {
        name: Name::parse("checked").unwrap(),
        description: patdeck::domain::Description::default(),
        lifetime: "30d".parse().unwrap(),
        scopes: vec![],
    };
    let secret = service(&path).create(&new).unwrap().secret.reveal().to_owned();
    let mut random = StdRng::seed_from_u64(6);
    let mut busy = 0;
    let mut slowest = [Duration::ZERO; 3];
    for round in 0..rounds("PATDECK_STOP_ROUNDS", 3) {
        let (mut writer, mut told) = Writer::start(&path, 900_000 + round);
        told.find(|line| line.as_ref().unwrap().starts_with("ok ")).unwrap().unwrap();
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
            let answer = |(arguments, input, limit)| {
                let path = &path;
                scope.spawn(move || (answer(path, arguments, input), limit))
            };
            for (n, answered) in answers.map(answer).into_iter().enumerate() {
                let ((code, said, took), limit) = answered.join().unwrap();
                slowest[n] = slowest[n].max(took);
                assert!(took < Duration::from_millis(limit) + SLOW, "{took:?}: {said}");
                assert!(code == 0 || code == 4, "{code}: {said}");
                if code == 4 {
                    assert!(said.starts_with("patdeck: store busy: "), "{said}");
                    assert!(said.contains(&holder) && said.contains(", stopped)"), "{said}");
                    busy += 1;
                }
            }
        });
        // It goes on, or it dies; nobody has to do anything else.
        if round % 2 == 0 {
            kill_process(pid, Signal::CONT).unwrap();
            told.find(|line| line.as_ref().unwrap().starts_with("ok ")).unwrap().unwrap();
        }
        writer.process.kill().unwrap();
        writer.process.wait().unwrap();
        for (arguments, input) in [(&["verify"][..], secret.as_str()), (&["create", &name], "")] {
            let (code, said, _) = answer(&path, arguments, input);
            // The first one may have come before the writer was stopped for good.
            assert!(code == 0 || said.contains("new "), "{said}");
        }
    }
    println!("{busy} commands were told who holds the store; the slowest {slowest:?}");
}

/// What the program answers: its exit code, its standard error, and how long it took.
fn answer(store: &Path, arguments: &[&str], input: &str) -> (i32, String, Duration) {
    let started = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_patdeck"))
        .arg("--store")
        .arg(store)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // One that cannot open its store does not read.
    drop(child.stdin.take().unwrap().write_all(input.as_bytes()));
    let ended = child.wait_with_output().unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    (ended.status.code().unwrap(), said, started.elapsed())
}
