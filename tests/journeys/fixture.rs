//! Stores that journeys start with, each in a temporary directory. The service itself fills a
//! fixture, at times before the start of the journey. Each fixture is built once per test process;
//! tests copy its file.

use std::{
    cell::{Cell, OnceCell},
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use chrono::{TimeDelta, TimeZone as _, Utc};
use patdeck::{
    domain::{
        AccessRequest, Actor, AuditAction, DeliveryMethod, Description, Entity, EventBody, Labels,
        LimitChanges, Name, NewToken, Owner, Scope, SecretOverlap, Timestamp, Token, TokenId,
    },
    service::{Clock, Entropy, Service},
    store::{OpenOptions, Store, StoreError, Writer},
    testing::{RegenerateOptions, ServiceTestExt as _, default_policy},
};
use tempfile::TempDir;
use zeroize::Zeroizing;

/// Content of the store at the start of a journey.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fixture {
    /// No tokens.
    Empty,
    /// One active token with one scope.
    One,
    /// Two active tokens, an expired and a revoked one; one of them was used.
    Few,
    /// 60 tokens with all statuses.
    Many,
    /// 9,001 tokens, more than one batch of the list; `bulk-0` is older than `bulk-8999`.
    Large,
    /// A token with the longest allowed texts, and a short one.
    Long,
    /// A token whose secret has no recorded delivery.
    Undelivered,
    /// A token regenerated with an overlap, whose previous secret is still used.
    Rotated,
}

const ALL: [Fixture; 8] = [
    Fixture::Empty,
    Fixture::One,
    Fixture::Few,
    Fixture::Many,
    Fixture::Large,
    Fixture::Long,
    Fixture::Undelivered,
    Fixture::Rotated,
];

/// The time at which journeys start.
pub(crate) fn start_time() -> Timestamp {
    Utc.with_ymd_and_hms(2026, 11, 24, 12, 0, 0).unwrap()
}

/// A directory with a store, and the clock that all apps and services on it share.
pub(crate) struct TestStore {
    pub(crate) folder: TempDir,
    pub(crate) clock: Clock,
    observer: OnceCell<Service>,
    service_count: Cell<u64>,
}

impl TestStore {
    pub(crate) fn with(fixture: Fixture) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("store.redb");
        for (path, bytes) in [&file, &register_of(&file)].into_iter().zip(store_bytes(fixture)) {
            fs::write(path, bytes).unwrap();
            fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
        }
        let clock = Clock::fixed(start_time());
        Self { folder, clock, observer: OnceCell::new(), service_count: Cell::new(0) }
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("store.redb")
    }

    /// A service for assertions, independent of any app.
    pub(crate) fn observer(&self) -> &Service {
        self.observer.get_or_init(|| service(&self.file(), &self.clock, 1_000, "carol"))
    }

    /// A new service for `who`, with its own seed so that token ids differ between services.
    pub(crate) fn service(&self, who: &str) -> Service {
        self.service_count.set(self.service_count.get() + 1);
        service(&self.file(), &self.clock, self.service_count.get(), who)
    }

    /// A read-only service.
    pub(crate) fn read_only_service(&self, who: &str) -> Service {
        let options = OpenOptions { read_only: true, ..OpenOptions::default() };
        service_on(Store::open_with(&self.file(), options).unwrap(), &self.clock, 1, who)
    }
}

fn service(file: &Path, clock: &Clock, seed: u64, who: &str) -> Service {
    service_on(Store::open(file).unwrap(), clock, seed, who)
}

fn service_on(store: Store, clock: &Clock, seed: u64, who: &str) -> Service {
    let entropy = Entropy::seeded(seed);
    Service::new(store, clock.clone(), entropy, Actor::named(who), default_policy())
}

fn register_of(store: &Path) -> PathBuf {
    store.with_file_name("store.redb.revoked")
}

/// The bytes of the store file and of its revocation register.
fn store_bytes(fixture: Fixture) -> &'static [Vec<u8>; 2] {
    static FILES: [OnceLock<[Vec<u8>; 2]>; ALL.len()] = [const { OnceLock::new() }; ALL.len()];
    let at = ALL.iter().position(|each| *each == fixture).unwrap();
    FILES[at].get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("store.redb");
        let clock = Clock::fixed(start_time() - TimeDelta::days(100));
        let service = service(&file, &clock, 7, "alice");
        let builder = StoreBuilder { service, clock, file: file.clone() };
        builder.fill(fixture);
        drop(builder);
        [&file, &register_of(&file)].map(|path| fs::read(path).unwrap())
    })
}

struct StoreBuilder {
    service: Service,
    clock: Clock,
    file: PathBuf,
}

impl StoreBuilder {
    fn fill(&self, fixture: Fixture) {
        let deploy = ["channels:*:publish", "channels:c-42:subscribe", "clients:*:read@factory"];
        match fixture {
            Fixture::Empty => {}
            Fixture::One => {
                self.create_token("ci-deploy", 3 * 1440, "30d", "Publishes builds", &deploy[..1]);
            }
            Fixture::Few => {
                self.create_token("old-backup", 5 * 1440, "90d", "Nightly backup", &deploy[1..2]);
                let secret =
                    self.create_token("ci-deploy", 3 * 1440, "30d", "Publishes builds", &deploy);
                self.create_token("sensor-gate", 2 * 1440, "24h", "", &["messages:*:subscribe"]);
                self.revoke("old-backup", 1440);
                self.create_token("grafana", 60, "7d", "Reads dashboards\nfor the wall", &[]);
                self.check_secret(secret, "channels:c-7:publish", 5);
            }
            Fixture::Many => self.build_many(),
            Fixture::Large => self.build_large(),
            Fixture::Long => {
                let entity = format!("plant-{}", "x".repeat(122));
                let scopes = [
                    format!("channels:{entity}:publish"),
                    format!("groups:{entity}:unshare@{}", "d".repeat(128)),
                ];
                let scopes: Vec<_> = scopes.iter().map(String::as_str).collect();
                let text = "What this token is for takes a while to say. ".repeat(22);
                self.create_token("near-by", 120, "30d", "", &["users:*:read"]);
                self.create_token(&"漢".repeat(64), 60, "365d", &text, &scopes);
            }
            Fixture::Undelivered => {
                self.set_minutes_ago(30);
                self.service.create(&new_token("left-behind", "30d", "", &[])).unwrap();
            }
            Fixture::Rotated => {
                let old = self.create_token(
                    "ci-deploy",
                    3 * 1440,
                    "30d",
                    "Publishes builds",
                    &deploy[1..],
                );
                self.check_secret(old.clone(), deploy[1], 90);
                self.regenerate("ci-deploy", 30);
                self.check_secret(old, deploy[1], 2);
            }
        }
    }

    fn build_many(&self) {
        for n in 0..60_i64 {
            let name =
                format!("{}-{n:02}", ["ci", "edge", "fleet"][usize::try_from(n % 3).unwrap()]);
            let lifetime = ["30d", "7d", "90d", "24h"][usize::try_from(n % 4).unwrap()];
            let scopes = ["channels:*:publish", "clients:c-7:read", "groups:*:list"];
            let scopes = &scopes[..usize::try_from(n % 4).unwrap().min(3)];
            let about = format!("Number {n}");
            let ago = (60 - n) * 400;
            let secret = self.create_token(&name, ago, lifetime, &about, scopes);
            if n % 5 == 0 && !scopes.is_empty() {
                self.check_secret(secret, scopes[0], ago - 60);
            }
            if n % 10 == 9 {
                self.revoke(&name, ago - 120);
            }
        }
    }

    /// Writes records directly, because the service would take too long for so many.
    fn build_large(&self) {
        self.create_token("template", 10_000, "30d", "One of many", &["channels:*:publish"]);
        let template = self.service.load_snapshot().unwrap().tokens.remove(0);
        let store = Store::open(&self.file).unwrap();
        let write = |rows: &mut Writer<'_>, n: u32| {
            let issued = template.issued + TimeDelta::minutes(1 + i64::from(n));
            let name = Name::parse(&format!("bulk-{n}")).unwrap();
            // The id order differs from the creation order.
            let id = TokenId::parse(&format!("{:012}", u64::from(n) * 7_919 % 1_000_003)).unwrap();
            let revoked = n.is_multiple_of(3).then_some(issued);
            let token = Some(id);
            let draft = EventBody {
                at: issued,
                actor: Actor::named("alice"),
                token,
                name: name.to_string(),
                action: AuditAction::Created,
                detail: String::new(),
            };
            rows.put_token(&Token { id, name, issued, revoked, ..template.clone() })?;
            rows.append_event(draft).map(drop)
        };
        let all = |rows: &mut Writer<'_>| (0..9_000).try_for_each(|n| write(rows, n));
        store.write::<_, StoreError>(all).unwrap();
    }

    fn set_minutes_ago(&self, minutes_ago: i64) {
        self.clock.set(start_time() - TimeDelta::minutes(minutes_ago));
    }

    fn create_token(
        &self,
        name: &str,
        minutes_ago: i64,
        lifetime: &str,
        description: &str,
        scopes: &[&str],
    ) -> Zeroizing<String> {
        self.set_minutes_ago(minutes_ago);
        let issued = self.service.create(&new_token(name, lifetime, description, scopes)).unwrap();
        self.service
            .record_delivery(&issued.token.id, &issued.token.digest, DeliveryMethod::Acknowledged)
            .unwrap();
        Zeroizing::new(issued.secret.reveal().to_owned())
    }

    fn revoke(&self, name: &str, minutes_ago: i64) {
        self.set_minutes_ago(minutes_ago);
        let tokens = self.service.load_snapshot().unwrap().tokens;
        let token = tokens.iter().find(|token| token.name.as_str() == name).unwrap();
        self.service.revoke(&token.id).unwrap();
    }

    fn regenerate(&self, name: &str, minutes_ago: i64) {
        self.set_minutes_ago(minutes_ago);
        let id = self.service.resolve(name).unwrap().id;
        let renewal =
            RegenerateOptions { lifetime: "30d".parse().unwrap(), overlap: SecretOverlap::Hour };
        let issued = self.service.regenerate(&id, renewal).unwrap();
        self.service
            .record_delivery(&id, &issued.token.digest, DeliveryMethod::Acknowledged)
            .unwrap();
    }

    fn check_secret(&self, secret: Zeroizing<String>, scope: &str, minutes_ago: i64) {
        self.set_minutes_ago(minutes_ago);
        let scope: Scope = scope.parse().unwrap();
        let entity = match scope.entity {
            Entity::Any => Entity::Id("c-1".into()),
            id @ Entity::Id(_) => id,
        };
        let request = AccessRequest {
            entity_type: scope.entity_type,
            entity,
            operation: scope.operation,
            domain: scope.domain,
        };
        let from = Some("192.0.2.17");
        self.service.check(secret, Some(&request), from).unwrap();
    }
}

pub(crate) fn new_token(
    name: &str,
    lifetime: &str,
    description: &str,
    scopes: &[&str],
) -> NewToken {
    NewToken {
        name: Name::parse(name).unwrap(),
        description: Description::parse(description).unwrap(),
        lifetime: lifetime.parse().unwrap(),
        scopes: scopes.iter().map(|scope| scope.parse().unwrap()).collect(),
        limits: LimitChanges::default(),
        labels: Labels::default(),
        owner: Owner::default(),
    }
}
