//! The store section of the report: file, permissions and file system, then counts of the content
//! and the consistency checks.

use std::{
    fs::{self, Metadata},
    os::unix::fs::MetadataExt as _,
    path::Path,
};

use serde_json::json;

use super::{DoctorReport, OpenStore, hooks, jobs, mode, processes};
use crate::{
    cli::audit::BROKEN_CHAIN_HINT,
    config::Config,
    domain::{ClockEffects, Status, counted, list_first},
    output::{advice, json::format_time},
    service::{NameClash, Service, StoreHealth, TokenSummary, abandoned_files},
};

/// Maximum number of token ids that one problem lists.
const MAX_LISTED_IDS: usize = 20;

pub(super) fn collect(report: &mut DoctorReport, config: Option<&Config>, open: OpenStore<'_>) {
    report.section("store");
    let Some(config) = config else {
        report.unknown("file", "the config is invalid");
        return;
    };
    let path = config.store.as_path();
    report.fact("file", path.to_string_lossy());
    report.fact_or_unknown("file system", file_system(path));
    match fs::symlink_metadata(path) {
        Ok(metadata) if !metadata.is_file() => {
            report.is_store_unavailable = true;
            report.unknown("state", "not a regular file");
            report.warn(format!("{} is not a regular file: use another path", path.display()));
        }
        Ok(metadata) => {
            collect_file(report, path, &metadata);
            collect_content(report, config, open);
        }
        // The error of opening the store contains the reason and the remedy.
        Err(_) => collect_content(report, config, open),
    }
}

fn collect_file(report: &mut DoctorReport, path: &Path, metadata: &Metadata) {
    report.fact("mode", mode(metadata));
    report.fact("owner", metadata.uid());
    report.fact("bytes", metadata.len());
    if let Some(Ok(folder)) = path.parent().map(fs::metadata) {
        report.fact("folder mode", mode(&folder));
    }
    collect_temporary(report, path);
    processes::collect(report, metadata);
}

/// Reports the temporary files that killed processes left.
fn collect_temporary(report: &mut DoctorReport, path: &Path) {
    let left = abandoned_files(path);
    report.fact("temporary files", left.len());
    for file in left {
        let file = file.display();
        report.warn(format!("{file} was left by a killed process: the next change removes it"));
    }
}

/// Reports stopped processes that have the store open.
fn collect_stopped(report: &mut DoctorReport, service: &Service) {
    for process in service.stopped_processes() {
        report.warn(format!(
            "{process} can make the store's file grow: continue or end it, \
             then run `patdeck compact`"
        ));
    }
}

/// Reports the revocation register, without which no check has an answer.
fn collect_register(report: &mut DoctorReport, health: &StoreHealth) {
    let state = match (health.has_register, health.damaged_endings) {
        (false, _) => "missing",
        (true, 0) => "usable",
        (true, _) => "damaged",
    };
    report.fact("register", state);
    report.fact("pending endings", health.pending_endings);
    if !health.has_register {
        report.warn(
            "the revocation register beside the store is missing or belongs to another store, so \
             checks have no answer: run a command that can write, such as `patdeck list`",
        );
    }
    if health.damaged_endings > 0 {
        report.warn(format!(
            "the revocation register has {}, so some secrets are denied and others have no answer: \
             rebuild it with `patdeck doctor --repair`",
            counted(health.damaged_endings, "damaged record")
        ));
    }
    if !health.overruled.stale.is_empty() {
        report.warn(format!(
            "out of date, because an older store or backup took the place of a newer one: {}, denied \
             until you revoke or delete it, or put the newer store back",
            counted(health.overruled.stale.len(), "token")
        ));
    }
    if let Some((first, _)) = health.overruled.denied.first() {
        report.warn(format!(
            "denied, although the record is active, as after a change that was killed: {}, such as \
             {first}; regenerate it, or revoke it",
            counted(health.overruled.denied.len(), "token")
        ));
    }
    if health.is_outdated {
        report.warn(
            "the store is older than its revocation register: an older copy was put back. What was \
             ended since stays ended, and the next change stores it. Other changes since may be \
             missing: compare the store with a backup",
        );
    } else if health.pending_endings > 0 {
        report.warn(format!(
            "not yet in the store: {}, which the register enforces; the next successful write \
             stores them",
            counted(health.pending_endings, "ending")
        ));
    }
}

/// Reports whether the checksums of all pages are correct. Only this command and `backup` verify
/// them. The checksums of records are not enough: if the last write of a page was lost, the page
/// contains older records with correct checksums.
fn collect_tree(report: &mut DoctorReport, service: &Service) {
    match service.verify_tree() {
        Ok(()) => report.fact("pages", "intact"),
        Err(error) => {
            report.unknown("pages", &error.to_string());
            report.warn(format!("the pages cannot be verified: {}", advice::message(&error)));
        }
    }
}

fn collect_content(report: &mut DoctorReport, config: &Config, open: OpenStore<'_>) {
    let opened = open(config).and_then(|service| Ok((service.health()?, service)));
    match opened {
        Ok((health, service)) => {
            collect_counts(report, &health);
            collect_register(report, &health);
            jobs::collect(report, &service);
            hooks::collect(report, &service);
            collect_tree(report, &service);
            collect_stopped(report, &service);
            collect_clock_effects(report, &health.summary.clock_effects);
        }
        Err(failure) => {
            let reason = advice::message(&failure);
            report.is_store_unavailable = true;
            report.unknown("state", &reason);
            report.warn(reason);
        }
    }
}

/// Counts the tokens by status; `deleted` is the number of deleted tokens.
fn collect_tokens(report: &mut DoctorReport, summary: &TokenSummary, deleted: usize) {
    let undelivered = summary.undelivered;
    report.fact(
        "tokens",
        json!({
            Status::Active.as_str(): summary.active,
            Status::NotYetValid.as_str(): summary.not_yet_valid,
            Status::Expired.as_str(): summary.expired,
            Status::Revoked.as_str(): summary.revoked,
            "unsaved": undelivered,
            "deleted": deleted,
        }),
    );
    if undelivered > 0 {
        report.warn(format!(
            "{} whose secret is not saved yet: find them with `patdeck list --search unsaved`, \
             then regenerate or revoke them",
            counted(undelivered, "active token")
        ));
    }
}

fn collect_counts(report: &mut DoctorReport, health: &StoreHealth) {
    let StoreHealth {
        summary,
        chain,
        inconsistencies: disagreements,
        name_clashes,
        schema,
        trash,
        repairs,
        ..
    } = health;
    report.fact("state", "opens");
    report.fact("format", *schema);
    collect_tokens(report, summary, *trash);
    report.fact("damaged records", summary.damaged.len());
    for damage in &summary.damaged {
        report.warn(format!("{damage} is damaged: restore a backup, or delete this record"));
    }
    report.fact("disagreements", disagreements.len());
    for fault in disagreements {
        report.warn(format!("the store is inconsistent: {fault}: restore a backup"));
    }
    report.fact("name clashes", name_clashes.len());
    for NameClash { indexed, other } in name_clashes {
        report.warn(format!(
            "tokens {indexed} and {other} have the same name: rename one of them, such as with \
             `patdeck edit {other} --name NAME`"
        ));
    }
    report.fact("repairs", *repairs);
    if *repairs > 0 {
        let count = counted(*repairs, "repair");
        report.warn(format!(
            "{count} can be made: `patdeck doctor --repair` lists them and asks before it makes \
             them"
        ));
    }
    report.fact("events", chain.events);
    match &chain.first_fault {
        None => report.fact("chain", "holds"),
        Some((sequence, fault)) => {
            let problem = format!("the audit trail is broken at event {sequence} ({fault})");
            report.fact("chain", problem.as_str());
            report.warn(format!("{problem}: {BROKEN_CHAIN_HINT}"));
        }
    }
    match summary.clock_behind {
        None => report.fact("clock", "not behind the newest time in the store"),
        Some(newest) => {
            let problem = format!(
                "the clock ({}) is behind the newest time in the store ({}), so no secret is \
                 issued: correct the clock, or accept it with `patdeck clock accept`",
                format_time(summary.clock),
                format_time(newest)
            );
            report.fact("clock", problem.as_str());
            report.warn(problem);
        }
    }
}

/// Lists the ids of the tokens that a wrong clock affects.
fn collect_clock_effects(report: &mut DoctorReport, effects: &ClockEffects) {
    let lists = [
        (
            "expired early",
            &effects.reactivated,
            "expired according to the newest time in the store, although not according \
             to the clock: see `patdeck clock`",
        ),
        (
            "issued in the future",
            &effects.issued_in_future,
            "issued after the time of the clock: revoke or regenerate what you did not expect",
        ),
        (
            "beyond lifetime.max",
            &effects.beyond_maximum,
            "valid for longer than lifetime.max allows: regenerate them",
        ),
    ];
    for (name, tokens, problem) in lists {
        report.fact(name, tokens.len());
        if !tokens.is_empty() {
            let ids = tokens.iter().map(|(id, _)| id.as_str());
            let ids = list_first(ids, MAX_LISTED_IDS, tokens.len());
            report.warn(format!("{} ({ids}) {problem}", counted(tokens.len(), "token")));
        }
    }
}

/// Returns the type of the file system of `path`; the file itself need not exist.
fn file_system(path: &Path) -> Result<String, String> {
    let mounts = fs::read_to_string("/proc/self/mountinfo")
        .map_err(|_| "/proc is not available".to_owned())?;
    let real = path
        .ancestors()
        .find_map(|folder| folder.canonicalize().ok())
        .ok_or("none of the folders in its path exists")?;
    mount_type(&mounts, &real).ok_or_else(|| "no mount contains the store".to_owned())
}

/// Returns the type of the innermost mount that contains `real`. `mounts` is in the format of
/// mountinfo. If several mounts have the same mount point, the last one hides the others.
fn mount_type(mounts: &str, real: &Path) -> Option<String> {
    let containing = mounts.lines().filter_map(|line| {
        let (mount, kind) = line.split_once(" - ")?;
        let point = mount.split(' ').nth(4)?.replace("\\040", " ");
        let depth = Path::new(&point).components().count();
        real.starts_with(&point).then_some(())?;
        Some((depth, kind.split(' ').next()?.to_owned()))
    });
    containing.max_by_key(|(depth, _)| *depth).map(|(_, kind)| kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_mount_determines_the_type() {
        let mounts = "22 1 0:1 / / rw - ext4 /dev/a rw\n\
                      23 22 0:2 / /home rw shared:1 - xfs /dev/b rw\n\
                      24 22 0:3 / /home/my\\040disk rw - btrfs /dev/c rw\n\
                      25 22 0:4 / /hom rw - tmpfs tmpfs rw\n";
        let kind = |path| mount_type(mounts, Path::new(path)).unwrap();
        assert_eq!(kind("/home/a"), "xfs");
        assert_eq!(kind("/home/my disk/s"), "btrfs");
        assert_eq!(kind("/homes"), "ext4");
    }
}
