//! Process hardening: no closed standard descriptors, no termination by SIGXFSZ, no core dumps, no
//! debuggers of the same user, and no secrets in panic messages. Never fails. `run` calls it first,
//! before any secret is in memory.

use std::{
    fmt,
    io::{self, IsTerminal as _},
    os::fd::BorrowedFd,
    panic::PanicHookInfo,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use color_eyre::{
    config::{HookBuilder, Theme},
    section::PanicMessage,
};
use rustix::{
    fs::{OFlags, fcntl_getfl},
    process::{Resource, Rlimit, setrlimit},
};

use crate::service::{panic_ends_process, panic_is_caught};

/// Whether standard input, output and error were closed when the process started. An output that is not
/// open for writing counts as closed: the runtime of Rust ignores the error of a write to it.
static CLOSED_AT_START: [AtomicBool; 3] = [const { AtomicBool::new(false) }; 3];

/// Records which standard descriptors are closed. Runs before `main`, because the runtime of Rust
/// opens `/dev/null` in their place before `main` begins.
#[ctor::ctor(unsafe)]
fn record_closed_descriptors() {
    let is_closed = [
        rustix::io::fcntl_getfd(rustix::stdio::stdin()).is_err(),
        !is_writable(rustix::stdio::stdout()),
        !is_writable(rustix::stdio::stderr()),
    ];
    for (closed, is_closed) in CLOSED_AT_START.iter().zip(is_closed) {
        closed.store(is_closed, Ordering::Relaxed);
    }
}

fn is_writable(output: BorrowedFd<'_>) -> bool {
    let mode = fcntl_getfl(output).map(|flags| flags & OFlags::ACCMODE);
    mode.is_ok_and(|mode| mode == OFlags::WRONLY || mode == OFlags::RDWR)
}

/// Returns the name of a standard descriptor that was closed when the process started. The caller
/// must refuse to run: a secret would be written to `/dev/null`, or an empty input would be read
/// instead of the given one.
pub fn closed_descriptor() -> Option<&'static str> {
    let names = ["standard input", "standard output", "standard error"];
    let mut all = names.into_iter().zip(&CLOSED_AT_START);
    all.find(|(_, closed)| closed.load(Ordering::Relaxed)).map(|(name, _)| name)
}

/// Handles SIGXFSZ, whose default action ends the process without a message. A write beyond the
/// file size limit (`ulimit -f`) then fails with `EFBIG`.
pub fn survive_file_size_limit() -> io::Result<()> {
    let signal = signal_hook::consts::SIGXFSZ;
    signal_hook::flag::register(signal, Arc::new(AtomicBool::new(false))).map(drop)
}

/// Disables core dumps and, on Linux, access by other processes of the same user through
/// `/proc/<pid>/mem` and `ptrace`.
///
/// Errors are ignored on purpose. Both measures are only a second line of defence behind the wiping
/// of secrets. An operator must be able to revoke tokens in a container that forbids these calls.
pub fn harden() {
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    #[cfg(target_os = "linux")]
    {
        // A core pattern that pipes to a program ignores the limit above, but not this flag.
        let _ =
            rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
    }
}

/// Installs a panic hook that prints a readable report without environment and secrets. It prints
/// nothing for a panic that the store catches and reports as damage. If the store cannot catch it,
/// because a destructor panicked too, the hook calls `end_with_damage`.
pub fn install_panic_hook(end_with_damage: fn() -> !) {
    // A report that goes to a file must not contain escape sequences.
    let theme = if io::stderr().is_terminal() { Theme::dark() } else { Theme::new() };
    let hooks = HookBuilder::default()
        .theme(theme)
        .display_env_section(false)
        .panic_message(PanicRedactor)
        .panic_section(
            "This is a bug in patdeck: report it. Check the store with `patdeck doctor`.",
        );
    // If the installation fails, the default hook still reports a panic.
    drop(hooks.install());
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if panic_ends_process(panic) {
            end_with_damage();
        }
        if !panic_is_caught(panic) {
            report(panic);
        }
    }));
}

/// Prints panic messages redacted, because a message can quote a secret.
struct PanicRedactor;

impl PanicMessage for PanicRedactor {
    fn display(&self, panic: &PanicHookInfo<'_>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let payload = panic.payload();
        let owned = payload.downcast_ref::<String>().map(String::as_str);
        let message = owned.or_else(|| payload.downcast_ref::<&str>().copied());
        writeln!(f, "patdeck panicked: {}", redact(message.unwrap_or("no message")))?;
        let location = panic.location().map(ToString::to_string);
        write!(f, "Location: {}", location.as_deref().unwrap_or("unknown"))
    }
}

/// Maximum length of a run of letters and digits that is printed. Identifiers in messages are
/// shorter. The random part of a secret is longer, also in hexadecimal or in base64. Even half of
/// the random part is longer.
const MAX_ALPHANUMERIC_RUN: usize = 16;

/// Replaces every run of letters and digits that could be part of a secret by `(redacted)`.
fn redact(message: &str) -> String {
    let mut out = String::with_capacity(message.len());
    for part in message.split_inclusive(|c: char| !c.is_ascii_alphanumeric()) {
        let end = part.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(part.len());
        let (word, rest) = part.split_at(end);
        out.push_str(if word.len() > MAX_ALPHANUMERIC_RUN { "(redacted)" } else { word });
        out.push_str(rest);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::redact;
    use rustix::process::{Resource, getrlimit};

    #[test]
    fn possible_secrets_in_panic_messages_are_redacted() {
        let secret = "pat_4fKq9Zt0WbXe_0123456789abcdefghijABCDEFGHIJxy4gfFC3";
        assert_eq!(
            redact(&format!("byte index 99 is out of bounds of `{secret}`")),
            "byte index 99 is out of bounds of `pat_4fKq9Zt0WbXe_(redacted)`"
        );
        assert_eq!(redact("é, then 0123456789abcdefg"), "é, then (redacted)");
        let plain = "index out of bounds: the len is 3 but the index is 7";
        assert_eq!(redact(plain), plain);
    }

    #[test]
    fn hardening_disables_core_dumps() {
        super::harden();
        assert_eq!(getrlimit(Resource::Core).current, Some(0));
        #[cfg(target_os = "linux")]
        assert_eq!(
            rustix::process::dumpable_behavior().unwrap(),
            rustix::process::DumpableBehavior::NotDumpable
        );
    }
}
