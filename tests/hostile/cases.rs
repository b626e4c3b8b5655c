//! Runs numbered cases on two threads. The number is the seed of a case: a failed case prints it,
//! and `PATDECK_SEED=NUMBER` repeats that case alone. `PATDECK_LONG=1` runs the long form of each
//! test, and `PATDECK_TIMES=N` runs N times the ordinary number of cases.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

/// The number of threads that run cases. Each one waits for processes most of the time.
const THREADS: usize = 2;

/// The program that the tests run: the file that `PATDECK_PROGRAM` names, for example a release
/// build, or the one that was built for the tests.
pub(crate) fn program() -> PathBuf {
    let named = std::env::var_os("PATDECK_PROGRAM").map(PathBuf::from);
    let built = || PathBuf::from(env!("CARGO_BIN_EXE_patdeck"));
    named.map_or_else(built, |path| path.canonicalize().unwrap())
}

/// Returns `long` if `PATDECK_LONG` is set, otherwise `ordinary` times `PATDECK_TIMES`.
pub(crate) fn case_count(ordinary: u64, long: u64) -> u64 {
    if is_long() { long } else { ordinary * variable("PATDECK_TIMES").unwrap_or(1) }
}

/// Whether the long form of each test runs.
pub(crate) fn is_long() -> bool {
    std::env::var_os("PATDECK_LONG").is_some()
}

/// The number of the only case to run.
pub(crate) fn only_seed() -> Option<u64> {
    variable("PATDECK_SEED")
}

fn variable(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is not a number: {text}")))
}

/// Runs `run` for each seed below `count`, with what `prepare` makes for its thread. Panics at the
/// end with the seeds of the failed cases.
pub(crate) fn run_cases<T>(
    count: u64,
    prepare: impl Fn(usize) -> T + Sync,
    run: impl Fn(u64, &mut T) + Sync,
) {
    if let Some(seed) = only_seed() {
        return run(seed, &mut prepare(0));
    }
    let (next, failed) = (AtomicU64::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for number in 0..THREADS {
            let (next, failed, prepare, run) = (&next, &failed, &prepare, &run);
            scope.spawn(move || {
                let mut place = prepare(number);
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= count {
                        return;
                    }
                    if catch_unwind(AssertUnwindSafe(|| run(seed, &mut place))).is_err() {
                        failed.lock().unwrap().push(seed);
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "PATDECK_SEED=NUMBER repeats a failed case: {failed:?}");
}
