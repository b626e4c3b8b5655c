//! Fixtures for tests and benches: a service on an in-memory store, and methods that make a change
//! in one call. Behind the feature `testing`; not part of the program.

mod service_ext;

pub use service_ext::{RegenerateOptions, ServiceTestExt, Undo};

use std::{error::Error, path::Path};

use zeroize::Zeroizing;

use crate::{
    domain::{
        Actor, Description, Labels, LifetimeLimits, LimitChanges, Name, NewToken, Owner,
        ScopeCatalogue, SecretPrefix,
    },
    service::{Clock, Entropy, Policy, Service},
    store::Store,
};

/// A service on an empty in-memory store. The clock is fixed at 1970-01-01, and the random
/// generator has a fixed seed, so that every run issues the same secrets. The acting operator is
/// alice.
///
/// # Panics
/// If the in-memory store cannot be created.
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
pub fn memory_service() -> Service {
    let clock = Clock::fixed(chrono::DateTime::UNIX_EPOCH);
    let (store, entropy) = (Store::memory().unwrap(), Entropy::seeded(1));
    Service::new(store, clock, entropy, Actor::named("alice"), default_policy())
}

/// The policy of the default settings.
#[expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "the lifetime is valid")]
pub fn default_policy() -> Policy {
    Policy {
        prefix: SecretPrefix::default(),
        limits: LifetimeLimits::default(),
        default_lifetime: "30d".parse().unwrap(),
        catalogue: ScopeCatalogue::default(),
    }
}

/// Creates a token with one scope in the store at `path`, which is created if missing. Returns the
/// secret.
///
/// # Errors
/// If the store cannot be written, or if `scope` is invalid.
pub fn issue_into(path: &Path, scope: &str) -> Result<Zeroizing<String>, Box<dyn Error>> {
    let (store, actor) = (Store::open(path)?, Actor::named("alice"));
    let service = Service::new(store, Clock::System, Entropy::System, actor, default_policy());
    let token = NewToken {
        name: Name::parse("gateway")?,
        description: Description::default(),
        lifetime: "30d".parse()?,
        scopes: vec![scope.parse()?],
        limits: LimitChanges::default(),
        labels: Labels::default(),
        owner: Owner::default(),
    };
    Ok(service.create(&token)?.secret.reveal().to_owned().into())
}
