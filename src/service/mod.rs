//! Every use case, one function each, in one transaction. Owns clock, randomness, actor and
//! policy; the rules themselves are the domain's, the bytes the store's. Called by both faces;
//! knows neither.

pub mod actor;
pub mod address;
pub mod audit;
pub mod clock;
pub mod entropy;
pub mod error;
mod execute;
pub mod feed;
pub mod import;
pub mod leaks;
mod parallel;
pub mod secret_file;
mod template;
pub mod transfer;
mod usage;
pub mod verify;

pub use actor::current_actor;
pub use audit::{Followed, Health, Position, Trail};
pub use clock::{Clock, Zone};
pub use entropy::Entropy;
pub use error::ServiceError;
pub use execute::{Committed, Issued};
pub use feed::{Changed, TokenBatch, TokenCursor};
pub use parallel::par_map_ordered;
pub use verify::{Verdict, Verifier};

pub use crate::store::{
    CacheSize, ChainState, ChangeWatcher, Damage, InputTrust, PathError, PathProblem,
    PermissionFix, StoreError, is_at_hand, judge_handed, panic_is_caught, wait_for_writes,
};
#[cfg(test)]
pub use crate::store::{Cause, Operation, WriteNeed};
use crate::{
    domain::{
        Actor, Catalogue, Lifetime, LifetimeLimits, Prefix, Refusal, Timestamp, Token, TokenId,
    },
    store::{ReadOps, Store},
};

/// What the operator's settings say about tokens.
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
    /// The use cases on `store`, done by `actor` under `policy`.
    pub fn new(store: Store, clock: Clock, entropy: Entropy, actor: Actor, policy: Policy) -> Self {
        Self { store, clock, entropy, actor, policy }
    }

    /// Whether nothing may be changed, not even the last use of a token.
    pub fn is_read_only(&self) -> bool {
        self.store.is_read_only()
    }

    /// Calls `on_change` in a thread of its own whenever the store was changed, by any process; see
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

    /// The instant by which statuses are to be judged now.
    pub fn now(&self) -> Result<Timestamp, ServiceError> {
        Ok(self.store.read(|rows| self.clock.denial_time(rows))?)
    }

    fn found(rows: &impl ReadOps, id: &TokenId) -> Result<Token, ServiceError> {
        Ok(rows.token(id)?.ok_or(Refusal::Gone(*id))?)
    }
}

#[cfg(test)]
mod tests;
