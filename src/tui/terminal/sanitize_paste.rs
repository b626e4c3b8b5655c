//! Makes pasted text safe for a field.
//!
//! Removes escape sequences and the characters that `domain::terminal_text` classifies as unsafe.
//! Text fields call it; the app handles a paste outside of fields.

use std::iter::Peekable;
use std::str::Chars;

use crate::domain::terminal_text::{escape_with, first_unsafe, is_unsafe};

/// Maximum length of a paste into a field, in bytes.
pub const PASTE_LIMIT: usize = 64 * 1024;

/// Removes invisible characters from `text` and truncates it to [`PASTE_LIMIT`] bytes.
///
/// A line break becomes `\n` if `multi_line`, else a space. Line breaks at the end of a one-line
/// paste are removed, because they come from copying a whole line. A tab becomes a space.
pub fn clean_paste(text: &str, multi_line: bool) -> String {
    let text = if multi_line { text } else { text.trim_end_matches(['\r', '\n']) };
    // Allocate once: growing would leave copies of a pasted secret in freed memory.
    let mut clean = String::with_capacity(text.len().min(PASTE_LIMIT));
    let mut rest = text.chars().peekable();
    while let Some(char) = rest.next() {
        let kept = match char {
            '\x1b' => {
                skip_sequence(&mut rest);
                continue;
            }
            '\r' => {
                rest.next_if_eq(&'\n');
                line_end(multi_line)
            }
            '\n' | '\u{85}' | '\u{2028}' | '\u{2029}' => line_end(multi_line),
            '\t' => ' ',
            other if is_unsafe(other) => continue,
            other => other,
        };
        if clean.len() + kept.len_utf8() > PASTE_LIMIT {
            break;
        }
        clean.push(kept);
    }
    if clean.split('\n').all(|line| first_unsafe(line).is_none()) {
        return clean;
    }
    let lines: Vec<_> = clean.split('\n').map(|line| escape_with(line, |_, _| {})).collect();
    lines.join("\n")
}

fn line_end(multi_line: bool) -> char {
    if multi_line { '\n' } else { ' ' }
}

/// Skips the rest of an escape sequence; otherwise coloured text would leave `[31m` in the field.
fn skip_sequence(rest: &mut Peekable<Chars<'_>>) {
    match rest.next_if(char::is_ascii_graphic) {
        Some('[') => {
            while rest.next_if(|char| matches!(char, ' '..='?')).is_some() {}
            rest.next_if(|char| matches!(char, '@'..='~'));
        }
        // OSC, DCS, SOS, PM and APC strings end at BEL or at the next ESC, whose `\` is skipped as
        // a sequence of its own. A line break means that the string was not terminated.
        Some(']' | 'P' | 'X' | '^' | '_') => {
            while rest.next_if(|char| !matches!(char, '\x07' | '\x1b' | '\r' | '\n')).is_some() {}
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn line_breaks_become_spaces_in_a_one_line_field() {
        assert_eq!(clean_paste("ci-deploy\r\n", false), "ci-deploy");
        assert_eq!(clean_paste("one\r\ntwo\nthree\rfour\n\n", false), "one two three four");
        assert_eq!(clean_paste("one\r\ntwo\rthree\n", true), "one\ntwo\nthree\n");
    }

    #[test]
    fn escape_sequences_are_removed() {
        assert_eq!(clean_paste("\x1b[1;31mred\x1b[0m", false), "red");
        assert_eq!(clean_paste("a\x1b]0;title\x07b\x1b]52;c;eA==\x1b\\c\x1bcd", false), "abcd");
        assert_eq!(clean_paste("a\u{9b}31mb\x1b", false), "a31mb");
        assert_eq!(clean_paste("\x1b]never closed\nnext", true), "\nnext");
    }

    #[test]
    fn invisible_characters_are_removed() {
        assert_eq!(clean_paste("a\u{202e}b\u{200b}c\u{feff}d\0e\x7ff\tg", false), "abcdef g");
        assert_eq!(clean_paste("Grüße 日本 🔑", false), "Grüße 日本 🔑");
    }

    #[test]
    fn stacked_combining_marks_are_limited() {
        let pile = "\u{301}".repeat(9);
        let clean = clean_paste(&format!("{pile}e{pile}\n{pile}x"), true);
        assert_eq!(clean, "e\u{301}\u{301}\u{301}\u{301}\nx");
    }

    #[test]
    fn cleaning_is_idempotent_with_combining_marks() {
        // Found by the fuzz target `input`.
        let fuzzed = "\x01\u{fff6}\0\u{fff6}\0\x07\u{73c}\u{fffd}";
        let four = "\u{301}".repeat(4);
        let pile = format!("e{four}\u{115f}{four}");
        for (text, expected) in [(fuzzed, "\u{fffd}"), (&pile, &pile[..9])] {
            assert_eq!(clean_paste(text, false), expected);
            assert_eq!(clean_paste(expected, false), expected);
        }
    }

    #[test]
    fn a_paste_is_truncated_between_characters() {
        let clean = clean_paste(&"ä".repeat(PASTE_LIMIT), false);
        assert_eq!(clean.len(), PASTE_LIMIT);
        let clean = clean_paste(&format!("x{}", "ä".repeat(PASTE_LIMIT)), false);
        assert_eq!(clean.len(), PASTE_LIMIT - 1);
    }

    proptest! {
        #[test]
        fn one_line_cleaning_is_idempotent_and_removes_controls(
            text in "(\\PC|\x1b|\n|\r|[\\[\\];mA0-9])*"
        ) {
            let clean = clean_paste(&text, false);
            prop_assert!(!clean.chars().any(char::is_control));
            prop_assert_eq!(&clean_paste(&clean, false), &clean);
        }
    }
}
