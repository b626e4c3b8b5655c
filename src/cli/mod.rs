//! The command line: the scriptable interface to the same service that the app uses. It does not
//! depend on the app and contains no rule of the domain. `patdeck::run` calls [`run_command`] if
//! the arguments name a command.

pub mod args;
mod audit;
mod audit_filter;
mod backup;
mod bash_completion;
mod change_commands;
mod change_results;
mod clock;
mod completers;
pub mod config;
mod confirmation_args;
pub mod demo;
pub mod doctor;
pub mod exit;
mod help_footers;
pub mod hooks;
mod input_file;
mod json_lines;
mod label_args;
mod lazy_args;
mod limit_args;
mod list_and_show;
mod list_args;
mod list_table;
mod man_and_completions;
mod path_args;
pub mod print;
mod prompt;
mod scan;
mod scope_args;
mod status;
mod token_selection;
mod transfer;
mod usage_advice;
mod usage_error;
mod verify;

use std::{
    ffi::OsString,
    fs::File,
    io,
    os::{fd::AsFd as _, unix::ffi::OsStrExt as _},
};

pub use args::{Args, CliCommand};
use clap::Parser as _;
pub use completers::complete;
pub use exit::{CliError, Exit};
pub use print::Output;
#[cfg(any(test, feature = "testing"))]
pub use transfer::{export_line, import_text};
pub use usage_error::report_clap_error;

use crate::{
    config::{Config, Environment, ThemeName},
    domain::{TokenId, scan::secrets_in},
    service::{CacheSize, Service},
};

/// Runs `command` if it needs neither a store nor a valid config. Returns `None` for all other
/// commands. `doctor` calls `open` to inspect the store.
pub fn run_without_store(
    args: &Args,
    command: &CliCommand,
    open: doctor::OpenStore<'_>,
) -> Option<Result<Exit, CliError>> {
    let flags = args.flags();
    let environment = Environment::of_process();
    let out = Output::new(args.json, !environment.no_color);
    match command {
        CliCommand::Completions { shell } => Some(man_and_completions::completions(*shell, &out)),
        CliCommand::Help { words } => Some(help(words)),
        CliCommand::Man => Some(man_and_completions::man(&out)),
        CliCommand::Config(command) => Some(config::config(*command, &flags, &environment, &out)),
        CliCommand::Doctor(args) if !args.repair => {
            Some(doctor::doctor(&flags, &environment, open, &out))
        }
        CliCommand::Scan(scan) if scan.regex => Some(scan::regex(args.json)),
        _ => None,
    }
}

/// Runs `command` if it works on a backup; the store need not exist. Returns `None` for all other
/// commands.
pub fn run_on_backup(
    config: &Config,
    args: &Args,
    command: &CliCommand,
    open: doctor::OpenStore<'_>,
) -> Option<Result<Exit, CliError>> {
    let CliCommand::Backup(backup) = command else { return None };
    let out = Output::new(args.json, config.theme != ThemeName::Mono);
    backup::run_on_backup(backup, config, open, &out)
}

/// Returns the size of the page cache that suits `command`.
pub fn cache_size(command: &CliCommand) -> CacheSize {
    match command {
        CliCommand::List(_) | CliCommand::Export(_) | CliCommand::Status => CacheSize::Small,
        CliCommand::Verify(args) if args.lines => CacheSize::Large,
        _ => CacheSize::Default,
    }
}

/// Runs `command` on an open store.
pub fn run_command(
    service: &Service,
    config: &Config,
    command: &CliCommand,
    out: &Output,
) -> Result<Exit, CliError> {
    match command {
        CliCommand::List(args) => list_and_show::list(service, &config.views, args, out),
        CliCommand::Show { token } => list_and_show::show(service, token, out),
        CliCommand::Create(_)
        | CliCommand::Edit(_)
        | CliCommand::Scope(_)
        | CliCommand::Revoke(_)
        | CliCommand::Regenerate(_)
        | CliCommand::Delete(_)
        | CliCommand::Restore { .. } => change_commands::change(service, command, out),
        CliCommand::Status => status::status(service, out),
        CliCommand::Verify(args) => verify::verify(service, args, out),
        CliCommand::Audit(args) => audit::audit(service, args, out),
        CliCommand::Scan(args) => scan::scan(service, args, out),
        CliCommand::Export(args) => transfer::export(service, args, out),
        CliCommand::Import(args) => transfer::import(service, args, out),
        CliCommand::Doctor(args) => doctor::repair(service, args.yes, out),
        CliCommand::Compact => backup::compact(service, out),
        CliCommand::Backup(args) => backup::create(service, args, out),
        CliCommand::Clock(args) => clock::clock(service, args, out),
        CliCommand::Hooks(args) => hooks::hooks(service, args, out),
        // `run_without_store` runs these commands. If one of them gets here, it was not run, so the
        // exit code must not be 0.
        CliCommand::Completions { .. }
        | CliCommand::Help { .. }
        | CliCommand::Man
        | CliCommand::Config(_)
        | CliCommand::Demo => Err(CliError::not_run()),
    }
}

/// Prints the help of the command with these words; without words, that of the program.
fn help(words: &[String]) -> Result<Exit, CliError> {
    let own = ["patdeck"].into_iter().chain(words.iter().map(String::as_str)).chain(["--help"]);
    match Args::try_parse_from(own) {
        Err(error) => report_clap_error(error),
        Ok(_) => Err(CliError::not_run()),
    }
}

/// Opens standard input as an unbuffered file.
fn open_stdin() -> io::Result<File> {
    io::stdin().as_fd().try_clone_to_owned().map(File::from)
}

/// Returns an error if an argument contains a secret: other users of the machine can read
/// arguments, and the shell history keeps them.
pub fn reject_secrets_in_arguments(arguments: &[OsString]) -> Result<(), CliError> {
    match arguments.iter().find_map(|argument| find_secret(argument.as_bytes())) {
        Some(id) => Err(CliError::usage(format!(
            "an argument contains the secret of {id}: other users can see arguments, and the shell \
             history keeps them"
        ))
        .with_hint(format!(
            "the secret is exposed: replace it with `patdeck regenerate {id}`, and pass secrets on \
             standard input or with --secret-file"
        ))),
        None => Ok(()),
    }
}

/// Returns the token id of the first secret in `bytes`, also if it is escaped as in a URL.
fn find_secret(bytes: &[u8]) -> Option<TokenId> {
    secrets_in(bytes).next().map(|secret| secret.id())
}
