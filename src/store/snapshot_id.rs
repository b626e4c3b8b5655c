//! Everything that depends on the layout of redb's file header. redb reads the header once for
//! each `begin_read`; the header holds the checksums of all that it points to, so two reads that
//! got the same bytes there see the same commit. The tests fail when redb no longer does so.
//! Filled by the storage backend, used by `file_db`.

use std::{
    cell::RefCell,
    fs::File,
    os::unix::fs::FileExt as _,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use crate::domain::Moment;

/// Where the header is in the file, in bytes.
const HEADER_OFFSET: u64 = 0;
/// Its length, with both transaction slots.
const HEADER_LEN: usize = 320;

thread_local! {
    /// The header reads of the `begin_read` that this thread is in.
    static CAPTURE: RefCell<Capture> = const { RefCell::new(Capture::Inactive) };
}

enum Capture {
    /// No `begin_read` is running on this thread.
    Inactive,
    Pending,
    Read(SnapshotId),
    /// redb did not read the header once and as a whole: the commit is unknown.
    Ambiguous,
}

/// Identifies a commit of one file: the bytes of its header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SnapshotId([u8; HEADER_LEN]);

impl SnapshotId {
    /// The commit that is the last of `file` now. A header that is being written at the moment
    /// compares as different.
    pub(super) fn latest(file: &File) -> Option<Self> {
        let mut header = [0; HEADER_LEN];
        file.read_exact_at(&mut header, HEADER_OFFSET).ok()?;
        Some(Self(header))
    }
}

/// Learns from the storage backend which header a `begin_read` got.
pub(super) struct HeaderCapture;

impl HeaderCapture {
    /// Runs `begin`, which begins one read. Also returns the commit that it sees; `None` if redb
    /// did not read exactly one whole header for it on this thread.
    pub(super) fn observe<T>(begin: impl FnOnce() -> T) -> (T, Option<SnapshotId>) {
        CAPTURE.replace(Capture::Pending);
        let result = begin();
        match CAPTURE.replace(Capture::Inactive) {
            Capture::Read(id) => (result, Some(id)),
            _ => (result, None),
        }
    }

    /// The backend calls this after each read of `bytes` at `offset`.
    pub(super) fn on_read(offset: u64, bytes: &[u8]) {
        if offset >= HEADER_OFFSET.saturating_add(HEADER_LEN as u64) {
            return;
        }
        CAPTURE.with_borrow_mut(|capture| {
            *capture = match (&*capture, <[u8; HEADER_LEN]>::try_from(bytes)) {
                (Capture::Inactive, _) => return,
                (Capture::Pending, Ok(header)) if offset == HEADER_OFFSET => {
                    Capture::Read(SnapshotId(header))
                }
                _ => Capture::Ambiguous,
            };
        });
    }
}

/// Values derived from one commit. A commit never changes, so they are computed once.
#[derive(Debug, Default)]
pub(super) struct SnapshotCache {
    /// `None` if it is not known which commit this is; it is shared with no other read then.
    pub(super) id: Option<SnapshotId>,
    /// The time of the newest event that can be read.
    pub(super) newest_event_at: OnceLock<Option<Moment>>,
}

/// The cache of the commit that a file was read at last.
#[derive(Debug, Default)]
pub(super) struct LatestSnapshot(Mutex<Arc<SnapshotCache>>);

impl LatestSnapshot {
    /// The cache of the commit `id`. If it is another commit than before, the cache is new, and
    /// `check` must accept it first.
    pub(super) fn cache_of<E>(
        &self,
        id: Option<SnapshotId>,
        check: impl FnOnce() -> Result<(), E>,
    ) -> Result<Arc<SnapshotCache>, E> {
        let mut latest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if id.is_some() && id == latest.id {
            return Ok(Arc::clone(&latest));
        }
        check()?;
        let cache = Arc::new(SnapshotCache { id, ..SnapshotCache::default() });
        if id.is_some() {
            *latest = Arc::clone(&cache);
        }
        Ok(cache)
    }
}

#[cfg(test)]
#[path = "snapshot_id_tests.rs"]
mod tests;
