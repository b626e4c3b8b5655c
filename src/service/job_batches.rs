//! The batches of a job: each is planned and written in one transaction, after the secrets that it
//! ends were ended in the register. Called by `jobs`.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use super::{Service, ServiceError, plan_reader::PlanReader, store_reads::read_tokens};
use crate::{
    domain::{
        AuditAction, Job, JobKind, Plan, SecretSlot, StoredToken, Token, TokenChange, TokenId, plan,
    },
    store::{
        DamagedRecord, JobReads as _, ReadOps, RevocationEntry, ScanResult, StoreError,
        TokenChanges as _,
    },
};

/// Number of entries that are written to the register at once, so that a revoke beside it does not wait
/// for long.
const ENTRIES_PER_SYNC: usize = 500;

/// Number of tokens that are read at once.
const TOKENS_PER_READ: usize = 2_000;

/// How long a batch waits for other writers of the register.
const REGISTER_TIMEOUT: Duration = Duration::from_secs(2);

/// A batch that was saved.
pub(super) struct SavedBatch {
    pub(super) plan: Plan,
    /// Number of tokens that the batch has processed.
    pub(super) count: usize,
    /// When the batch got the write lock.
    pub(super) started: Instant,
    pub(super) is_last: bool,
}

/// The tokens of a batch whose secrets were ended in the register.
pub(super) struct EndedBatch {
    /// The ended generation of each token.
    generations: HashMap<TokenId, u32>,
    /// The last key of the batch; `None` if the batch is the last one.
    until: Option<[u8; TokenId::LEN]>,
}

impl EndedBatch {
    /// Whether all secrets that `change` ends were ended. A token with a later secret stays.
    fn contains(&self, change: &TokenChange) -> bool {
        ended_entry(change).is_some_and(|entry| {
            let generation = self.generations.get(&entry.id);
            generation.is_some_and(|generation| entry.ended_generation <= *generation)
        })
    }

    /// Those tokens of `stay`, which were not deleted, whose old secrets were ended all the same.
    fn with_ended_overlap(&self, stay: Vec<TokenChange>) -> Vec<Token> {
        let is_ended = |token: &Token| {
            let generation = self.generations.get(&token.id);
            let old = token.generation_of(SecretSlot::Previous);
            token.previous.is_some() && generation.is_some_and(|generation| old <= *generation)
        };
        let tokens = stay.into_iter().filter_map(|change| change.before.token().cloned());
        tokens.filter(is_ended).collect()
    }

    /// Removes the tokens behind this batch, which come into reach when another process deletes tokens.
    fn limit(&self, found: &mut ScanResult<Token>) {
        let Some(until) = self.until else { return };
        found.rows.retain(|token| *token.id.as_bytes() <= until);
        let is_in_batch = |id: TokenId| *id.as_bytes() <= until;
        found.damaged.retain(|damage| damage.token_id().is_none_or(is_in_batch));
    }
}

impl Service {
    /// Saves the next batch of a job in one transaction. Returns `None` if the job was finished or
    /// cancelled meanwhile.
    pub(super) fn save_batch(
        &self,
        number: u64,
        limit: usize,
    ) -> Result<Option<SavedBatch>, ServiceError> {
        match self.end_next_batch(number, limit)? {
            Some(ended) => self.save_ended_batch(number, limit, &ended),
            None => Ok(None),
        }
    }

    /// Saves the batch whose secrets were ended.
    pub(super) fn save_ended_batch(
        &self,
        number: u64,
        limit: usize,
        ended: &EndedBatch,
    ) -> Result<Option<SavedBatch>, ServiceError> {
        let saved = self.write(|tx| {
            let started = Instant::now();
            let Some(mut job) = tx.job(number)? else { return Ok(None) };
            let (mut plan, count, is_last) =
                self.plan_job_batch(tx, &mut job, limit, Some(ended))?;
            if matches!(job.kind, JobKind::DeleteAll { .. }) {
                let stay = plan.changes.extract_if(.., |change| !ended.contains(change)).collect();
                let overlaps = plan::ended_overlaps(plan.at, ended.with_ended_overlap(stay));
                self.apply_for(tx, &overlaps, &job.actor)?;
            }
            self.apply_for(tx, &plan, &job.actor)?;
            job.add_batch(count, count.saturating_sub(plan.changes.len()));
            if is_last {
                tx.remove_job(number)?;
            } else {
                tx.put_job(number, &job)?;
            }
            Ok::<_, ServiceError>(Some(SavedBatch { plan, count, started, is_last }))
        })?;
        if !ended.generations.is_empty() {
            // The records already deny what was ended. The register only protects them from an older
            // copy of the file.
            let _ = self.store.note_endings();
        }
        Ok(saved)
    }

    /// Ends the secrets of the next batch of a deletion in the register, before the batch holds the
    /// lock of the store. Returns what was ended, which is nothing for other jobs; `None` if the job
    /// was finished meanwhile.
    pub(super) fn end_next_batch(
        &self,
        number: u64,
        limit: usize,
    ) -> Result<Option<EndedBatch>, ServiceError> {
        let planned = self.store.read(|tx| {
            let Some(mut job) = tx.job(number)? else { return Ok(None) };
            if !matches!(job.kind, JobKind::DeleteAll { .. }) {
                return Ok(Some((Vec::new(), None)));
            }
            let (plan, ..) = self.plan_job_batch(tx, &mut job, limit, None)?;
            let entries: Vec<_> = plan.changes.iter().filter_map(ended_entry).collect();
            Ok::<_, ServiceError>(Some((entries, job.cursor)))
        })?;
        let Some((mut entries, until)) = planned else { return Ok(None) };
        self.end_later_secrets(&mut entries)?;
        for entries in entries.chunks(ENTRIES_PER_SYNC) {
            self.end_patiently(entries)?;
        }
        let ended = entries.iter().map(|entry| (entry.id, entry.ended_generation));
        Ok(Some(EndedBatch { generations: ended.collect(), until }))
    }

    /// Writes entries to the register. Waits while other processes write it.
    fn end_patiently(&self, entries: &[RevocationEntry]) -> Result<(), ServiceError> {
        let started = Instant::now();
        loop {
            match self.store.end_secrets(entries, self.clock.now()) {
                Err(StoreError::Busy { .. }) if started.elapsed() < REGISTER_TIMEOUT => {}
                result => return Ok(result?),
            }
        }
    }

    /// Plans the next batch and moves the job behind it. The secrets of the tokens in `ended` are
    /// ended, so these tokens are deleted even if they have changed since. Returns the number of
    /// tokens that the batch processes, and whether it is the last one.
    fn plan_job_batch(
        &self,
        tx: &impl ReadOps,
        job: &mut Job,
        limit: usize,
        ended: Option<&EndedBatch>,
    ) -> Result<(Plan, usize, bool), ServiceError> {
        let at = self.clock.change_time(tx)?;
        Ok(match &mut job.kind {
            JobKind::DeleteAll { deletion, after_event } => {
                let (mut found, mut next) = tx.tokens_after_key(job.cursor, limit)?;
                if let Some(ended) = ended {
                    ended.limit(&mut found);
                    next = ended.until;
                }
                let (mut tokens, mut damaged) = (Vec::new(), Vec::new());
                let count = found.rows.len().saturating_add(found.damaged.len());
                let is_unchanged = |id: &TokenId| {
                    let is_ended = ended.is_some_and(|it| it.generations.contains_key(id));
                    if is_ended || tx.newest_event_number_of(id)? <= *after_event {
                        return Ok::<_, StoreError>(true);
                    }
                    let newest = tx.newest_changes_of(id, 1)?.pop();
                    Ok(newest.is_some_and(|event| event.sequence <= *after_event))
                };
                for token in found.rows {
                    if is_unchanged(&token.id)? {
                        tokens.push(token);
                    }
                }
                for id in found.damaged.iter().filter_map(DamagedRecord::token_id) {
                    if is_unchanged(&id)? {
                        damaged.push(id);
                    }
                }
                job.cursor = next;
                (plan::deletion_batch(at, tokens, damaged, *deletion), count, next.is_none())
            }
            JobKind::Restore { deletion } => {
                self.require_granting(tx)?;
                let (tokens, next) = tx.deleted_at(*deletion, job.cursor, limit)?;
                job.cursor = next;
                let count = tokens.len();
                let plan = plan::restoration_batch(at, tokens, *deletion, &PlanReader(tx))?;
                (plan, count, next.is_none())
            }
            JobKind::AddScopes { scopes, remaining } => {
                self.require_granting(tx)?;
                let (tokens, count) = take_tokens(tx, remaining, limit)?;
                let plan = plan::scope_addition_batch(at, tokens, scopes);
                (plan, count, remaining.is_empty())
            }
            JobKind::RemoveScopes { scopes, remaining } => {
                let (tokens, count) = take_tokens(tx, remaining, limit)?;
                let plan = plan::scope_removal_batch(at, tokens, scopes);
                (plan, count, remaining.is_empty())
            }
            // `finish_job` does not run imports.
            JobKind::Import { .. } => (plan::deletion_batch(at, Vec::new(), [], at), 0, true),
        })
    }
}

impl Service {
    /// Writes to the register what an interrupted restoration has permitted: the process can have ended
    /// between a batch and its register entries.
    pub(super) fn repeat_register_of(&self, job: &Job) -> Result<(), ServiceError> {
        let (JobKind::Restore { .. }, Some(end)) = (&job.kind, job.cursor) else { return Ok(()) };
        let mut after = None;
        loop {
            let (restored, next) = self.store.read(|tx| {
                let (found, next) = tx.tokens_after_key(after, TOKENS_PER_READ)?;
                let mut restored = Vec::new();
                for token in found.rows.iter().filter(|token| *token.id.as_bytes() <= end) {
                    let newest = tx.newest_changes_of(&token.id, 1)?.pop();
                    let is_restored =
                        newest.is_some_and(|event| event.body.action == AuditAction::Restored);
                    restored.extend(is_restored.then(|| RevocationEntry::of_token(token)));
                }
                Ok::<_, StoreError>((restored, next.filter(|key| *key < end)))
            })?;
            self.store.set_revocations(&restored)?;
            after = next;
            if after.is_none() {
                return Ok(());
            }
        }
    }
}

/// Takes at most `limit` tokens from the front of `remaining`. Returns those that exist, and how many
/// were taken.
fn take_tokens(
    tx: &impl ReadOps,
    remaining: &mut Vec<TokenId>,
    limit: usize,
) -> Result<(Vec<Token>, usize), StoreError> {
    let ids: Vec<_> = remaining.drain(..limit.min(remaining.len())).collect();
    let tokens = read_tokens(tx, &ids)?.into_iter().filter_map(|(_, token)| token);
    Ok((tokens.collect(), ids.len()))
}

/// The register entry of a deleted token. The generation of a damaged record is unknown, so every
/// secret of the token is ended.
pub(super) fn ended_entry(change: &TokenChange) -> Option<RevocationEntry> {
    match &change.before {
        StoredToken::Damaged(id) => Some(RevocationEntry::all_ended(*id)),
        StoredToken::Live(token) => Some(RevocationEntry::of_deleted(token)),
        StoredToken::Deleted(..) | StoredToken::Absent => None,
    }
}
