//! Finds secrets whose characters are written as they are: in ASCII (and all encodings that contain
//! it), UTF-16 or UTF-32 of either byte order, at any alignment. The search starts at the second
//! underscore of a secret. Called by the scanner for each window, and for each unescaped run.

use memchr::memchr_iter;
use zeroize::Zeroizing;

use super::SecretMatch;
use crate::domain::{id::TokenId, secret::Secret};

const MIN_PREFIX_LEN: usize = 2;
const MAX_PREFIX_LEN: usize = 12;
/// Number of characters after the second underscore of a secret: the random characters and the
/// checksum.
const TAIL_LEN: usize = 38;
/// Bytes per character in ASCII, UTF-16 and UTF-32.
const STRIDES: [usize; 3] = [1, 2, 4];

/// Calls `on_match` for each secret in `bytes`.
pub(super) fn find(bytes: &[u8], mut on_match: impl FnMut(SecretMatch)) {
    for second in memchr_iter(b'_', bytes) {
        let is_match = |stride| secret_at(&Characters { bytes, stride }, second);
        if let Some(found) = STRIDES.into_iter().find_map(is_match) {
            on_match(found);
        }
    }
}

/// Bytes read as ASCII characters that are `stride` bytes apart, with NUL bytes between them.
struct Characters<'a> {
    bytes: &'a [u8],
    stride: usize,
}

impl Characters<'_> {
    /// Returns the first byte of the character that comes `count` characters after the one at
    /// `index`, or `None` if the text ends before it.
    fn after(&self, index: usize, count: usize) -> Option<u8> {
        self.bytes.get(index + count * self.stride).copied()
    }

    fn all_alphanumeric(&self, from: usize, count: usize) -> bool {
        (0..count).all(|at| self.after(from, at).is_some_and(|byte| byte.is_ascii_alphanumeric()))
    }

    /// The text of `count` characters from `index`, if only NUL bytes are between them.
    fn text(&self, index: usize, count: usize) -> Option<Zeroizing<String>> {
        let end = index + (count - 1) * self.stride + 1;
        let mut text = Zeroizing::new(String::with_capacity(count));
        for character in self.bytes.get(index..end)?.chunks(self.stride) {
            let (first, padding) = character.split_first()?;
            if padding.iter().any(|byte| *byte != 0) {
                return None;
            }
            text.push(char::from(*first));
        }
        Some(text)
    }
}

/// Returns the secret whose second underscore is at index `second`.
fn secret_at(characters: &Characters<'_>, second: usize) -> Option<SecretMatch> {
    let stride = characters.stride;
    let first = second.checked_sub((TokenId::LEN + 1) * stride)?;
    let is_well_formed = characters.after(first, 0) == Some(b'_')
        && characters.all_alphanumeric(first + stride, TokenId::LEN)
        && characters.all_alphanumeric(second + stride, TAIL_LEN);
    if !is_well_formed {
        return None;
    }
    // Only the checksum shows where the prefix begins: letters can precede it.
    (MIN_PREFIX_LEN..=MAX_PREFIX_LEN).find_map(|length| {
        let start = first.checked_sub(length * stride)?;
        let text = characters.text(start, length + 1 + TokenId::LEN + 1 + TAIL_LEN)?;
        let secret = Secret::parse(text).ok()?;
        Some(SecretMatch { start, secret })
    })
}
