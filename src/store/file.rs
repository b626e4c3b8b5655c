//! Where the store lies, checked as OpenSSH checks a key: 0600 in a folder of ours, no symbolic
//! link, no foreign owner, nothing that others can write on the way to it, no network file
//! system. redb creates its file 0644 and follows links, so it is given open files only.

use std::{
    fs::{self, DirBuilder, File, Metadata},
    io,
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _},
    path::{Path, PathBuf},
};

use rand::{TryRng as _, rngs::SysRng};
use rustix::fs::{CWD, Mode, OFlags, RenameFlags};

use super::{
    error::{Operation, StoreError},
    path_error::{PathProblem, PermissionFix},
};

/// File systems whose locks cannot be relied on, by the magic number that statfs tells. FUSE
/// stands for any of its kind: what is behind it cannot be known.
const NETWORK: &[(u32, &str)] = &[
    (0x6969, "NFS"),
    (0x517b, "SMB"),
    (0xff53_4d42, "CIFS"),
    (0xfe53_4d42, "SMB"),
    (0x0102_1997, "9p"),
    (0x6573_5546, "FUSE"),
    (0x5346_414f, "AFS"),
    (0x6b41_4653, "AFS"),
    (0x7375_7245, "Coda"),
    (0x564c, "NCP"),
    (0x00c3_6400, "Ceph"),
    (0x0116_1970, "GFS2"),
    (0x7461_636f, "OCFS2"),
    (0x0bd0_0bd0, "Lustre"),
    (0x4750_4653, "GPFS"),
    (0x786f_4256, "a VirtualBox share"),
    (0xbacb_acbc, "a VMware share"),
];

/// What tells a file from another that was put in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FileId {
    pub(super) device: u64,
    pub(super) inode: u64,
}

/// The place that `path` names, with links in its folder followed. Makes the folder (0700) if
/// it is missing, and refuses one that others could use against us.
pub(super) fn place(path: &Path) -> Result<PathBuf, StoreError> {
    let not_a_file = || PathProblem::NotAFile.at(path);
    let name = path.file_name().ok_or_else(not_a_file)?;
    let folder = folder_of(path);
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|error| StoreError::at(folder, &error))?;
    let folder = fs::canonicalize(folder).map_err(|error| StoreError::at(folder, &error))?;
    for (depth, on_the_way) in folder.ancestors().enumerate() {
        let found = fs::metadata(on_the_way).map_err(|error| StoreError::at(on_the_way, &error))?;
        judge_folder(on_the_way, &found, depth == 0)?;
    }
    if let Some(kind) = network(&folder)? {
        return Err(PathProblem::Network(kind).at(&folder));
    }
    Ok(folder.join(name))
}

/// The folder that `path` names a file in.
pub(super) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Refuses a folder in which others can put another file in the place of ours. Above the
/// store's own folder a group may write, for some systems give every user a group of their own,
/// and so may anybody where the sticky bit protects what is there, as in /tmp.
fn judge_folder(path: &Path, found: &Metadata, own: bool) -> Result<(), StoreError> {
    judge_owner(path, found)?;
    let sticky = found.mode() & 0o1000 != 0;
    let open = if own { found.mode() & 0o022 != 0 } else { found.mode() & 0o002 != 0 && !sticky };
    if !open {
        return Ok(());
    }
    let fix = if sticky {
        // Closing a folder that is meant for everybody would be bad advice.
        PermissionFix::PrivateFolder
    } else if own {
        PermissionFix::Chmod("700")
    } else {
        PermissionFix::Chmod("o-w")
    };
    Err(insecure_permissions(path, found, fix))
}

fn judge_file(path: &Path, found: &Metadata) -> Result<(), StoreError> {
    if found.is_symlink() {
        return Err(PathProblem::Symlink.at(path));
    }
    if !found.is_file() {
        return Err(PathProblem::NotAFile.at(path));
    }
    judge_owner(path, found)?;
    if found.mode() & 0o077 != 0 {
        return Err(insecure_permissions(path, found, PermissionFix::Chmod("600")));
    }
    Ok(())
}

/// What a file that somebody hands to us is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputTrust {
    /// It is a secret: nobody else may read it.
    Secret,
    /// It is believed: nobody else may write it.
    Content,
}

/// Refuses a file that others could read or change against what it is handed to us for. A pipe
/// is as safe as who started us made it.
pub fn judge_handed(path: &Path, file: &File, handed: InputTrust) -> Result<(), StoreError> {
    let found = file.metadata().map_err(|error| StoreError::at(path, &error))?;
    if !found.is_file() {
        return Ok(());
    }
    judge_owner(path, &found)?;
    let ours = found.uid() == rustix::process::geteuid().as_raw();
    let (forbidden, fix) = match handed {
        InputTrust::Secret if ours => (0o077, "600"),
        // A service is handed its credentials in files of root, by their group.
        InputTrust::Secret => (0o037, "o="),
        InputTrust::Content => (0o022, "go-w"),
    };
    if found.mode() & forbidden == 0 {
        return Ok(());
    }
    Err(insecure_permissions(path, &found, PermissionFix::Chmod(fix)))
}

fn judge_owner(path: &Path, found: &Metadata) -> Result<(), StoreError> {
    let owner = found.uid();
    if owner == 0 || owner == rustix::process::geteuid().as_raw() {
        return Ok(());
    }
    Err(PathProblem::ForeignOwner(owner).at(path))
}

fn insecure_permissions(path: &Path, found: &Metadata, fix: PermissionFix) -> StoreError {
    PathProblem::InsecurePermissions { mode: found.mode() & 0o7777, fix }.at(path)
}

#[cfg(target_os = "linux")]
fn network(folder: &Path) -> Result<Option<&'static str>, StoreError> {
    let told = rustix::fs::statfs(folder).map_err(|error| StoreError::at(folder, &error.into()))?;
    Ok(kind_of(&told))
}

#[cfg(not(target_os = "linux"))]
fn network(_: &Path) -> Result<Option<&'static str>, StoreError> {
    Ok(None)
}

/// Whether all of `file` can be read at once, and again: it is a regular file on this machine.
/// Anything else may keep a reader waiting for as long as somebody likes.
pub fn is_at_hand(file: &File) -> bool {
    #[cfg(target_os = "linux")]
    let is_local = rustix::fs::fstatfs(file).is_ok_and(|told| kind_of(&told).is_none());
    #[cfg(not(target_os = "linux"))]
    let is_local = true;
    is_local && file.metadata().is_ok_and(|found| found.is_file())
}

#[cfg(target_os = "linux")]
fn kind_of(told: &rustix::fs::StatFs) -> Option<&'static str> {
    // The type of the number differs between machines; it is one of 32 bits everywhere.
    let [a, b, c, d, ..] = told.f_type.to_le_bytes();
    kind_of_magic(u32::from_le_bytes([a, b, c, d]))
}

fn kind_of_magic(magic: u32) -> Option<&'static str> {
    let row = NETWORK.iter().find(|(number, _)| *number == magic);
    row.map(|(_, kind)| *kind)
}

/// Which file lies at `path` now, after the same checks as at the start. About a microsecond.
pub(super) fn identify(path: &Path) -> Result<FileId, StoreError> {
    let found = fs::symlink_metadata(path).map_err(|error| StoreError::at(path, &error))?;
    judge_file(path, &found)?;
    Ok(id(&found))
}

/// Opens what lies at `path`, and checks what was opened, not what the name stood for before.
pub(super) fn open(path: &Path, write: bool) -> Result<(File, FileId), StoreError> {
    let access = if write { OFlags::RDWR } else { OFlags::RDONLY };
    // A pipe without a writer would keep a plain open waiting.
    let flags = access | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let opened = rustix::fs::open(path, flags, Mode::empty());
    let file = File::from(opened.map_err(|error| StoreError::at(path, &error.into()))?);
    let found = file.metadata().map_err(|error| StoreError::at(path, &error))?;
    judge_file(path, &found)?;
    if found.len() == 0 {
        return Err(PathProblem::NotAStore.at(path));
    }
    Ok((file, id(&found)))
}

fn id(found: &Metadata) -> FileId {
    FileId { device: found.dev(), inode: found.ino() }
}

/// A fresh file (0600) at `path`; fails if anything is there, a link included.
pub(super) fn fresh(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mode = Mode::RUSR | Mode::WUSR;
    Ok(File::from(rustix::fs::open(path, flags, mode)?))
}

/// An empty file (0600) in `folder` that has no name any more.
pub(super) fn nameless(folder: &Path) -> Result<File, StoreError> {
    let draft = Draft::beside(&folder.join(".patdeck"))?;
    fresh(&draft.0).map_err(|error| StoreError::at(folder, &error))
}

/// Makes the file at `path` by `fill`, which is given an empty one under another name: nobody
/// ever sees half a file. Of two who make it at once one wins; whether that was this one.
pub(super) fn create(
    path: &Path,
    fill: impl FnOnce(File) -> Result<(), StoreError>,
) -> Result<bool, StoreError> {
    let failed = |error: io::Error| StoreError::at(path, &error);
    let draft = Draft::beside(path)?;
    fill(fresh(&draft.0).map_err(failed)?)?;
    let named = match rustix::fs::renameat_with(CWD, &draft.0, CWD, path, RenameFlags::NOREPLACE) {
        Ok(()) => true,
        Err(rustix::io::Errno::EXIST) => false,
        // Some file systems cannot rename that way; a second name for the file does the same.
        Err(_) => match fs::hard_link(&draft.0, path) {
            Ok(()) => true,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => false,
            Err(error) => return Err(failed(error)),
        },
    };
    let synced = File::open(folder_of(path)).and_then(|folder| folder.sync_all());
    synced.map(|()| named).map_err(failed)
}

/// A file under a passing name, removed whatever happens.
struct Draft(PathBuf);

impl Draft {
    /// A name that nothing has, in the folder of `path`.
    fn beside(path: &Path) -> Result<Self, StoreError> {
        let nonce = SysRng.try_next_u64();
        let nonce = nonce.map_err(|error| StoreError::failed(Operation::Create, error))?;
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{nonce:016x}.new"));
        Ok(Self(name.into()))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // Gone already when it got its name.
        let _ = fs::remove_file(&self.0);
    }
}

#[cfg(test)]
#[path = "file_tests.rs"]
mod tests;
