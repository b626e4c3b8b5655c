//! What a personal access token is: names, scopes, lifetimes, secrets, states and decisions.
//! Pure: no I/O, no clock, no serde, no randomness of its own; instants and random bytes come
//! in as arguments. Everything above calls it; it calls nothing of patdeck.

pub mod catalogue;
pub mod command;
pub mod count;
pub mod decision;
pub mod describe;
pub mod event;
pub mod id;
pub(crate) mod labels;
pub mod lifetime;
pub mod name;
pub mod plan;
pub mod preset;
pub mod query;
pub mod scan;
pub mod scope;
pub mod search;
pub mod secret;

pub mod terminal_text;
pub mod token;

pub use catalogue::{Catalogue, Offer};
pub use command::{
    Command, Delivery, LeakedSecret, NewToken, RestoreTarget, ScopeSelection, TokenSelection,
};
pub use count::{counted, grouped};
pub use decision::{AccessRequest, Decision, Denial, decide};
pub use event::{Actor, AuditAction, AuditEvent, EventDraft, EventHash};
pub use id::TokenId;
pub use lifetime::{Lifetime, LifetimeError, LifetimeLimits};
pub use name::{Description, Name, NameError};
pub use plan::{
    Change, Confirmation, Confirmed, Plan, Refusal, SkippedToken, TokenState, Warning, plan,
};
pub use preset::{Preset, PresetError};
pub use query::{Column, Counts, Query, Sort, StatusFilter};
pub use scan::{SecretMatch, SecretScanner};
pub use scope::{Domain, Entity, EntityType, Operation, Scope, ScopeError, Scopes};
pub use search::{Search, SearchError};
pub use secret::{Digest, Prefix, Secret};
pub use token::{
    LastUse, Overlap, PreviousSecret, SecretSlot, Status, Token, TransitionError, newer,
};

/// An instant, always UTC; zones are a matter of display.
pub type Timestamp = chrono::DateTime<chrono::Utc>;
