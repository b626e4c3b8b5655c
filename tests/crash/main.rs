//! Processes that are killed and stopped at random: real ones, on real files. `writer` is what
//! runs in them, `ledger` what is known of their work, `killed` and `stopped` the tests. More
//! rounds by the variables that the tests name; SECURITY.md has the figures.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking, in its helpers as in itself"
)]

mod commands;
mod killed;
mod ledger;
mod stopped;
mod writer;

use std::path::Path;

use patdeck::{
    domain::{Actor, Catalogue, LifetimeLimits, Prefix},
    service::{Clock, Entropy, Policy, Service},
    store::Store,
};

/// The use cases on the store at `path`, as the program has them.
fn service(path: &Path) -> Service {
    let policy = Policy {
        prefix: Prefix::default(),
        limits: LifetimeLimits::default(),
        default_lifetime: "30d".parse().unwrap(),
        catalogue: Catalogue::default(),
    };
    let store = Store::open(path).unwrap();
    Service::new(store, Clock::System, Entropy::System, Actor::named("writer"), policy)
}

/// How many rounds are asked for; `usual` if nobody asks.
fn rounds(variable: &str, usual: usize) -> usize {
    std::env::var(variable).map_or(usual, |text| text.parse().unwrap())
}
