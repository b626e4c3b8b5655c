//! Who has the store open for writing, for the message of a write that waited in vain. Looks
//! through /proc at what this account may see; elsewhere, and when in doubt, it names nobody.

use std::{fs, os::unix::fs::MetadataExt as _, path::Path};

use super::file::FileId;

/// The process that holds the lock of a writer on the file, in words.
pub(super) fn holder(file: FileId) -> String {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    processes
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .find_map(|process| named(process, file))
        .unwrap_or_else(|| "another patdeck".to_owned())
}

fn named(process: u32, file: FileId) -> Option<String> {
    let home = Path::new("/proc").join(process.to_string());
    let holds = fs::read_dir(home.join("fd")).ok()?.flatten().any(|open| {
        let here = fs::metadata(open.path());
        let same = here.is_ok_and(|m| m.dev() == file.device && m.ino() == file.inode);
        same && fs::read_to_string(home.join("fdinfo").join(open.file_name()))
            .is_ok_and(|told| is_writer(&told))
    });
    let stat = holds.then(|| fs::read_to_string(home.join("stat")))?.ok()?;
    Some(in_words(process, &stat))
}

/// Whether a file's locks, as the kernel lists them, are those of a writer: it has some for
/// itself alone, a reader shares all of its.
fn is_writer(fdinfo: &str) -> bool {
    fdinfo.lines().any(|line| line.starts_with("lock:") && line.contains(" WRITE "))
}

/// `patdeck (process 7, stopped)`, from the kernel's line `7 (patdeck) T …`.
fn in_words(process: u32, stat: &str) -> String {
    let name = stat.split_once('(').and_then(|(_, rest)| rest.rsplit_once(')'));
    let (name, state) = name.unwrap_or(("patdeck", ""));
    let stopped = state.trim_start().starts_with(['T', 't']);
    let state = if stopped { ", stopped" } else { "" };
    format!("{} (process {process}{state})", crate::domain::text::escape(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_holder_is_named_with_what_keeps_it() {
        assert_eq!(in_words(7, "7 (a) b) T 1 7"), "a) b (process 7, stopped)");
        assert_eq!(in_words(8, "8 (patdeck) S 1 8"), "patdeck (process 8)");
    }

    #[test]
    fn a_reader_is_no_holder() {
        let reader = "pos:\t0\nlock:\t1: OFDLCK ADVISORY  READ -1 fe:00:12 4 4\n";
        let writer = "lock:\t1: OFDLCK ADVISORY  WRITE -1 fe:00:12 4 4\n";
        assert!(!is_writer(reader));
        assert!(is_writer(writer));
    }
}
