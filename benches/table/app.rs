//! The app in a terminal: how soon it shows something, how long keys take, what it costs.

use std::{
    fs,
    process::Command,
    time::{Duration, Instant},
};

use super::{
    Bound::{Most, None},
    Fault, Measured, Row, Subject, quantile,
    tty::Tty,
};

const PAINT: &str = "first useful paint, ms";
const MOVE_50: &str = "key while it stands, p50, ms";
const MOVE_99: &str = "key while it stands, p99, ms";
const LOAD_50: &str = "key while it loads, p50, ms";
const LOAD_99: &str = "key while it loads, p99, ms";
const LOADED: &str = "everything is read, ms";
const FILTER: &str = "status filter, first screenful, ms";
const FILTER_ALL: &str = "status filter, last row, ms";
const SORT: &str = "another order, first screenful, ms";
const SORT_ALL: &str = "another order, last row, ms";
const NAMES_ALL: &str = "order of names, last row, ms";
const SEARCH: &str = "search character, first screenful, ms";
const SEARCH_ALL: &str = "search character, last row, ms";
const MEMORY: &str = "memory after loading, MiB";
const CHANGE: &str = "change by another process, ms";
const IDLE_BYTES: &str = "idle for 3 s, bytes";
const IDLE_CPU: &str = "idle for 3 s, ms of CPU";
const IDLE_WAKES: &str = "idle for 3 s, wake-ups";
const BYTES_MOVE: &str = "bytes of a move";
const BYTES_SCROLL: &str = "bytes of a scroll";
const BYTES_ALL: &str = "bytes of a full repaint";

pub(crate) const ROWS: [Row; 21] = [
    Row { what: PAINT, bounds: (Most(10.0), Most(50.0)) },
    Row { what: MOVE_50, bounds: (Most(1.0), Most(1.0)) },
    Row { what: MOVE_99, bounds: (Most(8.0), Most(16.0)) },
    Row { what: LOAD_50, bounds: (None, Most(1.0)) },
    Row { what: LOAD_99, bounds: (None, Most(16.0)) },
    Row { what: LOADED, bounds: (None, None) },
    Row { what: FILTER, bounds: (Most(8.0), Most(20.0)) },
    Row { what: FILTER_ALL, bounds: (Most(8.0), Most(100.0)) },
    Row { what: SORT, bounds: (Most(8.0), Most(20.0)) },
    Row { what: SORT_ALL, bounds: (Most(8.0), Most(100.0)) },
    Row { what: NAMES_ALL, bounds: (Most(8.0), Most(800.0)) },
    Row { what: SEARCH, bounds: (Most(8.0), Most(20.0)) },
    Row { what: SEARCH_ALL, bounds: (Most(8.0), Most(100.0)) },
    Row { what: MEMORY, bounds: (Most(10.0), Most(200.0)) },
    Row { what: CHANGE, bounds: (Most(50.0), Most(50.0)) },
    Row { what: IDLE_BYTES, bounds: (Most(0.0), Most(0.0)) },
    Row { what: IDLE_CPU, bounds: (Most(10.0), Most(10.0)) },
    // One a minute, for a relative time on the screen.
    Row { what: IDLE_WAKES, bounds: (Most(1.0), Most(1.0)) },
    Row { what: BYTES_MOVE, bounds: (Most(260.0), Most(260.0)) },
    Row { what: BYTES_SCROLL, bounds: (Most(2_300.0), Most(2_300.0)) },
    Row { what: BYTES_ALL, bounds: (Most(4_000.0), Most(4_000.0)) },
];

/// Times that the app is started.
const STARTS: usize = 7;
/// After this long without a frame nothing more comes of a key.
const QUIET: Duration = Duration::from_millis(250);
/// The first row of the list.
const FIRST_ROW: u16 = 3;

fn millis(from: Instant, to: Instant) -> f64 {
    to.saturating_duration_since(from).as_secs_f64() * 1_000.0
}

/// The app with its first rows on the screen, and how long that took.
fn started(subject: &Subject) -> Result<(Tty, f64), Fault> {
    let mut tty = Tty::start(&subject.program, &subject.store())?;
    let frame = tty.until("the first row", |tty| !tty.row(FIRST_ROW).trim().is_empty())?;
    let took = millis(tty.started(), frame.at);
    Ok((tty, took))
}

pub(crate) fn measure(subject: &Subject) -> Result<Measured, Fault> {
    let mut paints = Vec::new();
    for _ in 0..STARTS {
        paints.push(started(subject)?.1);
    }
    let mut measured = vec![(PAINT, quantile(&mut paints, 0.5))];
    measured.extend(loading(subject)?);
    let (mut tty, _) = started(subject)?;
    loaded(&mut tty)?;
    // The order of the names is worked out last.
    tty.rest(Duration::from_secs(if subject.is_large() { 3 } else { 1 }))?;
    measured.push((MEMORY, memory(&tty)?));
    measured.extend(moves(&mut tty)?);
    measured.extend(idle(&mut tty)?);
    measured.extend(lists(&mut tty)?);
    measured.push((CHANGE, change(subject, &mut tty)?));
    Ok(measured)
}

fn is_loading(tty: &Tty) -> bool {
    tty.text().contains("reading the store")
}

fn loaded(tty: &mut Tty) -> Result<(), Fault> {
    if is_loading(tty) {
        tty.until("the end of the reading", |tty| !is_loading(tty))?;
    }
    Ok(())
}

/// Keys from the first paint on, for as long as the store is being read.
fn loading(subject: &Subject) -> Result<Measured, Fault> {
    let (mut tty, _) = started(subject)?;
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
    let (half, most) = (quantile(&mut times, 0.5), quantile(&mut times, 0.99));
    Ok(vec![(LOADED, took), (LOAD_50, half), (LOAD_99, most)])
}

/// From a key to the last byte of its frame; nothing if it changes nothing.
fn key_time(tty: &mut Tty, key: &str) -> Result<Option<f64>, Fault> {
    let pressed = tty.press(key)?;
    Ok(tty.frame(QUIET)?.map(|frame| millis(pressed, frame.at)))
}

fn moves(tty: &mut Tty) -> Result<Measured, Fault> {
    let mut times = Vec::new();
    let (mut moved, mut scrolled) = (0, 0);
    tty.press("g")?;
    tty.rest(QUIET)?;
    let keys = ["j", "j", "k", "j", "\x1b[6~", "\x1b[5~", "G", "k", "g"];
    for key in keys.into_iter().cycle().take(600) {
        times.extend(key_time(tty, key)?);
    }
    for _ in 0..60 {
        tty.press("j")?;
        let Some(frame) = tty.frame(QUIET)? else { break };
        if frame.bytes < 700 {
            moved = moved.max(frame.bytes);
        } else {
            scrolled = scrolled.max(frame.bytes);
        }
    }
    tty.press("\x0c")?;
    let all = tty.frame(QUIET)?.map_or(0, |frame| frame.bytes);
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

fn idle(tty: &mut Tty) -> Result<Measured, Fault> {
    tty.rest(Duration::from_secs(5))?;
    let (before, woken) = (cpu(tty)?, wake_ups(tty)?);
    // Relative times change once a minute; the other minute is idle.
    let bytes = tty.frame(Duration::from_secs(3))?.map_or(0, |frame| frame.bytes);
    let (spent, woken) = (cpu(tty)? - before, wake_ups(tty)? - woken);
    let bytes = f64::from(u32::try_from(bytes)?);
    Ok(vec![(IDLE_BYTES, bytes), (IDLE_CPU, spent), (IDLE_WAKES, woken)])
}

/// How often the threads of the app have gone to sleep so far, and so were woken before.
fn wake_ups(tty: &Tty) -> Result<f64, Fault> {
    let mut sum = 0.0;
    for task in fs::read_dir(format!("/proc/{}/task", tty.process()?))? {
        let status = fs::read_to_string(task?.path().join("status"))?;
        let count = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        sum += count.ok_or("no context switches")?.trim().parse::<f64>()?;
    }
    Ok(sum)
}

/// Milliseconds of CPU that the app has used.
fn cpu(tty: &Tty) -> Result<f64, Fault> {
    let stat = fs::read_to_string(format!("/proc/{}/stat", tty.process()?))?;
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks = fields.skip(11).take(2).map(str::parse::<f64>).sum::<Result<f64, _>>()?;
    Ok(ticks * 10.0)
}

fn memory(tty: &Tty) -> Result<f64, Fault> {
    let status = fs::read_to_string(format!("/proc/{}/status", tty.process()?))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()).ok_or("no VmRSS")?;
    Ok(kib.parse::<f64>()? / 1_024.0)
}

/// Filter, order and search: the first screenful, and the last row after a jump to the end.
fn lists(tty: &mut Tty) -> Result<Measured, Fault> {
    let mut measured = Measured::new();
    let filters: Vec<_> = ["f"; 8].into_iter().map(|key| ("", key, "")).collect();
    let (first, last) = worst(tty, &filters)?;
    measured.extend([(FILTER, first), (FILTER_ALL, last)]);
    tty.press("F")?;
    tty.rest(QUIET)?;
    // Issued → Expires → Last used → Name → Description → Status → Scopes, each both ways.
    let (on, about) = (("", "s", ""), ("", "S", ""));
    let times = worst(tty, &[about, on, about, on, about])?;
    let (_, names) = worst(tty, &[on, about])?;
    let others = worst(tty, &[on, about, on, about, on, about])?;
    measured.extend([(SORT, times.0.max(others.0)), (SORT_ALL, times.1.max(others.1))]);
    measured.push((NAMES_ALL, names));
    tty.press("sS")?;
    tty.rest(QUIET)?;
    let words = [("/", "g", "\r"), ("/", "r", "\r"), ("/", "a", "\r"), ("/", "f", "\r")];
    let (first, last) = worst(tty, &words)?;
    measured.extend([(SEARCH, first), (SEARCH_ALL, last)]);
    tty.press("\x1b")?;
    tty.rest(QUIET)?;
    Ok(measured)
}

/// The slowest of these keys: to its first frame, and, pressed again, to the last row. Each is
/// pressed between keys that lead to it and keys that lead away.
fn worst(tty: &mut Tty, keys: &[(&str, &str, &str)]) -> Result<(f64, f64), Fault> {
    let (mut first, mut last) = (0.0_f64, 0.0_f64);
    for (before, key, after) in keys {
        tty.press("g")?;
        tty.press(before)?;
        tty.rest(QUIET)?;
        let pressed = tty.press(key)?;
        if let Some(frame) = tty.frame(QUIET * 8)? {
            first = first.max(millis(pressed, frame.at));
        }
        tty.press(after)?;
        tty.press("G")?;
        if let Some(frame) = tty.rest(QUIET)? {
            last = last.max(millis(pressed, frame.at));
        }
    }
    Ok((first, last))
}

/// From the end of a process that makes a token until the token is on the screen.
fn change(subject: &Subject, tty: &mut Tty) -> Result<f64, Fault> {
    tty.press("g")?;
    tty.rest(QUIET)?;
    let mut create = Command::new(&subject.program);
    create.arg("--store").arg(subject.store()).args(["create", "fresh-from-outside"]);
    let made = create.output()?;
    if !made.status.success() {
        return Err(String::from_utf8_lossy(&made.stderr).into_owned().into());
    }
    let from = Instant::now();
    let frame = tty.until("the new token", |tty| tty.text().contains("fresh-from-outside"))?;
    Ok(millis(from, frame.at))
}
