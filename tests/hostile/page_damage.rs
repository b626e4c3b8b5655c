//! Every command on a store whose pages were flipped, zeroed, swapped, duplicated, moved or cut off.
//! No command allows what the ledger forbids, panics, runs for more than 10 s or exits with an
//! undocumented code. Pages from an older state of the store are not covered.

use std::{fs, path::Path};

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

use crate::{
    cases::{case_count, is_long, run_cases},
    command_lines::pick,
    subject::{Subject, run, write_store},
};

const PAGE: usize = 4_096;

/// The commands, with their input. Each case runs `verify --lines` on all secrets and some of these;
/// a command after one that changes the store sees the changed store.
const COMMANDS: [&str; 23] = [
    "list --json",
    "list",
    "show token-7",
    "audit",
    "audit --check",
    "audit --token token-9",
    "export",
    "export --output copy",
    "doctor",
    "backup copy",
    "scan secrets",
    "import copy --dry-run",
    "create new --lifetime 1d",
    "edit token-12 --description changed",
    "scope add token-18 clients:c1:read",
    "regenerate token-20 --yes",
    "revoke token-0 token-2 --yes",
    "delete token-6 --yes",
    "restore token-16",
    "import export --on-conflict skip",
    "doctor --repair --yes",
    "delete --all --yes",
    "list --read-only",
];

/// The number of commands in an ordinary case.
const SOME_COMMANDS: usize = 4;

/// Changes `bytes` at random and returns a description.
pub(crate) fn damage(bytes: &mut Vec<u8>, random: &mut StdRng) -> String {
    let used: Vec<usize> = (0..bytes.len() / PAGE)
        .filter(|page| bytes[page * PAGE..][..PAGE].iter().any(|byte| *byte != 0))
        .collect();
    if used.is_empty() {
        return "nothing is left".to_owned();
    }
    let mut any = || *pick(random, &used) * PAGE;
    let (a, b) = (any(), any());
    match random.random_range(0..8) {
        0 => {
            let at = a + random.random_range(0..PAGE);
            bytes[at] ^= 1 << random.random_range(0..8);
            format!("flipped a bit of byte {at}")
        }
        1 => {
            bytes[a..a + PAGE].fill(0);
            format!("zeroed {a}")
        }
        2 | 3 => {
            let page = bytes[a..a + PAGE].to_vec();
            bytes.copy_within(b..b + PAGE, a);
            bytes[b..b + PAGE].copy_from_slice(&page);
            format!("swapped {a} and {b}")
        }
        4 | 5 => {
            bytes.copy_within(a..a + PAGE, b);
            format!("copied {a} to {b}")
        }
        6 => {
            let (low, high) = (a.min(b), a.max(b) + PAGE);
            bytes[low..high].rotate_left(PAGE);
            format!("moved {low} to the end of {high}")
        }
        _ => {
            let length = a + random.random_range(0..PAGE);
            bytes.truncate(length);
            format!("truncated to {length}")
        }
    }
}

/// Asserts that `verify --lines` allows only secrets that work.
fn assert_only_working_secrets_are_allowed(case: &str, store: &Path, subject: &Subject) {
    let output = run(case, store, &["verify", "--lines"], &subject.secrets);
    let answers = String::from_utf8(output.stdout).unwrap();
    for (answer, name) in answers.lines().zip(&subject.works) {
        if let Some(allowed) = answer.strip_prefix("valid: ") {
            assert_eq!(Some(allowed), name.as_deref(), "{case}: wrongly allowed");
        }
    }
}

/// Runs case `seed` in the folder of `store`.
fn run_case(seed: u64, store: &Path, subject: &Subject, commands: usize) {
    let mut random = StdRng::seed_from_u64(seed);
    let mut bytes = subject.pages.clone();
    let changes = random.random_range(1..=3);
    let done: Vec<_> = (0..changes).map(|_| damage(&mut bytes, &mut random)).collect();
    let case = format!("seed {seed}: {}", done.join(", "));
    write_store(store, &bytes);
    let folder = store.parent().unwrap();
    let _ = fs::remove_file(folder.join("copy"));
    fs::write(folder.join("secrets"), &subject.secrets).unwrap();
    assert_only_working_secrets_are_allowed(&case, store, subject);
    // A scan of all tokens, because without a check of the key order it had no end.
    run(&case, store, &["list", "--json"], "");
    let first = usize::try_from(seed).unwrap() * commands;
    for command in (first..first + commands).map(|n| COMMANDS[n % COMMANDS.len()]) {
        let arguments: Vec<_> = command.split(' ').collect();
        run(&case, store, &arguments, "");
    }
    if commands < COMMANDS.len() {
        return;
    }
    assert_only_working_secrets_are_allowed(&case, store, subject);
}

#[test]
fn damaged_pages_allow_nothing_and_end_no_command_wrongly() {
    let subject = Subject::new();
    let commands = if is_long() { COMMANDS.len() } else { SOME_COMMANDS };
    run_cases(
        case_count(100, 10_000),
        |thread| subject.workplace(thread),
        |seed, store| run_case(seed, store, &subject, commands),
    );
}
