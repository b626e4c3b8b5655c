//! Lines of standard input with secrets in them, in memory that never grows and is wiped as soon
//! as what is in it was asked. Knows lines and not what they mean. Called by `lines`.

use std::io::{self, Read};

use memchr::memchr;
use zeroize::{Zeroize as _, Zeroizing};

/// Longest line: a secret, a scope and an address have room in it.
pub(super) const LONGEST: usize = 4_096;
/// Bytes that are read in one go.
const ROOM: usize = 16 * LONGEST;

/// One line, without its end.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    Whole(&'a [u8]),
    /// It has more than [`LONGEST`] bytes and was not kept.
    TooLong,
}

/// What was read and not yet asked.
pub(super) struct RequestLines<R> {
    input: R,
    bytes: Zeroizing<Vec<u8>>,
    start: usize,
    end: usize,
    /// Whether the rest of a line that is too long is still to come.
    skipping: bool,
    is_over: bool,
}

impl<R: Read> RequestLines<R> {
    pub(super) fn of(input: R) -> Self {
        let bytes = Zeroizing::new(vec![0; ROOM]);
        Self { input, bytes, start: 0, end: 0, skipping: false, is_over: false }
    }

    /// The next line, if all of it was read. At the end the last one needs no end of its own.
    pub(super) fn next(&mut self) -> Option<Line<'_>> {
        let unread = self.bytes.get(self.start..self.end)?;
        let (length, past) = match memchr(b'\n', unread) {
            Some(length) => (length, length + 1),
            None if self.is_over && (self.skipping || !unread.is_empty()) => {
                (unread.len(), unread.len())
            }
            None => return None,
        };
        let line = self.start..self.start + length;
        self.start += past;
        if std::mem::take(&mut self.skipping) || length > LONGEST {
            return Some(Line::TooLong);
        }
        Some(Line::Whole(self.bytes.get(line)?))
    }

    /// Waits for more, with everything wiped that was asked; whether there was any.
    pub(super) fn read(&mut self) -> io::Result<bool> {
        if self.is_over {
            return Ok(false);
        }
        self.bytes.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if self.end > LONGEST {
            self.skipping = true;
            self.end = 0;
        }
        if let Some(stale) = self.bytes.get_mut(self.end..) {
            stale.zeroize();
        }
        let room = self.bytes.get_mut(self.end..).unwrap_or_default();
        let count = loop {
            match self.input.read(room) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                done => break done?,
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

    /// Gives its bytes in pieces of this size.
    struct Pieces<'a>(&'a [u8], usize);

    impl Read for Pieces<'_> {
        fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
            let count = self.1.min(self.0.len()).min(room.len());
            let (piece, rest) = self.0.split_at(count);
            room[..count].copy_from_slice(piece);
            self.0 = rest;
            Ok(count)
        }
    }

    /// The lines that are read, each as text, `!` for one that is too long.
    fn lines(input: &[u8], piece: usize) -> Vec<String> {
        let mut questions = RequestLines::of(Pieces(input, piece));
        let mut lines = Vec::new();
        while questions.read().unwrap() {
            while let Some(line) = questions.next() {
                lines.push(match line {
                    Line::Whole(line) => String::from_utf8(line.to_vec()).unwrap(),
                    Line::TooLong => "!".to_owned(),
                });
            }
        }
        lines
    }

    #[test]
    fn lines_are_the_same_however_they_come() {
        for piece in [1, 2, 3, 7, 4_096, ROOM] {
            assert_eq!(lines(b"", piece), [""; 0]);
            assert_eq!(lines(b"\n", piece), [""]);
            assert_eq!(lines(b"one\n\ntwo\r\nthree", piece), ["one", "", "two\r", "three"]);
            let long = [b'x'; LONGEST + 1];
            let input =
                [&long[1..], b"\n", &long, b"\nafter\n", &vec![b'y'; 3 * ROOM], b"\nend"].concat();
            let kept = "x".repeat(LONGEST);
            assert_eq!(lines(&input, piece), [kept.as_str(), "!", "after", "!", "end"]);
            assert_eq!(lines(&vec![b'y'; 2 * ROOM], piece), ["!"]);
        }
    }

    #[test]
    fn nothing_of_a_line_that_was_asked_is_left() {
        let mut questions = RequestLines::of(Pieces(b"secret\nhalf", ROOM));
        questions.read().unwrap();
        assert_eq!(questions.next(), Some(Line::Whole(b"secret")));
        assert_eq!(questions.next(), None);
        questions.read().unwrap();
        assert!(questions.bytes.starts_with(b"half\0\0\0\0\0\0\0"));
    }
}
