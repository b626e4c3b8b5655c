//! Which characters may reach a terminal: the one rule behind names, entities and all output.
//! Input with an unsafe character is refused; output escapes it. Called by the value types of
//! the domain and by everything that prints text it did not write itself.

use std::borrow::Cow;

use unicode_width::UnicodeWidthChar as _;

/// Whether `c` can change what a terminal shows beside its own cell: control characters,
/// bidirectional controls, zero-width and tag characters, line and paragraph separators.
///
/// The list is that of CVE-2021-42574 and of `utf8.c` in OpenSSH, with all that Unicode lets a
/// renderer ignore and the format controls of music, shorthand and hieroglyphs.
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

/// Most characters without a width of their own that may stand on one that has. Every living
/// script does with fewer; a pile of them covers the lines above and below.
const MOST_MARKS: usize = 4;

/// What has been written so far, as far as it decides about the next character.
#[derive(Default, Clone, Copy)]
struct Written {
    /// Whether anything stands there on which a mark can stand.
    base: bool,
    marks: usize,
}

impl Written {
    /// Goes on with `c`; whether it must not be shown there as it is.
    fn refuses(&mut self, c: char) -> bool {
        if !is_unsafe(c) && c.width() == Some(0) {
            self.marks = self.marks.saturating_add(1);
            return !self.base || self.marks > MOST_MARKS;
        }
        *self = Self { base: true, marks: 0 };
        is_unsafe(c)
    }
}

/// The first character of `text` that must not be shown as it is: an unsafe one, or a mark that
/// stands on nothing or on a pile of others.
pub fn first_unsafe(text: &str) -> Option<char> {
    // Every record has many texts, and of most no byte is a reason to stop looking.
    if text.bytes().fold(true, |plain, byte| plain & matches!(byte, b' '..=b'~')) {
        return None;
    }
    // Of ASCII the controls alone are unsafe.
    let ascii = text.bytes().position(|it| !it.is_ascii()).unwrap_or(text.len());
    let (plain, rest) = text.split_at_checked(ascii).unwrap_or(("", text));
    let mut written = Written { base: !plain.is_empty(), marks: 0 };
    let control = plain.chars().find(char::is_ascii_control);
    control.or_else(|| rest.chars().find(|c| written.refuses(*c)))
}

/// Whether `text` has more than `max` characters.
pub fn is_longer(text: &str, max: usize) -> bool {
    // There are never more characters than bytes.
    text.len() > max && text.chars().count() > max
}

/// `text` with every such character written as `\u{…}`; borrowed when there is none.
pub fn escape(text: &str) -> Cow<'_, str> {
    escape_with(text, |c, out| out.extend(c.escape_unicode()))
}

/// `text` with every such character written by `write`, which may write nothing; borrowed when
/// there is none.
pub fn escape_with(text: &str, write: impl Fn(char, &mut String)) -> Cow<'_, str> {
    if first_unsafe(text).is_none() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len().saturating_add(8));
    let mut written = Written::default();
    for c in text.chars() {
        let before = (written, out.len());
        if !written.refuses(c) {
            out.push(c);
            continue;
        }
        write(c, &mut out);
        if out.len() == before.1 {
            // What is dropped parts nothing: marks around it would stand on one pile.
            written = before.0;
        } else {
            written.base = true;
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

/// The 32 bytes that `text` spells in 64 hexadecimal digits.
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
    fn of_ascii_the_controls_alone_are_unsafe() {
        for c in (0..=0x7f_u8).map(char::from) {
            assert_eq!(first_unsafe(&format!("a{c}")).is_some(), is_unsafe(c), "{c:?}");
            assert_eq!(first_unsafe(&format!("{c}\u{301}\u{e6}")).is_some(), is_unsafe(c), "{c:?}");
            assert_eq!(Written::default().refuses(c), is_unsafe(c), "{c:?}");
        }
    }

    #[test]
    fn ordinary_text_of_any_script_is_left_alone() {
        // The last two are Korean and Vietnamese in single marks, and Tibetan.
        let marked =
            ["\u{1112}\u{1161}\u{11ab} vie\u{302}\u{323}t", "\u{f67}\u{f71}\u{f74}\u{f83}"];
        for text in ["ci-prod", "søk og finn", "日本語", "emoji 🔑", "a b"].iter().chain(&marked)
        {
            assert!(matches!(escape(text), Cow::Borrowed(t) if t == *text));
        }
    }

    #[test]
    fn what_moves_hides_or_reorders_is_escaped() {
        assert_eq!(escape("a\u{1b}[2J"), "a\\u{1b}[2J");
        assert_eq!(escape("x\u{202e}y"), "x\\u{202e}y");
        assert_eq!(escape("zero\u{200b}width"), "zero\\u{200b}width");
        assert_eq!(escape("c1\u{9b}1m"), "c1\\u{9b}1m");
    }

    #[test]
    fn marks_stand_on_something_and_in_no_pile() {
        assert_eq!(escape("\u{301}a"), "\\u{301}a");
        let pile = format!("a{}b\u{301}", "\u{301}".repeat(6));
        assert_eq!(escape(&pile), "a\u{301}\u{301}\u{301}\u{301}\\u{301}\\u{301}b\u{301}");
        assert_eq!(first_unsafe(&pile), Some('\u{301}'));
    }

    #[test]
    fn what_is_dropped_carries_no_mark_and_parts_no_pile() {
        let drop = |text: &str| escape_with(text, |_, _| {}).into_owned();
        assert_eq!(drop("\u{200b}\u{301}a"), "a");
        let four = "\u{301}".repeat(4);
        assert_eq!(drop(&format!("e{four}\u{200b}{four}o\u{301}")), format!("e{four}o\u{301}"));
    }

    /// Any text, and text that is little but marks and what may not be shown.
    fn texts() -> impl Strategy<Value = String> {
        prop_oneof![any::<String>(), "[a\u{301}\u{fe0f}\u{200b}\u{1b}\u{1f511}]{0,20}"]
    }

    proptest! {
        #[test]
        fn where_a_text_begins_plain_makes_no_difference(text in texts()) {
            let mut written = Written::default();
            prop_assert_eq!(first_unsafe(&text), text.chars().find(|c| written.refuses(*c)));
        }

        #[test]
        fn escaped_text_holds_nothing_unsafe(text in texts()) {
            prop_assert!(!escape(&text).chars().any(is_unsafe));
            prop_assert_eq!(first_unsafe(&escape(&text)), None);
            prop_assert_eq!(first_unsafe(&escape_with(&text, |_, _| {})), None);
        }
    }
}
