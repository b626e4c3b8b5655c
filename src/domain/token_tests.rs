//! Tests of the transitions of a token, and the sample token of other tests.

use chrono::TimeZone as _;
use proptest::prelude::*;

use super::*;

pub(crate) fn at(minute: i64) -> Timestamp {
    chrono::Utc.with_ymd_and_hms(2026, 11, 24, 12, 0, 0).unwrap() + TimeDelta::minutes(minute)
}

/// A token issued at minute 0 for an hour.
pub(crate) fn sample_token() -> Token {
    Token {
        version: 1,
        generation: 1,
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
        last_denied: None,
        limits: TokenLimits::default(),
        labels: Labels::default(),
        owner: Owner::default(),
        uses_taken: 0,
    }
}

#[test]
fn versions_grow_and_order_the_changes_of_two_copies() {
    let token = sample_token();
    let [one, other] = [at(5), at(6)].map(|at| token.clone().changed_at(at, &token));
    let again = one.clone().changed_at(at(5), &one);
    assert!(token.version < one.version && one.version < again.version);
    assert!(
        again.version < other.version,
        "the later change, although it is the first of its copy"
    );
    // A clock that was set back, also to before 1970.
    let back = other.clone().changed_at(at(-100_000_000), &other);
    assert_eq!(back.version, other.version + 1);
}

const NEW: Digest = Digest::from_bytes([2; 32]);

#[test]
fn token_is_expired_from_the_instant_of_its_expiry() {
    assert_eq!(sample_token().status(at(60) - TimeDelta::nanoseconds(1)), Status::Active);
    assert_eq!(sample_token().status(at(60)), Status::Expired);
    let never_expires = Token { expires: None, ..sample_token() };
    assert_eq!(never_expires.status(at(1_000_000)), Status::Active);
}

#[test]
fn revoked_precedes_expired_and_happens_once() {
    let revoked = sample_token().revoke(at(70)).unwrap();
    assert_eq!(revoked.status(at(80)), Status::Revoked);
    assert_eq!(revoked.clone().revoke(at(90)), Err(TransitionError::AlreadyRevoked));
    assert_eq!(revoked.revoked, Some(at(70)));
}

#[test]
fn regenerate_keeps_identity_and_ends_the_old_secret() {
    let revoked = sample_token().revoke(at(1)).unwrap();
    let again =
        revoked.clone().regenerate(NEW, "acme", Some(at(99)), SecretOverlap::None, at(5)).unwrap();
    assert_eq!(again.status(at(5)), Status::Active);
    assert!(again.accepts(&NEW, at(5)) && !again.accepts(&revoked.digest, at(5)));
    assert_eq!(
        (&again.id, &again.name, &again.scopes),
        (&revoked.id, &revoked.name, &revoked.scopes)
    );
    assert_eq!((again.created, again.issued, again.delivered), (at(0), at(5), false));
    assert_eq!(again.secret_hint(), "acme_4fKq9Zt0WbXe_…");
}

#[test]
fn overlap_ends_by_the_old_expiry_at_the_latest() {
    let old = sample_token().digest;
    let renewed = sample_token()
        .regenerate(NEW, "pat", Some(at(999)), SecretOverlap::QuarterHour, at(10))
        .unwrap();
    assert!(renewed.accepts(&old, at(24)) && renewed.accepts(&NEW, at(24)));
    assert!(renewed.has_overlap(at(24)) && !renewed.has_overlap(at(25)));
    assert!(!renewed.accepts(&old, at(25)) && renewed.accepts(&NEW, at(25)));
    let late =
        sample_token().regenerate(NEW, "pat", Some(at(999)), SecretOverlap::Day, at(59)).unwrap();
    assert_eq!(late.previous.unwrap().until, at(60));
}

#[test]
fn uses_of_both_secrets_are_separate_during_the_overlap() {
    let used = |minute| LastUse { at: at(minute), from: None, summary: CompactString::default() };
    let before = Token { last_used: Some(used(5)), ..sample_token() };
    let old = before.digest;
    let mut renewed =
        before.regenerate(NEW, "pat", Some(at(999)), SecretOverlap::Hour, at(10)).unwrap();
    assert_eq!(renewed.matching_slot(&old, at(11)), Some(SecretSlot::Previous));
    assert_eq!(renewed.matching_slot(&NEW, at(11)), Some(SecretSlot::Current));
    assert_eq!(renewed.last_use_of(SecretSlot::Previous), None, "none since the regeneration");
    renewed.previous.as_mut().unwrap().last_used = Some(used(12));
    assert_eq!(renewed.last_use_of(SecretSlot::Current), Some(&used(5)));
    assert_eq!(renewed.last_use(), Some(&used(12)));
    let again = renewed.clone().regenerate(old, "pat", None, SecretOverlap::Hour, at(20)).unwrap();
    for ended in [renewed.clone().end_overlap(), renewed.revoke(at(13)).unwrap(), again] {
        assert_eq!(ended.last_used, Some(used(12)), "the last use is kept");
        assert_eq!(ended.last_use_of(SecretSlot::Previous), None);
    }
}

#[test]
fn revoke_ends_the_previous_secret_too() {
    let old = sample_token().digest;
    let renewed =
        sample_token().regenerate(NEW, "pat", Some(at(999)), SecretOverlap::Hour, at(10)).unwrap();
    assert!(!renewed.revoke(at(11)).unwrap().accepts(&old, at(12)));
}

#[test]
fn overlap_requires_an_active_token() {
    let revoked = sample_token().revoke(at(1)).unwrap();
    assert_eq!(
        revoked.regenerate(NEW, "pat", None, SecretOverlap::Hour, at(2)),
        Err(TransitionError::NothingToOverlap)
    );
    assert!(sample_token().regenerate(NEW, "pat", None, SecretOverlap::Hour, at(60)).is_err());
}

proptest! {
    #[test]
    fn without_a_start_status_depends_on_revocation_and_expiry(
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
