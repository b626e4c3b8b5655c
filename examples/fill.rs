//! Fills a store with tokens of all kinds, the same ones for the same seed, to look at patdeck
//! and to measure it: `cargo run --release --example fill -- FILE COUNT [SEED]`.
//! Prints a few of their secrets, to present them to `verify`; they are as good as public.

use std::{
    convert::Infallible,
    error::Error,
    io::{self, Write as _},
    path::Path,
};

use chrono::{TimeDelta, Utc};
use patdeck::{
    domain::{
        Actor, AuditAction, Description, EventDraft, LastUse, Name, Prefix, Scopes, Secret,
        Timestamp, Token, TokenId,
    },
    store::{Store, StoreError, Writer},
};
use rand::{Rng as _, RngExt as _, SeedableRng as _, rngs::StdRng};
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

/// Tokens of one transaction.
const BATCH: u32 = 20_000;
/// Over which they are spread: one that is issued now is in front of all others.
const SPREAD: TimeDelta = TimeDelta::days(40);

type Fault = Box<dyn Error>;

fn main() -> Result<(), Fault> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [path, count, rest @ ..] = arguments.as_slice() else {
        return Err("usage: fill FILE COUNT [SEED]".into());
    };
    let seed = rest.first().map_or(Ok(1), |seed| seed.parse())?;
    let count = count.parse()?;
    fill(Path::new(path), count, seed)?;
    for Presented { id, secret } in secrets(count, seed, 3)? {
        writeln!(io::stdout(), "{id} {}", secret.as_str())?;
    }
    Ok(())
}

/// Makes `count` tokens in the store at `path`.
pub(crate) fn fill(path: &Path, count: u32, seed: u64) -> Result<(), Fault> {
    let store = Store::open(path)?;
    let now = Utc::now();
    let mut dice = StdRng::seed_from_u64(seed);
    let step = SPREAD / i32::try_from(count.max(1))?;
    for batch in (0..count).step_by(usize::try_from(BATCH)?) {
        // Made before the transaction, which may run a second time.
        let lives = (batch..count.min(batch + BATCH))
            // Oldest first: the trail's time never goes back.
            .map(|n| Ok(life(&mut dice, n, now - step * i32::try_from(count - n)?, now)?.0))
            .collect::<Result<Vec<_>, Fault>>()?;
        store.write(|rows| lives.iter().try_for_each(|life| write(rows, life)))?;
    }
    Ok(())
}

/// A secret of a store that was filled.
pub(crate) struct Presented {
    /// Whose it is.
    pub(crate) id: TokenId,
    /// Itself.
    pub(crate) secret: Zeroizing<String>,
}

/// At most `limit` secrets of the store that was filled with this count and seed, of tokens all
/// over it.
pub(crate) fn secrets(count: u32, seed: u64, limit: usize) -> Result<Vec<Presented>, Fault> {
    let mut dice = StdRng::seed_from_u64(seed);
    let every = usize::try_from(count)?.div_ceil(limit.max(1)).max(1);
    let mut presented = Vec::new();
    let now = Utc::now();
    for n in 0..count {
        let (token, secret) = life(&mut dice, n, now, now)?;
        if usize::try_from(n)?.is_multiple_of(every) {
            let secret = Zeroizing::new(secret.reveal().to_owned());
            presented.push(Presented { id: token.id, secret });
        }
    }
    Ok(presented)
}

/// A token as it is now, and its secret.
fn life(
    dice: &mut StdRng,
    n: u32,
    at: Timestamp,
    now: Timestamp,
) -> Result<(Token, Secret), Fault> {
    let pick = |dice: &mut StdRng, words: &[&'static str]| {
        words.get(dice.random_range(0..words.len())).copied().unwrap_or_default()
    };
    let mut scopes = Scopes::default();
    // Two on average.
    for _ in 0..dice.random_range(0..5) {
        // One that is there already is none more.
        let _ = scopes.add(pick(dice, &SCOPES).parse()?);
    }
    let days = [7, 1, 30, 60, 90, 365].get(dice.random_range(0..6)).copied().unwrap_or(30);
    let name = format!("{}-{}-{n}", pick(dice, &TEAMS), pick(dice, &PLACES));
    let later = TimeDelta::minutes(dice.random_range(1..60 * 24));
    let what = scopes.iter().next().map_or("identify allowed".into(), |it| format!("{it} allowed"));
    let used =
        LastUse { at: (at + later).min(now), from: Some("192.0.2.17".into()), what: what.into() };
    let mut random = |bytes: &mut [u8]| {
        dice.fill_bytes(bytes);
        Ok::<_, Infallible>(())
    };
    let id = TokenId::draw(&mut random)?;
    let secret = Secret::generate(&Prefix::default(), id, &mut random)?;
    let token = Token {
        id,
        name: Name::parse(&name)?,
        description: Description::parse(pick(dice, &PURPOSES))?,
        scopes,
        prefix: Prefix::default().as_str().into(),
        digest: secret.digest(),
        previous: None,
        created: at,
        created_by: Actor::named("alice"),
        issued: at,
        expires: Some(at + TimeDelta::days(days)),
        revoked: dice.random_bool(0.12).then_some(at),
        delivered: true,
        last_used: dice.random_bool(0.6).then_some(used),
    };
    Ok((token, secret))
}

/// Writes a token and what happened to it.
fn write(rows: &mut Writer<'_>, token: &Token) -> Result<(), StoreError> {
    rows.put_token(token)?;
    if let Some(last) = &token.last_used {
        rows.put_use(&token.id, last)?;
    }
    let actions = [
        (AuditAction::Created, "valid until its expiry, some scopes"),
        (AuditAction::Claimed, "acknowledged"),
    ];
    let ended = token.revoked.map(|_| (AuditAction::Revoked, "was active"));
    for (action, detail) in actions.into_iter().chain(ended) {
        rows.append_event(EventDraft {
            at: token.issued,
            actor: token.created_by.clone(),
            token: Some(token.id),
            name: token.name.to_string(),
            action,
            detail: detail.to_owned(),
        })?;
    }
    Ok(())
}
