//! Long work in two halves, one of them done by another core, or piece by piece by whichever core
//! has time. Called by the index alone.

use std::{
    panic::resume_unwind,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

/// What `one` and `other` return; at the same time if that `is_long`, for a thread costs more
/// than a little work.
pub(super) fn both<A: Send, B>(
    is_long: bool,
    one: impl FnOnce() -> A + Send,
    other: impl FnOnce() -> B,
) -> (A, B) {
    if !is_long {
        return (one(), other());
    }
    thread::scope(|scope| {
        let one = scope.spawn(one);
        let other = other();
        match one.join() {
            Ok(one) => (one, other),
            Err(panic) => resume_unwind(panic),
        }
    })
}

/// What `work` makes of each of `count` pieces, in their order; with another core if that
/// `is_long`. Each core takes the next piece when it is done with one, for one of them begins
/// late; what it keeps between two is what `begin` returns. `None` as soon as one piece is.
pub(super) fn pieces<S, T: Send>(
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
    let (one, other) = both(is_long, take, take);
    let mut all: Vec<Option<T>> = Vec::new();
    all.resize_with(count, || None);
    for (piece, made) in one?.into_iter().chain(other?) {
        if let Some(place) = all.get_mut(piece) {
            *place = Some(made);
        }
    }
    all.into_iter().collect()
}
