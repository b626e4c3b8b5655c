//! Long work in two halves, one of them done by another core. Called by the index alone.

use std::{panic::resume_unwind, thread};

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
