//! A copy-on-write store needs free pages even to revoke, so a full disk could keep a stolen
//! token alive. A reserve of 1 MiB lies beside the store: `Store::write` gives it up when a
//! write finds the disk full, runs the write once more, and takes it back later.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use rustix::fs::FallocateFlags;

use super::file;

const BYTES: u64 = 1 << 20;

/// What must stay free beside the reserve before it is taken again: a disk that is almost full
/// would be filled by us otherwise.
const ROOM: u64 = 4 << 20;

/// The reserve file of one store: its path with `.reserve` at the end.
#[derive(Debug)]
pub(super) struct Reserve {
    path: PathBuf,
}

impl Reserve {
    pub(super) fn of(store: &Path) -> Self {
        let mut path = store.as_os_str().to_owned();
        path.push(".reserve");
        Self { path: path.into() }
    }

    /// Gives the space free; whether there was any to give.
    pub(super) fn give_up(&self) -> bool {
        fs::remove_file(&self.path).is_ok()
    }

    /// Takes the space again, if there is enough of it. That it cannot is no failure of the
    /// write that it comes after.
    pub(super) fn take(&self) {
        if fs::symlink_metadata(&self.path).is_err() && self.has_room() && self.fill().is_err() {
            self.give_up();
        }
    }

    fn has_room(&self) -> bool {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        rustix::fs::statvfs(folder)
            .is_ok_and(|disk| disk.f_bavail.saturating_mul(disk.f_frsize) >= BYTES + ROOM)
    }

    fn fill(&self) -> io::Result<()> {
        let mut file = file::fresh(&self.path)?;
        match rustix::fs::fallocate(&file, FallocateFlags::empty(), 0, BYTES) {
            Ok(()) => Ok(()),
            // Not every file system can set space aside without writing to it.
            Err(_) => io::copy(&mut io::Read::take(io::repeat(0xa5), BYTES), &mut file)
                .and_then(|_| file.flush()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt as _;

    use super::*;

    #[test]
    fn it_is_taken_once_as_real_space_and_given_up_once() {
        let folder = tempfile::tempdir().unwrap();
        let reserve = Reserve::of(&folder.path().join("s.redb"));
        assert!(!reserve.give_up());
        reserve.take();
        reserve.take();
        let found = fs::metadata(folder.path().join("s.redb.reserve")).unwrap();
        assert_eq!((found.len(), found.mode() & 0o777), (BYTES, 0o600));
        assert!(found.blocks() * 512 >= BYTES);
        assert!(reserve.give_up());
        assert!(!reserve.give_up());
    }

    #[test]
    fn a_link_in_its_place_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("target");
        std::os::unix::fs::symlink(&target, folder.path().join("s.redb.reserve")).unwrap();
        Reserve::of(&folder.path().join("s.redb")).take();
        assert!(!target.exists());
    }
}
