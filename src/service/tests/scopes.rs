//! Adding scopes, all or none, and taking them away.

use super::*;
use crate::domain::Warning;

fn held(world: &World, id: &TokenId) -> Vec<String> {
    let token = world.get(id).unwrap();
    token.scopes.iter().map(ToString::to_string).collect()
}

#[test]
fn added_scopes_count_from_the_commit_on() {
    let world = World::new();
    let issued = world.issue("ci");
    let read = request("clients:c9:read");
    let asked = |world: &World| {
        let verdict = world.service.check(presented(&issued.secret), Some(&read), None);
        verdict.unwrap().decision.is_allowed()
    };
    assert!(!asked(&world));
    let wanted = [scope("clients:c9:read"), scope("users:*:list")];
    let adding = Command::AddScopes { tokens: vec![issued.token.id], scopes: wanted.to_vec() };
    let (done, told) = world.told(|s| s.confirm(&adding));
    let scopes = done.plan.tokens().next().map(|token| token.scopes.len());
    assert_eq!((scopes, done.plan.warnings.len()), (Some(3), 0));
    assert_eq!(told, [(AuditAction::ScopesAdded, "clients:c9:read users:*:list".into())]);
    assert!(asked(&world));
}

#[test]
fn a_star_absorbs_and_says_what() {
    let world = World::new();
    let id = world.issue("ci").token.id;
    let four: Vec<_> = (0..4).map(|n| scope(&format!("clients:c{n}:read"))).collect();
    let (_, told) = world.told(|s| s.add_scopes(&id, &four));
    assert_eq!(told[0].1, "clients:c0:read clients:c1:read clients:c2:read and 1 more");
    let scopes = vec![scope("clients:*:read")];
    let adding = Command::AddScopes { tokens: vec![id], scopes };
    let (done, told) = world.told(|s| s.confirm(&adding));
    assert_eq!(done.plan.warnings, [Warning::Absorbs(four)]);
    assert_eq!(
        told[0].1,
        "clients:*:read, absorbing clients:c0:read clients:c1:read clients:c2:read and 1 more"
    );
    assert_eq!(held(&world, &id), ["channels:*:publish", "clients:*:read"]);
}

#[test]
fn scopes_that_are_held_are_skipped_and_refused_only_if_no_other_is_left() {
    let world = World::new();
    let id = world.issue("ci").token.id;
    for held in ["channels:*:publish", "channels:c1:publish"] {
        let error = world.refused(|s| s.add_scopes(&id, &[scope(held)]));
        assert!(matches!(error, ServiceError::Refused(Refusal::Scope(_))), "{held}: {error}");
    }
    let wanted = ["channels:c1:publish", "clients:*:list", "clients:*:list"].map(scope);
    let (_, told) = world.told(|s| s.add_scopes(&id, &wanted));
    assert_eq!(told, [(AuditAction::ScopesAdded, "clients:*:list".into())]);
}

#[test]
fn of_several_scopes_all_are_added_or_none() {
    let world = World::new();
    let id = world.issue("ci").token.id;
    for wrong in ["messages:*:read", "rockets:*:read"] {
        let wanted = [scope("clients:*:list"), scope(wrong)];
        let error = world.refused(|s| s.add_scopes(&id, &wanted));
        assert!(matches!(error, ServiceError::Refused(Refusal::Scope(_))), "{wrong}: {error}");
    }
}

#[test]
fn the_257th_scope_is_refused() {
    let world = World::new();
    let id = world.issue("ci").token.id;
    let scopes = |n| -> Vec<_> { (0..n).map(|n| scope(&format!("users:u{n}:read"))).collect() };
    world.refused(|s| s.add_scopes(&id, &scopes(256)));
    world.add_scopes(&id, &scopes(255)).unwrap();
    assert_eq!(held(&world, &id).len(), 256);
}

#[test]
fn a_removed_scope_is_missing_from_the_next_check_on() {
    let world = World::new();
    let issued = world.issue("ci");
    let id = issued.token.id;
    let error = world.refused(|s| s.remove_scope(&id, &scope(PUBLISH)));
    assert_eq!(
        error.to_string(),
        "channels:c1:publish is not among the token's scopes: nothing to remove"
    );
    let (_, told) = world.told(|s| s.remove_scope(&id, &scope("channels:*:publish")));
    assert_eq!(told, [(AuditAction::ScopesRemoved, "channels:*:publish".into())]);
    assert_eq!(world.check(&issued.secret), Decision::Deny(Denial::NoScope(scope(PUBLISH))));
}

#[test]
fn clearing_takes_all_scopes_and_needs_some() {
    let world = World::new();
    let id = world.issue("ci").token.id;
    world.add_scopes(&id, &[scope("users:*:read")]).unwrap();
    let ((token, _), told) = world.told(|s| s.clear_scopes(&id));
    assert!(token.scopes.is_empty());
    assert_eq!(told, [(AuditAction::ScopesRemoved, "all, 2 scopes".into())]);
    world.idle(|s| s.clear_scopes(&id));
}

#[test]
fn adding_no_scope_leaves_no_trace() {
    let world = World::new();
    let id = world.issue("ci").token.id;
    world.idle(|s| s.add_scopes(&id, &[]));
}

#[test]
fn a_scope_that_is_offered_no_more_stays_and_can_be_removed() {
    let mut world = World::new();
    let issued = world.issue("ci");
    world.service.policy.catalogue.offers.clear();
    assert!(world.works(&issued.secret));
    world.remove_scope(&issued.token.id, &scope("channels:*:publish")).unwrap();
    world.refused(|s| s.add_scopes(&issued.token.id, &[scope("channels:*:publish")]));
}
