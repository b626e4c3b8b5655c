//! Compares the register with a map. What an entry ends stays ended while the table grows, while
//! another writer is stopped, and after damage to its slot.

use std::{collections::BTreeMap, fs::OpenOptions, os::unix::fs::FileExt as _};

use chrono::{DateTime, TimeDelta};
use proptest::prelude::*;

use super::{layout::*, new_table::FIRST_PAGES, snapshot::MAX_FILE_AGE, *};
use crate::domain::{Actor, DigestPrefix, EventHash, TokenId};
use crate::store::path_error::{PathError, PathProblem};

const ID: RegisterId = [9; 16];

fn token(number: usize) -> TokenId {
    TokenId::parse(&format!("{number:012}")).unwrap()
}

fn at(second: i64) -> Timestamp {
    DateTime::from_timestamp(1_800_000_000 + second, 0).unwrap()
}

fn ended(number: usize, ended_generation: u32) -> RevocationEntry {
    RevocationEntry { ended_generation, ..RevocationEntry::of(token(number)) }
}

fn pending(number: usize, kind: EndingKind) -> RevocationEntry {
    let ending = Ending { kind, at: at(5), actor: Some(Actor::named("alice")) };
    RevocationEntry { pending: Some(ending), ..ended(number, 3) }
}

fn new(folder: &tempfile::TempDir) -> Register {
    let register = Register::beside(&folder.path().join("store.redb"));
    create(register.path(), &ID, &[], &StoredMark::default()).unwrap();
    register
}

fn state(
    register: &Register,
    expected: &RegisterId,
    id: &TokenId,
) -> Result<RevocationState, StoreError> {
    register.snapshot(expected)?.state(id)
}

fn ended_generation(register: &Register, number: usize) -> u32 {
    state(register, &ID, &token(number)).unwrap().ended_generation
}

fn is_unusable<T>(result: &Result<T, StoreError>) -> bool {
    matches!(result, Err(StoreError::Path(PathError { problem: PathProblem::NoRegister, .. })))
}

#[test]
fn an_entry_is_only_raised_and_only_replaced_by_request() {
    let folder = tempfile::tempdir().unwrap();
    let register = new(&folder);
    assert_eq!(ended_generation(&register, 1), 0);
    register.raise(&ID, &[ended(1, 4), ended(2, 1)], at(0)).unwrap();
    register.raise(&ID, &[ended(1, 2)], at(0)).unwrap();
    assert_eq!([1, 2, 3].map(|number| ended_generation(&register, number)), [4, 1, 0]);
    // Only a newer record may lower an entry, and none with a pending ending.
    register.replace(&ID, &[ended(1, 3)]).unwrap();
    assert_eq!([1, 2, 3].map(|number| ended_generation(&register, number)), [4, 1, 0]);
    let newer = RevocationEntry { min_version: 1, ..ended(1, 3) };
    register.replace(&ID, std::slice::from_ref(&newer)).unwrap();
    assert_eq!([1, 2, 3].map(|number| ended_generation(&register, number)), [3, 1, 0]);
    register.raise(&ID, &[pending(1, EndingKind::Revoke)], at(0)).unwrap();
    register.replace(&ID, &[RevocationEntry { min_version: 2, ..ended(1, 0) }]).unwrap();
    assert_eq!(ended_generation(&register, 1), 3);
}

#[test]
fn pending_endings_are_listed_until_they_are_applied() {
    let folder = tempfile::tempdir().unwrap();
    let register = new(&folder);
    let both = [
        pending(1, EndingKind::EndSecret(DigestPrefix::from_bytes([7; 8]))),
        pending(1, EndingKind::Revoke),
    ];
    register.raise(&ID, &both, at(0)).unwrap();
    assert_eq!(register.snapshot(&ID).unwrap().pending().unwrap(), both);
    register.clear_pending(&ID, &both[..1], None, None).unwrap();
    assert_eq!(register.snapshot(&ID).unwrap().pending().unwrap(), both[1..]);
    assert_eq!(ended_generation(&register, 1), 3);
}

#[test]
fn a_pending_ending_keeps_the_secret_that_it_has_seen() {
    let folder = tempfile::tempdir().unwrap();
    let register = new(&folder);
    let pending = pending(1, EndingKind::EndSecret(DigestPrefix::from_bytes([7; 8])));
    register.raise(&ID, std::slice::from_ref(&pending), at(0)).unwrap();
    register.raise(&ID, &[ended(1, 4)], at(0)).unwrap();
    assert_eq!(register.snapshot(&ID).unwrap().pending().unwrap(), [pending]);
    assert_eq!(ended_generation(&register, 1), 4);
}

#[test]
fn the_table_grows_and_open_readers_follow() {
    let folder = tempfile::tempdir().unwrap();
    let register = new(&folder);
    let reader = Register::beside(&folder.path().join("store.redb"));
    assert_eq!(ended_generation(&reader, 7), 0);
    let all: Vec<_> = (0..5_000).map(|number| ended(number, 1)).collect();
    for batch in all.chunks(100) {
        register.raise(&ID, batch, at(0)).unwrap();
        assert_eq!(ended_generation(&reader, 7), 1);
    }
    assert!((0..5_000).all(|number| ended_generation(&reader, number) == 1));
    assert_eq!(ended_generation(&reader, 5_000), 0);
    let pages = std::fs::metadata(register.path()).unwrap().len() / PAGE_LEN as u64 - 1;
    assert!(pages > u64::from(FIRST_PAGES) && pages * SLOTS_PER_PAGE as u64 >= 10_000, "{pages}");
}

#[test]
fn a_reader_sees_each_change_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let register = new(&folder);
    let reader = Register::beside(&folder.path().join("store.redb"));
    // The reader keeps in memory what it has read before.
    assert_eq!(ended_generation(&reader, 1), 0);
    register.raise(&ID, &[ended(2, 1)], at(0)).unwrap();
    register.raise(&ID, &[ended(1, 4)], at(0)).unwrap();
    assert_eq!(ended_generation(&reader, 1), 4);
    register.replace(&ID, &[RevocationEntry { min_version: 1, ..ended(1, 3) }]).unwrap();
    assert_eq!(ended_generation(&reader, 1), 3);
    let stopped = OpenOptions::new().read(true).write(true).open(register.path()).unwrap();
    stopped.lock().unwrap();
    register.raise(&ID, &[ended(1, 5)], at(0)).unwrap();
    assert_eq!(ended_generation(&reader, 1), 5, "written with the second lock");
}

/// A copy of the file that is written over it can have the content of an earlier change.
#[test]
fn a_reader_sees_a_file_that_was_copied_over() {
    let folder = tempfile::tempdir().unwrap();
    let register = new(&folder);
    let reader = Register::beside(&folder.path().join("store.redb"));
    let copy = std::fs::read(register.path()).unwrap();
    register.raise(&ID, &[ended(2, 1)], at(0)).unwrap();
    assert_eq!(ended_generation(&reader, 1), 0);
    std::fs::write(register.path(), copy).unwrap();
    register.raise(&ID, &[ended(1, 4)], at(0)).unwrap();
    assert_eq!(ended_generation(&reader, 1), 4);
}

#[test]
fn growth_drops_entries_of_expired_tokens() {
    let folder = tempfile::tempdir().unwrap();
    let register = new(&folder);
    let with_end = |number, end| RevocationEntry { expires: Some(at(end)), ..ended(number, 1) };
    register.raise(&ID, &[with_end(1, 10), with_end(2, 90)], at(0)).unwrap();
    let many: Vec<_> = (10..5_000).map(|number| ended(number, 1)).collect();
    register.raise(&ID, &many, at(10) + TimeDelta::seconds(1)).unwrap();
    assert_eq!([1, 2, 10].map(|number| ended_generation(&register, number)), [0, 1, 1]);
}

#[test]
fn a_reserve_keeps_all_entries_and_makes_room() {
    let folder = tempfile::tempdir().unwrap();
    let register = new(&folder);
    let reader = Register::beside(&folder.path().join("store.redb"));
    let entries: Vec<_> = (0..300).map(|number| ended(number, 2)).collect();
    register.raise(&ID, &entries, at(0)).unwrap();
    register.raise(&ID, &[pending(1_000, EndingKind::Revoke)], at(0)).unwrap();
    assert_eq!(ended_generation(&reader, 7), 2);
    register.reserve(&ID, 20_000, at(0)).unwrap();
    let size = || std::fs::metadata(register.path()).unwrap().len();
    let reserved = size();
    assert!(reserved >= 40_000 * SLOT_LEN as u64, "{reserved}");
    for register in [&register, &reader] {
        assert!((0..300).all(|number| ended_generation(register, number) == 2));
        assert_eq!(
            register.snapshot(&ID).unwrap().pending().unwrap(),
            [pending(1_000, EndingKind::Revoke)]
        );
    }
    for batch in (2_000..22_000).collect::<Vec<_>>().chunks(500) {
        let batch: Vec<_> = batch.iter().map(|number| ended(*number, 1)).collect();
        register.raise(&ID, &batch, at(0)).unwrap();
    }
    assert_eq!(size(), reserved, "no batch lets the register grow");
    register.reserve(&ID, 10, at(0)).unwrap();
    assert_eq!((size(), ended_generation(&reader, 21_999)), (reserved, 1));
    register.clear_pending(&ID, &[pending(1_000, EndingKind::Revoke)], None, None).unwrap();
    assert_eq!(reader.snapshot(&ID).unwrap().pending().unwrap(), []);
}

/// A stopped writer holds the first lock for an unlimited time.
#[test]
fn a_stopped_writer_delays_no_ending() {
    let folder = tempfile::tempdir().unwrap();
    let register = new(&folder);
    register.raise(&ID, &[ended(1, 1)], at(0)).unwrap();
    let stopped = OpenOptions::new().read(true).write(true).open(register.path()).unwrap();
    stopped.lock().unwrap();
    register.raise(&ID, &[ended(1, 2), ended(2, 1)], at(0)).unwrap();
    assert_eq!([1, 2].map(|number| ended_generation(&register, number)), [2, 1]);
    assert!(matches!(register.replace(&ID, &[ended(1, 0)]), Err(StoreError::Busy { .. })));
    // As if the stopped writer continued: it overwrites the first entry of token 1 and fills the
    // first free slot. The entries that were written under the second lock remain.
    drop(stopped);
    register.raise(&ID, &[ended(1, 1), ended(3, 1)], at(0)).unwrap();
    assert_eq!([1, 2, 3].map(|number| ended_generation(&register, number)), [2, 1, 1]);
}

#[test]
fn a_missing_foreign_or_damaged_register_gives_no_answer() {
    let folder = tempfile::tempdir().unwrap();
    let register = new(&folder);
    register.raise(&ID, &[ended(1, 1)], at(0)).unwrap();
    let other = PathProblem::OtherRegister.at(register.path());
    assert_eq!(state(&register, &[8; 16], &token(1)), Err(other));
    let file = OpenOptions::new().write(true).open(register.path()).unwrap();
    file.write_all_at(&[0xff; 4], 20).unwrap();
    assert!(is_unusable(&state(&register, &ID, &token(1))));
    std::fs::remove_file(register.path()).unwrap();
    std::thread::sleep(MAX_FILE_AGE);
    assert!(is_unusable(&state(&register, &ID, &token(1))));
}

#[test]
fn a_torn_slot_ends_its_token_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let register = new(&folder);
    register.raise(&ID, &[ended(1, 1)], at(0)).unwrap();
    let bytes = std::fs::read(register.path()).unwrap();
    let place = bytes.windows(12).position(|it| it == token(1).as_bytes()).unwrap();
    let file = OpenOptions::new().write(true).open(register.path()).unwrap();
    file.write_all_at(&[0x55; 60], place as u64 + 40).unwrap();
    assert_eq!(ended_generation(&register, 1), u32::MAX);
    assert_eq!(ended_generation(&register, 2), 0);
}

#[test]
fn an_interrupted_growth_leaves_a_usable_register() {
    let folder = tempfile::tempdir().unwrap();
    let register = new(&folder);
    register.raise(&ID, &[ended(1, 1)], at(0)).unwrap();
    let header = Header { id: ID, pages: FIRST_PAGES, is_superseded: true };
    let file = OpenOptions::new().write(true).open(register.path()).unwrap();
    file.write_all_at(&header.encode(), 0).unwrap();
    assert_eq!(ended_generation(&register, 1), 1);
    register.raise(&ID, &[ended(1, 2)], at(0)).unwrap();
    assert_eq!(ended_generation(&register, 1), 2);
    let mut start = [0; HEADER_LEN];
    file.sync_all().unwrap();
    std::fs::File::open(register.path()).unwrap().read_exact_at(&mut start, 0).unwrap();
    assert!(!Header::decode(&start).unwrap().is_superseded);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn the_register_is_a_map_of_maxima(
        steps in prop::collection::vec(
            (prop::collection::vec((0..4_000_usize, 1..9_u32, 0..9_u64), 1..300), any::<bool>()),
            1..12,
        )
    ) {
        let folder = tempfile::tempdir().unwrap();
        let register = new(&folder);
        let mut model: BTreeMap<usize, (u32, u64)> = BTreeMap::new();
        for (changes, replaces) in steps {
            let entry = |(number, ended_generation, min_version)| RevocationEntry {
                min_version,
                ..ended(number, ended_generation)
            };
            let entries: Vec<_> = changes.iter().copied().map(entry).collect();
            if replaces {
                register.replace(&ID, &entries).unwrap();
            } else {
                register.raise(&ID, &entries, at(0)).unwrap();
            }
            for (number, generation, version) in changes {
                match model.get_mut(&number) {
                    Some(known) if replaces && version > known.1 => *known = (generation, version),
                    Some(_) if replaces => {}
                    Some(known) => *known = (known.0.max(generation), known.1.max(version)),
                    // Only a raise adds an entry.
                    None if !replaces => drop(model.insert(number, (generation, version))),
                    None => {}
                }
            }
        }
        for number in 0..4_000 {
            let state = state(&register, &ID, &token(number)).unwrap();
            let expected = model.get(&number).copied().unwrap_or_default();
            prop_assert_eq!((state.ended_generation, state.min_version), expected);
        }
    }
}

#[test]
fn the_mark_goes_on_and_leaves_only_a_history_that_was_lost() {
    let folder = tempfile::tempdir().unwrap();
    let register = new(&folder);
    let event = |sequence: u64, history: u8| {
        Some(EventMark { sequence, hash: EventHash::from_bytes([history; 32]) })
    };
    let clear = |event, lacking| register.clear_pending(&ID, &[], event, lacking).unwrap();
    let marked = || register.snapshot(&ID).unwrap().mark().event;
    assert_eq!(marked(), None);
    clear(event(5, 1), None);
    // A process that stored less, and is later.
    clear(event(4, 1), None);
    assert_eq!(marked(), event(5, 1));
    // An older copy has got all endings.
    clear(event(3, 2), event(5, 1));
    assert_eq!(marked(), event(3, 2));
    clear(event(2, 3), event(5, 1));
    clear(None, None);
    assert_eq!(marked(), event(3, 2), "another process was first");
    register.set_newest_ending(&ID, at(7)).unwrap();
    let mark = register.snapshot(&ID).unwrap().mark();
    assert_eq!(mark, StoredMark { newest_ending: at(7), event: event(3, 2) });
}

#[test]
fn replacing_keeps_only_what_was_ended_since() {
    let folder = tempfile::tempdir().unwrap();
    let register = new(&folder);
    let old = EndingKind::EndSecret(DigestPrefix::from_bytes([7; 8]));
    let since = RevocationEntry { ended_generation: 1, ..pending(1, old) };
    register.raise(&ID, &[ended(1, 2)], at(0)).unwrap();
    register.raise(&ID, &[since], at(0)).unwrap();
    assert_eq!(ended_generation(&register, 1), 2);
    let restored = RevocationEntry { min_version: 9, ..RevocationEntry::of(token(1)) };
    register.replace(&ID, &[restored]).unwrap();
    assert_eq!(ended_generation(&register, 1), 1, "the end of the old secret stays");
    register.raise(&ID, &[RevocationEntry { min_version: 9, ..ended(1, 3) }], at(0)).unwrap();
    register.replace(&ID, &[RevocationEntry { min_version: 9, ..ended(1, 0) }]).unwrap();
    assert_eq!(ended_generation(&register, 1), 3, "another process has ended it since");
}
