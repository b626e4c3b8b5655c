//! Keeps what this process knows to itself: no core file, no debugger of the same user, and no
//! secret in what a panic says.
//!
//! Owns nothing and never fails. `run` calls it first, before any secret can exist.

use std::{fmt, panic::PanicHookInfo};

use color_eyre::{config::HookBuilder, section::PanicMessage};
use rustix::process::{Resource, Rlimit, setrlimit};

/// Turns core dumps off and, on Linux, makes `/proc/<pid>/mem` and `ptrace` refuse other
/// processes of the same user.
///
/// Both are a second line of defence behind wiping, so a kernel or a container that refuses them
/// must not keep an operator from revoking a token: the refusal is ignored on purpose.
pub fn harden() {
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    #[cfg(target_os = "linux")]
    {
        // A core pattern that pipes to a program ignores the limit above, but not this.
        let _ =
            rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
    }
}

/// Makes panics readable, without the environment in them and without secrets.
pub fn install_panic_hook() {
    let hooks = HookBuilder::default()
        .display_env_section(false)
        .panic_message(RedactedPanic)
        .panic_section(
            "This is a fault of patdeck. The store is not harmed: changes are whole or absent.",
        );
    // Without the hook a panic is still told, only less readably.
    drop(hooks.install());
}

/// The message of a panic may quote the text that it is about, and that may be a secret.
struct RedactedPanic;

impl PanicMessage for RedactedPanic {
    fn display(&self, panic: &PanicHookInfo<'_>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let payload = panic.payload();
        let owned = payload.downcast_ref::<String>().map(String::as_str);
        let message = owned.or_else(|| payload.downcast_ref::<&str>().copied());
        writeln!(f, "patdeck panicked: {}", quiet(message.unwrap_or("no message")))?;
        let place = panic.location().map(ToString::to_string);
        write!(f, "Location: {}", place.as_deref().unwrap_or("unknown"))
    }
}

/// Letters and digits in a row that are told. Names in the code have fewer; the random part of a
/// secret has more, whole, in half, in hexadecimal digits and in base64.
const MOST_IN_A_ROW: usize = 16;

/// `message` with a mark in the place of all that is long enough to be a piece of a secret.
fn quiet(message: &str) -> String {
    let mut out = String::with_capacity(message.len());
    for part in message.split_inclusive(|c: char| !c.is_ascii_alphanumeric()) {
        let end = part.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(part.len());
        let (word, rest) = part.split_at(end);
        out.push_str(if word.len() > MOST_IN_A_ROW { "(left out)" } else { word });
        out.push_str(rest);
    }
    out
}

#[cfg(test)]
mod tests {
    use rustix::process::{Resource, getrlimit};

    #[test]
    fn a_panic_is_told_without_what_may_be_a_secret() {
        let secret = "pat_4fKq9Zt0WbXe_0123456789abcdefghijABCDEFGHIJxy4gfFC3";
        assert_eq!(
            super::quiet(&format!("byte index 99 is out of bounds of `{secret}`")),
            "byte index 99 is out of bounds of `pat_4fKq9Zt0WbXe_(left out)`"
        );
        assert_eq!(super::quiet("é, then 0123456789abcdefg"), "é, then (left out)");
        let plain = "index out of bounds: the len is 3 but the index is 7";
        assert_eq!(super::quiet(plain), plain);
    }

    #[test]
    fn hardening_turns_core_dumps_off() {
        super::harden();
        assert_eq!(getrlimit(Resource::Core).current, Some(0));
        #[cfg(target_os = "linux")]
        assert_eq!(
            rustix::process::dumpable_behavior().unwrap(),
            rustix::process::DumpableBehavior::NotDumpable
        );
    }
}
