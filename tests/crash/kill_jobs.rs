//! Kills changes of more than 5,000 tokens between and inside their batches. The store must be whole,
//! `doctor` must name the interrupted job, and the rest must be finished. `PATDECK_JOB_ROUNDS` sets
//! the number of rounds.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use patdeck::{
    domain::{AuditAction, Digest, EventBody, Job, Name, Token, TokenId},
    service::StoredJob,
    store::{ReadOps, Store, StoreError},
    testing::ServiceTestExt as _,
};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

use crate::{rounds, service};

const TOKENS: usize = 5_400;

fn patdeck(store: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_patdeck"));
    command.arg("--store").arg(store).args(arguments).stdin(Stdio::null());
    command
}

/// Runs a command to its end. Returns its exit code and its output.
fn run(store: &Path, arguments: &[&str]) -> (i32, String) {
    let output = patdeck(store, arguments).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(text).unwrap())
}

/// Stores the tokens. Returns the path of the store.
fn filled_store(folder: &Path) -> PathBuf {
    let path = folder.join("full.redb");
    let service = service(&path);
    let new = patdeck::domain::NewToken {
        name: Name::parse("first").unwrap(),
        description: patdeck::domain::Description::default(),
        lifetime: "30d".parse().unwrap(),
        scopes: vec![],
        limits: patdeck::domain::LimitChanges::default(),
        labels: patdeck::domain::Labels::default(),
        owner: patdeck::domain::Owner::default(),
    };
    let first = service.create(&new).unwrap().token;
    let store = Store::open(&path).unwrap();
    let filled = store.write(|tx| {
        for number in 1..TOKENS {
            let token = Token {
                id: TokenId::parse(&format!("{number:012}")).unwrap(),
                name: Name::parse(&format!("token-{number}")).unwrap(),
                digest: Digest::from_bytes([9; 32]),
                ..first.clone()
            };
            tx.put_token(&token)?;
            tx.append_event(EventBody {
                at: token.created,
                actor: token.created_by.clone(),
                token: Some(token.id),
                name: token.name.to_string(),
                action: AuditAction::Created,
                detail: String::new(),
            })?;
        }
        Ok::<_, StoreError>(())
    });
    filled.unwrap();
    path
}

/// Waits until the job of a running process is at a random batch, then kills the process. Returns the
/// interrupted job; `None` if the process was done before.
fn kill_in_job(store: &Path, mut process: Child, random: &mut StdRng) -> Option<Job> {
    let batches = random.random_range(1..4);
    let (mut seen, mut last) = (0, None);
    while seen < batches && process.try_wait().unwrap().is_none() {
        // The import creates its store.
        let jobs = Store::open(store).ok().map(|_| service(store).jobs().unwrap());
        let done = jobs.unwrap_or_default().first().map(|stored| stored.job.done);
        if done.is_some() && done != last {
            (seen, last) = (seen + 1, done);
        }
    }
    thread::sleep(Duration::from_micros(random.random_range(0..30_000)));
    process.kill().unwrap();
    process.wait().unwrap();
    let jobs = service(store).jobs().unwrap();
    assert!(jobs.iter().all(|StoredJob { is_running, .. }| !is_running), "{jobs:?}");
    assert_whole(store);
    jobs.into_iter().next().map(|stored| stored.job)
}

fn assert_whole(store: &Path) {
    let store = Store::open(store).unwrap();
    assert_eq!(store.read(ReadOps::find_inconsistencies).unwrap(), Vec::<String>::new());
    assert_eq!(store.read(ReadOps::verify_chain).unwrap().first_fault, None);
}

fn count(store: &Path) -> usize {
    usize::try_from(Store::open(store).unwrap().read(ReadOps::token_count).unwrap()).unwrap()
}

#[test]
fn a_killed_deletion_is_named_and_finished() {
    let folder = tempfile::tempdir().unwrap();
    let full = filled_store(folder.path());
    let mut random = StdRng::seed_from_u64(8);
    let mut interrupted = 0;
    for round in 0..rounds("PATDECK_JOB_ROUNDS", 2) {
        let store = folder.path().join(format!("{round}.redb"));
        fs::copy(&full, &store).unwrap();
        fs::copy(full.with_extension("redb.revoked"), store.with_extension("redb.revoked"))
            .unwrap();
        let mut delete = patdeck(&store, &["delete", "--all", "--yes"]);
        let process = delete.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let Some(job) = kill_in_job(&store, process, &mut random) else { continue };
        interrupted += 1;
        assert_eq!(u64::try_from(TOKENS - count(&store)).unwrap(), job.done);
        let (code, report) = run(&store, &["doctor"]);
        assert_eq!(code, 1, "{report}");
        let named = format!("interrupted: {}", job.describe());
        assert!(report.contains(&named) && report.contains(&job.progress()), "{report}");
        let (code, repaired) = run(&store, &["doctor", "--repair", "--yes"]);
        assert_eq!((code, count(&store)), (0, 0), "{repaired}");
        assert!(!run(&store, &["doctor"]).1.contains("interrupted"));
        assert_whole(&store);
    }
    println!("{interrupted} deletions were interrupted");
}

#[test]
fn a_killed_import_is_finished_by_running_it_again() {
    let folder = tempfile::tempdir().unwrap();
    let full = filled_store(folder.path());
    let export = folder.path().join("all.jsonl");
    let export = export.to_str().unwrap();
    assert_eq!(run(&full, &["export", "--output", export]).0, 0);
    let mut random = StdRng::seed_from_u64(9);
    let mut interrupted = 0;
    for round in 0..rounds("PATDECK_JOB_ROUNDS", 2) {
        let store = folder.path().join(format!("{round}.redb"));
        // An empty store to import into.
        assert_eq!(run(&store, &["create", "x"]).0, 0);
        let mut import = patdeck(&store, &["import", export]);
        let process = import.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let Some(job) = kill_in_job(&store, process, &mut random) else { continue };
        interrupted += 1;
        assert_eq!(u64::try_from(count(&store) - 1).unwrap(), job.done);
        let (_, report) = run(&store, &["doctor"]);
        assert!(report.contains("run the same import again"), "{report}");
        let (code, text) = run(&store, &["import", export]);
        assert_eq!((code, count(&store)), (0, TOKENS + 1), "{text}");
        let kept = usize::try_from(job.done).unwrap();
        let expected = format!("{} unchanged", patdeck::domain::grouped(kept));
        assert!(text.contains(&expected), "{text}");
        assert!(!run(&store, &["doctor"]).1.contains("interrupted"));
        assert_whole(&store);
    }
    println!("{interrupted} imports were interrupted");
}
