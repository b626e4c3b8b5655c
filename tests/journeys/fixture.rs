//! What a journey starts with: a store in a folder of its own, filled by the service itself at
//! instants before the journey's. Each fixture is made once and its file is copied.

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
        AccessRequest, Actor, AuditAction, Catalogue, Delivery, Description, Entity, EventDraft,
        LifetimeLimits, Name, NewToken, Overlap, Prefix, Scope, Timestamp, Token, TokenId,
    },
    service::{Clock, Entropy, Policy, Service},
    store::{OpenOptions, Store, StoreError, Writer},
    testing::{Changes as _, Renewal},
};
use tempfile::TempDir;
use zeroize::Zeroizing;

/// What the store holds when the journey starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fixture {
    /// Nothing.
    Empty,
    /// One active token with one scope.
    One,
    /// Two active tokens, an expired and a revoked one.
    Few,
    /// Sixty of all kinds.
    Many,
    /// More than are read in one go, oldest first: `crowd-0` to `crowd-8999`.
    Crowd,
    /// One with the longest texts that the rules allow, and one beside it.
    Long,
    /// One whose secret nobody confirmed.
    Unclaimed,
    /// One that was rotated with an overlap, whose old secret is still in use.
    Rotated,
}

const ALL: [Fixture; 8] = [
    Fixture::Empty,
    Fixture::One,
    Fixture::Few,
    Fixture::Many,
    Fixture::Crowd,
    Fixture::Long,
    Fixture::Unclaimed,
    Fixture::Rotated,
];

/// The instant at which journeys start.
pub(crate) fn start() -> Timestamp {
    Utc.with_ymd_and_hms(2026, 11, 24, 12, 0, 0).unwrap()
}

/// A folder with a store, and the one clock of all who work on it.
pub(crate) struct Place {
    pub(crate) folder: TempDir,
    pub(crate) clock: Clock,
    outside: OnceCell<Service>,
    services: Cell<u64>,
}

impl Place {
    pub(crate) fn with(fixture: Fixture) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("store.redb");
        fs::write(&file, filled(fixture)).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        let clock = Clock::fixed(start());
        Self { folder, clock, outside: OnceCell::new(), services: Cell::new(0) }
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("store.redb")
    }

    /// The service of somebody who looks at the store without an app.
    pub(crate) fn outside(&self) -> &Service {
        self.outside.get_or_init(|| service(&self.file(), &self.clock, 1_000, "carol"))
    }

    /// A service of its own for `who`; none draws the ids of another.
    pub(crate) fn service(&self, who: &str) -> Service {
        self.services.set(self.services.get() + 1);
        service(&self.file(), &self.clock, self.services.get(), who)
    }

    /// A service that may only read.
    pub(crate) fn reading(&self, who: &str) -> Service {
        let sealed = OpenOptions { read_only: true, ..OpenOptions::default() };
        serving(Store::open_with(&self.file(), sealed).unwrap(), &self.clock, 1, who)
    }
}

fn service(file: &Path, clock: &Clock, seed: u64, who: &str) -> Service {
    serving(Store::open(file).unwrap(), clock, seed, who)
}

fn serving(store: Store, clock: &Clock, seed: u64, who: &str) -> Service {
    let policy = Policy {
        prefix: Prefix::default(),
        limits: LifetimeLimits::default(),
        default_lifetime: "30d".parse().unwrap(),
        catalogue: Catalogue::default(),
    };
    let entropy = Entropy::seeded(seed);
    Service::new(store, clock.clone(), entropy, Actor::named(who), policy)
}

/// The bytes of the store's file.
fn filled(fixture: Fixture) -> &'static [u8] {
    static FILES: [OnceLock<Vec<u8>>; ALL.len()] = [const { OnceLock::new() }; ALL.len()];
    let at = ALL.iter().position(|each| *each == fixture).unwrap();
    FILES[at].get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("store.redb");
        let clock = Clock::fixed(start() - TimeDelta::days(100));
        let service = service(&file, &clock, 7, "alice");
        let maker = Maker { service, clock, file: file.clone() };
        maker.fill(fixture);
        drop(maker);
        fs::read(&file).unwrap()
    })
}

struct Maker {
    service: Service,
    clock: Clock,
    file: PathBuf,
}

impl Maker {
    fn fill(&self, fixture: Fixture) {
        let deploy = ["channels:*:publish", "channels:c-42:subscribe", "clients:*:read@factory"];
        match fixture {
            Fixture::Empty => {}
            Fixture::One => {
                self.make("ci-deploy", 3 * 1440, "30d", "Publishes builds", &deploy[..1]);
            }
            Fixture::Few => {
                self.make("old-backup", 5 * 1440, "90d", "Nightly backup", &deploy[1..2]);
                let secret = self.make("ci-deploy", 3 * 1440, "30d", "Publishes builds", &deploy);
                self.make("sensor-gate", 2 * 1440, "24h", "", &["messages:*:subscribe"]);
                self.revoke("old-backup", 1440);
                self.make("grafana", 60, "7d", "Reads dashboards\nfor the wall", &[]);
                self.presents(secret, "channels:c-7:publish", 5);
            }
            Fixture::Many => self.many(),
            Fixture::Crowd => self.crowd(),
            Fixture::Long => {
                let entity = format!("plant-{}", "x".repeat(122));
                let scopes = [
                    format!("channels:{entity}:publish"),
                    format!("groups:{entity}:unshare@{}", "d".repeat(128)),
                ];
                let scopes: Vec<_> = scopes.iter().map(String::as_str).collect();
                let text = "What this token is for takes a while to say. ".repeat(22);
                self.make("near-by", 120, "30d", "", &["users:*:read"]);
                self.make(&"漢".repeat(64), 60, "365d", &text, &scopes);
            }
            Fixture::Unclaimed => {
                self.at(30);
                self.service.create(&new("left-behind", "30d", "", &[])).unwrap();
            }
            Fixture::Rotated => {
                let old = self.make("ci-deploy", 3 * 1440, "30d", "Publishes builds", &deploy[1..]);
                self.presents(old.clone(), deploy[1], 90);
                self.rotate("ci-deploy", 30);
                self.presents(old, deploy[1], 2);
            }
        }
    }

    fn many(&self) {
        for n in 0..60_i64 {
            let name =
                format!("{}-{n:02}", ["ci", "edge", "fleet"][usize::try_from(n % 3).unwrap()]);
            let lifetime = ["30d", "7d", "90d", "24h"][usize::try_from(n % 4).unwrap()];
            let scopes = ["channels:*:publish", "clients:c-7:read", "groups:*:list"];
            let scopes = &scopes[..usize::try_from(n % 4).unwrap().min(3)];
            let about = format!("Number {n}");
            let ago = (60 - n) * 400;
            let secret = self.make(&name, ago, lifetime, &about, scopes);
            if n % 5 == 0 && !scopes.is_empty() {
                self.presents(secret, scopes[0], ago - 60);
            }
            if n % 10 == 9 {
                self.revoke(&name, ago - 120);
            }
        }
    }

    /// Written as they are, for so many would take the service a while.
    fn crowd(&self) {
        self.make("like", 10_000, "30d", "One of many", &["channels:*:publish"]);
        let like = self.service.load().unwrap().tokens.remove(0);
        let store = Store::open(&self.file).unwrap();
        let write = |rows: &mut Writer<'_>, n: u32| {
            let issued = like.issued + TimeDelta::minutes(1 + i64::from(n));
            let name = Name::parse(&format!("crowd-{n}")).unwrap();
            // Ids in another order than that of their making.
            let id = TokenId::parse(&format!("{:012}", u64::from(n) * 7_919 % 1_000_003)).unwrap();
            let revoked = n.is_multiple_of(3).then_some(issued);
            let token = Some(id);
            let draft = EventDraft {
                at: issued,
                actor: Actor::named("alice"),
                token,
                name: name.to_string(),
                action: AuditAction::Created,
                detail: String::new(),
            };
            rows.put_token(&Token { id, name, issued, revoked, ..like.clone() })?;
            rows.append_event(draft).map(drop)
        };
        let all = |rows: &mut Writer<'_>| (0..9_000).try_for_each(|n| write(rows, n));
        store.write::<_, StoreError>(all).unwrap();
    }

    fn at(&self, minutes_ago: i64) {
        self.clock.set(start() - TimeDelta::minutes(minutes_ago));
    }

    fn make(
        &self,
        name: &str,
        minutes_ago: i64,
        lifetime: &str,
        description: &str,
        scopes: &[&str],
    ) -> Zeroizing<String> {
        self.at(minutes_ago);
        let issued = self.service.create(&new(name, lifetime, description, scopes)).unwrap();
        self.service
            .record_delivery(&issued.token.id, &issued.token.digest, Delivery::Acknowledged)
            .unwrap();
        Zeroizing::new(issued.secret.reveal().to_owned())
    }

    fn revoke(&self, name: &str, minutes_ago: i64) {
        self.at(minutes_ago);
        let tokens = self.service.load().unwrap().tokens;
        let token = tokens.iter().find(|token| token.name.as_str() == name).unwrap();
        self.service.revoke(&token.id).unwrap();
    }

    fn rotate(&self, name: &str, minutes_ago: i64) {
        self.at(minutes_ago);
        let id = self.service.find(name).unwrap().id;
        let renewal = Renewal { lifetime: "30d".parse().unwrap(), overlap: Overlap::Hour };
        let issued = self.service.regenerate(&id, renewal).unwrap();
        self.service.record_delivery(&id, &issued.token.digest, Delivery::Acknowledged).unwrap();
    }

    fn presents(&self, secret: Zeroizing<String>, scope: &str, minutes_ago: i64) {
        self.at(minutes_ago);
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

fn new(name: &str, lifetime: &str, description: &str, scopes: &[&str]) -> NewToken {
    NewToken {
        name: Name::parse(name).unwrap(),
        description: Description::parse(description).unwrap(),
        lifetime: lifetime.parse().unwrap(),
        scopes: scopes.iter().map(|scope| scope.parse().unwrap()).collect(),
    }
}
