//! Waits for another program with a deadline. Kills nothing. Called by `hook_process`, by the copy
//! through a program, and by `doctor`.

use std::{
    io,
    process::{Child, ExitStatus},
    thread,
    time::{Duration, Instant},
};

/// Interval between checks for the exit of the program.
const POLL_INTERVAL: Duration = Duration::from_millis(2);

/// Waits until the program exits. Returns `None` at the deadline.
pub fn wait_for_exit(child: &mut Child, deadline: Instant) -> io::Result<Option<ExitStatus>> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(None);
        }
        thread::sleep(left.min(POLL_INTERVAL));
    }
}
