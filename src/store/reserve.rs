//! A copy-on-write store needs free pages even to revoke, so a full disk could prevent revoking a
//! stolen token. A reserve file of 1 MiB in the store's folder avoids that: when the disk is full,
//! `write_transaction` releases it, runs the write once more, and allocates it again later.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use rustix::fs::FallocateFlags;

use super::path_security;

const RESERVE_BYTES: u64 = 1 << 20;

/// The space in bytes that must remain free after the reserve is allocated, so that the reserve
/// does not fill an almost full disk.
const MIN_FREE_BYTES: u64 = 4 << 20;

/// The reserve file of one store. Its path is the path of the store's file with `.reserve`
/// appended.
#[derive(Debug)]
pub(super) struct Reserve {
    path: PathBuf,
}

impl Reserve {
    pub(super) fn for_store(store: &Path) -> Self {
        let mut path = store.as_os_str().to_owned();
        path.push(".reserve");
        Self { path: path.into() }
    }

    /// Deletes the reserve. Returns whether a reserve was deleted.
    pub(super) fn release(&self) -> bool {
        fs::remove_file(&self.path).is_ok()
    }

    /// Allocates the reserve if it is missing and there is enough space. Ignores a failure, because
    /// the write of the store has already succeeded.
    pub(super) fn acquire(&self) {
        if fs::symlink_metadata(&self.path).is_err() && self.has_room() && self.fill().is_err() {
            self.release();
        }
    }

    fn has_room(&self) -> bool {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        rustix::fs::statvfs(folder).is_ok_and(|disk| {
            disk.f_bavail.saturating_mul(disk.f_frsize) >= RESERVE_BYTES + MIN_FREE_BYTES
        })
    }

    fn fill(&self) -> io::Result<()> {
        let mut file = path_security::create_exclusive(&self.path)?;
        match rustix::fs::fallocate(&file, FallocateFlags::empty(), 0, RESERVE_BYTES) {
            Ok(()) => Ok(()),
            // Some file systems cannot allocate space without writing to it.
            Err(_) => io::copy(&mut io::Read::take(io::repeat(0xa5), RESERVE_BYTES), &mut file)
                .and_then(|_| file.flush()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt as _;

    use super::*;

    #[test]
    fn the_reserve_is_allocated_on_disk_and_released_once() {
        let folder = tempfile::tempdir().unwrap();
        let reserve = Reserve::for_store(&folder.path().join("s.redb"));
        assert!(!reserve.release());
        reserve.acquire();
        reserve.acquire();
        let found = fs::metadata(folder.path().join("s.redb.reserve")).unwrap();
        assert_eq!((found.len(), found.mode() & 0o777), (RESERVE_BYTES, 0o600));
        assert!(found.blocks() * 512 >= RESERVE_BYTES);
        assert!(reserve.release());
        assert!(!reserve.release());
    }

    #[test]
    fn a_link_at_its_path_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("target");
        std::os::unix::fs::symlink(&target, folder.path().join("s.redb.reserve")).unwrap();
        Reserve::for_store(&folder.path().join("s.redb")).acquire();
        assert!(!target.exists());
    }
}
