//! Making tokens and giving them other names.

use super::*;

#[test]
fn a_new_secret_works_at_once_and_is_unclaimed() {
    let world = World::new();
    let (issued, told) = world.told(|s| s.create(&new("ci-prod")));
    assert!(world.works(&issued.secret));
    let token = world.get(&issued.token.id).unwrap();
    assert_eq!(
        (token.expires, token.issued, token.created, token.delivered),
        (Some(at(30 * DAY)), at(0), at(0), false)
    );
    assert_eq!(token.digest, issued.secret.digest());
    assert_eq!(told, [(AuditAction::Created, "until 2026-12-24 12:00 UTC, 1 scope".into())]);
    let event = world.events().remove(0);
    assert_eq!(event.what.token, Some(token.id));
    assert_eq!((event.what.name.as_str(), event.what.at), ("ci-prod", at(0)));
    assert_eq!(event.what.actor, Actor::named("alice"));
}

#[test]
fn every_secret_and_every_id_is_another_one() {
    let world = World::new();
    let issued: Vec<_> = (0..20).map(|n| world.issue(&format!("t{n}"))).collect();
    for (n, one) in issued.iter().enumerate() {
        for other in &issued[..n] {
            assert_ne!(one.token.id, other.token.id);
            assert_ne!(one.secret.reveal(), other.secret.reveal());
        }
        assert!(world.works(&one.secret));
    }
}

#[test]
fn a_taken_name_is_refused_whatever_its_case() {
    let world = World::new();
    world.issue("CI-Prod");
    let error = world.refused(|s| s.create(&new("ci-pROD")));
    assert_eq!(error.to_string(), "another token is called ci-pROD: choose another name");
}

#[test]
fn a_lifetime_beyond_the_limits_is_refused() {
    let world = World::new();
    for wrong in ["367d", "never", "2026-11-23"] {
        let asked = NewToken { lifetime: lifetime(wrong), ..new("ci") };
        let error = world.refused(|s| s.create(&asked));
        assert!(matches!(error, ServiceError::Refused(Refusal::Lifetime(_))), "{wrong}: {error}");
    }
}

#[test]
fn scopes_that_are_not_offered_or_repeat_each_other_are_refused() {
    let world = World::new();
    for wrong in [
        &["messages:*:delete"][..],
        &["rockets:*:read"],
        &["channels:*:publish", "channels:*:publish"],
        &["channels:*:publish", "channels:c1:publish"],
        &["channels:*:publish", "clients:*:publish"],
    ] {
        let asked =
            NewToken { scopes: wrong.iter().map(|text| scope(text)).collect(), ..new("ci") };
        let error = world.refused(|s| s.create(&asked));
        assert!(matches!(error, ServiceError::Refused(Refusal::Scope(_))), "{wrong:?}: {error}");
    }
}

#[test]
fn a_token_without_scopes_is_made_and_may_do_nothing() {
    let world = World::new();
    let asked = NewToken { scopes: Vec::new(), ..new("ci") };
    let issued = world.create(&asked).unwrap();
    let missing = scope(PUBLISH);
    assert_eq!(world.check(&issued.secret), Decision::Deny(Denial::NoScope(missing)));
}

#[test]
fn a_token_takes_another_name_and_leaves_its_old_one_to_others() {
    let world = World::new();
    let id = world.issue("ci").token.id;
    let description = Description::parse("runs at night").unwrap();
    let ((token, _), told) = world.told(|s| s.edit(&id, &name("cd"), &description));
    assert_eq!((token.name.as_str(), &token.description), ("cd", &description));
    assert_eq!(told, [(AuditAction::Edited, "name was ci, description changed".into())]);
    world.issue("ci");
    let error = world.refused(|s| s.create(&new("CD")));
    assert!(matches!(error, ServiceError::Refused(Refusal::NameTaken(_))));
}

#[test]
fn a_name_may_change_its_case_but_not_become_another_tokens() {
    let world = World::new();
    let issued = world.issue("ci");
    world.issue("cd");
    let id = issued.token.id;
    let ((token, _), told) = world.told(|s| s.edit(&id, &name("CI"), &Description::default()));
    assert_eq!(token.name.as_str(), "CI");
    assert_eq!(told, [(AuditAction::Edited, "name was ci".into())]);
    let error = world.refused(|s| s.edit(&id, &name("CD"), &Description::default()));
    assert!(matches!(error, ServiceError::Refused(Refusal::NameTaken(_))));
    assert!(world.works(&issued.secret));
}

#[test]
fn an_edit_that_changes_nothing_leaves_no_trace() {
    let world = World::new();
    let id = world.issue("ci").token.id;
    world.idle(|s| s.edit(&id, &name("ci"), &Description::default()));
}

#[test]
fn a_token_that_is_gone_meanwhile_is_told_so_by_every_change() {
    let world = World::new();
    let issued = world.issue("ci");
    let id = issued.token.id;
    world.delete(&id).unwrap();
    let gone = format!("there is no token {id}: it was deleted meanwhile, nothing was changed");
    let told = [
        world.refused(|s| s.edit(&id, &name("cd"), &Description::default())),
        world.refused(|s| s.revoke(&id)),
        world.refused(|s| s.regenerate(&id, renewal("1h", Overlap::None))),
        world.refused(|s| s.end_overlap(&id)),
        world.refused(|s| s.record_delivery(&id, &issued.token.digest, Delivery::Copied)),
        world.refused(|s| s.add_scopes(&id, &[scope("clients:*:read")])),
        world.refused(|s| s.remove_scope(&id, &scope("channels:*:publish"))),
        world.refused(|s| s.clear_scopes(&id)),
        world.refused(|s| s.delete(&id)),
        world.refused(|s| s.test(&id, &request(PUBLISH))),
    ];
    for error in told {
        assert_eq!(error.to_string(), gone);
    }
}

#[test]
fn two_operators_who_want_one_name_do_not_both_get_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.redb");
    let open = |seed| World::on(Store::open(&path).unwrap(), seed);
    let (one, two) = (open(1), open(2));
    let first = one.issue("ci");
    assert!(two.works(&first.secret));
    let error = two.refused(|s| s.create(&new("CI")));
    assert!(matches!(error, ServiceError::Refused(Refusal::NameTaken(_))));
    // Each reads afresh what the other did.
    two.edit(&first.token.id, &name("cd"), &Description::default()).unwrap();
    one.add_scopes(&first.token.id, &[scope("clients:*:read")]).unwrap();
    let token = two.get(&first.token.id).unwrap();
    assert_eq!((token.name.as_str(), token.scopes.len()), ("cd", 2));
    assert_eq!(one.events().len(), 3);
}
