//! Damaged files: undamaged data is read correctly, damage is reported, and no panic escapes.
//! `PATDECK_FLIPS` sets the number of flipped bits and truncations.

use std::{fs, os::unix::fs::OpenOptionsExt as _, path::Path};

use patdeck::{
    domain::{Name, Token},
    output::advice::store_message,
    store::{PathError, PathProblem, ReadOps, ScanResult, Store, StoreError, panic_is_caught},
};

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

use crate::{TempStore, add_token, at, id, token, used, write_to};

/// Replaces the file at `path` by a new one, so that open handles are not affected.
fn replace_file(path: &Path, bytes: &[u8]) {
    let _ = fs::remove_file(path);
    let mut options = fs::OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(0o600).open(path).unwrap();
    std::io::Write::write_all(&mut file, bytes).unwrap();
}

/// Creates a store with 40 tokens and a last use, revokes a token, and returns the bytes.
fn healthy_store(temp: &TempStore) -> Vec<u8> {
    let store = temp.store();
    for n in 0..40 {
        add_token(&store, n).unwrap();
    }
    write_to(&store, |rows| rows.put_attempt(&id(1), None, &used(1), true)).unwrap();
    let revoked = token(5).revoke(at(1)).unwrap();
    write_to(&store, |rows| rows.put_token(&revoked)).unwrap();
    fs::read(temp.path()).unwrap()
}

fn silence_caught_panics() {
    let previous = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !panic_is_caught(panic) {
            previous(panic);
        }
    }));
}

/// Reads the whole store and returns whether damage was reported. Panics on wrong data without a
/// report.
fn read_everything(path: &Path) -> bool {
    let Ok(store) = Store::open(path) else {
        return true;
    };
    let expected = |found: &Token| {
        let number = found.id.as_str().parse().unwrap();
        let last_used = found.last_used.clone().filter(|last| *last == used(1));
        let revoked = (number == 5).then_some(at(1));
        Token { last_used, revoked, ..token(number) }
    };
    let mut is_damaged = false;
    match store.read(ReadOps::tokens) {
        Ok(ScanResult { rows, damaged }) => {
            assert!(rows.iter().all(|found| *found == expected(found)));
            assert!(rows.len() == 40 || !damaged.is_empty(), "{} rows", rows.len());
            is_damaged |= !damaged.is_empty();
        }
        Err(_) => is_damaged = true,
    }
    for n in 0..40 {
        match store.read(|rows| rows.token(&id(n))) {
            Ok(Some(found)) => assert_eq!(found, expected(&found)),
            _ => is_damaged = true,
        }
        let name = Name::parse(&format!("token {n}")).unwrap();
        match store.read(|rows| rows.id_of_name(&name)) {
            Ok(Some(found)) => assert_eq!(found, id(n)),
            _ => is_damaged = true,
        }
    }
    match store.read(ReadOps::verify_chain) {
        Ok(chain) => is_damaged |= chain.first_fault.is_some() || chain.events != 40,
        Err(_) => is_damaged = true,
    }
    is_damaged |= write_to(&store, |rows| rows.put_token(&token(3))).is_err();
    is_damaged
}

#[test]
fn a_flipped_bit_or_truncation_is_harmless_or_reported() {
    silence_caught_panics();
    let temp = TempStore::in_memory();
    let bytes = healthy_store(&temp);
    assert!(!read_everything(&temp.path()), "damage in a healthy store");
    let requested = std::env::var("PATDECK_FLIPS").ok();
    let flips: usize = requested.map_or(1_000, |text| text.parse().unwrap());
    let mut random = StdRng::seed_from_u64(7);
    let mut reported = 0;
    for n in 0..flips {
        let mut damaged = bytes.clone();
        match n % 10 {
            // A truncation.
            0 => damaged.truncate(random.random_range(0..bytes.len())),
            // A bit of the header.
            1 | 2 => damaged[random.random_range(0..320)] ^= 1 << random.random_range(0..8),
            _ => damaged[random.random_range(0..bytes.len())] ^= 1 << random.random_range(0..8),
        }
        replace_file(&temp.path(), &damaged);
        let is_reported = read_everything(&temp.path());
        assert!(is_reported || n % 10 > 0, "{} of {} bytes", damaged.len(), bytes.len());
        reported += usize::from(is_reported);
    }
    println!("{reported} of {flips} were reported, the others were harmless");
    assert!(reported > flips / 10);
}

#[test]
fn a_file_truncated_while_open_is_reported_and_not_written() {
    silence_caught_panics();
    for length in [0, 100, 4_096, 40_960] {
        let temp = TempStore::new();
        let store = temp.store();
        for n in 0..9 {
            add_token(&store, n).unwrap();
        }
        fs::OpenOptions::new().write(true).open(temp.path()).unwrap().set_len(length).unwrap();
        let before = fs::read(temp.path()).unwrap();
        let refused = [
            store.read(ReadOps::tokens).map(drop).unwrap_err(),
            add_token(&store, 10).unwrap_err(),
            Store::open(&temp.path()).map(drop).unwrap_err(),
        ];
        for error in refused {
            assert!(
                matches!(
                    error,
                    StoreError::Path(PathError { problem: PathProblem::NotAStore, .. })
                        | StoreError::Corrupted { .. }
                ),
                "{length}: {error}"
            );
        }
        assert_eq!(fs::read(temp.path()).unwrap(), before, "{length}");
    }
}

/// Flips a bit wherever the file contains `needle`.
fn flip_in(temp: &TempStore, needle: &str) {
    let mut bytes = fs::read(temp.path()).unwrap();
    let needle = needle.as_bytes();
    for at in 0..bytes.len() - needle.len() {
        if bytes[at..].starts_with(needle) {
            bytes[at] ^= 1;
        }
    }
    replace_file(&temp.path(), &bytes);
}

#[test]
fn one_damaged_token_is_reported_and_can_be_deleted() {
    let temp = TempStore::new();
    let store = temp.store();
    for n in 1..=3 {
        let description = patdeck::domain::Description::parse(&format!("needle {n}")).unwrap();
        let token = Token { description, ..token(n) };
        write_to(&store, |rows| rows.put_token(&token)).unwrap();
    }
    flip_in(&temp, "needle 2");
    let found = store.read(ReadOps::tokens).unwrap();
    let ids: Vec<_> = found.rows.iter().map(|token| token.id).collect();
    assert_eq!(ids, [id(1), id(3)]);
    assert_eq!(found.damaged.len(), 1);
    let refused = store.read(|rows| rows.token(&id(2))).unwrap_err();
    assert_eq!(refused, StoreError::Damaged(found.damaged[0].clone()));
    assert_eq!(
        store_message(&refused),
        "000000000002 in tokens-2 is damaged and was not used: restore a backup"
    );
    assert_eq!(write_to(&store, |rows| rows.remove_token(&id(2))), Ok(true));
    let found = store.read(ReadOps::tokens).unwrap();
    assert_eq!((found.rows.len(), found.damaged), (2, vec![]));
    // Its name was removed, too.
    let name = token(2).name;
    assert_eq!(store.read(|rows| rows.id_of_name(&name)), Ok(None));
}

#[test]
fn a_damaged_last_use_is_reported_but_denies_no_token() {
    let temp = TempStore::new();
    let store = temp.store();
    add_token(&store, 1).unwrap();
    let mut last = used(1);
    last.summary = "needle".into();
    write_to(&store, |rows| rows.put_attempt(&id(1), None, &last, true)).unwrap();
    flip_in(&temp, "needle");
    assert_eq!(store.read(|rows| rows.token(&id(1))), Ok(Some(token(1))));
    let found = store.read(ReadOps::tokens).unwrap();
    assert_eq!(found.rows, [token(1)]);
    assert_eq!(found.damaged[0].to_string(), "000000000001 in uses-2");
}

#[test]
fn a_damaged_event_breaks_the_chain_at_its_place() {
    let temp = TempStore::new();
    let store = temp.store();
    for n in 1..=5 {
        let event = crate::event_body(Some(1), &format!("needle {n}"));
        write_to(&store, |rows| rows.append_event(event.clone())).unwrap();
    }
    flip_in(&temp, "needle 3");
    let chain = store.read(ReadOps::verify_chain).unwrap();
    assert_eq!(chain.events, 2);
    assert_eq!(chain.first_fault, Some((3, "3 in events-1 is damaged".into())));
    let others = [5, 4, 2, 1];
    let all = store.read(|rows| rows.events_before(None, 9)).unwrap();
    let own = store.read(|rows| rows.events_of(&id(1), 9)).unwrap();
    for found in [all, own] {
        let numbers: Vec<_> = found.rows.iter().map(|e| e.sequence).collect();
        assert_eq!(numbers, others);
        assert_eq!(found.damaged[0].to_string(), "3 in events-1");
    }
}
