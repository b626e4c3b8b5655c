//! Lists the other processes that have the store open, as far as this user may inspect them. A
//! running patdeck hides its open files even from its own user, and is therefore listed with the
//! word `possibly`.

use std::{
    fs::{self, Metadata},
    os::unix::fs::MetadataExt as _,
    path::Path,
};

use super::DoctorReport;
use crate::domain::terminal_text::escape;

pub(super) fn collect(report: &mut DoctorReport, store: &Metadata) {
    let Ok(all) = fs::read_dir("/proc/self").and_then(|_| fs::read_dir("/proc")) else {
        report.unknown("open in", "/proc is not available");
        return;
    };
    let ids = all.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let (mut holders, mut hidden) = (Vec::new(), 0_usize);
    for process in ids.filter(|process| *process != std::process::id()) {
        match has_open(process, store) {
            Some(true) => holders.push(describe_process(process)),
            None if name(process) == "patdeck" => {
                holders.push(format!("possibly {}", describe_process(process)));
            }
            None => hidden += 1,
            Some(false) => {}
        }
    }
    if holders.is_empty() {
        holders.push("no visible process".to_owned());
    }
    report.fact("open in", holders);
    if hidden > 0 {
        report.fact("processes unseen", hidden);
    }
}

/// Whether the process has the store open; `None` if this user may not inspect it.
fn has_open(process: u32, store: &Metadata) -> Option<bool> {
    let Ok(mut open) = fs::read_dir(format!("/proc/{process}/fd")) else {
        // A process that has ended does not have the store open.
        return if Path::new(&format!("/proc/{process}")).exists() { None } else { Some(false) };
    };
    let is_store = |file: Metadata| (file.dev(), file.ino()) == (store.dev(), store.ino());
    Some(open.any(|file| file.is_ok_and(|file| fs::metadata(file.path()).is_ok_and(is_store))))
}

fn name(process: u32) -> String {
    let name = fs::read_to_string(format!("/proc/{process}/comm")).unwrap_or_default();
    escape(name.trim_end()).into_owned()
}

fn describe_process(process: u32) -> String {
    format!("{} (process {process})", name(process))
}
