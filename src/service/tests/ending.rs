//! Revoking, and noting who has a secret.

use super::*;

#[test]
fn a_revoked_secret_is_denied_from_the_commit_on() {
    let world = World::new();
    let issued = world.issue("ci");
    world.go_to(5);
    let (token, told) = world.told(|s| s.revoke(&issued.token.id));
    assert_eq!(token.revoked, Some(at(5)));
    assert_eq!(told, [(AuditAction::Revoked, "was active".into())]);
    let revoked = Decision::Deny(Denial::Revoked(at(5)));
    assert_eq!(world.check(&issued.secret), revoked);
    // Revoked wins over expired.
    world.go_to(31 * DAY);
    assert_eq!(world.check(&issued.secret), revoked);
}

#[test]
fn revoking_twice_is_refused_and_the_first_time_stands() {
    let world = World::new();
    let id = world.issue("ci").token.id;
    world.revoke(&id).unwrap();
    world.go_to(7);
    let error = world.refused(|s| s.revoke(&id));
    assert_eq!(
        error.to_string(),
        "it is revoked already, nothing was changed: regenerate it to use it again"
    );
}

#[test]
fn an_expired_token_can_be_revoked() {
    let world = World::new();
    let issued = world.issue("ci");
    world.go_to(30 * DAY);
    let (_, told) = world.told(|s| s.revoke(&issued.token.id));
    assert_eq!(told, [(AuditAction::Revoked, "was expired".into())]);
}

#[test]
fn what_one_program_revokes_the_other_denies() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.redb");
    let open = |seed| World::on(Store::open(&path).unwrap(), seed);
    let (one, two) = (open(1), open(2));
    let issued = one.issue("ci");
    assert!(two.works(&issued.secret));
    one.revoke(&issued.token.id).unwrap();
    assert!(!two.works(&issued.secret));
    two.refused(|s| s.revoke(&issued.token.id));
}

#[test]
fn a_claim_is_kept_and_each_way_of_taking_the_secret_is_in_the_trail() {
    let world = World::new();
    let issued = world.issue("ci");
    let (id, digest) = (issued.token.id, issued.secret.digest());
    let ways = [
        (Delivery::Copied, "sent to the clipboard"),
        (Delivery::Written, "written to a file"),
        (Delivery::Printed, "printed"),
        (Delivery::Acknowledged, "said to be saved"),
    ];
    for (how, words) in ways {
        let (token, told) = world.told(|s| s.record_delivery(&id, &digest, how));
        assert!(token.delivered && world.get(&id).unwrap().delivered);
        assert_eq!(told, [(AuditAction::Claimed, words.into())]);
    }
    let again = world.regenerate(&id, renewal("1h", Overlap::None)).unwrap();
    assert!(!again.token.delivered, "nobody has the new secret yet");
    let error = world.refused(|s| s.record_delivery(&id, &digest, Delivery::Copied));
    assert!(matches!(error, ServiceError::Refused(Refusal::Replaced(_))), "{error}");
}

#[test]
fn no_secret_and_no_digest_ever_stands_in_the_trail() {
    let world = World::new();
    let first = world.issue("ci");
    let id = first.token.id;
    let second = world.regenerate(&id, renewal("1h", Overlap::Hour)).unwrap();
    world.record_delivery(&id, &second.secret.digest(), Delivery::Copied).unwrap();
    world.works(&second.secret);
    world.delete(&id).unwrap();
    let trail = format!("{:?}", world.events());
    for issued in [&first, &second] {
        let random = issued.secret.reveal().rsplit('_').next().unwrap();
        assert!(!trail.contains(random));
        assert!(!format!("{issued:?}").contains(random));
    }
}
