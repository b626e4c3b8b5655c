//! The one guard that enters the terminal and leaves it as it was found.
//!
//! Owns raw mode, the alternate screen, bracketed paste, the mouse and the cursor, and whatever must be put
//! back when the app quits, panics, is stopped or is told to end. It refuses to start where it
//! cannot be seen, to ask the terminal questions, and to write once the terminal was given back.
//! `tui::run` holds the [`Session`]; the panic hook and `hangup` call [`restore`].

mod ansi;
pub mod clipboard;
pub mod diff_backend;
pub mod escape_reassembler;
pub mod hangup;
pub mod input;
pub mod output_buffer;
pub mod paste;
mod pipe;

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

use self::diff_backend::{Renderer, USUAL_SIZE};
use crate::service::panic_is_caught;

/// Alternate screen, bracketed paste, no cursor.
const ENTER: &[u8] = b"\x1b[?1049h\x1b[?2004h\x1b[?25l";

/// Clicks and the wheel, not every movement, in the form that knows columns beyond 223.
const LISTEN: &[u8] = b"\x1b[?1000h\x1b[?1006h";

/// Undoes [`ENTER`] and [`LISTEN`] from any state. The screen is emptied first, because a terminal without an
/// alternate screen would keep its last frame, and with it a secret, in front of the next user.
const LEAVE: &[u8] =
    b"\x1b[?2026l\x1b[0m\x1b[H\x1b[J\x1b[?1006l\x1b[?1000l\x1b[?2004l\x1b[?1049l\x1b[?25h";

/// How long leaving may wait for a terminal that takes no bytes.
const PATIENCE: Duration = Duration::from_millis(200);

/// How long a stop may take to reach this process after its group was told to stop.
const STOP_ARRIVES: Duration = Duration::from_millis(100);

/// Whether the terminal is ours. Whoever turns it off puts the terminal back, once.
static OURS: AtomicBool = AtomicBool::new(false);

/// Set once the process is about to end: nobody takes the terminal or writes to it any more.
static CLOSED: AtomicBool = AtomicBool::new(false);

/// Held while bytes go out, so that the leave sequence never lands inside a frame.
static PEN: Mutex<()> = Mutex::new(());

/// Why the app cannot be shown, each with the way out.
#[derive(Debug, thiserror::Error)]
pub enum TerminalError {
    #[error(
        "standard {0} is not a terminal; run patdeck in one (over SSH: `ssh -t`), or use a \
         subcommand such as `patdeck list`"
    )]
    NotATerminal(&'static str),
    #[error(
        "TERM is {0}, which cannot show the app; set it, for example TERM=xterm-256color, or use \
         a subcommand such as `patdeck list`"
    )]
    Dumb(&'static str),
    #[error("the terminal is already in use by this process; close the other session first")]
    InUse,
    #[error("the terminal went away ({0}); log in again and start patdeck anew")]
    Gone(#[from] io::Error),
}

/// What became of a request to suspend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suspended {
    /// The process was stopped and has been continued: what is on screen may be out of date.
    Resumed,
    /// Nothing happened: there is no shell that could continue us.
    Refused,
}

/// Says whether the app can be shown here. To be asked before anything else is set up; the
/// caller prints the error on standard error and exits with 2.
pub fn check() -> Result<(), TerminalError> {
    let term = std::env::var("TERM").ok();
    judge(io::stdin().is_terminal(), io::stdout().is_terminal(), term.as_deref())
}

fn judge(input: bool, output: bool, term: Option<&str>) -> Result<(), TerminalError> {
    match (input, output, term) {
        (false, _, _) => Err(TerminalError::NotATerminal("input")),
        (_, false, _) => Err(TerminalError::NotATerminal("output")),
        (_, _, None | Some("")) => Err(TerminalError::Dumb("not set")),
        (_, _, Some("dumb")) => Err(TerminalError::Dumb("`dumb`")),
        _ => Ok(()),
    }
}

/// Whether this process leads its session, as under `ssh -t host patdeck`: then no shell exists
/// that could continue it once stopped.
pub fn is_session_leader() -> bool {
    getsid(None).is_ok_and(|leader| leader == getpid())
}

/// Gives the terminal back: modes, screen, cursor. Callable from any thread, any number of times;
/// only the first call after an entry does anything. Frames drawn later are swallowed.
pub fn restore() {
    if !OURS.swap(false, Ordering::SeqCst) {
        return;
    }
    // A frame stuck on a stalled link may hold the pen; the modes matter more than good order.
    let _pen = take_pen(PATIENCE);
    if writable(PATIENCE) {
        let _ = write_all(LEAVE);
    }
    // Errors have nobody left to tell: either the terminal is gone, or we are about to be.
    let _ = disable_raw_mode();
}

/// Lets nobody take the terminal or write to it from here on; for a process that is ending and
/// must not be overtaken by a frame, or by a resume from Ctrl-Z. Does not touch the terminal.
pub fn close() {
    CLOSED.store(true, Ordering::SeqCst);
}

fn take_pen(patience: Duration) -> Option<MutexGuard<'static, ()>> {
    let deadline = Instant::now() + patience;
    loop {
        match PEN.try_lock() {
            Ok(writer) => return Some(writer),
            Err(std::sync::TryLockError::Poisoned(writer)) => return Some(writer.into_inner()),
            Err(std::sync::TryLockError::WouldBlock) if Instant::now() >= deadline => return None,
            Err(std::sync::TryLockError::WouldBlock) => thread::sleep(Duration::from_millis(2)),
        }
    }
}

fn writable(patience: Duration) -> bool {
    let stdout = rustix::stdio::stdout();
    let mut fds = [PollFd::new(&stdout, PollFlags::OUT)];
    let patience = Timespec::try_from(patience).ok();
    poll(&mut fds, patience.as_ref()).is_ok_and(|ready| ready > 0)
}

/// Writes past Rust's own buffer of standard output, which would split and delay frames.
fn write_some(bytes: &[u8]) -> io::Result<usize> {
    loop {
        match rustix::io::write(rustix::stdio::stdout(), bytes) {
            Ok(taken) => return Ok(taken),
            Err(rustix::io::Errno::INTR) => {}
            // Whoever shares this terminal may have made it non-blocking.
            Err(rustix::io::Errno::AGAIN) => {
                writable(Duration::from_secs(1));
            }
            Err(error) => return Err(error.into()),
        }
    }
}

fn write_all(mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        let taken = write_some(bytes)?;
        bytes = bytes.get(taken..).unwrap_or_default();
    }
    Ok(())
}

/// Standard output while the terminal is ours.
#[derive(Debug)]
struct Tty;

impl Write for Tty {
    /// Swallows the bytes once the terminal was given back: a frame, which may show a secret,
    /// must not land on the operator's shell while a signal ends the process.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _pen = PEN.lock().unwrap_or_else(PoisonError::into_inner);
        if OURS.load(Ordering::SeqCst) && !CLOSED.load(Ordering::SeqCst) {
            write_some(bytes)
        } else {
            Ok(bytes.len())
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn measure() -> io::Result<Size> {
    let size = rustix::termios::tcgetwinsize(rustix::stdio::stdout())?;
    // Serial lines and some `expect` scripts have a terminal that reports 0x0.
    if size.ws_col == 0 || size.ws_row == 0 {
        return Ok(USUAL_SIZE);
    }
    Ok(Size::new(size.ws_col, size.ws_row))
}

fn take(mouse: bool) -> Result<(), TerminalError> {
    // Under the pen, so that a signal in this moment undoes all of it and not the first half.
    let writer = PEN.lock().unwrap_or_else(PoisonError::into_inner);
    while CLOSED.load(Ordering::SeqCst) {
        // Another thread ends the process, with an exit code that must not be overtaken.
        thread::park();
    }
    if OURS.swap(true, Ordering::SeqCst) {
        return Err(TerminalError::InUse);
    }
    let entered = enable_raw_mode()
        .and_then(|()| write_all(ENTER))
        .and_then(|()| if mouse { write_all(LISTEN) } else { Ok(()) });
    drop(writer);
    if entered.is_err() {
        restore();
    }
    Ok(entered?)
}

/// Makes panics readable: the terminal is given back before the previous hook prints.
fn restore_on_panic(main: ThreadId) {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let previous = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            // A damaged store makes redb panic; the store reports that as an error of its own.
            if panic_is_caught() {
                return;
            }
            let shown = OURS.load(Ordering::SeqCst);
            restore();
            previous(panic);
            // The loop cannot go on without a terminal, and would never learn of a panic in a
            // thread that it does not wait for.
            if shown && thread::current().id() != main {
                std::process::exit(101);
            }
        }));
    });
}

/// The terminal, taken over; given back on drop, panic and signal.
#[derive(Debug)]
pub struct Session {
    renderer: Renderer<Tty>,
    mouse: bool,
}

impl Session {
    /// Takes the terminal over, its mouse too if that is wanted: the terminal then no longer
    /// selects text by itself. Call [`check`] first; one session at a time.
    pub fn enter(mouse: bool) -> Result<Self, TerminalError> {
        // With NO_COLOR, crossterm replaces colours by a full reset, which erases the highlight
        // beside them; our own theme leaves colours out instead.
        crossterm::style::force_color_output(true);
        restore_on_panic(thread::current().id());
        take(mouse)?;
        match Renderer::new(Tty, measure) {
            Ok(renderer) => Ok(Self { renderer, mouse }),
            Err(error) => {
                restore();
                Err(error.into())
            }
        }
    }

    /// Draws one frame in at most one write; an unchanged frame writes nothing.
    ///
    /// An error means that the terminal is gone, and the only thing left to do is to exit.
    pub fn draw(&mut self, render: impl FnOnce(&mut Frame<'_>)) -> Result<(), TerminalError> {
        Ok(self.renderer.draw(render)?)
    }

    /// Makes the next frame a full repaint, for a screen that others have written over.
    pub fn repaint(&mut self) {
        self.renderer.repaint();
    }

    /// Wipes what the process remembers of the screen and makes the next frame a full repaint.
    /// To be called when a secret has left the screen, before the next frame is drawn.
    pub fn forget(&mut self) {
        self.renderer.forget();
    }

    /// Sends bytes of our own, such as OSC 52, in one write between frames.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.renderer.send(bytes)
    }

    /// The size of the screen at the last frame.
    #[cfg(any(test, feature = "testing"))]
    pub fn size(&self) -> Size {
        self.renderer.size()
    }

    /// Bytes and write calls since the start.
    #[cfg(any(test, feature = "testing"))]
    pub fn traffic(&self) -> (u64, u64) {
        (self.renderer.output().bytes(), self.renderer.output().writes())
    }

    /// Stops the process as Ctrl-Z does, and takes the terminal over again once continued.
    ///
    /// Refused when nobody could continue us. Hide a secret before, and read the data again after.
    pub fn suspend(&mut self) -> Result<Suspended, TerminalError> {
        if is_session_leader() {
            return Ok(Suspended::Refused);
        }
        let continued = Arc::new(AtomicBool::new(false));
        let watch = signal_hook::flag::register(SIGCONT, Arc::clone(&continued))?;
        restore();
        // The whole group, as the terminal itself would do it: a wrapper script that kept running
        // would keep the shell from showing its prompt.
        let stopped = kill_current_process_group(Signal::TSTP);
        // Another thread may take the stop while this one runs on for a moment; and a group
        // without a parent that cares is never stopped at all.
        let deadline = Instant::now() + STOP_ARRIVES;
        while stopped.is_ok() && !continued.load(Ordering::SeqCst) && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(2));
        }
        signal_hook::low_level::unregister(watch);
        take(self.mouse)?;
        self.renderer.forget();
        Ok(Suspended::Resumed)
    }

    /// Gives the terminal back, so that the caller may print.
    pub fn leave(self) {
        drop(self);
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        restore();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_where_the_app_cannot_be_seen_is_refused_with_the_way_out() {
        let said = |input, output, term| match judge(input, output, term) {
            Ok(()) => String::from("fine"),
            Err(error) => error.to_string(),
        };
        assert_eq!(said(true, true, Some("xterm")), "fine");
        assert_eq!(
            said(false, true, Some("xterm")),
            "standard input is not a terminal; run patdeck in one (over SSH: `ssh -t`), or use a \
             subcommand such as `patdeck list`"
        );
        assert!(said(true, false, Some("xterm")).starts_with("standard output is not a terminal"));
        for term in [None, Some("")] {
            assert!(said(true, true, term).starts_with("TERM is not set, which"));
        }
        assert_eq!(
            said(true, true, Some("dumb")),
            "TERM is `dumb`, which cannot show the app; set it, for example TERM=xterm-256color, \
             or use a subcommand such as `patdeck list`"
        );
    }

    #[test]
    fn giving_back_what_was_never_taken_does_nothing() {
        restore();
        restore();
    }

    #[test]
    fn a_frame_after_the_terminal_was_given_back_is_swallowed() {
        assert_eq!(Tty.write(b"pat_secret").unwrap(), 10);
    }
}
