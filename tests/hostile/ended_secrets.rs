//! The end of one secret, of an overlap or of a leaked secret, stopped at a system call. Beside it, the
//! token is regenerated twice or deleted and restored, completely. The secret is denied if the end was
//! acknowledged, the newest secret works, and nothing calls the store inconsistent.

use std::{fs, path::Path, process::Stdio};

use patdeck::{service::Clock, store::Store, testing::ServiceTestExt as _};

use crate::{
    cases::{case_count, run_cases},
    subject::{memory_folder, new_token, run, service_on},
    tracer::{TracedProcess, can_trace},
};

/// A command that ends a secret of the token `ci`.
#[derive(Debug, Clone, Copy)]
struct Ending {
    command: &'static [&'static str],
    /// Whether it ends the current secret, and not the old one of the overlap.
    is_current: bool,
}

const ENDINGS: [Ending; 3] = [
    Ending { command: &["revoke", "ci", "--old", "--yes"], is_current: false },
    Ending { command: SCAN, is_current: false },
    Ending { command: SCAN, is_current: true },
];
const SCAN: &[&str] = &["scan", "leaked.txt", "--revoke", "--yes"];

/// What other commands do with the token meanwhile. A regenerate prints its secret.
const OTHERS: [&[&[&str]]; 4] = [
    &[REGENERATE, REGENERATE],
    &[WITH_OVERLAP, WITH_OVERLAP],
    &[REGENERATE, WITH_OVERLAP, REGENERATE],
    &[&["delete", "ci", "--yes"], &["restore", "ci"]],
];
const REGENERATE: &[&str] = &["regenerate", "ci", "--yes"];
const WITH_OVERLAP: &[&str] = &["regenerate", "ci", "--overlap", "1h", "--yes"];

/// Runs one case, which stops `ending` before system call `call`. Returns whether it had so many.
fn end_beside(ending: Ending, others: &[&[&str]], call: usize) -> bool {
    let case = format!("{ending:?} stopped at call {call}, {others:?}");
    let folder = memory_folder();
    let store = folder.path().join("store.redb");
    let service = service_on(Store::open(&store).unwrap(), Clock::System);
    let old = service.create(&new_token("ci")).unwrap().secret.reveal().to_owned();
    drop(service);
    let output = |arguments: &[&str]| {
        let output = run(&case, &store, arguments, "");
        (output.status.code(), String::from_utf8(output.stdout).unwrap().trim().to_owned())
    };
    let (_, mut newest) = output(WITH_OVERLAP);
    let ended = if ending.is_current { newest.clone() } else { old };
    fs::write(folder.path().join("leaked.txt"), format!("key={ended}\n")).unwrap();
    let mut stopped = start(&store, ending.command).unwrap();
    if stopped.run_until(call) < call {
        return false;
    }
    let mut is_complete = true;
    for other in others {
        let (code, printed) = output(other);
        // The stopped command may hold the lock that a restore needs.
        is_complete &= code == Some(0);
        if other[0] == "regenerate" && code == Some(0) {
            newest = printed;
        }
    }
    stopped.run_until(usize::MAX);
    let allows = |secret: &str| run(&case, &store, &["verify"], secret).status.code() == Some(0);
    let is_acknowledged = stopped.exit_code() == Some(0);
    // A deletion and its undo leave the token with the secret that was to be ended.
    let is_ended = newest == ended;
    for write in [None, Some("next")] {
        let written = write.map(|name| output(&["create", name]).1);
        assert!(written.is_none_or(|secret| allows(&secret)), "{case}");
        assert!(!(is_acknowledged && allows(&ended)), "{case}: the ended secret works");
        if !is_complete {
            return true;
        }
        assert!(is_ended || allows(&newest), "{case}: the newest secret, after {write:?}");
    }
    for check in [["doctor"].as_slice(), &["status"], &["export", "--output", "all.jsonl"]] {
        let (code, text) = output(check);
        assert_eq!(code, Some(0), "{case}: {check:?}: {text}");
    }
    true
}

fn start(store: &Path, arguments: &[&str]) -> Result<TracedProcess, crate::tracer::TraceError> {
    TracedProcess::start(store, arguments, Stdio::null())
}

#[test]
fn the_end_of_a_secret_stopped_at_any_call_ends_no_other() {
    if !can_trace() {
        return;
    }
    // The calls from the first look at the store to the last write of its register.
    run_cases(
        case_count(36, 2_880),
        |thread| thread,
        |seed, _| {
            let seed = usize::try_from(seed).unwrap();
            let (ending, rest) = (ENDINGS[seed % ENDINGS.len()], seed / ENDINGS.len());
            let (others, rest) = (OTHERS[rest % OTHERS.len()], rest / OTHERS.len());
            end_beside(ending, others, 20 + (rest * 67 + seed * 13) % 240);
        },
    );
}

/// Stops `ending` before system call `call`, deletes the token meanwhile, and restores it afterwards.
fn end_beside_deletion(ending: &[&str], call: usize) {
    let case = format!("{ending:?} stopped at call {call}");
    let folder = memory_folder();
    let store = folder.path().join("store.redb");
    let service = service_on(Store::open(&store).unwrap(), Clock::System);
    let old = service.create(&new_token("ci")).unwrap().secret.reveal().to_owned();
    drop(service);
    run(&case, &store, WITH_OVERLAP, "");
    let mut stopped = start(&store, ending).unwrap();
    if stopped.run_until(call) < call {
        return;
    }
    run(&case, &store, &["delete", "ci", "--yes"], "");
    stopped.run_until(usize::MAX);
    let restored = run(&case, &store, &["restore", "ci"], "");
    let checked = run(&case, &store, &["verify"], &old);
    if stopped.exit_code() == Some(0) {
        let trail = run(&case, &store, &["audit"], "");
        assert_eq!(checked.status.code(), Some(1), "{case}: {restored:?} {trail:?}");
    }
    let doctor = run(&case, &store, &["doctor"], "");
    assert_eq!(doctor.status.code(), Some(0), "{case}: {doctor:?}");
}

#[test]
fn an_acknowledged_end_outlasts_a_deletion_beside_it() {
    if !can_trace() {
        return;
    }
    run_cases(
        case_count(24, 400),
        |thread| thread,
        |seed, _| {
            let seed = usize::try_from(seed).unwrap();
            let ending = [ENDINGS[0].command, &["revoke", "ci", "--yes"]][seed % 2];
            end_beside_deletion(ending, 20 + (seed / 2 * 17) % 200);
        },
    );
}

/// Stops `ending` before system call `call`. Meanwhile another process completes `later`: the first command
/// undoes the ending, if it is in force already. One ending is recorded once, and undoes nothing later.
fn end_beside_undo(ending: &[&str], later: &[&[&str]], call: usize) {
    let case = format!("{ending:?} stopped at call {call}, {later:?}");
    let folder = memory_folder();
    let store = folder.path().join("store.redb");
    let service = service_on(Store::open(&store).unwrap(), Clock::System);
    let mut secret = service.create(&new_token("ci")).unwrap().secret.reveal().to_owned();
    drop(service);
    let mut stopped = start(&store, ending).unwrap();
    if stopped.run_until(call) < call {
        return;
    }
    let is_undone = run(&case, &store, later[0], "").status.code() == Some(0);
    for other in &later[1..] {
        let printed = run(&case, &store, other, "");
        if printed.status.code() == Some(0) {
            let printed = String::from_utf8(printed.stdout).unwrap();
            printed.trim().clone_into(&mut secret);
        }
    }
    stopped.run_until(usize::MAX);
    let trail = run(&case, &store, &["audit", "--json"], "").stdout;
    let trail = String::from_utf8(trail).unwrap();
    let action = if ending[0] == "delete" { "deleted" } else { "revoked" };
    assert_eq!(trail.matches(&format!("\"{action}\"")).count(), 1, "{case}: {trail}");
    if is_undone && later[0][0] == "restore" {
        let checked = run(&case, &store, &["verify"], &secret);
        assert_eq!(checked.status.code(), Some(0), "{case}: {checked:?}, {trail}");
    }
}

#[test]
fn an_ending_stopped_at_any_call_is_recorded_once() {
    if !can_trace() {
        return;
    }
    let endings: [&[&str]; 3] =
        [&["delete", "ci", "--yes"], &["delete", "--all", "--yes"], &["revoke", "ci", "--yes"]];
    let undo: [&[&str]; 2] = [&["restore", "ci"], WITH_OVERLAP];
    run_cases(
        case_count(30, 1_440),
        |thread| thread,
        |seed, _| {
            let seed = usize::try_from(seed).unwrap();
            let ending = endings[seed % endings.len()];
            let later = if ending[0] == "revoke" { &[REGENERATE][..] } else { &undo };
            // The calls from the first write of the register to the commit of the store.
            end_beside_undo(ending, later, 160 + (seed / 3 * 23 + seed * 5) % 90);
        },
    );
}
