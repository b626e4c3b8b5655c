//! Prints all tokens as JSON lines. Batches of the store are read and serialised on all cores, so
//! that memory does not grow with the store, and a slow reader does not keep a read transaction
//! open. Called by `list`.

use std::{
    io::{self, Write as _},
    ops::ControlFlow,
    sync::{Mutex, PoisonError},
};

use super::{
    exit::CliError,
    list_and_show::warn_damaged,
    print::{ok_if_closed, printable_json_lines},
};
use crate::{
    domain::{Timestamp, Token},
    output::json::write_line,
    service::{DamagedRecord, Service},
};

/// Initial capacity of a batch in bytes; most batches fit into it.
const BATCH_CAPACITY: usize = 1 << 18;

/// Size of the pipe buffer in bytes. With the default of 64 KiB, the writer and the reader wait for
/// each other in turn, and a list takes 10% longer. Linux allows this size without privileges.
#[cfg(target_os = "linux")]
const PIPE_BYTES: usize = 1 << 20;

/// Output of one batch of tokens.
struct RenderedBatch {
    lines: Vec<u8>,
    damaged: Vec<DamagedRecord>,
}

/// Prints the tokens that `is_shown` selects, one per line, sorted by id, at most `limit` of them.
/// Returns whether a token is printed. Each batch is read from its own snapshot of the store.
pub(super) fn print_tokens(
    service: &Service,
    now: Timestamp,
    limit: Option<usize>,
    is_shown: impl Fn(&Token) -> bool + Sync,
) -> Result<bool, CliError> {
    let mut out = io::stdout().lock();
    #[cfg(target_os = "linux")]
    {
        // Best effort: the output may not be a pipe, or the system may allow less.
        let _ = rustix::pipe::fcntl_setpipe_size(&out, PIPE_BYTES);
    }
    let (mut has_output, mut printed) = (false, Ok(()));
    let mut remaining = limit;
    // Buffers are reused: the kernel would have to zero freshly allocated pages.
    let spare = Mutex::<Vec<Vec<u8>>>::default();
    let lock_spare = || spare.lock().unwrap_or_else(PoisonError::into_inner);
    let begin = || {
        let lines = lock_spare().pop().unwrap_or_else(|| Vec::with_capacity(BATCH_CAPACITY));
        RenderedBatch { lines, damaged: Vec::new() }
    };
    // Every error ends the command, because a truncated list must not look complete.
    service.for_each_batch(
        begin,
        |batch, token| match token {
            Ok(token) if is_shown(&token) => {
                // A write to memory cannot fail.
                let _ = write_line(&mut batch.lines, &token, now);
            }
            Ok(_) => {}
            Err(damage) => batch.damaged.push(damage),
        },
        |RenderedBatch { mut lines, damaged }| {
            damaged.iter().for_each(warn_damaged);
            if let Some(remaining) = &mut remaining {
                *remaining -= keep_lines(&mut lines, *remaining);
            }
            has_output |= !lines.is_empty();
            printed = out.write_all(&printable_json_lines(&lines));
            lines.clear();
            lock_spare().push(lines);
            let is_over = printed.is_err() || remaining == Some(0);
            if is_over { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        },
    )?;
    ok_if_closed(printed)?;
    ok_if_closed(out.flush())?;
    Ok(has_output)
}

/// Removes all lines after the first `max`. Returns the number of lines that are left.
fn keep_lines(lines: &mut Vec<u8>, max: usize) -> usize {
    let (mut kept, mut end) = (0, 0);
    for line in memchr::memchr_iter(b'\n', lines).take(max) {
        (kept, end) = (kept + 1, line + 1);
    }
    lines.truncate(end);
    kept
}
