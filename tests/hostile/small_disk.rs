//! A small file system that a test fills, empties and fills again: tmpfs, or ext4 on a loop device.
//! Mounting needs root; elsewhere the file size limit of a process takes the place of a full disk.

use std::{
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use tempfile::TempDir;

/// The kinds of small file systems.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DiskKind {
    Tmpfs,
    Ext4,
}

/// A mounted file system. It is unmounted on drop.
pub(crate) struct SmallDisk {
    mounted: PathBuf,
    /// Contains the mount point and the image.
    _folder: TempDir,
}

impl SmallDisk {
    /// Mounts a file system of `mebibytes`. Returns `None` with a message where this is not
    /// permitted.
    pub(crate) fn mount(kind: DiskKind, mebibytes: u32) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let (mounted, image) = (folder.path().join("disk"), folder.path().join("image"));
        fs::create_dir(&mounted).unwrap();
        let succeeds = |program: &str, arguments: &[&str], paths: &[&Path]| {
            let mut command = Command::new(program);
            command.args(arguments).args(paths).output().is_ok_and(|done| done.status.success())
        };
        let is_mounted = match kind {
            DiskKind::Tmpfs => {
                let size = format!("size={mebibytes}m,mode=700");
                succeeds("mount", &["-t", "tmpfs", "-o", &size, "none"], &[&mounted])
            }
            DiskKind::Ext4 => {
                File::create(&image).unwrap().set_len(u64::from(mebibytes) << 20).unwrap();
                // No blocks are reserved for root, so that root meets a full disk too.
                succeeds("mkfs.ext4", &["-q", "-m", "0"], &[&image])
                    && succeeds("mount", &["-o", "loop"], &[&image, &mounted])
            }
        };
        if !is_mounted {
            println!("skipped: {kind:?} cannot be mounted here, which needs root");
            return None;
        }
        let disk = Self { mounted, _folder: folder };
        disk.make_private();
        Some(disk)
    }

    fn make_private(&self) {
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        fs::set_permissions(&self.mounted, mode).unwrap();
        fs::create_dir(self.fillers()).unwrap();
    }

    pub(crate) fn path(&self) -> &Path {
        &self.mounted
    }

    fn fillers(&self) -> PathBuf {
        self.mounted.join("fillers")
    }

    /// Uses up all space that is free now.
    pub(crate) fn fill(&self) {
        let number = fs::read_dir(self.fillers()).unwrap().count();
        // Fails if there is no space for another file.
        if let Ok(mut file) = File::create(self.fillers().join(number.to_string())) {
            for block in [vec![1; 64 << 10], vec![1; 512]] {
                while file.write_all(&block).is_ok() {}
            }
        }
    }

    /// Fills the disk again and again until `stop` is set.
    pub(crate) fn keep_full(&self, stop: &AtomicBool) {
        let path = self.fillers().join("loop");
        while !stop.load(Ordering::Relaxed) {
            let file = File::options().append(true).create(true).open(&path);
            let is_full = file.and_then(|mut file| file.write_all(&[1; 4_096])).is_err();
            if is_full {
                // Leaves the processor to the commands.
                thread::sleep(Duration::from_micros(200));
            }
        }
    }

    /// Gives all space back.
    pub(crate) fn empty(&self) {
        fs::remove_dir_all(self.fillers()).unwrap();
        fs::create_dir(self.fillers()).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.mounted).output();
    }
}
