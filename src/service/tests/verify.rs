//! The check: its decisions, what a denial reveals, and which uses it records.

use super::{
    super::usage::{SecretUse, UsageRecorder, write},
    *,
};
use crate::{
    domain::{LastUse, SecretSlot},
    store::OpenOptions,
};

/// A use of the current secret of `token`.
fn current_secret_use(token: &Token) -> SecretUse {
    let used = LastUse { at: at(0), from: None, summary: "".into() };
    SecretUse { id: token.id, slot: SecretSlot::Current, digest: token.digest, used }
}

fn check_from_address(fixture: &TestService, text: &str, request: &AccessRequest) -> Verdict {
    let presented = Zeroizing::new(text.to_owned());
    fixture.service.check(presented, Some(request), Some("192.0.2.7")).unwrap()
}

#[test]
fn malformed_secret_reveals_no_token() {
    let fixture = TestService::new();
    let issued = fixture.issue("ci");
    let whole = issued.secret.reveal();
    let typo = if whole.ends_with('0') { "1" } else { "0" };
    let typo = format!("{}{typo}", &whole[..whole.len() - 1]);
    let longer = format!("{whole}\n");
    for text in ["", "pat", &whole[..30], &typo, &longer] {
        let verdict =
            fixture.expect_no_change(|_| Ok(check_from_address(&fixture, text, &request(PUBLISH))));
        assert!(matches!(verdict.decision, Decision::Deny(Denial::Malformed(_))));
        assert_eq!(verdict.token, None);
    }
}

#[test]
fn a_wrong_secret_is_unknown_in_every_token_state() {
    let fixture = TestService::new();
    let issued = fixture.issue("ci");
    let id = issued.token.id;
    let wrong = forged_secret(id);
    let assert_unknown = |fixture: &TestService| {
        let verdict = fixture
            .expect_no_change(|s| s.check(secret_text(&wrong), Some(&request(PUBLISH)), None));
        assert_eq!((verdict.decision, verdict.token), (UNKNOWN, None));
    };
    assert_unknown(&fixture);
    fixture.clear_scopes(&id).unwrap();
    assert_unknown(&fixture);
    fixture.set_minute(40 * DAY);
    assert_unknown(&fixture);
    fixture.revoke(&id).unwrap();
    assert_unknown(&fixture);
    fixture.delete(&id).unwrap();
    assert_unknown(&fixture);
    fixture.set_minute(50 * DAY);
    fixture.purge_trash().unwrap();
    assert_unknown(&fixture);
}

#[test]
fn matching_secret_gets_the_exact_denial_reason() {
    let fixture = TestService::new();
    let issued = fixture.issue("ci");
    let id = issued.token.id;
    let decide = |scope: &str| {
        let verdict = check_from_address(&fixture, issued.secret.reveal(), &request(scope));
        assert_eq!(verdict.token.map(|token| token.id), Some(id));
        verdict.decision
    };
    assert_eq!(decide(PUBLISH), Decision::Allow(Some(scope("channels:*:publish"))));
    for missing in ["channels:c1:read", "messages:c1:publish"] {
        let missing_scope = scope(missing);
        assert_eq!(decide(missing), Decision::Deny(Denial::NoScope(missing_scope)));
    }
    fixture.set_minute(30 * DAY - 1);
    assert!(decide(PUBLISH).is_allowed());
    fixture.set_minute(30 * DAY);
    assert_eq!(decide(PUBLISH), Decision::Deny(Denial::Expired(at(30 * DAY))));
    fixture.revoke(&id).unwrap();
    assert_eq!(decide(PUBLISH), Decision::Deny(Denial::Revoked(at(30 * DAY))));
}

#[test]
fn secret_with_an_older_prefix_still_works() {
    let mut fixture = TestService::new();
    let old = fixture.issue("ci");
    fixture.service.policy.prefix = SecretPrefix::parse("acme").unwrap();
    let new = fixture.issue("cd");
    assert!(new.secret.reveal().starts_with("acme_"));
    assert!(fixture.works(&old.secret) && fixture.works(&new.secret));
}

#[test]
fn a_use_is_written_once_in_30_seconds_without_an_event() {
    let fixture = TestService::new();
    let issued = fixture.issue("ci");
    let id = issued.token.id;
    let start = fixture.events().len();
    let use_at = |second: i64, scope: &str| {
        fixture.clock.set(at(0) + TimeDelta::seconds(second));
        check_from_address(&fixture, issued.secret.reveal(), &request(scope));
        fixture.get(&id).unwrap().last_used.unwrap()
    };
    let first = use_at(1, PUBLISH);
    assert_eq!(
        first,
        LastUse {
            at: at(0) + TimeDelta::seconds(1),
            from: Some("192.0.2.7".into()),
            summary: "channels:c1:publish allowed".into(),
        }
    );
    let generation = fixture.state().3;
    assert_eq!(use_at(30, PUBLISH), first);
    assert_eq!(fixture.state().3, generation);
    let second = use_at(31, PUBLISH);
    assert_eq!(second.at, at(0) + TimeDelta::seconds(31));
    let denied = use_at(32, "users:*:read");
    assert_eq!(denied.summary, "users:*:read denied", "a different use is written at once");
    assert_eq!(denied.at, at(0) + TimeDelta::seconds(32));
    assert_eq!(fixture.events().len(), start);
}

#[test]
fn different_uses_in_30_seconds_are_written_up_to_a_limit() {
    let fixture = TestService::new();
    let issued = fixture.issue("ci");
    let mut verifier = fixture.verifier();
    let generation = fixture.state().3;
    for _ in 0..2 {
        for host in 0..20 {
            let presented = secret_text(&issued.secret);
            let from = format!("192.0.2.{host}");
            verifier.check(presented, Some(&request(PUBLISH)), Some(&from)).unwrap();
            verifier.flush_usage().unwrap();
        }
    }
    assert_eq!(fixture.state().3, generation + 8);
    let last_use = fixture.get(&issued.token.id).unwrap().last_used.unwrap();
    assert_eq!(last_use.from.as_deref(), Some("192.0.2.7"));
}

#[test]
fn concurrent_checks_record_one_use() {
    let fixture = TestService::new();
    let issued = fixture.issue("ci");
    let read_before = fixture.get(&issued.token.id).unwrap();
    fixture.works(&issued.secret);
    let generation = fixture.state().3;
    let used = fixture.get(&issued.token.id).unwrap().last_used.unwrap();
    write(&fixture.store, &[SecretUse { used, ..current_secret_use(&read_before) }], at(0))
        .unwrap();
    assert_eq!(fixture.state().3, generation);
}

#[test]
fn previous_and_current_secret_have_separate_uses() {
    let fixture = TestService::new();
    let old = fixture.issue("ci");
    let id = old.token.id;
    fixture.works(&old.secret);
    fixture.set_minute(10);
    let new = fixture.regenerate(&id, regenerate_options("30d", SecretOverlap::Hour)).unwrap();
    let uses = |fixture: &TestService| {
        let token = fixture.get(&id).unwrap();
        let at = |slot| token.last_use_of(slot).map(|used| used.at);
        (at(SecretSlot::Current), at(SecretSlot::Previous))
    };
    assert_eq!(uses(&fixture), (Some(at(0)), None), "not since the rotation");
    assert!(!fixture.get(&id).unwrap().is_in_use());
    fixture.set_minute(12);
    let presented = secret_text(&old.secret);
    fixture.service.check(presented, Some(&request(PUBLISH)), Some("10.0.0.7")).unwrap();
    assert_eq!(uses(&fixture), (Some(at(0)), Some(at(12))));
    let last_use = fixture.get(&id).unwrap().previous.unwrap().last_used.unwrap();
    assert_eq!(last_use.from.as_deref(), Some("10.0.0.7"));
    assert_eq!(last_use.summary, "channels:c1:publish allowed");
    // A recent use of one secret does not suppress a use of the other.
    fixture.works(&new.secret);
    assert_eq!(uses(&fixture), (Some(at(12)), Some(at(12))));
    fixture.works(&old.secret);
    let generation = fixture.state().3;
    fixture.works(&old.secret);
    assert_eq!(fixture.state().3, generation, "each at most once in 30 seconds");
    fixture.set_minute(20);
    fixture.works(&old.secret);
    assert_eq!(uses(&fixture), (Some(at(12)), Some(at(20))));
    let ended = fixture.end_overlap(&id).unwrap();
    assert_eq!(ended.last_used.as_ref().unwrap().at, at(20));
    assert_eq!(fixture.get(&id), Some(ended), "the stored token equals the returned one");
}

#[test]
fn restored_token_keeps_the_uses_of_both_secrets() {
    let fixture = TestService::new();
    let old = fixture.issue("ci");
    let new =
        fixture.regenerate(&old.token.id, regenerate_options("30d", SecretOverlap::Hour)).unwrap();
    fixture.works(&old.secret);
    fixture.works(&new.secret);
    let before = fixture.get(&old.token.id).unwrap();
    assert!(before.last_use_of(SecretSlot::Previous).is_some() && before.is_in_use());
    fixture.delete(&old.token.id).unwrap();
    fixture.restore("ci").unwrap();
    let expected = Token { version: before.version + 1, ..before };
    assert_eq!(fixture.get(&old.token.id), Some(expected));
}

#[test]
fn a_use_does_not_outlive_its_token() {
    let fixture = TestService::new();
    let issued = fixture.issue("ci");
    let read_before = fixture.get(&issued.token.id).unwrap();
    fixture.delete(&issued.token.id).unwrap();
    fixture.expect_no_change(|s| Ok(write(&s.store, &[current_secret_use(&read_before)], at(0))?));
}

#[test]
fn an_unwritable_use_does_not_change_the_decision() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.redb");
    let writer = TestService::on(Store::open(&path).unwrap(), 1);
    let issued = writer.issue("ci");
    let lock_timeout = std::time::Duration::from_millis(20);
    let opening = OpenOptions { lock_timeout, ..OpenOptions::default() };
    let reader = TestService::on(Store::open_with(&path, opening).unwrap(), 2);
    let held = writer.store.write(|_| {
        // Another process holds the write lock.
        let mut verifier = reader.verifier();
        let verdict = verifier.check(secret_text(&issued.secret), Some(&request(PUBLISH)), None);
        Ok::<_, StoreError>((verdict, verifier.flush_usage()))
    });
    let (verdict, unrecorded) = held.unwrap();
    assert!(verdict.unwrap().decision.is_allowed());
    assert!(matches!(unrecorded, Err(StoreError::Busy { .. })));
    assert_eq!(reader.get(&issued.token.id).unwrap().last_used, None);
}

#[test]
fn missing_store_gives_no_decision() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.redb");
    let fixture = TestService::on(Store::open(&path).unwrap(), 1);
    let issued = fixture.issue("ci");
    std::fs::remove_file(&path).unwrap();
    let answer = fixture.service.check(secret_text(&issued.secret), Some(&request(PUBLISH)), None);
    assert!(matches!(
        answer,
        Err(ServiceError::Store(StoreError::Path(PathError { problem: PathProblem::NoStore, .. })))
    ));
}

#[test]
fn access_test_matches_a_check_and_records_no_use() {
    let fixture = TestService::new();
    let issued = fixture.issue("ci");
    let id = issued.token.id;
    let test_only = |fixture: &TestService, scope: &str| {
        let tested = fixture.expect_no_change(|s| s.check_access(&id, &request(scope), None));
        assert_eq!(fixture.get(&id).unwrap().last_used, None);
        let token = fixture.get(&id).unwrap();
        assert_eq!(tested, {
            let context = crate::domain::CheckContext::at(fixture.clock.now());
            crate::domain::decide(&token, Some(&request(scope)), &context)
        });
        tested
    };
    let mut tested = vec![test_only(&fixture, PUBLISH), test_only(&fixture, "users:*:read")];
    fixture.set_minute(30 * DAY);
    tested.push(test_only(&fixture, PUBLISH));
    // Another process, which has not seen the later time.
    let other = TestService::on(fixture.store.clone(), 2);
    let mut checked = vec![
        other.check(&issued.secret),
        check_from_address(&other, issued.secret.reveal(), &request("users:*:read")).decision,
    ];
    other.set_minute(30 * DAY);
    checked.push(other.check(&issued.secret));
    assert_eq!(tested, checked);
    fixture.revoke(&id).unwrap();
    let tested = fixture.check_access(&id, &request(PUBLISH), None).unwrap();
    assert_eq!(tested, fixture.check(&issued.secret));
}

/// A verifier gives the same decisions as single checks, whatever changed in between.
#[test]
fn consecutive_checks_see_changes_by_others() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.redb");
    let other = TestService::on(Store::open(&path).unwrap(), 1);
    let this = TestService::on(Store::open(&path).unwrap(), 2);
    let issued = other.issue("ci");
    let mut verifier = this.verifier();
    let mut decide = |secret: &Secret| {
        let decision =
            verifier.check(secret_text(secret), Some(&request(PUBLISH)), None).unwrap().decision;
        assert_eq!(decision, this.check(secret), "same as a single check");
        assert_eq!(
            verifier.check(secret_text(secret), None, None).unwrap().decision.is_allowed(),
            { this.service.check(secret_text(secret), None, None).unwrap().decision.is_allowed() }
        );
        decision
    };
    assert!(decide(&issued.secret).is_allowed());
    other.clear_scopes(&issued.token.id).unwrap();
    assert!(matches!(decide(&issued.secret), Decision::Deny(Denial::NoScope(_))));
    let regenerated =
        other.regenerate(&issued.token.id, regenerate_options("30d", SecretOverlap::None)).unwrap();
    assert_eq!(decide(&issued.secret), UNKNOWN);
    assert!(matches!(decide(&regenerated.secret), Decision::Deny(Denial::NoScope(_))));
    other.revoke(&issued.token.id).unwrap();
    assert!(matches!(decide(&regenerated.secret), Decision::Deny(Denial::Revoked(_))));
    other.delete(&issued.token.id).unwrap();
    assert_eq!(decide(&regenerated.secret), UNKNOWN);
}

#[test]
fn flush_records_each_use_of_consecutive_checks_once() {
    let fixture = TestService::new();
    let (a, b) = (fixture.issue("a"), fixture.issue("b"));
    let used =
        |issued: &IssuedToken| fixture.get(&issued.token.id).unwrap().last_used.map(|used| used.at);
    let mut verifier = fixture.verifier();
    let ask = |verifier: &mut Verifier, second, issued: &IssuedToken, scope: &str| {
        fixture.clock.set(at(0) + TimeDelta::seconds(second));
        verifier.check(secret_text(&issued.secret), Some(&request(scope)), None).unwrap();
    };
    ask(&mut verifier, 1, &a, PUBLISH);
    ask(&mut verifier, 2, &b, PUBLISH);
    ask(&mut verifier, 3, &a, "users:*:read");
    assert_eq!((used(&a), used(&b)), (None, None), "written after the decisions");
    verifier.flush_usage().unwrap();
    let second = |n| Some(at(0) + TimeDelta::seconds(n));
    assert_eq!((used(&a), used(&b)), (second(3), second(2)));
    let generation = fixture.state().3;
    ask(&mut verifier, 30, &a, PUBLISH);
    verifier.flush_usage().unwrap();
    assert_eq!(fixture.state().3, generation, "the last write is cached");
    ask(&mut verifier, 31, &a, PUBLISH);
    drop(verifier);
    assert_eq!(used(&a), second(31), "drop flushes");
    // A use written by another process is cached, too, for at most 30 seconds.
    let mut others = fixture.verifier();
    ask(&mut others, 60, &a, PUBLISH);
    ask(&mut others, 61, &a, PUBLISH);
    others.flush_usage().unwrap();
    assert_eq!(used(&a), second(61));
}

/// Queues `count` uses of the token.
fn queue_uses(recorder: &UsageRecorder, token: &Token, count: usize) -> usize {
    (0..count).filter(|_| recorder.record(current_secret_use(token))).count()
}

#[test]
fn a_full_queue_drops_and_counts_the_newest_use() {
    let fixture = TestService::new();
    let (a, b) = (fixture.issue("a"), fixture.issue("b"));
    let last_used = |issued: &IssuedToken| fixture.get(&issued.token.id).unwrap().last_used;
    let recorder = UsageRecorder::new(fixture.store.clone());
    assert_eq!(queue_uses(&recorder, &a.token, 3_000), 2_048);
    assert_eq!(queue_uses(&recorder, &b.token, 2), 0);
    assert_eq!(recorder.dropped(), 954);
    let generation = fixture.state().3;
    recorder.flush().unwrap();
    assert_eq!(fixture.state().3, generation + 1, "one transaction, each secret once");
    assert!(last_used(&a).is_some() && last_used(&b).is_none());
    assert_eq!(queue_uses(&recorder, &b.token, 1), 1, "the queue has room again");
    drop(recorder);
    assert!(last_used(&b).is_some(), "queued uses are written on drop");
}

#[test]
fn a_dropped_use_is_recorded_by_the_next_check() {
    let fixture = TestService::new();
    let (a, b) = (fixture.issue("a"), fixture.issue("b"));
    let mut verifier = fixture.verifier();
    queue_uses(verifier.recorder(), &a.token, 2_048);
    let check = |verifier: &mut Verifier| {
        let verdict =
            verifier.check(secret_text(&b.secret), Some(&request(PUBLISH)), None).unwrap();
        assert!(verdict.decision.is_allowed());
    };
    check(&mut verifier);
    assert_eq!(verifier.dropped_uses(), 1);
    verifier.flush_usage().unwrap();
    assert_eq!(fixture.get(&b.token.id).unwrap().last_used, None);
    check(&mut verifier);
    drop(verifier);
    assert!(fixture.get(&b.token.id).unwrap().last_used.is_some());
}

#[test]
fn cloned_verifiers_share_a_background_recorder() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("s.redb")).unwrap();
    let fixture = TestService::on(store, 1);
    let issued: Vec<IssuedToken> = (0..4).map(|n| fixture.issue(&format!("t{n}"))).collect();
    let verifier = fixture.verifier();
    verifier.record_in_background().unwrap();
    let generation = fixture.state().3;
    std::thread::scope(|scope| {
        for issued in &issued {
            let mut verifier = verifier.clone();
            scope.spawn(move || {
                let presented = secret_text(&issued.secret);
                let verdict = verifier.check(presented, Some(&request(PUBLISH)), None).unwrap();
                assert!(verdict.decision.is_allowed());
            });
        }
    });
    let started = std::time::Instant::now();
    while fixture.all().iter().any(|token| token.last_used.is_none()) {
        assert!(started.elapsed() < std::time::Duration::from_secs(30), "never recorded");
        std::thread::yield_now();
    }
    assert_eq!(fixture.state().3, generation + 4);
    drop(verifier);
}
