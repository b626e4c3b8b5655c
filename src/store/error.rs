//! The errors of the store: operation, file and source. They contain no advice; the front ends add
//! it (`output::advice`). All modules of the store create these errors.

use std::{
    error::Error,
    fmt,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    sync::Arc,
};

use redb::{CommitError, StorageError, TableError, TransactionError};

use super::{
    path_error::{PathError, PathProblem},
    tables::TOKENS,
};
use crate::domain::{Name, TokenId, labelled_enum::labels};

/// A record whose checksum is wrong or that cannot be decoded.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DamagedRecord {
    /// The table that contains the record.
    pub table: &'static str,
    /// The key of the record: an id, a name, a number, or hexadecimal digits if it is none of
    /// these.
    pub key: String,
}

impl DamagedRecord {
    /// The id of the token if the damaged record is that of a token; `None` for any other record,
    /// such as a last use.
    pub fn token_id(&self) -> Option<TokenId> {
        (self.table == TOKENS).then(|| TokenId::parse(&self.key)).flatten()
    }
}

impl fmt::Display for DamagedRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}", self.key, self.table)
    }
}

/// The source of a [`StoreError`]. Two causes are equal if their texts are equal.
#[derive(Clone)]
pub struct Cause(Arc<dyn Error + Send + Sync>);

impl Cause {
    pub(crate) fn new(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(error.into().into())
    }

    /// Copies the kind and text of `error`, because an [`io::Error`] cannot be cloned.
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
    /// The operation in which the operating system or redb failed.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum IoOperation, as_str {
        /// Any use of the store: the exact operation is unknown.
        Use => "use",
        Open => "open",
        Read => "read",
        Write => "write",
        /// Changing the length of the file.
        Resize => "resize",
        Sync => "sync",
        Close => "close",
        Create => "create",
        CompareCopy => "copy",
    }
}

labels! {
    /// The reason why a store cannot be read before something is written.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum WriteAccessReason, as_str {
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
    /// A newer patdeck wrote the store.
    #[error(
        "the store has format {found}, but this patdeck supports only formats up to {supported}"
    )]
    NewerFormat {
        /// The schema number of the store.
        found: u32,
        /// The highest schema number that this program supports.
        supported: u32,
    },
    /// Another process held a lock for longer than the timeout.
    #[error("the store is busy: {} is locked by {holder}", .path.display())]
    Busy {
        /// The store's file.
        path: PathBuf,
        /// The processes that probably hold the lock.
        holder: String,
    },
    /// The last step of a commit failed, and reading the store did not show whether the change is
    /// on disk.
    #[error("it is not known whether the change was saved ({source})")]
    CommitResultUnknown { source: Cause },
    /// The disk is full.
    #[error("the disk is full; nothing was changed")]
    Full,
    /// The file would exceed the size that the process may write.
    #[error("the file size limit is reached; nothing was changed")]
    FileSizeLimit,
    /// The file system is mounted read-only.
    #[error("the store's file system is read-only; nothing was changed")]
    ReadOnly,
    /// The store was opened in read-only mode.
    #[error("patdeck is in read-only mode; nothing was changed")]
    ReadOnlyMode,
    /// The store must be migrated or repaired, but it was opened in read-only mode.
    #[error("{} {}, but patdeck is in read-only mode", .path.display(), .reason.as_str())]
    NeedsWriteAccess {
        /// The store's file.
        path: PathBuf,
        /// What must be written before the store can be read.
        reason: WriteAccessReason,
    },
    /// A token has a maximum number of uses, and the use could not be written. The check has no
    /// answer.
    #[error("the token has a maximum number of uses, and this use could not be counted ({source})")]
    UseNotCounted { source: Box<StoreError> },
    /// One record is damaged. The other records can be used.
    #[error("{0} is damaged and was not used")]
    Damaged(DamagedRecord),
    /// The file as a whole is damaged.
    #[error("the store is damaged ({source})")]
    Corrupted { source: Cause },
    /// Another token has the name.
    #[error("the name {name} is taken by {by}")]
    NameTaken {
        name: Name,
        /// The token that has the name.
        by: TokenId,
    },
    /// A record is larger than allowed.
    #[error("the record is too large for the table {table}")]
    TooLarge { table: &'static str },
    /// A time of a record is outside the supported range.
    #[error("a time is outside the years 1970 to 9999")]
    UnsupportedTime,
    /// An error of the operating system or of redb that has no variant of its own.
    #[error("cannot {} {} ({source})", .operation.as_str(), display_path(.path.as_deref()))]
    Io {
        operation: IoOperation,
        /// The file, if it is known.
        path: Option<PathBuf>,
        source: Cause,
    },
}

fn display_path(path: Option<&Path>) -> String {
    path.map_or_else(|| "the store".to_owned(), |path| path.display().to_string())
}

impl StoreError {
    /// Whether this error is about one damaged record and not about the whole store.
    pub fn is_damage(&self) -> bool {
        matches!(self, Self::Damaged(_))
    }

    /// Whether another process held the lock for too long.
    pub(super) fn is_busy(&self) -> bool {
        matches!(self, Self::Busy { .. })
    }

    /// Whether the change may be in a file that was moved away, which nobody can ask for it.
    pub(crate) fn is_replaced_meanwhile(&self) -> bool {
        let problem = PathProblem::ReplacedMeanwhile;
        matches!(self, Self::Path(error) if error.problem == problem)
    }

    /// Whether there is no space for the change: a full disk, or the file size limit.
    pub(super) fn is_out_of_space(&self) -> bool {
        matches!(self, Self::Full | Self::FileSizeLimit)
    }

    /// Converts the error of a failed commit whose change may nevertheless be on disk.
    pub(super) fn commit_unknown(self) -> Self {
        let source = match self {
            Self::Full => Cause::new("the disk is full"),
            Self::FileSizeLimit => Cause::new("the file size limit is reached"),
            Self::ReadOnly => Cause::new("the store's file system is read-only"),
            Self::Io { source, .. } | Self::Corrupted { source } => source,
            other => Cause::new(other),
        };
        Self::CommitResultUnknown { source }
    }

    /// Returns the error for a file that is damaged as a whole. `why` becomes its source.
    pub(crate) fn corrupted(why: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Corrupted { source: Cause::new(why) }
    }

    /// Returns the error for an `operation` that failed with an `error` without a variant of its
    /// own.
    pub(crate) fn failed(
        operation: IoOperation,
        error: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self::Io { operation, path: None, source: Cause::new(error) }
    }

    /// Converts the operating system's error from opening the file or folder at `path`, or from
    /// reading its metadata.
    pub(super) fn at(path: &Path, error: &io::Error) -> Self {
        match error.kind() {
            ErrorKind::NotFound => PathProblem::NotFound.at(path),
            ErrorKind::PermissionDenied => PathProblem::PermissionDenied.at(path),
            // With `O_NOFOLLOW`, opening a symbolic link fails with `ELOOP`, which has no stable
            // `ErrorKind`.
            _ if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => {
                PathProblem::Symlink.at(path)
            }
            ErrorKind::IsADirectory => PathProblem::NotAFile.at(path),
            _ => Self::io(IoOperation::Open, Some(path), error),
        }
    }

    /// Converts the operating system's error from this `operation` on the open file at `path`.
    pub(super) fn io(operation: IoOperation, path: Option<&Path>, error: &io::Error) -> Self {
        // The storage backend may have wrapped a more precise `StoreError` in `error`.
        if let Some(known) = error.get_ref().and_then(|inner| inner.downcast_ref::<Self>()) {
            return known.clone();
        }
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Self::Full,
            ErrorKind::FileTooLarge => Self::FileSizeLimit,
            ErrorKind::ReadOnlyFilesystem => Self::ReadOnly,
            ErrorKind::UnexpectedEof => Self::corrupted("the file is truncated"),
            _ => {
                let path = path.map(Path::to_owned);
                Self::Io { operation, path, source: Cause::io(error) }
            }
        }
    }
}

impl From<&io::Error> for StoreError {
    fn from(error: &io::Error) -> Self {
        Self::io(IoOperation::Use, None, error)
    }
}

impl From<StorageError> for StoreError {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Io(error) => Self::from(&error),
            StorageError::Corrupted(why) => Self::corrupted(why),
            other => Self::failed(IoOperation::Use, other),
        }
    }
}

/// Implements the conversion of redb errors that can wrap a [`StorageError`]. `$other` converts all
/// other variants.
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
    TableError: Self::corrupted;
    TransactionError: |other| Self::failed(IoOperation::Use, other);
    CommitError: |other| Self::failed(IoOperation::Use, other);
}

#[cfg(test)]
#[path = "error_tests.rs"]
mod tests;
