//! Makes pasted text safe to put into a field.
//!
//! It drops what an operator could not see or did not mean: escape sequences as a whole, and all
//! that `domain::text` takes for unsafe. Text fields call it; what a paste means elsewhere is the
//! app's matter.

use std::iter::Peekable;
use std::str::Chars;

use crate::domain::terminal_text::{escape_with, first_unsafe, is_unsafe};

/// The most that one paste may bring into a field, in bytes.
pub const PASTE_LIMIT: usize = 64 * 1024;

/// The text without anything invisible, cut at [`PASTE_LIMIT`] bytes.
///
/// Line ends become `\n` where `multi_line`, else one space each; those at the end of a one-line
/// paste are dropped, since they only come from copying a whole line. A tab becomes a space.
pub fn clean_paste(text: &str, multi_line: bool) -> String {
    let text = if multi_line { text } else { text.trim_end_matches(['\r', '\n']) };
    // Room for all of it at once: growing would leave copies of a pasted secret behind.
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

/// Drops the rest of an escape sequence, so that a coloured paste does not leave `[31m` behind.
fn skip_sequence(rest: &mut Peekable<Chars<'_>>) {
    match rest.next_if(char::is_ascii_graphic) {
        Some('[') => {
            while rest.next_if(|char| matches!(char, ' '..='?')).is_some() {}
            rest.next_if(|char| matches!(char, '@'..='~'));
        }
        // Operating system commands and their kin run to BEL or to the next ESC, whose `\` is
        // then dropped as a sequence of its own; a line end means that they were never closed.
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
    fn a_whole_line_becomes_a_field_without_its_line_end() {
        assert_eq!(clean_paste("ci-deploy\r\n", false), "ci-deploy");
        assert_eq!(clean_paste("one\r\ntwo\nthree\rfour\n\n", false), "one two three four");
        assert_eq!(clean_paste("one\r\ntwo\rthree\n", true), "one\ntwo\nthree\n");
    }

    #[test]
    fn escape_sequences_leave_nothing_behind() {
        assert_eq!(clean_paste("\x1b[1;31mred\x1b[0m", false), "red");
        assert_eq!(clean_paste("a\x1b]0;title\x07b\x1b]52;c;eA==\x1b\\c\x1bcd", false), "abcd");
        assert_eq!(clean_paste("a\u{9b}31mb\x1b", false), "a31mb");
        assert_eq!(clean_paste("\x1b]never closed\nnext", true), "\nnext");
    }

    #[test]
    fn what_cannot_be_seen_is_dropped() {
        assert_eq!(clean_paste("a\u{202e}b\u{200b}c\u{feff}d\0e\x7ff\tg", false), "abcdef g");
        assert_eq!(clean_paste("Grüße 日本 🔑", false), "Grüße 日本 🔑");
    }

    #[test]
    fn a_pile_of_marks_is_taken_down() {
        let pile = "\u{301}".repeat(9);
        let clean = clean_paste(&format!("{pile}e{pile}\n{pile}x"), true);
        assert_eq!(clean, "e\u{301}\u{301}\u{301}\u{301}\nx");
    }

    #[test]
    fn cleaning_again_changes_nothing_however_marks_are_carried() {
        // The first was found by the fuzz target `input`.
        let found = "\x01\u{fff6}\0\u{fff6}\0\x07\u{73c}\u{fffd}";
        let four = "\u{301}".repeat(4);
        let pile = format!("e{four}\u{115f}{four}");
        for (text, expected) in [(found, "\u{fffd}"), (&pile, &pile[..9])] {
            assert_eq!(clean_paste(text, false), expected);
            assert_eq!(clean_paste(expected, false), expected);
        }
    }

    #[test]
    fn a_paste_is_cut_at_the_limit_between_characters() {
        let clean = clean_paste(&"ä".repeat(PASTE_LIMIT), false);
        assert_eq!(clean.len(), PASTE_LIMIT);
        let clean = clean_paste(&format!("x{}", "ä".repeat(PASTE_LIMIT)), false);
        assert_eq!(clean.len(), PASTE_LIMIT - 1);
    }

    proptest! {
        #[test]
        fn a_one_line_paste_has_no_control_characters_and_cleaning_again_changes_nothing(
            text in "(\\PC|\x1b|\n|\r|[\\[\\];mA0-9])*"
        ) {
            let clean = clean_paste(&text, false);
            prop_assert!(!clean.chars().any(char::is_control));
            prop_assert_eq!(&clean_paste(&clean, false), &clean);
        }
    }
}
