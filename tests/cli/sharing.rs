//! Concurrent processes on one store: no change is lost, and a concurrent reader never fails.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicBool, Ordering},
    thread::{self, ScopedJoinHandle},
};

use crate::{Home, run};

const WRITERS: usize = 8;
/// Tokens that each writer creates.
const TOKENS_PER_WRITER: usize = 50;

/// Creates a token. Returns its secret and whether the delivery was recorded. On a slow host the
/// lock timeout can expire while seven other writers are served: then it tries again.
fn create(home: &Home, name: &str) -> (String, bool) {
    loop {
        let result = run(home, &["create", name]);
        // A secret that was printed before the lock timed out does not work, as the error says.
        if !result.err.starts_with("error: the store is busy: ") {
            let is_recorded = !result.err.contains("warning: cannot record");
            return (result.success(), is_recorded);
        }
    }
}

#[test]
fn eight_writers_and_a_reader_lose_nothing() {
    let home = crate::home_with_store();
    let is_over = AtomicBool::new(false);
    let made: BTreeSet<(String, bool)> = thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut seen = 0;
            while !is_over.load(Ordering::SeqCst) {
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
                    (0..TOKENS_PER_WRITER).map(make).collect::<Vec<_>>()
                })
            })
            .collect();
        let results: Vec<_> = writers.into_iter().map(ScopedJoinHandle::join).collect();
        // Stop the reader before any assertion can fail, or the scope would wait for it forever.
        is_over.store(true, Ordering::SeqCst);
        reader.join().unwrap();
        results.into_iter().flat_map(Result::unwrap).collect()
    });
    assert_eq!(made.len(), WRITERS * TOKENS_PER_WRITER);
    let recorded = made.iter().filter(|(_, is_recorded)| *is_recorded).count();
    let all = run(&home, &["list", "--json"]).objects();
    let names: BTreeSet<_> = all.iter().map(|token| token["name"].as_str().unwrap()).collect();
    let expected: BTreeSet<_> = (0..WRITERS)
        .flat_map(|w| (0..TOKENS_PER_WRITER).map(move |n| format!("w{w}-{n}")))
        .collect();
    assert_eq!(names, expected.iter().map(String::as_str).collect());
    assert_eq!(all.iter().filter(|token| token["claimed"] == true).count(), recorded);
    let events = WRITERS * TOKENS_PER_WRITER + recorded;
    let checked = run(&home, &["audit", "--check"]).success();
    let expected = format!("chain intact: {events} events, head ");
    assert!(checked.starts_with(&expected), "{checked}");
}
