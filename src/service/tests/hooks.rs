//! The queue of hooks beside changes: each event queues its runs, whatever the way on which it was
//! stored, and an outcome that cannot be recorded keeps the run.

use std::path::Path;

use super::*;
use crate::{
    domain::{Hook, HookRun, Hooks},
    service::{HookRunState, HookSelection},
    store::{Ending, EndingKind, RevocationEntry, TokenChanges as _},
};

/// A hook after all actions that appends a line to `file`.
fn hooks(file: &Path) -> Hooks {
    let mut all = AuditAction::ALL.to_vec();
    all.retain(|action| *action != AuditAction::HookRan);
    let script = format!("echo x >> {}", file.display());
    let command = ["/bin/sh", "-c", &script];
    Hooks::from(vec![Hook::new(None, all, &command, Hook::DEFAULT_TIMEOUT).unwrap()])
}

/// A service with these hooks on a store in `folder`.
fn hooked(folder: &Path) -> TestService {
    let store = Store::open(&folder.join("s.redb")).unwrap();
    TestService::on(store.with_hooks(hooks(&folder.join("log"))), 1)
}

fn lines(folder: &Path) -> usize {
    std::fs::read_to_string(folder.join("log")).unwrap_or_default().lines().count()
}

fn queued(service: &Service) -> Vec<HookRun> {
    service.hook_runs().unwrap().into_iter().map(|stored| stored.run).collect()
}

#[test]
fn every_event_queues_a_run() {
    let folder = tempfile::tempdir().unwrap();
    let fixture = hooked(folder.path());
    let ids: Vec<_> = ["a", "b", "c"].map(|name| fixture.issue(name).token.id).to_vec();
    fixture.add_scopes(&ids[0], &[scope("clients:*:read")]).unwrap();
    let edited = fixture.edit(&ids[0], &name("d"), &Description::default()).unwrap();
    fixture.undo(&edited.1).unwrap();
    fixture.revoke(&ids[1]).unwrap();
    fixture.delete_all().unwrap();
    fixture.restore_last().unwrap();
    // An ending that another process has written to the register only.
    let ending = Ending { kind: EndingKind::Revoke, at: at(0), actor: Some(Actor::named("bob")) };
    let entry = RevocationEntry {
        ended_generation: 1,
        pending: Some(ending),
        ..RevocationEntry::of(ids[2])
    };
    fixture.store.end_secrets(&[entry], at(0)).unwrap();
    let before = queued(&fixture).len();
    fixture.issue("other");
    let runs = queued(&fixture);
    assert_eq!(runs.len(), before + 2, "{runs:?}");
    let events = fixture.events();
    let of_event = |event: &AuditEvent| (event.sequence, event.body.action, event.body.token);
    let expected: Vec<_> = events.iter().map(of_event).collect();
    let of_run = |run: &HookRun| (run.event, run.action, run.token);
    assert_eq!(runs.iter().map(of_run).collect::<Vec<_>>(), expected);
    let summary = fixture.run_hooks(HookSelection::New);
    assert_eq!((summary.succeeded, summary.failed), (runs.len(), 0));
    assert_eq!(lines(folder.path()), runs.len());
    assert_eq!(queued(&fixture), [], "the runs of hooks queue no runs");
    assert_eq!(fixture.store.read(ReadOps::find_inconsistencies), Ok(vec![]));
}

#[test]
fn a_full_disk_at_any_call_loses_no_run() {
    let folder = tempfile::tempdir().unwrap();
    let fixture = hooked(folder.path());
    fixture.issue("a");
    let mut unrecorded = 0;
    for calls in (0..200).step_by(3) {
        let before = lines(folder.path());
        crate::store::fill_disk_after(Some(calls));
        let summary = fixture.run_hooks(HookSelection::New);
        crate::store::fill_disk_after(None);
        let ran = lines(folder.path()) - before;
        // The last call of a commit can fail although the commit is on disk.
        if summary.error.is_none() || queued(&fixture).is_empty() {
            assert_eq!(ran, 1);
            break;
        }
        unrecorded += ran;
        let states: Vec<_> = fixture.hook_runs().unwrap().iter().map(|it| it.state).collect();
        assert_eq!(states, [HookRunState::Waiting], "after {calls} calls: {summary:?}");
    }
    assert!(unrecorded > 0, "some outcome could not be recorded");
    assert_eq!(queued(&fixture), []);
    assert_eq!(fixture.events().len(), 2);
}

#[test]
fn runs_of_other_hooks_wait_and_can_be_discarded() {
    let folder = tempfile::tempdir().unwrap();
    let fixture = hooked(folder.path());
    fixture.issue("a");
    let other = HookRun { hook: "other".into(), ..queued(&fixture).pop().unwrap() };
    fixture.store.write(|tx| tx.add_hook_run(&other)).unwrap();
    let states: Vec<_> = fixture.hook_runs().unwrap().iter().map(|it| it.state).collect();
    assert_eq!(states, [HookRunState::Waiting, HookRunState::WithoutHook]);
    assert_eq!(fixture.run_hooks(HookSelection::All).succeeded, 1);
    assert_eq!(queued(&fixture), [other]);
    assert_eq!(fixture.discard_hook_runs("other").unwrap(), 1);
    assert_eq!(queued(&fixture), []);
}

#[test]
fn a_read_only_service_runs_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let fixture = hooked(folder.path());
    fixture.issue("a");
    let options = crate::store::OpenOptions { read_only: true, ..Default::default() };
    let store = Store::open_with(&folder.path().join("s.redb"), options).unwrap();
    let reader = TestService::on(store.with_hooks(hooks(&folder.path().join("log"))), 2);
    let summary = reader.run_hooks(HookSelection::All);
    assert_eq!((summary.succeeded, summary.failed, lines(folder.path())), (0, 0, 0));
    assert_eq!(queued(&fixture).len(), 1);
}

#[test]
fn an_outcome_is_an_event_of_the_token_but_no_change() {
    let folder = tempfile::tempdir().unwrap();
    let fixture = hooked(folder.path());
    let id = fixture.issue("a").token.id;
    fixture.delete_all().unwrap();
    fixture.run_hooks(HookSelection::New);
    let newest = fixture.history(&id, 1).unwrap().remove(0).body;
    assert_eq!((newest.action, newest.token, &*newest.name), (AuditAction::HookRan, Some(id), "a"));
    let newest = fixture.store.read(|tx| tx.newest_changes_of(&id, 1)).unwrap();
    assert_eq!(newest[0].body.action, AuditAction::Deleted);
    fixture.restore_last().unwrap();
    assert!(fixture.token(&id).unwrap().is_some(), "the deletion is found behind the hook");
    assert_eq!(fixture.store.read(ReadOps::find_inconsistencies), Ok(vec![]));
}
