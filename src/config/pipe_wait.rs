//! Opens files that can be named pipes: a pipe without a writer must not block the program for ever.
//! Does not decide which files may be read. Called for the config file and for the input files of
//! the command line.

use std::{fs::File, io, os::unix::fs::OpenOptionsExt as _, path::Path};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::{OFlags, fcntl_getfl, fcntl_setfl},
};

/// How long to wait for the first byte of a pipe.
const PIPE_TIMEOUT: Timespec = Timespec { tv_sec: 5, tv_nsec: 0 };

/// Opens the file at `path` to read it. Does not wait for the writer of a named pipe; reads do not
/// wait, either, until [`make_blocking`] is called.
pub fn open_without_waiting(path: &Path) -> io::Result<File> {
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    File::options().read(true).custom_flags(flags).open(path)
}

/// Waits for the first byte of `pipe`. Fails if none arrives within [`PIPE_TIMEOUT`].
pub fn wait_for_first_byte(pipe: &File) -> io::Result<()> {
    let mut fds = [PollFd::new(pipe, PollFlags::IN)];
    if poll(&mut fds, Some(&PIPE_TIMEOUT))? == 0 {
        let text = format!("nothing was written to this pipe for {} s", PIPE_TIMEOUT.tv_sec);
        return Err(io::Error::new(io::ErrorKind::TimedOut, text));
    }
    Ok(())
}

/// Makes reads of `file` wait for data.
pub fn make_blocking(file: &File) -> io::Result<()> {
    Ok(fcntl_setfl(file, fcntl_getfl(file)?.difference(OFlags::NONBLOCK))?)
}
