//! The public identifier of a token: 12 base62 characters, the key of its record. Not secret.
//! Also the even draw of base62 characters that identifiers and secrets share. Called by
//! `secret`, the store (as key) and every face that names a token.

use std::fmt;

/// The 62 characters of identifiers and secrets: no shell, URL or config file needs quotes.
pub const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The key of a token's record: exactly 12 characters of [`ALPHABET`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenId([u8; Self::LEN]);

impl TokenId {
    /// Characters in an identifier: 71 bits, so a store never meets the same one twice.
    pub const LEN: usize = 12;

    /// Stands in a preview for the id of a token that is not issued yet; never stored.
    pub const PLACEHOLDER: Self = Self([b'0'; Self::LEN]);

    /// The identifier that `text` spells, or `None` when it is not 12 base62 characters.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes: [u8; Self::LEN] = text.as_bytes().try_into().ok()?;
        Self::from_bytes(bytes)
    }

    /// The identifier of these bytes, or `None` when one of them is not base62.
    pub fn from_bytes(bytes: [u8; Self::LEN]) -> Option<Self> {
        bytes.iter().all(u8::is_ascii_alphanumeric).then_some(Self(bytes))
    }

    /// A fresh identifier from `random`, which fills a slice with random bytes or fails.
    pub fn draw<E>(random: impl FnMut(&mut [u8]) -> Result<(), E>) -> Result<Self, E> {
        let mut bytes = [0; Self::LEN];
        fill_base62(&mut bytes, random)?;
        Ok(Self(bytes))
    }

    /// The characters as bytes, as the store keeps them.
    pub fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }

    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenId({self})")
    }
}

/// Fills `out` with characters of [`ALPHABET`], each equally likely: random bytes of 248
/// (4 × 62) and above are drawn again instead of being folded, which would favour some.
pub fn fill_base62<E>(
    out: &mut [u8],
    mut random: impl FnMut(&mut [u8]) -> Result<(), E>,
) -> Result<(), E> {
    for slot in out {
        *slot = loop {
            let mut byte = [0_u8];
            random(&mut byte)?;
            let [byte] = byte;
            if byte < 248 {
                break ALPHABET.get(usize::from(byte % 62)).copied().unwrap_or(b'0');
            }
        };
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_twelve_base62_characters_are_an_identifier() {
        assert_eq!(TokenId::parse("4fKq9Zt0WbXe").unwrap().as_str(), "4fKq9Zt0WbXe");
        for bad in ["", "4fKq9Zt0WbX", "4fKq9Zt0WbXee", "4fKq9Zt0Wb_e", "4fKq9Zt0Wbé"] {
            assert_eq!(TokenId::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn bytes_that_would_favour_a_character_are_drawn_again() {
        let mut stream = [255_u8, 248, 247, 0].into_iter();
        let mut out = [0; 2];
        fill_base62(&mut out, |b| {
            b[0] = stream.next().ok_or(())?;
            Ok::<_, ()>(())
        })
        .unwrap();
        assert_eq!(&out, b"z0");
    }

    #[test]
    fn a_failing_source_gives_no_identifier() {
        assert_eq!(TokenId::draw(|_| Err("no entropy")), Err("no entropy"));
    }
}
