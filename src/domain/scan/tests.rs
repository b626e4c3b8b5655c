//! Tests of the secret scanner: matches, near misses and boundaries, for any split of the stream.

use std::collections::BTreeSet;

use proptest::prelude::*;
use rand::{SeedableRng as _, rngs::StdRng};

use super::*;
use crate::domain::{SecretPrefix, TokenId};

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

/// A near miss: `secret` with one random defect.
fn near_miss(secret: &str, rng: &mut StdRng) -> String {
    let (prefix, rest) = secret.split_once('_').unwrap();
    let at = rng.random_range(prefix.len() + 1..secret.len());
    let mut other = secret.to_owned();
    match rng.random_range(0..6) {
        0 => other.truncate(at),
        1 => other.insert(at, '-'),
        2 => other = other.replacen('_', "-", 1),
        3 => other = format!("{}_{rest}", prefix.to_uppercase()),
        4 => drop(other.remove(at)),
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
fn bytes_around_a_secret_do_not_matter() {
    let secret = seeded_secret(4);
    for before in ["", " ", "=", "\"", "_", "://x:", "\0", "é", "KEY_", "x", "7", "\\n", "%3D"] {
        for after in ["", " ", "@host", "\"", "_", "\\n", "%0A", "\0", "é", "x", "0"] {
            let text = format!("{before}{secret}{after}");
            let matches = scan(&[text.as_bytes()]);
            assert_eq!(matches, [(before.len() as u64, 1, secret.clone())], "{text}");
        }
    }
}

/// `text` with each character as its ASCII code in `width` bytes.
fn widen(text: &str, width: usize, big_endian: bool) -> Vec<u8> {
    let mut bytes = Vec::new();
    for byte in text.bytes() {
        let mut character = vec![0; width];
        character[if big_endian { width - 1 } else { 0 }] = byte;
        bytes.extend(character);
    }
    bytes
}

#[test]
fn utf_16_and_utf_32_are_found_at_any_alignment() {
    let secret = seeded_secret(5);
    for (width, big_endian) in [(2, false), (2, true), (4, false), (4, true)] {
        for shift in 0..5 {
            let mut bytes = vec![b'#'; shift];
            bytes.extend(widen(&format!("k=x{secret}y\n"), width, big_endian));
            let matches = scan(&[&bytes]);
            assert_eq!(matches.len(), 1, "{width} {big_endian} {shift}");
            assert_eq!(matches[0].2, secret);
        }
    }
}

fn escape_all(text: &str, write: impl Fn(u8) -> String) -> String {
    text.bytes().map(write).collect()
}

#[test]
fn escape_sequences_in_a_secret_are_decoded() {
    let secret = seeded_secret(6);
    let forms = [
        secret.replace('_', "%5F"),
        secret.replace('_', "%5f"),
        secret.replace('_', "=5F"),
        secret.replace('_', "\\u005f"),
        secret.replace('_', "\\u{5f}"),
        secret.replace('_', "\\x5f"),
        secret.replace('_', "&#95;"),
        secret.replace('_', "&#x5f;"),
        secret.replace('_', "&lowbar;"),
        secret.replace('_', "%255F"),
        secret.replace('_', "\\\\u005f"),
        secret.replace('_', "%5Cu005f"),
        secret.replace('_', "%25255F"),
        escape_all(&secret, |byte| format!("%{byte:02X}")),
        escape_all(&secret, |byte| format!("\\u{byte:04x}")),
        escape_all(&secret, |byte| format!("&#{byte};")),
    ];
    for form in forms {
        for (before, after) in [("", ""), ("key=", "&b=c"), ("x%3D", "%0A"), ("\\n", "\\n")] {
            let text = format!("\n{before}{form}{after}");
            let at = 1 + before.len() as u64;
            assert_eq!(scan(&[text.as_bytes()]), [(at, 2, secret.clone())], "{text}");
        }
    }
}

#[test]
fn a_secret_that_a_folded_line_cuts_is_found() {
    let secret = seeded_secret(7);
    for fold in ["=\n", "=\r\n", "\\\n", "\\\r\n", "\\\n    ", "\\\n\t"] {
        for cut in 1..secret.len() {
            let (a, b) = secret.split_at(cut);
            let text = format!("key={a}{fold}{b}");
            assert_eq!(scan(&[text.as_bytes()]), [(4, 1, secret.clone())], "{text}");
        }
    }
    let (a, b) = secret.split_at(20);
    assert_eq!(scan(&[format!("{a}\n{b}").as_bytes()]), []);
    for escape in ["%5F", "\\u005f", "\\\\u005f", "&#95;"] {
        for cut in 1..escape.len() {
            let (a, b) = escape.split_at(cut);
            let text = secret.replace('_', &format!("{a}=\n{b}"));
            assert_eq!(scan(&[text.as_bytes()])[0].2, secret, "{text}");
        }
    }
}

#[test]
fn a_secret_beside_an_escape_sequence_is_found_once() {
    let (one, two) = (seeded_secret(8), seeded_secret(9));
    let text = format!("%41{one}%42 {} a=41&b=%5F{one}=\n", two.replace('_', "%5F"));
    let secrets: Vec<_> = scan(&[text.as_bytes()]).into_iter().map(|found| found.2).collect();
    assert_eq!(secrets, [one.clone(), two, one]);
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
