//! `export` and `import`: tokens as JSON lines, to move them to another store. `record` is the
//! format of a token, `import_file` reads a file, `import` and `export` are the commands.

mod export;
mod field_reader;
mod import;
mod import_file;
mod progress;
mod record;

use std::path::PathBuf;

use clap::ValueEnum;

use super::{help_footers, path_args};

pub(super) use self::{export::export, import::import};
#[cfg(any(test, feature = "testing"))]
pub use self::{export::export_line, import::import_text};

/// Value of the field `kind` in the header.
const KIND: &str = "patdeck export";

/// Arguments of `export`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = help_footers::EXPORT)]
pub struct Export {
    /// Write to this new file (mode 0600); - is standard output, the default
    #[arg(long, value_name = "FILE", value_parser = path_args::file_or_dash())]
    pub output: Option<PathBuf>,
}

/// Arguments of `import`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = help_footers::IMPORT)]
pub struct Import {
    /// File written by `patdeck export`; - reads standard input
    #[arg(value_name = "FILE", value_parser = path_args::file_or_dash())]
    pub file: PathBuf,

    /// Print what would happen to each token, and change nothing
    #[arg(long)]
    pub dry_run: bool,

    /// Action if a token or its name exists in this store
    #[arg(long, value_enum, default_value_t = ConflictChoice::Fail, value_name = "ACTION")]
    pub on_conflict: ConflictChoice,

    /// With --on-conflict replace, also replace a token if this gives it more access than it has now
    #[arg(long)]
    pub yes: bool,
}

/// Value of `--on-conflict`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ConflictChoice {
    /// Keep the existing token
    Skip,
    /// Replace the existing token
    Replace,
    /// Refuse the whole import
    Fail,
}
