//! Why the store refused, in sentences that say what to do next. Faces print them as they are.

use std::{
    fmt,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

use redb::{CommitError, StorageError, TableError, TransactionError};

use crate::domain::{Name, TokenId};

/// One record whose checksum does not fit, or whose bytes mean nothing.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Damage {
    /// The table that it stands in.
    pub table: &'static str,
    /// Its key: an id, a name, a number, or hexadecimal when it is none of these.
    pub key: String,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}", self.key, self.table)
    }
}

/// Why the store could not be opened, read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Something else lies there.
    #[error("{} is not a patdeck store: it was left as it is, move it away or name another path", .path.display())]
    NotAStore {
        /// Where.
        path: PathBuf,
    },
    /// A later patdeck wrote it.
    #[error(
        "the store has format {found} and this patdeck knows {known}: update patdeck, the file was left as it is"
    )]
    Newer {
        /// Its schema number.
        found: u32,
        /// The highest that this program knows.
        known: u32,
    },
    /// A new file was to go where something is already.
    #[error("{} exists already and was left as it is: choose another name", .path.display())]
    Exists {
        /// Where.
        path: PathBuf,
    },
    /// A new file was to go into a folder that is not there.
    #[error("the folder of {} does not exist: make it first, or choose another", .path.display())]
    NoFolder {
        /// Where.
        path: PathBuf,
    },
    /// Others could read or change it.
    #[error("{} is open to others (mode {mode:04o}): run `{fix}`", .path.display())]
    InsecurePermissions {
        /// The file or folder.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
        /// The command that mends it.
        fix: String,
    },
    /// It belongs to another account.
    #[error("{} belongs to user {owner}: run patdeck as that user, or give it to yours with chown", .path.display())]
    ForeignOwner {
        /// The file or folder.
        path: PathBuf,
        /// The user number of its owner.
        owner: u32,
    },
    /// It is a symbolic link.
    #[error("{} is a symbolic link: name the path that it leads to", .path.display())]
    Symlink {
        /// Where.
        path: PathBuf,
    },
    /// It is a folder, a device, a pipe.
    #[error("{} is not a regular file: name another path", .path.display())]
    NotAFile {
        /// Where.
        path: PathBuf,
    },
    /// Its file system cannot be trusted with locks.
    #[error("{} lies on {kind}, where locks cannot be relied on: keep the store on a local disk", .path.display())]
    Network {
        /// Where.
        path: PathBuf,
        /// The kind of file system.
        kind: &'static str,
    },
    /// Another process held it for longer than we wait.
    #[error("store busy: {} is held by {holder}; try again, or end that process if it hangs", .path.display())]
    Busy {
        /// Where.
        path: PathBuf,
        /// Who holds it, as far as is known.
        holder: String,
    },
    /// The disk failed, or another process came between, at the end of a commit.
    #[error("whether the change was kept is not sure ({why}): look at it before you make it again")]
    CommitResultUnknown {
        /// What was found.
        why: String,
    },
    /// No space, even with the reserve given up.
    #[error("the disk is full and nothing was changed: free some space, then try again")]
    Full,
    /// It can be read but not written.
    #[error(
        "the store's file system is read-only and nothing was changed: remount it, or name another store"
    )]
    ReadOnly,
    /// It was opened for reading alone, because the operator wanted it so.
    #[error(
        "patdeck runs read-only and nothing was changed: leave away --read-only, PATDECK_READ_ONLY or `read-only` in the settings to change something"
    )]
    ReadOnlyMode,
    /// It cannot be read as it is, and making it so would be a change.
    #[error("{} {why}, and patdeck runs read-only: start it once without --read-only", .path.display())]
    NeedsWriteAccess {
        /// Where.
        path: PathBuf,
        /// What keeps it from being read.
        why: &'static str,
    },
    /// The operating system denies access.
    #[error("{} may not be opened: run patdeck as the user that owns it", .path.display())]
    PermissionDenied {
        /// Where.
        path: PathBuf,
    },
    /// It was there and is not any more.
    #[error("{} is gone: put it back, or start patdeck again for an empty store", .path.display())]
    NotFound {
        /// Where.
        path: PathBuf,
    },
    /// One record is damaged; the others are not concerned.
    #[error("{0} is damaged and was not used: restore a backup")]
    Damaged(Damage),
    /// The file as a whole is damaged.
    #[error("the store is damaged ({why}): copy its file away, then restore a backup")]
    Broken {
        /// What was found.
        why: String,
    },
    /// The name belongs to another token.
    #[error("the name {name} is taken by {by}: choose another")]
    NameTaken {
        /// The name.
        name: Name,
        /// Who has it.
        by: TokenId,
    },
    /// A record does not fit into what one may take.
    #[error("this record is too large for {table}: shorten its texts")]
    TooLarge {
        /// Where it was to go.
        table: &'static str,
    },
    /// Anything else that the operating system says.
    #[error("the store cannot be used ({why}): check its disk, then try again")]
    Io {
        /// What the system says.
        why: String,
    },
}

impl StoreError {
    /// Whether one record is damaged, and nothing else is wrong.
    pub fn is_damage(&self) -> bool {
        matches!(self, Self::Damaged(_))
    }

    /// This error, where it came too late to say that nothing was changed.
    pub(super) fn commit_unknown(self) -> Self {
        let why = match self {
            Self::Full => "the disk is full".to_owned(),
            Self::ReadOnly => "the store's file system is read-only".to_owned(),
            Self::Io { why } | Self::Broken { why } => why,
            other => other.to_string(),
        };
        Self::CommitResultUnknown { why }
    }

    /// What the system said about the file or folder at `path`.
    pub(super) fn at(path: &Path, error: &io::Error) -> Self {
        let path = path.to_owned();
        match error.kind() {
            ErrorKind::NotFound => Self::NotFound { path },
            ErrorKind::PermissionDenied => Self::PermissionDenied { path },
            // What `O_NOFOLLOW` says of a link. The kind of this number is not stable.
            _ if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => {
                Self::Symlink { path }
            }
            ErrorKind::IsADirectory => Self::NotAFile { path },
            _ => Self::from(error),
        }
    }
}

impl From<&io::Error> for StoreError {
    fn from(error: &io::Error) -> Self {
        // What waits for a lock says itself whom it waited for.
        if let Some(said) = error.get_ref().and_then(|inner| inner.downcast_ref::<Self>()) {
            return said.clone();
        }
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Self::Full,
            ErrorKind::ReadOnlyFilesystem => Self::ReadOnly,
            ErrorKind::UnexpectedEof => Self::Broken { why: "its end is missing".to_owned() },
            _ => Self::Io { why: error.to_string() },
        }
    }
}

impl From<StorageError> for StoreError {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Io(error) => Self::from(&error),
            StorageError::Corrupted(why) => Self::Broken { why },
            other => Self::Io { why: other.to_string() },
        }
    }
}

impl From<TableError> for StoreError {
    fn from(error: TableError) -> Self {
        match error {
            TableError::Storage(error) => error.into(),
            other => Self::Broken { why: other.to_string() },
        }
    }
}

impl From<TransactionError> for StoreError {
    fn from(error: TransactionError) -> Self {
        match error {
            TransactionError::Storage(error) => error.into(),
            other => Self::Io { why: other.to_string() },
        }
    }
}

impl From<CommitError> for StoreError {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Storage(error) => error.into(),
            other => Self::Io { why: other.to_string() },
        }
    }
}
