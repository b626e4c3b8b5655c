//! Which uses and denied attempts a check records, and when they are written.

use super::{
    super::usage::{SecretUse, UsageBatch, UsageRecorder, write},
    *,
};
use crate::{
    domain::{DenialReason, LastUse, SecretSlot},
    store::OpenOptions,
};

/// A use of the current secret of `token`.
fn current_secret_use(token: &Token) -> SecretUse {
    let used = LastUse { at: at(0), from: None, summary: "".into() };
    let (slot, digest) = (SecretSlot::Current, token.digest);
    SecretUse { id: token.id, slot, digest, used, denial: None }
}

fn batch_of(usage: SecretUse) -> UsageBatch {
    UsageBatch { uses: vec![usage], newest: Some(at(0)), ..UsageBatch::default() }
}

pub(super) fn check_from_address(
    fixture: &TestService,
    text: &str,
    request: &AccessRequest,
) -> Verdict {
    let presented = Zeroizing::new(text.to_owned());
    fixture.service.check(presented, Some(request), Some("192.0.2.7")).unwrap()
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
    let other = use_at(32, "channels:c2:publish");
    assert_eq!(other.summary, "channels:c2:publish allowed", "a different use is written at once");
    assert_eq!(other.at, at(0) + TimeDelta::seconds(32));
    assert_eq!(fixture.events().len(), start);
}

#[test]
fn a_denied_attempt_leaves_the_last_use_alone() {
    let fixture = TestService::new();
    let issued = fixture.issue("ci");
    let id = issued.token.id;
    let attempts = |fixture: &TestService| {
        let token = fixture.get(&id).unwrap();
        let text = |last: Option<&LastUse>| last.map(|last| (last.at, last.summary.to_string()));
        (text(token.last_use()), text(token.last_denial()))
    };
    check_from_address(&fixture, issued.secret.reveal(), &request("users:u1:read"));
    let denied = Some((at(0), "users:u1:read".to_owned()));
    assert_eq!(attempts(&fixture), (None, denied), "only denied is never used");
    fixture.set_minute(1);
    check_from_address(&fixture, issued.secret.reveal(), &request(PUBLISH));
    fixture.set_minute(2);
    check_from_address(&fixture, issued.secret.reveal(), &request("users:u2:read"));
    let used = Some((at(1), "channels:c1:publish allowed".to_owned()));
    let denied = Some((at(2), "users:u2:read".to_owned()));
    assert_eq!(attempts(&fixture), (used.clone(), denied));
    // A revoked token that is identified is denied, too.
    fixture.revoke(&id).unwrap();
    fixture.set_minute(3);
    fixture.service.check(secret_text(&issued.secret), None, None).unwrap();
    assert_eq!(attempts(&fixture), (used, Some((at(3), "identify".to_owned()))));
}

#[test]
fn reasons_are_written_with_the_last_denial_only() {
    let fixture = TestService::new();
    let issued = fixture.issue("ci");
    let attempt = |minute, entity: &str| {
        fixture.set_minute(minute);
        let request = request(&format!("users:{entity}:read"));
        check_from_address(&fixture, issued.secret.reveal(), &request);
    };
    attempt(1, "u1");
    let generation = fixture.state().3;
    attempt(1, "u1");
    assert_eq!(fixture.state().3, generation, "a repeated denial writes nothing");
    for n in 2..9 {
        attempt(n, &format!("u{n}"));
    }
    let attempts = fixture.denied_attempts(&issued.token.id).unwrap();
    let times: Vec<_> = attempts.as_slice().iter().map(|it| it.at).collect();
    assert_eq!(times, [8, 7, 6, 5, 4].map(at));
    let newest = &attempts.as_slice()[0];
    let last = fixture.get(&issued.token.id).unwrap().last_denied.unwrap();
    assert_eq!((newest.at, &newest.request, &newest.from), (last.at, &last.summary, &last.from));
    assert_eq!(newest.reason, DenialReason::NoScope);
    fixture.delete(&issued.token.id).unwrap();
    assert_eq!(fixture.store.read(ReadOps::find_inconsistencies), Ok(vec![]));
}

#[test]
fn denials_of_both_secrets_are_kept_apart() {
    let fixture = TestService::new();
    let old = fixture.issue("ci");
    let id = old.token.id;
    let new = fixture.regenerate(&id, regenerate_options("30d", SecretOverlap::Hour)).unwrap();
    for (minute, secret) in [(1, &old.secret), (2, &new.secret)] {
        fixture.set_minute(minute);
        check_from_address(&fixture, secret.reveal(), &request("users:u1:read"));
    }
    let token = fixture.get(&id).unwrap();
    let denied_at = |slot| token.last_denial_of(slot).map(|last| last.at);
    assert_eq!(denied_at(SecretSlot::Previous), Some(at(1)));
    assert_eq!(denied_at(SecretSlot::Current), Some(at(2)));
    assert_eq!(token.last_use(), None);
    let ended = fixture.end_overlap(&id).unwrap();
    assert_eq!(ended.last_denial().map(|last| last.at), Some(at(2)));
    assert_eq!(fixture.get(&id), Some(ended), "the stored token equals the returned one");
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
    let usage = SecretUse { used, ..current_secret_use(&read_before) };
    write(&fixture.store, &batch_of(usage)).unwrap();
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
    let after = fixture.get(&old.token.id).unwrap();
    assert_eq!(after, Token { version: after.version, ..before });
}

#[test]
fn a_use_does_not_outlive_its_token() {
    let fixture = TestService::new();
    let issued = fixture.issue("ci");
    let read_before = fixture.get(&issued.token.id).unwrap();
    fixture.delete(&issued.token.id).unwrap();
    fixture.expect_no_change(|s| Ok(write(&s.store, &batch_of(current_secret_use(&read_before)))?));
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
    ask(&mut verifier, 3, &a, "channels:c2:publish");
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
    let record = || recorder.record(token.id, at(0), true, Some(current_secret_use(token)));
    (0..count).filter(|_| record()).count()
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
    assert_eq!(fixture.state().3, generation + 2, "one transaction, each token once");
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

fn day_counts(fixture: &TestService, id: &TokenId) -> Vec<(u64, u64)> {
    let days = fixture.usage_days(id).unwrap();
    days.as_slice().iter().map(|count| (count.used, count.denied)).collect()
}

#[test]
fn each_check_of_a_session_is_counted_by_day() {
    let fixture = TestService::new();
    let issued = fixture.issue("ci");
    let id = issued.token.id;
    let mut verifier = fixture.verifier();
    let check = |verifier: &mut Verifier, scope: &str| {
        verifier.check(secret_text(&issued.secret), Some(&request(scope)), None).unwrap();
    };
    for _ in 0..5 {
        check(&mut verifier, PUBLISH);
    }
    assert_eq!(day_counts(&fixture, &id), [], "written in a batch");
    verifier.flush_usage().unwrap();
    assert_eq!(day_counts(&fixture, &id), [(5, 0)]);
    let generation = fixture.state().3;
    check(&mut verifier, PUBLISH);
    verifier.flush_usage().unwrap();
    assert_eq!(fixture.state().3, generation, "a repeated check causes no write of its own");
    fixture.clock.set(at(0) + TimeDelta::seconds(1));
    check(&mut verifier, PUBLISH);
    verifier.flush_usage().unwrap();
    assert_eq!(day_counts(&fixture, &id), [(7, 0)], "the checks of a second are written");
    fixture.set_minute(1_440);
    check(&mut verifier, "users:u1:read");
    check(&mut verifier, "users:u1:read");
    drop(verifier);
    assert_eq!(day_counts(&fixture, &id), [(7, 0), (0, 2)], "the end of a session flushes");
}

#[test]
fn counts_that_cannot_be_written_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.redb");
    let writer = TestService::on(Store::open(&path).unwrap(), 1);
    let issued = writer.issue("ci");
    let reader = TestService::on(Store::open(&path).unwrap(), 2);
    let mut verifier = reader.verifier();
    let check = |verifier: &mut Verifier| {
        verifier.check(secret_text(&issued.secret), None, None).unwrap();
    };
    check(&mut verifier);
    verifier.release();
    // Another process holds the write lock.
    let failed = writer.store.write(|_| Ok::<_, StoreError>(verifier.flush_usage()));
    assert!(matches!(failed, Ok(Err(StoreError::Busy { .. }))));
    check(&mut verifier);
    drop(verifier);
    assert_eq!(day_counts(&reader, &issued.token.id), [(2, 0)]);
}

#[test]
fn a_process_with_one_repeated_check_writes_nothing() {
    let fixture = TestService::new();
    let issued = fixture.issue("ci");
    fixture.works(&issued.secret);
    let generation = fixture.state().3;
    fixture.works(&issued.secret);
    assert_eq!(fixture.state().3, generation);
    assert_eq!(day_counts(&fixture, &issued.token.id), [(1, 0)]);
}
