//! Writes to the register under one of two locks. A running writer holds the first lock for
//! microseconds. If a writer has to wait longer, the holder was stopped, so the writer takes the
//! second lock. Under the second lock, a writer only fills free slots, from the end of a page. So a
//! stopped process neither delays an ending nor overwrites one when it continues. Called by
//! [`super::Register`].

use std::{
    fs::{File, TryLockError},
    io,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use super::{
    LOCK_TIMEOUT, RegisterId, RevocationEntry,
    file::{RegisterFile, SlotIndex, unusable},
    layout::{
        FREE_SLOT, FileStart, Header, MARK_OFFSET, PAGE_LEN, SLOT_LEN, SLOTS_PER_PAGE, STAMP_LEN,
        STAMP_OFFSET, Slot, encode_entry, pages_for,
    },
    mark::{EventMark, StoredMark},
    new_table::{merge_entries, write_table},
    random_bytes,
};
use crate::{
    domain::Timestamp,
    store::{
        error::StoreError,
        path_security::{self, folder_of},
    },
};

/// Number of pages that are read to estimate how full the table is.
const SAMPLE: u32 = 64;
/// The pause between two attempts to take a lock.
const RETRY: Duration = Duration::from_micros(200);

/// The lock that a writer holds.
#[derive(Debug)]
enum Lock {
    /// The lock of the register. The writer may change any slot and let the table grow.
    First,
    /// The lock of its directory. The writer may only fill free slots.
    Second { _directory: File },
}

impl Lock {
    /// The number of the lock's pending hint; see [`super::layout::PENDING_OFFSET`].
    fn number(&self) -> u64 {
        match self {
            Self::First => 0,
            Self::Second { .. } => 1,
        }
    }
}

/// Write access to the register, until this value is dropped.
#[derive(Debug)]
pub(super) struct RegisterWriter<'a> {
    pub(super) path: &'a Path,
    pub(super) register: RegisterFile,
    pub(super) header: Header,
    lock: Lock,
}

impl<'a> RegisterWriter<'a> {
    /// Takes the first lock or, if it is not free within `timeout`, the second lock. Fails if the
    /// second lock is not free within `timeout`, either.
    pub(super) fn lock(
        path: &'a Path,
        expected: &RegisterId,
        timeout: Duration,
    ) -> Result<Self, StoreError> {
        if let Some(writer) = Self::first(path, expected, timeout)? {
            return Ok(writer);
        }
        let directory = try_second_lock(path, timeout)?.ok_or_else(|| busy(path))?;
        let (register, FileStart { header, .. }) = RegisterFile::open(path, true, expected)?;
        Ok(Self { path, register, header, lock: Lock::Second { _directory: directory } })
    }

    /// A writer of a new file that no other process has found yet.
    pub(super) fn of_new_file(path: &'a Path, register: RegisterFile, header: Header) -> Self {
        Self { path, register, header, lock: Lock::First }
    }

    pub(super) fn path(&self) -> &'a Path {
        self.path
    }

    /// Takes the first lock. Returns `None` if it is not free within `timeout`.
    pub(super) fn first(
        path: &'a Path,
        expected: &RegisterId,
        timeout: Duration,
    ) -> Result<Option<Self>, StoreError> {
        let deadline = Instant::now() + timeout;
        loop {
            let (register, _) = RegisterFile::open(path, true, expected)?;
            let left = deadline.saturating_duration_since(Instant::now());
            let locked = try_lock_within(&register.file, left);
            if !locked.map_err(|error| StoreError::at(path, &error))? {
                return Ok(None);
            }
            // Another writer may have replaced the file by a larger one during the wait.
            if !register.is_at_path() {
                continue;
            }
            let header = register.current_start()?.header;
            let mut writer = Self { path, register, header, lock: Lock::First };
            if header.is_superseded {
                // A writer was killed before it replaced this file by a larger one.
                writer.set_superseded(false)?;
            }
            return Ok(Some(writer));
        }
    }

    /// Raises the entries of these tokens and syncs the file. With the first lock, first grows the
    /// table before it is full, if the disk has space. Growing drops the entries of tokens that
    /// have expired at `now`.
    pub(super) fn raise(
        &mut self,
        entries: &[RevocationEntry],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if matches!(self.lock, Lock::First) {
            self.make_room(entries.len(), now)?;
        }
        if entries.iter().any(|entry| entry.pending.is_some()) {
            self.set_may_have_pending(self.lock.number(), true)?;
        }
        let mut replaced = Vec::new();
        let raised = entries
            .iter()
            .try_for_each(|entry| self.raise_one(entry, &mut replaced))
            .and_then(|()| self.publish())
            .and_then(|()| self.sync());
        if raised.is_err() {
            // All or none: a failed raise must not end a part of the tokens.
            let undone = replaced
                .iter()
                .rev()
                .try_for_each(|(index, before)| self.write_slot(*index, before))
                .and_then(|()| self.publish());
            undone.map_err(StoreError::commit_unknown)?;
        }
        raised
    }

    /// Raises one entry, and adds the earlier content of its slot to `replaced`.
    fn raise_one(
        &mut self,
        entry: &RevocationEntry,
        replaced: &mut Vec<(SlotIndex, [u8; SLOT_LEN])>,
    ) -> Result<(), StoreError> {
        let mut own = None;
        let mut free: Vec<SlotIndex> = Vec::new();
        self.register.search(&self.header, &entry.id, |index, slot| match slot {
            Slot::Used(found) if found.merged(entry).is_some() => own = Some((index, found)),
            Slot::Free => free.push(index),
            _ => {}
        })?;
        let (index, before, raised) = match (&self.lock, own) {
            (Lock::First, Some((index, found))) => {
                let merged = found.merged(entry).unwrap_or_else(|| entry.clone());
                (Some(index), encode_entry(&found), merged)
            }
            (Lock::First, None) => (free.first().copied(), FREE_SLOT, entry.clone()),
            (Lock::Second { .. }, _) => (free.last().copied(), FREE_SLOT, entry.clone()),
        };
        let index = index.ok_or(StoreError::Full)?;
        replaced.push((index, before));
        if raised.pending.is_some() {
            self.set_group(self.lock.number(), self.header.group_of(index.page), true)?;
        }
        self.write_slot(index, &encode_entry(&raised))
    }

    /// Writes an entry of another file. An entry without a pending ending replaces that of its token,
    /// because it may have been lowered. Does not sync.
    pub(super) fn set_one(&mut self, entry: &RevocationEntry) -> Result<(), StoreError> {
        let mut own = None;
        self.register.search(&self.header, &entry.id, |index, slot| {
            if entry.pending.is_none() && matches!(slot, Slot::Used(_)) {
                own.get_or_insert(index);
            }
        })?;
        match own {
            Some(index) => self.write_slot(index, &encode_entry(entry)),
            None => self.raise_one(entry, &mut Vec::new()),
        }
    }

    pub(super) fn set_mark(&self, mark: &StoredMark) -> Result<(), StoreError> {
        self.register.write_at(&mark.encode(), MARK_OFFSET as u64)
    }

    /// Marks a state of the store that has all endings that are not pending. Keeps the event of a later
    /// state, unless it is `lacking`: an event that the store lacked before it took over the endings.
    pub(super) fn raise_mark(
        &self,
        mark: &StoredMark,
        lacking: Option<EventMark>,
    ) -> Result<(), StoreError> {
        let present = self.mark()?;
        let is_later = match (present.event, mark.event) {
            (Some(present), Some(event)) => {
                Some(present) == lacking || event.sequence > present.sequence
            }
            (None, _) => true,
            (Some(_), None) => false,
        };
        let raised = StoredMark {
            newest_ending: mark.newest_ending.max(present.newest_ending),
            event: if is_later { mark.event } else { present.event },
        };
        if raised == present { Ok(()) } else { self.set_mark(&raised) }
    }

    pub(super) fn mark(&self) -> Result<StoredMark, StoreError> {
        Ok(self.register.current_start()?.mark())
    }

    /// Replaces the entries of these tokens and syncs the file. Requires the first lock. A token
    /// without an entry gets none. Keeps what another process has ended since `entries` were
    /// planned: each entry with a pending ending, and each that demands the version of the new record.
    pub(super) fn replace(&mut self, entries: &[RevocationEntry]) -> Result<(), StoreError> {
        self.require_first()?;
        for entry in entries {
            let (mut own, mut is_damaged) = (Vec::new(), false);
            let is_since = |found: &RevocationEntry| {
                found.pending.is_some() || found.min_version >= entry.min_version
            };
            self.register.search(&self.header, &entry.id, |index, slot| match slot {
                Slot::Used(found) if !is_since(&found) => own.push(index),
                Slot::Free | Slot::Used(_) => {}
                // A damaged slot can be an ending of this token or of another one.
                Slot::Damaged(_) => is_damaged = true,
            })?;
            if is_damaged {
                continue;
            }
            // Never free a slot: a search ends at the first page with a free slot, and would no
            // longer find the entries on later pages. Surplus slots get an entry that ends nothing.
            let empty = RevocationEntry::of(entry.id);
            let new = std::iter::once(entry).chain(std::iter::repeat(&empty));
            for (index, entry) in own.into_iter().zip(new) {
                self.write_slot(index, &encode_entry(entry))?;
            }
        }
        self.publish()?;
        self.sync()
    }

    /// Records that the store now contains these endings, and marks its state, see
    /// [`RegisterWriter::raise_mark`]. Requires the first lock. Does not sync, because an ending that is
    /// applied twice changes nothing.
    pub(super) fn clear_pending(
        &mut self,
        applied: &[RevocationEntry],
        event: Option<EventMark>,
        lacking: Option<EventMark>,
    ) -> Result<(), StoreError> {
        self.require_first()?;
        // First, so that no reader takes the store for the current one without these endings.
        let times = applied.iter().filter_map(|entry| entry.pending.as_ref()).map(|it| it.at);
        let mark = StoredMark { newest_ending: times.max().unwrap_or_default(), event };
        self.raise_mark(&mark, lacking)?;
        for entry in applied {
            let mut own = Vec::new();
            self.register.search(&self.header, &entry.id, |index, slot| match slot {
                Slot::Used(found) if found.pending == entry.pending => own.push((index, found)),
                _ => {}
            })?;
            for (index, found) in own {
                let found = RevocationEntry { pending: None, ..found };
                self.write_slot(index, &encode_entry(&found))?;
            }
        }
        self.publish()?;
        self.clear_hints()
    }

    fn require_first(&self) -> Result<(), StoreError> {
        match self.lock {
            Lock::First => Ok(()),
            Lock::Second { .. } => Err(busy(self.path)),
        }
    }

    fn write_slot(&self, index: SlotIndex, bytes: &[u8; SLOT_LEN]) -> Result<(), StoreError> {
        self.register.write_at(bytes, index.offset())
    }

    /// Makes readers read again what they keep in memory. Must follow every change of a slot.
    pub(super) fn publish(&self) -> Result<(), StoreError> {
        self.register.write_at(&random_bytes::<STAMP_LEN>()?, STAMP_OFFSET as u64)
    }

    pub(super) fn sync(&self) -> Result<(), StoreError> {
        self.register.file.sync_data().map_err(|error| StoreError::from(&error))
    }

    /// Runs `replace`, which puts another file at the path of the register. Readers that have this file
    /// open then open the other one.
    pub(super) fn supersede(
        &mut self,
        replace: impl FnOnce() -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.set_superseded(true)?;
        let replaced = replace();
        if replaced.is_err() {
            self.set_superseded(false)?;
        }
        replaced
    }

    fn set_superseded(&mut self, is_superseded: bool) -> Result<(), StoreError> {
        self.header.is_superseded = is_superseded;
        self.register.write_at(&self.header.encode(), 0)
    }

    /// Grows the table if `more` entries would fill more than half of it. A full disk is not an
    /// error here, because the entries may still fit into free slots.
    fn make_room(&mut self, more: usize, now: Timestamp) -> Result<(), StoreError> {
        let slots = (self.header.pages as usize).saturating_mul(SLOTS_PER_PAGE);
        let needed = estimate_used(&self.register, &self.header)?.saturating_add(more);
        if needed.saturating_mul(2) <= slots {
            return Ok(());
        }
        let pages = pages_for(needed.saturating_mul(4)).max(self.header.pages);
        match self.grow(pages, now) {
            // The present file has room for some entries, unless a new one took its place already.
            Err(StoreError::Full) if self.register.is_at_path() => Ok(()),
            done => done,
        }
    }

    /// Writes the entries to a new file with `pages` pages and renames it to the register's path.
    fn grow(&mut self, pages: u32, now: Timestamp) -> Result<(), StoreError> {
        let Some(_directory) = try_second_lock(self.path, LOCK_TIMEOUT)? else {
            // Another writer holds it. A later raise grows the table.
            return Ok(());
        };
        let (entries, mark) = (self.entries(now)?, self.mark()?);
        let header = Header { pages, ..self.header };
        let path = self.path;
        self.supersede(|| {
            path_security::replace_atomically(path, |mut file| {
                write_table(&mut file, &header, &entries, &mark)
            })
        })?;
        let (register, FileStart { header, .. }) =
            RegisterFile::open(self.path, true, &self.header.id)?;
        register.file.lock().map_err(|error| StoreError::at(self.path, &error))?;
        (self.register, self.header) = (register, header);
        Ok(())
    }

    /// Returns the entries of a larger table: one for each token, and another one for each further
    /// pending ending. Omits the entries of expired tokens and those that end nothing.
    fn entries(&self, now: Timestamp) -> Result<Vec<RevocationEntry>, StoreError> {
        let content = self.register.content(&self.header)?;
        if content.damaged.contains(&None) {
            // The slot may be an ending of any token, so it must not be left out.
            return Err(unusable(self.path));
        }
        let mut entries = content.into_entries();
        entries.retain(|entry| !is_droppable(entry, now));
        Ok(merge_entries(entries))
    }
}

/// Whether a larger file need not contain the entry, because its token has expired or it ends
/// nothing.
pub(super) fn is_droppable(entry: &RevocationEntry, now: Timestamp) -> bool {
    let has_expired = entry.expires.is_some_and(|end| end < now);
    entry.pending.is_none() && (has_expired || *entry == RevocationEntry::of(entry.id))
}

/// Estimates the number of used slots from a sample of the pages.
pub(super) fn estimate_used(register: &RegisterFile, header: &Header) -> Result<usize, StoreError> {
    let sampled = header.pages.min(SAMPLE);
    let mut used = 0_usize;
    let mut bytes = [0; PAGE_LEN];
    for n in 0..sampled {
        let page = n.saturating_mul(header.pages / sampled.max(1));
        register.read_page(page, &mut bytes)?;
        used += bytes.as_chunks::<SLOT_LEN>().0.iter().filter(|slot| slot[0] != 0).count();
    }
    Ok(used.saturating_mul(header.pages as usize) / (sampled as usize).max(1))
}

/// The error for a lock whose holder was stopped.
fn busy(path: &Path) -> StoreError {
    let holder = "another patdeck, which does not go on".to_owned();
    StoreError::Busy { path: path.to_owned(), holder }
}

/// Takes the second lock of the register at `path`: the lock of its directory, which is returned.
/// Returns `None` if the lock was not free within `timeout`.
pub(super) fn try_second_lock(path: &Path, timeout: Duration) -> Result<Option<File>, StoreError> {
    let at = |error: io::Error| StoreError::at(path, &error);
    let directory = File::open(folder_of(path)).map_err(at)?;
    let is_locked = try_lock_within(&directory, timeout).map_err(at)?;
    Ok(is_locked.then_some(directory))
}

/// Takes the lock. Returns whether the lock was free within `timeout`.
fn try_lock_within(file: &File, timeout: Duration) -> io::Result<bool> {
    let deadline = Instant::now() + timeout;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(true),
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => thread::sleep(RETRY),
            Err(TryLockError::WouldBlock) => return Ok(false),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
}
