//! Secrets, which bearers present, and their digests. Only the digests are stored. A secret is
//! wiped when dropped. It cannot be cloned, serialised or compared as text, and `Debug` hides it.
//! Called by the service to issue and verify, and by the screen that shows a new secret.

use std::fmt;

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::id::{ALPHABET, TokenId, fill_base62};

const RANDOM_CHARS: usize = 32;
const CHECKSUM_CHARS: usize = 6;
/// Length of a secret with the shortest prefix.
const MIN_LEN: usize = 54;

/// The word before the first underscore of every secret, `pat` by default. People and scanners
/// recognise secrets by this word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretPrefix(String);

impl SecretPrefix {
    /// Parses a lower-case letter followed by 1 to 11 lower-case letters or digits. Returns `None`
    /// for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        is_prefix(text).then(|| Self(text.to_owned()))
    }

    /// The prefix without the underscore that follows it in a secret.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for SecretPrefix {
    fn default() -> Self {
        Self("pat".to_owned())
    }
}

fn is_prefix(text: &str) -> bool {
    (2..=12).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
}

/// Splits a text of allowed characters into prefix, id, and random characters with checksum. All but the
/// prefix have a fixed length.
fn split_parts(text: &str) -> Option<(&str, &str, &str)> {
    let tail_start = text.len().checked_sub(RANDOM_CHARS + CHECKSUM_CHARS)?;
    let (head, tail) = text.split_at_checked(tail_start)?;
    let head = head.strip_suffix('_')?;
    let (head, id) = head.split_at_checked(head.len().checked_sub(TokenId::LEN)?)?;
    Some((head.strip_suffix('_')?, id, tail))
}

/// The id in a hint of a secret, as patdeck prints it: `pat_4fKq9Zt0WbXe`, also with `_` or `_…` after
/// it. Returns `None` for any other text.
pub fn id_in_hint(text: &str) -> Option<TokenId> {
    let text = text.trim();
    let text = text.strip_suffix("\\u{2026}").unwrap_or(text);
    let text = text.trim_end_matches(['…', '.']).trim_end_matches('_');
    let (prefix, id) = text.rsplit_once('_')?;
    TokenId::parse(id).filter(|_| is_prefix(prefix))
}

/// Why a text is not a secret. The reason is determined without access to a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// The length, the number of parts or a character is wrong.
    #[error("not a secret: expected <prefix>_<12 characters>_<38 characters>")]
    Malformed,
    /// The text is long enough, but has a character that no secret has, such as a no-break space.
    #[error("not a secret: it contains {}, remove it", describe_char(*.0))]
    ForeignCharacter(char),
    /// The text is not UTF-8.
    #[error("not a secret: it is not UTF-8 text")]
    NotUtf8,
    /// The checksum is wrong, because of a typo or a truncated copy.
    #[error("the secret has a wrong checksum: copy it again")]
    ChecksumMismatch,
}

/// Names a character that may be invisible.
fn describe_char(c: char) -> String {
    if c.is_ascii_graphic() { format!("`{c}`") } else { format!("U+{:04X}", u32::from(c)) }
}

/// Removes what editors and shells add to a presented secret: a byte order mark at the start, and
/// ASCII blanks at both ends.
pub fn trim_presented(text: &str) -> &str {
    text.trim_ascii().trim_start_matches('\u{feff}').trim_ascii()
}

/// A secret: `<prefix>_<id>_<32 random characters><6 checksum characters>`. A secret exists only in
/// memory.
pub struct Secret {
    text: Zeroizing<String>,
    id: TokenId,
}

impl Secret {
    /// Generates a secret for the token `id`. `random` fills a slice with random bytes. If `random`
    /// fails, its error is returned.
    pub fn generate<E>(
        prefix: &SecretPrefix,
        id: TokenId,
        random: impl FnMut(&mut [u8]) -> Result<(), E>,
    ) -> Result<Self, E> {
        let mut drawn = Zeroizing::new([0_u8; RANDOM_CHARS]);
        fill_base62(drawn.as_mut_slice(), random)?;
        // Reserve the full capacity: a reallocation would leave a copy of the secret in memory.
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

    /// Parses a presented text. Returns an error if its format or its checksum is wrong.
    ///
    /// Accepts any well-formed prefix, so that existing secrets stay valid when the configured
    /// prefix changes.
    pub fn parse(text: Zeroizing<String>) -> Result<Self, SecretError> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if text.len() >= MIN_LEN && !text.bytes().all(is_allowed) {
            return Err(match text.chars().find(|c| !(c.is_ascii_alphanumeric() || *c == '_')) {
                Some(char::REPLACEMENT_CHARACTER) => SecretError::NotUtf8,
                Some(foreign) => SecretError::ForeignCharacter(foreign),
                None => SecretError::Malformed,
            });
        }
        let (prefix, id, tail) = split_parts(&text).ok_or(SecretError::Malformed)?;
        let id = TokenId::parse(id).ok_or(SecretError::Malformed)?;
        if !is_prefix(prefix) || tail.contains('_') {
            return Err(SecretError::Malformed);
        }
        let (body, given) =
            text.split_at_checked(text.len() - CHECKSUM_CHARS).ok_or(SecretError::Malformed)?;
        if given.as_bytes() != checksum(body) {
            return Err(SecretError::ChecksumMismatch);
        }
        Ok(Self { text, id })
    }

    /// The token id in the text of the secret. The id is unproven until the digest of the secret
    /// matches the digest of the token.
    pub fn id(&self) -> TokenId {
        self.id
    }

    pub fn digest(&self) -> Digest {
        Digest(Sha256::digest(self.text.as_bytes()).into())
    }

    /// The text of the secret. Use it only to deliver the secret to its owner: on the screen,
    /// through the clipboard, in a file or in a pipe.
    pub fn reveal(&self) -> &str {
        &self.text
    }

    /// The prefix and the id, `<prefix>_<id>_`, which are not secret.
    pub fn public_part(&self) -> &str {
        self.text.get(..self.text.len() - RANDOM_CHARS - CHECKSUM_CHARS).unwrap_or_default()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({}…)", self.public_part())
    }
}

/// CRC-32 (IEEE) of `body` in base62, most significant character first, padded to six characters
/// (the largest CRC is `4gfFC3`). The checksum detects typos and has no security purpose.
fn checksum(body: &str) -> [u8; CHECKSUM_CHARS] {
    let mut rest = crc32fast::hash(body.as_bytes());
    let mut out = [b'0'; CHECKSUM_CHARS];
    for slot in out.iter_mut().rev() {
        *slot = ALPHABET.get((rest % 62) as usize).copied().unwrap_or(b'0');
        rest /= 62;
    }
    out
}

/// SHA-256 of the text of a secret. A slow password hash is unnecessary: a secret has 190 random
/// bits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Digest([u8; 32]);

impl Digest {
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Returns the start of the digest, which identifies a secret among those of a token.
    pub fn prefix(&self) -> DigestPrefix {
        DigestPrefix(self.0.first_chunk().copied().unwrap_or_default())
    }

    /// Compares in constant time: the duration does not depend on where the digests differ.
    pub fn matches(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

/// The first 8 bytes of a [`Digest`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DigestPrefix([u8; Self::LEN]);

impl DigestPrefix {
    pub const LEN: usize = 8;

    pub const fn from_bytes(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }

    pub const fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
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

    fn seeded_secret(seed: u8) -> Secret {
        let mut next = seed;
        Secret::generate(&SecretPrefix::default(), id(), |b| {
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

    /// A change of the format would invalidate every issued secret.
    #[test]
    fn format_is_frozen() {
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
    fn secret_has_55_characters_and_round_trips() {
        let secret = seeded_secret(1);
        assert_eq!(secret.reveal().len(), 55);
        assert!(secret.reveal().starts_with("pat_4fKq9Zt0WbXe_"));
        let parsed = parse(secret.reveal()).unwrap();
        assert!(parsed.digest().matches(&secret.digest()));
    }

    #[test]
    fn a_hint_contains_the_id() {
        let known = "pat_4fKq9Zt0WbXe";
        for end in ["", "_", "_…", "…", "_...", "_\\u{2026}", "_\n"] {
            assert_eq!(id_in_hint(&format!("{known}{end}")), Some(id()), "{end}");
        }
        for other in ["4fKq9Zt0WbXe", "_4fKq9Zt0WbXe", "Pat_4fKq9Zt0WbXe", "pat_4fKq9Zt0WbX", ""] {
            assert_eq!(id_in_hint(other), None, "{other}");
        }
    }

    #[test]
    fn malformed_prefixes_are_rejected() {
        assert!(SecretPrefix::parse("acme2").is_some());
        for bad in ["", "p", "Pat", "2pat", "pat_", "abcdefghijklm", "pät"] {
            assert!(SecretPrefix::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn malformed_secrets_are_distinguished_from_typos() {
        for bad in ["", "pat", "pat_", "pat_4fKq9Zt0WbXe_short", "ghp_0123456789"] {
            assert_eq!(parse(bad).unwrap_err(), SecretError::Malformed, "{bad}");
        }
        let long = format!("{}x", seeded_secret(1).reveal());
        assert_eq!(parse(&long).unwrap_err(), SecretError::Malformed);
    }

    #[test]
    fn a_character_that_no_secret_has_is_named() {
        let secret = seeded_secret(1);
        let explain = |text: &str| parse(text).unwrap_err().to_string();
        let text = secret.reveal();
        assert!(explain(&format!("{text}\u{a0}")).ends_with("it contains U+00A0, remove it"));
        assert!(explain(&format!("\"{text}\"")).ends_with("it contains `\"`, remove it"));
        assert_eq!(parse(&format!("{text}\u{fffd}")).unwrap_err(), SecretError::NotUtf8);
        for around in ["\u{feff}", " \t\r\n", "\u{feff} ", " \u{feff}"] {
            assert_eq!(trim_presented(&format!("{around}{text} \r\n")), text);
        }
    }

    #[test]
    fn debug_shows_only_the_public_part() {
        let secret = seeded_secret(3);
        let shown = format!("{secret:?} {:?}", secret.digest());
        assert!(shown.contains("pat_4fKq9Zt0WbXe_…"));
        assert!(!shown.contains(&secret.reveal()[17..]));
    }

    proptest! {
        #[test]
        fn one_wrong_character_fails_the_checksum(seed in any::<u8>(), at in 4_usize..55, with in "[0-9A-Za-z]") {
            let secret = seeded_secret(seed);
            let mut text = secret.reveal().to_owned();
            prop_assume!(text[at..=at] != with && &text[at..=at] != "_");
            text.replace_range(at..=at, &with);
            prop_assert_eq!(parse(&text).unwrap_err(), SecretError::ChecksumMismatch);
        }

        #[test]
        fn parsing_any_text_does_not_panic(text in any::<String>()) {
            let _ = parse(&text);
        }
    }
}
