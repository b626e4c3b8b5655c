//! The read operations, the same in read and write transactions. Each operation verifies the
//! records that it returns. A damaged record is reported, never guessed, and does not affect other
//! records. The service calls them in the closures that it passes to `Store::read` and
//! `Store::write`.

use std::{
    ops::{Bound, ControlFlow},
    sync::{Arc, OnceLock},
};

use super::{
    chain::{self, VerifiedChain},
    codec::{RecordBody, decode},
    consistency,
    error::{DamagedRecord, StoreError},
    migrate,
    name_index::{self, NameClash},
    raw_batch::{self, RawBatch},
    record::{StoreInfoV1, TokenIdRecordV1, TokenV2},
    recorded_time::{self, RecordedTime},
    register::{PendingEndings, RevocationState},
    repair::{self, Repair},
    tables::{Tables, Transaction},
    trash_index,
    use_counts::{attach_use_count, attach_use_count_or_all, load_usage},
};
use crate::domain::{
    AuditEvent, EventHash, Name, Timestamp, Token, TokenId, terminal_text::to_hex,
};

/// The key of the store's id and creation time in the table `meta-1`.
pub(super) const STORE_INFO: &[u8] = b"birth";

/// The rows that a scan read, and the damaged records that it skipped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanResult<T> {
    pub rows: Vec<T>,
    pub damaged: Vec<DamagedRecord>,
}

impl<T> Default for ScanResult<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), damaged: Vec::new() }
    }
}

impl<T> ScanResult<T> {
    pub(super) fn push(&mut self, row: Result<T, DamagedRecord>) {
        match row {
            Ok(row) => self.rows.push(row),
            Err(damage) => self.damaged.push(damage),
        }
    }
}

/// A deleted token that can still be restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrashedToken {
    pub token: Token,
    pub at: Timestamp,
}

/// The position of a scan over the tokens in the order of their ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TokenCursor(pub(super) [u8; TokenId::LEN]);

impl TokenCursor {
    /// Returns whether a scan up to this position includes the token `id`, provided that this token
    /// exists.
    pub fn includes(self, id: &TokenId) -> bool {
        *id.as_bytes() <= self.0
    }
}

/// The changes after a generation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangesSince {
    /// The ids of the tokens that were created, changed, used or removed, without duplicates, and
    /// the current generation.
    Tokens(Vec<TokenId>, u64),
    /// The change log no longer covers the generation: the caller must read everything again.
    NeedsResync,
}

/// The result of verifying the audit trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainCheckResult {
    /// Number of valid events before the first fault.
    pub events: u64,
    /// The first fault, as the sequence of the faulty event and a description.
    pub first_fault: Option<(u64, String)>,
    /// The hash of the newest event, as stored in the table `meta-1`.
    pub head: EventHash,
}

/// A transaction with open tables: `Reader` or `Writer`.
pub trait HasTables {
    type Transaction: Transaction;
    fn tables(&self) -> &Tables<Self::Transaction>;
    /// Returns the cache for the newest time in the store. Only a read transaction has this cache,
    /// because its data cannot change.
    fn recorded_time_cache(&self) -> Option<&OnceLock<RecordedTime>> {
        None
    }
    /// The endings that the records do not contain yet; reads apply them to each token. A write
    /// transaction stores them before it reads, so it has none.
    fn pending(&self) -> Option<&Arc<PendingEndings>> {
        None
    }
    /// Reads the state of this token in the revocation register, as it was when the read began or
    /// later. For a store in memory, and in a write transaction, nothing is ended.
    ///
    /// # Errors
    ///
    /// [`PathProblem::NoRegister`](super::PathProblem::NoRegister) if the register is missing,
    /// damaged or that of another store. A check then has no answer and must not allow the request.
    fn revocation_state(&self, _id: &TokenId) -> Result<RevocationState, StoreError> {
        Ok(RevocationState::default())
    }
}

impl<S: HasTables> ReadOps for S {}

/// The read operations.
pub trait ReadOps: HasTables {
    /// Reads the token with this id, including its last use. Returns `None` if no token has this
    /// id.
    ///
    /// # Errors
    ///
    /// [`StoreError::Damaged`] if the record of the token is damaged.
    fn token(&self, id: &TokenId) -> Result<Option<Token>, StoreError> {
        let mut found = self.token_without_usage(id)?;
        if let Some(token) = &mut found {
            self.attach_usage(token)?;
        }
        Ok(found.map(|token| *token))
    }

    /// Like [`ReadOps::token`], but without the last use, which takes a second lookup. Boxed, because
    /// a check passes the token through many results, and a token has 700 bytes.
    fn token_without_usage(&self, id: &TokenId) -> Result<Option<Box<Token>>, StoreError> {
        let key = id.as_bytes();
        let decode = |body: RecordBody<'_>| TokenV2::decode_token(key, body).map(Box::new);
        let stored = self.tables().tokens.get(key, decode)?;
        Ok(match self.pending() {
            Some(pending) => stored.and_then(|token| pending.apply(*token)).map(Box::new),
            None => stored,
        })
    }

    /// Loads the last uses and the counted uses of `token` and stores them in its fields.
    fn attach_usage(&self, token: &mut Token) -> Result<(), StoreError> {
        load_usage(self.tables(), &token.id)?.apply_to(token);
        attach_use_count_or_all(self.tables(), token)
    }

    /// Loads the counted uses of `token` and stores them in its fields. A damaged count is an error.
    fn attach_use_count(&self, token: &mut Token) -> Result<(), StoreError> {
        attach_use_count(self.tables(), token)
    }

    /// Returns the id of the token with this name; names are compared in their folded form. Of
    /// tokens with the same name, returns [`NameClash::indexed`].
    fn id_of_name(&self, name: &Name) -> Result<Option<TokenId>, StoreError> {
        let tables = self.tables();
        let folded = name.folded();
        match tables.names.get(folded.as_bytes(), decode::<TokenIdRecordV1>) {
            Ok(found) => Ok(found.and_then(|TokenIdRecordV1(id)| TokenId::from_bytes(id))),
            // The table of names is derived from the tokens, so scan the tokens instead.
            Err(StoreError::Damaged(_)) => {
                let mut tokens = self.tokens()?.rows;
                tokens.retain(|token| token.name.folded() == folded);
                let first = tokens.into_iter().min_by_key(|token| (token.created, token.id));
                Ok(first.map(|token| token.id))
            }
            Err(error) => Err(error),
        }
    }

    /// Returns the ids of all tokens with this name. A store of schema 1 can have several.
    fn ids_of_name(&self, name: &Name) -> Result<Vec<TokenId>, StoreError> {
        let mut ids: Vec<_> = self.id_of_name(name)?.into_iter().collect();
        ids.extend(name_index::ids_of_clashes(&self.tables().names, &name.folded())?);
        Ok(ids)
    }

    /// Returns the pairs of tokens that have the same name.
    fn name_clashes(&self) -> Result<Vec<NameClash>, StoreError> {
        name_index::find_clashes(&self.tables().names)
    }

    /// Returns the id of a token whose name looks like `name`, but is another name.
    fn lookalike_of(&self, name: &Name) -> Result<Option<TokenId>, StoreError> {
        name_index::find_lookalike(&self.tables().names, &name.folded())
    }

    /// Calls `visit` with every token in the order of the ids, and with every damaged record.
    fn for_each_token(
        &self,
        visit: impl FnMut(Result<Token, DamagedRecord>),
    ) -> Result<(), StoreError> {
        raw_batch::for_each_token(self.tables(), self.pending().map(|it| &**it), visit)
    }

    /// Reads all tokens in the order of their ids. Takes 1 KB of memory for each.
    fn tokens(&self) -> Result<ScanResult<Token>, StoreError> {
        let mut all = ScanResult::default();
        self.for_each_token(|token| all.push(token))?;
        Ok(all)
    }

    /// Reads at most `limit` tokens after the position `after`, in the order of their ids. If
    /// `after` is `None`, starts at the first token. `limit` includes damaged tokens. Also returns
    /// the position of the last token of the result, or `None` if fewer than `limit` tokens were
    /// left.
    fn tokens_after(
        &self,
        after: Option<TokenCursor>,
        limit: usize,
    ) -> Result<(ScanResult<Token>, Option<TokenCursor>), StoreError> {
        let (batch, next) = self.raw_batch_after(after, limit)?;
        let mut found = ScanResult { rows: Vec::with_capacity(batch.len()), damaged: Vec::new() };
        batch.for_each(|token| found.push(token));
        Ok((found, next))
    }

    /// Like [`ReadOps::tokens_after`], but only copies the records, to be decoded later.
    fn raw_batch_after(
        &self,
        after: Option<TokenCursor>,
        limit: usize,
    ) -> Result<(RawBatch, Option<TokenCursor>), StoreError> {
        let Tables { tokens, uses, use_counts, .. } = self.tables();
        let from = after.map_or(Bound::Unbounded, |TokenCursor(key)| Bound::Excluded(key));
        let (mut batch, mut last) = (RawBatch::with_capacity(limit, self.pending().cloned()), None);
        tokens.merge_join([uses, use_counts], from.as_ref(), |key, record, used| {
            if batch.len() == limit {
                return ControlFlow::Break(());
            }
            batch.push(key, record, used);
            last = Some(TokenCursor(*key));
            ControlFlow::Continue(())
        })?;
        let last = last.filter(|_| batch.len() == limit);
        Ok((batch, last))
    }

    /// The number of tokens, including damaged ones.
    fn token_count(&self) -> Result<u64, StoreError> {
        self.tables().tokens.len()
    }

    /// Reads at most `limit` undamaged events before the sequence `before`, newest first. If
    /// `before` is `None`, starts at the newest event. The result is empty at the end of the trail.
    fn events_before(
        &self,
        before: Option<u64>,
        limit: usize,
    ) -> Result<ScanResult<AuditEvent>, StoreError> {
        chain::scan_events(&self.tables().events, ..before.unwrap_or(u64::MAX), true, limit)
    }

    /// Reads at most `limit` undamaged events after the event `sequence`, oldest first.
    fn events_after(
        &self,
        sequence: u64,
        limit: usize,
    ) -> Result<ScanResult<AuditEvent>, StoreError> {
        let from = sequence.saturating_add(1);
        chain::scan_events(&self.tables().events, from.., false, limit)
    }

    /// Reads at most `limit` undamaged events of one token, newest first.
    fn events_of(&self, id: &TokenId, limit: usize) -> Result<ScanResult<AuditEvent>, StoreError> {
        chain::load_events_of(self.tables(), id, limit)
    }

    /// Reads the event with this sequence.
    fn event(&self, sequence: u64) -> Result<Option<AuditEvent>, StoreError> {
        self.tables().events.get(sequence, |body| chain::decode_event(sequence, body))
    }

    /// Returns the last event, or [`StoreError::Damaged`] if its record cannot be read.
    fn last_event(&self) -> Result<Option<AuditEvent>, StoreError> {
        self.event(self.tables().events.last_key()?)
    }

    /// Returns the newest undamaged event. Skips damaged events, because they must not prevent
    /// checks and revocations.
    fn newest_event(&self) -> Result<Option<AuditEvent>, StoreError> {
        match self.last_event() {
            Err(StoreError::Damaged(_)) => Ok(self.events_before(None, 1)?.rows.pop()),
            newest => newest,
        }
    }

    /// Returns the newest time that the store contains: of the newest undamaged event, or of the
    /// newest use. Every check needs this time, so it is cached for each commit.
    fn recorded_time(&self) -> Result<RecordedTime, StoreError> {
        let cache = self.recorded_time_cache();
        if let Some(time) = cache.and_then(OnceLock::get) {
            return Ok(*time);
        }
        let newest_event = self.newest_event()?.map(|event| event.body.at);
        let time = RecordedTime::load(self.tables(), newest_event)?;
        Ok(cache.map_or(time, |cache| *cache.get_or_init(|| time)))
    }

    /// Like [`ReadOps::recorded_time`], but fails if the record of the newest use is damaged: an
    /// expired secret could work again if the clock was set back.
    fn intact_recorded_time(&self) -> Result<RecordedTime, StoreError> {
        let time = self.recorded_time()?;
        if time.is_damaged { Err(recorded_time::clock_damage(self.tables())) } else { Ok(time) }
    }

    /// Reads and verifies the whole audit trail: no gap, correct previous hashes, an index entry
    /// for each event of a token, and the newest hash as stored in `meta-1`.
    fn verify_chain(&self) -> Result<ChainCheckResult, StoreError> {
        chain::verify(self.tables())
    }

    /// Verifies at most `limit` events after those of `verified`, which then includes them. Returns
    /// `None` if events are left.
    fn verify_chain_after(
        &self,
        verified: &mut VerifiedChain,
        limit: u64,
    ) -> Result<Option<ChainCheckResult>, StoreError> {
        chain::verify_after(self.tables(), verified, limit)
    }

    /// Returns the contradictions between the tables, one sentence for each. There are
    /// contradictions only if a change was written partially, which a transaction prevents. Reads
    /// all tables.
    fn find_inconsistencies(&self) -> Result<Vec<String>, StoreError> {
        consistency::find_inconsistencies(self.tables())
    }

    /// Returns the repairs that damaged rows and derived tables need. Reads all tables.
    fn find_repairs(&self) -> Result<Vec<Repair>, StoreError> {
        repair::find_repairs(self.tables(), &self.verify_chain()?)
    }

    /// Returns a number that is 0 in a new store and increases with every committed change,
    /// including last uses.
    fn generation(&self) -> Result<u64, StoreError> {
        self.tables().changes.last_key()
    }

    /// Returns the tokens that changed after `generation`. If another store may have replaced the
    /// file, the caller must also compare [`ReadOps::store_id`], because generations of different
    /// stores are not comparable.
    fn changes_after(&self, generation: u64) -> Result<ChangesSince, StoreError> {
        let changes = &self.tables().changes;
        let last = changes.last_key()?;
        let next = generation.saturating_add(1);
        if generation == last {
            return Ok(ChangesSince::Tokens(Vec::new(), last));
        }
        if generation > last || changes.first_key()?.is_none_or(|first| first > next) {
            return Ok(ChangesSince::NeedsResync);
        }
        let mut ids = std::collections::BTreeSet::new();
        let mut damaged = false;
        changes.scan(next.., false, |_, row| {
            match row.ok().and_then(decode::<TokenIdRecordV1>) {
                Some(TokenIdRecordV1(id)) => drop(ids.insert(id)),
                None => damaged = true,
            }
            ControlFlow::Continue(())
        })?;
        if damaged {
            return Ok(ChangesSince::NeedsResync);
        }
        // A change without a token has no valid id and is left out.
        let ids = ids.into_iter().filter_map(TokenId::from_bytes).collect();
        Ok(ChangesSince::Tokens(ids, last))
    }

    /// Reads the deleted token with this id.
    fn trashed(&self, id: &TokenId) -> Result<Option<TrashedToken>, StoreError> {
        trash_index::get(self.tables(), id.as_bytes())
    }

    /// Returns the time of the last deletion whose token is still in the trash.
    fn newest_deletion(&self) -> Result<Option<Timestamp>, StoreError> {
        Ok(trash_index::deletion_before(self.tables(), None)?.map(|(at, _)| at))
    }

    /// Reads at most `limit` tokens that were deleted at `until` or before, the oldest first.
    fn deleted_until(
        &self,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<TrashedToken>, StoreError> {
        trash_index::deleted_until(self.tables(), until, limit)
    }

    /// Reads all deleted tokens, most recently deleted first.
    fn trash(&self) -> Result<ScanResult<TrashedToken>, StoreError> {
        trash_index::all(self.tables())
    }

    /// The schema number of the store.
    fn schema(&self) -> Result<u32, StoreError> {
        let meta = &self.tables().meta;
        let damaged = || StoreError::Damaged(meta.damage(&migrate::SCHEMA));
        migrate::schema(meta)?.ok_or_else(damaged)
    }

    /// The random id of the store: 32 hexadecimal digits.
    fn store_id(&self) -> Result<String, StoreError> {
        let info = load_store_info(self.tables())?;
        Ok(to_hex(&info.id))
    }

    #[cfg(any(test, feature = "testing"))]
    fn created_at(&self) -> Result<Timestamp, StoreError> {
        let tables = self.tables();
        let damaged = || StoreError::Damaged(tables.meta.damage(&STORE_INFO));
        load_store_info(tables)?.created.to_timestamp().ok_or_else(damaged)
    }
}

fn load_store_info<T: Transaction>(tables: &Tables<T>) -> Result<StoreInfoV1, StoreError> {
    let found = tables.meta.get(STORE_INFO, decode::<StoreInfoV1>)?;
    found.ok_or_else(|| StoreError::Damaged(tables.meta.damage(&STORE_INFO)))
}
