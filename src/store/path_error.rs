//! What is wrong with a path: at which one, and what. A part of `StoreError`. Made where files are
//! opened, looked at or created; a fact only, without advice.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use super::error::StoreError;

/// A file or folder that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathError {
    /// The file or folder.
    pub path: PathBuf,
    /// What is wrong with it.
    pub problem: PathProblem,
}

/// What is wrong with a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathProblem {
    /// It does not exist.
    NotFound,
    /// The operating system denies access.
    PermissionDenied,
    /// The file belongs to another program. It was not touched.
    NotAStore,
    /// A new file was to be created where there is one. It was not touched.
    Exists,
    /// A new file was to be created in a folder that does not exist.
    NoFolder,
    /// It is a folder, a device, a pipe.
    NotAFile,
    /// It is a symbolic link.
    Symlink,
    /// It belongs to the account with this user number.
    ForeignOwner(u32),
    /// Others could read or change it.
    InsecurePermissions {
        /// Its permission bits.
        mode: u32,
        /// What makes it safe.
        fix: PermissionFix,
    },
    /// It is on a file system of this kind, which cannot be trusted with locks.
    Network(&'static str),
}

/// How to take access from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PermissionFix {
    /// `chmod` with this mode.
    Chmod(&'static str),
    /// A private folder within this one, which is meant for everybody.
    PrivateFolder,
}

impl PathProblem {
    /// The error that `path` has this problem.
    pub(crate) fn at(self, path: &Path) -> StoreError {
        PathError { path: path.to_owned(), problem: self }.into()
    }
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match self.problem {
            PathProblem::NotFound => write!(f, "{path} is gone"),
            PathProblem::PermissionDenied => write!(f, "{path} may not be opened"),
            PathProblem::NotAStore => write!(f, "{path} is not a patdeck store"),
            PathProblem::Exists => write!(f, "{path} exists already and was left as it is"),
            PathProblem::NoFolder => write!(f, "the folder of {path} does not exist"),
            PathProblem::NotAFile => write!(f, "{path} is not a regular file"),
            PathProblem::Symlink => write!(f, "{path} is a symbolic link"),
            PathProblem::ForeignOwner(owner) => write!(f, "{path} belongs to user {owner}"),
            PathProblem::InsecurePermissions { mode, .. } => {
                write!(f, "{path} is open to others (mode {mode:04o})")
            }
            PathProblem::Network(kind) => {
                write!(f, "{path} lies on {kind}, where locks cannot be relied on")
            }
        }
    }
}

impl std::error::Error for PathError {}
