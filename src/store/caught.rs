//! redb panics over some damaged pages (1 of 100 flipped bits). Such a panic is caught here and
//! becomes an error, for it must not take the program down. The panic hook asks
//! [`panic_is_caught`] and keeps still.

use std::{
    cell::Cell,
    panic::{AssertUnwindSafe, catch_unwind},
};

use super::error::StoreError;

thread_local! {
    static CATCHING: Cell<bool> = const { Cell::new(false) };
}

/// Whether a panic on this thread right now would be caught by the store and reported as
/// [`StoreError::Broken`]: a panic hook leaves the terminal alone then, and prints nothing.
pub fn panic_is_caught() -> bool {
    CATCHING.get()
}

/// Runs `ask`, which does nothing but ask redb. What it was about to change must not be
/// committed after an error.
pub(super) fn caught<T>(ask: impl FnOnce() -> T) -> Result<T, StoreError> {
    let before = CATCHING.replace(true);
    let answer = catch_unwind(AssertUnwindSafe(ask));
    CATCHING.set(before);
    answer.map_err(|payload| {
        let said = payload
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| payload.downcast_ref::<&str>().copied());
        StoreError::Broken { why: said.unwrap_or("a page cannot be read").to_owned() }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error_and_leaves_no_trace() {
        let error = caught(|| {
            assert!(panic_is_caught());
            std::panic::resume_unwind(Box::new("page 7"))
        });
        let why = "page 7".to_owned();
        assert_eq!(error, Err::<(), _>(StoreError::Broken { why }));
        assert!(!panic_is_caught());
        assert_eq!(caught(|| 5), Ok(5));
    }
}
