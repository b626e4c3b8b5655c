//! Deleting and restoring tokens, and what cannot be restored.

use super::*;
use crate::{
    domain::{Confirmation, ConfirmationProof, StatusFilter, plan::PURGE_BATCH},
    store::Writer,
};

#[test]
fn deleted_secret_stops_working_until_it_is_restored() {
    let fixture = TestService::new();
    let issued = fixture.issue("ci");
    let id = issued.token.id;
    fixture.works(&issued.secret);
    let before = fixture.get(&id).unwrap();
    assert!(before.last_used.is_some());
    fixture.set_minute(5);
    let (_, events) = fixture.capture_events(|s| s.delete(&id));
    let detail = "was active, can be brought back for 24 hours";
    assert_eq!(events, [(AuditAction::Deleted, detail.into())]);
    assert_eq!((fixture.check(&issued.secret), fixture.get(&id)), (UNKNOWN, None));
    fixture.set_minute(5 + DAY - 1);
    let (back, events) = fixture.capture_events(Service::restore_last);
    assert_eq!(events, [(AuditAction::Restored, String::new())]);
    let after = fixture.get(&id).unwrap();
    assert!(after.version > before.version);
    assert_eq!(after, Token { version: after.version, ..before }, "with its last use");
    assert_eq!(back.len(), 1);
    assert!(fixture.works(&issued.secret));
    assert!(
        fixture.expect_refusal(Service::restore_last).to_string().starts_with("nothing to undo")
    );
}

#[test]
fn numbers_of_uses_stay_until_the_token_is_purged() {
    let fixture = TestService::new();
    let issued = fixture.issue("ci");
    let id = issued.token.id;
    fixture.works(&issued.secret);
    let denied = request("users:u1:read");
    fixture.service.check(secret_text(&issued.secret), Some(&denied), None).unwrap();
    let days = fixture.usage_days(&id).unwrap();
    let most_denied = || fixture.overview().unwrap().most_denied;
    assert!(!days.as_slice().is_empty() && most_denied().is_some());
    fixture.delete(&id).unwrap();
    assert_eq!(most_denied(), None, "a deleted token needs no attention");
    assert_eq!(fixture.store.read(ReadOps::find_repairs), Ok(vec![]));
    fixture.restore_last().unwrap();
    assert_eq!(fixture.usage_days(&id).unwrap(), days);
    fixture.delete(&id).unwrap();
    fixture.set_minute(3 * DAY);
    fixture.purge_trash().unwrap();
    assert_eq!(fixture.usage_days(&id).unwrap().as_slice(), []);
}

#[test]
fn restored_token_is_still_revoked_or_expired() {
    let fixture = TestService::new();
    let issued = fixture.issue("ci");
    fixture.revoke(&issued.token.id).unwrap();
    fixture.delete(&issued.token.id).unwrap();
    fixture.restore_last().unwrap();
    assert_eq!(fixture.check(&issued.secret), Decision::Deny(Denial::Revoked(at(0))));
}

#[test]
fn restore_undoes_the_last_delete_first() {
    let fixture = TestService::new();
    let (one, two) = (fixture.issue("one"), fixture.issue("two"));
    // Two deletes within one tick of the clock remain two deletes.
    fixture.delete(&one.token.id).unwrap();
    fixture.delete(&two.token.id).unwrap();
    let names =
        |tokens: Vec<Token>| -> Vec<_> { tokens.iter().map(|p| p.name.to_string()).collect() };
    assert_eq!(names(fixture.restore_last().unwrap()), ["two"]);
    assert_eq!(fixture.check(&one.secret), UNKNOWN);
    assert_eq!(names(fixture.restore_last().unwrap()), ["one"]);
    assert!(fixture.works(&one.secret) && fixture.works(&two.secret));
}

#[test]
fn name_conflict_prevents_the_whole_restore() {
    let fixture = TestService::new();
    fixture.issue("one");
    let two = fixture.issue("two");
    fixture.delete_all().unwrap();
    let other = fixture.issue("TWO");
    let error = fixture.expect_refusal(Service::restore_last);
    assert!(
        matches!(error, ServiceError::Refused(Refusal::NameTaken(taken)) if taken == name("two"))
    );
    assert_eq!(fixture.check(&two.secret), UNKNOWN);
    fixture.edit(&other.token.id, &name("three"), &Description::default()).unwrap();
    assert_eq!(fixture.restore_last().unwrap().len(), 2);
    assert!(fixture.works(&two.secret) && fixture.works(&other.secret));
}

#[test]
fn deleted_token_is_purged_after_24_hours() {
    let fixture = TestService::new();
    let issued = fixture.issue("ci");
    fixture.delete(&issued.token.id).unwrap();
    fixture.set_minute(DAY - 1);
    fixture.expect_no_change(Service::purge_trash);
    fixture.set_minute(DAY);
    let error = fixture.expect_refusal(Service::restore_last);
    assert_eq!(error.to_string(), "nothing to undo: no token was deleted in the last 24 hours");
    let ((), events) = fixture.capture_events(Service::purge_trash);
    assert_eq!(events, [(AuditAction::Purged, String::new())]);
    assert_eq!(fixture.store.read(ReadOps::trash).unwrap().rows, []);
    fixture.expect_no_change(Service::purge_trash);
    assert_eq!(fixture.check(&issued.secret), UNKNOWN);
}

#[test]
fn expired_trash_is_purged_in_batches() {
    let fixture = TestService::new();
    let count = PURGE_BATCH + 2;
    let last = fixture.issue("last");
    fixture
        .store
        .write(|rows| {
            (0..count).try_for_each(|n| {
                let id = TokenId::parse(&format!("{n:012}")).unwrap();
                rows.put_trash(&Token { id, ..last.token.clone() }, at(0))
            })
        })
        .unwrap();
    fixture.set_minute(DAY);
    let (_, events) = fixture.capture_events(|s| s.delete(&last.token.id));
    assert_eq!(events.len(), PURGE_BATCH + 1);
    let left = || fixture.store.read(ReadOps::trash).unwrap().rows.len();
    assert_eq!(left(), 3);
    fixture.purge_trash().unwrap();
    assert_eq!(left(), 1);
    assert_eq!(fixture.store.read(ReadOps::find_inconsistencies).unwrap().len(), 0);
}

#[test]
fn delete_purges_expired_trash() {
    let fixture = TestService::new();
    let (one, two) = (fixture.issue("one"), fixture.issue("two"));
    fixture.delete(&one.token.id).unwrap();
    fixture.set_minute(DAY);
    let (_, events) = fixture.capture_events(|s| s.delete(&two.token.id));
    let actions: Vec<_> = events.iter().map(|(action, _)| *action).collect();
    assert_eq!(actions, [AuditAction::Purged, AuditAction::Deleted]);
    assert_eq!(fixture.restore_last().unwrap().len(), 1);
    assert!(!fixture.works(&one.secret) && fixture.works(&two.secret));
}

#[test]
fn reused_name_does_not_reactivate_a_secret() {
    let fixture = TestService::new();
    let old = fixture.issue("ci");
    fixture.delete(&old.token.id).unwrap();
    let new = fixture.issue("ci");
    assert_ne!(old.token.id, new.token.id);
    assert_eq!(fixture.check(&old.secret), UNKNOWN);
    fixture.set_minute(2 * DAY);
    fixture.purge_trash().unwrap();
    assert_eq!(fixture.check(&old.secret), UNKNOWN);
    assert!(fixture.works(&new.secret));
}

#[test]
fn deleting_all_requires_the_confirmed_count() {
    let fixture = TestService::new();
    let mut issued: Vec<_> = (0..3).map(|n| fixture.issue(&format!("t{n}"))).collect();
    let all = Command::Delete { tokens: TokensToDelete::All };
    let error =
        fixture.expect_refusal(|s| s.execute(&all, &ConfirmationProof::NOT_REQUIRED)).to_string();
    assert_eq!(
        error,
        "nothing was deleted, because the store now has 3 tokens instead of 0: check the list and try again"
    );
    let three = fixture.preview(&all).unwrap();
    assert_eq!(three.confirmation(), Confirmation::TypeCount(3));
    issued.push(fixture.issue("t3"));
    let error = fixture.expect_refusal(|s| s.execute(&all, &three.confirm())).to_string();
    assert_eq!(
        error,
        "nothing was deleted, because the store now has 4 tokens instead of 3: check the list and try again"
    );
    fixture.delete(&issued[0].token.id).unwrap();
    // The same number of tokens, but not the same tokens.
    let error = fixture.expect_refusal(|s| s.execute(&all, &three.confirm())).to_string();
    assert_eq!(
        error,
        "nothing was done, because the store was changed in the meantime: check the tokens and try again"
    );
    let three = fixture.preview(&all).unwrap();
    let (done, events) = fixture.capture_events(|s| s.execute(&all, &three.confirm()));
    assert_eq!((done.plan.changes.len(), fixture.all().len(), events.len()), (3, 0, 3));
    assert!(issued.iter().all(|one| !fixture.works(&one.secret)));
    let (back, events) = fixture.capture_events(Service::restore_last);
    assert_eq!((back.len(), events.len()), (3, 3));
    assert!(issued[1..].iter().all(|one| fixture.works(&one.secret)));
}

#[test]
fn token_added_meanwhile_prevents_deleting_all() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.redb");
    let open = |seed| TestService::on(Store::open(&path).unwrap(), seed);
    let (one, two) = (open(1), open(2));
    one.issue("one");
    let all = Command::Delete { tokens: TokensToDelete::All };
    let confirmed = one.preview(&all).unwrap().confirm();
    two.issue("two");
    let error = one.expect_refusal(|s| s.execute(&all, &confirmed));
    let ServiceError::ChangedMeanwhile { plan, expected: 1 } = error else {
        panic!("{error}");
    };
    assert_eq!(one.execute(&all, &plan.confirm()).unwrap().plan.changes.len(), 2);
    assert_eq!(two.restore_last().unwrap().len(), 2);
}

/// Number of bytes that this thread reads from files in `work`.
fn read_by(work: impl FnOnce()) -> u64 {
    let so_far = || -> u64 {
        let counters = std::fs::read_to_string("/proc/thread-self/io").unwrap();
        let count = counters.lines().find_map(|line| line.strip_prefix("rchar: "));
        count.unwrap().parse().unwrap()
    };
    let before = so_far();
    work();
    so_far() - before
}

#[test]
fn the_first_frame_and_a_delete_do_not_read_a_full_trash() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.redb");
    let fixture = TestService::on(Store::open(&path).unwrap(), 1);
    let template = fixture.issue("template").token;
    let put_copies = |rows: &mut Writer<'_>| {
        (0..4_000).try_for_each(|n| {
            let id = TokenId::parse(&format!("{n:012}")).unwrap();
            rows.put_token(&Token { id, name: name(&format!("t{n}")), ..template.clone() })
        })
    };
    fixture.store.write(put_copies).unwrap();
    fixture.delete_all().unwrap();
    let kept = fixture.issue("kept").token.id;
    let later = TestService::on(Store::open(&path).unwrap(), 2);
    let frame = read_by(|| {
        assert_eq!(later.recently_issued(StatusFilter::All, at(0), 50).unwrap().len(), 1);
    });
    let edit = read_by(|| drop(later.clear_scopes(&kept).unwrap()));
    let delete = read_by(|| drop(later.delete(&kept).unwrap()));
    let reopened = Store::open(&path).unwrap();
    let trash = read_by(|| {
        assert_eq!(reopened.read(ReadOps::trash).unwrap().rows.len(), 4_002);
    });
    // An edit has nothing to do with the trash.
    assert!(frame < trash && delete < edit + trash / 4, "{frame} {edit} {delete} {trash}");
}
