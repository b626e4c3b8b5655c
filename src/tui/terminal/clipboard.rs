//! Sends text to the operator's clipboard by the route that `config::clipboard` selects.
//!
//! Owns the messages about the outcome. No message claims that the text was copied, because no
//! terminal confirms a copy. The text never stays in arguments, tmux buffers or freed memory. The
//! event loop calls [`copy`].

use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use zeroize::Zeroizing;

use super::pipe_to_program::pipe_to_command;
pub use crate::config::clipboard_route::{ClipboardEnvironment, ClipboardRoute, choose_route};

/// Maximum run time of a clipboard program; the app is blocked meanwhile.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(2);

/// Limit for a sequence through GNU screen, in bytes. GNU screen truncates longer strings.
const SCREEN_LIMIT: usize = 250;

/// Limit for an OSC 52 sequence, in bytes. Common terminals silently ignore a longer sequence.
const OSC52_LIMIT: usize = 74_994;

/// Reason for which the text was not sent.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    #[error("{program} failed: {reason}; correct clipboard.command, or write the text to a file")]
    Command { program: String, reason: io::Error },
    #[error("the text is too long for the clipboard of {0}; write it to a file")]
    TooLong(&'static str),
    #[error("the terminal disconnected ({0}); log in again")]
    Disconnected(#[from] io::Error),
}

/// Destination of a text. Whether the text arrives is unknown, because terminals do not confirm OSC
/// 52.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClipboardTarget {
    /// The configured program.
    Command(String),
    /// The terminal in which tmux runs.
    Tmux,
    /// The terminal in which GNU screen runs.
    Screen,
    /// The desktop clipboard, through the external program with this path, for example `wl-copy`.
    Desktop(String),
    /// The terminal in which the app runs.
    Terminal,
}

impl ClipboardTarget {
    /// Message for a text that can be copied again.
    pub fn summary(&self) -> String {
        match self {
            Self::Command(program) => format!("Sent to {program}"),
            Self::Tmux => "Sent to your terminal's clipboard through tmux".into(),
            Self::Screen => "Sent to your terminal's clipboard through screen".into(),
            Self::Desktop(program) => format!("Sent to the desktop clipboard with {program}"),
            Self::Terminal => "Sent to your terminal's clipboard".into(),
        }
    }

    /// Message for a secret, which cannot be shown again. Includes what to do if the secret does
    /// not arrive.
    pub fn summary_with_fallback(&self) -> String {
        format!("{}; if it does not paste, write the secret to a file", self.summary())
    }
}

/// Sends `text` by `route`. `write` must write to the terminal between two frames.
///
/// Falls back to OSC 52 if tmux or the desktop program fails. A failure of the configured command
/// is an error. Takes up to 2 s if a program hangs.
pub fn copy(
    text: &str,
    route: &ClipboardRoute,
    write: &mut dyn FnMut(&[u8]) -> io::Result<()>,
) -> Result<ClipboardTarget, CopyError> {
    match route {
        ClipboardRoute::Command(program, args) => {
            pipe_to_command(Path::new(program), args, text.as_bytes(), COMMAND_TIMEOUT)
                .map_err(|reason| CopyError::Command { program: program.clone(), reason })?;
            Ok(ClipboardTarget::Command(program.clone()))
        }
        ClipboardRoute::Tmux(tmux) if copy_to_tmux(tmux, text).is_ok() => Ok(ClipboardTarget::Tmux),
        ClipboardRoute::Screen => copy_to_screen(text, write),
        ClipboardRoute::Desktop(program, args)
            if pipe_to_command(program, args, text.as_bytes(), COMMAND_TIMEOUT).is_ok() =>
        {
            let name = program.file_name().unwrap_or(program.as_os_str());
            Ok(ClipboardTarget::Desktop(name.to_string_lossy().into_owned()))
        }
        ClipboardRoute::Tmux(_) | ClipboardRoute::Desktop(..) | ClipboardRoute::Terminal => {
            copy_to_terminal(text, write)
        }
    }
}

/// Loads a tmux buffer and deletes it in one list of tmux commands. A separate deletion would be
/// skipped if the app exits in between.
fn copy_to_tmux(tmux: &Path, text: &str) -> io::Result<()> {
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    let buffer = format!("patdeck-{}-{nanos}", std::process::id());
    let args = ["load-buffer", "-w", "-b", &buffer, "-", ";", "delete-buffer", "-b", &buffer];
    pipe_to_command(tmux, &args.map(String::from), text.as_bytes(), COMMAND_TIMEOUT)
}

fn copy_to_screen(
    text: &str,
    write: &mut dyn FnMut(&[u8]) -> io::Result<()>,
) -> Result<ClipboardTarget, CopyError> {
    // End the OSC 52 sequence with BEL: the usual `ESC \` would end the surrounding DCS string.
    let bytes = encode_osc52(text, "\x1bP\x1b]52;c;", "\x07\x1b\\");
    if bytes.len() >= SCREEN_LIMIT {
        return Err(CopyError::TooLong("screen"));
    }
    write(&bytes)?;
    Ok(ClipboardTarget::Screen)
}

fn copy_to_terminal(
    text: &str,
    write: &mut dyn FnMut(&[u8]) -> io::Result<()>,
) -> Result<ClipboardTarget, CopyError> {
    let bytes = encode_osc52(text, "\x1b]52;c;", "\x1b\\");
    if bytes.len() >= OSC52_LIMIT {
        return Err(CopyError::TooLong("the terminal"));
    }
    write(&bytes)?;
    Ok(ClipboardTarget::Terminal)
}

/// Encodes `text` in base64 between `before` and `after`. The buffer has its final size from the
/// start and is wiped on drop; crossterm's own command leaves two copies in freed memory.
fn encode_osc52(text: &str, before: &str, after: &str) -> Zeroizing<Vec<u8>> {
    let encoded_len = text.len().div_ceil(3) * 4;
    let mut bytes = Zeroizing::new(Vec::with_capacity(before.len() + encoded_len + after.len()));
    bytes.extend_from_slice(before.as_bytes());
    bytes.resize(before.len() + encoded_len, 0);
    if let Some(encoded) = bytes.get_mut(before.len()..) {
        // Cannot fail: the slice has exactly the encoded length.
        let _ = BASE64_STANDARD.encode_slice(text, encoded);
    }
    bytes.extend_from_slice(after.as_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn send(text: &str, route: &ClipboardRoute) -> (Result<ClipboardTarget, String>, String) {
        let mut out = Vec::new();
        let mut write = |bytes: &[u8]| {
            out.extend_from_slice(bytes);
            Ok(())
        };
        let outcome = copy(text, route, &mut write).map_err(|error| error.to_string());
        (outcome, String::from_utf8(out).unwrap())
    }

    #[test]
    fn a_terminal_gets_osc_52_with_the_clipboard_selector() {
        for (text, encoded) in [("pat_secret", "cGF0X3NlY3JldA=="), ("abc", "YWJj"), ("", "")] {
            let (outcome, out) = send(text, &ClipboardRoute::Terminal);
            assert_eq!(outcome, Ok(ClipboardTarget::Terminal));
            assert_eq!(out, format!("\x1b]52;c;{encoded}\x1b\\"));
        }
    }

    #[test]
    fn screen_gets_a_wrapped_sequence_or_an_error() {
        let (outcome, out) = send("abc", &ClipboardRoute::Screen);
        assert_eq!(outcome, Ok(ClipboardTarget::Screen));
        assert_eq!(out, "\x1bP\x1b]52;c;YWJj\x07\x1b\\");
        let (outcome, out) = send(&"x".repeat(200), &ClipboardRoute::Screen);
        assert_eq!(
            outcome.unwrap_err(),
            "the text is too long for the clipboard of screen; write it to a file"
        );
        assert_eq!(out, "");
    }

    #[test]
    fn a_tmux_failure_falls_back_to_the_terminal() {
        let (outcome, out) = send("abc", &ClipboardRoute::Tmux("/bin/false".into()));
        assert_eq!(outcome, Ok(ClipboardTarget::Terminal));
        assert_eq!(out, "\x1b]52;c;YWJj\x1b\\");
    }

    #[test]
    fn a_command_reads_the_text_and_its_failure_is_reported() {
        let shell = |script: &str| {
            ClipboardRoute::Command("/bin/sh".into(), vec!["-c".into(), script.into()])
        };
        let (outcome, out) = send("abc", &shell("test \"$(cat)\" = abc"));
        assert_eq!((outcome, out.as_str()), (Ok(ClipboardTarget::Command("/bin/sh".into())), ""));
        let (outcome, out) = send("abc", &shell("exit 7"));
        assert_eq!(
            outcome.unwrap_err(),
            "/bin/sh failed: exit status: 7; correct clipboard.command, or write the text to a file"
        );
        assert_eq!(out, "");
    }

    #[test]
    fn no_message_claims_that_the_text_was_copied() {
        for target in [
            ClipboardTarget::Command("clip".into()),
            ClipboardTarget::Tmux,
            ClipboardTarget::Screen,
            ClipboardTarget::Desktop("xclip".into()),
            ClipboardTarget::Terminal,
        ] {
            let message = target.summary_with_fallback();
            assert!(!message.contains("opied"), "{message}");
            assert!(message.ends_with("; if it does not paste, write the secret to a file"));
        }
    }
}
