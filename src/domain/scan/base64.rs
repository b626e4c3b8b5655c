//! Finds and decodes base64, standard and URL-safe, with line breaks and indentation. Characters and
//! line breaks may be written as escape sequences (`%2B`, `\/`, `\n`, `=` at the end of a line).
//! Called by `scan` for its files; the decoded bytes can contain text, an archive or more base64.

use super::escaped::{self, MAX_INDENT};

/// Number of characters of the base64 of the shortest secret, which has 54 characters.
const MIN_RUN_LEN: usize = 72;
/// A run has a line of at least this number of bytes. Shorter lines are not searched.
const MIN_LINE_LEN: usize = 36;
/// Each line contains one of the blocks of this length that begin `MIN_LINE_LEN - BLOCK_LEN` bytes
/// after each other.
const BLOCK_LEN: usize = 16;
/// Maximum number of bytes that are read to count the characters of a run.
const MAX_MEASURED_LEN: usize = 512;
/// Number of bytes after a symbol that decide what it is. More are needed only before the end.
pub const LOOKAHEAD: usize = 64;
/// How base64 of gzip and zip data begins.
pub const ARCHIVE_STARTS: [&[u8]; 2] = [b"H4sI", b"UEsDB"];

/// Classes of bytes: the value of a base64 character, or one of these. Bytes of the classes from
/// `BREAK` on end a line.
const ESCAPE: u8 = 64;
const BREAK: u8 = 65;
const OTHER: u8 = 66;
/// Bytes with which an escape sequence begins, and bytes in it that are no base64 characters.
const ESCAPE_BYTES: &[u8; 8] = b"%=\\&#;{}";

const CLASSES: [u8; 256] = classes();

#[expect(clippy::indexing_slicing, reason = "the indices are below 256")]
const fn classes() -> [u8; 256] {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut classes = [OTHER; 256];
    let mut value = 0;
    while value < 64 {
        classes[ALPHABET[value as usize] as usize] = value;
        value += 1;
    }
    classes[b'-' as usize] = 62;
    classes[b'_' as usize] = 63;
    classes[b'\r' as usize] = BREAK;
    classes[b'\n' as usize] = BREAK;
    let mut at = 0;
    while at < ESCAPE_BYTES.len() {
        classes[ESCAPE_BYTES[at] as usize] = ESCAPE;
        at += 1;
    }
    classes
}

fn class_of(byte: u8) -> u8 {
    CLASSES.get(usize::from(byte)).copied().unwrap_or(OTHER)
}

/// The index of the first run in `bytes` that can contain a secret. `Err` is the first index at
/// which one could begin if there were more bytes.
pub fn find_run(bytes: &[u8], is_last: bool) -> Result<usize, usize> {
    let mut from = 0;
    loop {
        let start =
            from + find_line(bytes.get(from..).unwrap_or_default()).map_err(|at| from + at)?;
        // Identifiers and paths are shorter than a secret.
        let (mut reader, mut count) = (RunReader::default(), 0);
        let end = bytes.len().min(start + MAX_MEASURED_LEN);
        let run = bytes.get(start..end).unwrap_or_default();
        let is_complete = is_last || end < bytes.len();
        let len = reader.read(run, is_complete, MIN_RUN_LEN, |_| count += 1);
        if count == MIN_RUN_LEN || !is_complete && !reader.is_ended() {
            match after_escaped_break(run) {
                Some(len) => from = start + len,
                None => return Ok(start),
            }
            continue;
        }
        from = start + len + other_len(run.get(len..).unwrap_or_default());
    }
}

/// The index after the first line break in a line, if it is written as an escape sequence and the
/// line before it is too short.
fn after_escaped_break(line: &[u8]) -> Option<usize> {
    let mut at = 0;
    while at < MIN_LINE_LEN {
        let rest = line.get(at..)?;
        match rest.first().filter(|byte| is_escape_byte(**byte)).and_then(|_| first_escape(rest)) {
            Some((len, Some(b'\n' | b'\r'))) => return Some(at + len),
            Some((len, _)) => at += len,
            None => at += 1,
        }
    }
    None
}

/// The length of what ended a run at the start of `bytes`: an escape sequence for another ASCII
/// character, or all but the last of equal bytes with which one could begin.
fn other_len(bytes: &[u8]) -> usize {
    match (first_escape(bytes), bytes.first()) {
        (Some((len, Some(0..=0x7f))), _) => len,
        (_, Some(first)) if is_escape_byte(*first) => {
            let count = bytes.iter().take_while(|byte| *byte == first).count();
            count.saturating_sub(1).max(1)
        }
        _ => 0,
    }
}

fn is_escape_byte(byte: u8) -> bool {
    class_of(byte) == ESCAPE
}

fn first_escape(bytes: &[u8]) -> Option<(usize, Option<u8>)> {
    escaped::first_character(bytes.get(..LOOKAHEAD).unwrap_or(bytes))
}

/// The first index from which [`MIN_LINE_LEN`] bytes follow that are base64 characters or can belong
/// to escape sequences. `Err` is the first index from which they could follow if there were more
/// bytes.
fn find_line(bytes: &[u8]) -> Result<usize, usize> {
    // No line begins before `from`.
    let (mut from, mut at) = (0, 0);
    while let Some(block) = bytes.get(at..).and_then(|rest| rest.first_chunk::<BLOCK_LEN>()) {
        if has_blank_or_quote(*block) {
            at += MIN_LINE_LEN - BLOCK_LEN;
            continue;
        }
        if let Some(end) = last_line_end(block) {
            from = at + end + 1;
            at = from;
            continue;
        }
        let near = from.max(at.saturating_sub(MIN_LINE_LEN));
        let before = bytes.get(near..at).unwrap_or_default();
        let start = near + last_line_end(before).map_or(0, |end| end + 1);
        let Some(window) = bytes.get(start..start + MIN_LINE_LEN) else { break };
        let Some(end) = last_line_end(window) else { return Ok(start) };
        from = start + end + 1;
        at = from;
    }
    from = from.max((bytes.len() + 1).saturating_sub(MIN_LINE_LEN));
    let tail = bytes.get(from..).unwrap_or_default();
    Err(from + last_line_end(tail).map_or(0, |at| at + 1))
}

/// Whether `block` contains a byte below `#`: a control character, a blank, `!` or `"`. This is so
/// for most blocks of text.
fn has_blank_or_quote(block: [u8; BLOCK_LEN]) -> bool {
    const EACH: u128 = u128::from_ne_bytes([1; BLOCK_LEN]);
    let block = u128::from_ne_bytes(block);
    // The subtraction sets the highest bit of each byte that is below `#` or above 0xa2.
    block.wrapping_sub(EACH * u128::from(b'#')) & !block & (EACH << 7) != 0
}

/// The index of the last byte in `window` that ends a line of base64.
fn last_line_end(window: &[u8]) -> Option<usize> {
    let at = window.iter().rposition(|byte| class_of(*byte) >= BREAK)?;
    match window.get(..=at)? {
        // A folded line goes on.
        [before @ .., b'=' | b'\\', b'\r', b'\n'] | [before @ .., b'=' | b'\\', b'\n'] => {
            last_line_end(before)
        }
        _ => Some(at),
    }
}

/// Reads the characters of one run of base64. A run ends at its padding, at an empty line, before a
/// line with which an archive begins, and at each byte that cannot belong to it. A `=` at the end of a
/// line can be padding or fold the line; the run goes on.
#[derive(Debug, Default)]
pub struct RunReader {
    is_ended: bool,
    /// Whether only blanks were read since the last line break.
    is_line_start: bool,
    /// Number of blanks read since the last line break.
    indent: usize,
}

impl RunReader {
    pub fn is_ended(&self) -> bool {
        self.is_ended
    }

    /// Calls `on_value` with the value of each base64 character in `bytes`, at most `limit` of them,
    /// and returns how many bytes were read. Unless `is_last`, up to [`LOOKAHEAD`] bytes are left
    /// for the next call.
    pub fn read(
        &mut self,
        bytes: &[u8],
        is_last: bool,
        limit: usize,
        mut on_value: impl FnMut(u8),
    ) -> usize {
        let (mut at, mut count) = (0, 0);
        while let Some(byte) = bytes.get(at)
            && count < limit
            && !self.is_ended
        {
            match class_of(*byte) {
                value @ 0..ESCAPE => {
                    on_value(value);
                    self.is_line_start = false;
                    count += 1;
                    at += 1;
                }
                BREAK | ESCAPE if !is_last && bytes.len() - at < LOOKAHEAD => break,
                BREAK => {
                    self.read_break(*byte);
                    at += usize::from(!self.is_ended);
                    self.end_before_archive(bytes.get(at..));
                }
                OTHER if matches!(byte, b' ' | b'\t') && self.is_indentation() => at += 1,
                ESCAPE => match read_escape(bytes.get(at..).unwrap_or_default()) {
                    Some((len, value)) => {
                        if let Some(value) = value {
                            on_value(value);
                            count += 1;
                        }
                        at += len;
                        if value.is_none() {
                            self.end_before_archive(bytes.get(at..));
                        }
                    }
                    None => self.is_ended = true,
                },
                _ => self.is_ended = true,
            }
        }
        self.is_ended = self.is_ended || is_last && at == bytes.len();
        at
    }

    fn read_break(&mut self, byte: u8) {
        if byte == b'\n' {
            self.is_ended = self.is_line_start;
            self.is_line_start = true;
            self.indent = 0;
        }
    }

    /// Ends the run if `rest`, which is a new line, is an archive of its own.
    fn end_before_archive(&mut self, rest: Option<&[u8]>) {
        let is_archive = |rest: &[u8]| ARCHIVE_STARTS.iter().any(|start| rest.starts_with(start));
        self.is_ended = self.is_ended || rest.is_some_and(is_archive);
    }

    fn is_indentation(&mut self) -> bool {
        self.indent += 1;
        self.is_line_start && self.indent <= MAX_INDENT
    }
}

/// The length of the escape sequence at the start of `bytes`, and the value of the base64 character
/// that it encodes. A line break has no value.
fn read_escape(bytes: &[u8]) -> Option<(usize, Option<u8>)> {
    let (len, character) = first_escape(bytes)?;
    match character.map_or(BREAK, class_of) {
        BREAK => Some((len, None)),
        ESCAPE | OTHER => None,
        value => Some((len, Some(value))),
    }
}

/// Decodes base64 characters into bytes.
#[derive(Debug, Default)]
pub struct BitStream {
    bits: u32,
    count: u32,
}

impl BitStream {
    /// Adds the value of a character. Returns the byte that it completes.
    pub fn push(&mut self, value: u8) -> Option<u8> {
        self.bits = self.bits << 6 & 0x3fff | u32::from(value);
        self.count += 6;
        if self.count < 8 {
            return None;
        }
        self.count -= 8;
        u8::try_from(self.bits >> self.count & 0xff).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(text: &str) -> (Vec<u8>, usize) {
        let (mut reader, mut stream, mut bytes) =
            (RunReader::default(), BitStream::default(), vec![]);
        let read =
            reader.read(text.as_bytes(), true, usize::MAX, |it| bytes.extend(stream.push(it)));
        assert!(reader.is_ended());
        (bytes, read)
    }

    #[test]
    fn a_run_ends_at_padding_empty_lines_and_other_bytes() {
        let cases = [
            ("aGVsbG8=", 7),
            ("aGVsbG8==\nxx", 7),
            ("aGVsbG8=\nH4sIx", 9),
            ("aGVsbG8\r\nUEsDBx", 9),
            ("aGVsbG8\n\nxx", 8),
            ("aGVsbG8 xx", 7),
            ("aGVs\r\n  bG8,", 11),
            ("aGVs=\nbG8", 9),
            ("aGVs\\nbG8\"", 9),
            ("aGVs%0D%0AbG8&x", 13),
            ("aGVs%250AbG8", 12),
            ("aGVs\\\\nbG8", 10),
        ];
        for (text, read) in cases {
            assert_eq!(decode(text), (b"hello".to_vec(), read), "{text}");
        }
        for slash in ["/", "_", "\\/", "%2F", "%2f", "%252F", "\\u002f", "&#47;", "=2F", "\\\\/"] {
            assert_eq!(decode(&format!("Pz8{slash}")).0, b"???", "{slash}");
        }
    }

    #[test]
    fn a_run_begins_where_enough_characters_follow() {
        let run = "A".repeat(MIN_RUN_LEN);
        assert_eq!(find_run(b"", true), Err(0));
        assert_eq!(find_run(b"a b cd", true), Err(4));
        assert_eq!(find_run(run.as_bytes(), true), Ok(0));
        for before in ["", " ", "text and ", "AAAA\n", "key=", "a,b,c,"] {
            let text = format!("{before}{run}");
            assert_eq!(find_run(text.as_bytes(), true), Ok(before.len()));
            let (line, rest) = text.split_at(before.len() + MIN_LINE_LEN);
            assert_eq!(find_run(format!("{line}\r\n  {rest}.").as_bytes(), true), Ok(before.len()));
            let short = &text[..text.len() - 1];
            assert_eq!(find_run(short.as_bytes(), true), Err(short.len()));
            assert_eq!(find_run(short.as_bytes(), false), Ok(before.len()), "more can follow");
            assert_eq!(find_run(format!("{short}.").as_bytes(), false), Err(short.len() + 1));
        }
    }
}
