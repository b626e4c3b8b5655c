//! kill -9 of a real process in the middle of its writes: what it was told is kept is kept, and
//! the next to come opens the store without a hand.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use patdeck::store::{Rows, Store, StoreError};

use crate::{Place, add, names};

const STORE: &str = "PATDECK_TEST_WRITER";
const FIRST: &str = "PATDECK_TEST_FIRST";

/// Does nothing unless started by [`writer`]: then it writes until it is killed, and says each
/// number once the write is acknowledged.
#[test]
fn child_writes() {
    let Some(path) = std::env::var_os(STORE) else {
        return;
    };
    let first: usize = std::env::var(FIRST).unwrap().parse().unwrap();
    let store = Store::open(path.as_ref()).unwrap();
    let mut out = std::io::stdout().lock();
    for n in first.. {
        add(&store, n).unwrap();
        writeln!(out, "kept {n}").unwrap();
        out.flush().unwrap();
    }
}

fn writer(place: &Place, first: usize) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crash::child_writes", "--nocapture", "--test-threads=1"])
        .env(STORE, place.path())
        .env(FIRST, first.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Who may only read what a killed writer left is answered, or told that it needs a repair.
fn reads_without_a_trace(place: &Place) {
    let left = fs::read(place.path()).unwrap();
    match Store::open_sealed(&place.path()) {
        Ok(store) => assert_eq!(add(&store, 99_998), Err(StoreError::Sealed)),
        Err(error) => assert!(matches!(error, StoreError::Unready { .. }), "{error}"),
    }
    assert!(fs::read(place.path()).unwrap() == left);
}

#[test]
fn a_writer_killed_mid_write_loses_nothing_acknowledged_and_stops_nobody() {
    let place = Place::new();
    let watching = place.store();
    let mut all = 0;
    for round in 0..12 {
        let mut child = writer(&place, round * 1_000);
        let told = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut told = told.map_while(Result::ok).filter(|line| line.contains("kept "));
        // The moment of the kill within a write differs from round to round.
        let mut acknowledged = told.by_ref().take(round + 1).count();
        thread::sleep(Duration::from_micros(331 * round as u64));
        child.kill().unwrap();
        child.wait().unwrap();
        acknowledged += told.count();
        reads_without_a_trace(&place);
        let kept = names(&place.store()).len() - all;
        // The last one may have been written and not told.
        assert!(kept == acknowledged || kept == acknowledged + 1, "{kept} of {acknowledged}");
        all += kept;
        assert_eq!(names(&watching).len(), all, "the kept handle goes on");
        let chain = watching.read(Rows::verify_chain).unwrap();
        assert_eq!((chain.events, chain.broken), (all as u64, None));
    }
    add(&watching, 99_999).unwrap();
}
