//! The term that was probably meant, when a search finds nothing because an operator wrote `=` for
//! `:`, left out `label:`, or did not quote a blank. Called by the empty list and by `list --search`.

use std::ops::Range;

use super::{Predicate, Search, SearchTerm, TERMS};

impl Search {
    /// A term that was probably meant: `owner:ann` for the word `owner=ann`, `label:team=edge` for
    /// `team=edge`, and `owner:"edge team"` for `owner:edge team`.
    pub fn meant_term(&self) -> Option<String> {
        self.meant().map(|(_, term)| term)
    }

    /// This search with the term that was probably meant.
    pub fn corrected(&self) -> Option<String> {
        let (replaced, term) = self.meant()?;
        let text = |terms: Option<&[SearchTerm]>| {
            Self { terms: terms.unwrap_or_default().to_vec() }.to_string()
        };
        let (before, after) = (self.terms.get(..replaced.start), self.terms.get(replaced.end..));
        let mut parts = vec![text(before), term, text(after)];
        parts.retain(|part| !part.is_empty());
        Some(parts.join(" "))
    }

    /// The term that was probably meant, and the positions of the terms that it replaces.
    fn meant(&self) -> Option<(Range<usize>, String)> {
        let pairs = self.terms.iter().zip(self.terms.iter().skip(1)).enumerate();
        let mut pairs = pairs.filter(|(_, (one, next))| !one.negated && !next.negated);
        let quoted = pairs.find_map(|(at, (one, next))| match (&one.predicate, &next.predicate) {
            (Predicate::Owner(value), Predicate::Words(word)) => Some((at, "owner", value, word)),
            (Predicate::Name(value), Predicate::Words(word)) => Some((at, "name", value, word)),
            _ => None,
        });
        if let Some((at, key, value, word)) = quoted {
            return Some((at..at + 2, format!("{key}:\"{} {word}\"", value.text)));
        }
        let (at, (key, value)) = self.terms.iter().enumerate().find_map(|(at, term)| {
            let Predicate::Words(word) = &term.predicate else { return None };
            word.split_once('=').filter(|_| !term.negated).map(|pair| (at, pair))
        })?;
        let has_blank = |text: &str| text.is_empty() || text.contains(char::is_whitespace);
        if has_blank(key) || has_blank(value) {
            return None;
        }
        let is_key = TERMS.split(' ').any(|term| term.strip_suffix(':') == Some(key));
        let term = if is_key { format!("{key}:{value}") } else { format!("label:{key}={value}") };
        Some((at..at + 1, term))
    }
}
