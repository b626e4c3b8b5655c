//! What comes in at once stands in the store as if it had come one by one.

use std::collections::BTreeSet;

use proptest::{collection::btree_set, prelude::*};

use super::*;
use crate::{
    domain::{AuditAction, LastUse, Name, PreviousSecret},
    store::{
        ReadOps, Store,
        read_ops::Changes,
        script::{at, at_once, id, nth_token, state, told},
    },
};

/// The token `number`, of which some were used, and some have an old secret.
fn token(number: usize) -> Token {
    let used = LastUse { at: at(number), from: None, what: "identify allowed".into() };
    let last_used = number.is_multiple_of(2).then(|| used.clone());
    let name = Name::parse(&format!("Name {}", number * 7_919 % 10_007)).unwrap();
    let plain = Token { name, last_used, ..nth_token(number) };
    let old_use = number.is_multiple_of(3).then_some(used);
    let old = PreviousSecret { digest: plain.digest, until: at(60), last_used: old_use };
    Token { previous: number.is_multiple_of(5).then_some(old), ..plain }
}

fn tokens(numbers: &[usize]) -> Vec<Token> {
    numbers.iter().copied().map(token).collect()
}

fn one_by_one(rows: &mut Writer<'_>, numbers: &[usize]) -> Result<(), StoreError> {
    numbers.iter().try_for_each(|number| {
        let token = token(*number);
        rows.put_token(&token)?;
        if let Some(used) = &token.last_used {
            rows.put_use(&token.id, used)?;
        }
        if let Some(PreviousSecret { digest, last_used: Some(used), .. }) = &token.previous {
            rows.put_retiring_use(&token.id, *digest, used)?;
        }
        rows.append_event(told(*number, AuditAction::Imported)).map(drop)
    })
}

/// Tokens that are there, and others that come: alone and in runs.
fn numbers() -> impl Strategy<Value = (BTreeSet<usize>, Vec<usize>)> {
    let runs = prop::collection::vec((0..300_usize, 1..60_usize), 0..6);
    (btree_set(0..300_usize, 0..60), runs, any::<bool>()).prop_map(|(here, runs, backwards)| {
        let coming: BTreeSet<usize> = runs.iter().flat_map(|(at, len)| *at..at + len).collect();
        let mut coming: Vec<usize> = coming.difference(&here).copied().collect();
        if backwards {
            coming.reverse();
        }
        (here, coming)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn at_once_is_as_one_by_one((here, coming) in numbers(), part in 1..200_usize) {
        let stores = [Store::memory().unwrap(), Store::memory().unwrap()];
        let here: Vec<usize> = here.into_iter().collect();
        for store in &stores {
            store.write(|rows| one_by_one(rows, &here)).unwrap();
        }
        let [plain, bulk] = &stores;
        plain.write(|rows| one_by_one(rows, &coming)).unwrap();
        bulk.write(|rows| at_once(rows, &tokens(&coming), part)).unwrap();
        prop_assert_eq!(state(bulk), state(plain));
        let trail = |store: &Store| store.read(|rows| rows.events_after(0, usize::MAX)).unwrap();
        prop_assert_eq!(trail(bulk), trail(plain));
        bulk.read(|rows| {
            for number in here.iter().chain(&coming) {
                assert_eq!(rows.id_of_name(&token(*number).name)?, Some(id(*number)));
            }
            Ok::<_, StoreError>(())
        }).unwrap();
    }
}

#[test]
fn a_batch_of_names_is_bounded_and_inserted_in_any_order() {
    let store = Store::memory().unwrap();
    let folded = |number: usize| format!("{:08}", number * 7_919 % 1_000_003);
    let mut names = NameBatch::default();
    names.extend((1..NAMES_AT_ONCE).map(|number| (folded(number), id(number))));
    assert!(!names.is_full());
    names.extend([(folded(0), id(0))]);
    assert!(names.is_full());
    let mut names = Some(names);
    store.write(|rows| rows.insert_names(names.take().unwrap())).unwrap();
    for number in (0..NAMES_AT_ONCE).step_by(997) {
        let name = Name::parse(&folded(number)).unwrap();
        assert_eq!(store.read(|rows| rows.id_of_name(&name)), Ok(Some(id(number))));
    }
}

#[test]
fn events_appended_between_two_batches_stay_between_them() {
    let store = Store::memory().unwrap();
    store
        .write(|rows| {
            for batch in [&[1, 2][..], &[3]] {
                rows.append_event(told(9, AuditAction::Deleted))?;
                let events: Vec<_> =
                    batch.iter().map(|it| told(*it, AuditAction::Imported)).collect();
                rows.insert_tokens(&[], &events)?;
            }
            Ok::<_, StoreError>(())
        })
        .unwrap();
    let (trail, chain) = store
        .read(|rows| Ok::<_, StoreError>((rows.events_after(0, 9)?.rows, rows.verify_chain()?)))
        .unwrap();
    let told: Vec<_> = trail.iter().map(|event| event.what.action).collect();
    let [deleted, imported] = [AuditAction::Deleted, AuditAction::Imported];
    assert_eq!(told, [deleted, imported, imported, deleted, imported]);
    assert_eq!((chain.events, chain.broken), (5, None));
}

#[test]
fn followers_of_a_flood_start_anew() {
    let store = Store::memory().unwrap();
    store.write(|rows| one_by_one(rows, &[9_000])).unwrap();
    let before = store.read(ReadOps::generation).unwrap();
    let many: Vec<usize> = (0..5_000).collect();
    store.write(|rows| at_once(rows, &tokens(&many), 1_000)).unwrap();
    let (changes, after) = store
        .read(|rows| Ok::<_, StoreError>((rows.changes_after(before)?, rows.generation()?)))
        .unwrap();
    assert_eq!((changes, after), (Changes::TooFar, before + 5_000));
    store.write(|rows| one_by_one(rows, &[9_001])).unwrap();
    let next = store.read(|rows| rows.changes_after(after)).unwrap();
    assert_eq!(next, Changes::Tokens(vec![id(9_001)], after + 1));
}
