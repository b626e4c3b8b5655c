//! Guards every call into redb. A redb panic on a damaged page (about 1 of 100 flipped bits causes
//! one) becomes [`StoreError::Corrupted`] instead of ending the program. [`StickyError`] keeps the
//! first error of a transaction; a transaction with an error is never committed. The panic hook
//! calls [`panic_is_caught`] and prints nothing for such a panic.

use std::{
    cell::Cell,
    panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind},
    sync::{Arc, Mutex, PoisonError},
};

use super::error::StoreError;

thread_local! {
    static IS_CATCHING: Cell<bool> = const { Cell::new(false) };
}

/// Whether the store catches `panic`, which occurs on this thread, and reports it as
/// [`StoreError::Corrupted`]. In that case, a panic hook must leave the terminal alone and print
/// nothing.
pub fn panic_is_caught(panic: &PanicHookInfo<'_>) -> bool {
    IS_CATCHING.get() && !is_in_cleanup(panic)
}

/// Whether redb panicked on a damaged page and then again in a destructor. The process aborts after
/// the panic hook, so that the hook must report the damage and end the process.
pub fn panic_ends_process(panic: &PanicHookInfo<'_>) -> bool {
    IS_CATCHING.get() && is_in_cleanup(panic)
}

/// Whether `panic` is the one that the runtime raises after a panic that cannot unwind.
fn is_in_cleanup(panic: &PanicHookInfo<'_>) -> bool {
    let message = panic.payload().downcast_ref::<&str>().copied();
    message == Some("panic in a destructor during cleanup")
}

/// Runs `call`, which must only call redb. After an error, the transaction must not be committed.
pub fn catch_redb_panic<T>(call: impl FnOnce() -> T) -> Result<T, StoreError> {
    let before = IS_CATCHING.replace(true);
    let result = catch_unwind(AssertUnwindSafe(call));
    IS_CATCHING.set(before);
    // The text of the panic names code of redb, which tells an operator nothing.
    result.map_err(|_| StoreError::corrupted("a page could not be read"))
}

/// The first I/O error of a transaction, on whatever thread it occurred. A write with such an
/// error is not committed, even if its closure ignores the error.
#[derive(Debug, Clone, Default)]
pub(super) struct StickyError(Arc<Mutex<Option<StoreError>>>);

impl StickyError {
    pub(super) fn first(&self) -> Option<StoreError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Runs `call`, which calls redb. If `call` returns the first error of the transaction, stores
    /// this error.
    pub(super) fn run<T>(
        &self,
        call: impl FnOnce() -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let result = catch_redb_panic(call).and_then(|result| result);
        if let Err(error) = &result {
            let mut first = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            first.get_or_insert_with(|| error.clone());
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error() {
        let error = catch_redb_panic(|| {
            assert!(IS_CATCHING.get());
            std::panic::resume_unwind(Box::new("page 7"))
        });
        assert_eq!(error, Err::<(), _>(StoreError::corrupted("a page could not be read")));
        assert!(!IS_CATCHING.get());
        assert_eq!(catch_redb_panic(|| 5), Ok(5));
    }

    #[test]
    fn the_first_error_is_kept() {
        let sticky = StickyError::default();
        assert_eq!(sticky.run(|| Ok(5)), Ok(5));
        assert_eq!(sticky.first(), None);
        for error in [StoreError::Full, StoreError::ReadOnly] {
            assert_eq!(sticky.clone().run(|| Err::<(), _>(error.clone())), Err(error));
        }
        assert_eq!(sticky.first(), Some(StoreError::Full));
    }
}
