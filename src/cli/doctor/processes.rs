//! Who else has the store open, as far as this account may see. A running patdeck hides its open
//! files even from its owner, so one of those is told as a possibility.

use std::{
    fs::{self, Metadata},
    os::unix::fs::MetadataExt as _,
    path::Path,
};

use super::Report;
use crate::domain::text::escape;

/// What may be seen of a process.
enum Sight {
    Holds,
    Free,
    Hidden,
}

pub(super) fn look(report: &mut Report, store: &Metadata) {
    let Ok(all) = fs::read_dir("/proc/self").and_then(|_| fs::read_dir("/proc")) else {
        report.unknown("open in", "there is no /proc to look into");
        return;
    };
    let numbers = all.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let (mut holders, mut hidden) = (Vec::new(), 0_usize);
    for process in numbers.filter(|process| *process != std::process::id()) {
        match sight(process, store) {
            Sight::Holds => holders.push(called(process)),
            Sight::Hidden if name(process) == "patdeck" => {
                holders.push(format!("perhaps {}", called(process)));
            }
            Sight::Hidden => hidden += 1,
            Sight::Free => {}
        }
    }
    if holders.is_empty() {
        holders.push("no process that can be seen".to_owned());
    }
    report.fact("open in", holders);
    if hidden > 0 {
        report.fact("processes unseen", hidden);
    }
}

fn sight(process: u32, store: &Metadata) -> Sight {
    let Ok(open) = fs::read_dir(format!("/proc/{process}/fd")) else {
        // Gone in the meantime is no secret.
        return if Path::new(&format!("/proc/{process}")).exists() {
            Sight::Hidden
        } else {
            Sight::Free
        };
    };
    let holds = open.flatten().any(|file| {
        let same = |found: Metadata| (found.dev(), found.ino()) == (store.dev(), store.ino());
        fs::metadata(file.path()).is_ok_and(same)
    });
    if holds { Sight::Holds } else { Sight::Free }
}

fn name(process: u32) -> String {
    let name = fs::read_to_string(format!("/proc/{process}/comm")).unwrap_or_default();
    escape(name.trim_end()).into_owned()
}

fn called(process: u32) -> String {
    format!("{} (process {process})", name(process))
}
