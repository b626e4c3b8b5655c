//! Measures how long changes of many tokens keep other writers waiting: the time that the write lock
//! is held during an import and a deletion of all tokens, the latency of a revoke beside them, and
//! their peak memory: `cargo bench --bench locks`. `PATDECK_BENCH_TOKENS=1000000` selects the number
//! of tokens; the default is 100,000. Fails if a value is out of bounds.

#![expect(clippy::print_stdout, reason = "the output of the benchmark")]

#[path = "../examples/fill.rs"]
#[expect(dead_code, reason = "only the example uses its `main`")]
mod fill;
#[path = "table/memory.rs"]
mod memory;

use std::{
    env,
    error::Error,
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::Path,
    process::{Child, Command, ExitCode, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use patdeck::{
    domain::{Actor, Command as Change, Description, Labels, Name, NewToken, Owner},
    service::{Clock, Entropy, Service},
    store::Store,
    testing::{ServiceTestExt as _, default_policy},
};
use zeroize::Zeroizing;

use memory::peak_memory;

type BenchError = Box<dyn Error + Send + Sync>;

/// The byte that redb locks while it writes, and the one that a single writer locks.
const WRITER_BYTES: [&str; 2] = ["4611686018427387904", "4611686018427387905"];

/// Bounds in milliseconds: a hold of the lock at p99, the effect of a revoke, and its record.
const BOUNDS: [f64; 3] = [250.0, 100.0, 1_000.0];
/// Bound of the peak memory of a deletion, in MiB.
const MEMORY_BOUND: f64 = 200.0;

/// The latencies of the revokes beside a command, in milliseconds.
#[derive(Default)]
struct Latencies {
    effective: Vec<f64>,
    recorded: Vec<f64>,
}

fn main() -> Result<ExitCode, BenchError> {
    if env::args().any(|argument| argument == "--test") {
        return Ok(ExitCode::SUCCESS);
    }
    let count = env::var("PATDECK_BENCH_TOKENS").map_or(Ok(100_000), |text| text.parse::<u32>())?;
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700))?;
    let (full, store) = (folder.path().join("full.redb"), folder.path().join("store.redb"));
    let export = folder.path().join("export.jsonl");
    fill::fill(&full, count, 1).map_err(|error| error.to_string())?;
    let exported = patdeck(&full, &["export", "--output", &export.to_string_lossy()]).status()?;
    if !exported.success() {
        return Err("the export failed".into());
    }
    fs::remove_file(&full)?;
    println!("{count} tokens; milliseconds as p50 / p99 / longest");
    let mut is_within = true;
    let commands: [(&str, &[&str]); 2] = [
        ("import", &["import", &export.to_string_lossy()]),
        ("delete --all", &["delete", "--all", "--yes"]),
    ];
    for (label, arguments) in commands {
        is_within &= measure(label, &store, arguments)?;
    }
    Ok(if is_within { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn patdeck(store: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_patdeck"));
    command.arg("--store").arg(store).args(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::null());
    command
}

fn service(store: &Path) -> Result<Service, BenchError> {
    let actor = Actor::named("bench");
    Ok(Service::new(Store::open(store)?, Clock::System, Entropy::System, actor, default_policy()))
}

/// Runs the command and revokes tokens beside it. Prints the values; returns whether all are within
/// their bounds.
fn measure(label: &str, store: &Path, arguments: &[&str]) -> Result<bool, BenchError> {
    let service = service(store)?;
    let started = Instant::now();
    let mut child = patdeck(store, arguments).spawn()?;
    let is_done = AtomicBool::new(false);
    let (latencies, holds, memory) = thread::scope(|scope| {
        let revokes = scope.spawn(|| revoke_beside(&service, label, &is_done));
        let holds = scope.spawn(|| lock_holds(store, &is_done));
        let memory = wait(&mut child);
        is_done.store(true, Ordering::SeqCst);
        Ok::<_, BenchError>((
            revokes.join().map_err(|_| "the revokes panicked")??,
            holds.join().map_err(|_| "the lock watcher panicked")??,
            memory?,
        ))
    })?;
    println!("{label}: {:.1} s, peak memory {memory:.0} MiB", started.elapsed().as_secs_f64());
    let mut is_within = label == "import" || memory <= MEMORY_BOUND;
    let rows = [
        ("write lock held", holds),
        ("revoke beside it, effective", latencies.effective),
        ("revoke beside it, recorded", latencies.recorded),
    ];
    for ((name, mut values), bound) in rows.into_iter().zip(BOUNDS) {
        values.sort_by(f64::total_cmp);
        let at = |share: usize| {
            let index = values.len().saturating_sub(1) * share / 100;
            values.get(index).copied().unwrap_or(f64::NAN)
        };
        is_within &= at(99) <= bound;
        println!(
            "  {name:<28} {:>8.1} / {:>8.1} / {:>8.1}   of {}, bound {bound}",
            at(50),
            at(99),
            at(100),
            values.len()
        );
    }
    Ok(is_within)
}

/// Waits for the process. Returns its peak memory in MiB.
fn wait(child: &mut Child) -> Result<f64, BenchError> {
    let mut memory = 0.0_f64;
    loop {
        if let Some(status) = child.try_wait()? {
            return if status.success() { Ok(memory) } else { Err("the command failed".into()) };
        }
        memory = memory.max(peak_memory(child.id()).unwrap_or(0.0));
        thread::sleep(Duration::from_millis(20));
    }
}

/// Creates and revokes tokens until `is_done`. Measures when a check first denies the secret, and
/// when the record is stored.
fn revoke_beside(
    service: &Service,
    label: &str,
    is_done: &AtomicBool,
) -> Result<Latencies, BenchError> {
    let mut latencies = Latencies::default();
    let milliseconds = |since: Instant| since.elapsed().as_secs_f64() * 1_000.0;
    let mut number = 0;
    while !is_done.load(Ordering::SeqCst) {
        number += 1;
        let new = NewToken {
            name: Name::parse(&format!("beside {label} {number}"))?,
            description: Description::default(),
            lifetime: "30d".parse()?,
            scopes: Vec::new(),
            limits: patdeck::domain::LimitChanges::default(),
            labels: Labels::default(),
            owner: Owner::default(),
        };
        let issued = service.create(&new)?;
        let secret = issued.secret.reveal();
        let revoke = Change::Revoke { tokens: vec![issued.token.id] };
        let started = Instant::now();
        thread::scope(|scope| {
            let denied = scope.spawn(|| {
                let mut verifier = service.verifier();
                loop {
                    let presented = Zeroizing::new(secret.to_owned());
                    if !verifier.check(presented, None, None)?.decision.is_allowed() {
                        return Ok::<_, BenchError>(milliseconds(started));
                    }
                }
            });
            let done = service.execute_confirmed(&revoke)?;
            if done.deferred.is_none() {
                latencies.recorded.push(milliseconds(started));
            } else {
                latencies.recorded.push(f64::INFINITY);
            }
            latencies.effective.push(denied.join().map_err(|_| "the check panicked")??);
            Ok::<_, BenchError>(())
        })?;
        thread::sleep(Duration::from_millis(50));
    }
    Ok(latencies)
}

/// How long the write lock of the store was held each time, in milliseconds, until `is_done`. Holds
/// with a shorter gap than the time between two looks count as one.
fn lock_holds(store: &Path, is_done: &AtomicBool) -> Result<Vec<f64>, BenchError> {
    let file = format!(":{} ", fs::metadata(store)?.ino());
    let (mut holds, mut held_since) = (Vec::new(), None::<Instant>);
    while !is_done.load(Ordering::SeqCst) {
        let locks = fs::read_to_string("/proc/locks")?;
        let is_held = locks.lines().any(|line| {
            !line.contains("->")
                && line.contains(" WRITE ")
                && line.contains(&file)
                && WRITER_BYTES.iter().any(|byte| line.contains(byte))
        });
        match (is_held, held_since) {
            (true, None) => held_since = Some(Instant::now()),
            (false, Some(since)) => {
                holds.push(since.elapsed().as_secs_f64() * 1_000.0);
                held_since = None;
            }
            _ => {}
        }
        thread::sleep(Duration::from_micros(300));
    }
    Ok(holds)
}
