//! The use cases: one function each, one transaction each. Owns the clock, the random source, the
//! actor and the policy. The rules are in `domain`, the stored bytes in `store`. Called by the list
//! engine, the app and the command line; depends on none of them.

pub mod actor;
pub mod audit;
pub mod clock;
mod clone_template;
pub mod entropy;
pub mod error;
mod execute;
pub mod feed;
pub mod import;
pub mod leaks;
mod parallel;
pub mod resolve;
pub mod secret_file;
pub mod transfer;
mod usage;
pub mod verify;

pub use actor::current_actor;
pub use audit::{AuditTrail, ChangePosition, StoreHealth, TokenChanges};
pub use clock::{Clock, Zone};
pub use entropy::Entropy;
pub use error::ServiceError;
pub use execute::{Committed, IssuedToken};
pub use feed::{ChangedTokens, TokenBatch, TokenCursor};
pub use parallel::par_map_ordered;
pub use verify::{Verdict, Verifier};

pub use crate::store::{
    CacheSize, ChainState, ChangeWatcher, DamagedRecord, InputTrust, PathError, PathProblem,
    PermissionFix, StoreError, check_input_file, is_local_regular_file, panic_is_caught,
    wait_for_writes,
};
#[cfg(test)]
pub use crate::store::{Cause, IoOperation, WriteAccessReason};
use crate::{
    domain::{
        Actor, Catalogue, Lifetime, LifetimeLimits, Prefix, Refusal, Timestamp, Token, TokenId,
    },
    store::{ReadOps, Store},
};

/// The rules for tokens that the config sets: secret prefix, lifetimes and catalogue.
#[derive(Debug, Clone)]
pub struct Policy {
    pub prefix: Prefix,
    pub limits: LifetimeLimits,
    pub default_lifetime: Lifetime,
    pub catalogue: Catalogue,
}

/// The use cases on one store.
#[derive(Debug)]
pub struct Service {
    store: Store,
    clock: Clock,
    entropy: Entropy,
    actor: Actor,
    policy: Policy,
}

impl Service {
    /// Creates the use cases on `store`. The audit trail records `actor`. Changes that violate
    /// `policy` are refused.
    pub fn new(store: Store, clock: Clock, entropy: Entropy, actor: Actor, policy: Policy) -> Self {
        Self { store, clock, entropy, actor, policy }
    }

    /// Whether the store is open in read-only mode; then not even last uses are recorded.
    pub fn is_read_only(&self) -> bool {
        self.store.is_read_only()
    }

    /// Calls `on_change` on a separate thread after each change of the store by any process; see
    /// [`ChangeWatcher::start`].
    pub fn watch(
        &self,
        on_change: impl Fn() -> bool + Send + 'static,
    ) -> std::io::Result<ChangeWatcher> {
        ChangeWatcher::start(self.store.path(), on_change)
    }

    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Returns the instant at which statuses are evaluated: the clock's time, but never earlier
    /// than the newest event.
    pub fn now(&self) -> Result<Timestamp, ServiceError> {
        Ok(self.store.read(|rows| self.clock.denial_time(rows))?)
    }

    /// Returns the token with this id, or [`Refusal::NotFound`].
    fn require_token(rows: &impl ReadOps, id: &TokenId) -> Result<Token, ServiceError> {
        Ok(rows.token(id)?.ok_or(Refusal::NotFound(*id))?)
    }
}

#[cfg(test)]
mod tests;
