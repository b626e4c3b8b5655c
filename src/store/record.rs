//! The stored records as frozen structs, with conversions to and from domain types. Their strings
//! are borrowed. The order and types of the fields are the format; tests with golden bytes fail if
//! one changes. A new field requires a new struct. Decoding returns `None` for a record that the
//! domain would refuse.

use bincode::{BorrowDecode, Encode};
use chrono::{DateTime, Datelike as _};

use super::codec::Record;
use crate::domain::{
    Actor, AuditAction, Description, Digest, Domain, Entity, EntityType, EventBody, EventHash,
    LastUse, Name, Operation, PreviousSecret, Scope, Scopes, Timestamp, Token, TokenId, later_use,
};

type IdV1 = [u8; TokenId::LEN];

/// Converts an optional field with `read`; an error if `read` refuses the value.
fn try_map<T, U>(field: Option<T>, read: impl FnOnce(T) -> Option<U>) -> Result<Option<U>, ()> {
    field.map(|value| read(value).ok_or(())).transpose()
}

/// Seconds since 1970 and nanoseconds within one: lossless, leap seconds included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, BorrowDecode)]
pub(super) struct TimestampV1(i64, u32);

impl From<Timestamp> for TimestampV1 {
    fn from(at: Timestamp) -> Self {
        Self(at.timestamp(), at.timestamp_subsec_nanos())
    }
}

impl TimestampV1 {
    /// The instant; `None` outside the years 0 to 9999, where date arithmetic could overflow.
    pub(super) fn to_timestamp(self) -> Option<Timestamp> {
        let at = DateTime::from_timestamp(self.0, self.1);
        at.filter(|at| (0..=9_999).contains(&at.year()))
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

/// A scope. The entity `*` means any; no entity id is equal to it.
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
            entity: Entity::parse(self.entity).ok()?,
            operation: Operation::parse(self.operation).ok()?,
            domain: try_map(self.domain, |text| Domain::parse(text).ok()).ok()?,
        })
    }
}

/// A token without its last uses, which have their own table.
#[derive(Debug, Clone, PartialEq, Eq, Encode, BorrowDecode)]
pub(super) struct TokenV1<'a> {
    id: IdV1,
    name: &'a str,
    description: &'a str,
    scopes: Vec<ScopeV1<'a>>,
    prefix: &'a str,
    /// The digest algorithm: 1 is SHA-256 of the whole secret. Others are refused.
    algorithm: u8,
    digest: [u8; 32],
    previous: Option<([u8; 32], TimestampV1)>,
    created: TimestampV1,
    created_by: ActorV1<'a>,
    issued: TimestampV1,
    expires: Option<TimestampV1>,
    revoked: Option<TimestampV1>,
    delivered: bool,
}

impl Record for TokenV1<'_> {}

const SHA_256: u8 = 1;

impl<'a> From<&'a Token> for TokenV1<'a> {
    fn from(token: &'a Token) -> Self {
        let previous = token.previous.as_ref();
        let previous = previous.map(|old| (*old.digest.as_bytes(), old.until.into()));
        Self {
            id: *token.id.as_bytes(),
            name: token.name.as_str(),
            description: token.description.as_str(),
            scopes: token.scopes.iter().map(ScopeV1::from).collect(),
            prefix: &token.prefix,
            algorithm: SHA_256,
            digest: *token.digest.as_bytes(),
            previous,
            created: token.created.into(),
            created_by: (&token.created_by).into(),
            issued: token.issued.into(),
            expires: token.expires.map(Into::into),
            revoked: token.revoked.map(Into::into),
            delivered: token.delivered,
        }
    }
}

/// The fields of a token that an import compares; cheaper to decode than the whole token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedFields {
    pub id: TokenId,
    pub name: Name,
    pub is_revoked: bool,
    pub expires: Option<Timestamp>,
}

impl TokenV1<'_> {
    /// The summary; `None` if the domain would refuse one of its fields.
    pub(super) fn summary(&self) -> Option<ImportedFields> {
        Some(ImportedFields {
            id: TokenId::from_bytes(self.id)?,
            name: Name::parse(self.name).ok()?,
            is_revoked: self.revoked.is_some(),
            expires: try_map(self.expires, TimestampV1::to_timestamp).ok()?,
        })
    }

    /// The token at the key `id`, without last uses; `None` if the domain would refuse it.
    pub(super) fn into_token(self, id: &IdV1) -> Option<Token> {
        if self.id != *id || self.algorithm != SHA_256 {
            return None;
        }
        let scopes: Option<Vec<_>> = self.scopes.into_iter().map(ScopeV1::into_scope).collect();
        let previous = try_map(self.previous, |(digest, until)| {
            let digest = Digest::from_bytes(digest);
            Some(PreviousSecret { digest, until: until.to_timestamp()?, last_used: None })
        })
        .ok()?;
        Some(Token {
            id: TokenId::from_bytes(self.id)?,
            name: Name::parse(self.name).ok()?,
            description: Description::parse(self.description).ok()?,
            scopes: Scopes::from_stored(scopes?)?,
            prefix: self.prefix.into(),
            digest: Digest::from_bytes(self.digest),
            previous,
            created: self.created.to_timestamp()?,
            created_by: self.created_by.into(),
            issued: self.issued.to_timestamp()?,
            expires: try_map(self.expires, TimestampV1::to_timestamp).ok()?,
            revoked: try_map(self.revoked, TimestampV1::to_timestamp).ok()?,
            delivered: self.delivered,
            last_used: None,
        })
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, BorrowDecode)]
pub(super) struct LastUseV1<'a> {
    at: TimestampV1,
    from: Option<&'a str>,
    summary: &'a str,
}

impl<'a> From<&'a LastUse> for LastUseV1<'a> {
    fn from(last: &'a LastUse) -> Self {
        Self { at: last.at.into(), from: last.from.as_deref(), summary: &last.summary }
    }
}

impl LastUseV1<'_> {
    fn into_last_use(self) -> Option<LastUse> {
        let (from, summary) = (self.from.map(Into::into), self.summary.into());
        Some(LastUse { at: self.at.to_timestamp()?, from, summary })
    }
}

/// The last uses of a token: of its current secret and of a previous one. The digest identifies the
/// previous secret, so that its use is not attributed to another.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, BorrowDecode)]
pub(super) struct UsageV1<'a> {
    current: Option<LastUseV1<'a>>,
    previous: Option<([u8; 32], LastUseV1<'a>)>,
}

impl Record for UsageV1<'_> {}

impl<'a> From<&'a Usage> for UsageV1<'a> {
    fn from(uses: &'a Usage) -> Self {
        let previous = uses.previous.as_ref();
        Self {
            current: uses.current.as_ref().map(LastUseV1::from),
            previous: previous.map(|(digest, used)| (*digest.as_bytes(), used.into())),
        }
    }
}

impl UsageV1<'_> {
    pub(super) fn into_usage(self) -> Option<Usage> {
        let previous = |(digest, used): (_, LastUseV1<'_>)| {
            Some((Digest::from_bytes(digest), used.into_last_use()?))
        };
        Some(Usage {
            current: try_map(self.current, LastUseV1::into_last_use).ok()?,
            previous: try_map(self.previous, previous).ok()?,
        })
    }
}

/// The last uses of a token, decoded from [`UsageV1`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Usage {
    pub(super) current: Option<LastUse>,
    pub(super) previous: Option<(Digest, LastUse)>,
}

impl Usage {
    pub(super) fn of(token: &Token) -> Self {
        let previous = token.previous.as_ref();
        let previous = previous.and_then(|old| Some((old.digest, old.last_used.clone()?)));
        Self { current: token.last_used.clone(), previous }
    }

    /// Records a use of the previous secret with this `digest`. The last use of an earlier previous
    /// secret is merged into `current`.
    pub(super) fn record_previous_use(&mut self, digest: Digest, used: &LastUse) {
        if let Some((before, last)) = self.previous.replace((digest, used.clone()))
            && !before.matches(&digest)
        {
            self.current = later_use(self.current.take(), Some(last));
        }
    }

    /// Sets the last uses in `token`. The use of a secret that no longer works still counts as a
    /// use of the token.
    pub(super) fn apply_to(self, token: &mut Token) {
        match (&mut token.previous, self.previous) {
            (Some(old), Some((digest, used))) if old.digest.matches(&digest) => {
                old.last_used = Some(used);
                token.last_used = self.current;
            }
            (_, previous) => {
                token.last_used = later_use(self.current, previous.map(|(_, used)| used));
            }
        }
    }
}

/// An event in the chain. Its hash is the hash of its encoding.
#[derive(Debug, Clone, PartialEq, Eq, Encode, BorrowDecode)]
pub(super) struct EventV1<'a> {
    pub(super) sequence: u64,
    pub(super) previous: [u8; 32],
    body: EventBodyV1<'a>,
}

impl Record for EventV1<'_> {}

impl<'a> EventV1<'a> {
    pub(super) fn new(sequence: u64, previous: EventHash, body: &'a EventBody) -> Self {
        Self { sequence, previous: *previous.as_bytes(), body: body.into() }
    }

    pub(super) fn into_event_body(self) -> Option<EventBody> {
        self.body.into_event_body()
    }
}

/// The content of an event, without its position in the chain.
#[derive(Debug, Clone, PartialEq, Eq, Encode, BorrowDecode)]
pub(super) struct EventBodyV1<'a> {
    at: TimestampV1,
    actor: ActorV1<'a>,
    token: Option<IdV1>,
    name: &'a str,
    action: u8,
    detail: &'a str,
}

impl<'a> From<&'a EventBody> for EventBodyV1<'a> {
    fn from(event: &'a EventBody) -> Self {
        Self {
            at: event.at.into(),
            actor: (&event.actor).into(),
            token: event.token.map(|id| *id.as_bytes()),
            name: &event.name,
            action: event.action.code(),
            detail: &event.detail,
        }
    }
}

impl EventBodyV1<'_> {
    fn into_event_body(self) -> Option<EventBody> {
        Some(EventBody {
            at: self.at.to_timestamp()?,
            actor: self.actor.into(),
            token: try_map(self.token, TokenId::from_bytes).ok()?,
            name: self.name.to_owned(),
            action: AuditAction::from_code(self.action)?,
            detail: self.detail.to_owned(),
        })
    }
}

/// A deleted token and the time of its deletion.
#[derive(Debug, Clone, PartialEq, Eq, Encode, BorrowDecode)]
pub(super) struct TrashV1<'a> {
    token: TokenV1<'a>,
    uses: UsageV1<'a>,
    at: TimestampV1,
}

impl Record for TrashV1<'_> {}

impl<'a> TrashV1<'a> {
    /// `uses` must be the last uses of `token`.
    pub(super) fn new(token: &'a Token, uses: &'a Usage, at: Timestamp) -> Self {
        Self { token: token.into(), uses: uses.into(), at: at.into() }
    }

    pub(super) fn into_parts(self, id: &IdV1) -> Option<(Token, Timestamp)> {
        let mut token = self.token.into_token(id)?;
        self.uses.into_usage()?.apply_to(&mut token);
        Some((token, self.at.to_timestamp()?))
    }
}

/// The token that a name or a row of the change log refers to; all zero if it refers to none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, BorrowDecode)]
pub(super) struct TokenIdRecordV1(pub(super) IdV1);

impl Record for TokenIdRecordV1 {}

/// An index entry from a token to an event. Its key contains both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, BorrowDecode)]
pub(super) struct TokenEventV1;

impl Record for TokenEventV1 {}

/// The schema number of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, BorrowDecode)]
pub(super) struct SchemaV1(pub(super) u32);

impl Record for SchemaV1 {}

/// The id and creation time of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, BorrowDecode)]
pub(super) struct StoreInfoV1 {
    pub(super) id: [u8; 16],
    pub(super) created: TimestampV1,
}

impl Record for StoreInfoV1 {}

/// The end of the chain of events. Stored apart from the events, so that a truncated chain is
/// detected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, BorrowDecode)]
pub(super) struct ChainHeadV1 {
    pub(super) event_count: u64,
    pub(super) hash: [u8; 32],
}

impl Record for ChainHeadV1 {}

#[cfg(test)]
#[path = "record_tests.rs"]
mod tests;
