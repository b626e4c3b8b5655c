//! Keeps the memory of this process to itself: no core file, no debugger of the same user.
//!
//! Owns nothing and never fails. `main` calls it first, before any secret can exist.

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

#[cfg(test)]
mod tests {
    use rustix::process::{Resource, getrlimit};

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
