//! Tokens on their way in, sealed for the store as soon as their lines were read: a few in memory,
//! many in a file without a name, as private as the store. So no line is read twice for what it
//! says, and memory holds a few parts. Called by `import`.

use std::{fs::File, ops::ControlFlow, os::unix::fs::FileExt as _};

use super::abreast::abreast;
use crate::{
    domain::Pat,
    store::{Sealed, Store, StoreError},
};

/// Bytes that are kept in memory: some 20,000 tokens.
const IN_MEMORY: usize = 8 << 20;

/// Parts of what comes in, in their order.
#[derive(Debug, Default)]
pub(super) struct Spool {
    /// Where each part begins and how long it is.
    parts: Vec<(u64, usize)>,
    /// The first parts, until they are too many.
    memory: Vec<u8>,
    /// All of them from then on.
    file: Option<File>,
    end: u64,
}

impl Spool {
    /// Adds a part. What is too much for memory goes into a file beside `store`.
    pub(super) fn add(&mut self, store: &Store, part: &[u8]) -> Result<(), StoreError> {
        let place = self.end;
        self.end += u64::try_from(part.len()).unwrap_or(u64::MAX);
        self.parts.push((place, part.len()));
        if self.file.is_none() && self.memory.len() + part.len() > IN_MEMORY {
            let file = store.scratch()?;
            file.write_all_at(&self.memory, 0).map_err(|error| StoreError::from(&error))?;
            (self.memory, self.file) = (Vec::new(), Some(file));
        }
        let Some(file) = &self.file else {
            self.memory.extend_from_slice(part);
            return Ok(());
        };
        file.write_all_at(part, place).map_err(|error| StoreError::from(&error))
    }

    /// Does `work` on several parts at once, and hands what it makes to `take` in their order,
    /// until that breaks.
    pub(super) fn each<T: Send>(
        &self,
        work: impl Fn(Result<Vec<u8>, StoreError>) -> T + Sync,
        take: impl FnMut(T) -> ControlFlow<()>,
    ) {
        let mut parts = self.parts.iter();
        abreast(|| parts.next(), |(place, length)| work(self.part(*place, *length)), take);
    }

    fn part(&self, place: u64, length: usize) -> Result<Vec<u8>, StoreError> {
        if let Some(file) = &self.file {
            let mut bytes = vec![0; length];
            file.read_exact_at(&mut bytes, place).map_err(|error| StoreError::from(&error))?;
            return Ok(bytes);
        }
        let place = usize::try_from(place).ok();
        let bytes = place.and_then(|place| self.memory.get(place..place.checked_add(length)?));
        bytes.map(<[u8]>::to_vec).ok_or_else(spoiled)
    }
}

/// A token in a part.
#[derive(Debug)]
pub(super) struct Spooled<'a> {
    /// In which line it stood, from 1.
    pub(super) line: u64,
    /// Whether nothing of it was here when it was looked at.
    pub(super) is_new: bool,
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
        Sealed::write(pat, to)
    }

    /// The first token of `part`, which goes on behind it; `None` at its end.
    pub(super) fn next(part: &mut &'a [u8]) -> Result<Option<Self>, StoreError> {
        let Some((line, rest)) = part.split_first_chunk() else {
            return if part.is_empty() { Ok(None) } else { Err(spoiled()) };
        };
        let (is_new, mut rest) = rest.split_first().ok_or_else(spoiled)?;
        let sealed = Sealed::read(&mut rest).ok_or_else(spoiled)?;
        *part = rest;
        Ok(Some(Self { line: u64::from_le_bytes(*line), is_new: *is_new == 1, sealed }))
    }

    /// The token that begins at `place` of `part`.
    pub(super) fn at(part: &'a [u8], place: usize) -> Result<Self, StoreError> {
        let mut rest = part.get(place..).unwrap_or_default();
        Self::next(&mut rest)?.ok_or_else(spoiled)
    }

    /// The token.
    pub(super) fn pat(&self) -> Result<Pat, StoreError> {
        self.sealed.pat().ok_or_else(spoiled)
    }
}

/// Only a disk that does not give back what was written comes to this.
fn spoiled() -> StoreError {
    StoreError::Io { why: "what was kept of the lines meanwhile is damaged".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::pat::tests::pat;

    #[test]
    fn parts_come_back_as_they_were_from_memory_and_from_a_file() {
        let store = Store::memory().unwrap();
        for size in [100, IN_MEMORY / 3] {
            let mut spool = Spool::default();
            let parts: Vec<Vec<u8>> = (0..10_u8).map(|n| vec![n; size + usize::from(n)]).collect();
            for part in &parts {
                spool.add(&store, part).unwrap();
            }
            assert_eq!(spool.file.is_some(), size > 100);
            let mut back = Vec::new();
            spool.each(Result::unwrap, |part| {
                back.push(part);
                ControlFlow::Continue(())
            });
            assert!(back == parts, "parts of {size}");
        }
    }

    #[test]
    fn a_token_comes_back_with_its_line_and_a_damaged_one_not_at_all() {
        let pat = pat();
        let mut bytes = Vec::new();
        Spooled::write(&mut bytes, 7, true, &pat).unwrap();
        let first = bytes.len();
        Spooled::write(&mut bytes, 9, false, &pat).unwrap();
        let mut rest = bytes.as_slice();
        let one = Spooled::next(&mut rest).unwrap().unwrap();
        assert_eq!((one.line, one.is_new, one.pat().unwrap()), (7, true, pat.clone()));
        let other = Spooled::next(&mut rest).unwrap().unwrap();
        assert_eq!((other.line, other.is_new, other.pat().unwrap()), (9, false, pat));
        assert!(Spooled::next(&mut rest).unwrap().is_none());
        // Cut anywhere, or with another byte anywhere in what it says of the token.
        for end in 1..first {
            let cut = Spooled::next(&mut bytes.get(..end).unwrap());
            assert!(cut.is_err(), "cut at {end}");
        }
        for at in 9..first {
            let mut spoiled = bytes.clone();
            spoiled[at] ^= 1;
            let read = Spooled::next(&mut spoiled.as_slice());
            let is_same = |it: &Spooled<'_>| it.pat().is_ok_and(|pat| Some(pat) == one.pat().ok());
            // The name beside it is not part of what it says.
            let told = read.is_ok_and(|it| it.is_some_and(|it| it.pat().is_ok() && !is_same(&it)));
            assert!(!told, "another token, changed at {at}");
        }
    }
}
