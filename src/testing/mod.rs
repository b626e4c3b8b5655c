//! Support for tests and benches, behind the feature `testing`; no part of the program.

mod changes;

pub use changes::{Changes, Renewal, Undo};

use std::{error::Error, path::Path};

use zeroize::Zeroizing;

use crate::{
    domain::{Actor, Catalogue, Description, LifetimeLimits, Name, NewToken, Prefix},
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
        limits: LifetimeLimits::default(),
        default_lifetime: "30d".parse().unwrap(),
        catalogue: Catalogue::default(),
    };
    let clock = Clock::fixed(chrono::DateTime::UNIX_EPOCH);
    let (store, entropy) = (Store::memory().unwrap(), Entropy::seeded(1));
    Service::new(store, clock, entropy, Actor::named("alice"), policy)
}

/// Issues a token with one scope in a new store at `path`; its secret.
///
/// # Errors
/// If the store cannot be written.
pub fn issue_into(path: &Path, scope: &str) -> Result<Zeroizing<String>, Box<dyn Error>> {
    let policy = memory_service().policy().clone();
    let (store, actor) = (Store::open(path)?, Actor::named("alice"));
    let service = Service::new(store, Clock::System, Entropy::System, actor, policy);
    let token = NewToken {
        name: Name::parse("gateway")?,
        description: Description::default(),
        lifetime: "30d".parse()?,
        scopes: vec![scope.parse()?],
    };
    Ok(service.create(&token)?.secret.reveal().to_owned().into())
}
