//! The record of a token, its status at an instant, and its transitions as pure functions of
//! the record and the instant. Called by the service, which adds clock, store and audit.

use std::borrow::Borrow;

use chrono::TimeDelta;
use compact_str::CompactString;

use super::{
    Timestamp,
    event::Actor,
    id::TokenId,
    labels::labels,
    name::{Description, Name},
    scope::Scopes,
    secret::Digest,
};

/// Why a transition was refused; nothing was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TransitionError {
    #[error("it is revoked already, nothing was changed: regenerate it to use it again")]
    AlreadyRevoked,
    /// An overlap asked for a secret that is dead anyway.
    #[error("its old secret is dead already: regenerate it without an overlap")]
    NothingToOverlap,
}

labels! {
    /// What a token is at an instant. Revoked wins over expired.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum Status, as_str {
        /// Its secret is accepted.
        Active => "active",
        Expired => "expired",
        Revoked => "revoked",
    }
}

impl Status {
    /// That of a token at `at`: revoked, else expired from its expiry on, else active.
    pub fn of(revoked: bool, expires: Option<Timestamp>, at: Timestamp) -> Self {
        if revoked {
            Self::Revoked
        } else if expires.is_some_and(|end| at >= end) {
            Self::Expired
        } else {
            Self::Active
        }
    }
}

/// Within which an expiry is near.
pub const SOON: TimeDelta = TimeDelta::days(7);

/// The last time that a check matched the secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastUse {
    pub at: Timestamp,
    /// From where, as the caller told it.
    pub from: Option<CompactString>,
    /// What was asked, and whether it was allowed.
    pub what: CompactString,
}

/// The secret before the last rotation, while it still works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreviousSecret {
    pub digest: Digest,
    /// From when on it is dead.
    pub until: Timestamp,
    /// When it was last used since the rotation: who still has to change over.
    pub last_used: Option<LastUse>,
}

/// Which of a token's secrets a bearer presented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretSlot {
    /// The one of its last issue.
    Current,
    /// The one before it, within the overlap.
    Previous,
}

labels! {
    /// How long the old secret goes on working beside the new one.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
    pub enum Overlap, ALL, as_str {
        /// The old secret is dead with the commit.
        #[default]
        None => "0",
        QuarterHour => "15m",
        Hour => "1h",
        Day => "24h",
    }
}

impl Overlap {
    fn delta(self) -> Option<TimeDelta> {
        match self {
            Self::None => None,
            Self::QuarterHour => Some(TimeDelta::minutes(15)),
            Self::Hour => Some(TimeDelta::hours(1)),
            Self::Day => Some(TimeDelta::hours(24)),
        }
    }
}

/// A personal access token: everything but its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Its key, for ever.
    pub id: TokenId,
    /// Unique in the store.
    pub name: Name,
    pub description: Description,
    pub scopes: Scopes,
    /// The prefix of its secret, for the hint `pat_<id>_…`.
    pub prefix: CompactString,
    /// What is stored of its secret.
    pub digest: Digest,
    /// The previous secret, while an overlap lasts.
    pub previous: Option<PreviousSecret>,
    pub created: Timestamp,
    pub created_by: Actor,
    pub issued: Timestamp,
    /// From when on it is expired; `None` for never.
    pub expires: Option<Timestamp>,
    pub revoked: Option<Timestamp>,
    /// Whether its present secret was copied, written, printed or acknowledged.
    pub delivered: bool,
    /// When it was last used, but for what is told of its retiring secret; written by checks,
    /// at most once in 30 seconds.
    pub last_used: Option<LastUse>,
}

impl Token {
    pub fn status(&self, at: Timestamp) -> Status {
        Status::of(self.revoked.is_some(), self.expires, at)
    }

    /// Whether it is active at `at` and expires within a week.
    pub fn expires_soon(&self, at: Timestamp) -> bool {
        self.status(at) == Status::Active && self.expires.is_some_and(|end| end - at < SOON)
    }

    /// Which secret `digest` is that of, if that one works, or would if the status allowed it:
    /// the present one, or the retiring one within its overlap. Both are compared in any case,
    /// so that the time taken does not tell which it was.
    pub fn secret_of(&self, digest: &Digest, at: Timestamp) -> Option<SecretSlot> {
        let present = self.digest.matches(digest);
        let previous = self.previous.as_ref().is_some_and(|old| {
            let same = old.digest.matches(digest);
            same && at < old.until
        });
        match (present, previous) {
            (true, _) => Some(SecretSlot::Current),
            (false, true) => Some(SecretSlot::Previous),
            (false, false) => None,
        }
    }

    /// Whether `digest` is that of a secret that works, or would if the status allowed it.
    pub fn accepts(&self, digest: &Digest, at: Timestamp) -> bool {
        self.secret_of(digest, at).is_some()
    }

    /// The secret before the present one, while it still works.
    pub fn overlap(&self, at: Timestamp) -> Option<&PreviousSecret> {
        let active = self.status(at) == Status::Active;
        self.previous.as_ref().filter(|old| active && at < old.until)
    }

    /// Whether the secret before the present one still works at `at`.
    pub fn overlaps(&self, at: Timestamp) -> bool {
        self.overlap(at).is_some()
    }

    /// When that one of its secrets was last used, as far as the two are told apart.
    pub fn used_by(&self, which: SecretSlot) -> Option<&LastUse> {
        match which {
            SecretSlot::Current => self.last_used.as_ref(),
            SecretSlot::Previous => self.previous.as_ref()?.last_used.as_ref(),
        }
    }

    /// When it was last used, by whichever of its secrets: what ending it would break.
    pub fn last_use(&self) -> Option<&LastUse> {
        newer(self.used_by(SecretSlot::Current), self.used_by(SecretSlot::Previous))
    }

    /// Whether its present secret was used since it was issued.
    pub fn is_in_use(&self) -> bool {
        self.last_used.as_ref().is_some_and(|used| used.at >= self.issued)
    }

    /// Ends it, with its retiring secret if there is one.
    pub fn revoke(mut self, at: Timestamp) -> Result<Self, TransitionError> {
        if self.revoked.is_some() {
            return Err(TransitionError::AlreadyRevoked);
        }
        self.revoked = Some(at);
        Ok(self.end_overlap())
    }

    /// Ends its retiring secret, if there is one. When that was used stays known.
    #[must_use]
    pub fn end_overlap(mut self) -> Self {
        self.last_used = self.last_use().cloned();
        self.previous = None;
        self
    }

    /// Gives it the new secret behind `digest` and a new expiry; it is active again. Id, name,
    /// description, scopes and history stay. The old secret is dead, unless it was active and
    /// an `overlap` was asked for, which never outlives the old expiry.
    pub fn regenerate(
        mut self,
        digest: Digest,
        prefix: &str,
        expires: Option<Timestamp>,
        overlap: Overlap,
        at: Timestamp,
    ) -> Result<Self, TransitionError> {
        let previous = match overlap.delta() {
            None => None,
            Some(_) if self.status(at) != Status::Active => {
                return Err(TransitionError::NothingToOverlap);
            }
            Some(delta) => {
                let until = self.expires.map_or(at + delta, |end| end.min(at + delta));
                Some(PreviousSecret { digest: self.digest, until, last_used: None })
            }
        };
        self = self.end_overlap();
        self.digest = digest;
        self.prefix = prefix.into();
        self.previous = previous;
        self.issued = at;
        self.expires = expires;
        self.revoked = None;
        self.delivered = false;
        Ok(self)
    }

    /// The part of its secret that may be shown: `pat_<id>_…`.
    pub fn hint(&self) -> String {
        [&self.prefix, "_", self.id.as_str(), "_…"].concat()
    }
}

pub fn newer<U: Borrow<LastUse>>(one: Option<U>, other: Option<U>) -> Option<U> {
    one.into_iter().chain(other).max_by_key(|used| used.borrow().at)
}

#[cfg(test)]
pub(crate) mod tests {
    use chrono::TimeZone as _;
    use proptest::prelude::*;

    use super::*;

    pub(crate) fn at(minute: i64) -> Timestamp {
        chrono::Utc.with_ymd_and_hms(2026, 11, 24, 12, 0, 0).unwrap() + TimeDelta::minutes(minute)
    }

    /// A token issued at minute 0 for an hour.
    pub(crate) fn sample_token() -> Token {
        Token {
            id: TokenId::parse("4fKq9Zt0WbXe").unwrap(),
            name: Name::parse("ci-prod").unwrap(),
            description: Description::default(),
            scopes: Scopes::default(),
            prefix: "pat".into(),
            digest: Digest::from_bytes([1; 32]),
            previous: None,
            created: at(0),
            created_by: Actor::named("alice"),
            issued: at(0),
            expires: Some(at(60)),
            revoked: None,
            delivered: true,
            last_used: None,
        }
    }

    const NEW: Digest = Digest::from_bytes([2; 32]);

    #[test]
    fn it_expires_at_its_expiry_and_not_a_moment_before() {
        assert_eq!(sample_token().status(at(60) - TimeDelta::nanoseconds(1)), Status::Active);
        assert_eq!(sample_token().status(at(60)), Status::Expired);
        let endless = Token { expires: None, ..sample_token() };
        assert_eq!(endless.status(at(1_000_000)), Status::Active);
    }

    #[test]
    fn revoked_wins_over_expired_and_happens_once() {
        let revoked = sample_token().revoke(at(70)).unwrap();
        assert_eq!(revoked.status(at(80)), Status::Revoked);
        assert_eq!(revoked.clone().revoke(at(90)), Err(TransitionError::AlreadyRevoked));
        assert_eq!(revoked.revoked, Some(at(70)));
    }

    #[test]
    fn regenerating_keeps_what_it_is_and_kills_the_old_secret() {
        let revoked = sample_token().revoke(at(1)).unwrap();
        let again =
            revoked.clone().regenerate(NEW, "acme", Some(at(99)), Overlap::None, at(5)).unwrap();
        assert_eq!(again.status(at(5)), Status::Active);
        assert!(again.accepts(&NEW, at(5)) && !again.accepts(&revoked.digest, at(5)));
        assert_eq!(
            (&again.id, &again.name, &again.scopes),
            (&revoked.id, &revoked.name, &revoked.scopes)
        );
        assert_eq!((again.created, again.issued, again.delivered), (at(0), at(5), false));
        assert_eq!(again.hint(), "acme_4fKq9Zt0WbXe_…");
    }

    #[test]
    fn an_overlap_ends_by_itself_and_never_outlives_the_old_expiry() {
        let old = sample_token().digest;
        let rotated = sample_token()
            .regenerate(NEW, "pat", Some(at(999)), Overlap::QuarterHour, at(10))
            .unwrap();
        assert!(rotated.accepts(&old, at(24)) && rotated.accepts(&NEW, at(24)));
        assert!(rotated.overlaps(at(24)) && !rotated.overlaps(at(25)));
        assert!(!rotated.accepts(&old, at(25)) && rotated.accepts(&NEW, at(25)));
        let late =
            sample_token().regenerate(NEW, "pat", Some(at(999)), Overlap::Day, at(59)).unwrap();
        assert_eq!(late.previous.unwrap().until, at(60));
    }

    #[test]
    fn the_uses_of_both_secrets_are_told_apart_until_the_old_one_ends() {
        let used = |minute| LastUse { at: at(minute), from: None, what: CompactString::default() };
        let before = Token { last_used: Some(used(5)), ..sample_token() };
        let old = before.digest;
        let mut rotated =
            before.regenerate(NEW, "pat", Some(at(999)), Overlap::Hour, at(10)).unwrap();
        assert_eq!(rotated.secret_of(&old, at(11)), Some(SecretSlot::Previous));
        assert_eq!(rotated.secret_of(&NEW, at(11)), Some(SecretSlot::Current));
        assert_eq!(rotated.used_by(SecretSlot::Previous), None, "not since the rotation");
        rotated.previous.as_mut().unwrap().last_used = Some(used(12));
        assert_eq!(rotated.used_by(SecretSlot::Current), Some(&used(5)));
        assert_eq!(rotated.last_use(), Some(&used(12)));
        let again = rotated.clone().regenerate(old, "pat", None, Overlap::Hour, at(20)).unwrap();
        for over in [rotated.clone().end_overlap(), rotated.revoke(at(13)).unwrap(), again] {
            assert_eq!(over.last_used, Some(used(12)), "what is known is not lost");
            assert_eq!(over.used_by(SecretSlot::Previous), None);
        }
    }

    #[test]
    fn revoking_kills_the_retiring_secret_too() {
        let old = sample_token().digest;
        let rotated =
            sample_token().regenerate(NEW, "pat", Some(at(999)), Overlap::Hour, at(10)).unwrap();
        assert!(!rotated.revoke(at(11)).unwrap().accepts(&old, at(12)));
    }

    #[test]
    fn a_dead_secret_cannot_overlap() {
        let revoked = sample_token().revoke(at(1)).unwrap();
        assert_eq!(
            revoked.regenerate(NEW, "pat", None, Overlap::Hour, at(2)),
            Err(TransitionError::NothingToOverlap)
        );
        assert!(sample_token().regenerate(NEW, "pat", None, Overlap::Hour, at(60)).is_err());
    }

    proptest! {
        #[test]
        fn status_at_any_instant_follows_the_two_rules(
            minute in -200_i64..200, expires in prop::option::of(-100_i64..100),
            revoked in prop::option::of(-100_i64..100),
        ) {
            let token = Token { expires: expires.map(at), revoked: revoked.map(at), ..sample_token() };
            let expected = match (revoked, expires) {
                (Some(_), _) => Status::Revoked,
                (None, Some(end)) if minute >= end => Status::Expired,
                _ => Status::Active,
            };
            prop_assert_eq!(token.status(at(minute)), expected);
        }
    }
}
