//! Reads the operator's input from the terminal and delivers it to the app.
//!
//! Owns the input thread. It reports left clicks and the wheel; it drops other mouse events and
//! focus events. Split escape sequences are reassembled (see `escape_reassembler`). `tui::run`
//! calls [`spawn`] once; the app interprets the inputs.

use std::env;
use std::fmt;
use std::io;
use std::thread;
use std::time::{Duration, Instant};

use crossterm::event::{self, KeyEvent};
use ratatui::layout::Position;

use super::escape_reassembler::EscapeReassembler;

/// Time for which a bare Esc is held back on a local terminal.
const LOCAL_WAIT: Duration = Duration::from_millis(25);
/// Time for which a bare Esc is held back over SSH.
const REMOTE_WAIT: Duration = Duration::from_millis(100);

/// One input from the terminal.
#[derive(Clone, PartialEq, Eq)]
pub enum TerminalInput {
    /// A key press or repeat, never a release.
    Key(KeyEvent),
    /// Pasted text, unfiltered. `sanitize_paste::clean_paste` makes the text safe for a field.
    Paste(String),
    /// Mouse input. It occurs only if mouse reporting is enabled.
    Mouse(MouseInput),
    /// The new width and height of the screen.
    Resize(u16, u16),
    /// The input has ended; nothing follows.
    Closed,
}

/// A click or a turn of the wheel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MouseInput {
    /// The left button was pressed at this position.
    Click(Position),
    /// The wheel was turned by one notch.
    Wheel {
        at: Position,
        /// Whether the wheel was turned towards the operator.
        down: bool,
    },
}

impl fmt::Debug for TerminalInput {
    // A paste may be a secret, so only its size is printed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) => f.debug_tuple("Key").field(key).finish(),
            Self::Paste(text) => write!(f, "Paste({} bytes)", text.len()),
            Self::Mouse(mouse) => f.debug_tuple("Mouse").field(mouse).finish(),
            Self::Resize(width, height) => write!(f, "Resize({width}, {height})"),
            Self::Closed => f.write_str("Gone"),
        }
    }
}

/// Time for which a bare Esc is held back: longer over SSH, where sequences arrive split more
/// often.
pub fn escape_wait_from_env() -> Duration {
    let remote = ["SSH_CONNECTION", "SSH_TTY"].iter().any(|name| env::var_os(name).is_some());
    if remote { REMOTE_WAIT } else { LOCAL_WAIT }
}

/// Starts the input thread. It reads until `deliver` returns `false` or the input ends.
///
/// Must be called once, after raw mode is on: before that, input arrives only as complete lines.
pub fn spawn(
    deliver: impl Fn(TerminalInput) -> bool + Send + 'static,
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
        deliver(TerminalInput::Closed);
    })?;
    Ok(())
}

fn next(reassembler: &mut EscapeReassembler) -> io::Result<Vec<TerminalInput>> {
    if let Some(deadline) = reassembler.deadline() {
        let left = deadline.saturating_duration_since(Instant::now());
        // With a zero timeout, crossterm would not read and would miss input that has arrived
        // meanwhile.
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
    fn debug_output_hides_a_paste() {
        assert_eq!(format!("{:?}", TerminalInput::Paste("pat_secret".into())), "Paste(10 bytes)");
    }
}
