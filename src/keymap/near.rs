//! The known word that an unknown one was probably meant to be, and the advice that goes into
//! an error about it. Called where the config file and its `[keys]` name things by words.

/// What to do about the unknown word `given`: the nearest of `known`, else all of them.
pub fn advice<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    match nearest(given, known.iter().copied()) {
        Some(word) => format!("did you mean `{word}`?"),
        None => format!("choose one of {}", known.join(", ")),
    }
}

/// The word of `known` that differs least from `given`, unless every one differs in more than
/// a third of its letters.
pub fn nearest<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded = given.to_lowercase().replace('_', "-");
    let letters = folded.chars().count();
    let far = |word: &str| (word.len() / 3).max(1);
    known
        .into_iter()
        // Words are as far apart as their lengths at least; what was given may be very long.
        .filter(|word| letters.abs_diff(word.chars().count()) <= far(word))
        .map(|word| (distance(&folded, word), word))
        .filter(|(distance, word)| *distance <= far(word))
        .min_by_key(|(far, _)| *far)
        .map(|(_, word)| word)
}

/// How many letters must be put in, left out or changed to make `a` into `b` (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, left) in a.chars().enumerate() {
        let mut last = i + 1;
        let mut next = vec![last];
        for (right, pair) in b.chars().zip(row.windows(2)) {
            let (diagonal, above) = match pair {
                [diagonal, above] => (*diagonal, *above),
                _ => continue,
            };
            last = (diagonal + usize::from(left != right)).min(above + 1).min(last + 1);
            next.push(last);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_its_word_and_a_stranger_does_not() {
        let known = ["theme", "glyphs", "allow-never", "store"];
        assert_eq!(nearest("thema", known), Some("theme"));
        assert_eq!(nearest("Glyph", known), Some("glyphs"));
        assert_eq!(nearest("allow_never", known), Some("allow-never"));
        assert_eq!(nearest("colour", known), None);
        assert_eq!(advice("stor", known), "did you mean `store`?");
        assert_eq!(advice("x", ["a1b", "c2d"]), "choose one of a1b, c2d");
    }

    #[test]
    fn the_distance_counts_single_letters() {
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("same", "same"), 0);
    }
}
