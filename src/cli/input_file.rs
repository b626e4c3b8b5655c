//! Opens the input files that an argument names: a secret, an export, or a file to search. Refuses
//! secrets and exports that other users control, but not files to search. Does not wait for ever for
//! the writer of a named pipe. Called by `verify`, `import` and `scan`.

use std::{
    fs::{File, FileType},
    io,
    os::unix::fs::FileTypeExt as _,
    path::Path,
};

use super::exit::CliError;
use crate::{
    config::pipe_wait::{make_blocking, open_without_waiting, wait_for_first_byte},
    service::{InputSensitivity, check_input_file},
};

/// Opens the file at `path`. `failed` converts the error of the system.
pub(super) fn open_input(
    path: &Path,
    trust: InputSensitivity,
    failed: impl Fn(io::Error) -> CliError,
) -> Result<File, CliError> {
    let file = open_without_waiting(path).map_err(&failed)?;
    check_input_file(path, &file, trust).map_err(|error| CliError::file(&error))?;
    let kind = file.metadata().map_err(&failed)?.file_type();
    wait_for_data(path, &file, kind).map_err(failed)?;
    Ok(file)
}

/// Opens the file at `path`, which others may control: its content is only searched. Fails if the
/// file is no longer of this `kind`: it could be a device, which can have no end.
pub(super) fn open_to_search(path: &Path, kind: FileType) -> io::Result<File> {
    let file = open_without_waiting(path)?;
    if file.metadata()?.file_type() != kind {
        return Err(io::Error::other("it was replaced while it was opened"));
    }
    wait_for_data(path, &file, kind)?;
    Ok(file)
}

/// Waits for the first byte of a named pipe, and makes reads of `file` wait again. The pipe of a
/// process substitution such as `<(…)` always has a writer.
fn wait_for_data(path: &Path, file: &File, kind: FileType) -> io::Result<()> {
    if kind.is_fifo() && !path.starts_with("/dev") && !path.starts_with("/proc") {
        wait_for_first_byte(file)?;
    }
    make_blocking(file)
}
