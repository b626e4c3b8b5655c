//! Long work done by two cores, piece by piece: each takes the next one when it is done with one,
//! for a thread begins late. The caller works, too, and nothing waits in line: what takes a
//! millisecond has no time for more. Called by the index alone.

use std::{
    panic::resume_unwind,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

/// What `work` makes of each of `count` pieces, in their order; with another core if that
/// `is_long`, for a thread costs more than a little work. What a core keeps between two pieces
/// is what `begin` returns. `None` as soon as one piece is.
pub(super) fn spread<S, T: Send>(
    count: usize,
    is_long: bool,
    begin: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, usize) -> Option<T> + Sync,
) -> Option<Vec<T>> {
    let next = AtomicUsize::new(0);
    let take = || {
        let (mut kept, mut done) = (begin(), Vec::new());
        loop {
            let piece = next.fetch_add(1, Ordering::Relaxed);
            if piece >= count {
                return Some(done);
            }
            done.push((piece, work(&mut kept, piece)?));
        }
    };
    let (one, other) = thread::scope(|scope| {
        let other = is_long.then(|| scope.spawn(take));
        let one = take();
        let joined = other.map(|other| other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        (one, joined.unwrap_or_else(|| Some(Vec::new())))
    });
    let mut all: Vec<Option<T>> = Vec::new();
    all.resize_with(count, || None);
    for (piece, made) in one?.into_iter().chain(other?) {
        if let Some(place) = all.get_mut(piece) {
            *place = Some(made);
        }
    }
    all.into_iter().collect()
}
