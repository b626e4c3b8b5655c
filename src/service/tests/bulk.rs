//! Changing many tokens: the preview, all or none, and secrets that are on the disk before the
//! old ones die.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    super::bulk::{Bulk, MOST},
    *,
};
use crate::store::OpenOptions;

/// The names of a preview in its order, those left out with the reason.
fn shown(world: &World, bulk: &Bulk, ids: &[TokenId]) -> Vec<String> {
    let preview = world.idle(|s| s.preview_bulk(bulk, ids));
    let each = preview.candidates.iter();
    each.map(|one| match &one.spared {
        None => one.name.to_string(),
        Some(why) => format!("{}: {why}", one.name),
    })
    .collect()
}

fn ids(issued: &[&Issued]) -> Vec<TokenId> {
    issued.iter().map(|each| each.pat.id).collect()
}

fn regenerating(file: &Path, lifetime: &str, overlap: Overlap) -> Bulk {
    let file = file.to_str().unwrap().to_owned();
    Bulk::Regenerate { renewal: renewal(lifetime, overlap), file }
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
fn a_preview_has_the_one_used_last_first_and_says_whom_it_spares_and_why() {
    let world = World::new();
    let (a, b, c, d) = (world.issue("a"), world.issue("b"), world.issue("C"), world.issue("d"));
    world.go_to(5);
    assert!(world.works(&b.secret));
    world.go_to(9);
    assert!(world.works(&d.secret));
    world.revoke(&a.pat.id).unwrap();
    let gone = forged(TokenId::parse("goneGoneGone").unwrap()).id();
    let all = [ids(&[&a, &b, &c, &d]), vec![gone]].concat();
    assert_eq!(shown(&world, &Bulk::Revoke, &all), ["d", "b", "C", "a: revoked already"]);
    assert_eq!(shown(&world, &Bulk::Delete, &all), ["d", "b", "a", "C"]);
    let preview = world.preview_bulk(&Bulk::Revoke, &all).unwrap();
    assert_eq!(preview.ids(), ids(&[&d, &b, &c]));
}

#[test]
fn many_are_revoked_together_or_not_at_all() {
    let world = World::new();
    let (a, b, c) = (world.issue("a"), world.issue("b"), world.issue("c"));
    world.revoke(&b.pat.id).unwrap();
    let error = world.refused(|s| s.bulk(&Bulk::Revoke, &ids(&[&a, &b, &c])));
    assert_eq!(
        error.to_string(),
        "b: it is revoked already, nothing was changed: regenerate it to use it again"
    );
    assert!(world.works(&a.secret) && world.works(&c.secret));
    let (_, told) = world.told(|s| s.bulk(&Bulk::Revoke, &ids(&[&a, &c])));
    assert_eq!(told, vec![(Action::Revoked, "was active".to_owned()); 2]);
    assert!(!world.works(&a.secret) && !world.works(&c.secret));
}

#[test]
fn many_are_deleted_together_and_come_back_together() {
    let world = World::new();
    let (a, b, c) = (world.issue("a"), world.issue("b"), world.issue("c"));
    world.bulk(&Bulk::Delete, &ids(&[&a, &c])).unwrap();
    assert_eq!(world.all(), [b.pat]);
    let error = world.refused(|s| s.bulk(&Bulk::Delete, &ids(&[&a])));
    assert!(matches!(error, ServiceError::Gone(_)), "{error}");
    assert_eq!(world.restore_last().unwrap().len(), 2);
    assert!(world.works(&a.secret) && world.works(&c.secret));
}

#[test]
fn scopes_are_added_where_they_are_not_held_and_others_are_spared() {
    let world = World::new();
    let (a, b) = (world.issue("a"), world.issue("b"));
    let (full, some) = (world.issue("full"), world.issue("some"));
    let wanted = vec![scope("channels:c1:publish"), scope("clients:*:read")];
    world.add_scopes(&some.pat.id, &[scope("clients:k1:read")]).unwrap();
    world.add_scopes(&b.pat.id, &wanted[1..]).unwrap();
    let filling: Vec<_> = (0..255).map(|n| scope(&format!("groups:g{n}:list"))).collect();
    world.add_scopes(&full.pat.id, &filling).unwrap();
    let all = ids(&[&a, &b, &full, &some]);
    let adding = Bulk::AddScopes(wanted);
    assert_eq!(
        shown(&world, &adding, &all),
        ["a", "some", "b: holds them already", "full: holds 256 scopes already"]
    );
    let error = world.refused(|s| s.bulk(&adding, &all));
    assert!(error.to_string().starts_with("b: channels:c1:publish is covered by"), "{error}");
    let (_, told) = world.told(|s| s.bulk(&adding, &ids(&[&a, &some])));
    assert_eq!(
        told,
        [
            (Action::ScopesAdded, "clients:*:read".to_owned()),
            (Action::ScopesAdded, "clients:*:read, absorbing clients:k1:read".to_owned()),
        ]
    );
    let unknown = Bulk::AddScopes(vec![scope("gadgets:*:read")]);
    let error = world.refused(|s| s.preview_bulk(&unknown, &all));
    assert!(error.to_string().starts_with("there is no entity type `gadgets`"), "{error}");
}

#[test]
fn many_get_new_secrets_which_are_in_one_file_of_their_own() {
    let (world, folder) = (World::new(), tempfile::tempdir().unwrap());
    let file = folder.path().join("new.tsv");
    let (a, b, c) = (world.issue("a"), world.issue("b"), world.issue("two words"));
    world.revoke(&b.pat.id).unwrap();
    world.go_to(60);
    let renewing = regenerating(&file, "90d", Overlap::Hour);
    let all = ids(&[&a, &b, &c]);
    let (path, told) = world.told(|s| s.bulk(&renewing, &all));
    assert_eq!(path, Some(file.clone()));
    assert_eq!(
        handed(&world, &file),
        [("a".into(), true), ("b".into(), true), ("two words".into(), true)]
    );
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o7777, 0o600);
    // The overlap is for those that were active.
    assert!(world.works(&a.secret) && !world.works(&b.secret));
    world.go_to(121);
    assert!(!world.works(&a.secret) && !world.works(&c.secret));
    assert!(world.all().iter().all(|pat| pat.claimed));
    assert_eq!(
        told[1],
        (
            Action::Regenerated,
            "was revoked, until 2027-02-22 13:00 UTC, written to a file".to_owned()
        )
    );
}

#[test]
fn a_refusal_leaves_no_file_and_no_new_secret() {
    let (world, folder) = (World::new(), tempfile::tempdir().unwrap());
    let file = folder.path().join("new.tsv");
    let (a, b) = (world.issue("a"), world.issue("b"));
    world.delete(&b.pat.id).unwrap();
    let all = ids(&[&a, &b]);
    world.refused(|s| s.bulk(&regenerating(&file, "30d", Overlap::None), &all));
    world.refused(|s| s.bulk(&regenerating(&file, "400d", Overlap::None), &all[..1]));
    world.refused(|s| s.preview_bulk(&regenerating(&file, "400d", Overlap::None), &all[..1]));
    assert!(!file.exists() && world.works(&a.secret));

    fs::write(&file, "mine").unwrap();
    let nowhere = folder.path().join("no/such");
    for (place, told) in [(&file, "exists already"), (&nowhere, "does not exist")] {
        let renewing = regenerating(place, "30d", Overlap::None);
        let looked = world.refused(|s| s.preview_bulk(&renewing, &all)).to_string();
        let tried = world.refused(|s| s.bulk(&renewing, &all[..1])).to_string();
        assert!(looked.contains(told) && looked == tried, "{looked}\n{tried}");
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
}

#[test]
fn a_token_that_another_changed_meanwhile_is_not_given_the_secret() {
    let world = World::new();
    let (a, b) = (world.issue("a"), world.issue("b"));
    let drawn = world.drawn(&ids(&[&a, &b])).unwrap();
    world.regenerate(&b.pat.id, renewal("30d", Overlap::None)).unwrap();
    let error = world.refused(|s| s.renew(&drawn, renewal("30d", Overlap::None)));
    assert_eq!(error.to_string(), "b: it was changed meanwhile: nothing was done, look again");
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
    let renewing = regenerating(&file, "30d", Overlap::None);
    let held = one.store.write(|_| {
        let error = two.bulk(&renewing, &ids(&[&a])).unwrap_err();
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
    let many = vec![a.pat.id; MOST + 1];
    for bulk in [Bulk::Revoke, Bulk::Delete, Bulk::AddScopes(vec![scope("groups:*:list")])] {
        let error = world.refused(|s| s.bulk(&bulk, &many)).to_string();
        assert_eq!(error, world.refused(|s| s.preview_bulk(&bulk, &many)).to_string());
        assert_eq!(
            error,
            "10001 tokens are too many at once: at most 10000 are changed together, mark fewer"
        );
    }
}
