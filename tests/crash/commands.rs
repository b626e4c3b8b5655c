//! The same with the real program: each command is killed at a random moment of its short life,
//! four at a time, and what ended well is held to what it said. `PATDECK_COMMAND_ROUNDS` runs
//! that many of each four.

use std::{
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use patdeck::{
    domain::{LeakedSecret, Secret},
    service::leaks::SecretStatus,
    store::{ReadOps, Store},
};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

use crate::{rounds, service};

#[test]
fn a_command_killed_at_any_moment_has_done_what_it_said_or_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.redb");
    // How long an undisturbed one takes.
    let started = Instant::now();
    drop(run(&path, &["create", "first"], None).unwrap());
    let life = started.elapsed();
    let rounds = rounds("PATDECK_COMMAND_ROUNDS", 8);
    let issued: Vec<(String, LeakedSecret)> = thread::scope(|scope| {
        let work = |thread| {
            let path = &path;
            scope.spawn(move || issue_and_revoke(path, thread, rounds, life))
        };
        [0, 1, 2, 3].map(work).into_iter().flat_map(|each| each.join().unwrap()).collect()
    });
    let store = Store::open(&path).unwrap();
    assert_eq!(store.read(ReadOps::disagreements).unwrap(), Vec::<String>::new());
    assert_eq!(store.read(ReadOps::verify_chain).unwrap().broken, None);
    let service = service(&path);
    for (expected, secret) in &issued {
        let is = service.classify(secret).unwrap().status;
        assert!(
            is.as_str() == expected || expected == "either" && is != SecretStatus::Unknown,
            "{is:?}"
        );
    }
    println!("{} secrets came out of {} killed commands", issued.len(), rounds * 4);
}

/// The secrets that came out whole, each with what it must be now.
fn issue_and_revoke(
    path: &Path,
    thread: u64,
    rounds: usize,
    life: Duration,
) -> Vec<(String, LeakedSecret)> {
    let mut random = StdRng::seed_from_u64(thread);
    let mut issued = Vec::new();
    for n in 0..rounds {
        let name = format!("c{thread}-{n}");
        let mut moment = || Some(life.mul_f64(random.random_range(0.0..2.0)));
        let Some(out) = run(path, &["create", &name], moment()) else {
            continue;
        };
        let secret = Secret::parse(out.trim_end().to_owned().into()).unwrap();
        let is = match run(path, &["revoke", &name, "--yes"], moment()) {
            Some(_) => "revoked",
            None => "either",
        };
        issued.push((is.to_owned(), LeakedSecret::from(&secret)));
    }
    issued
}

/// Runs a command and kills it after `moment`; its output if it had ended well by then.
fn run(path: &Path, arguments: &[&str], moment: Option<Duration>) -> Option<String> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_patdeck"))
        .arg("--store")
        .arg(path)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    if let Some(moment) = moment {
        thread::sleep(moment);
        child.kill().unwrap();
    }
    let ended = child.wait_with_output().unwrap();
    assert!(ended.status.success() || ended.status.code().is_none(), "it failed by itself");
    ended.status.success().then(|| String::from_utf8(ended.stdout).unwrap())
}
