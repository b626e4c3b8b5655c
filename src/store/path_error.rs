//! Errors about a path: the path and its problem. They are part of `StoreError` and contain no
//! advice (see `output::advice`). They are created where files are opened, checked or created.

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

use redb::{DatabaseError, StorageError, TableError};

use super::error::StoreError;

/// A file or folder that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathError {
    /// The file or folder.
    pub path: PathBuf,
    pub problem: PathProblem,
}

/// The problem with a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathProblem {
    /// There is no store at the path.
    NoStore,
    /// The file or folder does not exist.
    NotFound,
    /// The operating system denies access.
    PermissionDenied,
    /// The file is not a store. It was not changed.
    NotAStore,
    /// A new file cannot be created because the path exists. The existing file was not changed.
    Exists,
    /// The store was changed after the operator confirmed what happens to it. It was not changed again.
    ChangedMeanwhile,
    /// The store was moved away or replaced while a change was written, which is in the former file.
    ReplacedMeanwhile,
    /// The revocation register is that of another store. It was not changed.
    OtherRegister,
    /// The file to restore is the store itself.
    IsTheStore,
    /// A new file cannot be created because its folder does not exist.
    MissingFolder,
    /// A new file cannot be created because its path ends with a slash.
    NamesFolder,
    /// The path is a folder, a device or a pipe.
    NotAFile,
    /// The path is a symbolic link.
    Symlink,
    /// The owner is the user with this number, who is neither this user nor root.
    ForeignOwner(u32),
    /// Other users can read or change the file or folder.
    InsecurePermissions {
        /// The permission bits.
        mode: u32,
        fix: PermissionFix,
    },
    /// The file is missing, damaged, or the revocation register of another store.
    NoRegister,
    /// An entry of the revocation register is damaged, and it can be that of the token.
    DamagedRegister,
    /// The file is a store, but not the one that the backup was made of.
    OtherStore,
    /// The path is on a network file system of this kind, whose locks are unreliable.
    Network(&'static str),
}

/// How to remove the access of other users.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PermissionFix {
    /// Run `chmod` with this mode.
    Chmod(&'static str),
    /// Create a private folder in this folder, which users share by design, such as `/tmp`.
    PrivateFolder,
}

impl PathProblem {
    /// Returns the error for `path` with this problem.
    pub(crate) fn at(self, path: &Path) -> StoreError {
        PathError { path: path.to_owned(), problem: self }.into()
    }
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match self.problem {
            PathProblem::NoStore => write!(f, "no store at {path}"),
            PathProblem::NotFound => write!(f, "{path} does not exist"),
            PathProblem::PermissionDenied => {
                write!(f, "{path} cannot be opened: permission denied")
            }
            PathProblem::NotAStore => write!(f, "{path} is not a patdeck store"),
            PathProblem::Exists => write!(f, "{path} already exists and was not changed"),
            PathProblem::ChangedMeanwhile => {
                write!(f, "nothing was done, because {path} was changed in the meantime")
            }
            PathProblem::ReplacedMeanwhile => {
                write!(
                    f,
                    "it is not known whether the change was saved: {path} was moved or replaced meanwhile"
                )
            }
            PathProblem::OtherRegister => {
                write!(f, "{path} is the revocation register of another store")
            }
            PathProblem::IsTheStore => write!(f, "{path} is the store itself, not a backup of it"),
            PathProblem::MissingFolder => write!(f, "the folder of {path} does not exist"),
            PathProblem::NamesFolder => write!(f, "{path} names a folder, not a file"),
            PathProblem::NotAFile => write!(f, "{path} is not a regular file"),
            PathProblem::Symlink => write!(f, "{path} is a symbolic link"),
            PathProblem::ForeignOwner(owner) => write!(f, "{path} belongs to user {owner}"),
            PathProblem::InsecurePermissions { mode, .. } => {
                write!(f, "{path} is accessible to other users (mode {mode:04o})")
            }
            PathProblem::NoRegister => {
                write!(f, "{path} is not the revocation register of this store")
            }
            PathProblem::DamagedRegister => {
                write!(f, "{path} is damaged: it cannot be determined which secrets were ended")
            }
            PathProblem::OtherStore => {
                write!(f, "{path} is another store than the one in the backup")
            }
            PathProblem::Network(kind) => {
                write!(f, "{path} is on {kind}, where file locks are unreliable")
            }
        }
    }
}

impl std::error::Error for PathError {}

/// Converts redb's error from opening the file at `path`.
pub(super) fn open_error(path: &Path, error: DatabaseError) -> StoreError {
    match error {
        DatabaseError::Storage(StorageError::Io(error)) => match error.kind() {
            io::ErrorKind::InvalidData => PathProblem::NotAStore.at(path),
            _ => StoreError::from(&error),
        },
        DatabaseError::Storage(error) => error.into(),
        DatabaseError::LockProtocolMismatch => StoreError::Busy {
            path: path.to_owned(),
            holder: "another version of patdeck".to_owned(),
        },
        other => StoreError::corrupted(other),
    }
}

/// Converts the error from opening a table at `path`. A redb file in which a table is missing or
/// has other types is not a store.
pub(super) fn table_error(path: &Path, error: TableError) -> StoreError {
    match error {
        TableError::Storage(error) => error.into(),
        _ => PathProblem::NotAStore.at(path),
    }
}
