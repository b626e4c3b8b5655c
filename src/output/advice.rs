//! Errors of the service and the store as an operator reads them: a message, which comes from the
//! error itself, and a hint with the remedy. Both front ends use this module. The command line
//! prints message and hint on separate lines, the app prints them in one sentence.

use std::{
    borrow::Cow,
    fmt::{self, Display},
    path::Path,
};

use crate::{
    domain::{
        HookOutcome, HookRun, Job, MAX_PER_TRANSACTION, TokenId, counted, grouped,
        terminal_text::escape,
    },
    output::json::format_time,
    service::{
        HookSelection, HookSummary, MIN_PREFIX_LEN, PathError, PathProblem, PermissionFix,
        ServiceError, StoreError, StoredJob,
    },
};

/// A message for the operator: lower case, without a prefix or a full stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    pub message: String,
    /// The remedy as an imperative sentence, if there is a remedy.
    pub hint: Option<String>,
}

impl Diagnostic {
    pub fn new(message: impl Display) -> Self {
        Self { message: message.to_string(), hint: None }
    }

    #[must_use]
    pub fn with_hint(mut self, hint: impl Display) -> Self {
        self.hint = Some(hint.to_string());
        self
    }
}

/// Message and hint in one sentence, for a form, a list or JSON.
impl Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { message, hint } = self;
        match hint {
            None => f.write_str(message),
            Some(hint) if message.contains(": ") => write!(f, "{message}; {hint}"),
            Some(hint) => write!(f, "{message}: {hint}"),
        }
    }
}

/// Returns the sentence to print after a change that ended secrets but could not be written to the
/// store because of `error`. Until the next write, the revocation register enforces the change.
pub fn deferred_sentence(error: &StoreError) -> String {
    let reason = match error {
        StoreError::Full => "disk full".to_owned(),
        StoreError::Busy { holder, .. } => format!("locked by {}", escape(holder)),
        other => other.to_string(),
    };
    format!("The record will be updated when the store can be written ({reason}).")
}

/// Returns the warning after a change that is stored, but not in the revocation register because of
/// `error`.
pub fn unprotected_warning(error: &StoreError) -> Diagnostic {
    Diagnostic::new(format!("the revocation register could not be updated ({error})")).with_hint(
        "the change is stored, but an older copy of the store would undo it: correct the cause, then \
         regenerate the token or set one of its limits",
    )
}

/// Returns the warning after the secret of token `id` was printed, but the store could not record
/// this because of `error`.
pub fn unrecorded_print(id: &TokenId, error: &ServiceError) -> Diagnostic {
    Diagnostic::new(format!(
        "cannot record that the secret of {id} was printed: {}",
        message(error)
    ))
    .with_hint(
        "keep the printed secret; while it is not recorded, the app says that it may be lost",
    )
}

/// Returns the warning for a store that was replaced by an older copy.
pub fn outdated_store_warning() -> Diagnostic {
    let text = "the store is older than its revocation register: an older copy was put back";
    Diagnostic::new(text).with_hint(
        "what was ended since stays ended; other changes since may be missing, so compare the store \
         with a backup",
    )
}

/// Message and hint in one sentence, for an error of the service.
pub fn message(error: &ServiceError) -> String {
    diagnose(error).to_string()
}

/// Message and hint in one sentence, for an error of the store.
pub fn store_message(error: &StoreError) -> String {
    diagnose_store(error).to_string()
}

/// Message and hint for an error of the service.
pub fn diagnose(error: &ServiceError) -> Diagnostic {
    match error {
        ServiceError::Store(error) => diagnose_store(error),
        ServiceError::ResultUnknown { cause: why, .. } | ServiceError::PrintedSecretVoid(why) => {
            // The text of `error` begins with the text of the inner error. Replace this part by the
            // message of the inner error with its hint.
            let text = error.to_string();
            let rest = text.strip_prefix(&why.to_string()).unwrap_or_default();
            Diagnostic::new(format!("{}{rest}", message(why)))
        }
        ServiceError::Interrupted { .. } => {
            Diagnostic::new(error).with_hint("finish the rest with `patdeck doctor --repair`")
        }
        ServiceError::NotFound { similar: Some(name), .. } => {
            Diagnostic::new(error).with_hint(format!("did you mean {name}?"))
        }
        ServiceError::NotFound { given, similar: None } => Diagnostic::new(error)
            .with_hint(lookup_hint(given, "list all tokens with `patdeck list --status all`")),
        ServiceError::Deleted(name) => {
            let name = shell_quote(Path::new(name));
            Diagnostic::new(error).with_hint(format!("`patdeck restore {name}` brings it back"))
        }
        ServiceError::DeletedForGood(_) => Diagnostic::new(error)
            .with_hint("it was ended for good and cannot be restored: create a new token"),
        ServiceError::NotDeleted(given) => Diagnostic::new(error)
            .with_hint(lookup_hint(given, "deleted tokens are kept for 24 hours")),
        ServiceError::Ambiguous { .. } => {
            Diagnostic::new(error).with_hint("give the id, or more characters of the name")
        }
        ServiceError::StillDenied(_) => Diagnostic::new(error)
            .with_hint("regenerate these tokens, or delete and restore them once more"),
        ServiceError::SecretFile(_) | ServiceError::NotPrinted(_) => split_hint(&error.to_string()),
        other => Diagnostic::new(other),
    }
}

/// Adds the minimum length of a prefix to `hint`, if `given` may be a prefix that is too short.
fn lookup_hint(given: &str, hint: &str) -> String {
    let is_short = given.chars().count() < MIN_PREFIX_LEN;
    if !is_short {
        return hint.to_owned();
    }
    format!("a prefix needs at least {MIN_PREFIX_LEN} characters; {hint}")
}

/// Splits a text of the form `MESSAGE: REMEDY` into the message and its hint.
fn split_hint(text: &str) -> Diagnostic {
    match text.rsplit_once(": ") {
        Some((message, hint)) => Diagnostic::new(message).with_hint(hint),
        None => Diagnostic::new(text),
    }
}

/// Message and hint for an error of the store.
pub fn diagnose_store(error: &StoreError) -> Diagnostic {
    Diagnostic::new(error).with_hint(hint(error))
}

fn hint(error: &StoreError) -> Cow<'static, str> {
    let hint = match error {
        StoreError::Path(error) => return path_hint(error),
        StoreError::NewerFormat { .. } => "update patdeck; the file was not changed",
        StoreError::Busy { .. } => "try again, or end that process if it hangs",
        StoreError::CommitResultUnknown { .. } => "check the result before you repeat the change",
        StoreError::Full => "free some space, then try again",
        StoreError::FileSizeLimit => "raise the limit with `ulimit -f`, then try again",
        StoreError::ReadOnly => "remount the file system as writable, or use another store",
        StoreError::ReadOnlyMode => {
            "to make changes, remove --read-only, PATDECK_READ_ONLY and `read-only` in the config"
        }
        StoreError::NeedsWriteAccess { .. } => "run patdeck once without --read-only",
        StoreError::UseNotCounted { source } if **source == StoreError::ReadOnlyMode => {
            "treat the access as denied; run the check without --read-only"
        }
        StoreError::UseNotCounted { .. } => {
            "treat the access as denied, and check again when the store can be written"
        }
        StoreError::Damaged(_) => "restore a backup",
        StoreError::Corrupted { .. } => "keep a copy of the file, then restore a backup",
        StoreError::NameTaken { .. } => "choose another name",
        StoreError::TooLarge { .. } => "shorten its name, description or scopes",
        StoreError::UnsupportedTime => "correct the clock",
        StoreError::Io { .. } => "check the disk, then try again",
    };
    hint.into()
}

fn path_hint(error: &PathError) -> Cow<'static, str> {
    let hint = match error.problem {
        PathProblem::NoStore => {
            "check the path; `patdeck create` and `patdeck import` create a missing store"
        }
        PathProblem::NotFound => "check the path",
        PathProblem::NamesFolder => "add the name of a file",
        PathProblem::PermissionDenied => "run patdeck as the owner of the file",
        PathProblem::NotAStore => "use another path; the file was not changed",
        PathProblem::Exists => "choose another name",
        PathProblem::ChangedMeanwhile => "repeat the command to see the difference",
        PathProblem::ReplacedMeanwhile => {
            "look at the store that is there now: the change is in the file that was moved away, if it \
             still exists"
        }
        PathProblem::OtherRegister => {
            "put the store of this register back, or move the register away: the next command \
             then builds a new one from the store"
        }
        PathProblem::IsTheStore => "name a file that `patdeck backup create` has written",
        PathProblem::MissingFolder => "create the folder, or choose another path",
        PathProblem::NotAFile => "use another path",
        PathProblem::Symlink => "use the path that the link points to",
        PathProblem::ForeignOwner(_) => "run patdeck as that user, or change the owner with chown",
        PathProblem::InsecurePermissions { fix, .. } => {
            return permission_hint(&error.path, fix).into();
        }
        PathProblem::NoRegister => "to rebuild it, run any command without --read-only",
        PathProblem::DamagedRegister => "rebuild it with `patdeck doctor --repair`",
        PathProblem::OtherStore => "move that store away, or restore with another --store",
        PathProblem::Network(_) => "keep the store on a local disk",
    };
    hint.into()
}

/// Returns a hint that names the command to deny other users access to `path`.
fn permission_hint(path: &Path, fix: PermissionFix) -> String {
    match fix {
        PermissionFix::Chmod(mode) => format!("run `chmod {mode} {}`", shell_quote(path)),
        PermissionFix::PrivateFolder => {
            let inner = shell_quote(&path.join("patdeck"));
            format!("run `mkdir -m 700 {inner}` and keep the store in {inner}")
        }
    }
}

/// Quotes `path` as one word for a POSIX shell.
fn shell_quote(path: &Path) -> String {
    let text = path.to_string_lossy();
    let plain = |c: char| c.is_alphanumeric() || "/._-+@:".contains(c);
    if text.chars().all(plain) {
        text.into_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// The warnings about runs of hooks that failed, and about an error that prevented runs. `selection`
/// is what was run: new runs after a change, or all runs by `patdeck hooks run`.
pub fn hook_warnings(summary: &HookSummary, selection: HookSelection) -> Vec<Diagnostic> {
    let warning = |(run, outcome): &(HookRun, HookOutcome)| {
        let text = match run.name.as_str() {
            "" => format!("hook {} failed after {}: {outcome}", run.hook, run.describe_event()),
            name => {
                let (hook, event) = (&run.hook, run.describe_event());
                format!("hook {hook} failed for {name} after {event}: {outcome}")
            }
        };
        Diagnostic::new(text)
    };
    let mut warnings: Vec<_> = summary.failures.iter().map(warning).collect();
    if summary.undescribed() > 0 {
        let text = format!("{} of hooks failed", counted(summary.undescribed(), "more run"));
        warnings.push(Diagnostic::new(text));
    }
    if let Some(last) = warnings.pop() {
        let hint = match selection {
            HookSelection::New => {
                "the change was made; correct the cause, then run `patdeck hooks run`"
            }
            HookSelection::All => {
                "correct the cause and repeat this command, or see `patdeck hooks discard`"
            }
        };
        warnings.push(last.with_hint(hint));
    }
    if let Some(error) = &summary.error {
        let text = format!("hooks were not run, or their outcome was not recorded ({error})");
        let hint = "the change was made; the next change, or `patdeck hooks run`, runs them";
        warnings.push(Diagnostic::new(text).with_hint(hint));
    }
    warnings
}

/// The sentence that announces a job before it is confirmed.
pub fn job_notice() -> String {
    let max = grouped(MAX_PER_TRANSACTION);
    format!("More than {max} tokens: saved in batches. Tokens that change meanwhile are skipped.")
}

/// The state of an unfinished job, for the report of `doctor`.
pub fn job_state(stored: &StoredJob) -> String {
    let state = if stored.is_running { "running" } else { "interrupted" };
    format!("{} ({state}, {})", stored.job.describe(), stored.job.progress())
}

/// The message about an interrupted job: what it was, how far it came, and how to finish it.
pub fn interrupted_job(job: &Job) -> String {
    let (what, progress) = (job.describe(), job.progress());
    let started = format_time(job.started);
    let remedy = if job.can_be_finished() {
        "`patdeck doctor --repair` finishes it"
    } else {
        "run the same import again to finish it, or `patdeck doctor --repair` to keep only these"
    };
    format!("interrupted: {what}, started at {started} by {} ({progress}): {remedy}", job.actor)
}

/// What `doctor --repair` does with an interrupted job.
pub fn job_repair(job: &Job) -> String {
    let (what, progress) = (job.describe(), job.progress());
    if job.can_be_finished() {
        format!("finish the {what} ({progress})")
    } else {
        format!("forget the interrupted {what} ({progress}): the tokens stay")
    }
}

#[cfg(test)]
#[path = "advice_tests.rs"]
mod tests;
