//! Commands that select their tokens by a search or by leaked secrets, stopped at a system call. Beside
//! them, another command changes a token: it is selected only if it still matches, and no other token of
//! the command is left out.

use std::fs;

use patdeck::{service::Clock, store::Store, testing::ServiceTestExt as _};

use crate::{
    cases::{case_count, run_cases},
    ended_secrets::{Arguments, REGENERATE, call_of, one_token, stop_beside},
    subject::{memory_folder, new_token, run, service_on},
    tracer::can_trace,
};

/// The commands before, by search and beside it, and whether the trail shows a wrong change.
type Case = (&'static [Arguments], Arguments, Arguments, fn(&str) -> bool);

const RENAME: Arguments = &["edit", "ci", "--name", "other"];

/// Whether a token ended after it was edited.
fn ends_after_edit(trail: &str) -> bool {
    let edited = trail.find("  edited");
    let ended = trail.find("  revoked").or(trail.find("  deleted"));
    edited.zip(ended).is_some_and(|(edited, ended)| edited < ended)
}

#[test]
fn a_search_changes_no_token_that_was_changed_meanwhile() {
    if !can_trace() {
        return;
    }
    // A revoked token must not become active, a token that became active must not be deleted, and one that
    // another command has renamed must not end afterwards.
    let cases: [Case; 4] = [
        (
            &[],
            &["regenerate", "--search", "name:ci", "--yes", "--secret-file", "new.tsv"],
            &["revoke", "ci", "--yes"],
            |trail| trail.contains("was revoked"),
        ),
        (
            &[&["revoke", "ci", "--yes"]],
            &["delete", "--search", "status:revoked", "--yes"],
            REGENERATE,
            |trail| trail.contains("was active, can be"),
        ),
        (&[], &["revoke", "--search", "name:ci", "--yes"], RENAME, ends_after_edit),
        (&[], &["delete", "--search", "name:ci", "--yes"], RENAME, ends_after_edit),
    ];
    run_cases(
        case_count(32, 640),
        |thread| thread,
        |seed, _| {
            let (_folder, store, _) = one_token();
            let (before, by_search, beside, is_wrong) = cases[usize::try_from(seed % 4).unwrap()];
            let call = call_of(seed, 60);
            let codes = stop_beside(&store, (before, by_search, beside), call);
            // Nothing matches any more, or the command makes its selection again.
            let is_done = codes.is_none_or(|codes| matches!(codes[0], Some(0 | 1)));
            assert!(is_done, "{by_search:?} at call {call}: {codes:?}");
            let trail = run("after", &store, &["audit"], "").stdout;
            let trail = String::from_utf8(trail).unwrap();
            assert!(!is_wrong(&trail), "{by_search:?} at call {call}: {trail}");
        },
    );
}

/// Changes of one of the tokens that [`assert_all_end`] creates.
const OTHERS: [Arguments; 3] =
    [&["revoke", "one", "--yes"], &["delete", "one", "--yes"], REGENERATE];

/// Runs `command`, which selects every token of a store, stopped at a system call. Beside it, one of
/// [`OTHERS`] changes a token. The command must succeed and end every secret.
fn assert_all_end(seed: u64, command: Arguments) {
    let folder = memory_folder();
    let store = folder.path().join("store.redb");
    let service = service_on(Store::open(&store).unwrap(), Clock::System);
    let secrets = ["one", "two", "ci"]
        .map(|name| service.create(&new_token(name)).unwrap().secret.reveal().to_owned());
    drop(service);
    fs::write(folder.path().join("leaked.txt"), secrets.join("\n")).unwrap();
    let other = OTHERS[usize::try_from(seed % 3).unwrap()];
    let call = call_of(seed, 40);
    let codes = stop_beside(&store, (&[], command, other), call);
    let case = format!("{command:?} beside {other:?} at call {call}: {codes:?}");
    assert!(codes.is_none_or(|codes| codes[0] == Some(0)), "{case}");
    if codes.is_some() {
        let answers = run("after", &store, &["verify", "--lines"], &secrets.join("\n")).stdout;
        let answers = String::from_utf8(answers).unwrap();
        assert!(!answers.contains("valid"), "{case}: {answers}");
    }
}

#[test]
fn a_scan_ends_every_leaked_secret_beside_a_change() {
    if !can_trace() {
        return;
    }
    let scan: Arguments = &["scan", "leaked.txt", "--revoke", "--yes"];
    run_cases(case_count(36, 720), |thread| thread, |seed, _| assert_all_end(seed, scan));
}

#[test]
fn a_search_ends_every_other_token_beside_a_change() {
    if !can_trace() {
        return;
    }
    let commands: [Arguments; 3] = [
        &["revoke", "--search", "unused", "--yes"],
        &["delete", "--search", "unused", "--yes"],
        &["regenerate", "--search", "unused", "--yes", "--secret-file", "new.tsv"],
    ];
    run_cases(
        case_count(54, 1_080),
        |thread| thread,
        |seed, _| assert_all_end(seed, commands[usize::try_from(seed / 3 % 3).unwrap()]),
    );
}
