//! Inserts many new tokens in one transaction, several times as fast as one by one: encoded by
//! other threads, and inserted table by table in key order, so that most rows go into full pages
//! side by side. The store contains the same rows in the end. Called by the service's import.

use std::ops::Bound;

use redb::{CursorError, Key, ReadableTable as _};

use super::{
    chain,
    codec::{Record, seal_behind, sealed_body},
    error::StoreError,
    raw_batch,
    record::{RefV1, TokenSummary, TokenV1, Uses, UsesV1},
    tables::{NAMES, PATS, ReadWrite, RecordTable, Tables, USES},
    writer::Writer,
};
use crate::domain::{EventDraft, Token, TokenId};

/// Names that are inserted at once. Their order is not that of the tokens: the more of them there
/// are, the more of them share a page.
const NAMES_AT_ONCE: usize = 1 << 17;
/// Room for a reference to a token, with its checksum.
const SHORT_BYTES: usize = 24;
/// Shorter runs of new rows between two existing ones are inserted row by row.
const MIN_RUN_LEN: usize = 8;

type Id = [u8; TokenId::LEN];

/// The records of a token, encoded for its tables, in a buffer that holds those of other tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EncodedToken<'a> {
    id: &'a Id,
    token: &'a [u8],
    /// Empty if the token was never used.
    usage: &'a [u8],
}

impl<'a> EncodedToken<'a> {
    /// Appends the records of `pat` to `buffer`; needs no transaction.
    pub fn write(token: &Token, buffer: &mut Vec<u8>) -> Result<(), StoreError> {
        let (id, usage) = (token.id.as_bytes(), Uses::of(token));
        buffer.extend_from_slice(id);
        write_length_prefixed(buffer, PATS, |buffer| {
            seal_behind(buffer, PATS, id, &TokenV1::from(token))
        })?;
        write_length_prefixed(buffer, USES, |buffer| {
            let is_used = usage != Uses::default();
            if is_used { seal_behind(buffer, USES, id, &UsesV1::from(&usage)) } else { Some(()) }
        })
    }

    /// Takes what [`EncodedToken::write`] appended from the start of `buffer`; `None` if that is
    /// something else.
    pub fn read(buffer: &mut &'a [u8]) -> Option<Self> {
        let (id, rest) = buffer.split_first_chunk()?;
        *buffer = rest;
        let mut next = || {
            let (length, rest) = buffer.split_first_chunk()?;
            let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
            let (bytes, rest) = rest.split_at_checked(length)?;
            *buffer = rest;
            Some(bytes)
        };
        Some(Self { id, token: next()?, usage: next()? })
    }

    /// The summary of the token, without a check of its checksum: the caller has a checksum of the
    /// buffer. `None` if the record is not a token.
    pub fn summary(&self) -> Option<TokenSummary> {
        sealed_body(self.token)?.decode::<TokenV1<'_>>()?.summary()
    }

    /// The token; `None` if a record is damaged.
    pub fn decode(&self) -> Option<Token> {
        let usage = (!self.usage.is_empty()).then_some(self.usage);
        let (token, damaged) = raw_batch::read_token(self.id, self.token, usage);
        token.ok().filter(|_| damaged.is_none())
    }
}

/// Encodes a record of a few bytes. There may be a hundred thousand at once, so none takes the room
/// of a usual record.
pub(super) fn encode_short(
    table: &'static str,
    key: &[u8],
    record: &impl Record,
) -> Result<Vec<u8>, StoreError> {
    let mut bytes = Vec::with_capacity(SHORT_BYTES);
    seal_behind(&mut bytes, table, key, record).ok_or(StoreError::TooLarge { table })?;
    Ok(bytes)
}

/// Writes what `write` appends with its length before it.
fn write_length_prefixed(
    buffer: &mut Vec<u8>,
    table: &'static str,
    write: impl FnOnce(&mut Vec<u8>) -> Option<()>,
) -> Result<(), StoreError> {
    let start = buffer.len();
    buffer.extend_from_slice(&[0; 4]);
    let written = write(buffer).and_then(|()| u32::try_from(buffer.len() - start - 4).ok());
    let prefix = buffer.get_mut(start..).and_then(<[u8]>::first_chunk_mut);
    match (written, prefix) {
        (Some(length), Some(prefix)) => {
            *prefix = length.to_le_bytes();
            Ok(())
        }
        _ => Err(StoreError::TooLarge { table }),
    }
}

/// Folded names that are not inserted yet, each with the id of its token.
#[derive(Debug, Default)]
pub struct NameBatch(Vec<(String, TokenId)>);

impl NameBatch {
    /// Whether it should be inserted before more names are added, to bound its memory.
    pub fn is_full(&self) -> bool {
        self.0.len() >= NAMES_AT_ONCE
    }
}

impl Extend<(String, TokenId)> for NameBatch {
    fn extend<I: IntoIterator<Item = (String, TokenId)>>(&mut self, names: I) {
        self.0.extend(names);
    }
}

impl Writer<'_> {
    /// Inserts tokens that are not in the store, and appends their events to the trail. Their
    /// names are inserted separately, see [`Writer::insert_names`].
    pub fn insert_tokens(
        &mut self,
        tokens: &[EncodedToken<'_>],
        events: &[EventDraft],
    ) -> Result<(), StoreError> {
        let Tables { tokens: records, uses, meta, .. } = &mut self.tables;
        records.put_many(tokens.iter().map(|it| (it.id, it.token)).collect(), |id| id)?;
        let used = tokens.iter().filter(|it| !it.usage.is_empty());
        uses.put_many(used.map(|it| (it.id, it.usage)).collect(), |id| id)?;
        let head = chain::head(meta)?;
        chain::append_all(&mut self.tables, head, events)?;
        for token in tokens {
            self.note(*token.id);
        }
        Ok(())
    }

    /// Makes inserted tokens findable by name. A name that another token has refers to the new one
    /// from then on: the caller has removed the other token, or will.
    pub fn insert_names(&mut self, names: NameBatch) -> Result<(), StoreError> {
        let entries = names.0.into_iter().map(|(name, id)| {
            let entry = encode_short(NAMES, name.as_bytes(), &RefV1(*id.as_bytes()))?;
            Ok((name, entry))
        });
        let entries = entries.collect::<Result<_, StoreError>>()?;
        self.tables.names.put_many(entries, |name: &String| name.as_bytes())
    }
}

impl<K: Key + 'static> RecordTable<K, ReadWrite<'_>> {
    /// Inserts encoded rows, in any order.
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
                let run = self.run_len(rest, &key)?;
                let (now, later) =
                    rest.split_at(run.clamp(MIN_RUN_LEN.min(rest.len()), rest.len()));
                if run < MIN_RUN_LEN {
                    for (at, row) in now {
                        self.inner.insert(key(at), row.as_ref())?;
                    }
                } else {
                    let mut gap = self.inner.lower_bound_mut(Bound::Included(key(first)))?;
                    for (at, row) in now {
                        gap.insert_before(key(at), row.as_ref()).map_err(cursor_error)?;
                    }
                    gap.close()?;
                }
                rest = later;
            }
            Ok(())
        })
    }

    /// How many of the sorted `rows` come before the next existing row.
    fn run_len<O>(
        &self,
        rows: &[(O, impl AsRef<[u8]>)],
        key: impl for<'a> Fn(&'a O) -> K::SelfType<'a>,
    ) -> Result<usize, StoreError> {
        let Some((first, _)) = rows.first() else { return Ok(0) };
        let Some(next) = self.inner.range(key(first)..)?.next() else { return Ok(rows.len()) };
        let (next, _) = next?;
        let next = next.value();
        let next = K::as_bytes(&next);
        Ok(rows.partition_point(|(at, _)| {
            K::compare(K::as_bytes(&key(at)).as_ref(), next.as_ref()).is_lt()
        }))
    }
}

fn cursor_error(error: CursorError) -> StoreError {
    match error {
        CursorError::Storage(error) => error.into(),
        other => StoreError::broken(other),
    }
}

#[cfg(test)]
#[path = "bulk_tests.rs"]
mod tests;
