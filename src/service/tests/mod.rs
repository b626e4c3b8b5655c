//! The use cases on a store in memory, or on one file where sharing matters, with a clock that
//! only the tests move and a repeatable source of randomness. This file holds what they share.

mod bulk;
mod clock;
mod decisions;
mod ending;
mod feed;
mod follow;
mod import;
mod issue;
mod model;
mod renewal;
mod scopes;
mod template;
mod trash;
mod undo;
mod verify;

use chrono::{TimeDelta, TimeZone as _, Utc};
use zeroize::Zeroizing;

use super::*;
use crate::{
    domain::{
        AccessRequest, AuditAction, AuditEvent, Command, Decision, Delivery, Denial, Description,
        EventDraft, Name, NewToken, Overlap, Scope, ScopeSelection, Secret, TokenSelection,
    },
    store::{ScanResult, StoreError, Trashed},
    testing::{Changes as _, Renewal},
};

/// So many minutes after the start of a test.
fn at(minute: i64) -> Timestamp {
    Utc.with_ymd_and_hms(2026, 11, 24, 12, 0, 0).unwrap() + TimeDelta::minutes(minute)
}

const DAY: i64 = 24 * 60;

/// A service with a hand on its clock.
struct World {
    service: Service,
    clock: Clock,
}

impl std::ops::Deref for World {
    type Target = Service;

    fn deref(&self) -> &Service {
        &self.service
    }
}

impl World {
    fn new() -> Self {
        Self::on(Store::memory().unwrap(), 1)
    }

    /// On `store`; services that share one need seeds of their own.
    fn on(store: Store, seed: u64) -> Self {
        let clock = Clock::fixed(at(0));
        let policy = Policy {
            prefix: Prefix::default(),
            limits: LifetimeLimits::default(),
            default_lifetime: lifetime("30d"),
            catalogue: Catalogue::default(),
        };
        let actor = Actor::named("alice");
        let service = Service::new(store, clock.clone(), Entropy::seeded(seed), actor, policy);
        Self { service, clock }
    }

    fn go_to(&self, minute: i64) {
        self.clock.set(at(minute));
    }

    /// A token for 30 days that may publish on all channels.
    fn issue(&self, name: &str) -> Issued {
        self.create(&new(name)).unwrap()
    }

    fn all(&self) -> Vec<Token> {
        let found = self.store.read(ReadOps::tokens).unwrap();
        assert_eq!(found.damaged, []);
        found.rows
    }

    fn get(&self, id: &TokenId) -> Option<Token> {
        self.store.read(|rows| rows.token(id)).unwrap()
    }

    /// The whole trail, oldest first. Its chain must hold.
    fn events(&self) -> Vec<AuditEvent> {
        let trail = self.trail(usize::MAX).unwrap();
        assert_eq!(trail.chain.broken, None);
        trail.events.into_iter().rev().collect()
    }

    /// What a check of `secret` for publishing on a channel says.
    fn check(&self, secret: &Secret) -> Decision {
        let verdict = self.service.check(presented(secret), Some(&request(PUBLISH)), None).unwrap();
        verdict.decision
    }

    fn works(&self, secret: &Secret) -> bool {
        self.check(secret).is_allowed()
    }

    /// All that a refusal must leave alone.
    fn state(&self) -> (ScanResult<Token>, ScanResult<Trashed>, Vec<AuditEvent>, u64) {
        let read = self
            .store
            .read(|rows| Ok::<_, StoreError>((rows.tokens()?, rows.trash()?, rows.generation()?)));
        let (tokens, trash, generation) = read.unwrap();
        (tokens, trash, self.events(), generation)
    }

    /// What `change` is refused with; it must have changed nothing.
    fn refused<T>(&self, change: impl FnOnce(&Service) -> Result<T, ServiceError>) -> ServiceError {
        let before = self.state();
        let error = change(&self.service).map(drop).unwrap_err();
        assert_eq!(self.state(), before, "refused, and changed all the same");
        error
    }

    /// What `change` gives; it must have changed nothing.
    fn idle<T>(&self, change: impl FnOnce(&Service) -> Result<T, ServiceError>) -> T {
        let before = self.state();
        let done = change(&self.service).unwrap();
        assert_eq!(self.state(), before, "nothing to do, and changed all the same");
        done
    }

    /// What `change` gives, and the events that it wrote as action and detail.
    fn told<T>(
        &self,
        change: impl FnOnce(&Service) -> Result<T, ServiceError>,
    ) -> (T, Vec<(AuditAction, String)>) {
        let before = self.events().len();
        let done = change(&self.service).unwrap();
        let fresh = self.events().into_iter().skip(before);
        let told = fresh.map(|event| (event.what.action, event.what.detail));
        (done, told.collect())
    }
}

const PUBLISH: &str = "channels:c1:publish";

fn lifetime(text: &str) -> Lifetime {
    text.parse().unwrap()
}

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn scope(text: &str) -> Scope {
    text.parse().unwrap()
}

fn new(text: &str) -> NewToken {
    NewToken {
        name: name(text),
        description: Description::default(),
        lifetime: lifetime("30d"),
        scopes: vec![scope("channels:*:publish")],
    }
}

fn renewal(text: &str, overlap: Overlap) -> Renewal {
    Renewal { lifetime: lifetime(text), overlap }
}

fn request(text: &str) -> AccessRequest {
    let scope = scope(text);
    AccessRequest {
        entity_type: scope.entity_type,
        entity: scope.entity,
        operation: scope.operation,
        domain: scope.domain,
    }
}

fn presented(secret: &Secret) -> Zeroizing<String> {
    Zeroizing::new(secret.reveal().to_owned())
}

/// A well-formed secret of `id` that nobody issued.
fn forged(id: TokenId) -> Secret {
    let entropy = Entropy::seeded(4_711);
    Secret::generate(&Prefix::default(), id, |out| entropy.fill(out)).unwrap()
}

const UNKNOWN: Decision = Decision::Deny(Denial::Unknown);
