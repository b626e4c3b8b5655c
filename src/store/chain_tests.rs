//! What somebody can do to the trail who writes into the file with sound checksums, and that
//! the check names the place. What it cannot see, a checkpoint shows.

use chrono::DateTime;
use proptest::{prelude::*, sample::Index};
use redb::ReadableTable as _;

use super::*;
use crate::{
    domain::{Actor, AuditAction},
    store::{ReadOps as _, Reader, Store, Writer, record::EventV1},
};

/// An event to write down, different for each number.
pub(crate) fn draft(n: u64) -> EventDraft {
    // Every third concerns the store as a whole.
    let id = TokenId::parse(&format!("{:012}", n % 5)).filter(|_| !n.is_multiple_of(3));
    EventDraft {
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
        (1..=count).map(|n| rows.append_event(draft(n)).unwrap().hash).collect()
    });
    (store, hashes)
}

fn change<T>(store: &Store, mut work: impl FnMut(&mut Writer<'_>) -> T) -> T {
    store.write(|rows| Ok::<_, StoreError>(work(rows))).unwrap()
}

fn state(store: &Store) -> ChainState {
    store.read(Reader::verify_chain).unwrap()
}

fn get(rows: &Writer<'_>, sequence: u64) -> AuditEvent {
    rows.tables.events.get(sequence, |body| event(sequence, body)).unwrap().unwrap()
}

/// Takes the event out, with what leads to it from its token.
fn take_out(rows: &mut Writer<'_>, sequence: u64) -> AuditEvent {
    let event = get(rows, sequence);
    if let Some(id) = event.what.token {
        rows.tables.token_events.remove(&mark(id.as_bytes(), sequence)).unwrap();
    }
    rows.tables.events.remove(sequence).unwrap();
    event
}

/// Puts an event in behind the one with the hash `previous`, with what leads to it from its
/// token.
fn put_in(rows: &mut Writer<'_>, sequence: u64, previous: EventHash, what: &EventDraft) {
    if let Some(id) = what.token {
        rows.tables.token_events.put(&mark(id.as_bytes(), sequence), &MarkV1).unwrap();
    }
    rows.tables.events.put(sequence, &EventV1::new(sequence, previous, what)).unwrap();
}

/// A way to falsify the trail. Every record that is written gets a checksum that fits.
#[derive(Debug, Clone)]
enum Edit {
    /// A bit of the stored bytes of this event; the checksum is not mended.
    Flip(Index, Index, u8),
    /// Other words in this event.
    Reword(Index),
    /// The same, with the link in the next event mended, but not that one's own.
    RewordAndMendNext(Index),
    Remove(Index),
    /// Taken out, and all later ones moved down to close the gap.
    RemoveAndCloseUp(Index),
    Swap(Index, Index),
    /// One more after this one, all later ones moved up to make room.
    Insert(Index),
    /// One more at the end.
    Add,
    CutOff(Index),
    /// The event of a token is hidden from the list of that token's own events.
    Hide(Index),
    /// A token's list names an event that is not its own.
    Attribute(Index),
}

fn edit() -> impl Strategy<Value = Edit> {
    let n = any::<Index>;
    prop_oneof![
        (n(), n(), 0..8_u8).prop_map(|(event, byte, bit)| Edit::Flip(event, byte, bit)),
        n().prop_map(Edit::Reword),
        n().prop_map(Edit::RewordAndMendNext),
        n().prop_map(Edit::Remove),
        n().prop_map(Edit::RemoveAndCloseUp),
        (n(), n()).prop_map(|(one, other)| Edit::Swap(one, other)),
        n().prop_map(Edit::Insert),
        Just(Edit::Add),
        n().prop_map(Edit::CutOff),
        n().prop_map(Edit::Hide),
        n().prop_map(Edit::Attribute),
    ]
}

/// Does `edit` to a trail of `count` events. Gives the first place where it must be noticed;
/// `None` if it changed nothing after all.
fn falsify(rows: &mut Writer<'_>, edit: &Edit, count: u64) -> Option<u64> {
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
            // Its own hash is kept in the next event, that of the last in the head.
            Some(at + 1)
        }
        Edit::RewordAndMendNext(event) => {
            let at = pick(event);
            let reworded = reword(rows, at);
            if at == count {
                return Some(at + 1);
            }
            let next = take_out(rows, at + 1);
            put_in(rows, at + 1, reworded.hash, &next.what);
            Some(at + 2)
        }
        Edit::Add => {
            let before = get(rows, count).hash;
            put_in(rows, count + 1, before, &draft(999));
            Some(count + 2)
        }
        Edit::CutOff(event) => {
            let at = pick(event);
            (at..=count).for_each(|sequence| drop(take_out(rows, sequence)));
            Some(at)
        }
        Edit::Hide(event) => {
            let at = pick(event);
            let id = get(rows, at).what.token?;
            rows.tables.token_events.remove(&mark(id.as_bytes(), at)).unwrap();
            Some(at)
        }
        Edit::Attribute(event) => {
            let at = pick(event);
            rows.tables.token_events.put(&mark(b"zzzzzzzzzzzz", at), &MarkV1).unwrap();
            Some(count + 1)
        }
        _ => rearrange(rows, edit, count),
    }
}

/// The part of [`falsify`] in which sound events change their places.
fn rearrange(rows: &mut Writer<'_>, edit: &Edit, count: u64) -> Option<u64> {
    let pick = |index: &Index| pick(*index, count);
    let renumber = |rows: &mut Writer<'_>, from: u64, to: u64| {
        let event = take_out(rows, from);
        put_in(rows, to, event.previous, &event.what);
    };
    match edit {
        Edit::Remove(event) => {
            let at = pick(event);
            take_out(rows, at);
            // The next one has the wrong number; of the last one the head tells.
            Some((at + 1).min(count))
        }
        Edit::RemoveAndCloseUp(event) => {
            let at = pick(event);
            take_out(rows, at);
            (at + 1..=count).for_each(|from| renumber(rows, from, from - 1));
            Some(at)
        }
        Edit::Swap(one, other) => {
            let (one, other) = (pick(one), pick(other));
            if one == other {
                return None;
            }
            let (first, second) = (take_out(rows, one), take_out(rows, other));
            put_in(rows, other, first.previous, &first.what);
            put_in(rows, one, second.previous, &second.what);
            Some(one.min(other))
        }
        Edit::Insert(event) => {
            let at = pick(event) + 1;
            (at..=count).rev().for_each(|from| renumber(rows, from, from + 1));
            let before = get(rows, at - 1).hash;
            put_in(rows, at, before, &draft(999));
            Some(at + 1)
        }
        _ => None,
    }
}

/// The sequence that `index` picks.
fn pick(index: Index, count: u64) -> u64 {
    u64::try_from(index.index(usize::try_from(count).unwrap())).unwrap() + 1
}

/// Puts other words in an event.
fn reword(rows: &mut Writer<'_>, at: u64) -> AuditEvent {
    let mut old = take_out(rows, at);
    old.what.detail.push_str(", or so they say");
    put_in(rows, at, old.previous, &old.what);
    get(rows, at)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_flipped_removed_swapped_or_inserted_event_is_named(count in 1..30_u64, edit in edit()) {
        let (store, hashes) = filled(count);
        let sound = state(&store);
        prop_assert_eq!((sound.events, &sound.broken, Some(&sound.head)), (count, &None, hashes.last()));
        let place = change(&store, |rows| falsify(rows, &edit, count));
        let found = state(&store).broken.map(|(at, _)| at);
        prop_assert_eq!(found, place);
    }

    #[test]
    fn a_trail_written_anew_with_its_head_holds_and_lacks_every_hash_from_there_on(
        count in 2..20_u64, from in any::<Index>(), reword in any::<bool>(),
    ) {
        let (store, hashes) = filled(count);
        let from = u64::try_from(from.index(usize::try_from(count).unwrap())).unwrap() + 1;
        change(&store, |rows| {
            let mut drafts: Vec<_> =
                (from..=count).map(|sequence| take_out(rows, sequence).what).collect();
            let hash = if from == 1 { EventHash::NONE } else { get(rows, from - 1).hash };
            rows.tables.meta.put(HEAD, &HeadV1 { events: from - 1, hash: *hash.as_bytes() }).unwrap();
            if reword {
                drafts[0].detail.push_str(", or so they say");
                for draft in drafts {
                    rows.append_event(draft).unwrap();
                }
            }
        });
        let now = state(&store);
        prop_assert_eq!((&now.broken, now.events), (&None, if reword { count } else { from - 1 }));
        let known = store.read(|rows| rows.events_after(0, usize::MAX)).unwrap().rows;
        for (sequence, hash) in (1..).zip(&hashes) {
            let there = known.iter().any(|event| event.hash == *hash);
            prop_assert_eq!(there, sequence < from, "event {}", sequence);
        }
    }
}
