//! Runs the checks of the fuzz targets on random input in every test run: random bytes, text with
//! hostile sequences, and mutated seeds. `PROPTEST_CASES` sets the number of cases.

use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};

use proptest::{
    collection::vec,
    prelude::*,
    sample::{Index, select},
    test_runner::{Config, TestRunner},
};

use crate::checks::{CHECKS, Check};

/// Fragments used in attacks on terminals, readers and parsers.
const HOSTILE_FRAGMENTS: [&str; 28] = [
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
    let fragment = prop_oneof![
        3 => select(&HOSTILE_FRAGMENTS[..]).prop_map(str::to_owned),
        1 => any::<String>(),
        1 => "[a-z]{1,8}",
    ];
    vec(fragment, 0..20).prop_map(|fragments| fragments.concat().into_bytes())
}

/// A seed of the fuzz target `name`, mutated: bytes and fragments inserted, removed or truncated.
fn mutated_seed(name: &str) -> impl Strategy<Value = Vec<u8>> + use<> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/seeds").join(name);
    let seeds: Vec<Vec<u8>> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| fs::read(entry.unwrap().path()).unwrap())
        .collect();
    assert!(!seeds.is_empty(), "{name} has no seeds");
    let change = (any::<Index>(), 0..4_u8, any::<u8>(), select(&HOSTILE_FRAGMENTS[..]));
    (select(seeds), vec(change, 0..4)).prop_map(|(mut bytes, changes)| {
        for (at, kind, byte, fragment) in changes {
            let at = at.index(bytes.len() + 1);
            match kind {
                0 => bytes.insert(at, byte),
                1 => drop(bytes.splice(at..at, fragment.bytes())),
                2 if at < bytes.len() => drop(bytes.remove(at)),
                _ => bytes.truncate(at),
            }
        }
        bytes
    })
}

/// Runs `check` on inputs from `strategy`. Panics with the smallest failing input.
fn run_check(name: &str, check: Check, strategy: impl Strategy<Value = Vec<u8>>) {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(1_000);
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new(config);
    let result = runner.run(&strategy, |bytes| {
        check(&bytes);
        Ok(())
    });
    if let Err(error) = result {
        panic!("{name}: {error}");
    }
}

#[test]
fn checks_hold_for_random_and_hostile_input() {
    for (name, check) in CHECKS {
        run_check(name, check, any_bytes());
        run_check(name, check, hostile_text());
        run_check(name, check, mutated_seed(name));
    }
}

#[test]
fn checks_hold_for_a_line_of_1_mib() {
    for unit in ["\x1b[", "e\u{301}", "\u{202e}", "a:", "["] {
        let long = unit.repeat((1 << 20) / unit.len());
        for (name, check) in CHECKS {
            let result = catch_unwind(AssertUnwindSafe(|| check(long.as_bytes())));
            assert!(result.is_ok(), "{name} on {unit:?}");
        }
    }
}

#[test]
fn every_check_has_a_fuzz_target() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz");
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
    let targets = fs::read_dir(folder.join("targets")).unwrap().count();
    assert_eq!(targets, CHECKS.len());
    for (name, _) in CHECKS {
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name} is not in Cargo.toml");
        let target = fs::read_to_string(folder.join(format!("targets/{name}.rs"))).unwrap();
        assert!(
            target.contains(&format!("checks::{name}(bytes)")),
            "target {name} runs another check"
        );
    }
}
