//! The last denied attempts to use the secrets of a token, each with its reason. Contains only the
//! newest [`DeniedAttempts::MAX`]. Pure; the verifier records them, the store keeps them, and all
//! front ends show them.

use compact_str::CompactString;

use super::{Timestamp, decision::Denial, labelled_enum::labels, secret_slot::SecretSlot};

labels! {
    /// The kind of a [`Denial`]. The codes are stored, and scripts rely on the labels.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    #[repr(u8)]
    pub enum DenialReason, ALL, as_str {
        Malformed = 1 => "malformed",
        Unknown = 2 => "unknown",
        Revoked = 3 => "revoked",
        Expired = 4 => "expired",
        NotYetValid = 5 => "not-yet-valid",
        SourceNotAllowed = 6 => "source-not-allowed",
        UsesExhausted = 7 => "uses-exhausted",
        StaleRecord = 8 => "stale-record",
        NoScope = 9 => "no-scope",
    }
}

impl DenialReason {
    pub fn code(self) -> u8 {
        self as u8
    }

    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.code() == code)
    }

    /// The label in words: `no scope`.
    pub fn words(self) -> String {
        self.as_str().replace('-', " ")
    }
}

impl Denial {
    pub fn reason(&self) -> DenialReason {
        match self {
            Self::Malformed(_) => DenialReason::Malformed,
            Self::Unknown => DenialReason::Unknown,
            Self::Revoked(_) => DenialReason::Revoked,
            Self::Expired(_) => DenialReason::Expired,
            Self::NotYetValid(_) => DenialReason::NotYetValid,
            Self::SourceNotAllowed(_) => DenialReason::SourceNotAllowed,
            Self::UsesExhausted(_) => DenialReason::UsesExhausted,
            Self::StaleRecord => DenialReason::StaleRecord,
            Self::NoScope(_) => DenialReason::NoScope,
        }
    }
}

/// A check that matched the secret and denied the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeniedAttempt {
    pub at: Timestamp,
    pub reason: DenialReason,
    /// The request as text; `identify` if there was none.
    pub request: CompactString,
    /// The address of the bearer, as given by the caller of the check.
    pub from: Option<CompactString>,
    /// The secret that was presented, as of that time.
    pub slot: SecretSlot,
}

/// The last denied attempts of a token, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeniedAttempts(Vec<DeniedAttempt>);

impl DeniedAttempts {
    /// The maximum number of attempts. The oldest are dropped.
    pub const MAX: usize = 5;

    /// Returns the attempts, or `None` if they are too many or not sorted by time.
    pub fn from_stored(attempts: Vec<DeniedAttempt>) -> Option<Self> {
        let is_sorted = attempts.is_sorted_by(|one, next| one.at >= next.at);
        (attempts.len() <= Self::MAX && is_sorted).then_some(Self(attempts))
    }

    /// Adds an attempt. Another process can have added a later one already.
    pub fn add(&mut self, attempt: DeniedAttempt) {
        let position = self.0.partition_point(|other| other.at > attempt.at);
        self.0.insert(position, attempt);
        self.0.truncate(Self::MAX);
    }

    pub fn as_slice(&self) -> &[DeniedAttempt] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use proptest::prelude::*;

    use super::*;

    fn attempt(second: i64) -> DeniedAttempt {
        DeniedAttempt {
            at: Timestamp::default() + TimeDelta::seconds(second),
            reason: DenialReason::NoScope,
            request: "identify".into(),
            from: None,
            slot: SecretSlot::Current,
        }
    }

    #[test]
    fn every_reason_round_trips_through_its_code() {
        for (index, reason) in (1..).zip(DenialReason::ALL) {
            assert_eq!(reason.code(), index, "codes are frozen");
            assert_eq!(DenialReason::from_code(index), Some(reason));
        }
        assert_eq!(DenialReason::from_code(0), None);
        assert_eq!(DenialReason::NotYetValid.words(), "not yet valid");
    }

    proptest! {
        #[test]
        fn the_newest_attempts_are_kept_in_order(seconds in prop::collection::vec(0_i64..20, 0..12)) {
            let mut attempts = DeniedAttempts::default();
            for second in &seconds {
                attempts.add(attempt(*second));
            }
            let mut expected = seconds;
            expected.sort_by_key(|second| std::cmp::Reverse(*second));
            expected.truncate(DeniedAttempts::MAX);
            let kept: Vec<_> = attempts.as_slice().iter().map(|it| it.at.timestamp()).collect();
            prop_assert_eq!(kept, expected);
            prop_assert_eq!(DeniedAttempts::from_stored(attempts.0.clone()), Some(attempts));
        }
    }

    #[test]
    fn unsorted_or_too_many_stored_attempts_are_refused() {
        assert_eq!(DeniedAttempts::from_stored(vec![attempt(1), attempt(2)]), None);
        assert_eq!(DeniedAttempts::from_stored(vec![attempt(1); DeniedAttempts::MAX + 1]), None);
    }
}
