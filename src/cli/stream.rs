//! All tokens as lines of JSON. Reading and writing go on side by side, a part of the store at a
//! time, so that memory does not grow with it and nothing is held while a reader of the output
//! takes its time. Called by `list`.

use std::{
    io::{self, Write},
    panic::resume_unwind,
    sync::mpsc::sync_channel,
    thread,
};

use super::{exit::Failure, tokens::tell_left_out};
use crate::{
    domain::{Moment, Pat, Query},
    json::write_line,
    service::Service,
};

/// Parts that are read ahead of what is written.
const AHEAD: usize = 2;

/// Prints the tokens that `query` shows and `keep` wants, each on a line, in the order of their
/// ids; whether there was one. Each part is as it was when it was read.
pub(super) fn print(
    service: &Service,
    query: &Query,
    now: Moment,
    keep: impl Fn(&Pat) -> bool,
) -> Result<bool, Failure> {
    let (parts, read) = sync_channel(AHEAD);
    thread::scope(|scope| {
        let reading = scope.spawn(move || service.each_part(|part| parts.send(part).is_ok()));
        let (mut found, mut line) = (false, Vec::new());
        let mut out = io::BufWriter::with_capacity(1 << 16, io::stdout().lock());
        for part in read {
            for damage in part.damaged {
                tell_left_out(&damage);
            }
            let shown = part.rows.iter().filter(|pat| query.shows(pat, now));
            for pat in shown.filter(|pat| keep(pat)) {
                found = true;
                line.clear();
                write_line(&mut line, pat, now)?;
                out.write_all(&line)?;
            }
        }
        out.flush()?;
        // A list that stops in its middle must not look like a whole one.
        reading.join().unwrap_or_else(|panic| resume_unwind(panic))?;
        Ok(found)
    })
}
