//! The number of tokens in the next batch of a large change. Follows the time that the last batch
//! held the write lock, because the time per token depends on the disk and on the size of the
//! store. Called by the import, by `jobs` and by `endings`.

use std::{
    thread,
    time::{Duration, Instant},
};

use crate::domain::MAX_PER_TRANSACTION;

/// How long a batch should hold the write lock.
const TARGET: Duration = Duration::from_millis(80);

/// Tokens of the first batch. A small first batch measures the speed of the disk.
const FIRST: usize = 250;

/// Minimum number of tokens in a batch, because each commit has a fixed cost.
const MIN: usize = 50;

/// How long the lock stays free at least after each batch. A waiting process tries at least once a
/// millisecond, so it gets the lock.
const MIN_PAUSE: Duration = Duration::from_millis(3);

/// The lock stays free for this share of the time of the batch. On a busy machine, a batch takes
/// longer and a waiting process needs longer to get a processor.
const PAUSE_SHARE: u32 = 10;

/// The size of the next batch.
#[derive(Debug)]
pub(super) struct BatchSize(usize);

impl Default for BatchSize {
    fn default() -> Self {
        Self(FIRST)
    }
}

impl BatchSize {
    /// The number of tokens of the next batch.
    pub(super) fn get(&self) -> usize {
        self.0
    }

    /// The number of tokens of the next batch if `left` tokens are left before a boundary. Divides
    /// them evenly, so that no small batch remains.
    pub(super) fn of(&self, left: usize) -> usize {
        left.div_ceil(left.div_ceil(self.0).max(1)).max(1)
    }

    /// Sets the size after a batch of `count` tokens has held the lock since `started`, then leaves
    /// the lock free for other processes.
    pub(super) fn finish_batch(&mut self, count: usize, started: Instant) {
        let took = started.elapsed();
        self.adapt(count, took);
        thread::sleep(MIN_PAUSE.max(took / PAUSE_SHARE));
    }

    /// Sizes at most double, because the first batches can be faster than later ones.
    fn adapt(&mut self, count: usize, took: Duration) {
        let fitting = TARGET.as_micros().saturating_mul(count as u128) / took.as_micros().max(1);
        let fitting = usize::try_from(fitting).unwrap_or(usize::MAX);
        self.0 = fitting.min(self.0.saturating_mul(2)).clamp(MIN, MAX_PER_TRANSACTION);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_sized_for_the_target_time() {
        let mut size = BatchSize::default();
        size.adapt(FIRST, TARGET / 2);
        assert_eq!(size.get(), 2 * FIRST);
        size.adapt(2 * FIRST, TARGET / 100);
        assert_eq!(size.get(), 4 * FIRST, "at most doubled");
        size.adapt(4 * FIRST, TARGET * 2);
        assert_eq!(size.get(), 2 * FIRST);
        size.adapt(2 * FIRST, TARGET * 10_000);
        assert_eq!(size.get(), MIN);
    }

    #[test]
    fn batches_before_a_boundary_are_even() {
        let size = BatchSize(1_000);
        assert_eq!([size.of(2_100), size.of(1_400), size.of(700)], [700, 700, 700]);
        assert_eq!([size.of(1), size.of(0)], [1, 1]);
    }
}
