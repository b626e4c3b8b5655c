//! The store of `patdeck demo`, by a fixed clock and with secrets from a fixed seed, so that the
//! pictures are reproducible.

use std::sync::Arc;

use chrono::DateTime;
use patdeck::{
    cli::demo,
    domain::{Actor, DeliveryMethod, Timestamp},
    service::{Clock, Entropy, Policy, Service},
    testing::ServiceTestExt as _,
};

/// The time of the pictures: a Wednesday morning.
pub(crate) fn now() -> Timestamp {
    DateTime::from_timestamp(1_789_547_400, 0).unwrap()
}

/// The store and a service on it, with the clock at [`now`].
pub(crate) struct DemoStore {
    pub(crate) service: Arc<Service>,
    pub(crate) clock: Clock,
}

impl DemoStore {
    pub(crate) fn new() -> Self {
        let clock = Clock::fixed(now());
        let actor =
            |user: &str, from: &str| Actor { from: Some(from.into()), ..Actor::named(user) };
        let (alice, bob) = (actor("alice", "192.0.2.17"), actor("bob", "192.0.2.40"));
        let alice =
            Service::in_memory(clock.clone(), Entropy::seeded(11), alice, Policy::default());
        let alice = alice.unwrap();
        let bob = alice.on_same_store(clock.clone(), Entropy::seeded(12), bob);
        demo::play([&alice, &bob], &clock, now()).unwrap();
        // Without a token whose secret was never saved, no picture has the banner about it.
        for token in alice.load_snapshot().unwrap().tokens {
            if !token.delivered {
                alice.record_delivery(&token.id, &token.digest, DeliveryMethod::Copied).unwrap();
            }
        }
        Self { service: Arc::new(alice), clock }
    }
}
