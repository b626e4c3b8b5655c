//! The arguments of a change that needs a confirmation: skip it, or only look. Called by the commands
//! that end secrets.

/// Arguments of a change that needs a confirmation.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
pub struct ConfirmationArgs {
    /// Skip the confirmation
    #[arg(long)]
    pub yes: bool,

    /// Print what would change, and change nothing, even with --yes
    #[arg(long)]
    pub dry_run: bool,
}
