//! Bulk changes: preview, all-or-nothing execution, and new secrets on disk before old ones stop.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use super::*;
use crate::{
    domain::{ConfirmationProof, plan::MAX_TOKENS},
    store::OpenOptions,
};

/// Returns the names of the tokens that `command` changes, then the skipped ones with the reason.
fn preview_lines(fixture: &TestService, command: &Command) -> Vec<String> {
    let plan = fixture.expect_no_change(|s| s.preview(command));
    let changed = plan.tokens().map(|token| token.name.to_string());
    let skipped = plan.skipped.iter().map(|skipped| {
        let name = skipped.token.as_ref().map_or("gone", |token| token.name.as_str());
        format!("{name}: {}", skipped.reason)
    });
    changed.chain(skipped).collect()
}

fn revoke_command(ids: &[TokenId]) -> Command {
    Command::Revoke { tokens: ids.to_vec() }
}

fn delete_command(ids: &[TokenId]) -> Command {
    Command::Delete { tokens: TokensToDelete::Listed(ids.to_vec()) }
}

fn add_command(scopes: &[Scope], ids: &[TokenId]) -> Command {
    Command::AddScopes { tokens: ids.to_vec(), scopes: scopes.to_vec() }
}

fn ids(issued: &[&IssuedToken]) -> Vec<TokenId> {
    issued.iter().map(|each| each.token.id).collect()
}

fn regenerate_command(file: &Path, text: &str, overlap: SecretOverlap, ids: &[TokenId]) -> Command {
    let secret_file = Some(file.to_str().unwrap().to_owned());
    Command::Regenerate {
        tokens: ids.to_vec(),
        lifetime: Some(lifetime(text)),
        overlap,
        secret_file,
    }
}

/// Returns the names in a secret file, and whether each secret works.
fn read_secret_file(fixture: &TestService, file: &Path) -> Vec<(String, bool)> {
    let text = fs::read_to_string(file).unwrap();
    let lines = text.lines().map(|line| line.split_once('\t').unwrap());
    lines
        .map(|(name, secret)| {
            let secret = Secret::parse(secret.to_owned().into()).unwrap();
            (name.to_owned(), fixture.works(&secret))
        })
        .collect()
}

#[test]
fn a_preview_lists_skipped_tokens_with_the_reason() {
    let fixture = TestService::new();
    let (a, b, c) = (fixture.issue("a"), fixture.issue("b"), fixture.issue("C"));
    fixture.revoke(&a.token.id).unwrap();
    let gone = forged_secret(TokenId::parse("goneGoneGone").unwrap()).id();
    let all = [ids(&[&a, &b, &c, &b]), vec![gone]].concat();
    let reason = "the token is already revoked: regenerate it to use it again";
    let deleted = "token goneGoneGone not found: it was deleted in the meantime";
    assert_eq!(
        preview_lines(&fixture, &revoke_command(&all)),
        ["b", "C", &format!("a: {reason}"), &format!("gone: {deleted}")]
    );
    assert_eq!(
        preview_lines(&fixture, &delete_command(&all)),
        ["a", "b", "C", &format!("gone: {deleted}")]
    );
    assert_eq!(fixture.preview(&revoke_command(&all)).unwrap().ids(), ids(&[&b, &c]));
}

#[test]
fn execute_requires_the_confirmed_plan() {
    let fixture = TestService::new();
    let (a, b) = (fixture.issue("a"), fixture.issue("b"));
    let both = revoke_command(&ids(&[&a, &b]));
    let proof = fixture.preview(&both).unwrap().confirm();
    fixture.expect_refusal(|s| s.execute(&both, &ConfirmationProof::NOT_REQUIRED));
    fixture.expect_refusal(|s| s.execute(&revoke_command(&ids(&[&a])), &proof));
    fixture.revoke(&b.token.id).unwrap();
    let error = fixture.expect_refusal(|s| s.execute(&both, &proof));
    let ServiceError::ChangedMeanwhile { plan, expected: 2 } = error else {
        panic!("{error}");
    };
    assert_eq!((plan.ids(), plan.skipped.len()), (ids(&[&a]), 1));
    // A rename or a new secret does not invalidate the confirmation of a revoke.
    let one = revoke_command(&ids(&[&a]));
    let proof = fixture.preview(&one).unwrap().confirm();
    fixture.edit(&a.token.id, &name("other"), &Description::default()).unwrap();
    fixture.regenerate(&a.token.id, regenerate_options("30d", SecretOverlap::None)).unwrap();
    fixture.execute(&one, &proof).unwrap();
    // A rename invalidates the confirmation of a delete, because the operator confirmed the name.
    let proof = fixture.preview(&delete_command(&ids(&[&a]))).unwrap().confirm();
    fixture.edit(&a.token.id, &name("third"), &Description::default()).unwrap();
    fixture.expect_refusal(|s| s.execute(&delete_command(&ids(&[&a])), &proof));
}

#[test]
fn a_confirmation_covers_only_what_was_shown() {
    let fixture = TestService::new();
    let a = fixture.issue("a");
    let tokens = || vec![a.token.id];
    let confirm = |command: &Command| fixture.preview(command).unwrap().confirm();
    let expect_changed = |command: &Command, confirmed: &ConfirmationProof| {
        let error = fixture.expect_refusal(|s| s.execute(command, confirmed));
        assert!(matches!(error, ServiceError::ChangedMeanwhile { .. }), "{error}");
    };
    // Regenerating must not reactivate a token that was revoked after the preview.
    let (lifetime, overlap) = (lifetime("30d"), SecretOverlap::None);
    let regenerate = Command::Regenerate {
        tokens: tokens(),
        lifetime: Some(lifetime),
        overlap,
        secret_file: None,
    };
    let proof = confirm(&regenerate);
    fixture.revoke(&a.token.id).unwrap();
    expect_changed(&regenerate, &proof);
    fixture.execute(&regenerate, &confirm(&regenerate)).unwrap();
    // Ending an overlap ends only the previous secret that the preview showed.
    let rotate =
        || fixture.regenerate(&a.token.id, regenerate_options("30d", SecretOverlap::Hour)).unwrap();
    rotate();
    let end_overlap = Command::EndOverlap { tokens: tokens() };
    let proof = confirm(&end_overlap);
    rotate();
    expect_changed(&end_overlap, &proof);
    // Removing all scopes removes only those that the preview showed.
    let remove_all = Command::RemoveScopes { tokens: tokens(), scopes: ScopesToRemove::All };
    let proof = confirm(&remove_all);
    fixture.add_scopes(&a.token.id, &[scope("clients:*:read")]).unwrap();
    expect_changed(&remove_all, &proof);
}

#[test]
fn bulk_revoke_is_all_or_nothing() {
    let fixture = TestService::new();
    let (a, b, c) = (fixture.issue("a"), fixture.issue("b"), fixture.issue("c"));
    let gone = forged_secret(TokenId::parse("goneGoneGone").unwrap()).id();
    let with_gone = [ids(&[&a, &c]), vec![gone]].concat();
    fixture.expect_refusal(|s| s.execute_confirmed(&revoke_command(&with_gone)));
    assert!(fixture.works(&a.secret) && fixture.works(&c.secret));
    fixture.revoke(&b.token.id).unwrap();
    let error = fixture.expect_refusal(|s| s.execute_confirmed(&revoke_command(&ids(&[&b]))));
    assert_eq!(error.to_string(), "b: the token is already revoked: regenerate it to use it again");
    // As in the repetition of a revoke that was killed.
    let (_, events) =
        fixture.capture_events(|s| s.execute_confirmed(&revoke_command(&ids(&[&a, &b, &c]))));
    assert_eq!(events, vec![(AuditAction::Revoked, "was active".to_owned()); 2]);
    assert!(!fixture.works(&a.secret) && !fixture.works(&c.secret));
}

#[test]
fn bulk_delete_is_restored_together() {
    let fixture = TestService::new();
    let (a, b, c) = (fixture.issue("a"), fixture.issue("b"), fixture.issue("c"));
    fixture.execute_confirmed(&delete_command(&ids(&[&a, &c]))).unwrap();
    assert_eq!(fixture.all(), [b.token]);
    let error = fixture.expect_refusal(|s| s.execute_confirmed(&delete_command(&ids(&[&a]))));
    assert!(matches!(error, ServiceError::Refused(Refusal::NotFound(_))), "{error}");
    assert_eq!(fixture.restore_last().unwrap().len(), 2);
    assert!(fixture.works(&a.secret) && fixture.works(&c.secret));
}

#[test]
fn bulk_add_skips_tokens_that_hold_the_scopes() {
    let fixture = TestService::new();
    let (a, b) = (fixture.issue("a"), fixture.issue("b"));
    let (full, some) = (fixture.issue("full"), fixture.issue("some"));
    let wanted = vec![scope("channels:c1:publish"), scope("clients:*:read")];
    fixture.add_scopes(&some.token.id, &[scope("clients:k1:read")]).unwrap();
    fixture.add_scopes(&b.token.id, &wanted[1..]).unwrap();
    let filling: Vec<_> = (0..255).map(|n| scope(&format!("groups:g{n}:list"))).collect();
    fixture.add_scopes(&full.token.id, &filling).unwrap();
    let all = ids(&[&a, &b, &full, &some]);
    let held = "channels:c1:publish is already covered by channels:*:publish: nothing to add";
    let many = "a token can have at most 256 scopes: remove some, or use * as the entity";
    assert_eq!(
        preview_lines(&fixture, &add_command(&wanted, &all)),
        ["a", "some", &format!("b: {held}"), &format!("full: {many}")]
    );
    let error = fixture.expect_refusal(|s| s.execute_confirmed(&add_command(&wanted, &all)));
    assert!(
        error.to_string().starts_with("b: channels:c1:publish is already covered by"),
        "{error}"
    );
    let (_, events) =
        fixture.capture_events(|s| s.execute_confirmed(&add_command(&wanted, &ids(&[&a, &some]))));
    assert_eq!(
        events,
        [
            (AuditAction::ScopesAdded, "clients:*:read".to_owned()),
            (AuditAction::ScopesAdded, "clients:*:read, absorbing clients:k1:read".to_owned()),
        ]
    );
    let unknown = add_command(&[scope("gadgets:*:read")], &all);
    let error = fixture.expect_refusal(|s| s.preview(&unknown));
    assert!(error.to_string().starts_with("unknown entity type `gadgets`"), "{error}");
}

#[test]
fn bulk_regenerate_writes_all_secrets_to_one_new_file() {
    let (fixture, folder) = (TestService::new(), tempfile::tempdir().unwrap());
    let file = folder.path().join("new.tsv");
    let (a, b, c) = (fixture.issue("a"), fixture.issue("b"), fixture.issue("two words"));
    fixture.revoke(&b.token.id).unwrap();
    fixture.set_minute(60);
    let all = ids(&[&a, &b, &c]);
    let regenerate = regenerate_command(&file, "90d", SecretOverlap::Hour, &all);
    let (done, events) = fixture.capture_events(|s| s.execute_confirmed(&regenerate));
    assert_eq!((done.secret_file, done.issued.len()), (Some(file.clone()), 0));
    assert_eq!(
        read_secret_file(&fixture, &file),
        [("a".into(), true), ("b".into(), true), ("two words".into(), true)]
    );
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o7777, 0o600);
    // Only tokens that were active get an overlap.
    assert!(fixture.works(&a.secret) && !fixture.works(&b.secret));
    fixture.set_minute(121);
    assert!(!fixture.works(&a.secret) && !fixture.works(&c.secret));
    assert!(fixture.all().iter().all(|token| token.delivered));
    assert_eq!(
        events[1],
        (
            AuditAction::Regenerated,
            "was revoked, until 2027-02-22 13:00 UTC, written to a file".to_owned()
        )
    );
}

#[test]
fn a_refused_regenerate_leaves_no_file_and_no_new_secret() {
    let (fixture, folder) = (TestService::new(), tempfile::tempdir().unwrap());
    let file = folder.path().join("new.tsv");
    let (a, b) = (fixture.issue("a"), fixture.issue("b"));
    fixture.delete(&b.token.id).unwrap();
    let all = ids(&[&a, &b]);
    fixture.expect_refusal(|s| {
        s.execute_confirmed(&regenerate_command(&file, "30d", SecretOverlap::None, &all))
    });
    fixture.expect_refusal(|s| {
        s.execute_confirmed(&regenerate_command(&file, "400d", SecretOverlap::None, &all[..1]))
    });
    fixture.expect_refusal(|s| {
        s.preview(&regenerate_command(&file, "400d", SecretOverlap::None, &all[..1]))
    });
    assert!(!file.exists() && fixture.works(&a.secret));

    fs::write(&file, "other content").unwrap();
    let nowhere = folder.path().join("no/such");
    for (path, problem) in [(&file, "already exists"), (&nowhere, "does not exist")] {
        let regenerate = regenerate_command(path, "30d", SecretOverlap::None, &all[..1]);
        let previewed = fixture.expect_refusal(|s| s.preview(&regenerate)).to_string();
        let executed = fixture
            .expect_refusal(|s| s.execute(&regenerate, &ConfirmationProof::NOT_REQUIRED))
            .to_string();
        assert!(previewed.contains(problem) && previewed == executed, "{previewed}\n{executed}");
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), "other content");
}

#[test]
fn token_changed_meanwhile_gets_no_new_secret() {
    let fixture = TestService::new();
    let (a, b) = (fixture.issue("a"), fixture.issue("b"));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("new.tsv");
    let regenerate = regenerate_command(&file, "30d", SecretOverlap::None, &ids(&[&a, &b]));
    let proof = fixture.preview(&regenerate).unwrap().confirm();
    fixture.regenerate(&b.token.id, regenerate_options("30d", SecretOverlap::None)).unwrap();
    let error = fixture.expect_refusal(|s| s.execute(&regenerate, &proof));
    assert_eq!(
        error.to_string(),
        "nothing was done, because the store was changed in the meantime: check the tokens and try again"
    );
    assert!(!file.exists());
    assert!(fixture.works(&a.secret));
}

#[test]
fn the_demo_regenerates_without_a_secret_file() {
    let fixture = TestService::new();
    let (a, b) = (fixture.issue("a"), fixture.issue("b"));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("new.tsv");
    let TestService { service, clock } = fixture;
    let fixture = TestService { service: service.without_secret_files(), clock };
    let command = regenerate_command(&file, "30d", SecretOverlap::None, &ids(&[&a, &b]));
    let done = fixture.execute_confirmed(&command).unwrap();
    assert_eq!((done.secret_file, done.issued.len()), (Some(file.clone()), 0));
    assert!(!file.exists() && !fixture.works(&a.secret) && !fixture.works(&b.secret));
    assert!(fixture.all().iter().all(|token| token.delivered));
}

#[test]
fn a_busy_store_leaves_no_secret_file() {
    let folder = tempfile::tempdir().unwrap();
    let path: PathBuf = folder.path().join("s.redb");
    let opening = OpenOptions { lock_timeout: Duration::from_millis(30), ..OpenOptions::default() };
    let open = |seed| TestService::on(Store::open_with(&path, opening).unwrap(), seed);
    let (one, two) = (open(1), open(2));
    let a = one.issue("a");
    let file = folder.path().join("new.tsv");
    let regenerate = regenerate_command(&file, "30d", SecretOverlap::None, &ids(&[&a]));
    let held = one.store.write(|_| {
        let error = two.execute_confirmed(&regenerate).unwrap_err();
        assert!(matches!(error, ServiceError::Store(StoreError::Busy { .. })), "{error}");
        Ok::<_, StoreError>(())
    });
    held.unwrap();
    assert!(!file.exists() && one.works(&a.secret));
}

#[test]
fn more_tokens_than_the_limit_are_refused() {
    let fixture = TestService::new();
    let a = fixture.issue("a");
    let many = vec![a.token.id; MAX_TOKENS + 1];
    for command in [
        revoke_command(&many),
        delete_command(&many),
        add_command(&[scope("groups:*:list")], &many),
    ] {
        let error = fixture
            .expect_refusal(|s| s.execute(&command, &ConfirmationProof::NOT_REQUIRED))
            .to_string();
        assert_eq!(error, fixture.expect_refusal(|s| s.preview(&command)).to_string());
        assert_eq!(error, "too many tokens (10,001): select at most 10,000");
    }
}
