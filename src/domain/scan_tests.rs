//! What the finder takes and what it leaves, however the stream is cut into pieces.

use std::collections::BTreeSet;

use proptest::prelude::*;
use rand::{SeedableRng as _, rngs::StdRng};

use super::*;
use crate::domain::Prefix;

fn made(dice: &mut StdRng) -> String {
    let prefix = ["pat", "acme2", "zz", "abcdefghijkl"][dice.random_range(0..4)];
    let mut fill = |out: &mut [u8]| {
        dice.fill_bytes(out);
        Ok::<_, ()>(())
    };
    let id = TokenId::draw(&mut fill).unwrap();
    let secret = Secret::generate(&Prefix::parse(prefix).unwrap(), id, fill).unwrap();
    secret.reveal().to_owned()
}

fn one(seed: u64) -> String {
    made(&mut StdRng::seed_from_u64(seed))
}

/// Place, line and text of all that is found in these pieces.
fn found(pieces: &[&[u8]]) -> Vec<(u64, u64, String)> {
    let mut all = Vec::new();
    let mut note = |seen: SecretMatch| {
        all.push((seen.offset, seen.line, seen.secret.reveal().to_owned()));
    };
    let mut finder = SecretScanner::default();
    for piece in pieces {
        finder.feed(piece, &mut note);
    }
    finder.finish(note);
    all
}

fn count(text: &str) -> usize {
    found(&[text.as_bytes()]).len()
}

/// Something that is almost `secret`, in one of many ways.
fn spoiled(secret: &str, dice: &mut StdRng) -> String {
    let (prefix, rest) = secret.split_once('_').unwrap();
    let at = dice.random_range(prefix.len() + 1..secret.len());
    let mut other = secret.to_owned();
    match dice.random_range(0..8) {
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
fn a_thousand_real_ones_among_a_hundred_thousand_near_misses() {
    let mut dice = StdRng::seed_from_u64(1);
    let (mut text, mut real) = (String::new(), BTreeSet::new());
    for n in 0..101_000 {
        let secret = made(&mut dice);
        if n % 101 == 0 {
            text.push_str(&secret);
            real.insert(secret);
        } else {
            text.push_str(&spoiled(&secret, &mut dice));
        }
        text.push([' ', '"', '\n', '/', '=', '.'][n % 6]);
    }
    let seen: Vec<_> = found(&[text.as_bytes()]);
    assert_eq!(seen.len(), 1_000);
    for (offset, line, secret) in seen {
        let at = usize::try_from(offset).unwrap();
        assert_eq!(&text[at..at + secret.len()], secret);
        let lines = text[..at].matches('\n').count();
        assert_eq!(line, lines as u64 + 1);
        assert!(real.remove(&secret));
    }
    assert!(real.is_empty());
}

#[test]
fn a_secret_split_anywhere_is_found_once() {
    let text = format!("a\n\nkey={}\n{},", one(1), one(2));
    let whole = found(&[text.as_bytes()]);
    assert_eq!(whole.len(), 2);
    assert_eq!((whole[0].0, whole[0].1), (7, 3));
    for cut in 0..=text.len() {
        let (a, b) = text.as_bytes().split_at(cut);
        assert_eq!(found(&[a, b]), whole, "cut at {cut}");
    }
    let bytes: Vec<_> = text.as_bytes().chunks(1).collect();
    assert_eq!(found(&bytes), whole);
}

#[test]
fn it_is_found_across_the_steps_of_a_long_stream() {
    let secret = one(3);
    for before in STEP - 70..=STEP + 70 {
        let mut text = vec![b'\n'; before];
        text.extend_from_slice(secret.as_bytes());
        text.resize(3 * STEP, b'_');
        let place = before as u64;
        assert_eq!(found(&[&text]), [(place, place + 1, secret.clone())]);
    }
}

#[test]
fn the_boundaries_are_whatever_is_no_letter_or_digit() {
    let secret = one(4);
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
fn an_escape_before_it_hides_nothing() {
    let secret = one(5);
    for before in ["\\n", "\\t", "%3D", "\\x20", "\\u003d", "=3D", "\u{1b}[0m", "[38;5;196m"] {
        assert_eq!(count(&format!("text{before}{secret}")), 1, "{before}");
    }
    assert_eq!(count(&format!("item{secret}")), 0);
}

#[test]
fn bytes_around_it_may_be_anything() {
    let secret = one(6);
    let mut bytes = vec![0xff, 0, 0xfe];
    bytes.extend_from_slice(secret.as_bytes());
    bytes.push(0x80);
    let mut seen = None;
    let mut finder = SecretScanner::default();
    finder.feed(&bytes, |sighting| seen = Some(sighting));
    finder.finish(|sighting| seen = Some(sighting));
    let seen = seen.unwrap();
    assert!(seen.binary);
    assert_eq!(seen.offset, 3);
}

#[test]
fn the_pattern_describes_what_is_issued() {
    assert_eq!(
        PATTERN,
        "(?:^|[^0-9A-Za-z])([a-z][0-9a-z]{1,11}_[0-9A-Za-z]{12}_[0-9A-Za-z]{38})(?:$|[^0-9A-Za-z])"
    );
}

proptest! {
    #[test]
    fn how_the_stream_is_cut_changes_nothing(
        seed in any::<u64>(),
        parts in prop::collection::vec((0_u8..3, "[ -~\\n\\x00]{0,30}"), 0..12),
        sizes in prop::collection::vec(1_usize..90, 1..20),
    ) {
        let mut dice = StdRng::seed_from_u64(seed);
        let mut text = String::new();
        for (kind, filler) in parts {
            let secret = made(&mut dice);
            match kind {
                0 => text.push_str(&secret),
                1 => text.push_str(&spoiled(&secret, &mut dice)),
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
        prop_assert_eq!(found(&pieces), found(&[text.as_bytes()]));
    }

    #[test]
    fn any_bytes_are_answered_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        found(&[&bytes]);
    }
}
