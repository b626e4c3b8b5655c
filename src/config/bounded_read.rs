//! Reads the config file with bounds: a file without an end must not fill the memory, and a named
//! pipe without a writer must not block the program. Called by `Config::load`.

use std::{
    io::{self, Read as _},
    os::unix::fs::FileTypeExt as _,
    path::Path,
};

use super::pipe_wait::{make_blocking, open_without_waiting, wait_for_first_byte};

/// Maximum size of a config file.
const MAX_BYTES: u64 = 1 << 20;

/// Reads the file at `path`. Fails if it has more than [`MAX_BYTES`], or if it is a pipe and nothing
/// arrives in time.
pub(super) fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    let file = open_without_waiting(path)?;
    if file.metadata()?.file_type().is_fifo() {
        wait_for_first_byte(&file)?;
        make_blocking(&file)?;
    }
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_BYTES {
        let text = format!("it is larger than {MAX_BYTES} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, text));
    }
    Ok(bytes)
}
