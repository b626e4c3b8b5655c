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
//!     keymap/  config/                   words of the UI; settings
//!            service/                    every use case, one function each
//!            store/                      redb and bincode live here and nowhere else
//!            domain/                     what a token is; pure
//! ```

pub mod cli;
pub mod config;
pub mod domain;
pub mod keymap;
pub mod process;
pub mod service;
pub mod store;
pub mod tui;

use std::{
    io::{self, Write as _},
    process::ExitCode,
};

use clap::Parser as _;

use cli::{Args, Exit};
use config::{Config, Environment, Glyphs, Theme};
use service::{Clock, Entropy, Policy, Service, acting};
use store::Store;
use tui::{look::Look, terminal};

/// The program: reads arguments and settings, opens the store, shows the app.
pub fn run() -> ExitCode {
    process::harden();
    let args = Args::parse();
    app(&args)
        .unwrap_or_else(|(exit, reason)| {
            complain(&reason);
            exit
        })
        .into()
}

/// Why the program ends, and with which code.
type Failure = (Exit, String);

fn app(args: &Args) -> Result<Exit, Failure> {
    let usage = |reason: String| (Exit::Usage, reason);
    terminal::check().map_err(|error| usage(error.to_string()))?;
    let config = Config::load(&args.flags(), &Environment::of_process())
        .map_err(|error| usage(error.to_string()))?;
    let service = open(&config).map_err(|error| (Exit::Store, error.to_string()))?;
    // Old trash is no reason not to start: a store that cannot be written is still read.
    drop(service.purge());
    let setup = tui::Setup {
        keymap: config.keymap.clone(),
        look: Look::new(config.theme != Theme::Mono, config.glyphs == Glyphs::Ascii),
        who: who(),
        clipboard: (!config.clipboard.is_empty()).then(|| config.clipboard.clone()),
    };
    let secrets = tui::run(service, setup).map_err(|error| usage(error.to_string()))?;
    let mut out = io::stdout().lock();
    for secret in secrets {
        // The terminal may be gone by now; then there is nobody to tell.
        let written = out
            .write_all(secret.reveal().as_bytes())
            .and_then(|()| out.write_all(b"\n"));
        drop(written.and_then(|()| out.flush()));
    }
    Ok(Exit::Done)
}

fn open(config: &Config) -> Result<Service, store::StoreError> {
    let policy = Policy {
        prefix: config.prefix.clone(),
        limits: config.limits,
        default_lifetime: config.lifetime,
        catalogue: config.catalogue.clone(),
    };
    let actor = acting(|name| std::env::var(name).ok());
    let store = Store::open(&config.store)?;
    Ok(Service::new(
        store,
        Clock::System,
        Entropy::System,
        actor,
        policy,
    ))
}

/// `user@host`, for the top line.
fn who() -> String {
    let actor = acting(|name| std::env::var(name).ok());
    let system = rustix::system::uname();
    let host = system.nodename().to_string_lossy();
    let host = host.split('.').next().unwrap_or_default();
    format!("{}@{host}", actor.user)
}

/// One line on standard error; where there is none, nobody is listening.
fn complain(reason: &str) {
    drop(writeln!(io::stderr(), "patdeck: {reason}"));
}
