//! A sample store, like that of a small team after a few months: tokens in every status, created by
//! two operators, some used recently and some never. The secrets come from a fixed seed, so that
//! the pictures are reproducible.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta};
use patdeck::{
    domain::{
        AccessRequest, Actor, DeliveryMethod, Description, LifetimeLimits, LimitChanges, Name,
        NewToken, Scope, ScopeCatalogue, SecretOverlap, SecretPrefix, Timestamp, TokenId,
    },
    service::{Clock, Entropy, Policy, Service},
    store::Store,
    testing::{RegenerateOptions, ServiceTestExt as _},
};
use tempfile::TempDir;
use zeroize::Zeroizing;

/// The time of the pictures: a Wednesday morning.
pub(crate) fn now() -> Timestamp {
    DateTime::from_timestamp(1_789_547_400, 0).unwrap()
}

pub(crate) fn policy() -> Policy {
    Policy {
        prefix: SecretPrefix::default(),
        limits: LifetimeLimits::default(),
        default_lifetime: "30d".parse().unwrap(),
        catalogue: ScopeCatalogue::default(),
    }
}

/// Name, description, lifetime, scopes, minutes since creation, and minutes since the last use.
type TokenSpec =
    (&'static str, &'static str, &'static str, &'static [&'static str], i64, Option<i64>);

const HOUR: i64 = 60;
const DAY: i64 = 24 * HOUR;

/// Oldest first, because event times in a store cannot decrease.
const TOKENS: &[TokenSpec] = &[
    (
        "contractor-lyon",
        "Access of the installers, until the line is handed over",
        "90d",
        &["clients:*:create", "clients:*:list"],
        83 * DAY,
        Some(31 * DAY),
    ),
    (
        "grafana-readonly",
        "Dashboards of the operations room",
        "365d",
        &["dashboards:*:read", "dashboards:*:list", "channels:*:read"],
        71 * DAY,
        Some(4),
    ),
    (
        "nightly-backup",
        "Copies every dashboard to the cold store",
        "60d",
        &["dashboards:*:list", "dashboards:*:read", "groups:*:list"],
        55 * DAY,
        Some(7 * HOUR),
    ),
    (
        "load-test",
        "Messages by the million, on the staging broker only",
        "7d",
        &["messages:*:publish"],
        40 * DAY,
        Some(34 * DAY),
    ),
    (
        "gateway-東京",
        "Edge gateway of the plant in Tokyo",
        "90d",
        &["channels:line-1:publish", "channels:line-1:subscribe"],
        33 * DAY,
        Some(1),
    ),
    ("old-ci", "Replaced by ci-deploy", "30d", &["channels:*:publish"], 26 * DAY, Some(19 * DAY)),
    (
        "billing-export",
        "Monthly, started by hand",
        "24h",
        &["clients:*:list", "users:*:list"],
        15 * DAY,
        Some(15 * DAY - 20),
    ),
    (
        "sensor-import",
        "Old readings of the cold store, for the migration",
        "7d",
        &["channels:archive:publish", "channels:archive:list"],
        5 * DAY,
        Some(2 * DAY),
    ),
    ("oncall-laptop", "", "30d", &[], 3 * DAY, None),
    (
        "ci-deploy",
        "Publishes build results and registers new clients.\nThe release team rotates it",
        "90d",
        &[
            "channels:builds:publish",
            "channels:builds:subscribe",
            "clients:*:create",
            "clients:*:read",
            "groups:release:update@factory",
        ],
        DAY,
        Some(12),
    ),
];

/// The store and a service on it, with the clock at [`now`].
pub(crate) struct DemoStore {
    pub(crate) service: Arc<Service>,
    pub(crate) clock: Clock,
    _folder: TempDir,
}

impl DemoStore {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::fixed(now());
        let as_actor = |user: &str, from: &str, seed| {
            let actor = Actor { from: Some(from.into()), ..Actor::named(user) };
            let store = Store::open(&folder.path().join("store.redb")).unwrap();
            Service::new(store, clock.clone(), Entropy::seeded(seed), actor, policy())
        };
        let alice = as_actor("alice", "192.0.2.17", 11);
        let bob = as_actor("bob", "192.0.2.40", 12);
        let mut ids = Vec::new();
        let mut uses = Vec::new();
        for (index, spec) in TOKENS.iter().enumerate() {
            let creator = if index % 3 == 1 { &bob } else { &alice };
            // Event times cannot decrease: record earlier uses before creating the token.
            use_before(spec.4, &mut uses, &clock, &alice);
            clock.set(minutes_ago(spec.4));
            let (id, secret) = create_token(creator, spec);
            ids.push(id);
            if let (Some(used), Some(scope)) = (spec.5, spec.3.first()) {
                uses.push((used, secret, *scope));
            }
        }
        // A regeneration is refused while the clock is behind a recorded use.
        use_before(90, &mut uses, &clock, &alice);
        apply_recent_changes(&clock, &alice, &bob, &ids);
        use_before(0, &mut uses, &clock, &alice);
        clock.set(now());
        drop(bob);
        Self { service: Arc::new(alice), clock, _folder: folder }
    }
}

/// A planned use: minutes before [`now`], the secret and the requested scope.
type Use = (i64, Zeroizing<String>, &'static str);

/// Records the planned uses that are more than `minutes` before [`now`].
fn use_before(minutes: i64, uses: &mut Vec<Use>, clock: &Clock, service: &Service) {
    for (used, secret, scope) in uses.extract_if(.., |(used, ..)| *used > minutes) {
        clock.set(minutes_ago(used));
        let verdict = service.check(secret, Some(&request(scope)), Some("10.20.0.14"));
        assert!(verdict.unwrap().decision.is_allowed());
    }
}

/// Applies the changes of the last 22 hours.
fn apply_recent_changes(clock: &Clock, alice: &Service, bob: &Service, ids: &[TokenId]) {
    let id_of = |name: &str| {
        let index = TOKENS.iter().position(|spec| spec.0 == name).unwrap();
        ids[index]
    };
    clock.set(minutes_ago(22 * HOUR));
    bob.revoke(&id_of("contractor-lyon")).unwrap();
    clock.set(minutes_ago(20 * HOUR));
    alice.revoke(&id_of("old-ci")).unwrap();
    clock.set(minutes_ago(90));
    let options = RegenerateOptions {
        lifetime: "90d".parse().unwrap(),
        overlap: SecretOverlap::ALL.last().copied().unwrap(),
    };
    bob.regenerate(&id_of("nightly-backup"), options).unwrap();
    let backup = bob.resolve("nightly-backup").unwrap();
    bob.record_delivery(&backup.id, &backup.digest, DeliveryMethod::Written).unwrap();
    clock.set(minutes_ago(25));
    let scope: Scope = "messages:*:subscribe".parse().unwrap();
    alice.add_scopes(&id_of("ci-deploy"), &[scope]).unwrap();
}

fn create_token(by: &Service, spec: &TokenSpec) -> (TokenId, Zeroizing<String>) {
    let issued = by
        .create(&NewToken {
            name: Name::parse(spec.0).unwrap(),
            description: Description::parse(spec.1).unwrap(),
            lifetime: spec.2.parse().unwrap(),
            scopes: spec.3.iter().map(|scope| scope.parse().unwrap()).collect(),
            limits: LimitChanges::default(),
        })
        .unwrap();
    by.record_delivery(&issued.token.id, &issued.token.digest, DeliveryMethod::Copied).unwrap();
    let secret = Zeroizing::new(issued.secret.reveal().to_owned());
    (issued.token.id, secret)
}

fn request(scope: &str) -> AccessRequest {
    let scope: Scope = scope.parse().unwrap();
    AccessRequest {
        entity_type: scope.entity_type,
        entity: scope.entity,
        operation: scope.operation,
        domain: scope.domain,
    }
}

fn minutes_ago(minutes: i64) -> Timestamp {
    now() - TimeDelta::minutes(minutes)
}
