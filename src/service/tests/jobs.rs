//! Changes of more than 5,000 tokens: batches, other writers in between, interruption and undo.

use std::{path::Path, thread};

use super::*;
use crate::{
    domain::{ConfirmationProof, Digest, EventHash, MAX_PER_TRANSACTION, TokensToRestore},
    service::StoredJob,
};

const DELETE_ALL: Command = Command::Delete { tokens: TokensToDelete::All };

/// More tokens than one transaction changes.
const MANY: usize = MAX_PER_TRANSACTION + 100;

fn numbered_id(number: usize) -> TokenId {
    TokenId::parse(&format!("{number:012}")).unwrap()
}

/// Stores `count` tokens, and the issued token that is returned.
fn fill(fixture: &TestService, count: usize) -> IssuedToken {
    let issued = fixture.issue("issued");
    fixture
        .store
        .write(|tx| {
            for number in 0..count {
                let token = Token {
                    id: numbered_id(number),
                    name: name(&format!("token-{number}")),
                    digest: Digest::from_bytes([9; 32]),
                    ..issued.token.clone()
                };
                tx.put_token(&token)?;
                let created = AuditAction::Created;
                tx.append_event(fixture.new_event(at(0), created, Some(&token), String::new()))?;
            }
            Ok::<_, StoreError>(())
        })
        .unwrap();
    issued
}

fn in_file(folder: &Path, seed: u64) -> TestService {
    TestService::on(Store::open(&folder.join("s.redb")).unwrap(), seed)
}

fn assert_consistent(fixture: &TestService) {
    fixture.events();
    let faults = fixture.store.read(ReadOps::find_inconsistencies).unwrap();
    assert_eq!(faults, Vec::<String>::new());
}

#[test]
fn a_token_that_a_deletion_leaves_has_no_overlap() {
    let folder = tempfile::tempdir().unwrap();
    let fixture = in_file(folder.path(), 1);
    let issued = fill(&fixture, MANY);
    let proof = fixture.preview(&DELETE_ALL).unwrap().confirm();
    let (number, _lock) = fixture.start_deletion(proof.newest_event().unwrap(), &proof).unwrap();
    let limit = 2 * MANY;
    let ended = fixture.end_next_batch(number, limit).unwrap().unwrap();
    let options = regenerate_options("30d", SecretOverlap::Hour);
    let renewed = fixture.regenerate(&issued.token.id, options).unwrap();
    fixture.save_ended_batch(number, limit, &ended).unwrap().unwrap();
    let token = fixture.token(&issued.token.id).unwrap().unwrap();
    assert_eq!(token.previous, None, "its old secret was ended with the batch");
    assert!(fixture.works(&renewed.secret));
    let newest = fixture.events().pop().unwrap().body;
    assert!(fixture.events().iter().any(|it| it.body.action == AuditAction::OverlapEnded));
    assert_eq!(newest.action, AuditAction::Deleted);
    assert_consistent(&fixture);
}

/// Runs the first batches of a deletion of all tokens, then stops as if the process was killed.
fn interrupt_deletion(fixture: &TestService, batches: usize) -> StoredJob {
    let proof = fixture.preview(&DELETE_ALL).unwrap().confirm();
    let (number, lock) = fixture.start_deletion(proof.newest_event().unwrap(), &proof).unwrap();
    for _ in 0..batches {
        assert!(fixture.save_batch(number, 100).unwrap().is_some());
    }
    assert!(fixture.jobs().unwrap().iter().all(|stored| stored.is_running));
    drop(lock);
    let jobs = fixture.jobs().unwrap();
    assert!(jobs.len() == 1 && !jobs[0].is_running, "{jobs:?}");
    jobs.into_iter().next().unwrap()
}

#[test]
fn a_large_deletion_is_a_job_and_its_undo_too() {
    let folder = tempfile::tempdir().unwrap();
    let fixture = in_file(folder.path(), 1);
    let issued = fill(&fixture, MANY);
    let plan = fixture.preview(&DELETE_ALL).unwrap();
    let job = plan.job.clone().unwrap();
    assert_eq!((job.tokens, job.active, plan.change_count()), (MANY + 1, MANY + 1, MANY + 1));
    assert!(plan.changes.len() <= 10);
    let error =
        fixture.expect_refusal(|s| s.execute(&DELETE_ALL, &ConfirmationProof::NOT_REQUIRED));
    assert!(matches!(error, ServiceError::ChangedMeanwhile { .. }), "{error}");

    // A token that was created or changed after the plan was shown stays.
    let proof = plan.confirm();
    let (later, changed) = (fixture.issue("later"), numbered_id(7));
    fixture.add_scopes(&changed, &[scope("clients:*:read")]).unwrap();
    let done = fixture.execute(&DELETE_ALL, &proof).unwrap().plan;
    let job = done.job.clone().unwrap();
    assert_eq!((job.tokens, job.skipped), (MANY, 2));
    let left: Vec<_> = fixture.all().iter().map(|token| token.id).collect();
    assert_eq!(left.len(), 2);
    assert!(left.contains(&later.token.id) && left.contains(&changed));
    assert!(!fixture.works(&issued.secret) && fixture.works(&later.secret));
    assert_eq!(fixture.jobs().unwrap(), []);
    assert_consistent(&fixture);

    let undone = fixture.execute(&done.inverse().unwrap(), &ConfirmationProof::NOT_REQUIRED);
    assert_eq!(undone.unwrap().plan.change_count(), MANY);
    assert_eq!(fixture.all().len(), MANY + 2);
    assert!(fixture.works(&issued.secret));
    assert_consistent(&fixture);
}

#[test]
fn an_interrupted_deletion_is_finished_in_the_name_of_its_actor() {
    let folder = tempfile::tempdir().unwrap();
    let fixture = in_file(folder.path(), 1);
    fill(&fixture, MANY);
    let stored = interrupt_deletion(&fixture, 3);
    assert_eq!((stored.job.done, stored.job.total), (300, MANY as u64 + 1));
    let finisher = TestService::on(Store::open(&folder.path().join("s.redb")).unwrap(), 2);
    finisher.finish_job(stored.number).unwrap();
    assert_eq!((finisher.jobs().unwrap(), finisher.all().len()), (vec![], 0));
    // Finishing it again does nothing.
    finisher.finish_job(stored.number).unwrap();
    let deletions = finisher.events();
    let deletions = deletions.iter().filter(|it| it.body.action == AuditAction::Deleted);
    assert_eq!(deletions.count(), MANY + 1);
    assert_consistent(&finisher);
    let undo = Command::Restore(TokensToRestore::LastDeletion);
    let undone = finisher.execute(&undo, &ConfirmationProof::NOT_REQUIRED).unwrap();
    assert_eq!(undone.plan.change_count(), MANY + 1);
}

#[test]
fn undoing_an_interrupted_deletion_cancels_it() {
    let folder = tempfile::tempdir().unwrap();
    let fixture = in_file(folder.path(), 1);
    fill(&fixture, MANY);
    interrupt_deletion(&fixture, 2);
    fixture.restore_last().unwrap();
    assert_eq!((fixture.jobs().unwrap(), fixture.all().len()), (vec![], MANY + 1));
}

#[test]
fn other_writers_get_the_lock_between_the_batches() {
    let folder = tempfile::tempdir().unwrap();
    let (fixture, other) = (in_file(folder.path(), 1), in_file(folder.path(), 2));
    fill(&fixture, MANY);
    let proof = fixture.preview(&DELETE_ALL).unwrap().confirm();
    let is_done = std::sync::atomic::AtomicBool::new(false);
    let written = thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut written = 0;
            while !is_done.load(std::sync::atomic::Ordering::SeqCst) {
                other.issue(&format!("beside-{written}"));
                written += 1;
            }
            written
        });
        let done = fixture.execute(&DELETE_ALL, &proof);
        is_done.store(true, std::sync::atomic::Ordering::SeqCst);
        assert_eq!(done.unwrap().plan.change_count(), MANY + 1);
        writer.join().unwrap()
    });
    let events = fixture.events();
    let is_deletion = |event: &&AuditEvent| event.body.action == AuditAction::Deleted;
    let [first, last] = [events.iter().find(is_deletion), events.iter().rfind(is_deletion)]
        .map(|event| event.unwrap().sequence);
    let is_between = |event: &&AuditEvent| {
        event.body.action == AuditAction::Created && (first..last).contains(&event.sequence)
    };
    assert!(events.iter().filter(is_between).count() > 1, "{written} were written beside it");
    assert_eq!(fixture.all().len(), written);
    assert_consistent(&fixture);
}

#[test]
fn two_jobs_at_once_both_end() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (in_file(folder.path(), 1), in_file(folder.path(), 2));
    fill(&one, MANY);
    let proofs = [&one, &two].map(|fixture| fixture.preview(&DELETE_ALL).unwrap().confirm());
    let counts: Vec<usize> = thread::scope(|scope| {
        let jobs = [(&one, &proofs[0]), (&two, &proofs[1])].map(|(fixture, proof)| {
            scope.spawn(move || fixture.execute(&DELETE_ALL, proof).unwrap().plan.change_count())
        });
        jobs.map(|job| job.join().unwrap()).into()
    });
    assert_eq!(counts.iter().sum::<usize>(), MANY + 1, "{counts:?}");
    assert_eq!((one.all().len(), one.jobs().unwrap()), (0, vec![]));
    assert_consistent(&one);
}

#[test]
fn a_deletion_of_another_history_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let fixture = in_file(folder.path(), 1);
    fill(&fixture, MANY);
    let proof = fixture.preview(&DELETE_ALL).unwrap().confirm();
    let other = (proof.newest_event().unwrap().0, EventHash::from_bytes([1; 32]));
    let error = fixture.start_deletion(other, &proof).unwrap_err();
    assert!(matches!(error, ServiceError::ChangedMeanwhile { .. }), "{error}");
    assert_eq!((fixture.jobs().unwrap(), fixture.all().len()), (vec![], MANY + 1));
}

#[test]
fn scopes_of_many_tokens_are_changed_in_batches() {
    let fixture = TestService::new();
    fill(&fixture, MANY);
    let tokens: Vec<_> = (0..MANY).map(numbered_id).collect();
    let added = vec![scope("clients:*:read")];
    let add = Command::AddScopes { tokens: tokens.clone(), scopes: added.clone() };
    let done = fixture.execute_confirmed(&add).unwrap().plan;
    assert_eq!((done.change_count(), done.inverse()), (MANY, None));
    let has_scope = |token: &Token| token.scopes.iter().any(|it| added.contains(it));
    assert_eq!(fixture.all().iter().filter(|token| has_scope(token)).count(), MANY);
    let remove = Command::RemoveScopes { tokens, scopes: ScopesToRemove::All };
    let proof = fixture.preview(&remove).unwrap().confirm();
    fixture.expect_refusal(|s| s.execute(&remove, &ConfirmationProof::NOT_REQUIRED));
    assert_eq!(fixture.execute(&remove, &proof).unwrap().plan.change_count(), MANY);
    assert_eq!(fixture.all().iter().filter(|token| token.scopes.is_empty()).count(), MANY);
    assert_eq!(fixture.jobs().unwrap(), []);
    assert_consistent(&fixture);
}

#[test]
fn many_tokens_are_revoked_at_once_and_stored_in_batches() {
    let folder = tempfile::tempdir().unwrap();
    let fixture = in_file(folder.path(), 1);
    let issued = fill(&fixture, MANY);
    let mut tokens: Vec<_> = (0..MANY).map(numbered_id).collect();
    tokens.push(issued.token.id);
    let revoke = Command::Revoke { tokens };
    let done = fixture.execute_confirmed(&revoke).unwrap();
    assert_eq!((done.plan.change_count(), done.deferred), (MANY + 1, None));
    assert!(fixture.all().iter().all(|token| token.revoked.is_some()));
    assert_eq!(fixture.store.pending_endings().unwrap().entries, []);
    assert!(!fixture.works(&issued.secret));
    assert_consistent(&fixture);
}

#[test]
fn a_full_disk_stops_a_deletion_between_two_batches() {
    let folder = tempfile::tempdir().unwrap();
    let fixture = in_file(folder.path(), 1);
    fill(&fixture, MANY);
    let mut calls = 20;
    loop {
        let proof = fixture.preview(&DELETE_ALL).unwrap().confirm();
        crate::store::fill_disk_after(Some(calls));
        let stopped = fixture.execute(&DELETE_ALL, &proof);
        crate::store::fill_disk_after(None);
        let stopped = stopped.unwrap_err();
        let (changed, cause) = match &stopped {
            ServiceError::Interrupted { changed, cause, .. } => (*changed, &**cause),
            other => (0, other),
        };
        let deleted = MANY + 1 - fixture.all().len();
        // If the last step of a commit fails, the error says that the result is unknown.
        let is_unknown =
            matches!(cause, ServiceError::Store(StoreError::CommitResultUnknown { .. }));
        assert!(deleted == changed || is_unknown, "after {calls} calls: {deleted}, {stopped}");
        if deleted > 0 {
            break;
        }
        calls += 20;
    }
    assert_consistent(&fixture);
    for stored in fixture.jobs().unwrap() {
        fixture.finish_job(stored.number).unwrap();
    }
    assert_eq!(fixture.all().len(), 0);
    assert_consistent(&fixture);
}

#[test]
fn a_deletion_in_batches_is_known_to_an_older_copy() {
    let folder = tempfile::tempdir().unwrap();
    let fixture = in_file(folder.path(), 1);
    fill(&fixture, MANY);
    let path = folder.path().join("s.redb");
    let older = std::fs::read(&path).unwrap();
    fixture.set_minute(1);
    fixture.execute_confirmed(&DELETE_ALL).unwrap();
    assert_eq!(fixture.all(), []);
    std::fs::write(&path, older).unwrap();
    let later = in_file(folder.path(), 3);
    assert!(later.was_store_outdated());
    assert!(later.all().iter().all(|token| token.revoked.is_some()));
}

#[test]
fn an_older_store_with_a_job_revives_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let fixture = in_file(folder.path(), 1);
    let issued = fill(&fixture, MANY);
    let stored = interrupt_deletion(&fixture, 1);
    let path = folder.path().join("s.redb");
    let older = std::fs::read(&path).unwrap();
    fixture.finish_job(stored.number).unwrap();
    std::fs::write(&path, older).unwrap();
    let later = in_file(folder.path(), 3);
    assert_eq!(later.jobs().unwrap(), std::slice::from_ref(&stored));
    assert!(!later.works(&issued.secret));
    later.finish_job(stored.number).unwrap();
    assert_eq!(later.jobs().unwrap(), []);
    // The first write has stored what the copy lacks, so the job finds tokens that have changed.
    assert!(later.all().iter().all(|token| token.revoked.is_some()));
    assert_consistent(&later);
}
