//! Deleting, bringing back, and what never comes back.

use super::*;
use crate::domain::{Confirmation, Confirmed};

#[test]
fn a_deleted_secret_is_dead_with_the_commit_and_works_again_when_brought_back() {
    let world = World::new();
    let issued = world.issue("ci");
    let id = issued.token.id;
    world.works(&issued.secret);
    let before = world.get(&id).unwrap();
    assert!(before.last_used.is_some());
    world.go_to(5);
    let (_, told) = world.told(|s| s.delete(&id));
    let detail = "was active, can be brought back for 24 hours";
    assert_eq!(told, [(AuditAction::Deleted, detail.into())]);
    assert_eq!((world.check(&issued.secret), world.get(&id)), (UNKNOWN, None));
    world.go_to(5 + DAY - 1);
    let (back, told) = world.told(Service::restore_last);
    assert_eq!(told, [(AuditAction::Restored, String::new())]);
    assert_eq!((back.len(), world.get(&id)), (1, Some(before)), "with its last use");
    assert!(world.works(&issued.secret));
    assert!(world.refused(Service::restore_last).to_string().starts_with("nothing can be"));
}

#[test]
fn what_was_revoked_or_expired_before_comes_back_as_it_was() {
    let world = World::new();
    let issued = world.issue("ci");
    world.revoke(&issued.token.id).unwrap();
    world.delete(&issued.token.id).unwrap();
    world.restore_last().unwrap();
    assert_eq!(world.check(&issued.secret), Decision::Deny(Denial::Revoked(at(0))));
}

#[test]
fn the_last_delete_comes_back_first_and_then_the_one_before() {
    let world = World::new();
    let (one, two) = (world.issue("one"), world.issue("two"));
    // Within one tick of the clock, or while it is behind: they are two deletes all the same.
    world.delete(&one.token.id).unwrap();
    world.delete(&two.token.id).unwrap();
    let names =
        |tokens: Vec<Token>| -> Vec<_> { tokens.iter().map(|p| p.name.to_string()).collect() };
    assert_eq!(names(world.restore_last().unwrap()), ["two"]);
    assert_eq!(world.check(&one.secret), UNKNOWN);
    assert_eq!(names(world.restore_last().unwrap()), ["one"]);
    assert!(world.works(&one.secret) && world.works(&two.secret));
}

#[test]
fn a_name_taken_meanwhile_stops_all_that_was_to_come_back() {
    let world = World::new();
    world.issue("one");
    let two = world.issue("two");
    world.delete_all().unwrap();
    let usurper = world.issue("TWO");
    let error = world.refused(Service::restore_last);
    assert!(
        matches!(error, ServiceError::Refused(Refusal::NameTaken(taken)) if taken == name("two"))
    );
    assert_eq!(world.check(&two.secret), UNKNOWN);
    world.edit(&usurper.token.id, &name("three"), &Description::default()).unwrap();
    assert_eq!(world.restore_last().unwrap().len(), 2);
    assert!(world.works(&two.secret) && world.works(&usurper.secret));
}

#[test]
fn after_24_hours_nothing_comes_back_and_the_record_is_purged() {
    let world = World::new();
    let issued = world.issue("ci");
    world.delete(&issued.token.id).unwrap();
    world.go_to(DAY - 1);
    world.idle(Service::purge);
    world.go_to(DAY);
    let error = world.refused(Service::restore_last);
    assert_eq!(
        error.to_string(),
        "nothing can be brought back: a deleted token is kept for 24 hours"
    );
    let ((), told) = world.told(Service::purge);
    assert_eq!(told, [(AuditAction::Purged, String::new())]);
    assert_eq!(world.store.read(ReadOps::trash).unwrap().rows, []);
    world.idle(Service::purge);
    assert_eq!(world.check(&issued.secret), UNKNOWN);
}

#[test]
fn the_next_delete_purges_what_is_old() {
    let world = World::new();
    let (one, two) = (world.issue("one"), world.issue("two"));
    world.delete(&one.token.id).unwrap();
    world.go_to(DAY);
    let (_, told) = world.told(|s| s.delete(&two.token.id));
    let actions: Vec<_> = told.iter().map(|(action, _)| *action).collect();
    assert_eq!(actions, [AuditAction::Purged, AuditAction::Deleted]);
    assert_eq!(world.restore_last().unwrap().len(), 1);
    assert!(!world.works(&one.secret) && world.works(&two.secret));
}

#[test]
fn a_name_used_again_revives_no_secret() {
    let world = World::new();
    let old = world.issue("ci");
    world.delete(&old.token.id).unwrap();
    let new = world.issue("ci");
    assert_ne!(old.token.id, new.token.id);
    assert_eq!(world.check(&old.secret), UNKNOWN);
    world.go_to(2 * DAY);
    world.purge().unwrap();
    assert_eq!(world.check(&old.secret), UNKNOWN);
    assert!(world.works(&new.secret));
}

#[test]
fn deleting_all_needs_the_count_that_was_confirmed() {
    let world = World::new();
    let mut issued: Vec<_> = (0..3).map(|n| world.issue(&format!("t{n}"))).collect();
    let all = Command::Delete { tokens: TokenSelection::All };
    let error = world.refused(|s| s.execute(&all, &Confirmed::NOTHING)).to_string();
    assert_eq!(error, "there are 3 tokens now, not 0: nothing was deleted, look again");
    let three = world.preview(&all).unwrap();
    assert_eq!(three.confirmation(), Confirmation::TypeCount(3));
    issued.push(world.issue("t3"));
    let error = world.refused(|s| s.execute(&all, &three.confirmed())).to_string();
    assert_eq!(error, "there are 4 tokens now, not 3: nothing was deleted, look again");
    world.delete(&issued[0].token.id).unwrap();
    // As many, but not the same ones.
    let error = world.refused(|s| s.execute(&all, &three.confirmed())).to_string();
    assert_eq!(error, "it was changed meanwhile: nothing was done, look again");
    let three = world.preview(&all).unwrap();
    let (done, told) = world.told(|s| s.execute(&all, &three.confirmed()));
    assert_eq!((done.plan.changes.len(), world.all().len(), told.len()), (3, 0, 3));
    assert!(issued.iter().all(|one| !world.works(&one.secret)));
    let (back, told) = world.told(Service::restore_last);
    assert_eq!((back.len(), told.len()), (3, 3));
    assert!(issued[1..].iter().all(|one| world.works(&one.secret)));
}

#[test]
fn a_token_added_by_another_program_keeps_all_from_being_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.redb");
    let open = |seed| World::on(Store::open(&path).unwrap(), seed);
    let (one, two) = (open(1), open(2));
    one.issue("one");
    let all = Command::Delete { tokens: TokenSelection::All };
    let seen = one.preview(&all).unwrap().confirmed();
    two.issue("two");
    let error = one.refused(|s| s.execute(&all, &seen));
    let ServiceError::ChangedMeanwhile { plan, expected: 1 } = error else {
        panic!("{error}");
    };
    assert_eq!(one.execute(&all, &plan.confirmed()).unwrap().plan.changes.len(), 2);
    assert_eq!(two.restore_last().unwrap().len(), 2);
}
