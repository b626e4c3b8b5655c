//! kill -9 of four writers at random moments, beside an open reader: what they were told is kept
//! is kept, nothing is there by halves, and the next to come opens the store without a hand.
//! `PATDECK_CRASH_ROUNDS` kills that many rounds of four.

use std::{
    path::Path,
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use patdeck::store::{ReadOps as _, Store, StoreError};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng, seq::SliceRandom as _};

use crate::{ledger::Ledger, rounds, service, writer::Writer};

const WRITERS: usize = 4;

/// So many rounds share a store: the check reads all of it.
const ROUNDS_OF_A_STORE: usize = 25;

#[test]
fn writers_killed_at_any_moment_lose_nothing_acknowledged_and_leave_no_half_change() {
    let rounds = rounds("PATDECK_CRASH_ROUNDS", 13);
    let mut random = StdRng::seed_from_u64(9);
    let (mut acknowledged, mut reads) = (0, 0);
    let mut left = rounds;
    while left > 0 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.redb");
        let service = service(&path);
        let over = AtomicBool::new(false);
        let mut ledger = Ledger::default();
        let numbers = left.saturating_sub(ROUNDS_OF_A_STORE)..left;
        left = numbers.start;
        thread::scope(|scope| {
            let reader = scope.spawn(|| read_on(&path, &over));
            let ending = ExitReason(&over);
            for round in numbers {
                kill_four(&path, round, &mut random, &mut ledger);
                // A stranger opens it, and the handle from before goes on.
                ledger.check(&Store::open(&path).unwrap(), &service);
            }
            drop(ending);
            reads += reader.join().unwrap();
        });
        acknowledged += ledger.acknowledged;
    }
    println!("{} kills, {acknowledged} acknowledged changes, {reads} reads", WRITERS * rounds);
    assert!(acknowledged > rounds && reads > 0);
}

/// Ends the reader, also when the test fails: it would be waited for else.
struct ExitReason<'o>(&'o AtomicBool);

impl Drop for ExitReason<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Starts four writers and kills them, one after the other, in the middle of their work.
fn kill_four(path: &Path, round: usize, random: &mut StdRng, ledger: &mut Ledger) {
    let (send, lines) = mpsc::channel();
    let mut writers = Vec::new();
    for n in 0..WRITERS {
        let (writer, told) = Writer::start(path, round * WRITERS + n);
        let send = send.clone();
        let passing_on = thread::spawn(move || {
            told.map_while(Result::ok).for_each(|line| send.send((n, line)).unwrap());
        });
        writers.push((writer, passing_on));
    }
    drop(send);
    // Each has begun; from then on it is chance.
    let mut begun = [false; WRITERS];
    let mut all = Vec::new();
    while begun.contains(&false) {
        let (n, line) = lines.recv_timeout(Duration::from_secs(60)).unwrap();
        begun[n] |= line.starts_with("ok ");
        all.push(line);
    }
    writers.shuffle(random);
    for (writer, _) in &mut writers {
        thread::sleep(Duration::from_micros(random.random_range(0..6_000)));
        writer.process.kill().unwrap();
    }
    for (mut writer, passing_on) in writers {
        let ended = writer.process.wait().unwrap();
        assert_eq!(ended.code(), None, "it ended by itself");
        passing_on.join().unwrap();
    }
    all.extend(lines.iter().map(|(_, line)| line));
    for line in &all {
        ledger.take(line);
    }
}

/// Reads the whole store again and again: at no moment is half a change to be seen. Gives how
/// often.
fn read_on(path: &Path, over: &AtomicBool) -> usize {
    let store = Store::open(path).unwrap();
    let (mut reads, mut events) = (0, 0);
    while !over.load(Ordering::SeqCst) {
        let found = store.read(|rows| {
            assert_eq!(rows.disagreements()?, Vec::<String>::new());
            let chain = rows.verify_chain()?;
            assert_eq!(chain.broken, None);
            Ok::<_, StoreError>(chain.events)
        });
        let now = found.unwrap();
        assert!(now >= events, "{now} after {events}: it went back");
        (reads, events) = (reads + 1, now);
        // The writers need the processor, too.
        thread::sleep(Duration::from_millis(3));
    }
    reads
}
