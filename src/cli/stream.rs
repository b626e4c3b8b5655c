//! All tokens as lines of JSON. Parts of the store are read and written out as bytes on all cores,
//! so that memory does not grow with it and nothing is held while a reader of the output takes its
//! time. Called by `list`.

use std::{
    io::{self, Write as _},
    ops::ControlFlow,
    sync::{Mutex, PoisonError},
};

use super::{exit::CliError, tokens::tell_left_out};
use crate::{
    domain::{Query, Timestamp, Token},
    output::json::write_line,
    service::{Damage, Service},
};

/// Bytes that most parts of the store come to.
const ROOM: usize = 1 << 18;

/// Bytes that may wait in a pipe until its reader has time for them: with the usual 64 KiB both
/// ends wait for each other in turn, and a list takes a tenth longer. Linux allows anybody that.
#[cfg(target_os = "linux")]
const WAITING: usize = 1 << 20;

/// What is printed of a part of the store.
struct Part {
    lines: Vec<u8>,
    damaged: Vec<Damage>,
}

/// Prints the tokens that `query` shows and `keep` wants, each on a line, in the order of their
/// ids; whether there was one. Each part is as it was when it was read.
pub(super) fn print(
    service: &Service,
    query: &Query,
    now: Timestamp,
    keep: impl Fn(&Token) -> bool + Sync,
) -> Result<bool, CliError> {
    let mut out = io::stdout().lock();
    #[cfg(target_os = "linux")]
    {
        // Best effort: what is no pipe has no such size, and a system may allow less.
        let _ = rustix::pipe::fcntl_setpipe_size(&out, WAITING);
    }
    let (mut found, mut printed) = (false, Ok(()));
    // Memory that was given back would have to be cleared for the next part.
    let spare = Mutex::<Vec<Vec<u8>>>::default();
    let spared = || spare.lock().unwrap_or_else(PoisonError::into_inner);
    let begin = || {
        let lines = spared().pop().unwrap_or_else(|| Vec::with_capacity(ROOM));
        Part { lines, damaged: Vec::new() }
    };
    // A list that stops in its middle must not look like a whole one.
    service.for_each_batch(
        begin,
        |part, token| match token {
            Ok(token) if query.shows(&token, now) && keep(&token) => {
                // Memory takes whatever is written.
                let _ = write_line(&mut part.lines, &token, now);
            }
            Ok(_) => {}
            Err(damage) => part.damaged.push(damage),
        },
        |Part { mut lines, damaged }| {
            damaged.iter().for_each(tell_left_out);
            found |= !lines.is_empty();
            printed = out.write_all(&lines);
            lines.clear();
            spared().push(lines);
            if printed.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        },
    )?;
    printed?;
    out.flush()?;
    Ok(found)
}
