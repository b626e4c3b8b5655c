//! Kills and stops real processes at random moments, on real files. `writer` is the code that runs
//! in a writer process, `ledger` the expected contents of the store; the other modules contain the
//! tests. Environment variables set the number of rounds; SECURITY.md has the figures.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking, in its helpers as in itself"
)]

mod kill_commands;
mod kill_jobs;
mod kill_writers;
mod ledger;
mod stop_writer;
mod stopped_lines;
mod writer;

use std::path::{Path, PathBuf};

use patdeck::{
    domain::{Actor, LifetimeLimits, ScopeCatalogue, SecretPrefix},
    service::{Clock, Entropy, Policy, Service},
    store::Store,
};

/// A service on the store at `path`, with the default settings.
fn service(path: &Path) -> Service {
    let policy = Policy {
        prefix: SecretPrefix::default(),
        limits: LifetimeLimits::default(),
        default_lifetime: "30d".parse().unwrap(),
        catalogue: ScopeCatalogue::default(),
    };
    let store = Store::open(path).unwrap();
    Service::new(store, Clock::System, Entropy::System, Actor::named("writer"), policy)
}

/// The program that the tests run: the file that `PATDECK_PROGRAM` names, for example a release
/// build, or the one that was built for the tests.
fn program() -> PathBuf {
    let named = std::env::var_os("PATDECK_PROGRAM").map(PathBuf::from);
    let built = || PathBuf::from(env!("CARGO_BIN_EXE_patdeck"));
    named.map_or_else(built, |path| path.canonicalize().unwrap())
}

/// The number of rounds from an environment variable, or `default` if it is not set.
fn rounds(variable: &str, default: usize) -> usize {
    std::env::var(variable).map_or(default, |text| text.parse().unwrap())
}
