//! The errors of the config: the file cannot be read, or it has invalid content. Each message is one
//! sentence with the file, the line, the setting and the remedy. Printed by the library's `run`.

use std::{fmt, io, path::PathBuf};

use crate::{
    domain::{file_path::PathFault, terminal_text::escape},
    keymap::KeyFault,
};

/// Why the config could not be loaded.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The config file does not exist. `by` is the flag or variable that names the file.
    #[error("config file {path} does not exist: correct or remove {by}", path = .path.display())]
    Missing { path: PathBuf, by: &'static str },
    /// The file exists but cannot be read.
    #[error("cannot read {path} ({error}): check its permissions, or pass another file with --config", path = .path.display())]
    Unreadable { path: PathBuf, error: io::Error },
    #[error("{path} is not UTF-8 text: save it as UTF-8", path = .path.display())]
    NotText { path: PathBuf },
    /// A flag or variable contains a path that is refused.
    #[error("{by}: {fault}")]
    InvalidPath { by: &'static str, fault: PathFault },
    /// No flag, variable or config file names a store. The default needs a home directory, and
    /// there is none.
    #[error("no home directory for the store: set HOME, or pass a file with --store")]
    NoHome,
    /// The file has invalid content. `faults` contains all faults, up to a limit.
    #[error("{}", fault_lines(.path, .faults))]
    Faults { path: PathBuf, faults: Vec<ConfigFault> },
}

fn fault_lines(path: &std::path::Path, faults: &[ConfigFault]) -> String {
    let lines: Vec<_> = faults.iter().map(|fault| format!("{}:{fault}", path.display())).collect();
    lines.join("\n")
}

/// A fault in the config file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigFault {
    /// The line number, from 1.
    pub line: usize,
    pub kind: FaultKind,
}

impl fmt::Display for ConfigFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.line, self.kind)
    }
}

impl FaultKind {
    /// The path of the setting. `None` for a syntax error.
    pub fn setting(&self) -> Option<String> {
        match self {
            Self::Syntax(_) => None,
            Self::UnknownSetting { path, .. }
            | Self::WrongType { path, .. }
            | Self::InvalidValue { path, .. } => Some(path.clone()),
            Self::InvalidKeyBinding(fault) => Some(fault.setting()),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaultKind {
    #[error("invalid TOML: {}", escape(.0))]
    Syntax(String),
    #[error("unknown setting `{path}`: {advice}", path = escape(.path))]
    UnknownSetting { path: String, advice: String },
    #[error("`{path}` must be {expected}, not {found}", path = escape(.path))]
    WrongType { path: String, expected: &'static str, found: &'static str },
    /// The value has the right type but is not allowed.
    #[error("`{path}`: {error}", path = escape(.path), error = escape(.error))]
    InvalidValue { path: String, error: String },
    #[error(transparent)]
    InvalidKeyBinding(KeyFault),
}
