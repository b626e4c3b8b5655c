//! A damaged file: what is read is right, what cannot be is named, and nothing panics through.
//! `PATDECK_FLIPS` tries that many flipped bits and cut-off ends.

use std::{fs, os::unix::fs::OpenOptionsExt as _, path::Path};

use patdeck::{
    domain::{Name, Token},
    output::advice::store_message,
    store::{PathError, PathProblem, ReadOps, ScanResult, Store, StoreError, panic_is_caught},
};

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

use crate::{Place, add, at, id, token, used, write};

/// Puts `bytes` there as a new file, for an open handle must not see them change.
fn put(path: &Path, bytes: &[u8]) {
    let _ = fs::remove_file(path);
    let mut options = fs::OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(0o600).open(path).unwrap();
    std::io::Write::write_all(&mut file, bytes).unwrap();
}

/// A store of 40 tokens, one of them revoked last, as bytes.
fn healthy(place: &Place) -> Vec<u8> {
    let store = place.store();
    for n in 0..40 {
        add(&store, n).unwrap();
    }
    write(&store, |rows| rows.put_use(&id(1), &used(1))).unwrap();
    let revoked = token(5).revoke(at(1)).unwrap();
    write(&store, |rows| rows.put_token(&revoked)).unwrap();
    fs::read(place.path()).unwrap()
}

fn silence() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !panic_is_caught() {
            usual(panic);
        }
    }));
}

/// Reads all there is; whether anything was found wrong. Panics if anything is wrong unnamed.
fn look(path: &Path) -> bool {
    let Ok(store) = Store::open(path) else {
        return true;
    };
    let expected = |found: &Token| {
        let number = found.id.as_str().parse().unwrap();
        let last_used = found.last_used.clone().filter(|last| *last == used(1));
        let revoked = (number == 5).then_some(at(1));
        Token { last_used, revoked, ..token(number) }
    };
    let mut wrong = false;
    match store.read(ReadOps::tokens) {
        Ok(ScanResult { rows, damaged }) => {
            assert!(rows.iter().all(|found| *found == expected(found)));
            assert!(rows.len() == 40 || !damaged.is_empty(), "{} rows", rows.len());
            wrong |= !damaged.is_empty();
        }
        Err(_) => wrong = true,
    }
    for n in 0..40 {
        match store.read(|rows| rows.token(&id(n))) {
            Ok(Some(found)) => assert_eq!(found, expected(&found)),
            _ => wrong = true,
        }
        let name = Name::parse(&format!("token {n}")).unwrap();
        match store.read(|rows| rows.id_of_name(&name)) {
            Ok(Some(found)) => assert_eq!(found, id(n)),
            _ => wrong = true,
        }
    }
    match store.read(ReadOps::verify_chain) {
        Ok(chain) => wrong |= chain.broken.is_some() || chain.events != 40,
        Err(_) => wrong = true,
    }
    wrong |= write(&store, |rows| rows.put_token(&token(3))).is_err();
    wrong
}

#[test]
fn a_flipped_bit_or_a_lost_end_is_harmless_or_named_and_never_read_as_something_else() {
    silence();
    let place = Place::in_memory();
    let bytes = healthy(&place);
    assert!(!look(&place.path()), "a healthy store is");
    let asked = std::env::var("PATDECK_FLIPS").ok();
    let flips: usize = asked.map_or(1_000, |text| text.parse().unwrap());
    let mut random = StdRng::seed_from_u64(7);
    let mut wrong = 0;
    for n in 0..flips {
        let mut damaged = bytes.clone();
        match n % 10 {
            // The end is missing.
            0 => damaged.truncate(random.random_range(0..bytes.len())),
            // The header, where every bit counts.
            1 | 2 => damaged[random.random_range(0..320)] ^= 1 << random.random_range(0..8),
            _ => damaged[random.random_range(0..bytes.len())] ^= 1 << random.random_range(0..8),
        }
        put(&place.path(), &damaged);
        let noticed = look(&place.path());
        assert!(noticed || n % 10 > 0, "{} of {} bytes", damaged.len(), bytes.len());
        wrong += usize::from(noticed);
    }
    println!("{wrong} of {flips} were noticed, the others changed nothing");
    assert!(wrong > flips / 10);
}

#[test]
fn a_file_that_is_cut_under_a_running_program_is_noticed_and_not_written_over() {
    silence();
    for length in [0, 100, 4_096, 40_960] {
        let place = Place::new();
        let store = place.store();
        for n in 0..9 {
            add(&store, n).unwrap();
        }
        fs::OpenOptions::new().write(true).open(place.path()).unwrap().set_len(length).unwrap();
        let before = fs::read(place.path()).unwrap();
        let refused = [
            store.read(ReadOps::tokens).map(drop).unwrap_err(),
            add(&store, 10).unwrap_err(),
            Store::open(&place.path()).map(drop).unwrap_err(),
        ];
        for error in refused {
            assert!(
                matches!(
                    error,
                    StoreError::Path(PathError { problem: PathProblem::NotAStore, .. })
                        | StoreError::Broken { .. }
                ),
                "{length}: {error}"
            );
        }
        assert_eq!(fs::read(place.path()).unwrap(), before, "{length}");
    }
}

/// Flips a bit in the one place of the file where `needle` is the payload of a record.
fn flip_in(place: &Place, needle: &str) {
    let mut bytes = fs::read(place.path()).unwrap();
    let needle = needle.as_bytes();
    for at in 0..bytes.len() - needle.len() {
        if bytes[at..].starts_with(needle) {
            bytes[at] ^= 1;
        }
    }
    put(&place.path(), &bytes);
}

#[test]
fn one_damaged_token_is_named_hides_no_other_and_can_be_deleted() {
    let place = Place::new();
    let store = place.store();
    for n in 1..=3 {
        let description = patdeck::domain::Description::parse(&format!("needle {n}")).unwrap();
        let token = Token { description, ..token(n) };
        write(&store, |rows| rows.put_token(&token)).unwrap();
    }
    flip_in(&place, "needle 2");
    let found = store.read(ReadOps::tokens).unwrap();
    let ids: Vec<_> = found.rows.iter().map(|token| token.id).collect();
    assert_eq!(ids, [id(1), id(3)]);
    assert_eq!(found.damaged.len(), 1);
    let refused = store.read(|rows| rows.token(&id(2))).unwrap_err();
    assert_eq!(refused, StoreError::Damaged(found.damaged[0].clone()));
    assert_eq!(
        store_message(&refused),
        "000000000002 in pats-1 is damaged and was not used: restore a backup"
    );
    assert_eq!(write(&store, |rows| rows.remove_token(&id(2))), Ok(true));
    let found = store.read(ReadOps::tokens).unwrap();
    assert_eq!((found.rows.len(), found.damaged), (2, vec![]));
    // Its name went with it.
    let name = token(2).name;
    assert_eq!(store.read(|rows| rows.id_of_name(&name)), Ok(None));
}

#[test]
fn a_damaged_last_use_is_named_and_denies_nothing() {
    let place = Place::new();
    let store = place.store();
    add(&store, 1).unwrap();
    let mut last = used(1);
    last.what = "needle".into();
    write(&store, |rows| rows.put_use(&id(1), &last)).unwrap();
    flip_in(&place, "needle");
    assert_eq!(store.read(|rows| rows.token(&id(1))), Ok(Some(token(1))));
    let found = store.read(ReadOps::tokens).unwrap();
    assert_eq!(found.rows, [token(1)]);
    assert_eq!(found.damaged[0].to_string(), "000000000001 in uses-1");
}

#[test]
fn a_damaged_event_breaks_the_chain_where_it_stands_and_hides_no_other() {
    let place = Place::new();
    let store = place.store();
    for n in 1..=5 {
        let what = crate::draft(Some(1), &format!("needle {n}"));
        write(&store, |rows| rows.append_event(what.clone())).unwrap();
    }
    flip_in(&place, "needle 3");
    let chain = store.read(ReadOps::verify_chain).unwrap();
    assert_eq!(chain.events, 2);
    assert_eq!(chain.broken, Some((3, "3 in events-1 is damaged".into())));
    let others = [5, 4, 2, 1];
    let all = store.read(|rows| rows.events_before(None, 9)).unwrap();
    let own = store.read(|rows| rows.events_of(&id(1), 9)).unwrap();
    for found in [all, own] {
        let numbers: Vec<_> = found.rows.iter().map(|e| e.sequence).collect();
        assert_eq!(numbers, others);
        assert_eq!(found.damaged[0].to_string(), "3 in events-1");
    }
}
