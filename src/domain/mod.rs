//! Domain model of personal access tokens: names, scopes, lifetimes, secrets, statuses, access
//! decisions and planned changes. The module is pure: no I/O, no clock, no serde and no random
//! source. Times and random bytes are arguments. Every other module uses this module, which depends
//! on none of them.

pub mod catalogue;
pub mod clock_effects;
pub mod command;
pub mod count;
pub mod decision;
pub mod denials;
pub mod describe_scopes;
pub mod event;
pub mod file_path;
pub mod hook;
pub mod id;
pub mod job;
pub mod label;
pub(crate) mod labelled_enum;
pub mod lifetime;
pub mod limits;
pub mod list_query;
pub mod lookalike;
pub mod name;
mod not_before;
mod overlap;
pub mod overview;
pub mod pending_scopes;
pub mod plan;
pub mod scan;
pub mod scope;
pub mod scope_matrix;
pub mod scope_preset;
pub mod search;
pub mod secret;
mod secret_slot;
pub mod source_networks;
pub mod terminal_text;
pub mod time_range;
pub mod time_text;
pub mod token;
pub mod usage;
pub mod usage_days;

pub use catalogue::{EntityTypeEntry, ScopeCatalogue};
pub use clock_effects::ClockEffects;
pub use command::{
    Command, DeliveryMethod, FieldChanges, LeakedSecret, NewToken, ScopesToRemove, TokensToDelete,
    TokensToRestore,
};
pub use count::{added_and_removed, counted, grouped, list_first};
pub use decision::{AccessRequest, CheckContext, Decision, Denial, decide};
pub use denials::{DenialReason, DeniedAttempt, DeniedAttempts};
pub use event::{Actor, AuditAction, AuditEvent, EventBody, EventHash};
pub use hook::{Hook, HookError, HookFailure, HookOutcome, HookRun, HookRunCounts, Hooks};
pub use id::TokenId;
pub use job::{Job, JobKind, MAX_PER_TRANSACTION};
pub use label::{Label, LabelChanges, LabelError, LabelKey, Labels};
pub use lifetime::{Lifetime, LifetimeError, LifetimeLimits};
pub use limits::{LimitChange, LimitChanges, LimitError, MaxUses, TokenLimits, uses_left_text};
pub use list_query::{Column, ListQuery, Sort, SortKey, SortPlace, StatusCounts, StatusFilter};
pub use lookalike::{looks_alike, mixes_scripts};
pub use name::{Description, Name, NameError, Owner, fold};
pub use not_before::NotBefore;
pub use overlap::SecretOverlap;
pub use overview::{AttentionKind, AttentionQueries, MostDenied, Overview, RegisterFaults};
pub use pending_scopes::PendingScopes;
pub use plan::{
    Confirmation, ConfirmationProof, Plan, Refusal, SkippedToken, StoredToken, TokenChange,
    Warning, plan,
};
pub use scan::{FoundSecret, SecretScanner, StreamPosition};
pub use scope::{Domain, Entity, EntityType, Operation, Scope, ScopeError, Scopes};
pub use scope_matrix::{CellState, ScopeMatrix, ScopeTarget, compare_scopes};
pub use scope_preset::{ScopePreset, ScopePresetError};
pub use search::{Search, SearchError};
pub use secret::{Digest, DigestPrefix, Secret, SecretPrefix};
pub use secret_slot::SecretSlot;
pub use source_networks::{SourceAddress, SourceNetwork, SourceNetworks};
pub use token::{LifetimeLevel, PreviousSecret, Status, Token, TransitionError};
pub use usage::{LastUse, later_use};
pub use usage_days::{DayCount, UsageDays, UtcDay};

/// An instant in UTC. Only the front ends convert to local time.
pub type Timestamp = chrono::DateTime<chrono::Utc>;
