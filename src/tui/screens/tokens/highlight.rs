//! Search words in a text: which characters match, so that the table can highlight them. The words
//! are case-folded, as in the search.

use unicode_segmentation::UnicodeSegmentation as _;

use crate::domain::name::fold;

/// Splits `text` into runs, each with whether it is a match of one of the case-folded `words`.
pub(super) fn split_matches<'a>(text: &'a str, words: &[&str]) -> Vec<(&'a str, bool)> {
    // The folded text, and for each of its bytes the grapheme of `text` that it belongs to.
    let (mut folded, mut graphemes_of_bytes) = (String::new(), Vec::new());
    let graphemes: Vec<(usize, &str)> = text.grapheme_indices(true).collect();
    for (number, (_, grapheme)) in graphemes.iter().enumerate() {
        folded.push_str(&fold(grapheme));
        graphemes_of_bytes.resize(folded.len(), number);
    }
    let mut is_match = vec![false; graphemes.len()];
    for word in words.iter().filter(|word| !word.is_empty()) {
        for (at, found) in folded.match_indices(*word) {
            for number in graphemes_of_bytes.iter().skip(at).take(found.len()) {
                if let Some(flag) = is_match.get_mut(*number) {
                    *flag = true;
                }
            }
        }
    }
    let mut runs: Vec<(usize, bool)> = Vec::new();
    for ((start, _), flag) in graphemes.iter().zip(is_match) {
        if runs.last().is_none_or(|(_, last)| *last != flag) {
            runs.push((*start, flag));
        }
    }
    let ends = runs.iter().skip(1).map(|(start, _)| *start).chain([text.len()]);
    let pairs = runs.iter().zip(ends);
    pairs.filter_map(|((start, flag), end)| Some((text.get(*start..end)?, *flag))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_ignore_case_and_may_overlap() {
        assert_eq!(split_matches("CI-deploy", &["ci"]), [("CI", true), ("-deploy", false)]);
        assert_eq!(split_matches("abcd", &["abc", "bcd"]), [("abcd", true)]);
        assert_eq!(split_matches("Straße", &["ss"]), [("Stra", false), ("ß", true), ("e", false)]);
        assert_eq!(split_matches("plain", &[]), [("plain", false)]);
        assert_eq!(split_matches("", &["x"]), []);
    }
}
