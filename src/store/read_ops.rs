//! The reading verbs, the same in a read and in a write. Each checks what it returns: a damaged
//! record is named, never guessed, and hides no other. The service calls them in the closures
//! that it gives to `Store::read` and `Store::write`.

use std::{
    ops::{Bound, ControlFlow},
    sync::{Arc, OnceLock},
};

use super::{
    chain,
    codec::{Body, decode},
    consistency,
    error::{Damage, StoreError},
    migrate,
    raw_batch::{self, RawBatch},
    record::{BirthV1, RefV1, TokenV1, TrashV1, Uses, UsesV1},
    snapshot_id::SnapshotCache,
    tables::{AccessMode, ReadOnly, Tables},
};
use crate::domain::{
    AuditEvent, EventHash, Name, Timestamp, Token, TokenId, terminal_text::to_hex,
};

/// Under which word the table `meta-1` holds which store this is.
pub(super) const BIRTH: &[u8] = b"birth";

/// What was found, and what could not be read; a damaged record never hides the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanResult<T> {
    pub rows: Vec<T>,
    pub damaged: Vec<Damage>,
}

impl<T> Default for ScanResult<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), damaged: Vec::new() }
    }
}

impl<T> ScanResult<T> {
    pub(super) fn take(&mut self, row: Result<T, Damage>) {
        match row {
            Ok(row) => self.rows.push(row),
            Err(damage) => self.damaged.push(damage),
        }
    }
}

/// A deleted token that can still be brought back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trashed {
    pub token: Token,
    pub at: Timestamp,
}

/// How far the tokens have been read, in the order of their ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TokenCursor([u8; TokenId::LEN]);

impl TokenCursor {
    /// Whether what is read up to here includes `id`, if it is there at all.
    pub fn includes(self, id: &TokenId) -> bool {
        *id.as_bytes() <= self.0
    }
}

/// What happened after a generation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changes {
    /// These tokens were made, changed, used or removed, each named once, and this is the
    /// generation now.
    Tokens(Vec<TokenId>, u64),
    /// The feed does not reach back that far: read everything again.
    TooFar,
}

/// The state of the audit trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainState {
    /// How many events are in order, up to the first fault.
    pub events: u64,
    /// The first fault, with the sequence where it was found.
    pub broken: Option<(u64, String)>,
    /// The hash of the newest event, as the store keeps it beside the chain.
    pub head: EventHash,
}

/// What a [`Rows`] reads from; nobody else can be one.
pub trait HasTables {
    type AccessMode: AccessMode;
    fn tables(&self) -> &Tables<Self::AccessMode>;
    /// Where the time of the newest event is kept, once it was read. Only what cannot change has
    /// such a place.
    fn newest(&self) -> Option<&OnceLock<Option<Timestamp>>> {
        None
    }
}

/// One read transaction: the last commit of any process.
#[derive(Debug)]
pub struct Reader {
    pub(super) tables: Tables<ReadOnly>,
    pub(super) cache: Arc<SnapshotCache>,
}

impl HasTables for Reader {
    type AccessMode = ReadOnly;

    fn tables(&self) -> &Tables<ReadOnly> {
        &self.tables
    }

    fn newest(&self) -> Option<&OnceLock<Option<Timestamp>>> {
        Some(&self.cache.newest_event_at)
    }
}

impl<S: HasTables> ReadOps for S {}

/// The reading verbs.
pub trait ReadOps: HasTables {
    /// The token with this id, with its last use.
    fn token(&self, id: &TokenId) -> Result<Option<Token>, StoreError> {
        let mut found = self.token_without_usage(id)?;
        if let Some(token) = &mut found {
            self.attach_usage(token)?;
        }
        Ok(found)
    }

    /// The token with this id, as if it had never been used.
    fn token_without_usage(&self, id: &TokenId) -> Result<Option<Token>, StoreError> {
        let key = id.as_bytes();
        self.tables().tokens.get(key, |body| body.decode::<TokenV1<'_>>()?.token(key))
    }

    fn attach_usage(&self, token: &mut Token) -> Result<(), StoreError> {
        uses(self.tables(), &token.id)?.tell(token);
        Ok(())
    }

    /// Who has this name, compared folded.
    fn id_of_name(&self, name: &Name) -> Result<Option<TokenId>, StoreError> {
        let tables = self.tables();
        let folded = name.folded();
        match tables.names.get(folded.as_bytes(), decode::<RefV1>) {
            Ok(found) => Ok(found.and_then(|RefV1(id)| TokenId::from_bytes(id))),
            // The names are derived from the records, so the records can answer.
            Err(StoreError::Damaged(_)) => {
                let tokens = self.tokens()?.rows;
                let holder = tokens.into_iter().find(|token| token.name.folded() == folded);
                Ok(holder.map(|token| token.id))
            }
            Err(error) => Err(error),
        }
    }

    /// All tokens in the order of their ids.
    fn tokens(&self) -> Result<ScanResult<Token>, StoreError> {
        let Tables { tokens, uses, .. } = self.tables();
        let mut all = ScanResult::default();
        tokens.merge_join(uses, Bound::Unbounded, |key, record, usage| {
            let (token, damaged) = raw_batch::read_token(key, record, usage);
            all.take(token);
            all.damaged.extend(damaged);
            ControlFlow::Continue(())
        })?;
        Ok(all)
    }

    /// At most `limit` tokens after `after`, or from the first on, in the order of their ids; a
    /// damaged one counts. Also returns the position of the last one; `None` at the end.
    fn tokens_after(
        &self,
        after: Option<TokenCursor>,
        limit: usize,
    ) -> Result<(ScanResult<Token>, Option<TokenCursor>), StoreError> {
        let (batch, next) = self.raw_batch_after(after, limit)?;
        let mut found = ScanResult { rows: Vec::with_capacity(batch.len()), damaged: Vec::new() };
        batch.each(|token| found.take(token));
        Ok((found, next))
    }

    /// As [`Rows::pats_after`], but copies the records only, to be decoded later.
    fn raw_batch_after(
        &self,
        after: Option<TokenCursor>,
        limit: usize,
    ) -> Result<(RawBatch, Option<TokenCursor>), StoreError> {
        let Tables { tokens, uses, .. } = self.tables();
        let from = after.map_or(Bound::Unbounded, |TokenCursor(key)| Bound::Excluded(key));
        let (mut batch, mut last) = (RawBatch::with_room(limit), None);
        tokens.merge_join(uses, from.as_ref(), |key, record, used| {
            if batch.len() == limit {
                return ControlFlow::Break(());
            }
            batch.add(key, record, used);
            last = Some(TokenCursor(*key));
            ControlFlow::Continue(())
        })?;
        let last = last.filter(|_| batch.len() == limit);
        Ok((batch, last))
    }

    /// How many tokens there are, damaged ones included.
    fn token_count(&self) -> Result<u64, StoreError> {
        self.tables().tokens.len()
    }

    /// At most `limit` good events before this sequence (`None`: from the newest on), newest
    /// first. An empty answer is the end of the trail.
    fn events_before(
        &self,
        before: Option<u64>,
        limit: usize,
    ) -> Result<ScanResult<AuditEvent>, StoreError> {
        chain::events(&self.tables().events, ..before.unwrap_or(u64::MAX), true, limit)
    }

    /// At most `limit` good events after this sequence, oldest first.
    fn events_after(
        &self,
        sequence: u64,
        limit: usize,
    ) -> Result<ScanResult<AuditEvent>, StoreError> {
        let from = sequence.saturating_add(1);
        chain::events(&self.tables().events, from.., false, limit)
    }

    /// At most `limit` good events of one token, newest first.
    fn events_of(&self, id: &TokenId, limit: usize) -> Result<ScanResult<AuditEvent>, StoreError> {
        chain::events_of(self.tables(), id, limit)
    }

    fn last_event(&self) -> Result<Option<AuditEvent>, StoreError> {
        let events = &self.tables().events;
        let last = events.last_key()?;
        events.get(last, |body| chain::event(last, body))
    }

    /// The newest event that can be read: a damaged one must not stop checks and revocations.
    fn newest_event(&self) -> Result<Option<AuditEvent>, StoreError> {
        match self.last_event() {
            Err(StoreError::Damaged(_)) => Ok(self.events_before(None, 1)?.rows.pop()),
            newest => newest,
        }
    }

    /// When the newest event that can be read was. Every check asks, so it is read once for each
    /// commit.
    fn newest_event_at(&self) -> Result<Option<Timestamp>, StoreError> {
        let place = self.newest();
        if let Some(at) = place.and_then(OnceLock::get) {
            return Ok(*at);
        }
        let at = self.newest_event()?.map(|event| event.what.at);
        Ok(place.map_or(at, |place| *place.get_or_init(|| at)))
    }

    /// Reads the whole trail and checks it: no gap, every previous hash right, every event of a
    /// token found by that token, and the newest hash the one that is kept beside the chain.
    fn verify_chain(&self) -> Result<ChainState, StoreError> {
        chain::verify(self.tables())
    }

    /// Where the tables contradict each other, a sentence for each place: empty unless a change
    /// was made by halves, which no transaction does. Reads everything.
    fn disagreements(&self) -> Result<Vec<String>, StoreError> {
        consistency::find_inconsistencies(self.tables())
    }

    /// A number that grows with every committed change, last uses included; 0 in a new store.
    fn generation(&self) -> Result<u64, StoreError> {
        self.tables().changes.last_key()
    }

    /// Which tokens changed after `generation`. A store that another one took the place of has
    /// generations of its own: compare [`Rows::store_id`].
    fn changes_after(&self, generation: u64) -> Result<Changes, StoreError> {
        let changes = &self.tables().changes;
        let last = changes.last_key()?;
        let next = generation.saturating_add(1);
        if generation == last {
            return Ok(Changes::Tokens(Vec::new(), last));
        }
        if generation > last || changes.first_key()?.is_none_or(|first| first > next) {
            return Ok(Changes::TooFar);
        }
        let mut ids = std::collections::BTreeSet::new();
        let mut damaged = false;
        changes.scan(next.., false, |_, row| {
            match row.ok().and_then(decode::<RefV1>) {
                Some(RefV1(id)) => drop(ids.insert(id)),
                None => damaged = true,
            }
            ControlFlow::Continue(())
        })?;
        if damaged {
            return Ok(Changes::TooFar);
        }
        // The row of the store as a whole is no id, and falls out here.
        let ids = ids.into_iter().filter_map(TokenId::from_bytes).collect();
        Ok(Changes::Tokens(ids, last))
    }

    fn trashed(&self, id: &TokenId) -> Result<Option<Trashed>, StoreError> {
        let key = id.as_bytes();
        self.tables().trash.get(key, |body| trashed(key, body))
    }

    /// All deleted tokens, the last deleted first.
    fn trash(&self) -> Result<ScanResult<Trashed>, StoreError> {
        let trash = &self.tables().trash;
        let mut found = ScanResult::default();
        trash.each(|key: &[u8; TokenId::LEN], row| {
            found.take(row.and_then(|it| trashed(key, it).ok_or_else(|| trash.damage(&key))));
            ControlFlow::Continue(())
        })?;
        found.rows.sort_by_key(|trashed| std::cmp::Reverse(trashed.at));
        Ok(found)
    }

    /// The number of the store's format.
    fn schema(&self) -> Result<u32, StoreError> {
        let meta = &self.tables().meta;
        let damaged = || StoreError::Damaged(meta.damage(&migrate::SCHEMA));
        migrate::schema(meta)?.ok_or_else(damaged)
    }

    /// 32 hexadecimal digits that tell this store from every other.
    fn store_id(&self) -> Result<String, StoreError> {
        let birth = birth(self.tables())?;
        Ok(to_hex(&birth.id))
    }

    #[cfg(any(test, feature = "testing"))]
    fn created(&self) -> Result<Timestamp, StoreError> {
        let tables = self.tables();
        let damaged = || StoreError::Damaged(tables.meta.damage(&BIRTH));
        birth(tables)?.created.moment().ok_or_else(damaged)
    }
}

/// When the token with this id was used. A record that only informs must not deny a token:
/// damaged it tells nothing, and `tokens` names it.
pub(super) fn uses<A: AccessMode>(tables: &Tables<A>, id: &TokenId) -> Result<Uses, StoreError> {
    match tables.uses.get(id.as_bytes(), |body| body.decode::<UsesV1<'_>>()?.uses()) {
        Ok(uses) => Ok(uses.unwrap_or_default()),
        Err(StoreError::Damaged(_)) => Ok(Uses::default()),
        Err(error) => Err(error),
    }
}

fn trashed(id: &[u8; TokenId::LEN], body: Body<'_>) -> Option<Trashed> {
    let (token, at) = body.decode::<TrashV1<'_>>()?.trashed(id)?;
    Some(Trashed { token, at })
}

fn birth<A: AccessMode>(tables: &Tables<A>) -> Result<BirthV1, StoreError> {
    let found = tables.meta.get(BIRTH, decode::<BirthV1>)?;
    found.ok_or_else(|| StoreError::Damaged(tables.meta.damage(&BIRTH)))
}
