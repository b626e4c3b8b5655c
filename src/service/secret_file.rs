//! A new file for secrets, created with mode 0600. It contains one bare secret, or a line with
//! name, tab and secret for each of several tokens. An existing file or link at the path is an
//! error, so that nothing is overwritten. Called by `execute`, and by the app to save a secret.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use crate::domain::{
    Name, Secret,
    file_path::{PathFault, file_path},
};

/// Why a secret was not written. No file contains any part of the secret.
#[derive(Debug, thiserror::Error)]
pub enum SecretFileError {
    #[error("{0} already exists and was not changed: choose another name")]
    AlreadyExists(PathBuf),
    #[error("the directory of {0} does not exist: create it first, or choose another one")]
    DirectoryMissing(PathBuf),
    /// The text of the path is refused.
    #[error(transparent)]
    InvalidPath(#[from] PathFault),
    #[error("{path} was not written ({reason}): choose another path")]
    WriteFailed { path: PathBuf, reason: io::Error },
}

impl SecretFileError {
    /// Whether the error is that the file already exists. The existing file was not changed.
    pub fn is_existing_file(&self) -> bool {
        matches!(self, Self::AlreadyExists(_))
    }
}

/// A new file for secrets. Removed when dropped, unless [`SecretFile::keep`] was called.
#[derive(Debug)]
pub struct SecretFile {
    path: PathBuf,
    file: File,
    is_kept: bool,
}

impl SecretFile {
    /// Creates the file at `path` with mode 0600. A leading `~/` is expanded to the home directory.
    /// Fails if the path already exists or its directory does not exist.
    pub fn create(path: &str) -> Result<Self, SecretFileError> {
        let path = new_file_path(path)?;
        let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        let file = opened.map_err(|reason| file_error(&path, reason))?;
        Ok(Self { path, file, is_kept: false })
    }

    /// Fails if `path` exists or its directory does not exist, because [`SecretFile::create`] would
    /// then fail. Creates nothing.
    pub fn require_free(path: &str) -> Result<(), SecretFileError> {
        let path = new_file_path(path)?;
        let directory = path.parent().filter(|path| !path.as_os_str().is_empty());
        if path.symlink_metadata().is_ok() {
            return Err(SecretFileError::AlreadyExists(path));
        }
        if directory.is_some_and(|directory| !directory.is_dir()) {
            return Err(SecretFileError::DirectoryMissing(path));
        }
        Ok(())
    }

    /// Writes the bare secret and flushes the file and its directory to disk.
    pub fn write_one(&mut self, secret: &Secret) -> Result<(), SecretFileError> {
        let written = self.write_line(&[], secret);
        self.sync(written)
    }

    /// Writes a line with name, tab and secret for each token, and flushes the file and its
    /// directory to disk.
    pub fn write_many<'a>(
        &mut self,
        secrets: impl IntoIterator<Item = (&'a Name, &'a Secret)>,
    ) -> Result<(), SecretFileError> {
        let mut secrets = secrets.into_iter();
        let written =
            secrets.try_for_each(|(name, secret)| self.write_line(&[name.as_str(), "\t"], secret));
        self.sync(written)
    }

    /// Flushes the file and its directory if `written` is a success.
    fn sync(&self, written: io::Result<()>) -> Result<(), SecretFileError> {
        let synced =
            written.and_then(|()| self.file.sync_all()).and_then(|()| self.sync_directory());
        synced.map_err(|reason| file_error(&self.path, reason))
    }

    /// Keeps the file when `self` is dropped. Returns its path.
    pub fn keep(mut self) -> PathBuf {
        self.is_kept = true;
        self.path.clone()
    }

    /// Writes the texts in `before`, then the secret and a line feed.
    fn write_line(&mut self, before: &[&str], secret: &Secret) -> io::Result<()> {
        // Several writes instead of one joined text: this avoids another copy of the secret.
        for text in before {
            self.file.write_all(text.as_bytes())?;
        }
        self.file.write_all(secret.reveal().as_bytes())?;
        self.file.write_all(b"\n")
    }

    /// Flushes the directory: without this, a power failure can lose a new file whose content was
    /// flushed.
    fn sync_directory(&self) -> io::Result<()> {
        let directory = self.path.parent().filter(|path| !path.as_os_str().is_empty());
        File::open(directory.unwrap_or(Path::new(".")))?.sync_all()
    }
}

impl Drop for SecretFile {
    fn drop(&mut self) {
        if !self.is_kept {
            drop(std::fs::remove_file(&self.path));
        }
    }
}

/// Writes `secret` to a new file at `path` and returns its path.
pub fn write(path: &str, secret: &Secret) -> Result<PathBuf, SecretFileError> {
    let mut file = SecretFile::create(path)?;
    file.write_one(secret)?;
    Ok(file.keep())
}

fn file_error(path: &Path, reason: io::Error) -> SecretFileError {
    let path = path.to_owned();
    match reason.kind() {
        io::ErrorKind::AlreadyExists => SecretFileError::AlreadyExists(path),
        io::ErrorKind::NotFound => SecretFileError::DirectoryMissing(path),
        _ => SecretFileError::WriteFailed { path, reason },
    }
}

fn new_file_path(path: &str) -> Result<PathBuf, PathFault> {
    file_path(Path::new(path), etcetera::home_dir().ok().as_deref())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::domain::{SecretPrefix, TokenId};

    fn secret() -> Secret {
        let id = TokenId::parse("4fKq9Zt0WbXe").unwrap();
        let sevens = |out: &mut [u8]| {
            out.fill(7);
            Ok::<_, ()>(())
        };
        Secret::generate(&SecretPrefix::default(), id, sevens).unwrap()
    }

    #[test]
    fn file_contains_the_bare_secret_with_mode_0600() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ci.secret");
        let secret = secret();
        write(path.to_str().unwrap(), &secret).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("{}\n", secret.reveal()));
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o7777, 0o600);
    }

    #[test]
    fn file_without_a_secret_is_removed_on_drop() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("never");
        let file = SecretFile::create(path.to_str().unwrap()).unwrap();
        assert!(path.exists());
        drop(file);
        assert!(!path.exists());
    }

    #[test]
    fn existing_file_and_link_are_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("there");
        std::fs::write(&path, "mine").unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(folder.path().join("nowhere"), &link).unwrap();
        for taken in [&path, &link] {
            let error = write(taken.to_str().unwrap(), &secret()).unwrap_err();
            assert!(matches!(error, SecretFileError::AlreadyExists(_)), "{error}");
        }
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
        let missing = folder.path().join("no/such/folder");
        let error = write(missing.to_str().unwrap(), &secret()).unwrap_err().to_string();
        assert!(
            error.ends_with("does not exist: create it first, or choose another one"),
            "{error}"
        );
    }
}
