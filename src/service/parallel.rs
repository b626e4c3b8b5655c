//! An ordered parallel map with backpressure, for what is read, parsed or printed part by part.
//! Memory holds a few parts, however many there are. Called by what goes through a whole store or
//! a whole import.

use std::{
    num::NonZero,
    ops::ControlFlow,
    sync::{Mutex, PoisonError, mpsc::sync_channel},
    thread,
};

/// The most worker threads: beyond them the consumer cannot keep up.
const MAX_WORKERS: usize = 4;
/// The most parts that wait for the consumer.
const MAX_AHEAD: usize = 4;

/// Draws parts from `next` until there is none, runs `work` on several of them in parallel, and
/// passes the results to `take`, on the calling thread and in the order of the parts, until that
/// breaks.
pub fn par_map_ordered<P: Send, T: Send>(
    mut next: impl FnMut() -> Option<P> + Send,
    work: impl Fn(P) -> T + Sync,
    mut take: impl FnMut(T) -> ControlFlow<()>,
) {
    let Some(first) = next() else { return };
    let Some(second) = next() else {
        // Threads would cost more than one part's work.
        let _ = take(work(first));
        return;
    };
    let mut ahead = [first, second].into_iter();
    let next = || ahead.next().or_else(&mut next);
    let workers = thread::available_parallelism().map_or(1, NonZero::get).min(MAX_WORKERS);
    let (line, places) = sync_channel(MAX_AHEAD);
    let (next, work) = (Mutex::new(next), &work);
    thread::scope(|scope| {
        for _ in 0..workers {
            let (line, next) = (line.clone(), &next);
            scope.spawn(move || {
                loop {
                    // A part and its place in the line are taken together, so the order is kept.
                    let mut draw = next.lock().unwrap_or_else(PoisonError::into_inner);
                    let Some(part) = draw() else { return };
                    let (made, place) = sync_channel(1);
                    if line.send(place).is_err() {
                        return;
                    }
                    drop(draw);
                    if made.send(work(part)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(line);
        for place in places {
            // A worker that panicked leaves its place empty; the end of the scope passes that on.
            let Ok(made) = place.recv() else { return };
            if take(made).is_break() {
                return;
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use std::{panic::catch_unwind, time::Duration};

    use super::*;

    /// Numbers up to `count`, with work that takes the longer the earlier it begins.
    fn worked(count: u64, until: u64) -> Vec<u64> {
        let (mut numbers, mut taken) = (0..count, Vec::new());
        let work = |number: u64| {
            thread::sleep(Duration::from_micros(20 * (count - number) % 200));
            number * 2
        };
        par_map_ordered(
            || numbers.next(),
            work,
            |made| {
                taken.push(made);
                if made >= until { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            },
        );
        taken
    }

    #[test]
    fn all_parts_are_taken_in_their_order() {
        assert!(worked(0, 9).is_empty());
        assert_eq!(worked(1, 9), [0]);
        assert_eq!(worked(2, 9), [0, 2]);
        assert_eq!(worked(100, 999), (0..100).map(|number| number * 2).collect::<Vec<_>>());
    }

    #[test]
    fn who_takes_may_stop() {
        assert_eq!(worked(1_000_000, 6), [0, 2, 4, 6]);
    }

    #[test]
    fn a_panic_at_work_is_passed_on() {
        let run = || {
            let mut numbers = 0..100;
            let work =
                |number| if number == 7 { std::panic::resume_unwind(Box::new(7)) } else { number };
            par_map_ordered(|| numbers.next(), work, |_| ControlFlow::Continue(()));
        };
        assert!(catch_unwind(run).is_err());
    }
}
