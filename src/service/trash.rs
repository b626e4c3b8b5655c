//! Deleting tokens and bringing them back. A deleted secret is dead with the commit; the record
//! waits 24 hours in the trash, then it is purged and nothing revives it.

use chrono::TimeDelta;

use super::{Service, ServiceError, Undo, address::one_of};
use crate::{
    domain::{Action, Moment, Pat, TokenId},
    store::{Rows, StoreError, Writer},
};

/// How long a deleted token can be brought back.
pub const KEPT: TimeDelta = TimeDelta::hours(24);

/// The smallest difference of two stored times.
const TICK: TimeDelta = TimeDelta::nanoseconds(1);

impl Service {
    /// Deletes one token; it can be brought back for 24 hours. Each delete returns the way back,
    /// too.
    pub fn delete(&self, id: &TokenId) -> Result<(Pat, Undo), ServiceError> {
        self.store.write(|rows| {
            let at = self.judged_at(rows)?;
            let when = self.purge_old(rows, at)?;
            let pat = Self::found(rows, id)?;
            self.bin(rows, &pat, at, when)?;
            Ok((pat, Undo::Deletion(when)))
        })
    }

    /// Deletes all of these tokens, or none: refuses when one is not there.
    pub fn delete_many(&self, ids: &[TokenId]) -> Result<(Vec<Pat>, Undo), ServiceError> {
        self.store.write(|rows| {
            let at = self.judged_at(rows)?;
            let when = self.purge_old(rows, at)?;
            let pats: Vec<Pat> =
                ids.iter().map(|id| Self::found(rows, id)).collect::<Result<_, _>>()?;
            for pat in &pats {
                self.bin(rows, pat, at, when)?;
            }
            Ok((pats, Undo::Deletion(when)))
        })
    }

    /// Deletes every token, if there are as many as the operator confirmed; else none.
    /// Returns how many were deleted.
    pub fn delete_all(&self, expected: usize) -> Result<(usize, Undo), ServiceError> {
        self.store.write(|rows| {
            let at = self.judged_at(rows)?;
            let when = self.purge_old(rows, at)?;
            let pats = rows.pats()?.rows;
            if pats.len() != expected {
                return Err(ServiceError::CountChanged { expected, now: pats.len() });
            }
            for pat in &pats {
                self.bin(rows, pat, at, when)?;
            }
            Ok((pats.len(), Undo::Deletion(when)))
        })
    }

    /// Brings back everything that this operator's last delete of the past 24 hours took, with
    /// their secrets. Refuses when there is none, or when one of their names is taken by now;
    /// then none is brought back. What others deleted stays so: that was their decision.
    pub fn restore_last(&self) -> Result<Vec<Pat>, ServiceError> {
        self.store.write(|rows| {
            let at = self.judged_at(rows)?;
            let mut trash = rows.trash()?.rows;
            trash.retain(|binned| at - binned.at < KEPT);
            let newest = trash.first().ok_or(ServiceError::NothingToRestore)?;
            // The tokens of one delete have one time, and one who did it.
            let mut tried = None;
            for binned in &trash {
                if tried.replace(binned.at) != Some(binned.at)
                    && self.is_mine(rows, &binned.pat.id)?
                {
                    return self.unbin_batch(rows, binned.at, at);
                }
            }
            Err(Self::of_another(rows, &newest.pat.id, &newest.pat.name)?)
        })
    }

    /// Brings back what is left in the trash of the delete at `when`. Refuses as
    /// [`Service::restore_last`] does.
    pub(super) fn restore_batch(&self, when: Moment) -> Result<Vec<Pat>, ServiceError> {
        self.store.write(|rows| {
            let at = self.judged_at(rows)?;
            self.unbin_batch(rows, when, at)
        })
    }

    fn unbin_batch(
        &self,
        rows: &mut Writer<'_>,
        when: Moment,
        at: Moment,
    ) -> Result<Vec<Pat>, ServiceError> {
        let mut restored = Vec::new();
        let kept = at - when < KEPT;
        for binned in rows.trash()?.rows.into_iter().filter(|it| kept && it.at == when) {
            self.unbin(rows, &binned.pat, at)?;
            restored.push(binned.pat);
        }
        if restored.is_empty() {
            return Err(ServiceError::NothingToRestore);
        }
        Ok(restored)
    }

    /// Brings back the deleted token that `text` names, with its secret. Refuses one that was
    /// deleted more than 24 hours ago, or whose name is taken by now.
    pub fn restore(&self, text: &str) -> Result<Pat, ServiceError> {
        self.store.write(|rows| {
            let at = self.judged_at(rows)?;
            let kept = rows.trash()?.rows.into_iter().filter(|binned| at - binned.at < KEPT);
            let pat =
                one_of(kept.map(|binned| binned.pat).collect(), text).map_err(
                    |error| match error {
                        ServiceError::NotFound(_) => ServiceError::NothingToRestore,
                        other => other,
                    },
                )?;
            self.unbin(rows, &pat, at)?;
            Ok(pat)
        })
    }

    fn unbin(&self, rows: &mut Writer<'_>, pat: &Pat, at: Moment) -> Result<(), ServiceError> {
        if rows.id_of_name(&pat.name)?.is_some() {
            return Err(ServiceError::NameTaken(pat.name.clone()));
        }
        Self::put_whole(rows, pat)?;
        rows.remove_trash(&pat.id)?;
        Ok(self.record(rows, at, Action::Restored, pat, String::new())?)
    }

    /// Purges what was deleted more than 24 hours ago. Called when the app starts; a store
    /// that cannot be written is left as it is.
    pub fn purge(&self) -> Result<(), ServiceError> {
        let due = self.store.read(|rows| {
            let at = self.judged_at(rows)?;
            let trash = rows.trash()?.rows;
            Ok::<_, StoreError>(trash.iter().any(|binned| at - binned.at >= KEPT))
        })?;
        if !due {
            return Ok(());
        }
        self.store.write(|rows| {
            let at = self.judged_at(rows)?;
            self.purge_old(rows, at)?;
            Ok(())
        })
    }

    /// Gives what was deleted after `at`, by a clock that ran ahead, a time at `at`: it would be
    /// kept for ever else, and be taken for the last delete. Its order stays.
    pub(super) fn redate_trash(rows: &mut Writer<'_>, at: Moment) -> Result<(), StoreError> {
        let trash = rows.trash()?.rows;
        let (mut old, mut new) = (at, at);
        for binned in trash.iter().rev().filter(|binned| binned.at > at) {
            if binned.at > old {
                (old, new) = (binned.at, new + TICK);
            }
            rows.put_trash(&binned.pat, new)?;
        }
        Ok(())
    }

    pub(super) fn bin(
        &self,
        rows: &mut Writer<'_>,
        pat: &Pat,
        at: Moment,
        when: Moment,
    ) -> Result<(), StoreError> {
        rows.remove_pat(&pat.id)?;
        rows.put_trash(pat, when)?;
        let detail = format!("was {}, can be brought back for 24 hours", pat.status(at).word());
        self.record(rows, at, Action::Deleted, pat, detail)
    }

    /// Purges what is old at `at`. Returns the time to give to a delete at `at`: one that no
    /// other has, for it is what tells which tokens were deleted together.
    pub(super) fn purge_old(
        &self,
        rows: &mut Writer<'_>,
        at: Moment,
    ) -> Result<Moment, StoreError> {
        let trash = rows.trash()?.rows;
        for binned in trash.iter().filter(|binned| at - binned.at >= KEPT) {
            rows.remove_trash(&binned.pat.id)?;
            self.record(rows, at, Action::Purged, &binned.pat, String::new())?;
        }
        let newest = trash.iter().map(|binned| binned.at).max();
        Ok(newest.map_or(at, |newest| at.max(newest + TICK)))
    }
}
