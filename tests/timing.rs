//! Measures whether the duration of a digest comparison depends on where the digests differ:
//! Welch's t-test on interleaved samples, like dudect. Skipped by default: it needs an idle machine
//! and `PATDECK_TIMING=20000`, the number of samples per class.

#![expect(clippy::unwrap_used, reason = "tests and their helpers fail by panicking")]

use std::{hint::black_box, time::Instant};

use chrono::{DateTime, TimeDelta};
use patdeck::domain::{
    Actor, Description, Digest, Labels, Name, Owner, PreviousSecret, Scopes, Timestamp, Token,
    TokenId, TokenLimits,
};

/// Threshold of |t| above which two classes of samples differ, as in dudect.
const T_THRESHOLD: f64 = 4.5;
/// Comparisons per sample.
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
            uses_taken: 0,
            last_denied: None,
        }),
        created: at(),
        created_by: Actor::named("alice"),
        issued: at(),
        expires: None,
        revoked: None,
        version: 1,
        generation: 1,
        delivered: true,
        last_used: None,
        limits: TokenLimits::default(),
        labels: Labels::default(),
        owner: Owner::default(),
        uses_taken: 0,
        last_denied: None,
    }
}

/// Duration of [`BATCH`] comparisons in nanoseconds.
fn sample(token: &Token, digest: &Digest) -> f64 {
    let start = Instant::now();
    for _ in 0..BATCH {
        black_box(black_box(token).accepts(black_box(digest), at()));
    }
    start.elapsed().as_secs_f64() * 1e9
}

/// Mean and variance of the mean. Ignores the slowest 10 %, which other processes delayed.
fn summary(mut samples: Vec<f64>) -> (f64, f64) {
    samples.sort_by(f64::total_cmp);
    samples.truncate(samples.len() * 9 / 10);
    let count = f64::from(u32::try_from(samples.len()).unwrap());
    let mean = samples.iter().sum::<f64>() / count;
    let variance = samples.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (count - 1.0);
    (mean, variance / count)
}

#[test]
fn digest_comparison_takes_constant_time() {
    let Some(count) = std::env::var("PATDECK_TIMING").ok().and_then(|n| n.parse::<usize>().ok())
    else {
        println!("skipped: set PATDECK_TIMING=20000");
        return;
    };
    let (token, mut first, mut last) = (token(), [7; 32], [7; 32]);
    (first[0], last[31]) = (0, 0);
    let classes = [
        ("equal digest", Digest::from_bytes([7; 32])),
        ("first byte differs", Digest::from_bytes(first)),
        ("last byte differs", Digest::from_bytes(last)),
        ("every byte differs", Digest::from_bytes([0xf8; 32])),
    ];
    let mut samples = classes.map(|_| Vec::with_capacity(count));
    for round in 0..count {
        for step in 0..classes.len() {
            // Vary the order, so that no class always follows the same other class.
            let class = (step * (1 + 2 * (round % 2)) + round) % classes.len();
            samples[class].push(sample(&token, &classes[class].1));
        }
    }
    let summaries = samples.map(summary);
    let (equal_mean, equal_variance) = summaries[0];
    for ((name, _), (mean, variance)) in classes.iter().zip(summaries) {
        let t = (mean - equal_mean) / (equal_variance + variance).sqrt();
        println!("{name}: {:.2} ns, t = {t:.2}", mean / f64::from(BATCH));
        assert!(t.abs() < T_THRESHOLD, "{name}: t = {t}");
    }
}
