//! What the operator does, as the app sees it.
//!
//! Owns the thread that reads the terminal. Of the mouse it takes clicks of the left button and the
//! wheel; the rest, and focus events, it refuses. It delivers each key whole (see `escape_reassembler`). `tui::run` calls [`spawn`] once; what an
//! input means is the app's matter.

use std::env;
use std::fmt;
use std::io;
use std::thread;
use std::time::{Duration, Instant};

use crossterm::event::{self, KeyEvent};
use ratatui::layout::Position;

use super::escape_reassembler::EscapeReassembler;

const LOCAL_WAIT: Duration = Duration::from_millis(25);
const REMOTE_WAIT: Duration = Duration::from_millis(100);

/// One thing that came from the terminal.
#[derive(Clone, PartialEq, Eq)]
pub enum Input {
    /// A key press or repeat, never a release.
    Key(KeyEvent),
    /// Pasted text as it came; `paste::clean_paste` makes it fit for a field.
    Paste(String),
    /// Something done with the mouse; nothing unless it was asked for.
    Mouse(Mouse),
    /// The new width and height of the screen.
    Resize(u16, u16),
    /// The terminal gives no more input: nothing follows.
    Gone,
}

/// What the app takes of the mouse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mouse {
    /// The left button went down there.
    Click(Position),
    /// The wheel was turned by a notch.
    Wheel {
        /// Where the pointer is.
        at: Position,
        /// Whether towards the operator.
        down: bool,
    },
}

impl fmt::Debug for Input {
    // A paste may be a secret, so only its size is told.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) => f.debug_tuple("Key").field(key).finish(),
            Self::Paste(text) => write!(f, "Paste({} bytes)", text.len()),
            Self::Mouse(mouse) => f.debug_tuple("Mouse").field(mouse).finish(),
            Self::Resize(width, height) => write!(f, "Resize({width}, {height})"),
            Self::Gone => f.write_str("Gone"),
        }
    }
}

/// How long to hold a bare Esc back: an arrow key takes longer to arrive whole over SSH.
pub fn escape_wait_from_env() -> Duration {
    let remote = ["SSH_CONNECTION", "SSH_TTY"].iter().any(|name| env::var_os(name).is_some());
    if remote { REMOTE_WAIT } else { LOCAL_WAIT }
}

/// Reads the terminal on a thread of its own until `deliver` returns false, or input ends.
///
/// To be called once, after the terminal was entered: bytes read before raw mode are whole lines.
pub fn spawn(
    deliver: impl Fn(Input) -> bool + Send + 'static,
    escape_wait: Duration,
) -> io::Result<()> {
    thread::Builder::new().name("input".into()).spawn(move || {
        let mut reassembler = EscapeReassembler::new(escape_wait);
        while let Ok(inputs) = next(&mut reassembler) {
            for input in inputs {
                if !deliver(input) {
                    return;
                }
            }
        }
        deliver(Input::Gone);
    })?;
    Ok(())
}

fn next(reassembler: &mut EscapeReassembler) -> io::Result<Vec<Input>> {
    if let Some(deadline) = reassembler.deadline() {
        let left = deadline.saturating_duration_since(Instant::now());
        // With no time at all crossterm would not look, and miss what has come in meanwhile.
        if !event::poll(left.max(Duration::from_millis(1)))? {
            return Ok(reassembler.expire(Instant::now()));
        }
    }
    Ok(reassembler.push(event::read()?, Instant::now()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_text_of_a_paste_does_not_show_it() {
        assert_eq!(format!("{:?}", Input::Paste("pat_secret".into())), "Paste(10 bytes)");
    }
}
