//! What a personal access token is: names, scopes, lifetimes, secrets, states and decisions.
//! Pure: no I/O, no clock, no serde, no randomness of its own; instants and random bytes come
//! in as arguments. Everything above calls it; it calls nothing of patdeck.

pub mod catalogue;
pub mod command;
pub mod decision;
pub mod event;
pub mod id;
pub(crate) mod labels;
pub mod lifetime;
pub mod name;
pub mod pat;
pub mod plan;
pub mod preset;
pub mod query;
pub mod scan;
pub mod scope;
pub mod search;
pub mod secret;
pub mod sentence;
pub mod text;

pub use catalogue::{Catalogue, Offer};
pub use command::{
    Command, Delivery, LeakedSecret, NewToken, RestoreTarget, ScopeSelection, TokenSelection,
};
pub use decision::{AccessRequest, Decision, Denial, decide};
pub use event::{Action, Actor, Event, EventDraft, Hash};
pub use id::TokenId;
pub use lifetime::{Lifetime, LifetimeError, Limits};
pub use name::{Description, Name, NameError};
pub use pat::{LastUse, Overlap, Pat, Retiring, Status, TransitionError, Which, newer};
pub use plan::{
    Change, Confirmation, Confirmed, LeftOut, Plan, Refusal, TokenState, Warning, plan,
};
pub use preset::{Preset, PresetError};
pub use query::{Column, Counts, Query, Sort, StatusFilter};
pub use scan::{Finder, Sighting};
pub use scope::{Domain, Entity, EntityType, Operation, Scope, ScopeError, Scopes};
pub use search::{Search, SearchError};
pub use secret::{Digest, Prefix, Secret};

/// An instant, always UTC; zones are a matter of display.
pub type Moment = chrono::DateTime<chrono::Utc>;
