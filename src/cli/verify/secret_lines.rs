//! Splits standard input into lines. Lines contain secrets, so the buffer is never reallocated, and
//! handled lines are wiped before the next read. Called by `lines`.

use std::io::{self, Read};

use memchr::memchr;
use zeroize::{Zeroize as _, Zeroizing};

/// Maximum length of a line in bytes. A secret, a scope and an address fit into a line.
pub(super) const MAX_LINE_BYTES: usize = 4_096;
/// Size of the buffer in bytes.
const BUFFER_BYTES: usize = 16 * MAX_LINE_BYTES;

/// One line, without its line feed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum SecretLine<'a> {
    Complete(&'a [u8]),
    /// The line has more than [`MAX_LINE_BYTES`] bytes and was discarded.
    TooLong,
}

/// Buffered reader of request lines; `bytes[start..end]` is not handled yet.
pub(super) struct SecretLines<R> {
    input: R,
    bytes: Zeroizing<Vec<u8>>,
    start: usize,
    end: usize,
    /// Whether the rest of a line that is too long must be discarded.
    skipping: bool,
    is_over: bool,
}

impl<R: Read> SecretLines<R> {
    pub(super) fn new(input: R) -> Self {
        let bytes = Zeroizing::new(vec![0; BUFFER_BYTES]);
        Self { input, bytes, start: 0, end: 0, skipping: false, is_over: false }
    }

    /// Returns the next complete line in the buffer. The last line of the input needs no line feed.
    pub(super) fn next(&mut self) -> Option<SecretLine<'_>> {
        let unread = self.bytes.get(self.start..self.end)?;
        let (length, consumed) = match memchr(b'\n', unread) {
            Some(length) => (length, length + 1),
            None if self.is_over && (self.skipping || !unread.is_empty()) => {
                (unread.len(), unread.len())
            }
            None => return None,
        };
        let line = self.start..self.start + length;
        self.start += consumed;
        if std::mem::take(&mut self.skipping) || length > MAX_LINE_BYTES {
            return Some(SecretLine::TooLong);
        }
        Some(SecretLine::Complete(self.bytes.get(line)?))
    }

    /// Wipes the handled lines and waits for more input. Returns `false` at the end of the input.
    pub(super) fn read(&mut self) -> io::Result<bool> {
        if self.is_over {
            return Ok(false);
        }
        self.bytes.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if self.end > MAX_LINE_BYTES {
            self.skipping = true;
            self.end = 0;
        }
        if let Some(handled) = self.bytes.get_mut(self.end..) {
            handled.zeroize();
        }
        let free = self.bytes.get_mut(self.end..).unwrap_or_default();
        let count = loop {
            match self.input.read(free) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => break result?,
            }
        };
        self.end += count;
        self.is_over = count == 0;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reader that returns at most this many bytes at a time.
    struct Pieces<'a>(&'a [u8], usize);

    impl Read for Pieces<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.1.min(self.0.len()).min(buffer.len());
            let (piece, rest) = self.0.split_at(count);
            buffer[..count].copy_from_slice(piece);
            self.0 = rest;
            Ok(count)
        }
    }

    /// Returns the lines as text, with `!` for a line that is too long.
    fn lines(input: &[u8], piece: usize) -> Vec<String> {
        let mut requests = SecretLines::new(Pieces(input, piece));
        let mut lines = Vec::new();
        while requests.read().unwrap() {
            while let Some(line) = requests.next() {
                lines.push(match line {
                    SecretLine::Complete(line) => String::from_utf8(line.to_vec()).unwrap(),
                    SecretLine::TooLong => "!".to_owned(),
                });
            }
        }
        lines
    }

    #[test]
    fn lines_do_not_depend_on_the_size_of_reads() {
        for piece in [1, 2, 3, 7, 4_096, BUFFER_BYTES] {
            assert_eq!(lines(b"", piece), [""; 0]);
            assert_eq!(lines(b"\n", piece), [""]);
            assert_eq!(lines(b"one\n\ntwo\r\nthree", piece), ["one", "", "two\r", "three"]);
            let long = [b'x'; MAX_LINE_BYTES + 1];
            let input =
                [&long[1..], b"\n", &long, b"\nafter\n", &vec![b'y'; 3 * BUFFER_BYTES], b"\nend"]
                    .concat();
            let kept = "x".repeat(MAX_LINE_BYTES);
            assert_eq!(lines(&input, piece), [kept.as_str(), "!", "after", "!", "end"]);
            assert_eq!(lines(&vec![b'y'; 2 * BUFFER_BYTES], piece), ["!"]);
        }
    }

    #[test]
    fn handled_lines_are_wiped() {
        let mut requests = SecretLines::new(Pieces(b"secret\nhalf", BUFFER_BYTES));
        requests.read().unwrap();
        assert_eq!(requests.next(), Some(SecretLine::Complete(b"secret")));
        assert_eq!(requests.next(), None);
        requests.read().unwrap();
        assert!(requests.bytes.starts_with(b"half\0\0\0\0\0\0\0"));
    }
}
