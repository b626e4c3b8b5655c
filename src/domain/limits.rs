//! The limits of a token: the networks from which its secret is accepted, the time from which it is
//! valid, and how often it can be used. Each limit adds one reason for denial. Called by the
//! decisions and the plans; the store keeps the number of uses that were taken.

use std::{fmt, num::NonZeroU32, str::FromStr};

use chrono::NaiveDateTime;

use super::{
    Timestamp,
    count::{counted, grouped},
    not_before::NotBefore,
    source_networks::SourceNetworks,
    terminal_text::escape,
};

/// Why a limit is invalid. Forms show the message beside the field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LimitError {
    #[error("invalid network `{}`: use e.g. 10.0.0.0/8, 192.0.2.7 or 2001:db8::/32", escape(.0))]
    MalformedNetwork(String),
    #[error("{given} has bits beyond its prefix: use {network}")]
    HostBits { given: String, network: String },
    #[error("no network is given: use e.g. 10.0.0.0/8")]
    NoNetwork,
    #[error("too many networks: a token can have at most {max}", max = SourceNetworks::MAX)]
    TooManyNetworks,
    #[error(
        "invalid time `{}`: use e.g. 2h, 2027-01-31, 2027-01-31T09:00 or 2027-01-31T09:00:00Z",
        escape(.0)
    )]
    MalformedTime(String),
    #[error("{0} is in the past: choose a later time")]
    InPast(String),
    #[error("the time is after the year 9999: choose an earlier time")]
    AfterLastYear,
    /// The secret would expire before it becomes valid.
    #[error(
        "the token would expire before it becomes valid: choose an earlier start or a longer lifetime"
    )]
    StartsAfterExpiry,
    #[error("invalid number of uses `{}`: use 1 to {max}", escape(.0), max = MaxUses::LARGEST)]
    MalformedUses(String),
}

/// How often a secret can be used: 1 to [`MaxUses::LARGEST`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MaxUses(NonZeroU32);

impl MaxUses {
    /// The largest number of uses that a limit can have.
    pub const LARGEST: u32 = 1_000_000_000;

    /// Creates a limit of `count` uses. Returns `None` for 0 and above [`MaxUses::LARGEST`].
    pub fn new(count: u32) -> Option<Self> {
        NonZeroU32::new(count).filter(|count| count.get() <= Self::LARGEST).map(Self)
    }

    pub fn get(self) -> u32 {
        self.0.get()
    }

    /// The number of uses that are left after `taken` uses.
    pub fn left(self, taken: u32) -> u32 {
        self.get().saturating_sub(taken)
    }
}

impl FromStr for MaxUses {
    type Err = LimitError;

    fn from_str(text: &str) -> Result<Self, LimitError> {
        let digits = text.trim();
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        let count = is_number.then(|| digits.parse().ok()).flatten().and_then(Self::new);
        count.ok_or_else(|| LimitError::MalformedUses(text.to_owned()))
    }
}

impl fmt::Display for MaxUses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The uses that are left, in words: `3 of 5 uses left`.
pub fn uses_left_text(left: u32, max: MaxUses) -> String {
    format!("{} of {} left", grouped(left), counted(max.get(), "use"))
}

/// The limits of a token. A limit that is `None` denies nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Hash)]
pub struct TokenLimits {
    /// The networks from which the secret is accepted.
    pub sources: Option<SourceNetworks>,
    /// The time from which the secret is valid.
    pub not_before: Option<Timestamp>,
    /// How often each secret of the token can be used while this limit is set.
    pub max_uses: Option<MaxUses>,
}

impl TokenLimits {
    /// Whether the token has no limit.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Returns the name of the first limit that allows more than the same limit of `before`, at the
    /// time `at`. Returns `None` if no limit does.
    pub fn loosened_since(&self, before: &Self, at: Timestamp) -> Option<&'static str> {
        let sources = match (&before.sources, &self.sources) {
            (None, _) => false,
            (Some(_), None) => true,
            (Some(before), Some(after)) => !before.covers(after),
        };
        // A start that has passed denies nothing any more.
        let start = before.not_before.filter(|start| at < *start);
        let not_before = start.is_some() && self.not_before < start;
        let max_uses = match (before.max_uses, self.max_uses) {
            (None, _) => false,
            (Some(_), None) => true,
            (Some(before), Some(after)) => after > before,
        };
        [("allow-from", sources), ("not-before", not_before), ("max-uses", max_uses)]
            .into_iter()
            .find_map(|(name, is_looser)| is_looser.then_some(name))
    }

    /// Returns an error if a secret that expires at `expires` would never be valid.
    pub fn check_expiry(&self, expires: Option<Timestamp>) -> Result<(), LimitError> {
        match (self.not_before, expires) {
            (Some(start), Some(end)) if start >= end => Err(LimitError::StartsAfterExpiry),
            _ => Ok(()),
        }
    }
}

/// The change of one limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LimitChange<T> {
    #[default]
    Keep,
    Remove,
    Set(T),
}

impl<T> LimitChange<T> {
    /// The limit after the change, if it was `before`.
    fn apply(self, before: Option<T>) -> Option<T> {
        match self {
            Self::Keep => before,
            Self::Remove => None,
            Self::Set(value) => Some(value),
        }
    }

    /// The change that sets the limit to `value`, or removes the limit if there is no value.
    pub fn to(value: Option<T>) -> Self {
        value.map_or(Self::Remove, Self::Set)
    }

    pub fn is_keep(&self) -> bool {
        matches!(self, Self::Keep)
    }
}

/// The changes of the limits of a token. For a new token, they apply to no limits.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LimitChanges {
    pub sources: LimitChange<SourceNetworks>,
    pub not_before: LimitChange<NotBefore>,
    pub max_uses: LimitChange<MaxUses>,
}

impl LimitChanges {
    /// Whether no limit changes.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The changes that give a new token the limits `limits`. A start that has passed at `at` is
    /// left out.
    pub fn copy_of(limits: &TokenLimits, at: Timestamp) -> Self {
        let set = |start| LimitChange::Set(NotBefore::At(start));
        let not_before = limits.not_before.filter(|start| at < *start);
        Self {
            sources: limits.sources.clone().map_or(LimitChange::Keep, LimitChange::Set),
            not_before: not_before.map_or(LimitChange::Keep, set),
            max_uses: limits.max_uses.map_or(LimitChange::Keep, LimitChange::Set),
        }
    }

    /// These changes, or those of `base` where these keep a limit.
    #[must_use]
    pub fn or(self, base: Self) -> Self {
        fn or<T>(change: LimitChange<T>, base: LimitChange<T>) -> LimitChange<T> {
            if change.is_keep() { base } else { change }
        }
        Self {
            sources: or(self.sources, base.sources),
            not_before: or(self.not_before, base.not_before),
            max_uses: or(self.max_uses, base.max_uses),
        }
    }

    /// Returns the limits after the changes of `before`. `now` is the start of a duration.
    pub fn apply(
        &self,
        before: &TokenLimits,
        now: Timestamp,
        to_utc: impl Fn(NaiveDateTime) -> Timestamp,
    ) -> Result<TokenLimits, LimitError> {
        let not_before = match self.not_before {
            LimitChange::Keep => before.not_before,
            LimitChange::Remove => None,
            LimitChange::Set(start) => Some(start.resolve(now, to_utc)?),
        };
        Ok(TokenLimits {
            sources: self.sources.clone().apply(before.sources.clone()),
            not_before,
            max_uses: self.max_uses.apply(before.max_uses),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::token::tests::at;

    fn limits(sources: &str, start: Option<i64>, uses: u32) -> TokenLimits {
        TokenLimits {
            sources: sources.parse().ok(),
            not_before: start.map(at),
            max_uses: MaxUses::new(uses),
        }
    }

    #[test]
    fn only_a_looser_limit_counts_as_loosened() {
        let before = limits("10.0.0.0/8", Some(30), 5);
        let loosened = |after: &TokenLimits| after.loosened_since(&before, at(10));
        assert_eq!(loosened(&before), None);
        assert_eq!(loosened(&limits("10.1.0.0/16", Some(40), 4)), None);
        assert_eq!(loosened(&limits("10.0.0.0/8,192.0.2.7", Some(30), 5)), Some("allow-from"));
        assert_eq!(loosened(&limits("", Some(30), 5)), Some("allow-from"));
        assert_eq!(loosened(&limits("10.0.0.0/8", Some(29), 5)), Some("not-before"));
        assert_eq!(loosened(&limits("10.0.0.0/8", None, 5)), Some("not-before"));
        assert_eq!(loosened(&limits("10.0.0.0/8", Some(30), 6)), Some("max-uses"));
        assert_eq!(loosened(&limits("10.0.0.0/8", Some(30), 0)), Some("max-uses"));
        let passed = limits("10.0.0.0/8", None, 5).loosened_since(&before, at(30));
        assert_eq!(passed, None, "the start has passed");
        assert_eq!(before.loosened_since(&TokenLimits::default(), at(10)), None);
    }

    #[test]
    fn numbers_of_uses_have_bounds() {
        for text in ["1", " 5 ", "1000000000"] {
            text.parse::<MaxUses>().unwrap();
        }
        for text in ["", "0", "-1", "+1", "1.5", "x", "1000000001", "99999999999999999999"] {
            let error = text.parse::<MaxUses>().unwrap_err().to_string();
            assert!(error.ends_with("use 1 to 1000000000"), "{text}: {error}");
        }
        assert_eq!(MaxUses::new(5).unwrap().left(7), 0);
    }

    #[test]
    fn changes_set_remove_and_keep_each_limit() {
        let before = limits("10.0.0.0/8", Some(30), 5);
        let utc = |wall: NaiveDateTime| wall.and_utc();
        let apply = |changes: &LimitChanges| changes.apply(&before, at(0), utc);
        assert_eq!(apply(&LimitChanges::default()), Ok(before.clone()));
        let removed = LimitChanges {
            sources: LimitChange::Remove,
            not_before: LimitChange::Remove,
            max_uses: LimitChange::Remove,
        };
        assert_eq!(apply(&removed), Ok(TokenLimits::default()));
        let set = LimitChanges {
            sources: LimitChange::Set("192.0.2.7".parse().unwrap()),
            not_before: LimitChange::Set("1h".parse().unwrap()),
            max_uses: LimitChange::Keep,
        };
        assert_eq!(apply(&set), Ok(limits("192.0.2.7", Some(60), 5)));
        let copy = LimitChanges::copy_of(&before, at(10));
        assert_eq!(copy.apply(&TokenLimits::default(), at(10), utc), Ok(before.clone()));
        assert!(LimitChanges::copy_of(&before, at(30)).not_before.is_keep());
        assert_eq!(removed.clone().or(set.clone()), removed);
        assert_eq!(LimitChanges::default().or(set.clone()), set);
    }

    /// All limits of a few networks, starts and numbers of uses.
    fn small_limits() -> Vec<TokenLimits> {
        let mut all = Vec::new();
        for sources in ["", "10.0.0.0/8", "10.1.0.0/16", "192.0.2.7"] {
            for start in [None, Some(0), Some(1), Some(2), Some(3)] {
                all.extend((0_u32..4).map(|uses| limits(sources, start, uses)));
            }
        }
        all
    }

    #[test]
    fn what_is_not_loosened_never_accepts_more() {
        let all = small_limits();
        let pairs = all.iter().flat_map(|before| all.iter().map(move |after| (before, after)));
        let kept = pairs.filter(|(before, after)| after.loosened_since(before, at(0)).is_none());
        for (before, after) in kept {
            let is_narrower = |accepts: &dyn Fn(&TokenLimits) -> bool| {
                assert!(accepts(before) || !accepts(after), "{before:?} {after:?}");
            };
            for address in ["10.0.0.1", "10.1.0.1", "192.0.2.7", "192.0.2.8"] {
                let address = address.parse().unwrap();
                is_narrower(&|it| it.sources.as_ref().is_none_or(|it| it.contains(address)));
            }
            for number in 0..5 {
                is_narrower(&|it| it.not_before.is_none_or(|it| it <= at(number)));
                let taken = u32::try_from(number).unwrap();
                is_narrower(&|it| it.max_uses.is_none_or(|it| it.left(taken) > 0));
            }
        }
    }
}
