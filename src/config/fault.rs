//! Why there are no settings: the file cannot be had, or it says what cannot be. Each text is
//! one sentence that names the file, the line, the setting and what to write. Shown by `main`.

use std::{fmt, io, path::PathBuf};

use crate::{domain::terminal_text::escape, keymap::KeyFault};

/// Why the settings were refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file that was asked for by name is not there.
    #[error("there is no file {path}, which {by} names: correct it, or leave it out", path = .path.display())]
    Missing { path: PathBuf, by: &'static str },
    /// The file is there but cannot be read.
    #[error("cannot read {path} ({error}): give yourself the right to read it, or name another with --config", path = .path.display())]
    Unreadable { path: PathBuf, error: io::Error },
    #[error("{path} is not UTF-8 text: save it as UTF-8", path = .path.display())]
    NotText { path: PathBuf },
    /// There is no folder in which the store could be.
    #[error(
        "there is no home directory to keep the store in: set HOME, or name a file with --store"
    )]
    NoHome,
    /// The file has mistakes; all that were found.
    #[error("{}", listed(.path, .faults))]
    Faults { path: PathBuf, faults: Vec<Fault> },
}

fn listed(path: &std::path::Path, faults: &[Fault]) -> String {
    let lines: Vec<_> = faults.iter().map(|fault| format!("{}:{fault}", path.display())).collect();
    lines.join("\n")
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where, from 1.
    pub line: usize,
    pub problem: Problem,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.line, self.problem)
    }
}

impl Problem {
    /// The setting that it is about, where the line names one.
    pub fn setting(&self) -> Option<String> {
        match self {
            Self::Syntax(_) => None,
            Self::Unknown { path, .. } | Self::Kind { path, .. } | Self::Value { path, .. } => {
                Some(path.clone())
            }
            Self::Key(fault) => Some(fault.setting()),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    #[error("this is not TOML: {}", escape(.0))]
    Syntax(String),
    #[error("there is no setting `{path}`: {advice}", path = escape(.path))]
    Unknown { path: String, advice: String },
    #[error("`{path}` must be {expected}, not {found}", path = escape(.path))]
    Kind { path: String, expected: &'static str, found: &'static str },
    /// A value of the right kind that cannot be.
    #[error("`{path}`: {error}", path = escape(.path), error = escape(.error))]
    Value { path: String, error: String },
    #[error(transparent)]
    Key(KeyFault),
}
