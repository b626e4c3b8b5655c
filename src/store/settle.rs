//! How the process learns that none of its writes is running, so that a hang-up does not end it
//! in the middle of one. Nothing would be lost by that, but the next start would have to repair.

use std::{
    sync::{Condvar, Mutex, PoisonError},
    time::Duration,
};

static RUNNING: Mutex<usize> = Mutex::new(0);
static IDLE: Condvar = Condvar::new();

/// Stands for a write while it lives.
#[derive(Debug)]
pub(super) struct Running(());

impl Running {
    pub(super) fn start() -> Self {
        *RUNNING.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        Self(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut count = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        *count = count.saturating_sub(1);
        IDLE.notify_all();
    }
}

/// Waits until no write of this process is running, at most `limit`; whether none is. For the
/// thread that ends the process when its terminal is gone.
pub fn settle(limit: Duration) -> bool {
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
        let running = Running::start();
        assert!(!settle(Duration::ZERO));
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| settle(Duration::from_secs(30)));
            drop(running);
            assert!(waiting.join().unwrap());
        });
    }
}
