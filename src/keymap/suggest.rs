//! Suggestions for an unknown word: the most similar known word, or else all known words. Called for
//! the names in the config file.

use strsim::levenshtein;

/// The advice for the unknown word `given`: the nearest of `known`, or else all of them.
pub fn advice<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    match nearest(given, known.iter().copied()) {
        Some(word) => format!("did you mean `{word}`?"),
        None => format!("choose one of {}", known.join(", ")),
    }
}

/// Returns the word of `known` with the smallest edit distance to `given`. Returns `None` if every
/// distance exceeds a third of the length of the known word.
pub fn nearest<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded = given.to_lowercase().replace('_', "-");
    let letters = folded.chars().count();
    let limit = |word: &str| (word.len() / 3).max(1);
    known
        .into_iter()
        // The distance is at least the difference in length: skip the costly comparison.
        .filter(|word| letters.abs_diff(word.chars().count()) <= limit(word))
        .map(|word| (levenshtein(&folded, word), word))
        .filter(|(distance, word)| *distance <= limit(word))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn similar_words_are_suggested_and_others_are_not() {
        let known = ["theme", "glyphs", "allow-never", "store"];
        assert_eq!(nearest("thema", known), Some("theme"));
        assert_eq!(nearest("Glyph", known), Some("glyphs"));
        assert_eq!(nearest("allow_never", known), Some("allow-never"));
        assert_eq!(nearest("colour", known), None);
        assert_eq!(advice("stor", known), "did you mean `store`?");
        assert_eq!(advice("x", ["a1b", "c2d"]), "choose one of a1b, c2d");
    }
}
