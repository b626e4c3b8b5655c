//! Kills four writers with SIGKILL at random moments while a reader is open. Acknowledged changes
//! must be in the store, no change may be partial, and the store must open without manual repair.
//! `PATDECK_CRASH_ROUNDS` sets the number of rounds.

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

use crate::{ledger::Ledger, rounds, service, writer::WriterProcess};

const WRITERS: usize = 4;

/// The number of rounds on one store. It is limited because each check reads the whole store.
const ROUNDS_PER_STORE: usize = 25;

#[test]
fn killed_writers_lose_no_acknowledged_change() {
    let rounds = rounds("PATDECK_CRASH_ROUNDS", 13);
    let mut random = StdRng::seed_from_u64(9);
    let (mut acknowledged, mut reads) = (0, 0);
    let mut left = rounds;
    while left > 0 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.redb");
        let service = service(&path);
        let stop = AtomicBool::new(false);
        let mut ledger = Ledger::default();
        let numbers = left.saturating_sub(ROUNDS_PER_STORE)..left;
        left = numbers.start;
        thread::scope(|scope| {
            let reader = scope.spawn(|| read_until_stopped(&path, &stop));
            let stop_on_drop = StopOnDrop(&stop);
            for round in numbers {
                run_and_kill_writers(&path, round, &mut random, &mut ledger);
                // Checks a new handle and the one from before the kills.
                ledger.check(&Store::open(&path).unwrap(), &service);
            }
            drop(stop_on_drop);
            reads += reader.join().unwrap();
        });
        acknowledged += ledger.acknowledged;
    }
    println!("{} kills, {acknowledged} acknowledged changes, {reads} reads", WRITERS * rounds);
    assert!(acknowledged > rounds && reads > 0);
}

/// Stops the reader on drop, so that a failed test does not wait for it forever.
struct StopOnDrop<'o>(&'o AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Starts four writers and kills them one after the other during their work.
fn run_and_kill_writers(path: &Path, round: usize, random: &mut StdRng, ledger: &mut Ledger) {
    let (send, lines) = mpsc::channel();
    let mut writers = Vec::new();
    for n in 0..WRITERS {
        let (writer, lines_out) = WriterProcess::start(path, round * WRITERS + n);
        let send = send.clone();
        let forwarder = thread::spawn(move || {
            lines_out.map_while(Result::ok).for_each(|line| send.send((n, line)).unwrap());
        });
        writers.push((writer, forwarder));
    }
    drop(send);
    // Wait until each writer has acknowledged a change.
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
    for (mut writer, forwarder) in writers {
        let ended = writer.process.wait().unwrap();
        assert_eq!(ended.code(), None, "the writer exited before it was killed");
        forwarder.join().unwrap();
    }
    all.extend(lines.iter().map(|(_, line)| line));
    for line in &all {
        ledger.record_line(line);
    }
}

/// Reads the whole store repeatedly; it must be consistent each time. Returns the number of reads.
fn read_until_stopped(path: &Path, stop: &AtomicBool) -> usize {
    let store = Store::open(path).unwrap();
    let (mut reads, mut events) = (0, 0);
    while !stop.load(Ordering::SeqCst) {
        let found = store.read(|rows| {
            assert_eq!(rows.find_inconsistencies()?, Vec::<String>::new());
            let chain = rows.verify_chain()?;
            assert_eq!(chain.first_fault, None);
            Ok::<_, StoreError>(chain.events)
        });
        let now = found.unwrap();
        assert!(now >= events, "{now} events after {events}");
        (reads, events) = (reads + 1, now);
        // Leave processor time for the writers.
        thread::sleep(Duration::from_millis(3));
    }
    reads
}
