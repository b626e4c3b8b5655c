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

use crate::domain::Timestamp;

/// Where the header is in the file, in bytes.
const HEADER_OFFSET: u64 = 0;
/// Its length, with both transaction slots.
const HEADER_LEN: usize = 320;

thread_local! {
    static CAPTURE: RefCell<Capture> =
        const { RefCell::new(Capture { is_active: false, reads: 0, header: [0; HEADER_LEN] }) };
}

/// The header reads of the `begin_read` that this thread is in.
struct Capture {
    is_active: bool,
    /// How many there were; one that is not of the whole header alone counts twice.
    reads: u32,
    header: [u8; HEADER_LEN],
}

/// Identifies a commit of one file: the bytes of its header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SnapshotId(Box<[u8; HEADER_LEN]>);

impl SnapshotId {
    /// Whether this is the last commit of `file`. A header that is being written at the moment
    /// differs.
    pub(super) fn is_latest_of(&self, file: &File) -> bool {
        let mut header = [0; HEADER_LEN];
        file.read_exact_at(&mut header, HEADER_OFFSET).is_ok() && *self.0 == header
    }
}

/// Learns from the storage backend which header a `begin_read` got.
pub(super) struct HeaderCapture;

impl HeaderCapture {
    /// Runs `begin`, which begins one read. Also returns the commit that it sees; `None` if redb
    /// did not read exactly one whole header for it on this thread.
    pub(super) fn observe<T>(begin: impl FnOnce() -> T) -> (T, Option<SnapshotId>) {
        CAPTURE.with_borrow_mut(|capture| (capture.is_active, capture.reads) = (true, 0));
        let result = begin();
        let id = CAPTURE.with_borrow_mut(|capture| {
            capture.is_active = false;
            (capture.reads == 1).then(|| SnapshotId(Box::new(capture.header)))
        });
        (result, id)
    }

    /// The backend calls this after each read of `bytes` at `offset`.
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

/// Values derived from one commit. A commit never changes, so they are computed once.
#[derive(Debug, Default)]
pub(super) struct SnapshotCache {
    /// `None` if it is not known which commit this is; it is shared with no other read then.
    pub(super) id: Option<SnapshotId>,
    /// The time of the newest event that can be read.
    pub(super) newest_event_at: OnceLock<Option<Timestamp>>,
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
        if cache.id.is_some() {
            *latest = Arc::clone(&cache);
        }
        Ok(cache)
    }
}

#[cfg(test)]
#[path = "snapshot_id_tests.rs"]
mod tests;
