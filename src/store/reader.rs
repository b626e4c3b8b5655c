//! The read transaction of a file: its tables, the values cached for its commit, and the revocation
//! register. Created by `file_db`, and by the memory backend without a register.

use std::sync::{Arc, OnceLock};

use redb::ReadTransaction;

use super::{
    commit_id::CommitValues,
    error::StoreError,
    read_ops::HasTables,
    recorded_time::RecordedTime,
    register::{self, PendingEndings, Register, RegisterId, RevocationState},
    tables::ReadTables,
};
use crate::domain::TokenId;

/// A read transaction on the last commit of any process.
#[derive(Debug)]
pub struct Reader {
    pub(super) tables: ReadTables,
    pub(super) cache: Arc<CommitValues>,
    /// `None` for a store in memory, which has no register.
    pub(super) register: Option<Arc<Register>>,
    /// `None` if no ending is pending.
    pub(super) pending: Option<Arc<PendingEndings>>,
}

impl Reader {
    /// The id of the revocation register that belongs to the store.
    pub(super) fn register_id(&self) -> Result<RegisterId, StoreError> {
        if let Some(id) = self.cache.register_id.get() {
            return Ok(*id);
        }
        let id = register::load_id(&self.tables)?;
        Ok(*self.cache.register_id.get_or_init(|| id))
    }

    /// Loads the pending endings. If the register is unusable, loads none, and no check has an
    /// answer.
    pub(super) fn load_pending(&mut self) {
        let entries = match &self.register {
            Some(register) => self.register_id().and_then(|id| register.pending(&id)),
            None => return,
        };
        let entries = entries.unwrap_or_default();
        self.pending = (!entries.is_empty()).then(|| Arc::new(PendingEndings::new(entries)));
    }
}

impl HasTables for Reader {
    type Transaction = Arc<ReadTransaction>;

    fn tables(&self) -> &ReadTables {
        &self.tables
    }

    fn recorded_time_cache(&self) -> Option<&OnceLock<RecordedTime>> {
        Some(&self.cache.recorded_time)
    }

    fn pending(&self) -> Option<&Arc<PendingEndings>> {
        self.pending.as_ref()
    }

    fn revocation_state(&self, id: &TokenId) -> Result<RevocationState, StoreError> {
        match &self.register {
            Some(register) => register.state(&self.register_id()?, id),
            None => Ok(RevocationState::default()),
        }
    }
}
