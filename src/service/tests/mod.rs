//! Tests of the use cases on a memory store, or on a file where two processes share it. The tests
//! set the clock, and the random source is seeded. This file contains the shared helpers.

mod bulk;
mod clock;
mod clone_template;
mod decisions;
mod feed;
mod follow;
mod hooks;
mod import;
mod issue;
mod jobs;
mod limits;
mod model;
mod regenerate;
mod revoke_delivery;
mod scopes;
mod trash;
mod undo;
mod usage;
mod verify;

use chrono::{TimeDelta, TimeZone as _, Utc};
use zeroize::Zeroizing;

use super::*;
use crate::{
    domain::{
        AccessRequest, AuditAction, AuditEvent, Command, Decision, DeliveryMethod, Denial,
        Description, EventBody, Labels, LimitChanges, Name, NewToken, Owner, Scope, ScopesToRemove,
        Secret, SecretOverlap, TokensToDelete,
    },
    store::{ScanResult, StoreError, TrashedToken},
    testing::{RegenerateOptions, ServiceTestExt as _},
};

/// The instant `minute` minutes after the start of a test.
fn at(minute: i64) -> Timestamp {
    Utc.with_ymd_and_hms(2026, 11, 24, 12, 0, 0).unwrap() + TimeDelta::minutes(minute)
}

const DAY: i64 = 24 * 60;

/// A service on a memory store, with a clock that the test sets.
struct TestService {
    service: Service,
    clock: Clock,
}

impl std::ops::Deref for TestService {
    type Target = Service;

    fn deref(&self) -> &Service {
        &self.service
    }
}

impl TestService {
    fn new() -> Self {
        Self::on(Store::memory().unwrap(), 1)
    }

    /// Uses `store`. Services that share a store need different seeds.
    fn on(store: Store, seed: u64) -> Self {
        let clock = Clock::fixed(at(0));
        let policy = Policy {
            prefix: SecretPrefix::default(),
            limits: LifetimeLimits::default(),
            default_lifetime: lifetime("30d"),
            catalogue: ScopeCatalogue::default(),
        };
        let actor = Actor::named("alice");
        let service = Service::new(store, clock.clone(), Entropy::seeded(seed), actor, policy);
        Self { service, clock }
    }

    fn set_minute(&self, minute: i64) {
        self.clock.set(at(minute));
    }

    /// Creates a token that lives 30 days and may publish on all channels.
    fn issue(&self, name: &str) -> IssuedToken {
        self.create(&new_token(name)).unwrap()
    }

    fn all(&self) -> Vec<Token> {
        let found = self.store.read(ReadOps::tokens).unwrap();
        assert_eq!(found.damaged, []);
        found.rows
    }

    fn get(&self, id: &TokenId) -> Option<Token> {
        self.store.read(|rows| rows.token(id)).unwrap()
    }

    /// The whole audit trail, oldest first. Panics if its hash chain is broken.
    fn events(&self) -> Vec<AuditEvent> {
        let trail = self.audit_trail(usize::MAX).unwrap();
        assert_eq!(trail.chain.first_fault, None);
        trail.events.into_iter().rev().collect()
    }

    /// Checks whether `secret` may publish on a channel.
    fn check(&self, secret: &Secret) -> Decision {
        let verdict =
            self.service.check(secret_text(secret), Some(&request(PUBLISH)), None).unwrap();
        verdict.decision
    }

    fn works(&self, secret: &Secret) -> bool {
        self.check(secret).is_allowed()
    }

    /// The state that a refused change must not modify.
    fn state(&self) -> (ScanResult<Token>, ScanResult<TrashedToken>, Vec<AuditEvent>, u64) {
        let read = self
            .store
            .read(|rows| Ok::<_, StoreError>((rows.tokens()?, rows.trash()?, rows.generation()?)));
        let (tokens, trash, generation) = read.unwrap();
        (tokens, trash, self.events(), generation)
    }

    /// Returns the error of `change`. Panics if it succeeded or changed the store.
    fn expect_refusal<T>(
        &self,
        change: impl FnOnce(&Service) -> Result<T, ServiceError>,
    ) -> ServiceError {
        let before = self.state();
        let error = change(&self.service).map(drop).unwrap_err();
        assert_eq!(self.state(), before, "a refused change modified the store");
        error
    }

    /// Returns the result of `change`. Panics if it failed or changed the store.
    fn expect_no_change<T>(&self, change: impl FnOnce(&Service) -> Result<T, ServiceError>) -> T {
        let before = self.state();
        let done = change(&self.service).unwrap();
        assert_eq!(self.state(), before, "a change without effect modified the store");
        done
    }

    /// Returns the result of `change` and the events that it wrote, as action and detail.
    fn capture_events<T>(
        &self,
        change: impl FnOnce(&Service) -> Result<T, ServiceError>,
    ) -> (T, Vec<(AuditAction, String)>) {
        let before = self.events().len();
        let done = change(&self.service).unwrap();
        let new_events = self.events().into_iter().skip(before);
        let events = new_events.map(|event| (event.body.action, event.body.detail));
        (done, events.collect())
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

fn new_token(text: &str) -> NewToken {
    NewToken {
        name: name(text),
        description: Description::default(),
        lifetime: lifetime("30d"),
        scopes: vec![scope("channels:*:publish")],
        limits: LimitChanges::default(),
        labels: Labels::default(),
        owner: Owner::default(),
    }
}

fn regenerate_options(text: &str, overlap: SecretOverlap) -> RegenerateOptions {
    RegenerateOptions { lifetime: lifetime(text), overlap }
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

fn secret_text(secret: &Secret) -> Zeroizing<String> {
    Zeroizing::new(secret.reveal().to_owned())
}

/// A well-formed secret of `id` that nobody issued.
fn forged_secret(id: TokenId) -> Secret {
    let entropy = Entropy::seeded(4_711);
    Secret::generate(&SecretPrefix::default(), id, |out| entropy.fill(out)).unwrap()
}

const UNKNOWN: Decision = Decision::Deny(Denial::Unknown);
