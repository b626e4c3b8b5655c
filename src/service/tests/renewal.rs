//! Regenerating from each status, and the overlap in which two secrets work.

use super::*;

#[test]
fn a_revoked_token_comes_back_with_another_secret_and_all_else_as_it_was() {
    let world = World::new();
    let old = world.issue("ci");
    let id = old.token.id;
    world.works(&old.secret);
    let before = world.revoke(&id).unwrap();
    world.go_to(10);
    let (issued, told) = world.told(|s| s.regenerate(&id, renewal("1h", Overlap::None)));
    assert_eq!(
        told,
        [(AuditAction::Regenerated, "was revoked, until 2026-11-24 13:10 UTC".into())]
    );
    let expected = Token {
        digest: issued.secret.digest(),
        issued: at(10),
        expires: Some(at(70)),
        revoked: None,
        delivered: false,
        ..before
    };
    assert_eq!(world.get(&id), Some(expected));
    assert!(world.works(&issued.secret));
    assert_eq!(world.check(&old.secret), UNKNOWN);
    assert_eq!(issued.secret.id(), id);
}

#[test]
fn an_expired_token_comes_back_with_another_secret() {
    let world = World::new();
    let old = world.issue("ci");
    world.go_to(30 * DAY);
    assert_eq!(world.check(&old.secret), Decision::Deny(Denial::Expired(at(30 * DAY))));
    let (issued, told) = world.told(|s| s.regenerate(&old.token.id, renewal("1h", Overlap::None)));
    assert!(told[0].1.starts_with("was expired, "), "{told:?}");
    assert!(world.works(&issued.secret));
    assert_eq!(world.check(&old.secret), UNKNOWN);
}

#[test]
fn the_old_secret_of_an_active_token_is_dead_with_the_commit() {
    let world = World::new();
    let old = world.issue("ci");
    let new = world.regenerate(&old.token.id, renewal("1h", Overlap::None)).unwrap();
    assert!(world.works(&new.secret));
    assert_eq!(world.check(&old.secret), UNKNOWN);
}

#[test]
fn within_an_overlap_both_secrets_work_and_then_only_the_new_one() {
    let world = World::new();
    for (n, overlap) in Overlap::ALL.into_iter().enumerate().skip(1) {
        let start = i64::try_from(n).unwrap() * 2 * DAY;
        world.go_to(start);
        let old = world.issue(overlap.as_str());
        let (new, told) = world.told(|s| s.regenerate(&old.token.id, renewal("10d", overlap)));
        let minutes = [15, 60, DAY][n - 1];
        assert!(told[0].1.contains("old secret works until"), "{told:?}");
        world.go_to(start + minutes - 1);
        assert!(world.works(&old.secret) && world.works(&new.secret));
        world.go_to(start + minutes);
        assert_eq!(world.check(&old.secret), UNKNOWN);
        assert!(world.works(&new.secret));
    }
}

#[test]
fn an_overlap_never_outlives_the_old_expiry() {
    let world = World::new();
    let short = NewToken { lifetime: lifetime("1h"), ..new("ci") };
    let old = world.create(&short).unwrap();
    world.go_to(50);
    let new = world.regenerate(&old.token.id, renewal("30d", Overlap::Day)).unwrap();
    world.go_to(59);
    assert!(world.works(&old.secret));
    world.go_to(60);
    assert_eq!(world.check(&old.secret), UNKNOWN);
    assert!(world.works(&new.secret));
}

#[test]
fn an_overlap_never_outlives_the_new_expiry_either() {
    let world = World::new();
    let old = world.issue("ci");
    let new = world.regenerate(&old.token.id, renewal("1m", Overlap::Day)).unwrap();
    world.go_to(1);
    let expired = Decision::Deny(Denial::Expired(at(1)));
    assert_eq!(world.check(&old.secret), expired);
    assert_eq!(world.check(&new.secret), expired);
}

#[test]
fn of_two_rotations_only_the_last_old_secret_goes_on_working() {
    let world = World::new();
    let first = world.issue("ci");
    let id = first.token.id;
    let second = world.regenerate(&id, renewal("1d", Overlap::Day)).unwrap();
    let third = world.regenerate(&id, renewal("1d", Overlap::Hour)).unwrap();
    assert_eq!(world.check(&first.secret), UNKNOWN);
    assert!(world.works(&second.secret) && world.works(&third.secret));
}

#[test]
fn an_overlap_can_be_ended_early_once() {
    let world = World::new();
    let old = world.issue("ci");
    let id = old.token.id;
    let new = world.regenerate(&id, renewal("1d", Overlap::Day)).unwrap();
    let (token, told) = world.told(|s| s.end_overlap(&id));
    assert_eq!(token.previous, None);
    assert_eq!(told, [(AuditAction::OverlapEnded, String::new())]);
    assert_eq!(world.check(&old.secret), UNKNOWN);
    assert!(world.works(&new.secret));
    world.idle(|s| s.end_overlap(&id));
}

#[test]
fn revoking_within_an_overlap_ends_both_secrets() {
    let world = World::new();
    let old = world.issue("ci");
    let id = old.token.id;
    let new = world.regenerate(&id, renewal("1d", Overlap::Day)).unwrap();
    world.revoke(&id).unwrap();
    assert_eq!(world.check(&old.secret), UNKNOWN);
    assert!(!world.works(&new.secret));
    let back = world.regenerate(&id, renewal("1d", Overlap::None)).unwrap();
    assert_eq!(world.check(&old.secret), UNKNOWN);
    assert_eq!(world.check(&new.secret), UNKNOWN);
    assert!(world.works(&back.secret));
}

#[test]
fn an_overlap_for_a_dead_secret_and_a_lifetime_beyond_the_limits_are_refused() {
    let world = World::new();
    let old = world.issue("ci");
    let id = old.token.id;
    let error = world.refused(|s| s.regenerate(&id, renewal("367d", Overlap::None)));
    assert!(matches!(error, ServiceError::Refused(Refusal::Lifetime(_))));
    assert!(world.works(&old.secret));
    world.revoke(&id).unwrap();
    let error = world.refused(|s| s.regenerate(&id, renewal("1d", Overlap::Hour)));
    assert_eq!(
        error.to_string(),
        "its old secret is dead already: regenerate it without an overlap"
    );
}
