//! Whether the time of a comparison tells where a digest is wrong: Welch's t over samples that
//! are taken in turns, as dudect does it. A measurement, not a test of every run: it needs
//! `PATDECK_TIMING=20000`, the number of samples of each kind, and a quiet machine.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers as in itself")]

use std::{hint::black_box, time::Instant};

use chrono::{DateTime, TimeDelta};
use patdeck::domain::{
    Actor, Description, Digest, Name, PreviousSecret, Scopes, Timestamp, Token, TokenId,
};

/// Beyond this two kinds of samples differ; dudect's threshold.
const DIFFERS: f64 = 4.5;
/// Comparisons in one sample.
const BATCH: u32 = 200;

fn at() -> Timestamp {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

fn token() -> Token {
    Token {
        id: TokenId::parse("4fKq9Zt0WbXe").unwrap(),
        name: Name::parse("ci").unwrap(),
        description: Description::default(),
        scopes: Scopes::default(),
        prefix: "pat".into(),
        digest: Digest::from_bytes([7; 32]),
        previous: Some(PreviousSecret {
            digest: Digest::from_bytes([8; 32]),
            until: at() + TimeDelta::days(1),
            last_used: None,
        }),
        created: at(),
        created_by: Actor::named("alice"),
        issued: at(),
        expires: None,
        revoked: None,
        delivered: true,
        last_used: None,
    }
}

/// Nanoseconds of a batch.
fn sample(token: &Token, digest: &Digest) -> f64 {
    let start = Instant::now();
    for _ in 0..BATCH {
        black_box(black_box(token).accepts(black_box(digest), at()));
    }
    start.elapsed().as_secs_f64() * 1e9
}

/// Mean and the variance of the mean, without the slowest tenth: other programs made those.
fn summary(mut samples: Vec<f64>) -> (f64, f64) {
    samples.sort_by(f64::total_cmp);
    samples.truncate(samples.len() * 9 / 10);
    let count = f64::from(u32::try_from(samples.len()).unwrap());
    let mean = samples.iter().sum::<f64>() / count;
    let variance = samples.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (count - 1.0);
    (mean, variance / count)
}

#[test]
fn the_time_of_a_comparison_does_not_tell_where_a_digest_is_wrong() {
    let Some(count) = std::env::var("PATDECK_TIMING").ok().and_then(|n| n.parse::<usize>().ok())
    else {
        println!("skipped: set PATDECK_TIMING=20000");
        return;
    };
    let (token, mut first, mut last) = (token(), [7; 32], [7; 32]);
    (first[0], last[31]) = (0, 0);
    let kinds = [
        ("the right one", Digest::from_bytes([7; 32])),
        ("wrong in its first byte", Digest::from_bytes(first)),
        ("wrong in its last byte", Digest::from_bytes(last)),
        ("wrong in every byte", Digest::from_bytes([0xf8; 32])),
    ];
    let mut samples = kinds.map(|_| Vec::with_capacity(count));
    for round in 0..count {
        for step in 0..kinds.len() {
            // None has a fixed place after another.
            let kind = (step * (1 + 2 * (round % 2)) + round) % kinds.len();
            samples[kind].push(sample(&token, &kinds[kind].1));
        }
    }
    let summaries = samples.map(summary);
    let (right, spread) = summaries[0];
    for ((name, _), (mean, other)) in kinds.iter().zip(summaries) {
        let t = (mean - right) / (spread + other).sqrt();
        println!("{name}: {:.2} ns, t = {t:.2}", mean / f64::from(BATCH));
        assert!(t.abs() < DIFFERS, "{name}: t = {t}");
    }
}
