//! The read transaction of a file: its tables, the values cached for its commit, and the revocation
//! register. Created by `file_db`, and by the memory backend without a register.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicBool, Ordering},
};

use redb::ReadTransaction;

use super::{
    commit_id::CommitValues,
    error::StoreError,
    read_ops::{HasTables, ReadOps as _, TrashedToken},
    record::TokenV2,
    recorded_time::{RecordedTime, load_newest_ending},
    register::{
        self, EventMark, PendingEndings, Register, RegisterId, RegisterSnapshot, RevocationEntry,
        RevocationState,
    },
    tables::ReadTables,
};
use crate::domain::TokenId;

/// Number of pending endings whose tokens are sought. A large deletion can have a million, and each
/// read of a new commit would seek them.
const MAX_SOUGHT: usize = 64;

/// A read transaction on the last commit of any process.
#[derive(Debug)]
pub struct Reader {
    pub(super) tables: ReadTables,
    pub(super) cache: Arc<CommitValues>,
    /// The register when the read began, or why it is unusable. `None` for a store in memory, which
    /// has no register.
    pub(super) register: Option<Result<Arc<RegisterSnapshot>, StoreError>>,
    /// The endings that the records lack; `None` if there are none.
    pub(super) pending: Option<Arc<PendingEndings>>,
    /// Whether the current read has got a state of the register that can contradict a record.
    pub(super) has_asked_register: AtomicBool,
}

impl Reader {
    /// Creates a reader of `tables`. Takes the snapshot of the register after the transaction began,
    /// because an ending is written to the register before it is written to the record.
    pub(super) fn new(tables: ReadTables, cache: Arc<CommitValues>, register: &Register) -> Self {
        let mut reader = Self { cache, ..Self::without_register(tables) };
        reader.register = Some(reader.register_id().and_then(|id| register.snapshot(&id)));
        // If the register is unusable, no check has an answer, so its endings do not matter.
        if let Some(Ok(snapshot)) = &reader.register {
            let find = || reader.find_missing_endings(snapshot).ok();
            let commit = reader.cache.id.as_ref();
            reader.pending = register.missing_endings(commit, snapshot, find);
        }
        reader
    }

    /// Creates the reader of a store in memory.
    pub(super) fn without_register(tables: ReadTables) -> Self {
        Self {
            tables,
            cache: Arc::default(),
            register: None,
            pending: None,
            has_asked_register: AtomicBool::new(false),
        }
    }

    /// Whether the register has not changed since the read began. An unusable register counts as
    /// unchanged: no check has an answer until a new read begins.
    pub(super) fn is_register_current(&self) -> bool {
        match &self.register {
            Some(Ok(register)) => register.is_current(),
            Some(Err(_)) | None => true,
        }
    }

    /// The id of the revocation register that belongs to the store.
    pub(super) fn register_id(&self) -> Result<RegisterId, StoreError> {
        if let Some(id) = self.cache.register_id.get() {
            return Ok(*id);
        }
        let id = register::load_id(&self.tables)?;
        Ok(*self.cache.register_id.get_or_init(|| id))
    }

    /// Whether the store is older than its register: it lacks an ending that is not pending. Tokens are
    /// read as ended, and the next write stores the endings.
    pub fn is_store_outdated(&self) -> bool {
        self.pending.as_ref().is_some_and(|pending| pending.is_store_outdated)
    }

    /// Whether the register marks a state that is not in the history of the store, which can have all
    /// endings all the same. The next write marks its own state.
    pub fn is_of_other_history(&self) -> bool {
        let pending = self.pending.as_ref();
        pending.is_some_and(|pending| pending.is_store_outdated || pending.lacking.is_some())
    }

    /// Whether the register is an older copy: it lacks an ending that the store took over from it. Then
    /// it would not protect from an older copy of the store.
    pub(super) fn is_register_older(&self) -> bool {
        let newest = load_newest_ending(&self.tables).unwrap_or_default();
        let known = |register: &RegisterSnapshot| register.newest_ending().ok();
        matches!(&self.register, Some(Ok(register)) if newest > known(register))
    }

    /// The number of endings that the records lack.
    pub fn pending_count(&self) -> usize {
        self.pending.as_ref().map_or(0, |pending| pending.entries().count())
    }

    /// Reads the token with this id whose deletion is stored or pending.
    pub fn deleted_token(&self, id: &TokenId) -> Result<Option<TrashedToken>, StoreError> {
        if let Some(stored) = self.trashed(id)? {
            return Ok(Some(stored));
        }
        let pending = self.pending.as_ref().and_then(|pending| pending.deletion_of(id));
        let Some(at) = pending else { return Ok(None) };
        let key = id.as_bytes();
        let token = self.tables.tokens.get(key, |body| TokenV2::decode_token(key, body))?;
        Ok(token.map(|token| TrashedToken { token, at }))
    }

    /// Finds the endings of `register` that the records lack.
    fn find_missing_endings(
        &self,
        register: &RegisterSnapshot,
    ) -> Result<PendingEndings, StoreError> {
        let (pending, mark) = (register.pending()?, register.mark());
        if mark.event.map_or(Ok(true), |event| self.has_event(event))? {
            let is_store_outdated = self.lacks_pending_token(&pending);
            let mut pending = PendingEndings::with_stored(pending, mark.newest_ending);
            pending.is_store_outdated = is_store_outdated;
            return Ok(pending);
        }
        let record = |id: &TokenId| self.token_without_usage(id).ok().flatten().map(|token| *token);
        // The time of a damaged mark is not known.
        let at = self.recorded_time()?.newest_event.max(Some(mark.newest_ending));
        let of_mark = (at.unwrap_or_default(), mark.event);
        let is_known = |id: &TokenId| !self.has_no_event(id);
        Ok(PendingEndings::of_other_history(register.entries()?, of_mark, record, is_known))
    }

    /// Whether no event names the token, not even a damaged one.
    fn has_no_event(&self, id: &TokenId) -> bool {
        self.events_of(id, 1).is_ok_and(|it| it.rows.is_empty() && it.damaged.is_empty())
    }

    /// Whether the trail contains this event. A damaged event counts as contained: an older copy would
    /// have none, or that of another history.
    fn has_event(&self, mark: EventMark) -> Result<bool, StoreError> {
        match self.event(mark.sequence) {
            Ok(found) => Ok(found.is_some_and(|event| event.hash == mark.hash)),
            Err(StoreError::Damaged(_)) => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Whether the store lacks a token of a pending ending: it is a copy from before the token was
    /// created. The token of an ordinary ending has a record, or at least an event.
    fn lacks_pending_token(&self, pending: &[RevocationEntry]) -> bool {
        let is_unknown = |entry: &RevocationEntry| {
            matches!(self.token_without_usage(&entry.id), Ok(None)) && self.has_no_event(&entry.id)
        };
        pending.iter().take(MAX_SOUGHT).any(is_unknown)
    }
}

impl HasTables for Reader {
    type Transaction = Arc<ReadTransaction>;

    fn tables(&self) -> &ReadTables {
        &self.tables
    }

    fn recorded_time_cache(&self) -> Option<&OnceLock<RecordedTime>> {
        Some(&self.cache.recorded_time)
    }

    fn pending(&self) -> Option<&Arc<PendingEndings>> {
        self.pending.as_ref()
    }

    fn revocation_state(&self, id: &TokenId) -> Result<RevocationState, StoreError> {
        let Some(register) = &self.register else { return Ok(RevocationState::default()) };
        let state = register.as_ref().map_err(Clone::clone)?.state(id)?;
        if state != RevocationState::default() {
            self.has_asked_register.store(true, Ordering::Relaxed);
        }
        Ok(state)
    }
}
