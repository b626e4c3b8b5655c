//! The read operations of the list engine, which keeps an index of the whole store: tokens in
//! batches, changes since a position, the newest tokens, and records by id. Each call or batch is
//! one read transaction. Also called by the app and `list --json`.

use std::{cmp::Reverse, collections::HashSet, ops::ControlFlow};

use super::{ChangeLogPosition, Service, ServiceError, parallel::par_map_ordered, store_reads};
use crate::{
    domain::{AuditAction, Job, StatusFilter, Timestamp, Token, TokenId},
    store::{ChangesSince, DamagedRecord, RawBatch, ReadOps, StoreError},
};

pub use crate::store::TokenCursor;

/// The actions that set the issue time of a token.
const ISSUE_ACTIONS: [AuditAction; 3] =
    [AuditAction::Created, AuditAction::Regenerated, AuditAction::Imported];
/// Number of tokens per batch in a parallel read. It is small so that the output of a batch fits
/// into a core's cache.
const PARALLEL_BATCH: usize = 512;
/// Number of events per page of the audit trail.
const EVENTS_PER_PAGE: usize = 256;
/// Maximum number of pages (4,096 events in total) that are searched for new tokens.
const MAX_EVENT_PAGES: usize = 16;

/// Consecutive tokens in the order of their ids.
#[derive(Debug)]
pub struct TokenBatch {
    pub tokens: Vec<Token>,
    pub damaged: Vec<DamagedRecord>,
    /// The cursor for the next batch; `None` at the end.
    pub next: Option<TokenCursor>,
}

/// The state of the store, and what changed since a [`ChangeLogPosition`].
#[derive(Debug)]
pub struct ListFeedUpdate {
    pub position: ChangeLogPosition,
    /// Number of tokens in the store, including damaged ones.
    pub total: usize,
    /// The time of the newest event, if the clock is more than 5 minutes behind it.
    pub clock_behind: Option<Timestamp>,
    /// The first job that was interrupted.
    pub interrupted_job: Option<Job>,
    pub changed: FeedChanges,
    /// Whether the file was replaced by another state of the same store since the last position, or
    /// is older than its revocation register.
    pub is_history_replaced: bool,
}

/// The tokens that changed since a [`ChangeLogPosition`].
#[derive(Debug)]
pub enum FeedChanges {
    /// The changed tokens in their present state. The value is `None` for a deleted token.
    Tokens(Vec<(TokenId, Result<Option<Token>, DamagedRecord>)>),
    /// The change log no longer covers the reader's position: reload everything.
    NeedsReload,
}

impl Service {
    /// Reads up to `limit` tokens after the cursor `after`.
    pub fn load_batch(
        &self,
        after: Option<TokenCursor>,
        limit: usize,
    ) -> Result<TokenBatch, ServiceError> {
        let (scan, next) = self.store.read(|rows| rows.tokens_after(after, limit))?;
        Ok(TokenBatch { tokens: scan.rows, damaged: scan.damaged, next })
    }

    /// Reads the state of the store and the changes since `seen`. If `seen` is `None`, returns no
    /// changes.
    pub fn update_since(
        &self,
        seen: Option<ChangeLogPosition>,
    ) -> Result<ListFeedUpdate, ServiceError> {
        Ok(self.store.read(|rows| {
            let last = rows.newest_event()?;
            let position = store_reads::position(rows, last.as_ref())?;
            let (is_replaced, ids) = match seen.filter(|seen| *seen != position) {
                None => (false, ChangesSince::Tokens(Vec::new(), 0)),
                Some(seen) => (
                    store_reads::is_history_replaced(rows, seen, position)?,
                    store_reads::changes_between(rows, seen, position)?,
                ),
            };
            let read = |id: TokenId| match rows.token(&id) {
                Err(StoreError::Damaged(damage)) => Ok((id, Err(damage))),
                token => Ok((id, Ok(token?))),
            };
            let changed = match ids {
                ChangesSince::NeedsResync => FeedChanges::NeedsReload,
                ChangesSince::Tokens(ids, _) => {
                    let tokens = ids.into_iter().map(read);
                    FeedChanges::Tokens(tokens.collect::<Result<_, StoreError>>()?)
                }
            };
            Ok::<_, StoreError>(ListFeedUpdate {
                position,
                total: usize::try_from(rows.token_count()?).unwrap_or(usize::MAX),
                clock_behind: self.clock.behind(rows)?,
                interrupted_job: self.first_interrupted(rows)?,
                changed,
                is_history_replaced: is_replaced || rows.is_store_outdated(),
            })
        })?)
    }

    /// Reads all tokens, several batches in parallel. `begin` creates the output of a batch; `add`
    /// adds one token or damaged record to it. `consume` gets the outputs in the order of the ids
    /// and may stop early. Each batch has its own transaction, so the tokens are not read from one
    /// snapshot.
    pub fn for_each_batch<T: Send>(
        &self,
        begin: impl Fn() -> T + Sync,
        add: impl Fn(&mut T, Result<Token, DamagedRecord>) + Sync,
        mut consume: impl FnMut(T) -> ControlFlow<()>,
    ) -> Result<(), ServiceError> {
        let (mut after, mut result) = (Some(None), Ok(()));
        // Only the table scan is serial; checksums and decoding run on worker threads.
        let next = || {
            let from = after.take()?;
            let read = self.store.read(|rows| rows.raw_batch_after(from, PARALLEL_BATCH));
            Some(read.map(|(batch, next)| {
                after = next.map(Some);
                batch
            }))
        };
        let decode = |batch: Result<RawBatch, StoreError>| {
            let (batch, mut output) = (batch?, begin());
            batch.for_each(|token| add(&mut output, token));
            Ok(output)
        };
        par_map_ordered(next, decode, |output: Result<T, StoreError>| match output {
            Ok(output) => consume(output),
            Err(error) => {
                result = Err(error);
                ControlFlow::Break(())
            }
        });
        Ok(result?)
    }

    /// Returns up to `limit` of the most recently issued tokens with these statuses, newest first.
    /// Reads only the newest pages of the audit trail, so the result may be shorter than `limit`.
    /// The result has no gaps: each issue writes an event, so older pages contain only older
    /// issues.
    pub fn recently_issued(
        &self,
        statuses: StatusFilter,
        at: Timestamp,
        limit: usize,
    ) -> Result<Vec<Token>, ServiceError> {
        Ok(self.store.read(|rows| {
            let (mut seen, mut tokens) = (HashSet::new(), Vec::new());
            let mut page = rows.events_before(None, EVENTS_PER_PAGE)?.rows;
            let mut complete_since = Timestamp::MIN_UTC;
            for _ in 0..MAX_EVENT_PAGES {
                let Some(oldest) = page.last() else {
                    complete_since = Timestamp::MIN_UTC;
                    break;
                };
                let issues = page.iter().filter(|event| ISSUE_ACTIONS.contains(&event.body.action));
                for id in issues.filter_map(|event| event.body.token) {
                    let token = if seen.insert(id) { rows.token(&id).ok().flatten() } else { None };
                    tokens.extend(token.filter(|token| {
                        statuses.matches(token.status(at), token.expires_soon(at))
                    }));
                }
                complete_since = oldest.body.at;
                // Stops at a page of imports, because the time of an import event is not the issue
                // time of its token.
                let is_import = page.iter().all(|event| event.body.action == AuditAction::Imported);
                if is_import
                    || tokens.iter().filter(|token| token.issued >= complete_since).count() >= limit
                {
                    break;
                }
                page = rows.events_before(Some(oldest.sequence), EVENTS_PER_PAGE)?.rows;
            }
            tokens.retain(|token| token.issued >= complete_since);
            tokens.sort_by_key(|token| Reverse(token.issued));
            tokens.truncate(limit);
            Ok::<_, StoreError>(tokens)
        })?)
    }

    /// Reads the tokens `ids`. The value is `None` for a deleted or damaged token.
    pub fn get_many(&self, ids: &[TokenId]) -> Result<Vec<(TokenId, Option<Token>)>, ServiceError> {
        Ok(self.store.read(|rows| store_reads::read_tokens(rows, ids))?)
    }
}
