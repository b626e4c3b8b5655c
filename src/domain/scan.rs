//! Finding secrets in a stream of bytes, text or binary, of any length in a few kilobytes of
//! memory. Takes what has the shape and a checksum that holds, with no letter or digit on
//! either side; whether anybody issued it is for the store to say. Called by the command line.

use std::fmt;

use memchr::{memchr, memchr_iter};
use zeroize::Zeroizing;

use super::{id::TokenId, secret::Secret};

/// The shape of a secret with its boundaries, for scanners that know regular expressions. They
/// cannot check the checksum.
pub const PATTERN: &str = "(?:^|[^0-9A-Za-z])\
    ([a-z][0-9a-z]{1,11}_[0-9A-Za-z]{12}_[0-9A-Za-z]{38})(?:$|[^0-9A-Za-z])";

const PREFIX_MIN: usize = 2;
const PREFIX_MAX: usize = 12;
/// What follows the second underscore: random characters and checksum.
const TAIL: usize = 38;
/// The longest escape that is recognised before a secret: `[38;5;196m` and the like.
const ESCAPE: usize = 16;
/// From the second underscore back to the first byte that can matter.
const BEHIND: usize = TokenId::LEN + 1 + PREFIX_MAX + ESCAPE;
/// Bytes that are looked at in one go.
const STEP: usize = 64 << 10;

#[derive(Debug)]
pub struct SecretMatch {
    /// Bytes of the stream before it.
    pub offset: u64,
    /// In which line it is, from 1.
    pub line: u64,
    /// Whether the stream was seen to be binary, so that lines mean nothing in it.
    pub binary: bool,
    pub secret: Secret,
}

/// Reads a stream in pieces of any length. A secret that lies across two of them is found once.
pub struct SecretScanner {
    /// The end of what was read: all that is not decided yet, and what stands before it. It
    /// never grows beyond its first capacity, which would leave copies of secrets behind.
    kept: Zeroizing<Vec<u8>>,
    /// Bytes of the stream before `kept`.
    before: u64,
    /// Before this place of `kept` every second underscore is decided.
    next: usize,
    /// Before this place of `kept` every line end is counted in `lines`.
    counted: usize,
    lines: u64,
    binary: bool,
}

impl Default for SecretScanner {
    fn default() -> Self {
        Self {
            kept: Zeroizing::new(Vec::with_capacity(STEP + BEHIND + TAIL + 2)),
            before: 0,
            next: 0,
            counted: 0,
            lines: 0,
            binary: false,
        }
    }
}

impl fmt::Debug for SecretScanner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Finder").finish_non_exhaustive()
    }
}

impl SecretScanner {
    /// Goes on with `bytes`, and shows `found` each secret whose end is certain by now.
    pub fn feed(&mut self, bytes: &[u8], mut found: impl FnMut(SecretMatch)) {
        for piece in bytes.chunks(STEP) {
            self.binary = self.binary || memchr(0, piece).is_some();
            self.kept.extend_from_slice(piece);
            // The byte after a secret decides, too.
            let decidable = self.kept.len().saturating_sub(TAIL + 1);
            self.look(decidable, &mut found);
            self.forget();
        }
    }

    /// Says that the stream is over, and shows `found` a secret at its very end.
    pub fn finish(mut self, mut found: impl FnMut(SecretMatch)) {
        self.look(self.kept.len(), &mut found);
    }

    /// Decides about every second underscore before `limit`.
    fn look(&mut self, limit: usize, found: &mut impl FnMut(SecretMatch)) {
        let window = self.kept.get(self.next..limit).unwrap_or_default();
        for place in memchr_iter(b'_', window) {
            let Some((start, secret)) = secret_around(&self.kept, self.next + place) else {
                continue;
            };
            self.lines += lines(self.kept.get(self.counted..start));
            self.counted = start;
            found(SecretMatch {
                offset: self.before + in_stream(start),
                line: self.lines + 1,
                binary: self.binary,
                secret,
            });
        }
        self.next = self.next.max(limit);
    }

    /// Drops what no later decision can need.
    fn forget(&mut self) {
        let cut = self.next.saturating_sub(BEHIND);
        self.lines += lines(self.kept.get(self.counted..cut));
        self.counted = self.counted.max(cut) - cut;
        self.next -= cut;
        self.before += in_stream(cut);
        self.kept.drain(..cut);
    }
}

fn in_stream(place: usize) -> u64 {
    u64::try_from(place).unwrap_or(u64::MAX)
}

fn lines(bytes: Option<&[u8]>) -> u64 {
    bytes.map_or(0, |bytes| in_stream(memchr_iter(b'\n', bytes).count()))
}

/// The secret whose second underscore is at `second`, and where it starts.
fn secret_around(bytes: &[u8], second: usize) -> Option<(usize, Secret)> {
    let first = second.checked_sub(TokenId::LEN + 1)?;
    let end = second + 1 + TAIL;
    let shaped = bytes.get(first) == Some(&b'_')
        && all_alphanumeric(bytes.get(first + 1..second)?)
        && all_alphanumeric(bytes.get(second + 1..end)?)
        && !bytes.get(end).is_some_and(u8::is_ascii_alphanumeric);
    if !shaped {
        return None;
    }
    (PREFIX_MIN..=PREFIX_MAX).find_map(|length| {
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

/// Whether a secret may start after these bytes: not after a letter or digit, unless it is the
/// last one of an escape. Logs and JSON are full of `\n`, `%3D` and `ESC[0m`, and a leak behind
/// one is a leak.
fn is_boundary(before: &[u8]) -> bool {
    match before {
        [.., last] if !last.is_ascii_alphanumeric() => true,
        [] | [.., b'\\', b'n' | b'r' | b't' | b'0'] => true,
        [.., b'%' | b'=', a, b] | [.., b'\\', b'x', a, b] if is_hex(&[*a, *b]) => true,
        [.., b'\\', b'u', a, b, c, d] if is_hex(&[*a, *b, *c, *d]) => true,
        [colour @ .., b'm'] => {
            let parameter = |byte: &u8| byte.is_ascii_digit() || *byte == b';';
            let before = colour.iter().rev().take(ESCAPE).find(|b| !parameter(b));
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
