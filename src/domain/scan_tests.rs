//! Tests of the secret scanner: matches, near misses and boundaries, for any split of the stream.

use std::collections::BTreeSet;

use proptest::prelude::*;
use rand::{SeedableRng as _, rngs::StdRng};

use super::*;
use crate::domain::SecretPrefix;

fn random_secret(rng: &mut StdRng) -> String {
    let prefix = ["pat", "acme2", "zz", "abcdefghijkl"][rng.random_range(0..4)];
    let mut fill = |out: &mut [u8]| {
        rng.fill_bytes(out);
        Ok::<_, ()>(())
    };
    let id = TokenId::generate(&mut fill).unwrap();
    let secret = Secret::generate(&SecretPrefix::parse(prefix).unwrap(), id, fill).unwrap();
    secret.reveal().to_owned()
}

fn seeded_secret(seed: u64) -> String {
    random_secret(&mut StdRng::seed_from_u64(seed))
}

/// Offset, line and text of all matches in a stream of these pieces.
fn scan(pieces: &[&[u8]]) -> Vec<(u64, u64, String)> {
    let mut matches = Vec::new();
    let mut push = |it: FoundSecret| {
        matches.push((it.offset, it.line, it.secret.reveal().to_owned()));
    };
    let mut scanner = SecretScanner::default();
    for piece in pieces {
        scanner.feed(piece, &mut push);
    }
    scanner.finish(push);
    matches
}

fn count(text: &str) -> usize {
    scan(&[text.as_bytes()]).len()
}

/// A near miss: `secret` with one random defect.
fn near_miss(secret: &str, rng: &mut StdRng) -> String {
    let (prefix, rest) = secret.split_once('_').unwrap();
    let at = rng.random_range(prefix.len() + 1..secret.len());
    let mut other = secret.to_owned();
    match rng.random_range(0..8) {
        0 => other.truncate(at),
        1 => other.insert(at, 'a'),
        2 => other.push('7'),
        3 => other.insert(0, 'x'),
        4 => other = other.replacen('_', "-", 1),
        5 => other = format!("{}_{rest}", prefix.to_uppercase()),
        6 => drop(other.remove(at)),
        _ => {
            let old = other.as_bytes()[at];
            let new = if old == b'Q' { "R" } else { "Q" };
            other.replace_range(at..=at, new);
        }
    }
    other
}

#[test]
fn finds_1000_secrets_among_100000_near_misses() {
    let mut rng = StdRng::seed_from_u64(1);
    let (mut text, mut real) = (String::new(), BTreeSet::new());
    for n in 0..101_000 {
        let secret = random_secret(&mut rng);
        if n % 101 == 0 {
            text.push_str(&secret);
            real.insert(secret);
        } else {
            text.push_str(&near_miss(&secret, &mut rng));
        }
        text.push([' ', '"', '\n', '/', '=', '.'][n % 6]);
    }
    let matches = scan(&[text.as_bytes()]);
    assert_eq!(matches.len(), 1_000);
    for (offset, line, secret) in matches {
        let at = usize::try_from(offset).unwrap();
        assert_eq!(&text[at..at + secret.len()], secret);
        let lines = text[..at].matches('\n').count();
        assert_eq!(line, lines as u64 + 1);
        assert!(real.remove(&secret));
    }
    assert!(real.is_empty());
}

#[test]
fn secret_split_at_any_byte_is_found_once() {
    let text = format!("a\n\nkey={}\n{},", seeded_secret(1), seeded_secret(2));
    let whole = scan(&[text.as_bytes()]);
    assert_eq!(whole.len(), 2);
    assert_eq!((whole[0].0, whole[0].1), (7, 3));
    for cut in 0..=text.len() {
        let (a, b) = text.as_bytes().split_at(cut);
        assert_eq!(scan(&[a, b]), whole, "cut at {cut}");
    }
    let bytes: Vec<_> = text.as_bytes().chunks(1).collect();
    assert_eq!(scan(&bytes), whole);
}

#[test]
fn secret_across_chunks_of_a_long_stream_is_found() {
    let secret = seeded_secret(3);
    for before in CHUNK_LEN - 70..=CHUNK_LEN + 70 {
        let mut text = vec![b'\n'; before];
        text.extend_from_slice(secret.as_bytes());
        text.resize(3 * CHUNK_LEN, b'_');
        let offset = before as u64;
        assert_eq!(scan(&[&text]), [(offset, offset + 1, secret.clone())]);
    }
}

#[test]
fn boundary_is_any_byte_except_letters_and_digits() {
    let secret = seeded_secret(4);
    for before in ["", " ", "=", "\"", "_", "://x:", "\0", "é", "KEY_"] {
        for after in ["", " ", "@host", "\"", "_", "\\n", "%0A", "\0", "é"] {
            assert_eq!(count(&format!("{before}{secret}{after}")), 1);
        }
    }
    for (before, after) in [("x", ""), ("7", ""), ("", "x"), ("", "0"), ("\\q", "")] {
        assert_eq!(count(&format!("{before}{secret}{after}")), 0);
    }
}

#[test]
fn secret_directly_after_an_escape_is_found() {
    let secret = seeded_secret(5);
    for before in ["\\n", "\\t", "%3D", "\\x20", "\\u003d", "=3D", "\u{1b}[0m", "[38;5;196m"] {
        assert_eq!(count(&format!("text{before}{secret}")), 1, "{before}");
    }
    assert_eq!(count(&format!("item{secret}")), 0);
}

#[test]
fn secret_in_binary_data_is_found_and_marked_binary() {
    let secret = seeded_secret(6);
    let mut bytes = vec![0xff, 0, 0xfe];
    bytes.extend_from_slice(secret.as_bytes());
    bytes.push(0x80);
    let mut result = None;
    let mut scanner = SecretScanner::default();
    scanner.feed(&bytes, |it| result = Some(it));
    scanner.finish(|it| result = Some(it));
    let result = result.unwrap();
    assert!(result.is_binary);
    assert_eq!(result.offset, 3);
}

#[test]
fn published_pattern_is_frozen() {
    assert_eq!(
        PATTERN,
        "(?:^|[^0-9A-Za-z])([a-z][0-9a-z]{1,11}_[0-9A-Za-z]{12}_[0-9A-Za-z]{38})(?:$|[^0-9A-Za-z])"
    );
}

proptest! {
    #[test]
    fn matches_do_not_depend_on_how_the_stream_is_split(
        seed in any::<u64>(),
        parts in prop::collection::vec((0_u8..3, "[ -~\\n\\x00]{0,30}"), 0..12),
        sizes in prop::collection::vec(1_usize..90, 1..20),
    ) {
        let mut rng = StdRng::seed_from_u64(seed);
        let mut text = String::new();
        for (kind, filler) in parts {
            let secret = random_secret(&mut rng);
            match kind {
                0 => text.push_str(&secret),
                1 => text.push_str(&near_miss(&secret, &mut rng)),
                _ => {}
            }
            text.push_str(&filler);
        }
        let mut pieces = Vec::new();
        let mut rest = text.as_bytes();
        for size in sizes.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (piece, more) = rest.split_at((*size).min(rest.len()));
            pieces.push(piece);
            rest = more;
        }
        prop_assert_eq!(scan(&pieces), scan(&[text.as_bytes()]));
    }

    #[test]
    fn scanning_any_bytes_does_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        scan(&[&bytes]);
    }
}
