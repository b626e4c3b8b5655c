//! Why a search finds nothing: an operator wrote `=` for `:`, left out `label:`, did not quote a blank,
//! or named a type or an operation that does not exist. Called by the empty list and by `--search`.

use std::ops::Range;

use super::{Predicate, ScopePredicate, Search, SearchTerm, TERMS};
use crate::domain::ScopeCatalogue;

/// The start of a word in a search that begins no known word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownWord<'a> {
    /// `entity type` or `operation`.
    pub kind: &'static str,
    pub start: &'a str,
    /// The known words, separated by commas.
    pub known: String,
}

impl Search {
    /// A term that was probably meant: `owner:ann` for the word `owner=ann`, `label:team=edge` for
    /// `team=edge`, and `owner:"edge team"` for `owner:edge team`.
    pub fn meant_term(&self) -> Option<String> {
        self.meant().map(|(_, term)| term)
    }

    /// A word of a term with which no entity type, or no operation, of `catalogue` begins.
    pub fn unknown_word(&self, catalogue: &ScopeCatalogue) -> Option<UnknownWord<'_>> {
        let types: Vec<_> =
            catalogue.entity_types.iter().map(|entry| entry.entity_type.as_str()).collect();
        let mut operations: Vec<_> = Vec::new();
        for operation in catalogue.entity_types.iter().flat_map(|entry| &entry.operations) {
            if !operations.contains(&operation.as_str()) {
                operations.push(operation.as_str());
            }
        }
        self.terms.iter().filter(|term| !term.negated).find_map(|term| {
            let (kind, pattern, known) = match &term.predicate {
                Predicate::Scope(ScopePredicate::Type(pattern)) => ("entity type", pattern, &types),
                Predicate::Scope(ScopePredicate::Operation(pattern)) => {
                    ("operation", pattern, &operations)
                }
                _ => return None,
            };
            let is_known = known.iter().any(|word| pattern.matches_start(word));
            let known = || known.join(", ");
            (!is_known).then(|| UnknownWord { kind, start: &pattern.text, known: known() })
        })
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
