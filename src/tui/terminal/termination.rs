//! Exits the process on a hang-up or a termination signal, even if the event loop is blocked.
//!
//! Owns two threads: one waits for signals, the other polls the terminal for a hang-up. Polling is
//! needed because a wrapper such as `sudo` may not forward SIGHUP. Without the signal, crossterm
//! would spin forever. Restores the terminal before anything else, because its screen can show a
//! secret. `tui::run` calls [`watch`] once.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::process::exit;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use signal_hook::consts::{
    SIGALRM, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGVTALRM, SIGXCPU,
};
use signal_hook::iterator::Signals;

use crate::tui::terminal;

/// Exit code after a hang-up of the terminal.
pub const EXIT_HUNG_UP: i32 = 128 + SIGHUP;

/// The signals that end the process by default and that a program can handle. SIGPIPE is ignored.
const ENDING_SIGNALS: [i32; 9] =
    [SIGHUP, SIGTERM, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGXCPU];

/// Maximum time for which the exit waits for running writes to the store.
const WRITE_WAIT: Duration = Duration::from_millis(250);

/// Set by the first thread that exits the process, so that no other thread exits it too.
static ENDING: AtomicBool = AtomicBool::new(false);

/// Function that waits for running writes to the store.
type WaitForWrites = Arc<dyn Fn() + Send + Sync>;

/// Starts the thread that waits for signals and the thread that polls for a hang-up.
///
/// After a signal of [`ENDING_SIGNALS`], the process restores the terminal and exits with 128 plus
/// the number of the signal. A hang-up counts as SIGHUP; a terminal that hung up is not written to.
/// Before every exit, `wait_for_writes` is called once. The exit waits at most [`WRITE_WAIT`]
/// (250 ms) for its return.
pub fn watch(wait_for_writes: impl Fn() + Send + Sync + 'static) -> io::Result<()> {
    let wait_for_writes: WaitForWrites = Arc::new(wait_for_writes);
    let mut signals = Signals::new(ENDING_SIGNALS)?;
    let wait_on_signal = Arc::clone(&wait_for_writes);
    thread::Builder::new().name("signals".into()).spawn(move || {
        if let Some(signal) = signals.forever().next() {
            exit_once(&wait_on_signal, 128 + signal);
        }
    })?;
    thread::Builder::new().name("watchdog".into()).spawn(move || {
        if wait_for_hang_up() {
            exit_once(&wait_for_writes, EXIT_HUNG_UP);
        }
    })?;
    Ok(())
}

/// Exits the process in the same way as after a hang-up. The event loop calls this function when a
/// draw fails.
pub fn exit_hung_up(wait_for_writes: impl Fn() + Send + Sync + 'static) -> ! {
    let wait_for_writes: WaitForWrites = Arc::new(wait_for_writes);
    exit_once(&wait_for_writes, EXIT_HUNG_UP)
}

fn exit_once(wait_for_writes: &WaitForWrites, code: i32) -> ! {
    if ENDING.swap(true, Ordering::SeqCst) {
        // Another thread is already exiting with its own code.
        loop {
            thread::park();
        }
    }
    terminal::close();
    let start = Instant::now();
    let writes_end = start_waiting(wait_for_writes);
    // Restore the terminal even after SIGHUP, which can reach a process whose terminal still works.
    // `restore` writes nothing to a terminal that hung up.
    terminal::restore();
    // A write that waits for another process must not keep this process alive.
    let _ = writes_end.recv_timeout(WRITE_WAIT.saturating_sub(start.elapsed()));
    exit(code)
}

/// Calls `wait_for_writes` on another thread. The receiver gets a message when the call returns.
fn start_waiting(wait_for_writes: &WaitForWrites) -> mpsc::Receiver<()> {
    let (done, finished) = mpsc::channel();
    let wait_for_writes = Arc::clone(wait_for_writes);
    // If the thread cannot be started, `done` is dropped and the receiver does not wait.
    let _ = thread::Builder::new().name("finish-writes".into()).spawn(move || {
        wait_for_writes();
        let _ = done.send(());
    });
    finished
}

/// Blocks until the terminal hangs up; returns `false` if it cannot be polled.
fn wait_for_hang_up() -> bool {
    match File::open("/dev/tty") {
        Ok(tty) => poll_hang_up(tty.as_fd()),
        Err(_) => poll_hang_up(rustix::stdio::stdin()),
    }
}

fn poll_hang_up(tty: BorrowedFd<'_>) -> bool {
    loop {
        // Request no events, so that input does not wake this thread. `poll` reports a hang-up
        // anyway.
        let mut fds = [PollFd::new(&tty, PollFlags::empty())];
        match poll(&mut fds, None) {
            Ok(0) | Err(Errno::INTR) => {}
            // Any event is a hang-up or an error. The event persists, so polling again would spin.
            Ok(_) => return true,
            Err(_) => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_peer_is_a_hang_up() {
        let (read, write) = std::io::pipe().unwrap();
        drop(read);
        assert!(poll_hang_up(write.as_fd()));
    }

    #[test]
    fn the_wait_for_writes_blocks_only_its_own_thread() {
        let never: WaitForWrites = Arc::new(|| {
            loop {
                thread::park();
            }
        });
        assert_eq!(start_waiting(&never).try_recv(), Err(mpsc::TryRecvError::Empty));
        let at_once: WaitForWrites = Arc::new(|| {});
        assert_eq!(start_waiting(&at_once).recv(), Ok(()));
    }
}
