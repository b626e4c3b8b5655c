//! Which characters may reach a terminal: the one rule behind names, entities and all output.
//! Input with an unsafe character is refused; output escapes it. Called by the value types of
//! the domain and by everything that prints text it did not write itself.

use std::borrow::Cow;

/// Whether `c` can change what a terminal shows beside its own cell: control characters,
/// bidirectional controls, zero-width and tag characters, line and paragraph separators.
///
/// The list is that of CVE-2021-42574 and of `utf8.c` in OpenSSH, with the tag block added.
pub fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{00ad}'
                | '\u{034f}'
                | '\u{061c}'
                | '\u{115f}'
                | '\u{1160}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{3164}'
                | '\u{fe00}'..='\u{fe0e}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

/// `text` with every unsafe character written as `\u{…}`; borrowed when there is none.
pub fn escape(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if is_unsafe(c) {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ordinary_text_of_any_script_is_left_alone() {
        for text in ["ci-prod", "søk og finn", "日本語", "emoji 🔑", "a b"] {
            assert!(matches!(escape(text), Cow::Borrowed(t) if t == text));
        }
    }

    #[test]
    fn what_moves_hides_or_reorders_is_escaped() {
        assert_eq!(escape("a\u{1b}[2J"), "a\\u{1b}[2J");
        assert_eq!(escape("x\u{202e}y"), "x\\u{202e}y");
        assert_eq!(escape("zero\u{200b}width"), "zero\\u{200b}width");
        assert_eq!(escape("c1\u{9b}1m"), "c1\\u{9b}1m");
    }

    proptest! {
        #[test]
        fn escaped_text_holds_nothing_unsafe(text in any::<String>()) {
            prop_assert!(!escape(&text).chars().any(is_unsafe));
        }
    }
}
