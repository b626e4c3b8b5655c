//! Creating and renaming tokens.

use std::cell::Cell;

use super::*;
use crate::store::{HasTables as _, Reader};

#[test]
fn new_secret_works_and_is_undelivered() {
    let fixture = TestService::new();
    let (issued, events) = fixture.capture_events(|s| s.create(&new_token("ci-prod")));
    assert!(fixture.works(&issued.secret));
    let token = fixture.get(&issued.token.id).unwrap();
    assert_eq!(
        (token.expires, token.issued, token.created, token.delivered),
        (Some(at(30 * DAY)), at(0), at(0), false)
    );
    assert_eq!(token.digest, issued.secret.digest());
    assert_eq!(events, [(AuditAction::Created, "until 2026-12-24 12:00 UTC, 1 scope".into())]);
    let event = fixture.events().remove(0);
    assert_eq!(event.body.token, Some(token.id));
    assert_eq!((event.body.name.as_str(), event.body.at), ("ci-prod", at(0)));
    assert_eq!(event.body.actor, Actor::named("alice"));
}

#[test]
fn secrets_and_ids_are_unique() {
    let fixture = TestService::new();
    let issued: Vec<_> = (0..20).map(|n| fixture.issue(&format!("t{n}"))).collect();
    for (n, one) in issued.iter().enumerate() {
        for other in &issued[..n] {
            assert_ne!(one.token.id, other.token.id);
            assert_ne!(one.secret.reveal(), other.secret.reveal());
        }
        assert!(fixture.works(&one.secret));
    }
}

#[test]
fn names_are_unique_ignoring_case() {
    let fixture = TestService::new();
    fixture.issue("CI-Prod");
    let error = fixture.expect_refusal(|s| s.create(&new_token("ci-pROD")));
    assert_eq!(error.to_string(), "another token is already named ci-pROD: choose another name");
}

#[test]
fn a_lifetime_beyond_the_limits_is_refused() {
    let fixture = TestService::new();
    for text in ["367d", "never", "2026-11-23"] {
        let invalid = NewToken { lifetime: lifetime(text), ..new_token("ci") };
        let error = fixture.expect_refusal(|s| s.create(&invalid));
        assert!(matches!(error, ServiceError::Refused(Refusal::Lifetime(_))), "{text}: {error}");
    }
}

#[test]
fn unavailable_and_redundant_scopes_are_refused() {
    let fixture = TestService::new();
    for text in [
        &["messages:*:delete"][..],
        &["rockets:*:read"],
        &["channels:*:publish", "channels:*:publish"],
        &["channels:*:publish", "channels:c1:publish"],
        &["channels:*:publish", "clients:*:publish"],
    ] {
        let invalid =
            NewToken { scopes: text.iter().map(|text| scope(text)).collect(), ..new_token("ci") };
        let error = fixture.expect_refusal(|s| s.create(&invalid));
        assert!(matches!(error, ServiceError::Refused(Refusal::Scope(_))), "{text:?}: {error}");
    }
}

#[test]
fn token_without_scopes_is_denied_everything() {
    let fixture = TestService::new();
    let unscoped = NewToken { scopes: Vec::new(), ..new_token("ci") };
    let issued = fixture.create(&unscoped).unwrap();
    let missing = scope(PUBLISH);
    assert_eq!(fixture.check(&issued.secret), Decision::Deny(Denial::NoScope(missing)));
}

#[test]
fn renaming_frees_the_old_name() {
    let fixture = TestService::new();
    let id = fixture.issue("ci").token.id;
    let description = Description::parse("runs at night").unwrap();
    let ((token, _), events) = fixture.capture_events(|s| s.edit(&id, &name("cd"), &description));
    assert_eq!((token.name.as_str(), &token.description), ("cd", &description));
    assert_eq!(events, [(AuditAction::Edited, "name was ci, description changed".into())]);
    fixture.issue("ci");
    let error = fixture.expect_refusal(|s| s.create(&new_token("CD")));
    assert!(matches!(error, ServiceError::Refused(Refusal::NameTaken(_))));
}

#[test]
fn rename_may_change_case_but_not_take_a_used_name() {
    let fixture = TestService::new();
    let issued = fixture.issue("ci");
    fixture.issue("cd");
    let id = issued.token.id;
    let ((token, _), events) =
        fixture.capture_events(|s| s.edit(&id, &name("CI"), &Description::default()));
    assert_eq!(token.name.as_str(), "CI");
    assert_eq!(events, [(AuditAction::Edited, "name was ci".into())]);
    let error = fixture.expect_refusal(|s| s.edit(&id, &name("CD"), &Description::default()));
    assert!(matches!(error, ServiceError::Refused(Refusal::NameTaken(_))));
    assert!(fixture.works(&issued.secret));
}

#[test]
fn edit_without_changes_writes_nothing() {
    let fixture = TestService::new();
    let id = fixture.issue("ci").token.id;
    fixture.expect_no_change(|s| s.edit(&id, &name("ci"), &Description::default()));
}

#[test]
fn every_change_of_a_deleted_token_fails_with_not_found() {
    let fixture = TestService::new();
    let issued = fixture.issue("ci");
    let id = issued.token.id;
    fixture.delete(&id).unwrap();
    let not_found = format!("token {id} not found: it was deleted in the meantime");
    let errors = [
        fixture.expect_refusal(|s| s.edit(&id, &name("cd"), &Description::default())),
        fixture.expect_refusal(|s| s.revoke(&id)),
        fixture
            .expect_refusal(|s| s.regenerate(&id, regenerate_options("1h", SecretOverlap::None))),
        fixture.expect_refusal(|s| s.end_overlap(&id)),
        fixture.expect_refusal(|s| {
            s.record_delivery(&id, &issued.token.digest, DeliveryMethod::Copied)
        }),
        fixture.expect_refusal(|s| s.add_scopes(&id, &[scope("clients:*:read")])),
        fixture.expect_refusal(|s| s.remove_scope(&id, &scope("channels:*:publish"))),
        fixture.expect_refusal(|s| s.clear_scopes(&id)),
        fixture.expect_refusal(|s| s.delete(&id)),
        fixture.expect_refusal(|s| s.check_access(&id, &request(PUBLISH), None)),
    ];
    for error in errors {
        assert_eq!(error.to_string(), not_found);
    }
}

#[test]
fn concurrent_creates_cannot_share_a_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.redb");
    let open = |seed| TestService::on(Store::open(&path).unwrap(), seed);
    let (one, two) = (open(1), open(2));
    let first = one.issue("ci");
    assert!(two.works(&first.secret));
    let error = two.expect_refusal(|s| s.create(&new_token("CI")));
    assert!(matches!(error, ServiceError::Refused(Refusal::NameTaken(_))));
    // Each service reads the changes of the other.
    two.edit(&first.token.id, &name("cd"), &Description::default()).unwrap();
    one.add_scopes(&first.token.id, &[scope("clients:*:read")]).unwrap();
    let token = two.get(&first.token.id).unwrap();
    assert_eq!((token.name.as_str(), token.scopes.len()), ("cd", 2));
    assert_eq!(one.events().len(), 3);
}

#[test]
fn a_read_that_another_process_overtakes_is_repeated() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.redb");
    let open = |seed| TestService::on(Store::open(&path).unwrap(), seed);
    let (one, two) = (open(1), open(2));
    let id = one.issue("ci").token.id;
    one.clear_scopes(&id).unwrap();
    let runs = Cell::new(0);
    // The register is read after the records, and another process changes the token in between.
    let is_stale = |rows: &Reader| {
        let token = rows.token(&id)?.unwrap();
        if runs.replace(runs.get() + 1) == 0 {
            two.add_scopes(&id, &[scope("clients:*:read")]).unwrap();
            two.clear_scopes(&id).unwrap();
        }
        Ok::<_, StoreError>(rows.revocation_state(&id)?.is_stale(&token))
    };
    assert_eq!((one.store.read_once(is_stale), runs.get()), (Ok(true), 1));
    runs.set(0);
    assert_eq!((one.store.read(is_stale), runs.get()), (Ok(false), 2));
    assert_eq!((one.store.read(is_stale), runs.get()), (Ok(false), 3), "nothing was changed");
}
