//! Questions on the terminal: a name to type before something is destroyed, and a secret that
//! is typed unseen. Refuses to ask where nobody can answer. Restores the terminal whatever
//! happens, Ctrl-C included.

use std::{
    io::{self, BufRead as _, IsTerminal as _, Read, Write as _},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use zeroize::{Zeroize as _, Zeroizing};

use super::exit::CliError;
use crate::{
    domain::{Confirmation, Plan, terminal_text::escape},
    output::question::{consequences, question},
};

/// Most names that a question lists.
const NAMES: usize = 10;

/// Longest secret that is read: well above the longest that exists.
const SECRET_LIMIT: usize = 4_096;

/// Asks the operator to confirm `plan`: by typing the name of one token, or the number of
/// several. `yes` confirms it without asking; off a terminal nothing else does.
pub(super) fn confirm(plan: &Plan, yes: bool) -> Result<(), CliError> {
    let (what, expected) = match plan.confirmation() {
        Confirmation::None => return Ok(()),
        Confirmation::Ask(name) | Confirmation::TypeName(name) => {
            ("its name".to_owned(), name.to_string())
        }
        Confirmation::TypeCount(count) => (count.to_string(), count.to_string()),
    };
    if yes {
        return Ok(());
    }
    let question = question(plan);
    if !can_ask() {
        let act = question.trim_end_matches('?');
        let act = act.chars().take(1).flat_map(char::to_lowercase).chain(act.chars().skip(1));
        return Err(CliError::usage(format!(
            "refusing to {} without confirmation: not a terminal; pass --yes",
            act.collect::<String>()
        )));
    }
    let mut err = io::stderr().lock();
    if plan.command.tokens().len() > 1 {
        let names: Vec<_> = plan.tokens().take(NAMES).map(|token| token.name.as_str()).collect();
        let more = if plan.changes.len() > NAMES { ", …" } else { "" };
        writeln!(err, "{}{more}", escape(&names.join(", ")))?;
    }
    for consequence in consequences(plan) {
        writeln!(err, "{consequence}")?;
    }
    write!(err, "{question} Type {what} to confirm: ")?;
    err.flush()?;
    let mut typed = String::new();
    io::stdin().lock().read_line(&mut typed)?;
    if typed.trim_end_matches(['\r', '\n']) == expected {
        return Ok(());
    }
    Err(CliError::no("cancelled: what was typed is not the same, nothing was changed"))
}

/// Whether somebody is there to answer.
pub(super) fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Reads a secret from standard input: typed unseen on a terminal, else the first line.
pub(super) fn secret() -> Result<Zeroizing<String>, CliError> {
    if !io::stdin().is_terminal() {
        return line(io::stdin().lock());
    }
    // Before the question: whoever answers at once, by a paste, must not see it either.
    let hidden = EchoGuard::start()?;
    let mut err = io::stderr().lock();
    write!(err, "Secret (not shown): ")?;
    err.flush()?;
    let read = line(io::stdin().lock());
    drop(hidden);
    writeln!(err)?;
    read
}

/// Reads the first line of `input`, in memory that is wiped and never grows.
pub(super) fn line(input: impl Read) -> Result<Zeroizing<String>, CliError> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(SECRET_LIMIT));
    let mut byte = Zeroizing::new([0_u8]);
    let mut input = input;
    while bytes.len() < SECRET_LIMIT {
        match input.read(byte.as_mut_slice()) {
            Ok(0) => break,
            Ok(_) if *byte == [b'\n'] => break,
            Ok(_) => bytes.extend_from_slice(byte.as_slice()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                return Err(CliError::usage(format!(
                    "the secret could not be read ({error}): try again, or name another file"
                )));
            }
        }
    }
    // Not UTF-8 is no secret of ours; the check says so without showing it.
    let text = String::from_utf8(std::mem::take(&mut bytes)).unwrap_or_else(|error| {
        error.into_bytes().zeroize();
        String::new()
    });
    let mut text = Zeroizing::new(text);
    let end = text.trim_end().len();
    text.truncate(end);
    Ok(text)
}

/// While it lives, what is typed is not shown.
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
        let mut unseen = before.clone();
        unseen.local_modes.remove(LocalModes::ECHO);
        tcsetattr(io::stdin(), OptionalActions::Flush, &unseen)?;
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
        let read = |bytes: &[u8]| line(bytes).unwrap().to_string();
        assert_eq!(read(b"abc\ndef"), "abc");
        assert_eq!(read(b"abc\r\n"), "abc");
        assert_eq!(read(b""), "");
        assert_eq!(read(b"\xff\xfe"), "");
        assert_eq!(read(&vec![b'x'; 1 << 20]).len(), SECRET_LIMIT);
    }
}
