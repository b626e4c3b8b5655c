//! The arguments, as clap reads them. Their text is the help, the man page and the completions;
//! nothing here acts.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use super::{examples, lazy_args::LazyArgs};
use crate::{
    config::Flags,
    domain::{Column, Lifetime, Overlap, Scope, Search, StatusFilter},
};

/// Issue, scope, watch, revoke, regenerate and check personal access tokens.
///
/// Without a command patdeck opens the app. A TOKEN is an id, the first 4 or more characters of
/// one, or a name. Data goes to standard output, everything else to standard error. Secrets are
/// never taken from arguments.
#[derive(Debug, Parser)]
#[command(
    name = "patdeck",
    version,
    after_help = examples::SHORT,
    after_long_help = examples::LONG,
    disable_help_subcommand = true
)]
pub struct Args {
    /// The store to work on, instead of the one in your data folder
    #[arg(long, global = true, value_name = "FILE", display_order = 900)]
    pub store: Option<PathBuf>,

    /// The settings to read, instead of those in your config folder
    #[arg(long, global = true, value_name = "FILE", display_order = 901)]
    pub config: Option<PathBuf>,

    /// Let the app listen to the mouse; Shift still selects text in most terminals
    #[arg(long, display_order = 903)]
    pub mouse: bool,

    /// Change nothing, not even the record of a last use; commands that would are refused, exit 3
    #[arg(long, global = true, display_order = 902)]
    pub read_only: bool,

    /// Print JSON, one object a line, each with "schema": 1
    #[arg(long, global = true, display_order = 903)]
    pub json: bool,

    /// What to do; the app if nothing
    #[command(subcommand)]
    pub command: Option<CliCommand>,
}

impl Args {
    /// What they say about settings.
    pub fn flags(&self) -> Flags {
        Flags {
            config: self.config.clone(),
            store: self.store.clone(),
            read_only: self.read_only,
            mouse: self.mouse,
        }
    }
}

/// What can be done without the app.
#[derive(Debug, Subcommand)]
pub enum CliCommand {
    /// List tokens
    #[command(after_help = examples::LIST)]
    List(LazyArgs<List>),
    /// Show one token whole
    #[command(after_help = examples::SHOW)]
    Show {
        /// Which
        token: String,
    },
    /// Make a token and print its secret, once
    #[command(after_help = examples::CREATE)]
    Create(LazyArgs<Create>),
    /// Change name and description
    #[command(after_help = examples::EDIT)]
    Edit(LazyArgs<Edit>),
    /// Add, remove or clear scopes
    #[command(subcommand, after_help = examples::SCOPE)]
    Scope(ScopeSubcommand),
    /// End tokens: their secrets are denied from now on
    #[command(after_help = examples::REVOKE)]
    Revoke(LazyArgs<Revoke>),
    /// Give tokens a new secret and lifetime; print the secret, once
    #[command(after_help = examples::REGENERATE)]
    Regenerate(LazyArgs<Regenerate>),
    /// Delete tokens; `restore` brings them back for 24 hours
    #[command(after_help = examples::DELETE)]
    Delete(LazyArgs<Delete>),
    /// Bring back a deleted token, with its secret
    #[command(after_help = examples::RESTORE)]
    Restore {
        /// Which: its id, the start of it, or its name
        token: String,
    },
    /// Say whether a secret is valid, and whether it may do something: exit 0 yes, 1 no
    #[command(after_help = examples::VERIFY)]
    Verify(LazyArgs<super::verify::Verify>),
    /// Show, follow or check the audit trail
    #[command(after_help = examples::AUDIT)]
    Audit(LazyArgs<super::audit::Audit>),
    /// Find secrets in files, say what they are here, and revoke those that still work
    Scan(LazyArgs<super::scan::Scan>),
    /// Write every token as a line of JSON, with digests and without secrets
    Export(LazyArgs<super::transfer::Export>),
    /// Take over the tokens of an export: all of them or none; their secrets stay valid
    Import(LazyArgs<super::transfer::Import>),
    /// Write a consistent copy of the store to a new file, while others write
    Backup(LazyArgs<super::backup::Backup>),
    /// Print shell completions
    #[command(after_help = examples::COMPLETIONS)]
    Completions {
        /// For which shell
        shell: Shell,
    },
    /// Print the manual page
    #[command(after_help = examples::MAN)]
    Man,
    /// Find, make, check and show the settings
    #[command(subcommand, after_help = examples::CONFIG)]
    Config(super::settings::ConfigSubcommand),
    /// Look over everything and say what needs attention; exit 1 if something does
    #[command(after_help = examples::DOCTOR)]
    Doctor,
}

impl CliCommand {
    /// Whether it would change the store. Using a secret and copying the store are no changes.
    pub fn changes(&self) -> bool {
        match self {
            Self::Create(_)
            | Self::Edit(_)
            | Self::Scope(_)
            | Self::Revoke(_)
            | Self::Regenerate(_)
            | Self::Delete(_)
            | Self::Restore { .. } => true,
            Self::Scan(scan) => scan.revoke,
            Self::Import(import) => !import.dry_run,
            Self::List(_)
            | Self::Show { .. }
            | Self::Verify(_)
            | Self::Audit(_)
            | Self::Export(_)
            | Self::Backup(_)
            | Self::Completions { .. }
            | Self::Man
            | Self::Config(_)
            | Self::Doctor => false,
        }
    }
}

/// Which tokens to list.
#[derive(Debug, clap::Args)]
pub struct List {
    /// Only those in this state, unless --search names one
    #[arg(long, value_enum, default_value_t = Status::Active)]
    pub status: Status,

    /// Only those that match: words in name, id or description, and terms such as op:publish
    #[arg(long, value_name = "SEARCH", default_value = "", value_parser = search, hide_default_value = true, allow_hyphen_values = true)]
    pub search: Search,

    /// By which column; a leading - turns the order round [default: -issued, with --json by id]
    #[arg(long, value_name = "COLUMN", value_parser = sort, allow_hyphen_values = true)]
    pub sort: Option<(Column, bool)>,

    /// Only active ones that expire within this time; exit 1 if there is none
    #[arg(long, value_name = "TIME", conflicts_with = "status")]
    pub expiring: Option<crate::domain::lifetime::Span>,
}

/// The status filter of `list`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Status {
    /// Neither revoked nor expired
    Active,
    /// Past their expiry
    Expired,
    /// Ended by somebody
    Revoked,
    /// Every one
    All,
}

impl From<Status> for StatusFilter {
    fn from(status: Status) -> Self {
        match status {
            Status::Active => Self::Active,
            Status::Expired => Self::Expired,
            Status::Revoked => Self::Revoked,
            Status::All => Self::All,
        }
    }
}

fn search(text: &str) -> Result<Search, String> {
    Search::parse(text).map_err(|fault| fault.to_string())
}

fn sort(text: &str) -> Result<(Column, bool), String> {
    let (word, descending) = text.strip_prefix('-').map_or((text, false), |word| (word, true));
    let known = |column: &Column| column.as_str().to_lowercase().replace(' ', "-");
    let found = Column::ALL.into_iter().find(|column| known(column) == word);
    found.map(|column| (column, descending)).ok_or_else(|| {
        let all: Vec<_> = Column::ALL.iter().map(known).collect();
        format!("choose one of {}", all.join(", "))
    })
}

/// Where a new secret goes.
#[derive(Debug, clap::Args)]
pub struct SecretOutput {
    /// Write the secret to this new file (mode 0600) instead of standard output
    #[arg(long, value_name = "FILE")]
    pub secret_file: Option<String>,
}

/// A token to make.
#[derive(Debug, clap::Args)]
pub struct Create {
    /// Its name: unique, at most 64 characters
    pub name: String,

    /// How long it is valid: 24h, 30d, 8w, 1y, a date, or never if the settings allow it
    #[arg(long, value_name = "TIME")]
    pub lifetime: Option<Lifetime>,

    /// What it is for
    #[arg(long, value_name = "TEXT")]
    pub description: Option<String>,

    /// What it may do, TYPE:ENTITY:OPERATION[,OPERATION...][@DOMAIN]; may be repeated
    #[arg(long = "scope", value_name = "SCOPE", value_parser = scopes)]
    pub scopes: Vec<ScopeList>,

    /// What a preset grants, PRESET:ENTITY or PRESET:TYPE:ENTITY; may be repeated
    #[arg(long = "preset", value_name = "PRESET")]
    pub presets: Vec<String>,

    /// Begin with the description, lifetime and scopes of this token; its secret will be new
    #[arg(long, value_name = "TOKEN")]
    pub like: Option<String>,

    #[command(flatten)]
    /// Where its secret goes
    pub handout: SecretOutput,
}

/// Scopes that one argument names.
#[derive(Debug, Clone)]
pub struct ScopeList(pub Vec<Scope>);

/// Reads `TYPE:ENTITY:OPERATION[,OPERATION...][@DOMAIN]`.
fn scopes(text: &str) -> Result<ScopeList, String> {
    let (target, operations) = text.rsplit_once(':').unwrap_or((text, ""));
    let (operations, domain) = match operations.split_once('@') {
        Some((operations, domain)) => (operations, format!("@{domain}")),
        None => (operations, String::new()),
    };
    let scopes = operations.split(',').map(|operation| {
        let one = format!("{target}:{operation}{domain}");
        one.parse::<Scope>().map_err(|fault| fault.to_string())
    });
    scopes.collect::<Result<_, _>>().map(ScopeList)
}

/// What to change.
#[derive(Debug, clap::Args)]
pub struct Edit {
    /// Which token
    pub token: String,

    /// Its new name
    #[arg(long, value_name = "NAME", required_unless_present = "description")]
    pub name: Option<String>,

    /// Its new description; empty for none
    #[arg(long, value_name = "TEXT")]
    pub description: Option<String>,
}

/// What to do with scopes.
#[derive(Debug, Subcommand)]
pub enum ScopeSubcommand {
    /// Add scopes; all of them or none
    #[command(after_help = examples::SCOPE_ADD)]
    Add {
        /// To which token
        token: String,
        /// TYPE:ENTITY:OPERATION[,OPERATION...][@DOMAIN]
        #[arg(required_unless_present = "presets", value_name = "SCOPE", value_parser = scopes)]
        scopes: Vec<ScopeList>,
        /// What a preset grants, PRESET:ENTITY or PRESET:TYPE:ENTITY, as far as it is missing;
        /// may be repeated
        #[arg(long = "preset", value_name = "PRESET")]
        presets: Vec<String>,
        /// To this token as well; may be repeated. Each gets those that it does not hold
        #[arg(long, value_name = "TOKEN")]
        also: Vec<String>,
    },
    /// Remove scopes
    #[command(after_help = examples::SCOPE_REMOVE)]
    Remove {
        /// From which token
        token: String,
        /// TYPE:ENTITY:OPERATION[,OPERATION...][@DOMAIN]
        #[arg(required = true, value_name = "SCOPE", value_parser = scopes)]
        scopes: Vec<ScopeList>,
    },
    /// Remove every scope: the token is denied everything
    #[command(after_help = examples::SCOPE_CLEAR)]
    Clear {
        /// From which token
        token: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

/// Tokens to end.
#[derive(Debug, clap::Args)]
pub struct Revoke {
    /// Which tokens
    #[arg(required = true, value_name = "TOKEN")]
    pub tokens: Vec<String>,

    /// Only the old secret of a rotation, before its overlap is over; the token stays as it is
    #[arg(long)]
    pub old: bool,

    /// Do not ask
    #[arg(long)]
    pub yes: bool,
}

/// A new secret to make.
#[derive(Debug, clap::Args)]
pub struct Regenerate {
    /// For which token; for several, all of them or none, --secret-file takes the secrets
    #[arg(required = true, value_name = "TOKEN")]
    pub tokens: Vec<String>,

    /// How long it is valid from now
    #[arg(long, value_name = "TIME")]
    pub lifetime: Option<Lifetime>,

    /// How long the old secret of an active token goes on working: 0, 15m, 1h or 24h
    #[arg(long, value_name = "TIME", default_value = "0", value_parser = overlap)]
    pub overlap: Overlap,

    /// Do not ask, although the old secret stops working at once
    #[arg(long)]
    pub yes: bool,

    #[command(flatten)]
    /// Where the secret goes
    pub handout: SecretOutput,
}

fn overlap(text: &str) -> Result<Overlap, String> {
    let found = Overlap::ALL.into_iter().find(|overlap| overlap.as_str() == text);
    found.ok_or_else(|| "choose one of 0, 15m, 1h, 24h".to_owned())
}

/// Tokens to delete.
#[derive(Debug, clap::Args)]
pub struct Delete {
    /// Which tokens
    #[arg(value_name = "TOKEN", required_unless_present = "all", conflicts_with = "all")]
    pub tokens: Vec<String>,

    /// Every token of the store
    #[arg(long)]
    pub all: bool,

    /// Do not ask
    #[arg(long)]
    pub yes: bool,
}
