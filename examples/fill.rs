//! Fills a store with tokens of all kinds, the same ones for the same seed, to look at patdeck
//! and to measure it: `cargo run --release --example fill -- FILE COUNT [SEED]`.
//! The secrets are thrown away; nobody can use these tokens.

use std::{error::Error, path::Path};

use chrono::{TimeDelta, Utc};
use patdeck::{
    domain::{Actor, Catalogue, Description, Lifetime, Limits, Moment, Name, Prefix, Request},
    service::{Clock, Entropy, Issued, NewPat, Policy, Service},
    store::Store,
};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use zeroize::Zeroizing;

const TEAMS: [&str; 8] =
    ["ci", "edge", "sensor", "grafana", "billing", "backup", "fleet", "oncall"];
const PLACES: [&str; 8] = ["prod", "staging", "oslo", "lyon", "kisumu", "lab", "gateway", "mirror"];
const SCOPES: [&str; 8] = [
    "channels:*:publish",
    "channels:c-42:subscribe",
    "clients:*:read",
    "clients:*:list",
    "groups:plant-7:update",
    "dashboards:*:read",
    "messages:*:subscribe",
    "channels:c-7:publish@factory",
];
const PURPOSES: [&str; 5] = [
    "Publishes build results",
    "Reads the sensors of the cold store",
    "",
    "Nightly backup of the dashboards\nAsk the storage team before you touch it",
    "Temporary, for the migration",
];

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [path, count, rest @ ..] = arguments.as_slice() else {
        return Err("usage: fill FILE COUNT [SEED]".into());
    };
    let seed = rest.first().map_or(Ok(1), |seed| seed.parse())?;
    let now = Utc::now();
    let clock = Clock::fixed(now);
    let policy = Policy {
        prefix: Prefix::default(),
        limits: Limits::default(),
        default_lifetime: "30d".parse()?,
        catalogue: Catalogue::default(),
    };
    let store = Store::open(Path::new(path))?;
    let actor = Actor::named("alice");
    let service = Service::new(store, clock.clone(), Entropy::seeded(seed), actor, policy);
    let mut dice = StdRng::seed_from_u64(seed);
    let count: i64 = count.parse()?;
    for n in 0..count {
        // Spread over the last 40 days, oldest first: the trail's time never goes back.
        let at = now - TimeDelta::minutes((count - n) * 40 * 24 * 60 / count);
        clock.set(at);
        one(&service, &mut dice, n, at, now, &clock)?;
    }
    Ok(())
}

fn one(
    service: &Service,
    dice: &mut StdRng,
    n: i64,
    at: Moment,
    now: Moment,
    clock: &Clock,
) -> Result<(), Box<dyn Error>> {
    let pick = |dice: &mut StdRng, words: &[&'static str]| {
        words.get(dice.random_range(0..words.len())).copied().unwrap_or_default()
    };
    let mut scopes = Vec::new();
    for _ in 0..dice.random_range(0..4) {
        let scope = pick(dice, &SCOPES).parse()?;
        if !scopes.contains(&scope) {
            scopes.push(scope);
        }
    }
    let lifetime: Lifetime = pick(dice, &["7d", "24h", "30d", "60d", "90d", "365d"]).parse()?;
    let name = format!("{}-{}-{n}", pick(dice, &TEAMS), pick(dice, &PLACES));
    let new = NewPat {
        name: Name::parse(&name)?,
        description: Description::parse(pick(dice, &PURPOSES))?,
        lifetime,
        scopes,
    };
    let Issued { pat, secret } = service.create(&new)?;
    service.claim(&pat.id, &pat.digest, patdeck::service::Claim::Acknowledged)?;
    if let (Some(scope), true) = (new.scopes.first(), dice.random_bool(0.6)) {
        clock.set((at + TimeDelta::minutes(dice.random_range(1..60 * 24))).min(now));
        let request = Request {
            entity_type: scope.entity_type.clone(),
            entity: scope.entity.clone(),
            operation: scope.operation.clone(),
            domain: scope.domain.clone(),
        };
        let presented = Zeroizing::new(secret.reveal().to_owned());
        service.verify(presented, &request, Some("192.0.2.17"))?;
        clock.set(at);
    }
    if dice.random_bool(0.12) {
        service.revoke(&pat.id)?;
    }
    Ok(())
}
