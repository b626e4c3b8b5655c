//! Finds the files that `scan` searches: applies the ignore rules, searches links to folders as
//! folders, and opens each file once. Refuses devices and the file systems of the kernel, whose
//! files can be endless. Names what it cannot open.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    fs::Metadata,
    io::{self, BufRead as _, BufReader, Read},
    os::unix::fs::{FileTypeExt as _, MetadataExt as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use ignore::{DirEntry, WalkBuilder};
use rustix::fs::statfs;

use super::{
    super::{exit::CliError, input_file::open_to_search, print::print_hint},
    Scan,
    nested::ResultSink,
};
use crate::domain::terminal_text::escape;

/// Numbers of the file systems that the kernel makes up: proc, sysfs, devpts, debugfs, tracefs,
/// securityfs, cgroup, cgroup2, bpf, pstore, configfs, efivarfs, mqueue, nsfs, selinuxfs, fusectl,
/// `binfmt_misc`. See `man 2 statfs`.
const KERNEL_FILE_SYSTEMS: [u64; 17] = [
    0x9fa0,
    0x6265_6572,
    0x1cd1,
    0x6462_6720,
    0x7472_6163,
    0x7363_6673,
    0x0027_e0eb,
    0x6367_7270,
    0xcafe_4a11,
    0x6165_676c,
    0x6265_6570,
    0xde5e_81e4,
    0x1980_0202,
    0x6e73_6673,
    0xf97c_ff8c,
    0x6573_5543,
    0x4249_4e4d,
];
const KERNEL_FILES: &str = "files of the kernel, not of a disk";

/// Device and inode of a file or folder.
type FileId = (u64, u64);

/// Folders of the walk. The filter of the walk shares them.
#[derive(Default)]
struct Folders {
    visited: HashSet<FileId>,
    /// For each device, whether the kernel makes up its files.
    kernel_devices: HashMap<u64, bool>,
    /// Folders that were left out because of their file system.
    refused: Vec<PathBuf>,
}

impl Folders {
    /// Records that the walk visits a folder. Returns false if the folder must not be visited: it was
    /// visited before, or its file system is one of the kernel.
    fn enter(&mut self, path: &Path, metadata: &Metadata) -> bool {
        if self.is_of_kernel(path, metadata) {
            self.refused.push(path.to_owned());
            return false;
        }
        self.visited.insert(file_id(metadata))
    }

    fn is_of_kernel(&mut self, path: &Path, metadata: &Metadata) -> bool {
        *self.kernel_devices.entry(metadata.dev()).or_insert_with(|| {
            let kind = statfs(path).ok().and_then(|stat| u64::try_from(stat.f_type).ok());
            kind.is_some_and(|kind| KERNEL_FILE_SYSTEMS.contains(&kind))
        })
    }
}

fn lock(folders: &Mutex<Folders>) -> MutexGuard<'_, Folders> {
    folders.lock().unwrap_or_else(PoisonError::into_inner)
}

fn file_id(metadata: &Metadata) -> FileId {
    (metadata.dev(), metadata.ino())
}

/// Calls `search` with each file and its path, in the order of the arguments; links inside folders
/// follow at the end. Returns an error if a path of the arguments does not exist.
pub(super) fn for_each_file(
    args: &Scan,
    sink: &dyn ResultSink,
    search: impl FnMut(&str, &mut dyn Read),
) -> Result<(), CliError> {
    for path in args.paths.iter().filter(|path| path.as_os_str() != "-") {
        std::fs::symlink_metadata(path).map_err(|error| {
            let path = path.to_string_lossy();
            CliError::usage(format!("cannot search {} ({error})", escape(&path)))
        })?;
    }
    let mut walk = FileWalk {
        args,
        sink,
        search,
        folders: Arc::default(),
        files: HashSet::new(),
        links: VecDeque::new(),
    };
    for path in &args.paths {
        if path.as_os_str() == "-" {
            let mut input = BufReader::new(io::stdin().lock());
            // A search of the output of a command that failed must not look like one of all of it.
            if input.fill_buf().is_ok_and(<[u8]>::is_empty) {
                print_hint(
                    "standard input was empty: check that the command before the pipe succeeded",
                );
            }
            (walk.search)("-", &mut input);
        } else {
            walk.visit_target(path, true);
        }
    }
    while let Some(link) = walk.links.pop_front() {
        walk.visit_target(&link, false);
    }
    Ok(())
}

struct FileWalk<'a, F> {
    args: &'a Scan,
    sink: &'a dyn ResultSink,
    search: F,
    folders: Arc<Mutex<Folders>>,
    files: HashSet<FileId>,
    /// Links that were met in folders, for the end: a file is named by its path, not by a link.
    links: VecDeque<PathBuf>,
}

impl<F: FnMut(&str, &mut dyn Read)> FileWalk<'_, F> {
    /// Searches the file or folder at `path` or, for a link, its target.
    fn visit_target(&mut self, path: &Path, is_argument: bool) {
        match std::fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => self.visit_folder(path, &metadata),
            Ok(metadata) => self.visit_file(path, &metadata, is_argument),
            Err(error) => self.refuse(path, &error.to_string()),
        }
    }

    fn visit_folder(&mut self, path: &Path, metadata: &Metadata) {
        let is_entered = lock(&self.folders).enter(path, metadata);
        if is_entered {
            let folders = Arc::clone(&self.folders);
            let mut walk = WalkBuilder::new(path);
            walk.standard_filters(!self.args.no_ignore).hidden(self.args.skip_hidden);
            walk.filter_entry(move |entry| must_visit(entry, &folders));
            for entry in walk.build() {
                if self.sink.is_stopped() {
                    return;
                }
                match entry {
                    Ok(entry) => self.visit_entry(&entry),
                    Err(error) => self.refuse_entry(&error),
                }
            }
        }
        let refused = std::mem::take(&mut lock(&self.folders).refused);
        for path in refused {
            self.refuse(&path, KERNEL_FILES);
        }
    }

    fn visit_entry(&mut self, entry: &DirEntry) {
        let Some(kind) = entry.file_type() else { return };
        // The argument itself has depth 0 and is a folder, even if it is a link to one.
        if kind.is_dir() || entry.depth() == 0 {
            return;
        }
        if kind.is_symlink() {
            self.links.push_back(entry.path().to_owned());
            return;
        }
        match entry.metadata() {
            Ok(metadata) => self.visit_file(entry.path(), &metadata, false),
            Err(error) => self.refuse_entry(&error),
        }
    }

    /// Searches a file. A pipe or socket stores no content; only a pipe that is an argument, such as
    /// `<(…)`, is read.
    fn visit_file(&mut self, path: &Path, metadata: &Metadata, is_argument: bool) {
        let kind = metadata.file_type();
        if kind.is_char_device() || kind.is_block_device() {
            return self.refuse(path, "a device");
        }
        if !(kind.is_file() || is_argument && kind.is_fifo()) {
            return;
        }
        if !is_argument && lock(&self.folders).is_of_kernel(path, metadata) {
            return self.refuse(path, KERNEL_FILES);
        }
        if kind.is_file() && !self.files.insert(file_id(metadata)) {
            return;
        }
        match open_to_search(path, kind) {
            Ok(mut file) => (self.search)(&path.to_string_lossy(), &mut file),
            Err(error) => self.refuse(path, &error.to_string()),
        }
    }

    fn refuse(&self, path: &Path, reason: &str) {
        self.sink.not_searched(&path.to_string_lossy(), reason);
    }

    fn refuse_entry(&self, error: &ignore::Error) {
        match error {
            ignore::Error::WithPath { path, err } => self.refuse(path, &err.to_string()),
            ignore::Error::WithDepth { err, .. } => self.refuse_entry(err),
            error => self.sink.not_searched("a folder", &error.to_string()),
        }
    }
}

/// Whether the walk must visit an entry: no folder twice, and none of the kernel.
fn must_visit(entry: &DirEntry, folders: &Mutex<Folders>) -> bool {
    let is_folder = entry.file_type().is_some_and(|kind| kind.is_dir());
    if !is_folder || entry.depth() == 0 {
        return true;
    }
    // The walk reports a folder that it cannot read.
    let Ok(metadata) = entry.metadata() else { return true };
    lock(folders).enter(entry.path(), &metadata)
}
