//! What went wrong with the file itself in a transaction. Everything that asks redb is run here,
//! on whatever thread, and its first fault is kept in mind. Called by `tables` and whoever has
//! rows put beside them.

use std::sync::{Arc, Mutex, PoisonError};

use super::{caught::caught, error::StoreError};

/// The first thing that went wrong with the file itself in a transaction. A write with such
/// trouble is not committed, whatever its closure made of the error.
#[derive(Debug, Clone, Default)]
pub(super) struct Trouble(Arc<Mutex<Option<StoreError>>>);

impl Trouble {
    /// What it was, if anything.
    pub(super) fn first(&self) -> Option<StoreError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, error: &StoreError) {
        let mut first = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        first.get_or_insert_with(|| error.clone());
    }
}

/// Runs `ask`, which asks redb, and notes its fault.
pub(super) fn noted<T>(
    trouble: &Trouble,
    ask: impl FnOnce() -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let answer = caught(ask).and_then(|answer| answer);
    if let Err(error) = &answer {
        trouble.note(error);
    }
    answer
}
