//! Many processes on one store: nothing is lost, and a reader beside them is never disturbed.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use crate::{Home, run};

const WRITERS: usize = 8;
const EACH: usize = 50;

#[test]
fn eight_writers_beside_a_reader_lose_nothing() {
    let home = Home::new();
    run(&home, &["list"]).done();
    let over = AtomicBool::new(false);
    let secrets: BTreeSet<String> = thread::scope(|scope| {
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
                    let make = |n: usize| run(home, &["create", &format!("w{writer}-{n}")]).done();
                    (0..EACH).map(make).collect::<Vec<_>>()
                })
            })
            .collect();
        let written: Vec<_> = writers.into_iter().map(thread::ScopedJoinHandle::join).collect();
        // A writer that failed must not leave the reader reading for ever.
        over.store(true, Ordering::SeqCst);
        reader.join().unwrap();
        written.into_iter().flat_map(Result::unwrap).collect()
    });
    assert_eq!(secrets.len(), WRITERS * EACH);
    let all = run(&home, &["list", "--json"]).objects();
    let names: BTreeSet<_> = all.iter().map(|token| token["name"].as_str().unwrap()).collect();
    let expected: BTreeSet<_> =
        (0..WRITERS).flat_map(|w| (0..EACH).map(move |n| format!("w{w}-{n}"))).collect();
    assert_eq!(names, expected.iter().map(String::as_str).collect());
    assert!(all.iter().all(|token| token["claimed"] == true));
    let events = WRITERS * EACH * 2;
    let told = run(&home, &["audit", "--check"]).done();
    assert!(told.starts_with(&format!("the chain holds: {events} events, head ")), "{told}");
}
