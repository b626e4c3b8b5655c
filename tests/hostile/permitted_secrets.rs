//! Secrets that a restore or an import permits again, stopped at a system call. Beside it, another command
//! changes the token completely: the secret works, and no command calls it denied.

use std::fs;

use crate::{
    cases::{case_count, run_cases},
    ended_secrets::{Arguments, one_token, stop_beside},
    subject::run,
    tracer::can_trace,
};

const PERMITTING: [Arguments; 2] =
    [&["restore", "ci"], &["import", "exported", "--on-conflict", "replace", "--yes"]];

const OTHERS: [Arguments; 3] = [
    &["scope", "add", "ci", "channels:c-42:read"],
    &["edit", "ci", "--max-uses", "50"],
    &["regenerate", "ci", "--overlap", "1h", "--yes"],
];

#[test]
fn a_change_beside_a_restore_or_an_import_denies_nothing() {
    if !can_trace() {
        return;
    }
    run_cases(
        case_count(42, 840),
        |thread| thread,
        |seed, _| {
            let case = usize::try_from(seed).unwrap();
            let (permitting, other) = (PERMITTING[case % 2], OTHERS[case / 2 % 3]);
            // From the commit to the last write of the register.
            let call = 260 + case * 13 % 140;
            let (folder, store, secret) = one_token();
            let exported = run("export", &store, &["export"], "").stdout;
            fs::write(folder.path().join("exported"), exported).unwrap();
            let before: &[&[&str]] = &[&["delete", "ci", "--yes"]];
            let codes = stop_beside(&store, (before, permitting, other), call);
            let case = format!("{permitting:?} at call {call}, {other:?}: {codes:?}");
            if codes.is_some_and(|codes| codes[0] == Some(0)) {
                let answer = run(&case, &store, &["verify"], &secret).stdout;
                assert!(answer.starts_with(b"valid"), "{case}");
            }
            // A restore that another change overtakes is no reason for an error.
            assert!(codes.is_none_or(|codes| codes[0] == Some(0)), "{case}");
        },
    );
}
