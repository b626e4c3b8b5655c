//! The revocation register: a small file beside the store that records which secrets were ended,
//! even if the store cannot be written. An ending is a revoke, a delete or the end of an overlap.
//! It is pending until the store's record contains it. The register is a hash table whose slots are
//! updated in place, so an ending needs neither free space nor the store's lock. Every check reads
//! the register. If the register is missing, damaged or belongs to another store, no check has an
//! answer. Called by `FileDb` and the service.

mod file;
mod hints;
mod layout;
mod new_table;
mod pending;
mod reserve;
mod snapshot;
mod writer;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rand::{TryRng as _, rngs::SysRng};

pub(super) use self::new_table::{create, merge_entries};
pub use self::pending::PendingEndings;
pub(super) use self::snapshot::RegisterSnapshot;
use self::{
    file::{RegisterFile, unusable},
    layout::FileStart,
    snapshot::LatestSnapshot,
    writer::RegisterWriter,
};
use super::{
    codec::decode,
    error::{IoOperation, StoreError},
    read_ops::{ReadOps, TrashedToken},
    record::RegisterIdV1,
    tables::{Tables, Transaction, WriteTables},
};
use crate::domain::{Actor, Denial, SecretSlot, Timestamp, Token, TokenId};

/// The key of the register id in the table `meta-1`.
const REGISTER: &[u8] = b"register";

/// How long a writer waits for each lock. A running writer holds a lock for microseconds, so a lock
/// that stays held belongs to a stopped process. Then the second lock is taken.
const LOCK_TIMEOUT: Duration = Duration::from_millis(40);

/// Identifies a register. The store contains the id of the register that belongs to it.
pub type RegisterId = [u8; 16];

/// The content of the register for one token. Raising an entry merges it with new values: each
/// number becomes the maximum of the old and the new one, so that no ended secret works again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevocationEntry {
    pub id: TokenId,
    /// Secrets of the token with a generation up to this one never work again.
    pub ended_generation: u32,
    /// A record of the token with a lower version is out of date: no secret of the token is
    /// accepted.
    pub min_version: u64,
    /// When the token expires; the entry can be dropped from then on. `None` for never.
    pub expires: Option<Timestamp>,
    /// The ending that the store's record does not contain yet.
    pub pending: Option<Ending>,
}

impl RevocationEntry {
    /// Returns an entry that ends nothing.
    pub fn of(id: TokenId) -> Self {
        Self { id, ended_generation: 0, min_version: 0, expires: None, pending: None }
    }

    /// Returns the entry for the current record of `token`. The entry ends all secrets of the token
    /// except those that the record still accepts.
    pub fn of_token(token: &Token) -> Self {
        let working = match (token.revoked, &token.previous) {
            (Some(_), _) => 0,
            (None, None) => 1,
            (None, Some(_)) => 2,
        };
        Self {
            ended_generation: token.generation.saturating_sub(working),
            min_version: token.version,
            expires: token.expires,
            ..Self::of(token.id)
        }
    }

    /// Returns the entry of a deleted token: it ends all secrets of `token`.
    pub fn of_deleted(token: &Token) -> Self {
        Self { ended_generation: token.generation, ..Self::of_token(token) }
    }

    /// Returns an entry that ends all secrets of a token whose generation is unknown.
    pub fn all_ended(id: TokenId) -> Self {
        Self { ended_generation: u32::MAX, ..Self::of(id) }
    }

    /// Identifies the pending ending of this entry. Contains only token, kind and time. Other
    /// fields can change when the entry is stored: a slot cuts a long actor, and raising merges the
    /// entry with the earlier content of its slot.
    pub fn ending_key(&self) -> (TokenId, Option<(EndingKind, Timestamp)>) {
        (self.id, self.pending.as_ref().map(|ending| (ending.kind, ending.at)))
    }

    /// Merges two entries of one token. Returns `None` for entries of two tokens, or if both have a
    /// pending ending.
    fn merged(&self, other: &Self) -> Option<Self> {
        let is_one = self.id == other.id
            && (self.pending.is_none() || other.pending.is_none() || self.pending == other.pending);
        is_one.then(|| Self {
            id: self.id,
            ended_generation: self.ended_generation.max(other.ended_generation),
            min_version: self.min_version.max(other.min_version),
            // `None` is never, which is the latest.
            expires: self.expires.zip(other.expires).map(|(one, other)| one.max(other)),
            pending: self.pending.clone().or_else(|| other.pending.clone()),
        })
    }
}

/// A change that ends secrets, with the time and actor for its audit event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    pub kind: EndingKind,
    pub at: Timestamp,
    pub actor: Actor,
}

/// The changes that end secrets. A slot contains the number of the variant, or 0 if no ending is
/// pending.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EndingKind {
    Revoke = 1,
    EndOverlap = 2,
    Delete = 3,
}

impl EndingKind {
    fn from_code(code: u8) -> Option<Self> {
        [Self::Revoke, Self::EndOverlap, Self::Delete].into_iter().find(|kind| *kind as u8 == code)
    }
}

/// The maxima of the entries of one token. A check compares the token with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RevocationState {
    /// Secrets with a generation up to this one are ended.
    pub ended_generation: u32,
    /// Records with a lower version are out of date.
    pub min_version: u64,
}

impl RevocationState {
    /// Every secret of the token is ended, because one of its slots is damaged.
    const ALL_ENDED: Self = Self { ended_generation: u32::MAX, min_version: 0 };

    /// Whether no secret of the token can work, not even a new one, until the register is rebuilt.
    pub fn is_damaged(self) -> bool {
        self == Self::ALL_ENDED
    }

    /// Returns why the secret in this slot of `token` is denied, whatever its record says. Returns
    /// `None` if the register does not overrule the record.
    pub fn denial(&self, token: &Token, slot: SecretSlot, at: Timestamp) -> Option<Denial> {
        if token.generation_of(slot) <= self.ended_generation {
            Some(Denial::Revoked(token.revoked.unwrap_or(at)))
        } else {
            (token.version < self.min_version).then_some(Denial::StaleRecord)
        }
    }

    fn merge(&mut self, other: &RevocationEntry) {
        self.ended_generation = self.ended_generation.max(other.ended_generation);
        self.min_version = self.min_version.max(other.min_version);
    }
}

/// The register of one store, shared by the threads of this process.
#[derive(Debug)]
pub(super) struct Register {
    path: PathBuf,
    latest: Mutex<Option<LatestSnapshot>>,
}

impl Register {
    /// Returns the register beside the store at `store`. Opens nothing yet.
    pub(super) fn beside(store: &Path) -> Self {
        Self { path: register_path(store), latest: Mutex::new(None) }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the register at this moment. `expected` is the register id that the store contains.
    ///
    /// # Errors
    ///
    /// [`PathProblem::NoRegister`](super::PathProblem::NoRegister) if the file is missing, damaged
    /// or the register of another store.
    pub(super) fn snapshot(
        &self,
        expected: &RegisterId,
    ) -> Result<Arc<RegisterSnapshot>, StoreError> {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        let same_file = match latest.take() {
            Some(latest) => latest.refreshed(expected)?,
            None => None,
        };
        let now = match same_file {
            Some(latest) => latest,
            None => LatestSnapshot::open(&self.path, expected)?,
        };
        Ok(latest.insert(now).snapshot())
    }

    /// Like [`Register::snapshot`], but returns `None` if the register is unusable.
    fn usable_snapshot(
        &self,
        expected: &RegisterId,
    ) -> Result<Option<Arc<RegisterSnapshot>>, StoreError> {
        match self.snapshot(expected) {
            Err(error) if error == unusable(&self.path) => Ok(None),
            snapshot => snapshot.map(Some),
        }
    }

    /// Sets the time of the newest ending, also to an earlier one, after an operator accepted the
    /// clock.
    pub(super) fn set_newest_ending(
        &self,
        expected: &RegisterId,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.writer(expected)?.set_newest_ending(at)
    }

    /// Writes the register of a copy of the store to the new file `to`. `records` are the entries
    /// derived from the records of the copy. The new register also ends everything that this
    /// register ends, but does not take over its minimum versions: the records of the copy must not
    /// count as out of date. If this register is unusable, the new one contains only `records`.
    pub(super) fn copy_to(
        &self,
        to: &Path,
        expected: &RegisterId,
        records: Vec<RevocationEntry>,
    ) -> Result<(), StoreError> {
        let entries = match self.usable_snapshot(expected)? {
            Some(register) => register.entries()?,
            None => Vec::new(),
        };
        let ended = entries.into_iter().map(|entry| RevocationEntry { min_version: 0, ..entry });
        create(to, expected, &merge_entries(records.into_iter().chain(ended).collect()))
    }

    /// Returns the intact entries of a register that is damaged, but not that of another store than
    /// `expected`.
    pub(super) fn salvage(&self, expected: &RegisterId) -> Vec<RevocationEntry> {
        RegisterFile::salvage(&self.path, expected)
    }

    /// Runs `create`, which puts a new file at the path of the register. If the present file is usable,
    /// writers wait, and readers that have it open then open the new one.
    pub(super) fn replacing(
        &self,
        id: &RegisterId,
        create: impl FnOnce() -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        match RegisterWriter::first(&self.path, id, LOCK_TIMEOUT) {
            Ok(Some(mut present)) => present.supersede(create),
            Ok(None) | Err(_) => create(),
        }
    }

    /// The number of damaged entries; 0 if the register is unusable.
    pub(super) fn count_damaged(&self, expected: &RegisterId) -> Result<usize, StoreError> {
        self.usable_snapshot(expected)?.map_or(Ok(0), |register| register.count_damaged())
    }

    /// Whether the file is the register that belongs to the store. Returns an error if the file
    /// cannot be read.
    pub(super) fn is_usable(&self, expected: &RegisterId) -> Result<bool, StoreError> {
        Ok(self.usable_snapshot(expected)?.is_some())
    }

    /// Raises the entries of these tokens and syncs the file. When this returns, the secrets that
    /// the entries end are denied.
    pub(super) fn raise(
        &self,
        expected: &RegisterId,
        entries: &[RevocationEntry],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.writer(expected)?.raise(entries, now)
    }

    /// Makes room for `more` entries without delaying other processes.
    pub(super) fn reserve(
        &self,
        expected: &RegisterId,
        more: usize,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        reserve::reserve(&self.path, expected, more, now)
    }

    /// Replaces the entries of these tokens, even if the new ones end fewer secrets. A token
    /// without an entry gets none. For the undo of a delete and for imports that replace tokens.
    pub(super) fn replace(
        &self,
        expected: &RegisterId,
        entries: &[RevocationEntry],
    ) -> Result<(), StoreError> {
        self.writer(expected)?.replace(entries)
    }

    /// Records that the store now contains these endings.
    pub(super) fn clear_pending(
        &self,
        expected: &RegisterId,
        applied: &[RevocationEntry],
    ) -> Result<(), StoreError> {
        self.writer(expected)?.clear_pending(applied)
    }

    fn writer(&self, expected: &RegisterId) -> Result<RegisterWriter<'_>, StoreError> {
        RegisterWriter::lock(&self.path, expected, LOCK_TIMEOUT)
    }
}

/// Gives the store a new register id, in the transaction of `tables`, and returns it.
pub(super) fn assign_id(tables: &mut WriteTables<'_>) -> Result<RegisterId, StoreError> {
    let id = random_bytes()?;
    set_id(tables, &id)?;
    Ok(id)
}

/// Returns random bytes from the kernel.
pub(super) fn random_bytes<const N: usize>() -> Result<[u8; N], StoreError> {
    let mut bytes = [0; N];
    let drawn = SysRng.try_fill_bytes(&mut bytes);
    drawn.map_err(|error| StoreError::failed(IoOperation::Create, error))?;
    Ok(bytes)
}

/// Makes `id` the register id of the store, in the transaction of `tables`.
pub(super) fn set_id(tables: &mut WriteTables<'_>, id: &RegisterId) -> Result<(), StoreError> {
    tables.meta.put(REGISTER, &RegisterIdV1(*id))
}

/// Reads the id and the entries of the register at `path`. Returns `None` if the register is
/// missing or damaged, or if its id is not the `expected` one.
pub(super) fn read_file(
    path: &Path,
    expected: Option<&RegisterId>,
) -> Result<Option<(RegisterId, Vec<RevocationEntry>)>, StoreError> {
    let opened = match RegisterFile::open_any(path, false) {
        Err(error) if error == unusable(path) => return Ok(None),
        opened => opened?,
    };
    let (file, Some(FileStart { header, .. })) = opened else { return Ok(None) };
    if expected.is_some_and(|id| *id != header.id) {
        return Ok(None);
    }
    Ok(Some((header.id, file.content(&header)?.into_entries())))
}

/// The register id of the store.
pub(super) fn load_id<A: Transaction>(tables: &Tables<A>) -> Result<RegisterId, StoreError> {
    let found = tables.meta.get(REGISTER, decode::<RegisterIdV1>)?;
    let RegisterIdV1(id) =
        found.ok_or_else(|| StoreError::Damaged(tables.meta.damage(&REGISTER)))?;
    Ok(id)
}

/// Returns the entries of a new register: the secrets that are ended according to the records. The
/// new register does not protect restrictions that the records do not contain.
pub(super) fn entries_from_records(
    rows: &impl ReadOps,
) -> Result<Vec<RevocationEntry>, StoreError> {
    let mut entries = Vec::new();
    for token in rows.tokens()?.rows {
        let entry = RevocationEntry::of_token(&token);
        if entry.ended_generation > 0 {
            entries.push(entry);
        }
    }
    for TrashedToken { token, .. } in rows.trash()?.rows {
        entries.push(RevocationEntry::of_deleted(&token));
    }
    Ok(entries)
}

/// Returns the path of the register of the store at `store`.
pub(super) fn register_path(store: &Path) -> PathBuf {
    let mut path = store.as_os_str().to_owned();
    path.push(".revoked");
    path.into()
}

#[cfg(test)]
mod tests;
