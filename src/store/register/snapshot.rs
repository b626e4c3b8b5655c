//! The register at one moment: the open file, its start, and the states that were read from it. The
//! stamp in the start shows whether the file has changed since. Each read of the store has the
//! snapshot that was taken when it began. Created by [`super::Register`].

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use hashbrown::HashMap;

use super::{
    RegisterId, RevocationEntry, RevocationState, file::RegisterFile, layout::FileStart,
    mark::StoredMark,
};
use crate::{
    domain::{Timestamp, TokenId},
    store::{error::StoreError, path_error::PathProblem},
};

/// How long the open file counts as the file at its path before the path is checked again.
pub(super) const MAX_FILE_AGE: Duration = Duration::from_millis(1);

/// Maximum number of tokens whose state is kept in memory, which takes 4 MB.
const MAX_STATES: usize = 1 << 16;

/// The register as it was when a read of the store began.
#[derive(Debug)]
pub(in crate::store) struct RegisterSnapshot {
    file: Arc<RegisterFile>,
    start: FileStart,
    /// The states that were read with this start.
    states: Mutex<HashMap<TokenId, RevocationState>>,
}

impl RegisterSnapshot {
    /// Whether the file still has the same entries, and no larger file replaces it.
    pub(in crate::store) fn is_current(&self) -> bool {
        self.file.start(Some(&self.start)).is_ok_and(|start| start == Some(self.start))
    }

    /// Returns the state of the token `id`. Reads the file for the first check of a token only.
    ///
    /// # Errors
    ///
    /// [`PathProblem::DamagedRegister`] if a damaged slot may belong to the token.
    pub(in crate::store) fn state(&self, id: &TokenId) -> Result<RevocationState, StoreError> {
        let mut states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(state) = states.get(id) {
            return Ok(*state);
        }
        let state = self.file.state(&self.start.header, id)?;
        let state = state.ok_or_else(|| PathProblem::DamagedRegister.at(&self.file.path))?;
        if states.len() >= MAX_STATES {
            states.clear();
        }
        states.insert(*id, state);
        Ok(state)
    }

    /// The state of the store that had all endings that are not pending.
    pub(in crate::store) fn mark(&self) -> StoredMark {
        self.start.mark()
    }

    /// Returns all entries with an ending that the store's record does not contain yet. Usually there
    /// are none, as the start of the file shows.
    pub(in crate::store) fn pending(&self) -> Result<Vec<RevocationEntry>, StoreError> {
        if self.start.may_have_pending().contains(&true) {
            self.file.pending(&self.start.header)
        } else {
            Ok(Vec::new())
        }
    }

    /// The time of the newest ending, pending or stored.
    pub(in crate::store) fn newest_ending(&self) -> Result<Timestamp, StoreError> {
        let (pending, stored) = (self.pending()?, self.mark().newest_ending);
        let times = pending.iter().filter_map(|entry| entry.pending.as_ref()).map(|it| it.at);
        Ok(times.max().map_or(stored, |at| at.max(stored)))
    }

    /// Returns all entries that can be read. Each token of a damaged slot has one that ends all of
    /// its secrets.
    pub(in crate::store) fn entries(&self) -> Result<Vec<RevocationEntry>, StoreError> {
        Ok(self.file.content(&self.start.header)?.into_entries())
    }

    /// Returns the ids of all tokens that have an entry, in ascending order.
    pub(in crate::store) fn token_ids(&self) -> Result<Vec<TokenId>, StoreError> {
        let content = self.file.content_of(&self.start.header, |entry| Some(entry.id))?;
        let mut ids = content.entries;
        ids.extend(content.damaged.into_iter().flatten());
        ids.sort_unstable();
        ids.dedup();
        Ok(ids)
    }

    /// The number of damaged slots.
    pub(in crate::store) fn count_damaged(&self) -> Result<usize, StoreError> {
        Ok(self.file.content_of(&self.start.header, |_| None::<()>)?.damaged.len())
    }
}

/// The newest snapshot of this process, which the next read can use if the file is the same.
#[derive(Debug)]
pub(super) struct LatestSnapshot {
    snapshot: Arc<RegisterSnapshot>,
    /// When the file was last found at its path.
    checked: Instant,
}

impl LatestSnapshot {
    pub(super) fn open(path: &Path, expected: &RegisterId) -> Result<Self, StoreError> {
        let checked = Instant::now();
        let (file, start) = RegisterFile::open(path, false, expected)?;
        Ok(Self { snapshot: new_snapshot(file.into(), start), checked })
    }

    pub(super) fn snapshot(&self) -> Arc<RegisterSnapshot> {
        Arc::clone(&self.snapshot)
    }

    /// Takes the snapshot again if the file has changed. Returns `None` if another file has taken
    /// its place, or a larger one is about to.
    pub(super) fn refreshed(mut self, expected: &RegisterId) -> Result<Option<Self>, StoreError> {
        let RegisterSnapshot { file, start: last, .. } = &*self.snapshot;
        if self.checked.elapsed() >= MAX_FILE_AGE {
            if !file.is_at_path() {
                return Ok(None);
            }
            self.checked = Instant::now();
        }
        let Some(start) = file.start(Some(last))? else { return Ok(None) };
        let is_usable = start.header.id == *expected && !start.header.is_superseded;
        if start != *last {
            self.snapshot = new_snapshot(Arc::clone(file), start);
        }
        Ok(is_usable.then_some(self))
    }
}

fn new_snapshot(file: Arc<RegisterFile>, start: FileStart) -> Arc<RegisterSnapshot> {
    Arc::new(RegisterSnapshot { file, start, states: Mutex::default() })
}
