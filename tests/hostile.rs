//! The checks of the fuzz targets on drawn input, in every ordinary run: any bytes, texts made
//! of what terminals and parsers trip over, and sound input with something spoiled. More of it
//! by `PROPTEST_CASES`.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking, in its helpers as in itself"
)]

#[path = "fuzz/checks.rs"]
#[expect(unreachable_pub, reason = "a library of its own for the fuzz targets")]
mod checks;

use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};

use checks::{CHECKS, Check};
use proptest::{
    collection::vec,
    prelude::*,
    sample::{Index, select},
    test_runner::{Config, TestRunner},
};

/// What turns up in attacks on terminals, on readers and on parsers.
const BITS: [&str; 28] = [
    "\x1b[2J",
    "\x1b]0;t\x07",
    "\x1b]52;c;eA==\x1b\\",
    "\x1bP",
    "\u{9b}31m",
    "\u{9d}0;t\u{9c}",
    "\x07",
    "\r",
    "\n",
    "\t",
    "\0",
    "\x7f",
    "\u{202e}",
    "\u{2066}",
    "\u{200b}",
    "\u{feff}",
    "\u{2028}",
    "\u{e0041}",
    "\u{fe0f}",
    "e\u{301}\u{301}\u{301}",
    "\u{301}",
    "漢",
    "🔑",
    "\u{1f3fd}",
    "a",
    ":",
    "*",
    "@",
];

fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..300)
}

fn hostile_text() -> impl Strategy<Value = Vec<u8>> {
    let bit = prop_oneof![
        3 => select(&BITS[..]).prop_map(str::to_owned),
        1 => any::<String>(),
        1 => "[a-z]{1,8}",
    ];
    vec(bit, 0..20).prop_map(|bits| bits.concat().into_bytes())
}

/// One of the seeds of the target `name`, with some of its bytes replaced, removed or doubled.
fn spoiled(name: &str) -> impl Strategy<Value = Vec<u8>> + use<> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/seeds").join(name);
    let seeds: Vec<Vec<u8>> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| fs::read(entry.unwrap().path()).unwrap())
        .collect();
    assert!(!seeds.is_empty(), "{name} has no seeds");
    let change = (any::<Index>(), 0..4_u8, any::<u8>(), select(&BITS[..]));
    (select(seeds), vec(change, 0..4)).prop_map(|(mut bytes, changes)| {
        for (at, kind, byte, bit) in changes {
            let at = at.index(bytes.len() + 1);
            match kind {
                0 => bytes.insert(at, byte),
                1 => drop(bytes.splice(at..at, bit.bytes())),
                2 if at < bytes.len() => drop(bytes.remove(at)),
                _ => bytes.truncate(at),
            }
        }
        bytes
    })
}

/// Runs `check` on what `strategy` draws; the smallest input that breaks it is told.
fn hold(name: &str, check: Check, strategy: impl Strategy<Value = Vec<u8>>) {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(1_000);
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new(config);
    let found = runner.run(&strategy, |bytes| {
        check(&bytes);
        Ok(())
    });
    if let Err(error) = found {
        panic!("{name}: {error}");
    }
}

#[test]
fn no_input_breaks_a_promise() {
    for (name, check) in CHECKS {
        hold(name, check, any_bytes());
        hold(name, check, hostile_text());
        hold(name, check, spoiled(name));
    }
}

#[test]
fn a_line_of_a_megabyte_is_answered_at_once() {
    for unit in ["\x1b[", "e\u{301}", "\u{202e}", "a:", "["] {
        let long = unit.repeat((1 << 20) / unit.len());
        for (name, check) in CHECKS {
            let held = catch_unwind(AssertUnwindSafe(|| check(long.as_bytes())));
            assert!(held.is_ok(), "{name} on {unit:?}");
        }
    }
}

#[test]
fn every_fuzz_target_has_its_check() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz");
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
    let targets = fs::read_dir(folder.join("targets")).unwrap().count();
    assert_eq!(targets, CHECKS.len());
    for (name, _) in CHECKS {
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name} is not in Cargo.toml");
        let target = fs::read_to_string(folder.join(format!("targets/{name}.rs"))).unwrap();
        assert!(target.contains(&format!("checks::{name}(bytes)")), "{name} checks something else");
    }
}
