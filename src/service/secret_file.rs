//! A file that takes new secrets: a new one with mode 0600, with the bare secret in a line, or
//! name, tab and secret in a line for each of several. Refuses an existing file and a link, so
//! that nothing is overwritten. Called when a command is executed, and by the app to save one.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use crate::domain::{Name, Secret};

/// Why a secret was not written; no part of it is in any file.
#[derive(Debug, thiserror::Error)]
pub enum SecretFileError {
    #[error("{0} exists already and was left as it is: choose another name")]
    Exists(PathBuf),
    #[error("the folder of {0} does not exist: make it first, or choose another")]
    NoFolder(PathBuf),
    #[error("{path} was not written ({reason}): choose another place")]
    Refused { path: PathBuf, reason: io::Error },
}

/// A new file for secrets. Removed when dropped, unless [`SecretFile::keep`] was called.
#[derive(Debug)]
pub struct SecretFile {
    path: PathBuf,
    file: File,
    is_kept: bool,
}

impl SecretFile {
    /// Creates the file at `path` with mode 0600 whatever the umask. `~/` is the home folder.
    /// Refuses a path that exists, and one in a folder that does not.
    pub fn create(path: &str) -> Result<Self, SecretFileError> {
        let path = at_home(path);
        let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        let file = made.map_err(|reason| refused(&path, reason))?;
        Ok(Self { path, file, is_kept: false })
    }

    /// Refuses a `path` that [`SecretFile::create`] would refuse, without creating anything.
    pub fn require_free(path: &str) -> Result<(), SecretFileError> {
        let path = at_home(path);
        let folder = path.parent().filter(|path| !path.as_os_str().is_empty());
        if path.symlink_metadata().is_ok() {
            return Err(SecretFileError::Exists(path));
        }
        if folder.is_some_and(|folder| !folder.is_dir()) {
            return Err(SecretFileError::NoFolder(path));
        }
        Ok(())
    }

    /// Writes the bare secret; it is on the disk when this returns.
    pub fn write_one(&mut self, secret: &Secret) -> Result<(), SecretFileError> {
        let written = self.line(&[], secret);
        self.sync(written)
    }

    /// Writes name, tab and secret in a line for each token; all are on the disk when this
    /// returns.
    pub fn write_many<'a>(
        &mut self,
        secrets: impl IntoIterator<Item = (&'a Name, &'a Secret)>,
    ) -> Result<(), SecretFileError> {
        let mut secrets = secrets.into_iter();
        let written =
            secrets.try_for_each(|(name, secret)| self.line(&[name.as_str(), "\t"], secret));
        self.sync(written)
    }

    fn sync(&self, written: io::Result<()>) -> Result<(), SecretFileError> {
        let synced = written.and_then(|()| self.file.sync_all()).and_then(|()| self.sync_folder());
        synced.map_err(|reason| refused(&self.path, reason))
    }

    /// Leaves the file in place. Returns its path.
    pub fn keep(mut self) -> PathBuf {
        self.is_kept = true;
        self.path.clone()
    }

    fn line(&mut self, before: &[&str], secret: &Secret) -> io::Result<()> {
        // Several writes, not one joined text: no further copy of the secret is made.
        for text in before {
            self.file.write_all(text.as_bytes())?;
        }
        self.file.write_all(secret.reveal().as_bytes())?;
        self.file.write_all(b"\n")
    }

    /// A new file is there after a power cut only once its folder is on the disk as well.
    fn sync_folder(&self) -> io::Result<()> {
        let folder = self.path.parent().filter(|path| !path.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
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

fn refused(path: &Path, reason: io::Error) -> SecretFileError {
    let path = path.to_owned();
    match reason.kind() {
        io::ErrorKind::AlreadyExists => SecretFileError::Exists(path),
        io::ErrorKind::NotFound => SecretFileError::NoFolder(path),
        _ => SecretFileError::Refused { path, reason },
    }
}

fn at_home(path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), etcetera::home_dir()) {
        (Some(rest), Ok(home)) => home.join(rest),
        _ => Path::new(path).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::domain::{Prefix, TokenId};

    fn secret() -> Secret {
        let id = TokenId::parse("4fKq9Zt0WbXe").unwrap();
        let zeros = |out: &mut [u8]| {
            out.fill(7);
            Ok::<_, ()>(())
        };
        Secret::generate(&Prefix::default(), id, zeros).unwrap()
    }

    #[test]
    fn a_new_file_holds_the_bare_secret_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ci.secret");
        let secret = secret();
        write(path.to_str().unwrap(), &secret).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("{}\n", secret.reveal()));
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o7777, 0o600);
    }

    #[test]
    fn a_file_that_gets_no_secret_does_not_stay() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("never");
        let waiting = SecretFile::create(path.to_str().unwrap()).unwrap();
        assert!(path.exists());
        drop(waiting);
        assert!(!path.exists());
    }

    #[test]
    fn an_existing_file_and_a_link_are_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("there");
        std::fs::write(&path, "mine").unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(folder.path().join("nowhere"), &link).unwrap();
        for taken in [&path, &link] {
            let error = write(taken.to_str().unwrap(), &secret()).unwrap_err();
            assert!(matches!(error, SecretFileError::Exists(_)), "{error}");
        }
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
        let missing = folder.path().join("no/such/folder");
        let error = write(missing.to_str().unwrap(), &secret()).unwrap_err().to_string();
        assert!(error.ends_with("does not exist: make it first, or choose another"), "{error}");
    }
}
