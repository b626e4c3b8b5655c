//! `export` and `import`: tokens as lines of JSON, on their way to another store.

mod export;
mod fields;
mod import;
mod lines;
mod progress;
mod record;

use std::path::PathBuf;

use clap::ValueEnum;

use super::examples;

pub(super) use self::{export::export, import::import};
#[cfg(any(test, feature = "testing"))]
pub use self::{export::export_line, import::import_text};

/// What the header's `kind` says.
const KIND: &str = "patdeck export";

/// Where the tokens go.
#[derive(Debug, clap::Args)]
#[command(after_long_help = examples::EXPORT)]
pub struct Export {
    /// Write to this new file (mode 0600) instead of standard output
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// Which tokens come, and how.
#[derive(Debug, clap::Args)]
#[command(after_long_help = examples::IMPORT)]
pub struct Import {
    /// What `patdeck export` wrote; - is standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// Say what would happen to each token, and change nothing
    #[arg(long)]
    pub dry_run: bool,

    /// What to do where a token or a name is here already
    #[arg(long, value_enum, default_value_t = ConflictChoice::Fail, value_name = "WHAT")]
    pub on_conflict: ConflictChoice,

    /// With replace: also where a token was revoked, deleted or regenerated here
    #[arg(long)]
    pub yes: bool,
}

/// What to do on a conflict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ConflictChoice {
    /// Keep what is here
    Skip,
    /// Take what comes
    Replace,
    /// Import nothing
    Fail,
}
