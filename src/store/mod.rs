//! The embedded store: redb and bincode live here and nowhere else. [`Store::read`] and
//! [`Store::write`] take one closure each and run it in one transaction; [`Rows`] holds the
//! reading verbs, [`Writer`] the writing ones. Any number of processes share one file, without
//! a daemon. Called by the service only.

mod agree;
mod backup;
mod bulk;
mod caught;
mod chain;
mod codec;
mod commit;
mod disk;
mod error;
#[cfg(test)]
mod fault_tests;
#[cfg(test)]
mod faulty;
mod file;
mod holder;
mod migrate;
mod patient;
#[cfg(test)]
mod power_tests;
mod probe;
mod reads;
mod record;
mod reserve;
mod rows;
#[cfg(test)]
mod script;
mod settle;
mod stretch;
mod tables;
mod trouble;
mod writer;

use std::{fs::File, path::Path, time::Duration};

use redb::{Database, backends::InMemoryBackend};

pub use backup::{Backup, new_file};
pub use bulk::{EncodedToken, NameBatch};
pub use caught::panic_is_caught;
pub use error::{Damage, StoreError};
pub use file::{Handed, is_at_hand, judge_handed};
#[doc(hidden)]
pub use probe::any_record;
pub use reads::Reads;
pub use record::TokenSummary;
pub use rows::{ChainState, Changes, Found, Reached, Reader, Rows, Trashed};
pub use settle::settle;
pub use stretch::Stretch;
pub use writer::Writer;

use self::{
    caught::caught,
    disk::{Disk, Wait},
    settle::Running,
    tables::Tables,
};

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

/// How a store is opened.
#[derive(Debug, Clone, Copy)]
pub struct Opening {
    /// Whether it is for reading alone: no byte changes and every write is refused, and so is a
    /// store that would have to be made, repaired or migrated first.
    pub sealed: bool,
    /// How long a write waits for its turn. A read waits as long, but never a whole second.
    pub patience: Duration,
    /// How much of the file is kept in memory by reads.
    pub cache: Cache,
}

/// How much of the file is kept in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Cache {
    /// Enough to fetch what a screen shows, or a token, again and again.
    #[default]
    Usual,
    /// For who goes through all tokens once: pages that are not asked again only wear out the
    /// processor's own cache.
    Passing,
    /// For who is asked for tokens here and there for as long as it runs: of a million tokens,
    /// 20,000 lie in 80 MB of the file. Also for a write, which is slowed down by pages that do
    /// not stay until it is committed.
    Lasting,
}

impl Cache {
    fn bytes(self) -> usize {
        match self {
            Self::Usual => 16 << 20,
            Self::Passing => 2 << 20,
            Self::Lasting => 128 << 20,
        }
    }
}

impl Default for Opening {
    /// For reading and writing, so that a command answers within two seconds.
    fn default() -> Self {
        Self { sealed: false, patience: Duration::from_millis(1_750), cache: Cache::Usual }
    }
}

/// Why a write came to nothing.
enum Stopped<E> {
    /// The store could not.
    Store(StoreError),
    /// The closure said no.
    Work(E),
    /// The commit failed, which would have led to this generation.
    Commit(StoreError, Option<u64>),
}

impl<E> From<StoreError> for Stopped<E> {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Store {
    /// Opens the store at `path`; makes it (0600), and its folder (0700), when missing. Refuses
    /// what others could read or change, and whatever is no store, without touching it.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Self::open_with(path, Opening::default())
    }

    /// As [`Store::open`], in this way.
    pub fn open_with(path: &Path, opening: Opening) -> Result<Self, StoreError> {
        Ok(Self { place: Place::Disk(Disk::open(path, opening)?) })
    }

    /// Whether every write is refused.
    pub fn is_sealed(&self) -> bool {
        matches!(&self.place, Place::Disk(disk) if disk.opening.sealed)
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

    /// An empty file (0600) without a name, gone when it is closed. It lies in the folder of the
    /// store, which is as private as the store itself, or, if nothing may be or can be made there,
    /// among the temporary ones.
    pub fn scratch(&self) -> Result<File, StoreError> {
        let folder = self.path().and_then(Path::parent).filter(|_| !self.is_sealed());
        match folder.map(file::nameless) {
            Some(Ok(file)) => Ok(file),
            _ => file::nameless(&std::env::temp_dir()),
        }
    }

    /// Runs `work` on the last commit of any process. Copy out what is needed and return: a
    /// reader that stays makes the file grow.
    pub fn read<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&Reader) -> Result<T, E>,
    ) -> Result<T, E> {
        self.reads().read(work)
    }

    /// Reads that follow each other closely.
    pub fn reads(&self) -> Reads<'_> {
        Reads::of(self)
    }

    /// Runs `work` in one transaction, alone among all processes: an `Ok` is on disk when this
    /// returns, an `Err` has changed nothing. `work` must not wait for anything. It runs a
    /// second time only if the first run found the disk full, which left no trace; the reserve
    /// was given up then, so that a revocation succeeds on a full disk.
    pub fn write<T, E: From<StoreError>>(
        &self,
        work: impl FnMut(&mut Writer<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let patience = match &self.place {
            Place::Disk(disk) => disk.opening.patience,
            Place::Memory(_) => Opening::default().patience,
        };
        self.write_within(patience, work)
    }

    /// As [`Store::write`], waiting `patience` for its turn: for what is not worth more.
    pub fn write_within<T, E: From<StoreError>>(
        &self,
        patience: Duration,
        mut work: impl FnMut(&mut Writer<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        if self.is_sealed() {
            return Err(StoreError::Sealed.into());
        }
        let _running = Running::start();
        let done = match &self.place {
            Place::Memory(db) => transact(db, &mut work),
            Place::Disk(disk) => {
                let wait = Wait::new(patience);
                let first = on_disk(disk, &wait, &mut work);
                let is_full = matches!(
                    &first,
                    Err(Stopped::Store(StoreError::Full) | Stopped::Commit(StoreError::Full, _))
                );
                let again = is_full && disk.reserve.give_up();
                let done = match looked_at(disk, first) {
                    Err(Stopped::Store(StoreError::Full)) if again => {
                        looked_at(disk, on_disk(disk, &wait, &mut work))
                    }
                    done => done,
                };
                if done.is_ok() {
                    disk.reserve.take();
                }
                done
            }
        };
        done.map_err(|stopped| match stopped {
            Stopped::Store(error) | Stopped::Commit(error, _) => error.into(),
            Stopped::Work(error) => error,
        })
    }
}

/// Opens, writes, closes. Nothing of it outlives the call, and none of it is tried again after
/// an I/O error: an fsync that succeeds the second time may have lost what failed the first.
fn on_disk<T, E>(
    disk: &Disk,
    wait: &Wait,
    work: &mut impl FnMut(&mut Writer<'_>) -> Result<T, E>,
) -> Result<T, Stopped<E>> {
    let db = disk.writable(wait)?;
    let done = transact(&db, work);
    disk::close(db);
    done
}

/// Finds out what a commit that failed came to: a failure at its very end may have left the
/// change, and then nobody may be told that nothing was changed.
fn looked_at<T, E>(disk: &Disk, done: Result<T, Stopped<E>>) -> Result<T, Stopped<E>> {
    let (error, generation) = match done {
        Err(Stopped::Commit(error, Some(generation))) => (error, generation),
        done => return done,
    };
    disk.forget();
    let now = disk.reader().and_then(|rows| rows.generation());
    let absent = now.is_ok_and(|now| now < generation);
    Err(Stopped::Store(if absent { error } else { error.unsure() }))
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
    let full = writer.tables.trouble.first() == Some(StoreError::Full);
    let done = match worked {
        Ok(done) => writer.finish().map(|leads_to| (done, leads_to)).map_err(Stopped::Store),
        // The closure only passes on what its first verb on a full disk said.
        Err(_) if full => Err(Stopped::Store(StoreError::Full)),
        Err(error) => Err(Stopped::Work(error)),
    };
    let put_away = caught(|| drop(writer));
    match done.and_then(|done| put_away.map(|()| done).map_err(Stopped::Store)) {
        Ok((done, leads_to)) => {
            let committed = caught(|| transaction.commit().map_err(StoreError::from));
            let committed = committed.and_then(|committed| committed);
            committed.map(|()| done).map_err(|error| Stopped::Commit(error, leads_to))
        }
        Err(stopped) => {
            // That an abort fails changes nothing: what was not committed does not exist.
            let _ = caught(|| transaction.abort());
            Err(stopped)
        }
    }
}
