//! The check: its decisions, and what a denial reveals.

use super::{usage::check_from_address, *};

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
