//! Buffers the checked rows of an import, encoded for the store, so that each line is parsed once.
//! Small imports stay in memory; large ones go to an anonymous temporary file (mode 0600). A
//! checksum for each batch detects a disk that returns other bytes than were written. Called by
//! `import`.

use std::{fs::File, iter, os::unix::fs::FileExt as _};

use super::{conflicts::Conflict, row_plans::RowPlan, source::ImportRow};
use crate::{
    domain::Token,
    store::{ComparedFields, EncodedToken, IoOperation, Store, StoreError},
};

/// Maximum number of bytes in memory, about 20,000 tokens. Larger imports use a file.
const MAX_IN_MEMORY: usize = 8 << 20;

/// Maximum size in bytes of a batch that small batches are merged into, about 2,000 tokens.
/// Inserting more tokens at once writes fewer pages, because more of the tokens share a page.
const BATCH_BYTES: usize = 1 << 20;

/// Batches of rows, in the order of their lines.
#[derive(Debug, Default)]
pub(super) struct StagingBuffer {
    batches: Vec<StagedBatchLocation>,
    /// The bytes of all batches, or empty if the batches are in `file`.
    memory: Vec<u8>,
    /// The bytes of all batches if they exceed [`MAX_IN_MEMORY`].
    file: Option<File>,
    /// The total length of all batches in bytes.
    end: u64,
    /// Number of rows in all batches.
    row_count: usize,
}

/// Byte offset, length and checksum of a batch.
#[derive(Debug, Clone, Copy)]
struct StagedBatchLocation {
    start: u64,
    length: usize,
    crc: u32,
}

impl StagingBuffer {
    /// The number of rows in all batches.
    pub(super) fn row_count(&self) -> usize {
        self.row_count
    }

    /// Appends `count` encoded rows to the last batch if they fit, or else as a new batch. Moves
    /// all rows to a scratch file of `store` when they exceed [`MAX_IN_MEMORY`]. Fails if the file
    /// cannot be written.
    pub(super) fn add(
        &mut self,
        store: &Store,
        rows: &[u8],
        count: usize,
    ) -> Result<(), StoreError> {
        self.row_count = self.row_count.saturating_add(count);
        let (start, length) = (self.end, rows.len());
        self.end += u64::try_from(length).unwrap_or(u64::MAX);
        match self.batches.last_mut().filter(|last| last.length + length <= BATCH_BYTES) {
            Some(last) => {
                let mut crc = crc32fast::Hasher::new_with_initial(last.crc);
                crc.update(rows);
                last.crc = crc.finalize();
                last.length += length;
            }
            None => {
                self.batches.push(StagedBatchLocation {
                    start,
                    length,
                    crc: crc32fast::hash(rows),
                });
            }
        }
        if self.file.is_none() && self.memory.len() + length > MAX_IN_MEMORY {
            let file = store.scratch_file()?;
            file.write_all_at(&self.memory, 0).map_err(|error| StoreError::from(&error))?;
            (self.memory, self.file) = (Vec::new(), Some(file));
        }
        let Some(file) = &self.file else {
            self.memory.extend_from_slice(rows);
            return Ok(());
        };
        file.write_all_at(rows, start).map_err(|error| StoreError::from(&error))
    }

    /// Reads the batches in order. A batch whose checksum is wrong is an error.
    pub(super) fn batches(&self) -> impl Iterator<Item = Result<Vec<u8>, StoreError>> {
        self.batches.iter().map(|batch| self.read(*batch))
    }

    fn read(
        &self,
        StagedBatchLocation { start, length, crc }: StagedBatchLocation,
    ) -> Result<Vec<u8>, StoreError> {
        let bytes = if let Some(file) = &self.file {
            let mut bytes = vec![0; length];
            file.read_exact_at(&mut bytes, start).map_err(|error| StoreError::from(&error))?;
            Some(bytes)
        } else {
            let start = usize::try_from(start).ok();
            let bytes = start.and_then(|start| self.memory.get(start..start.checked_add(length)?));
            bytes.map(<[u8]>::to_vec)
        };
        bytes.filter(|bytes| crc32fast::hash(bytes) == crc).ok_or_else(corrupt_staging)
    }
}

/// What the first check of a row found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CheckResult {
    /// The token had a conflict with the store, or was in it already.
    Known,
    New,
    /// Its secret would work again, to which the operator has consented.
    Reactivating,
}

impl CheckResult {
    const ALL: [Self; 3] = [Self::Known, Self::New, Self::Reactivating];

    pub(super) fn of(action: &RowPlan) -> Self {
        let reactivates = |conflict: &Conflict| matches!(conflict, Conflict::Reactivates(_));
        if *action == RowPlan::INSERT {
            Self::New
        } else if action.conflicts.iter().any(reactivates) {
            Self::Reactivating
        } else {
            Self::Known
        }
    }
}

/// A staged row, still encoded.
#[derive(Debug, Clone, Copy)]
pub(super) struct StagedToken<'a> {
    pub(super) line: u64,
    pub(super) result: CheckResult,
    pub(super) encoded: EncodedToken<'a>,
}

impl<'a> StagedToken<'a> {
    /// Appends `row` to `batch`.
    pub(super) fn write(
        batch: &mut Vec<u8>,
        row: &ImportRow,
        result: CheckResult,
    ) -> Result<(), StoreError> {
        batch.extend_from_slice(&row.line.to_le_bytes());
        batch.push(result as u8);
        EncodedToken::write(&row.token, batch)
    }

    /// Reads the rows of `batch`, up to the first damaged row.
    pub(super) fn read_all(mut batch: &'a [u8]) -> impl Iterator<Item = Result<Self, StoreError>> {
        iter::from_fn(move || {
            let row = (!batch.is_empty()).then(|| Self::read(&mut batch))?;
            if row.is_none() {
                batch = &[];
            }
            Some(row.ok_or_else(corrupt_staging))
        })
    }

    fn read(batch: &mut &'a [u8]) -> Option<Self> {
        let (line, rest) = batch.split_first_chunk()?;
        let (result, rest) = rest.split_first()?;
        *batch = rest;
        let encoded = EncodedToken::read(batch)?;
        let result = CheckResult::ALL.into_iter().find(|it| *it as u8 == *result)?;
        Some(Self { line: u64::from_le_bytes(*line), result, encoded })
    }

    /// Reads those fields of the token that the audit event of the import contains.
    pub(super) fn summary(&self) -> Result<ComparedFields, StoreError> {
        self.encoded.summary().ok_or_else(corrupt_staging)
    }

    pub(super) fn decode(&self) -> Result<Token, StoreError> {
        self.encoded.decode().ok_or_else(corrupt_staging)
    }
}

/// The error for bytes that differ from those that were written.
fn corrupt_staging() -> StoreError {
    StoreError::failed(IoOperation::Read, "the temporary copy of the imported lines is damaged")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::token::tests::sample_token;

    fn row(line: u64, token: Token) -> ImportRow {
        ImportRow { line, token }
    }

    #[test]
    fn batches_round_trip_in_memory_and_in_a_file() {
        let store = Store::memory().unwrap();
        for (size, count) in [(100, 1), (BATCH_BYTES / 4, 4), (BATCH_BYTES + 1, 10)] {
            let mut staging = StagingBuffer::default();
            let parts: Vec<Vec<u8>> = (0..10_u8).map(|n| vec![n; size + usize::from(n)]).collect();
            for part in &parts {
                staging.add(&store, part, 1).unwrap();
            }
            assert_eq!(staging.file.is_some(), size > BATCH_BYTES);
            let back: Vec<_> = staging.batches().map(Result::unwrap).collect();
            assert_eq!(back.len(), count, "of {size}");
            assert!(back.concat() == parts.concat(), "parts of {size}");
        }
    }

    #[test]
    fn damaged_batch_is_refused() {
        let store = Store::memory().unwrap();
        let mut staging = StagingBuffer::default();
        let mut bytes = Vec::new();
        StagedToken::write(&mut bytes, &row(7, sample_token()), CheckResult::New).unwrap();
        staging.add(&store, &bytes, 1).unwrap();
        for at in 0..bytes.len() {
            staging.memory[at] ^= 1;
            let read: Vec<_> = staging.batches().collect();
            assert_eq!(read, [Err(corrupt_staging())], "changed at {at}");
            staging.memory[at] ^= 1;
        }
        assert_eq!(staging.batches().collect::<Vec<_>>(), [Ok(bytes)]);
    }

    #[test]
    fn token_round_trips_with_its_line_unless_truncated() {
        let (one, mut other) = (sample_token(), sample_token());
        other.expires = None;
        other.revoked = Some(other.created);
        let mut bytes = Vec::new();
        StagedToken::write(&mut bytes, &row(7, one.clone()), CheckResult::New).unwrap();
        let first = bytes.len();
        StagedToken::write(&mut bytes, &row(9, other.clone()), CheckResult::Reactivating).unwrap();
        let back: Vec<_> = StagedToken::read_all(&bytes)
            .map(|token| token.unwrap())
            .map(|token| (token.line, token.result, token.decode().unwrap()))
            .collect();
        assert_eq!(back, [(7, CheckResult::New, one), (9, CheckResult::Reactivating, other)]);
        for end in 1..first {
            let cut: Vec<_> = StagedToken::read_all(&bytes[..end]).collect();
            assert_eq!(cut.len(), 1, "cut at {end}");
            assert!(cut[0].is_err(), "cut at {end}");
        }
    }
}
