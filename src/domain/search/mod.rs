//! Searches: free words and terms such as `status:expired` and `idle>90d`. A search is evaluated on
//! a token, or on the fields that a list holds instead of the whole record. `grammar` parses and
//! prints searches. Called by the list screen and by `list --search`.

mod events;
mod grammar;
mod meant_term;
mod secret_words;
mod term_forms;

use std::{borrow::Cow, sync::Arc};

pub use self::{
    events::{EVENT_TERMS, EventSearch, EventSearchError},
    grammar::{SearchError, TERMS},
    meant_term::UnknownWord,
    secret_words::{MIN_ID_CHARS, without_secrets},
    term_forms::{EVENT_TERM_FORMS, TOKEN_TERM_FORMS, TermForm, term_table},
};
use super::{
    Actor, Timestamp,
    catalogue::ScopeCatalogue,
    decision::{AccessRequest, allows},
    label::Labels,
    lifetime::DurationMinutes,
    list_query::StatusFilter,
    name::{Owner, fold},
    scope::{Entity, Scope, Scopes},
    token::{Status, Token},
};

/// A parsed search. A token matches if it matches every term; an empty search matches all tokens.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Search {
    terms: Vec<SearchTerm>,
}

/// A predicate, negated if it was written with a leading `-`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct SearchTerm {
    negated: bool,
    predicate: Predicate,
}

/// The condition of a term.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Predicate {
    /// The name or description contains this text, or the id begins with it.
    Words(String),
    /// The start of a secret: the id begins with the second text, or name or description contains
    /// the first text, because a name can have the same form.
    SecretStart(String, String),
    Name(TextPattern),
    Id(TextPattern),
    /// The creator: user, sudo user or address.
    By(TextPattern),
    /// The named owner. Without one, the user or the sudo user of the creator.
    Owner(TextPattern),
    /// A label: `KEY=VALUE` with exactly this value, `KEY=` with any value, or the start of a key.
    Label(TextPattern),
    Status(StatusFilter),
    Scope(ScopePredicate),
    /// One of the token's scopes allows this request.
    May(AccessRequest),
    /// The token's scopes allow every operation on every entity: all these requests, which
    /// [`Search::with_catalogue`] sets. Before that, no token matches.
    Unrestricted(Option<Arc<[AccessRequest]>>),
    Unused,
    Undelivered,
    /// The time since the last use. For a token that was never used, the time since the current
    /// secret was issued.
    Idle(DurationThreshold),
    /// The remaining lifetime of an active token.
    Expiring(DurationThreshold),
}

/// A condition on a scope of the token.
#[derive(Debug, Clone, PartialEq, Eq)]
enum ScopePredicate {
    Type(TextPattern),
    Operation(TextPattern),
    Entity(TextPattern),
    Domain(TextPattern),
    Wildcard,
}

/// A case-folded text to compare with a field. If `is_exact`, the value was quoted and the field
/// must equal the text.
#[derive(Debug, Clone, PartialEq, Eq)]
struct TextPattern {
    text: String,
    is_exact: bool,
}

/// A limit for a duration. The duration must be longer than `span` if `is_minimum`, otherwise
/// shorter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct DurationThreshold {
    is_minimum: bool,
    span: DurationMinutes,
}

impl Search {
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Whether the search has a `status:` term, which overrides the status filter of a list.
    pub fn filters_status(&self) -> bool {
        self.terms.iter().any(|term| matches!(term.predicate, Predicate::Status(_)))
    }

    /// Whether a term depends on the scopes.
    pub fn filters_scopes(&self) -> bool {
        self.terms.iter().any(|term| {
            matches!(
                term.predicate,
                Predicate::Scope(_) | Predicate::May(_) | Predicate::Unrestricted(_)
            )
        })
    }

    /// Whether a term depends on the creator, the owner or the labels.
    pub fn filters_ownership(&self) -> bool {
        self.terms.iter().any(|term| {
            matches!(term.predicate, Predicate::By(_) | Predicate::Owner(_) | Predicate::Label(_))
        })
    }

    /// The search for tokens of a store with this catalogue, on which the term `unrestricted`
    /// depends.
    #[must_use]
    pub fn with_catalogue(mut self, catalogue: &ScopeCatalogue) -> Self {
        for term in &mut self.terms {
            if let Predicate::Unrestricted(requests) = &mut term.predicate {
                *requests = Some(catalogue.all_requests().collect());
            }
        }
        self
    }

    /// Whether every term is a free word and not negated.
    pub fn is_words_only(&self) -> bool {
        self.terms.iter().all(|term| matches!(term.predicate, Predicate::Words(_)) && !term.negated)
    }

    /// The case-folded free words that the name, id or description must contain.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.terms.iter().filter_map(|term| match &term.predicate {
            Predicate::Words(words) if !term.negated => Some(words.as_str()),
            _ => None,
        })
    }

    /// The only term, if it is a plain word. It was compared with names, ids and descriptions.
    pub fn only_word(&self) -> Option<&str> {
        let mut words = self.words();
        let word = words.next().filter(|_| self.terms.len() == 1)?;
        (!word.contains(char::is_whitespace)).then_some(word)
    }

    /// Whether `token`, with its status at `at`, matches this search.
    pub fn matches(&self, token: &Token, at: Timestamp) -> bool {
        self.is_empty()
            || self.matches_scopes(&token.scopes)
                && self.matches_ownership(Ownership::of(token))
                && self.matches_facts(&TokenFacts::of(token, at), || SearchableTexts::of(token))
    }

    /// Evaluates the terms that depend on scopes. All other terms count as true. A single scope
    /// must match all scope terms together: `type:channels op:publish` requires one scope with
    /// both.
    pub fn matches_scopes(&self, scopes: &Scopes) -> bool {
        let required: Vec<&ScopePredicate> =
            self.terms.iter().filter_map(SearchTerm::required_scope_predicate).collect();
        let has_match = required.is_empty()
            || scopes.iter().any(|scope| required.iter().all(|it| it.matches(scope)));
        has_match
            && self.terms.iter().all(|term| match &term.predicate {
                Predicate::Scope(predicate) if term.negated => {
                    !scopes.iter().any(|scope| predicate.matches(scope))
                }
                Predicate::May(request) => {
                    scopes.iter().any(|scope| allows(scope, request)) != term.negated
                }
                Predicate::Unrestricted(requests) => {
                    let allowed = |request| scopes.iter().any(|scope| allows(scope, request));
                    requests.as_ref().is_some_and(|all| all.iter().all(allowed)) != term.negated
                }
                _ => true,
            })
    }

    /// Evaluates the terms that depend on the creator, the owner or the labels. All other terms count
    /// as true.
    pub fn matches_ownership(&self, ownership: Ownership<'_>) -> bool {
        self.terms.iter().all(|term| {
            let is_match = match &term.predicate {
                Predicate::By(pattern) => ownership.is_created_by(pattern),
                Predicate::Owner(pattern) => ownership.is_owned_by(pattern),
                Predicate::Label(pattern) => ownership.has_label(pattern),
                _ => return true,
            };
            is_match != term.negated
        })
    }

    /// Evaluates the terms that depend neither on scopes nor on the ownership. All other terms count
    /// as true. Calls `texts` only for terms that need the texts.
    pub fn matches_facts<'a>(
        &self,
        facts: &TokenFacts,
        texts: impl Fn() -> SearchableTexts<'a>,
    ) -> bool {
        self.terms.iter().all(|term| term.predicate.eval(facts, &texts) != Some(term.negated))
    }
}

/// To whom a token belongs: the fields that many tokens share.
#[derive(Debug, Clone, Copy)]
pub struct Ownership<'a> {
    pub created_by: &'a Actor,
    pub owner: &'a Owner,
    pub labels: &'a Labels,
}

impl<'a> Ownership<'a> {
    fn of(token: &'a Token) -> Self {
        Self { created_by: &token.created_by, owner: &token.owner, labels: &token.labels }
    }

    fn is_created_by(self, pattern: &TextPattern) -> bool {
        self.created_by.names().any(|name| pattern.matches_within(&fold(name)))
    }

    fn is_owned_by(self, pattern: &TextPattern) -> bool {
        let Actor { user, sudo_user, .. } = self.created_by;
        match self.owner.as_str() {
            "" => {
                let mut accounts = [Some(user), sudo_user.as_ref()].into_iter().flatten();
                accounts.any(|name| pattern.matches_within(&fold(name)))
            }
            owner => pattern.matches_within(&fold(owner)),
        }
    }

    fn has_label(self, pattern: &TextPattern) -> bool {
        self.labels.iter().any(|label| match pattern.text.split_once('=') {
            None => pattern.matches_start(label.key().as_str()),
            Some((key, "")) => fold(label.key().as_str()) == key,
            Some(_) => label.folded() == pattern.text,
        })
    }
}

/// The searchable texts of a token, folded.
#[derive(Debug, Clone)]
pub struct SearchableTexts<'a> {
    pub name: Cow<'a, str>,
    pub id: Cow<'a, str>,
    pub description: Cow<'a, str>,
}

impl<'a> SearchableTexts<'a> {
    /// Whether the name or description contains `word`, or the id begins with it. Ids are random: a
    /// short word must not match some of them, as `revoke --search` would then revoke these tokens, too.
    fn contain(&self, word: &str) -> bool {
        self.name.contains(word)
            || self.description.contains(word)
            || word.len() >= MIN_ID_CHARS && self.id.starts_with(word)
    }

    fn of(token: &'a Token) -> Self {
        Self {
            name: token.name.folded().into(),
            id: fold(token.id.as_str()).into(),
            description: fold(token.description.as_str()).into(),
        }
    }
}

/// The searchable fields of a token at an instant, except texts, scopes and ownership.
#[derive(Debug, Clone)]
pub struct TokenFacts {
    pub status: Status,
    /// When the current secret was issued.
    pub issued: Timestamp,
    /// The expiry. `None` if the token never expires.
    pub expires: Option<Timestamp>,
    /// The last use of the current or the previous secret. `None` if neither was used.
    pub last_used: Option<Timestamp>,
    /// Whether the current secret was delivered.
    pub delivered: bool,
    /// The instant of the evaluation.
    pub at: Timestamp,
}

impl TokenFacts {
    fn of(token: &Token, at: Timestamp) -> Self {
        Self {
            status: token.status(at),
            issued: token.issued,
            expires: token.expires,
            last_used: token.last_use().map(|used| used.at),
            delivered: token.delivered,
            at,
        }
    }
}

impl SearchTerm {
    /// Returns the condition on a scope. Returns `None` if the term is negated or has a predicate
    /// of another kind.
    fn required_scope_predicate(&self) -> Option<&ScopePredicate> {
        match &self.predicate {
            Predicate::Scope(predicate) if !self.negated => Some(predicate),
            _ => None,
        }
    }
}

impl Predicate {
    /// Evaluates the predicate. Returns `None` if the predicate depends on the scopes or the
    /// ownership.
    fn eval<'a>(
        &self,
        facts: &TokenFacts,
        texts: &impl Fn() -> SearchableTexts<'a>,
    ) -> Option<bool> {
        Some(match self {
            Self::Words(words) => texts().contain(words),
            Self::SecretStart(word, start_id) => {
                let texts = texts();
                texts.id.starts_with(start_id) || texts.contain(word)
            }
            Self::Name(value) => value.matches_within(&texts().name),
            Self::Id(value) => value.matches_within(&texts().id),
            Self::Status(filter) => filter.matches(facts.status, false),
            Self::By(_)
            | Self::Owner(_)
            | Self::Label(_)
            | Self::Scope(_)
            | Self::May(_)
            | Self::Unrestricted(_) => return None,
            Self::Unused => facts.last_used.is_none(),
            Self::Undelivered => !facts.delivered,
            Self::Idle(bound) => bound.eval(facts.at, facts.last_used.unwrap_or(facts.issued)),
            Self::Expiring(bound) => {
                facts.status == Status::Active
                    && facts.expires.is_some_and(|end| bound.eval(end, facts.at))
            }
        })
    }
}

impl ScopePredicate {
    fn matches(&self, scope: &Scope) -> bool {
        match self {
            Self::Type(value) => value.matches_start(scope.entity_type.as_str()),
            Self::Operation(value) => value.matches_start(scope.operation.as_str()),
            Self::Entity(value) => value.matches_start(scope.entity.as_str()),
            Self::Domain(value) => {
                scope.domain.as_ref().is_some_and(|domain| value.matches_start(domain.as_str()))
            }
            Self::Wildcard => scope.entity == Entity::Any,
        }
    }
}

impl TextPattern {
    /// Whether `folded` contains the text of the pattern, or equals this text if `is_exact`.
    fn matches_within(&self, folded: &str) -> bool {
        if self.is_exact { folded == self.text } else { folded.contains(&self.text) }
    }

    /// Whether `text`, ignoring case, starts with the text of the pattern, or equals this text if
    /// `is_exact`.
    fn matches_start(&self, text: &str) -> bool {
        let folded = fold(text);
        if self.is_exact { folded == self.text } else { folded.starts_with(&self.text) }
    }
}

impl DurationThreshold {
    /// Whether the duration from `since` to `until` satisfies the threshold.
    fn eval(self, until: Timestamp, since: Timestamp) -> bool {
        let duration = until - since;
        let limit = self.span.as_delta();
        if self.is_minimum { duration > limit } else { duration < limit }
    }
}

#[cfg(test)]
mod tests;
