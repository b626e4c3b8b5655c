//! Stores that released versions wrote, opened by today's: for each file in `tests/fixtures` its
//! whole content and what its secrets may is as it was told when it was made. The file of the
//! present version is made anew by `UPDATE=1 cargo test --test formats`, before its release only.

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
        AccessRequest, Actor, Catalogue, Decision, Delivery, Description, LifetimeLimits, Name,
        NewToken, Overlap, Prefix, Scope, Timestamp, TokenId,
    },
    service::{Clock, Entropy, Issued, Policy, Service},
    store::{ReadOps, Store, StoreError},
    testing::{Changes as _, Renewal},
};
use zeroize::Zeroizing;

const ASKED: &str = "channels:c1:publish";

fn at(minute: i64) -> Timestamp {
    Utc.with_ymd_and_hms(2026, 11, 24, 12, 0, 0).unwrap() + TimeDelta::minutes(minute)
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

fn service(path: &Path, clock: &Clock) -> Service {
    let policy = Policy {
        prefix: Prefix::default(),
        limits: LifetimeLimits { allow_never: true, ..LifetimeLimits::default() },
        default_lifetime: "30d".parse().unwrap(),
        catalogue: Catalogue::default(),
    };
    let (store, entropy) = (Store::open(path).unwrap(), Entropy::seeded(26));
    let actor = Actor {
        user: "root".into(),
        sudo_user: Some("alice".into()),
        from: Some("192.0.2.7".into()),
    };
    Service::new(store, clock.clone(), entropy, actor, policy)
}

fn ask(service: &Service, secret: &str) -> Decision {
    let scope: Scope = ASKED.parse().unwrap();
    let request = AccessRequest {
        entity_type: scope.entity_type,
        entity: scope.entity,
        operation: scope.operation,
        domain: scope.domain,
    };
    let presented = Zeroizing::new(secret.to_owned());
    service.check(presented, Some(&request), Some("192.0.2.9")).unwrap().decision
}

/// Fills a store with tokens in every state; their secrets, old ones included.
fn fill(service: &Service, clock: &Clock) -> Vec<String> {
    let mut secrets = Vec::new();
    let mut create = |name: &str, lifetime: &str, description: &str, scopes: &[&str]| {
        let new = NewToken {
            name: Name::parse(name).unwrap(),
            description: Description::parse(description).unwrap(),
            lifetime: lifetime.parse().unwrap(),
            scopes: scopes.iter().map(|scope| scope.parse().unwrap()).collect(),
        };
        let issued = service.create(&new).unwrap();
        secrets.push(issued.secret.reveal().to_owned());
        issued
    };
    let claim = |issued: &Issued, how| {
        service.record_delivery(&issued.token.id, &issued.token.digest, how).unwrap();
    };
    let active = create("active", "30d", "two\nlines", &["channels:*:publish", "users:u1:read@d1"]);
    claim(&active, Delivery::Copied);
    create("unclaimed", "24h", "", &[ASKED]);
    create("for ever", "never", "søk 漢字 🔑", &[ASKED]);
    create("no scopes", "365d", "", &[]);
    create("expired", "1h", "", &[ASKED]);
    let revoked = create("revoked", "30d", "", &[ASKED]);
    let rotated = create("rotated", "30d", "", &[ASKED]);
    let deleted = create("deleted", "30d", "", &["channels:*:publish"]);
    let purged = create("purged", "30d", "", &[ASKED]);
    let edited = create("edited", "30d", "", &[]);
    clock.set(at(5));
    ask(service, active.secret.reveal());
    ask(service, deleted.secret.reveal());
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
    service.purge().unwrap();
    let renewal = Renewal { lifetime: "90d".parse().unwrap(), overlap: Overlap::Day };
    let again = service.regenerate(&rotated.token.id, renewal).unwrap();
    claim(&again, Delivery::Written);
    service.delete(&deleted.token.id).unwrap();
    secrets.push(again.secret.reveal().to_owned());
    secrets
}

/// All that a store holds, and what each of `secrets` may, as lines of text.
fn told(path: &Path, secrets: &[String]) -> String {
    let store = Store::open(path).unwrap();
    let mut text = String::new();
    store
        .read(|rows| {
            writeln!(text, "schema {}, store {}", rows.schema()?, rows.store_id()?).unwrap();
            let (listed, trash) = (rows.tokens()?, rows.trash()?);
            assert!(listed.damaged.is_empty() && trash.damaged.is_empty());
            for token in &listed.rows {
                writeln!(text, "token {}", export_line(token)).unwrap();
                assert_eq!(rows.id_of_name(&token.name)?, Some(token.id));
            }
            for deleted in &trash.rows {
                writeln!(text, "deleted {} {}", deleted.at, export_line(&deleted.token)).unwrap();
            }
            for event in rows.events_after(0, usize::MAX)?.rows {
                let (what, token) = (&event.what, event.what.token.as_ref().map(TokenId::as_str));
                let (action, name) = (what.action.as_str(), &what.name);
                writeln!(
                    text,
                    "event {} {} {action} {token:?} {name} by {}: {} {}",
                    event.sequence, what.at, what.actor, what.detail, event.hash
                )
                .unwrap();
            }
            let chain = rows.verify_chain()?;
            assert_eq!(chain.broken, None);
            writeln!(text, "chain {} {}", chain.events, chain.head).unwrap();
            Ok::<_, StoreError>(())
        })
        .unwrap();
    drop(store);
    let service = service(path, &Clock::fixed(at(1_600)));
    for secret in secrets {
        match ask(&service, secret) {
            Decision::Allow(Some(scope)) => writeln!(text, "secret {secret} Allow({scope:?})"),
            decision => writeln!(text, "secret {secret} {decision:?}"),
        }
        .unwrap();
    }
    text
}

fn copied(file: &Path) -> (tempfile::TempDir, PathBuf) {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("store.redb");
    fs::copy(file, &path).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    (home, path)
}

/// Makes the fixture of this version.
fn update() {
    let home = tempfile::tempdir().unwrap();
    let (full, path) = (home.path().join("full.redb"), home.path().join("store.redb"));
    let clock = Clock::fixed(at(0));
    let service = service(&full, &clock);
    let secrets = fill(&service, &clock);
    // A copy has no room to grow, and so is small.
    service.backup(&path).unwrap();
    let named = |ending| folder().join(format!("{}.{ending}", env!("CARGO_PKG_VERSION")));
    fs::copy(&path, named("redb")).unwrap();
    fs::write(named("txt"), told(&path, &secrets)).unwrap();
}

#[test]
fn a_store_of_every_released_version_opens_and_is_all_there() {
    if std::env::var_os("UPDATE").is_some() {
        update();
    }
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "redb"));
    let present = folder().join(format!("{}.redb", env!("CARGO_PKG_VERSION")));
    assert!(files.contains(&present), "make it: UPDATE=1 cargo test --test formats");
    for file in files {
        let expected = fs::read_to_string(file.with_extension("txt")).unwrap();
        let secrets: Vec<String> = expected
            .lines()
            .filter_map(|line| Some(line.strip_prefix("secret ")?.split(' ').next()?.to_owned()))
            .collect();
        let (_home, path) = copied(&file);
        assert_eq!(told(&path, &secrets), expected, "{}", file.display());
        // And it goes on: everything can be ended, brought back and deleted.
        let service = service(&path, &Clock::fixed(at(1_601)));
        service.restore_last().unwrap();
        for token in service.load().unwrap().tokens {
            if token.revoked.is_none() {
                service.revoke(&token.id).unwrap();
            }
        }
        assert!(secrets.iter().all(|secret| !ask(&service, secret).is_allowed()));
        service.delete_all().unwrap();
        assert_eq!(service.trail(0).unwrap().chain.broken, None);
    }
}
