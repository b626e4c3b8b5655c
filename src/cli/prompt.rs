//! Prompts on the terminal: a name or a count to type before a destructive change, and a secret
//! that is typed without echo. Without a terminal a confirmation is an error. The terminal mode is
//! restored on every exit, Ctrl-C included.

use std::{
    io::{self, BufRead as _, IsTerminal as _, Read, Write as _},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use super::{
    exit::{CliError, Exit},
    print::{print_message, printable},
    token_selection,
};
use crate::{
    domain::{
        Command, Confirmation, Plan, ScopesToRemove, SecretOverlap, Status, TokensToDelete,
        list_first, secret::trim_presented,
    },
    output::{
        json::format_time,
        question::{immediate_effects, question},
    },
};

/// Maximum number of names that a confirmation lists.
const MAX_LISTED_NAMES: usize = 10;

/// Maximum number of bytes read for a secret. A secret has fewer than 100 bytes.
const MAX_SECRET_BYTES: usize = 4_096;

/// Asks the operator to confirm `plan` by typing the name or id of the token, or the number of tokens.
/// `yes` skips the question. Returns an error (exit 2) if `yes` is not set and there is no
/// terminal. Returns an error (exit 1) if the answer is wrong.
pub(super) fn confirm(plan: &Plan, yes: bool) -> Result<(), CliError> {
    confirm_after(plan, Vec::new(), yes)
}

/// Like [`confirm`], but prints the lines of `preview`, if there are any, in place of the names.
pub(super) fn confirm_after(plan: &Plan, preview: Vec<String>, yes: bool) -> Result<(), CliError> {
    let prompt = match plan.confirmation() {
        Confirmation::None => return Ok(()),
        Confirmation::Ask(_) | Confirmation::TypeName(_) => "its name or id".to_owned(),
        Confirmation::TypeCount(count) => count.to_string(),
        Confirmation::TypeWord(word) => word.to_owned(),
    };
    if yes {
        return Ok(());
    }
    let mut lines = preview;
    if lines.is_empty() && stops_access(&plan.command) {
        lines = token_selection::preview(plan);
    } else if lines.is_empty() && plan.command.tokens().len() > 1 {
        let names = plan.tokens().map(|token| token.name.as_str());
        lines.push(list_first(names, MAX_LISTED_NAMES, plan.changes.len()));
    }
    lines.extend(immediate_effects(plan, format_time));
    let hint = match &plan.command {
        Command::Regenerate { overlap: SecretOverlap::None, .. }
            if plan.tokens_before().all(|token| token.status(plan.at) == Status::Active) =>
        {
            "pass --yes, or --overlap 15m to keep the old secret working for a while"
        }
        _ => "pass --yes",
    };
    let hinted = |error: CliError| if is_interactive() { error } else { error.with_hint(hint) };
    ask(&lines, &question(plan), &prompt, |answer| plan.is_confirmed_by(answer)).map_err(hinted)
}

/// Whether bearers of the current secrets lose access, so that the operator must see who uses them.
fn stops_access(command: &Command) -> bool {
    matches!(
        command,
        Command::Revoke { .. }
            | Command::RevokeLeaked { .. }
            | Command::Delete { tokens: TokensToDelete::Listed(_) }
            | Command::RemoveScopes { scopes: ScopesToRemove::All, .. }
    )
}

/// The act that a question asks about: `revoke ci-prod` of `Revoke ci-prod?`.
pub(super) fn act(question: &str) -> String {
    let act = question.trim_end_matches('?').chars();
    act.clone().take(1).flat_map(char::to_lowercase).chain(act.skip(1)).collect()
}

/// Prints `lines` and `question`, and requires the operator to type an answer that `is_confirmed`
/// accepts. `prompt` describes the answer. Without a terminal, prints only `lines` and returns an error (exit 2). Returns an
/// error (exit 1) if the answer is wrong.
pub(super) fn ask(
    lines: &[String],
    question: &str,
    prompt: &str,
    is_confirmed: impl Fn(&str) -> bool,
) -> Result<(), CliError> {
    if !is_interactive() {
        for line in lines {
            print_message(line);
        }
        return Err(CliError::usage(format!(
            "refusing to {} without confirmation: there is no terminal to ask on",
            act(question)
        ))
        .with_hint("pass --yes"));
    }
    let mut err = io::stderr().lock();
    for line in lines {
        writeln!(err, "{}", printable(line))?;
    }
    write!(err, "{} Type {prompt} to confirm: ", printable(question))?;
    err.flush()?;
    let mut typed = String::new();
    io::stdin().lock().read_line(&mut typed)?;
    if is_confirmed(&typed) {
        return Ok(());
    }
    Err(CliError::new(Exit::No, "cancelled: the answer does not match, nothing was changed"))
}

/// Whether the operator can be asked: standard input and standard error are terminals.
pub(super) fn is_interactive() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Reads the first line of standard input as a secret. If standard input is a terminal, turns its
/// echo off.
pub(super) fn read_secret() -> Result<Zeroizing<String>, CliError> {
    if !io::stdin().is_terminal() {
        return read_line(io::stdin().lock());
    }
    // Turn the echo off before the prompt: a paste that arrives before the prompt must not be
    // echoed.
    let hidden = EchoGuard::start()?;
    let mut err = io::stderr().lock();
    write!(err, "Secret (not shown): ")?;
    err.flush()?;
    let read = read_line(io::stdin().lock());
    drop(hidden);
    writeln!(err)?;
    read
}

/// Reads the first line of `input` into a buffer that is wiped and never reallocated.
pub(super) fn read_line(input: impl Read) -> Result<Zeroizing<String>, CliError> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_SECRET_BYTES));
    let mut byte = Zeroizing::new([0_u8]);
    let mut input = input;
    while bytes.len() < MAX_SECRET_BYTES {
        match input.read(byte.as_mut_slice()) {
            Ok(0) => break,
            Ok(_) if *byte == [b'\n'] => break,
            Ok(_) => bytes.extend_from_slice(byte.as_slice()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                return Err(CliError::usage(format!("cannot read the secret ({error})")));
            }
        }
    }
    Ok(presented_text(&bytes))
}

/// Returns the text of a presented secret. Bytes that are not UTF-8 become U+FFFD, which the check
/// refuses.
pub(super) fn presented_text(bytes: &[u8]) -> Zeroizing<String> {
    if let Ok(text) = str::from_utf8(bytes) {
        return Zeroizing::new(trim_presented(text).to_owned());
    }
    let mut text = Zeroizing::new(String::with_capacity(3 * bytes.len()));
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        if !chunk.invalid().is_empty() {
            text.push(char::REPLACEMENT_CHARACTER);
        }
    }
    Zeroizing::new(trim_presented(&text).to_owned())
}

/// Turns the echo of the terminal off until this value is dropped.
struct EchoGuard {
    before: Termios,
    ended: Arc<AtomicBool>,
}

impl EchoGuard {
    fn start() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let ended = Arc::new(AtomicBool::new(false));
        let (at_signal, over) = (before.clone(), Arc::clone(&ended));
        let mut signals = signal_hook::iterator::Signals::new([
            signal_hook::consts::SIGINT,
            signal_hook::consts::SIGQUIT,
            signal_hook::consts::SIGTERM,
            signal_hook::consts::SIGHUP,
        ])?;
        std::thread::spawn(move || {
            if let Some(signal) = signals.forever().next() {
                if !over.load(Ordering::SeqCst) {
                    let _ = tcsetattr(io::stdin(), OptionalActions::Now, &at_signal);
                }
                std::process::exit(128 + signal);
            }
        });
        let mut without_echo = before.clone();
        without_echo.local_modes.remove(LocalModes::ECHO);
        tcsetattr(io::stdin(), OptionalActions::Flush, &without_echo)?;
        Ok(Self { before, ended })
    }
}

impl Drop for EchoGuard {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_is_the_secret() {
        let read = |bytes: &[u8]| read_line(bytes).unwrap().to_string();
        assert_eq!(read(b"abc\ndef"), "abc");
        assert_eq!(read(b"abc\r\n"), "abc");
        assert_eq!(read(b""), "");
        assert_eq!(read(b" \xef\xbb\xbf abc \n"), "abc");
        assert_eq!(read(b"a\xff\xfe"), "a\u{fffd}\u{fffd}");
        assert_eq!(read(&vec![b'x'; 1 << 20]).len(), MAX_SECRET_BYTES);
    }
}
