//! Counts the writes of this process that are in flight, so that a hang-up does not end it in the
//! middle of one. Nothing would be lost, but the next start would have to repair the file. Called
//! by `Store::write` and by the thread that ends the process.

use std::{
    sync::{Condvar, Mutex, PoisonError},
    time::Duration,
};

static RUNNING: Mutex<usize> = Mutex::new(0);
static IDLE: Condvar = Condvar::new();

/// A write that is running for as long as this value exists.
#[derive(Debug)]
pub(super) struct InFlightWrite(());

impl InFlightWrite {
    pub(super) fn start() -> Self {
        *RUNNING.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        Self(())
    }
}

impl Drop for InFlightWrite {
    fn drop(&mut self) {
        let mut count = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        *count = count.saturating_sub(1);
        IDLE.notify_all();
    }
}

/// Waits until no write of this process is running, at most `limit`. Returns whether none is.
pub fn wait_for_writes(limit: Duration) -> bool {
    let count = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
    let waited = IDLE.wait_timeout_while(count, limit, |count| *count > 0);
    let (count, _) = waited.unwrap_or_else(PoisonError::into_inner);
    *count == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_waits_for_a_running_write_and_no_longer() {
        let running = InFlightWrite::start();
        assert!(!wait_for_writes(Duration::ZERO));
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| wait_for_writes(Duration::from_secs(30)));
            drop(running);
            assert!(waiting.join().unwrap());
        });
    }
}
