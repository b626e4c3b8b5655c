//! A run of base64 in a content, decoded as a content of its own. A word can precede the base64
//! without a separator, so that the start of the run is not that of the base64: the run is also
//! scanned from its next three characters on. Used by `nested.rs`.

use std::io::{self, BufRead as _, Read};

use super::{
    content::Content,
    nested::{FileSearch, Location},
};
use crate::domain::{
    SecretScanner,
    scan::base64::{BitStream, LOOKAHEAD, RunReader},
};

/// Maximum number of characters decoded at once.
const MAX_VALUES: usize = 4 << 10;

/// Reads the run that begins at the next byte of `content`.
pub(super) struct Base64Run<'c, 'a> {
    search: &'c FileSearch<'c>,
    content: &'c mut Content<'a>,
    location: Location<'c>,
    reader: RunReader,
    stream: BitStream,
    shifted: [Shifted; 3],
}

/// The run from a later character on.
struct Shifted {
    /// Number of characters to leave out.
    skipped: usize,
    stream: BitStream,
    bytes: Vec<u8>,
    scanner: SecretScanner,
}

impl<'c, 'a> Base64Run<'c, 'a> {
    /// `location` is that of the run, whose secrets are reported with it.
    pub fn new(content: &'c mut Content<'a>, location: Location<'c>) -> Self {
        let search = content.search;
        let shifted = [1, 2, 3].map(|skipped| Shifted {
            skipped,
            stream: BitStream::default(),
            bytes: Vec::new(),
            scanner: search.take_scanner(),
        });
        Self {
            search,
            content,
            location,
            reader: RunReader::default(),
            stream: BitStream::default(),
            shifted,
        }
    }

    /// Reads the rest of the run.
    pub fn finish(mut self) -> io::Result<()> {
        let result = io::copy(&mut self, &mut io::sink());
        let (search, location) = (self.search, self.location);
        for mut shifted in self.shifted {
            shifted.scanner.finish(|found| search.report_secret(&location, &found));
            search.give_scanner(shifted.scanner);
        }
        result.map(drop)
    }
}

impl Read for Base64Run<'_, '_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let mut count = 0;
        while count == 0 && !self.reader.is_ended() && !out.is_empty() {
            let (bytes, is_last) = self.content.fill(LOOKAHEAD)?;
            let (stream, shifted) = (&mut self.stream, &mut self.shifted);
            let used = self.reader.read(bytes, is_last, out.len().min(MAX_VALUES), |value| {
                if let (Some(byte), Some(target)) = (stream.push(value), out.get_mut(count)) {
                    *target = byte;
                    count += 1;
                }
                for shifted in &mut *shifted {
                    shifted.push(value);
                }
            });
            self.content.consume(used);
            let (search, location) = (self.search, self.location);
            for shifted in &mut self.shifted {
                shifted
                    .scanner
                    .feed(&shifted.bytes, |found| search.report_secret(&location, &found));
                shifted.bytes.clear();
            }
        }
        Ok(count)
    }
}

impl Shifted {
    fn push(&mut self, value: u8) {
        if self.skipped > 0 {
            self.skipped -= 1;
        } else {
            self.bytes.extend(self.stream.push(value));
        }
    }
}
