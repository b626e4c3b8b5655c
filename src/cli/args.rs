//! Definition of the command line for clap. Its doc comments are the text of the help, the manual
//! page and the completions. The commands are in their own modules.

use std::path::PathBuf;

use clap::{
    Parser, Subcommand,
    builder::{PossibleValuesParser, TypedValueParser},
};
use clap_complete::Shell;

use super::{
    completers,
    confirmation_args::ConfirmationArgs,
    help_footers,
    label_args::LabelArgs,
    lazy_args::LazyArgs,
    limit_args::LimitArgs,
    list_args::List,
    scope_args::{ScopeList, held_scopes, scopes},
    token_selection::TokenSelection,
};
use crate::{
    config::ConfigFlags,
    domain::{LabelKey, Lifetime, SecretOverlap},
    output::secret_format::SecretFormat,
};

/// Create, scope, revoke, regenerate and verify personal access tokens.
///
/// Without a command, patdeck opens the app. TOKEN is the id or name of a token, a prefix
/// of at least 4 characters, or the start of its secret (`pat_ID`). Data goes to standard output,
/// messages go to standard error. Secrets are never accepted as arguments.
#[derive(Debug, Parser)]
#[command(
    name = "patdeck",
    version,
    after_help = help_footers::SHORT,
    after_long_help = help_footers::LONG,
    disable_help_subcommand = true
)]
pub struct Args {
    /// Use this store instead of the default one
    #[arg(long, global = true, value_name = "FILE", display_order = 900)]
    pub store: Option<PathBuf>,

    /// Read this config file instead of the default one
    #[arg(long, global = true, value_name = "FILE", display_order = 901)]
    pub config: Option<PathBuf>,

    /// Enable the mouse in the app; in most terminals, hold Shift to select text
    #[arg(long, display_order = 903)]
    pub mouse: bool,

    /// Do not change the store, and do not record last uses; commands that would change it exit with 3
    #[arg(long, global = true, display_order = 902)]
    pub read_only: bool,

    /// Print JSON, one object per line, each with "schema": 1
    #[arg(long, global = true, display_order = 903)]
    pub json: bool,

    /// Command to run; without one, the app opens
    #[command(subcommand)]
    pub command: Option<CliCommand>,
}

impl Args {
    /// Returns the settings that the arguments override.
    pub fn flags(&self) -> ConfigFlags {
        ConfigFlags {
            config: self.config.clone(),
            store: self.store.clone(),
            read_only: self.read_only,
            mouse: self.mouse,
        }
    }
}

/// A command, with its arguments.
#[derive(Debug, Subcommand)]
pub enum CliCommand {
    /// List tokens, filtered and sorted
    #[command(visible_alias = "ls", after_help = help_footers::list())]
    List(LazyArgs<List>),
    /// Show a token in full
    #[command(visible_alias = "get", after_help = help_footers::SHOW)]
    Show {
        /// Token id, name, or unique prefix of either
        #[arg(add = completers::tokens())]
        token: String,
    },
    /// Print in one line whether the store is in order; exit 1 if something needs attention
    #[command(after_help = help_footers::STATUS)]
    Status,
    /// Create a token and print its secret once
    #[command(visible_alias = "new", after_help = help_footers::CREATE)]
    Create(LazyArgs<Create>),
    /// Change the name, description, labels, owner or limits of a token
    #[command(after_help = help_footers::EDIT)]
    Edit(LazyArgs<Edit>),
    /// Add, remove or clear the scopes of a token
    #[command(subcommand, after_help = help_footers::SCOPE)]
    Scope(ScopeSubcommand),
    /// Revoke tokens: their secrets stop working immediately
    #[command(after_help = help_footers::REVOKE)]
    Revoke(LazyArgs<Revoke>),
    /// Regenerate tokens: issue a new secret and lifetime, and print the secret once
    #[command(after_help = help_footers::REGENERATE)]
    Regenerate(LazyArgs<Regenerate>),
    /// Delete tokens; `patdeck restore` can undo this for 24 hours
    #[command(visible_alias = "rm", after_help = help_footers::DELETE)]
    Delete(LazyArgs<Delete>),
    /// Restore a deleted token and its secret
    #[command(after_help = help_footers::RESTORE)]
    Restore {
        /// Token id, name, or unique prefix of either
        #[arg(add = completers::deleted_tokens())]
        token: String,
    },
    /// Verify a secret, and optionally its access: exit 0 if allowed, 1 if denied
    #[command(after_help = help_footers::VERIFY)]
    Verify(LazyArgs<super::verify::Verify>),
    /// Show, follow or check the audit trail
    #[command(after_help = help_footers::AUDIT)]
    Audit(LazyArgs<super::audit::Audit>),
    /// Search files for secrets, show their status, and optionally revoke them
    Scan(LazyArgs<super::scan::Scan>),
    /// Export all tokens as JSON lines, with digests instead of secrets
    Export(LazyArgs<super::transfer::Export>),
    /// Import tokens from an export, up to 5,000 all or none; their secrets keep working
    Import(LazyArgs<super::transfer::Import>),
    /// Back up the store to a new file while it is in use
    Backup(LazyArgs<super::backup::Backup>),
    /// Give free space in the store's file back to the disk
    #[command(after_help = help_footers::COMPACT)]
    Compact,
    /// Show the clock and the time that decides expiry, or accept the clock
    Clock(LazyArgs<super::clock::ClockArgs>),
    /// List the hooks of the config and the runs that wait, or run those
    Hooks(LazyArgs<super::hooks::HooksArgs>),
    /// Try the app on made-up tokens in memory; no file is read or written
    #[command(after_help = help_footers::DEMO)]
    Demo,
    /// Print shell completions
    #[command(after_help = help_footers::COMPLETIONS)]
    Completions {
        /// Shell to generate completions for
        shell: Shell,
    },
    /// Print the help of a command, or of the program
    #[command(after_help = help_footers::HELP)]
    Help {
        /// Words of the command
        #[arg(value_name = "COMMAND")]
        words: Vec<String>,
    },
    /// Print the manual page
    #[command(after_help = help_footers::MAN)]
    Man,
    /// Locate, create, check or show the config
    #[command(subcommand, after_help = help_footers::CONFIG)]
    Config(super::config::ConfigSubcommand),
    /// Diagnose the installation; exit 1 if something needs attention
    #[command(after_help = help_footers::DOCTOR)]
    Doctor(LazyArgs<super::doctor::Doctor>),
}

impl CliCommand {
    /// Whether the command creates a missing store. All other commands report that it is missing.
    pub fn creates_store(&self) -> bool {
        let imports = matches!(self, Self::Import(import) if !import.dry_run);
        imports || matches!(self, Self::Create(_))
    }

    /// Whether the command uses an empty store in memory in the place of a missing store.
    pub fn accepts_missing_store(&self) -> bool {
        matches!(self, Self::Import(import) if import.dry_run)
    }

    /// Whether the command only ends secrets, and must run even if a stopped process has the lock.
    pub fn only_ends_secrets(&self) -> bool {
        matches!(self, Self::Revoke(_) | Self::Delete(_))
    }

    /// Whether the command changes the store. A last use and a backup do not count as changes.
    pub fn changes(&self) -> bool {
        match self {
            Self::Create(_)
            | Self::Edit(_)
            | Self::Scope(_)
            | Self::Revoke(_)
            | Self::Regenerate(_)
            | Self::Delete(_)
            | Self::Restore { .. }
            | Self::Compact => true,
            Self::Scan(scan) => scan.revoke,
            Self::Import(import) => !import.dry_run,
            Self::List(_)
            | Self::Show { .. }
            | Self::Status
            | Self::Demo
            | Self::Verify(_)
            | Self::Audit(_)
            | Self::Export(_)
            | Self::Completions { .. }
            | Self::Help { .. }
            | Self::Man
            | Self::Config(_) => false,
            Self::Backup(backup) => backup.changes(),
            Self::Doctor(doctor) => doctor.repair,
            Self::Clock(clock) => clock.command.is_some(),
            Self::Hooks(hooks) => hooks.command.is_some(),
        }
    }
}

/// Destination of a new secret.
#[derive(Debug, clap::Args)]
pub struct SecretOutput {
    /// Write the secret to this new file (mode 0600) instead of standard output, which is -
    #[arg(long, value_name = "FILE")]
    pub secret_file: Option<String>,

    /// Print the secret in this form; `netrc` contains HOST as a placeholder
    #[arg(long, value_name = "FORM", value_parser = secret_format(), default_value = "secret", conflicts_with = "secret_file")]
    pub format: SecretFormat,
}

/// Parses the label of a form, and offers the labels to completions.
fn secret_format() -> impl TypedValueParser<Value = SecretFormat> {
    let labels = PossibleValuesParser::new(SecretFormat::ALL.map(SecretFormat::as_str));
    labels.map(|label| {
        let mut all = SecretFormat::ALL.into_iter();
        all.find(|format| format.as_str() == label).unwrap_or_default()
    })
}

impl SecretOutput {
    /// The file to write the secret to; `None` for standard output.
    pub fn file(&self) -> Option<String> {
        self.secret_file.clone().filter(|file| file != "-")
    }
}

/// Arguments of `create`.
#[derive(Debug, clap::Args)]
pub struct Create {
    /// Name of the token; unique, at most 64 characters
    pub name: String,

    /// Lifetime: 24h, 30d, 8w, 1y, a date (ends at 23:59 local time), or never if the config allows it [default: 30d, or that of the config]
    #[arg(long, value_name = "TIME")]
    pub lifetime: Option<Lifetime>,

    /// Description of the token
    #[arg(long, value_name = "TEXT")]
    pub description: Option<String>,

    // Not a doc comment, because rustdoc would read the brackets in the text as links.
    #[arg(
        help = "Add these scopes, TYPE:ENTITY:OPERATION[,OPERATION...][@DOMAIN]; repeatable",
        long = "scope", value_name = "SCOPE", value_parser = scopes, add = completers::scopes()
    )]
    pub scopes: Vec<ScopeList>,

    /// Add the scopes of a preset, PRESET:ENTITY or PRESET:TYPE:ENTITY; repeatable
    #[arg(long = "preset", value_name = "PRESET", add = completers::presets())]
    pub presets: Vec<String>,

    /// Copy description, lifetime, scopes, limits, labels and owner from this token; the secret is new
    #[arg(long, value_name = "TOKEN", add = completers::tokens())]
    pub like: Option<String>,

    #[command(flatten)]
    /// Labels and owner of the token
    pub labels: LabelArgs,

    #[command(flatten)]
    /// Limits of the token
    pub limits: LimitArgs,

    #[command(flatten)]
    /// Destination of the secret
    pub secret_output: SecretOutput,
}

/// Arguments of `edit`.
#[derive(Debug, clap::Args)]
#[command(override_usage = "patdeck edit [OPTIONS] <TOKEN>")]
#[command(group = clap::ArgGroup::new("change")
    .required(true)
    .multiple(true)
    .args(["name", "description", "labels", "removed_labels", "owner", "allow_from", "not_before", "max_uses"]))]
pub struct Edit {
    /// Token id, name, or unique prefix of either
    #[arg(add = completers::tokens())]
    pub token: String,

    /// New name; must be unique
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,

    /// New description; an empty text removes it
    #[arg(long, value_name = "TEXT")]
    pub description: Option<String>,

    #[command(flatten)]
    /// Labels and owner of the token; those not given stay as they are
    pub labels: LabelArgs,

    /// Remove the label with this key; repeatable
    #[arg(long = "remove-label", value_name = "KEY", add = completers::label_keys())]
    pub removed_labels: Vec<LabelKey>,

    #[command(flatten)]
    /// Limits of the token; those not given stay as they are
    pub limits: LimitArgs,
}

/// Subcommands of `scope`.
#[derive(Debug, Subcommand)]
pub enum ScopeSubcommand {
    /// Add scopes to tokens, all or none
    #[command(after_help = help_footers::SCOPE_ADD)]
    Add {
        /// Token id, name, or unique prefix of either
        #[arg(add = completers::tokens())]
        token: String,
        #[arg(help = "Scopes to add, TYPE:ENTITY:OPERATION[,OPERATION...][@DOMAIN]", required_unless_present = "presets", value_name = "SCOPE", value_parser = scopes, add = completers::scopes())]
        scopes: Vec<ScopeList>,
        /// Add the missing scopes of a preset, PRESET:ENTITY or PRESET:TYPE:ENTITY; repeatable
        #[arg(long = "preset", value_name = "PRESET", add = completers::presets())]
        presets: Vec<String>,
        /// Also add the scopes to this token; each token gets only those it lacks; repeatable
        #[arg(long, value_name = "TOKEN", add = completers::tokens())]
        also: Vec<String>,
    },
    /// Remove scopes from a token
    #[command(after_help = help_footers::SCOPE_REMOVE)]
    Remove {
        /// Token id, name, or unique prefix of either
        #[arg(add = completers::tokens())]
        token: String,
        #[arg(help = "Scopes to remove, TYPE:ENTITY:OPERATION[,OPERATION...][@DOMAIN]", required = true, value_name = "SCOPE", value_parser = held_scopes, add = completers::held_scopes())]
        scopes: Vec<ScopeList>,
    },
    /// Add and remove scopes of a token together, all or none
    #[command(after_help = help_footers::SCOPE_CHANGE, override_usage = "patdeck scope change [OPTIONS] <TOKEN>")]
    #[command(group = clap::ArgGroup::new("change").required(true).multiple(true).args(["added", "removed"]))]
    Change {
        /// Token id, name, or unique prefix of either
        #[arg(add = completers::tokens())]
        token: String,
        #[arg(help = "Add these scopes, TYPE:ENTITY:OPERATION[,OPERATION...][@DOMAIN]; repeatable", long = "add", value_name = "SCOPE", value_parser = scopes, add = completers::scopes())]
        added: Vec<ScopeList>,
        #[arg(help = "Remove these scopes before the others are added; repeatable", long = "remove", value_name = "SCOPE", value_parser = held_scopes, add = completers::held_scopes())]
        removed: Vec<ScopeList>,
    },
    /// Remove all scopes of a token; all its requests are then denied
    #[command(after_help = help_footers::SCOPE_CLEAR)]
    Clear {
        /// Token id, name, or unique prefix of either
        #[arg(add = completers::tokens())]
        token: String,
        #[command(flatten)]
        confirmation: ConfirmationArgs,
    },
}

/// Arguments of `revoke`.
#[derive(Debug, clap::Args)]
pub struct Revoke {
    #[command(flatten)]
    /// Tokens to revoke
    pub tokens: TokenSelection,

    /// Revoke only the old secret of each token, before its overlap ends, all or none; the current secret keeps working
    #[arg(long)]
    pub old: bool,

    #[command(flatten)]
    pub confirmation: ConfirmationArgs,
}

/// Arguments of `regenerate`.
#[derive(Debug, clap::Args)]
pub struct Regenerate {
    #[command(flatten)]
    /// Tokens to regenerate; several tokens require --secret-file
    pub tokens: TokenSelection,

    /// New lifetime, from now; a date ends at 23:59 local time [default: the last lifetime of the token]
    #[arg(long, value_name = "TIME")]
    pub lifetime: Option<Lifetime>,

    /// Keep the old secret of an active token working this long: 0, 15m, 1h or 24h
    #[arg(long, value_name = "TIME", default_value = "0", value_parser = overlap, add = completers::overlaps())]
    pub overlap: SecretOverlap,

    #[command(flatten)]
    pub confirmation: ConfirmationArgs,

    #[command(flatten)]
    /// Destination of the secret
    pub secret_output: SecretOutput,
}

fn overlap(text: &str) -> Result<SecretOverlap, String> {
    let overlap = SecretOverlap::ALL.into_iter().find(|overlap| overlap.as_str() == text);
    overlap.ok_or_else(|| "choose one of 0, 15m, 1h, 24h".to_owned())
}

/// Arguments of `delete`.
#[derive(Debug, clap::Args)]
pub struct Delete {
    #[command(flatten)]
    /// Tokens to delete
    pub tokens: TokenSelection,

    /// Delete all tokens of the store
    #[arg(long, group = "selection", conflicts_with = "tokens")]
    pub all: bool,

    #[command(flatten)]
    pub confirmation: ConfirmationArgs,
}
