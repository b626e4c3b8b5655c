//! Lists and executes the repairs of damaged rows. Keeps a copy of the store before the first
//! change. Called by `doctor --repair`.

use std::path::PathBuf;

use super::{Service, ServiceError, endings::rebuilt_event};
use crate::{
    domain::{AuditAction, EventBody, TokenId, counted},
    store::{ReadOps, Repair},
};

impl Service {
    /// The repairs that the store and its revocation register need.
    pub fn find_repairs(&self) -> Result<Vec<Repair>, ServiceError> {
        let mut repairs = self.store.read(ReadOps::find_repairs)?;
        repairs.extend(self.repair_of_register()?);
        Ok(repairs)
    }

    fn repair_of_register(&self) -> Result<Option<Repair>, ServiceError> {
        let damaged = self.store.count_damaged_endings()?;
        Ok((damaged > 0).then_some(Repair::RebuildRegister(damaged)))
    }

    /// Gives free space of the store's file back to the disk. Returns the size of the file in bytes
    /// before and after.
    pub fn compact(&self) -> Result<(u64, u64), ServiceError> {
        Ok(self.store.compact()?)
    }

    /// The stopped processes that have the store open. Their reads can make the file grow.
    pub fn stopped_processes(&self) -> Vec<String> {
        self.store.stopped_processes()
    }

    /// Copies the store to a new file beside it, then does all repairs of the store in one transaction
    /// and records them in the audit trail. At last, rebuilds a damaged revocation register. Returns
    /// the path of the copy.
    pub fn repair(&self) -> Result<(Option<PathBuf>, Vec<Repair>), ServiceError> {
        let copy = self.store.backup_beside("before-repair")?;
        let mut repairs = self.store.write(|tx| {
            let repairs = tx.repair()?;
            let at = self.clock.denial_time(tx)?;
            let purged = |detail| self.new_event(at, AuditAction::Purged, None, detail);
            for repair in &repairs {
                if let Repair::RemoveTrash(key) = repair
                    && let Some(id) = TokenId::from_bytes(*key)
                {
                    let event = purged(EventBody::RECORD_WAS_DAMAGED.to_owned());
                    tx.append_event(EventBody { token: Some(id), ..event })?;
                }
            }
            if !repairs.is_empty() {
                tx.append_event(purged(format!("{} made", counted(repairs.len(), "repair"))))?;
            }
            Ok::<_, ServiceError>(repairs)
        })?;
        if repairs.iter().any(|repair| matches!(repair, Repair::RebuildTrail(_))) {
            // The marked event is no longer in the trail.
            self.store.note_endings()?;
        }
        if let Some(repair) = self.repair_of_register()? {
            self.store.rebuild_register(&rebuilt_event(&self.actor, self.clock.now()))?;
            repairs.push(repair);
        }
        Ok((copy, repairs))
    }
}
