//! Advice for a search without a match: the term that the operator may have meant. Called by the
//! empty list of the app and by `list --search`.

use super::{Predicate, Search, TextPattern, grammar::label_pattern};

impl Search {
    /// The term for a label, if a word of the search is written like one: `label:team=edge` for
    /// `team=edge`.
    pub fn meant_label(&self) -> Option<String> {
        self.words().find_map(|word| {
            let (_, value) = word.split_once('=')?;
            let written = TextPattern { text: word.to_owned(), is_exact: true };
            let pattern = label_pattern(&written).ok().filter(|_| !value.is_empty())?;
            Some(Predicate::Label(pattern).to_string())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_like_a_label_leads_to_the_term() {
        for (text, advice) in [
            ("team=edge", Some("label:team=edge")),
            ("ci Team=Edge", Some("label:team=edge")),
            ("\"team=Edge Nord\"", Some("label:\"team=edge nord\"")),
            ("label:team=edge", None),
            ("-team=edge", None),
            ("team=", None),
            ("=edge", None),
            ("edge", None),
        ] {
            let search = Search::parse(text).unwrap();
            assert_eq!(search.meant_label().as_deref(), advice, "{text}");
            if let Some(term) = advice {
                let term = Search::parse(term).unwrap();
                assert!(term.filters_ownership() && term.to_string() == advice.unwrap());
            }
        }
    }
}
