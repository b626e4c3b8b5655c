//! The audit trail as a chain: each event holds the hash of the one before, and the newest hash
//! is kept beside them. Found out that way are an edited, a removed, an inserted and a cut-off
//! event; not a whole trail rewritten by the owner of the file. Called by `rows` and `writer`.

use std::{
    ops::{ControlFlow, RangeBounds},
    slice,
};

use super::{
    bulk::encode_short,
    codec::{Body, decode, seal, sealed_body},
    error::{Damage, StoreError},
    read_ops::{ChainState, ScanResult},
    record::{EventV1, HeadV1, MarkV1},
    tables::{AccessMode, EVENTS, ReadWrite, RecordTable, TOKEN_EVENTS, Tables},
};
use crate::domain::{AuditEvent, EventDraft, EventHash, TokenId};

const HEAD: &[u8] = b"head";
/// The id and the sequence of an event of that token.
type Mark = [u8; TokenId::LEN + 8];

fn mark(id: &[u8; TokenId::LEN], sequence: u64) -> Mark {
    let mut key = Mark::default();
    let (front, back) = key.split_at_mut(TokenId::LEN);
    front.copy_from_slice(id);
    // Big endian, so that redb's order of bytes is the order of events.
    back.copy_from_slice(&sequence.to_be_bytes());
    key
}

/// The event at the key `sequence`; `None` if it is damaged.
pub(super) fn event(sequence: u64, body: Body<'_>) -> Option<AuditEvent> {
    let record: EventV1<'_> = body.decode()?;
    let (at, previous) = (record.sequence, EventHash::from_bytes(record.previous));
    let what = record.what().filter(|_| at == sequence)?;
    Some(AuditEvent { sequence, what, previous, hash: body.hash() })
}

fn go_on(more: bool) -> ControlFlow<()> {
    if more { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
}

/// At most `limit` good events of `range`.
pub(super) fn events<A: AccessMode>(
    events: &RecordTable<u64, A>,
    range: impl RangeBounds<u64> + 'static,
    backwards: bool,
    limit: usize,
) -> Result<ScanResult<AuditEvent>, StoreError> {
    let mut found = ScanResult::default();
    if limit == 0 {
        return Ok(found);
    }
    events.scan(range, backwards, |sequence, row| {
        found.take(row.and_then(|it| event(sequence, it).ok_or_else(|| events.damage(&sequence))));
        go_on(found.rows.len() < limit)
    })?;
    Ok(found)
}

/// At most `limit` good events of the token `id`, newest first.
pub(super) fn events_of<A: AccessMode>(
    tables: &Tables<A>,
    id: &TokenId,
    limit: usize,
) -> Result<ScanResult<AuditEvent>, StoreError> {
    let (first, last) = (mark(id.as_bytes(), 0), mark(id.as_bytes(), u64::MAX));
    let mut found = ScanResult::default();
    let mut sequences = Vec::new();
    let marks = &tables.token_events;
    marks.scan(&first..=&last, true, |key: &Mark, row| {
        match (row.ok().and_then(decode::<MarkV1>), key.last_chunk()) {
            (Some(MarkV1), Some(sequence)) => sequences.push(u64::from_be_bytes(*sequence)),
            _ => found.damaged.push(marks.damage(&key)),
        }
        go_on(sequences.len() < limit)
    })?;
    sequences.truncate(limit);
    for sequence in sequences {
        let damaged = || tables.events.damage(&sequence);
        match tables.events.get(sequence, |body| event(sequence, body)) {
            Ok(Some(event)) if event.what.token == Some(*id) => found.rows.push(event),
            Ok(_) | Err(StoreError::Damaged(_)) => found.damaged.push(damaged()),
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

pub(super) fn append(
    tables: &mut Tables<ReadWrite<'_>>,
    what: EventDraft,
) -> Result<AuditEvent, StoreError> {
    let previous = head(&tables.meta)?;
    let end = append_all(tables, previous, slice::from_ref(&what))?;
    let (previous, hash) = (EventHash::from_bytes(previous.hash), EventHash::from_bytes(end.hash));
    Ok(AuditEvent { sequence: end.events, what, previous, hash })
}

/// Appends events to the chain, in their order, each with the entry by which its token finds it.
/// The chain ends at `head` before them; the result is where it ends then.
pub(super) fn append_all(
    tables: &mut Tables<ReadWrite<'_>>,
    mut head: HeadV1,
    drafts: &[EventDraft],
) -> Result<HeadV1, StoreError> {
    let mut events = Vec::with_capacity(drafts.len());
    let mut marks = Vec::with_capacity(drafts.len());
    for draft in drafts {
        let sequence = head.events.saturating_add(1);
        let record = EventV1::new(sequence, EventHash::from_bytes(head.hash), draft);
        let too_large = StoreError::TooLarge { table: EVENTS };
        let row = seal(EVENTS, &sequence.to_le_bytes(), &record).ok_or(too_large.clone())?;
        let hash = sealed_body(&row).ok_or(too_large)?.hash();
        head = HeadV1 { events: sequence, hash: *hash.as_bytes() };
        events.push((sequence, row));
        if let Some(id) = &draft.token {
            let key = mark(id.as_bytes(), sequence);
            marks.push((key, encode_short(TOKEN_EVENTS, &key, &MarkV1)?));
        }
    }
    tables.events.put_many(events, |sequence| *sequence)?;
    tables.token_events.put_many(marks, |key| key)?;
    tables.meta.put(HEAD, &head)?;
    Ok(head)
}

/// Where the chain ends now.
pub(super) fn head<A: AccessMode>(
    meta: &RecordTable<&'static [u8], A>,
) -> Result<HeadV1, StoreError> {
    let head = meta.get(HEAD, decode::<HeadV1>)?;
    Ok(head.unwrap_or(HeadV1 { events: 0, hash: *EventHash::NONE.as_bytes() }))
}

/// Reads the chain from its first event to its head.
pub(super) fn verify<A: AccessMode>(tables: &Tables<A>) -> Result<ChainState, StoreError> {
    let head = match tables.meta.get(HEAD, decode::<HeadV1>) {
        Ok(head) => Ok(head),
        Err(StoreError::Damaged(damage)) => Err(damage),
        Err(error) => return Err(error),
    };
    let mut walk = ChainVerifier { events: 0, marks: 0, hash: EventHash::NONE, fault: None };
    tables.events.each(|key: u64, row| {
        match walk.step(tables, key, row) {
            Ok(()) => return ControlFlow::Continue(()),
            Err(why) => walk.fault = Some((key, why)),
        }
        ControlFlow::Break(())
    })?;
    let kept = match &head {
        Ok(Some(head)) => EventHash::from_bytes(head.hash),
        _ => EventHash::NONE,
    };
    if walk.fault.is_none() {
        let why = match head {
            Err(damage) => Some(format!("{damage} is damaged")),
            Ok(None) if walk.events > 0 => Some("the head of the chain is missing".to_owned()),
            Ok(Some(head)) if head.events != walk.events || kept != walk.hash => {
                Some(format!("the head of the chain stands for {} events", head.events))
            }
            Ok(_) if tables.token_events.len()? != walk.marks => {
                Some("the events of the tokens are more than the chain has".to_owned())
            }
            Ok(_) => None,
        };
        walk.fault = why.map(|why| (walk.events.saturating_add(1), why));
    }
    Ok(ChainState { events: walk.events, broken: walk.fault, head: kept })
}

struct ChainVerifier {
    events: u64,
    marks: u64,
    hash: EventHash,
    fault: Option<(u64, String)>,
}

impl ChainVerifier {
    /// Goes on to the event at `key`; says what is wrong with it.
    fn step<A: AccessMode>(
        &mut self,
        tables: &Tables<A>,
        key: u64,
        row: Result<Body<'_>, Damage>,
    ) -> Result<(), String> {
        let expected = self.events.saturating_add(1);
        if key != expected {
            return Err(format!("event {expected} is missing"));
        }
        let damaged = |damage: Damage| format!("{damage} is damaged");
        let event = row.and_then(|it| event(key, it).ok_or_else(|| tables.events.damage(&key)));
        let event = event.map_err(damaged)?;
        if event.previous != self.hash {
            return Err("the event before it was changed".to_owned());
        }
        if let Some(id) = event.what.token {
            let marked = tables.token_events.get(&mark(id.as_bytes(), key), decode::<MarkV1>);
            if marked.map_err(|error| error.to_string())?.is_none() {
                return Err(format!("{id} does not know of it"));
            }
            self.marks = self.marks.saturating_add(1);
        }
        self.events = expected;
        self.hash = event.hash;
        Ok(())
    }
}

#[cfg(test)]
#[path = "chain_tests.rs"]
pub(super) mod tests;
