//! Text that is safe to print on a terminal. Input and output follow one rule: value types reject
//! unsafe characters, and output escapes them. Called by the value types of the domain and by all
//! code that prints text from outside.

use std::borrow::Cow;

use unicode_width::UnicodeWidthChar as _;

/// Whether `c` can affect a terminal outside its own cell: control characters, bidirectional
/// controls, zero-width and tag characters, line and paragraph separators.
///
/// The set contains the characters of CVE-2021-42574 and of `utf8.c` in OpenSSH, the
/// default-ignorable code points of Unicode, and the format controls of music, shorthand and
/// hieroglyphs.
pub fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{00ad}'
                | '\u{034f}'
                | '\u{061c}'
                | '\u{115f}'
                | '\u{1160}'
                | '\u{17b4}'
                | '\u{17b5}'
                | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{3164}'
                | '\u{fe00}'..='\u{fe0e}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff0}'..='\u{fffb}'
                | '\u{13430}'..='\u{1343f}'
                | '\u{1bca0}'..='\u{1bca3}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

/// Maximum number of combining marks on one base character. Scripts in use today need fewer. Longer
/// stacks of marks overlap the lines above and below.
const MAX_COMBINING_MARKS: usize = 4;

/// Tracks base characters and combining marks along a text.
#[derive(Default, Clone, Copy)]
struct CombiningState {
    /// Whether there is a preceding character to which a mark can attach.
    has_base: bool,
    /// Number of combining marks since the last base character.
    marks: usize,
}

impl CombiningState {
    /// Adds `c` to the state. Returns whether `c` must be escaped at this position.
    fn rejects(&mut self, c: char) -> bool {
        if !is_unsafe(c) && c.width() == Some(0) {
            self.marks = self.marks.saturating_add(1);
            return !self.has_base || self.marks > MAX_COMBINING_MARKS;
        }
        *self = Self { has_base: true, marks: 0 };
        is_unsafe(c)
    }
}

/// Returns the first character of `text` that must be escaped. This is an unsafe character, or a
/// combining mark without a base character or beyond the maximum number of marks.
pub fn first_unsafe(text: &str) -> Option<char> {
    // Fast path, because most texts are printable ASCII. Without an early exit, the compiler
    // vectorizes the loop.
    if text.bytes().fold(true, |plain, byte| plain & matches!(byte, b' '..=b'~')) {
        return None;
    }
    // In ASCII, only control characters are unsafe.
    let ascii = text.bytes().position(|it| !it.is_ascii()).unwrap_or(text.len());
    let (plain, rest) = text.split_at_checked(ascii).unwrap_or(("", text));
    let mut state = CombiningState { has_base: !plain.is_empty(), marks: 0 };
    let control = plain.chars().find(char::is_ascii_control);
    control.or_else(|| rest.chars().find(|c| state.rejects(*c)))
}

/// Whether `text` has more than `max` characters.
pub fn is_longer(text: &str, max: usize) -> bool {
    // A text never has more characters than bytes, so a short text needs no character count.
    text.len() > max && text.chars().count() > max
}

/// Replaces each unsafe character (see [`first_unsafe`]) by `\u{…}`. Returns `text` itself,
/// borrowed, if it contains no unsafe character.
pub fn escape(text: &str) -> Cow<'_, str> {
    escape_with(text, |c, out| out.extend(c.escape_unicode()))
}

/// Replaces each unsafe character (see [`first_unsafe`]) by the output of `write`, which can be
/// empty. Returns `text` itself, borrowed, if it contains no unsafe character.
pub fn escape_with(text: &str, write: impl Fn(char, &mut String)) -> Cow<'_, str> {
    if first_unsafe(text).is_none() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len().saturating_add(8));
    let mut state = CombiningState::default();
    for c in text.chars() {
        let (previous_state, previous_len) = (state, out.len());
        if !state.rejects(c) {
            out.push(c);
            continue;
        }
        write(c, &mut out);
        if out.len() == previous_len {
            // If `write` drops the character, the marks before and after it become adjacent, so
            // count them together.
            state = previous_state;
        } else {
            state.has_base = true;
        }
    }
    Cow::Owned(out)
}

/// The ASCII form of `text`, for a terminal without UTF-8: `...` for an ellipsis, `\u{…}` for each
/// other character that is not ASCII. Returns `text` itself, borrowed, if it is ASCII.
pub fn to_ascii(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len().saturating_add(8));
    for c in text.chars() {
        match c {
            '…' => out.push_str("..."),
            c if c.is_ascii() => out.push(c),
            c => out.extend(c.escape_unicode()),
        }
    }
    Cow::Owned(out)
}

/// `bytes` as lower-case hexadecimal digits.
pub fn to_hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    let halves = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    text.extend(halves.filter_map(|half| char::from_digit(u32::from(half), 16)));
    text
}

/// Parses exactly 64 hexadecimal digits. Returns `None` for any other text.
pub fn from_hex(text: &str) -> Option<[u8; 32]> {
    let (pairs, []) = text.as_bytes().as_chunks() else { return None };
    let pairs: &[[u8; 2]; 32] = pairs.try_into().ok()?;
    let mut bytes = [0; 32];
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        let digit = |c: &u8| char::from(*c).to_digit(16).and_then(|it| u8::try_from(it).ok());
        *byte = digit(high)? << 4 | digit(low)?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn in_ascii_only_control_characters_are_unsafe() {
        for c in (0..=0x7f_u8).map(char::from) {
            assert_eq!(first_unsafe(&format!("a{c}")).is_some(), is_unsafe(c), "{c:?}");
            assert_eq!(first_unsafe(&format!("{c}\u{301}\u{e6}")).is_some(), is_unsafe(c), "{c:?}");
            assert_eq!(CombiningState::default().rejects(c), is_unsafe(c), "{c:?}");
        }
    }

    #[test]
    fn ordinary_text_of_any_script_is_unchanged() {
        // Decomposed Korean and Vietnamese, and Tibetan.
        let marked =
            ["\u{1112}\u{1161}\u{11ab} vie\u{302}\u{323}t", "\u{f67}\u{f71}\u{f74}\u{f83}"];
        for text in ["ci-prod", "søk og finn", "日本語", "emoji 🔑", "a b"].iter().chain(&marked)
        {
            assert!(matches!(escape(text), Cow::Borrowed(t) if t == *text));
        }
    }

    #[test]
    fn control_bidi_and_zero_width_characters_are_escaped() {
        assert_eq!(escape("a\u{1b}[2J"), "a\\u{1b}[2J");
        assert_eq!(escape("x\u{202e}y"), "x\\u{202e}y");
        assert_eq!(escape("zero\u{200b}width"), "zero\\u{200b}width");
        assert_eq!(escape("c1\u{9b}1m"), "c1\\u{9b}1m");
    }

    #[test]
    fn marks_need_a_base_and_are_limited_in_number() {
        assert_eq!(escape("\u{301}a"), "\\u{301}a");
        let stacked = format!("a{}b\u{301}", "\u{301}".repeat(6));
        assert_eq!(escape(&stacked), "a\u{301}\u{301}\u{301}\u{301}\\u{301}\\u{301}b\u{301}");
        assert_eq!(first_unsafe(&stacked), Some('\u{301}'));
    }

    #[test]
    fn dropped_characters_are_not_a_base_for_marks() {
        let drop = |text: &str| escape_with(text, |_, _| {}).into_owned();
        assert_eq!(drop("\u{200b}\u{301}a"), "a");
        let four = "\u{301}".repeat(4);
        assert_eq!(drop(&format!("e{four}\u{200b}{four}o\u{301}")), format!("e{four}o\u{301}"));
    }

    /// Arbitrary text, and text that consists mostly of marks and unsafe characters.
    fn texts() -> impl Strategy<Value = String> {
        prop_oneof![any::<String>(), "[a\u{301}\u{fe0f}\u{200b}\u{1b}\u{1f511}]{0,20}"]
    }

    #[test]
    fn the_ascii_form_differs_for_different_texts() {
        assert!(matches!(to_ascii("ci-prod"), Cow::Borrowed("ci-prod")));
        assert_eq!(to_ascii("café …"), "caf\\u{e9} ...");
        assert_ne!(to_ascii("café"), to_ascii("cafè"));
    }

    proptest! {
        #[test]
        fn ascii_fast_path_agrees_with_the_slow_path(text in texts()) {
            let mut state = CombiningState::default();
            prop_assert_eq!(first_unsafe(&text), text.chars().find(|c| state.rejects(*c)));
        }

        #[test]
        fn escaped_text_contains_no_unsafe_characters(text in texts()) {
            prop_assert!(!escape(&text).chars().any(is_unsafe));
            prop_assert_eq!(first_unsafe(&escape(&text)), None);
            prop_assert_eq!(first_unsafe(&escape_with(&text, |_, _| {})), None);
        }
    }
}
