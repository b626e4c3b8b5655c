//! Public token ids. An id has 12 base62 characters, is the key of the record, and is not secret.
//! The module also generates uniformly distributed base62 characters for ids and secrets.

use std::fmt;

/// The 62 characters of ids and secrets. They need no quotes in a shell, a URL or a config file.
pub const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The id of a token: exactly 12 characters of [`ALPHABET`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenId([u8; Self::LEN]);

impl TokenId {
    /// Length of an id in characters. The 71 random bits of an id make a collision within a store
    /// negligible.
    pub const LEN: usize = 12;

    /// The id in the preview of a create command, where the token has no id yet. The placeholder is
    /// never stored.
    pub const PLACEHOLDER: Self = Self([b'0'; Self::LEN]);

    /// Parses an id. Returns `None` unless `text` has exactly 12 base62 characters.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes: [u8; Self::LEN] = text.as_bytes().try_into().ok()?;
        Self::from_bytes(bytes)
    }

    /// The id with these ASCII bytes. Returns `None` if a byte is not a base62 character.
    pub fn from_bytes(bytes: [u8; Self::LEN]) -> Option<Self> {
        bytes.iter().all(u8::is_ascii_alphanumeric).then_some(Self(bytes))
    }

    /// Generates an id from `random`, which fills a slice with random bytes or fails. Returns the
    /// error of `random`.
    pub fn generate<E>(random: impl FnMut(&mut [u8]) -> Result<(), E>) -> Result<Self, E> {
        let mut bytes = [0; Self::LEN];
        fill_base62(&mut bytes, random)?;
        Ok(Self(bytes))
    }

    /// The ASCII bytes of the id, as stored.
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

/// Fills `out` with uniformly distributed characters of [`ALPHABET`]. Random bytes of 248 (4 × 62)
/// and above are discarded, because taking them modulo 62 would favour some characters. Returns the
/// error of `random`.
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
    fn parse_accepts_only_12_base62_characters() {
        assert_eq!(TokenId::parse("4fKq9Zt0WbXe").unwrap().as_str(), "4fKq9Zt0WbXe");
        for bad in ["", "4fKq9Zt0WbX", "4fKq9Zt0WbXee", "4fKq9Zt0Wb_e", "4fKq9Zt0Wbé"] {
            assert_eq!(TokenId::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn random_bytes_from_248_are_rejected() {
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
    fn generate_returns_the_error_of_the_random_source() {
        assert_eq!(TokenId::generate(|_| Err("no entropy")), Err("no entropy"));
    }
}
