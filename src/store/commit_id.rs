//! All code that depends on the layout of redb's file header. redb reads the header once for each
//! `begin_read`. The header contains checksums of the data that it refers to, so two reads with
//! equal headers see the same commit. The tests fail if redb changes this behaviour. The storage
//! backend reports its reads to this module; `file_db` uses the resulting ids.

use std::{
    cell::RefCell,
    fs::File,
    io,
    os::unix::fs::FileExt as _,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use super::recorded_time::RecordedTime;
use super::register::RegisterId;

/// The offset of the header in the file, in bytes.
const HEADER_OFFSET: u64 = 0;
/// The length of the header in bytes, including both transaction slots.
const HEADER_LEN: usize = 320;

/// The offset of the flags: bit 0 selects the slot of the newest commit. If bit 3 is set, that
/// commit is not on disk yet, and the other slot counts.
const FLAGS_OFFSET: usize = 9;
const SLOT_FLAG: u8 = 1;
const UNFLUSHED_FLAG: u8 = 8;
/// The offset of the first slot and the length of each.
const SLOTS_OFFSET: usize = 64;
const SLOT_LEN: usize = 128;
/// The offset of the transaction id in a slot.
const TRANSACTION_OFFSET: usize = 104;

thread_local! {
    static CAPTURE: RefCell<HeaderReads> =
        const { RefCell::new(HeaderReads { is_active: false, reads: 0, header: [0; HEADER_LEN] }) };
}

/// The reads of the header during the current `begin_read` on this thread.
struct HeaderReads {
    is_active: bool,
    /// Number of reads of the header. A read of a different range that overlaps the header counts
    /// as two, so that no id is derived from it.
    reads: u32,
    header: [u8; HEADER_LEN],
}

/// Identifies a commit of one file by the bytes of its header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CommitId(Box<[u8; HEADER_LEN]>);

impl CommitId {
    /// The last commit of `file`.
    pub(super) fn of_file(file: &File) -> io::Result<Self> {
        let mut header = Box::new([0; HEADER_LEN]);
        file.read_exact_at(&mut *header, HEADER_OFFSET)?;
        Ok(Self(header))
    }

    /// Returns whether this is the last commit of `file`. Also returns `false` while another header
    /// is being written.
    pub(super) fn is_latest_of(&self, file: &File) -> bool {
        let mut header = [0; HEADER_LEN];
        file.read_exact_at(&mut header, HEADER_OFFSET).is_ok() && *self.0 == header
    }

    /// Whether this commit does not continue the history of `seen`: its transaction id is lower, or
    /// equal with other content. This happens if an older copy of the file was put back.
    pub(super) fn rewinds(&self, seen: &Self) -> bool {
        let ((own, own_slot), (last, last_slot)) = (self.slot(), seen.slot());
        own < last || (own == last && own_slot != last_slot)
    }

    /// The transaction id and the bytes of the slot of this commit.
    fn slot(&self) -> (u64, &[u8]) {
        let flags = self.0.get(FLAGS_OFFSET).copied().unwrap_or_default();
        let is_second = (flags & SLOT_FLAG != 0) != (flags & UNFLUSHED_FLAG != 0);
        let slots = self.0.get(SLOTS_OFFSET..).unwrap_or_default();
        let (first, second) = slots.split_at_checked(SLOT_LEN).unwrap_or_default();
        let slot = if is_second { second } else { first };
        let id = slot.get(TRANSACTION_OFFSET..).and_then(|bytes| bytes.first_chunk());
        (id.map_or(0, |bytes| u64::from_le_bytes(*bytes)), slot)
    }
}

/// Captures the header that a `begin_read` reads through the storage backend.
pub(super) struct CommitIdObserver;

impl CommitIdObserver {
    /// Runs `begin`, which begins one read transaction. Also returns the id of the commit that this
    /// transaction sees, or `None` if redb did not read exactly one whole header on this thread.
    pub(super) fn observe<T>(begin: impl FnOnce() -> T) -> (T, Option<CommitId>) {
        CAPTURE.with_borrow_mut(|capture| (capture.is_active, capture.reads) = (true, 0));
        let result = begin();
        let id = CAPTURE.with_borrow_mut(|capture| {
            capture.is_active = false;
            (capture.reads == 1).then(|| CommitId(Box::new(capture.header)))
        });
        (result, id)
    }

    /// Records a read of `bytes` at `offset`. The backend calls this after each read.
    pub(super) fn on_read(offset: u64, bytes: &[u8]) {
        if offset >= HEADER_OFFSET.saturating_add(HEADER_LEN as u64) {
            return;
        }
        CAPTURE.with_borrow_mut(|capture| {
            let is_whole = offset == HEADER_OFFSET && bytes.len() == HEADER_LEN;
            capture.reads = capture.reads.saturating_add(if is_whole { 1 } else { 2 });
            if capture.is_active && is_whole {
                capture.header.copy_from_slice(bytes);
            }
        });
    }
}

/// Values derived from one commit. A commit never changes, so each value is computed once.
#[derive(Debug, Default)]
pub(super) struct CommitValues {
    /// The id of the commit, or `None` if it is unknown. A cache without an id is not shared with
    /// other reads.
    pub(super) id: Option<CommitId>,
    /// The newest time that the store contains.
    pub(super) recorded_time: OnceLock<RecordedTime>,
    /// The revocation register that belongs to the store.
    pub(super) register_id: OnceLock<RegisterId>,
}

/// The cache of the commit that was read last.
#[derive(Debug, Default)]
pub(super) struct LatestCommitValues(Mutex<Arc<CommitValues>>);

impl LatestCommitValues {
    /// The commit that was read last, or `None` if it is unknown.
    pub(super) fn id(&self) -> Option<CommitId> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).id.clone()
    }

    /// Whether the commit `id` does not continue the history of the commit that was read last; see
    /// [`CommitId::rewinds`].
    pub(super) fn is_rewound_by(&self, id: Option<&CommitId>) -> bool {
        let latest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        id.zip(latest.id.as_ref()).is_some_and(|(id, seen)| id.rewinds(seen))
    }

    /// Returns the cache of the commit `id`. If this is not the commit that was read last, runs
    /// `check` and, if `check` succeeds, creates a new cache.
    pub(super) fn cache_of<E>(
        &self,
        id: Option<CommitId>,
        check: impl FnOnce() -> Result<(), E>,
    ) -> Result<Arc<CommitValues>, E> {
        let mut latest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if id.is_some() && id == latest.id {
            return Ok(Arc::clone(&latest));
        }
        check()?;
        let cache = Arc::new(CommitValues { id, ..CommitValues::default() });
        if cache.id.is_some() {
            *latest = Arc::clone(&cache);
        }
        Ok(cache)
    }
}

#[cfg(test)]
#[path = "commit_id_tests.rs"]
mod tests;
