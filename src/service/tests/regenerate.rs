//! Regenerating from each status, and the overlap during which two secrets work.

use super::*;

#[test]
fn regenerating_a_revoked_token_changes_only_the_secret() {
    let fixture = TestService::new();
    let old = fixture.issue("ci");
    let id = old.token.id;
    fixture.works(&old.secret);
    let before = fixture.revoke(&id).unwrap();
    fixture.set_minute(10);
    let (issued, events) = fixture
        .capture_events(|s| s.regenerate(&id, regenerate_options("1h", SecretOverlap::None)));
    assert_eq!(
        events,
        [(AuditAction::Regenerated, "was revoked, until 2026-11-24 13:10 UTC".into())]
    );
    let after = fixture.get(&id).unwrap();
    let expected = Token {
        digest: issued.secret.digest(),
        issued: at(10),
        expires: Some(at(70)),
        revoked: None,
        delivered: false,
        version: after.version,
        generation: before.generation + 1,
        ..before
    };
    assert_eq!(after, expected);
    assert!(fixture.works(&issued.secret));
    assert_eq!(fixture.check(&old.secret), UNKNOWN);
    assert_eq!(issued.secret.id(), id);
}

#[test]
fn regenerating_reactivates_an_expired_token() {
    let fixture = TestService::new();
    let old = fixture.issue("ci");
    fixture.set_minute(30 * DAY);
    assert_eq!(fixture.check(&old.secret), Decision::Deny(Denial::Expired(at(30 * DAY))));
    let (issued, events) = fixture.capture_events(|s| {
        s.regenerate(&old.token.id, regenerate_options("1h", SecretOverlap::None))
    });
    assert!(events[0].1.starts_with("was expired, "), "{events:?}");
    assert!(fixture.works(&issued.secret));
    assert_eq!(fixture.check(&old.secret), UNKNOWN);
}

#[test]
fn without_overlap_the_old_secret_stops_working_at_commit() {
    let fixture = TestService::new();
    let old = fixture.issue("ci");
    let new =
        fixture.regenerate(&old.token.id, regenerate_options("1h", SecretOverlap::None)).unwrap();
    assert!(fixture.works(&new.secret));
    assert_eq!(fixture.check(&old.secret), UNKNOWN);
}

#[test]
fn both_secrets_work_during_the_overlap_only() {
    let fixture = TestService::new();
    for (n, overlap) in SecretOverlap::ALL.into_iter().enumerate().skip(1) {
        let start = i64::try_from(n).unwrap() * 2 * DAY;
        fixture.set_minute(start);
        let old = fixture.issue(overlap.as_str());
        let (new, events) = fixture
            .capture_events(|s| s.regenerate(&old.token.id, regenerate_options("10d", overlap)));
        let minutes = [15, 60, DAY][n - 1];
        assert!(events[0].1.contains("old secret works until"), "{events:?}");
        fixture.set_minute(start + minutes - 1);
        assert!(fixture.works(&old.secret) && fixture.works(&new.secret));
        fixture.set_minute(start + minutes);
        assert_eq!(fixture.check(&old.secret), UNKNOWN);
        assert!(fixture.works(&new.secret));
    }
}

#[test]
fn an_overlap_never_outlives_the_old_expiry() {
    let fixture = TestService::new();
    let short = NewToken { lifetime: lifetime("1h"), ..new_token("ci") };
    let old = fixture.create(&short).unwrap();
    fixture.set_minute(50);
    let new =
        fixture.regenerate(&old.token.id, regenerate_options("30d", SecretOverlap::Day)).unwrap();
    fixture.set_minute(59);
    assert!(fixture.works(&old.secret));
    fixture.set_minute(60);
    assert_eq!(fixture.check(&old.secret), UNKNOWN);
    assert!(fixture.works(&new.secret));
}

#[test]
fn an_overlap_never_outlives_the_new_expiry() {
    let fixture = TestService::new();
    let old = fixture.issue("ci");
    let new =
        fixture.regenerate(&old.token.id, regenerate_options("1m", SecretOverlap::Day)).unwrap();
    fixture.set_minute(1);
    let expired = Decision::Deny(Denial::Expired(at(1)));
    assert_eq!(fixture.check(&old.secret), expired);
    assert_eq!(fixture.check(&new.secret), expired);
}

#[test]
fn a_second_regenerate_ends_the_first_overlap() {
    let fixture = TestService::new();
    let first = fixture.issue("ci");
    let id = first.token.id;
    let second = fixture.regenerate(&id, regenerate_options("1d", SecretOverlap::Day)).unwrap();
    let third = fixture.regenerate(&id, regenerate_options("1d", SecretOverlap::Hour)).unwrap();
    assert_eq!(fixture.check(&first.secret), UNKNOWN);
    assert!(fixture.works(&second.secret) && fixture.works(&third.secret));
}

#[test]
fn an_overlap_can_be_ended_early_once() {
    let fixture = TestService::new();
    let old = fixture.issue("ci");
    let id = old.token.id;
    let new = fixture.regenerate(&id, regenerate_options("1d", SecretOverlap::Day)).unwrap();
    let (token, events) = fixture.capture_events(|s| s.end_overlap(&id));
    assert_eq!(token.previous, None);
    let detail = "the old secret would have worked until 2026-11-25 12:00 UTC";
    assert_eq!(events, [(AuditAction::OverlapEnded, detail.to_owned())]);
    assert_eq!(fixture.check(&old.secret), UNKNOWN);
    assert!(fixture.works(&new.secret));
    let again = fixture.expect_refusal(|s| s.end_overlap(&id)).to_string();
    assert_eq!(again, "ci: the token has no old secret: nothing to revoke");
}

#[test]
fn revoking_within_an_overlap_ends_both_secrets() {
    let fixture = TestService::new();
    let old = fixture.issue("ci");
    let id = old.token.id;
    let new = fixture.regenerate(&id, regenerate_options("1d", SecretOverlap::Day)).unwrap();
    fixture.revoke(&id).unwrap();
    assert_eq!(fixture.check(&old.secret), UNKNOWN);
    assert!(!fixture.works(&new.secret));
    let back = fixture.regenerate(&id, regenerate_options("1d", SecretOverlap::None)).unwrap();
    assert_eq!(fixture.check(&old.secret), UNKNOWN);
    assert_eq!(fixture.check(&new.secret), UNKNOWN);
    assert!(fixture.works(&back.secret));
}

#[test]
fn invalid_overlap_and_lifetime_are_refused() {
    let fixture = TestService::new();
    let old = fixture.issue("ci");
    let id = old.token.id;
    let error = fixture
        .expect_refusal(|s| s.regenerate(&id, regenerate_options("367d", SecretOverlap::None)));
    assert!(matches!(error, ServiceError::Refused(Refusal::Lifetime(_))));
    assert!(fixture.works(&old.secret));
    fixture.revoke(&id).unwrap();
    let error = fixture
        .expect_refusal(|s| s.regenerate(&id, regenerate_options("1d", SecretOverlap::Hour)));
    assert_eq!(
        error.to_string(),
        "ci: the old secret would not work: regenerate the token without an overlap"
    );
}
