//! Reads the register's file: its start for each check, one page for a token whose state is not in
//! memory, the whole file for pending endings. Reads a damaged slot several times before it counts
//! as damaged, because another process may be writing it at that moment. Called by `snapshot`
//! and `writer`.

use std::{
    collections::BTreeSet,
    fs::File,
    io::ErrorKind,
    ops::Range,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
};

use super::{
    RegisterId, RevocationEntry, RevocationState,
    layout::{FileStart, GROUPS, GROUPS_OFFSET, Header, PAGE_LEN, SLOT_LEN, Slot},
};
use crate::{
    domain::TokenId,
    store::{
        error::StoreError,
        path_error::PathProblem,
        path_security::{self, FileId, FileRole},
    },
};

/// How often a slot or the start of the file is read before it counts as damaged.
const ATTEMPTS: usize = 3;

/// An open register.
#[derive(Debug)]
pub(super) struct RegisterFile {
    pub(super) file: File,
    pub(super) path: PathBuf,
    id: FileId,
}

/// The slots of a register that are not free.
#[derive(Debug)]
pub(super) struct RegisterContent<T = RevocationEntry> {
    /// What was kept of the intact entries.
    pub(super) entries: Vec<T>,
    /// The damaged slots, each with its token if the slot still contains the id.
    pub(super) damaged: Vec<Option<TokenId>>,
}

impl RegisterContent {
    /// Returns the intact entries, and one that ends all secrets for each token of a damaged slot.
    pub(super) fn into_entries(self) -> Vec<RevocationEntry> {
        let ended = self.damaged.into_iter().flatten().map(RevocationEntry::damaged);
        self.entries.into_iter().chain(ended).collect()
    }
}

/// The position of a slot in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SlotIndex {
    pub(super) page: u32,
    pub(super) slot: usize,
}

impl SlotIndex {
    pub(super) fn offset(self) -> u64 {
        let page = u64::from(self.page).saturating_add(1).saturating_mul(PAGE_LEN as u64);
        page.saturating_add((self.slot * SLOT_LEN) as u64)
    }
}

impl RegisterFile {
    /// Opens the register at `path`, for writing, too, if `write` is set. Fails with
    /// [`PathProblem::NoRegister`] unless the id of the register is `expected`.
    pub(super) fn open(
        path: &Path,
        write: bool,
        expected: &RegisterId,
    ) -> Result<(Self, FileStart), StoreError> {
        let (register, start) = Self::open_any(path, write)?;
        let start = start.ok_or_else(|| unusable(path))?;
        if start.header.id != *expected {
            return Err(PathProblem::OtherRegister.at(path));
        }
        Ok((register, start))
    }

    /// Opens the register at `path`, whatever its id is. The start is `None` if the header is
    /// damaged.
    pub(super) fn open_any(
        path: &Path,
        write: bool,
    ) -> Result<(Self, Option<FileStart>), StoreError> {
        let (file, id) = match path_security::open_as(FileRole::Register, path, write) {
            Ok(opened) => opened,
            Err(StoreError::Path(error))
                if matches!(
                    error.problem,
                    PathProblem::NotFound | PathProblem::NoStore | PathProblem::NotAStore
                ) =>
            {
                return Err(unusable(path));
            }
            Err(error) => return Err(error),
        };
        let register = Self { file, path: path.to_owned(), id };
        let pages = register.count_pages()?;
        let start = register.start(None)?.filter(|start| start.header.pages <= pages);
        Ok((register, start))
    }

    /// The number of complete pages after the header page.
    fn count_pages(&self) -> Result<u32, StoreError> {
        let metadata = self.file.metadata().map_err(|error| StoreError::at(&self.path, &error))?;
        let pages = (metadata.len() / PAGE_LEN as u64).saturating_sub(1);
        Ok(u32::try_from(pages).unwrap_or(u32::MAX))
    }

    /// Returns the intact entries of the register at `path`, also if its header is damaged or pages
    /// are missing. Returns none if it cannot be read, or belongs to another store than `expected`.
    pub(super) fn salvage(path: &Path, expected: Option<&RegisterId>) -> Vec<RevocationEntry> {
        let mut entries = Vec::new();
        let Ok((register, _)) = Self::open_any(path, false) else { return entries };
        let start = register.start(None).ok().flatten();
        if start.zip(expected).is_some_and(|(start, expected)| start.header.id != *expected) {
            return entries;
        }
        let pages = register.count_pages().unwrap_or(0);
        // An error ends the search; what was found until then is kept.
        let _ = register.for_each_in(0..pages, |_, slot| {
            if let Slot::Used(entry) = slot {
                entries.push(entry);
            }
        });
        entries
    }

    /// Whether this file, and no other, is at its path.
    pub(super) fn is_at_path(&self) -> bool {
        let found = path_security::identify_as(FileRole::Register, &self.path);
        found.is_ok_and(|id| id == self.id)
    }

    /// Reads the start of the file; `None` if the header is damaged. Returns `last`, an earlier
    /// result, without decoding if it has not changed.
    pub(super) fn start(&self, last: Option<&FileStart>) -> Result<Option<FileStart>, StoreError> {
        for _ in 0..ATTEMPTS {
            let mut bytes = [0; FileStart::LEN];
            match self.file.read_exact_at(&mut bytes, 0) {
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
                read => read.map_err(|error| StoreError::from(&error))?,
            }
            let last = last.filter(|last| last.bytes == bytes).copied();
            if let Some(start) = last.or_else(|| FileStart::decode(bytes)) {
                return Ok(Some(start));
            }
        }
        Ok(None)
    }

    /// Like [`RegisterFile::start`], but fails with [`PathProblem::NoRegister`] if the header is
    /// damaged.
    pub(super) fn current_start(&self) -> Result<FileStart, StoreError> {
        self.start(None)?.ok_or_else(|| unusable(&self.path))
    }

    pub(super) fn write_at(&self, bytes: &[u8], offset: u64) -> Result<(), StoreError> {
        self.file.write_all_at(bytes, offset).map_err(|error| StoreError::from(&error))
    }

    /// Returns the maxima of the slots of `id`. If one of these slots is damaged, all secrets of
    /// the token count as ended. Returns `None` if a damaged slot may belong to any token.
    pub(super) fn state(
        &self,
        header: &Header,
        id: &TokenId,
    ) -> Result<Option<RevocationState>, StoreError> {
        let mut found = None;
        for _ in 0..ATTEMPTS {
            let mut state = RevocationState::default();
            let (mut is_damaged, mut is_unknown) = (false, false);
            self.search(header, id, |_, slot| match slot {
                Slot::Used(entry) => state.merge(&entry),
                Slot::Damaged(Some(_)) => is_damaged = true,
                Slot::Damaged(None) => is_unknown = true,
                Slot::Free => {}
            })?;
            if is_damaged {
                state = RevocationState::ALL_ENDED;
            }
            found = (!is_unknown).then_some(state);
            if !is_damaged && !is_unknown {
                break;
            }
        }
        Ok(found)
    }

    /// Reads every slot.
    pub(super) fn content(&self, header: &Header) -> Result<RegisterContent, StoreError> {
        self.content_of(header, Some)
    }

    /// Reads every slot. Keeps of each entry only what `keep` returns, because a register can have more
    /// entries than fit in memory.
    pub(super) fn content_of<T>(
        &self,
        header: &Header,
        keep: impl Fn(RevocationEntry) -> Option<T>,
    ) -> Result<RegisterContent<T>, StoreError> {
        let mut content = RegisterContent { entries: Vec::new(), damaged: Vec::new() };
        for _ in 0..ATTEMPTS {
            content.entries.clear();
            content.damaged.clear();
            self.for_each(header, |_, slot| match slot {
                Slot::Used(entry) => content.entries.extend(keep(entry)),
                Slot::Damaged(id) => content.damaged.push(id),
                Slot::Free => {}
            })?;
            if content.damaged.is_empty() {
                break;
            }
        }
        Ok(content)
    }

    /// Every entry with a pending ending. Reads only the groups of pages that can have one.
    pub(super) fn pending(&self, header: &Header) -> Result<Vec<RevocationEntry>, StoreError> {
        let mut pending = Vec::new();
        let [by_first, by_second] = self.groups_with_pending()?;
        for group in 0..GROUPS {
            if by_first.contains(&group) || by_second.contains(&group) {
                pending.extend(self.pending_in(header, group)?);
            }
        }
        Ok(pending)
    }

    /// The groups of pages that can have a pending entry, for entries written with the first lock and
    /// with the second lock.
    pub(super) fn groups_with_pending(&self) -> Result<[BTreeSet<usize>; 2], StoreError> {
        let mut bytes = vec![0; 2 * GROUPS];
        let read = self.file.read_exact_at(&mut bytes, GROUPS_OFFSET as u64);
        read.map_err(|error| StoreError::from(&error))?;
        let (first, second) = bytes.split_at(GROUPS);
        Ok([first, second].map(|bytes| {
            let set = bytes.iter().enumerate().filter(|(_, byte)| **byte != 0);
            set.map(|(group, _)| group).collect()
        }))
    }

    /// The entries with a pending ending in this group of pages.
    pub(super) fn pending_in(
        &self,
        header: &Header,
        group: usize,
    ) -> Result<Vec<RevocationEntry>, StoreError> {
        let mut pending = Vec::new();
        self.for_each_in(header.pages_of(group), |_, slot| {
            if let Slot::Used(entry) = slot
                && entry.pending.is_some()
            {
                pending.push(entry);
            }
        })?;
        Ok(pending)
    }

    /// Calls `visit` with the slots that can matter for `id`: free slots, slots of `id`, and
    /// damaged slots, whose id may be wrong. Ends after the first page with a free slot, because a
    /// page is filled before the next one is used.
    pub(super) fn search(
        &self,
        header: &Header,
        id: &TokenId,
        mut visit: impl FnMut(SlotIndex, Slot),
    ) -> Result<(), StoreError> {
        let mut page = header.first_page(id);
        let mut bytes = [0; PAGE_LEN];
        for _ in 0..header.pages {
            self.read_page(page, &mut bytes)?;
            let mut has_free = false;
            for (slot, bytes) in bytes.as_chunks::<SLOT_LEN>().0.iter().enumerate() {
                let is_other =
                    bytes[0].is_ascii_alphanumeric() && !bytes.starts_with(id.as_bytes());
                if is_other && Slot::is_intact(bytes) {
                    continue;
                }
                let decoded = Slot::decode(bytes);
                has_free |= decoded == Slot::Free;
                visit(SlotIndex { page, slot }, decoded);
            }
            if has_free {
                break;
            }
            page = header.next_page(page);
        }
        Ok(())
    }

    /// Calls `visit` with every slot that is not free.
    pub(super) fn for_each(
        &self,
        header: &Header,
        visit: impl FnMut(SlotIndex, Slot),
    ) -> Result<(), StoreError> {
        self.for_each_in(0..header.pages, visit)
    }

    fn for_each_in(
        &self,
        pages: Range<u32>,
        mut visit: impl FnMut(SlotIndex, Slot),
    ) -> Result<(), StoreError> {
        let mut bytes = [0; PAGE_LEN];
        for page in pages {
            self.read_page(page, &mut bytes)?;
            for (slot, bytes) in bytes.as_chunks::<SLOT_LEN>().0.iter().enumerate() {
                match Slot::decode(bytes) {
                    Slot::Free => {}
                    used => visit(SlotIndex { page, slot }, used),
                }
            }
        }
        Ok(())
    }

    pub(super) fn read_page(
        &self,
        page: u32,
        bytes: &mut [u8; PAGE_LEN],
    ) -> Result<(), StoreError> {
        let offset = SlotIndex { page, slot: 0 }.offset();
        self.file.read_exact_at(bytes, offset).map_err(|error| match error.kind() {
            ErrorKind::UnexpectedEof => unusable(&self.path),
            _ => StoreError::from(&error),
        })
    }
}

pub(super) fn unusable(path: &Path) -> StoreError {
    PathProblem::NoRegister.at(path)
}
