//! What is known of a commit without another look into its tables. redb reads the head of the
//! file whenever a read begins; two reads that saw the same bytes there read the same commit, for
//! the head holds the checksums of all that it leads to. Filled by the backend, asked by `disk`.

use std::sync::{Mutex, OnceLock, PoisonError};

use crate::domain::Moment;

/// The head of the file as redb read it last.
#[derive(Debug, Default)]
pub(super) struct Head {
    read: Mutex<(u64, Vec<u8>)>,
}

impl Head {
    /// Takes what was just read.
    pub(super) fn take(&self, bytes: &[u8]) {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        read.0 += 1;
        read.1.clear();
        read.1.extend_from_slice(bytes);
    }

    /// Runs `begin`, which begins a read. Says which head that saw; nothing if another thread
    /// read it meanwhile, too, for then nobody knows whose it is.
    pub(super) fn seen<T>(&self, begin: impl FnOnce() -> T) -> (T, Option<Vec<u8>>) {
        let count = || self.read.lock().unwrap_or_else(PoisonError::into_inner).0;
        let before = count();
        let done = begin();
        let read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let head = (read.0 == before + 1).then(|| read.1.clone());
        drop(read);
        (done, head)
    }
}

/// What was found out about a commit. A commit never changes.
#[derive(Debug, Default)]
pub(super) struct Commit {
    pub(super) head: Vec<u8>,
    /// The time of its newest event that can be read.
    pub(super) newest: OnceLock<Option<Moment>>,
}
