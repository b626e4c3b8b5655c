//! The use cases. A change of up to 5,000 tokens runs in one transaction, a larger one in batches.
//! Owns the clock, the random source, the actor and the policy. The rules are in `domain`, the
//! stored bytes in `store`. Called by the list engine, the app and the command line; depends on
//! none of them.

pub mod actor;
mod batch_size;
mod child_process;
pub mod clock;
mod clone_template;
mod ending_changes;
mod endings;
mod entity_suggestions;
pub mod entropy;
pub mod error;
mod execute;
pub mod export_and_backup;
mod hook_process;
pub mod hooks;
pub mod import;
mod issue;
mod job_batches;
mod jobs;
pub mod leaked_secret;
pub mod list_feed;
mod overview;
mod parallel;
mod pending_endings;
mod plan_reader;
mod repair;
mod restore;
pub mod secret_file;
mod stale_records;
pub mod store_reads;
pub mod token_lookup;
mod usage;
mod use_limit;
pub mod verify;

pub use actor::current_actor;
pub use child_process::wait_for_exit;
use clock::ProcessTime;
pub use clock::{Clock, Zone};
pub use entropy::Entropy;
pub use error::ServiceError;
pub use execute::{CommandResult, IssuedToken};
pub use hooks::{HookRunState, HookSelection, HookSummary, StoredHookRun};
pub use jobs::StoredJob;
pub use list_feed::{FeedChanges, TokenBatch, TokenCursor};
pub use parallel::par_map_ordered;
pub use restore::RestoreDifferences;
#[cfg(any(test, feature = "testing"))]
pub use store_reads::AllTokensSnapshot;
pub use store_reads::{
    AuditTrail, ChangeLogPosition, ClockReport, StoreHealth, TokenChanges, TokenSummary,
};
pub use token_lookup::MIN_PREFIX_LEN;
pub use verify::{EndedSecret, Verdict, Verifier};

pub use crate::store::{
    CacheSize, ChainCheckResult, ChangeWatcher, DamagedRecord, InputSensitivity, NameClash,
    PathError, PathProblem, PermissionFix, StoreError, VerifiedChain, abandoned_files,
    check_input_file, create_private_folder, is_local_regular_file, panic_ends_process,
    panic_is_caught, wait_for_writes,
};
#[cfg(test)]
pub use crate::store::{Cause, IoOperation, WriteAccessReason};
use crate::{
    domain::{
        Actor, Lifetime, LifetimeLimits, Refusal, ScopeCatalogue, SecretPrefix, Timestamp, Token,
        TokenId, lifetime::DurationMinutes,
    },
    store::{ReadOps, Store},
};

/// The rules for tokens that the config sets: secret prefix, lifetimes and catalogue.
#[derive(Debug, Clone)]
pub struct Policy {
    pub prefix: SecretPrefix,
    pub limits: LifetimeLimits,
    pub default_lifetime: Lifetime,
    pub catalogue: ScopeCatalogue,
}

/// The use cases on one store.
#[derive(Debug)]
pub struct Service {
    store: Store,
    clock: ProcessTime,
    entropy: Entropy,
    actor: Actor,
    policy: Policy,
    /// Whether a command writes its file with secrets.
    writes_secret_files: bool,
}

impl Default for Policy {
    /// The policy without a config file.
    fn default() -> Self {
        let limits = LifetimeLimits::default();
        let month = DurationMinutes::new(30 * 24 * 60).unwrap_or(limits.max);
        Self {
            prefix: SecretPrefix::default(),
            limits,
            default_lifetime: Lifetime::For(month),
            catalogue: ScopeCatalogue::default(),
        }
    }
}

impl Service {
    /// Creates the use cases on an empty store in memory, which ends with the last service on it.
    pub fn in_memory(
        clock: Clock,
        entropy: Entropy,
        actor: Actor,
        policy: Policy,
    ) -> Result<Self, ServiceError> {
        Ok(Self::new(Store::memory()?, clock, entropy, actor, policy))
    }

    /// Creates a service on the same store with the same policy.
    pub fn on_same_store(&self, clock: Clock, entropy: Entropy, actor: Actor) -> Self {
        Self::new(self.store.clone(), clock, entropy, actor, self.policy.clone())
    }

    /// Creates the use cases on `store`. The audit trail records `actor`. Changes that violate
    /// `policy` are refused.
    pub fn new(store: Store, clock: Clock, entropy: Entropy, actor: Actor, policy: Policy) -> Self {
        Self {
            store,
            clock: ProcessTime::new(clock),
            entropy,
            actor,
            policy,
            writes_secret_files: true,
        }
    }

    /// Makes commands leave out their file with secrets, for the demo. They do all else.
    #[must_use]
    pub fn without_secret_files(self) -> Self {
        Self { writes_secret_files: false, ..self }
    }

    /// Whether the store is open in read-only mode. In that mode, not even last uses are recorded.
    pub fn is_read_only(&self) -> bool {
        self.store.is_read_only()
    }

    /// Whether the store is in memory: this is the demo, and no file may be written.
    pub fn is_in_memory(&self) -> bool {
        self.store.path().is_none()
    }

    /// Whether an older state of the store, such as a backup, has replaced a newer one since the
    /// last call. Only reads of this process detect this.
    pub fn take_rewound(&self) -> bool {
        self.store.take_rewound()
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
    /// than the newest event, the newest use, and the newest time that this process has seen.
    pub fn now(&self) -> Result<Timestamp, ServiceError> {
        Ok(self.store.read(|rows| self.clock.denial_time(rows))?)
    }

    /// Fails if the clock is too far behind the time at which expiry is evaluated: no secret can be
    /// issued then.
    fn require_granting(&self, rows: &impl ReadOps) -> Result<(), ServiceError> {
        match self.clock.behind(rows)? {
            Some(newest) => Err(Refusal::ClockBehind { clock: self.clock.now(), newest }.into()),
            None => Ok(()),
        }
    }

    /// Returns the token with this id, or [`Refusal::NotFound`].
    fn require_token(rows: &impl ReadOps, id: &TokenId) -> Result<Token, ServiceError> {
        Ok(rows.token(id)?.ok_or(Refusal::NotFound(*id))?)
    }
}

#[cfg(test)]
mod tests;
