//! Fills a store with tokens of all kinds, the same ones for the same seed, to look at patdeck
//! and to measure it: `cargo run --release --example fill -- FILE COUNT [SEED]`.
//! The secrets are thrown away; nobody can use these tokens.

use std::{error::Error, path::Path};

use chrono::{TimeDelta, Utc};
use patdeck::{
    domain::{
        Action, Actor, Description, Digest, EventDraft, LastUse, Moment, Name, Pat, Prefix, Scopes,
        TokenId,
    },
    store::{Store, StoreError, Writer},
};
use rand::{Rng as _, RngExt as _, SeedableRng as _, rngs::StdRng};

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

/// Tokens of one transaction.
const BATCH: i64 = 20_000;
/// Over which they are spread: one that is issued now and then is in front of all others.
const SPREAD: TimeDelta = TimeDelta::days(40);

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [path, count, rest @ ..] = arguments.as_slice() else {
        return Err("usage: fill FILE COUNT [SEED]".into());
    };
    let seed = rest.first().map_or(Ok(1), |seed| seed.parse())?;
    let count: i64 = count.parse()?;
    let store = Store::open(Path::new(path))?;
    let now = Utc::now();
    let mut dice = StdRng::seed_from_u64(seed);
    for batch in (0..count).step_by(usize::try_from(BATCH)?) {
        // Made before the transaction, which may run a second time.
        let lives = (batch..count.min(batch + BATCH))
            // Oldest first: the trail's time never goes back.
            .map(|n| {
                let age = SPREAD.num_nanoseconds().unwrap_or_default() / count * (count - n);
                life(&mut dice, n, now - TimeDelta::nanoseconds(age), now)
            })
            .collect::<Result<Vec<_>, _>>()?;
        store.write(|rows| lives.iter().try_for_each(|life| write(rows, life)))?;
    }
    Ok(())
}

/// A token as it is now.
fn life(dice: &mut StdRng, n: i64, at: Moment, now: Moment) -> Result<Pat, Box<dyn Error>> {
    let pick = |dice: &mut StdRng, words: &[&'static str]| {
        words.get(dice.random_range(0..words.len())).copied().unwrap_or_default()
    };
    let mut scopes = Scopes::default();
    for _ in 0..dice.random_range(0..4) {
        // One that is there already is none more.
        let _ = scopes.add(pick(dice, &SCOPES).parse()?);
    }
    let days = [7, 1, 30, 60, 90, 365].get(dice.random_range(0..6)).copied().unwrap_or(30);
    let name = format!("{}-{}-{n}", pick(dice, &TEAMS), pick(dice, &PLACES));
    let later =
        |dice: &mut StdRng| (at + TimeDelta::minutes(dice.random_range(1..60 * 24))).min(now);
    let last_used = dice.random_bool(0.6).then(|| LastUse {
        at: later(dice),
        from: Some("192.0.2.17".to_owned()),
        what: scopes
            .iter()
            .next()
            .map_or("identify allowed".to_owned(), |it| format!("{it} allowed")),
    });
    let mut digest = [0; 32];
    dice.fill_bytes(&mut digest);
    Ok(Pat {
        id: TokenId::draw(|bytes| {
            dice.fill_bytes(bytes);
            Ok::<_, Box<dyn Error>>(())
        })?,
        name: Name::parse(&name)?,
        description: Description::parse(pick(dice, &PURPOSES))?,
        scopes,
        prefix: Prefix::default().as_str().to_owned(),
        digest: Digest::from_bytes(digest),
        retiring: None,
        created: at,
        created_by: Actor::named("alice"),
        issued: at,
        expires: Some(at + TimeDelta::days(days)),
        revoked: dice.random_bool(0.12).then_some(at),
        claimed: true,
        last_used,
    })
}

/// Writes a token and what happened to it.
fn write(rows: &mut Writer<'_>, pat: &Pat) -> Result<(), StoreError> {
    rows.put_pat(pat)?;
    if let Some(last) = &pat.last_used {
        rows.put_use(&pat.id, last)?;
    }
    let actions = [
        (Action::Created, "valid until its expiry, some scopes"),
        (Action::Claimed, "acknowledged"),
    ];
    let ended = pat.revoked.map(|_| (Action::Revoked, "was active"));
    for (action, detail) in actions.into_iter().chain(ended) {
        rows.append_event(EventDraft {
            at: pat.issued,
            actor: pat.created_by.clone(),
            token: Some(pat.id),
            name: pat.name.to_string(),
            action,
            detail: detail.to_owned(),
        })?;
    }
    Ok(())
}
