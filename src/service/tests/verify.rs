//! The check: what it answers, what it tells to whom, and what it writes.

use super::*;
use crate::domain::{LastUse, Which};

fn used(minute: i64) -> LastUse {
    LastUse { at: at(minute), from: None, what: String::new() }
}

fn ask(world: &World, text: &str, request: &Request) -> Verdict {
    let presented = Zeroizing::new(text.to_owned());
    world.verify(presented, request, Some("192.0.2.7")).unwrap()
}

#[test]
fn what_is_no_secret_is_malformed_and_tells_no_token() {
    let world = World::new();
    let issued = world.issue("ci");
    let whole = issued.secret.reveal();
    let typo = if whole.ends_with('0') { "1" } else { "0" };
    let typo = format!("{}{typo}", &whole[..whole.len() - 1]);
    let longer = format!("{whole}\n");
    for text in ["", "pat", &whole[..30], &typo, &longer] {
        let verdict = world.idle(|_| Ok(ask(&world, text, &request(PUBLISH))));
        assert!(matches!(verdict.decision, Decision::Deny(Denial::Malformed(_))));
        assert_eq!(verdict.token, None);
    }
}

#[test]
fn a_wrong_secret_is_unknown_whatever_the_state_of_the_record() {
    let world = World::new();
    let issued = world.issue("ci");
    let id = issued.pat.id;
    let wrong = forged(id);
    let stranger = |world: &World| {
        let verdict = world.idle(|s| s.verify(presented(&wrong), &request(PUBLISH), None));
        assert_eq!((verdict.decision, verdict.token), (UNKNOWN, None));
    };
    stranger(&world);
    world.clear_scopes(&id).unwrap();
    stranger(&world);
    world.go_to(40 * DAY);
    stranger(&world);
    world.revoke(&id).unwrap();
    stranger(&world);
    world.delete(&id).unwrap();
    stranger(&world);
    world.go_to(50 * DAY);
    world.purge().unwrap();
    stranger(&world);
}

#[test]
fn a_matching_secret_is_told_just_what_is_wrong() {
    let world = World::new();
    let issued = world.issue("ci");
    let id = issued.pat.id;
    let told = |asked: &str| {
        let verdict = ask(&world, issued.secret.reveal(), &request(asked));
        assert_eq!(verdict.token.map(|pat| pat.id), Some(id));
        verdict.decision
    };
    assert_eq!(told(PUBLISH), Decision::Allow(scope("channels:*:publish")));
    for missing in ["channels:c1:read", "messages:c1:publish"] {
        let missing_scope = scope(missing);
        assert_eq!(told(missing), Decision::Deny(Denial::NoScope(missing_scope)));
    }
    world.go_to(30 * DAY - 1);
    assert!(told(PUBLISH).is_allowed());
    world.go_to(30 * DAY);
    assert_eq!(told(PUBLISH), Decision::Deny(Denial::Expired(at(30 * DAY))));
    world.revoke(&id).unwrap();
    assert_eq!(told(PUBLISH), Decision::Deny(Denial::Revoked(at(30 * DAY))));
}

#[test]
fn a_secret_with_an_older_prefix_goes_on_working() {
    let mut world = World::new();
    let old = world.issue("ci");
    world.service.policy.prefix = Prefix::parse("acme").unwrap();
    let new = world.issue("cd");
    assert!(new.secret.reveal().starts_with("acme_"));
    assert!(world.works(&old.secret) && world.works(&new.secret));
}

#[test]
fn a_use_is_written_at_most_once_in_30_seconds_and_is_no_event() {
    let world = World::new();
    let issued = world.issue("ci");
    let id = issued.pat.id;
    let start = world.events().len();
    let use_at = |second: i64, asked: &str| {
        world.clock.set(at(0) + TimeDelta::seconds(second));
        ask(&world, issued.secret.reveal(), &request(asked));
        world.get(&id).unwrap().last_used.unwrap()
    };
    let first = use_at(1, PUBLISH);
    assert_eq!(
        first,
        LastUse {
            at: at(0) + TimeDelta::seconds(1),
            from: Some("192.0.2.7".into()),
            what: "channels:c1:publish allowed".into(),
        }
    );
    let generation = world.state().3;
    assert_eq!(use_at(30, "users:*:read"), first);
    assert_eq!(world.state().3, generation);
    let second = use_at(31, "users:*:read");
    assert_eq!(second.what, "users:*:read denied");
    assert_eq!(second.at, at(0) + TimeDelta::seconds(31));
    assert_eq!(world.events().len(), start);
}

#[test]
fn a_check_that_read_before_another_ones_use_writes_no_second_one() {
    let world = World::new();
    let issued = world.issue("ci");
    let read_before = world.get(&issued.pat.id).unwrap();
    world.works(&issued.secret);
    let generation = world.state().3;
    world.note_use(&read_before, Which::Present, &used(0)).unwrap();
    assert_eq!(world.state().3, generation);
}

#[test]
fn uses_of_the_retiring_secret_are_told_apart_from_those_of_the_new_one() {
    let world = World::new();
    let old = world.issue("ci");
    let id = old.pat.id;
    world.works(&old.secret);
    world.go_to(10);
    let new = world.regenerate(&id, renewal("30d", Overlap::Hour)).unwrap();
    let uses = |world: &World| {
        let pat = world.get(&id).unwrap();
        let at = |which| pat.used_by(which).map(|used| used.at);
        (at(Which::Present), at(Which::Retiring))
    };
    assert_eq!(uses(&world), (Some(at(0)), None), "not since the rotation");
    assert!(!world.get(&id).unwrap().is_in_use());
    world.go_to(12);
    let presented = presented(&old.secret);
    world.verify(presented, &request(PUBLISH), Some("10.0.0.7")).unwrap();
    assert_eq!(uses(&world), (Some(at(0)), Some(at(12))));
    let told = world.get(&id).unwrap().retiring.unwrap().last_used.unwrap();
    assert_eq!(told.from.as_deref(), Some("10.0.0.7"));
    assert_eq!(told.what, "channels:c1:publish allowed");
    // Neither hides the other: a use of the new one is written, though the old one's is fresh.
    world.works(&new.secret);
    assert_eq!(uses(&world), (Some(at(12)), Some(at(12))));
    let generation = world.state().3;
    world.works(&old.secret);
    assert_eq!(world.state().3, generation, "each at most once in 30 seconds");
    world.go_to(20);
    world.works(&old.secret);
    assert_eq!(uses(&world), (Some(at(12)), Some(at(20))));
    let ended = world.end_overlap(&id).unwrap();
    assert_eq!(ended.last_used.as_ref().unwrap().at, at(20));
    assert_eq!(world.get(&id), Some(ended), "as it was told, so it is kept");
}

#[test]
fn a_deleted_token_comes_back_with_the_uses_of_both_its_secrets() {
    let world = World::new();
    let old = world.issue("ci");
    let new = world.regenerate(&old.pat.id, renewal("30d", Overlap::Hour)).unwrap();
    world.works(&old.secret);
    world.works(&new.secret);
    let before = world.get(&old.pat.id).unwrap();
    assert!(before.used_by(Which::Retiring).is_some() && before.is_in_use());
    world.delete(&old.pat.id).unwrap();
    world.restore("ci").unwrap();
    assert_eq!(world.get(&old.pat.id), Some(before));
}

#[test]
fn a_use_does_not_outlive_its_token() {
    let world = World::new();
    let issued = world.issue("ci");
    let read_before = world.get(&issued.pat.id).unwrap();
    world.delete(&issued.pat.id).unwrap();
    world.idle(|s| Ok(s.note_use(&read_before, Which::Present, &used(0))?));
}

#[test]
fn a_use_that_cannot_be_written_leaves_the_decision() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.redb");
    let writer = World::on(Store::open(&path).unwrap(), 1);
    let issued = writer.issue("ci");
    let impatient = Store::open_with(&path, std::time::Duration::from_millis(20)).unwrap();
    let reader = World::on(impatient, 2);
    let held = writer.store.write(|_| {
        // Somebody else is in the middle of a write: no other can be done now.
        Ok::<_, StoreError>(ask(&reader, issued.secret.reveal(), &request(PUBLISH)))
    });
    let verdict = held.unwrap();
    assert!(verdict.decision.is_allowed());
    assert!(matches!(verdict.unrecorded, Some(StoreError::Busy { .. })));
    assert_eq!(reader.get(&issued.pat.id).unwrap().last_used, None);
}

#[test]
fn a_store_that_is_gone_gives_no_answer() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.redb");
    let world = World::on(Store::open(&path).unwrap(), 1);
    let issued = world.issue("ci");
    std::fs::remove_file(&path).unwrap();
    let answer = world.verify(presented(&issued.secret), &request(PUBLISH), None);
    assert!(matches!(answer, Err(ServiceError::Store(StoreError::Gone { .. }))));
}

#[test]
fn an_operators_trial_decides_as_the_check_does_and_is_no_use() {
    let world = World::new();
    let issued = world.issue("ci");
    let id = issued.pat.id;
    let same = |world: &World, asked: &str| {
        let tried = world.idle(|s| s.test(&id, &request(asked)));
        assert_eq!(world.get(&id).unwrap().last_used, None);
        let pat = world.get(&id).unwrap();
        assert_eq!(tried, crate::domain::decide(&pat, &request(asked), world.clock.now()));
        tried
    };
    let mut tried = vec![same(&world, PUBLISH), same(&world, "users:*:read")];
    world.go_to(30 * DAY);
    tried.push(same(&world, PUBLISH));
    world.go_to(0);
    let mut checked = vec![
        world.check(&issued.secret),
        ask(&world, issued.secret.reveal(), &request("users:*:read")).decision,
    ];
    world.go_to(30 * DAY);
    checked.push(world.check(&issued.secret));
    assert_eq!(tried, checked);
    world.revoke(&id).unwrap();
    let tried = world.test(&id, &request(PUBLISH)).unwrap();
    assert_eq!(tried, world.check(&issued.secret));
}
