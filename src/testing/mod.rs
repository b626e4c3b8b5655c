//! Support for tests and benches, behind the feature `testing`; no part of the program.

mod changes;

pub use changes::{Changes, Renewal, Undo};

use crate::{
    domain::{Actor, Catalogue, Limits, Prefix},
    service::{Clock, Entropy, Policy, Service},
    store::Store,
};

/// A service on an empty store in memory, with a clock that stands at 1970 and repeatable
/// secrets. Its operator is alice.
///
/// # Panics
/// If there is no memory for the store.
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
pub fn memory_service() -> Service {
    let policy = Policy {
        prefix: Prefix::default(),
        limits: Limits::default(),
        default_lifetime: "30d".parse().unwrap(),
        catalogue: Catalogue::default(),
    };
    let clock = Clock::fixed(chrono::DateTime::UNIX_EPOCH);
    let (store, entropy) = (Store::memory().unwrap(), Entropy::seeded(1));
    Service::new(store, clock, entropy, Actor::named("alice"), policy)
}
