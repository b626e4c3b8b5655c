//! Kills commands of the real program at random moments, four at a time. The result of a command
//! that succeeded must be in the store. `PATDECK_COMMAND_ROUNDS` sets the number of rounds.

use std::{
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use patdeck::{
    domain::{LeakedSecret, Secret},
    service::leaked_secret::LeakedSecretStatus,
    store::{ReadOps, Store},
};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

use crate::{program, rounds, service};

#[test]
fn a_killed_command_leaves_its_complete_change_or_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.redb");
    // The duration of an undisturbed command.
    let started = Instant::now();
    drop(run_and_kill(&path, &["create", "first"], None).unwrap());
    let duration = started.elapsed();
    let rounds = rounds("PATDECK_COMMAND_ROUNDS", 8);
    let issued: Vec<(String, LeakedSecret)> = thread::scope(|scope| {
        let work = |thread| {
            let path = &path;
            scope.spawn(move || issue_and_revoke(path, thread, rounds, duration))
        };
        [0, 1, 2, 3].map(work).into_iter().flat_map(|each| each.join().unwrap()).collect()
    });
    let store = Store::open(&path).unwrap();
    assert_eq!(store.read(ReadOps::find_inconsistencies).unwrap(), Vec::<String>::new());
    assert_eq!(store.read(ReadOps::verify_chain).unwrap().first_fault, None);
    let service = service(&path);
    for (expected, secret) in &issued {
        let status = service.classify(secret).unwrap().status;
        assert!(
            status.as_str() == expected
                || expected == "either" && status != LeakedSecretStatus::Unknown,
            "{status:?}"
        );
    }
    println!("{} secrets were printed by {} killed commands", issued.len(), rounds * 4);
}

/// Creates and revokes tokens. Returns the printed secrets, each with its expected status.
fn issue_and_revoke(
    path: &Path,
    thread: u64,
    rounds: usize,
    duration: Duration,
) -> Vec<(String, LeakedSecret)> {
    let mut random = StdRng::seed_from_u64(thread);
    let mut issued = Vec::new();
    for n in 0..rounds {
        let name = format!("c{thread}-{n}");
        let mut delay = || Some(duration.mul_f64(random.random_range(0.0..2.0)));
        let Some(out) = run_and_kill(path, &["create", &name], delay()) else {
            continue;
        };
        let secret = Secret::parse(out.trim_end().to_owned().into()).unwrap();
        let expected = match run_and_kill(path, &["revoke", &name, "--yes"], delay()) {
            Some(_) => "revoked",
            None => "either",
        };
        issued.push((expected.to_owned(), LeakedSecret::from(&secret)));
    }
    issued
}

/// Runs a command and kills it after `delay`. Returns its output if it had succeeded by then.
fn run_and_kill(path: &Path, arguments: &[&str], delay: Option<Duration>) -> Option<String> {
    let mut child = Command::new(program())
        .arg("--store")
        .arg(path)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    if let Some(delay) = delay {
        thread::sleep(delay);
        child.kill().unwrap();
    }
    let ended = child.wait_with_output().unwrap();
    assert!(
        ended.status.success() || ended.status.code().is_none(),
        "the command failed without being killed"
    );
    ended.status.success().then(|| String::from_utf8(ended.stdout).unwrap())
}
