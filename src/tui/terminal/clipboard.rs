//! Sends a text to the operator's clipboard, by the route that `config::clipboard` chose.
//!
//! Owns the sentence that tells what is known about the outcome. It refuses to claim that anything was copied, since no terminal confirms it, and to leave the text
//! behind in argv, in tmux or in freed memory. Screens ask for it through the app's effects.

use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use zeroize::Zeroizing;

use super::pipe::pipe_to_command;
pub use crate::config::clipboard::{Environment, Route, choose};

/// How long a clipboard program may take; the app stands still meanwhile.
const PATIENCE: Duration = Duration::from_secs(2);

/// GNU screen cuts longer strings in the middle.
const SCREEN_LIMIT: usize = 250;

/// Common terminals drop a longer OSC 52 without a word.
const OSC52_LIMIT: usize = 74_994;

/// Why nothing was sent, each with the way out.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    #[error(
        "{program} did not take the text: {reason}; mend clipboard.command, or write it to a file"
    )]
    Command { program: String, reason: io::Error },
    #[error("the text is too long for the clipboard of {0}; write it to a file")]
    TooLong(&'static str),
    #[error("the terminal took no bytes ({0}); log in again")]
    Gone(#[from] io::Error),
}

/// Where a text went. Whether it arrived nobody knows: terminals do not answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    /// To the configured program.
    Command(String),
    /// To the terminal around tmux.
    Tmux,
    /// To the terminal around GNU screen.
    Screen,
    /// To the named program of the local desktop.
    Desktop(String),
    /// To the terminal itself.
    Terminal,
}

impl Sent {
    /// What is known, without advice: for texts that can be shown again.
    pub fn short(&self) -> String {
        match self {
            Self::Command(program) => format!("Handed to {program}"),
            Self::Tmux => "Sent to your terminal's clipboard through tmux".into(),
            Self::Screen => "Sent to your terminal's clipboard through screen".into(),
            Self::Desktop(program) => format!("Handed to {program} for the desktop's clipboard"),
            Self::Terminal => "Sent to your terminal's clipboard".into(),
        }
    }

    /// What is known, and what to do if it is not enough: for a secret.
    pub fn sentence(&self) -> String {
        format!("{}; if paste is empty write it to a file", self.short())
    }
}

/// Sends `text` by `route`; `write` must be the writer of the screen, between two frames.
///
/// Falls back to OSC 52 if tmux or the desktop's program fails, but not if the configured command
/// does. Takes up to 2 s if a program hangs.
pub fn copy(
    text: &str,
    route: &Route,
    write: &mut dyn FnMut(&[u8]) -> io::Result<()>,
) -> Result<Sent, CopyError> {
    match route {
        Route::Command(program, args) => {
            pipe_to_command(Path::new(program), args, text.as_bytes(), PATIENCE)
                .map_err(|reason| CopyError::Command { program: program.clone(), reason })?;
            Ok(Sent::Command(program.clone()))
        }
        Route::Tmux(tmux) if to_tmux(tmux, text).is_ok() => Ok(Sent::Tmux),
        Route::Screen => to_screen(text, write),
        Route::Desktop(program, args)
            if pipe_to_command(program, args, text.as_bytes(), PATIENCE).is_ok() =>
        {
            let name = program.file_name().unwrap_or(program.as_os_str());
            Ok(Sent::Desktop(name.to_string_lossy().into_owned()))
        }
        Route::Tmux(_) | Route::Desktop(..) | Route::Terminal => to_terminal(text, write),
    }
}

/// One command list, so that the buffer is gone before tmux answers: a separate deletion later
/// would be lost if the app quits in between.
fn to_tmux(tmux: &Path, text: &str) -> io::Result<()> {
    let moment = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    let buffer = format!("patdeck-{}-{moment}", std::process::id());
    let args = ["load-buffer", "-w", "-b", &buffer, "-", ";", "delete-buffer", "-b", &buffer];
    pipe_to_command(tmux, &args.map(String::from), text.as_bytes(), PATIENCE)
}

fn to_screen(
    text: &str,
    write: &mut dyn FnMut(&[u8]) -> io::Result<()>,
) -> Result<Sent, CopyError> {
    // Ended by BEL: the usual `ESC \` would end screen's own string around it.
    let bytes = sequence(text, "\x1bP\x1b]52;c;", "\x07\x1b\\");
    if bytes.len() >= SCREEN_LIMIT {
        return Err(CopyError::TooLong("screen"));
    }
    write(&bytes)?;
    Ok(Sent::Screen)
}

fn to_terminal(
    text: &str,
    write: &mut dyn FnMut(&[u8]) -> io::Result<()>,
) -> Result<Sent, CopyError> {
    let bytes = sequence(text, "\x1b]52;c;", "\x1b\\");
    if bytes.len() >= OSC52_LIMIT {
        return Err(CopyError::TooLong("the terminal"));
    }
    write(&bytes)?;
    Ok(Sent::Terminal)
}

/// The text in base64 between two strings, in one buffer of the right size that is wiped after
/// use; crossterm's own command leaves two copies in freed memory.
fn sequence(text: &str, before: &str, after: &str) -> Zeroizing<Vec<u8>> {
    let middle = text.len().div_ceil(3) * 4;
    let mut bytes = Zeroizing::new(Vec::with_capacity(before.len() + middle + after.len()));
    bytes.extend_from_slice(before.as_bytes());
    bytes.resize(before.len() + middle, 0);
    if let Some(place) = bytes.get_mut(before.len()..) {
        // Fails only if the place is too small, and it has the size that base64 takes.
        let _ = BASE64_STANDARD.encode_slice(text, place);
    }
    bytes.extend_from_slice(after.as_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(text: &str, route: &Route) -> (Result<Sent, String>, String) {
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
            let (outcome, out) = sent(text, &Route::Terminal);
            assert_eq!(outcome, Ok(Sent::Terminal));
            assert_eq!(out, format!("\x1b]52;c;{encoded}\x1b\\"));
        }
    }

    #[test]
    fn screen_gets_a_wrapped_sequence_or_a_refusal() {
        let (outcome, out) = sent("abc", &Route::Screen);
        assert_eq!(outcome, Ok(Sent::Screen));
        assert_eq!(out, "\x1bP\x1b]52;c;YWJj\x07\x1b\\");
        let (outcome, out) = sent(&"x".repeat(200), &Route::Screen);
        assert_eq!(
            outcome.unwrap_err(),
            "the text is too long for the clipboard of screen; write it to a file"
        );
        assert_eq!(out, "");
    }

    #[test]
    fn a_tmux_that_fails_leaves_it_to_the_terminal() {
        let (outcome, out) = sent("abc", &Route::Tmux("/bin/false".into()));
        assert_eq!(outcome, Ok(Sent::Terminal));
        assert_eq!(out, "\x1b]52;c;YWJj\x1b\\");
    }

    #[test]
    fn a_configured_command_gets_the_text_on_its_input_and_its_failure_is_told() {
        let shell =
            |script: &str| Route::Command("/bin/sh".into(), vec!["-c".into(), script.into()]);
        let (outcome, out) = sent("abc", &shell("test \"$(cat)\" = abc"));
        assert_eq!((outcome, out.as_str()), (Ok(Sent::Command("/bin/sh".into())), ""));
        let (outcome, out) = sent("abc", &shell("exit 7"));
        assert_eq!(
            outcome.unwrap_err(),
            "/bin/sh did not take the text: exit status: 7; mend clipboard.command, or write \
             it to a file"
        );
        assert_eq!(out, "");
    }

    #[test]
    fn no_sentence_claims_more_than_is_known() {
        for sent in [
            Sent::Command("clip".into()),
            Sent::Tmux,
            Sent::Screen,
            Sent::Desktop("xclip".into()),
            Sent::Terminal,
        ] {
            let sentence = sent.sentence();
            assert!(!sentence.contains("opied"), "{sentence}");
            assert!(sentence.ends_with("; if paste is empty write it to a file"));
        }
    }
}
