//! The exit codes, a contract with scripts, and the failures that carry them. Signals end the
//! process elsewhere, with 128 and their number.

use std::{fmt::Display, io, process::ExitCode};

use crate::{domain::Refusal, output::advice, service::ServiceError};

/// How the program ended, with its exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// What was asked is done, or allowed.
    Done = 0,
    /// No: denied, not found, nothing to list.
    No = 1,
    /// The arguments, the settings or the terminal do not allow it.
    Usage = 2,
    Refused = 3,
    /// The store cannot be opened, read or written.
    Store = 4,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command ended early.
#[derive(Debug)]
pub enum CliError {
    Exit(Exit, String),
    /// Nobody reads the output any more: no failure at all.
    BrokenPipe,
}

impl CliError {
    pub fn usage(reason: impl Display) -> Self {
        Self::Exit(Exit::Usage, format!("{reason}"))
    }

    /// This failure, with `exit` where nobody reads any more: an answer that is carried by the
    /// exit code must not become success because a pipe closed.
    pub fn or_exit(self, exit: Exit) -> Self {
        match self {
            Self::BrokenPipe => Self::Exit(exit, "nobody reads the output any more".to_owned()),
            told @ Self::Exit(..) => told,
        }
    }

    /// Something that was asked for is not there.
    pub fn no(reason: impl Display) -> Self {
        Self::Exit(Exit::No, format!("{reason}"))
    }
}

impl From<ServiceError> for CliError {
    fn from(error: ServiceError) -> Self {
        let exit = match &error {
            sealed if sealed.is_sealed() => Exit::Refused,
            ServiceError::Store(_) | ServiceError::Entropy(_) | ServiceError::Unsure { .. } => {
                Exit::Store
            }
            ServiceError::NotFound(_)
            | ServiceError::Refused(Refusal::Gone(_) | Refusal::NothingToRestore) => Exit::No,
            ServiceError::Ambiguous { .. } => Exit::Usage,
            _ => Exit::Refused,
        };
        Self::Exit(exit, advice::message(&error))
    }
}

impl From<io::Error> for CliError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::BrokenPipe,
            _ => Self::usage(format!(
                "the output could not be written ({error}): send it elsewhere, and look at what was done before you repeat it"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_not_lost_with_its_reader() {
        let unread = || CliError::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert!(matches!(unread(), CliError::BrokenPipe));
        let kept = unread().or_exit(Exit::No);
        assert!(matches!(kept, CliError::Exit(Exit::No, _)));
        let told = CliError::usage("x").or_exit(Exit::No);
        assert!(matches!(told, CliError::Exit(Exit::Usage, _)));
    }
}
