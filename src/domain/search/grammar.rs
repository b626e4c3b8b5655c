//! Grammar of searches: parses and prints them. Terms are separated by blanks, quotes protect
//! blanks and signs, and a leading `-` negates a term. A printed search parses to the same search.
//! Errors for invalid terms contain the valid forms.

use std::fmt;

use strsim::osa_distance;

use super::{
    DurationThreshold, Predicate, ScopePredicate, Search, SearchTerm, TextPattern,
    secret_words::{contained_secret_id, parsed_text, secret_start_id},
};
use crate::domain::{
    Label, LabelKey, Scope, ScopeError, StatusFilter, name::fold, terminal_text::escape,
};

/// The terms in one line, for help texts and error messages.
pub const TERMS: &str = "status: op: type: label: owner: expires< idle> may: unused name: id: by: \
                         entity: domain: idle< expires> unsaved wildcard unrestricted";

/// Why a search is invalid. The search box shows the message beside the field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SearchError {
    #[error(
        "unknown term {term}{meant}: put it in \"quotes\", or use {TERMS}",
        term = escape(.0),
        meant = similar_term(.0, TERMS)
    )]
    UnknownTerm(String),
    /// The key of the term is known, but its value or sign is invalid.
    #[error("{term} needs {expected}", term = escape(.term))]
    InvalidValue {
        term: String,
        /// Description of the valid values.
        expected: &'static str,
    },
    #[error("{term}: {error}", term = escape(.term))]
    InvalidScope { term: String, error: ScopeError },
}

/// The question after a term with a wrong key, if one of `terms` is similar: ` (did you mean label:?)`.
pub(super) fn similar_term(given: &str, terms: &str) -> String {
    let key = given.trim_start_matches('-').split([':', '<', '>']).next().unwrap_or_default();
    let key_of = |term: &str| term.trim_end_matches([':', '<', '>']).to_owned();
    let distance = |term: &str| osa_distance(key, &key_of(term));
    let similar = terms.split(' ').filter(|term| distance(term) <= 1 + term.len() / 6);
    let nearest = similar.min_by_key(|term| distance(term)).filter(|_| key.len() > 2);
    nearest.map_or_else(String::new, |term| format!(" (did you mean {term}?)"))
}

impl Search {
    /// Parses `text`. Returns the error of the first invalid term.
    ///
    /// Terms are separated by blanks. Words that contain blanks, or that would be read as a term,
    /// must be quoted. The quoted value of a term must match exactly. A leading `-` negates a term.
    pub fn parse(text: &str) -> Result<Self, SearchError> {
        let (search, error) = Self::parse_lenient(text);
        error.map_or(Ok(search), Err)
    }

    /// Parses `text` that is still being typed. Ignores invalid terms, and returns the search
    /// together with the error of the first invalid term.
    pub fn parse_lenient(text: &str) -> (Self, Option<SearchError>) {
        let (terms, first_error) = parse_terms(text, SearchTerm::parse);
        (Self { terms }, first_error)
    }
}

impl fmt::Display for Search {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, term) in self.terms.iter().enumerate() {
            let blank = if at == 0 { "" } else { " " };
            let dash = if term.negated { "-" } else { "" };
            write!(f, "{blank}{dash}{}", term.predicate)?;
        }
        Ok(())
    }
}

impl SearchTerm {
    /// Parses a term. Returns `None` for empty quotes.
    fn parse(
        WrittenTerm { negated, body, text }: WrittenTerm<'_>,
    ) -> Result<Option<Self>, SearchError> {
        let predicate = match body {
            TermBody::Quoted(words) => match fold(&words) {
                words if words.is_empty() => return Ok(None),
                words => Predicate::Words(words),
            },
            TermBody::Word(word) => Predicate::from_word(word),
            TermBody::Keyed { key, sign, value } => Predicate::from_key(key, sign, &value, text)?,
        };
        Ok(Some(Self { negated, predicate }))
    }
}

impl Predicate {
    /// The predicate of a word without a key.
    fn from_word(word: &str) -> Self {
        let folded = fold(word);
        match folded.as_str() {
            "unused" => Self::Unused,
            "unsaved" => Self::Undelivered,
            "wildcard" => Self::Scope(ScopePredicate::Wildcard),
            "unrestricted" => Self::Unrestricted(None),
            _ => match contained_secret_id(&folded) {
                Some(id) => Self::SecretStart(folded.clone(), id.to_owned()),
                None => Self::Words(folded),
            },
        }
    }

    /// Returns the predicate for `key`, `sign` and `value`. `term` is the text of the whole term,
    /// which errors contain.
    fn from_key(
        key: &str,
        sign: char,
        value: &TextPattern,
        term: &str,
    ) -> Result<Self, SearchError> {
        let key = fold(key);
        let invalid = |expected| SearchError::InvalidValue { term: term.to_owned(), expected };
        let folded = |expected| {
            let value = TextPattern::folded(&value.text, value.is_exact);
            if value.text.is_empty() { Err(invalid(expected)) } else { Ok(value) }
        };
        Ok(match (key.as_str(), sign) {
            ("status", ':') => {
                let expected = "active, not-yet-valid, expired, revoked or all";
                let text = folded(expected)?.text;
                let matches = |filter: &StatusFilter| fold(filter.as_str()).starts_with(&text);
                let filter = StatusFilter::STATUSES.into_iter().find(matches);
                Self::Status(filter.ok_or_else(|| invalid(expected))?)
            }
            ("type", ':') => {
                Self::Scope(ScopePredicate::Type(folded("an entity type, e.g. type:channels")?))
            }
            ("op", ':') => {
                Self::Scope(ScopePredicate::Operation(folded("an operation, e.g. op:publish")?))
            }
            ("entity", ':') => {
                Self::Scope(ScopePredicate::Entity(folded("an id, e.g. entity:c-42")?))
            }
            ("domain", ':') => {
                Self::Scope(ScopePredicate::Domain(folded("a domain, e.g. domain:factory")?))
            }
            ("name", ':') => Self::Name(folded("part of a name, e.g. name:ci")?),
            ("id", ':') => {
                let value = folded("part of an id, e.g. id:4fKq")?;
                let id = secret_start_id(&value.text).map(str::to_owned);
                Self::Id(TextPattern { text: id.unwrap_or(value.text), ..value })
            }
            ("by", ':') => Self::By(folded("a creator, e.g. by:alice")?),
            ("owner", ':') => Self::Owner(folded("an owner, e.g. owner:ann")?),
            ("label", ':') => Self::Label(label_pattern(value).map_err(invalid)?),
            ("may", ':') => {
                folded("a scope, e.g. may:channels:c-1:publish")?;
                let invalid = |error| SearchError::InvalidScope { term: term.to_owned(), error };
                let scope: Scope = value.text.parse().map_err(invalid)?;
                Self::May(scope.into())
            }
            ("idle", _) => Self::Idle(
                parse_threshold(sign == '>' || sign == ':', value)
                    .ok_or_else(|| invalid("a duration with a unit, e.g. idle>90d"))?,
            ),
            ("expires" | "expiring", _) => Self::Expiring(
                parse_threshold(sign == '>', value)
                    .ok_or_else(|| invalid("a duration with a unit, e.g. expires<7d"))?,
            ),
            _ => return Err(SearchError::UnknownTerm(term.to_owned())),
        })
    }
}

impl fmt::Display for Predicate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Words(words) => {
                // Quote words that would parse as something else.
                let is_plain = !words.starts_with(['-', '"'])
                    && !words.contains(char::is_whitespace)
                    && split_key(words).is_none()
                    && Self::from_word(words) == *self;
                if is_plain { f.write_str(words) } else { write_quoted(words, f) }
            }
            Self::SecretStart(word, _) => f.write_str(word),
            Self::Name(value) => write!(f, "name:{value}"),
            Self::Id(value) => write!(f, "id:{value}"),
            Self::By(value) => write!(f, "by:{value}"),
            Self::Owner(value) => write!(f, "owner:{value}"),
            Self::Label(value) => write!(f, "label:{value}"),
            Self::Status(filter) => write!(f, "status:{}", fold(filter.as_str())),
            Self::Scope(ScopePredicate::Type(value)) => write!(f, "type:{value}"),
            Self::Scope(ScopePredicate::Operation(value)) => write!(f, "op:{value}"),
            Self::Scope(ScopePredicate::Entity(value)) => write!(f, "entity:{value}"),
            Self::Scope(ScopePredicate::Domain(value)) => write!(f, "domain:{value}"),
            Self::Scope(ScopePredicate::Wildcard) => f.write_str("wildcard"),
            Self::May(request) => write!(f, "may:{}", request.as_scope()),
            Self::Unrestricted(_) => f.write_str("unrestricted"),
            Self::Unused => f.write_str("unused"),
            Self::Undelivered => f.write_str("unsaved"),
            Self::Idle(bound) => write!(f, "idle{bound}"),
            Self::Expiring(bound) => write!(f, "expires{bound}"),
        }
    }
}

impl TextPattern {
    /// The case-folded pattern for `text`. A text that can only be written in quotes is exact, quoted
    /// or not: the compatibility form of some characters has a blank or a quote (`΄` is a blank with
    /// an accent).
    pub(super) fn folded(text: &str, is_exact: bool) -> Self {
        let text = fold(text);
        let needs_quotes = text.starts_with('"') || text.contains(char::is_whitespace);
        Self { text, is_exact: is_exact || needs_quotes }
    }
}

impl fmt::Display for TextPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_exact { write_quoted(&self.text, f) } else { f.write_str(&self.text) }
    }
}

impl fmt::Display for DurationThreshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.is_minimum { '>' } else { '<' }, self.span)
    }
}

/// Returns the pattern of a `label:` term, with the label in its compared form. Quotes make no
/// difference to a label with a value, so only a text that needs them is exact then. The error
/// describes the valid values.
fn label_pattern(value: &TextPattern) -> Result<TextPattern, &'static str> {
    let (key, label_value) = value.text.split_once('=').unwrap_or((&value.text, ""));
    let key: LabelKey = key.parse().map_err(|_| "a label, e.g. label:team or label:team=edge")?;
    let label_value = Label::fold_value(label_value);
    if label_value.starts_with('"') && !value.is_exact {
        return Err("quotes around the whole label, e.g. label:\"team=Edge Nord\"");
    }
    let key = fold(key.as_str());
    if !value.text.contains('=') {
        return Ok(TextPattern { text: key, is_exact: value.is_exact });
    }
    let is_exact = label_value.starts_with('"');
    Ok(TextPattern::folded(&[key, label_value].join("="), is_exact))
}

fn parse_threshold(is_minimum: bool, value: &TextPattern) -> Option<DurationThreshold> {
    Some(DurationThreshold { is_minimum, span: value.text.parse().ok()? })
}

/// A term as it was written.
pub(super) struct WrittenTerm<'a> {
    pub(super) negated: bool,
    pub(super) body: TermBody<'a>,
    /// The whole term, which errors contain.
    pub(super) text: &'a str,
}

/// A term without its negation.
pub(super) enum TermBody<'a> {
    /// The unescaped content of quotes.
    Quoted(String),
    Word(&'a str),
    Keyed {
        key: &'a str,
        /// The character after the key: `:`, `<` or `>`.
        sign: char,
        value: TextPattern,
    },
}

/// Parses each term of `text` with `parse`. Leaves out invalid terms, and returns the error of the
/// first one. `parse` returns `None` for a term without content.
pub(super) fn parse_terms<T, E>(
    text: &str,
    parse: impl Fn(WrittenTerm<'_>) -> Result<Option<T>, E>,
) -> (Vec<T>, Option<E>) {
    let (mut terms, mut first_error) = (Vec::new(), None);
    // An error contains its term, and must not contain a secret.
    let text = parsed_text(text);
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (term, after) = split_term(rest);
        match parse(term) {
            Ok(term) => terms.extend(term),
            Err(error) => drop(first_error.get_or_insert(error)),
        }
        rest = after.trim_start();
    }
    (terms, first_error)
}

/// Splits off the term at the start of `text`, and returns it with the rest.
fn split_term(text: &str) -> (WrittenTerm<'_>, &str) {
    let unsigned = text.strip_prefix('-').filter(|rest| !starts_with_blank(rest));
    let (negated, written) = unsigned.map_or((false, text), |rest| (true, rest));
    let (body, rest) = if written.starts_with('"') {
        let (words, rest) = split_quoted(written);
        (TermBody::Quoted(words), rest)
    } else if let Some((key, sign, after)) = split_key(written) {
        let is_exact = after.starts_with('"');
        let (text, rest) = if is_exact {
            split_quoted(after)
        } else {
            let (word, rest) = split_word(after);
            (word.to_owned(), rest)
        };
        (TermBody::Keyed { key, sign, value: TextPattern { text, is_exact } }, rest)
    } else {
        let (word, rest) = split_word(written);
        (TermBody::Word(word), rest)
    };
    let text = text.get(..text.len() - rest.len()).unwrap_or(text);
    (WrittenTerm { negated, body, text }, rest)
}

/// Splits off a key of letters and a sign (`:`, `<` or `>`). Returns key, sign and rest, or `None`
/// if `text` does not start with a key and a sign.
fn split_key(text: &str) -> Option<(&str, char, &str)> {
    let end = text.find(|c: char| !c.is_ascii_alphabetic()).filter(|end| *end > 0)?;
    let (key, rest) = text.split_at_checked(end)?;
    let sign = rest.chars().next().filter(|c| matches!(c, ':' | '<' | '>'))?;
    Some((key, sign, rest.get(1..)?))
}

/// Splits `text` before its first blank.
fn split_word(text: &str) -> (&str, &str) {
    text.split_at_checked(text.find(char::is_whitespace).unwrap_or(text.len()))
        .unwrap_or((text, ""))
}

fn starts_with_blank(text: &str) -> bool {
    text.chars().next().is_none_or(char::is_whitespace)
}

/// Splits off the quoted text at the start of `text`. Returns its unescaped content and the rest. A
/// missing closing quote is accepted, because the operator may still be typing.
fn split_quoted(text: &str) -> (String, &str) {
    let mut inside = String::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (inside, text.get(at + 1..).unwrap_or_default()),
            '\\' => inside.extend(chars.next().map(|(_, c)| c)),
            c => inside.push(c),
        }
    }
    (inside, "")
}

fn write_quoted(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
