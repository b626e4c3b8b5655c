//! Checks the store's path as OpenSSH checks a key file. Refuses a file that is not 0600, a
//! symbolic link, a foreign owner, a folder in the path that other users can write, and a network
//! file system. Opens and creates all files itself, because redb would create files with mode 0644
//! and follow links. Called by `file_db`, `backup` and `register`; the service uses it for input
//! files.

use std::{
    fs::{self, DirBuilder, File, Metadata},
    io,
    os::unix::fs::{DirBuilderExt as _, FileExt as _, FileTypeExt as _, MetadataExt as _},
    path::{Path, PathBuf},
};

use rustix::{
    fs::{CWD, Mode, OFlags, RenameFlags},
    io::Errno,
};

use super::{
    error::StoreError,
    path_error::{PathProblem, PermissionFix},
    temp_file::TempFile,
};

/// File systems with unreliable locks: the magic number from `statfs`, and the name for messages.
/// FUSE is in the list, because the file system behind it is unknown.
const NETWORK_FILE_SYSTEMS: &[(u32, &str)] = &[
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

/// Identifies a file, so that a replacement at the same path is noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FileId {
    pub(super) device: u64,
    pub(super) inode: u64,
}

/// Returns `path` with the links in its folder resolved. Creates the folder (0700) if it is missing
/// and `create_folder` is set. Refuses a folder in which other users could replace the store, and a
/// network file system.
pub(super) fn resolve_store_path(path: &Path, create_folder: bool) -> Result<PathBuf, StoreError> {
    let not_a_file = || PathProblem::NotAFile.at(path);
    let name = path.file_name().ok_or_else(not_a_file)?;
    let folder = folder_of(path);
    if create_folder {
        create_private_folder(folder)?;
    }
    let folder = fs::canonicalize(folder).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => PathProblem::NoStore.at(path),
        _ => StoreError::at(folder, &error),
    })?;
    for (depth, ancestor) in folder.ancestors().enumerate() {
        let metadata = fs::metadata(ancestor).map_err(|error| StoreError::at(ancestor, &error))?;
        check_folder(ancestor, &metadata, depth == 0)?;
    }
    if let Some(kind) = network_file_system(&folder)? {
        return Err(PathProblem::Network(kind).at(&folder));
    }
    Ok(folder.join(name))
}

/// Creates `folder` and its missing ancestors with mode 0700. Creates nothing if the nearest
/// existing ancestor belongs to another user: with `sudo -E`, root has the HOME of a user, who
/// could then not use the new folders.
///
/// # Errors
///
/// Returns [`PathProblem::ForeignOwner`] with the path of that ancestor.
pub fn create_private_folder(folder: &Path) -> Result<(), StoreError> {
    let absolute = std::path::absolute(folder).map_err(|error| StoreError::at(folder, &error))?;
    for ancestor in absolute.ancestors() {
        match fs::metadata(ancestor) {
            Ok(metadata) => {
                check_owner(ancestor, &metadata)?;
                break;
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(StoreError::at(ancestor, &error)),
        }
    }
    let created = DirBuilder::new().recursive(true).mode(0o700).create(&absolute);
    created.map_err(|error| StoreError::at(folder, &error))
}

/// Returns the folder of the file at `path`, or `.` if the path is only a file name.
pub(super) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Refuses a folder in which other users could replace the store's file. Only the owner may write
/// to the store's own folder. A group may write to a higher folder, because some systems give each
/// user a private group. All users may write to a higher folder only if its sticky bit is set, as
/// in /tmp.
fn check_folder(path: &Path, metadata: &Metadata, is_own: bool) -> Result<(), StoreError> {
    check_owner(path, metadata)?;
    let sticky = metadata.mode() & 0o1000 != 0;
    let is_insecure =
        if is_own { metadata.mode() & 0o022 != 0 } else { metadata.mode() & 0o002 != 0 && !sticky };
    if !is_insecure {
        return Ok(());
    }
    let fix = if sticky {
        // Other users need a folder with the sticky bit, so do not advise removing their access.
        PermissionFix::PrivateFolder
    } else if is_own {
        PermissionFix::Chmod("700")
    } else {
        PermissionFix::Chmod("o-w")
    };
    Err(insecure_permissions(path, metadata, fix))
}

/// The first bytes of every redb file.
const REDB_MAGIC: &[u8; 9] = b"redb\x1a\x0a\xa9\x0d\x0a";

/// What a checked file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FileRole {
    Store,
    /// The revocation register, which is no file of redb.
    Register,
}

/// Checks the file with this `metadata`. If other users have access to a store, also reads its
/// content through `open`: the advice to change the mode would do harm to a file that is not a
/// store.
fn check_file(
    role: FileRole,
    path: &Path,
    metadata: &Metadata,
    open: impl FnOnce() -> io::Result<File>,
) -> Result<(), StoreError> {
    if metadata.is_symlink() {
        return Err(PathProblem::Symlink.at(path));
    }
    if !metadata.is_file() {
        return Err(PathProblem::NotAFile.at(path));
    }
    if metadata.len() == 0 {
        return Err(PathProblem::NotAStore.at(path));
    }
    check_access(path, metadata).map_err(|refused| match role {
        FileRole::Register => refused,
        FileRole::Store => match open().and_then(|file| is_redb(&file)) {
            Ok(true) => refused,
            Ok(false) => PathProblem::NotAStore.at(path),
            Err(error) => StoreError::at(path, &error),
        },
    })
}

fn is_redb(file: &File) -> io::Result<bool> {
    let mut start = [0; REDB_MAGIC.len()];
    let read = file.read_at(&mut start, 0)?;
    Ok(start.get(..read) == Some(REDB_MAGIC.as_slice()))
}

fn check_access(path: &Path, metadata: &Metadata) -> Result<(), StoreError> {
    check_owner(path, metadata)?;
    if metadata.mode() & 0o077 != 0 {
        return Err(insecure_permissions(path, metadata, PermissionFix::Chmod("600")));
    }
    Ok(())
}

/// How a command uses an input file. This determines which permissions the file may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputSensitivity {
    /// The file contains a secret. Other users must not be able to read the file.
    Secret,
    /// The command trusts the content of the file. Other users must not be able to write to the
    /// file.
    Content,
}

/// Refuses an open input file whose permissions do not suit `trust`. A pipe must belong to this
/// user or root. Does not check other non-regular files, because the user who started patdeck chose
/// them.
pub fn check_input_file(
    path: &Path,
    file: &File,
    trust: InputSensitivity,
) -> Result<(), StoreError> {
    let metadata = file.metadata().map_err(|error| StoreError::at(path, &error))?;
    if metadata.file_type().is_fifo() {
        return check_owner(path, &metadata);
    }
    if !metadata.is_file() {
        return Ok(());
    }
    check_owner(path, &metadata)?;
    let is_own = metadata.uid() == rustix::process::geteuid().as_raw();
    let (forbidden, fix) = match trust {
        InputSensitivity::Secret if is_own => (0o077, "600"),
        // Root owns the file. Its group may read it, because a service can get its credentials this
        // way.
        InputSensitivity::Secret => (0o037, "o="),
        InputSensitivity::Content => (0o022, "go-w"),
    };
    if metadata.mode() & forbidden == 0 {
        return Ok(());
    }
    Err(insecure_permissions(path, &metadata, PermissionFix::Chmod(fix)))
}

fn check_owner(path: &Path, metadata: &Metadata) -> Result<(), StoreError> {
    let owner = metadata.uid();
    if owner == 0 || owner == rustix::process::geteuid().as_raw() {
        return Ok(());
    }
    Err(PathProblem::ForeignOwner(owner).at(path))
}

fn insecure_permissions(path: &Path, metadata: &Metadata, fix: PermissionFix) -> StoreError {
    PathProblem::InsecurePermissions { mode: metadata.mode() & 0o7777, fix }.at(path)
}

#[cfg(target_os = "linux")]
fn network_file_system(folder: &Path) -> Result<Option<&'static str>, StoreError> {
    let stat = rustix::fs::statfs(folder).map_err(|error| StoreError::at(folder, &error.into()))?;
    Ok(network_kind(&stat))
}

#[cfg(not(target_os = "linux"))]
fn network_file_system(_: &Path) -> Result<Option<&'static str>, StoreError> {
    Ok(None)
}

/// Whether `file` is a regular file on a local file system. Reading any other file may block for an
/// unlimited time, and may not be possible twice.
pub fn is_local_regular_file(file: &File) -> bool {
    #[cfg(target_os = "linux")]
    let is_local = rustix::fs::fstatfs(file).is_ok_and(|stat| network_kind(&stat).is_none());
    #[cfg(not(target_os = "linux"))]
    let is_local = true;
    is_local && file.metadata().is_ok_and(|metadata| metadata.is_file())
}

#[cfg(target_os = "linux")]
fn network_kind(stat: &rustix::fs::StatFs) -> Option<&'static str> {
    // The type of `f_type` differs between platforms. The value has 32 bits on all of them.
    let [a, b, c, d, ..] = stat.f_type.to_le_bytes();
    network_kind_of_magic(u32::from_le_bytes([a, b, c, d]))
}

fn network_kind_of_magic(magic: u32) -> Option<&'static str> {
    let row = NETWORK_FILE_SYSTEMS.iter().find(|(number, _)| *number == magic);
    row.map(|(_, kind)| *kind)
}

/// Identifies the store that is at `path` now, with the same checks as [`open`]. Takes about 1 µs.
pub(super) fn identify(path: &Path) -> Result<FileId, StoreError> {
    identify_as(FileRole::Store, path)
}

/// Like [`identify`], for a file with this role.
pub(super) fn identify_as(role: FileRole, path: &Path) -> Result<FileId, StoreError> {
    let metadata = fs::symlink_metadata(path).map_err(|error| store_error(path, &error))?;
    check_file(role, path, &metadata, || open_no_follow(path, OFlags::RDONLY))?;
    Ok(file_id(&metadata))
}

/// Opens the store at `path`. Checks the open file instead of the path, because another file could
/// be at the path after a check.
pub(super) fn open(path: &Path, write: bool) -> Result<(File, FileId), StoreError> {
    open_as(FileRole::Store, path, write)
}

/// Like [`open`], for a file with this role.
pub(super) fn open_as(
    role: FileRole,
    path: &Path,
    write: bool,
) -> Result<(File, FileId), StoreError> {
    let access = if write { OFlags::RDWR } else { OFlags::RDONLY };
    let file = open_no_follow(path, access).map_err(|error| store_error(path, &error))?;
    let metadata = file.metadata().map_err(|error| StoreError::at(path, &error))?;
    check_file(role, path, &metadata, || file.try_clone())?;
    Ok((file, file_id(&metadata)))
}

fn open_no_follow(path: &Path, access: OFlags) -> io::Result<File> {
    // `NONBLOCK`, because opening a pipe without a writer would block.
    let flags = access | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let open = |flags| rustix::fs::open(path, flags, Mode::empty());
    // `NOATIME` saves 0.1 µs with each read. The kernel refuses it to all but the owner.
    let opened = match open(flags | OFlags::NOATIME) {
        Err(Errno::PERM) => open(flags),
        opened => opened,
    };
    Ok(File::from(opened?))
}

/// Opens the regular file at `path` only to lock it.
pub(super) fn open_to_lock(path: &Path) -> io::Result<File> {
    let file = open_no_follow(path, OFlags::RDONLY)?;
    if !file.metadata()?.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    Ok(file)
}

/// Converts the error from opening the store's file at `path`.
fn store_error(path: &Path, error: &io::Error) -> StoreError {
    match error.kind() {
        io::ErrorKind::NotFound => PathProblem::NoStore.at(path),
        _ => StoreError::at(path, error),
    }
}

fn file_id(metadata: &Metadata) -> FileId {
    FileId { device: metadata.dev(), inode: metadata.ino() }
}

/// Creates a file (0600) at `path`. Fails if the path exists, even if it is only a link.
pub(super) fn create_exclusive(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mode = Mode::RUSR | Mode::WUSR;
    Ok(File::from(rustix::fs::open(path, flags, mode)?))
}

/// Creates an empty file (0600) in `folder` and removes its name.
pub(super) fn anonymous_file(folder: &Path) -> Result<File, StoreError> {
    TempFile::next_to(&folder.join(".patdeck")).map(|(_, file)| file)
}

/// Creates the file at `path` in one step: `fill` writes a file under a temporary name, and the
/// file is then renamed. If another process creates `path` first, returns `false` and keeps the
/// file of that process.
pub(super) fn create_atomically(
    path: &Path,
    fill: impl FnOnce(File) -> Result<(), StoreError>,
) -> Result<bool, StoreError> {
    let failed = |error: io::Error| StoreError::at(path, &error);
    let (temp, empty) = TempFile::next_to(path)?;
    fill(empty)?;
    let is_created =
        match rustix::fs::renameat_with(CWD, &temp.path, CWD, path, RenameFlags::NOREPLACE) {
            Ok(()) => true,
            Err(rustix::io::Errno::EXIST) => false,
            // Some file systems do not support `NOREPLACE`. Creating a hard link fails, too, if
            // `path` exists.
            Err(_) => match fs::hard_link(&temp.path, path) {
                Ok(()) => true,
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => false,
                Err(error) => return Err(failed(error)),
            },
        };
    let synced = File::open(folder_of(path)).and_then(|folder| folder.sync_all());
    synced.map(|()| is_created).map_err(failed)
}

/// As [`create_atomically`], but replaces the file at `path` if there is one.
pub(super) fn replace_atomically(
    path: &Path,
    fill: impl FnOnce(File) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let failed = |error: io::Error| StoreError::at(path, &error);
    let (temp, empty) = TempFile::next_to(path)?;
    fill(empty)?;
    fs::rename(&temp.path, path).map_err(failed)?;
    File::open(folder_of(path)).and_then(|folder| folder.sync_all()).map_err(failed)
}

#[cfg(test)]
#[path = "path_security_tests.rs"]
mod tests;
