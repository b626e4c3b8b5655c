//! Many new tokens in one transaction, several times as fast as one by one: sealed before they
//! come, put table by table in the order of the keys, so that most of them go into full pages
//! side by side. What stands in the store at the end is the same. Called by the service's import.

use std::{ops::Bound, rc::Rc};

use redb::{CursorError, Key, ReadableTable as _};

use super::{
    chain,
    codec::{Record, seal},
    error::StoreError,
    record::{PatV1, RefV1, Uses, UsesV1},
    tables::{NAMES, PATS, Shelf, USES, Writing, noted},
    writer::Writer,
};
use crate::domain::{EventDraft, Pat, TokenId};

/// Names that are kept to be put at once. They are in another order than the tokens, and the
/// more of them there are, the more of them meet on a page.
const NAMES_AT_ONCE: usize = 1 << 17;
/// Fewer new rows than this between two that are there are put one by one.
const RUN: usize = 8;

type Id = [u8; TokenId::LEN];

/// A token with all that is kept of it, sealed for its places in the tables.
#[derive(Debug)]
pub struct Sealed {
    id: Id,
    pat: Vec<u8>,
    uses: Option<Vec<u8>>,
    name: Vec<u8>,
    named: Vec<u8>,
}

impl Sealed {
    /// Seals a token, outside of any transaction.
    pub fn new(pat: &Pat) -> Result<Self, StoreError> {
        let id = *pat.id.as_bytes();
        let name = pat.name.folded().into_bytes();
        let too_large = |table| move || StoreError::TooLarge { table };
        let uses = Uses::of(pat);
        let uses = (uses != Uses::default()).then(|| seal(USES, &id, &UsesV1::from(&uses)));
        Ok(Self {
            pat: seal(PATS, &id, &PatV1::from(pat)).ok_or_else(too_large(PATS))?,
            uses: uses.map(|uses| uses.ok_or_else(too_large(USES))).transpose()?,
            named: seal(NAMES, &name, &RefV1(id)).ok_or_else(too_large(NAMES))?,
            name,
            id,
        })
    }
}

/// A writer that takes in many tokens. Their names are found when it is finished, not before.
#[derive(Debug)]
pub struct Bulk<'w, 't> {
    rows: &'w mut Writer<'t>,
    names: Vec<(Vec<u8>, Vec<u8>)>,
}

impl<'w, 't> Bulk<'w, 't> {
    /// Takes tokens in through `rows`.
    pub fn new(rows: &'w mut Writer<'t>) -> Self {
        Self { rows, names: Vec::new() }
    }

    /// The writer, for what is not new.
    pub fn rows(&mut self) -> &mut Writer<'t> {
        self.rows
    }

    /// Puts tokens that are not there, and an event for each. A name that another token has
    /// leads to the new one from now on: who calls this has removed the other, or will.
    pub fn put(&mut self, coming: Vec<Sealed>, events: Vec<EventDraft>) -> Result<(), StoreError> {
        let (mut pats, mut uses) = (Vec::new(), Vec::new());
        for it in coming {
            self.rows.note(it.id);
            uses.extend(it.uses.map(|row| (it.id, row)));
            pats.push((it.id, it.pat));
            self.names.push((it.name, it.named));
        }
        let tables = &mut self.rows.tables;
        tables.pats.put_many(pats, |id| id)?;
        tables.uses.put_many(uses, |id| id)?;
        chain::append_many(tables, events)?;
        if self.names.len() >= NAMES_AT_ONCE { self.put_names() } else { Ok(()) }
    }

    fn put_names(&mut self) -> Result<(), StoreError> {
        let names = std::mem::take(&mut self.names);
        self.rows.tables.names.put_many(names, |name| name.as_slice())
    }

    /// Puts what is left.
    pub fn finish(mut self) -> Result<(), StoreError> {
        self.put_names()
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "keys are references and integers, as in `tables`"
)]
impl<K: Key + 'static> Shelf<K, Writing<'_>> {
    /// The bytes of `record` for the place `key`.
    pub(super) fn sealed<R: Record>(
        &self,
        key: K::SelfType<'_>,
        record: &R,
    ) -> Result<Vec<u8>, StoreError> {
        let sealed = seal(self.name, K::as_bytes(&key).as_ref(), record);
        sealed.ok_or(StoreError::TooLarge { table: self.name })
    }

    /// Puts sealed rows, whatever their order.
    pub(super) fn put_many<O: Ord>(
        &mut self,
        mut rows: Vec<(O, Vec<u8>)>,
        key: impl for<'a> Fn(&'a O) -> K::SelfType<'a>,
    ) -> Result<(), StoreError> {
        rows.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        let trouble = Rc::clone(&self.trouble);
        noted(&trouble, || {
            let mut rest = rows.as_slice();
            while let Some((first, _)) = rest.first() {
                let run = self.run(rest, &key)?;
                let (now, later) = rest.split_at(run.clamp(RUN.min(rest.len()), rest.len()));
                if run < RUN {
                    for (place, row) in now {
                        self.slot.insert(key(place), row.as_slice())?;
                    }
                } else {
                    let mut gap = self.slot.lower_bound_mut(Bound::Included(key(first)))?;
                    for (place, row) in now {
                        gap.insert_before(key(place), row.as_slice()).map_err(misplaced)?;
                    }
                    gap.close()?;
                }
                rest = later;
            }
            Ok(())
        })
    }

    /// How many of the sorted `rows` come before whatever is there.
    fn run<O>(
        &self,
        rows: &[(O, Vec<u8>)],
        key: impl for<'a> Fn(&'a O) -> K::SelfType<'a>,
    ) -> Result<usize, StoreError> {
        let Some((first, _)) = rows.first() else { return Ok(0) };
        let Some(next) = self.slot.range(key(first)..)?.next() else { return Ok(rows.len()) };
        let (next, _) = next?;
        let next = next.value();
        let next = K::as_bytes(&next);
        Ok(rows.partition_point(|(place, _)| {
            K::compare(K::as_bytes(&key(place)).as_ref(), next.as_ref()).is_lt()
        }))
    }
}

fn misplaced(error: CursorError) -> StoreError {
    match error {
        CursorError::Storage(error) => error.into(),
        other => StoreError::Broken { why: other.to_string() },
    }
}

#[cfg(test)]
#[path = "bulk_tests.rs"]
mod tests;
