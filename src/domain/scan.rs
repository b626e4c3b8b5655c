//! Finds secrets in a byte stream, text or binary, with a buffer of about 64 KiB. A match has the
//! format of a secret and a valid checksum, and no letter or digit stands directly before or after
//! it. The scanner does not know whether a secret was issued; the caller looks up the secret in the
//! store.

use std::fmt;

use memchr::{memchr, memchr_iter};
use zeroize::Zeroizing;

use super::{id::TokenId, secret::Secret};

/// A regular expression for secrets with their boundaries, for other scanners. It cannot verify
/// the checksum.
pub const PATTERN: &str = "(?:^|[^0-9A-Za-z])\
    ([a-z][0-9a-z]{1,11}_[0-9A-Za-z]{12}_[0-9A-Za-z]{38})(?:$|[^0-9A-Za-z])";

const MIN_PREFIX_LEN: usize = 2;
const MAX_PREFIX_LEN: usize = 12;
/// Number of bytes after the second underscore of a secret: the random characters and the checksum.
const TAIL_LEN: usize = 38;
/// Maximum length of an escape sequence recognised before a secret, such as `[38;5;196m`.
const MAX_ESCAPE_LEN: usize = 16;
/// A secret is `PREFIX_ID_...`. The search starts at its second underscore and looks back by this
/// number of bytes.
const LOOK_BEHIND: usize = TokenId::LEN + 1 + MAX_PREFIX_LEN + MAX_ESCAPE_LEN;
/// Number of bytes processed at a time.
const CHUNK_LEN: usize = 64 << 10;

/// A secret found in a stream.
#[derive(Debug)]
pub struct FoundSecret {
    /// Offset of the first byte of the secret in the stream.
    pub offset: u64,
    /// Line number, from 1.
    pub line: u64,
    /// Whether a NUL byte was found so far. If it was, the stream is binary and `line` is
    /// meaningless.
    pub is_binary: bool,
    pub secret: Secret,
}

/// Scans a stream that is given in pieces of any length. A secret that spans several pieces is
/// found exactly once.
pub struct SecretScanner {
    /// The end of the stream so far: the undecided bytes and [`LOOK_BEHIND`] bytes before them.
    /// Must not grow beyond its initial capacity: a reallocation would leave copies of secrets in
    /// memory.
    buffer: Zeroizing<Vec<u8>>,
    /// Offset of `buffer` in the stream.
    buffer_offset: u64,
    /// Index into `buffer`. Every underscore before this index has been checked.
    undecided: usize,
    /// Index into `buffer`. Every line break before this index is counted in `lines`.
    lines_counted_to: usize,
    lines: u64,
    is_binary: bool,
}

impl Default for SecretScanner {
    fn default() -> Self {
        Self {
            buffer: Zeroizing::new(Vec::with_capacity(CHUNK_LEN + LOOK_BEHIND + TAIL_LEN + 2)),
            buffer_offset: 0,
            undecided: 0,
            lines_counted_to: 0,
            lines: 0,
            is_binary: false,
        }
    }
}

impl fmt::Debug for SecretScanner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretScanner").finish_non_exhaustive()
    }
}

impl SecretScanner {
    /// Scans the next bytes of the stream. Calls `on_match` for each secret after which at least
    /// one more byte is known.
    pub fn feed(&mut self, bytes: &[u8], mut on_match: impl FnMut(FoundSecret)) {
        for piece in bytes.chunks(CHUNK_LEN) {
            self.is_binary = self.is_binary || memchr(0, piece).is_some();
            self.buffer.extend_from_slice(piece);
            // A match also depends on the byte after the secret.
            let decidable = self.buffer.len().saturating_sub(TAIL_LEN + 1);
            self.scan_window(decidable, &mut on_match);
            self.discard();
        }
    }

    /// Ends the stream. Calls `on_match` for each secret in the rest of the buffer.
    pub fn finish(mut self, mut on_match: impl FnMut(FoundSecret)) {
        self.scan_window(self.buffer.len(), &mut on_match);
    }

    /// Checks every unchecked underscore before `limit` for a secret around it.
    fn scan_window(&mut self, limit: usize, on_match: &mut impl FnMut(FoundSecret)) {
        let window = self.buffer.get(self.undecided..limit).unwrap_or_default();
        for index in memchr_iter(b'_', window) {
            let Some((start, secret)) = secret_at(&self.buffer, self.undecided + index) else {
                continue;
            };
            self.lines += count_lines(self.buffer.get(self.lines_counted_to..start));
            self.lines_counted_to = start;
            on_match(FoundSecret {
                offset: self.buffer_offset + to_u64(start),
                line: self.lines + 1,
                is_binary: self.is_binary,
                secret,
            });
        }
        self.undecided = self.undecided.max(limit);
    }

    /// Discards the bytes that cannot affect later matches.
    fn discard(&mut self) {
        let cut = self.undecided.saturating_sub(LOOK_BEHIND);
        self.lines += count_lines(self.buffer.get(self.lines_counted_to..cut));
        self.lines_counted_to = self.lines_counted_to.max(cut) - cut;
        self.undecided -= cut;
        self.buffer_offset += to_u64(cut);
        self.buffer.drain(..cut);
    }
}

fn to_u64(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

fn count_lines(bytes: Option<&[u8]>) -> u64 {
    bytes.map_or(0, |bytes| to_u64(memchr_iter(b'\n', bytes).count()))
}

/// Returns the secret whose second underscore is at index `second`, and the index of the secret's
/// first byte.
fn secret_at(bytes: &[u8], second: usize) -> Option<(usize, Secret)> {
    let first = second.checked_sub(TokenId::LEN + 1)?;
    let end = second + 1 + TAIL_LEN;
    let is_well_formed = bytes.get(first) == Some(&b'_')
        && all_alphanumeric(bytes.get(first + 1..second)?)
        && all_alphanumeric(bytes.get(second + 1..end)?)
        && !bytes.get(end).is_some_and(u8::is_ascii_alphanumeric);
    if !is_well_formed {
        return None;
    }
    (MIN_PREFIX_LEN..=MAX_PREFIX_LEN).find_map(|length| {
        let start = first.checked_sub(length)?;
        if !is_boundary(bytes.get(..start)?) {
            return None;
        }
        let text = std::str::from_utf8(bytes.get(start..end)?).ok()?;
        let secret = Secret::parse(Zeroizing::new(text.to_owned())).ok()?;
        Some((start, secret))
    })
}

fn all_alphanumeric(bytes: &[u8]) -> bool {
    bytes.iter().all(u8::is_ascii_alphanumeric)
}

/// Whether a secret can start directly after these bytes. A secret cannot start after a letter or
/// digit, unless that character ends an escape sequence. Logs and JSON contain `\n`, `%3D` and
/// `ESC[0m` directly before secrets.
fn is_boundary(before: &[u8]) -> bool {
    match before {
        [.., last] if !last.is_ascii_alphanumeric() => true,
        [] | [.., b'\\', b'n' | b'r' | b't' | b'0'] => true,
        [.., b'%' | b'=', a, b] | [.., b'\\', b'x', a, b] if is_hex(&[*a, *b]) => true,
        [.., b'\\', b'u', a, b, c, d] if is_hex(&[*a, *b, *c, *d]) => true,
        [colour @ .., b'm'] => {
            let is_parameter = |byte: &u8| byte.is_ascii_digit() || *byte == b';';
            let before = colour.iter().rev().take(MAX_ESCAPE_LEN).find(|b| !is_parameter(b));
            before == Some(&b'[')
        }
        _ => false,
    }
}

fn is_hex(bytes: &[u8]) -> bool {
    bytes.iter().all(u8::is_ascii_hexdigit)
}

#[cfg(test)]
#[path = "scan_tests.rs"]
mod tests;
