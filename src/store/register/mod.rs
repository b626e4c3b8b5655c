//! The revocation register: a small file beside the store that records which secrets were ended,
//! even if the store cannot be written. An ending is a revoke, a delete or the end of an overlap.
//! It is pending until the store's record contains it. The register is a hash table whose slots are
//! updated in place, so an ending needs neither free space nor the store's lock. Every check reads
//! the register. If the register is missing, damaged or belongs to another store, no check has an
//! answer. Called by `FileDb` and the service.

mod entry;
mod file;
mod hints;
mod layout;
mod mark;
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

pub use self::entry::{Ending, EndingKind, RevocationEntry, RevocationState};
pub(super) use self::new_table::{create, merge_entries};
pub(super) use self::snapshot::RegisterSnapshot;
use self::{
    file::{RegisterFile, unusable},
    layout::FileStart,
    snapshot::LatestSnapshot,
    writer::RegisterWriter,
};
pub use self::{
    mark::{EventMark, StoredMark},
    pending::{EndingsToStore, PendingEndings},
};
use super::{
    codec::decode,
    commit_id::CommitId,
    error::{IoOperation, StoreError},
    read_ops::{ReadOps, TrashedToken},
    record::RegisterIdV1,
    restore::if_readable,
    tables::{Tables, Transaction, WriteTables},
    token_changes::TokenChanges as _,
};
use crate::domain::{Timestamp, Token};

/// The key of the register id in the table `meta-1`.
const REGISTER: &[u8] = b"register";

/// How long a writer waits for each lock. A running writer holds a lock for microseconds, so a lock
/// that stays held belongs to a stopped process. Then the second lock is taken.
const LOCK_TIMEOUT: Duration = Duration::from_millis(40);

/// Identifies a register. The store contains the id of the register that belongs to it.
pub type RegisterId = [u8; 16];

/// The register of one store, shared by the threads of this process.
#[derive(Debug)]
pub(super) struct Register {
    path: PathBuf,
    latest: Mutex<Option<LatestSnapshot>>,
    /// What was found last. If the store is older than its register, finding it reads all entries and
    /// their records, and a damaged store is opened again for each read.
    missing: Mutex<Option<MissingEndings>>,
}

/// The endings of a register that the records of a commit lack; `None` if there are none.
#[derive(Debug)]
struct MissingEndings {
    commit: CommitId,
    register: Arc<RegisterSnapshot>,
    endings: Option<Arc<PendingEndings>>,
}

impl Register {
    /// Returns the register beside the store at `store`. Opens nothing yet.
    pub(super) fn beside(store: &Path) -> Self {
        Self { path: register_path(store), latest: Mutex::new(None), missing: Mutex::new(None) }
    }

    /// Returns the endings of `register` that the records of `commit` lack, which `find` finds.
    pub(super) fn missing_endings(
        &self,
        commit: Option<&CommitId>,
        register: &Arc<RegisterSnapshot>,
        find: impl FnOnce() -> Option<PendingEndings>,
    ) -> Option<Arc<PendingEndings>> {
        let mut last = self.missing.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(last) = &*last
            && Some(&last.commit) == commit
            && Arc::ptr_eq(&last.register, register)
        {
            return last.endings.clone();
        }
        let found = find()?;
        let endings = (!found.is_empty()).then(|| Arc::new(found));
        if let Some(commit) = commit.cloned() {
            let (register, endings) = (Arc::clone(register), endings.clone());
            *last = Some(MissingEndings { commit, register, endings });
        }
        endings
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
        let writer = self.writer(expected)?;
        writer.set_mark(&StoredMark { newest_ending: at, ..writer.mark()? })
    }

    /// Marks a state of the store that has all endings that are not pending, unless a later state is
    /// marked. The event `lacking`, of another history, is no later state.
    pub(super) fn raise_mark(
        &self,
        expected: &RegisterId,
        mark: &StoredMark,
        lacking: Option<EventMark>,
    ) -> Result<(), StoreError> {
        self.writer(expected)?.raise_mark(mark, lacking)
    }

    /// Marks a state of the store in place of any other, for a store whose trail was replaced.
    pub(super) fn replace_mark(
        &self,
        expected: &RegisterId,
        mark: &StoredMark,
    ) -> Result<(), StoreError> {
        let writer = self.writer(expected)?;
        let lacking = writer.mark()?.event;
        writer.raise_mark(mark, lacking)
    }

    /// Writes the register of a copy of the store to the new file `to`. `records` are the entries
    /// derived from the records of the copy. The new register also ends everything that this
    /// register ends, but does not take over its minimum versions: the records of the copy must not
    /// count as out of date. `mark` is that of the copy. If this register is unusable, the new one
    /// contains only `records`.
    pub(super) fn copy_to(
        &self,
        to: &Path,
        expected: &RegisterId,
        (records, mark): (Vec<RevocationEntry>, StoredMark),
    ) -> Result<(), StoreError> {
        let entries = match self.usable_snapshot(expected)? {
            Some(register) => register.entries()?,
            None => Vec::new(),
        };
        let ended = entries.into_iter().map(RevocationEntry::for_copy);
        let entries = merge_entries(records.into_iter().chain(ended).collect());
        create(to, expected, &entries, &mark)
    }

    /// Returns the intact entries of a register that is damaged, but not that of another store than
    /// `expected`.
    pub(super) fn salvage(&self, expected: &RegisterId) -> Vec<RevocationEntry> {
        RegisterFile::salvage(&self.path, Some(expected))
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

    /// Whether the file is the register that belongs to the store, and not a copy from before the ending
    /// of the time `newest`, which the store has taken over.
    pub(super) fn has_ending_of(
        &self,
        expected: &RegisterId,
        newest: Option<Timestamp>,
    ) -> Result<bool, StoreError> {
        match self.usable_snapshot(expected)? {
            Some(snapshot) => Ok(newest <= Some(snapshot.newest_ending()?)),
            None => Ok(false),
        }
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

    /// Records that the store now contains these endings, and marks the state after `event`, also if
    /// the event `lacking` of another history is marked.
    pub(super) fn clear_pending(
        &self,
        expected: &RegisterId,
        applied: &[RevocationEntry],
        event: Option<EventMark>,
        lacking: Option<EventMark>,
    ) -> Result<(), StoreError> {
        self.writer(expected)?.clear_pending(applied, event, lacking)
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

/// What a file at the path of a register contains.
#[derive(Debug, Default)]
pub(super) struct RegisterContent {
    /// `None` if the register is missing or damaged, or if its id is not the expected one.
    pub(super) id: Option<RegisterId>,
    /// The entries. If the header is damaged, those that are intact.
    pub(super) entries: Vec<RevocationEntry>,
}

/// Reads the register at `path`. Without an expected id, any register there counts.
pub(super) fn read_file(
    path: &Path,
    expected: Option<&RegisterId>,
) -> Result<RegisterContent, StoreError> {
    let (file, start) = match RegisterFile::open_any(path, false) {
        Err(error) if error == unusable(path) => return Ok(RegisterContent::default()),
        opened => opened?,
    };
    let Some(FileStart { header, .. }) = start else {
        let entries = RegisterFile::salvage(path, expected);
        return Ok(RegisterContent { id: None, entries });
    };
    if expected.is_some_and(|id| *id != header.id) {
        return Ok(RegisterContent::default());
    }
    let entries = file.content(&header)?.into_entries();
    Ok(RegisterContent { id: Some(header.id), entries })
}

/// The register id of the store.
pub(super) fn load_id<A: Transaction>(tables: &Tables<A>) -> Result<RegisterId, StoreError> {
    let found = tables.meta.get(REGISTER, decode::<RegisterIdV1>)?;
    let RegisterIdV1(id) =
        found.ok_or_else(|| StoreError::Damaged(tables.meta.damage(&REGISTER)))?;
    Ok(id)
}

/// Returns the entries of a new register: the secrets that are ended according to the records and the
/// audit trail, and the versions of the records that were changed since they were created.
pub(super) fn entries_from_records(
    rows: &impl ReadOps,
) -> Result<Vec<RevocationEntry>, StoreError> {
    let mut entries = Vec::new();
    for token in rows.tokens()?.rows {
        let entry = RevocationEntry::of_token(&token);
        // The version protects from an older copy in which the token still has what was taken from it.
        if entry.ended_generation > 0 || token.version > Token::FIRST_VERSION {
            entries.push(entry);
        }
    }
    for TrashedToken { token, .. } in rows.trash()?.rows {
        entries.push(RevocationEntry::of_deleted(&token));
    }
    // A damaged trail must not keep the register from being rebuilt.
    let deleted = if_readable(rows.deleted_without_record())?.unwrap_or_default();
    entries.extend(deleted.into_iter().map(RevocationEntry::all_ended));
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
