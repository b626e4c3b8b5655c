//! The grammar of a search: free words beside terms such as `status:expired` and `idle>90d`.
//! Reads what an operator types, prints it back, and says whether a token matches. Refuses a
//! term that it does not know, with what to write. Called by the list and by `list --search`.

use std::fmt;

use super::{
    Moment,
    decision::{Request, allows},
    lifetime::Span,
    name::fold,
    pat::{Pat, Status},
    query::StatusFilter,
    scope::{Entity, Scope, ScopeError},
    text::escape,
};

/// The terms, in one line for a help or a refusal.
pub const TERMS: &str = "status: type: op: entity: domain: may: name: id: by: idle> idle< \
                         expiring< expiring> unused unclaimed wildcard";

/// Why a search could not be read; the text stands beside the field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SearchError {
    /// No term is called so.
    #[error("{term} is no term: choose of {TERMS}, or put it in \"quotes\"", term = escape(.0))]
    Unknown(String),
    /// The term is known, what follows is not.
    #[error("{term} wants {wanted}", term = escape(.term))]
    Value {
        /// The term as written.
        term: String,
        /// What can follow.
        wanted: &'static str,
    },
    /// What follows `may:` is no scope.
    #[error("{term}: {fault}", term = escape(.term))]
    Scope {
        /// The term as written.
        term: String,
        /// What is wrong with it.
        fault: ScopeError,
    },
}

/// What a token must be to be found: every one of these terms. None at all finds everything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Search {
    terms: Vec<Term>,
}

/// One term; `-` before it finds the others.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Term {
    negated: bool,
    what: What,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum What {
    /// Stands somewhere in name, id or description.
    Words(String),
    Name(Value),
    Id(Value),
    By(Value),
    Status(StatusFilter),
    /// Some scope is like this.
    Scope(Part),
    /// Some scope allows this.
    May(Request),
    Unused,
    Unclaimed,
    /// How long ago it was last used, or issued if it never was.
    Idle(Bound),
    /// How long an active one still has.
    Expiring(Bound),
}

/// What a scope is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Type(Value),
    Operation(Value),
    Entity(Value),
    Domain(Value),
    Wildcard,
}

/// A folded text; `whole` if it was quoted and must be all that stands there.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Value {
    text: String,
    whole: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Bound {
    more: bool,
    span: Span,
}

impl Search {
    /// Reads `text`: terms apart by blanks, in quotes what has blanks or would be a term, a
    /// value in quotes for exactly that one, `-` before what is not wanted.
    pub fn parse(text: &str) -> Result<Self, SearchError> {
        let mut terms = Vec::new();
        let mut rest = text.trim_start();
        while !rest.is_empty() {
            let (term, after) = Term::read(rest)?;
            terms.extend(term);
            rest = after.trim_start();
        }
        Ok(Self { terms })
    }

    /// Whether it finds everything.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Whether it says itself which statuses are found: then no other filter of them applies.
    pub fn names_status(&self) -> bool {
        self.terms.iter().any(|term| matches!(term.what, What::Status(_)))
    }

    /// Whether it asks for more than id, name, description, status, times and claim: for scopes
    /// or the maker, which only the whole record has.
    pub fn needs_record(&self) -> bool {
        self.terms
            .iter()
            .any(|term| matches!(term.what, What::Scope(_) | What::May(_) | What::By(_)))
    }

    /// Whether `pat` is found at `at`. What is asked of scopes is asked of one scope together:
    /// `type:channels op:publish` finds who publishes on channels.
    pub fn matches(&self, pat: &Pat, at: Moment) -> bool {
        let parts: Vec<&Part> = self.terms.iter().filter_map(Term::wanted_part).collect();
        let scoped = parts.is_empty()
            || pat.scopes.iter().any(|scope| parts.iter().all(|part| part.fits(scope)));
        let mut others = self.terms.iter().filter(|term| term.wanted_part().is_none());
        scoped && others.all(|term| term.what.holds(pat, at) != term.negated)
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
    fn read(text: &str) -> Result<(Option<Self>, &str), SearchError> {
        let bare = text.strip_prefix('-').filter(|rest| !starts_blank(rest));
        let (negated, body) = bare.map_or((false, text), |rest| (true, rest));
        let term = |what| Some(Self { negated, what });
        if body.starts_with('"') {
            let (words, rest) = quoted(body);
            let words = fold(&words);
            return Ok((if words.is_empty() { None } else { term(What::Words(words)) }, rest));
        }
        let Some((key, sign, after)) = keyed(body) else {
            let (word, rest) = word(body);
            return Ok((term(What::bare(word)), rest));
        };
        let (value, rest) = if after.starts_with('"') {
            let (text, rest) = quoted(after);
            (Value { text, whole: true }, rest)
        } else {
            let (text, rest) = word(after);
            (Value { text: text.to_owned(), whole: false }, rest)
        };
        let written = text.get(..text.len() - rest.len()).unwrap_or(text);
        Ok((term(What::keyed(key, sign, &value, written)?), rest))
    }

    /// What it wants of a scope, if that is what it is about.
    fn wanted_part(&self) -> Option<&Part> {
        match &self.what {
            What::Scope(part) if !self.negated => Some(part),
            _ => None,
        }
    }
}

impl What {
    /// What a word without a sign means.
    fn bare(word: &str) -> Self {
        let folded = fold(word);
        match folded.as_str() {
            "unused" => Self::Unused,
            "unclaimed" => Self::Unclaimed,
            "wildcard" => Self::Scope(Part::Wildcard),
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
                let starts = |filter: &StatusFilter| fold(filter.word()).starts_with(&text);
                let found = StatusFilter::ALL.into_iter().find(starts);
                Self::Status(found.ok_or_else(|| wants(wanted))?)
            }
            ("type", ':') => Self::Scope(Part::Type(folded("an entity type, as type:channels")?)),
            ("op", ':') => Self::Scope(Part::Operation(folded("an operation, as op:publish")?)),
            ("entity", ':') => Self::Scope(Part::Entity(folded("an id, as entity:c-42")?)),
            ("domain", ':') => Self::Scope(Part::Domain(folded("a domain, as domain:factory")?)),
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

    fn holds(&self, pat: &Pat, at: Moment) -> bool {
        match self {
            Self::Words(words) => {
                pat.name.folded().contains(words)
                    || fold(pat.id.as_str()).contains(words)
                    || fold(pat.description.as_str()).contains(words)
            }
            Self::Name(value) => value.is_in(&pat.name.folded()),
            Self::Id(value) => value.is_in(&fold(pat.id.as_str())),
            Self::By(value) => {
                let by = &pat.created_by;
                let mut names =
                    [Some(&by.user), by.sudo_user.as_ref(), by.from.as_ref()].into_iter().flatten();
                names.any(|name| value.is_in(&fold(name)))
            }
            Self::Status(filter) => filter.shows(pat.status(at)),
            Self::Scope(wanted) => pat.scopes.iter().any(|scope| wanted.fits(scope)),
            Self::May(request) => pat.scopes.iter().any(|scope| allows(scope, request)),
            Self::Unused => pat.last_used.is_none(),
            Self::Unclaimed => !pat.claimed,
            Self::Idle(bound) => {
                let since = pat.last_used.as_ref().map_or(pat.issued, |used| used.at);
                bound.holds(at, since)
            }
            Self::Expiring(bound) => {
                pat.status(at) == Status::Active
                    && pat.expires.is_some_and(|end| bound.holds(end, at))
            }
        }
    }
}

impl fmt::Display for What {
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
            Self::Status(filter) => write!(f, "status:{}", fold(filter.word())),
            Self::Scope(Part::Type(value)) => write!(f, "type:{value}"),
            Self::Scope(Part::Operation(value)) => write!(f, "op:{value}"),
            Self::Scope(Part::Entity(value)) => write!(f, "entity:{value}"),
            Self::Scope(Part::Domain(value)) => write!(f, "domain:{value}"),
            Self::Scope(Part::Wildcard) => f.write_str("wildcard"),
            Self::May(request) => write!(f, "may:{}", request.as_scope()),
            Self::Unused => f.write_str("unused"),
            Self::Unclaimed => f.write_str("unclaimed"),
            Self::Idle(bound) => write!(f, "idle{bound}"),
            Self::Expiring(bound) => write!(f, "expiring{bound}"),
        }
    }
}

impl Part {
    fn fits(&self, scope: &Scope) -> bool {
        match self {
            Self::Type(value) => value.starts(scope.entity_type.as_str()),
            Self::Operation(value) => value.starts(scope.operation.as_str()),
            Self::Entity(value) => value.starts(scope.entity.as_str()),
            Self::Domain(value) => {
                scope.domain.as_ref().is_some_and(|domain| value.starts(domain.as_str()))
            }
            Self::Wildcard => scope.entity == Entity::Any,
        }
    }
}

impl Value {
    /// Whether it stands anywhere in `folded`, or is the whole of it.
    fn is_in(&self, folded: &str) -> bool {
        if self.whole { folded == self.text } else { folded.contains(&self.text) }
    }

    /// Whether `text` starts with it, or is it.
    fn starts(&self, text: &str) -> bool {
        let folded = fold(text);
        if self.whole { folded == self.text } else { folded.starts_with(&self.text) }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.whole { quote(&self.text, f) } else { f.write_str(&self.text) }
    }
}

impl Bound {
    /// Whether from `since` to `until` it is more, or less, than the span.
    fn holds(self, until: Moment, since: Moment) -> bool {
        let took = until - since;
        if self.more { took > self.span.as_delta() } else { took < self.span.as_delta() }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.more { '>' } else { '<' }, self.span)
    }
}

fn bound(sign: char, value: &Value) -> Option<Bound> {
    let span = value.text.parse().ok()?;
    (sign != ':').then_some(Bound { more: sign == '>', span })
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

#[cfg(test)]
#[path = "search_tests.rs"]
mod tests;
