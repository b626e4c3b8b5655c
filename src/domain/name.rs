//! The two free texts of a token: its unique name and its optional description.
//! Refuses what could deceive a reader or a terminal. Called by forms, imports and the store.

use std::fmt;

use compact_str::{CompactString, format_compact};

use super::terminal_text::{first_unsafe, is_longer, is_unsafe};

/// Why a name or a description was refused; the text stands beside the field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    #[error("a name is needed: type 1 to {max} characters", max = Name::MAX_CHARS)]
    Empty,
    #[error("{len} characters are too many: shorten it to {max}")]
    TooLong { len: usize, max: usize },
    /// A character that could change what a terminal shows.
    #[error("the character U+{code:04X} is invisible or controls the terminal: remove it", code = u32::from(*.character))]
    Unsafe { character: char },
    /// A mark that stands on nothing, or on a pile of others.
    #[error("the mark U+{code:04X} stands on nothing or on too many others: remove it", code = u32::from(*.character))]
    Mark { character: char },
}

/// A token's name: 1 to 64 visible characters, trimmed; unique in a store by [`Name::folded`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(CompactString);

impl Name {
    pub const MAX_CHARS: usize = 64;

    /// The name that `text` spells once trimmed.
    pub fn parse(text: &str) -> Result<Self, NameError> {
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

    /// Names like this one, among which to look for a free one: `ci-2` and on after `ci`, `ci-3`
    /// and on after `ci-2`. One that would be too long loses the end of what is not the number.
    pub fn following(&self) -> impl Iterator<Item = Self> {
        let numbered = self.0.rsplit_once('-').filter(|(base, _)| !base.is_empty());
        let numbered = numbered.and_then(|(base, digits)| {
            let number = digits.parse::<u32>().ok().filter(|_| !digits.starts_with('+'))?;
            Some((base, number, digits.len()))
        });
        let (base, last, width) = numbered.unwrap_or((&self.0, 1, 1));
        let base = base.to_owned();
        (last..u32::MAX).map(move |last| {
            let tail = format!("-{:0width$}", last + 1);
            let room = Self::MAX_CHARS.saturating_sub(tail.len());
            let kept: String = base.chars().take(room).collect();
            Self(format_compact!("{}{tail}", kept.trim_end()))
        })
    }

    /// The form in which names are compared: two names with the same one are the same name.
    pub fn folded(&self) -> String {
        fold(&self.0)
    }
}

/// `text` in the form in which names are compared and searched.
pub fn fold(text: &str) -> String {
    text.to_lowercase()
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// What a token is for: up to 1,024 characters, possibly in several lines, possibly none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Description(String);

impl Description {
    pub const MAX_CHARS: usize = 1_024;

    /// The description that `text` spells; line ends are kept, blanks around it are not.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let text = text.trim();
        // Most have one line: of several, the line ends would be refused there.
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

    /// Its first line, for places with room for one.
    pub fn first_line(&self) -> &str {
        self.0.lines().next().unwrap_or_default()
    }
}

impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

fn check(text: &str, max: usize, refused: Option<char>) -> Result<(), NameError> {
    match refused {
        Some(character) if is_unsafe(character) => return Err(NameError::Unsafe { character }),
        Some(character) => return Err(NameError::Mark { character }),
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
    fn a_name_is_trimmed_and_compared_without_case() {
        let name = Name::parse("  CI Prod ").unwrap();
        assert_eq!(name.as_str(), "CI Prod");
        assert_eq!(name.folded(), Name::parse("ci prod").unwrap().folded());
    }

    #[test]
    fn a_refused_name_says_what_to_do() {
        let told = |t: &str| Name::parse(t).unwrap_err().to_string();
        assert_eq!(told("  "), "a name is needed: type 1 to 64 characters");
        assert_eq!(told(&"x".repeat(65)), "65 characters are too many: shorten it to 64");
        assert_eq!(
            told("a\u{202e}b"),
            "the character U+202E is invisible or controls the terminal: remove it"
        );
        assert_eq!(
            told(&format!("a{}", "\u{301}".repeat(5))),
            "the mark U+0301 stands on nothing or on too many others: remove it"
        );
        assert_eq!(
            told("a\tb"),
            "the character U+0009 is invisible or controls the terminal: remove it"
        );
    }

    #[test]
    fn a_name_is_followed_by_names_with_a_number() {
        let next = |text: &str| {
            let name = Name::parse(text).unwrap();
            name.following().take(2).map(|name| name.to_string()).collect::<Vec<_>>()
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
    fn sixty_four_wide_characters_are_a_name() {
        assert!(Name::parse(&"鍵".repeat(64)).is_ok());
    }

    #[test]
    fn a_description_keeps_its_lines_but_no_escape() {
        let text = Description::parse("first\r\nsecond\n").unwrap();
        assert_eq!(text.as_str(), "first\nsecond");
        assert_eq!(text.first_line(), "first");
        assert_eq!(Description::parse("a\u{1b}b"), Err(NameError::Unsafe { character: '\u{1b}' }));
        assert!(Description::parse(&"x".repeat(1_025)).is_err());
    }

    proptest! {
        #[test]
        fn parse_after_print_is_the_same_name(text in any::<String>()) {
            if let Ok(name) = Name::parse(&text) {
                prop_assert_eq!(Name::parse(name.as_str()), Ok(name));
            }
        }
    }
}
