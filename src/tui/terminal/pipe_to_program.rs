//! Writes a text to the standard input of another program, with a timeout.
//!
//! Owns the child process, and kills a program that does not finish. The text is never passed in
//! arguments, which every user of the host can read, nor in the environment, which every process of
//! the same user can read. `clipboard` calls this module.

use std::io;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_setfl};
use rustix::io::Errno;

use crate::service::wait_for_exit;

/// Runs `program`, writes `text` to its standard input and waits until it exits with success.
///
/// The output of the program is discarded, because it would corrupt the screen.
///
/// # Errors
/// Returns an error if the program cannot be started or fails. After `timeout` the program is
/// killed and the error is `TimedOut`.
pub(super) fn pipe_to_command(
    program: &Path,
    args: &[String],
    text: &[u8],
    timeout: Duration,
) -> io::Result<()> {
    let deadline = Instant::now() + timeout;
    let mut child = Command::new(program)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let written = child.stdin.take().map_or(Ok(()), |input| write_input(&input, text, deadline));
    let outcome = match written {
        Ok(()) => require_success(&mut child, deadline),
        // The program exited without reading: its exit status explains more than the broken pipe.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
            require_success(&mut child, deadline).and(Err(error))
        }
        Err(error) => Err(error),
    };
    if outcome.is_err() {
        // `kill` and `wait` fail only for a child that has already exited.
        let _ = child.kill();
        let _ = child.wait();
    }
    outcome
}

fn write_input(input: &ChildStdin, mut text: &[u8], deadline: Instant) -> io::Result<()> {
    // Make this end of the pipe non-blocking, so that a program that never reads cannot block the
    // app when the pipe is full. The program's end stays blocking.
    fcntl_setfl(input, OFlags::NONBLOCK)?;
    while !text.is_empty() {
        match rustix::io::write(input, text) {
            Ok(count) => text = text.get(count..).unwrap_or_default(),
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => {
                let left = Timespec::try_from(time_left(deadline)?).ok();
                match poll(&mut [PollFd::new(input, PollFlags::OUT)], left.as_ref()) {
                    Ok(_) | Err(Errno::INTR) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn require_success(child: &mut Child, deadline: Instant) -> io::Result<()> {
    match wait_for_exit(child, deadline)? {
        Some(status) if status.success() => Ok(()),
        Some(status) => Err(io::Error::other(status.to_string())),
        None => Err(timed_out()),
    }
}

fn time_left(deadline: Instant) -> io::Result<Duration> {
    deadline
        .checked_duration_since(Instant::now())
        .filter(|left| !left.is_zero())
        .ok_or_else(timed_out)
}

fn timed_out() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "timed out")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, text: &[u8], timeout_ms: u64) -> Result<(), io::ErrorKind> {
        let args = ["-c".into(), script.into()];
        pipe_to_command(Path::new("/bin/sh"), &args, text, Duration::from_millis(timeout_ms))
            .map_err(|error| error.kind())
    }

    #[test]
    fn the_program_reads_the_whole_text_and_end_of_file() {
        let large = vec![b'x'; 300_000];
        assert_eq!(shell("test $(wc -c) -eq 300000", &large, 5000), Ok(()));
    }

    #[test]
    fn a_program_that_fails_is_an_error() {
        assert_eq!(shell("cat; exit 3", b"x", 5000), Err(io::ErrorKind::Other));
        let missing = pipe_to_command(Path::new("/no/such"), &[], b"x", Duration::from_secs(1));
        assert_eq!(missing.unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn a_hanging_program_is_killed() {
        let start = Instant::now();
        assert_eq!(shell("exec sleep 9", b"x", 30), Err(io::ErrorKind::TimedOut));
        assert_eq!(shell("exec sleep 9", &vec![0; 300_000], 30), Err(io::ErrorKind::TimedOut));
        assert!(start.elapsed() < Duration::from_secs(2));
    }
}
