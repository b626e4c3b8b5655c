//! Runs the program of a hook: without a shell, with an empty environment, no input, no output and no
//! inherited descriptors. Kills a program that runs longer than its timeout, with its process group.
//! Called by `hooks`.

use std::{
    fs,
    os::unix::process::{CommandExt as _, ExitStatusExt as _},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use rustix::process::{Pid, Signal, kill_process_group};

use super::child_process::wait_for_exit;
use crate::domain::HookOutcome;

/// The search path of the program. That of the operator could name programs of other users.
const SEARCH_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Makes the kernel close every descriptor in programs that are started from now on, except standard
/// input, output and error. The process may have inherited open descriptors, for example of a file
/// with secrets. Those that it opens itself are closed anyway. Ignores errors: without `/dev/fd`, the
/// descriptors cannot be listed.
pub(super) fn close_descriptors_on_exec() {
    let Ok(entries) = fs::read_dir("/dev/fd") else { return };
    let numbers = entries.flatten().filter_map(|it| it.file_name().to_str()?.parse().ok());
    for number in numbers.filter(|number: &i32| *number > 2) {
        let _ = fcntl(number, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC));
    }
}

/// Runs a program, the first of `arguments`, until it exits or `timeout` has passed.
pub(super) fn run_program(arguments: &[String], timeout: Duration) -> HookOutcome {
    let Some((program, arguments)) = arguments.split_first() else {
        return HookOutcome::NotRun("the command is empty".to_owned());
    };
    let deadline = Instant::now() + timeout;
    let spawned = Command::new(program)
        .args(arguments)
        .env_clear()
        .env("PATH", SEARCH_PATH)
        .env("LANG", "C")
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn();
    let mut child = match spawned {
        Ok(child) => child,
        Err(error) => return HookOutcome::NotRun(format!("{program}: {error}")),
    };
    match wait_for_exit(&mut child, deadline) {
        Ok(Some(status)) => outcome_of(status),
        Ok(None) => {
            kill(&mut child);
            HookOutcome::TimedOut(timeout)
        }
        Err(error) => {
            kill(&mut child);
            HookOutcome::NotRun(format!("{program}: {error}"))
        }
    }
}

/// Kills the program and all processes of its group.
fn kill(child: &mut Child) {
    // The number of the group is free for another one only after `wait`.
    let _ = kill_process_group(Pid::from_child(child), Signal::KILL);
    // Both fail only for a program that has already exited.
    let _ = child.kill();
    let _ = child.wait();
}

fn outcome_of(status: ExitStatus) -> HookOutcome {
    match (status.code(), status.signal()) {
        (Some(0), _) => HookOutcome::Succeeded,
        (Some(code), _) => HookOutcome::Exited(code),
        (None, Some(signal)) => HookOutcome::Killed(signal),
        (None, None) => HookOutcome::NotRun(status.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    fn shell(script: &str, timeout_ms: u64) -> HookOutcome {
        let arguments = ["/bin/sh", "-c", script].map(str::to_owned);
        run_program(&arguments, Duration::from_millis(timeout_ms))
    }

    #[test]
    fn an_exit_status_and_a_signal_are_outcomes() {
        assert_eq!(shell("exit 0", 5_000), HookOutcome::Succeeded);
        assert_eq!(shell("exit 7", 5_000), HookOutcome::Exited(7));
        assert_eq!(shell("kill -TERM $$", 5_000), HookOutcome::Killed(15));
        let missing = run_program(&["/no/such".to_owned()], Duration::from_secs(5));
        assert!(matches!(missing, HookOutcome::NotRun(why) if why.starts_with("/no/such: ")));
    }

    #[test]
    fn a_program_has_no_surroundings() {
        // The shell sets PWD and OLDPWD itself; `_` is set by some shells.
        let script = "test \"$(env | grep -v '^PWD=\\|^OLDPWD=\\|^_=' | sort | tr '\\n' ' ')\" = \
                      \"LANG=C PATH=$PATH \" && test \"$(pwd)\" = / && ! read line && \
                      test \"$(readlink /proc/self/fd/1)\" != x && echo flood";
        assert_eq!(shell(script, 5_000), HookOutcome::Succeeded);
        assert_eq!(shell("yes | head -c 1000000", 5_000), HookOutcome::Succeeded);
    }

    #[test]
    fn a_timeout_kills_the_program_and_what_it_has_started() {
        let folder = tempfile::tempdir().unwrap();
        let (started, pid) = (Instant::now(), folder.path().join("pid"));
        let script = format!("sleep 100 & echo $! > {}; wait", pid.display());
        assert_eq!(shell(&script, 300), HookOutcome::TimedOut(Duration::from_millis(300)));
        assert!(started.elapsed() < Duration::from_secs(20));
        let pid = fs::read_to_string(pid).unwrap();
        let state = || fs::read_to_string(format!("/proc/{}/stat", pid.trim()));
        // The killed process may wait for its new parent to collect its status.
        let is_gone = || state().map_or(true, |stat| stat.contains(") Z") || stat.contains(") X"));
        while !is_gone() {
            assert!(started.elapsed() < Duration::from_secs(20), "{:?}", state());
            thread::yield_now();
        }
    }
}
