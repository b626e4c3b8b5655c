//! Runs a command under ptrace and stops it before its n-th system call, with all its threads, or lets
//! that call fail. A signal would stop it at a random moment; here every moment between two effects can
//! be tried.

use std::{
    collections::HashSet,
    io::Write as _,
    path::Path,
    process::{Child, Command, Stdio},
};

#[cfg(target_arch = "x86_64")]
use nix::libc::{EIO, SYS_fdatasync, SYS_fsync, SYS_ftruncate, SYS_pwrite64, SYS_rename};
use nix::{
    sys::{
        ptrace::{self, Options},
        signal::Signal,
        wait::{WaitPidFlag, WaitStatus, waitpid},
    },
    unistd::Pid,
};

use crate::{cases::program, subject::memory_folder};

/// Why no process can be traced, for example because a container forbids it.
pub(crate) type TraceError = nix::Error;

/// A traced command. It is killed on drop.
pub(crate) struct TracedProcess {
    child: Child,
    main: Pid,
    /// The threads that are inside a system call.
    inside: HashSet<Pid>,
    /// The thread whose system call began last.
    newest: Pid,
    exit_code: Option<i32>,
}

impl TracedProcess {
    /// Starts patdeck with `arguments` on the store at `path`, and stops it before its first
    /// instruction. It writes its messages to `messages`.
    pub(crate) fn start(
        path: &Path,
        arguments: &[&str],
        messages: Stdio,
    ) -> Result<Self, TraceError> {
        let mut command = Command::new("/bin/sh");
        // The shell waits for a line, so that it can be traced before it becomes the program.
        command.args(["-c", "read -r go; exec \"$0\" \"$@\""]).arg(program());
        command.arg("--store").arg(path).args(arguments).env_clear();
        command.env("HOME", path.parent().unwrap()).current_dir(path.parent().unwrap());
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(messages);
        let child = command.spawn().unwrap();
        let main = Pid::from_raw(i32::try_from(child.id()).unwrap());
        // The first stop is inside `execve`.
        let mut traced =
            Self { child, main, inside: HashSet::from([main]), newest: main, exit_code: None };
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
        let mut next = Some((self.newest, None));
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
                        self.newest = thread;
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
                WaitStatus::Exited(process, code) if process == self.main => {
                    self.exit_code = Some(code);
                    return begun;
                }
                WaitStatus::Signaled(process, ..) if process == self.main => return begun,
                _ => {}
            }
        }
        begun
    }

    /// Lets the process go on until its n-th call that changes a file or writes it to the disk has
    /// begun. Returns `false` if the process has ended before.
    #[cfg(target_arch = "x86_64")]
    pub(crate) fn run_until_write(&mut self, n: usize) -> bool {
        const WRITES: [i64; 5] =
            [SYS_pwrite64, SYS_fdatasync, SYS_fsync, SYS_ftruncate, SYS_rename];
        let mut begun = 0;
        while begun < n {
            if self.run_until(1) == 0 {
                return false;
            }
            let number = ptrace::getregs(self.newest).unwrap().orig_rax;
            let is_write = WRITES.iter().any(|write| u64::try_from(*write) == Ok(number));
            begun += usize::from(is_write);
        }
        true
    }

    /// The exit code of the process; `None` before its end, and if a signal has ended it.
    #[cfg(target_arch = "x86_64")]
    pub(crate) fn exit_code(&self) -> Option<i32> {
        self.exit_code
    }

    /// Lets the call before which the process stands fail with an I/O error, without an effect, and
    /// then runs the process to its end. Returns its exit code.
    #[cfg(target_arch = "x86_64")]
    pub(crate) fn fail_call(mut self) -> Option<i32> {
        let mut registers = ptrace::getregs(self.newest).unwrap();
        registers.orig_rax = u64::MAX;
        ptrace::setregs(self.newest, registers).unwrap();
        let failing = self.newest;
        ptrace::syscall(failing, None).unwrap();
        while wait_for_stop() != WaitStatus::PtraceSyscall(failing) {}
        self.inside.remove(&failing);
        registers = ptrace::getregs(failing).unwrap();
        registers.rax = (-i64::from(EIO)).cast_unsigned();
        ptrace::setregs(failing, registers).unwrap();
        self.run_until(usize::MAX);
        self.exit_code
    }
}

/// Whether a process can be traced here. Prints that the test is skipped if not.
#[cfg(target_arch = "x86_64")]
pub(crate) fn can_trace() -> bool {
    let folder = memory_folder();
    match TracedProcess::start(&folder.path().join("store.redb"), &["list"], Stdio::null()) {
        Ok(_) => true,
        Err(error) => {
            println!("skipped: no process can be traced here: {error}");
            false
        }
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
