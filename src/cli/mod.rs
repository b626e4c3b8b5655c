//! The command line: the scriptable twin of the app, on the same service. Knows nothing of the
//! app; repeats no rule of the domain. The library's `run` calls [`perform`] when a command is
//! given.

pub mod args;
mod audit;
mod backup;
mod change;
pub mod doctor;
mod documents;
mod examples;
pub mod exit;
mod lazy_args;
pub mod print;
mod prompt;
mod scan;
pub mod settings;
mod stream;
mod tokens;
mod transfer;
mod verify;

use std::{ffi::OsString, fs::File, io, os::fd::AsFd as _, path::Path};

pub use args::{Args, CliCommand};
pub use exit::{CliError, Exit};
pub use print::Output;
#[cfg(any(test, feature = "testing"))]
pub use transfer::{export_line, import_text};

use crate::{
    config::Environment,
    domain::{Secret, TokenId, terminal_text::first_unsafe},
    output::advice,
    service::{CacheSize, InputTrust, Service, judge_handed},
};

/// Does what must work without a store or without sound settings; `None` if `command` needs
/// both. `open` opens the store for a look at it.
pub fn perform_without_store(
    args: &Args,
    command: &CliCommand,
    open: doctor::Open<'_>,
) -> Option<Result<Exit, CliError>> {
    let flags = args.flags();
    let environment = Environment::of_process();
    let out = Output::new(args.json, !environment.no_color);
    match command {
        CliCommand::Completions { shell } => Some(documents::completions(*shell, &out)),
        CliCommand::Man => Some(documents::man(&out)),
        CliCommand::Config(command) => Some(settings::config(*command, &flags, &environment, &out)),
        CliCommand::Doctor => Some(doctor::doctor(&flags, &environment, open, &out)),
        CliCommand::Scan(scan) if scan.regex => Some(scan::regex(args.json)),
        _ => None,
    }
}

/// How much of the store's file `command` has use for in memory.
pub fn cache(command: &CliCommand) -> CacheSize {
    match command {
        CliCommand::List(_) | CliCommand::Export(_) => CacheSize::Small,
        CliCommand::Verify(args) if args.lines => CacheSize::Large,
        _ => CacheSize::Default,
    }
}

pub fn perform(service: &Service, command: &CliCommand, out: &Output) -> Result<Exit, CliError> {
    match command {
        CliCommand::List(args) => tokens::list(service, args, out),
        CliCommand::Show { token } => tokens::show(service, token, out),
        CliCommand::Create(_)
        | CliCommand::Edit(_)
        | CliCommand::Scope(_)
        | CliCommand::Revoke(_)
        | CliCommand::Regenerate(_)
        | CliCommand::Delete(_)
        | CliCommand::Restore { .. } => change::change(service, command, out),
        CliCommand::Verify(args) => verify::verify(service, args, out),
        CliCommand::Audit(args) => audit::audit(service, args, out),
        CliCommand::Scan(args) => scan::scan(service, args, out),
        CliCommand::Export(args) => transfer::export(service, args, out),
        CliCommand::Import(args) => transfer::import(service, args, out),
        CliCommand::Backup(args) => backup::backup(service, args, out),
        // `perform_without_store` has done these.
        CliCommand::Completions { .. }
        | CliCommand::Man
        | CliCommand::Config(_)
        | CliCommand::Doctor => Ok(Exit::Done),
    }
}

/// What clap says of arguments that it does not take, help and version included. It repeats them
/// as they are, so what would move the cursor is told in our own way instead.
pub fn refused(error: &clap::Error) -> CliError {
    let told = error.render().to_string();
    if told.split('\n').all(|line| first_unsafe(line).is_none()) {
        error.exit();
    }
    let told = told.trim_end();
    CliError::usage(told.strip_prefix("error: ").unwrap_or(told))
}

/// Refuses a file that others could read or change against what it is `handed` to us for.
fn handed(file: &File, path: &Path, handed: InputTrust) -> Result<(), CliError> {
    judge_handed(path, file, handed)
        .map_err(|error| CliError::Exit(Exit::Store, advice::store_message(&error)))
}

/// Standard input as a file of ours, without a buffer between.
fn standard_input() -> io::Result<File> {
    io::stdin().as_fd().try_clone_to_owned().map(File::from)
}

/// Refuses arguments with a secret in them, whatever the command: other users of the machine
/// see them, and the shell's history keeps them.
pub fn refuse_secrets(arguments: &[OsString]) -> Result<(), CliError> {
    match arguments.iter().find_map(|argument| secret_in(&argument.to_string_lossy())) {
        Some(id) => Err(CliError::usage(format!(
            "an argument holds the secret of {id}: every user of this machine can read \
             arguments, and your shell's history keeps them. Take the secret as leaked, \
             run `patdeck regenerate {id}`, and pass secrets on standard input or with \
             --secret-file"
        ))),
        None => Ok(()),
    }
}

/// Whose secret stands somewhere in `text`, by its own word.
fn secret_in(text: &str) -> Option<TokenId> {
    let mut parts = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    parts.find_map(|part| Some(Secret::parse(part.to_owned().into()).ok()?.id()))
}
