//! Many processes on one store: nothing is lost, and a reader beside them is never disturbed.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicBool, Ordering},
    thread::{self, ScopedJoinHandle},
};

use crate::{Home, run};

const WRITERS: usize = 8;
const EACH: usize = 50;

/// Makes a token; its secret, and whether that is noted as handed over. On a busy machine the
/// seven others may be in front for longer than a command waits: it says so then, and whether
/// anything was changed.
fn create(home: &Home, name: &str) -> (String, bool) {
    loop {
        let ended = run(home, &["create", name]);
        if !(ended.out.is_empty() && ended.err.starts_with("patdeck: store busy: ")) {
            let noted = !ended.err.contains("could not be noted");
            return (ended.done(), noted);
        }
    }
}

#[test]
fn eight_writers_beside_a_reader_lose_nothing() {
    let home = Home::new();
    run(&home, &["list"]).done();
    let over = AtomicBool::new(false);
    let made: BTreeSet<(String, bool)> = thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut seen = 0;
            while !over.load(Ordering::SeqCst) {
                let count = run(&home, &["list", "--json"]).objects().len();
                assert!(count >= seen, "{count} after {seen}");
                seen = count;
            }
        });
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let home = &home;
                scope.spawn(move || {
                    let make = |n: usize| create(home, &format!("w{writer}-{n}"));
                    (0..EACH).map(make).collect::<Vec<_>>()
                })
            })
            .collect();
        let ended: Vec<_> = writers.into_iter().map(ScopedJoinHandle::join).collect();
        // Before anything can fail: the reader would be waited for else.
        over.store(true, Ordering::SeqCst);
        reader.join().unwrap();
        ended.into_iter().flat_map(Result::unwrap).collect()
    });
    assert_eq!(made.len(), WRITERS * EACH);
    let noted = made.iter().filter(|(_, noted)| *noted).count();
    let all = run(&home, &["list", "--json"]).objects();
    let names: BTreeSet<_> = all.iter().map(|token| token["name"].as_str().unwrap()).collect();
    let expected: BTreeSet<_> =
        (0..WRITERS).flat_map(|w| (0..EACH).map(move |n| format!("w{w}-{n}"))).collect();
    assert_eq!(names, expected.iter().map(String::as_str).collect());
    assert_eq!(all.iter().filter(|token| token["claimed"] == true).count(), noted);
    let events = WRITERS * EACH + noted;
    let told = run(&home, &["audit", "--check"]).done();
    assert!(told.starts_with(&format!("the chain holds: {events} events, head ")), "{told}");
}
