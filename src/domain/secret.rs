//! The text that a bearer presents, and the digest that is all the store keeps of it.
//! A secret is never cloned, printed, serialised or compared as text; it is wiped when dropped.
//! Called by the service (issue, verify) and by the one screen that shows a new secret.

use std::fmt;

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::id::{ALPHABET, TokenId, fill_base62};

const RANDOM_CHARS: usize = 32;
const CHECKSUM_CHARS: usize = 6;

/// The first part of a secret, which tells people and scanners what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prefix(String);

impl Prefix {
    /// The prefix that `text` spells: a lower-case letter, then 1 to 11 letters or digits.
    pub fn parse(text: &str) -> Option<Self> {
        is_prefix(text).then(|| Self(text.to_owned()))
    }

    /// The prefix as text, without the underscore that follows it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Prefix {
    fn default() -> Self {
        Self("pat".to_owned())
    }
}

fn is_prefix(text: &str) -> bool {
    (2..=12).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
}

/// Why a text is not a secret, found without looking at any store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// Length, parts or alphabet are wrong.
    #[error("this is not a token: it must read <prefix>_<12 characters>_<38 characters>")]
    Shape,
    /// The checksum does not fit: a character is wrong or missing.
    #[error("the token has a typo: its checksum does not fit, copy it again")]
    Checksum,
}

/// `<prefix>_<id>_<32 random characters><6 of checksum>`, in memory only.
pub struct Secret {
    text: Zeroizing<String>,
    id: TokenId,
}

impl Secret {
    /// Makes the secret of `id` from `random`, which fills a slice with random bytes or fails;
    /// its error is passed on, and no secret is made of poor randomness.
    pub fn generate<E>(
        prefix: &Prefix,
        id: TokenId,
        random: impl FnMut(&mut [u8]) -> Result<(), E>,
    ) -> Result<Self, E> {
        let mut drawn = Zeroizing::new([0_u8; RANDOM_CHARS]);
        fill_base62(drawn.as_mut_slice(), random)?;
        // Full capacity from the start: a growing string would leave copies behind.
        let mut text = Zeroizing::new(String::with_capacity(64));
        text.push_str(prefix.as_str());
        text.push('_');
        text.push_str(id.as_str());
        text.push('_');
        for byte in drawn.iter() {
            text.push(char::from(*byte));
        }
        for byte in checksum(&text) {
            text.push(char::from(byte));
        }
        Ok(Self { text, id })
    }

    /// Reads a presented text: length and alphabet first, then the checksum; no store needed.
    ///
    /// Any well-formed prefix is taken, so that secrets issued before a change of the
    /// configured prefix stay valid.
    pub fn parse(text: Zeroizing<String>) -> Result<Self, SecretError> {
        if !(54..=64).contains(&text.len()) || !text.is_ascii() {
            return Err(SecretError::Shape);
        }
        let mut parts = text.split('_');
        let (Some(prefix), Some(id), Some(tail), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(SecretError::Shape);
        };
        let id = TokenId::parse(id).ok_or(SecretError::Shape)?;
        let well_formed = is_prefix(prefix)
            && tail.len() == RANDOM_CHARS + CHECKSUM_CHARS
            && tail.bytes().all(|b| b.is_ascii_alphanumeric());
        if !well_formed {
            return Err(SecretError::Shape);
        }
        let (body, given) =
            text.split_at_checked(text.len() - CHECKSUM_CHARS).ok_or(SecretError::Shape)?;
        if given.as_bytes() != checksum(body) {
            return Err(SecretError::Checksum);
        }
        Ok(Self { text, id })
    }

    /// Whose secret it is, by its own word; only a matching digest proves it.
    pub fn id(&self) -> TokenId {
        self.id
    }

    pub fn digest(&self) -> Digest {
        Digest(Sha256::digest(self.text.as_bytes()).into())
    }

    /// The whole text, for the one screen, file or pipe that hands it to its owner.
    pub fn reveal(&self) -> &str {
        &self.text
    }

    /// The part that may be shown anywhere: prefix and id.
    pub fn public_part(&self) -> &str {
        self.text.get(..self.text.len() - RANDOM_CHARS - CHECKSUM_CHARS).unwrap_or_default()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({}…)", self.public_part())
    }
}

/// CRC-32 (IEEE) of `body` in base62, most significant character first, padded to six: the
/// largest CRC is `4gfFC3`, so six always do. It finds typos; it protects nothing.
fn checksum(body: &str) -> [u8; CHECKSUM_CHARS] {
    let mut rest = crc32fast::hash(body.as_bytes());
    let mut out = [b'0'; CHECKSUM_CHARS];
    for slot in out.iter_mut().rev() {
        *slot = ALPHABET.get((rest % 62) as usize).copied().unwrap_or(b'0');
        rest /= 62;
    }
    out
}

/// SHA-256 of a whole secret text. At 190 random bits a slow hash would buy nothing.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Digest([u8; 32]);

impl Digest {
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Whether both are the same, in a time that does not depend on where they differ.
    pub fn matches(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, ..] = self.0;
        write!(f, "Digest({a:02x}{b:02x}…)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn id() -> TokenId {
        TokenId::parse("4fKq9Zt0WbXe").unwrap()
    }

    fn made(seed: u8) -> Secret {
        let mut next = seed;
        Secret::generate(&Prefix::default(), id(), |b| {
            for slot in b {
                next = next.wrapping_mul(5).wrapping_add(17);
                *slot = next % 248;
            }
            Ok::<_, ()>(())
        })
        .unwrap()
    }

    fn parse(text: &str) -> Result<Secret, SecretError> {
        Secret::parse(Zeroizing::new(text.to_owned()))
    }

    /// Frozen: a change here would orphan every secret ever issued.
    #[test]
    fn the_format_is_frozen() {
        let known = "pat_4fKq9Zt0WbXe_7Yc2mVdR0sPq8LhTz1NgJw5XaBk3UeFi4Wv6mn";
        let body = &known[..known.len() - CHECKSUM_CHARS];
        assert_eq!(std::str::from_utf8(&checksum(body)).unwrap(), "4Wv6mn");
        let secret = parse(known).unwrap();
        assert_eq!(secret.id(), id());
        assert_eq!(
            secret.digest().as_bytes()[..4],
            Sha256::digest(known.as_bytes())[..4],
            "the digest is SHA-256 of the whole text"
        );
    }

    #[test]
    fn a_secret_has_55_characters_and_reads_back() {
        let secret = made(1);
        assert_eq!(secret.reveal().len(), 55);
        assert!(secret.reveal().starts_with("pat_4fKq9Zt0WbXe_"));
        let back = parse(secret.reveal()).unwrap();
        assert!(back.digest().matches(&secret.digest()));
    }

    #[test]
    fn an_older_prefix_stays_readable_and_a_malformed_one_does_not() {
        assert!(Prefix::parse("acme2").is_some());
        for bad in ["", "p", "Pat", "2pat", "pat_", "abcdefghijklm", "pät"] {
            assert!(Prefix::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn what_is_no_secret_is_told_apart_from_a_typo() {
        for bad in ["", "pat", "pat_", "pat_4fKq9Zt0WbXe_short", "ghp_0123456789"] {
            assert_eq!(parse(bad).unwrap_err(), SecretError::Shape, "{bad}");
        }
        let long = format!("{}x", made(1).reveal());
        assert_eq!(parse(&long).unwrap_err(), SecretError::Shape);
    }

    #[test]
    fn debug_shows_the_public_part_only() {
        let secret = made(3);
        let shown = format!("{secret:?} {:?}", secret.digest());
        assert!(shown.contains("pat_4fKq9Zt0WbXe_…"));
        assert!(!shown.contains(&secret.reveal()[17..]));
    }

    proptest! {
        #[test]
        fn one_wrong_character_never_passes(seed in any::<u8>(), at in 4_usize..55, with in "[0-9A-Za-z]") {
            let secret = made(seed);
            let mut text = secret.reveal().to_owned();
            prop_assume!(text[at..=at] != with && &text[at..=at] != "_");
            text.replace_range(at..=at, &with);
            prop_assert_eq!(parse(&text).unwrap_err(), SecretError::Checksum);
        }

        #[test]
        fn any_text_is_answered_without_a_panic(text in any::<String>()) {
            let _ = parse(&text);
        }
    }
}
