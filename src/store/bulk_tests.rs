//! What comes in at once stands in the store as if it had come one by one.

use std::collections::BTreeSet;

use proptest::{collection::btree_set, prelude::*};

use super::*;
use crate::{
    domain::{Action, LastUse, Name, Retiring},
    store::{
        Rows, Store,
        codec::seal,
        rows::Changes,
        script::{at, at_once, id, pat, state, told},
    },
};

/// The token `number`, of which some were used, and some have an old secret.
fn token(number: usize) -> Pat {
    let used = LastUse { at: at(number), from: None, what: "identify allowed".into() };
    let last_used = number.is_multiple_of(2).then(|| used.clone());
    let name = Name::parse(&format!("Name {}", number * 7_919 % 10_007)).unwrap();
    let plain = Pat { name, last_used, ..pat(number) };
    let old_use = number.is_multiple_of(3).then_some(used);
    let old = Retiring { digest: plain.digest, until: at(60), last_used: old_use };
    Pat { retiring: number.is_multiple_of(5).then_some(old), ..plain }
}

fn tokens(numbers: &[usize]) -> Vec<Pat> {
    numbers.iter().copied().map(token).collect()
}

fn one_by_one(rows: &mut Writer<'_>, numbers: &[usize]) -> Result<(), StoreError> {
    numbers.iter().try_for_each(|number| {
        let pat = token(*number);
        rows.put_pat(&pat)?;
        if let Some(used) = &pat.last_used {
            rows.put_use(&pat.id, used)?;
        }
        if let Some(Retiring { digest, last_used: Some(used), .. }) = &pat.retiring {
            rows.put_retiring_use(&pat.id, *digest, used)?;
        }
        rows.append_event(told(*number, Action::Imported)).map(drop)
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
fn names_are_put_whenever_there_are_many() {
    let store = Store::memory().unwrap();
    let numbers: Vec<usize> = (0..NAMES_AT_ONCE + 10).collect();
    let rows: Vec<_> = numbers
        .iter()
        .map(|number| {
            let name = format!("{:08}", number * 7_919 % 1_000_003).into_bytes();
            let named = seal(NAMES, &name, &RefV1(*id(*number).as_bytes())).unwrap();
            (name, named)
        })
        .collect();
    store
        .write(|writer| {
            let mut ahead = Ahead::of(writer)?;
            // The names alone, which are what is kept back.
            for part in rows.chunks(1_000) {
                ahead.keep_names(part.iter().map(|(name, named)| (&**name, &**named)).collect())?;
            }
            let ready = ahead.ready(&[], Unlinked::default())?;
            writer.put_many(&[], ready)?;
            assert_eq!(ahead.names.0.len(), 0);
            writer.put_names(&ahead.rest()?)
        })
        .unwrap();
    let named = |(name, _): &(Vec<u8>, _)| Name::parse(str::from_utf8(name).unwrap()).unwrap();
    for (number, row) in numbers.iter().zip(&rows).step_by(997) {
        assert_eq!(store.read(|rows| rows.id_of_name(&named(row))), Ok(Some(id(*number))));
    }
}

#[test]
fn what_was_told_between_stands_in_the_trail_before_what_comes() {
    let store = Store::memory().unwrap();
    store
        .write(|rows| {
            let mut ahead = Ahead::of(rows)?;
            let mut ready = Vec::new();
            for part in [&[1, 2][..], &[3]] {
                let mut events = Unlinked::default();
                part.iter().try_for_each(|it| events.add(&told(*it, Action::Imported)))?;
                ready.push(ahead.ready(&[], events)?);
            }
            for ready in ready {
                rows.append_event(told(9, Action::Deleted))?;
                rows.put_many(&[], ready)?;
            }
            Ok::<_, StoreError>(())
        })
        .unwrap();
    let (trail, chain) = store
        .read(|rows| Ok::<_, StoreError>((rows.events_after(0, 9)?.rows, rows.verify_chain()?)))
        .unwrap();
    let told: Vec<_> = trail.iter().map(|event| event.what.action).collect();
    let [deleted, imported] = [Action::Deleted, Action::Imported];
    assert_eq!(told, [deleted, imported, imported, deleted, imported]);
    assert_eq!((chain.events, chain.broken), (5, None));
}

#[test]
fn followers_of_a_flood_start_anew() {
    let store = Store::memory().unwrap();
    store.write(|rows| one_by_one(rows, &[9_000])).unwrap();
    let before = store.read(Rows::generation).unwrap();
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
