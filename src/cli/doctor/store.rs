//! The store: its file and place as the system tells them, and its content in numbers.

use std::{
    fs::{self, Metadata},
    os::unix::fs::MetadataExt as _,
    path::Path,
};

use serde_json::json;

use super::{Open, Report, mode, processes};
use crate::{
    cli::{audit::KEEP, exit::CliError},
    config::Config,
    domain::{Status, Token},
    output::json::time,
    service::Health,
};

pub(super) fn look(report: &mut Report, config: Option<&Config>, open: Open<'_>) {
    report.part("store");
    let Some(config) = config else {
        report.unknown("file", "the settings have mistakes");
        return;
    };
    let path = config.store.as_path();
    report.fact("file", path.to_string_lossy());
    let mounted = file_system(path);
    report.either("file system", mounted);
    match fs::symlink_metadata(path) {
        Ok(found) if !found.is_file() => {
            report.unknown("state", "this is not a file");
            report.attend(format!("{} is not a file: name another store", path.display()));
        }
        Ok(found) => {
            file(report, path, &found);
            content(report, config, open);
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            report.fact("state", "not there yet: it is made when it is first used");
        }
        Err(error) => {
            report.unknown("state", &error.to_string());
            let shown = path.display();
            report.attend(format!(
                "{shown} cannot be looked at ({error}): run patdeck as the user that owns it"
            ));
        }
    }
}

fn file(report: &mut Report, path: &Path, found: &Metadata) {
    report.fact("mode", mode(found));
    report.fact("owner", found.uid());
    report.fact("bytes", found.len());
    if let Some(Ok(folder)) = path.parent().map(fs::metadata) {
        report.fact("folder mode", mode(&folder));
    }
    processes::look(report, found);
}

/// The space beside the store that a full disk is met with. The first change makes it.
fn reserve(report: &mut Report, store: &Path, events: u64) {
    let mut path = store.as_os_str().to_owned();
    path.push(".reserve");
    let there = Path::new(&path).is_file();
    report.fact("reserve", there);
    if !there && events > 0 {
        report.attend(
            "the reserve beside the store is not there, so that a full disk could keep you from \
             revoking: free some space, the next change makes it again",
        );
    }
}

fn content(report: &mut Report, config: &Config, open: Open<'_>) {
    let health = open(config).and_then(|service| Ok(service.health()?));
    match health {
        Ok(health) => {
            numbers(report, &health);
            reserve(report, &config.store, health.chain.events);
        }
        Err(failure) => {
            let why = match failure {
                CliError::Exit(_, why) => why,
                CliError::BrokenPipe => "nothing was read".to_owned(),
            };
            report.unknown("state", &why);
            report.attend(why);
        }
    }
}

fn numbers(report: &mut Report, health: &Health) {
    let Health { loaded, chain, disagreements, schema, trash } = health;
    report.fact("state", "opens");
    report.fact("format", *schema);
    let count = |status: Status| {
        let is = |token: &&Token| token.status(loaded.now) == status;
        loaded.tokens.iter().filter(is).count()
    };
    let unclaimed = loaded
        .tokens
        .iter()
        .filter(|token| !token.delivered && token.status(loaded.now) == Status::Active);
    let unclaimed = unclaimed.count();
    report.fact(
        "tokens",
        json!({
            Status::Active.as_str(): count(Status::Active),
            Status::Expired.as_str(): count(Status::Expired),
            Status::Revoked.as_str(): count(Status::Revoked),
            "unclaimed": unclaimed,
            "deleted": trash,
        }),
    );
    if unclaimed > 0 {
        report.attend(format!(
            "nobody took the secret of {unclaimed} active token(s): the app names them at its start; regenerate or revoke them"
        ));
    }
    report.fact("damaged records", loaded.damaged.len());
    for damage in &loaded.damaged {
        report.attend(format!("{damage} is damaged: restore a backup, or delete this record"));
    }
    report.fact("disagreements", disagreements.len());
    for fault in disagreements {
        report.attend(format!("the store contradicts itself: {fault}: restore a backup"));
    }
    report.fact("events", chain.events);
    match &chain.broken {
        None => report.fact("chain", "holds"),
        Some((sequence, fault)) => {
            let told = format!("the trail is broken at event {sequence} ({fault})");
            report.fact("chain", told.as_str());
            report.attend(format!("{told}: {KEEP}"));
        }
    }
    match loaded.clock_behind {
        None => report.fact("clock", "not behind the last change"),
        Some(mark) => {
            let told = format!(
                "the clock stands before the last change, which was at {}: set it right, or accept it in the app with C",
                time(mark)
            );
            report.fact("clock", told.as_str());
            report.attend(told);
        }
    }
}

/// The kind of file system that holds `path`, or what will hold it.
fn file_system(path: &Path) -> Result<String, String> {
    let mounts = fs::read_to_string("/proc/self/mountinfo")
        .map_err(|_| "there is no /proc to look into".to_owned())?;
    let real = path
        .ancestors()
        .find_map(|there| there.canonicalize().ok())
        .ok_or("no folder on the way is there")?;
    kind_at(&mounts, &real).ok_or_else(|| "no mount holds it".to_owned())
}

/// The type of the innermost of `mounts` (as in mountinfo) that holds `real`; of several at one
/// place, the last one covers the others.
fn kind_at(mounts: &str, real: &Path) -> Option<String> {
    let held = mounts.lines().filter_map(|line| {
        let (place, kind) = line.split_once(" - ")?;
        let point = place.split(' ').nth(4)?.replace("\\040", " ");
        let depth = Path::new(&point).components().count();
        real.starts_with(&point).then_some(())?;
        Some((depth, kind.split(' ').next()?.to_owned()))
    });
    held.max_by_key(|(depth, _)| *depth).map(|(_, kind)| kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_mount_tells_the_kind() {
        let mounts = "22 1 0:1 / / rw - ext4 /dev/a rw\n\
                      23 22 0:2 / /home rw shared:1 - xfs /dev/b rw\n\
                      24 22 0:3 / /home/my\\040disk rw - btrfs /dev/c rw\n\
                      25 22 0:4 / /hom rw - tmpfs tmpfs rw\n";
        let kind = |path| kind_at(mounts, Path::new(path)).unwrap();
        assert_eq!(kind("/home/a"), "xfs");
        assert_eq!(kind("/home/my disk/s"), "btrfs");
        assert_eq!(kind("/homes"), "ext4");
    }
}
