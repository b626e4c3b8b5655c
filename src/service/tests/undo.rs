//! Undo: what it restores, what prevents it, and what it never restores.

use super::*;
use crate::domain::{FieldChanges, LabelChanges, Scopes, command::TokenEdit};

fn description(text: &str) -> Description {
    Description::parse(text).unwrap()
}

/// Returns the services of alice and bob on one store, and the folder of the store.
fn alice_and_bob() -> (TestService, TestService, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.redb");
    let alice = TestService::on(Store::open(&path).unwrap(), 1);
    let mut bob = TestService::on(Store::open(&path).unwrap(), 2);
    bob.service.actor = Actor::named("bob");
    (alice, bob, folder)
}

#[test]
fn undo_of_an_edit_is_audited() {
    let fixture = TestService::new();
    let id = fixture.issue("ci").token.id;
    let before = fixture.get(&id).unwrap();
    let (_, undo) = fixture.edit(&id, &name("cd"), &description("text")).unwrap();
    let edited = fixture.get(&id).unwrap();
    let (undone, events) = fixture.capture_events(|s| s.undo(&undo));
    let detail = "name was cd, description is as before";
    assert_eq!(events, [(AuditAction::Undone, detail.into())]);
    // The undo is a separate change.
    let after = fixture.get(&id).unwrap();
    assert!(after.version > edited.version);
    let restored = Token { version: after.version, ..before };
    assert_eq!(after, restored);
    assert_eq!(undone, [restored]);
    assert_ne!(undone, [edited]);
    assert_eq!(fixture.resolve("ci").unwrap().id, id, "its old name resolves again");
    assert!(fixture.resolve("cd").is_err());
}

#[test]
fn undo_of_labels_and_owner_overwrites_no_later_change() {
    let fixture = TestService::new();
    let id = fixture.issue("ci").token.id;
    let edit = |labels: &str, owner: &str| {
        let before = fixture.get(&id).unwrap().labels;
        let changes = FieldChanges {
            labels: LabelChanges::between(&before, &labels.parse().unwrap()),
            owner: Some(Owner::parse(owner).unwrap()),
            ..FieldChanges::default()
        };
        let (_, undo) = fixture.change_one(&Command::Edit { token: id, changes }).unwrap();
        undo
    };
    let state = || {
        let token = fixture.get(&id).unwrap();
        (token.labels.to_string(), token.owner_text())
    };
    let first = edit("team=edge, env=prod", "Ann");
    let second = edit("team=core", "Ann");
    let error = fixture.expect_refusal(|s| s.undo(&first));
    assert!(error.to_string().contains("the labels of ci has changed again since"), "{error}");
    let (_, events) = fixture.capture_events(|s| s.undo(&second));
    let detail = "label env=prod, label team was core, now edge";
    assert_eq!(events, [(AuditAction::Undone, detail.into())]);
    fixture.undo(&first).unwrap();
    assert_eq!(state(), (String::new(), "alice".into()));
    let owner = edit("", "Bob");
    edit("", "Eve");
    let error = fixture.expect_refusal(|s| s.undo(&owner));
    assert!(error.to_string().contains("the owner of ci has changed again since"), "{error}");
}

#[test]
fn undo_reverts_every_scope_change() {
    let fixture = TestService::new();
    let id = fixture.issue("ci").token.id;
    let scopes = |fixture: &TestService| fixture.get(&id).unwrap().scopes;
    let start = scopes(&fixture);
    let (_, add) = fixture.add_scopes(&id, &[scope("clients:*:read")]).unwrap();
    let added = scopes(&fixture);
    let (_, remove) = fixture.remove_scope(&id, &scope("channels:*:publish")).unwrap();
    let removed = scopes(&fixture);
    let (_, clear) = fixture.clear_scopes(&id).unwrap();
    assert_eq!(scopes(&fixture), Scopes::default());
    for (undo, expected) in [(clear, removed), (remove, added), (add, start)] {
        let (_, events) = fixture.capture_events(|s| s.undo(&undo));
        let count = expected.len();
        let s = if count == 1 { "" } else { "s" };
        assert_eq!(events, [(AuditAction::Undone, format!("{count} scope{s} as before"))]);
        assert_eq!(scopes(&fixture), expected);
    }
}

#[test]
fn change_without_effect_cannot_be_undone() {
    let fixture = TestService::new();
    let id = fixture.issue("ci").token.id;
    let (_, same) = fixture.edit(&id, &name("ci"), &Description::default()).unwrap();
    let (_, none) = fixture.add_scopes(&id, &[]).unwrap();
    assert!(same.is_none() && none.is_none());
    let (_, undo) = fixture.clear_scopes(&id).unwrap();
    assert!(undo.is_some());
}

#[test]
fn undo_never_discards_later_changes_by_others() {
    let (alice, bob, _folder) = alice_and_bob();
    let id = alice.issue("ci").token.id;
    let (_, undo) = alice.add_scopes(&id, &[scope("clients:*:read")]).unwrap();
    bob.remove_scope(&id, &scope("channels:*:publish")).unwrap();
    let error = alice.expect_refusal(|s| s.undo(&undo));
    let message =
        "cannot undo: the scopes of ci has changed again since; its events show who did this";
    assert_eq!(error.to_string(), message);
    // A later change to another part of the token does not prevent the undo.
    let (_, undo) = alice.edit(&id, &name("cd"), &Description::default()).unwrap();
    bob.add_scopes(&id, &[scope("users:*:read")]).unwrap();
    let after = bob.get(&id).unwrap();
    alice.undo(&undo).unwrap();
    let undone = bob.get(&id).unwrap();
    assert_eq!(undone, Token { name: name("ci"), version: undone.version, ..after });
    // The undo is refused if another token has taken the old name.
    let (_, undo) = alice.edit(&id, &name("cd"), &description("x")).unwrap();
    bob.issue("ci");
    assert!(matches!(
        alice.expect_refusal(|s| s.undo(&undo)),
        ServiceError::Refused(Refusal::NameTaken(_))
    ));
    bob.delete(&id).unwrap();
    assert!(matches!(
        alice.expect_refusal(|s| s.undo(&undo)),
        ServiceError::Refused(Refusal::NotFound(_))
    ));
}

#[test]
fn undo_is_all_or_nothing() {
    let fixture = TestService::new();
    let ids = ["one", "two"].map(|name| fixture.issue(name).token.id);
    let mut changes = Vec::new();
    for id in ids {
        let before = fixture.get(&id).unwrap();
        let (after, _) = fixture.clear_scopes(&id).unwrap();
        changes.push(TokenEdit { before, after });
    }
    let undo = Some(Command::Revert(changes));
    fixture.add_scopes(&ids[1], &[scope("users:*:read")]).unwrap();
    fixture.expect_refusal(|s| s.undo(&undo));
    fixture.clear_scopes(&ids[1]).unwrap();
    fixture.undo(&undo).unwrap();
    assert!(ids.iter().all(|id| fixture.get(id).unwrap().scopes.len() == 1));
}

#[test]
fn undo_keeps_secret_lifetime_and_revocation() {
    let fixture = TestService::new();
    let old = fixture.issue("ci");
    let id = old.token.id;
    let (_, undo) = fixture.clear_scopes(&id).unwrap();
    let new = fixture.regenerate(&id, regenerate_options("1h", SecretOverlap::None)).unwrap();
    fixture.revoke(&id).unwrap();
    let revoked = fixture.get(&id).unwrap();
    fixture.undo(&undo).unwrap();
    let scopes = old.token.scopes;
    let undone = fixture.get(&id).unwrap();
    assert_eq!(undone, Token { scopes, version: undone.version, ..revoked });
    assert!(!fixture.works(&old.secret) && !fixture.works(&new.secret));
}

#[test]
fn undo_restores_only_its_own_delete() {
    let fixture = TestService::new();
    let one = fixture.issue("one");
    let two = fixture.issue("two");
    let (_, first) = fixture.delete(&one.token.id).unwrap();
    let (_, second) = fixture.delete(&two.token.id).unwrap();
    assert_eq!(fixture.undo(&first).unwrap(), [fixture.resolve("one").unwrap()]);
    assert!(fixture.works(&one.secret) && !fixture.works(&two.secret));
    let error = fixture.expect_refusal(|s| s.undo(&first));
    assert!(matches!(error, ServiceError::Refused(Refusal::NothingToRestore)));
    fixture.set_minute(DAY + 1);
    assert!(matches!(
        fixture.expect_refusal(|s| s.undo(&second)),
        ServiceError::Refused(Refusal::NothingToRestore)
    ));
}

#[test]
fn undo_does_not_restore_deletes_by_others() {
    let (mut alice, bob, _folder) = alice_and_bob();
    let ids = ["one", "two", "three"].map(|name| alice.issue(name).token.id);
    bob.delete(&ids[0]).unwrap();
    let error = alice.expect_refusal(Service::restore_last);
    let message = "you have deleted no token: bob deleted one; to restore it, run `patdeck restore` with its name";
    assert_eq!(error.to_string(), message);
    alice.delete(&ids[1]).unwrap();
    bob.delete(&ids[2]).unwrap();
    // Alice reconnects from another address.
    alice.service.actor.from = Some("192.0.2.9".into());
    assert_eq!(alice.restore_last().unwrap()[0].name, name("two"));
    assert!(matches!(
        alice.expect_refusal(Service::restore_last),
        ServiceError::Refused(Refusal::DeletedByAnother { name, .. }) if name.as_str() == "three"
    ));
}
