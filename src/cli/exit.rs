//! The exit codes: a contract with scripts. Signals end the process elsewhere, with 128 and
//! their number.

use std::process::ExitCode;

/// How the program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// What was asked is done.
    Done,
    /// The arguments, the settings or the terminal do not allow it.
    Usage,
    /// The store cannot be opened, read or written.
    Store,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Usage => 2,
            Exit::Store => 4,
        })
    }
}
