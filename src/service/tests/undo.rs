//! Taking back: what comes back, what stands in the way, and what never comes back.

use super::*;
use crate::domain::{Scopes, command::Edited};

fn described(text: &str) -> Description {
    Description::parse(text).unwrap()
}

/// Alice and bob on one store, and its folder.
fn both() -> (World, World, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.redb");
    let alice = World::on(Store::open(&path).unwrap(), 1);
    let mut bob = World::on(Store::open(&path).unwrap(), 2);
    bob.service.actor = Actor::named("bob");
    (alice, bob, folder)
}

#[test]
fn an_edit_is_taken_back_and_told() {
    let world = World::new();
    let id = world.issue("ci").token.id;
    let before = world.get(&id).unwrap();
    let (_, undo) = world.edit(&id, &name("cd"), &described("text")).unwrap();
    let edited = world.get(&id).unwrap();
    let (undone, told) = world.told(|s| s.undo(&undo));
    let words = "name was cd, description is as before";
    assert_eq!(told, [(AuditAction::Undone, words.into())]);
    assert_eq!(world.get(&id), Some(before.clone()));
    assert_eq!(undone, [before]);
    assert_ne!(undone, [edited]);
    assert_eq!(world.find("ci").unwrap().id, id, "its name leads to it again");
    assert!(world.find("cd").is_err());
}

#[test]
fn every_change_of_scopes_is_taken_back() {
    let world = World::new();
    let id = world.issue("ci").token.id;
    let scopes = |world: &World| world.get(&id).unwrap().scopes;
    let start = scopes(&world);
    let (_, add) = world.add_scopes(&id, &[scope("clients:*:read")]).unwrap();
    let added = scopes(&world);
    let (_, remove) = world.remove_scope(&id, &scope("channels:*:publish")).unwrap();
    let removed = scopes(&world);
    let (_, clear) = world.clear_scopes(&id).unwrap();
    assert_eq!(scopes(&world), Scopes::default());
    for (undo, expected) in [(clear, removed), (remove, added), (add, start)] {
        let (_, told) = world.told(|s| s.undo(&undo));
        let count = expected.len();
        let s = if count == 1 { "" } else { "s" };
        assert_eq!(told, [(AuditAction::Undone, format!("{count} scope{s} as before"))]);
        assert_eq!(scopes(&world), expected);
    }
}

#[test]
fn a_change_that_changed_nothing_leaves_nothing_to_take_back() {
    let world = World::new();
    let id = world.issue("ci").token.id;
    let (_, same) = world.edit(&id, &name("ci"), &Description::default()).unwrap();
    let (_, none) = world.add_scopes(&id, &[]).unwrap();
    assert!(same.is_none() && none.is_none());
    let (_, undo) = world.clear_scopes(&id).unwrap();
    assert!(undo.is_some());
}

#[test]
fn what_somebody_else_did_since_is_never_thrown_away() {
    let (alice, bob, _folder) = both();
    let id = alice.issue("ci").token.id;
    let (_, undo) = alice.add_scopes(&id, &[scope("clients:*:read")]).unwrap();
    bob.remove_scope(&id, &scope("channels:*:publish")).unwrap();
    let error = alice.refused(|s| s.undo(&undo));
    let words =
        "the scopes of ci changed again since: nothing was undone, its events tell who did it";
    assert_eq!(error.to_string(), words);
    // Another part of the token is another matter.
    let (_, undo) = alice.edit(&id, &name("cd"), &Description::default()).unwrap();
    bob.add_scopes(&id, &[scope("users:*:read")]).unwrap();
    let after = bob.get(&id).unwrap();
    alice.undo(&undo).unwrap();
    assert_eq!(bob.get(&id), Some(Token { name: name("ci"), ..after }));
    // Nor does a name move to where there is another by now.
    let (_, undo) = alice.edit(&id, &name("cd"), &described("x")).unwrap();
    bob.issue("ci");
    assert!(matches!(
        alice.refused(|s| s.undo(&undo)),
        ServiceError::Refused(Refusal::NameTaken(_))
    ));
    bob.delete(&id).unwrap();
    assert!(matches!(alice.refused(|s| s.undo(&undo)), ServiceError::Refused(Refusal::Gone(_))));
}

#[test]
fn one_faulty_part_leaves_all_of_it_as_it_is() {
    let world = World::new();
    let ids = ["one", "two"].map(|name| world.issue(name).token.id);
    let mut changes = Vec::new();
    for id in ids {
        let before = world.get(&id).unwrap();
        let (after, _) = world.clear_scopes(&id).unwrap();
        changes.push(Edited { before, after });
    }
    let undo = Some(Command::Revert(changes));
    world.add_scopes(&ids[1], &[scope("users:*:read")]).unwrap();
    world.refused(|s| s.undo(&undo));
    world.clear_scopes(&ids[1]).unwrap();
    world.undo(&undo).unwrap();
    assert!(ids.iter().all(|id| world.get(id).unwrap().scopes.len() == 1));
}

#[test]
fn undoing_touches_neither_secret_nor_lifetime_nor_revocation() {
    let world = World::new();
    let old = world.issue("ci");
    let id = old.token.id;
    let (_, undo) = world.clear_scopes(&id).unwrap();
    let new = world.regenerate(&id, renewal("1h", Overlap::None)).unwrap();
    world.revoke(&id).unwrap();
    let revoked = world.get(&id).unwrap();
    world.undo(&undo).unwrap();
    let scopes = old.token.scopes;
    assert_eq!(world.get(&id), Some(Token { scopes, ..revoked }));
    assert!(!world.works(&old.secret) && !world.works(&new.secret));
}

#[test]
fn a_delete_is_taken_back_by_itself_whatever_was_deleted_since() {
    let world = World::new();
    let one = world.issue("one");
    let two = world.issue("two");
    let (_, first) = world.delete(&one.token.id).unwrap();
    let (_, second) = world.delete(&two.token.id).unwrap();
    assert_eq!(world.undo(&first).unwrap(), [world.find("one").unwrap()]);
    assert!(world.works(&one.secret) && !world.works(&two.secret));
    let gone = world.refused(|s| s.undo(&first));
    assert!(matches!(gone, ServiceError::Refused(Refusal::NothingToRestore)));
    world.go_to(DAY + 1);
    assert!(matches!(
        world.refused(|s| s.undo(&second)),
        ServiceError::Refused(Refusal::NothingToRestore)
    ));
}

#[test]
fn what_another_one_deleted_is_not_brought_back_in_passing() {
    let (mut alice, bob, _folder) = both();
    let ids = ["one", "two", "three"].map(|name| alice.issue(name).token.id);
    bob.delete(&ids[0]).unwrap();
    let error = alice.refused(Service::restore_last);
    let words = "nothing of yours to undo; `patdeck restore` brings back one, which bob deleted";
    assert_eq!(error.to_string(), words);
    alice.delete(&ids[1]).unwrap();
    bob.delete(&ids[2]).unwrap();
    // From another address after the line had dropped.
    alice.service.actor.from = Some("192.0.2.9".into());
    assert_eq!(alice.restore_last().unwrap()[0].name, name("two"));
    assert!(matches!(
        alice.refused(Service::restore_last),
        ServiceError::Refused(Refusal::DeletedByAnother { name, .. }) if name.as_str() == "three"
    ));
}
