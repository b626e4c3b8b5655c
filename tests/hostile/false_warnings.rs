//! A command stopped at a system call while another process ends a secret or restores a backup.
//! Afterwards, nothing may claim that an older copy of the store was put back without a restore.

use std::{fs, process::Stdio};

use patdeck::{service::Clock, store::Store, testing::ServiceTestExt as _};

use crate::{
    cases::{case_count, run_cases},
    subject::{memory_folder, new_token, run, service_on},
    tracer::{TracedProcess, can_trace},
};

const COMMANDS: [&[&str]; 7] = [
    &["scan", "leaked.txt"],
    &["status"],
    &["show", "ci"],
    &["edit", "ci", "--description", "new"],
    &["export"],
    &["delete", "ci", "--yes"],
    &["revoke", "ci", "--yes"],
];
const BESIDE: [&[&str]; 5] = [
    &["regenerate", "ci", "--overlap", "1h", "--yes"],
    &["revoke", "beside", "--yes"],
    &["delete", "beside", "--yes"],
    &["revoke", "--old", "beside", "--yes"],
    &["backup", "restore", "copy", "--yes"],
];

/// Runs one case, which stops `command` before system call `call` and runs `beside` completely.
fn warn_beside(command: &[&str], beside: &[&str], call: usize) {
    let case = format!("{command:?} stopped at call {call} beside {beside:?}");
    let folder = memory_folder();
    let store = folder.path().join("store.redb");
    let service = service_on(Store::open(&store).unwrap(), Clock::System);
    let issued = ["ci", "beside"].map(|name| service.create(&new_token(name)).unwrap());
    fs::write(folder.path().join("leaked.txt"), issued[0].secret.reveal()).unwrap();
    drop(service);
    run(&case, &store, &["backup", "create", "copy"], "");
    run(&case, &store, &["regenerate", "ci", "--yes"], "");
    run(&case, &store, &["regenerate", "beside", "--overlap", "1h", "--yes"], "");
    let messages = folder.path().join("messages");
    let printed = Stdio::from(fs::File::create(&messages).unwrap());
    let mut stopped = TracedProcess::start(&store, command, printed).unwrap();
    if stopped.run_until(call) < call {
        return;
    }
    run(&case, &store, beside, "");
    stopped.run_until(usize::MAX);
    let status = run(&case, &store, &["status"], "");
    let texts = [fs::read(&messages).unwrap(), status.stdout, status.stderr];
    let texts = texts.map(|text| String::from_utf8(text).unwrap()).concat();
    assert!(!texts.contains("older"), "{case}: {texts}");
}

#[test]
fn a_command_beside_an_ending_reports_no_older_copy() {
    if !can_trace() {
        return;
    }
    run_cases(
        case_count(36, 2_880),
        |thread| thread,
        |seed, _| {
            let seed = usize::try_from(seed).unwrap();
            let (command, rest) = (COMMANDS[seed % COMMANDS.len()], seed / COMMANDS.len());
            let (beside, rest) = (BESIDE[rest % BESIDE.len()], rest / BESIDE.len());
            // The calls that open the store and begin the first read.
            warn_beside(command, beside, 70 + (rest * 29 + seed * 7) % 80);
        },
    );
}
