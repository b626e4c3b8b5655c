//! Edits of the audit trail by an attacker who writes records with valid checksums. Verification
//! must report the place of each. A completely rewritten chain is detected only with an expected
//! hash.

use chrono::DateTime;
use proptest::{prelude::*, sample::Index};
use redb::ReadableTable as _;

use super::*;
use crate::{
    domain::{Actor, AuditAction},
    store::{ReadOps as _, Reader, Store, Writer, record::EventV1},
};

/// An event that differs for each number.
pub(crate) fn event_body(n: u64) -> EventBody {
    // Every third event has no token.
    let id = TokenId::parse(&format!("{:012}", n % 5)).filter(|_| !n.is_multiple_of(3));
    EventBody {
        at: DateTime::from_timestamp(1_800_000_000 + n.cast_signed(), 0).unwrap(),
        actor: Actor::named("alice"),
        token: id,
        name: format!("t{}", n % 5),
        action: AuditAction::Edited,
        detail: format!("event {n}"),
    }
}

/// A store with `count` events, and the hash of each.
fn filled(count: u64) -> (Store, Vec<EventHash>) {
    let store = Store::memory().unwrap();
    let hashes = change(&store, |rows| {
        (1..=count).map(|n| rows.append_event(event_body(n)).unwrap().hash).collect()
    });
    (store, hashes)
}

fn change<T>(store: &Store, work: impl FnOnce(&mut Writer<'_>) -> T) -> T {
    store.write(|rows| Ok::<_, StoreError>(work(rows))).unwrap()
}

fn state(store: &Store) -> ChainCheckResult {
    store.read(Reader::verify_chain).unwrap()
}

fn get(rows: &Writer<'_>, sequence: u64) -> AuditEvent {
    rows.tables.events.get(sequence, |body| decode_event(sequence, body)).unwrap().unwrap()
}

#[test]
fn verification_continues_at_the_last_verified_event() {
    let (store, hashes) = filled(10);
    let mut verified = VerifiedChain::default();
    let mut step = |limit| {
        store.read_once(|rows: &Reader| rows.verify_chain_after(&mut verified, limit)).unwrap()
    };
    assert_eq!((step(4), step(4)), (None, None));
    assert_eq!(step(4), Some(state(&store)));
    change(&store, |rows| rows.append_event(event_body(11)).unwrap());
    assert_eq!(step(4), Some(state(&store)));
    // Only a verification from the start detects a later change of a verified event.
    change(&store, |rows| remove_event(rows, 3));
    let result = step(4).unwrap();
    assert_eq!(result.events, 11);
    assert!(state(&store).first_fault.is_some());
    // Without the last verified event, the verification starts again.
    change(&store, |rows| remove_event(rows, 11));
    assert_eq!(step(100), Some(state(&store)));
    assert_eq!(hashes.len(), 10);
}

/// Removes the event and its index entry.
fn remove_event(rows: &mut Writer<'_>, sequence: u64) -> AuditEvent {
    let event = get(rows, sequence);
    if let Some(id) = event.body.token {
        rows.tables.token_events.remove(&token_event_key(id.as_bytes(), sequence)).unwrap();
    }
    rows.tables.events.remove(sequence).unwrap();
    event
}

/// Inserts an event after the one with the hash `previous`, with its index entry.
fn insert_event(rows: &mut Writer<'_>, sequence: u64, previous: EventHash, body: &EventBody) {
    if let Some(id) = body.token {
        rows.tables
            .token_events
            .put(&token_event_key(id.as_bytes(), sequence), &TokenEventIndexEntryV1)
            .unwrap();
    }
    rows.tables.events.put(sequence, &EventV1::new(sequence, previous, body)).unwrap();
}

/// An edit of the trail. Every written record gets a valid checksum, except in `Flip`.
#[derive(Debug, Clone)]
enum Edit {
    /// Flips a bit in the stored bytes of this event; its checksum becomes invalid.
    Flip(Index, Index, u8),
    /// Changes the text of this event.
    Reword(Index),
    /// Changes the text of this event and corrects the hash in the next event, but no later one.
    RewordAndFixNext(Index),
    Remove(Index),
    /// Removes this event and renumbers all later ones.
    RemoveAndRenumber(Index),
    Swap(Index, Index),
    /// Inserts an event after this one and renumbers all later ones.
    Insert(Index),
    /// Adds an event at the end.
    Append,
    CutOff(Index),
    /// Removes the index entry of this event.
    Hide(Index),
    /// Adds an index entry for another token.
    Attribute(Index),
}

fn edit() -> impl Strategy<Value = Edit> {
    let n = any::<Index>;
    prop_oneof![
        (n(), n(), 0..8_u8).prop_map(|(event, byte, bit)| Edit::Flip(event, byte, bit)),
        n().prop_map(Edit::Reword),
        n().prop_map(Edit::RewordAndFixNext),
        n().prop_map(Edit::Remove),
        n().prop_map(Edit::RemoveAndRenumber),
        (n(), n()).prop_map(|(one, other)| Edit::Swap(one, other)),
        n().prop_map(Edit::Insert),
        Just(Edit::Append),
        n().prop_map(Edit::CutOff),
        n().prop_map(Edit::Hide),
        n().prop_map(Edit::Attribute),
    ]
}

/// Applies `edit` to a trail of `count` events. Returns the first sequence at which verification
/// must report a fault; `None` if the edit changed nothing.
fn apply_edit(rows: &mut Writer<'_>, edit: &Edit, count: u64) -> Option<u64> {
    let pick = |index: &Index| pick(*index, count);
    match edit {
        Edit::Flip(event, byte, bit) => {
            let at = pick(event);
            let mut bytes = rows.tables.events.inner.get(at).unwrap().unwrap().value().to_vec();
            let byte = byte.index(bytes.len());
            bytes[byte] ^= 1 << bit;
            rows.tables.events.inner.insert(at, bytes.as_slice()).unwrap();
            Some(at)
        }
        Edit::Reword(event) => {
            let at = pick(event);
            reword(rows, at);
            // The next event contains the hash of the original event; for the last event, the end
            // of the chain contains it.
            Some(at + 1)
        }
        Edit::RewordAndFixNext(event) => {
            let at = pick(event);
            let reworded = reword(rows, at);
            if at == count {
                return Some(at + 1);
            }
            let next = remove_event(rows, at + 1);
            insert_event(rows, at + 1, reworded.hash, &next.body);
            Some(at + 2)
        }
        Edit::Append => {
            let before = get(rows, count).hash;
            insert_event(rows, count + 1, before, &event_body(999));
            Some(count + 2)
        }
        Edit::CutOff(event) => {
            let at = pick(event);
            (at..=count).for_each(|sequence| drop(remove_event(rows, sequence)));
            Some(at)
        }
        Edit::Hide(event) => {
            let at = pick(event);
            let id = get(rows, at).body.token?;
            rows.tables.token_events.remove(&token_event_key(id.as_bytes(), at)).unwrap();
            Some(at)
        }
        Edit::Attribute(event) => {
            let at = pick(event);
            rows.tables
                .token_events
                .put(&token_event_key(b"zzzzzzzzzzzz", at), &TokenEventIndexEntryV1)
                .unwrap();
            Some(count + 1)
        }
        _ => rearrange(rows, edit, count),
    }
}

/// The edits of [`apply_edit`] that move valid events.
fn rearrange(rows: &mut Writer<'_>, edit: &Edit, count: u64) -> Option<u64> {
    let pick = |index: &Index| pick(*index, count);
    let renumber = |rows: &mut Writer<'_>, from: u64, to: u64| {
        let event = remove_event(rows, from);
        insert_event(rows, to, event.previous, &event.body);
    };
    match edit {
        Edit::Remove(event) => {
            let at = pick(event);
            remove_event(rows, at);
            // The next event has the wrong number; for the last event, the end of the chain
            // differs.
            Some((at + 1).min(count))
        }
        Edit::RemoveAndRenumber(event) => {
            let at = pick(event);
            remove_event(rows, at);
            (at + 1..=count).for_each(|from| renumber(rows, from, from - 1));
            Some(at)
        }
        Edit::Swap(one, other) => {
            let (one, other) = (pick(one), pick(other));
            if one == other {
                return None;
            }
            let (first, second) = (remove_event(rows, one), remove_event(rows, other));
            insert_event(rows, other, first.previous, &first.body);
            insert_event(rows, one, second.previous, &second.body);
            Some(one.min(other))
        }
        Edit::Insert(event) => {
            let at = pick(event) + 1;
            (at..=count).rev().for_each(|from| renumber(rows, from, from + 1));
            let before = get(rows, at - 1).hash;
            insert_event(rows, at, before, &event_body(999));
            Some(at + 1)
        }
        _ => None,
    }
}

/// The sequence that `index` selects.
fn pick(index: Index, count: u64) -> u64 {
    u64::try_from(index.index(usize::try_from(count).unwrap())).unwrap() + 1
}

/// Changes the text of an event.
fn reword(rows: &mut Writer<'_>, at: u64) -> AuditEvent {
    let mut old = remove_event(rows, at);
    old.body.detail.push_str(", edited");
    insert_event(rows, at, old.previous, &old.body);
    get(rows, at)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_edited_event_is_reported(count in 1..30_u64, edit in edit()) {
        let (store, hashes) = filled(count);
        let before = state(&store);
        prop_assert_eq!((before.events, &before.first_fault, Some(&before.head)), (count, &None, hashes.last()));
        let expected = change(&store, |rows| apply_edit(rows, &edit, count));
        let found = state(&store).first_fault.map(|(at, _)| at);
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn a_rewritten_trail_verifies_but_its_hashes_differ(
        count in 2..20_u64, from in any::<Index>(), reword in any::<bool>(),
    ) {
        let (store, hashes) = filled(count);
        let from = u64::try_from(from.index(usize::try_from(count).unwrap())).unwrap() + 1;
        change(&store, |rows| {
            let mut bodies: Vec<_> =
                (from..=count).map(|sequence| remove_event(rows, sequence).body).collect();
            let hash = if from == 1 { EventHash::NONE } else { get(rows, from - 1).hash };
            rows.tables.meta.put(CHAIN_HEAD, &ChainHeadV1 { event_count: from - 1, hash: *hash.as_bytes() }).unwrap();
            if reword {
                bodies[0].detail.push_str(", edited");
                for body in bodies {
                    rows.append_event(body).unwrap();
                }
            }
        });
        let now = state(&store);
        prop_assert_eq!((&now.first_fault, now.events), (&None, if reword { count } else { from - 1 }));
        let known = store.read(|rows| rows.events_after(0, usize::MAX)).unwrap().rows;
        for (sequence, hash) in (1..).zip(&hashes) {
            let there = known.iter().any(|event| event.hash == *hash);
            prop_assert_eq!(there, sequence < from, "event {}", sequence);
        }
    }
}
