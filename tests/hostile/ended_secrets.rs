//! The end of one secret, of an overlap or of a leaked secret, stopped at a system call. Beside it, the
//! token is regenerated twice or deleted and restored, completely. The secret is denied if the end was
//! acknowledged, the newest secret works, and nothing calls the store inconsistent.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
};

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
const OTHERS: [&[&[&str]]; 5] = [
    &[WITH_OVERLAP],
    &[REGENERATE, REGENERATE],
    &[WITH_OVERLAP, WITH_OVERLAP],
    &[REGENERATE, WITH_OVERLAP, REGENERATE],
    &[&["delete", "ci", "--yes"], &["restore", "ci"]],
];
pub(crate) const REGENERATE: &[&str] = &["regenerate", "ci", "--yes"];
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
    let (mut is_complete, mut retiring) = (true, None);
    for other in others {
        let (code, printed) = output(other);
        // The stopped command may hold the lock that a restore needs.
        is_complete &= code == Some(0);
        if other[0] == "regenerate" && code == Some(0) {
            let replaced = std::mem::replace(&mut newest, printed);
            retiring = (*other == WITH_OVERLAP).then_some(replaced);
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
        // A scan names its secret. `--old` means the secret that is old when the command reads it.
        let kept = retiring.iter().filter(|it| ending.command == SCAN && **it != ended);
        kept.for_each(|secret| assert!(allows(secret), "{case}: {secret} during its overlap"));
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

/// The arguments of a command.
pub(crate) type Arguments = &'static [&'static str];

const EXPORT: &[&str] = &["export", "--output", "all.jsonl"];
const IMPORT: &[&str] = &["import", "all.jsonl", "--on-conflict", "replace", "--yes"];

/// Stops `ending` before system call `call`. Meanwhile another process completes `later`: the first command
/// undoes the ending, if it is in force already. One ending is recorded once, and undoes nothing later.
fn end_beside_undo(ending: &[&str], later: &[&[&str]], call: usize) {
    let case = format!("{ending:?} stopped at call {call}, {later:?}");
    let folder = memory_folder();
    let store = folder.path().join("store.redb");
    let service = service_on(Store::open(&store).unwrap(), Clock::System);
    let mut secret = service.create(&new_token("ci")).unwrap().secret.reveal().to_owned();
    drop(service);
    fs::write(folder.path().join("leaked.txt"), format!("key={secret}\n")).unwrap();
    run(&case, &store, EXPORT, "");
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
    // A regenerate replaces the leaked secret, which then is not ended.
    let expected = if ending == SCAN && later[0] == REGENERATE { 0..=1 } else { 1..=1 };
    let count = trail.matches(&format!("\"{action}\"")).count();
    assert!(expected.contains(&count), "{case}: {trail}");
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
    let undo: &[&[&str]] = &[&["restore", "ci"], WITH_OVERLAP];
    let cases: [(&[&str], &[&[&str]]); 5] = [
        (&["delete", "ci", "--yes"], undo),
        (&["delete", "--all", "--yes"], undo),
        (&["revoke", "ci", "--yes"], &[REGENERATE]),
        (SCAN, &[REGENERATE]),
        (SCAN, &[IMPORT]),
    ];
    run_cases(
        case_count(40, 1_440),
        |thread| thread,
        |seed, _| {
            let seed = usize::try_from(seed).unwrap();
            let (ending, later) = cases[seed % cases.len()];
            // The calls from the first write of the register to the commit of the store.
            end_beside_undo(ending, later, 160 + (seed / 5 * 23 + seed * 7) % 100);
        },
    );
}

/// Stops `ending` before system call `call`. Meanwhile another process changes something, and the store is
/// copied. The copy lacks the ending, so it must not count as current.
fn end_beside_copy(ending: &[&str], call: usize) {
    let case = format!("{ending:?} stopped at call {call}");
    let folder = memory_folder();
    let store = folder.path().join("store.redb");
    let service = service_on(Store::open(&store).unwrap(), Clock::System);
    let secret = service.create(&new_token("ci")).unwrap().secret.reveal().to_owned();
    drop(service);
    let mut stopped = start(&store, ending).unwrap();
    if stopped.run_until(call) < call {
        return;
    }
    run(&case, &store, &["create", "beside"], "");
    let copy = fs::read(&store).unwrap();
    stopped.run_until(usize::MAX);
    // The ending may still be pending.
    run(&case, &store, &["create", "later"], "");
    fs::write(&store, copy).unwrap();
    run(&case, &store, &["create", "next"], "");
    run(&case, &store, &["delete", "ci", "--yes"], "");
    run(&case, &store, &["restore", "ci"], "");
    let checked = run(&case, &store, &["verify"], &secret);
    let is_acknowledged = stopped.exit_code() == Some(0);
    let trail = || run(&case, &store, &["audit"], "");
    assert!(!is_acknowledged || checked.status.code() == Some(1), "{case}: {:?}", trail());
    let status = run(&case, &store, &["status"], "");
    assert_eq!(status.status.code(), Some(0), "{case}: {status:?}");
}

#[test]
fn a_copy_made_beside_an_ending_does_not_count_as_current() {
    if !can_trace() {
        return;
    }
    run_cases(
        case_count(20, 480),
        |thread| thread,
        |seed, _| {
            let seed = usize::try_from(seed).unwrap();
            end_beside_copy(&["revoke", "ci", "--yes"], 60 + (seed * 17) % 190);
        },
    );
}

/// Stops `command` before system call `call`, runs `beside` completely, and then the rest of `command`.
/// `before` comes first. Returns the exit code of `command` and that of `beside`; `None` if `command` has
/// fewer calls.
pub(crate) fn stop_beside(
    store: &Path,
    (before, command, beside): (&[&[&str]], &[&str], &[&str]),
    call: usize,
) -> Option<[Option<i32>; 2]> {
    for arguments in before {
        run("before", store, arguments, "");
    }
    let mut stopped = start(store, command).unwrap();
    if stopped.run_until(call) < call {
        return None;
    }
    let other = run("beside", store, beside, "");
    stopped.run_until(usize::MAX);
    Some([stopped.exit_code(), other.status.code()])
}

/// A store with the token `ci` in a folder of its own.
pub(crate) fn one_token() -> (tempfile::TempDir, PathBuf, String) {
    let folder = memory_folder();
    let store = folder.path().join("store.redb");
    let service = service_on(Store::open(&store).unwrap(), Clock::System);
    let secret = service.create(&new_token("ci")).unwrap().secret.reveal().to_owned();
    drop(service);
    (folder, store, secret)
}

/// The calls at which a command reads the store or, up to 250, writes it.
pub(crate) fn call_of(seed: u64, first: usize) -> usize {
    first + usize::try_from(seed).unwrap() * 13 % (250 - first)
}

#[test]
fn a_restore_beside_an_ending_is_not_ended_for_good() {
    if !can_trace() {
        return;
    }
    run_cases(
        case_count(24, 480),
        |thread| thread,
        |seed, _| {
            let ending = if seed % 2 == 0 { "delete" } else { "revoke" };
            let (_folder, store, _) = one_token();
            let commands = (
                &[&["delete", "ci", "--yes"][..]][..],
                &[ending, "ci", "--yes"][..],
                &["restore", "ci"][..],
            );
            let call = 90 + usize::try_from(seed).unwrap() * 7 % 45;
            if stop_beside(&store, commands, call).is_none() {
                return;
            }
            // The token can be used again, whatever the order was.
            run("after", &store, &["restore", "ci"], "");
            let regenerated = run("after", &store, REGENERATE, "");
            let trail = run("after", &store, &["audit"], "");
            let is_allowed = regenerated.status.code() == Some(0);
            assert!(is_allowed, "{ending} at call {call}: {regenerated:?}, {trail:?}");
        },
    );
}

#[test]
fn an_import_beside_revoke_old_keeps_the_current_secret() {
    if !can_trace() {
        return;
    }
    run_cases(
        case_count(24, 480),
        |thread| thread,
        |seed, _| {
            let (_folder, store, _) = one_token();
            let current = run("before", &store, WITH_OVERLAP, "").stdout;
            let current = String::from_utf8(current).unwrap().trim().to_owned();
            let before = [EXPORT, &["delete", "ci", "--yes"]];
            let end_old = &["revoke", "ci", "--old", "--yes"];
            let call = call_of(seed, 100);
            let Some([imported, _]) = stop_beside(&store, (&before, IMPORT, end_old), call) else {
                return;
            };
            let checked = run("after", &store, &["verify"], &current);
            let is_allowed = checked.status.code() == Some(0);
            let status = run("after", &store, &["status"], "");
            assert!(imported != Some(0) || is_allowed, "call {call}: {checked:?}, {status:?}");
        },
    );
}
