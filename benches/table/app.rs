//! Measures the app in a terminal: time to the first frame, latency of keys, memory, CPU and bytes.

use std::{
    fs,
    process::Command,
    time::{Duration, Instant},
};

use super::{
    BenchError, BenchStore,
    Bound::{Most, None},
    Measurements, TableRow, quantile,
    tty::AppTerminal,
};

const PAINT: &str = "first useful paint, ms";
const MOVE_50: &str = "key when loaded, p50, ms";
const MOVE_99: &str = "key when loaded, p99, ms";
const LOAD_50: &str = "key while loading, p50, ms";
const LOAD_99: &str = "key while loading, p99, ms";
const LOADED: &str = "all tokens loaded, ms";
const FILTER: &str = "status filter, first screenful, ms";
const FILTER_ALL: &str = "status filter, last row, ms";
const SORT: &str = "sort order, first screenful, ms";
const SORT_ALL: &str = "sort order, last row, ms";
const NAMES_ALL: &str = "sort by name, last row, ms";
const SEARCH: &str = "search character, first screenful, ms";
const SEARCH_ALL: &str = "search character, last row, ms";
const OVERVIEW: &str = "overview, first frame, ms";
const OVERVIEW_ALL: &str = "overview, complete, ms";
const MEMORY: &str = "memory after loading, MiB";
const MEMORY_ALL: &str = "memory with the program's file, MiB";
const CHANGE: &str = "change by another process, ms";
const IDLE_BYTES: &str = "idle for 3 s, bytes";
const IDLE_CPU: &str = "idle for 3 s, ms of CPU";
const IDLE_WAKES: &str = "idle for 3 s, wake-ups";
const BYTES_MOVE: &str = "bytes of a cursor move";
const BYTES_SCROLL: &str = "bytes of a scroll";
const BYTES_ALL: &str = "bytes of a full repaint";

pub(crate) const ROWS: [TableRow; 24] = [
    TableRow { label: PAINT, bounds: (Most(10.0), Most(50.0)) },
    TableRow { label: MOVE_50, bounds: (Most(1.0), Most(1.0)) },
    TableRow { label: MOVE_99, bounds: (Most(8.0), Most(16.0)) },
    TableRow { label: LOAD_50, bounds: (None, Most(1.0)) },
    TableRow { label: LOAD_99, bounds: (None, Most(16.0)) },
    TableRow { label: LOADED, bounds: (None, None) },
    TableRow { label: FILTER, bounds: (Most(8.0), Most(20.0)) },
    TableRow { label: FILTER_ALL, bounds: (Most(8.0), Most(100.0)) },
    TableRow { label: SORT, bounds: (Most(8.0), Most(20.0)) },
    TableRow { label: SORT_ALL, bounds: (Most(8.0), Most(100.0)) },
    TableRow { label: NAMES_ALL, bounds: (Most(8.0), Most(800.0)) },
    TableRow { label: SEARCH, bounds: (Most(8.0), Most(20.0)) },
    TableRow { label: SEARCH_ALL, bounds: (Most(8.0), Most(100.0)) },
    TableRow { label: OVERVIEW, bounds: (Most(8.0), Most(20.0)) },
    TableRow { label: OVERVIEW_ALL, bounds: (Most(50.0), None) },
    TableRow { label: MEMORY, bounds: (Most(10.0), Most(200.0)) },
    TableRow { label: MEMORY_ALL, bounds: (None, None) },
    TableRow { label: CHANGE, bounds: (Most(50.0), Most(50.0)) },
    TableRow { label: IDLE_BYTES, bounds: (Most(0.0), Most(0.0)) },
    TableRow { label: IDLE_CPU, bounds: (Most(10.0), Most(10.0)) },
    // One per minute, for the relative times on the screen.
    TableRow { label: IDLE_WAKES, bounds: (Most(1.0), Most(1.0)) },
    TableRow { label: BYTES_MOVE, bounds: (Most(260.0), Most(260.0)) },
    TableRow { label: BYTES_SCROLL, bounds: (Most(2_300.0), Most(2_300.0)) },
    TableRow { label: BYTES_ALL, bounds: (Most(4_000.0), Most(4_000.0)) },
];

/// Number of starts.
const STARTS: usize = 7;
/// Time without a frame after which a key has no further effect.
const QUIET: Duration = Duration::from_millis(250);

fn millis(from: Instant, to: Instant) -> f64 {
    to.saturating_duration_since(from).as_secs_f64() * 1_000.0
}

/// Starts the app; returns it with the time to its first rows, in ms.
fn start_app(bench_store: &BenchStore) -> Result<(AppTerminal, f64), BenchError> {
    let mut tty = AppTerminal::start(&bench_store.program, &bench_store.store())?;
    let frame = tty.wait_for("the first row", has_first_row)?;
    let took = millis(tty.started(), frame.at);
    Ok((tty, took))
}

pub(crate) fn measure(bench_store: &BenchStore) -> Result<Measurements, BenchError> {
    let mut paints = Vec::new();
    for _ in 0..STARTS {
        paints.push(start_app(bench_store)?.1);
    }
    let mut measured = vec![(PAINT, quantile(&mut paints, 0.5))];
    measured.extend(measure_loading(bench_store)?);
    let (mut tty, _) = start_app(bench_store)?;
    wait_until_loaded(&mut tty)?;
    // Wait for the last column index, that of the names.
    tty.wait_until_quiet(Duration::from_secs(if bench_store.is_large() { 3 } else { 1 }))?;
    measured.extend(memory(&tty)?);
    measured.extend(measure_moves(&mut tty)?);
    measured.extend(measure_idle(&mut tty)?);
    measured.extend(measure_lists(&mut tty)?);
    measured.push((CHANGE, measure_change(bench_store, &mut tty)?));
    Ok(measured)
}

/// Whether there is a token below the headings of the list.
fn has_first_row(tty: &AppTerminal) -> bool {
    let screen = tty.text();
    let mut lines = screen.lines().skip_while(|line| !line.contains("Expires"));
    lines.nth(1).is_some_and(|line| !line.trim().is_empty())
}

fn is_loading(tty: &AppTerminal) -> bool {
    tty.text().contains("Loading the store")
}

fn wait_until_loaded(tty: &mut AppTerminal) -> Result<(), BenchError> {
    if is_loading(tty) {
        tty.wait_for("the end of loading", |tty| !is_loading(tty))?;
    }
    Ok(())
}

/// Measures keys from the first frame until the store is loaded.
fn measure_loading(bench_store: &BenchStore) -> Result<Measurements, BenchError> {
    let (mut tty, _) = start_app(bench_store)?;
    let mut times = Vec::new();
    for key in ["j", "k", "\x1b[6~", "\x1b[5~", "G", "g"].into_iter().cycle() {
        if !is_loading(&tty) || times.len() >= 5_000 {
            break;
        }
        times.extend(key_time(&mut tty, key)?);
    }
    let took = millis(tty.started(), Instant::now());
    if times.len() < 20 {
        return Ok(vec![(LOADED, took)]);
    }
    let (p50, p99) = (quantile(&mut times, 0.5), quantile(&mut times, 0.99));
    Ok(vec![(LOADED, took), (LOAD_50, p50), (LOAD_99, p99)])
}

/// Milliseconds from a key to the last byte of its frame; `None` if the key draws nothing.
fn key_time(tty: &mut AppTerminal, key: &str) -> Result<Option<f64>, BenchError> {
    let pressed = tty.press(key)?;
    Ok(tty.next_frame(QUIET)?.map(|frame| millis(pressed, frame.at)))
}

fn measure_moves(tty: &mut AppTerminal) -> Result<Measurements, BenchError> {
    let mut times = Vec::new();
    let (mut moved, mut scrolled) = (0, 0);
    tty.press("g")?;
    tty.wait_until_quiet(QUIET)?;
    let keys = ["j", "j", "k", "j", "\x1b[6~", "\x1b[5~", "G", "k", "g"];
    for key in keys.into_iter().cycle().take(600) {
        times.extend(key_time(tty, key)?);
    }
    for _ in 0..60 {
        tty.press("j")?;
        let Some(frame) = tty.next_frame(QUIET)? else { break };
        if frame.bytes < 700 {
            moved = moved.max(frame.bytes);
        } else {
            scrolled = scrolled.max(frame.bytes);
        }
    }
    tty.press("\x0c")?;
    let all = tty.next_frame(QUIET)?.map_or(0, |frame| frame.bytes);
    let bytes = |bytes: usize| f64::from(u32::try_from(bytes).unwrap_or(u32::MAX));
    let mut measured = vec![
        (MOVE_50, quantile(&mut times, 0.5)),
        (MOVE_99, quantile(&mut times, 0.99)),
        (BYTES_MOVE, bytes(moved)),
        (BYTES_ALL, bytes(all)),
    ];
    if scrolled > 0 {
        measured.push((BYTES_SCROLL, bytes(scrolled)));
    }
    Ok(measured)
}

fn measure_idle(tty: &mut AppTerminal) -> Result<Measurements, BenchError> {
    tty.wait_until_quiet(Duration::from_secs(5))?;
    let (before, woken) = (cpu(tty)?, wake_ups(tty)?);
    // A relative time may change within the 3 s, which causes one frame.
    let bytes = tty.next_frame(Duration::from_secs(3))?.map_or(0, |frame| frame.bytes);
    let (spent, woken) = (cpu(tty)? - before, wake_ups(tty)? - woken);
    let bytes = f64::from(u32::try_from(bytes)?);
    Ok(vec![(IDLE_BYTES, bytes), (IDLE_CPU, spent), (IDLE_WAKES, woken)])
}

/// Voluntary context switches of all threads so far, which is the number of wake-ups.
fn wake_ups(tty: &AppTerminal) -> Result<f64, BenchError> {
    let mut sum = 0.0;
    for task in fs::read_dir(format!("/proc/{}/task", tty.process()?))? {
        let status = fs::read_to_string(task?.path().join("status"))?;
        let count = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        sum += count.ok_or("no context switches")?.trim().parse::<f64>()?;
    }
    Ok(sum)
}

/// CPU time of the app so far, in ms, at 100 clock ticks per second.
fn cpu(tty: &AppTerminal) -> Result<f64, BenchError> {
    let stat = fs::read_to_string(format!("/proc/{}/stat", tty.process()?))?;
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks = fields.skip(11).take(2).map(str::parse::<f64>).sum::<Result<f64, _>>()?;
    Ok(ticks * 10.0)
}

/// The memory of the process alone, and with the mapped pages of the program's file. All processes
/// share these pages, and the system maps more of them than are used, and may drop them.
fn memory(tty: &AppTerminal) -> Result<Measurements, BenchError> {
    let status = fs::read_to_string(format!("/proc/{}/status", tty.process()?))?;
    let mib = |field: &str| {
        let line =
            status.lines().find_map(|line| line.strip_prefix(field)).ok_or("no such field")?;
        let kib = line.split_whitespace().next().ok_or("no number")?;
        Ok::<_, BenchError>(kib.parse::<f64>()? / 1_024.0)
    };
    Ok(vec![(MEMORY, mib("RssAnon:")? + mib("RssShmem:")?), (MEMORY_ALL, mib("VmRSS:")?)])
}

/// Measures filter, sort and search: the first screenful, and the last row after a jump to the end.
fn measure_lists(tty: &mut AppTerminal) -> Result<Measurements, BenchError> {
    let mut measured = Measurements::new();
    let filters: Vec<_> = ["f"; 10].into_iter().map(|key| ("", key, "")).collect();
    let (first, last) = slowest(tty, &filters)?;
    measured.extend([(FILTER, first), (FILTER_ALL, last)]);
    // A status without tokens has no chip, so the number of filters depends on the store.
    for _ in filters {
        if tty.text().contains("[All") {
            break;
        }
        tty.press("F")?;
        tty.wait_until_quiet(QUIET)?;
    }
    // Issued → Name → Description → Expires → Scopes → Last used, in both directions.
    let (next, reverse) = (("", "s", ""), ("", "S", ""));
    let times = slowest(tty, &[reverse])?;
    let (_, names) = slowest(tty, &[next, reverse])?;
    let others = slowest(tty, &[next, reverse, next, reverse, next, reverse, next, reverse])?;
    measured.extend([(SORT, times.0.max(others.0)), (SORT_ALL, times.1.max(others.1))]);
    measured.push((NAMES_ALL, names));
    tty.press("s")?;
    tty.wait_until_quiet(QUIET)?;
    let searches = [("/", "g", "\r"), ("/", "r", "\r"), ("/", "a", "\r"), ("/", "f", "\r")];
    let (first, last) = slowest(tty, &searches)?;
    measured.extend([(SEARCH, first), (SEARCH_ALL, last)]);
    tty.press("\x1b")?;
    tty.wait_until_quiet(QUIET)?;
    let pressed = tty.press("5")?;
    if let Some(frame) = tty.next_frame(QUIET * 8)? {
        measured.push((OVERVIEW, millis(pressed, frame.at)));
        // The figures are counted on another thread, and then drawn.
        let last = tty.wait_until_quiet(Duration::from_secs(3))?;
        measured.push((OVERVIEW_ALL, millis(pressed, last.map_or(frame.at, |last| last.at))));
    }
    tty.press("1")?;
    tty.wait_until_quiet(QUIET)?;
    Ok(measured)
}

/// The slowest of `keys`, each given as (keys before, measured key, keys after). Returns the
/// longest time to the first frame and to the last row after a jump to the end, in ms.
fn slowest(tty: &mut AppTerminal, keys: &[(&str, &str, &str)]) -> Result<(f64, f64), BenchError> {
    let (mut first, mut last) = (0.0_f64, 0.0_f64);
    for (before, key, after) in keys {
        tty.press("g")?;
        tty.press(before)?;
        tty.wait_until_quiet(QUIET)?;
        let pressed = tty.press(key)?;
        if let Some(frame) = tty.next_frame(QUIET * 8)? {
            first = first.max(millis(pressed, frame.at));
        }
        tty.press(after)?;
        tty.press("G")?;
        if let Some(frame) = tty.wait_until_quiet(QUIET)? {
            last = last.max(millis(pressed, frame.at));
        }
    }
    Ok((first, last))
}

/// Milliseconds from the exit of a process that created a token until the app shows the token.
fn measure_change(bench_store: &BenchStore, tty: &mut AppTerminal) -> Result<f64, BenchError> {
    tty.press("g")?;
    tty.wait_until_quiet(QUIET)?;
    let mut create = Command::new(&bench_store.program);
    create.arg("--store").arg(bench_store.store()).args(["create", "fresh-from-outside"]);
    let created = create.output()?;
    if !created.status.success() {
        return Err(String::from_utf8_lossy(&created.stderr).into_owned().into());
    }
    let from = Instant::now();
    let frame = tty.wait_for("the new token", |tty| tty.text().contains("fresh-from-outside"))?;
    Ok(millis(from, frame.at))
}
