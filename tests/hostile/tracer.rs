//! Runs a command under ptrace and stops it before its n-th system call, with all its threads. A
//! signal would stop it at a random moment; here every moment between two effects can be tried.

use std::{
    collections::HashSet,
    io::Write as _,
    path::Path,
    process::{Child, Command, Stdio},
};

use nix::{
    sys::{
        ptrace::{self, Options},
        signal::Signal,
        wait::{WaitPidFlag, WaitStatus, waitpid},
    },
    unistd::Pid,
};

use crate::cases::program;

/// Why no process can be traced, for example because a container forbids it.
pub(crate) type TraceError = nix::Error;

/// A traced command. It is killed on drop.
pub(crate) struct TracedProcess {
    child: Child,
    main: Pid,
    /// The threads that are inside a system call.
    inside: HashSet<Pid>,
}

impl TracedProcess {
    /// Starts patdeck with `arguments` on the store at `path`, and stops it before its first
    /// instruction.
    pub(crate) fn start(path: &Path, arguments: &[&str]) -> Result<Self, TraceError> {
        let mut command = Command::new("/bin/sh");
        // The shell waits for a line, so that it can be traced before it becomes the program.
        command.args(["-c", "read -r go; exec \"$0\" \"$@\""]).arg(program());
        command.arg("--store").arg(path).args(arguments).env_clear();
        command.env("HOME", path.parent().unwrap()).current_dir(path.parent().unwrap());
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().unwrap();
        let main = Pid::from_raw(i32::try_from(child.id()).unwrap());
        let mut traced = Self { child, main, inside: HashSet::new() };
        let options = Options::PTRACE_O_TRACESYSGOOD
            | Options::PTRACE_O_TRACEEXEC
            | Options::PTRACE_O_TRACECLONE
            | Options::PTRACE_O_EXITKILL;
        ptrace::seize(main, options)?;
        traced.child.stdin.take().unwrap().write_all(b"\n").unwrap();
        match wait_for_stop() {
            WaitStatus::PtraceEvent(..) => Ok(traced),
            status => panic!("not stopped at exec: {status:?}"),
        }
    }

    /// Lets the process go on until `count` system calls have begun, and leaves it there. Returns
    /// the number of system calls that began, which is smaller if the process has ended.
    pub(crate) fn run_until(&mut self, count: usize) -> usize {
        let mut begun = 0;
        let mut next = Some((self.main, None));
        while begun < count {
            if let Some((thread, signal)) = next.take() {
                // Fails if another thread has ended the process meanwhile.
                let _ = ptrace::syscall(thread, signal);
            }
            match wait_for_stop() {
                WaitStatus::PtraceSyscall(thread) => {
                    // Each call stops twice: before it and after it.
                    if !self.inside.remove(&thread) {
                        self.inside.insert(thread);
                        begun += 1;
                    }
                    next = Some((thread, None));
                }
                WaitStatus::PtraceEvent(thread, _, _) => next = Some((thread, None)),
                WaitStatus::Stopped(thread, signal) => {
                    // The first stop of a new thread is no signal.
                    let is_start = matches!(signal, Signal::SIGSTOP | Signal::SIGTRAP);
                    next = Some((thread, (!is_start).then_some(signal)));
                }
                WaitStatus::Exited(process, _) | WaitStatus::Signaled(process, ..)
                    if process == self.main =>
                {
                    return begun;
                }
                _ => {}
            }
        }
        begun
    }
}

/// Waits for the next stop or end of a thread that this thread traces, and of no other child.
fn wait_for_stop() -> WaitStatus {
    let flags = WaitPidFlag::__WALL | WaitPidFlag::__WNOTHREAD;
    waitpid(Pid::from_raw(-1), Some(flags)).unwrap()
}

impl Drop for TracedProcess {
    fn drop(&mut self) {
        // Fails if the process has ended and was waited for.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
