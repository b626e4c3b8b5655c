//! Makes room in the register for the endings of a job, before its first batch. Writes the larger
//! file and copies the entries without a lock, so that no ending waits for that; only what changed
//! meanwhile is copied under both locks. Called by [`super::Register`].

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::Path,
};

use super::{
    LOCK_TIMEOUT, RegisterId, RevocationEntry,
    file::{RegisterFile, unusable},
    layout::{FileStart, HEADER_LEN, Header, PAGE_LEN, SLOT_LEN, SLOTS_PER_PAGE, Slot, pages_for},
    writer::{RegisterWriter, estimate_used, is_droppable, try_second_lock},
};
use crate::{
    domain::Timestamp,
    store::{error::StoreError, temp_file::TempFile},
};

/// Number of empty pages that are written at once.
const PAGES_PER_WRITE: usize = 256;

/// Replaces the register by a larger one, unless it has room for `more` entries. Does nothing if
/// another process is replacing it: then each batch makes its own room.
pub(super) fn reserve(
    path: &Path,
    expected: &RegisterId,
    more: usize,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (old, FileStart { header, .. }) = RegisterFile::open(path, false, expected)?;
    let needed = estimate_used(&old, &header)?.saturating_add(more);
    let slots = (header.pages as usize).saturating_mul(SLOTS_PER_PAGE);
    // With more than this, a batch could find the table half full and let it grow.
    let wanted = needed.saturating_mul(5) / 2;
    if wanted <= slots {
        return Ok(());
    }
    let pages = pages_for(wanted);
    let (temp, mut file) = TempFile::next_to(path)?;
    write_empty(&mut file, &Header { pages, ..header })?;
    let (register, start) = RegisterFile::open(&temp.path, true, expected)?;
    let mut new = RegisterWriter::of_new_file(&temp.path, register, start.header);
    let mut copy = PageCopy { crcs: Vec::new(), now };
    copy.copy_changed(&old, &header, &mut new)?;
    new.sync()?;

    let at = |error: io::Error| StoreError::at(path, &error);
    let Some(mut current) = RegisterWriter::first(path, expected, LOCK_TIMEOUT)? else {
        return Ok(());
    };
    let Some(directory) = try_second_lock(path, LOCK_TIMEOUT)? else { return Ok(()) };
    if !old.is_at_path() {
        return Ok(());
    }
    copy.copy_changed(&old, &header, &mut new)?;
    let start = old.current_start()?;
    new.set_may_have_pending(0, start.may_have_pending().contains(&true))?;
    new.set_mark(&start.mark())?;
    new.publish()?;
    new.sync()?;
    current.supersede(|| fs::rename(&temp.path, path).map_err(at))?;
    directory.sync_all().map_err(at)
}

/// Writes the header and all pages, so that no later write needs space.
fn write_empty(file: &mut File, header: &Header) -> Result<(), StoreError> {
    let mut first = [0; PAGE_LEN];
    if let Some(start) = first.first_chunk_mut::<HEADER_LEN>() {
        *start = header.encode();
    }
    let empty = vec![[0_u8; PAGE_LEN]; PAGES_PER_WRITE];
    let mut write = || {
        file.write_all(&first)?;
        let mut left = header.pages as usize;
        while left > 0 {
            let count = left.min(PAGES_PER_WRITE);
            file.write_all(empty.get(..count).unwrap_or_default().as_flattened())?;
            left -= count;
        }
        file.sync_all()
    };
    write().map_err(|error| StoreError::from(&error))
}

/// Copies pages, and finds those that changed since they were copied.
struct PageCopy {
    /// The CRC-32 of each copied page.
    crcs: Vec<u32>,
    /// Entries of tokens that have expired at this time are not copied.
    now: Timestamp,
}

impl PageCopy {
    fn copy_changed(
        &mut self,
        old: &RegisterFile,
        header: &Header,
        new: &mut RegisterWriter<'_>,
    ) -> Result<(), StoreError> {
        let mut bytes = [0; PAGE_LEN];
        for page in 0..header.pages {
            old.read_page(page, &mut bytes)?;
            let crc = crc32fast::hash(&bytes);
            match self.crcs.get_mut(page as usize) {
                Some(copied) if *copied == crc => continue,
                Some(copied) => *copied = crc,
                None => self.crcs.push(crc),
            }
            for slot in bytes.as_chunks::<SLOT_LEN>().0 {
                match Slot::decode(slot) {
                    Slot::Free => {}
                    Slot::Used(entry) if is_droppable(&entry, self.now) => {}
                    Slot::Used(entry) => new.set_one(&entry)?,
                    Slot::Damaged(Some(id)) => new.set_one(&RevocationEntry::damaged(id))?,
                    Slot::Damaged(None) => return Err(unusable(new.path())),
                }
            }
        }
        Ok(())
    }
}
