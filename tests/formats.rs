//! Opens stores written by released versions. For each file in `tests/fixtures`, the content and
//! the decisions for its secrets equal those recorded with it. `UPDATE=1 cargo test --test formats`
//! creates the file of the current version; run it only before the release.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in its helpers as in itself"
)]

use std::{
    fmt::Write as _,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use chrono::{TimeDelta, TimeZone as _, Utc};
use patdeck::{
    cli::export_line,
    domain::{
        AccessRequest, Actor, Decision, DeliveryMethod, Description, Labels, LifetimeLimits,
        LimitChange, LimitChanges, Name, NewToken, Owner, Scope, ScopeCatalogue, SecretOverlap,
        SecretPrefix, Timestamp, TokenId,
    },
    service::{Clock, Entropy, IssuedToken, Policy, Service},
    store::{ReadOps, Store, StoreError},
    testing::{RegenerateOptions, ServiceTestExt as _},
};
use zeroize::Zeroizing;

const SCOPE: &str = "channels:c1:publish";

fn at(minute: i64) -> Timestamp {
    Utc.with_ymd_and_hms(2026, 11, 24, 12, 0, 0).unwrap() + TimeDelta::minutes(minute)
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

fn service(path: &Path, clock: &Clock) -> Service {
    let policy = Policy {
        prefix: SecretPrefix::default(),
        limits: LifetimeLimits { allow_never: true, ..LifetimeLimits::default() },
        default_lifetime: "30d".parse().unwrap(),
        catalogue: ScopeCatalogue::default(),
    };
    let (store, entropy) = (Store::open(path).unwrap(), Entropy::seeded(26));
    let actor = Actor {
        user: "root".into(),
        sudo_user: Some("alice".into()),
        from: Some("192.0.2.7".into()),
    };
    let service = Service::new(store, clock.clone(), entropy, actor, policy);
    // A fixture has no register: the first process that may write builds it.
    service.ensure_register().unwrap();
    service
}

fn check(service: &Service, secret: &str) -> Decision {
    let scope: Scope = SCOPE.parse().unwrap();
    let request = AccessRequest {
        entity_type: scope.entity_type,
        entity: scope.entity,
        operation: scope.operation,
        domain: scope.domain,
    };
    let presented = Zeroizing::new(secret.to_owned());
    service.check(presented, Some(&request), Some("192.0.2.9")).unwrap().decision
}

/// Creates a token with labels, an owner and limits, of which one use is taken.
fn create_limited(service: &Service) -> IssuedToken {
    let limits = LimitChanges {
        sources: LimitChange::Set("192.0.2.0/24, 2001:db8::/32".parse().unwrap()),
        not_before: LimitChange::Keep,
        max_uses: LimitChange::Set("2".parse().unwrap()),
    };
    let limited = NewToken {
        name: Name::parse("limited").unwrap(),
        description: Description::default(),
        lifetime: "30d".parse().unwrap(),
        scopes: vec![SCOPE.parse().unwrap()],
        limits,
        labels: "team=edge, Env=prod".parse().unwrap(),
        owner: Owner::parse("Ann Müller").unwrap(),
    };
    let limited = service.create(&limited).unwrap();
    check(service, limited.secret.reveal());
    limited
}

/// Fills a store with tokens in every state. Returns all secrets, including replaced ones.
fn fill(service: &Service, clock: &Clock) -> Vec<String> {
    let mut secrets = Vec::new();
    let mut create = |name: &str, lifetime: &str, description: &str, scopes: &[&str]| {
        let new = NewToken {
            name: Name::parse(name).unwrap(),
            description: Description::parse(description).unwrap(),
            lifetime: lifetime.parse().unwrap(),
            scopes: scopes.iter().map(|scope| scope.parse().unwrap()).collect(),
            limits: LimitChanges::default(),
            labels: Labels::default(),
            owner: Owner::default(),
        };
        let issued = service.create(&new).unwrap();
        secrets.push(issued.secret.reveal().to_owned());
        issued
    };
    let deliver = |issued: &IssuedToken, method| {
        service.record_delivery(&issued.token.id, &issued.token.digest, method).unwrap();
    };
    let active = create("active", "30d", "two\nlines", &["channels:*:publish", "users:u1:read@d1"]);
    deliver(&active, DeliveryMethod::Copied);
    create("unclaimed", "24h", "", &[SCOPE]);
    create("for ever", "never", "søk 漢字 🔑", &[SCOPE]);
    create("no scopes", "365d", "", &[]);
    create("expired", "1h", "", &[SCOPE]);
    let revoked = create("revoked", "30d", "", &[SCOPE]);
    let rotated = create("rotated", "30d", "", &[SCOPE]);
    let deleted = create("deleted", "30d", "", &["channels:*:publish"]);
    let purged = create("purged", "30d", "", &[SCOPE]);
    let edited = create("edited", "30d", "", &[]);
    clock.set(at(5));
    check(service, active.secret.reveal());
    check(service, deleted.secret.reveal());
    service.delete(&purged.token.id).unwrap();
    service.revoke(&revoked.token.id).unwrap();
    let more: Vec<Scope> =
        (0..40).map(|n| format!("clients:c{n}:read@d{n}").parse().unwrap()).collect();
    service.add_scopes(&edited.token.id, &more).unwrap();
    service.remove_scope(&edited.token.id, &more[7]).unwrap();
    service
        .edit(&edited.token.id, &Name::parse("renamed").unwrap(), &Description::default())
        .unwrap();
    clock.set(at(1_600));
    service.purge_trash().unwrap();
    let options =
        RegenerateOptions { lifetime: "90d".parse().unwrap(), overlap: SecretOverlap::Day };
    let regenerated = service.regenerate(&rotated.token.id, options).unwrap();
    deliver(&regenerated, DeliveryMethod::Written);
    service.delete(&deleted.token.id).unwrap();
    secrets.push(regenerated.secret.reveal().to_owned());
    let limited = create_limited(service);
    secrets.push(limited.secret.reveal().to_owned());
    secrets
}

/// Describes the content of a store and the decision for each of `secrets`, as lines of text.
fn describe_store(path: &Path, secrets: &[String]) -> String {
    let store = Store::open(path).unwrap();
    let mut text = String::new();
    store
        .read_once(|rows| {
            writeln!(text, "schema {}, store {}", rows.schema()?, rows.store_id()?).unwrap();
            let (tokens, trash) = (rows.tokens()?, rows.trash()?);
            assert!(tokens.damaged.is_empty() && trash.damaged.is_empty());
            for token in &tokens.rows {
                writeln!(text, "token {}", export_line(token)).unwrap();
                assert_eq!(rows.id_of_name(&token.name)?, Some(token.id));
            }
            for deleted in &trash.rows {
                writeln!(text, "deleted {} {}", deleted.at, export_line(&deleted.token)).unwrap();
            }
            for event in rows.events_after(0, usize::MAX)?.rows {
                let (body, token) = (&event.body, event.body.token.as_ref().map(TokenId::as_str));
                let (action, name) = (body.action.json_label(), &body.name);
                writeln!(
                    text,
                    "event {} {} {action} {token:?} {name} by {}: {} {}",
                    event.sequence, body.at, body.actor, body.detail, event.hash
                )
                .unwrap();
            }
            let chain = rows.verify_chain()?;
            assert_eq!(chain.first_fault, None);
            writeln!(text, "chain {} {}", chain.events, chain.head).unwrap();
            Ok::<_, StoreError>(())
        })
        .unwrap();
    drop(store);
    let service = service(path, &Clock::fixed(at(1_600)));
    for secret in secrets {
        match check(&service, secret) {
            Decision::Allow(Some(scope)) => writeln!(text, "secret {secret} Allow({scope:?})"),
            decision => writeln!(text, "secret {secret} {decision:?}"),
        }
        .unwrap();
    }
    text
}

fn copy_to_temp(file: &Path) -> (tempfile::TempDir, PathBuf) {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("store.redb");
    fs::copy(file, &path).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    (home, path)
}

/// Creates the fixture of the current version.
fn write_fixture() {
    let home = tempfile::tempdir().unwrap();
    let (full, path) = (home.path().join("full.redb"), home.path().join("store.redb"));
    let clock = Clock::fixed(at(0));
    let service = service(&full, &clock);
    let secrets = fill(&service, &clock);
    // A backup has no free pages, so it is small.
    service.backup(&path).unwrap();
    let named = |ending| folder().join(format!("{}.{ending}", env!("CARGO_PKG_VERSION")));
    fs::copy(&path, named("redb")).unwrap();
    fs::write(named("txt"), describe_store(&path, &secrets)).unwrap();
}

#[test]
fn stores_of_all_released_versions_open_unchanged() {
    if std::env::var_os("UPDATE").is_some() {
        write_fixture();
    }
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "redb"));
    let present = folder().join(format!("{}.redb", env!("CARGO_PKG_VERSION")));
    assert!(files.contains(&present), "create it with `UPDATE=1 cargo test --test formats`");
    for file in files {
        let expected = fs::read_to_string(file.with_extension("txt")).unwrap();
        let secrets: Vec<String> = expected
            .lines()
            .filter_map(|line| Some(line.strip_prefix("secret ")?.split(' ').next()?.to_owned()))
            .collect();
        let (_home, path) = copy_to_temp(&file);
        if std::env::var_os("UPDATE").is_some() {
            let described = describe_store(&path, &secrets);
            fs::write(file.with_extension("txt"), described).unwrap();
            continue;
        }
        assert_eq!(describe_store(&path, &secrets), expected, "{}", file.display());
        // The store is writable: tokens can be restored, revoked and deleted.
        let service = service(&path, &Clock::fixed(at(1_601)));
        service.restore_last().unwrap();
        for token in service.load_snapshot().unwrap().tokens {
            if token.revoked.is_none() {
                service.revoke(&token.id).unwrap();
            }
        }
        assert!(secrets.iter().all(|secret| !check(&service, secret).is_allowed()));
        service.delete_all().unwrap();
        assert_eq!(service.audit_trail(0).unwrap().chain.first_fault, None);
    }
}
