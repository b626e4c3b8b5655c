//! Finds secrets in a byte stream, text or binary, with a buffer of about 70 KiB. A match has the
//! format of a secret and a valid checksum; the bytes around it do not matter. The characters of a
//! secret may be written in ASCII, UTF-16 or UTF-32 ([`plain`]), or with escape sequences
//! ([`escaped`]). The caller decodes [`base64`] and archives, and looks up the secret in the store.

pub mod base64;
mod escaped;
mod plain;

use std::fmt;

use memchr::{memchr, memchr_iter};
use zeroize::Zeroizing;

use super::secret::Secret;

/// A regular expression for secrets with their boundaries, for other scanners. It cannot verify
/// the checksum.
pub const PATTERN: &str = "(?:^|[^0-9A-Za-z])\
    ([a-z][0-9a-z]{1,11}_[0-9A-Za-z]{12}_[0-9A-Za-z]{38})(?:$|[^0-9A-Za-z])";

/// Maximum length in characters: a prefix of 12, two underscores, 12 and 38 characters.
const MAX_SECRET_LEN: usize = 64;
/// Maximum number of bytes of a secret in the stream, including escape sequences. A longer secret
/// is not found.
const MAX_WRITTEN_LEN: usize = 4 << 10;
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

/// A secret in a slice, and the index of its first byte.
struct SecretMatch {
    start: usize,
    secret: Secret,
}

/// Where a stream begins in a file.
#[derive(Debug, Clone, Copy, Default)]
pub struct StreamPosition {
    /// Number of bytes before the stream.
    pub offset: u64,
    /// Number of line breaks before the stream.
    pub lines: u64,
    /// Whether a NUL byte was found before the stream.
    pub is_binary: bool,
}

/// Scans a stream that is given in pieces of any length. A secret that spans several pieces is
/// found exactly once.
pub struct SecretScanner {
    /// The end of the stream so far, in which a match can still begin. Must not grow beyond its
    /// initial capacity: a reallocation would leave copies of secrets in memory.
    buffer: Zeroizing<Vec<u8>>,
    /// Where `buffer` begins.
    position: StreamPosition,
}

impl Default for SecretScanner {
    fn default() -> Self {
        Self {
            buffer: Zeroizing::new(Vec::with_capacity(CHUNK_LEN + MAX_WRITTEN_LEN)),
            position: StreamPosition::default(),
        }
    }
}

impl fmt::Debug for SecretScanner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretScanner").finish_non_exhaustive()
    }
}

impl SecretScanner {
    /// Scans the next bytes of the stream. When the buffer is full, calls `on_match` for each
    /// secret that begins in its first `CHUNK_LEN` bytes.
    pub fn feed(&mut self, bytes: &[u8], mut on_match: impl FnMut(FoundSecret)) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let free = CHUNK_LEN + MAX_WRITTEN_LEN - self.buffer.len();
            let (piece, more) = rest.split_at(free.min(rest.len()));
            rest = more;
            self.position.is_binary = self.position.is_binary || memchr(0, piece).is_some();
            self.buffer.extend_from_slice(piece);
            // Every match that begins before this index also ends in the buffer.
            if self.buffer.len() == CHUNK_LEN + MAX_WRITTEN_LEN {
                self.scan_window(CHUNK_LEN, &mut on_match);
                self.buffer.drain(..CHUNK_LEN);
            }
        }
    }

    /// Ends the stream. Calls `on_match` for each secret in the rest of the buffer. The scanner can
    /// be used again.
    pub fn finish(&mut self, mut on_match: impl FnMut(FoundSecret)) {
        self.scan_window(self.buffer.len(), &mut on_match);
        self.restart(StreamPosition::default());
    }

    /// Whether a NUL byte was found in the stream so far.
    pub fn is_binary(&self) -> bool {
        self.position.is_binary
    }

    /// Begins a stream at `position` of a file, and forgets the last one.
    pub fn restart(&mut self, position: StreamPosition) {
        self.buffer.clear();
        self.position = position;
    }

    /// Calls `on_match`, in stream order, for each secret that begins before `limit`.
    fn scan_window(&mut self, limit: usize, on_match: &mut impl FnMut(FoundSecret)) {
        let mut counted_to = 0;
        for SecretMatch { start, secret } in find_all(&self.buffer) {
            if start >= limit {
                break;
            }
            self.position.lines += count_lines(self.buffer.get(counted_to..start));
            counted_to = start;
            on_match(FoundSecret {
                offset: self.position.offset + to_u64(start),
                line: self.position.lines + 1,
                is_binary: self.position.is_binary,
                secret,
            });
        }
        self.position.lines += count_lines(self.buffer.get(counted_to..limit));
        self.position.offset += to_u64(limit);
    }
}

/// Returns the secrets in `bytes` in the order in which they begin. Needs no buffer, unlike
/// [`SecretScanner`].
pub fn secrets_in(bytes: &[u8]) -> impl Iterator<Item = Secret> {
    find_all(bytes).into_iter().map(|found| found.secret)
}

/// Whether `text` contains a secret, also one that a terminal or a mail program has broken into
/// lines. The checksum of a secret excludes chance.
pub fn contains_secret(text: &str) -> bool {
    let has_secret = |text: &str| secrets_in(text.as_bytes()).next().is_some();
    let has_blank = text.contains(char::is_whitespace);
    has_secret(text)
        || has_blank && has_secret(&Zeroizing::new(text.split_whitespace().collect::<String>()))
}

/// Replaces every secret in `text` by a phrase that names the id of its token.
pub fn redact_secrets(text: &str) -> String {
    let mut redacted = text.to_owned();
    for secret in secrets_in(text.as_bytes()) {
        redacted = redacted.replace(secret.reveal(), &format!("(the secret of {})", secret.id()));
    }
    redacted
}

/// Returns all secrets in `bytes`, sorted by their start.
fn find_all(bytes: &[u8]) -> Vec<SecretMatch> {
    let mut matches = Vec::new();
    plain::find(bytes, |found| matches.push(found));
    escaped::find(bytes, |found| matches.push(found));
    matches.sort_by_key(|found| found.start);
    matches
}

fn to_u64(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

fn count_lines(bytes: Option<&[u8]>) -> u64 {
    bytes.map_or(0, |bytes| to_u64(memchr_iter(b'\n', bytes).count()))
}

#[cfg(test)]
mod tests;
