//! Changing many tokens: the preview, all or none, and secrets that are on the disk before the
//! old ones die.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use super::*;
use crate::{
    domain::{Confirmed, plan::MAX_TOKENS},
    store::OpenOptions,
};

/// The names of a plan in its order, then those left out with the reason.
fn shown(world: &World, command: &Command) -> Vec<String> {
    let plan = world.idle(|s| s.preview(command));
    let changed = plan.tokens().map(|token| token.name.to_string());
    let left_out = plan.left_out.iter().map(|out| {
        let name = out.token.as_ref().map_or("gone", |token| token.name.as_str());
        format!("{name}: {}", out.reason)
    });
    changed.chain(left_out).collect()
}

fn revoking(ids: &[TokenId]) -> Command {
    Command::Revoke { tokens: ids.to_vec() }
}

fn deleting(ids: &[TokenId]) -> Command {
    Command::Delete { tokens: TokenSelection::Listed(ids.to_vec()) }
}

fn adding(scopes: &[Scope], ids: &[TokenId]) -> Command {
    Command::AddScopes { tokens: ids.to_vec(), scopes: scopes.to_vec() }
}

fn ids(issued: &[&Issued]) -> Vec<TokenId> {
    issued.iter().map(|each| each.token.id).collect()
}

fn regenerating(file: &Path, text: &str, overlap: Overlap, ids: &[TokenId]) -> Command {
    let secret_file = Some(file.to_str().unwrap().to_owned());
    Command::Regenerate { tokens: ids.to_vec(), lifetime: lifetime(text), overlap, secret_file }
}

/// The lines of a file of secrets: names and what each secret is allowed.
fn handed(world: &World, file: &Path) -> Vec<(String, bool)> {
    let text = fs::read_to_string(file).unwrap();
    let lines = text.lines().map(|line| line.split_once('\t').unwrap());
    lines
        .map(|(name, secret)| {
            let secret = Secret::parse(secret.to_owned().into()).unwrap();
            (name.to_owned(), world.works(&secret))
        })
        .collect()
}

#[test]
fn a_preview_names_what_is_left_out_and_why() {
    let world = World::new();
    let (a, b, c) = (world.issue("a"), world.issue("b"), world.issue("C"));
    world.revoke(&a.token.id).unwrap();
    let gone = forged(TokenId::parse("goneGoneGone").unwrap()).id();
    let all = [ids(&[&a, &b, &c, &b]), vec![gone]].concat();
    let why = "it is revoked already, nothing was changed: regenerate it to use it again";
    let deleted = "there is no token goneGoneGone: it was deleted meanwhile, nothing was changed";
    assert_eq!(
        shown(&world, &revoking(&all)),
        ["b", "C", &format!("a: {why}"), &format!("gone: {deleted}")]
    );
    assert_eq!(shown(&world, &deleting(&all)), ["a", "b", "C", &format!("gone: {deleted}")]);
    assert_eq!(world.preview(&revoking(&all)).unwrap().ids(), ids(&[&b, &c]));
}

#[test]
fn what_was_confirmed_is_what_is_executed() {
    let world = World::new();
    let (a, b) = (world.issue("a"), world.issue("b"));
    let both = revoking(&ids(&[&a, &b]));
    let seen = world.preview(&both).unwrap().confirmed();
    world.refused(|s| s.execute(&both, &Confirmed::NOTHING));
    world.refused(|s| s.execute(&revoking(&ids(&[&a])), &seen));
    world.revoke(&b.token.id).unwrap();
    let error = world.refused(|s| s.execute(&both, &seen));
    let ServiceError::ChangedMeanwhile { plan, expected: 2 } = error else {
        panic!("{error}");
    };
    assert_eq!((plan.ids(), plan.left_out.len()), (ids(&[&a]), 1));
    // A rename or a new secret is no reason to ask again before a token is ended.
    let one = revoking(&ids(&[&a]));
    let seen = world.preview(&one).unwrap().confirmed();
    world.edit(&a.token.id, &name("other"), &Description::default()).unwrap();
    world.regenerate(&a.token.id, renewal("30d", Overlap::None)).unwrap();
    world.execute(&one, &seen).unwrap();
    // But it is one before a token is deleted by its name.
    let seen = world.preview(&deleting(&ids(&[&a]))).unwrap().confirmed();
    world.edit(&a.token.id, &name("third"), &Description::default()).unwrap();
    world.refused(|s| s.execute(&deleting(&ids(&[&a])), &seen));
}

#[test]
fn a_confirmation_covers_only_what_was_shown() {
    let world = World::new();
    let a = world.issue("a");
    let tokens = || vec![a.token.id];
    let confirmed = |command: &Command| world.preview(command).unwrap().confirmed();
    let refused = |command: &Command, confirmed: &Confirmed| {
        let error = world.refused(|s| s.execute(command, confirmed));
        assert!(matches!(error, ServiceError::ChangedMeanwhile { .. }), "{error}");
    };
    // Regenerating must not bring back a token that was revoked since.
    let (lifetime, overlap) = (lifetime("30d"), Overlap::None);
    let renewing = Command::Regenerate { tokens: tokens(), lifetime, overlap, secret_file: None };
    let seen = confirmed(&renewing);
    world.revoke(&a.token.id).unwrap();
    refused(&renewing, &seen);
    world.execute(&renewing, &confirmed(&renewing)).unwrap();
    // Ending an overlap ends the secret that was shown, and no other.
    let rotate = || world.regenerate(&a.token.id, renewal("30d", Overlap::Hour)).unwrap();
    rotate();
    let ending = Command::EndOverlap { tokens: tokens() };
    let seen = confirmed(&ending);
    rotate();
    refused(&ending, &seen);
    // Removing every scope removes those that were shown.
    let clearing = Command::RemoveScopes { tokens: tokens(), scopes: ScopeSelection::All };
    let seen = confirmed(&clearing);
    world.add_scopes(&a.token.id, &[scope("clients:*:read")]).unwrap();
    refused(&clearing, &seen);
}

#[test]
fn many_are_revoked_together_or_not_at_all() {
    let world = World::new();
    let (a, b, c) = (world.issue("a"), world.issue("b"), world.issue("c"));
    world.revoke(&b.token.id).unwrap();
    let error = world.refused(|s| s.confirm(&revoking(&ids(&[&a, &b, &c]))));
    assert_eq!(
        error.to_string(),
        "b: it is revoked already, nothing was changed: regenerate it to use it again"
    );
    assert!(world.works(&a.secret) && world.works(&c.secret));
    let (_, told) = world.told(|s| s.confirm(&revoking(&ids(&[&a, &c]))));
    assert_eq!(told, vec![(AuditAction::Revoked, "was active".to_owned()); 2]);
    assert!(!world.works(&a.secret) && !world.works(&c.secret));
}

#[test]
fn many_are_deleted_together_and_come_back_together() {
    let world = World::new();
    let (a, b, c) = (world.issue("a"), world.issue("b"), world.issue("c"));
    world.confirm(&deleting(&ids(&[&a, &c]))).unwrap();
    assert_eq!(world.all(), [b.token]);
    let error = world.refused(|s| s.confirm(&deleting(&ids(&[&a]))));
    assert!(matches!(error, ServiceError::Refused(Refusal::Gone(_))), "{error}");
    assert_eq!(world.restore_last().unwrap().len(), 2);
    assert!(world.works(&a.secret) && world.works(&c.secret));
}

#[test]
fn scopes_are_added_where_they_are_not_held_and_others_are_spared() {
    let world = World::new();
    let (a, b) = (world.issue("a"), world.issue("b"));
    let (full, some) = (world.issue("full"), world.issue("some"));
    let wanted = vec![scope("channels:c1:publish"), scope("clients:*:read")];
    world.add_scopes(&some.token.id, &[scope("clients:k1:read")]).unwrap();
    world.add_scopes(&b.token.id, &wanted[1..]).unwrap();
    let filling: Vec<_> = (0..255).map(|n| scope(&format!("groups:g{n}:list"))).collect();
    world.add_scopes(&full.token.id, &filling).unwrap();
    let all = ids(&[&a, &b, &full, &some]);
    let held = "channels:c1:publish is covered by channels:*:publish already: nothing to add";
    let many = "a token holds at most 256 scopes: remove some or use *";
    assert_eq!(
        shown(&world, &adding(&wanted, &all)),
        ["a", "some", &format!("b: {held}"), &format!("full: {many}")]
    );
    let error = world.refused(|s| s.confirm(&adding(&wanted, &all)));
    assert!(error.to_string().starts_with("b: channels:c1:publish is covered by"), "{error}");
    let (_, told) = world.told(|s| s.confirm(&adding(&wanted, &ids(&[&a, &some]))));
    assert_eq!(
        told,
        [
            (AuditAction::ScopesAdded, "clients:*:read".to_owned()),
            (AuditAction::ScopesAdded, "clients:*:read, absorbing clients:k1:read".to_owned()),
        ]
    );
    let unknown = adding(&[scope("gadgets:*:read")], &all);
    let error = world.refused(|s| s.preview(&unknown));
    assert!(error.to_string().starts_with("there is no entity type `gadgets`"), "{error}");
}

#[test]
fn many_get_new_secrets_which_are_in_one_file_of_their_own() {
    let (world, folder) = (World::new(), tempfile::tempdir().unwrap());
    let file = folder.path().join("new.tsv");
    let (a, b, c) = (world.issue("a"), world.issue("b"), world.issue("two words"));
    world.revoke(&b.token.id).unwrap();
    world.go_to(60);
    let all = ids(&[&a, &b, &c]);
    let renewing = regenerating(&file, "90d", Overlap::Hour, &all);
    let (done, told) = world.told(|s| s.confirm(&renewing));
    assert_eq!((done.secret_file, done.issued.len()), (Some(file.clone()), 0));
    assert_eq!(
        handed(&world, &file),
        [("a".into(), true), ("b".into(), true), ("two words".into(), true)]
    );
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o7777, 0o600);
    // The overlap is for those that were active.
    assert!(world.works(&a.secret) && !world.works(&b.secret));
    world.go_to(121);
    assert!(!world.works(&a.secret) && !world.works(&c.secret));
    assert!(world.all().iter().all(|token| token.delivered));
    assert_eq!(
        told[1],
        (
            AuditAction::Regenerated,
            "was revoked, until 2027-02-22 13:00 UTC, written to a file".to_owned()
        )
    );
}

#[test]
fn a_refusal_leaves_no_file_and_no_new_secret() {
    let (world, folder) = (World::new(), tempfile::tempdir().unwrap());
    let file = folder.path().join("new.tsv");
    let (a, b) = (world.issue("a"), world.issue("b"));
    world.delete(&b.token.id).unwrap();
    let all = ids(&[&a, &b]);
    world.refused(|s| s.confirm(&regenerating(&file, "30d", Overlap::None, &all)));
    world.refused(|s| s.confirm(&regenerating(&file, "400d", Overlap::None, &all[..1])));
    world.refused(|s| s.preview(&regenerating(&file, "400d", Overlap::None, &all[..1])));
    assert!(!file.exists() && world.works(&a.secret));

    fs::write(&file, "mine").unwrap();
    let nowhere = folder.path().join("no/such");
    for (place, told) in [(&file, "exists already"), (&nowhere, "does not exist")] {
        let renewing = regenerating(place, "30d", Overlap::None, &all[..1]);
        let looked = world.refused(|s| s.preview(&renewing)).to_string();
        let tried = world.refused(|s| s.execute(&renewing, &Confirmed::NOTHING)).to_string();
        assert!(looked.contains(told) && looked == tried, "{looked}\n{tried}");
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
}

#[test]
fn a_token_that_another_changed_meanwhile_is_not_given_the_secret() {
    let world = World::new();
    let (a, b) = (world.issue("a"), world.issue("b"));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("new.tsv");
    let renewing = regenerating(&file, "30d", Overlap::None, &ids(&[&a, &b]));
    let seen = world.preview(&renewing).unwrap().confirmed();
    world.regenerate(&b.token.id, renewal("30d", Overlap::None)).unwrap();
    let error = world.refused(|s| s.execute(&renewing, &seen));
    assert_eq!(error.to_string(), "it was changed meanwhile: nothing was done, look again");
    assert!(!file.exists());
    assert!(world.works(&a.secret));
}

#[test]
fn a_store_that_others_hold_leaves_no_file_behind() {
    let folder = tempfile::tempdir().unwrap();
    let path: PathBuf = folder.path().join("s.redb");
    let opening = OpenOptions { lock_timeout: Duration::from_millis(30), ..OpenOptions::default() };
    let open = |seed| World::on(Store::open_with(&path, opening).unwrap(), seed);
    let (one, two) = (open(1), open(2));
    let a = one.issue("a");
    let file = folder.path().join("new.tsv");
    let renewing = regenerating(&file, "30d", Overlap::None, &ids(&[&a]));
    let held = one.store.write(|_| {
        let error = two.confirm(&renewing).unwrap_err();
        assert!(matches!(error, ServiceError::Store(StoreError::Busy { .. })), "{error}");
        Ok::<_, StoreError>(())
    });
    held.unwrap();
    assert!(!file.exists() && one.works(&a.secret));
}

#[test]
fn more_than_one_transaction_should_hold_are_refused() {
    let world = World::new();
    let a = world.issue("a");
    let many = vec![a.token.id; MAX_TOKENS + 1];
    for command in [revoking(&many), deleting(&many), adding(&[scope("groups:*:list")], &many)] {
        let error = world.refused(|s| s.execute(&command, &Confirmed::NOTHING)).to_string();
        assert_eq!(error, world.refused(|s| s.preview(&command)).to_string());
        assert_eq!(
            error,
            "10001 tokens are too many at once: at most 10000 are changed together, mark fewer"
        );
    }
}
