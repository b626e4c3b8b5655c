//! The embedded store: redb and bincode live here and nowhere else. [`Store::read`] and
//! [`Store::write`] take one closure each and run it in one transaction; [`Rows`] holds the
//! reading verbs, [`Writer`] the writing ones. Called by the service only.

mod error;
mod rows;

use std::{path::Path, time::Duration};

pub use error::{Damage, StoreError};
pub use rows::{ChainState, Changes, Found, Reader, Rows, Trashed, Writer};

/// One file of tokens that any number of processes share, or the same in memory.
#[derive(Debug)]
pub struct Store {}

impl Store {
    /// How long a write waits for its turn.
    pub const PATIENCE: Duration = Duration::from_secs(2);

    /// Opens the store at `path`; makes it (0600), and its folder (0700), when missing. Refuses
    /// what others could read or change, and whatever is no store, without touching it.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Self::open_with(path, Self::PATIENCE)
    }

    /// As [`Store::open`], with writes that wait `patience` for their turn.
    pub fn open_with(_path: &Path, _patience: Duration) -> Result<Self, StoreError> {
        todo!()
    }

    /// An empty store that lives as long as this value.
    pub fn memory() -> Result<Self, StoreError> {
        todo!()
    }

    /// The file, if it is one.
    pub fn path(&self) -> Option<&Path> {
        todo!()
    }

    /// Runs `work` on the last commit of any process. Copy out what is needed and return: a
    /// reader that stays makes the file grow.
    pub fn read<T, E: From<StoreError>>(
        &self,
        _work: impl FnOnce(&Reader) -> Result<T, E>,
    ) -> Result<T, E> {
        todo!()
    }

    /// Runs `work` in one transaction, alone among all processes: an `Ok` is on disk when this
    /// returns, an `Err` has changed nothing. `work` runs a second time only if the first run
    /// found the disk full, which left no trace; it must not wait for anything.
    pub fn write<T, E: From<StoreError>>(
        &self,
        _work: impl FnMut(&mut Writer<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        todo!()
    }
}

/// Waits until no write of this process is running, at most `limit`; whether none is. For the
/// thread that ends the process when its terminal is gone.
pub fn settle(_limit: Duration) -> bool {
    todo!()
}

/// Whether a panic on this thread right now is one that the store catches and reports as
/// [`StoreError::Broken`]: a panic hook leaves the terminal alone then.
pub fn panic_is_caught() -> bool {
    todo!()
}
