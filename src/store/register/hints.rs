//! The hints in the header page: they show where an ending can be pending, so that a reader need not
//! read the whole register. A hint is set before the entry is written, and cleared only after its
//! pages were read. Called by [`super::writer`].

use std::{collections::BTreeSet, time::Duration};

use super::{
    layout::{GROUPS, GROUPS_OFFSET, PENDING_OFFSET},
    writer::{RegisterWriter, try_second_lock},
};
use crate::store::error::StoreError;

impl RegisterWriter<'_> {
    /// Records that no entry is pending, if that is so. The hint of the second lock is cleared only
    /// while this writer holds that lock, too: otherwise an entry could be written in between.
    pub(super) fn clear_hints(&self) -> Result<(), StoreError> {
        let [by_first, by_second] = self.register.groups_with_pending()?;
        if self.clear_groups(0, &by_first)? {
            self.set_may_have_pending(0, false)?;
        }
        let [_, has_second] = self.register.current_start()?.may_have_pending();
        if !has_second {
            return Ok(());
        }
        let Some(_directory) = try_second_lock(self.path, Duration::ZERO)? else { return Ok(()) };
        if self.clear_groups(1, &by_second)? {
            // Only now has no other process written with the second lock.
            let [_, left] = self.register.groups_with_pending()?;
            if left.is_empty() {
                self.set_may_have_pending(1, false)?;
            }
        }
        Ok(())
    }

    /// Clears the hints of these groups that have no pending entry. Returns whether all are cleared.
    fn clear_groups(&self, lock: u64, groups: &BTreeSet<usize>) -> Result<bool, StoreError> {
        let mut is_clear = true;
        for group in groups {
            if self.register.pending_in(&self.header, *group)?.is_empty() {
                self.set_group(lock, *group, false)?;
            } else {
                is_clear = false;
            }
        }
        Ok(is_clear)
    }

    /// Sets the hint of a group of pages, for the lock with this number.
    pub(super) fn set_group(&self, lock: u64, group: usize, value: bool) -> Result<(), StoreError> {
        let row = lock.saturating_mul(GROUPS as u64).saturating_add(group as u64);
        let offset = (GROUPS_OFFSET as u64).saturating_add(row);
        self.register.write_at(&[u8::from(value)], offset)
    }

    /// Sets the hint of the lock with this number.
    pub(super) fn set_may_have_pending(&self, lock: u64, value: bool) -> Result<(), StoreError> {
        let offset = (PENDING_OFFSET as u64).saturating_add(lock);
        self.register.write_at(&[u8::from(value)], offset)
    }
}
