//! Reading for followers of the whole store: tokens in batches, what changed since, the tokens
//! that were issued last, and records by id. Each call is one read transaction. Called by the list
//! engine, the app and `list --json`.

use std::{cmp::Reverse, collections::HashSet, ops::ControlFlow};

use super::{Position, Service, ServiceError, audit, parallel::par_map_ordered};
use crate::{
    domain::{AuditAction, StatusFilter, Timestamp, Token, TokenId},
    store::{Changes, Damage, RawBatch, ReadOps, StoreError},
};

pub use crate::store::TokenCursor;

/// What gives a token a time of issue.
const ISSUES: [AuditAction; 3] =
    [AuditAction::Created, AuditAction::Regenerated, AuditAction::Imported];
/// Tokens of a batch that is processed in parallel: what is made of them stays in a core's cache.
const PARALLEL_BATCH: usize = 512;
/// Events of a page of the audit trail, and most pages that are searched for new tokens.
const EVENTS: usize = 256;
const PAGES: usize = 16;

/// Some tokens in the order of their ids.
#[derive(Debug)]
pub struct TokenBatch {
    pub tokens: Vec<Token>,
    pub damaged: Vec<Damage>,
    /// After which token the next batch starts; `None` at the end.
    pub next: Option<TokenCursor>,
}

/// The state of the store, and what changed since a [`Position`].
#[derive(Debug)]
pub struct StoreUpdate {
    pub position: Position,
    /// How many tokens the store has, damaged ones included.
    pub total: usize,
    /// The time of the last change, if the clock is well behind it.
    pub clock_behind: Option<Timestamp>,
    pub changed: Changed,
}

/// What changed since a [`Position`].
#[derive(Debug)]
pub enum Changed {
    /// These tokens, each as it is now; `None` if it is gone.
    Tokens(Vec<(TokenId, Result<Option<Token>, Damage>)>),
    /// More than the change log covers: everything must be read again.
    Everything,
}

impl Service {
    /// The next tokens after `after`, at most `limit`.
    pub fn load_batch(
        &self,
        after: Option<TokenCursor>,
        limit: usize,
    ) -> Result<TokenBatch, ServiceError> {
        let (found, next) = self.store.read(|rows| rows.tokens_after(after, limit))?;
        Ok(TokenBatch { tokens: found.rows, damaged: found.damaged, next })
    }

    /// The state of the store, and what changed since `seen`; nothing if that is `None`.
    pub fn update_since(&self, seen: Option<Position>) -> Result<StoreUpdate, ServiceError> {
        Ok(self.store.read(|rows| {
            let last = rows.newest_event()?;
            let position = audit::position(rows, last.as_ref())?;
            let ids = match seen.filter(|seen| *seen != position) {
                None => Changes::Tokens(Vec::new(), 0),
                Some(seen) => audit::changes(rows, seen, position)?,
            };
            let read = |id: TokenId| match rows.token(&id) {
                Err(StoreError::Damaged(damage)) => Ok((id, Err(damage))),
                token => Ok((id, Ok(token?))),
            };
            let changed = match ids {
                Changes::TooFar => Changed::Everything,
                Changes::Tokens(ids, _) => {
                    let tokens = ids.into_iter().map(read);
                    Changed::Tokens(tokens.collect::<Result<_, StoreError>>()?)
                }
            };
            Ok::<_, StoreError>(StoreUpdate {
                position,
                total: usize::try_from(rows.token_count()?).unwrap_or(usize::MAX),
                clock_behind: self.behind(last.as_ref()),
                changed,
            })
        })?)
    }

    /// Reads all tokens, several batches in parallel: `begin` makes the output of a batch, `add`
    /// gets its tokens one by one, damaged ones too, and `take` gets the outputs in the order of
    /// ids, until it breaks. Each batch has a transaction of its own.
    pub fn for_each_batch<T: Send>(
        &self,
        begin: impl Fn() -> T + Sync,
        add: impl Fn(&mut T, Result<Token, Damage>) + Sync,
        mut take: impl FnMut(T) -> ControlFlow<()>,
    ) -> Result<(), ServiceError> {
        let (mut after, mut end) = (Some(None), Ok(()));
        // Only the table scan is serial; checksums and decoding run on worker threads.
        let next = || {
            let from = after.take()?;
            let found = self.store.read(|rows| rows.raw_batch_after(from, PARALLEL_BATCH));
            Some(found.map(|(batch, reached)| {
                after = reached.map(Some);
                batch
            }))
        };
        let work = |found: Result<RawBatch, StoreError>| {
            let (batch, mut output) = (found?, begin());
            batch.each(|token| add(&mut output, token));
            Ok(output)
        };
        par_map_ordered(next, work, |output: Result<T, StoreError>| match output {
            Ok(output) => take(output),
            Err(error) => {
                end = Err(error);
                ControlFlow::Break(())
            }
        });
        Ok(end?)
    }

    /// The tokens of these statuses that were issued last, newest first, at most `limit`, as far
    /// as the newest pages of the audit trail show without a look at other tokens. Each issue has
    /// an event, so no token is newer whose events are all older than the pages that were read.
    pub fn recently_issued(
        &self,
        statuses: StatusFilter,
        at: Timestamp,
        limit: usize,
    ) -> Result<Vec<Token>, ServiceError> {
        Ok(self.store.read(|rows| {
            let (mut seen, mut tokens) = (HashSet::new(), Vec::new());
            let mut page = rows.events_before(None, EVENTS)?.rows;
            let mut edge = Timestamp::MIN_UTC;
            for _ in 0..PAGES {
                let Some(oldest) = page.last() else {
                    edge = Timestamp::MIN_UTC;
                    break;
                };
                let issues = page.iter().filter(|event| ISSUES.contains(&event.what.action));
                for id in issues.filter_map(|event| event.what.token) {
                    let token = if seen.insert(id) { rows.token(&id).ok().flatten() } else { None };
                    tokens.extend(
                        token.filter(|token| {
                            statuses.shows(token.status(at), token.expires_soon(at))
                        }),
                    );
                }
                edge = oldest.what.at;
                // The events of an import say nothing about when its tokens were issued.
                let is_import = page.iter().all(|event| event.what.action == AuditAction::Imported);
                if is_import || tokens.iter().filter(|token| token.issued >= edge).count() >= limit
                {
                    break;
                }
                page = rows.events_before(Some(oldest.sequence), EVENTS)?.rows;
            }
            tokens.retain(|token| token.issued >= edge);
            tokens.sort_by_key(|token| Reverse(token.issued));
            tokens.truncate(limit);
            Ok::<_, StoreError>(tokens)
        })?)
    }

    /// These tokens as they are; `None` for one that is gone or damaged.
    pub fn get_many(&self, ids: &[TokenId]) -> Result<Vec<(TokenId, Option<Token>)>, ServiceError> {
        Ok(self.store.read(|rows| audit::readable(rows, ids))?)
    }
}
