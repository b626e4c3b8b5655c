//! patdeck issues, scopes, revokes, regenerates and checks Personal Access Tokens in one file that
//! any number of processes share. The program is [`run`]; this page is about checking tokens from
//! another Rust program, in process.
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
//!     Decision::Allow(_) => { /* do it */ }
//!     Decision::Deny(reason) => eprintln!("denied: {reason}"),
//! }
//! # assert!(verifier.check("pat_no_secret".to_owned().into(), Some(&request), None)?.token.is_none());
//! # Ok(())
//! # }
//! ```
//!
//! Each check reads the last commit of any process: a revoke counts from the moment at which its
//! command returns. An error is *no answer*, never "allowed". A [`Verifier`] can move to a thread,
//! and a clone of it serves another one.
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
//! `docs/architecture.md` describes them.

// Only tests and benches see the layers from outside, through the feature `testing`. Both forms are
// written out: rustfmt would not find a module that a macro declares.
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
mod process;
#[cfg(feature = "testing")]
pub mod process;
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

pub use domain::{AccessRequest, Decision, Denial, Scope, ScopeError};
pub use service::{Verdict, Verifier};
pub use store::StoreError;

use std::{
    fs::File,
    io::{self, Write as _},
    process::ExitCode,
};

use clap::Parser as _;

use cli::{Args, CliCommand, CliError, Exit, Output, print::print_message};
use config::{Config, Environment, ThemeName};
use output::advice;
use service::{Clock, Entropy, InputTrust, Policy, Service, current_actor, judge_handed};
use store::{CacheSize, OpenOptions, Store};
use tui::{terminal, theme::Theme};

/// The program: reads arguments and settings, opens the store, does the command or shows the
/// app.
pub fn run() -> ExitCode {
    process::install_panic_hook();
    process::harden();
    let arguments: Vec<_> = std::env::args_os().collect();
    let ran = cli::refuse_secrets(&arguments).and_then(|()| {
        let args = Args::try_parse_from(&arguments).map_err(|error| cli::refused(&error))?;
        match &args.command {
            Some(command) => command_line(&args, command),
            None => app(&args),
        }
    });
    let exit = ran.unwrap_or_else(|failure| match failure {
        CliError::BrokenPipe => Exit::Done,
        CliError::Exit(exit, reason) => {
            print_message(&reason);
            exit
        }
    });
    exit.into()
}

fn command_line(args: &Args, command: &CliCommand) -> Result<Exit, CliError> {
    if let Some(done) = cli::perform_without_store(args, command, &open) {
        return done;
    }
    let config = settings(args)?;
    if config.read_only && command.changes() {
        // Before anything is asked, read or made.
        return Err(CliError::Exit(
            Exit::Refused,
            advice::store_message(&StoreError::ReadOnlyMode),
        ));
    }
    let service = open_with(&config, cli::cache(command))?;
    let out = Output::new(args.json, config.theme != ThemeName::Mono);
    cli::perform(&service, command, &out)
}

fn app(args: &Args) -> Result<Exit, CliError> {
    terminal::check().map_err(CliError::usage)?;
    let config = settings(args)?;
    let service = open(&config)?;
    // Old trash is no reason not to start: a store that cannot be written is still read.
    if !config.read_only {
        drop(service.purge());
    }
    let setup = tui::Setup {
        keymap: config.keymap.clone(),
        theme: Theme::new(config.theme, config.glyphs),
        mouse: config.mouse,
        who: who(&service),
        options: options(&config, args),
        clipboard: (!config.clipboard.is_empty()).then(|| config.clipboard.clone()),
    };
    let secrets = tui::run(service, setup).map_err(CliError::usage)?;
    let mut out = io::stdout().lock();
    for secret in secrets {
        out.write_all(secret.reveal().as_bytes())?;
        out.write_all(b"\n")?;
    }
    out.flush()?;
    Ok(Exit::Done)
}

/// The options that a command line needs to do the same as the app: those that name another
/// store or other settings than a bare `patdeck` would take.
fn options(config: &Config, args: &Args) -> Vec<(&'static str, String)> {
    let named = [
        ("--store", args.store.as_ref().map(|_| &config.store)),
        ("--config", args.config.as_ref().and(config.file.as_ref())),
    ];
    let named = named.into_iter().filter_map(|(name, path)| Some((name, path?)));
    named.map(|(name, path)| (name, path.to_string_lossy().into_owned())).collect()
}

fn settings(args: &Args) -> Result<Config, CliError> {
    let config =
        Config::load(&args.flags(), &Environment::of_process()).map_err(CliError::usage)?;
    // The settings name a program that is handed secrets: whoever may change them has these.
    if let Some((path, file)) =
        config.file.as_deref().and_then(|path| Some((path, File::open(path).ok()?)))
    {
        judge_handed(path, &file, InputTrust::Content)
            .map_err(|error| CliError::Exit(Exit::Store, advice::store_message(&error)))?;
    }
    Ok(config)
}

fn open(config: &Config) -> Result<Service, CliError> {
    open_with(config, CacheSize::default())
}

fn open_with(config: &Config, cache: CacheSize) -> Result<Service, CliError> {
    let policy = Policy {
        prefix: config.prefix.clone(),
        limits: config.limits,
        default_lifetime: config.lifetime,
        catalogue: config.catalogue.clone(),
    };
    let actor = current_actor(|name| std::env::var(name).ok());
    let refused = |error: StoreError| CliError::Exit(Exit::Store, advice::store_message(&error));
    let opening = OpenOptions { read_only: config.read_only, cache, ..OpenOptions::default() };
    let store = Store::open_with(&config.store, opening).map_err(refused)?;
    Ok(Service::new(store, Clock::System, Entropy::System, actor, policy))
}

/// `user@host`, for the top line.
fn who(service: &Service) -> String {
    let system = rustix::system::uname();
    let host = system.nodename().to_string_lossy();
    let host = host.split('.').next().unwrap_or_default();
    format!("{}@{host}", service.actor().user)
}
