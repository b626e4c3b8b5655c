//! Fills a store with sample tokens for demos and measurements:
//! `cargo run --release --example fill -- FILE COUNT [SEED]`. The same seed gives the same tokens.
//! Prints three of the secrets for use with `verify`; anyone who knows the seed can derive them.

use std::{
    convert::Infallible,
    error::Error,
    io::{self, Write as _},
    path::Path,
};

use chrono::{TimeDelta, Utc};
use patdeck::{
    domain::{
        Actor, AuditAction, Description, EventBody, Labels, LastUse, Name, Owner, Scopes, Secret,
        SecretPrefix, Timestamp, Token, TokenId, TokenLimits,
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

/// Tokens per transaction.
const TOKENS_PER_TRANSACTION: u32 = 20_000;
/// Period before now over which the issue times are spread.
const SPREAD: TimeDelta = TimeDelta::days(40);

type FillError = Box<dyn Error>;

fn main() -> Result<(), FillError> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [path, count, rest @ ..] = arguments.as_slice() else {
        return Err("usage: fill FILE COUNT [SEED]".into());
    };
    let seed = rest.first().map_or(Ok(1), |seed| seed.parse())?;
    let count = count.parse()?;
    fill(Path::new(path), count, seed)?;
    for SampleSecret { id, secret } in sample_secrets(count, seed, 3)? {
        writeln!(io::stdout(), "{id} {}", secret.as_str())?;
    }
    Ok(())
}

/// Creates `count` tokens in the store at `path`.
pub(crate) fn fill(path: &Path, count: u32, seed: u64) -> Result<(), FillError> {
    let store = Store::open(path)?;
    let now = Utc::now();
    let mut rng = StdRng::seed_from_u64(seed);
    let step = SPREAD / i32::try_from(count.max(1))?;
    for batch in (0..count).step_by(usize::try_from(TOKENS_PER_TRANSACTION)?) {
        // Generated before the transaction, because the closure may run twice.
        let tokens = (batch..count.min(batch + TOKENS_PER_TRANSACTION))
            // Oldest first, because times in the audit trail never decrease.
            .map(|n| Ok(sample_token(&mut rng, n, now - step * i32::try_from(count - n)?, now)?.0))
            .collect::<Result<Vec<_>, FillError>>()?;
        store.write(|rows| tokens.iter().try_for_each(|token| write_token(rows, token)))?;
    }
    Ok(())
}

/// A secret of a sample token.
pub(crate) struct SampleSecret {
    /// The id of its token.
    pub(crate) id: TokenId,
    /// The secret, as a bearer presents it.
    pub(crate) secret: Zeroizing<String>,
}

/// Returns at most `limit` secrets of a store filled with this count and seed, evenly spaced.
pub(crate) fn sample_secrets(
    count: u32,
    seed: u64,
    limit: usize,
) -> Result<Vec<SampleSecret>, FillError> {
    let mut rng = StdRng::seed_from_u64(seed);
    let every = usize::try_from(count)?.div_ceil(limit.max(1)).max(1);
    let mut samples = Vec::new();
    let now = Utc::now();
    for n in 0..count {
        let (token, secret) = sample_token(&mut rng, n, now, now)?;
        if usize::try_from(n)?.is_multiple_of(every) {
            let secret = Zeroizing::new(secret.reveal().to_owned());
            samples.push(SampleSecret { id: token.id, secret });
        }
    }
    Ok(samples)
}

/// Generates token number `n`, issued at `at`, and its secret.
fn sample_token(
    rng: &mut StdRng,
    n: u32,
    at: Timestamp,
    now: Timestamp,
) -> Result<(Token, Secret), FillError> {
    let pick = |rng: &mut StdRng, words: &[&'static str]| {
        words.get(rng.random_range(0..words.len())).copied().unwrap_or_default()
    };
    let mut scopes = Scopes::default();
    // Two scopes on average.
    for _ in 0..rng.random_range(0..5) {
        // A duplicate scope is refused, which is fine here.
        let _ = scopes.add(pick(rng, &SCOPES).parse()?);
    }
    let days = [7, 1, 30, 60, 90, 365].get(rng.random_range(0..6)).copied().unwrap_or(30);
    let name = format!("{}-{}-{n}", pick(rng, &TEAMS), pick(rng, &PLACES));
    let used_after = TimeDelta::minutes(rng.random_range(1..60 * 24));
    let summary =
        scopes.iter().next().map_or("identify allowed".into(), |it| format!("{it} allowed"));
    let used = LastUse {
        at: (at + used_after).min(now),
        from: Some("192.0.2.17".into()),
        summary: summary.into(),
    };
    let mut random = |bytes: &mut [u8]| {
        rng.fill_bytes(bytes);
        Ok::<_, Infallible>(())
    };
    let id = TokenId::generate(&mut random)?;
    let secret = Secret::generate(&SecretPrefix::default(), id, &mut random)?;
    let token = Token {
        id,
        name: Name::parse(&name)?,
        description: Description::parse(pick(rng, &PURPOSES))?,
        scopes,
        prefix: SecretPrefix::default().as_str().into(),
        digest: secret.digest(),
        previous: None,
        created: at,
        created_by: Actor::named("alice"),
        issued: at,
        expires: Some(at + TimeDelta::days(days)),
        revoked: rng.random_bool(0.12).then_some(at),
        version: 1,
        generation: 1,
        delivered: true,
        last_used: rng.random_bool(0.6).then_some(used),
        limits: TokenLimits::default(),
        labels: Labels::default(),
        owner: Owner::default(),
        uses_taken: 0,
        last_denied: None,
    };
    Ok((token, secret))
}

/// Writes a token, its last use and its audit events.
fn write_token(rows: &mut Writer<'_>, token: &Token) -> Result<(), StoreError> {
    rows.put_token(token)?;
    if let Some(last) = &token.last_used {
        rows.put_attempt(&token.id, None, last, true)?;
    }
    let actions = [
        (AuditAction::Created, "valid until its expiry, some scopes"),
        (AuditAction::Delivered, "acknowledged"),
    ];
    let ended = token.revoked.map(|_| (AuditAction::Revoked, "was active"));
    for (action, detail) in actions.into_iter().chain(ended) {
        rows.append_event(EventBody {
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
