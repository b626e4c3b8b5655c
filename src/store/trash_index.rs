//! The deleted tokens in the order of their deletion, so that a purge and a deletion need not read
//! all of them. Each row of the trash has one entry here. Called by `read_ops`, `write_ops`, the
//! checks and the migration.

use std::ops::{Bound, ControlFlow};

use chrono::DateTime;

use super::{
    bulk_insert::encode_short,
    codec::{RecordBody, decode},
    error::{DamagedRecord, StoreError},
    read_ops::{ScanResult, TrashedToken},
    reader::Reader,
    record::{TokenIdRecordV1, TrashV2},
    tables::{TRASH_TIMES, Tables, Transaction, WriteTables},
};
use crate::domain::{Timestamp, Token, TokenId};

type Id = [u8; TokenId::LEN];
/// Seconds and nanoseconds of the deletion, big endian, then the id of the token.
pub(super) type TrashTimeKey = [u8; TokenId::LEN + 12];

/// The sign bit. It is flipped in the encoded seconds, so that negative seconds sort before
/// positive ones.
const SIGN: u64 = 1 << 63;

pub(super) fn time_key(at: Timestamp, id: &Id) -> TrashTimeKey {
    let mut key = TrashTimeKey::default();
    let seconds = (at.timestamp().cast_unsigned() ^ SIGN).to_be_bytes();
    let nanoseconds = at.timestamp_subsec_nanos().to_be_bytes();
    let parts = seconds.iter().chain(&nanoseconds).chain(id);
    key.iter_mut().zip(parts).for_each(|(byte, part)| *byte = *part);
    key
}

/// Returns the time and the id of an entry, or `None` if the entry is damaged.
fn parse_entry(
    key: &TrashTimeKey,
    row: Result<RecordBody<'_>, DamagedRecord>,
) -> Option<(Timestamp, Id)> {
    let TokenIdRecordV1(id) = row.ok().and_then(decode)?;
    let (seconds, rest) = key.split_first_chunk()?;
    let seconds = (u64::from_be_bytes(*seconds) ^ SIGN).cast_signed();
    let at = DateTime::from_timestamp(seconds, u32::from_be_bytes(*rest.first_chunk()?))?;
    (*key == time_key(at, &id)).then_some((at, id))
}

/// Returns the latest deletion before the time `before`, with one of its tokens. Without `before`,
/// returns the latest deletion. Skips damaged entries.
pub(super) fn deletion_before<T: Transaction>(
    tables: &Tables<T>,
    before: Option<Timestamp>,
) -> Result<Option<(Timestamp, TokenId)>, StoreError> {
    let end =
        before.map_or([u8::MAX; TokenId::LEN + 12], |before| time_key(before, &Id::default()));
    let mut found = None;
    tables.trash_times.scan(..&end, true, |key: &TrashTimeKey, row| {
        found = parse_entry(key, row).and_then(|(at, id)| Some((at, TokenId::from_bytes(id)?)));
        if found.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    Ok(found)
}

/// Counts the tokens that were deleted at this time.
pub(super) fn count_deleted_at<T: Transaction>(
    tables: &Tables<T>,
    at: Timestamp,
) -> Result<usize, StoreError> {
    let (first, last) = (time_key(at, &Id::default()), time_key(at, &[u8::MAX; TokenId::LEN]));
    let mut count = 0_usize;
    tables.trash_times.scan(&first..=&last, false, |_: &TrashTimeKey, _| {
        count = count.saturating_add(1);
        ControlFlow::Continue(())
    })?;
    Ok(count)
}

/// Reads at most `limit` tokens that were deleted at this time and have a key after `after`. Also
/// returns the last key that was read; `None` if no more tokens are left. Skips damaged records.
pub(super) fn deleted_at<T: Transaction>(
    tables: &Tables<T>,
    at: Timestamp,
    after: Option<Id>,
    limit: usize,
) -> Result<(Vec<Token>, Option<Id>), StoreError> {
    let first = time_key(at, &after.unwrap_or_default());
    let last = time_key(at, &[u8::MAX; TokenId::LEN]);
    let from = if after.is_some() { Bound::Excluded(&first) } else { Bound::Included(&first) };
    let mut ids: Vec<Id> = Vec::new();
    tables.trash_times.scan((from, Bound::Included(&last)), false, |key: &TrashTimeKey, _| {
        ids.extend(key.last_chunk());
        if ids.len() < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    let mut found = Vec::with_capacity(ids.len());
    for id in &ids {
        match get(tables, id) {
            Ok(deleted) => found.extend(deleted.filter(|it| it.at == at).map(|it| it.token)),
            Err(StoreError::Damaged(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok((found, ids.last().copied().filter(|_| ids.len() == limit)))
}

/// Reads at most `limit` tokens that were deleted at `until` or before, the oldest first. Skips
/// damaged records.
pub(super) fn deleted_until<T: Transaction>(
    tables: &Tables<T>,
    until: Timestamp,
    limit: usize,
) -> Result<Vec<TrashedToken>, StoreError> {
    let mut found = Vec::new();
    let mut error = None;
    let last = time_key(until, &[u8::MAX; TokenId::LEN]);
    tables.trash_times.scan(..=&last, false, |key: &TrashTimeKey, row| {
        let token = parse_entry(key, row).map(|(_, id)| get(tables, &id));
        match token {
            Some(Ok(token)) => found.extend(token),
            None | Some(Err(StoreError::Damaged(_))) => {}
            Some(Err(other)) => error = Some(other),
        }
        if error.is_some() || found.len() >= limit {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })?;
    error.map_or(Ok(found), Err)
}

impl Reader {
    /// Counts the deleted tokens with a readable record.
    pub fn trash_count(&self) -> Result<usize, StoreError> {
        let mut count = 0_usize;
        for_each(&self.tables, |trashed| count += usize::from(trashed.is_ok()))?;
        Ok(count)
    }
}

/// Calls `visit` with every deleted token in the order of the ids, and with every damaged record.
fn for_each<T: Transaction>(
    tables: &Tables<T>,
    mut visit: impl FnMut(Result<TrashedToken, DamagedRecord>),
) -> Result<(), StoreError> {
    let trash = &tables.trash;
    trash.for_each(|id: &Id, row| {
        visit(row.and_then(|body| decode_trashed(id, body).ok_or_else(|| trash.damage(&id))));
        ControlFlow::Continue(())
    })
}

/// Reads all deleted tokens, most recently deleted first.
pub(super) fn all<T: Transaction>(
    tables: &Tables<T>,
) -> Result<ScanResult<TrashedToken>, StoreError> {
    let mut found = ScanResult::default();
    for_each(tables, |trashed| found.push(trashed))?;
    found.rows.sort_by_key(|trashed| std::cmp::Reverse(trashed.at));
    Ok(found)
}

/// Reads the deleted token with this id.
pub(super) fn get<T: Transaction>(
    tables: &Tables<T>,
    id: &Id,
) -> Result<Option<TrashedToken>, StoreError> {
    tables.trash.get(id, |body| decode_trashed(id, body))
}

fn decode_trashed(id: &Id, body: RecordBody<'_>) -> Option<TrashedToken> {
    let (token, at) = TrashV2::decode_parts(id, body)?;
    Some(TrashedToken { token, at })
}

/// Adds the entry of a deleted token.
pub(super) fn put(tables: &mut WriteTables<'_>, at: Timestamp, id: &Id) -> Result<(), StoreError> {
    tables.trash_times.put(&time_key(at, id), &TokenIdRecordV1(*id))
}

/// Removes the entries of a deleted token. If its record is damaged, searches all entries.
pub(super) fn remove(tables: &mut WriteTables<'_>, id: &Id) -> Result<(), StoreError> {
    match get(tables, id) {
        Ok(None) => Ok(()),
        Ok(Some(trashed)) => tables.trash_times.remove(&time_key(trashed.at, id)).map(drop),
        Err(StoreError::Damaged(_)) => {
            let mut keys = Vec::new();
            tables.trash_times.for_each(|key: &TrashTimeKey, _| {
                if key.ends_with(id) {
                    keys.push(*key);
                }
                ControlFlow::Continue(())
            })?;
            keys.iter().try_for_each(|key| tables.trash_times.remove(key).map(drop))
        }
        Err(error) => Err(error),
    }
}

/// Fills the empty index.
pub(super) fn rebuild(tables: &mut WriteTables<'_>) -> Result<(), StoreError> {
    let rows = missing_entries(tables)?.into_iter().map(|(at, id)| {
        let key = time_key(at, id.as_bytes());
        Ok((key, encode_short(TRASH_TIMES, &key, &TokenIdRecordV1(*id.as_bytes()))?))
    });
    let rows = rows.collect::<Result<_, StoreError>>()?;
    tables.trash_times.put_many(rows, |key| key)
}

/// Returns the deleted tokens that have no entry.
pub(super) fn missing_entries<T: Transaction>(
    tables: &Tables<T>,
) -> Result<Vec<(Timestamp, TokenId)>, StoreError> {
    let mut all = Vec::new();
    for_each(tables, |trashed| all.extend(trashed.map(|trashed| (trashed.at, trashed.token.id))))?;
    let mut missing = Vec::new();
    for (at, id) in all {
        let entry = tables.trash_times.get(&time_key(at, id.as_bytes()), decode);
        if entry.ok().flatten() != Some(TokenIdRecordV1(*id.as_bytes())) {
            missing.push((at, id));
        }
    }
    Ok(missing)
}

/// Returns the keys of the entries that are damaged or belong to no deleted token. An entry of a
/// damaged record is kept until that record is removed.
pub(super) fn wrong_entries<T: Transaction>(
    tables: &Tables<T>,
) -> Result<Vec<TrashTimeKey>, StoreError> {
    let (mut wrong, mut entries) = (Vec::new(), Vec::new());
    tables.trash_times.for_each(|key: &TrashTimeKey, row: Result<RecordBody<'_>, _>| {
        match parse_entry(key, row) {
            Some((at, id)) => entries.push((*key, at, id)),
            None => wrong.push(*key),
        }
        ControlFlow::Continue(())
    })?;
    for (key, at, id) in entries {
        let is_right = match get(tables, &id) {
            Ok(trashed) => trashed.is_some_and(|trashed| trashed.at == at),
            Err(StoreError::Damaged(_)) => true,
            Err(error) => return Err(error),
        };
        if !is_right {
            wrong.push(key);
        }
    }
    Ok(wrong)
}
