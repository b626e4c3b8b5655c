//! The check: what it answers, what it tells to whom, and what it writes.

use super::{
    super::usage::{Usage, UsageRecorder, write},
    *,
};
use crate::{
    domain::{LastUse, SecretSlot},
    store::OpenOptions,
};

/// A use of the present secret of `pat`.
fn used(token: &Token) -> Usage {
    let used = LastUse { at: at(0), from: None, what: "".into() };
    Usage { id: token.id, by: SecretSlot::Current, digest: token.digest, used }
}

fn ask(world: &World, text: &str, request: &AccessRequest) -> Verdict {
    let presented = Zeroizing::new(text.to_owned());
    world.service.check(presented, Some(request), Some("192.0.2.7")).unwrap()
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
    let id = issued.token.id;
    let wrong = forged(id);
    let stranger = |world: &World| {
        let verdict = world.idle(|s| s.check(presented(&wrong), Some(&request(PUBLISH)), None));
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
    let id = issued.token.id;
    let told = |asked: &str| {
        let verdict = ask(&world, issued.secret.reveal(), &request(asked));
        assert_eq!(verdict.token.map(|token| token.id), Some(id));
        verdict.decision
    };
    assert_eq!(told(PUBLISH), Decision::Allow(Some(scope("channels:*:publish"))));
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
    let id = issued.token.id;
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
    let read_before = world.get(&issued.token.id).unwrap();
    world.works(&issued.secret);
    let generation = world.state().3;
    write(&world.store, &[used(&read_before)]).unwrap();
    assert_eq!(world.state().3, generation);
}

#[test]
fn uses_of_the_retiring_secret_are_told_apart_from_those_of_the_new_one() {
    let world = World::new();
    let old = world.issue("ci");
    let id = old.token.id;
    world.works(&old.secret);
    world.go_to(10);
    let new = world.regenerate(&id, renewal("30d", Overlap::Hour)).unwrap();
    let uses = |world: &World| {
        let token = world.get(&id).unwrap();
        let at = |which| token.used_by(which).map(|used| used.at);
        (at(SecretSlot::Current), at(SecretSlot::Previous))
    };
    assert_eq!(uses(&world), (Some(at(0)), None), "not since the rotation");
    assert!(!world.get(&id).unwrap().is_in_use());
    world.go_to(12);
    let presented = presented(&old.secret);
    world.service.check(presented, Some(&request(PUBLISH)), Some("10.0.0.7")).unwrap();
    assert_eq!(uses(&world), (Some(at(0)), Some(at(12))));
    let told = world.get(&id).unwrap().previous.unwrap().last_used.unwrap();
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
    let new = world.regenerate(&old.token.id, renewal("30d", Overlap::Hour)).unwrap();
    world.works(&old.secret);
    world.works(&new.secret);
    let before = world.get(&old.token.id).unwrap();
    assert!(before.used_by(SecretSlot::Previous).is_some() && before.is_in_use());
    world.delete(&old.token.id).unwrap();
    world.restore("ci").unwrap();
    assert_eq!(world.get(&old.token.id), Some(before));
}

#[test]
fn a_use_does_not_outlive_its_token() {
    let world = World::new();
    let issued = world.issue("ci");
    let read_before = world.get(&issued.token.id).unwrap();
    world.delete(&issued.token.id).unwrap();
    world.idle(|s| Ok(write(&s.store, &[used(&read_before)])?));
}

#[test]
fn a_use_that_cannot_be_written_leaves_the_decision() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.redb");
    let writer = World::on(Store::open(&path).unwrap(), 1);
    let issued = writer.issue("ci");
    let lock_timeout = std::time::Duration::from_millis(20);
    let opening = OpenOptions { lock_timeout, ..OpenOptions::default() };
    let reader = World::on(Store::open_with(&path, opening).unwrap(), 2);
    let held = writer.store.write(|_| {
        // Somebody else is in the middle of a write: no other can be done now.
        let mut verifier = reader.verifier();
        let verdict = verifier.check(presented(&issued.secret), Some(&request(PUBLISH)), None);
        Ok::<_, StoreError>((verdict, verifier.flush_usage()))
    });
    let (verdict, unrecorded) = held.unwrap();
    assert!(verdict.unwrap().decision.is_allowed());
    assert!(matches!(unrecorded, Err(StoreError::Busy { .. })));
    assert_eq!(reader.get(&issued.token.id).unwrap().last_used, None);
}

#[test]
fn a_store_that_is_gone_gives_no_answer() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.redb");
    let world = World::on(Store::open(&path).unwrap(), 1);
    let issued = world.issue("ci");
    std::fs::remove_file(&path).unwrap();
    let answer = world.service.check(presented(&issued.secret), Some(&request(PUBLISH)), None);
    assert!(matches!(
        answer,
        Err(ServiceError::Store(StoreError::Path(PathError {
            problem: PathProblem::NotFound,
            ..
        })))
    ));
}

#[test]
fn an_operators_trial_decides_as_the_check_does_and_is_no_use() {
    let world = World::new();
    let issued = world.issue("ci");
    let id = issued.token.id;
    let same = |world: &World, asked: &str| {
        let tried = world.idle(|s| s.test(&id, &request(asked)));
        assert_eq!(world.get(&id).unwrap().last_used, None);
        let token = world.get(&id).unwrap();
        assert_eq!(tried, crate::domain::decide(&token, &request(asked), world.clock.now()));
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

/// The same answers as from a check alone, whatever happened since the one before.
#[test]
fn checks_in_a_row_see_what_others_did_between_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.redb");
    let other = World::on(Store::open(&path).unwrap(), 1);
    let asked = World::on(Store::open(&path).unwrap(), 2);
    let issued = other.issue("ci");
    let mut verifier = asked.verifier();
    let mut says = |secret: &Secret| {
        let decision =
            verifier.check(presented(secret), Some(&request(PUBLISH)), None).unwrap().decision;
        assert_eq!(decision, asked.check(secret), "the same as alone");
        assert_eq!(verifier.check(presented(secret), None, None).unwrap().decision.is_allowed(), {
            asked.service.check(presented(secret), None, None).unwrap().decision.is_allowed()
        });
        decision
    };
    assert!(says(&issued.secret).is_allowed());
    other.clear_scopes(&issued.token.id).unwrap();
    assert!(matches!(says(&issued.secret), Decision::Deny(Denial::NoScope(_))));
    let renewed = other.regenerate(&issued.token.id, renewal("30d", Overlap::None)).unwrap();
    assert_eq!(says(&issued.secret), UNKNOWN);
    assert!(matches!(says(&renewed.secret), Decision::Deny(Denial::NoScope(_))));
    other.revoke(&issued.token.id).unwrap();
    assert!(matches!(says(&renewed.secret), Decision::Deny(Denial::Revoked(_))));
    other.delete(&issued.token.id).unwrap();
    assert_eq!(says(&renewed.secret), UNKNOWN);
}

#[test]
fn uses_of_checks_in_a_row_are_written_when_they_finish_each_once() {
    let world = World::new();
    let (a, b) = (world.issue("a"), world.issue("b"));
    let used = |issued: &Issued| world.get(&issued.token.id).unwrap().last_used.map(|used| used.at);
    let mut verifier = world.verifier();
    let ask = |verifier: &mut Verifier, second, issued: &Issued, what: &str| {
        world.clock.set(at(0) + TimeDelta::seconds(second));
        verifier.check(presented(&issued.secret), Some(&request(what)), None).unwrap();
    };
    ask(&mut verifier, 1, &a, PUBLISH);
    ask(&mut verifier, 2, &b, PUBLISH);
    ask(&mut verifier, 3, &a, "users:*:read");
    assert_eq!((used(&a), used(&b)), (None, None), "after the answers");
    verifier.flush_usage().unwrap();
    let second = |n| Some(at(0) + TimeDelta::seconds(n));
    assert_eq!((used(&a), used(&b)), (second(1), second(2)));
    let generation = world.state().3;
    ask(&mut verifier, 30, &a, PUBLISH);
    verifier.flush_usage().unwrap();
    assert_eq!(world.state().3, generation, "it is known to be written");
    ask(&mut verifier, 31, &a, PUBLISH);
    drop(verifier);
    assert_eq!(used(&a), second(31), "nobody needs to ask for it");
    // What others wrote is known as well, and for no longer than it is recent.
    let mut others = world.verifier();
    ask(&mut others, 60, &a, PUBLISH);
    ask(&mut others, 61, &a, PUBLISH);
    others.flush_usage().unwrap();
    assert_eq!(used(&a), second(61));
}

/// Queues `count` uses of the token.
fn queue_uses(recorder: &UsageRecorder, token: &Token, count: usize) -> usize {
    (0..count).filter(|_| recorder.record(used(token))).count()
}

#[test]
fn a_full_queue_drops_the_newest_use_and_counts_it() {
    let world = World::new();
    let (a, b) = (world.issue("a"), world.issue("b"));
    let last_used = |issued: &Issued| world.get(&issued.token.id).unwrap().last_used;
    let recorder = UsageRecorder::new(world.store.clone());
    assert_eq!(queue_uses(&recorder, &a.token, 3_000), 2_048);
    assert_eq!(queue_uses(&recorder, &b.token, 2), 0);
    assert_eq!(recorder.dropped(), 954);
    let generation = world.state().3;
    recorder.flush().unwrap();
    assert_eq!(world.state().3, generation + 1, "in one transaction, each secret once");
    assert!(last_used(&a).is_some() && last_used(&b).is_none());
    assert_eq!(queue_uses(&recorder, &b.token, 1), 1, "there is room again");
    drop(recorder);
    assert!(last_used(&b).is_some(), "what waits is written at the end");
}

#[test]
fn a_use_that_was_dropped_is_recorded_with_the_next_check() {
    let world = World::new();
    let (a, b) = (world.issue("a"), world.issue("b"));
    let mut verifier = world.verifier();
    queue_uses(verifier.recorder(), &a.token, 2_048);
    let check = |verifier: &mut Verifier| {
        let verdict = verifier.check(presented(&b.secret), Some(&request(PUBLISH)), None).unwrap();
        assert!(verdict.decision.is_allowed());
    };
    check(&mut verifier);
    assert_eq!(verifier.dropped_uses(), 1);
    verifier.flush_usage().unwrap();
    assert_eq!(world.get(&b.token.id).unwrap().last_used, None);
    check(&mut verifier);
    drop(verifier);
    assert!(world.get(&b.token.id).unwrap().last_used.is_some());
}

#[test]
fn verifiers_on_several_threads_share_one_recorder_that_needs_no_flush() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("s.redb")).unwrap();
    let world = World::on(store, 1);
    let issued: Vec<Issued> = (0..4).map(|n| world.issue(&format!("t{n}"))).collect();
    let verifier = world.verifier();
    verifier.record_in_background().unwrap();
    let generation = world.state().3;
    std::thread::scope(|scope| {
        for issued in &issued {
            let mut verifier = verifier.clone();
            scope.spawn(move || {
                let presented = presented(&issued.secret);
                let verdict = verifier.check(presented, Some(&request(PUBLISH)), None).unwrap();
                assert!(verdict.decision.is_allowed());
            });
        }
    });
    let started = std::time::Instant::now();
    while world.all().iter().any(|token| token.last_used.is_none()) {
        assert!(started.elapsed() < std::time::Duration::from_secs(30), "never recorded");
        std::thread::yield_now();
    }
    assert_eq!(world.state().3, generation + 4);
    drop(verifier);
}
