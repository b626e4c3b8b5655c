//! A storage backend for reading the store's file without its lock: another process holds it and does
//! not go on, or the file needs a repair that a full disk prevents. Shows the file as it would be found
//! if all writers were killed now. The writes with which redb repairs the file stay in memory. Refuses
//! to read on once another process has committed, because the pages of the commit that was found
//! first can then be overwritten. Called by `read_handle`.

use std::{
    collections::BTreeMap,
    fs::File,
    io,
    os::unix::fs::FileExt as _,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use redb::StorageBackend;

use super::commit_id::CommitId;

const PAGE_LEN: usize = 4096;
/// Up to this length in bytes, the whole file is read when it is opened: no later commit disturbs the
/// reads.
const MAX_COPIED_LEN: u64 = 16 << 20;

type Page = [u8; PAGE_LEN];

/// The file, and the pages that were written since it was opened.
#[derive(Debug)]
pub(super) struct CrashImage {
    file: File,
    /// The commit that is read.
    commit: CommitId,
    is_overtaken: Overtaken,
    written: Mutex<Written>,
}

/// Whether another process committed while pages of a [`CrashImage`] were read.
#[derive(Debug, Clone, Default)]
pub(super) struct Overtaken(Arc<AtomicBool>);

impl Overtaken {
    pub(super) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

#[derive(Debug)]
struct Written {
    len: u64,
    pages: BTreeMap<u64, Box<Page>>,
}

impl CrashImage {
    /// The commit that is read.
    pub(super) fn commit(&self) -> &CommitId {
        &self.commit
    }

    /// An image of the last commit of `file`. Sets `is_overtaken`, also later, if a read fails because
    /// another process has committed.
    pub(super) fn new(file: File, is_overtaken: Overtaken) -> io::Result<Self> {
        let commit = CommitId::of_file(&file)?;
        let len = file.metadata()?.len();
        let written = Mutex::new(Written { len, pages: BTreeMap::new() });
        let image = Self { file, commit, is_overtaken, written };
        if len <= MAX_COPIED_LEN {
            let mut written = image.written();
            for page in 0..len.div_ceil(PAGE_LEN as u64) {
                let bytes = image.page(&written, page)?;
                written.pages.insert(page, Box::new(bytes));
            }
        }
        Ok(image)
    }

    fn written(&self) -> MutexGuard<'_, Written> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads page number `page`. Bytes beyond the end of the file are zero.
    fn page(&self, written: &Written, page: u64) -> io::Result<Page> {
        if let Some(bytes) = written.pages.get(&page) {
            return Ok(**bytes);
        }
        let mut bytes = [0; PAGE_LEN];
        let mut filled = 0;
        while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            let offset = page.saturating_mul(PAGE_LEN as u64).saturating_add(filled as u64);
            match self.file.read_at(rest, offset)? {
                0 => break,
                count => filled = filled.saturating_add(count),
            }
        }
        if !self.commit.is_latest_of(&self.file) {
            self.is_overtaken.0.store(true, Ordering::Relaxed);
            return Err(io::Error::other("another process has committed"));
        }
        Ok(bytes)
    }
}

/// Splits `len` bytes at `offset` at the page boundaries. Yields the page number, the start within
/// the page, and the length of each part.
fn parts(offset: u64, len: usize) -> impl Iterator<Item = (u64, usize, usize)> {
    let (mut page, mut left) = (offset / PAGE_LEN as u64, len);
    let mut start = usize::try_from(offset % PAGE_LEN as u64).unwrap_or_default();
    std::iter::from_fn(move || {
        let count = left.min(PAGE_LEN.saturating_sub(start));
        let part = (count > 0).then_some((page, start, count));
        (page, start, left) = (page.saturating_add(1), 0, left.saturating_sub(count));
        part
    })
}

impl StorageBackend for CrashImage {
    fn len(&self) -> io::Result<u64> {
        Ok(self.written().len)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let written = self.written();
        if offset.saturating_add(out.len() as u64) > written.len {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let mut rest = &mut out[..];
        for (page, start, count) in parts(offset, rest.len()) {
            let bytes = self.page(&written, page)?;
            let (part, after) =
                rest.split_at_mut_checked(count).ok_or(io::ErrorKind::InvalidInput)?;
            let found = bytes.get(start..).and_then(|bytes| bytes.get(..count));
            part.copy_from_slice(found.ok_or(io::ErrorKind::InvalidInput)?);
            rest = after;
        }
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut written = self.written();
        // Clear the removed pages: if the file grows again, they must read as zeros.
        for page in len.div_ceil(PAGE_LEN as u64)..written.len.div_ceil(PAGE_LEN as u64) {
            written.pages.insert(page, Box::new([0; PAGE_LEN]));
        }
        written.len = len;
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut written = self.written();
        let mut rest = data;
        for (page, start, count) in parts(offset, data.len()) {
            let mut bytes = self.page(&written, page)?;
            let (part, after) = rest.split_at_checked(count).ok_or(io::ErrorKind::InvalidInput)?;
            let target = bytes.get_mut(start..).and_then(|bytes| bytes.get_mut(..count));
            target.ok_or(io::ErrorKind::InvalidInput)?.copy_from_slice(part);
            written.pages.insert(page, Box::new(bytes));
            rest = after;
        }
        written.len = written.len.max(offset.saturating_add(data.len() as u64));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use proptest::{collection::vec, prelude::*};

    use super::*;

    proptest! {
        #[test]
        fn it_reads_what_was_written_and_leaves_the_file(
            initial in vec(any::<u8>(), 320..9_000),
            writes in vec((0..9_000_u64, vec(any::<u8>(), 0..5_000)), 0..6),
            new_len in 0..12_000_u64,
        ) {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(&initial).unwrap();
            let image = CrashImage::new(file.try_clone().unwrap(), Overtaken::default()).unwrap();
            let mut expected = initial.clone();
            for (offset, bytes) in &writes {
                image.write(*offset, bytes).unwrap();
                let start = usize::try_from(*offset).unwrap();
                expected.resize(expected.len().max(start + bytes.len()), 0);
                expected[start..start + bytes.len()].copy_from_slice(bytes);
            }
            prop_assert_eq!(image.len().unwrap(), expected.len() as u64);
            let mut read = vec![0; expected.len()];
            image.read(0, &mut read).unwrap();
            prop_assert_eq!(&read, &expected);
            prop_assert!(image.read(1, &mut read).is_err() || read.is_empty());
            image.set_len(new_len).unwrap();
            prop_assert_eq!(image.len().unwrap(), new_len);
            prop_assert_eq!(file.metadata().unwrap().len(), initial.len() as u64);
        }
    }

    /// What a read of `len` bytes sees after another process has committed, and whether that is noticed.
    fn read_after_a_commit(len: u64) -> (io::Result<u8>, bool) {
        let file = tempfile::tempfile().unwrap();
        file.set_len(len).unwrap();
        let is_overtaken = Overtaken::default();
        let image = CrashImage::new(file.try_clone().unwrap(), is_overtaken.clone()).unwrap();
        file.write_all_at(&[1], 9).unwrap();
        file.write_all_at(&[7], len - 1).unwrap();
        let mut byte = [0];
        let read = image.read(len - 1, &mut byte);
        (read.map(|()| byte[0]), is_overtaken.is_set())
    }

    #[test]
    fn no_page_of_a_later_commit_is_read() {
        let (copied, is_overtaken) = read_after_a_commit(MAX_COPIED_LEN);
        assert_eq!((copied.unwrap(), is_overtaken), (0, false));
        let (read, is_overtaken) = read_after_a_commit(MAX_COPIED_LEN + 1);
        assert!(read.is_err() && is_overtaken);
    }
}
