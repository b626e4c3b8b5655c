//! The write operations. They keep the tables consistent: names with tokens, index entries with
//! events, and the change log with all changes. The service calls them in the closure that it
//! passes to `Store::write`.

use std::{collections::BTreeSet, ops::ControlFlow};

use redb::WriteTransaction;

use super::{
    chain,
    codec::decode,
    error::StoreError,
    name_index::clash_key,
    read_ops::{HasTables, ReadOps as _},
    record::{TokenIdRecordV1, TokenUses, TokenUsesV2, TokenV2, TrashV2},
    tables::WriteTables,
    trash_index,
    use_counts::load_usage,
};
use crate::domain::{AuditEvent, Digest, EventBody, Hooks, LastUse, Timestamp, Token, TokenId};

/// Maximum number of rows in the change log.
const CHANGE_LOG_ROWS: usize = 4_096;

/// The id in a row of the change log for a change that concerns no token. No token has this id.
pub(super) const NO_TOKEN: [u8; TokenId::LEN] = [0; TokenId::LEN];

/// A write transaction. Its reads see its own writes.
#[derive(Debug)]
pub struct Writer<'t> {
    pub(super) tables: WriteTables<'t>,
    /// The ids of the changed tokens, at most [`CHANGE_LOG_ROWS`].
    changed: BTreeSet<[u8; TokenId::LEN]>,
    /// Number of changes that did not fit into `changed`.
    overflow_count: u64,
    /// The hooks whose runs [`Writer::append_event`] queues.
    pub(super) hooks: Hooks,
}

impl<'t> HasTables for Writer<'t> {
    type Transaction = &'t WriteTransaction;

    fn tables(&self) -> &WriteTables<'t> {
        &self.tables
    }
}

impl<'t> Writer<'t> {
    pub(super) fn new(tables: WriteTables<'t>) -> Self {
        Self { tables, changed: BTreeSet::new(), overflow_count: 0, hooks: Hooks::default() }
    }

    /// Marks this token as changed. If the change log is too small for all changes, readers must
    /// read everything again, so the remaining changes are only counted. A token may be counted
    /// several times.
    pub(super) fn mark_changed(&mut self, id: [u8; TokenId::LEN]) {
        if self.changed.len() < CHANGE_LOG_ROWS {
            self.changed.insert(id);
        } else if !self.changed.contains(&id) {
            self.overflow_count = self.overflow_count.saturating_add(1);
        }
    }

    /// Inserts or replaces a token and updates the table of names. Does not write its last uses,
    /// which [`Writer::put_usage`] and [`Writer::put_attempt`] write.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError::NameTaken`] if another token has the same name.
    pub fn put_token(&mut self, token: &Token) -> Result<(), StoreError> {
        let key = token.id.as_bytes();
        let name = token.name.folded();
        let entries = self.name_entries_of(&token.id)?;
        let is_same = |entry: &Vec<u8>| {
            *entry == name.as_bytes() || *entry == clash_key(name.as_bytes(), key)
        };
        if entries.is_empty() || !entries.iter().all(is_same) {
            if let Some(by) = self.id_of_name(&token.name)?.filter(|by| *by != token.id) {
                let name = token.name.clone();
                return Err(StoreError::NameTaken { name, by });
            }
            for entry in entries {
                self.tables.names.remove_entry(&entry)?;
            }
            self.tables.names.put(name.as_bytes(), &TokenIdRecordV1(*key))?;
        }
        self.tables.tokens.put(key, &TokenV2::from(token))?;
        self.mark_changed(*key);
        if token.limits.max_uses.is_some() && !self.tables.use_counts.has(key)? {
            self.put_use_count(token)?;
        }
        Ok(())
    }

    /// Replaces the record of a token of which only the counters `version` and `generation`
    /// changed. Leaves the name index alone, because an import inserts names later.
    pub fn put_counters(&mut self, token: &Token) -> Result<(), StoreError> {
        self.tables.tokens.put(token.id.as_bytes(), &TokenV2::from(token))
    }

    /// Removes a token, its name, its last uses, its numbers of uses and its denied attempts. Returns
    /// whether the token existed. A damaged token can be removed, too. The counted uses stay, so that
    /// the restore of a backup does not give them back.
    pub fn remove_token(&mut self, id: &TokenId) -> Result<bool, StoreError> {
        let existed = self.remove_record(id)?;
        if existed {
            self.remove_statistics(id)?;
        }
        Ok(existed)
    }

    /// Removes a token, its name and its last uses. Its numbers of uses and its denied attempts stay for
    /// the record that takes its place. Returns whether the token existed.
    pub fn remove_record(&mut self, id: &TokenId) -> Result<bool, StoreError> {
        let key = id.as_bytes();
        if !self.tables.tokens.has(key)? {
            return Ok(false);
        }
        for entry in self.name_entries_of(id)? {
            self.tables.names.remove_entry(&entry)?;
        }
        self.tables.uses.remove(key)?;
        self.tables.tokens.remove(key)?;
        self.mark_changed(*key);
        Ok(true)
    }

    /// Removes the numbers of uses and the denied attempts of a token.
    fn remove_statistics(&mut self, id: &TokenId) -> Result<(), StoreError> {
        self.tables.usage_days.remove(id.as_bytes())?;
        self.tables.denials.remove(id.as_bytes())?;
        Ok(())
    }

    /// Moves a token to the deleted tokens, as `token` with the time `at` of its deletion. Its numbers
    /// of uses and its denied attempts stay until [`Writer::purge`].
    pub fn delete_token(&mut self, token: &Token, at: Timestamp) -> Result<(), StoreError> {
        self.remove_record(&token.id)?;
        self.put_trash(token, at)
    }

    /// Writes the last uses and denied attempts that `token` contains. Does nothing if the token is
    /// not in the store.
    pub fn put_usage(&mut self, token: &Token) -> Result<(), StoreError> {
        let uses = TokenUses::of(token);
        if uses == TokenUses::default() {
            return Ok(());
        }
        self.update_usage(&token.id, |stored| *stored = uses)
    }

    /// Writes an attempt to use the current secret of a token, or its previous secret with the
    /// digest `previous`: as the last use if the attempt was allowed, otherwise as the last denied
    /// attempt. Does nothing if the token does not exist.
    pub fn put_attempt(
        &mut self,
        id: &TokenId,
        previous: Option<Digest>,
        attempt: &LastUse,
        is_allowed: bool,
    ) -> Result<(), StoreError> {
        self.update_usage(id, |uses| {
            let uses = match previous {
                None => &mut uses.current,
                Some(digest) => uses.previous_mut(digest),
            };
            uses.record(attempt, is_allowed);
        })
    }

    fn update_usage(
        &mut self,
        id: &TokenId,
        change: impl FnOnce(&mut TokenUses),
    ) -> Result<(), StoreError> {
        let key = id.as_bytes();
        if self.tables.tokens.has(key)? {
            let mut uses = load_usage(&self.tables, id)?;
            change(&mut uses);
            self.tables.uses.put(key, &TokenUsesV2::from(&uses))?;
            self.mark_changed(*key);
        }
        Ok(())
    }

    /// Appends an event to the audit chain.
    pub fn append_event(&mut self, event: EventBody) -> Result<AuditEvent, StoreError> {
        let id = event.token.map_or(NO_TOKEN, |id| *id.as_bytes());
        let event = chain::append(&mut self.tables, event)?;
        self.queue_hook_runs(event.sequence, std::slice::from_ref(&event.body))?;
        self.mark_changed(id);
        Ok(event)
    }

    /// Stores a deleted token, with its last and counted uses and the time `at` of its deletion.
    pub fn put_trash(&mut self, token: &Token, at: Timestamp) -> Result<(), StoreError> {
        let key = token.id.as_bytes();
        trash_index::remove(&mut self.tables, key)?;
        trash_index::put(&mut self.tables, at, key)?;
        self.tables.trash.put(key, &TrashV2::new(token, &TokenUses::of(token), at))?;
        self.mark_changed(*key);
        Ok(())
    }

    /// Removes a deleted token for good.
    pub fn purge(&mut self, id: &TokenId) -> Result<(), StoreError> {
        self.remove_trash(id)?;
        self.remove_statistics(id)
    }

    /// Removes a token from the table of deleted tokens, because it exists again. Returns whether the
    /// token was in the table.
    pub fn remove_trash(&mut self, id: &TokenId) -> Result<bool, StoreError> {
        trash_index::remove(&mut self.tables, id.as_bytes())?;
        let existed = self.tables.trash.remove(id.as_bytes())?;
        if existed {
            self.mark_changed(*id.as_bytes());
        }
        Ok(existed)
    }

    pub fn has_trash(&self) -> Result<bool, StoreError> {
        Ok(self.tables.trash.len()? > 0)
    }

    /// Returns a folded name that refers to the token, or an empty text if no name does.
    pub fn first_name_of(&self, id: &TokenId) -> Result<String, StoreError> {
        let name = self.name_entries_of(id)?.into_iter().next().unwrap_or_default();
        Ok(String::from_utf8_lossy(&name).into_owned())
    }

    /// Returns the keys of the name index that refer to the token. Usually, this is the folded name
    /// in the token's record, but during an import, that entry may already refer to another token.
    /// If the record is damaged, all entries are searched.
    fn name_entries_of(&self, id: &TokenId) -> Result<Vec<Vec<u8>>, StoreError> {
        match self.token_without_usage(id) {
            Ok(None) => Ok(Vec::new()),
            Ok(Some(old)) => {
                let name = old.name.folded().into_bytes();
                let mut keys = vec![clash_key(&name, id.as_bytes()), name];
                let own = Ok(Some(TokenIdRecordV1(*id.as_bytes())));
                keys.retain(|key| self.tables.names.get(key, decode::<TokenIdRecordV1>) == own);
                Ok(keys)
            }
            Err(StoreError::Damaged(_)) => {
                let mut names = Vec::new();
                let all = &self.tables.names;
                all.for_each(|name: &[u8], row| {
                    let reference = row.ok().and_then(decode::<TokenIdRecordV1>);
                    if reference == Some(TokenIdRecordV1(*id.as_bytes())) {
                        names.push(name.to_vec());
                    }
                    ControlFlow::Continue(())
                })?;
                Ok(names)
            }
            Err(error) => Err(error),
        }
    }

    /// Makes the generation after the commit higher than `generation`, and leaves a gap in the
    /// change log, so that every reader reads everything again.
    pub(super) fn skip_generations(&mut self, generation: u64) {
        let most = u64::try_from(CHANGE_LOG_ROWS).unwrap_or(u64::MAX);
        self.overflow_count = self.overflow_count.saturating_add(generation.saturating_add(most));
    }

    /// Writes the change log and removes its oldest rows. This must be the last step before the
    /// commit. Returns the generation after the commit, or `None` if nothing changed.
    ///
    /// # Errors
    ///
    /// Returns the first I/O error of the transaction, even if the caller ignored that
    /// error when the earlier call returned it.
    pub(super) fn finish(&mut self) -> Result<Option<u64>, StoreError> {
        if let Some(error) = self.tables.error.first() {
            return Err(error);
        }
        let changed = std::mem::take(&mut self.changed);
        let [added, max] =
            [changed.len(), CHANGE_LOG_ROWS].map(|n| u64::try_from(n).unwrap_or(u64::MAX));
        let before = self.tables.changes.last_key()?;
        let last = before.saturating_add(added).saturating_add(self.overflow_count);
        // Each change in `overflow_count` takes a number but has no row, which leaves a gap in the
        // numbers. A reader that finds a gap reads everything again.
        for (number, id) in (last.saturating_sub(added).saturating_add(1)..=last).zip(&changed) {
            self.tables.changes.put(number, &TokenIdRecordV1(*id))?;
        }
        let oldest = last.saturating_sub(max).saturating_add(1);
        while let Some(first) = self.tables.changes.first_key()?.filter(|n| *n < oldest) {
            if !self.tables.changes.remove(first)? {
                return Err(StoreError::corrupted("the first row of a table cannot be found"));
            }
        }
        Ok((last > before).then_some(last))
    }
}
