//! Opens the input files that an argument names: a secret, or an export. Refuses files that other
//! users control, and does not wait forever for the writer of a named pipe. Called by `verify`,
//! `import` and `scan`.

use std::{
    fs::File,
    io,
    os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _},
    path::Path,
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::{OFlags, fcntl_getfl, fcntl_setfl},
};

use super::exit::CliError;
use crate::service::{InputSensitivity, check_input_file};

/// How long to wait for the first byte of a named pipe.
const PIPE_TIMEOUT: Timespec = Timespec { tv_sec: 5, tv_nsec: 0 };

/// Opens the file at `path`. `failed` converts the error of the system.
pub(super) fn open_input(
    path: &Path,
    trust: InputSensitivity,
    failed: impl Fn(io::Error) -> CliError,
) -> Result<File, CliError> {
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    let file = File::options().read(true).custom_flags(flags).open(path).map_err(&failed)?;
    check_input_file(path, &file, trust).map_err(|error| CliError::file(&error))?;
    wait_for_data(path, &file).map_err(failed)?;
    Ok(file)
}

/// Opens the file at `path`, which others may control: its content is only searched. Fails for a
/// character device, which can have no end.
pub(super) fn open_to_search(path: &Path) -> io::Result<File> {
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    let file = File::options().read(true).custom_flags(flags).open(path)?;
    if file.metadata()?.file_type().is_char_device() {
        return Err(io::Error::other("a device is not searched"));
    }
    wait_for_data(path, &file)?;
    Ok(file)
}

/// Waits for the first byte of a named pipe, and makes reads of `file` block again. The pipe of a
/// process substitution such as `<(…)` always has a writer.
fn wait_for_data(path: &Path, file: &File) -> io::Result<()> {
    let is_pipe = file.metadata()?.file_type().is_fifo();
    if is_pipe && !path.starts_with("/dev") && !path.starts_with("/proc") {
        let mut fds = [PollFd::new(file, PollFlags::IN)];
        if poll(&mut fds, Some(&PIPE_TIMEOUT))? == 0 {
            let message = format!("nothing was written to this pipe for {} s", PIPE_TIMEOUT.tv_sec);
            return Err(io::Error::new(io::ErrorKind::TimedOut, message));
        }
    }
    let flags = fcntl_getfl(file)?;
    Ok(fcntl_setfl(file, flags.difference(OFlags::NONBLOCK))?)
}
