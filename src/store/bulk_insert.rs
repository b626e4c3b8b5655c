//! Inserts many new tokens in one transaction, several times faster than single writes. Worker
//! threads encode the tokens; rows are inserted table by table in key order, so that most of them
//! fill adjacent pages. The resulting rows are the same as those of single writes. Called by the
//! service's import.

use std::ops::Bound;

use redb::{CursorError, Key, ReadableTable as _, WriteTransaction};

use super::{
    codec::{Record, append_record, body_unchecked, decode},
    error::StoreError,
    name_index::clash_key,
    raw_batch,
    record::{ComparedFields, TokenIdRecordV1, TokenUses, TokenUsesV2, TokenV2, UseCountV1},
    tables::{NAMES, RecordTable, TOKENS, Tables, USE_COUNTS, USES},
    write_ops::Writer,
};
use crate::domain::{EventBody, Token, TokenId};

/// Initial size in bytes of the buffer for a short record, such as a token id with the checksum of
/// the record.
const SHORT_RECORD_BYTES: usize = 24;
/// Minimum length of a run that is inserted through a cursor. A run is a series of new rows between
/// two existing rows. Shorter runs are inserted row by row.
const MIN_RUN_LEN: usize = 8;

type Id = [u8; TokenId::LEN];

/// The encoded records of a token, borrowed from a buffer with the records of several tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EncodedToken<'a> {
    id: &'a Id,
    token: &'a [u8],
    /// Empty if the token was never used.
    usage: &'a [u8],
    /// Empty if no use was counted.
    count: &'a [u8],
}

impl<'a> EncodedToken<'a> {
    /// Appends the records of `token` to `buffer`. This needs no transaction.
    pub fn write(token: &Token, buffer: &mut Vec<u8>) -> Result<(), StoreError> {
        let (id, usage) = (token.id.as_bytes(), TokenUses::of(token));
        buffer.extend_from_slice(id);
        write_length_prefixed(buffer, TOKENS, |buffer| {
            append_record(buffer, TOKENS, id, &TokenV2::from(token))
        })?;
        write_length_prefixed(buffer, USES, |buffer| {
            let is_used = usage != TokenUses::default();
            if is_used {
                append_record(buffer, USES, id, &TokenUsesV2::from(&usage))
            } else {
                Ok(())
            }
        })?;
        write_length_prefixed(buffer, USE_COUNTS, |buffer| match UseCountV1::of(token) {
            Some(count) => append_record(buffer, USE_COUNTS, id, &count),
            None => Ok(()),
        })
    }

    /// Reads a token that [`EncodedToken::write`] appended, and removes it from the start of
    /// `buffer`. Returns `None` if the bytes have another form.
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
        Some(Self { id, token: next()?, usage: next()?, count: next()? })
    }

    /// The summary of the token. Does not verify the checksum, because the caller has verified a
    /// checksum over the whole buffer. `None` if the record is not a token.
    pub fn summary(&self) -> Option<ComparedFields> {
        body_unchecked(self.token)?.decode::<TokenV2<'_>>()?.summary()
    }

    /// Decodes the token. Returns `None` if one of its records is damaged.
    pub fn decode(&self) -> Option<Token> {
        let uses = [self.usage, self.count].map(|record| (!record.is_empty()).then_some(record));
        let (token, damaged) = raw_batch::decode_token(self.id, self.token, uses);
        token.ok().filter(|_| damaged.is_empty())
    }
}

/// Encodes a record of a few bytes. An import holds 100,000 of these records in memory, so each
/// record gets a small buffer.
pub(super) fn encode_short(
    table: &'static str,
    key: &[u8],
    record: &impl Record,
) -> Result<Vec<u8>, StoreError> {
    let mut bytes = Vec::with_capacity(SHORT_RECORD_BYTES);
    append_record(&mut bytes, table, key, record)?;
    Ok(bytes)
}

/// Appends the bytes that `write` appends, preceded by their length.
fn write_length_prefixed(
    buffer: &mut Vec<u8>,
    table: &'static str,
    write: impl FnOnce(&mut Vec<u8>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let start = buffer.len();
    buffer.extend_from_slice(&[0; 4]);
    write(buffer)?;
    let written = u32::try_from(buffer.len() - start - 4).ok();
    let prefix = buffer.get_mut(start..).and_then(<[u8]>::first_chunk_mut);
    match (written, prefix) {
        (Some(length), Some(prefix)) => {
            *prefix = length.to_le_bytes();
            Ok(())
        }
        _ => Err(StoreError::TooLarge { table }),
    }
}

impl Writer<'_> {
    /// Inserts tokens that are not in the store, and appends `events` to the audit trail.
    /// [`Writer::insert_names`] inserts the names of the tokens separately.
    pub fn insert_tokens(
        &mut self,
        tokens: &[EncodedToken<'_>],
        events: &[EventBody],
    ) -> Result<(), StoreError> {
        let Tables { tokens: records, uses, use_counts, .. } = &mut self.tables;
        records.put_many(tokens.iter().map(|it| (it.id, it.token)).collect(), |id| id)?;
        let used = tokens.iter().filter(|it| !it.usage.is_empty());
        uses.put_many(used.map(|it| (it.id, it.usage)).collect(), |id| id)?;
        let counted = tokens.iter().filter(|it| !it.count.is_empty());
        let mut earlier = Vec::new();
        for token in counted.clone() {
            match use_counts.get(token.id, decode::<UseCountV1>) {
                Ok(count) => earlier.extend(count.map(|count| (*token.id, count))),
                Err(StoreError::Damaged(_)) => {}
                Err(error) => return Err(error),
            }
        }
        use_counts.put_many(counted.map(|it| (it.id, it.count)).collect(), |id| id)?;
        for (key, count) in earlier {
            self.add_use_count(&key, count)?;
        }
        self.append_to_chain(events)?;
        for token in tokens {
            self.mark_changed(*token.id);
        }
        Ok(())
    }

    /// Inserts the folded names of inserted tokens. If another token already has one of the names,
    /// the name refers to the inserted token afterwards. The caller must then remove the other token
    /// in the same transaction, or call [`Writer::yield_names`] first.
    pub fn insert_names(&mut self, names: &[(String, TokenId)]) -> Result<(), StoreError> {
        let entries = names.iter().map(|(name, id)| {
            let entry = encode_short(NAMES, name.as_bytes(), &TokenIdRecordV1(*id.as_bytes()))?;
            Ok((name.as_str(), entry))
        });
        let entries = entries.collect::<Result<_, StoreError>>()?;
        self.tables.names.put_many(entries, |name: &&str| name.as_bytes())
    }

    /// Lets other tokens that have these names keep them as clashing names.
    pub fn yield_names(&mut self, names: &[(String, TokenId)]) -> Result<(), StoreError> {
        for (name, id) in names {
            let holder = match self.tables.names.get(name.as_bytes(), decode::<TokenIdRecordV1>) {
                // The entry is written again.
                Err(StoreError::Damaged(_)) => None,
                holder => holder?.filter(|TokenIdRecordV1(holder)| holder != id.as_bytes()),
            };
            if let Some(TokenIdRecordV1(holder)) = holder {
                let key = clash_key(name.as_bytes(), &holder);
                self.tables.names.put(&key, &TokenIdRecordV1(holder))?;
            }
        }
        Ok(())
    }
}

impl<K: Key + 'static> RecordTable<K, &WriteTransaction> {
    /// Inserts encoded rows, which may be in any order.
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
                let (current, later) =
                    rest.split_at(run.clamp(MIN_RUN_LEN.min(rest.len()), rest.len()));
                if run < MIN_RUN_LEN {
                    for (at, row) in current {
                        self.inner.insert(key(at), row.as_ref())?;
                    }
                } else {
                    let mut gap = self.inner.lower_bound_mut(Bound::Included(key(first)))?;
                    for (at, row) in current {
                        gap.insert_before(key(at), row.as_ref()).map_err(cursor_error)?;
                    }
                    gap.close()?;
                }
                rest = later;
            }
            Ok(())
        })
    }

    /// Counts how many of the sorted `rows` come before the next row that exists in the table.
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
        other => StoreError::corrupted(other),
    }
}

#[cfg(test)]
#[path = "bulk_tests.rs"]
mod tests;
