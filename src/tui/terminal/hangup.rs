//! Ends the process when the terminal or the system says so, whatever the app is doing.
//!
//! Owns two threads: one waits for signals, one for the terminal to go away, because wrappers
//! such as `sudo` may swallow the hang-up signal and crossterm would then spin for ever. It
//! refuses to touch a terminal that hung up. `tui::run` calls [`watch`] once.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::process::exit;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::tui::terminal;

/// The exit code of a process whose terminal hung up.
pub const HUNG_UP: i32 = 128 + SIGHUP;

/// The longest that settling may hold up the end of the process.
const GRACE: Duration = Duration::from_millis(250);

/// Set by the first that ends the process, so that it happens once.
static ENDING: AtomicBool = AtomicBool::new(false);

type Settle = Arc<dyn Fn() + Send + Sync>;

/// Watches for the end from here on.
///
/// On a hang-up the process exits with 129 and leaves the terminal alone; on SIGTERM, SIGINT and
/// SIGQUIT it gives the terminal back and exits with 143, 130 or 131. Before either, `settle` is
/// called once: it waits for a running write, up to 200 ms, and is left behind if it takes longer.
pub fn watch(settle: impl Fn() + Send + Sync + 'static) -> io::Result<()> {
    let settle: Settle = Arc::new(settle);
    let mut signals = Signals::new([SIGHUP, SIGTERM, SIGINT, SIGQUIT])?;
    let for_signals = Arc::clone(&settle);
    thread::Builder::new().name("signals".into()).spawn(move || {
        if let Some(signal) = signals.forever().next() {
            end(&for_signals, 128 + signal);
        }
    })?;
    thread::Builder::new().name("watchdog".into()).spawn(move || {
        if wait_for_hang_up() {
            end(&settle, HUNG_UP);
        }
    })?;
    Ok(())
}

/// Ends the process as if the terminal had hung up, for a loop that learnt it from a failed draw.
pub fn end_hung_up(settle: impl Fn() + Send + Sync + 'static) -> ! {
    let settle: Settle = Arc::new(settle);
    end(&settle, HUNG_UP)
}

fn end(settle: &Settle, code: i32) -> ! {
    if ENDING.swap(true, Ordering::SeqCst) {
        // The other thread is on its way out, with its own code.
        loop {
            thread::park();
        }
    }
    terminal::close();
    settle_within(settle, GRACE);
    if code != HUNG_UP {
        terminal::restore();
    }
    exit(code)
}

fn settle_within(settle: &Settle, grace: Duration) {
    let (done, wait) = mpsc::channel();
    let settle = Arc::clone(settle);
    let spawned = thread::Builder::new().name("settle".into()).spawn(move || {
        settle();
        let _ = done.send(());
    });
    if spawned.is_ok() {
        // A writer stuck behind another process must not keep this one alive.
        let _ = wait.recv_timeout(grace);
    }
}

/// Blocks until the terminal is gone; `false` if there is none that could be watched.
fn wait_for_hang_up() -> bool {
    match File::open("/dev/tty") {
        Ok(tty) => hung_up(tty.as_fd()),
        Err(_) => hung_up(rustix::stdio::stdin()),
    }
}

fn hung_up(tty: BorrowedFd<'_>) -> bool {
    loop {
        // No events are asked for: input must not wake this thread, and hang-up always does.
        let mut fds = [PollFd::new(&tty, PollFlags::empty())];
        match poll(&mut fds, None) {
            Ok(0) | Err(Errno::INTR) => {}
            // Any answer means hang-up, error or invalid: the condition stays, so asking again
            // would spin.
            Ok(_) => return true,
            Err(_) => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn a_closed_peer_is_a_hang_up() {
        let (read, write) = std::io::pipe().unwrap();
        drop(read);
        assert!(hung_up(write.as_fd()));
    }

    #[test]
    fn settling_that_never_returns_is_left_behind() {
        let settle: Settle = Arc::new(|| {
            loop {
                thread::park();
            }
        });
        let start = Instant::now();
        settle_within(&settle, Duration::from_millis(20));
        assert!(start.elapsed() < Duration::from_millis(500));
    }
}
