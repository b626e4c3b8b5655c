//! Gives a text to another program on its standard input, within a deadline.
//!
//! Owns the child while it lives. It refuses to pass the text in arguments or environment, where
//! every user of the machine could read it, and to wait for a program that does not finish.
//! `clipboard` calls it.

use std::io;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_setfl};
use rustix::io::Errno;

const LOOK_AGAIN: Duration = Duration::from_millis(2);

/// Runs `program` with `text` on its input, and waits until it ended well.
///
/// After `patience` the program is killed and the error is `TimedOut`. What it prints is dropped,
/// because it would land in the middle of the screen.
pub(super) fn pipe_to_command(
    program: &Path,
    args: &[String],
    text: &[u8],
    patience: Duration,
) -> io::Result<()> {
    let deadline = Instant::now() + patience;
    let mut child = Command::new(program)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let fed = child.stdin.take().map_or(Ok(()), |input| feed(&input, text, deadline));
    let outcome = match fed {
        Ok(()) => finish(&mut child, deadline),
        // It ended without reading: its own exit status tells more than our broken pipe.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
            finish(&mut child, deadline).and(Err(error))
        }
        Err(error) => Err(error),
    };
    if outcome.is_err() {
        // Both fail only for a child that has already ended.
        let _ = child.kill();
        let _ = child.wait();
    }
    outcome
}

fn feed(input: &ChildStdin, mut text: &[u8], deadline: Instant) -> io::Result<()> {
    // Our end only: a program that never reads must not block us once the pipe is full.
    fcntl_setfl(input, OFlags::NONBLOCK)?;
    while !text.is_empty() {
        match rustix::io::write(input, text) {
            Ok(taken) => text = text.get(taken..).unwrap_or_default(),
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => {
                let left = Timespec::try_from(left(deadline)?).ok();
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

fn finish(child: &mut Child, deadline: Instant) -> io::Result<()> {
    loop {
        match child.try_wait()? {
            Some(status) if status.success() => return Ok(()),
            Some(status) => return Err(io::Error::other(status.to_string())),
            None => thread::sleep(left(deadline)?.min(LOOK_AGAIN)),
        }
    }
}

fn left(deadline: Instant) -> io::Result<Duration> {
    deadline
        .checked_duration_since(Instant::now())
        .filter(|left| !left.is_zero())
        .ok_or_else(|| io::Error::new(io::ErrorKind::TimedOut, "it did not finish in time"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, text: &[u8], patience: u64) -> Result<(), io::ErrorKind> {
        let args = ["-c".into(), script.into()];
        pipe_to_command(Path::new("/bin/sh"), &args, text, Duration::from_millis(patience))
            .map_err(|error| error.kind())
    }

    #[test]
    fn the_program_gets_the_whole_text_and_its_end() {
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
    fn a_program_that_hangs_is_killed_whether_it_reads_or_not() {
        let start = Instant::now();
        assert_eq!(shell("exec sleep 9", b"x", 30), Err(io::ErrorKind::TimedOut));
        assert_eq!(shell("exec sleep 9", &vec![0; 300_000], 30), Err(io::ErrorKind::TimedOut));
        assert!(start.elapsed() < Duration::from_secs(2));
    }
}
