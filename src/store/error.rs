//! Why the store refused or failed, as facts: what, where, and the error beneath. What to do about
//! it is said by the front ends (`output::advice`). Made by the whole store.

use std::{
    error::Error,
    fmt,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    sync::Arc,
};

use redb::{CommitError, StorageError, TableError, TransactionError};

use super::path_error::{PathError, PathProblem};
use crate::domain::{Name, TokenId, labels::labels};

/// One record whose checksum is wrong, or whose bytes mean nothing.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Damage {
    /// The table that contains it.
    pub table: &'static str,
    /// Its key: an id, a name, a number, or hexadecimal when it is none of these.
    pub key: String,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}", self.key, self.table)
    }
}

/// The error beneath a [`StoreError`]. Two are equal if they read the same.
#[derive(Clone)]
pub struct Cause(Arc<dyn Error + Send + Sync>);

impl Cause {
    pub(crate) fn new(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(error.into().into())
    }

    /// A copy of `error`, with its kind and text: an [`io::Error`] cannot be cloned.
    pub(super) fn io(error: &io::Error) -> Self {
        match error.raw_os_error() {
            Some(code) => Self::new(io::Error::from_raw_os_error(code)),
            None => Self::new(io::Error::new(error.kind(), error.to_string())),
        }
    }
}

impl fmt::Debug for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for Cause {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}

impl PartialEq for Cause {
    fn eq(&self, other: &Self) -> bool {
        self.to_string() == other.to_string()
    }
}

impl Eq for Cause {}

labels! {
    /// What was tried when the operating system, or redb, failed.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum Operation, as_str {
        /// To use the store in any way: no more is known.
        Use => "use",
        Open => "open",
        Read => "read",
        Write => "write",
        /// To change its length.
        Resize => "resize",
        /// To bring what was written to the disk.
        Sync => "sync",
        Close => "close",
        Create => "create",
        CompareCopy => "compare the copy of",
    }
}

labels! {
    /// What a store needs before it can be read.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum WriteNeed, as_str {
        Create => "is not there",
        Migrate => "has an older format",
        Repair => "needs a repair after a crash",
    }
}

/// Why the store could not be opened, read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The file or its folder cannot be used.
    #[error(transparent)]
    Path(#[from] PathError),
    /// A later patdeck wrote the store.
    #[error("the store has format {found} and this patdeck knows {known}")]
    Newer {
        /// Its schema number.
        found: u32,
        /// The highest that this program knows.
        known: u32,
    },
    /// Another process held a lock for longer than the timeout.
    #[error("store busy: {} is held by {holder}", .path.display())]
    Busy {
        /// The store's file.
        path: PathBuf,
        /// The lock holder, as far as is known.
        holder: String,
    },
    /// The disk failed, or another process came between, at the end of a commit.
    #[error("whether the change was kept is not sure ({source})")]
    CommitResultUnknown { source: Cause },
    /// No space, even with the reserve released.
    #[error("the disk is full and nothing was changed")]
    Full,
    /// The file system is mounted read-only.
    #[error("the store's file system is read-only and nothing was changed")]
    ReadOnly,
    /// The store was opened in read-only mode.
    #[error("patdeck runs read-only and nothing was changed")]
    ReadOnlyMode,
    /// In read-only mode, the store cannot be read as it is.
    #[error("{} {}, and patdeck runs read-only", .path.display(), .need.as_str())]
    NeedsWriteAccess {
        /// The store's file.
        path: PathBuf,
        /// What must be done first.
        need: WriteNeed,
    },
    /// One record is damaged; the others can be used.
    #[error("{0} is damaged and was not used")]
    Damaged(Damage),
    /// The file as a whole is damaged.
    #[error("the store is damaged ({source})")]
    Broken {
        /// What was found.
        source: Cause,
    },
    /// Another token has the name.
    #[error("the name {name} is taken by {by}")]
    NameTaken {
        name: Name,
        /// The token that has it.
        by: TokenId,
    },
    /// A record is larger than allowed.
    #[error("this record is too large for {table}")]
    TooLarge { table: &'static str },
    /// Another error of the operating system or of redb.
    #[error("cannot {} {}: {source}", .operation.as_str(), shown(.path.as_deref()))]
    Io {
        /// What was tried.
        operation: Operation,
        /// The file, if it is known.
        path: Option<PathBuf>,
        source: Cause,
    },
}

fn shown(path: Option<&Path>) -> String {
    path.map_or_else(|| "the store".to_owned(), |path| path.display().to_string())
}

impl StoreError {
    /// Whether one record is damaged, and nothing else is wrong.
    pub fn is_damage(&self) -> bool {
        matches!(self, Self::Damaged(_))
    }

    /// This error of a commit, when it came too late to know that nothing was changed.
    pub(super) fn commit_unknown(self) -> Self {
        let source = match self {
            Self::Full => Cause::new("the disk is full"),
            Self::ReadOnly => Cause::new("the store's file system is read-only"),
            Self::Io { source, .. } | Self::Broken { source } => source,
            other => Cause::new(other),
        };
        Self::CommitResultUnknown { source }
    }

    /// The file as a whole is damaged, because of this.
    pub(super) fn broken(why: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Broken { source: Cause::new(why) }
    }

    /// Something failed for which there is no variant.
    pub(crate) fn failed(
        operation: Operation,
        error: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self::Io { operation, path: None, source: Cause::new(error) }
    }

    /// The error of the operating system for the file or folder at `path`, when it was opened or
    /// looked at.
    pub(super) fn at(path: &Path, error: &io::Error) -> Self {
        match error.kind() {
            ErrorKind::NotFound => PathProblem::NotFound.at(path),
            ErrorKind::PermissionDenied => PathProblem::PermissionDenied.at(path),
            // The error of `O_NOFOLLOW` for a link. It has no stable kind.
            _ if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => {
                PathProblem::Symlink.at(path)
            }
            ErrorKind::IsADirectory => PathProblem::NotAFile.at(path),
            _ => Self::io(Operation::Open, Some(path), error),
        }
    }

    /// The error of the operating system in this `operation` on the open file at `path`.
    pub(super) fn io(operation: Operation, path: Option<&Path>, error: &io::Error) -> Self {
        // The storage backend knows more, and has put it into the error.
        if let Some(known) = error.get_ref().and_then(|inner| inner.downcast_ref::<Self>()) {
            return known.clone();
        }
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Self::Full,
            ErrorKind::ReadOnlyFilesystem => Self::ReadOnly,
            ErrorKind::UnexpectedEof => Self::broken("its end is missing"),
            _ => {
                let path = path.map(Path::to_owned);
                Self::Io { operation, path, source: Cause::io(error) }
            }
        }
    }
}

impl From<&io::Error> for StoreError {
    fn from(error: &io::Error) -> Self {
        Self::io(Operation::Use, None, error)
    }
}

impl From<StorageError> for StoreError {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Io(error) => Self::from(&error),
            StorageError::Corrupted(why) => Self::broken(why),
            other => Self::failed(Operation::Use, other),
        }
    }
}

/// The errors of redb that wrap a [`StorageError`]; `other` converts their other variants.
macro_rules! from_redb {
    ($($error:ident: $other:expr;)*) => {$(
        impl From<$error> for StoreError {
            fn from(error: $error) -> Self {
                match error {
                    $error::Storage(error) => error.into(),
                    other => $other(other),
                }
            }
        }
    )*};
}

from_redb! {
    TableError: Self::broken;
    TransactionError: |other| Self::failed(Operation::Use, other);
    CommitError: |other| Self::failed(Operation::Use, other);
}

#[cfg(test)]
#[path = "error_tests.rs"]
mod tests;
