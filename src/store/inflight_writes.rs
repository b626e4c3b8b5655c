//! Counts the running writes of this process. After a hang-up, the process exits only when none is
//! left. An earlier exit would lose no data, but the next start would have to repair the file.
//! Called by `Store::write` and by the thread that ends the process.

use std::{
    sync::{Condvar, Mutex, PoisonError},
    time::Duration,
};

static RUNNING: Mutex<usize> = Mutex::new(0);
static IDLE: Condvar = Condvar::new();

/// Counts as one write in flight until this value is dropped.
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

/// Waits until no write of this process is in flight, but no longer than `limit`. Returns `false`
/// on timeout.
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
    fn wait_for_writes_returns_when_the_write_ends() {
        let running = InFlightWrite::start();
        assert!(!wait_for_writes(Duration::ZERO));
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| wait_for_writes(Duration::from_secs(30)));
            drop(running);
            assert!(waiting.join().unwrap());
        });
    }
}
