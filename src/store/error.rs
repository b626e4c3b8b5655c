//! Why the store refused, in sentences that say what to do next. Faces print them as they are.

use std::{fmt, path::PathBuf};

use crate::domain::TokenId;

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
    #[error("{} has format {found} and this patdeck knows {known}: update patdeck, the file was left as it is", .path.display())]
    Newer {
        /// Where.
        path: PathBuf,
        /// Its schema number.
        found: u32,
        /// The highest that this program knows.
        known: u32,
    },
    /// Others could read or change it.
    #[error("{} is open to others (mode {mode:04o}): run `{fix}`", .path.display())]
    Loose {
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
    #[error("{} is in use by {holder}: try again, or end that process if it hangs", .path.display())]
    Busy {
        /// Where.
        path: PathBuf,
        /// Who holds it, as far as is known.
        holder: String,
    },
    /// No space, even with the reserve given up.
    #[error("the disk of {} is full and nothing was changed: free some space, then try again", .path.display())]
    Full {
        /// The store.
        path: PathBuf,
    },
    /// It can be read but not written.
    #[error("{} cannot be written, its file system is read-only: remount it, or use another store", .path.display())]
    ReadOnly {
        /// The store.
        path: PathBuf,
    },
    /// The operating system denies access.
    #[error("{} may not be opened: run patdeck as the user that owns it", .path.display())]
    Denied {
        /// Where.
        path: PathBuf,
    },
    /// It was there and is not any more.
    #[error("{} is gone: put it back, or start patdeck again for an empty store", .path.display())]
    Gone {
        /// Where.
        path: PathBuf,
    },
    /// One record is damaged; the others are not concerned.
    #[error("{0} is damaged and was not used: restore a backup, or delete this record")]
    Damaged(Damage),
    /// The file as a whole is damaged.
    #[error("{} is damaged ({why}): copy it away, then restore a backup", .path.display())]
    Broken {
        /// Where.
        path: PathBuf,
        /// What was found.
        why: String,
    },
    /// The name belongs to another token.
    #[error("the name {name} is taken by {by}: choose another")]
    NameTaken {
        /// The name.
        name: String,
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
    #[error("{} failed ({why}): nothing was changed, check the disk, then try again", .path.display())]
    Io {
        /// The store.
        path: PathBuf,
        /// What the system says.
        why: String,
    },
}
