//! The free texts of a token: its unique name, its optional description and its owner. Rejects
//! characters that could deceive a reader or control a terminal. Called by forms, imports and the
//! store.

use std::fmt;

use caseless::Caseless as _;
use compact_str::{CompactString, format_compact};
use unicode_normalization::UnicodeNormalization as _;

use super::{
    count::grouped,
    scan::contains_secret,
    terminal_text::{first_unsafe, is_longer, is_unsafe},
};

/// Why a name, a description or an owner is invalid. Forms show the message beside the field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    #[error("missing name: type 1 to {max} characters", max = Name::MAX_CHARS)]
    Empty,
    #[error("too long ({len} characters): use at most {max} characters", len = grouped(.len), max = grouped(.max))]
    TooLong { len: usize, max: usize },
    /// A character that could change what a terminal shows.
    #[error("character U+{code:04X} is invisible or a control character: remove it", code = u32::from(*.character))]
    UnsafeCharacter { character: char },
    /// A combining mark without a base character, or more marks on one base character than allowed.
    #[error("combining mark U+{code:04X} has no base character or follows too many marks: remove it", code = u32::from(*.character))]
    CombiningMark { character: char },
    /// A text that is stored, listed and exported must not be a secret that was pasted by mistake.
    #[error("contains the secret of a token: remove it")]
    Secret,
}

/// The name of a token: 1 to 64 visible characters, trimmed. Unique in a store by
/// [`Name::folded`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(CompactString);

impl Name {
    pub const MAX_CHARS: usize = 64;

    /// Trims and validates `text`. Returns an error if it is empty, too long or contains an unsafe
    /// character or a secret.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        refuse_secret(text).and_then(|()| Self::parse_stored(text))
    }

    /// Parses a name that a token may already have. Earlier versions accepted a secret.
    pub fn parse_stored(text: &str) -> Result<Self, NameError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(NameError::Empty);
        }
        check(text, Self::MAX_CHARS, first_unsafe(text))?;
        Ok(Self(text.into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns candidates for an unused name. For `ci`, the candidates are `ci-2`, `ci-3`, …. For
    /// `ci-2`, the candidates are `ci-3`, `ci-4`, …. The part before the number is truncated if a
    /// candidate would be too long.
    pub fn numbered_successors(&self) -> impl Iterator<Item = Self> {
        let numbered = self.0.rsplit_once('-').filter(|(base, _)| !base.is_empty());
        let numbered = numbered.and_then(|(base, digits)| {
            let number = digits.parse::<u32>().ok().filter(|_| !digits.starts_with('+'))?;
            Some((base, number, digits.len()))
        });
        let (base, last, width) = numbered.unwrap_or((&self.0, 1, 1));
        let base = base.to_owned();
        (last..u32::MAX).map(move |last| {
            let suffix = format!("-{:0width$}", last + 1);
            let max_base = Self::MAX_CHARS.saturating_sub(suffix.len());
            let base: String = base.chars().take(max_base).collect();
            Self(format_compact!("{}{suffix}", base.trim_end()))
        })
    }

    /// The form in which names are compared. Names with the same folded form count as equal, such
    /// as `CAFÉ` and `café`, also if the accent is a combining mark.
    pub fn folded(&self) -> String {
        fold(&self.0)
    }
}

/// Returns the NFKC form of `text` after full case folding, in which names are compared and texts
/// are searched. This is the compatibility caseless match of the Unicode Standard (D146).
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.nfd().default_case_fold().nfkd().default_case_fold().nfkc().collect()
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// The description of a token: up to 1,024 characters, possibly empty or with several lines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Description(String);

impl Description {
    pub const MAX_CHARS: usize = 1_024;

    /// Trims and validates `text`. Keeps line breaks and converts CRLF to LF. Returns an error if
    /// it is too long or contains an unsafe character or a secret.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        refuse_secret(text).and_then(|()| Self::parse_stored(text))
    }

    /// Parses a description that a token may already have, see [`Name::parse_stored`].
    pub fn parse_stored(text: &str) -> Result<Self, NameError> {
        let text = text.trim();
        // Fast path for a single line: `first_unsafe` counts line breaks as unsafe.
        if first_unsafe(text).is_none() && !is_longer(text, Self::MAX_CHARS) {
            return Ok(Self(text.to_owned()));
        }
        let text = if text.contains('\r') { text.replace("\r\n", "\n") } else { text.to_owned() };
        check(&text, Self::MAX_CHARS, text.split('\n').find_map(first_unsafe))?;
        Ok(Self(text))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first line, or an empty string.
    pub fn first_line(&self) -> &str {
        self.0.lines().next().unwrap_or_default()
    }
}

impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// The owner of a token: a person or team that the operator named, of up to 128 characters. An empty
/// text means that the creator is the owner.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Owner(CompactString);

impl Owner {
    pub const MAX_CHARS: usize = 128;

    /// Trims and validates `text`. Returns an error if it is too long or contains an unsafe
    /// character or a secret.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        refuse_secret(text).and_then(|()| Self::parse_stored(text))
    }

    /// Parses an owner that a token may already have, see [`Name::parse_stored`].
    pub fn parse_stored(text: &str) -> Result<Self, NameError> {
        let text = text.trim();
        check(text, Self::MAX_CHARS, first_unsafe(text))?;
        Ok(Self(text.into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the creator is the owner.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn refuse_secret(text: &str) -> Result<(), NameError> {
    if contains_secret(text) { Err(NameError::Secret) } else { Ok(()) }
}

fn check(text: &str, max: usize, rejected: Option<char>) -> Result<(), NameError> {
    match rejected {
        Some(character) if is_unsafe(character) => {
            return Err(NameError::UnsafeCharacter { character });
        }
        Some(character) => return Err(NameError::CombiningMark { character }),
        None => {}
    }
    if is_longer(text, max) {
        return Err(NameError::TooLong { len: text.chars().count(), max });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn name_is_trimmed_and_compared_case_insensitively() {
        let name = Name::parse("  CI Prod ").unwrap();
        assert_eq!(name.as_str(), "CI Prod");
        assert_eq!(name.folded(), Name::parse("ci prod").unwrap().folded());
    }

    #[test]
    fn forms_of_one_name_have_the_same_folded_form() {
        let fold = |text| Name::parse(text).unwrap().folded();
        for (one, other) in [
            ("caf\u{e9}", "cafe\u{301}"),
            ("CAF\u{c9}", "cafe\u{301}"),
            ("stra\u{df}e", "STRASSE"),
            ("\u{3a3}\u{3c2}", "\u{3c3}\u{3c3}"),
            ("\u{ff43}\u{ff49}", "ci"),
            ("\u{fb01}n", "fin"),
        ] {
            assert_eq!(fold(one), fold(other), "{one}");
        }
        assert_ne!(fold("cafe"), fold("caf\u{e9}"));
    }

    #[test]
    fn invalid_names_are_errors_with_a_hint() {
        let error = |t: &str| Name::parse(t).unwrap_err().to_string();
        assert_eq!(error("  "), "missing name: type 1 to 64 characters");
        assert_eq!(error(&"x".repeat(65)), "too long (65 characters): use at most 64 characters");
        assert_eq!(
            error("a\u{202e}b"),
            "character U+202E is invisible or a control character: remove it"
        );
        assert_eq!(
            error(&format!("a{}", "\u{301}".repeat(5))),
            "combining mark U+0301 has no base character or follows too many marks: remove it"
        );
        assert_eq!(
            error("a\tb"),
            "character U+0009 is invisible or a control character: remove it"
        );
    }

    #[test]
    fn a_pasted_secret_is_no_name_description_or_owner() {
        let secret = "pat_4fKq9Zt0WbXe_7Yc2mVdR0sPq8LhTz1NgJw5XaBk3UeFi4Wv6mn";
        for text in [secret.to_owned(), format!("see {secret}"), format!(" {secret}.")] {
            assert_eq!(Name::parse(&text), Err(NameError::Secret));
            assert_eq!(Description::parse(&text), Err(NameError::Secret));
            assert_eq!(Owner::parse(&text), Err(NameError::Secret));
            assert_eq!(Name::parse_stored(&text).unwrap().as_str(), text.trim());
        }
        let broken = secret.replace("Yc2", "Yc\n 2");
        assert_eq!(Description::parse(&broken), Err(NameError::Secret));
        let with_typo = secret.replace("7Yc", "8Yc");
        assert!(Name::parse(&with_typo).is_ok(), "any text that is no secret");
    }

    #[test]
    fn numbered_successors_count_up_and_fit_the_limit() {
        let next = |text: &str| {
            let name = Name::parse(text).unwrap();
            name.numbered_successors().take(2).map(|name| name.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(next("ci-prod"), ["ci-prod-2", "ci-prod-3"]);
        assert_eq!(next("ci-prod-2"), ["ci-prod-3", "ci-prod-4"]);
        assert_eq!(next("edge-09"), ["edge-10", "edge-11"]);
        assert_eq!(next("-7"), ["-7-2", "-7-3"]);
        assert_eq!(next("a-4294967295"), Vec::<String>::new());
        let long = next(&"n".repeat(64));
        assert_eq!(long[0], format!("{}-2", "n".repeat(62)));
        assert!(Name::parse(&long[0]).is_ok());
    }

    #[test]
    fn name_limit_counts_characters_not_bytes() {
        assert!(Name::parse(&"鍵".repeat(64)).is_ok());
    }

    #[test]
    fn description_allows_line_breaks_but_no_escapes() {
        let text = Description::parse("first\r\nsecond\n").unwrap();
        assert_eq!(text.as_str(), "first\nsecond");
        assert_eq!(text.first_line(), "first");
        assert_eq!(
            Description::parse("a\u{1b}b"),
            Err(NameError::UnsafeCharacter { character: '\u{1b}' })
        );
        assert!(Description::parse(&"x".repeat(1_025)).is_err());
    }

    #[test]
    fn an_owner_is_one_line_or_empty() {
        assert_eq!(Owner::parse(" Team Edge ").unwrap().as_str(), "Team Edge");
        assert!(Owner::parse("  ").unwrap().is_empty());
        assert!(Owner::parse(&"é".repeat(128)).is_ok());
        assert_eq!(
            Owner::parse(&"x".repeat(129)).unwrap_err().to_string(),
            "too long (129 characters): use at most 128 characters"
        );
        for text in ["a\nb", "a\u{1b}b", "a\u{200b}b"] {
            assert!(matches!(Owner::parse(text), Err(NameError::UnsafeCharacter { .. })));
        }
    }

    proptest! {
        #[test]
        fn owner_round_trips_through_text(text in any::<String>()) {
            if let Ok(owner) = Owner::parse(&text) {
                prop_assert_eq!(Owner::parse(owner.as_str()), Ok(owner));
            }
        }

        #[test]
        fn name_round_trips_through_text(text in any::<String>()) {
            if let Ok(name) = Name::parse(&text) {
                prop_assert_eq!(Name::parse(name.as_str()), Ok(name));
            }
        }

        #[test]
        fn folding_twice_changes_nothing(text in any::<String>()) {
            let folded = fold(&text);
            prop_assert_eq!(fold(&folded), folded);
        }

        #[test]
        fn normal_forms_and_upper_case_have_one_folded_form(text in any::<String>()) {
            let folded = fold(&text);
            prop_assert_eq!(&fold(&text.nfc().collect::<String>()), &folded);
            prop_assert_eq!(&fold(&text.nfd().collect::<String>()), &folded);
            prop_assert_eq!(&fold(&text.nfkc().collect::<String>()), &folded);
        }
    }
}
