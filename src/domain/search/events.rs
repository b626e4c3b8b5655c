//! Searches in the audit trail: free words and terms such as `actor:alice` and `since:7d`. The
//! grammar is that of token searches: quotes protect blanks, a leading `-` negates a term. Called by
//! the audit tab.

use chrono::{NaiveDate, NaiveTime, TimeDelta};

use super::{
    TextPattern,
    grammar::{TermBody, WrittenTerm, parse_terms, similar_term},
    secret_words::secret_start_id,
};
use crate::domain::{
    EventBody, Timestamp, lifetime::DurationMinutes, name::fold, terminal_text::escape,
};

/// The terms in one line, for hints and error messages.
pub const EVENT_TERMS: &str = "token: actor: action: since: until:";

/// Why a search is invalid. The search box shows the message beside the field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EventSearchError {
    #[error(
        "unknown term {term}{meant}: put it in \"quotes\", or use {EVENT_TERMS}",
        term = escape(.0),
        meant = similar_term(.0, EVENT_TERMS)
    )]
    UnknownTerm(String),
    /// The key of the term is known, but its value is invalid.
    #[error("{term} needs {expected}", term = escape(.term))]
    InvalidValue {
        term: String,
        /// Description of the valid values.
        expected: &'static str,
    },
}

/// A parsed search. An event matches if it matches every term.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EventSearch {
    /// Each predicate, and whether it is negated.
    terms: Vec<(bool, EventPredicate)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum EventPredicate {
    /// Name, action, actor or detail contains this text, or the text is the start of a secret of
    /// the token.
    Words(String),
    /// The name that the token had, or its id.
    Token(TextPattern),
    /// The account, the account that called sudo, or the address.
    Actor(TextPattern),
    /// The label of the action, or its first letters: `revoke` finds `revoked`.
    Action(TextPattern),
    Since(TimeBound),
    Until(TimeBound),
}

/// A limit for the time of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TimeBound {
    /// This long before the evaluation.
    Ago(DurationMinutes),
    /// This day in UTC: `since` includes it from its start, `until` up to its end.
    Day(NaiveDate),
}

impl EventSearch {
    /// Parses `text` that is still being typed. Leaves out invalid terms, and returns the search
    /// together with the error of the first invalid term.
    pub fn parse_lenient(text: &str) -> (Self, Option<EventSearchError>) {
        let (terms, first_error) = parse_terms(text, parse_term);
        (Self { terms }, first_error)
    }

    /// Parses `text`. Returns the error of the first invalid term.
    pub fn parse(text: &str) -> Result<Self, EventSearchError> {
        let (search, error) = Self::parse_lenient(text);
        error.map_or(Ok(search), Err)
    }

    /// Whether the event matches at the time `now`, from which durations count back.
    pub fn matches(&self, event: &EventBody, now: Timestamp) -> bool {
        self.terms.iter().all(|(negated, predicate)| predicate.matches(event, now) != *negated)
    }
}

/// Parses a term. Returns it with its negation, or `None` for empty quotes.
fn parse_term(
    WrittenTerm { negated, body, text }: WrittenTerm<'_>,
) -> Result<Option<(bool, EventPredicate)>, EventSearchError> {
    let words = |words: &str| {
        Some(fold(words)).filter(|words| !words.is_empty()).map(EventPredicate::Words)
    };
    let predicate = match body {
        TermBody::Quoted(inside) => words(&inside),
        TermBody::Word(word) => words(word),
        TermBody::Keyed { key, sign, value } => {
            let value = TextPattern::folded(&value.text, value.is_exact);
            Some(EventPredicate::from_key(&fold(key), sign, &value, text.trim_end())?)
        }
    };
    Ok(predicate.map(|predicate| (negated, predicate)))
}

impl EventPredicate {
    fn from_key(
        key: &str,
        sign: char,
        value: &TextPattern,
        term: &str,
    ) -> Result<Self, EventSearchError> {
        let invalid = |expected| EventSearchError::InvalidValue { term: term.to_owned(), expected };
        let filled = |expected| {
            if value.text.is_empty() { Err(invalid(expected)) } else { Ok(value.clone()) }
        };
        let time = |expected| TimeBound::parse(&value.text).ok_or_else(|| invalid(expected));
        Ok(match (key, sign) {
            ("token", ':') => Self::Token(filled("part of a name or id, e.g. token:ci")?),
            ("actor", ':') => Self::Actor(filled("a user or an address, e.g. actor:alice")?),
            ("action", ':') => Self::Action(filled("an action, e.g. action:revoke")?),
            ("since", ':') => {
                Self::Since(time("a duration or a date, e.g. since:7d or since:2026-11-24")?)
            }
            ("until", ':') => {
                Self::Until(time("a duration or a date, e.g. until:7d or until:2026-11-24")?)
            }
            _ => return Err(EventSearchError::UnknownTerm(term.to_owned())),
        })
    }

    fn matches(&self, event: &EventBody, now: Timestamp) -> bool {
        let actor = &event.actor;
        match self {
            Self::Words(words) => {
                let id = secret_start_id(words);
                if id.is_some() && id == event.token.map(|id| fold(id.as_str())).as_deref() {
                    return true;
                }
                let texts = [&event.name, event.action.as_str(), &event.detail];
                texts.into_iter().chain(actor.names()).any(|text| fold(text).contains(words))
            }
            Self::Token(value) => {
                let id = event.token.as_ref().map(|id| fold(id.as_str()));
                value.matches_within(&fold(&event.name))
                    || id.is_some_and(|id| value.matches_within(&id))
            }
            Self::Actor(value) => actor.names().any(|name| value.matches_within(&fold(name))),
            Self::Action(value) => event.action.names().iter().any(|it| value.matches_start(it)),
            Self::Since(TimeBound::Ago(span)) => event.at >= now - span.as_delta(),
            Self::Since(TimeBound::Day(day)) => event.at >= start_of(*day),
            Self::Until(TimeBound::Ago(span)) => event.at <= now - span.as_delta(),
            Self::Until(TimeBound::Day(day)) => event.at - start_of(*day) < TimeDelta::days(1),
        }
    }
}

impl TimeBound {
    fn parse(text: &str) -> Option<Self> {
        let day = |text: &str| text.parse().ok().map(Self::Day);
        text.parse().ok().map(Self::Ago).or_else(|| day(text))
    }
}

fn start_of(day: NaiveDate) -> Timestamp {
    day.and_time(NaiveTime::MIN).and_utc()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::{Actor, AuditAction, TokenId, token::tests::at};

    const DAY: i64 = 1_440;

    /// Three events: 10 days, 2 days and 1 hour before the evaluation.
    fn events() -> [EventBody; 3] {
        let body = |minutes, user: &str, name: &str, action| EventBody {
            at: at(minutes),
            actor: Actor { from: Some("192.0.2.7".into()), ..Actor::named(user) },
            token: TokenId::parse("4fKq9Zt0WbXe"),
            name: name.to_owned(),
            action,
            detail: "until tomorrow".to_owned(),
        };
        [
            body(0, "alice", "ci-deploy", AuditAction::Created),
            body(8 * DAY, "bob", "CI Prod", AuditAction::Revoked),
            body(10 * DAY - 60, "alice", "grafana", AuditAction::ScopesAdded),
        ]
    }

    fn found(text: &str) -> Vec<usize> {
        let (search, error) = EventSearch::parse_lenient(text);
        assert_eq!(error, None, "{text}");
        let events = events();
        (0..3).filter(|n| search.matches(&events[*n], at(10 * DAY))).collect()
    }

    #[test]
    fn each_term_selects_its_events() {
        for (text, expected) in [
            ("", vec![0, 1, 2]),
            ("ci", vec![0, 1]),
            ("\"ci prod\"", vec![1]),
            ("token:prod", vec![1]),
            ("token:\"grafana\"", vec![2]),
            ("token:4fkq", vec![0, 1, 2]),
            ("actor:ALICE", vec![0, 2]),
            ("-actor:alice", vec![1]),
            ("actor:192.0.2.7 ci", vec![0, 1]),
            ("action:revoke", vec![1]),
            ("action:revoked", vec![1]),
            ("action:scope", vec![2]),
            ("since:3d", vec![1, 2]),
            ("until:1d", vec![0, 1]),
            ("since:3d until:1d", vec![1]),
            ("since:2026-11-24 until:2026-11-24", vec![0]),
            ("tomorrow -ci", vec![2]),
            ("\"\"", vec![0, 1, 2]),
        ] {
            assert_eq!(found(text), expected, "{text}");
        }
    }

    #[test]
    fn an_invalid_term_is_left_out_with_its_error() {
        for (text, message) in [
            ("ci who:x", "unknown term who:x"),
            ("ci since:soon", "since:soon needs a duration or a date"),
            ("ci action:", "action: needs an action"),
        ] {
            let (search, error) = EventSearch::parse_lenient(text);
            assert!(error.unwrap().to_string().starts_with(message), "{text}");
            assert_eq!(search, EventSearch::parse_lenient("ci").0);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_parsed_without_a_panic(text in "[a-z:\"\\\\ <>0-9é-]{0,24}") {
            let (search, _) = EventSearch::parse_lenient(&text);
            for event in events() {
                search.matches(&event, at(10 * DAY));
            }
        }
    }
}
