//! The reading and writing verbs.

use std::marker::PhantomData;

use super::error::{Damage, StoreError};
use crate::domain::{Event, EventDraft, Hash, LastUse, Moment, Name, Pat, TokenId};

/// What was found, and what could not be read; a damaged record never hides the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found<T> {
    /// The good ones.
    pub rows: Vec<T>,
    /// The records that were refused.
    pub damaged: Vec<Damage>,
}

/// A deleted token that can still be brought back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trashed {
    /// As it was.
    pub pat: Pat,
    /// When it was deleted.
    pub at: Moment,
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
    /// How many events were read.
    pub events: u64,
    /// The first fault, with the sequence where it was found.
    pub broken: Option<(u64, String)>,
    /// The hash of the newest event, as the store keeps it.
    pub head: Hash,
}

/// The reading verbs, the same in a read and in a write. Each read checks the checksum of what
/// it returns.
pub trait Rows {
    /// The token with this id, with its last use.
    fn pat(&self, _id: &TokenId) -> Result<Option<Pat>, StoreError> {
        todo!()
    }
    /// Who has this name, compared folded.
    fn id_of_name(&self, _name: &Name) -> Result<Option<TokenId>, StoreError> {
        todo!()
    }
    /// All tokens by id.
    fn pats(&self) -> Result<Found<Pat>, StoreError> {
        todo!()
    }
    /// How many tokens there are.
    fn token_count(&self) -> Result<u64, StoreError> {
        todo!()
    }
    /// At most `limit` events before this sequence (or the newest), newest first.
    fn events_before(
        &self,
        _before: Option<u64>,
        _limit: usize,
    ) -> Result<Found<Event>, StoreError> {
        todo!()
    }
    /// At most `limit` events after this sequence, oldest first.
    fn events_after(&self, _sequence: u64, _limit: usize) -> Result<Found<Event>, StoreError> {
        todo!()
    }
    /// At most `limit` events of one token, newest first.
    fn events_of(&self, _id: &TokenId, _limit: usize) -> Result<Found<Event>, StoreError> {
        todo!()
    }
    /// The newest event.
    fn last_event(&self) -> Result<Option<Event>, StoreError> {
        todo!()
    }
    /// Reads the whole trail and checks it.
    fn verify_chain(&self) -> Result<ChainState, StoreError> {
        todo!()
    }
    /// A number that grows with every committed change.
    fn generation(&self) -> Result<u64, StoreError> {
        todo!()
    }
    /// What changed after `generation`.
    fn changes_after(&self, _generation: u64) -> Result<Changes, StoreError> {
        todo!()
    }
    /// The deleted token with this id.
    fn trashed(&self, _id: &TokenId) -> Result<Option<Trashed>, StoreError> {
        todo!()
    }
    /// All deleted tokens, the last deleted first.
    fn trash(&self) -> Result<Found<Trashed>, StoreError> {
        todo!()
    }
    /// 32 hexadecimal digits that tell this store from every other.
    fn store_id(&self) -> Result<String, StoreError> {
        todo!()
    }
    /// When the store was made.
    fn created(&self) -> Result<Moment, StoreError> {
        todo!()
    }
}

/// One read transaction.
#[derive(Debug)]
pub struct Reader {}

impl Rows for Reader {}

/// One write transaction; reads see what it wrote.
#[derive(Debug)]
pub struct Writer<'t> {
    _of: PhantomData<&'t ()>,
}

impl Rows for Writer<'_> {}

impl Writer<'_> {
    /// Writes the token, new or changed; its name follows. Its `last_used` is not written: that
    /// is [`Writer::put_use`]'s. Refused if another token has the name.
    pub fn put_pat(&mut self, _pat: &Pat) -> Result<(), StoreError> {
        todo!()
    }
    /// Removes the token, its name and its last use; whether it was there.
    pub fn remove_pat(&mut self, _id: &TokenId) -> Result<bool, StoreError> {
        todo!()
    }
    /// Writes the last use of a token.
    pub fn put_use(&mut self, _id: &TokenId, _last: &LastUse) -> Result<(), StoreError> {
        todo!()
    }
    /// Gives the event its place in the chain.
    pub fn append_event(&mut self, _what: EventDraft) -> Result<Event, StoreError> {
        todo!()
    }
    /// Keeps a deleted token, with its last use.
    pub fn put_trash(&mut self, _pat: &Pat, _at: Moment) -> Result<(), StoreError> {
        todo!()
    }
    /// Forgets a deleted token; whether it was there.
    pub fn remove_trash(&mut self, _id: &TokenId) -> Result<bool, StoreError> {
        todo!()
    }
}
