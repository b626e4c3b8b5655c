//! `scan`: searches files for secrets, shows the status of each secret in this store, and on
//! request revokes the tokens of active secrets. Prints only the public part of a secret.
//! Content that cannot be searched is counted and named. `file_walk` finds the files, `nested` searches
//! one of them, `report` prints the results.

mod base64_run;
mod content;
mod file_walk;
mod format;
mod nested;
mod report;
mod tar_members;
#[cfg(test)]
mod tests;
mod zip_members;

use std::path::PathBuf;

use serde_json::json;

use super::{
    exit::{CliError, Exit},
    help_footers, path_args,
    print::Output,
    prompt,
};
use crate::{domain::scan::PATTERN, service::Service};
use nested::{Buffers, FileSearch};
use report::Report;

/// Arguments of `scan`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = help_footers::SCAN)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an independent flag of the command line"
)]
pub struct Scan {
    /// Files and folders to search; - reads standard input
    #[arg(required_unless_present = "regex", value_name = "PATH", value_parser = path_args::file_or_folder())]
    pub paths: Vec<PathBuf>,

    /// Revoke the tokens whose active secrets are found; of an old secret only end the overlap
    #[arg(long)]
    pub revoke: bool,

    /// Skip the confirmation
    #[arg(long, requires = "revoke")]
    pub yes: bool,

    /// Also search files that .gitignore and similar files exclude
    #[arg(long)]
    pub no_ignore: bool,

    /// Skip hidden files and folders
    #[arg(long)]
    pub skip_hidden: bool,

    /// Print a regular expression for other scanners and exit
    #[arg(long, conflicts_with_all = ["paths", "revoke"])]
    pub regex: bool,
}

/// Prints the regular expression for `--regex`.
pub(super) fn regex(json: bool) -> Result<Exit, CliError> {
    let out = Output::new(json, false);
    if json {
        out.object(json!({ "regex": PATTERN }))?;
    } else {
        out.line(PATTERN)?;
    }
    Ok(Exit::Done)
}

/// Searches the paths, prints the matches, and with `--revoke` revokes their tokens.
pub(super) fn scan(service: &Service, args: &Scan, out: &Output) -> Result<Exit, CliError> {
    if args.revoke && !args.yes && !prompt::is_interactive() {
        let message = "refusing to revoke without confirmation: there is no terminal to ask on, nothing was searched";
        return Err(CliError::usage(message).with_hint("pass --yes"));
    }
    let report = Report::new(service, out, args.revoke);
    let buffers = Buffers::default();
    file_walk::for_each_file(args, &report, |path, input| {
        report.count_file();
        FileSearch::new(&report, &buffers, path).search_file(input);
    })?;
    report.finish(args.yes)
}
