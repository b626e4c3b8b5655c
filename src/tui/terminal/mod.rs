//! Enters the terminal and restores its state when the app quits, panics, stops or is terminated.
//!
//! Owns raw mode, the alternate screen, bracketed paste, the mouse and the cursor. It refuses to
//! start without a usable terminal, never queries the terminal, and never writes after a restore.
//! `tui::run` holds the [`TerminalSession`]; the panic hook and `termination` call [`restore`].

mod ansi;
mod cell_style;
pub mod clipboard;
pub mod diff_backend;
pub mod escape_reassembler;
pub mod input;
pub mod output_buffer;
mod pipe_to_program;
pub mod sanitize_paste;
pub mod termination;

use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use crossterm::terminal::{disable_raw_mode, enable_raw_mode};
use ratatui::Frame;
use ratatui::layout::Size;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Signal, getpid, getsid, kill_current_process_group};
use signal_hook::consts::SIGCONT;

use self::diff_backend::{FALLBACK_SIZE, Renderer};
use crate::service::panic_is_caught;

/// Enters the alternate screen, enables bracketed paste and hides the cursor.
const ENTER: &[u8] = b"\x1b[?1049h\x1b[?2004h\x1b[?25l";

/// Makes the terminal report clicks and the wheel, but not movements. The reports use the SGR
/// encoding, which supports columns beyond 223.
const ENABLE_MOUSE: &[u8] = b"\x1b[?1000h\x1b[?1006h";

/// Undoes [`ENTER`] and [`ENABLE_MOUSE`] from any state. Clears the screen first: a terminal
/// without an alternate screen would keep showing the last frame, which may contain a secret.
const LEAVE: &[u8] =
    b"\x1b[?2026l\x1b[0m\x1b[H\x1b[J\x1b[?1006l\x1b[?1000l\x1b[?2004l\x1b[?1049l\x1b[?25h";

/// Maximum time for which a restore waits for a terminal that accepts no bytes.
const RESTORE_TIMEOUT: Duration = Duration::from_millis(200);

/// Maximum time to wait until SIGTSTP, which was sent to the process group, stops this process.
const STOP_TIMEOUT: Duration = Duration::from_millis(100);

/// Whether the app has entered the terminal. The thread that clears this flag restores the
/// terminal, so that the terminal is restored only once.
static TERMINAL_ENTERED: AtomicBool = AtomicBool::new(false);

/// Set when the process is about to exit: no thread may enter the terminal or write to it any more.
static CLOSED: AtomicBool = AtomicBool::new(false);

/// Held during a write, so that [`LEAVE`] is never written inside a frame.
static OUTPUT_LOCK: Mutex<()> = Mutex::new(());

/// Reason for which the app cannot start or continue on this terminal.
#[derive(Debug, thiserror::Error)]
pub enum TerminalError {
    #[error(
        "standard {0} is not a terminal; run patdeck in one (over SSH: `ssh -t`), or use a \
         subcommand such as `patdeck list`"
    )]
    NotATerminal(&'static str),
    #[error(
        "TERM is {0}, with which the app cannot run; set TERM, for example TERM=xterm-256color, or use \
         a subcommand such as `patdeck list`"
    )]
    Dumb(&'static str),
    #[error("the terminal is already in use by this process; close the other session first")]
    InUse,
    #[error("the terminal disconnected ({0}); log in again and restart patdeck")]
    Disconnected(#[from] io::Error),
}

/// Outcome of a request to suspend the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SuspendOutcome {
    /// The process was stopped and continued: the screen may be out of date.
    Resumed,
    /// The process was not stopped, because no shell could continue it.
    Refused,
}

/// Checks that standard input, standard output and `TERM` can show the app. Must be called before
/// any other set-up; the caller prints the error to standard error and exits with 2.
pub fn check() -> Result<(), TerminalError> {
    let term = std::env::var("TERM").ok();
    check_terminal(io::stdin().is_terminal(), io::stdout().is_terminal(), term.as_deref())
}

fn check_terminal(input: bool, output: bool, term: Option<&str>) -> Result<(), TerminalError> {
    match (input, output, term) {
        (false, _, _) => Err(TerminalError::NotATerminal("input")),
        (_, false, _) => Err(TerminalError::NotATerminal("output")),
        (_, _, None | Some("")) => Err(TerminalError::Dumb("not set")),
        (_, _, Some("dumb")) => Err(TerminalError::Dumb("`dumb`")),
        _ => Ok(()),
    }
}

/// Whether this process is the session leader, for example under `ssh -t host patdeck`. No shell
/// could continue a session leader after a stop.
pub fn is_session_leader() -> bool {
    getsid(None).is_ok_and(|leader| leader == getpid())
}

/// Restores the modes, screen and cursor of the terminal. Any thread may call this function at any
/// time. Only the first call after the terminal was entered has an effect. Frames drawn later are
/// discarded. Writes nothing to a terminal that hung up.
pub fn restore() {
    if !TERMINAL_ENTERED.swap(false, Ordering::SeqCst) {
        return;
    }
    // A frame on a stalled connection may hold the lock. Restoring the modes is more important than
    // a complete frame, so continue without the lock after the timeout.
    let _lock = lock_output(RESTORE_TIMEOUT);
    if wait_writable(RESTORE_TIMEOUT) {
        let _ = write_all(LEAVE);
    }
    // Errors cannot be reported: the terminal is gone or the process is about to exit.
    let _ = disable_raw_mode();
}

/// Prevents all later attempts to enter the terminal, and discards all later frames. So no thread
/// draws or resumes from Ctrl-Z while the process exits. Does not change the terminal.
pub fn close() {
    CLOSED.store(true, Ordering::SeqCst);
}

fn lock_output(timeout: Duration) -> Option<MutexGuard<'static, ()>> {
    let deadline = Instant::now() + timeout;
    loop {
        match OUTPUT_LOCK.try_lock() {
            Ok(guard) => return Some(guard),
            Err(std::sync::TryLockError::Poisoned(guard)) => return Some(guard.into_inner()),
            Err(std::sync::TryLockError::WouldBlock) if Instant::now() >= deadline => return None,
            Err(std::sync::TryLockError::WouldBlock) => thread::sleep(Duration::from_millis(2)),
        }
    }
}

/// Waits until the terminal accepts bytes. Returns `false` after the timeout, and at once if the
/// terminal hung up.
fn wait_writable(timeout: Duration) -> bool {
    let stdout = rustix::stdio::stdout();
    let mut fds = [PollFd::new(&stdout, PollFlags::OUT)];
    let timeout = Timespec::try_from(timeout).ok();
    let ready = poll(&mut fds, timeout.as_ref()).is_ok_and(|ready| ready > 0);
    let events = fds.iter().fold(PollFlags::empty(), |events, fd| events | fd.revents());
    ready && !events.intersects(PollFlags::HUP | PollFlags::ERR)
}

/// Writes to the file descriptor directly: Rust's buffer of standard output would split and delay
/// frames.
fn write_some(bytes: &[u8]) -> io::Result<usize> {
    loop {
        match rustix::io::write(rustix::stdio::stdout(), bytes) {
            Ok(count) => return Ok(count),
            Err(rustix::io::Errno::INTR) => {}
            // Another process that shares this terminal may have made it non-blocking.
            Err(rustix::io::Errno::AGAIN) => {
                wait_writable(Duration::from_secs(1));
            }
            Err(error) => return Err(error.into()),
        }
    }
}

fn write_all(mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        let count = write_some(bytes)?;
        bytes = bytes.get(count..).unwrap_or_default();
    }
    Ok(())
}

/// Writer to standard output. It discards all bytes unless the app has entered the terminal.
#[derive(Debug)]
struct TerminalStdout;

impl Write for TerminalStdout {
    /// Discards the bytes after a restore: a frame may contain a secret and must not appear in the
    /// operator's shell while a signal ends the process.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _lock = OUTPUT_LOCK.lock().unwrap_or_else(PoisonError::into_inner);
        if TERMINAL_ENTERED.load(Ordering::SeqCst) && !CLOSED.load(Ordering::SeqCst) {
            write_some(bytes)
        } else {
            Ok(bytes.len())
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn screen_size() -> io::Result<Size> {
    let size = rustix::termios::tcgetwinsize(rustix::stdio::stdout())?;
    // Serial lines and some `expect` scripts report 0x0: use the fallback size for them.
    if size.ws_col == 0 || size.ws_row == 0 {
        return Ok(FALLBACK_SIZE);
    }
    Ok(Size::new(size.ws_col, size.ws_row))
}

fn enter_terminal(mouse: bool) -> Result<(), TerminalError> {
    // Hold the lock, so that a concurrent signal cannot restore the terminal while it is half
    // entered.
    let lock = OUTPUT_LOCK.lock().unwrap_or_else(PoisonError::into_inner);
    while CLOSED.load(Ordering::SeqCst) {
        // Another thread is exiting; returning could end the process with another exit code.
        thread::park();
    }
    if TERMINAL_ENTERED.swap(true, Ordering::SeqCst) {
        return Err(TerminalError::InUse);
    }
    let entered = enable_raw_mode()
        .and_then(|()| write_all(ENTER))
        .and_then(|()| if mouse { write_all(ENABLE_MOUSE) } else { Ok(()) });
    drop(lock);
    if entered.is_err() {
        restore();
    }
    Ok(entered?)
}

/// Installs a panic hook that restores the terminal before the previous hook prints.
fn install_panic_hook(main: ThreadId) {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let previous = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            // redb panics on a damaged file. The store catches the panic and returns an error, so
            // the app continues and needs the terminal.
            if panic_is_caught(panic) {
                return;
            }
            let was_entered = TERMINAL_ENTERED.load(Ordering::SeqCst);
            restore();
            previous(panic);
            // After a panic on another thread, end the process: the terminal was restored, so the
            // event loop cannot continue. The event loop never joins the other thread and would not
            // notice the panic.
            if was_entered && thread::current().id() != main {
                std::process::exit(101);
            }
        }));
    });
}

/// Exclusive use of the terminal. The terminal is restored on drop, on a panic and on a signal.
#[derive(Debug)]
pub struct TerminalSession {
    renderer: Renderer<TerminalStdout>,
    mouse: bool,
}

impl TerminalSession {
    /// Enters the terminal. If `mouse` is set, the terminal reports mouse events and no longer
    /// selects text by itself. The caller must call [`check`] first.
    ///
    /// # Errors
    /// Returns [`TerminalError::InUse`] if a session exists already, and
    /// [`TerminalError::Disconnected`] on an I/O error.
    pub fn enter(mouse: bool) -> Result<Self, TerminalError> {
        // With NO_COLOR, crossterm replaces colours by a full reset, which also removes the
        // highlight. The theme omits colours instead.
        crossterm::style::force_color_output(true);
        install_panic_hook(thread::current().id());
        enter_terminal(mouse)?;
        match Renderer::new(TerminalStdout, screen_size) {
            Ok(renderer) => Ok(Self { renderer, mouse }),
            Err(error) => {
                restore();
                Err(error.into())
            }
        }
    }

    /// Draws one frame in at most one write; an unchanged frame writes nothing.
    ///
    /// An error means that the terminal is gone; the caller must exit.
    pub fn draw(&mut self, render: impl FnOnce(&mut Frame<'_>)) -> Result<(), TerminalError> {
        Ok(self.renderer.draw(render)?)
    }

    /// Makes the next frame a full repaint, for a screen that another program has overwritten.
    pub fn repaint(&mut self) {
        self.renderer.repaint();
    }

    /// Wipes all screen buffers of the process and makes the next frame a full repaint. Must be
    /// called after a secret has left the screen, before the next frame.
    pub fn wipe_screen(&mut self) {
        self.renderer.wipe_screen();
    }

    /// Sends bytes that are not part of a frame, such as OSC 52, in one write between frames.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.renderer.send(bytes)
    }

    /// Screen size at the last frame.
    #[cfg(any(test, feature = "testing"))]
    pub fn size(&self) -> Size {
        self.renderer.size()
    }

    /// Number of bytes and of write calls since the terminal was entered.
    #[cfg(any(test, feature = "testing"))]
    pub fn traffic(&self) -> (u64, u64) {
        (self.renderer.output().bytes_written(), self.renderer.output().write_calls())
    }

    /// Stops the process as Ctrl-Z does, and enters the terminal again when the process is
    /// continued.
    ///
    /// Returns [`SuspendOutcome::Refused`] for a session leader, which no shell could continue. The
    /// caller must hide a secret before the call and reload the data after the call.
    pub fn suspend(&mut self) -> Result<SuspendOutcome, TerminalError> {
        if is_session_leader() {
            return Ok(SuspendOutcome::Refused);
        }
        let continued = Arc::new(AtomicBool::new(false));
        let handler = signal_hook::flag::register(SIGCONT, Arc::clone(&continued))?;
        restore();
        // Stop the whole process group, as the terminal does for Ctrl-Z. If a wrapper script kept
        // running, the shell would not show its prompt.
        let stopped = kill_current_process_group(Signal::TSTP);
        // Another thread may receive the signal while this thread continues for a moment. The wait
        // has a timeout, because the kernel never stops an orphaned process group.
        let deadline = Instant::now() + STOP_TIMEOUT;
        while stopped.is_ok() && !continued.load(Ordering::SeqCst) && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(2));
        }
        signal_hook::low_level::unregister(handler);
        enter_terminal(self.mouse)?;
        self.renderer.wipe_screen();
        Ok(SuspendOutcome::Resumed)
    }

    /// Restores the terminal, so that the caller can print.
    pub fn leave(self) {
        drop(self);
    }
}

impl Drop for TerminalSession {
    fn drop(&mut self) {
        restore();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unusable_terminals_are_refused_with_a_remedy() {
        let message = |input, output, term| match check_terminal(input, output, term) {
            Ok(()) => String::from("fine"),
            Err(error) => error.to_string(),
        };
        assert_eq!(message(true, true, Some("xterm")), "fine");
        assert_eq!(
            message(false, true, Some("xterm")),
            "standard input is not a terminal; run patdeck in one (over SSH: `ssh -t`), or use a \
             subcommand such as `patdeck list`"
        );
        assert!(
            message(true, false, Some("xterm")).starts_with("standard output is not a terminal")
        );
        for term in [None, Some("")] {
            assert!(message(true, true, term).starts_with("TERM is not set, with which"));
        }
        assert_eq!(
            message(true, true, Some("dumb")),
            "TERM is `dumb`, with which the app cannot run; set TERM, for example TERM=xterm-256color, \
             or use a subcommand such as `patdeck list`"
        );
    }

    #[test]
    fn restoring_without_entering_does_nothing() {
        restore();
        restore();
    }

    #[test]
    fn writes_after_a_restore_are_discarded() {
        assert_eq!(TerminalStdout.write(b"pat_secret").unwrap(), 10);
    }
}
