//! Many new tokens in one transaction, several times as fast as one by one: sealed, and their
//! events and names made ready, on other threads; put table by table in the order of the keys, so
//! that most of them go into full pages side by side. What stands in the store at the end is the
//! same. Called by the service's import.

use std::{mem::take, ops::Bound};

use redb::{CursorError, Key, ReadableTable as _};

use super::{
    chain::{self, Linked, Unlinked},
    codec::seal_behind,
    error::StoreError,
    packed::Packed,
    record::{HeadV1, PatV1, RefV1, Uses, UsesV1},
    stretch,
    tables::{NAMES, PATS, ReadWrite, RecordTable, Tables, USES},
    writer::Writer,
};
use crate::domain::{Pat, TokenId};

/// Names that are kept to be put at once. They are in another order than the tokens, and the
/// more of them there are, the more of them meet on a page.
const NAMES_AT_ONCE: usize = 1 << 17;
/// Fewer new rows than this between two that are there are put one by one.
const RUN: usize = 8;

type Id = [u8; TokenId::LEN];

/// A token with all that is kept of it, sealed for its places in the tables: bytes that lie beside
/// those of other tokens until they are put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sealed<'a> {
    id: &'a Id,
    pat: &'a [u8],
    /// Empty if it was never used.
    uses: &'a [u8],
    name: &'a [u8],
    named: &'a [u8],
}

impl<'a> Sealed<'a> {
    /// Seals `pat` behind what is in `to`, outside of any transaction.
    pub fn write(pat: &Pat, to: &mut Vec<u8>) -> Result<(), StoreError> {
        let id = pat.id.as_bytes();
        let (name, uses) = (pat.name.folded(), Uses::of(pat));
        to.extend_from_slice(id);
        measured(to, PATS, |to| seal_behind(to, PATS, id, &PatV1::from(pat)))?;
        measured(to, USES, |to| {
            let is_used = uses != Uses::default();
            if is_used { seal_behind(to, USES, id, &UsesV1::from(&uses)) } else { Some(()) }
        })?;
        measured(to, NAMES, |to| {
            to.extend_from_slice(name.as_bytes());
            Some(())
        })?;
        measured(to, NAMES, |to| seal_behind(to, NAMES, name.as_bytes(), &RefV1(*id)))
    }

    /// What [`Sealed::write`] wrote at the start of `from`, which goes on behind it; `None` if
    /// nothing of the kind stands there.
    pub fn read(from: &mut &'a [u8]) -> Option<Self> {
        let (id, rest) = from.split_first_chunk()?;
        *from = rest;
        let mut next = || {
            let (length, rest) = from.split_first_chunk()?;
            let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
            let (bytes, rest) = rest.split_at_checked(length)?;
            *from = rest;
            Some(bytes)
        };
        Some(Self { id, pat: next()?, uses: next()?, name: next()?, named: next()? })
    }

    /// Whose it is.
    pub fn id(&self) -> Option<TokenId> {
        TokenId::from_bytes(*self.id)
    }

    /// The token, if it is whole.
    pub fn pat(&self) -> Option<Pat> {
        let uses = (!self.uses.is_empty()).then_some(self.uses);
        let (pat, damaged) = stretch::read(self.id, self.pat, uses);
        pat.ok().filter(|_| damaged.is_none())
    }
}

/// Writes what `write` does with its length before it.
fn measured(
    to: &mut Vec<u8>,
    table: &'static str,
    write: impl FnOnce(&mut Vec<u8>) -> Option<()>,
) -> Result<(), StoreError> {
    let start = to.len();
    to.extend_from_slice(&[0; 4]);
    let written = write(to).and_then(|()| u32::try_from(to.len() - start - 4).ok());
    let place = to.get_mut(start..).and_then(<[u8]>::first_chunk_mut);
    match (written, place) {
        (Some(length), Some(place)) => {
            *place = length.to_le_bytes();
            Ok(())
        }
        _ => Err(StoreError::TooLarge { table }),
    }
}

/// What goes ahead of the transaction that takes tokens in, on another thread: it gives their
/// events places in the chain, which is done for one after the other, and brings names into order.
#[derive(Debug)]
pub struct Ahead {
    /// Where the chain ends by then.
    head: HeadV1,
    /// Those of each part in order.
    names: Names,
}

/// What is ready to be put of a part beside its tokens.
#[derive(Debug)]
pub struct Ready {
    linked: Linked,
    names: Option<Names>,
}

/// Names with what is to stand at them, by how long each name is.
#[derive(Debug, Default)]
pub struct Names(Packed<usize>);

impl Ahead {
    /// For what `rows` will take in.
    pub fn of(rows: &Writer<'_>) -> Result<Self, StoreError> {
        Ok(Self { head: chain::head(&rows.tables.meta)?, names: Names::default() })
    }

    /// Makes a part ready: tokens that come in and the events that tell of them. Their names are
    /// ready with a later one, or in the end.
    pub fn ready(&mut self, coming: &[Sealed<'_>], told: Unlinked) -> Result<Ready, StoreError> {
        let linked = told.behind(self.head)?;
        self.head = linked.head();
        self.keep_names(coming.iter().map(|it| (it.name, it.named)).collect())?;
        let are_many = self.names.0.len() >= NAMES_AT_ONCE;
        let names = are_many.then(|| take(&mut self.names).in_order()).transpose()?;
        Ok(Ready { linked, names })
    }

    /// The names that are left.
    pub fn rest(self) -> Result<Names, StoreError> {
        self.names.in_order()
    }

    fn keep_names(&mut self, mut names: Vec<(&[u8], &[u8])>) -> Result<(), StoreError> {
        names.sort_unstable();
        names.into_iter().try_for_each(|(name, named)| self.names.add(name, named))
    }
}

impl Names {
    fn add(&mut self, name: &[u8], named: &[u8]) -> Result<(), StoreError> {
        let both = |bytes: &mut Vec<u8>| {
            bytes.extend_from_slice(name);
            bytes.extend_from_slice(named);
            Ok(())
        };
        self.0.add(name.len(), both).map(drop)
    }

    fn each(&self) -> Vec<(&[u8], &[u8])> {
        self.0.iter().filter_map(|(end, both)| both.split_at_checked(end)).collect()
    }

    fn in_order(self) -> Result<Self, StoreError> {
        let (mut each, mut sorted) = (self.each(), Self::default());
        // The stable sort finds what is in order already.
        each.sort();
        each.into_iter().try_for_each(|(name, named)| sorted.add(name, named))?;
        Ok(sorted)
    }
}

impl Writer<'_> {
    /// Puts tokens that are not there, and what is `ready` beside them. Their names are found once
    /// they are [put](Writer::put_names), too. A name that another token has leads to the new one
    /// from then on: who calls this has removed the other, or will.
    pub fn put_many(&mut self, coming: &[Sealed<'_>], ready: Ready) -> Result<(), StoreError> {
        let Tables { pats, uses, .. } = &mut self.tables;
        pats.put_many(coming.iter().map(|it| (it.id, it.pat)).collect(), |id| id)?;
        let used = coming.iter().filter(|it| !it.uses.is_empty());
        uses.put_many(used.map(|it| (it.id, it.uses)).collect(), |id| id)?;
        chain::put(&mut self.tables, ready.linked)?;
        for it in coming {
            self.note(*it.id);
        }
        ready.names.map_or(Ok(()), |names| self.put_names(&names))
    }

    /// Lets tokens be found by these names.
    pub fn put_names(&mut self, names: &Names) -> Result<(), StoreError> {
        self.tables.names.put_many(names.each(), |name| name)
    }
}

impl<K: Key + 'static> RecordTable<K, ReadWrite<'_>> {
    /// Puts sealed rows, whatever their order.
    pub(super) fn put_many<O: Ord>(
        &mut self,
        mut rows: Vec<(O, impl AsRef<[u8]>)>,
        key: impl for<'a> Fn(&'a O) -> K::SelfType<'a>,
    ) -> Result<(), StoreError> {
        rows.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        let error = self.error.clone();
        error.run(|| {
            let mut rest = rows.as_slice();
            while let Some((first, _)) = rest.first() {
                let run = self.run(rest, &key)?;
                let (now, later) = rest.split_at(run.clamp(RUN.min(rest.len()), rest.len()));
                if run < RUN {
                    for (place, row) in now {
                        self.inner.insert(key(place), row.as_ref())?;
                    }
                } else {
                    let mut gap = self.inner.lower_bound_mut(Bound::Included(key(first)))?;
                    for (place, row) in now {
                        gap.insert_before(key(place), row.as_ref()).map_err(misplaced)?;
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
        rows: &[(O, impl AsRef<[u8]>)],
        key: impl for<'a> Fn(&'a O) -> K::SelfType<'a>,
    ) -> Result<usize, StoreError> {
        let Some((first, _)) = rows.first() else { return Ok(0) };
        let Some(next) = self.inner.range(key(first)..)?.next() else { return Ok(rows.len()) };
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
        other => StoreError::broken(other),
    }
}

#[cfg(test)]
#[path = "bulk_tests.rs"]
mod tests;
