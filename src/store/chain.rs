//! The audit trail as a hash chain: each event contains the hash of the previous one, and the table
//! `meta-1` contains the newest hash. This detects an edited, removed, inserted or cut-off event.
//! It does not detect a trail that the owner of the file rewrote completely. Called by `read_ops`
//! and `write_ops`.

use std::{
    ops::{ControlFlow, RangeBounds},
    slice,
};

use super::{
    bulk_insert::encode_short,
    codec::{RecordBody, body_unchecked, decode, encode_record},
    error::{DamagedRecord, StoreError},
    read_ops::{ChainCheckResult, ScanResult},
    record::{ChainHeadV1, EventV1, TokenEventIndexEntryV1},
    tables::{EVENTS, RecordTable, TOKEN_EVENTS, Tables, Transaction, WriteTables},
};
use crate::domain::{AuditEvent, EventBody, EventHash, TokenId};

/// The key of the chain's end in the table `meta-1`.
const CHAIN_HEAD: &[u8] = b"head";
/// The id of a token, then the sequence of one of its events, big endian.
type TokenEventKey = [u8; TokenId::LEN + 8];

fn token_event_key(id: &[u8; TokenId::LEN], sequence: u64) -> TokenEventKey {
    let mut key = TokenEventKey::default();
    let (front, back) = key.split_at_mut(TokenId::LEN);
    front.copy_from_slice(id);
    // Big endian, so that redb's byte order is the order of events.
    back.copy_from_slice(&sequence.to_be_bytes());
    key
}

/// Decodes the event at the key `sequence`. Returns `None` if the event is damaged.
pub(super) fn decode_event(sequence: u64, body: RecordBody<'_>) -> Option<AuditEvent> {
    let record: EventV1<'_> = body.decode()?;
    let (at, previous) = (record.sequence, EventHash::from_bytes(record.previous));
    let event = record.into_event_body().filter(|_| at == sequence)?;
    Some(AuditEvent { sequence, body: event, previous, hash: body.hash() })
}

fn continue_if(condition: bool) -> ControlFlow<()> {
    if condition { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
}

/// Reads at most `limit` undamaged events of `range`.
pub(super) fn scan_events<T: Transaction>(
    events: &RecordTable<u64, T>,
    range: impl RangeBounds<u64> + 'static,
    backwards: bool,
    limit: usize,
) -> Result<ScanResult<AuditEvent>, StoreError> {
    let mut found = ScanResult::default();
    if limit == 0 {
        return Ok(found);
    }
    events.scan(range, backwards, |sequence, row| {
        found.push(
            row.and_then(|it| decode_event(sequence, it).ok_or_else(|| events.damage(&sequence))),
        );
        continue_if(found.rows.len() < limit)
    })?;
    Ok(found)
}

/// Reads at most `limit` undamaged events of the token `id`, newest first.
pub(super) fn load_events_of<T: Transaction>(
    tables: &Tables<T>,
    id: &TokenId,
    limit: usize,
) -> Result<ScanResult<AuditEvent>, StoreError> {
    let (first, last) =
        (token_event_key(id.as_bytes(), 0), token_event_key(id.as_bytes(), u64::MAX));
    let mut found = ScanResult::default();
    let mut sequences = Vec::new();
    let index = &tables.token_events;
    index.scan(&first..=&last, true, |key: &TokenEventKey, row| {
        match (row.ok().and_then(decode::<TokenEventIndexEntryV1>), key.last_chunk()) {
            (Some(TokenEventIndexEntryV1), Some(sequence)) => {
                sequences.push(u64::from_be_bytes(*sequence));
            }
            _ => found.damaged.push(index.damage(&key)),
        }
        continue_if(sequences.len() < limit)
    })?;
    sequences.truncate(limit);
    for sequence in sequences {
        let damaged = || tables.events.damage(&sequence);
        match tables.events.get(sequence, |body| decode_event(sequence, body)) {
            Ok(Some(event)) if event.body.token == Some(*id) => found.rows.push(event),
            Ok(_) | Err(StoreError::Damaged(_)) => found.damaged.push(damaged()),
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

/// Returns the number of the newest event of the token `id`; 0 if it has none. Does not read the
/// event.
pub(super) fn newest_sequence_of<T: Transaction>(
    tables: &Tables<T>,
    id: &TokenId,
) -> Result<u64, StoreError> {
    let (first, last) =
        (token_event_key(id.as_bytes(), 0), token_event_key(id.as_bytes(), u64::MAX));
    let mut newest = 0;
    tables.token_events.scan(&first..=&last, true, |key: &TokenEventKey, _| {
        newest = key.last_chunk().map_or(0, |sequence| u64::from_be_bytes(*sequence));
        ControlFlow::Break(())
    })?;
    Ok(newest)
}

/// Appends one event to the chain.
pub(super) fn append(
    tables: &mut WriteTables<'_>,
    body: EventBody,
) -> Result<AuditEvent, StoreError> {
    let previous = load_head(&tables.meta)?;
    let end = append_all(tables, previous, slice::from_ref(&body))?;
    let (previous, hash) = (EventHash::from_bytes(previous.hash), EventHash::from_bytes(end.hash));
    Ok(AuditEvent { sequence: end.event_count, body, previous, hash })
}

/// Appends one event for each of `bodies` to the chain, in order. Adds an index entry for each
/// event of a token. `head` is the current end of the chain. Returns the new end.
pub(super) fn append_all(
    tables: &mut WriteTables<'_>,
    mut head: ChainHeadV1,
    bodies: &[EventBody],
) -> Result<ChainHeadV1, StoreError> {
    let mut events = Vec::with_capacity(bodies.len());
    let mut token_events = Vec::with_capacity(bodies.len());
    for body in bodies {
        let sequence = head.event_count.saturating_add(1);
        let record = EventV1::new(sequence, EventHash::from_bytes(head.hash), body);
        let too_large = StoreError::TooLarge { table: EVENTS };
        let row = encode_record(EVENTS, &sequence.to_le_bytes(), &record)?;
        let hash = body_unchecked(&row).ok_or(too_large)?.hash();
        head = ChainHeadV1 { event_count: sequence, hash: *hash.as_bytes() };
        events.push((sequence, row));
        if let Some(id) = &body.token {
            let key = token_event_key(id.as_bytes(), sequence);
            token_events.push((key, encode_short(TOKEN_EVENTS, &key, &TokenEventIndexEntryV1)?));
        }
    }
    tables.events.put_many(events, |sequence| *sequence)?;
    tables.token_events.put_many(token_events, |key| key)?;
    tables.meta.put(CHAIN_HEAD, &head)?;
    Ok(head)
}

/// Loads the end of the chain.
pub(super) fn load_head<T: Transaction>(
    meta: &RecordTable<&'static [u8], T>,
) -> Result<ChainHeadV1, StoreError> {
    let head = meta.get(CHAIN_HEAD, decode::<ChainHeadV1>)?;
    Ok(head.unwrap_or(ChainHeadV1 { event_count: 0, hash: *EventHash::NONE.as_bytes() }))
}

/// A prefix of the chain that was verified. Its last hash covers all events before it.
#[derive(Debug, Clone, Copy)]
pub struct VerifiedChain {
    /// Number of verified events.
    event_count: u64,
    /// Number of verified events that belong to a token.
    token_event_count: u64,
    hash: EventHash,
}

impl Default for VerifiedChain {
    /// The empty chain.
    fn default() -> Self {
        Self { event_count: 0, token_event_count: 0, hash: EventHash::NONE }
    }
}

/// Verifies the whole chain, from the first event to the stored end.
pub(super) fn verify<T: Transaction>(tables: &Tables<T>) -> Result<ChainCheckResult, StoreError> {
    let mut verified = VerifiedChain::default();
    loop {
        if let Some(result) = verify_after(tables, &mut verified, u64::MAX)? {
            return Ok(result);
        }
    }
}

/// Verifies at most `limit` events after `verified`, which then includes them. Starts again at the
/// first event if the store no longer has the last event of `verified`. Returns `None` if events
/// are left.
pub(super) fn verify_after<T: Transaction>(
    tables: &Tables<T>,
    verified: &mut VerifiedChain,
    limit: u64,
) -> Result<Option<ChainCheckResult>, StoreError> {
    if !verified.is_prefix_of(tables)? {
        *verified = VerifiedChain::default();
    }
    // The first scan includes the key 0, which no event of patdeck has.
    let from = if verified.event_count == 0 { 0 } else { verified.event_count.saturating_add(1) };
    let end = verified.event_count.saturating_add(limit);
    let (mut fault, mut is_complete) = (None, true);
    tables.events.scan(from.., false, |key: u64, row| {
        is_complete = verified.event_count < end;
        if is_complete {
            fault = verified.check_next(tables, key, row).err().map(|reason| (key, reason));
        }
        continue_if(is_complete && fault.is_none())
    })?;
    if !is_complete {
        return Ok(None);
    }
    let head = match tables.meta.get(CHAIN_HEAD, decode::<ChainHeadV1>) {
        Ok(head) => Ok(head),
        Err(StoreError::Damaged(damage)) => Err(damage),
        Err(error) => return Err(error),
    };
    let stored_hash = match &head {
        Ok(Some(head)) => EventHash::from_bytes(head.hash),
        _ => EventHash::NONE,
    };
    if fault.is_none() {
        let reason = match head {
            Err(damage) => Some(format!("{damage} is damaged")),
            Ok(None) if verified.event_count > 0 => {
                Some("the end of the chain is missing from the store".to_owned())
            }
            Ok(Some(head))
                if head.event_count != verified.event_count || stored_hash != verified.hash =>
            {
                Some(format!("the audit chain should end at event {}", head.event_count))
            }
            Ok(_) if tables.token_events.len()? != verified.token_event_count => {
                Some("the index of token events has entries without an event".to_owned())
            }
            Ok(_) => None,
        };
        fault = reason.map(|reason| (verified.event_count.saturating_add(1), reason));
    }
    Ok(Some(ChainCheckResult {
        events: verified.event_count,
        first_fault: fault,
        head: stored_hash,
    }))
}

impl VerifiedChain {
    /// Whether the store still has the last verified event.
    fn is_prefix_of<T: Transaction>(&self, tables: &Tables<T>) -> Result<bool, StoreError> {
        if self.event_count == 0 {
            return Ok(true);
        }
        match tables.events.get(self.event_count, |body| decode_event(self.event_count, body)) {
            Ok(event) => Ok(event.is_some_and(|event| event.hash == self.hash)),
            Err(StoreError::Damaged(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Checks the event at `key`, which should follow the last verified event. An error describes
    /// what is wrong.
    fn check_next<T: Transaction>(
        &mut self,
        tables: &Tables<T>,
        key: u64,
        row: Result<RecordBody<'_>, DamagedRecord>,
    ) -> Result<(), String> {
        let expected = self.event_count.saturating_add(1);
        if key != expected {
            return Err(format!("event {expected} is missing"));
        }
        let damaged = |damage: DamagedRecord| format!("{damage} is damaged");
        let event =
            row.and_then(|it| decode_event(key, it).ok_or_else(|| tables.events.damage(&key)));
        let event = event.map_err(damaged)?;
        if event.previous != self.hash {
            return Err("the previous event was changed".to_owned());
        }
        if let Some(id) = event.body.token {
            let entry = tables
                .token_events
                .get(&token_event_key(id.as_bytes(), key), decode::<TokenEventIndexEntryV1>);
            if entry.map_err(|error| error.to_string())?.is_none() {
                return Err(format!("it is missing from the event index of token {id}"));
            }
            self.token_event_count = self.token_event_count.saturating_add(1);
        }
        self.event_count = expected;
        self.hash = event.hash;
        Ok(())
    }
}

#[cfg(test)]
#[path = "chain_tests.rs"]
pub(super) mod tests;
