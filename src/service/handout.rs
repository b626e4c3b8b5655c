//! Handing secrets over to a file: a new one, for its owner alone, with the bare secret and a
//! line end, or a line with name and secret for each of many. Refuses an existing file and a
//! link, so that nothing is ever overwritten.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use crate::domain::{Name, Secret};

/// Why a secret was not written; no part of it is in any file.
#[derive(Debug, thiserror::Error)]
pub enum HandoutError {
    /// The file is there already.
    #[error("{0} exists already and was left as it is: choose another name")]
    Exists(PathBuf),
    /// The folder is not there.
    #[error("the folder of {0} does not exist: make it first, or choose another")]
    NoFolder(PathBuf),
    /// The system refused.
    #[error("{path} was not written ({reason}): choose another place")]
    Refused {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        reason: io::Error,
    },
}

/// A new, empty file that waits for its secret; removed again when none comes. Made before the
/// secret is, so that a refused file costs no secret.
#[derive(Debug)]
pub struct Waiting {
    path: PathBuf,
    file: File,
    filled: bool,
}

impl Waiting {
    /// Makes the file at `path`, readable by its owner alone whatever the umask. `~/` is the
    /// home folder.
    pub fn at(path: &str) -> Result<Self, HandoutError> {
        let path = at_home(path);
        let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        let file = made.map_err(|reason| refused(&path, reason))?;
        Ok(Self { path, file, filled: false })
    }

    /// Writes `secret`, which is on the disk when this returns. Returns the path as it was taken.
    pub fn fill(mut self, secret: &Secret) -> Result<PathBuf, HandoutError> {
        let written = self.line(&[], secret).and_then(|()| self.file.sync_all());
        written.map_err(|reason| refused(&self.path, reason))?;
        Ok(self.keep())
    }

    /// Writes a line for each of many: the name, a tab, the secret. They are on the disk when
    /// this returns, but do not stay unless they are kept.
    pub fn fill_many<'a>(
        &mut self,
        secrets: impl IntoIterator<Item = (&'a Name, &'a Secret)>,
    ) -> Result<(), HandoutError> {
        let mut each = secrets.into_iter();
        let written = each
            .try_for_each(|(name, secret)| self.line(&[name.as_str(), "\t"], secret))
            .and_then(|()| self.file.sync_all())
            .and_then(|()| self.sync_folder());
        written.map_err(|reason| refused(&self.path, reason))
    }

    /// Leaves the file where it is. Returns the path as it was taken.
    pub fn keep(mut self) -> PathBuf {
        self.filled = true;
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

impl Drop for Waiting {
    fn drop(&mut self) {
        if !self.filled {
            drop(std::fs::remove_file(&self.path));
        }
    }
}

/// Refuses a `path` that [`Waiting::at`] would refuse for what is there already.
pub fn is_free(path: &str) -> Result<(), HandoutError> {
    let path = at_home(path);
    let folder = path.parent().filter(|path| !path.as_os_str().is_empty());
    if path.symlink_metadata().is_ok() {
        return Err(HandoutError::Exists(path));
    }
    if folder.is_some_and(|folder| !folder.is_dir()) {
        return Err(HandoutError::NoFolder(path));
    }
    Ok(())
}

/// Writes `secret` to a new file at `path`, as [`Waiting`] does.
pub fn write(path: &str, secret: &Secret) -> Result<PathBuf, HandoutError> {
    Waiting::at(path)?.fill(secret)
}

fn refused(path: &Path, reason: io::Error) -> HandoutError {
    let path = path.to_owned();
    match reason.kind() {
        io::ErrorKind::AlreadyExists => HandoutError::Exists(path),
        io::ErrorKind::NotFound => HandoutError::NoFolder(path),
        _ => HandoutError::Refused { path, reason },
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
        let waiting = Waiting::at(path.to_str().unwrap()).unwrap();
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
            assert!(matches!(error, HandoutError::Exists(_)), "{error}");
        }
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
        let missing = folder.path().join("no/such/folder");
        let error = write(missing.to_str().unwrap(), &secret()).unwrap_err().to_string();
        assert!(error.ends_with("does not exist: make it first, or choose another"), "{error}");
    }
}
