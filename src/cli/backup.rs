//! `backup`: copies the store to a new file, checks a backup, and replaces the store by a backup. A
//! restore asks for confirmation, and refuses a damaged backup. Also `compact`.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::{
    doctor::OpenStore,
    exit::{CliError, Exit},
    help_footers, path_args,
    print::{Output, print_message, print_warning},
    prompt,
    usage_error::are_similar,
};
use crate::{
    config::Config,
    domain::{counted, list_first, plan::is_confirmed_by, terminal_text::escape},
    output::advice::{self, Diagnostic},
    service::{PathError, PathProblem, RestoreDifferences, Service, ServiceError, StoreError},
};

/// Maximum number of names in each list of a restore.
const MAX_LISTED_NAMES: usize = 10;

/// Arguments of `backup`.
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = help_footers::BACKUP,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true
)]
pub struct Backup {
    /// New file (mode 0600); an existing file is never overwritten
    #[arg(value_name = "FILE", value_parser = path_args::file_or_slip(backup_slip), required = true)]
    pub file: Option<PathBuf>,

    #[command(subcommand)]
    pub command: Option<BackupSubcommand>,
}

/// What is meant by a file name that looks like a subcommand; `None` for any other name.
fn backup_slip(word: &str) -> Option<&'static str> {
    const MEANT: [(&str, &str); 11] = [
        ("create", "create"),
        ("check", "check"),
        ("restore", "restore"),
        ("new", "create"),
        ("make", "create"),
        ("list", "check"),
        ("ls", "check"),
        ("show", "check"),
        ("verify", "check"),
        ("test", "check"),
        ("undo", "restore"),
    ];
    let found = MEANT.iter().find(|(slip, _)| are_similar(word, slip) || *slip == word);
    found.map(|(_, meant)| *meant)
}

/// A subcommand of `backup`. Without one, `create` is meant.
#[derive(Debug, clap::Subcommand)]
pub enum BackupSubcommand {
    /// Back up the store to a new file while it is in use
    #[command(after_help = help_footers::BACKUP_CREATE)]
    Create {
        /// New file (mode 0600); an existing file is never overwritten
        #[arg(value_parser = path_args::file())]
        file: PathBuf,
    },
    /// Check a backup: pages, records, audit trail and revocation register
    #[command(after_help = help_footers::BACKUP_CHECK)]
    Check {
        /// Backup to check; it is not changed
        #[arg(value_parser = path_args::file())]
        file: PathBuf,
    },
    /// Replace the store by a backup; what was ended since the backup stays ended
    #[command(after_help = help_footers::BACKUP_RESTORE)]
    Restore {
        /// Backup to restore; it is not changed
        #[arg(value_parser = path_args::file())]
        file: PathBuf,

        /// Skip the confirmation
        #[arg(long)]
        yes: bool,
    },
}

impl Backup {
    /// Whether the command replaces the store.
    pub fn changes(&self) -> bool {
        matches!(self.command, Some(BackupSubcommand::Restore { .. }))
    }
}

/// Runs `backup check` and `backup restore`, which also work if the store cannot be opened. Returns
/// `None` for `backup create`.
pub(super) fn run_on_backup(
    args: &Backup,
    config: &Config,
    open: OpenStore<'_>,
    out: &Output,
) -> Option<Result<Exit, CliError>> {
    let (file, restore) = match args.command.as_ref()? {
        BackupSubcommand::Create { .. } => return None,
        BackupSubcommand::Check { file } => (file, None),
        BackupSubcommand::Restore { file, yes } => (file, Some(*yes)),
    };
    let run = || {
        let backup = Config { store: file.clone(), read_only: true, ..config.clone() };
        let opened = open(&backup).and_then(|service| Ok((inspect(&service)?, service)));
        let if_damaged = if restore.is_some() { Exit::Refused } else { Exit::No };
        let (content, service) = opened.map_err(|error| backup_error(error, file, if_damaged))?;
        match restore {
            None => check(content, file, out),
            Some(yes) => restore_into(&service, &content, file, &config.store, yes, out),
        }
    };
    Some(run())
}

/// The error for a backup that cannot be opened. It is an input file, not the store (exit 4).
fn backup_error(error: ServiceError, file: &Path, if_damaged: Exit) -> CliError {
    let shown = file.to_string_lossy();
    let shown = escape(&shown);
    match error {
        ServiceError::Store(StoreError::Corrupted { .. } | StoreError::Damaged(_)) => {
            CliError::new(if_damaged, format!("the backup {shown} is damaged"))
                .with_hint("use another backup")
        }
        ServiceError::Store(StoreError::Path(PathError {
            problem: PathProblem::NoStore, ..
        })) => CliError::usage(format!("no backup at {shown}")).with_hint("check the path"),
        other => CliError { exit: Exit::Usage, diagnostic: advice::diagnose(&other) },
    }
}

/// Copies the store, and prints what the copy contains.
pub(super) fn create(service: &Service, args: &Backup, out: &Output) -> Result<Exit, CliError> {
    let ((_, Some(BackupSubcommand::Create { file })) | (Some(file), None)) =
        (&args.file, &args.command)
    else {
        return Err(CliError::not_run());
    };
    let done = service.backup(file);
    let done = done.map_err(|error| match error {
        ServiceError::Store(error) => CliError::output_file(&error, file),
        other => other.into(),
    })?;
    let tree = service.verify_tree();
    let path = file.to_string_lossy();
    if let Err(error) = &tree {
        print_warning(&Diagnostic::new(format!(
            "the pages of the store are damaged or cannot be verified ({error}); every readable \
             record was copied"
        )));
    }
    for damage in &done.damaged {
        let message = format!("{damage} is damaged in the store and in the copy");
        print_warning(&Diagnostic::new(message));
    }
    if out.json {
        let damaged: Vec<_> = done.damaged.iter().map(ToString::to_string).collect();
        out.result(json!({
            "file": path,
            "tokens": done.tokens,
            "events": done.events,
            "damaged": damaged,
        }))?;
    } else {
        print_message(&format!(
            "Wrote {} and {} to {} (mode 0600)",
            counted(done.tokens, "token"),
            counted(done.events, "event"),
            escape(&path)
        ));
    }
    Ok(if done.damaged.is_empty() && tree.is_ok() { Exit::Done } else { Exit::Store })
}

/// Compacts the file of the store, and prints its size before and after.
pub(super) fn compact(service: &Service, out: &Output) -> Result<Exit, CliError> {
    let (before, after) = service.compact()?;
    if out.json {
        out.result(json!({ "before": before, "after": after }))?;
    } else {
        let (before, after) = (counted(before, "byte"), counted(after, "byte"));
        print_message(&format!("Compacted the store from {before} to {after}"));
    }
    Ok(Exit::Done)
}

/// What a check of a backup found.
struct BackupContent {
    tokens: usize,
    deleted: usize,
    events: u64,
    has_register: bool,
    faults: Vec<String>,
}

fn inspect(service: &Service) -> Result<BackupContent, ServiceError> {
    let health = service.health()?;
    let mut faults = Vec::new();
    match service.verify_tree() {
        Err(ServiceError::Store(error @ StoreError::Corrupted { .. })) => {
            faults.push(error.to_string());
        }
        // Any other error, such as a full disk, says nothing about the backup.
        result => result?,
    }
    faults.extend(health.summary.damaged.iter().map(|damage| format!("{damage} is damaged")));
    if let Some((sequence, fault)) = &health.chain.first_fault {
        faults.push(format!("the audit trail is broken at event {sequence} ({fault})"));
    }
    if health.damaged_endings > 0 {
        let count = counted(health.damaged_endings, "damaged record");
        faults.push(format!("its revocation register has {count}"));
    }
    let inconsistent = health.inconsistencies.iter();
    faults.extend(inconsistent.map(|fault| format!("the backup is inconsistent: {fault}")));
    Ok(BackupContent {
        tokens: health.summary.tokens(),
        deleted: health.trash,
        events: health.chain.events,
        has_register: health.has_register,
        faults,
    })
}

/// Checks the backup. The exit code is 1 if the backup is damaged, or if its revocation register is
/// missing or belongs to another store.
fn check(content: BackupContent, file: &Path, out: &Output) -> Result<Exit, CliError> {
    let mut faults = content.faults;
    if !content.has_register {
        faults.push("its revocation register is missing or belongs to another store".to_owned());
    }
    let path = file.to_string_lossy();
    if out.json {
        out.object(json!({
            "file": path,
            "ok": faults.is_empty(),
            "tokens": content.tokens,
            "deleted": content.deleted,
            "events": content.events,
            "faults": faults,
        }))?;
    } else {
        for fault in &faults {
            print_warning(&Diagnostic::new(fault));
        }
        let count = match faults.len() {
            0 => "No faults".to_owned(),
            count => counted(count, "fault"),
        };
        out.line(&format!(
            "{count} in {}, which contains {}, {}, {}",
            escape(&path),
            counted(content.tokens, "token"),
            counted(content.deleted, "deleted token"),
            counted(content.events, "event")
        ))?;
    }
    Ok(if faults.is_empty() { Exit::Done } else { Exit::No })
}

/// Checks the backup, lists how it differs from the store, asks for confirmation, and restores the
/// backup.
fn restore_into(
    service: &Service,
    content: &BackupContent,
    file: &Path,
    store: &Path,
    yes: bool,
    out: &Output,
) -> Result<Exit, CliError> {
    let shown = file.to_string_lossy();
    if let Some(fault) = content.faults.first() {
        let message = format!("refusing to restore {}: {fault}", escape(&shown));
        return Err(CliError::new(Exit::Refused, message).with_hint("use another backup"));
    }
    let target = service.restore_target(store).map_err(CliError::from)?;
    let differences = service.restore_differences(&target)?;
    let mut lines = describe(&differences);
    if !content.has_register {
        lines
            .push("The backup has no revocation register; its records are used instead".to_owned());
    }
    if !yes {
        let question =
            format!("Restore {} from {}?", escape(&store.to_string_lossy()), escape(&shown));
        prompt::ask(&lines, &question, "restore", |answer| is_confirmed_by("restore", answer))?;
    } else if !out.json {
        for line in &lines {
            print_message(line);
        }
    }
    let kept = service.restore_backup(&target, &differences)?;
    let kept = kept.map(|path| path.to_string_lossy().into_owned());
    if out.json {
        let widened: Vec<_> = differences.widened.iter().map(|(name, _)| name).collect();
        out.result(json!({
            "file": shown,
            "tokens": content.tokens,
            "events": content.events,
            "returned": differences.returning,
            "vanished": differences.vanishing,
            "widened": widened,
            "ended": differences.ended,
            "regenerated": differences.regenerated,
            "unknown": differences.unknown,
            "replaced_file": kept,
        }))?;
        return Ok(Exit::Done);
    }
    print_message(&format!(
        "Restored {} and {}",
        counted(content.tokens, "token"),
        counted(content.events, "event")
    ));
    if let Some(kept) = kept {
        print_message(&format!("The replaced store is at {}", escape(&kept)));
    }
    Ok(Exit::Done)
}

/// One line for each kind of difference.
fn describe(found: &RestoreDifferences) -> Vec<String> {
    let mut lines = Vec::new();
    let mut list = |names: &[String], what: &str| {
        if !names.is_empty() {
            let first = list_first(names.iter().map(String::as_str), MAX_LISTED_NAMES, names.len());
            lines.push(format!("{} {what}: {first}", counted(names.len(), "token")));
        }
    };
    list(&found.returning, "only in the backup");
    list(&found.vanishing, "only in the store, to be lost");
    let widened: Vec<_> =
        found.widened.iter().map(|(name, what)| format!("{name} ({what})")).collect();
    list(&widened, "with more access in the backup");
    list(&found.ended, "whose secret was ended since the backup, to stay revoked");
    list(&found.regenerated, "with a newer secret, which will stop working");
    list(&found.unknown, "changed since in an unknown way, to stay denied");
    match found.compared_events() {
        None => lines.push(
            "There is no readable store at this path, so the backup was not compared with it"
                .to_owned(),
        ),
        Some(events) => {
            let later = events.saturating_sub(found.events);
            if later > 0 {
                lines.push(format!("{} after the backup, to be lost", counted(later, "event")));
            }
        }
    }
    if !found.uncompared.is_empty() {
        let count = counted(found.uncompared.len(), "damaged record");
        lines.push(format!("{count} in the store, not compared"));
    }
    if !found.keeps_register {
        lines.push(
            "There is no usable revocation register at this path, so a secret that was ended since \
             the backup may work again"
                .to_owned(),
        );
    }
    lines
}
