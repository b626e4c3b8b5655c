//! Adding scopes (all or none) and removing them.

use super::*;
use crate::domain::Warning;

fn scopes_of(fixture: &TestService, id: &TokenId) -> Vec<String> {
    let token = fixture.get(id).unwrap();
    token.scopes.iter().map(ToString::to_string).collect()
}

#[test]
fn added_scopes_apply_from_the_commit_on() {
    let fixture = TestService::new();
    let issued = fixture.issue("ci");
    let read = request("clients:c9:read");
    let may_read = |fixture: &TestService| {
        let verdict = fixture.service.check(secret_text(&issued.secret), Some(&read), None);
        verdict.unwrap().decision.is_allowed()
    };
    assert!(!may_read(&fixture));
    let wanted = [scope("clients:c9:read"), scope("users:*:list")];
    let adding = Command::AddScopes { tokens: vec![issued.token.id], scopes: wanted.to_vec() };
    let (done, events) = fixture.capture_events(|s| s.execute_confirmed(&adding));
    let scopes = done.plan.tokens().next().map(|token| token.scopes.len());
    assert_eq!((scopes, done.plan.warnings.len()), (Some(3), 0));
    assert_eq!(events, [(AuditAction::ScopesAdded, "clients:c9:read users:*:list".into())]);
    assert!(may_read(&fixture));
}

#[test]
fn a_wildcard_scope_reports_the_scopes_it_absorbs() {
    let fixture = TestService::new();
    let id = fixture.issue("ci").token.id;
    let four: Vec<_> = (0..4).map(|n| scope(&format!("clients:c{n}:read"))).collect();
    let (_, events) = fixture.capture_events(|s| s.add_scopes(&id, &four));
    assert_eq!(events[0].1, "clients:c0:read clients:c1:read clients:c2:read and 1 more");
    let scopes = vec![scope("clients:*:read")];
    let adding = Command::AddScopes { tokens: vec![id], scopes };
    let (done, events) = fixture.capture_events(|s| s.execute_confirmed(&adding));
    assert_eq!(done.plan.warnings, [Warning::Absorbs(four)]);
    assert_eq!(
        events[0].1,
        "clients:*:read, absorbing clients:c0:read clients:c1:read clients:c2:read and 1 more"
    );
    assert_eq!(scopes_of(&fixture, &id), ["channels:*:publish", "clients:*:read"]);
}

#[test]
fn adding_skips_held_scopes_unless_all_are_held() {
    let fixture = TestService::new();
    let id = fixture.issue("ci").token.id;
    for held in ["channels:*:publish", "channels:c1:publish"] {
        let error = fixture.expect_refusal(|s| s.add_scopes(&id, &[scope(held)]));
        let ServiceError::Refused(Refusal::ForToken { reason, .. }) = error else {
            panic!("{held}: {error}");
        };
        assert!(matches!(*reason, Refusal::Scope(_)), "{held}: {reason}");
    }
    let wanted = ["channels:c1:publish", "clients:*:list", "clients:*:list"].map(scope);
    let (_, events) = fixture.capture_events(|s| s.add_scopes(&id, &wanted));
    assert_eq!(events, [(AuditAction::ScopesAdded, "clients:*:list".into())]);
}

#[test]
fn adding_scopes_is_all_or_nothing() {
    let fixture = TestService::new();
    let id = fixture.issue("ci").token.id;
    for wrong in ["messages:*:read", "rockets:*:read"] {
        let wanted = [scope("clients:*:list"), scope(wrong)];
        let error = fixture.expect_refusal(|s| s.add_scopes(&id, &wanted));
        assert!(matches!(error, ServiceError::Refused(Refusal::Scope(_))), "{wrong}: {error}");
    }
}

#[test]
fn the_257th_scope_is_refused() {
    let fixture = TestService::new();
    let id = fixture.issue("ci").token.id;
    let scopes = |n| -> Vec<_> { (0..n).map(|n| scope(&format!("users:u{n}:read"))).collect() };
    fixture.expect_refusal(|s| s.add_scopes(&id, &scopes(256)));
    fixture.add_scopes(&id, &scopes(255)).unwrap();
    assert_eq!(scopes_of(&fixture, &id).len(), 256);
}

#[test]
fn a_removed_scope_is_denied_at_the_next_check() {
    let fixture = TestService::new();
    let issued = fixture.issue("ci");
    let id = issued.token.id;
    let error = fixture.expect_refusal(|s| s.remove_scope(&id, &scope(PUBLISH)));
    assert_eq!(
        error.to_string(),
        "ci: the token does not have channels:c1:publish: nothing to remove"
    );
    let (_, events) = fixture.capture_events(|s| s.remove_scope(&id, &scope("channels:*:publish")));
    assert_eq!(events, [(AuditAction::ScopesRemoved, "channels:*:publish".into())]);
    assert_eq!(fixture.check(&issued.secret), Decision::Deny(Denial::NoScope(scope(PUBLISH))));
}

#[test]
fn clearing_removes_all_scopes_once() {
    let fixture = TestService::new();
    let id = fixture.issue("ci").token.id;
    fixture.add_scopes(&id, &[scope("users:*:read")]).unwrap();
    let ((token, _), events) = fixture.capture_events(|s| s.clear_scopes(&id));
    assert!(token.scopes.is_empty());
    assert_eq!(events, [(AuditAction::ScopesRemoved, "all, 2 scopes".into())]);
    fixture.expect_no_change(|s| s.clear_scopes(&id));
}

#[test]
fn adding_no_scope_writes_nothing() {
    let fixture = TestService::new();
    let id = fixture.issue("ci").token.id;
    fixture.expect_no_change(|s| s.add_scopes(&id, &[]));
}

#[test]
fn scope_missing_from_the_catalogue_works_and_can_be_removed() {
    let mut fixture = TestService::new();
    let issued = fixture.issue("ci");
    fixture.service.policy.catalogue.entity_types.clear();
    assert!(fixture.works(&issued.secret));
    fixture.remove_scope(&issued.token.id, &scope("channels:*:publish")).unwrap();
    fixture.expect_refusal(|s| s.add_scopes(&issued.token.id, &[scope("channels:*:publish")]));
}

#[test]
fn scopes_are_added_and_removed_in_one_change() {
    let fixture = TestService::new();
    let id = fixture.issue("ci").token.id;
    let change = |added: &[&str], removed: &[&str]| Command::ChangeScopes {
        token: id,
        added: added.iter().map(|text| scope(text)).collect(),
        removed: removed.iter().map(|text| scope(text)).collect(),
    };
    let command = change(&["channels:c1:publish", "users:*:list"], &["channels:*:publish"]);
    let before = fixture.get(&id).unwrap();
    let (done, events) = fixture.capture_events(|s| s.execute_confirmed(&command));
    let removed = (AuditAction::ScopesRemoved, "channels:*:publish".to_owned());
    let added = (AuditAction::ScopesAdded, "channels:c1:publish users:*:list".to_owned());
    assert_eq!(events, [removed, added]);
    assert_eq!(scopes_of(&fixture, &id), ["channels:c1:publish", "users:*:list"]);
    let after = fixture.get(&id).unwrap();
    assert!(after.version > before.version);
    // A conflict in either half refuses the whole change.
    for (added, removed) in
        [(&["users:u:read"], &["users:u:list"]), (&["users:u:list"], &["users:*:read"])]
    {
        fixture.expect_refusal(|s| s.execute_confirmed(&change(added, removed)));
    }
    assert_eq!(fixture.get(&id).unwrap(), after);
    let undo = done.plan.inverse().unwrap();
    let (_, events) = fixture.capture_events(|s| s.execute_confirmed(&undo));
    assert_eq!(events, [(AuditAction::Undone, "1 scope as before".to_owned())]);
    assert_eq!(scopes_of(&fixture, &id), ["channels:*:publish"]);
}
