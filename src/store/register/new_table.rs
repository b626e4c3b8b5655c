//! Writes a new register file: an empty one, one that is rebuilt from records, and a larger one. Merges
//! the entries of each token into one. Called by `writer`, `FileDb` and the backup.

use std::{fs::File, io::Write as _, path::Path};

use super::{
    RegisterId, RevocationEntry,
    layout::{
        GROUPS_OFFSET, Header, MARK_OFFSET, PAGE_LEN, PENDING_OFFSET, SLOT_LEN, STAMP_LEN,
        STAMP_OFFSET, encode_entry, pages_for,
    },
    mark::StoredMark,
    random_bytes,
};
use crate::store::{error::StoreError, path_security};

/// Pages of a new register: room for 1,024 entries before it grows, in 260 KiB.
pub(super) const FIRST_PAGES: u32 = 64;

/// Merges the entries of each token into one, except those with different pending endings.
pub(in crate::store) fn merge_entries(mut entries: Vec<RevocationEntry>) -> Vec<RevocationEntry> {
    entries.sort_by_key(|entry| entry.id);
    entries.dedup_by(|later, kept| match kept.merged(later) {
        Some(merged) => {
            *kept = merged;
            true
        }
        None => false,
    });
    entries
}

/// Creates a register with these entries at `path`, replacing any file there. `mark` must be that of its
/// store, or one of both counts as an older copy.
pub(in crate::store) fn create(
    path: &Path,
    id: &RegisterId,
    entries: &[RevocationEntry],
    mark: &StoredMark,
) -> Result<(), StoreError> {
    let pages = pages_for(entries.len().saturating_mul(4)).max(FIRST_PAGES);
    let header = Header { id: *id, pages, is_superseded: false };
    path_security::replace_atomically(path, |mut file| {
        write_table(&mut file, &header, entries, mark)
    })
}

/// Writes a whole register. Writes every page instead of only reserving space, because the first
/// write to a reserved page can need more space.
pub(super) fn write_table(
    file: &mut File,
    header: &Header,
    entries: &[RevocationEntry],
    mark: &StoredMark,
) -> Result<(), StoreError> {
    let mut pages = vec![[0_u8; PAGE_LEN]; header.pages as usize];
    let mut first = [0; PAGE_LEN];
    for entry in entries {
        let mut page = header.first_page(&entry.id);
        let slot = (0..header.pages).find_map(|_| {
            let at = page as usize;
            page = header.next_page(page);
            let slots = pages.get(at)?.as_chunks::<SLOT_LEN>().0;
            Some((at, slots.iter().position(|slot| slot[0] == 0)?))
        });
        let (page, slot) = slot.ok_or(StoreError::Full)?;
        let bytes = pages.get_mut(page).and_then(|page| page.as_chunks_mut().0.get_mut(slot));
        if let Some(bytes) = bytes {
            *bytes = encode_entry(entry);
        }
        let group = header.group_of(u32::try_from(page).unwrap_or(u32::MAX));
        if entry.pending.is_some()
            && let Some(hint) = first.get_mut(GROUPS_OFFSET.saturating_add(group))
        {
            *hint = 1;
        }
    }
    if let Some(start) = first.first_chunk_mut() {
        *start = header.encode();
    }
    if let Some((_, rest)) = first.split_at_mut_checked(STAMP_OFFSET)
        && let Some(stamp) = rest.first_chunk_mut()
    {
        *stamp = random_bytes::<STAMP_LEN>()?;
    }
    if let Some((_, rest)) = first.split_at_mut_checked(MARK_OFFSET)
        && let Some(bytes) = rest.first_chunk_mut()
    {
        *bytes = mark.encode();
    }
    if let Some(byte) = first.get_mut(PENDING_OFFSET) {
        *byte = u8::from(entries.iter().any(|entry| entry.pending.is_some()));
    }
    let written = file.write_all(&first).and_then(|()| file.write_all(pages.as_flattened()));
    written.and_then(|()| file.sync_all()).map_err(|error| StoreError::from(&error))
}
