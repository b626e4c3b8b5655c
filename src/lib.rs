//! patdeck: issue, scope, watch, revoke, regenerate and check personal access tokens, from the
//! terminal, in one file that any number of processes share.
//!
//! ```text
//!  Tab ─────────────────┐                        ┌─ chrome: tabs, who and where, what is active
//!  ┌────────────────────▼────────────────────────▼────────────────────────────────────────────┐
//!  │ patdeck   1 Tokens  2 Create  3 Detail  4 Audit              alice@edge-1 · 12 active    │
//!  │  [Active 12]  Expired 3   Revoked 4   All 19                  ◄── screen/tokens: a Query │
//!  │    Name              Status    Expires ▲     Last used                                   │
//!  │ ●  ci-prod       ┌─ Revoke ci-prod? ─────────────────────┐    ◄── Overlay: a screen      │
//!  │ ●  sensor-gate   │ every check of its secret is denied    │        over the tab, with    │
//!  │                  │ [ Cancel ]  [ Revoke ]  ◄── a widget   │        the keys              │
//!  │                  └───────────────────────────────────────┘                               │
//!  │ ci-prod is revoked                                            ◄── a toast                │
//!  │ ? help  q quit  Enter press  Esc cancel                       ◄── keymap: from the table │
//!  └──────────────────────────────────────────────────────────────────────────────────────────┘
//!
//!  key ─▶ Keymap::resolve ─▶ Action ─▶ Overlay or tab ─▶ Step ─▶ App ─▶ Want ─▶ Desk
//!                                                                           Ask(Effect) │
//!  frame ◀── App::paint ◀── Outcome, News ◀── Worker thread ◀── Service ◀── one transaction
//! ```
//!
//! Who may import whom, downwards only (`tests/architecture.rs` holds it):
//!
//! ```text
//!            main.rs ── lib.rs
//!        tui/            cli/            the two faces; they never meet
//!     keymap/  config/  json.rs  output/ words of the UI; settings; what both hand out
//!            list/                       the list engine: filter, search, order
//!            service/                    every use case, one function each
//!            store/                      redb and bincode live here and nowhere else
//!            domain/                     what a token is; pure
//! ```

pub mod cli;
pub mod config;
pub mod domain;
pub mod json;
pub mod keymap;
pub mod list;
pub mod output;
pub mod process;
pub mod service;
pub mod store;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod tui;

use std::{
    fs::File,
    io::{self, Write as _},
    process::ExitCode,
};

use clap::Parser as _;

use cli::{Args, Command, Exit, Failure, Output, print::tell};
use config::{Config, Environment, Theme};
use output::advice;
use service::{Clock, Entropy, Handed, Policy, Service, acting, judge_handed};
use store::{CacheSize, OpenOptions, Store, StoreError};
use tui::{terminal, theme::Look};

/// The program: reads arguments and settings, opens the store, does the command or shows the
/// app.
pub fn run() -> ExitCode {
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
        Failure::Unread => Exit::Done,
        Failure::Told(exit, reason) => {
            tell(&reason);
            exit
        }
    });
    exit.into()
}

fn command_line(args: &Args, command: &Command) -> Result<Exit, Failure> {
    if let Some(done) = cli::perform_without_store(args, command, &open) {
        return done;
    }
    let config = settings(args)?;
    if config.read_only && command.changes() {
        // Before anything is asked, read or made.
        return Err(Failure::Told(Exit::Refused, advice::store_message(&StoreError::ReadOnlyMode)));
    }
    let service = open_with(&config, cli::cache(command))?;
    let out = Output::new(args.json, config.theme != Theme::Mono);
    cli::perform(&service, command, &out)
}

fn app(args: &Args) -> Result<Exit, Failure> {
    terminal::check().map_err(Failure::usage)?;
    let config = settings(args)?;
    let service = open(&config)?;
    // Old trash is no reason not to start: a store that cannot be written is still read.
    if !config.read_only {
        drop(service.purge());
    }
    let setup = tui::Setup {
        keymap: config.keymap.clone(),
        look: Look::new(config.theme, config.glyphs),
        mouse: config.mouse,
        who: who(&service),
        options: options(&config, args),
        clipboard: (!config.clipboard.is_empty()).then(|| config.clipboard.clone()),
    };
    let secrets = tui::run(service, setup).map_err(Failure::usage)?;
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

fn settings(args: &Args) -> Result<Config, Failure> {
    let config = Config::load(&args.flags(), &Environment::of_process()).map_err(Failure::usage)?;
    // The settings name a program that is handed secrets: whoever may change them has these.
    if let Some((path, file)) =
        config.file.as_deref().and_then(|path| Some((path, File::open(path).ok()?)))
    {
        judge_handed(path, &file, Handed::Content)
            .map_err(|error| Failure::Told(Exit::Store, advice::store_message(&error)))?;
    }
    Ok(config)
}

fn open(config: &Config) -> Result<Service, Failure> {
    open_with(config, CacheSize::default())
}

fn open_with(config: &Config, cache: CacheSize) -> Result<Service, Failure> {
    let policy = Policy {
        prefix: config.prefix.clone(),
        limits: config.limits,
        default_lifetime: config.lifetime,
        catalogue: config.catalogue.clone(),
    };
    let actor = acting(|name| std::env::var(name).ok());
    let refused = |error: StoreError| Failure::Told(Exit::Store, advice::store_message(&error));
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
