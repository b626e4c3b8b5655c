//! The key that shows the tokens that expire within 7, 30 or 90 days. 7 days are the status filter
//! *Expiring*, the others a term at the end of the search. Called by the token list.

use crate::domain::StatusFilter;

/// The terms of the windows longer than 7 days, in the order of the key.
const TERMS: [&str; 2] = ["expires<30d", "expires<90d"];

/// The status filter and the text of the search after the next press of the key.
pub(super) fn next_window(status: StatusFilter, search: &str) -> (StatusFilter, String) {
    let (text, window) = split_window(search);
    let next = match (status, window) {
        (StatusFilter::Expiring, _) => TERMS.first(),
        (_, Some(at)) => TERMS.get(at + 1),
        (_, None) => return (StatusFilter::Expiring, text.to_owned()),
    };
    let words = [Some(text), next.copied()];
    let words = words.into_iter().flatten().filter(|word| !word.is_empty());
    (StatusFilter::Active, words.collect::<Vec<_>>().join(" "))
}

/// The number of the state of the key: 0 without a window, 1 for 7 days.
pub(super) fn window_state(status: StatusFilter, search: &str) -> usize {
    match (status, split_window(search).1) {
        (StatusFilter::Expiring, _) => 1,
        (_, Some(at)) => 2 + at,
        (_, None) => 0,
    }
}

/// The search without its window of 30 or 90 days; `None` if it has none.
pub(super) fn without_window(search: &str) -> Option<String> {
    let (rest, window) = split_window(search);
    window.map(|_| rest.to_owned())
}

/// Splits a term of [`TERMS`] off the end of the search. Returns the rest and the number of the term.
fn split_window(search: &str) -> (&str, Option<usize>) {
    let search = search.trim();
    for (at, term) in TERMS.into_iter().enumerate() {
        if let Some(rest) = search.strip_suffix(term)
            && (rest.is_empty() || rest.ends_with(' '))
        {
            return (rest.trim_end(), Some(at));
        }
    }
    (search, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Number of states of the key: no window, 7 days and [`TERMS`].
    const STATES: usize = 2 + TERMS.len();

    #[test]
    fn the_key_goes_through_all_windows_and_keeps_the_search() {
        for search in ["", "ci op:publish", "\"a  b\""] {
            let (mut status, mut text) = (StatusFilter::Active, search.to_owned());
            let mut seen = vec![];
            for _ in 0..STATES {
                (status, text) = next_window(status, &text);
                seen.push(window_state(status, &text));
                let (rest, term) = split_window(&text);
                assert_eq!((rest, term.is_some()), (search, text != search));
            }
            assert_eq!(seen, [1, 2, 3, 0]);
            assert_eq!((status, text.as_str()), (StatusFilter::Active, search));
        }
    }

    #[test]
    fn a_term_within_a_word_is_not_a_window() {
        assert_eq!(window_state(StatusFilter::All, "-expires<30d"), 0);
        assert_eq!(window_state(StatusFilter::All, "expires<30d ci"), 0);
    }
}
