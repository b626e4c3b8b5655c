//! Reads the config file with bounds: a file without an end must not fill the memory, and a named
//! pipe without a writer must not block the program. Called by `Config::load`.

use std::{
    fs::File,
    io::{self, Read as _},
    os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _},
    path::Path,
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::{OFlags, fcntl_getfl, fcntl_setfl},
};

/// Maximum size of a config file.
const MAX_BYTES: u64 = 1 << 20;

/// How long to wait for the first byte of a pipe.
const PIPE_TIMEOUT: Timespec = Timespec { tv_sec: 5, tv_nsec: 0 };

/// Reads the file at `path`. Fails if it has more than [`MAX_BYTES`], or if it is a pipe and nothing
/// arrives within [`PIPE_TIMEOUT`].
pub(super) fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    let file = File::options().read(true).custom_flags(flags).open(path)?;
    if file.metadata()?.file_type().is_fifo() {
        let mut fds = [PollFd::new(&file, PollFlags::IN)];
        if poll(&mut fds, Some(&PIPE_TIMEOUT))? == 0 {
            let text = format!("nothing was written to this pipe for {} s", PIPE_TIMEOUT.tv_sec);
            return Err(io::Error::new(io::ErrorKind::TimedOut, text));
        }
        fcntl_setfl(&file, fcntl_getfl(&file)?.difference(OFlags::NONBLOCK))?;
    }
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_BYTES {
        let text = format!("it is larger than {MAX_BYTES} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, text));
    }
    Ok(bytes)
}
