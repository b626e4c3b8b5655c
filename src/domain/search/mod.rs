//! What a search finds: free words beside terms such as `status:expired` and `idle>90d`, held
//! against a token, or against what a list knows of one without its record. How it is written is
//! `grammar`'s. Called by the list and by `list --search`.

mod grammar;

use std::borrow::Cow;

pub use self::grammar::{SearchError, TERMS};
use super::{
    Actor, Timestamp,
    decision::{AccessRequest, allows},
    lifetime::Span,
    name::fold,
    query::StatusFilter,
    scope::{Entity, Scope, Scopes},
    token::{Status, Token},
};

/// What a token must be to be found: every one of these terms. None at all finds everything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Search {
    terms: Vec<Term>,
}

/// One term; `-` before it finds the others.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Term {
    negated: bool,
    what: Predicate,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Predicate {
    /// Stands somewhere in name, id or description.
    Words(String),
    Name(Value),
    Id(Value),
    By(Value),
    Status(StatusFilter),
    Scope(ScopePredicate),
    May(AccessRequest),
    Unused,
    Unclaimed,
    /// How long ago it was last used, or issued if it never was.
    Idle(Threshold),
    /// How long an active one still has.
    Expiring(Threshold),
}

/// What a scope is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum ScopePredicate {
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
struct Threshold {
    more: bool,
    span: Span,
}

impl Search {
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Whether it says itself which statuses are found: then no other filter of them applies.
    pub fn names_status(&self) -> bool {
        self.terms.iter().any(|term| matches!(term.what, Predicate::Status(_)))
    }

    pub fn asks_for_scopes(&self) -> bool {
        self.terms.iter().any(|term| matches!(term.what, Predicate::Scope(_) | Predicate::May(_)))
    }

    pub fn asks_for_maker(&self) -> bool {
        self.terms.iter().any(|term| matches!(term.what, Predicate::By(_)))
    }

    /// Whether words that must be found are all that it asks for.
    pub fn is_words(&self) -> bool {
        self.terms.iter().all(|term| matches!(term.what, Predicate::Words(_)) && !term.negated)
    }

    /// The words that must stand in name, id or description, folded.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.terms.iter().filter_map(|term| match &term.what {
            Predicate::Words(words) if !term.negated => Some(words.as_str()),
            _ => None,
        })
    }

    pub fn matches(&self, token: &Token, at: Timestamp) -> bool {
        self.is_empty()
            || self.fits_scopes(&token.scopes)
                && self.fits_maker(&token.created_by)
                && self.fits(&Facts::of(token, at), || Texts::of(token))
    }

    /// Whether a token with these scopes can be found. What is asked of scopes is asked of one
    /// scope together: `type:channels op:publish` finds who publishes on channels.
    pub fn fits_scopes(&self, scopes: &Scopes) -> bool {
        let wanted: Vec<&ScopePredicate> =
            self.terms.iter().filter_map(Term::wanted_part).collect();
        let some_one = wanted.is_empty()
            || scopes.iter().any(|scope| wanted.iter().all(|part| part.fits(scope)));
        some_one
            && self.terms.iter().all(|term| match &term.what {
                Predicate::Scope(part) if term.negated => {
                    !scopes.iter().any(|scope| part.fits(scope))
                }
                Predicate::May(request) => {
                    scopes.iter().any(|scope| allows(scope, request)) != term.negated
                }
                _ => true,
            })
    }

    /// Whether a token that `maker` made can be found.
    pub fn fits_maker(&self, maker: &Actor) -> bool {
        let names = [Some(&maker.user), maker.sudo_user.as_ref(), maker.from.as_ref()];
        let is_called =
            |value: &Value| names.into_iter().flatten().any(|name| value.is_in(&fold(name)));
        self.terms.iter().all(|term| match &term.what {
            Predicate::By(value) => is_called(value) != term.negated,
            _ => true,
        })
    }

    /// Whether a token of which these facts are known can be found, whatever its scopes and
    /// whoever made it. Its texts are asked for only where they matter.
    pub fn fits<'a>(&self, facts: &Facts, texts: impl Fn() -> Texts<'a>) -> bool {
        self.terms.iter().all(|term| term.what.holds(facts, &texts) != Some(term.negated))
    }
}

/// The texts of a token, folded.
#[derive(Debug, Clone)]
pub struct Texts<'a> {
    pub name: Cow<'a, str>,
    pub id: Cow<'a, str>,
    pub description: Cow<'a, str>,
}

impl<'a> Texts<'a> {
    fn of(token: &'a Token) -> Self {
        Self {
            name: token.name.folded().into(),
            id: fold(token.id.as_str()).into(),
            description: fold(token.description.as_str()).into(),
        }
    }
}

/// What is known of a token at an instant, apart from its texts, its scopes and its maker.
#[derive(Debug, Clone)]
pub struct Facts {
    pub status: Status,
    /// When its present secret was issued.
    pub issued: Timestamp,
    /// When it expires; `None` for never.
    pub expires: Option<Timestamp>,
    /// When it was last used; `None` for never.
    pub last_used: Option<Timestamp>,
    /// Whether somebody confirmed to have its secret.
    pub claimed: bool,
    pub at: Timestamp,
}

impl Facts {
    fn of(token: &Token, at: Timestamp) -> Self {
        Self {
            status: token.status(at),
            issued: token.issued,
            expires: token.expires,
            last_used: token.last_use().map(|used| used.at),
            claimed: token.delivered,
            at,
        }
    }
}

impl Term {
    /// What it wants of a scope, if that is what it is about.
    fn wanted_part(&self) -> Option<&ScopePredicate> {
        match &self.what {
            Predicate::Scope(part) if !self.negated => Some(part),
            _ => None,
        }
    }
}

impl Predicate {
    /// Whether it is so by these facts; `None` if they do not tell.
    fn holds<'a>(&self, facts: &Facts, texts: &impl Fn() -> Texts<'a>) -> Option<bool> {
        Some(match self {
            Self::Words(words) => {
                let Texts { name, id, description } = texts();
                [name, id, description].iter().any(|text| text.contains(words))
            }
            Self::Name(value) => value.is_in(&texts().name),
            Self::Id(value) => value.is_in(&texts().id),
            Self::Status(filter) => filter.shows(facts.status, false),
            Self::By(_) | Self::Scope(_) | Self::May(_) => return None,
            Self::Unused => facts.last_used.is_none(),
            Self::Unclaimed => !facts.claimed,
            Self::Idle(bound) => bound.holds(facts.at, facts.last_used.unwrap_or(facts.issued)),
            Self::Expiring(bound) => {
                facts.status == Status::Active
                    && facts.expires.is_some_and(|end| bound.holds(end, facts.at))
            }
        })
    }
}

impl ScopePredicate {
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

impl Threshold {
    /// Whether from `since` to `until` it is more, or less, than the span.
    fn holds(self, until: Timestamp, since: Timestamp) -> bool {
        let took = until - since;
        if self.more { took > self.span.as_delta() } else { took < self.span.as_delta() }
    }
}

#[cfg(test)]
mod tests;
