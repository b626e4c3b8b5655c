//! The open register and the states that were read from it. A check reads the start of the file; its
//! stamp shows whether the states in memory are still those of the file. Opens the file again if
//! another one has taken its place. Called by [`super::Register`].

use std::{
    collections::HashMap,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{RegisterId, RevocationState, file::RegisterFile, layout::FileStart};
use crate::{domain::TokenId, store::error::StoreError};

/// How long the open file counts as the file at its path before the path is checked again.
pub(super) const MAX_FILE_AGE: Duration = Duration::from_millis(1);

/// Maximum number of tokens whose state is kept in memory, which takes 4 MB.
const MAX_STATES: usize = 1 << 16;

/// The open file and what was read from it.
#[derive(Debug)]
pub(super) struct OpenRegister {
    pub(super) file: Arc<RegisterFile>,
    /// When the file was last found at its path.
    checked: Instant,
    pub(super) start: FileStart,
    /// The states that were read since `start` last changed.
    states: HashMap<TokenId, RevocationState>,
}

impl OpenRegister {
    pub(super) fn open(path: &Path, expected: &RegisterId) -> Result<Self, StoreError> {
        let checked = Instant::now();
        let (file, start) = RegisterFile::open(path, false, expected)?;
        Ok(Self { file: Arc::new(file), checked, start, states: HashMap::new() })
    }

    /// Reads the start of the file again. `None` if another file has taken its place, or a larger
    /// one is about to.
    pub(super) fn refreshed(
        mut self,
        path: &Path,
        expected: &RegisterId,
    ) -> Result<Option<Self>, StoreError> {
        if self.checked.elapsed() >= MAX_FILE_AGE {
            if !self.file.is_at(path) {
                return Ok(None);
            }
            self.checked = Instant::now();
        }
        let Some(start) = self.file.start(Some(&self.start))? else { return Ok(None) };
        if start != self.start {
            self.states.clear();
            self.start = start;
        }
        let is_usable = start.header.id == *expected && !start.header.is_superseded;
        Ok(is_usable.then_some(self))
    }

    /// The state of `id`. The file is read only for the first check of a token after a change.
    pub(super) fn state(&mut self, id: &TokenId) -> Result<Option<RevocationState>, StoreError> {
        if let Some(state) = self.states.get(id) {
            return Ok(Some(*state));
        }
        let state = self.file.state(&self.start.header, id)?;
        if let Some(state) = state {
            if self.states.len() >= MAX_STATES {
                self.states.clear();
            }
            self.states.insert(*id, state);
        }
        Ok(state)
    }
}
