//! The revocation register as operations of [`Store`]: ends secrets without the store's lock, lists
//! the endings that its records lack, and rebuilds a register that is missing or foreign. A store
//! in memory has none. Called by the service.

use super::{
    Backend, Store,
    error::StoreError,
    file_db::FileDb,
    path_error::{PathError, PathProblem},
    read_ops::ReadOps as _,
    reader::Reader,
    register::{self, RegisterId, RevocationEntry},
};
use crate::domain::{EventBody, Timestamp};

impl Store {
    /// The register's file and the id that it must have; `None` for a store in memory.
    pub(super) fn register(&self) -> Result<Option<(&FileDb, RegisterId)>, StoreError> {
        match &*self.backend {
            Backend::Memory(_) => Ok(None),
            Backend::File(file) => Ok(Some((file, self.read(Reader::register_id)?))),
        }
    }

    /// Whether the revocation register is there and is that of this store. Without it, no check
    /// has an answer.
    pub fn has_register(&self) -> Result<bool, StoreError> {
        let register = self.register()?;
        register.map_or(Ok(true), |(file, id)| file.register.is_usable(&id))
    }

    /// Rebuilds the revocation register from the records, in one transaction with `event`. Does
    /// nothing if another process has rebuilt it. A store without events is new and needs no event.
    /// Returns whether it was rebuilt.
    pub fn rebuild_register(&self, event: &EventBody) -> Result<bool, StoreError> {
        let Backend::File(file) = &*self.backend else { return Ok(false) };
        self.write(|writer| {
            if file.register.is_usable(&register::load_id(&writer.tables)?)? {
                return Ok(false);
            }
            if writer.last_event()?.is_none() {
                // A new store, whose creator has not come to its register yet. Nothing was ended.
                let id = register::load_id(&writer.tables)?;
                file.create_register(writer, &id)?;
                return Ok(false);
            }
            let id = register::assign_id(&mut writer.tables)?;
            file.create_register(writer, &id)?;
            // An event that is older than the newest one would let expired secrets work again.
            let at = writer.recorded_time()?.newest().map_or(event.at, |at| at.max(event.at));
            writer.append_event(EventBody { at, ..event.clone() })?;
            Ok(true)
        })
    }

    /// Raises the entries of these tokens in the register. When this returns, the secrets that
    /// they end are denied by every process, whatever happens to the store.
    ///
    /// # Errors
    ///
    /// [`StoreError::Busy`] if two other processes were stopped while they wrote the register;
    /// [`StoreError::Full`] if it has no free slot and cannot grow. Nothing is ended then.
    pub fn end_secrets(
        &self,
        entries: &[RevocationEntry],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if self.is_read_only() {
            return Err(StoreError::ReadOnlyMode);
        }
        match self.register()? {
            Some((file, id)) if !entries.is_empty() => file.register.raise(&id, entries, now),
            _ => Ok(()),
        }
    }

    /// Sets the entries of these tokens to exactly this, also to less, for the undo of a delete.
    /// Their records must contain the same. A register that is missing or foreign is left alone,
    /// because it is rebuilt from the records.
    pub fn set_revocations(&self, entries: &[RevocationEntry]) -> Result<(), StoreError> {
        match self.register()? {
            Some((file, id)) if !entries.is_empty() => match file.register.replace(&id, entries) {
                Err(StoreError::Path(PathError { problem: PathProblem::NoRegister, .. })) => Ok(()),
                result => result,
            },
            _ => Ok(()),
        }
    }

    /// The entries with an ending that the store's records lack.
    pub fn pending_endings(&self) -> Result<Vec<RevocationEntry>, StoreError> {
        self.register()?.map_or(Ok(Vec::new()), |(file, id)| file.register.pending(&id))
    }

    /// Records that the store now contains these endings.
    pub fn clear_pending_endings(&self, applied: &[RevocationEntry]) -> Result<(), StoreError> {
        match self.register()? {
            Some((file, id)) if !applied.is_empty() => file.register.clear_pending(&id, applied),
            _ => Ok(()),
        }
    }
}
