//! The commands, and the check that they share, on the same stores.

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
    domain::{AccessRequest, Actor, Catalogue, LastUse, LifetimeLimits, Prefix, Scope},
    service::{Clock, Entropy, Policy, Service},
    store::{CacheSize, OpenOptions, Store, StoreError},
};
use redb::{
    ConcurrencyMode, Database, ReadableDatabase as _, ReadableTableMetadata as _, TableHandle as _,
};
use zeroize::Zeroizing;

use super::{
    Bound::{Growing, Least, Most, None},
    Fault, Measured, Row, SEED, Subject, fill, quantile,
};

const VERIFY: &str = "verify in process, a second";
const ALONE: &str = "verify in process, each alone, a second";
const LINES: &str = "verify --lines, whole process, a second";
const PROCESS: &str = "verify as a process, times /bin/true";
const LIST: &str = "list --json, rows a second";
const LIST_MEMORY: &str = "list --json, most memory, MiB";
const IMPORT: &str = "import, rows a second";
const IMPORT_MEMORY: &str = "import, most memory, MiB";
const SIZE: &str = "bytes a token, compacted, but for its trail";
const SIZE_TRAIL: &str = "bytes a token, the whole file, two events each";

pub(crate) const ROWS: [Row; 10] = [
    Row { what: VERIFY, bounds: (Least(150_000.0), Least(100_000.0)) },
    Row { what: ALONE, bounds: (None, None) },
    Row { what: LINES, bounds: (None, None) },
    Row { what: PROCESS, bounds: (Most(2.5), Most(3.0)) },
    Row { what: LIST, bounds: (None, Least(500_000.0)) },
    Row { what: LIST_MEMORY, bounds: (None, None) },
    Row { what: IMPORT, bounds: (None, Growing(100_000.0, 60_000.0)) },
    Row { what: IMPORT_MEMORY, bounds: (None, None) },
    Row { what: SIZE, bounds: (None, Most(400.0)) },
    Row { what: SIZE_TRAIL, bounds: (None, None) },
];

/// Tokens that are checked, at most.
const CHECKED: usize = 20_000;
/// Processes of each kind that are compared.
const PROCESSES: usize = 150;
/// For how long whole processes are measured that end sooner.
const A_WHILE: Duration = Duration::from_secs(3);

pub(crate) fn measure(subject: &Subject) -> Result<Measured, Fault> {
    let mut measured = Measured::new();
    let secrets = fill::secrets(subject.size.try_into()?, SEED, CHECKED)?;
    measured.extend(checks(subject, &secrets)?);
    measured.push((LINES, lines(subject, &secrets)?));
    let secret = secrets.first().ok_or("no secret")?;
    measured.push((PROCESS, processes(subject, secret)?));
    if subject.is_large() {
        measured.extend(transfers(subject)?);
    }
    Ok(measured)
}

fn count(size: usize) -> f64 {
    f64::from(u32::try_from(size).unwrap_or(u32::MAX))
}

/// Checks a second, each of another token, read from the store each time: one after the other, as
/// a gateway asks them, and each as if it were the only one. All were used a moment ago, so that
/// none of the checks writes.
fn checks(subject: &Subject, secrets: &[fill::Presented]) -> Result<Measured, Fault> {
    let opening = OpenOptions { cache: CacheSize::Large, ..OpenOptions::default() };
    let store = Store::open_with(&subject.store(), opening)?;
    let now = Utc::now();
    store.write(|rows| {
        secrets.iter().try_for_each(|it| {
            let last = LastUse { at: now, from: Option::None, what: "".into() };
            rows.put_use(&it.id, &last)
        })?;
        Ok::<_, StoreError>(())
    })?;
    let policy = Policy {
        prefix: Prefix::default(),
        limits: LifetimeLimits::default(),
        default_lifetime: "30d".parse()?,
        catalogue: Catalogue::default(),
    };
    let actor = Actor::named("bench");
    let service = Service::new(store, Clock::fixed(now), Entropy::System, actor, policy);
    let scope: Scope = "channels:c-9:publish".parse()?;
    let request = AccessRequest {
        entity_type: scope.entity_type,
        entity: scope.entity,
        operation: scope.operation,
        domain: scope.domain,
    };
    let mut verifier = service.verifier();
    let in_a_row = rate(secrets, |presented| {
        black_box(verifier.check(presented, Some(&request), Option::None)?);
        Ok(())
    })?;
    let alone = rate(secrets, |presented| {
        black_box(service.check(presented, Some(&request), Option::None)?);
        Ok(())
    })?;
    Ok(vec![(VERIFY, in_a_row), (ALONE, alone)])
}

/// How often these are checked, so that as many checks are made of a few tokens as of many.
fn rounds(secrets: &[fill::Presented]) -> usize {
    (CHECKED / secrets.len().max(1)).max(1)
}

/// How many of these can be checked in a second: the best of five rounds.
fn rate(
    secrets: &[fill::Presented],
    mut check: impl FnMut(Zeroizing<String>) -> Result<(), Fault>,
) -> Result<f64, Fault> {
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

/// Lines a second that one process answers, its start included.
fn lines(subject: &Subject, secrets: &[fill::Presented]) -> Result<f64, Fault> {
    let file = subject.path("lines");
    let rounds = rounds(secrets);
    let mut lines = Zeroizing::new(String::new());
    for it in std::iter::repeat_n(secrets, rounds).flatten() {
        lines.push_str(it.secret.as_str());
        lines.push_str(" channels:c-9:publish\n");
    }
    fs::write(&file, lines.as_bytes())?;
    let mut best = 0.0_f64;
    for _ in 0..3 {
        let mut verify = Command::new(&subject.program);
        verify.arg("--store").arg(subject.store()).args(["verify", "--lines"]);
        let seconds = run(verify.stdin(File::open(&file)?))?;
        best = best.max(count(rounds * secrets.len()) / seconds);
    }
    fs::remove_file(&file)?;
    Ok(best)
}

/// How many times as long a whole check takes as a process that does nothing. Turn by turn, so
/// that whatever else the machine does concerns both.
fn processes(subject: &Subject, secret: &fill::Presented) -> Result<f64, Fault> {
    let file = subject.path("secret");
    fs::write(&file, secret.secret.as_bytes())?;
    let (mut ours, mut nothing) = (Vec::new(), Vec::new());
    for _ in 0..PROCESSES {
        let mut verify = Command::new(&subject.program);
        verify.arg("--store").arg(subject.store()).arg("verify").stdin(File::open(&file)?);
        ours.push(run(&mut verify)?);
        nothing.push(run(Command::new("/bin/true").stdin(Stdio::null()))?);
    }
    Ok(quantile(&mut ours, 0.5) / quantile(&mut nothing, 0.5))
}

/// Seconds that a whole process takes.
pub(crate) fn run(command: &mut Command) -> Result<f64, Fault> {
    let started = Instant::now();
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?.wait()?;
    Ok(started.elapsed().as_secs_f64())
}

fn transfers(subject: &Subject) -> Result<Measured, Fault> {
    let mut measured = Measured::new();
    let size = count(subject.size);
    let ours = |arguments: &[&str]| {
        let mut command = Command::new(&subject.program);
        command.arg("--store").arg(subject.store()).args(arguments);
        command
    };
    let list = || ours(&["list", "--status", "all", "--json"]);
    let listed = best_run(list, || Ok(()))?;
    measured.extend([(LIST, size / listed.seconds), (LIST_MEMORY, listed.memory)]);

    let (export, other) = (subject.path("export.jsonl"), subject.path("other.redb"));
    let exported = ours(&["export", "--output", &export.to_string_lossy()]).output()?;
    if !exported.status.success() {
        return Err(String::from_utf8_lossy(&exported.stderr).into_owned().into());
    }
    let import = || {
        let mut import = Command::new(&subject.program);
        import.arg("--store").arg(&other).arg("import").arg(&export);
        import
    };
    let imported = best_run(import, || Ok(fs::remove_file(&other)?))?;
    measured.extend([(IMPORT, size / imported.seconds), (IMPORT_MEMORY, imported.memory)]);
    fs::remove_file(&export)?;

    let copy = subject.path("copy.redb");
    let copied = ours(&["backup", &copy.to_string_lossy()]).output()?;
    if !copied.status.success() {
        return Err(String::from_utf8_lossy(&copied.stderr).into_owned().into());
    }
    measured.push((SIZE, tables(&copy, &["pats-1", "names-1", "uses-1"])? / size));
    measured.push((SIZE_TRAIL, bytes(&copy)? / size));
    fs::remove_file(&copy)?;
    Ok(measured)
}

/// Bytes of the pages of these tables. What a trail takes depends on how much happens; what a
/// token takes does not.
fn tables(store: &Path, names: &[&str]) -> Result<f64, Fault> {
    let mut shared = Database::builder();
    shared.set_concurrency_mode(ConcurrencyMode::SingleWriter);
    let read = shared.open_read_only(store)?.begin_read()?;
    let mut bytes = 0.0;
    for table in read.list_tables()?.filter(|table| names.contains(&table.name())) {
        let stats = read.open_untyped_table(table)?.stats()?;
        let all = stats.stored_bytes() + stats.metadata_bytes() + stats.fragmented_bytes();
        bytes += f64::from(u32::try_from(all)?);
    }
    Ok(bytes)
}

fn bytes(path: &Path) -> Result<f64, Fault> {
    #[expect(clippy::cast_precision_loss, reason = "a file has less than 2^52 bytes")]
    Ok(fs::metadata(path)?.len() as f64)
}

/// How a process went.
struct Run {
    seconds: f64,
    /// MiB.
    memory: f64,
}

/// Runs what `command` makes, with `clean` after each: three times, and what takes little time for
/// [`A_WHILE`], for what else the machine does may take as long as three of it. The shortest time
/// counts, as with the checks, for that is no part of it, and the most memory.
fn best_run(
    command: impl Fn() -> Command,
    clean: impl Fn() -> Result<(), Fault>,
) -> Result<Run, Fault> {
    let mut best = Run { seconds: f64::INFINITY, memory: 0.0 };
    let (begun, mut runs) = (Instant::now(), 0);
    while runs < 3 || begun.elapsed() < A_WHILE {
        let Run { seconds, memory } = watched(command())?;
        best = Run { seconds: best.seconds.min(seconds), memory: best.memory.max(memory) };
        runs += 1;
        clean()?;
    }
    Ok(best)
}

/// Runs `command` to its end, taking whatever it prints.
fn watched(mut command: Command) -> Result<Run, Fault> {
    let started = Instant::now();
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let mut out = child.stdout.take().ok_or("no output")?;
    let reader = thread::spawn(move || {
        let mut piece = vec![0; 1 << 16];
        while matches!(out.read(&mut piece), Ok(read) if read > 0) {}
    });
    // Seldom, for it takes time from what is measured; the most so far is told each time.
    let process = child.id();
    let watcher = thread::spawn(move || {
        let mut memory = 0.0_f64;
        while let Some(now) = most_memory(process) {
            memory = memory.max(now);
            thread::sleep(Duration::from_millis(20));
        }
        memory
    });
    let status = child.wait()?;
    let seconds = started.elapsed().as_secs_f64();
    reader.join().map_err(|_| "the reader panicked")?;
    let memory = watcher.join().map_err(|_| "the watcher panicked")?;
    if status.success() { Ok(Run { seconds, memory }) } else { Err("a command failed".into()) }
}

/// MiB; `None` of one that has ended.
fn most_memory(process: u32) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.split_whitespace().next()?.parse::<f64>().ok()? / 1_024.0)
}
