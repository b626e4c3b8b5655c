//! Temporary files: a new file gets its content under a temporary name before it is renamed. The
//! process that writes one holds a shared lock on it, so that the files of killed processes can be
//! told from those in use and removed. Called by `path_security`, after each write, and by
//! `doctor`.

use std::{
    fs::{self, File, TryLockError},
    io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use rand::{TryRng as _, rngs::SysRng};

use super::{
    error::{IoOperation, StoreError},
    path_security::{create_exclusive, folder_of, open_to_lock},
};

/// The ending of a temporary name, after 16 hexadecimal digits.
const SUFFIX: &str = ".new";
const DIGITS: usize = 16;

/// Maximum number of attempts to create a file. An attempt fails if another process removes the
/// file before it is locked, because it looks like the file of a killed process.
const ATTEMPTS: usize = 8;

/// A temporary file, whose name is removed on drop.
#[derive(Debug)]
pub(super) struct TempFile {
    pub(super) path: PathBuf,
    /// The random number in the name.
    pub(super) number: u64,
    /// A second handle of the file, which holds the shared lock. redb locks and unlocks the handle
    /// that is written, so that handle cannot hold it. `None` if the file could not be locked.
    _lock: Option<File>,
}

impl TempFile {
    /// Creates an empty file (0600) with a random name in the folder of `path`. Removes the files
    /// that killed processes left for the same `path`.
    pub(super) fn next_to(path: &Path) -> Result<(Self, File), StoreError> {
        remove_abandoned(path);
        for _ in 0..ATTEMPTS {
            let nonce = SysRng.try_next_u64();
            let nonce = nonce.map_err(|error| StoreError::failed(IoOperation::Create, error))?;
            let temp = temp_path(path, nonce);
            let file = create_exclusive(&temp).map_err(|error| StoreError::at(path, &error))?;
            let lock = open_to_lock(&temp).ok();
            let (is_taken, lock) = match lock.as_ref().map(File::try_lock_shared) {
                Some(Ok(())) => (false, lock),
                // Another process is about to remove the file.
                Some(Err(TryLockError::WouldBlock)) => (true, None),
                // A file system without locks: no process removes the file.
                Some(Err(TryLockError::Error(_))) | None => (false, None),
            };
            let created = Self { path: temp, number: nonce, _lock: lock };
            if !is_taken && file.metadata().is_ok_and(|metadata| metadata.nlink() > 0) {
                return Ok((created, file));
            }
        }
        let error = io::Error::from(io::ErrorKind::ResourceBusy);
        Err(StoreError::at(path, &error))
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        // Fails if the file was renamed.
        let _ = fs::remove_file(&self.path);
    }
}

/// The name of the temporary file with this number beside `path`.
fn temp_path(path: &Path, number: u64) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{number:0DIGITS$x}{SUFFIX}"));
    PathBuf::from(name)
}

/// Whether a process holds the temporary file with this number beside `path`.
pub(super) fn is_held(path: &Path, number: u64) -> bool {
    open_to_lock(&temp_path(path, number)).is_ok_and(|file| file.try_lock().is_err())
}

/// Returns the temporary files beside `path` that no process is writing, each with an exclusive
/// lock.
fn abandoned(path: &Path) -> Vec<(PathBuf, File)> {
    let Some(base) = path.file_name().and_then(|name| name.to_str()) else { return Vec::new() };
    let Ok(entries) = fs::read_dir(folder_of(path)) else { return Vec::new() };
    let is_temp = |entry: &fs::DirEntry| {
        entry.file_name().to_str().is_some_and(|name| is_temp_name(name, base))
    };
    entries
        .flatten()
        .filter(is_temp)
        .filter_map(|entry| {
            let file = open_to_lock(&entry.path()).ok()?;
            file.try_lock().is_ok().then(|| (entry.path(), file))
        })
        .collect()
}

/// Whether `name` is `BASE.<16 hexadecimal digits>.new`. Further words after `BASE` are allowed, as
/// in the name of a new register.
fn is_temp_name(name: &str, base: &str) -> bool {
    let digits = name
        .strip_prefix(base)
        .and_then(|rest| rest.strip_suffix(SUFFIX))
        .and_then(|rest| rest.rsplit_once('.'))
        .filter(|(words, _)| words.is_empty() || words.starts_with('.'))
        .map(|(_, digits)| digits);
    digits.is_some_and(|digits| {
        digits.len() == DIGITS && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

/// The temporary files beside `path` that killed processes left.
pub fn abandoned_files(path: &Path) -> Vec<PathBuf> {
    abandoned(path).into_iter().map(|(path, _)| path).collect()
}

/// Removes the temporary files beside `path` that killed processes left. Ignores errors: the next
/// write tries again.
pub(super) fn remove_abandoned(path: &Path) {
    for (path, _lock) in abandoned(path) {
        let _ = fs::remove_file(path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_temporary_files_are_recognized() {
        let digits = "0123456789abcdef";
        for name in [format!("s.redb.{digits}.new"), format!("s.redb.revoked.{digits}.new")] {
            assert!(is_temp_name(&name, "s.redb"), "{name}");
        }
        for name in [
            format!("s.redb{digits}.new"),
            format!("s.redbx.{digits}.new"),
            format!("other.{digits}.new"),
            format!("s.redb.{digits}.old"),
            format!("s.redb.{}.new", &digits[1..]),
            "s.redb.new".to_owned(),
            "s.redb".to_owned(),
        ] {
            assert!(!is_temp_name(&name, "s.redb"), "{name}");
        }
    }

    #[test]
    fn a_file_in_use_is_kept_and_an_abandoned_one_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.redb");
        let left = folder.path().join("s.redb.0123456789abcdef.new");
        fs::write(&left, b"x").unwrap();
        assert_eq!(abandoned_files(&path), std::slice::from_ref(&left));
        let (temp, file) = TempFile::next_to(&path).unwrap();
        assert!(!left.exists());
        // The lock outlives the written file and its own locks.
        file.try_lock_shared().unwrap();
        file.unlock().unwrap();
        drop(file);
        remove_abandoned(&path);
        assert!(temp.path.exists());
        assert!(abandoned_files(&path).is_empty());
        drop(temp);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
