//! Measures the commands, and access checks in process, on the same stores.

use std::{
    fs::{self, File},
    hint::black_box,
    io::Read as _,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use chrono::Utc;
use patdeck::{
    domain::{AccessRequest, Actor, Scope},
    service::{Clock, Entropy, Service},
    store::{CacheSize, OpenOptions, Store},
    testing::default_policy,
};
use redb::{
    ConcurrencyMode, Database, ReadableDatabase as _, ReadableTableMetadata as _, TableHandle as _,
};
use zeroize::Zeroizing;

use super::{
    BenchError, BenchStore,
    Bound::{Least, LeastBySize, Most, None},
    Measurements, SEED, TableRow, fill,
    memory::peak_memory,
    quantile,
};

const VERIFY: &str = "verify in process, one session, per second";
const ALONE: &str = "verify in process, separate, per second";
const LINES: &str = "verify --lines, whole process, per second";
const PROCESS: &str = "verify as a process, times /bin/true";
const LIST: &str = "list --json, rows per second";
const LIST_MEMORY: &str = "list --json, peak memory, MiB";
const TABLE_MEMORY: &str = "list --sort name, peak memory, MiB";
const STATUS: &str = "status, seconds";
const STATUS_MEMORY: &str = "status, peak memory, MiB";
const IMPORT: &str = "import, rows per second";
const IMPORT_MEMORY: &str = "import, peak memory, MiB";
const SIZE: &str = "bytes per token, compacted, without trail";
const SIZE_TRAIL: &str = "bytes per token, whole file, two events each";

pub(crate) const ROWS: [TableRow; 13] = [
    TableRow { label: VERIFY, bounds: (Least(150_000.0), Least(100_000.0)) },
    TableRow { label: ALONE, bounds: (None, None) },
    TableRow { label: LINES, bounds: (None, None) },
    TableRow { label: PROCESS, bounds: (Most(2.5), Most(3.0)) },
    TableRow { label: LIST, bounds: (None, Least(500_000.0)) },
    TableRow { label: LIST_MEMORY, bounds: (None, None) },
    TableRow { label: TABLE_MEMORY, bounds: (None, Most(200.0)) },
    TableRow { label: STATUS, bounds: (None, None) },
    TableRow { label: STATUS_MEMORY, bounds: (None, Most(200.0)) },
    TableRow { label: IMPORT, bounds: (None, LeastBySize(20_000.0, 8_000.0)) },
    TableRow { label: IMPORT_MEMORY, bounds: (None, None) },
    TableRow { label: SIZE, bounds: (None, Most(400.0)) },
    TableRow { label: SIZE_TRAIL, bounds: (None, None) },
];

/// Largest number of different tokens to check.
const MAX_CHECKED: usize = 20_000;
/// Number of uses that are recorded in one transaction.
const RECORDED_AT_ONCE: usize = 1_000;
/// Number of processes of each kind.
const PROCESSES: usize = 150;
/// Short processes are repeated for at least this time.
const MIN_RUN_TIME: Duration = Duration::from_secs(3);

pub(crate) fn measure(bench_store: &BenchStore) -> Result<Measurements, BenchError> {
    let mut measured = Measurements::new();
    let secrets = fill::sample_secrets(bench_store.size.try_into()?, SEED, MAX_CHECKED)?;
    measured.extend(measure_checks(bench_store, &secrets)?);
    measured.push((LINES, verify_lines_rate(bench_store, &secrets)?));
    let secret = secrets.first().ok_or("no secret")?;
    measured.push((PROCESS, process_ratio(bench_store, secret)?));
    if bench_store.is_large() {
        measured.extend(measure_transfers(bench_store)?);
    }
    Ok(measured)
}

fn count(size: usize) -> f64 {
    f64::from(u32::try_from(size).unwrap_or(u32::MAX))
}

/// Checks per second, each of another token and read from the store: in one verifier session, as a
/// gateway does, and as separate checks. Before that, each check is made once and recorded, so that
/// no measured check writes.
fn measure_checks(
    bench_store: &BenchStore,
    secrets: &[fill::SampleSecret],
) -> Result<Measurements, BenchError> {
    let options = OpenOptions { cache: CacheSize::Large, ..OpenOptions::default() };
    let store = Store::open_with(&bench_store.store(), options)?;
    let now = Utc::now();
    let actor = Actor::named("bench");
    let service = Service::new(store, Clock::fixed(now), Entropy::System, actor, default_policy());
    let scope: Scope = "channels:c-9:publish".parse()?;
    let request = AccessRequest {
        entity_type: scope.entity_type,
        entity: scope.entity,
        operation: scope.operation,
        domain: scope.domain,
    };
    let mut verifier = service.verifier();
    for secrets in secrets.chunks(RECORDED_AT_ONCE) {
        for it in secrets {
            let presented = Zeroizing::new(it.secret.as_str().to_owned());
            verifier.check(presented, Some(&request), Option::None)?;
        }
        verifier.flush_usage()?;
    }
    let in_session = rate(secrets, |presented| {
        black_box(verifier.check(presented, Some(&request), Option::None)?);
        Ok(())
    })?;
    // While a verifier has a read transaction open, the file grows with each write.
    drop(verifier);
    let separate = rate(secrets, |presented| {
        black_box(service.check(presented, Some(&request), Option::None)?);
        Ok(())
    })?;
    Ok(vec![(VERIFY, in_session), (ALONE, separate)])
}

/// Number of passes over `secrets`, so that a small store gets as many checks as a large one.
fn rounds(secrets: &[fill::SampleSecret]) -> usize {
    (MAX_CHECKED / secrets.len().max(1)).max(1)
}

/// Checks per second: the best of five runs.
fn rate(
    secrets: &[fill::SampleSecret],
    mut check: impl FnMut(Zeroizing<String>) -> Result<(), BenchError>,
) -> Result<f64, BenchError> {
    let mut best = 0.0_f64;
    let rounds = rounds(secrets);
    for _ in 0..5 {
        let started = Instant::now();
        for _ in 0..rounds {
            for it in secrets {
                check(Zeroizing::new(it.secret.as_str().to_owned()))?;
            }
        }
        best = best.max(count(rounds * secrets.len()) / started.elapsed().as_secs_f64());
    }
    Ok(best)
}

/// Lines per second that one process answers, including its start.
fn verify_lines_rate(
    bench_store: &BenchStore,
    secrets: &[fill::SampleSecret],
) -> Result<f64, BenchError> {
    let file = bench_store.path("lines");
    let rounds = rounds(secrets);
    let mut lines = Zeroizing::new(String::new());
    for it in std::iter::repeat_n(secrets, rounds).flatten() {
        lines.push_str(it.secret.as_str());
        lines.push_str(" channels:c-9:publish\n");
    }
    fs::write(&file, lines.as_bytes())?;
    let mut best = 0.0_f64;
    for _ in 0..3 {
        let mut verify = Command::new(&bench_store.program);
        verify.arg("--store").arg(bench_store.store()).args(["verify", "--lines"]);
        let seconds = run(verify.stdin(File::open(&file)?))?;
        best = best.max(count(rounds * secrets.len()) / seconds);
    }
    fs::remove_file(&file)?;
    Ok(best)
}

/// Ratio of the median time of a whole check to that of `/bin/true`. Both run alternately, so that
/// other load on the machine affects both.
fn process_ratio(bench_store: &BenchStore, secret: &fill::SampleSecret) -> Result<f64, BenchError> {
    let file = bench_store.path("secret");
    fs::write(&file, secret.secret.as_bytes())?;
    let (mut verify_times, mut true_times) = (Vec::new(), Vec::new());
    for _ in 0..PROCESSES {
        let mut verify = Command::new(&bench_store.program);
        verify.arg("--store").arg(bench_store.store()).arg("verify").stdin(File::open(&file)?);
        verify_times.push(run(&mut verify)?);
        true_times.push(run(Command::new("/bin/true").stdin(Stdio::null()))?);
    }
    Ok(quantile(&mut verify_times, 0.5) / quantile(&mut true_times, 0.5))
}

/// Runs a process to its end; returns its duration in seconds.
pub(crate) fn run(command: &mut Command) -> Result<f64, BenchError> {
    let started = Instant::now();
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?.wait()?;
    Ok(started.elapsed().as_secs_f64())
}

fn measure_transfers(bench_store: &BenchStore) -> Result<Measurements, BenchError> {
    let mut measured = Measurements::new();
    let size = count(bench_store.size);
    let patdeck = |arguments: &[&str]| {
        let mut command = Command::new(&bench_store.program);
        command.arg("--store").arg(bench_store.store()).args(arguments);
        command
    };
    let list = || patdeck(&["list", "--status", "all", "--json"]);
    let listed = best_run(list, || Ok(()))?;
    measured.extend([(LIST, size / listed.seconds), (LIST_MEMORY, listed.memory)]);
    let table = run_with_memory(patdeck(&["list", "--status", "all", "--sort", "name"]))?;
    measured.push((TABLE_MEMORY, table.memory));
    let status = run_with_memory(patdeck(&["status"]))?;
    measured.extend([(STATUS, status.seconds), (STATUS_MEMORY, status.memory)]);

    let (export, other) = (bench_store.path("export.jsonl"), bench_store.path("other.redb"));
    let exported = patdeck(&["export", "--output", &export.to_string_lossy()]).output()?;
    if !exported.status.success() {
        return Err(String::from_utf8_lossy(&exported.stderr).into_owned().into());
    }
    let import = || {
        let mut import = Command::new(&bench_store.program);
        import.arg("--store").arg(&other).arg("import").arg(&export);
        import
    };
    let imported = best_run(import, || Ok(fs::remove_file(&other)?))?;
    measured.extend([(IMPORT, size / imported.seconds), (IMPORT_MEMORY, imported.memory)]);
    fs::remove_file(&export)?;

    let copy = bench_store.path("copy.redb");
    let copied = patdeck(&["backup", &copy.to_string_lossy()]).output()?;
    if !copied.status.success() {
        return Err(String::from_utf8_lossy(&copied.stderr).into_owned().into());
    }
    measured.push((SIZE, table_bytes(&copy, &["tokens-2", "names-2", "uses-2"])? / size));
    measured.push((SIZE_TRAIL, file_bytes(&copy)? / size));
    fs::remove_file(&copy)?;
    Ok(measured)
}

/// Bytes of the pages of these tables. Excludes the audit trail, whose size depends on the number
/// of events.
fn table_bytes(store: &Path, names: &[&str]) -> Result<f64, BenchError> {
    let mut shared = Database::builder();
    shared.set_concurrency_mode(ConcurrencyMode::SingleWriter);
    let read = shared.open_read_only(store)?.begin_read()?;
    let mut bytes = 0.0;
    let tables: Vec<_> =
        read.list_tables()?.filter(|table| names.contains(&table.name())).collect();
    if tables.len() != names.len() {
        return Err(format!("not all of these tables exist: {names:?}").into());
    }
    for table in tables {
        let stats = read.open_untyped_table(table)?.stats()?;
        let all = stats.stored_bytes() + stats.metadata_bytes() + stats.fragmented_bytes();
        bytes += f64::from(u32::try_from(all)?);
    }
    Ok(bytes)
}

fn file_bytes(path: &Path) -> Result<f64, BenchError> {
    #[expect(clippy::cast_precision_loss, reason = "a file has less than 2^52 bytes")]
    Ok(fs::metadata(path)?.len() as f64)
}

/// Duration and memory of a process.
struct RunStats {
    seconds: f64,
    /// Peak memory in MiB.
    memory: f64,
}

/// Runs the command at least three times and for at least [`MIN_RUN_TIME`], with `clean` after each
/// run. Returns the shortest time, because delays come from other load, and the largest memory.
fn best_run(
    command: impl Fn() -> Command,
    clean: impl Fn() -> Result<(), BenchError>,
) -> Result<RunStats, BenchError> {
    let mut best = RunStats { seconds: f64::INFINITY, memory: 0.0 };
    let (begun, mut runs) = (Instant::now(), 0);
    while runs < 3 || begun.elapsed() < MIN_RUN_TIME {
        let RunStats { seconds, memory } = run_with_memory(command())?;
        best = RunStats { seconds: best.seconds.min(seconds), memory: best.memory.max(memory) };
        runs += 1;
        clean()?;
    }
    Ok(best)
}

/// Runs `command` to its end and discards its output; samples its peak memory.
fn run_with_memory(mut command: Command) -> Result<RunStats, BenchError> {
    let started = Instant::now();
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let mut out = child.stdout.take().ok_or("no output")?;
    let reader = thread::spawn(move || {
        let mut buffer = vec![0; 1 << 16];
        while matches!(out.read(&mut buffer), Ok(read) if read > 0) {}
    });
    // Sample rarely, because it takes time from the measured process; VmHWM is the peak so far.
    let process = child.id();
    let watcher = thread::spawn(move || {
        let mut memory = 0.0_f64;
        while let Some(now) = peak_memory(process) {
            memory = memory.max(now);
            thread::sleep(Duration::from_millis(20));
        }
        memory
    });
    let status = child.wait()?;
    let seconds = started.elapsed().as_secs_f64();
    reader.join().map_err(|_| "the reader panicked")?;
    let memory = watcher.join().map_err(|_| "the watcher panicked")?;
    // 1 is an answer, such as that something needs attention.
    let is_answered = status.code().is_some_and(|code| code <= 1);
    if is_answered { Ok(RunStats { seconds, memory }) } else { Err("a command failed".into()) }
}
