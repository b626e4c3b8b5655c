//! Bytes of a file or of a part of it, which are read once, in constant memory. Every byte that is
//! consumed also goes to a scanner, unless it is paused. The search of contents (`nested.rs`) and
//! the readers of archives take the bytes from here.

use std::io::{self, BufRead, Read};

use memchr::memchr_iter;
use zeroize::Zeroizing;

use super::nested::{FileSearch, Location};
use crate::domain::{FoundSecret, SecretScanner, StreamPosition};

/// Size of the buffer in bytes.
const BUFFER_BYTES: usize = 64 << 10;
/// Maximum number of secrets kept while data is decompressed.
const MAX_HELD: usize = 1_000;

/// A content at `location` and `depth`, which reports its secrets to `search`.
pub(super) struct Content<'a> {
    input: &'a mut dyn Read,
    pub search: &'a FileSearch<'a>,
    pub location: Location<'a>,
    /// Number of contents that enclose this one.
    pub depth: usize,
    /// Only the bytes from `start` to `end` are content.
    buffer: Zeroizing<Vec<u8>>,
    start: usize,
    end: usize,
    is_at_end: bool,
    scanner: SecretScanner,
    is_paused: bool,
    /// Secrets in compressed data as it is stored, while it is decompressed.
    held: Option<Vec<FoundSecret>>,
    position: StreamPosition,
}

impl<'a> Content<'a> {
    pub fn new(
        search: &'a FileSearch<'a>,
        input: &'a mut dyn Read,
        location: Location<'a>,
        depth: usize,
    ) -> Self {
        let mut buffer = search.buffers.bytes.borrow_mut().pop().unwrap_or_default();
        buffer.resize(BUFFER_BYTES, 0);
        Self {
            input,
            search,
            location,
            depth,
            buffer,
            start: 0,
            end: 0,
            is_at_end: false,
            scanner: search.take_scanner(),
            is_paused: false,
            held: None,
            position: StreamPosition::default(),
        }
    }

    /// The next bytes, at least `min_len` of them unless the content ends, and whether it ends after
    /// them. An error is returned once; the content ends there.
    pub fn fill(&mut self, min_len: usize) -> io::Result<(&[u8], bool)> {
        while self.end - self.start < min_len && !self.is_at_end {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
            let free = self.buffer.get_mut(self.end..).unwrap_or_default();
            match self.input.read(free) {
                Ok(0) => self.is_at_end = true,
                Ok(count) => self.end += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.is_at_end = true;
                    return Err(error);
                }
            }
            self.is_at_end = self.is_at_end || self.search.is_stopped();
        }
        Ok((self.buffer.get(self.start..self.end).unwrap_or_default(), self.is_at_end))
    }

    /// Where the next byte is in this content.
    pub fn position(&self) -> StreamPosition {
        let is_binary = self.position.is_binary || self.scanner.is_binary();
        StreamPosition { is_binary, ..self.position }
    }

    /// Reports that this content was not searched, or not completely.
    pub fn report_not_searched(&self, reason: &str) {
        self.search.report_not_searched(self.location.path, reason);
    }

    /// Passes over the data of an archive, which is searched as a content of its own: its bytes do
    /// not go to the scanner of this content.
    pub fn pause(&mut self) {
        self.finish_scanner();
        self.is_paused = true;
        self.position.is_binary = true;
    }

    pub fn resume(&mut self) {
        self.scanner.restart(self.position);
        self.is_paused = false;
    }

    /// Begins compressed data, which can also contain text as it is.
    pub fn begin_compressed(&mut self) {
        self.finish_scanner();
        self.position.is_binary = true;
        self.scanner.restart(self.position);
        self.held = Some(Vec::new());
    }

    /// Ends compressed data. Unless all of it was decompressed, reports the secrets in the data as
    /// it is stored: others were found in the decompressed bytes.
    pub fn end_compressed(&mut self, is_decompressed: bool) {
        self.finish_scanner();
        self.scanner.restart(self.position);
        for found in self.held.take().into_iter().flatten() {
            if !is_decompressed {
                self.search.report_secret(&self.location, &found);
            }
        }
    }

    fn finish_scanner(&mut self) {
        let mut report = report_to(self.search, self.location, self.held.as_mut());
        self.scanner.finish(&mut report);
    }

    /// Scans the rest of the buffer.
    pub fn finish(mut self) {
        if self.is_paused {
            self.resume();
        }
        self.consume(self.end - self.start);
        self.finish_scanner();
        self.search.give_scanner(self.scanner);
        self.search.buffers.bytes.borrow_mut().push(self.buffer);
    }
}

/// Passes a secret on to `search`, or keeps it in `held`.
fn report_to(
    search: &FileSearch<'_>,
    location: Location<'_>,
    mut held: Option<&mut Vec<FoundSecret>>,
) -> impl FnMut(FoundSecret) {
    move |found| match &mut held {
        Some(held) if held.len() < MAX_HELD => held.push(found),
        Some(_) => {}
        None => search.report_secret(&location, &found),
    }
}

impl Read for Content<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(out)?;
        self.consume(count);
        Ok(count)
    }
}

impl BufRead for Content<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        Ok(self.fill(1)?.0)
    }

    fn consume(&mut self, count: usize) {
        let bytes = self.buffer.get(self.start..self.start + count).unwrap_or_default();
        if !self.is_paused {
            self.scanner.feed(bytes, report_to(self.search, self.location, self.held.as_mut()));
        }
        let lines = memchr_iter(b'\n', bytes).count();
        self.position.lines += u64::try_from(lines).unwrap_or(u64::MAX);
        self.position.offset += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.start += bytes.len();
    }
}
