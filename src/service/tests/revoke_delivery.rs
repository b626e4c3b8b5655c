//! Revoking tokens, and recording the delivery of secrets.

use super::*;
use crate::store::{Ending, EndingKind, RevocationEntry};

#[test]
fn a_revoked_secret_is_denied_from_the_commit_on() {
    let fixture = TestService::new();
    let issued = fixture.issue("ci");
    fixture.set_minute(5);
    let (token, events) = fixture.capture_events(|s| s.revoke(&issued.token.id));
    assert_eq!(token.revoked, Some(at(5)));
    assert_eq!(events, [(AuditAction::Revoked, "was active".into())]);
    let revoked = Decision::Deny(Denial::Revoked(at(5)));
    assert_eq!(fixture.check(&issued.secret), revoked);
    // Revoked wins over expired.
    fixture.set_minute(31 * DAY);
    assert_eq!(fixture.check(&issued.secret), revoked);
}

#[test]
fn revoking_twice_is_refused_and_keeps_the_first_time() {
    let fixture = TestService::new();
    let id = fixture.issue("ci").token.id;
    fixture.revoke(&id).unwrap();
    fixture.set_minute(7);
    let error = fixture.expect_refusal(|s| s.revoke(&id));
    assert_eq!(
        error.to_string(),
        "ci: the token is already revoked: regenerate it to use it again"
    );
}

#[test]
fn an_expired_token_can_be_revoked() {
    let fixture = TestService::new();
    let issued = fixture.issue("ci");
    fixture.set_minute(30 * DAY);
    let (_, events) = fixture.capture_events(|s| s.revoke(&issued.token.id));
    assert_eq!(events, [(AuditAction::Revoked, "was expired".into())]);
}

#[test]
fn revoked_in_one_process_denied_in_another() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.redb");
    let open = |seed| TestService::on(Store::open(&path).unwrap(), seed);
    let (one, two) = (open(1), open(2));
    let issued = one.issue("ci");
    assert!(two.works(&issued.secret));
    one.revoke(&issued.token.id).unwrap();
    assert!(!two.works(&issued.secret));
    two.expect_refusal(|s| s.revoke(&issued.token.id));
}

#[test]
fn a_pending_revoke_is_stored_by_the_next_write_of_any_process() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.redb");
    let open = |seed| TestService::on(Store::open(&path).unwrap(), seed);
    let (one, two) = (open(1), open(2));
    let issued = one.issue("ci");
    let entry = pending(&issued.token, EndingKind::Revoke);
    one.store.end_secrets(&[entry], at(0)).unwrap();
    assert!(!two.works(&issued.secret), "it is in force before it is stored");
    let (_, events) = two.capture_events(|s| s.create(&new_token("other")));
    let stored = (AuditAction::Revoked, "was active, recorded later".into());
    assert_eq!(events.first(), Some(&stored));
    assert_eq!(one.get(&issued.token.id).unwrap().revoked, Some(at(0)));
}

#[test]
fn a_pending_ending_does_not_set_the_recorded_time_back() {
    let folder = tempfile::tempdir().unwrap();
    let fixture = TestService::on(Store::open(&folder.path().join("s.redb")).unwrap(), 1);
    let short = fixture.create(&NewToken { lifetime: lifetime("1h"), ..new_token("short") });
    let short = short.unwrap();
    fixture.set_minute(61);
    let other = fixture.issue("other");
    fixture.store.end_secrets(&[pending(&other.token, EndingKind::Revoke)], at(0)).unwrap();
    fixture.purge_trash().unwrap();
    let newest = fixture.store.read(ReadOps::newest_event).unwrap().unwrap();
    assert_eq!((newest.body.action, newest.body.at), (AuditAction::Revoked, at(0)));
    drop(fixture);
    let restarted = TestService::on(Store::open(&folder.path().join("s.redb")).unwrap(), 2);
    assert_eq!(restarted.check(&short.secret), Decision::Deny(Denial::Expired(at(60))));
}

#[test]
fn a_pending_deletion_of_a_damaged_record_is_stored() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.redb");
    let fixture = TestService::on(Store::open(&path).unwrap(), 1);
    let description = Description::parse("occurs-nowhere-else").unwrap();
    let token = fixture.create(&NewToken { description, ..new_token("ci") }).unwrap().token;
    drop(fixture);
    let mut bytes = std::fs::read(&path).unwrap();
    let needle = b"occurs-nowhere-else";
    for offset in 0..bytes.len() - needle.len() {
        if bytes[offset..].starts_with(needle) {
            bytes[offset] ^= 1;
        }
    }
    std::fs::write(&path, bytes).unwrap();
    let fixture = TestService::on(Store::open(&path).unwrap(), 2);
    let record = fixture.store.read(|rows| rows.token(&token.id));
    assert!(matches!(record, Err(StoreError::Damaged(_))), "{record:?}");
    fixture.store.end_secrets(&[pending(&token, EndingKind::Delete)], at(0)).unwrap();
    let (_, events) = fixture.capture_events(|s| s.create(&new_token("other")));
    let stored = (AuditAction::Deleted, EventBody::RECORD_WAS_DAMAGED.to_owned());
    assert_eq!(events.first(), Some(&stored));
    fixture.create(&new_token("ci")).expect("the name is free again");
}

#[test]
fn an_ending_that_was_undone_is_not_stored_again() {
    let folder = tempfile::tempdir().unwrap();
    let fixture = TestService::on(Store::open(&folder.path().join("s.redb")).unwrap(), 1);
    let issued = fixture.issue("ci");
    fixture.delete(&issued.token.id).unwrap();
    fixture.set_minute(1);
    fixture.restore_last().unwrap();
    assert!(fixture.works(&issued.secret));
    // As another process sees the register if it was read before the deletion was stored.
    fixture.store.end_secrets(&[pending(&issued.token, EndingKind::Delete)], at(0)).unwrap();
    fixture.create(&new_token("other")).unwrap();
    let stored = fixture.get(&issued.token.id).expect("the restore lasts");
    assert_eq!(stored.revoked, None);
}

#[test]
fn a_stale_restore_does_not_undo_a_later_revoke() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.redb");
    let fixture = TestService::on(Store::open(&path).unwrap(), 1);
    let issued = fixture.issue("ci");
    fixture.delete(&issued.token.id).unwrap();
    fixture.restore_last().unwrap();
    let restored = RevocationEntry::of_token(&fixture.get(&issued.token.id).unwrap());
    let old = std::fs::read(&path).unwrap();
    fixture.revoke(&issued.token.id).unwrap();
    // The process that restored the token was stopped before it updated the register.
    fixture.store.set_revocations(&[restored]).unwrap();
    std::fs::write(&path, old).unwrap();
    let reopened = TestService::on(Store::open(&path).unwrap(), 2);
    assert!(!reopened.works(&issued.secret));
}

#[test]
fn the_deletion_of_a_revoked_token_can_always_be_undone() {
    let folder = tempfile::tempdir().unwrap();
    let fixture = TestService::on(Store::open(&folder.path().join("s.redb")).unwrap(), 1);
    let issued = fixture.issue("ci");
    let id = issued.token.id;
    fixture.revoke(&id).unwrap();
    fixture.delete(&id).unwrap();
    // As an import leaves it that another process overtakes, or a newer state of the store.
    let ended = RevocationEntry { ended_generation: 9, ..RevocationEntry::of(id) };
    fixture.store.end_secrets(&[ended], at(0)).unwrap();
    fixture.restore_last().unwrap();
    assert!(fixture.get(&id).unwrap().revoked.is_some() && !fixture.works(&issued.secret));
    let state = fixture.store.read(|rows| crate::store::HasTables::revocation_state(rows, &id));
    assert_eq!(state.unwrap().ended_generation, 9, "the rest stays ended");
    let new = fixture.regenerate(&id, regenerate_options("30d", SecretOverlap::None)).unwrap();
    assert!(fixture.works(&new.secret));
}

#[test]
fn a_deletion_beside_an_unfinished_restore_can_be_undone() {
    let folder = tempfile::tempdir().unwrap();
    let fixture = TestService::on(Store::open(&folder.path().join("s.redb")).unwrap(), 1);
    let issued = fixture.issue("ci");
    let id = issued.token.id;
    let unknown = RevocationEntry::UNKNOWN_SECRETS;
    let (deleted, _) = fixture.delete(&id).unwrap();
    let ended_generation = deleted.generation + unknown;
    let before = RevocationEntry { ended_generation, ..RevocationEntry::of_deleted(&deleted) };
    fixture.set_minute(1);
    fixture.restore_last().unwrap();
    // The process that restored it has not written the register yet.
    fixture.store.end_secrets(&[before], at(0)).unwrap();
    fixture.set_minute(2);
    fixture.delete(&id).unwrap();
    fixture.restore_last().unwrap();
    assert!(fixture.works(&issued.secret));
}

#[test]
fn a_running_process_reports_an_older_copy_that_is_put_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.redb");
    let fixture = TestService::on(Store::open(&path).unwrap(), 1);
    let issued = fixture.issue("ci");
    let older = std::fs::read(&path).unwrap();
    let is_reported = || fixture.overview().unwrap().register.was_store_older;
    fixture.revoke(&issued.token.id).unwrap();
    assert!(!is_reported());
    std::fs::write(&path, older).unwrap();
    assert!(is_reported());
    fixture.create(&new_token("next")).unwrap();
    assert!(!is_reported(), "it has stored the ending");
}

#[test]
fn a_register_that_cannot_be_written_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.redb");
    let fixture = TestService::on(Store::open(&path).unwrap(), 1);
    let issued = fixture.issue("ci");
    let command = Command::Revoke { tokens: vec![issued.token.id] };
    let confirmed = fixture.preview(&command).unwrap().confirm();
    let locked = [path.with_extension("redb.revoked"), folder.path().to_owned()];
    let locked = locked.map(|path| std::fs::File::open(path).unwrap());
    for file in &locked {
        file.lock().unwrap();
    }
    let done = fixture.execute(&command, &confirmed).unwrap();
    assert!(matches!(done.unprotected, Some(StoreError::Busy { .. })), "{:?}", done.unprotected);
    assert!(!fixture.works(&issued.secret), "the record denies it");
}

#[test]
fn an_older_ending_stored_last_is_no_sign_of_an_older_copy() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("s.redb")).unwrap();
    let fixture = TestService::on(store, 1);
    let (first, second, kept) = (fixture.issue("a"), fixture.issue("b"), fixture.issue("c"));
    fixture.set_minute(5);
    fixture.revoke(&first.token.id).unwrap();
    // The process of the other ending began earlier and was stopped before it stored the ending.
    let older = pending(&second.token, EndingKind::Revoke);
    fixture.store.end_secrets(&[older], at(6)).unwrap();
    fixture.store_pending_endings().unwrap();
    assert!(!fixture.works(&second.secret));
    let is_outdated =
        |store: &Store| store.read(|rows| Ok::<_, StoreError>(rows.is_store_outdated()));
    assert!(!is_outdated(&fixture.store).unwrap());
    fixture.set_minute(7);
    fixture.delete(&kept.token.id).unwrap();
    fixture.restore("c").unwrap();
    assert!(fixture.works(&kept.secret), "nobody revoked it");
}

#[test]
fn an_ending_after_a_step_of_the_clock_is_newer_than_any_copy() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.redb");
    let fixture = TestService::on(Store::open(&path).unwrap(), 1);
    let (revoked, deleted) = (fixture.issue("a"), fixture.issue("b"));
    fixture.set_minute(1);
    fixture.issue("ahead");
    let copy = std::fs::read(&path).unwrap();
    fixture.set_minute(0);
    fixture.revoke(&revoked.token.id).unwrap();
    fixture.delete(&deleted.token.id).unwrap();
    std::fs::write(&path, copy).unwrap();
    let fixture = TestService::on(Store::open(&path).unwrap(), 2);
    let is_outdated = fixture.store.read(|rows| Ok::<_, StoreError>(rows.is_store_outdated()));
    assert!(is_outdated.unwrap());
    fixture.store_pending_endings().unwrap();
    for issued in [revoked, deleted] {
        assert!(fixture.get(&issued.token.id).unwrap().revoked.is_some());
    }
}

/// Two histories of one store, of which the other was made with a clock that was ahead.
#[test]
fn an_older_copy_of_another_history_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.redb");
    let fixture = TestService::on(Store::open(&path).unwrap(), 1);
    let (one, two) = (fixture.issue("a"), fixture.issue("b"));
    let start = std::fs::read(&path).unwrap();
    fixture.set_minute(1);
    fixture.edit(&one.token.id, &name("ahead"), &Description::default()).unwrap();
    let other = std::fs::read(&path).unwrap();
    std::fs::write(&path, start).unwrap();
    let fixture = TestService::on(Store::open(&path).unwrap(), 2);
    fixture.revoke(&two.token.id).unwrap();
    let ended = std::fs::read(&path).unwrap();
    std::fs::write(&path, other).unwrap();
    let fixture = TestService::on(Store::open(&path).unwrap(), 3);
    assert!(fixture.was_store_outdated() && !fixture.works(&two.secret));
    // The copy has the ending after the next change, and the other history has it, too.
    fixture.set_minute(2);
    fixture.issue("next");
    assert!(fixture.get(&two.token.id).unwrap().revoked.is_some());
    assert!(!TestService::on(Store::open(&path).unwrap(), 4).was_store_outdated());
    std::fs::write(&path, ended).unwrap();
    let fixture = TestService::on(Store::open(&path).unwrap(), 5);
    assert!(!fixture.was_store_outdated());
    fixture.set_minute(2);
    fixture.delete(&one.token.id).unwrap();
    fixture.restore_last().unwrap();
    assert!(!TestService::on(Store::open(&path).unwrap(), 6).was_store_outdated());
    assert!(fixture.works(&one.secret) && !fixture.works(&two.secret));
}

/// The register entry of an ending by alice at minute 0 that the record of `token` lacks.
fn pending(token: &Token, kind: EndingKind) -> RevocationEntry {
    RevocationEntry {
        ended_generation: token.generation,
        pending: Some(Ending { kind, at: at(0), actor: Some(Actor::named("alice")) }),
        ..RevocationEntry::of(token.id)
    }
}

#[test]
fn every_delivery_of_a_secret_is_audited() {
    let fixture = TestService::new();
    let issued = fixture.issue("ci");
    let (id, digest) = (issued.token.id, issued.secret.digest());
    let methods = [
        (DeliveryMethod::Copied, "sent to the clipboard"),
        (DeliveryMethod::Written, "written to a file"),
        (DeliveryMethod::Printed, "printed"),
        (DeliveryMethod::Acknowledged, "marked as saved"),
    ];
    for (method, detail) in methods {
        let (token, events) = fixture.capture_events(|s| s.record_delivery(&id, &digest, method));
        assert!(token.delivered && fixture.get(&id).unwrap().delivered);
        assert_eq!(events, [(AuditAction::Delivered, detail.into())]);
    }
    let again = fixture.regenerate(&id, regenerate_options("1h", SecretOverlap::None)).unwrap();
    assert!(!again.token.delivered, "nobody has the new secret yet");
    let error = fixture.expect_refusal(|s| s.record_delivery(&id, &digest, DeliveryMethod::Copied));
    assert!(matches!(error, ServiceError::Refused(Refusal::SecretReplaced(_))), "{error}");
}

#[test]
fn audit_trail_contains_no_secret_and_no_digest() {
    let fixture = TestService::new();
    let first = fixture.issue("ci");
    let id = first.token.id;
    let second = fixture.regenerate(&id, regenerate_options("1h", SecretOverlap::Hour)).unwrap();
    fixture.record_delivery(&id, &second.secret.digest(), DeliveryMethod::Copied).unwrap();
    fixture.works(&second.secret);
    fixture.delete(&id).unwrap();
    let trail = format!("{:?}", fixture.events());
    for issued in [&first, &second] {
        let random = issued.secret.reveal().rsplit('_').next().unwrap();
        assert!(!trail.contains(random));
        assert!(!format!("{issued:?}").contains(random));
    }
}
