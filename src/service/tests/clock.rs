//! Clock faults: set back, running ahead, and a newest event that is damaged.

use super::*;
use crate::domain::{Confirmation, Plan, TokensToRestore, Warning};

/// Creates a token that expires after one hour.
fn create_for_one_hour(fixture: &TestService, text: &str) -> IssuedToken {
    let brief = NewToken { lifetime: lifetime("1h"), ..new_token(text) };
    fixture.create(&brief).unwrap()
}

#[test]
fn clock_set_back_does_not_reactivate_expired_tokens() {
    let fixture = TestService::new();
    let issued = create_for_one_hour(&fixture, "ci");
    fixture.set_minute(61);
    fixture.issue("another");
    fixture.set_minute(0);
    let expired = Decision::Deny(Denial::Expired(at(60)));
    assert_eq!(fixture.check(&issued.secret), expired);
    assert_eq!(fixture.check_access(&issued.token.id, &request(PUBLISH), None).unwrap(), expired);
    assert_eq!(fixture.load_snapshot().unwrap().clock_behind, Some(at(61)));
    // The event of the revoke has the time of the last change, not that of the clock, so the times
    // in the trail never decrease.
    fixture.revoke(&issued.token.id).unwrap();
    let times: Vec<_> = fixture.events().iter().map(|event| event.body.at).collect();
    assert!(times.is_sorted());
}

#[test]
fn clock_set_back_does_not_extend_trash_retention() {
    let fixture = TestService::new();
    let issued = fixture.issue("ci");
    fixture.delete(&issued.token.id).unwrap();
    fixture.set_minute(DAY);
    fixture.issue("another");
    fixture.set_minute(0);
    assert!(is_refused_by_the_clock(&fixture.expect_refusal(Service::restore_last)));
    fixture.purge_trash().unwrap();
    assert_eq!(fixture.store.read(ReadOps::trash).unwrap().rows, []);
}

#[test]
fn clock_slightly_behind_is_not_reported() {
    let fixture = TestService::new();
    fixture.set_minute(5);
    fixture.issue("ci");
    fixture.clock.set(at(5) - TimeDelta::seconds(5));
    assert_eq!(fixture.load_snapshot().unwrap().clock_behind, None);
    fixture.issue("tolerated");
    fixture.clock.set(at(5) - TimeDelta::seconds(6));
    let newest = at(5) + TimeDelta::nanoseconds(1);
    assert_eq!(fixture.load_snapshot().unwrap().clock_behind, Some(newest));
}

#[test]
fn accepting_the_clock_recovers_from_a_fast_clock() {
    let fixture = TestService::new();
    let issued = create_for_one_hour(&fixture, "ci");
    fixture.set_minute(1_000 * DAY);
    fixture.issue("another");
    fixture.works(&issued.secret);
    fixture.set_minute(10);
    assert!(!fixture.works(&issued.secret));
    let ((), events) = fixture.capture_events(Service::accept_clock);
    assert_eq!(
        events,
        [(AuditAction::ClockAccepted, "the last change was at 2029-08-20 12:00 UTC".into())]
    );
    assert_eq!(fixture.load_snapshot().unwrap().clock_behind, None);
    assert!(fixture.works(&issued.secret));
    let used = fixture.get(&issued.token.id).unwrap().last_used.unwrap();
    assert_eq!(used.at, at(10), "uses are recorded again");
    fixture.set_minute(60);
    assert!(!fixture.works(&issued.secret));
}

#[test]
fn trash_with_future_times_keeps_order_and_retention() {
    let fixture = TestService::new();
    let names =
        |tokens: Vec<Token>| -> Vec<_> { tokens.iter().map(|p| p.name.to_string()).collect() };
    let ids = ["one", "two", "three", "four"].map(|n| fixture.issue(n).token.id);
    fixture.set_minute(999 * DAY);
    fixture.delete(&ids[0]).unwrap();
    fixture.set_minute(1_000 * DAY - 60);
    fixture.delete(&ids[1]).unwrap();
    fixture.set_minute(1_000 * DAY - 59);
    fixture.delete(&ids[2]).unwrap();
    fixture.set_minute(10);
    fixture.accept_clock().unwrap();
    fixture.delete(&ids[3]).unwrap();
    assert_eq!(names(fixture.restore_last().unwrap()), ["four"]);
    assert_eq!(names(fixture.restore_last().unwrap()), ["three"]);
    fixture.set_minute(11 + DAY);
    fixture.expect_refusal(Service::restore_last);
    fixture.purge_trash().unwrap();
    assert_eq!(fixture.store.read(ReadOps::trash).unwrap().rows, []);
}

#[test]
fn damaged_newest_event_allows_check_and_revoke() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.redb");
    let fixture = TestService::on(Store::open(&path).unwrap(), 1);
    let issued = fixture.issue("ci");
    fixture.set_minute(5);
    let old = Description::default();
    fixture.edit(&issued.token.id, &name("needle-two"), &old).unwrap();
    drop(fixture);
    // Corrupts the detail of the newest event, which occurs nowhere else in the file.
    let mut bytes = std::fs::read(&path).unwrap();
    let detail = b"name was ci";
    let offsets: Vec<_> =
        (0..bytes.len() - detail.len()).filter(|n| bytes[*n..].starts_with(detail)).collect();
    assert!(!offsets.is_empty());
    for offset in offsets {
        bytes[offset] ^= 1;
    }
    std::fs::write(&path, bytes).unwrap();
    let fixture = TestService::on(Store::open(&path).unwrap(), 2);
    assert!(fixture.works(&issued.secret));
    fixture.load_snapshot().unwrap();
    fixture.revoke(&issued.token.id).unwrap();
    assert!(!fixture.works(&issued.secret));
    let broken = fixture.audit_trail(9).unwrap().chain.first_fault.unwrap();
    assert_eq!(broken, (2, "2 in events-1 is damaged".into()));
}

#[test]
fn a_secret_is_never_issued_with_a_damaged_record() {
    for (now, allowed) in [("9999-12-30T00:00:00Z", true), ("9999-12-31T23:59:59Z", false)] {
        let fixture = TestService::new();
        fixture.clock.set(now.parse().unwrap());
        let created = fixture.create(&NewToken { lifetime: lifetime("24h"), ..new_token("ci") });
        assert_eq!(created.is_ok(), allowed, "{created:?}");
        let tokens = fixture.all();
        assert_eq!(tokens.len(), usize::from(allowed));
    }
}

#[test]
fn an_overlap_ends_within_the_supported_years() {
    let mut fixture = TestService::new();
    fixture.service.policy.limits.allow_never = true;
    fixture.clock.set("9999-12-31T12:00:00Z".parse().unwrap());
    let never = NewToken { lifetime: Lifetime::Never, ..new_token("ci") };
    let issued = fixture.create(&never).unwrap();
    let command = Command::Regenerate {
        tokens: vec![issued.token.id],
        lifetime: None,
        overlap: SecretOverlap::Day,
        secret_file: None,
    };
    fixture.execute_confirmed(&command).unwrap();
    assert_eq!(fixture.all().len(), 1);
    assert!(fixture.works(&issued.secret));
}

fn is_refused_by_the_clock(error: &ServiceError) -> bool {
    matches!(error, ServiceError::Refused(Refusal::ClockBehind { .. }))
}

#[test]
fn nothing_is_granted_while_the_clock_is_behind() {
    let fixture = TestService::new();
    let ids = ["ci", "gone"].map(|name| fixture.issue(name).token.id);
    fixture.delete(&ids[1]).unwrap();
    fixture.set_minute(1_000 * DAY);
    fixture.issue("glitch");
    fixture.set_minute(1);
    let regenerate = |overlap| Command::Regenerate {
        tokens: vec![ids[0]],
        lifetime: Some(lifetime("1h")),
        overlap,
        secret_file: None,
    };
    let create = Command::Create { token: new_token("new"), secret_file: None };
    let restore = Command::Restore(TokensToRestore::Token(ids[1]));
    let (now, overlap) = (regenerate(SecretOverlap::None), regenerate(SecretOverlap::Hour));
    for command in [create, now, overlap, restore] {
        let refused =
            fixture.expect_refusal(|service| service.execute_confirmed(&command).map(drop));
        assert!(is_refused_by_the_clock(&refused), "{command:?}");
    }
    fixture.clear_scopes(&ids[0]).unwrap();
    fixture.revoke(&ids[0]).unwrap();
    fixture.delete(&ids[0]).unwrap();
    fixture.accept_clock().unwrap();
    let again = NewToken { lifetime: lifetime("1h"), ..new_token("again") };
    let issued = fixture.create(&again).unwrap().token;
    assert_eq!((issued.issued, issued.expires), (at(1), Some(at(61))));
}

#[test]
fn a_denial_lasts_when_the_clock_goes_back() {
    let store = Store::memory().unwrap();
    let fixture = TestService::on(store.clone(), 1);
    let issued = create_for_one_hour(&fixture, "ci");
    fixture.set_minute(59);
    assert!(fixture.works(&issued.secret));
    fixture.clock.set(at(60) + TimeDelta::seconds(1) - TimeDelta::seconds(1));
    assert!(!fixture.works(&issued.secret));
    fixture.set_minute(30);
    assert!(!fixture.works(&issued.secret), "in the same process");
    let other = TestService::on(store, 2);
    other.set_minute(30);
    assert!(!other.works(&issued.secret), "in another process");
    other.accept_clock().unwrap();
    assert!(other.works(&issued.secret));
    assert!(fixture.works(&issued.secret), "each process takes the acceptance into account");
}

#[test]
fn an_ended_overlap_stays_ended_when_the_clock_goes_back() {
    let store = Store::memory().unwrap();
    let fixture = TestService::on(store.clone(), 1);
    let old = fixture.issue("ci");
    let command = Command::Regenerate {
        tokens: vec![old.token.id],
        lifetime: None,
        overlap: SecretOverlap::Hour,
        secret_file: None,
    };
    fixture.execute_confirmed(&command).unwrap();
    assert!(fixture.works(&old.secret));
    fixture.set_minute(60);
    assert!(!fixture.works(&old.secret));
    let other = TestService::on(store, 2);
    other.set_minute(30);
    assert!(!other.works(&old.secret));
}

#[test]
fn a_verifier_never_accepts_again_what_it_denied() {
    let fixture = TestService::new();
    let issued = create_for_one_hour(&fixture, "ci");
    let mut verifier = fixture.verifier();
    let mut is_denied = false;
    for step in 0..300_i64 {
        fixture.clock.set(at(30) + TimeDelta::seconds(step * 7_919 % 4_000));
        let verdict = verifier.check(secret_text(&issued.secret), None, None).unwrap();
        assert!(!(is_denied && verdict.decision.is_allowed()), "step {step}");
        is_denied |= !verdict.decision.is_allowed();
    }
    assert!(is_denied);
}

#[test]
fn the_effects_of_accepting_the_clock_are_listed() {
    let fixture = TestService::new();
    let expired = create_for_one_hour(&fixture, "ci").token.name;
    fixture.set_minute(1_000 * DAY);
    let future = fixture.issue("glitch").token.name;
    fixture.set_minute(10);
    let report = fixture.clock_report().unwrap();
    let names = |tokens: &[(TokenId, Name)]| -> Vec<Name> {
        tokens.iter().map(|(_, name)| name.clone()).collect()
    };
    assert_eq!((report.clock, report.denial), (at(10), at(1_000 * DAY)));
    assert_eq!(names(&report.effects.reactivated), [expired]);
    assert_eq!(names(&report.effects.issued_in_future), [future]);
    let plan = fixture.preview(&Command::AcceptClock).unwrap();
    assert_eq!(plan.confirmation(), Confirmation::TypeWord("accept"));
    assert_eq!(plan.warnings, [Warning::Clock(report.effects)]);
}

#[test]
fn other_effects_of_the_clock_need_a_new_confirmation() {
    let fixture = TestService::new();
    let token = create_for_one_hour(&fixture, "ci");
    fixture.set_minute(30);
    fixture.issue("glitch");
    let preview = || {
        fixture.set_minute(10);
        fixture.preview(&Command::AcceptClock).unwrap()
    };
    let execute = |seen: &Plan| {
        fixture.set_minute(10);
        fixture.execute(&Command::AcceptClock, &seen.confirm())
    };
    // Meanwhile a fast clock issues a secret, then it denies one.
    let seen = preview();
    fixture.set_minute(40);
    fixture.issue("other");
    let error = execute(&seen).unwrap_err();
    assert!(error.to_string().starts_with("nothing was done, because the store was changed"));
    let seen = preview();
    fixture.set_minute(70);
    assert!(!fixture.works(&token.secret));
    let error = execute(&seen).unwrap_err();
    assert!(matches!(error, ServiceError::ChangedMeanwhile { .. }), "{error}");
    assert!(!fixture.works(&token.secret));
    execute(&preview()).unwrap();
    assert!(fixture.works(&token.secret));
}

#[test]
fn a_clock_that_another_process_accepted_needs_no_question() {
    let fixture = TestService::new();
    let token = fixture.issue("ci");
    fixture.set_minute(30);
    fixture.revoke(&token.token.id).unwrap();
    fixture.set_minute(10);
    let seen = fixture.preview(&Command::AcceptClock).unwrap();
    for changes in [1, 0] {
        let executed = fixture.execute(&Command::AcceptClock, &seen.confirm()).unwrap();
        assert_eq!(executed.plan.changes.len(), changes);
    }
}

#[test]
fn a_verdict_tells_that_only_the_store_expired_the_token() {
    let fixture = TestService::new();
    let issued = create_for_one_hour(&fixture, "ci");
    let verdict = |minute| {
        fixture.set_minute(minute);
        fixture.service.check(secret_text(&issued.secret), None, None).unwrap().is_clock_behind
    };
    assert!(!verdict(1));
    assert!(!verdict(61));
    assert!(verdict(30));
}
