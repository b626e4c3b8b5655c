//! patdeck issues, scopes, revokes, regenerates and checks Personal Access Tokens in one file that
//! any number of processes share. [`run`] is the program. This page shows how to check tokens in
//! process from another Rust program.
//!
//! ```
//! use patdeck::{AccessRequest, Decision, Verifier};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let store = folder.path().join("store.redb");
//! # let presented = patdeck::testing::issue_into(&store, "channels:c-42:publish")?;
//! let mut verifier = Verifier::open(&store)?;
//! verifier.record_in_background()?;
//!
//! let request: AccessRequest = "channels:c-42:publish".parse()?;
//! let verdict = verifier.check(presented, Some(&request), Some("192.0.2.7"))?;
//! match verdict.decision {
//!     Decision::Allow(_) => { /* serve the request */ }
//!     Decision::Deny(reason) => eprintln!("denied: {reason}"),
//! }
//! # assert!(verifier.check("pat_no_secret".to_owned().into(), Some(&request), None)?.token.is_none());
//! # Ok(())
//! # }
//! ```
//!
//! Each check reads the last commit of any process: a revoke takes effect when its command returns.
//! An error means *no answer*, never "allowed". A [`Verifier`] can move to another thread; clone it to
//! check on several threads.
//!
//! The layers of the program; each imports only what is below it (`tests/architecture.rs`):
//!
//! ```text
//!                main.rs ── lib.rs
//!          tui/            cli/              front ends; neither imports the other
//!    keymap/  config/  output/              key table; settings; what both front ends print
//!                  list/                     the list engine: filter, search, order, page
//!                 service/                   use cases on one store
//!                  store/                    redb and bincode, nowhere else
//!                 domain/                    what a token is; pure
//! ```
//!
//! `docs/architecture.md` describes the layers.

// The layers are public only for tests and benches, through the feature `testing`. Each module is
// declared twice without a macro, because rustfmt does not format modules that a macro declares.
#[cfg(not(feature = "testing"))]
mod cli;
#[cfg(feature = "testing")]
pub mod cli;
#[cfg(not(feature = "testing"))]
mod config;
#[cfg(feature = "testing")]
pub mod config;
#[cfg(not(feature = "testing"))]
mod domain;
#[cfg(feature = "testing")]
pub mod domain;
#[cfg(not(feature = "testing"))]
mod keymap;
#[cfg(feature = "testing")]
pub mod keymap;
#[cfg(not(feature = "testing"))]
mod list;
#[cfg(feature = "testing")]
pub mod list;
#[cfg(not(feature = "testing"))]
mod output;
#[cfg(feature = "testing")]
pub mod output;
#[cfg(not(feature = "testing"))]
mod process_hardening;
#[cfg(feature = "testing")]
pub mod process_hardening;
#[cfg(not(feature = "testing"))]
mod service;
#[cfg(feature = "testing")]
pub mod service;
#[cfg(not(feature = "testing"))]
mod store;
#[cfg(feature = "testing")]
pub mod store;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
#[cfg(not(feature = "testing"))]
mod tui;
#[cfg(feature = "testing")]
pub mod tui;

pub use domain::{AccessRequest, Decision, Denial, Scope, ScopeError, SecretSlot};
pub use service::{EndedSecret, Verdict, Verifier};
pub use store::StoreError;

use std::{ffi::OsString, process::ExitCode, time::Duration};

use clap::Parser as _;

use cli::{
    Args, CliCommand, CliError, Exit, Output,
    print::{print_error, print_message, print_warning},
};
use config::{Config, Environment, SettingSource, ThemeName};
use domain::Secret;
use output::advice;
use service::{Clock, Entropy, Policy, Service, ServiceError, current_actor};
use store::{OpenOptions, PathProblem, Store};
use tui::{terminal, theme::Theme};

/// Time after which the app prints at its end that it waits for hooks.
const HOOK_NOTICE_AFTER: Duration = Duration::from_secs(1);

/// Runs the program: reads the arguments and the config, opens the store, and runs the command or the
/// app.
pub fn run() -> ExitCode {
    process_hardening::install_panic_hook(cli::exit::end_with_damage);
    process_hardening::harden();
    // If this fails, SIGXFSZ ends the process, which does not damage the store.
    drop(process_hardening::survive_file_size_limit());
    let result = run_arguments(&std::env::args_os().collect::<Vec<_>>());
    let exit = result.unwrap_or_else(|error| {
        print_error(&error.diagnostic);
        error.exit
    });
    exit.into()
}

fn run_arguments(arguments: &[OsString]) -> Result<Exit, CliError> {
    if let Some(name) = process_hardening::closed_descriptor() {
        return Err(CliError::usage(format!("{name} is closed or cannot be used"))
            .with_hint("open it, for example with </dev/null, >/dev/null or 2>/dev/null"));
    }
    cli::reject_secrets_in_arguments(arguments)?;
    if let Some(completed) = cli::complete(arguments, open_service) {
        return completed;
    }
    match Args::try_parse_from(arguments) {
        Err(error) => cli::report_clap_error(error),
        Ok(args) => match &args.command {
            Some(command) => run_command_line(&args, command),
            None => run_app(&args),
        },
    }
}

fn run_command_line(args: &Args, command: &CliCommand) -> Result<Exit, CliError> {
    if let CliCommand::Demo = command {
        return run_demo(args);
    }
    if let Some(done) = cli::run_without_store(args, command, &open_service) {
        return done;
    }
    let config = load_config(args)?;
    if config.read_only && command.changes() {
        // Refuse before the command asks a question or accesses a file.
        let diagnostic = advice::diagnose_store(&StoreError::ReadOnlyMode);
        return Err(CliError { exit: Exit::Refused, diagnostic });
    }
    if let Some(done) = cli::run_on_backup(&config, args, command, &open_service) {
        if command.changes()
            && !config.hooks.is_empty()
            && let Ok(service) = open_service(&config)
        {
            cli::hooks::run_after_change(&service);
        }
        return done;
    }
    let options = OpenOptions {
        create_missing: command.creates_store(),
        reads_locked_file: command.only_ends_secrets(),
        cache: cli::cache_size(command),
        ..OpenOptions::default()
    };
    let service = match open_service_with(&config, options) {
        Err(ServiceError::Store(StoreError::Path(error)))
            if error.problem == PathProblem::NoStore && command.accepts_missing_store() =>
        {
            let path = config.store.display();
            print_message(&format!("No store at {path}: the import would create it"));
            let actor = current_actor(|name| std::env::var(name).ok());
            Service::in_memory(Clock::System, Entropy::System, actor, policy(&config))?
        }
        service => service?,
    };
    // A check reads the register itself, and must not become slower.
    if !matches!(command, CliCommand::Verify(_)) && service.was_store_outdated() {
        print_warning(&advice::outdated_store_warning());
    }
    let out = Output::new(args.json, config.theme != ThemeName::Mono);
    let result = cli::run_command(&service, &config, command, &out);
    if !command.changes() || matches!(command, CliCommand::Hooks(_)) {
        return result;
    }
    // Hooks run after the output is complete. A command that failed can have changed something, too.
    let result = match result {
        Err(CliError { exit, diagnostic }) => {
            print_error(&diagnostic);
            Ok(exit)
        }
        result => result,
    };
    cli::hooks::run_after_change(&service);
    result
}

fn run_app(args: &Args) -> Result<Exit, CliError> {
    terminal::check().map_err(CliError::usage)?;
    let config = load_config(args)?;
    // Create only the store at the default path. With a typing error in any other path, the app
    // would show a new, empty store.
    let create_missing = config.sources.get("store") == Some(&SettingSource::Default);
    let options = OpenOptions { create_missing, ..OpenOptions::default() };
    let service = open_service_with(&config, options)?;
    run_app_on(service, &config, args)
}

/// Runs the app on a filled store in memory.
fn run_demo(args: &Args) -> Result<Exit, CliError> {
    terminal::check().map_err(CliError::usage)?;
    let config = load_config(args)?;
    let service = cli::demo::open(current_actor(|name| std::env::var(name).ok()))?;
    run_app_on(service, &config, args)
}

fn run_app_on(service: Service, config: &Config, args: &Args) -> Result<Exit, CliError> {
    let setup = tui::AppSettings {
        keymap: config.keymap.clone(),
        views: config.views.clone(),
        theme: Theme::new(config.theme, config.glyphs),
        mouse: config.mouse,
        identity: user_at_host(&service),
        options: global_options(config, args),
        clipboard: (!config.clipboard.is_empty()).then(|| config.clipboard.clone()),
    };
    let ended = tui::run(service, setup).map_err(CliError::usage)?;
    let printed = ended.secrets.iter().try_for_each(|secret| print_secret(&ended, secret));
    let hooks = ended.finish();
    printed?;
    if !hooks.end_within(HOOK_NOTICE_AFTER) {
        print_message("Waiting for hooks; Ctrl-C leaves them to the next change");
        hooks.wait();
    }
    Ok(Exit::Done)
}

/// Prints a secret after the app has ended, and then records that it was printed. Without this
/// record, the next start of the app says that the secret may be lost.
fn print_secret(ended: &tui::EndedApp, secret: &Secret) -> Result<(), CliError> {
    let out = Output::new(false, false);
    if ended.secrets.len() > 1
        && let Some(name) = ended.token_name(secret)
    {
        print_message(&format!("Secret of {name}:"));
    }
    // Report a closed pipe as an error, too: the secret works and would be lost.
    out.deliver(secret.reveal()).map_err(|error| {
        CliError::not_delivered(&error).with_hint("the secret is lost: regenerate its token")
    })?;
    if let Err(error) = ended.record_printed(secret) {
        print_warning(&advice::unrecorded_print(&secret.id(), &error));
    }
    Ok(())
}

/// Returns the options that equivalent command lines need, so that they use the same store and the
/// same config as this app.
fn global_options(config: &Config, args: &Args) -> Vec<(&'static str, String)> {
    let named = [
        ("--store", args.store.as_ref().map(|_| &config.store)),
        ("--config", args.config.as_ref().and(config.file.as_ref())),
    ];
    let named = named.into_iter().filter_map(|(name, path)| Some((name, path?)));
    named.map(|(name, path)| (name, path.to_string_lossy().into_owned())).collect()
}

fn load_config(args: &Args) -> Result<Config, CliError> {
    let config =
        Config::load(&args.flags(), &Environment::of_process()).map_err(CliError::usage)?;
    cli::config::require_own_file(&config)?;
    Ok(config)
}

/// Opens the existing store of `config`.
fn open_service(config: &Config) -> Result<Service, ServiceError> {
    open_service_with(config, OpenOptions { create_missing: false, ..OpenOptions::default() })
}

fn open_service_with(config: &Config, options: OpenOptions) -> Result<Service, ServiceError> {
    let actor = current_actor(|name| std::env::var(name).ok());
    let options = OpenOptions { read_only: config.read_only, ..options };
    let store = Store::open_with(&config.store, options)?;
    let service = Service::new(store, Clock::System, Entropy::System, actor, policy(config));
    let service = service.with_hooks(config.hooks.clone());
    if service.ensure_register()? {
        let text = "the revocation register was missing, damaged or older: rebuilt it from the records \
                    and from its entries that can be read";
        print_warning(&advice::Diagnostic::new(text));
    }
    Ok(service)
}

/// The rules of the config for tokens.
fn policy(config: &Config) -> Policy {
    Policy {
        prefix: config.prefix.clone(),
        limits: config.limits,
        default_lifetime: config.lifetime,
        catalogue: config.catalogue.clone(),
    }
}

/// `user@host`, for the top line.
fn user_at_host(service: &Service) -> String {
    let system = rustix::system::uname();
    let host = system.nodename().to_string_lossy();
    let host = host.split('.').next().unwrap_or_default();
    format!("{}@{host}", service.actor().user)
}
