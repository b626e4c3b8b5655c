//! How a search is written: terms apart by blanks, quotes, a key and its value, a dash before
//! what is not wanted; and how it is printed so that it reads back the same. Refuses a term that
//! it does not know, with what to write instead. Part of the search.

use std::fmt;

use super::{Predicate, ScopePredicate, Search, Term, Threshold, Value};
use crate::domain::{Scope, ScopeError, StatusFilter, name::fold, terminal_text::escape};

/// The terms, in one line for a help or a refusal.
pub const TERMS: &str = "status: type: op: entity: domain: may: name: id: by: idle> idle< \
                         expiring< expiring> unused unclaimed wildcard";

/// Why a search could not be read; the text stands beside the field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SearchError {
    #[error("{term} is no term: choose of {TERMS}, or put it in \"quotes\"", term = escape(.0))]
    Unknown(String),
    /// The term is known, what follows is not.
    #[error("{term} wants {wanted}", term = escape(.term))]
    Value {
        term: String,
        /// What can follow.
        wanted: &'static str,
    },
    #[error("{term}: {fault}", term = escape(.term))]
    Scope { term: String, fault: ScopeError },
}

impl Search {
    /// Reads `text`: terms apart by blanks, in quotes what has blanks or would be a term, a
    /// value in quotes for exactly that one, `-` before what is not wanted.
    pub fn parse(text: &str) -> Result<Self, SearchError> {
        let (search, fault) = Self::read(text);
        fault.map_or(Ok(search), Err)
    }

    /// Reads `text` as far as it can be read: the terms without those that mean nothing, and
    /// what is wrong with the first of these. For a text that is still being typed.
    pub fn read(text: &str) -> (Self, Option<SearchError>) {
        let (mut terms, mut fault) = (Vec::new(), None);
        let mut rest = text.trim_start();
        while !rest.is_empty() {
            let (term, after) = Term::read(rest);
            match term {
                Ok(term) => terms.extend(term),
                Err(error) => drop(fault.get_or_insert(error)),
            }
            rest = after.trim_start();
        }
        (Self { terms }, fault)
    }
}

impl fmt::Display for Search {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, term) in self.terms.iter().enumerate() {
            let blank = if at == 0 { "" } else { " " };
            let dash = if term.negated { "-" } else { "" };
            write!(f, "{blank}{dash}{}", term.what)?;
        }
        Ok(())
    }
}

impl Term {
    /// The term at the start of `text`, none for empty quotes, and what follows it.
    fn read(text: &str) -> (Result<Option<Self>, SearchError>, &str) {
        let bare = text.strip_prefix('-').filter(|rest| !starts_blank(rest));
        let (negated, body) = bare.map_or((false, text), |rest| (true, rest));
        let term = |what| Some(Self { negated, what });
        if body.starts_with('"') {
            let (words, rest) = quoted(body);
            let words = fold(&words);
            return (Ok(if words.is_empty() { None } else { term(Predicate::Words(words)) }), rest);
        }
        let Some((key, sign, after)) = keyed(body) else {
            let (word, rest) = word(body);
            return (Ok(term(Predicate::bare(word))), rest);
        };
        let (value, rest) = if after.starts_with('"') {
            let (text, rest) = quoted(after);
            (Value { text, whole: true }, rest)
        } else {
            let (text, rest) = word(after);
            (Value { text: text.to_owned(), whole: false }, rest)
        };
        let written = text.get(..text.len() - rest.len()).unwrap_or(text);
        (Predicate::keyed(key, sign, &value, written).map(term), rest)
    }
}

impl Predicate {
    /// What a word without a sign means.
    fn bare(word: &str) -> Self {
        let folded = fold(word);
        match folded.as_str() {
            "unused" => Self::Unused,
            "unclaimed" => Self::Unclaimed,
            "wildcard" => Self::Scope(ScopePredicate::Wildcard),
            _ => Self::Words(folded),
        }
    }

    /// What `key`, `sign` and `value` mean together; `term` is the whole as it was written.
    fn keyed(key: &str, sign: char, value: &Value, term: &str) -> Result<Self, SearchError> {
        let key = fold(key);
        let wants = |wanted| SearchError::Value { term: term.to_owned(), wanted };
        let folded = |wanted| {
            let value = Value { text: fold(&value.text), whole: value.whole };
            if value.text.is_empty() { Err(wants(wanted)) } else { Ok(value) }
        };
        Ok(match (key.as_str(), sign) {
            ("status", ':') => {
                let wanted = "active, expired, revoked or all";
                let text = folded(wanted)?.text;
                let starts = |filter: &StatusFilter| fold(filter.as_str()).starts_with(&text);
                let found = StatusFilter::STATUSES.into_iter().find(starts);
                Self::Status(found.ok_or_else(|| wants(wanted))?)
            }
            ("type", ':') => {
                Self::Scope(ScopePredicate::Type(folded("an entity type, as type:channels")?))
            }
            ("op", ':') => {
                Self::Scope(ScopePredicate::Operation(folded("an operation, as op:publish")?))
            }
            ("entity", ':') => {
                Self::Scope(ScopePredicate::Entity(folded("an id, as entity:c-42")?))
            }
            ("domain", ':') => {
                Self::Scope(ScopePredicate::Domain(folded("a domain, as domain:factory")?))
            }
            ("name", ':') => Self::Name(folded("a part of a name")?),
            ("id", ':') => Self::Id(folded("a part of an id")?),
            ("by", ':') => Self::By(folded("who made it, as by:alice")?),
            ("may", ':') => {
                let fault = |fault| SearchError::Scope { term: term.to_owned(), fault };
                let scope: Scope = value.text.parse().map_err(fault)?;
                Self::May(scope.into())
            }
            ("idle", _) => {
                Self::Idle(bound(sign, value).ok_or_else(|| wants("a time, as idle>90d"))?)
            }
            ("expiring", _) => {
                Self::Expiring(bound(sign, value).ok_or_else(|| wants("a time, as expiring<7d"))?)
            }
            _ => return Err(SearchError::Unknown(term.to_owned())),
        })
    }
}

impl fmt::Display for Predicate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Words(words) => {
                // A word that would be read as something else is quoted.
                let plain = !words.starts_with(['-', '"'])
                    && !words.contains(char::is_whitespace)
                    && keyed(words).is_none()
                    && Self::bare(words) == *self;
                if plain { f.write_str(words) } else { quote(words, f) }
            }
            Self::Name(value) => write!(f, "name:{value}"),
            Self::Id(value) => write!(f, "id:{value}"),
            Self::By(value) => write!(f, "by:{value}"),
            Self::Status(filter) => write!(f, "status:{}", fold(filter.as_str())),
            Self::Scope(ScopePredicate::Type(value)) => write!(f, "type:{value}"),
            Self::Scope(ScopePredicate::Operation(value)) => write!(f, "op:{value}"),
            Self::Scope(ScopePredicate::Entity(value)) => write!(f, "entity:{value}"),
            Self::Scope(ScopePredicate::Domain(value)) => write!(f, "domain:{value}"),
            Self::Scope(ScopePredicate::Wildcard) => f.write_str("wildcard"),
            Self::May(request) => write!(f, "may:{}", request.as_scope()),
            Self::Unused => f.write_str("unused"),
            Self::Unclaimed => f.write_str("unclaimed"),
            Self::Idle(bound) => write!(f, "idle{bound}"),
            Self::Expiring(bound) => write!(f, "expiring{bound}"),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.whole { quote(&self.text, f) } else { f.write_str(&self.text) }
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.more { '>' } else { '<' }, self.span)
    }
}

fn bound(sign: char, value: &Value) -> Option<Threshold> {
    let span = value.text.parse().ok()?;
    (sign != ':').then_some(Threshold { more: sign == '>', span })
}

/// The key, the sign and what follows, if `text` starts with letters and one of the signs.
fn keyed(text: &str) -> Option<(&str, char, &str)> {
    let end = text.find(|c: char| !c.is_ascii_alphabetic()).filter(|end| *end > 0)?;
    let (key, rest) = text.split_at_checked(end)?;
    let sign = rest.chars().next().filter(|c| matches!(c, ':' | '<' | '>'))?;
    Some((key, sign, rest.get(1..)?))
}

/// What stands up to the next blank, and the rest.
fn word(text: &str) -> (&str, &str) {
    text.split_at_checked(text.find(char::is_whitespace).unwrap_or(text.len()))
        .unwrap_or((text, ""))
}

fn starts_blank(text: &str) -> bool {
    text.chars().next().is_none_or(char::is_whitespace)
}

/// What stands in the quotes that `text` starts with, and the rest. Quotes that are still open
/// reach to the end: they are being typed.
fn quoted(text: &str) -> (String, &str) {
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

fn quote(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
