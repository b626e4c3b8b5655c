//! The stored records as frozen structs, with conversions to and from domain types. Their strings
//! are borrowed. The order and types of the fields define the format; tests with golden bytes fail
//! if the format changes. A new field requires a new struct. Decoding returns `None` for a record
//! that the domain would refuse.

mod denials;
mod event;
mod hook_run;
mod job;
mod limits;
mod token;
mod usage;
mod usage_days;

use bincode::{
    BorrowDecode, Encode,
    de::BorrowDecoder,
    enc::Encoder,
    error::{DecodeError, EncodeError},
};
use chrono::DateTime;

pub use self::token::ComparedFields;
#[cfg(test)]
pub(in crate::store) use self::usage::SecretUses;
pub(in crate::store) use self::{
    denials::DeniedAttemptsV1,
    event::EventV1,
    hook_run::HookRunV1,
    job::JobV1,
    limits::UseCountV1,
    token::{TokenV1, TokenV2, TrashV1, TrashV2},
    usage::{TokenUses, TokenUsesV1, TokenUsesV2},
    usage_days::UsageDaysV1,
};
use super::codec::Record;
use crate::domain::{
    Actor, Domain, Entity, EntityType, Operation, Scope, Timestamp, TokenId,
    time_range::is_supported,
};

type IdV1 = [u8; TokenId::LEN];

/// Converts an optional field with `read`. Returns an error if `read` refuses the value.
fn try_map<T, U>(field: Option<T>, read: impl FnOnce(T) -> Option<U>) -> Result<Option<U>, ()> {
    field.map(|value| read(value).ok_or(())).transpose()
}

/// Seconds since 1970, and nanoseconds within the second. This represents every instant without
/// loss, including leap seconds. A time that [`is_supported`] refuses is neither encoded nor
/// decoded, so that no record is written that would be damaged when it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::store) struct TimestampV1(i64, u32);

impl From<Timestamp> for TimestampV1 {
    fn from(at: Timestamp) -> Self {
        Self(at.timestamp(), at.timestamp_subsec_nanos())
    }
}

impl TimestampV1 {
    /// Returns the instant, or `None` if it is not supported.
    pub(in crate::store) fn to_timestamp(self) -> Option<Timestamp> {
        DateTime::from_timestamp(self.0, self.1).filter(|at| is_supported(*at))
    }
}

/// The reason for which a time is neither encoded nor decoded.
const UNSUPPORTED_TIME: &str = "the time is outside the years 1970 to 9999";

impl Encode for TimestampV1 {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        self.to_timestamp().ok_or(EncodeError::Other(UNSUPPORTED_TIME))?;
        (self.0, self.1).encode(encoder)
    }
}

impl<'de, C> BorrowDecode<'de, C> for TimestampV1 {
    fn borrow_decode<D: BorrowDecoder<'de, Context = C>>(
        decoder: &mut D,
    ) -> Result<Self, DecodeError> {
        let (seconds, nanos) = BorrowDecode::borrow_decode(decoder)?;
        let time = Self(seconds, nanos);
        time.to_timestamp().ok_or(DecodeError::Other(UNSUPPORTED_TIME))?;
        Ok(time)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, BorrowDecode)]
struct ActorV1<'a> {
    user: &'a str,
    sudo_user: Option<&'a str>,
    from: Option<&'a str>,
}

impl<'a> From<&'a Actor> for ActorV1<'a> {
    fn from(actor: &'a Actor) -> Self {
        Self {
            user: &actor.user,
            sudo_user: actor.sudo_user.as_deref(),
            from: actor.from.as_deref(),
        }
    }
}

impl From<ActorV1<'_>> for Actor {
    fn from(actor: ActorV1<'_>) -> Self {
        Self {
            user: actor.user.into(),
            sudo_user: actor.sudo_user.map(Into::into),
            from: actor.from.map(Into::into),
        }
    }
}

/// A scope. The entity `*` means any entity; no entity has the id `*`.
#[derive(Debug, Clone, PartialEq, Eq, Encode, BorrowDecode)]
struct ScopeV1<'a> {
    entity_type: &'a str,
    entity: &'a str,
    operation: &'a str,
    domain: Option<&'a str>,
}

impl<'a> From<&'a Scope> for ScopeV1<'a> {
    fn from(scope: &'a Scope) -> Self {
        Self {
            entity_type: scope.entity_type.as_str(),
            entity: scope.entity.as_str(),
            operation: scope.operation.as_str(),
            domain: scope.domain.as_ref().map(Domain::as_str),
        }
    }
}

impl ScopeV1<'_> {
    fn into_scope(self) -> Option<Scope> {
        Some(Scope {
            entity_type: EntityType::parse(self.entity_type).ok()?,
            entity: Entity::parse_stored(self.entity).ok()?,
            operation: Operation::parse(self.operation).ok()?,
            domain: try_map(self.domain, |text| Domain::parse_stored(text).ok()).ok()?,
        })
    }
}

/// The id of the token that a name or a row of the change log refers to. All bytes are zero if the
/// row refers to no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, BorrowDecode)]
pub(in crate::store) struct TokenIdRecordV1(pub(in crate::store) IdV1);

impl Record for TokenIdRecordV1 {}

/// An index entry from a token to one of its events. The entry is empty, because the key contains
/// the token id and the sequence of the event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, BorrowDecode)]
pub(in crate::store) struct TokenEventIndexEntryV1;

impl Record for TokenEventIndexEntryV1 {}

/// The id of the revocation register that belongs to the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, BorrowDecode)]
pub(in crate::store) struct RegisterIdV1(pub(in crate::store) [u8; 16]);

impl Record for RegisterIdV1 {}

/// The time of the newest ending that the store took over from its revocation register; `None` after the
/// clock was accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, BorrowDecode)]
pub(in crate::store) struct NewestEndingV1(pub(in crate::store) Option<TimestampV1>);

impl Record for NewestEndingV1 {}

/// The schema number of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, BorrowDecode)]
pub(in crate::store) struct SchemaNumberV1(pub(in crate::store) u32);

impl Record for SchemaNumberV1 {}

/// The id and creation time of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, BorrowDecode)]
pub(in crate::store) struct StoreInfoV1 {
    pub(in crate::store) id: [u8; 16],
    pub(in crate::store) created: TimestampV1,
}

impl Record for StoreInfoV1 {}

/// The times that the store records beside its events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, BorrowDecode)]
pub(in crate::store) struct ClockStateV1 {
    /// The time of the newest use that was written since the clock was accepted.
    pub(in crate::store) newest_use: Option<TimestampV1>,
    /// How often an operator accepted the clock.
    pub(in crate::store) accepted: u64,
}

impl Record for ClockStateV1 {}

/// The end of the chain of events. Stored apart from the events, so that a truncated chain is
/// detected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, BorrowDecode)]
pub(in crate::store) struct ChainHeadV1 {
    pub(in crate::store) event_count: u64,
    pub(in crate::store) hash: [u8; 32],
}

impl Record for ChainHeadV1 {}

#[cfg(test)]
mod conversion_tests;
#[cfg(test)]
mod tests;
