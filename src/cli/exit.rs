//! Exit codes, which scripts rely on, and the errors that carry them. The exit codes of signals
//! (128 plus the signal number) are set elsewhere.

use std::{fmt::Display, io, path::Path, process::ExitCode};

use super::print::print_error;
use crate::{
    domain::Refusal,
    output::advice::{self, Diagnostic},
    service::{PathError, PathProblem, ServiceError, StoreError},
};

/// Exit code of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// The command succeeded, or the access is allowed.
    Done = 0,
    /// The answer is no: access denied, token not found, nothing expires.
    No = 1,
    /// The arguments, the config, the terminal or a file other than the store do not permit the
    /// command.
    Usage = 2,
    /// A rule refused the change, or the file to write exists.
    Refused = 3,
    /// The store cannot be opened, read or written.
    Store = 4,
    /// Done only in part: a change that was interrupted, whose result is unknown or could not be
    /// printed, or a scan that did not search everything.
    Incomplete = 5,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Reason for which a command ended early: an error to print, with the exit code.
#[derive(Debug)]
pub struct CliError {
    pub exit: Exit,
    pub diagnostic: Diagnostic,
}

impl CliError {
    /// An error with `message`, which has no hint yet.
    pub fn new(exit: Exit, message: impl Display) -> Self {
        Self { exit, diagnostic: Diagnostic::new(message) }
    }

    /// A usage error (exit 2).
    pub fn usage(message: impl Display) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// The error for a bug in the dispatch: a function was called for a command that it does not
    /// run (exit 4).
    pub fn not_run() -> Self {
        Self::new(Exit::Store, "the command was not run").with_hint("report this bug in patdeck")
    }

    /// An error about a file that is not the store: exit 3 if the file exists and must not be
    /// overwritten, otherwise exit 2.
    pub fn file(error: &StoreError) -> Self {
        let exit = match error {
            StoreError::Path(PathError { problem: PathProblem::Exists, .. }) => Exit::Refused,
            _ => Exit::Usage,
        };
        Self { exit, diagnostic: advice::diagnose_store(error) }
    }

    /// An error of a command that writes the new file `to`. Any error that does not concern this
    /// file is an error of the store (exit 4).
    pub fn output_file(error: &StoreError, to: &Path) -> Self {
        match error {
            StoreError::Path(PathError { path, .. }) if path == to || to.starts_with(path) => {
                Self::file(error)
            }
            StoreError::Io { path: Some(path), .. } if path == to => Self::file(error),
            _ => Self::store(error),
        }
    }

    /// An error of the store (exit 4, or 5 if the result of a change is unknown).
    pub fn store(error: &StoreError) -> Self {
        Self { exit: exit_of_store(error), diagnostic: advice::diagnose_store(error) }
    }

    /// The error for a change that was made, but whose result cannot be printed (exit 5).
    pub fn not_delivered(error: &io::Error) -> Self {
        Self::new(
            Exit::Incomplete,
            format!("the change was made, but cannot write the output ({error})"),
        )
        .with_hint("do not repeat the command; look at the result with another one")
    }

    /// Adds a hint with the remedy.
    #[must_use]
    pub fn with_hint(self, hint: impl Display) -> Self {
        Self { exit: self.exit, diagnostic: self.diagnostic.with_hint(hint) }
    }
}

/// Reports that the store is damaged and ends the process (exit 4).
pub fn end_with_damage() -> ! {
    print_error(&advice::diagnose_store(&StoreError::corrupted("a page could not be read")));
    std::process::exit(Exit::Store as i32)
}

impl From<ServiceError> for CliError {
    fn from(error: ServiceError) -> Self {
        Self { exit: exit_of(&error), diagnostic: advice::diagnose(&error) }
    }
}

/// The exit code of an error of the service.
fn exit_of(error: &ServiceError) -> Exit {
    match error {
        read_only if read_only.is_read_only_mode() => Exit::Refused,
        ServiceError::ResultUnknown { .. }
        | ServiceError::StillDenied(_)
        | ServiceError::Interrupted { .. } => Exit::Incomplete,
        ServiceError::Store(error) => exit_of_store(error),
        ServiceError::Entropy(_) => Exit::Store,
        ServiceError::NotFound { .. }
        | ServiceError::Deleted(_)
        | ServiceError::DeletedForGood(_)
        | ServiceError::NotDeleted(_)
        | ServiceError::Refused(Refusal::NotFound(_) | Refusal::NothingToRestore) => Exit::No,
        ServiceError::Ambiguous { .. } | ServiceError::NotPrinted(_) => Exit::Usage,
        ServiceError::SecretFile(error) if !error.is_existing_file() => Exit::Usage,
        ServiceError::PrintedSecretVoid(cause) => exit_of(cause),
        _ => Exit::Refused,
    }
}

fn exit_of_store(error: &StoreError) -> Exit {
    match error {
        StoreError::CommitResultUnknown { .. } => Exit::Incomplete,
        StoreError::Path(PathError { problem, .. }) => match problem {
            PathProblem::ReplacedMeanwhile => Exit::Incomplete,
            PathProblem::ChangedMeanwhile => Exit::Refused,
            _ => Exit::Store,
        },
        _ => Exit::Store,
    }
}

/// An output that cannot be written (exit 2). That the reader closed it is no error for most commands,
/// see [`ok_if_closed`](super::print::ok_if_closed).
impl From<io::Error> for CliError {
    fn from(error: io::Error) -> Self {
        Self::usage(format!("cannot write the output ({error})"))
    }
}
