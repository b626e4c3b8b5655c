//! Sends a text to the operator's clipboard, by the one route that works where they are.
//!
//! Owns the choice of the route and the sentence that tells what is known about the outcome. It
//! refuses to claim that anything was copied, since no terminal confirms it, and to leave the text
//! behind in argv, in tmux or in freed memory. Screens ask for it through the app's effects.

use std::env;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use zeroize::Zeroizing;

use super::handoff::hand_over;

/// How long a clipboard program may take; the app stands still meanwhile.
const PATIENCE: Duration = Duration::from_secs(2);

/// GNU screen cuts longer strings in the middle.
const SCREEN_LIMIT: usize = 250;

/// Common terminals drop a longer OSC 52 without a word.
const OSC52_LIMIT: usize = 74_994;

/// What is known about the place where the process runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Environment {
    /// `clipboard.command` from the config: a program and its arguments.
    pub command: Option<Vec<String>>,
    /// Inside GNU screen.
    pub in_screen: bool,
    /// Reached over SSH: a desktop here would not be the operator's.
    pub over_ssh: bool,
    /// The `tmux` program, if the process runs inside tmux.
    pub tmux: Option<PathBuf>,
    /// The `wl-copy` program, if a Wayland desktop is at hand.
    pub wl_copy: Option<PathBuf>,
    /// The `xclip` program, if an X11 desktop is at hand.
    pub xclip: Option<PathBuf>,
}

impl Environment {
    /// The environment of this process, with the configured command, if there is one.
    pub fn from_process(command: Option<Vec<String>>) -> Self {
        let set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
        let program_if = |name: &str, program: &str| set(name).then(|| on_path(program)).flatten();
        Self {
            command,
            in_screen: set("STY"),
            over_ssh: set("SSH_CONNECTION") || set("SSH_TTY") || set("SSH_CLIENT"),
            tmux: program_if("TMUX", "tmux"),
            wl_copy: program_if("WAYLAND_DISPLAY", "wl-copy"),
            xclip: program_if("DISPLAY", "xclip"),
        }
    }
}

/// The program on the path. Relative entries are passed over: whoever owns the current directory
/// must not be handed a secret.
fn on_path(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}

/// A way to the operator's clipboard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// The configured program and its arguments.
    Command(String, Vec<String>),
    /// `tmux load-buffer -w`, which works whatever tmux's clipboard options are.
    Tmux(PathBuf),
    /// OSC 52, wrapped for GNU screen.
    Screen,
    /// A program of the local desktop.
    Desktop(PathBuf, Vec<String>),
    /// OSC 52.
    Terminal,
}

/// The best route from here. Decides by the environment alone: nothing is run or asked.
pub fn choose(environment: &Environment) -> Route {
    if let Some((program, args)) = environment
        .command
        .as_deref()
        .and_then(<[String]>::split_first)
    {
        return Route::Command(program.clone(), args.to_vec());
    }
    if let Some(tmux) = &environment.tmux {
        return Route::Tmux(tmux.clone());
    }
    if environment.in_screen {
        return Route::Screen;
    }
    if !environment.over_ssh {
        if let Some(wl_copy) = &environment.wl_copy {
            return Route::Desktop(wl_copy.clone(), Vec::new());
        }
        if let Some(xclip) = &environment.xclip {
            return Route::Desktop(xclip.clone(), vec!["-selection".into(), "clipboard".into()]);
        }
    }
    Route::Terminal
}

/// Why nothing was sent, each with the way out.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    #[error(
        "{program} did not take the text: {reason}; mend clipboard.command, or press w to save it to a file"
    )]
    Command { program: String, reason: io::Error },
    #[error("the text is too long for the clipboard of {0}; press w to save it to a file")]
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
        format!(
            "{}; if paste is empty press w to save it to a file",
            self.short()
        )
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
            hand_over(Path::new(program), args, text.as_bytes(), PATIENCE).map_err(|reason| {
                CopyError::Command {
                    program: program.clone(),
                    reason,
                }
            })?;
            Ok(Sent::Command(program.clone()))
        }
        Route::Tmux(tmux) if to_tmux(tmux, text).is_ok() => Ok(Sent::Tmux),
        Route::Screen => to_screen(text, write),
        Route::Desktop(program, args)
            if hand_over(program, args, text.as_bytes(), PATIENCE).is_ok() =>
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
    let moment = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_nanos();
    let buffer = format!("patdeck-{}-{moment}", std::process::id());
    let args = [
        "load-buffer",
        "-w",
        "-b",
        &buffer,
        "-",
        ";",
        "delete-buffer",
        "-b",
        &buffer,
    ];
    hand_over(tmux, &args.map(String::from), text.as_bytes(), PATIENCE)
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

    /// Everything at hand at once; each case takes something away.
    fn everything() -> Environment {
        Environment {
            command: Some(vec!["clip".into(), "-i".into()]),
            in_screen: true,
            over_ssh: false,
            tmux: Some("/bin/tmux".into()),
            wl_copy: Some("/bin/wl-copy".into()),
            xclip: Some("/bin/xclip".into()),
        }
    }

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
    fn routes_are_taken_in_the_order_of_what_works_best() {
        let mut place = everything();
        assert_eq!(
            choose(&place),
            Route::Command("clip".into(), vec!["-i".into()])
        );
        place.command = Some(Vec::new());
        assert_eq!(choose(&place), Route::Tmux("/bin/tmux".into()));
        place.tmux = None;
        assert_eq!(choose(&place), Route::Screen);
        place.in_screen = false;
        assert_eq!(
            choose(&place),
            Route::Desktop("/bin/wl-copy".into(), Vec::new())
        );
        place.wl_copy = None;
        let args = vec!["-selection".into(), "clipboard".into()];
        assert_eq!(choose(&place), Route::Desktop("/bin/xclip".into(), args));
        place.over_ssh = true;
        assert_eq!(choose(&place), Route::Terminal);
        assert_eq!(choose(&Environment::default()), Route::Terminal);
    }

    #[test]
    fn a_terminal_gets_osc_52_with_the_clipboard_selector() {
        for (text, encoded) in [
            ("pat_secret", "cGF0X3NlY3JldA=="),
            ("abc", "YWJj"),
            ("", ""),
        ] {
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
            "the text is too long for the clipboard of screen; press w to save it to a file"
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
        assert_eq!(
            (outcome, out.as_str()),
            (Ok(Sent::Command("/bin/sh".into())), "")
        );
        let (outcome, out) = sent("abc", &shell("exit 7"));
        assert_eq!(
            outcome.unwrap_err(),
            "/bin/sh did not take the text: exit status: 7; mend clipboard.command, or press w \
             to save it to a file"
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
            assert!(sentence.ends_with("; if paste is empty press w to save it to a file"));
        }
    }
}
