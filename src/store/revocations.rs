//! The operations of [`Store`] on its revocation register: end secrets without the store's lock,
//! list the pending endings, and rebuild a missing or foreign register. A store in memory has no
//! register. Called by the service.

use super::{
    Backend, Store,
    error::StoreError,
    file_db::FileDb,
    path_error::{PathError, PathProblem},
    read_ops::ReadOps,
    reader::Reader,
    recorded_time::{load_newest_ending, mark_of_new_register},
    register::{self, EndingsToStore, EventMark, PendingEndings, RegisterId, RevocationEntry},
};
use crate::domain::{EventBody, Timestamp, TokenId};

/// Whether the register of `file` is usable. That of another store is not.
fn is_usable_register(file: &FileDb, id: &RegisterId) -> Result<bool, StoreError> {
    match file.register.is_usable(id) {
        Err(StoreError::Path(PathError { problem: PathProblem::OtherRegister, .. })) => Ok(false),
        usable => usable,
    }
}

impl Store {
    /// Returns the open file and the id of its register, or `None` for a store in memory.
    pub(super) fn register(&self) -> Result<Option<(&FileDb, RegisterId)>, StoreError> {
        match &*self.backend {
            Backend::Memory(_) => Ok(None),
            Backend::File(file) => Ok(Some((file, self.read(Reader::register_id)?))),
        }
    }

    /// Whether the revocation register exists and belongs to this store. Otherwise, no check has an
    /// answer.
    pub fn has_register(&self) -> Result<bool, StoreError> {
        // Usually saves a read transaction. The id in the store changes only with the register.
        if let Backend::File(file) = &*self.backend
            && let Some(id) = file.register_at_open
            && is_usable_register(file, &id)?
        {
            return Ok(true);
        }
        let register = self.register()?;
        register.map_or(Ok(true), |(file, id)| is_usable_register(file, &id))
    }

    /// Rebuilds the register, with the event of `rebuilt`, if it is missing or damaged, or was an older
    /// copy when the store was opened. Every process that may write calls this at its start. Returns
    /// whether the register was rebuilt.
    ///
    /// # Errors
    ///
    /// [`PathProblem::OtherRegister`] if an intact register of another store is in its place: it may be
    /// the only record of what was ended there.
    pub fn ensure_register(&self, rebuilt: impl FnOnce() -> EventBody) -> Result<bool, StoreError> {
        let was_older = matches!(&*self.backend, Backend::File(file) if file.was_register_older);
        if self.is_read_only() || !was_older && self.has_register()? {
            return Ok(false);
        }
        match self.rebuild_register(&rebuilt()) {
            // A new file does not fit on the disk. The present one has free slots for what it lacks,
            // and counts as older until there is space for the event.
            Err(error) if error.is_out_of_space() && self.has_register()? => {
                let entries = self.read(register::entries_from_records)?;
                self.end_secrets(&entries, Timestamp::default())?;
                Ok(true)
            }
            result => result,
        }
    }

    /// Whether the store was older than its register when it was opened.
    pub fn was_outdated(&self) -> bool {
        matches!(&*self.backend, Backend::File(file) if file.was_outdated)
    }

    /// The number of damaged entries of the revocation register. Reads the whole register.
    pub fn count_damaged_endings(&self) -> Result<usize, StoreError> {
        self.register()?.map_or(Ok(0), |(file, id)| file.register.count_damaged(&id))
    }

    /// Rebuilds the revocation register from the records and from its own intact entries, in one
    /// transaction with `event`. Does nothing if another process has rebuilt it. A store without
    /// events is new and needs no event. Returns whether it was rebuilt. Fails like
    /// [`Store::ensure_register`].
    pub fn rebuild_register(&self, event: &EventBody) -> Result<bool, StoreError> {
        let Backend::File(file) = &*self.backend else { return Ok(false) };
        self.write(|writer| {
            let id = register::load_id(&writer.tables)?;
            let register = &file.register;
            let newest_ending = load_newest_ending(&writer.tables)?;
            if register.has_ending_of(&id, newest_ending)? && register.count_damaged(&id)? == 0 {
                return Ok(false);
            }
            if writer.last_event()?.is_none() {
                // The store is new: no secret was ended, but its creator has not created the
                // register yet.
                file.create_register(writer, &id, Vec::new(), None)?;
                return Ok(false);
            }
            // The time of the newest event is a lower bound for the time at which expiry is
            // evaluated. An earlier time would let expired secrets work again.
            let at = writer.recorded_time()?.newest().map_or(event.at, |at| at.max(event.at));
            let mut kept = register.salvage(&id);
            // An older copy of the store lacks endings. They become pending, so that they are stored.
            let record = |id: &TokenId| writer.token(id).ok().flatten();
            let missing =
                PendingEndings::of_other_history(kept.clone(), (at, None), record, |_| true);
            kept.extend(missing.entries().cloned());
            // Until they are stored, the copy must not count as current.
            let marked = missing.is_store_outdated.then_some(EventMark::UNKNOWN);
            // The id stays: an older copy of the store must not count as that of another register.
            register.replacing(&id, || file.create_register(writer, &id, kept, marked))?;
            writer.append_event(EventBody { at, ..event.clone() })?;
            Ok(true)
        })
    }

    /// Raises the entries of these tokens in the register. When this returns, every process denies
    /// the secrets that the entries end, even if the store is never updated.
    ///
    /// # Errors
    ///
    /// [`StoreError::Busy`] if two other processes were stopped while they wrote the register.
    /// [`StoreError::Full`] if the register has no free slot and cannot grow. No secret was ended.
    pub fn end_secrets(
        &self,
        entries: &[RevocationEntry],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if self.is_read_only() {
            return Err(StoreError::ReadOnlyMode);
        }
        self.update_register(entries, |file, id| file.register.raise(id, entries, now))
    }

    /// Like [`Store::end_secrets`], for endings that the records contain already. The register protects
    /// them from a lost write and from an older copy of the file.
    pub fn end_recorded(
        &self,
        entries: &[RevocationEntry],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if entries.is_empty() {
            return Ok(());
        }
        self.end_secrets(entries, now)?;
        self.note_endings()
    }

    /// Makes room in the register for `more` entries, so that no batch of a job has to. A full disk is
    /// not an error here, because the batches that need room report it.
    pub fn reserve_endings(&self, more: usize, now: Timestamp) -> Result<(), StoreError> {
        if self.is_read_only() {
            return Err(StoreError::ReadOnlyMode);
        }
        match self.register()? {
            Some((file, id)) => match file.register.reserve(&id, more, now) {
                Err(error) if error.is_out_of_space() => Ok(()),
                result => result,
            },
            None => Ok(()),
        }
    }

    /// Replaces the entries of these tokens, even if the new ones end fewer secrets, as after the
    /// undo of a delete. The records of the tokens must already agree with `entries`. Does nothing
    /// if the register is missing or foreign, because it will be rebuilt from the records.
    pub fn set_revocations(&self, entries: &[RevocationEntry]) -> Result<(), StoreError> {
        let replaced = self.update_register(entries, |file, id| file.register.replace(id, entries));
        match replaced {
            Err(StoreError::Path(PathError { problem: PathProblem::NoRegister, .. })) => Ok(()),
            result => result,
        }
    }

    /// Returns the endings that the store's records lack. If the store is older than its register,
    /// these are all endings of the register.
    pub fn pending_endings(&self) -> Result<EndingsToStore, StoreError> {
        let pending = self.read(|rows| Ok::<_, StoreError>(rows.pending.clone()))?;
        Ok(pending.map(|pending| pending.to_store()).unwrap_or_default())
    }

    /// Makes `at` the time of the newest ending, after an operator accepted a clock that is behind
    /// that time. Otherwise the store would count as older than its register.
    pub fn set_newest_ending(&self, at: Timestamp) -> Result<(), StoreError> {
        match self.register()? {
            Some((file, id)) => file.register.set_newest_ending(&id, at),
            None => Ok(()),
        }
    }

    /// Records that the store contains all endings of the register that are not pending, after a change
    /// that ended secrets without a pending ending. A store without its newest event is then known as an
    /// older copy.
    pub fn note_endings(&self) -> Result<(), StoreError> {
        let Some((file, id)) = self.register()? else { return Ok(()) };
        let found = self.read(|rows| {
            let lacking = rows.pending.as_ref().and_then(|pending| pending.lacking);
            let mark = || Ok::<_, StoreError>((mark_of_new_register(rows)?, lacking));
            (!rows.is_store_outdated()).then(mark).transpose()
        })?;
        found.map_or(Ok(()), |(mark, lacking)| file.register.raise_mark(&id, &mark, lacking))
    }

    /// Records that the store now contains the endings `applied`, and all that are not pending, in its
    /// state after the event `stored`. `lacking` is the marked event that the store lacked before.
    pub fn clear_pending_endings(
        &self,
        applied: &[RevocationEntry],
        stored: Option<EventMark>,
        lacking: Option<EventMark>,
    ) -> Result<(), StoreError> {
        if applied.is_empty() && stored.is_none() {
            return Ok(());
        }
        let Some((file, id)) = self.register()? else { return Ok(()) };
        file.register.clear_pending(&id, applied, stored, lacking)
    }

    /// Runs `update` on the register, unless there is nothing to update or no register.
    fn update_register(
        &self,
        entries: &[RevocationEntry],
        update: impl FnOnce(&FileDb, &RegisterId) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        // Most writes have no entries, and reading the id of the register takes a transaction.
        if entries.is_empty() {
            return Ok(());
        }
        self.register()?.map_or(Ok(()), |(file, id)| update(file, &id))
    }
}
