//! A store such as a small team has after a few months: tokens in every state, made by two
//! people, some used a moment ago, some never. Nobody outside can use them: the secrets are
//! drawn from a seed that stands here.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta};
use patdeck::{
    domain::{
        AccessRequest, Actor, Catalogue, Delivery, Description, LifetimeLimits, Name, NewToken,
        Overlap, Prefix, Scope, Timestamp, TokenId,
    },
    service::{Clock, Entropy, Policy, Service},
    store::Store,
    testing::{Changes as _, Renewal},
};
use tempfile::TempDir;
use zeroize::Zeroizing;

/// The instant of the pictures: a Wednesday morning.
pub(crate) fn now() -> Timestamp {
    DateTime::from_timestamp(1_789_547_400, 0).unwrap()
}

pub(crate) fn policy() -> Policy {
    Policy {
        prefix: Prefix::default(),
        limits: LifetimeLimits::default(),
        default_lifetime: "30d".parse().unwrap(),
        catalogue: Catalogue::default(),
    }
}

/// One token: name, description, lifetime, scopes, minutes since it was made, and the minutes
/// since its last use if there was one.
type Told = (&'static str, &'static str, &'static str, &'static [&'static str], i64, Option<i64>);

const HOUR: i64 = 60;
const DAY: i64 = 24 * HOUR;

/// Oldest first: time only goes forward in a store.
const TOLD: &[Told] = &[
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

/// The store, with a service on it whose clock stands at [`now`].
pub(crate) struct Demo {
    pub(crate) service: Arc<Service>,
    pub(crate) clock: Clock,
    _folder: TempDir,
}

impl Demo {
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
        for (place, told) in TOLD.iter().enumerate() {
            let by = if place % 3 == 1 { &bob } else { &alice };
            // Nothing can be written before the last event: uses come between the tokens.
            use_before(told.4, &mut uses, &clock, &alice);
            clock.set(ago(told.4));
            let (id, secret) = make(by, told);
            ids.push(id);
            if let (Some(used), Some(scope)) = (told.5, told.3.first()) {
                uses.push((used, secret, *scope));
            }
        }
        use_before(0, &mut uses, &clock, &alice);
        finish(&clock, &alice, &bob, &ids);
        clock.set(now());
        drop(bob);
        Self { service: Arc::new(alice), clock, _folder: folder }
    }
}

/// A use to come: minutes before the pictures, the secret, and what it is used for.
type Use = (i64, Zeroizing<String>, &'static str);

/// Presents the secrets whose use lies further back than `minutes`.
fn use_before(minutes: i64, uses: &mut Vec<Use>, clock: &Clock, service: &Service) {
    for (used, secret, scope) in uses.extract_if(.., |(used, ..)| *used > minutes) {
        clock.set(ago(used));
        let verdict = service.check(secret, Some(&request(scope)), Some("10.20.0.14"));
        assert!(verdict.unwrap().decision.is_allowed());
    }
}

/// What happened in the last hours.
fn finish(clock: &Clock, alice: &Service, bob: &Service, ids: &[TokenId]) {
    let named = |name: &str| {
        let place = TOLD.iter().position(|told| told.0 == name).unwrap();
        ids[place]
    };
    clock.set(ago(22 * HOUR));
    bob.revoke(&named("contractor-lyon")).unwrap();
    clock.set(ago(20 * HOUR));
    alice.revoke(&named("old-ci")).unwrap();
    clock.set(ago(90));
    let renewal = Renewal {
        lifetime: "90d".parse().unwrap(),
        overlap: Overlap::ALL.last().copied().unwrap(),
    };
    bob.regenerate(&named("nightly-backup"), renewal).unwrap();
    let backup = bob.find("nightly-backup").unwrap();
    bob.record_delivery(&backup.id, &backup.digest, Delivery::Written).unwrap();
    clock.set(ago(25));
    let scope: Scope = "messages:*:subscribe".parse().unwrap();
    alice.add_scopes(&named("ci-deploy"), &[scope]).unwrap();
}

fn make(by: &Service, told: &Told) -> (TokenId, Zeroizing<String>) {
    let issued = by
        .create(&NewToken {
            name: Name::parse(told.0).unwrap(),
            description: Description::parse(told.1).unwrap(),
            lifetime: told.2.parse().unwrap(),
            scopes: told.3.iter().map(|scope| scope.parse().unwrap()).collect(),
        })
        .unwrap();
    by.record_delivery(&issued.token.id, &issued.token.digest, Delivery::Copied).unwrap();
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

fn ago(minutes: i64) -> Timestamp {
    now() - TimeDelta::minutes(minutes)
}
