//! A bulk insert must give the same store as single writes.

use std::collections::BTreeSet;

use proptest::{collection::btree_set, prelude::*};

use super::*;
use crate::{
    domain::{AuditAction, LastUse, Name, PreviousSecret},
    store::{
        ReadOps, Store,
        read_ops::ChangesSince,
        scenario::{at, contents, event_body, id, insert_bulk, nth_token},
    },
};

/// The token `number`. Some tokens have a last use, some a previous secret.
fn token(number: usize) -> Token {
    let used = LastUse { at: at(number), from: None, summary: "identify allowed".into() };
    let last_used = number.is_multiple_of(2).then(|| used.clone());
    let name = Name::parse(&format!("Name {}", number * 7_919 % 10_007)).unwrap();
    let plain = Token { name, last_used, ..nth_token(number) };
    let old_use = number.is_multiple_of(3).then_some(used);
    let old = PreviousSecret {
        digest: plain.digest,
        until: at(60),
        last_used: old_use,
        last_denied: None,
        uses_taken: 0,
    };
    Token { previous: number.is_multiple_of(5).then_some(old), ..plain }
}

fn tokens(numbers: &[usize]) -> Vec<Token> {
    numbers.iter().copied().map(token).collect()
}

fn insert_singly(rows: &mut Writer<'_>, numbers: &[usize]) -> Result<(), StoreError> {
    numbers.iter().try_for_each(|number| {
        let token = token(*number);
        rows.put_token(&token)?;
        rows.put_usage(&token)?;
        rows.append_event(event_body(*number, AuditAction::Imported)).map(drop)
    })
}

/// The numbers of existing tokens, and of tokens to insert, single and in runs.
fn numbers() -> impl Strategy<Value = (BTreeSet<usize>, Vec<usize>)> {
    let runs = prop::collection::vec((0..300_usize, 1..60_usize), 0..6);
    (btree_set(0..300_usize, 0..60), runs, any::<bool>()).prop_map(|(existing, runs, backwards)| {
        let new: BTreeSet<usize> = runs.iter().flat_map(|(at, len)| *at..at + len).collect();
        let mut new: Vec<usize> = new.difference(&existing).copied().collect();
        if backwards {
            new.reverse();
        }
        (existing, new)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_bulk_insert_equals_single_writes((existing, new) in numbers(), part in 1..200_usize) {
        let stores = [Store::memory().unwrap(), Store::memory().unwrap()];
        let existing: Vec<usize> = existing.into_iter().collect();
        for store in &stores {
            store.write(|rows| insert_singly(rows, &existing)).unwrap();
        }
        let [plain, bulk] = &stores;
        plain.write(|rows| insert_singly(rows, &new)).unwrap();
        bulk.write(|rows| insert_bulk(rows, &tokens(&new), part)).unwrap();
        prop_assert_eq!(contents(bulk), contents(plain));
        let trail = |store: &Store| store.read(|rows| rows.events_after(0, usize::MAX)).unwrap();
        prop_assert_eq!(trail(bulk), trail(plain));
        bulk.read(|rows| {
            for number in existing.iter().chain(&new) {
                assert_eq!(rows.id_of_name(&token(*number).name)?, Some(id(*number)));
            }
            Ok::<_, StoreError>(())
        }).unwrap();
    }
}

#[test]
fn a_name_that_is_taken_over_stays_as_a_clash() {
    let store = Store::memory().unwrap();
    let name = token(1).name.folded();
    store
        .write(|rows| {
            insert_singly(rows, &[1])?;
            let other = [(name.clone(), id(2))];
            rows.yield_names(&other)?;
            rows.insert_names(&other)
        })
        .unwrap();
    let name = Name::parse(&name).unwrap();
    assert_eq!(store.read(|rows| rows.ids_of_name(&name)), Ok(vec![id(2), id(1)]));
    store.write(|rows| rows.remove_token(&id(1))).unwrap();
    assert_eq!(store.read(|rows| rows.ids_of_name(&name)), Ok(vec![id(2)]));
}

#[test]
fn events_appended_between_two_batches_stay_between_them() {
    let store = Store::memory().unwrap();
    store
        .write(|rows| {
            for batch in [&[1, 2][..], &[3]] {
                rows.append_event(event_body(9, AuditAction::Deleted))?;
                let events: Vec<_> =
                    batch.iter().map(|it| event_body(*it, AuditAction::Imported)).collect();
                rows.insert_tokens(&[], &events)?;
            }
            Ok::<_, StoreError>(())
        })
        .unwrap();
    let (trail, chain) = store
        .read(|rows| Ok::<_, StoreError>((rows.events_after(0, 9)?.rows, rows.verify_chain()?)))
        .unwrap();
    let actions: Vec<_> = trail.iter().map(|event| event.body.action).collect();
    let [deleted, imported] = [AuditAction::Deleted, AuditAction::Imported];
    assert_eq!(actions, [deleted, imported, imported, deleted, imported]);
    assert_eq!((chain.events, chain.first_fault), (5, None));
}

#[test]
fn readers_resync_after_a_large_bulk_insert() {
    let store = Store::memory().unwrap();
    store.write(|rows| insert_singly(rows, &[9_000])).unwrap();
    let before = store.read(ReadOps::generation).unwrap();
    let many: Vec<usize> = (0..5_000).collect();
    store.write(|rows| insert_bulk(rows, &tokens(&many), 1_000)).unwrap();
    let (changes, after) = store
        .read(|rows| Ok::<_, StoreError>((rows.changes_after(before)?, rows.generation()?)))
        .unwrap();
    assert_eq!((changes, after), (ChangesSince::NeedsResync, before + 5_000));
    store.write(|rows| insert_singly(rows, &[9_001])).unwrap();
    let next = store.read(|rows| rows.changes_after(after)).unwrap();
    assert_eq!(next, ChangesSince::Tokens(vec![id(9_001)], after + 1));
}
