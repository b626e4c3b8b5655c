//! Ordered parallel map with backpressure, for data that is read, parsed or printed in batches.
//! Memory holds only a few items at a time. Called by full reads of the store and by imports and
//! exports.

use std::{
    num::NonZero,
    ops::ControlFlow,
    sync::{Mutex, PoisonError, mpsc::sync_channel},
    thread,
};

/// Maximum number of worker threads. With more, the consumer is the bottleneck.
const MAX_WORKERS: usize = 4;
/// Maximum number of items queued for the consumer.
const MAX_AHEAD: usize = 4;

/// Runs `work` on the items of `next` in parallel. Passes the results to `consume` on the calling
/// thread, in the order of the items, until the items end or `consume` breaks. A panic in `work` is
/// propagated to the caller.
pub fn par_map_ordered<I: Send, T: Send>(
    mut next: impl FnMut() -> Option<I> + Send,
    work: impl Fn(I) -> T + Sync,
    mut consume: impl FnMut(T) -> ControlFlow<()>,
) {
    let Some(first) = next() else { return };
    let Some(second) = next() else {
        // For a single item, threads would cost more than they save.
        let _ = consume(work(first));
        return;
    };
    let mut ahead = [first, second].into_iter();
    let next = || ahead.next().or_else(&mut next);
    let workers = thread::available_parallelism().map_or(1, NonZero::get).min(MAX_WORKERS);
    // A queue of one-shot receivers, one for each item, in the order of the items.
    let (queue, receivers) = sync_channel(MAX_AHEAD);
    let (next, work) = (Mutex::new(next), &work);
    thread::scope(|scope| {
        for _ in 0..workers {
            let (queue, next) = (queue.clone(), &next);
            scope.spawn(move || {
                loop {
                    // Taking an item and queueing its receiver under one lock keeps the order.
                    let mut next_item = next.lock().unwrap_or_else(PoisonError::into_inner);
                    let Some(item) = next_item() else { return };
                    let (sender, receiver) = sync_channel(1);
                    if queue.send(receiver).is_err() {
                        return;
                    }
                    drop(next_item);
                    if sender.send(work(item)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(queue);
        for receiver in receivers {
            // If a worker panicked, there is no result; the scope propagates the panic at its end.
            let Ok(result) = receiver.recv() else { return };
            if consume(result).is_break() {
                return;
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use std::{panic::catch_unwind, time::Duration};

    use super::*;

    /// Doubles the numbers below `count` until a result reaches `until`. Earlier items take longer.
    fn doubled(count: u64, until: u64) -> Vec<u64> {
        let (mut numbers, mut results) = (0..count, Vec::new());
        let work = |number: u64| {
            thread::sleep(Duration::from_micros(20 * (count - number) % 200));
            number * 2
        };
        par_map_ordered(
            || numbers.next(),
            work,
            |result| {
                results.push(result);
                if result >= until { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            },
        );
        results
    }

    #[test]
    fn results_keep_the_order_of_the_items() {
        assert!(doubled(0, 9).is_empty());
        assert_eq!(doubled(1, 9), [0]);
        assert_eq!(doubled(2, 9), [0, 2]);
        assert_eq!(doubled(100, 999), (0..100).map(|number| number * 2).collect::<Vec<_>>());
    }

    #[test]
    fn consumer_can_stop_early() {
        assert_eq!(doubled(1_000_000, 6), [0, 2, 4, 6]);
    }

    #[test]
    fn panic_of_a_worker_is_propagated() {
        let run = || {
            let mut numbers = 0..100;
            let work =
                |number| if number == 7 { std::panic::resume_unwind(Box::new(7)) } else { number };
            par_map_ordered(|| numbers.next(), work, |_| ControlFlow::Continue(()));
        };
        assert!(catch_unwind(run).is_err());
    }
}
