//! `export` and `import`: tokens as lines of JSON, on their way to another store.

mod export;
mod import;
mod progress;
mod record;

use std::path::PathBuf;

use clap::ValueEnum;

pub(super) use self::{export::export, import::import};

/// What the header's `kind` says.
const KIND: &str = "patdeck export";

const AFTER_EXPORT: &str = "\
The first line is a header with the schema, the store's id and the number of tokens; each other
line is a token with all that is kept of it: name, scopes, times, the SHA-256 digest of its
secret, and that of the old secret while an overlap lasts. No secret is in it, and nobody can
make one of a digest. Deleted tokens and the audit trail stay here: see `patdeck backup`.

Exit codes:
  0 done   4 the store cannot be read; or it could, but for damaged records, which are named

Examples:
  patdeck export --output tokens.jsonl
  patdeck export | ssh other-host patdeck import -";

/// Where the tokens go.
#[derive(Debug, clap::Args)]
#[command(after_long_help = AFTER_EXPORT)]
pub struct Export {
    /// Write to this new file (mode 0600) instead of standard output
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

const AFTER_IMPORT: &str = "\
Secrets that were issued on the other host are valid here from then on. Lifetimes are taken over as
they are, longer than the settings here allow or not; a scope that the catalogue here does not
offer is refused. A token that is here already, in the same state, is left alone and is no
conflict, so that an import can be done again.

On a conflict, which is an id that is here with another state, or a name that another token has:
  fail      import nothing, and name every conflict
  skip      keep what is here
  replace   take what comes; who had the name is deleted, and can be restored for 24 hours
What was revoked, deleted or given another secret here would work again by a replace: that is
refused unless --yes is said, too.

Exit codes:
  0 done, or would be   2 the file cannot be read
  3 nothing was imported: a line is wrong, or in conflict   4 the store cannot be used

Examples:
  patdeck import tokens.jsonl --dry-run
  patdeck import tokens.jsonl --on-conflict skip";

/// Which tokens come, and how.
#[derive(Debug, clap::Args)]
#[command(after_long_help = AFTER_IMPORT)]
pub struct Import {
    /// What `patdeck export` wrote; - is standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// Say what would happen to each token, and change nothing
    #[arg(long)]
    pub dry_run: bool,

    /// What to do where a token or a name is here already
    #[arg(long, value_enum, default_value_t = Conflict::Fail, value_name = "WHAT")]
    pub on_conflict: Conflict,

    /// With replace: also where a token was revoked, deleted or regenerated here
    #[arg(long)]
    pub yes: bool,
}

/// What to do on a conflict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Conflict {
    /// Keep what is here
    Skip,
    /// Take what comes
    Replace,
    /// Import nothing
    Fail,
}
