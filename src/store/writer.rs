//! The writing verbs. They keep the tables in step with each other: names with tokens, marks
//! with events, and the feed with everything. Called by the service in the closure that it
//! gives to `Store::write`.

use std::{collections::BTreeSet, ops::ControlFlow};

use super::{
    chain,
    codec::decode,
    error::StoreError,
    read_ops::{HasTables, ReadOps as _, uses},
    record::{RefV1, TokenV1, TrashV1, Uses, UsesV1},
    tables::{ReadWrite, Tables},
};
use crate::domain::{AuditEvent, Digest, EventDraft, LastUse, Name, Timestamp, Token, TokenId};

/// How many rows the feed keeps.
const FEED_ROWS: usize = 4_096;

/// What stands in the feed for a change that concerns no token; it is no id.
const WHOLE_STORE: [u8; TokenId::LEN] = [0; TokenId::LEN];

/// One write transaction; its reads see what it wrote.
#[derive(Debug)]
pub struct Writer<'t> {
    pub(super) tables: Tables<ReadWrite<'t>>,
    /// Which tokens changed, as many as the feed keeps.
    changed: BTreeSet<[u8; TokenId::LEN]>,
    /// How many more changes there were.
    more: u64,
}

impl<'t> HasTables for Writer<'t> {
    type AccessMode = ReadWrite<'t>;

    fn tables(&self) -> &Tables<ReadWrite<'t>> {
        &self.tables
    }
}

impl<'t> Writer<'t> {
    pub(super) fn new(tables: Tables<ReadWrite<'t>>) -> Self {
        Self { tables, changed: BTreeSet::new(), more: 0 }
    }

    /// Remembers that this token changed. Of more tokens than the feed keeps only the number
    /// counts, for followers start anew then; one that changes again may be counted again.
    pub(super) fn note(&mut self, id: [u8; TokenId::LEN]) {
        if self.changed.len() < FEED_ROWS {
            self.changed.insert(id);
        } else if !self.changed.contains(&id) {
            self.more = self.more.saturating_add(1);
        }
    }

    /// Writes the token, new or changed; its name follows. Its `last_used` is not written: that
    /// is [`Writer::put_use`]'s. Refused if another token has the name.
    pub fn put_token(&mut self, token: &Token) -> Result<(), StoreError> {
        let holder = self.id_of_name(&token.name)?;
        if let Some(by) = holder.filter(|by| *by != token.id) {
            let name = token.name.clone();
            return Err(StoreError::NameTaken { name, by });
        }
        let key = token.id.as_bytes();
        let name = token.name.folded();
        let old_names = self.names_of(&token.id)?;
        if holder.is_none() || old_names.iter().any(|old| old != name.as_bytes()) {
            for old in old_names {
                self.tables.names.remove(&old)?;
            }
            self.tables.names.put(name.as_bytes(), &RefV1(*key))?;
        }
        self.tables.tokens.put(key, &TokenV1::from(token))?;
        self.note(*key);
        Ok(())
    }

    /// Removes the token, its name and its last use; whether it was there. A damaged record
    /// goes like a good one.
    pub fn remove_token(&mut self, id: &TokenId) -> Result<bool, StoreError> {
        let key = id.as_bytes();
        if !self.tables.tokens.has(key)? {
            return Ok(false);
        }
        for name in self.names_of(id)? {
            // In a bulk its name may lead to another by now.
            if self.tables.names.get(&name, decode::<RefV1>) == Ok(Some(RefV1(*key))) {
                self.tables.names.remove(&name)?;
            }
        }
        self.tables.uses.remove(key)?;
        self.tables.tokens.remove(key)?;
        self.note(*key);
        Ok(true)
    }

    /// Writes the last use of a token by its present secret; does nothing if the token is gone.
    pub fn put_use(&mut self, id: &TokenId, last: &LastUse) -> Result<(), StoreError> {
        self.change_uses(id, |uses| uses.present = Some(last.clone()))
    }

    /// As [`Writer::put_use`], by the retiring secret behind `digest`.
    pub fn put_retiring_use(
        &mut self,
        id: &TokenId,
        digest: Digest,
        last: &LastUse,
    ) -> Result<(), StoreError> {
        self.change_uses(id, |uses| uses.retire(digest, last))
    }

    fn change_uses(
        &mut self,
        id: &TokenId,
        change: impl FnOnce(&mut Uses),
    ) -> Result<(), StoreError> {
        let key = id.as_bytes();
        if self.tables.tokens.has(key)? {
            let mut uses = uses(&self.tables, id)?;
            change(&mut uses);
            self.tables.uses.put(key, &UsesV1::from(&uses))?;
            self.note(*key);
        }
        Ok(())
    }

    /// Gives the event its place in the chain.
    pub fn append_event(&mut self, what: EventDraft) -> Result<AuditEvent, StoreError> {
        let whom = what.token.map_or(WHOLE_STORE, |id| *id.as_bytes());
        let event = chain::append(&mut self.tables, what)?;
        self.note(whom);
        Ok(event)
    }

    /// Keeps a deleted token, with its last use.
    pub fn put_trash(&mut self, token: &Token, at: Timestamp) -> Result<(), StoreError> {
        let key = token.id.as_bytes();
        self.tables.trash.put(key, &TrashV1::new(token, &Uses::of(token), at))?;
        self.note(*key);
        Ok(())
    }

    /// Forgets a deleted token; whether it was there.
    pub fn remove_trash(&mut self, id: &TokenId) -> Result<bool, StoreError> {
        let there = self.tables.trash.remove(id.as_bytes())?;
        if there {
            self.note(*id.as_bytes());
        }
        Ok(there)
    }

    pub fn has_trash(&self) -> Result<bool, StoreError> {
        Ok(self.tables.trash.len()? > 0)
    }

    /// Under which folded names the token is found now: the one in its record, or, if that is
    /// damaged, all that lead to it.
    fn names_of(&self, id: &TokenId) -> Result<Vec<Vec<u8>>, StoreError> {
        match self.token(id) {
            Ok(old) => Ok(old.map(|token| folded(&token.name)).into_iter().collect()),
            Err(StoreError::Damaged(_)) => {
                let mut names = Vec::new();
                let all = &self.tables.names;
                all.each(|name: &[u8], row| {
                    let leads_to = row.ok().and_then(decode::<RefV1>);
                    if leads_to == Some(RefV1(*id.as_bytes())) {
                        names.push(name.to_vec());
                    }
                    ControlFlow::Continue(())
                })?;
                Ok(names)
            }
            Err(error) => Err(error),
        }
    }

    /// Writes the feed, which is the last thing before the commit, and forgets its oldest rows.
    /// Gives the generation that the commit leads to, if it leads to another one. Says what went
    /// wrong with the file in this transaction, if anything did.
    pub(super) fn finish(&mut self) -> Result<Option<u64>, StoreError> {
        if let Some(error) = self.tables.error.first() {
            return Err(error);
        }
        let changed = std::mem::take(&mut self.changed);
        let [kept, most] = [changed.len(), FEED_ROWS].map(|n| u64::try_from(n).unwrap_or(u64::MAX));
        let before = self.tables.changes.last_key()?;
        let last = before.saturating_add(kept).saturating_add(self.more);
        // What was counted only leaves a gap, which tells followers to start anew.
        for (number, id) in (last.saturating_sub(kept).saturating_add(1)..=last).zip(&changed) {
            self.tables.changes.put(number, &RefV1(*id))?;
        }
        let oldest = last.saturating_sub(most).saturating_add(1);
        while let Some(first) = self.tables.changes.first_key()?.filter(|n| *n < oldest) {
            self.tables.changes.remove(first)?;
        }
        Ok((last > before).then_some(last))
    }
}

fn folded(name: &Name) -> Vec<u8> {
    name.folded().into_bytes()
}
