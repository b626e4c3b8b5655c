//! Tokens on their way in, sealed for the store as soon as their lines were read: a few in memory,
//! many in a file without a name, as private as the store. So no line is read twice for what it
//! says, and memory holds a few parts. Called by `import`.

use std::{fs::File, ops::ControlFlow, os::unix::fs::FileExt as _};

use super::abreast::abreast;
use crate::{
    domain::{Moment, Pat, TokenId},
    store::{Operation, Sealed, Store, StoreError},
};

/// Bytes that are kept in memory: some 20,000 tokens.
const IN_MEMORY: usize = 8 << 20;

/// Bytes that a part is added to until it has: some 2,000 tokens. Threads that are begun for less
/// work are not moved to another core before it is done.
const PART: usize = 1 << 20;

/// Parts of what comes in, in their order.
#[derive(Debug, Default)]
pub(super) struct Spool {
    parts: Vec<Place>,
    /// The first parts, until they are too many.
    memory: Vec<u8>,
    /// All of them from then on.
    file: Option<File>,
    end: u64,
}

/// Where a part is.
#[derive(Debug, Clone, Copy)]
struct Place {
    start: u64,
    length: usize,
    /// The checksum of its bytes.
    sum: u32,
}

impl Place {
    /// Has the part go on with `bytes`, which lie behind it.
    fn extend(&mut self, bytes: &[u8]) {
        let mut sum = crc32fast::Hasher::new_with_initial(self.sum);
        sum.update(bytes);
        self.sum = sum.finalize();
        self.length += bytes.len();
    }
}

impl Spool {
    /// Adds a part, or adds to the last one. What is too much for memory goes into a file beside
    /// `store`.
    pub(super) fn add(&mut self, store: &Store, part: &[u8]) -> Result<(), StoreError> {
        let (start, length) = (self.end, part.len());
        self.end += u64::try_from(length).unwrap_or(u64::MAX);
        let last = self.parts.last_mut().filter(|last| last.length + length <= PART);
        match last {
            Some(last) => last.extend(part),
            None => self.parts.push(Place { start, length, sum: crc32fast::hash(part) }),
        }
        if self.file.is_none() && self.memory.len() + length > IN_MEMORY {
            let file = store.scratch()?;
            file.write_all_at(&self.memory, 0).map_err(|error| StoreError::from(&error))?;
            (self.memory, self.file) = (Vec::new(), Some(file));
        }
        let Some(file) = &self.file else {
            self.memory.extend_from_slice(part);
            return Ok(());
        };
        file.write_all_at(part, start).map_err(|error| StoreError::from(&error))
    }

    /// Does `work` on several parts at once, and hands what it makes to `take` in their order,
    /// until that breaks.
    pub(super) fn each<T: Send>(
        &self,
        work: impl Fn(Result<Vec<u8>, StoreError>) -> T + Sync,
        take: impl FnMut(T) -> ControlFlow<()>,
    ) {
        let mut parts = self.parts.iter();
        abreast(|| parts.next(), |place| work(self.part(*place)), take);
    }

    fn part(&self, Place { start, length, sum }: Place) -> Result<Vec<u8>, StoreError> {
        let bytes = if let Some(file) = &self.file {
            let mut bytes = vec![0; length];
            file.read_exact_at(&mut bytes, start).map_err(|error| StoreError::from(&error))?;
            Some(bytes)
        } else {
            let start = usize::try_from(start).ok();
            let bytes = start.and_then(|start| self.memory.get(start..start.checked_add(length)?));
            bytes.map(<[u8]>::to_vec)
        };
        bytes.filter(|bytes| crc32fast::hash(bytes) == sum).ok_or_else(spoiled)
    }
}

/// What an event tells of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Told<'a> {
    pub(super) name: &'a str,
    pub(super) revoked: bool,
    pub(super) expires: Option<Moment>,
}

impl<'a> Told<'a> {
    fn of(pat: &'a Pat) -> Self {
        Self { name: pat.name.as_str(), revoked: pat.revoked.is_some(), expires: pat.expires }
    }

    fn write(&self, to: &mut Vec<u8>) {
        let name = self.name.as_bytes();
        let end = self.expires.unwrap_or_default();
        to.extend_from_slice(&[u8::from(self.revoked), u8::from(self.expires.is_some())]);
        to.extend_from_slice(&end.timestamp().to_le_bytes());
        to.extend_from_slice(&end.timestamp_subsec_nanos().to_le_bytes());
        // A name has 64 characters.
        to.extend_from_slice(&u16::try_from(name.len()).unwrap_or(0).to_le_bytes());
        to.extend_from_slice(name);
    }

    fn read(from: &mut &'a [u8]) -> Option<Self> {
        let ([revoked, ends], rest) = from.split_first_chunk()?;
        let (second, rest) = rest.split_first_chunk()?;
        let (nano, rest) = rest.split_first_chunk()?;
        let (length, rest) = rest.split_first_chunk()?;
        let (name, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes(*length)))?;
        *from = rest;
        let end = Moment::from_timestamp(i64::from_le_bytes(*second), u32::from_le_bytes(*nano))?;
        let name = std::str::from_utf8(name).ok()?;
        Some(Self { name, revoked: *revoked == 1, expires: (*ends == 1).then_some(end) })
    }
}

/// A token in a part.
#[derive(Debug)]
pub(super) struct Spooled<'a> {
    /// In which line it stood, from 1.
    pub(super) line: u64,
    /// Whether nothing of it was here when it was looked at.
    pub(super) is_new: bool,
    /// What is told of it if it comes in: all that has to be known of one that is new.
    pub(super) told: Told<'a>,
    /// What is to be put.
    pub(super) sealed: Sealed<'a>,
}

impl<'a> Spooled<'a> {
    /// Adds a token to the part `to`.
    pub(super) fn write(
        to: &mut Vec<u8>,
        line: u64,
        is_new: bool,
        pat: &Pat,
    ) -> Result<(), StoreError> {
        to.extend_from_slice(&line.to_le_bytes());
        to.push(u8::from(is_new));
        Told::of(pat).write(to);
        Sealed::write(pat, to)
    }

    /// The first token of `part`, which goes on behind it; `None` at its end.
    pub(super) fn next(part: &mut &'a [u8]) -> Result<Option<Self>, StoreError> {
        if part.is_empty() {
            return Ok(None);
        }
        Self::read(part).map(Some).ok_or_else(spoiled)
    }

    /// The token that begins at `place` of `part`.
    pub(super) fn at(part: &'a [u8], place: usize) -> Result<Self, StoreError> {
        let mut rest = part.get(place..).unwrap_or_default();
        Self::read(&mut rest).ok_or_else(spoiled)
    }

    fn read(part: &mut &'a [u8]) -> Option<Self> {
        let (line, rest) = part.split_first_chunk()?;
        let (is_new, mut rest) = rest.split_first()?;
        let (told, sealed) = (Told::read(&mut rest)?, Sealed::read(&mut rest)?);
        *part = rest;
        Some(Self { line: u64::from_le_bytes(*line), is_new: *is_new == 1, told, sealed })
    }

    /// The token.
    pub(super) fn pat(&self) -> Result<Pat, StoreError> {
        self.sealed.pat().ok_or_else(spoiled)
    }

    /// Its id.
    pub(super) fn id(&self) -> Result<TokenId, StoreError> {
        self.sealed.id().ok_or_else(spoiled)
    }
}

/// Only a disk that does not give back what was written comes to this.
fn spoiled() -> StoreError {
    StoreError::failed(Operation::Read, "what was kept of the lines meanwhile is damaged")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::pat::tests::pat;

    #[test]
    fn parts_come_back_as_they_were_from_memory_and_from_a_file() {
        let store = Store::memory().unwrap();
        for (size, count) in [(100, 1), (PART / 4, 4), (PART + 1, 10)] {
            let mut spool = Spool::default();
            let parts: Vec<Vec<u8>> = (0..10_u8).map(|n| vec![n; size + usize::from(n)]).collect();
            for part in &parts {
                spool.add(&store, part).unwrap();
            }
            assert_eq!(spool.file.is_some(), size > PART);
            let mut back = Vec::new();
            spool.each(Result::unwrap, |part| {
                back.push(part);
                ControlFlow::Continue(())
            });
            assert_eq!(back.len(), count, "of {size}");
            assert!(back.concat() == parts.concat(), "parts of {size}");
        }
    }

    #[test]
    fn a_part_that_is_not_what_it_was_is_refused() {
        let store = Store::memory().unwrap();
        let mut spool = Spool::default();
        let pat = pat();
        let mut bytes = Vec::new();
        Spooled::write(&mut bytes, 7, true, &pat).unwrap();
        spool.add(&store, &bytes).unwrap();
        for at in 0..bytes.len() {
            spool.memory[at] ^= 1;
            spool.each(
                |part| assert_eq!(part, Err(spoiled()), "changed at {at}"),
                |()| ControlFlow::Continue(()),
            );
            spool.memory[at] ^= 1;
        }
        spool.each(|part| assert_eq!(part.as_ref(), Ok(&bytes)), |()| ControlFlow::Continue(()));
    }

    #[test]
    fn a_token_comes_back_with_its_line_and_a_cut_one_not_at_all() {
        let (one, mut other) = (pat(), pat());
        other.expires = None;
        other.revoked = Some(other.created);
        let mut bytes = Vec::new();
        Spooled::write(&mut bytes, 7, true, &one).unwrap();
        let first = bytes.len();
        Spooled::write(&mut bytes, 9, false, &other).unwrap();
        let mut rest = bytes.as_slice();
        for (line, is_new, pat) in [(7, true, &one), (9, false, &other)] {
            let it = Spooled::next(&mut rest).unwrap().unwrap();
            assert_eq!((it.line, it.is_new, it.told), (line, is_new, Told::of(pat)));
            assert_eq!((it.pat().unwrap(), it.id().unwrap()), (pat.clone(), pat.id));
        }
        assert!(Spooled::next(&mut rest).unwrap().is_none());
        for end in 1..first {
            let cut = Spooled::next(&mut bytes.get(..end).unwrap());
            assert!(cut.is_err(), "cut at {end}");
        }
    }
}
