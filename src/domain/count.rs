//! Counts in text for people: thousands separators and plurals. JSON prints plain numbers instead.
//! Called by every layer that builds a message.

use std::fmt::Display;

/// An integer with commas between groups of three digits: `1,234`.
pub fn grouped(count: impl Display) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Formats an integer with its noun. The noun gets an `s` unless the integer is 1: `1 token`,
/// `1,234 tokens`.
pub fn counted(count: impl Display, noun: &str) -> String {
    let count = grouped(count);
    let plural = if count == "1" { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

/// The numbers of added and removed things that are not zero: `2 added, 1 removed`.
pub fn added_and_removed(added: usize, removed: usize) -> String {
    let counts =
        [(added, "added"), (removed, "removed")].into_iter().filter(|(count, _)| *count > 0);
    let texts: Vec<_> = counts.map(|(count, word)| format!("{} {word}", grouped(count))).collect();
    texts.join(", ")
}

/// Joins at most `max` of `texts` with commas. Adds `, ...` if `total`, the number of all, is more.
pub fn list_first<'a>(
    texts: impl IntoIterator<Item = &'a str>,
    max: usize,
    total: usize,
) -> String {
    let more = if total > max { ", ..." } else { "" };
    texts.into_iter().take(max).collect::<Vec<_>>().join(", ") + more
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_is_singular() {
        assert_eq!(counted(0, "token"), "0 tokens");
        assert_eq!(counted(1, "token"), "1 token");
        assert_eq!(counted(2, "token"), "2 tokens");
        assert_eq!(counted(1_234, "token"), "1,234 tokens");
    }

    #[test]
    fn digits_are_grouped_by_three() {
        for (count, text) in
            [(999, "999"), (1_000, "1,000"), (12_345, "12,345"), (1_000_000, "1,000,000")]
        {
            assert_eq!(grouped(count), text);
        }
    }
}
