//! The limits of a token: denials, exact counts under parallel checks, and what changes of limits
//! need.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::{
    domain::{FieldChanges, LimitChange, MaxUses, Refusal, Status},
    store::OpenOptions,
};

fn limits(sources: &str, start: &str, uses: u32) -> LimitChanges {
    LimitChanges {
        sources: sources.parse().map_or(LimitChange::Keep, LimitChange::Set),
        not_before: start.parse().map_or(LimitChange::Keep, LimitChange::Set),
        max_uses: MaxUses::new(uses).map_or(LimitChange::Keep, LimitChange::Set),
    }
}

fn issue(fixture: &TestService, limits: LimitChanges) -> IssuedToken {
    fixture.create(&NewToken { limits, ..new_token("ci") }).unwrap()
}

fn edit(fixture: &TestService, id: &TokenId, limits: LimitChanges) -> Command {
    let changes = FieldChanges { limits, ..FieldChanges::default() };
    let command = Command::Edit { token: *id, changes };
    let (_, undo) = fixture.change_one(&command).unwrap();
    undo.unwrap()
}

fn check_from(fixture: &TestService, secret: &Secret, from: Option<&str>) -> Decision {
    let checked = fixture.service.check(secret_text(secret), Some(&request(PUBLISH)), from);
    checked.unwrap().decision
}

fn uses_left(fixture: &TestService, id: &TokenId) -> u32 {
    fixture.get(id).unwrap().uses_left().unwrap().0
}

fn exhausted(max: u32) -> Decision {
    Decision::Deny(Denial::UsesExhausted(MaxUses::new(max).unwrap()))
}

#[test]
fn a_source_limit_needs_an_allowed_address() {
    let fixture = TestService::new();
    let issued = issue(&fixture, limits("10.0.0.0/8, 2001:db8::/32", "", 0));
    for (from, expected) in [
        (Some("10.1.2.3"), None),
        (Some("::ffff:10.1.2.3"), None),
        (Some("2001:db8::7"), None),
        (Some("192.0.2.7"), Some("192.0.2.7")),
        (Some("pts/3"), Some("`pts/3` is not an IP address")),
        (None, Some("no address was given")),
    ] {
        let denial = expected.map(|text| Decision::Deny(Denial::SourceNotAllowed(text.into())));
        let decision = check_from(&fixture, &issued.secret, from);
        assert_eq!(decision.is_allowed(), denial.is_none(), "{from:?}");
        assert!(denial.is_none_or(|denial| denial == decision), "{from:?}: {decision:?}");
        let tested = fixture.check_access(&issued.token.id, &request(PUBLISH), from).unwrap();
        assert_eq!(tested, decision, "{from:?}");
    }
}

#[test]
fn the_recorded_address_does_not_count_as_given() {
    let fixture = TestService::new();
    let issued = issue(&fixture, limits("10.0.0.0/8", "", 0));
    let mut verifier = fixture.verifier().recording_from(Some("10.0.0.1".to_owned()));
    let verdict = verifier.check(secret_text(&issued.secret), None, None).unwrap();
    assert!(!verdict.decision.is_allowed());
    drop(verifier);
    let denied = fixture.get(&issued.token.id).unwrap().last_denied.unwrap();
    assert_eq!(denied.from.as_deref(), Some("10.0.0.1"));
}

#[test]
fn a_token_is_not_valid_before_its_start() {
    let fixture = TestService::new();
    let issued = issue(&fixture, limits("", "2h", 0));
    assert_eq!(fixture.get(&issued.token.id).unwrap().status(at(119)), Status::NotYetValid);
    let early = Decision::Deny(Denial::NotYetValid(at(120)));
    fixture.set_minute(119);
    assert_eq!(fixture.check(&issued.secret), early);
    // An event from the future, of a clock that was fast, makes the token valid no earlier.
    fixture.set_minute(500);
    fixture.issue("another");
    fixture.set_minute(119);
    assert_eq!(fixture.check(&issued.secret), early);
    assert_eq!(fixture.check_access(&issued.token.id, &request(PUBLISH), None).unwrap(), early);
    fixture.set_minute(120);
    assert!(fixture.works(&issued.secret));
}

#[test]
fn only_allowed_checks_take_a_use() {
    let fixture = TestService::new();
    let issued = issue(&fixture, limits("", "", 2));
    let id = issued.token.id;
    let denied =
        fixture.service.check(secret_text(&issued.secret), Some(&request("users:*:read")), None);
    assert!(matches!(denied.unwrap().decision, Decision::Deny(Denial::NoScope(_))));
    assert_eq!(fixture.check(&forged_secret(id)), UNKNOWN);
    assert!(fixture.check_access(&id, &request(PUBLISH), None).unwrap().is_allowed());
    assert_eq!(uses_left(&fixture, &id), 2);
    assert!(fixture.works(&issued.secret));
    let identified = fixture.service.check(secret_text(&issued.secret), None, None).unwrap();
    assert!(identified.decision.is_allowed());
    assert_eq!(identified.token.unwrap().uses_left().unwrap().0, 0);
    assert_eq!(fixture.check(&issued.secret), exhausted(2));
    assert_eq!(fixture.get(&id).unwrap().status(at(1)), Status::Active);
}

#[test]
fn parallel_checks_take_each_use_exactly_once() {
    const MAX: u32 = 60;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.redb");
    let first = TestService::on(Store::open(&path).unwrap(), 1);
    let issued = issue(&first, limits("", "", MAX));
    let second = TestService::on(Store::open(&path).unwrap(), 2);
    let allowed = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for number in 0..6 {
            let fixture = if number % 2 == 0 { &first } else { &second };
            let (mut verifier, allowed) = (fixture.verifier(), &allowed);
            let secret = secret_text(&issued.secret);
            scope.spawn(move || {
                let mut answers = 0;
                // A check that could not get the lock has no answer, and is repeated.
                while answers < 15 {
                    let checked = verifier.check(secret.clone(), Some(&request(PUBLISH)), None);
                    let Ok(verdict) = checked else { continue };
                    answers += 1;
                    allowed.fetch_add(usize::from(verdict.decision.is_allowed()), Ordering::SeqCst);
                }
            });
        }
    });
    // 90 checks for 60 uses.
    assert_eq!(allowed.load(Ordering::SeqCst), 60);
    assert_eq!(uses_left(&first, &issued.token.id), 0);
    assert_eq!(first.check(&issued.secret), exhausted(MAX));
}

#[test]
fn a_use_that_cannot_be_written_gives_no_answer() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.redb");
    let fixture = TestService::on(Store::open(&path).unwrap(), 1);
    let issued = issue(&fixture, limits("10.0.0.0/8", "", 2));
    let options = OpenOptions { read_only: true, ..OpenOptions::default() };
    let reader = TestService::on(Store::open_with(&path, options).unwrap(), 2);
    let answer = reader.verifier().check(secret_text(&issued.secret), None, Some("10.0.0.1"));
    let expected = StoreError::UseNotCounted { source: Box::new(StoreError::ReadOnlyMode) };
    assert_eq!(answer.map(|verdict| verdict.decision).unwrap_err(), expected);
    // A denied check needs no write.
    assert!(!check_from(&reader, &issued.secret, None).is_allowed());
    assert_eq!(uses_left(&fixture, &issued.token.id), 2);
}

#[test]
fn a_regenerate_keeps_limits_and_starts_a_new_count() {
    let fixture = TestService::new();
    let issued = issue(&fixture, limits("", "", 2));
    let id = issued.token.id;
    assert!(fixture.works(&issued.secret));
    let renewal = regenerate_options("30d", SecretOverlap::Hour);
    let renewed = fixture.regenerate(&id, renewal).unwrap();
    assert_eq!(renewed.token.limits, issued.token.limits);
    assert_eq!(uses_left(&fixture, &id), 2);
    // The previous secret goes on with its own count.
    assert!(fixture.works(&issued.secret));
    assert_eq!(fixture.check(&issued.secret), exhausted(2));
    assert!(fixture.works(&renewed.secret) && fixture.works(&renewed.secret));
    assert_eq!(fixture.check(&renewed.secret), exhausted(2));
}

#[test]
fn a_deletion_and_its_undo_keep_the_count() {
    let fixture = TestService::new();
    let issued = issue(&fixture, limits("", "", 2));
    assert!(fixture.works(&issued.secret));
    let (_, undo) = fixture.delete(&issued.token.id).unwrap();
    fixture.undo(&undo).unwrap();
    assert_eq!(uses_left(&fixture, &issued.token.id), 1);
    assert!(fixture.works(&issued.secret) && !fixture.works(&issued.secret));
}

#[test]
fn edits_of_limits_are_audited_and_can_be_undone() {
    let fixture = TestService::new();
    let issued = issue(&fixture, limits("10.0.0.0/8", "", 5));
    let id = issued.token.id;
    let changes = LimitChanges {
        sources: LimitChange::Remove,
        not_before: LimitChange::Set("2h".parse().unwrap()),
        max_uses: LimitChange::Set(MaxUses::new(3).unwrap()),
    };
    let (undo, events) = fixture.capture_events(|_| Ok(edit(&fixture, &id, changes)));
    let detail = "allow from was 10.0.0.0/8, now any, not before was none, now 2026-11-24 14:00 UTC, max uses was 5, now 3";
    assert_eq!(events, [(AuditAction::Edited, detail.to_owned())]);
    let (_, events) = fixture.capture_events(|s| s.undo(&Some(undo.clone())));
    let detail = "allow from was any, now 10.0.0.0/8, not before was 2026-11-24 14:00 UTC, now none, max uses was 3, now 5";
    assert_eq!(events, [(AuditAction::Undone, detail.to_owned())]);
    assert_eq!(fixture.get(&id).unwrap().limits, issued.token.limits);
    edit(&fixture, &id, limits("", "", 4));
    let refused = fixture.expect_refusal(|s| s.undo(&Some(undo)));
    assert!(refused.to_string().contains("the limits of ci has changed again"), "{refused}");
}

#[test]
fn a_clock_behind_permits_only_tighter_limits() {
    let fixture = TestService::new();
    let issued = issue(&fixture, limits("10.0.0.0/8", "", 5));
    let id = issued.token.id;
    fixture.set_minute(60);
    fixture.issue("another");
    fixture.set_minute(0);
    let undo = edit(&fixture, &id, limits("10.1.0.0/16", "3h", 4));
    assert_eq!(
        fixture.get(&id).unwrap().limits.not_before,
        Some(at(240) + TimeDelta::nanoseconds(1)),
        "counts from the later time"
    );
    for changes in [
        limits("10.0.0.0/8", "", 0),
        limits("", "2h", 0),
        limits("", "", 5),
        LimitChanges { max_uses: LimitChange::Remove, ..LimitChanges::default() },
    ] {
        let changes = FieldChanges { limits: changes, ..FieldChanges::default() };
        let command = Command::Edit { token: id, changes };
        let refused = fixture.expect_refusal(|s| s.change_one(&command));
        let is_clock = matches!(refused, ServiceError::Refused(Refusal::ClockBehind { .. }));
        assert!(is_clock, "{refused}");
    }
    let refused = fixture.expect_refusal(|s| s.undo(&Some(undo)));
    assert!(matches!(refused, ServiceError::Refused(Refusal::ClockBehind { .. })), "{refused}");
}

#[test]
fn a_start_after_the_expiry_is_refused() {
    let fixture = TestService::new();
    let refused = |s: &Service, limits| s.create(&NewToken { limits, ..new_token("ci") });
    let error = fixture.expect_refusal(|s| refused(s, limits("", "30d", 0)));
    let reason = "the token would expire before it becomes valid";
    assert!(error.to_string().starts_with(reason), "{error}");
    let id = issue(&fixture, limits("", "20d", 0)).token.id;
    let renewal = regenerate_options("10d", SecretOverlap::None);
    let error = fixture.expect_refusal(|s| s.regenerate(&id, renewal));
    assert!(error.to_string().contains(reason), "{error}");
}

#[test]
fn the_register_protects_a_tighter_limit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.redb");
    let fixture = TestService::on(Store::open(&path).unwrap(), 1);
    let issued = fixture.issue("ci");
    fixture.service.store.release_file();
    let older = std::fs::read(&path).unwrap();
    edit(&fixture, &issued.token.id, limits("10.0.0.0/8", "", 0));
    fixture.service.store.release_file();
    std::fs::write(&path, older).unwrap();
    let again = TestService::on(Store::open(&path).unwrap(), 2);
    assert_eq!(again.check(&issued.secret), Decision::Deny(Denial::StaleRecord));
}
