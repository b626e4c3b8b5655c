//! The embedded store: redb and bincode live here and nowhere else. [`Store::read`] and
//! [`Store::write`] take one closure each and run it in one transaction; [`Rows`] holds the
//! reading verbs, [`Writer`] the writing ones. Any number of processes share one file, without
//! a daemon. Called by the service only.

mod backup;
mod caught;
mod chain;
mod codec;
mod disk;
mod error;
mod file;
mod holder;
mod migrate;
mod record;
mod reserve;
mod rows;
mod settle;
mod tables;
mod writer;

use std::{path::Path, time::Duration};

use redb::{Database, ReadableDatabase as _, backends::InMemoryBackend};

pub use backup::{Backup, new_file};
pub use caught::panic_is_caught;
pub use error::{Damage, StoreError};
pub use rows::{ChainState, Changes, Found, Reached, Reader, Rows, Trashed};
pub use settle::settle;
pub use writer::Writer;

use self::{caught::caught, disk::Disk, settle::Running, tables::Tables};

/// One file of tokens that any number of processes share, or the same in memory.
#[derive(Debug)]
pub struct Store {
    place: Place,
}

#[derive(Debug)]
enum Place {
    Disk(Disk),
    Memory(Database),
}

/// Why a write came to nothing.
enum Stopped<E> {
    /// The store could not.
    Store(StoreError),
    /// The closure said no.
    Work(E),
}

impl<E> From<StoreError> for Stopped<E> {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Store {
    /// How long a write waits for its turn.
    pub const PATIENCE: Duration = Duration::from_secs(2);

    /// Opens the store at `path`; makes it (0600), and its folder (0700), when missing. Refuses
    /// what others could read or change, and whatever is no store, without touching it.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Self::open_with(path, Self::PATIENCE)
    }

    /// As [`Store::open`], with writes that wait `patience` for their turn.
    pub fn open_with(path: &Path, patience: Duration) -> Result<Self, StoreError> {
        Ok(Self { place: Place::Disk(Disk::open(path, patience)?) })
    }

    /// An empty store that lives as long as this value.
    pub fn memory() -> Result<Self, StoreError> {
        let io = |error: redb::DatabaseError| StoreError::Io { why: error.to_string() };
        let db = Database::builder().create_with_backend(InMemoryBackend::new()).map_err(io)?;
        disk::found(&db)?;
        Ok(Self { place: Place::Memory(db) })
    }

    /// The file, if it is one.
    pub fn path(&self) -> Option<&Path> {
        match &self.place {
            Place::Disk(disk) => Some(&disk.path),
            Place::Memory(_) => None,
        }
    }

    /// Runs `work` on the last commit of any process. Copy out what is needed and return: a
    /// reader that stays makes the file grow.
    pub fn read<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&Reader) -> Result<T, E>,
    ) -> Result<T, E> {
        let reader = match &self.place {
            Place::Disk(disk) => disk.reader()?,
            Place::Memory(db) => {
                let transaction = db.begin_read().map_err(StoreError::from)?;
                let tables = Tables::open(transaction).map_err(StoreError::from)?;
                Reader { tables }
            }
        };
        let done = work(&reader);
        if let (true, Place::Disk(disk)) = (reader.tables.trouble.borrow().is_some(), &self.place) {
            // An I/O error makes a handle useless for ever.
            disk.forget();
        }
        done
    }

    /// Runs `work` in one transaction, alone among all processes: an `Ok` is on disk when this
    /// returns, an `Err` has changed nothing. `work` must not wait for anything. It runs a
    /// second time only if the first run found the disk full, which left no trace; the reserve
    /// was given up then, so that a revocation succeeds on a full disk.
    pub fn write<T, E: From<StoreError>>(
        &self,
        mut work: impl FnMut(&mut Writer<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let _running = Running::start();
        let done = match &self.place {
            Place::Memory(db) => transact(db, &mut work),
            Place::Disk(disk) => {
                let first = on_disk(disk, &mut work);
                match first {
                    Err(Stopped::Store(StoreError::Full)) if disk.reserve.give_up() => {
                        on_disk(disk, &mut work)
                    }
                    Ok(done) => {
                        disk.reserve.take();
                        Ok(done)
                    }
                    stopped => stopped,
                }
            }
        };
        done.map_err(|stopped| match stopped {
            Stopped::Store(error) => error.into(),
            Stopped::Work(error) => error,
        })
    }
}

/// Opens, writes, closes. Nothing of it outlives the call, and none of it is tried again after
/// an I/O error: an fsync that succeeds the second time may have lost what failed the first.
fn on_disk<T, E>(
    disk: &Disk,
    work: &mut impl FnMut(&mut Writer<'_>) -> Result<T, E>,
) -> Result<T, Stopped<E>> {
    let db = disk.writable()?;
    let done = transact(&db, work);
    disk::close(db);
    done
}

fn transact<T, E>(
    db: &Database,
    work: &mut impl FnMut(&mut Writer<'_>) -> Result<T, E>,
) -> Result<T, Stopped<E>> {
    let transaction = caught(|| disk::begin_write(db))??;
    let mut writer = caught(|| {
        let tables = Tables::open_to_write(&transaction)?;
        migrate::schema(&tables.meta)?;
        Ok::<_, StoreError>(Writer::new(tables))
    })??;
    let worked = work(&mut writer);
    let full = matches!(*writer.tables.trouble.borrow(), Some(StoreError::Full));
    let done = match worked {
        Ok(done) => writer.finish().map(|()| done).map_err(Stopped::Store),
        // The closure only passes on what its first verb on a full disk said.
        Err(_) if full => Err(Stopped::Store(StoreError::Full)),
        Err(error) => Err(Stopped::Work(error)),
    };
    let put_away = caught(|| drop(writer));
    match done.and_then(|done| put_away.map(|()| done).map_err(Stopped::Store)) {
        Ok(done) => {
            caught(|| transaction.commit())?.map_err(StoreError::from)?;
            Ok(done)
        }
        Err(stopped) => {
            // That an abort fails changes nothing: what was not committed does not exist.
            let _ = caught(|| transaction.abort());
            Err(stopped)
        }
    }
}
