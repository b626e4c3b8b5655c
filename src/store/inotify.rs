//! An inotify watch on the file at a path: watches the file for writes, and its folder for a
//! replacement of the file. After an error, the watch no longer works. Called by `watch`.

use std::{
    ffi::OsString,
    io,
    mem::MaybeUninit,
    os::{
        fd::{AsFd as _, BorrowedFd, OwnedFd},
        unix::ffi::OsStrExt as _,
    },
    path::{Path, PathBuf},
};

use rustix::{
    fs::inotify::{CreateFlags, ReadFlags, Reader, WatchFlags, add_watch, init, remove_watch},
    io::Errno,
};

/// Buffer length in bytes, enough for about 30 events.
const BUFFER_LEN: usize = 1_024;

/// A watch on one path.
#[derive(Debug)]
pub(super) struct FileWatch {
    inotify: OwnedFd,
    path: PathBuf,
    name: OsString,
    folder: i32,
    /// The watches on the higher folders. If one of them is moved, there is no longer a file at the
    /// path.
    ancestors: Vec<i32>,
    /// The watch on the file, or `None` while there is no file at the path.
    file: Option<i32>,
}

impl FileWatch {
    /// Watches the file at the absolute `path`.
    pub(super) fn new(path: &Path) -> io::Result<Self> {
        let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_owned();
        let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
        let inotify = init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        let replaced = WatchFlags::CREATE
            | WatchFlags::DELETE
            | WatchFlags::MOVED_FROM
            | WatchFlags::MOVED_TO
            | WatchFlags::DELETE_SELF
            | WatchFlags::MOVE_SELF
            | WatchFlags::ONLYDIR;
        let moved = WatchFlags::MOVE_SELF | WatchFlags::DELETE_SELF | WatchFlags::ONLYDIR;
        // A higher folder that cannot be watched cannot be moved by this user, either.
        let higher = folder.ancestors().skip(1);
        let ancestors = higher.filter_map(|each| add_watch(&inotify, each, moved).ok()).collect();
        let folder = add_watch(&inotify, folder, replaced)?;
        let mut watch =
            Self { inotify, path: path.to_owned(), name, folder, ancestors, file: None };
        watch.watch_file()?;
        Ok(watch)
    }

    /// The file descriptor, which is readable when there are events.
    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.inotify.as_fd()
    }

    /// Reads all events. Returns whether the file was written to or replaced.
    pub(super) fn take_changes(&mut self) -> io::Result<bool> {
        let (mut is_written, mut is_replaced) = (false, false);
        let mut buffer = [const { MaybeUninit::uninit() }; BUFFER_LEN];
        let mut events = Reader::new(&self.inotify, &mut buffer);
        loop {
            let event = match events.next() {
                Ok(event) => event,
                Err(Errno::AGAIN) => break,
                Err(Errno::INTR) => continue,
                Err(error) => return Err(error.into()),
            };
            let kind = event.events();
            if kind.contains(ReadFlags::QUEUE_OVERFLOW) {
                is_replaced = true;
            } else if event.wd() == self.folder {
                let lost = ReadFlags::DELETE_SELF | ReadFlags::MOVE_SELF | ReadFlags::IGNORED;
                if kind.intersects(lost) {
                    return Err(io::ErrorKind::NotFound.into());
                }
                let is_ours = |name: &std::ffi::CStr| name.to_bytes() == self.name.as_bytes();
                is_replaced |= event.file_name().is_some_and(is_ours);
            } else if Some(event.wd()) == self.file {
                is_written |=
                    kind.intersects(ReadFlags::MODIFY | ReadFlags::CLOSE_WRITE | ReadFlags::ATTRIB);
            } else if self.ancestors.contains(&event.wd()) {
                return Err(io::ErrorKind::NotFound.into());
            }
        }
        if is_replaced {
            self.watch_file()?;
        }
        Ok(is_written || is_replaced)
    }

    /// Removes the watch on the previous file and watches the file that is now at the path.
    fn watch_file(&mut self) -> io::Result<()> {
        // Includes `CLOSE_WRITE`, because a writer closes the file after its last commit.
        // Includes `ATTRIB`, because a file that becomes readable by others is refused.
        let written = WatchFlags::MODIFY
            | WatchFlags::CLOSE_WRITE
            | WatchFlags::ATTRIB
            | WatchFlags::DONT_FOLLOW;
        let file = match add_watch(&self.inotify, &self.path, written) {
            Ok(file) => Some(file),
            // If the folder still exists, an event follows when the file appears. A missing folder
            // is an error, because the kernel reports it only when the last open file in it is
            // closed.
            Err(Errno::NOENT) if self.path.parent().is_some_and(Path::exists) => None,
            // If access to the file is denied, the store cannot be read, either.
            Err(Errno::ACCESS) => None,
            Err(error) => return Err(error.into()),
        };
        if let Some(before) = std::mem::replace(&mut self.file, file)
            && file != Some(before)
        {
            // Fails if the file was deleted, which also removed its watch.
            let _ = remove_watch(&self.inotify, before);
        }
        Ok(())
    }
}
