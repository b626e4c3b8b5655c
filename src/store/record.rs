//! The stored records as frozen structs, with conversions to and from domain types. Their strings
//! are borrowed. The order and types of the fields define the format; tests with golden bytes fail
//! if the format changes. A new field requires a new struct. Decoding returns `None` for a record
//! that the domain would refuse.

use bincode::{BorrowDecode, Encode};
use chrono::{DateTime, Datelike as _};

use super::codec::Record;
use crate::domain::{
    Actor, AuditAction, Description, Digest, Domain, Entity, EntityType, EventBody, EventHash,
    LastUse, Name, Operation, PreviousSecret, Scope, Scopes, Timestamp, Token, TokenId, later_use,
};

type IdV1 = [u8; TokenId::LEN];

/// Converts an optional field with `read`. Returns an error if `read` refuses the value.
fn try_map<T, U>(field: Option<T>, read: impl FnOnce(T) -> Option<U>) -> Result<Option<U>, ()> {
    field.map(|value| read(value).ok_or(())).transpose()
}

/// Seconds since 1970, and nanoseconds within the second. This represents every instant without
/// loss, including leap seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, BorrowDecode)]
pub(super) struct TimestampV1(i64, u32);

impl From<Timestamp> for TimestampV1 {
    fn from(at: Timestamp) -> Self {
        Self(at.timestamp(), at.timestamp_subsec_nanos())
    }
}

impl TimestampV1 {
    /// Returns the instant, or `None` outside the years 0 to 9999, where date arithmetic could
    /// overflow.
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
    /// The digest algorithm: 1 is SHA-256 of the whole secret. Other values are refused.
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

/// The fields of a token that an import compares. Decoding them is cheaper than decoding the whole
/// token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComparedFields {
    pub id: TokenId,
    pub name: Name,
    pub is_revoked: bool,
    pub expires: Option<Timestamp>,
}

impl TokenV1<'_> {
    /// Returns the fields that an import compares, or `None` if the domain would refuse one of
    /// them.
    pub(super) fn summary(&self) -> Option<ComparedFields> {
        Some(ComparedFields {
            id: TokenId::from_bytes(self.id)?,
            name: Name::parse(self.name).ok()?,
            is_revoked: self.revoked.is_some(),
            expires: try_map(self.expires, TimestampV1::to_timestamp).ok()?,
        })
    }

    /// Returns the token at the key `id`, without last uses, or `None` if the domain would refuse
    /// the token.
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

/// The last uses of a token: the last use of its current secret and of a previous secret. The
/// digest identifies the previous secret, so that its last use is not attributed to another secret.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, BorrowDecode)]
pub(super) struct TokenUsesV1<'a> {
    current: Option<LastUseV1<'a>>,
    previous: Option<([u8; 32], LastUseV1<'a>)>,
}

impl Record for TokenUsesV1<'_> {}

impl<'a> From<&'a TokenUses> for TokenUsesV1<'a> {
    fn from(uses: &'a TokenUses) -> Self {
        let previous = uses.previous.as_ref();
        Self {
            current: uses.current.as_ref().map(LastUseV1::from),
            previous: previous.map(|(digest, used)| (*digest.as_bytes(), used.into())),
        }
    }
}

impl TokenUsesV1<'_> {
    pub(super) fn into_usage(self) -> Option<TokenUses> {
        let previous = |(digest, used): (_, LastUseV1<'_>)| {
            Some((Digest::from_bytes(digest), used.into_last_use()?))
        };
        Some(TokenUses {
            current: try_map(self.current, LastUseV1::into_last_use).ok()?,
            previous: try_map(self.previous, previous).ok()?,
        })
    }
}

/// The last uses of a token, decoded from [`TokenUsesV1`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct TokenUses {
    pub(super) current: Option<LastUse>,
    pub(super) previous: Option<(Digest, LastUse)>,
}

impl TokenUses {
    pub(super) fn of(token: &Token) -> Self {
        let previous = token.previous.as_ref();
        let previous = previous.and_then(|old| Some((old.digest, old.last_used.clone()?)));
        Self { current: token.last_used.clone(), previous }
    }

    /// Records a use of the previous secret with this `digest`. If the use of a different previous
    /// secret was recorded before, merges that use into `current`, which keeps the later use.
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
    uses: TokenUsesV1<'a>,
    at: TimestampV1,
}

impl Record for TrashV1<'_> {}

impl<'a> TrashV1<'a> {
    /// `uses` must be the last uses of `token`.
    pub(super) fn new(token: &'a Token, uses: &'a TokenUses, at: Timestamp) -> Self {
        Self { token: token.into(), uses: uses.into(), at: at.into() }
    }

    pub(super) fn into_parts(self, id: &IdV1) -> Option<(Token, Timestamp)> {
        let mut token = self.token.into_token(id)?;
        self.uses.into_usage()?.apply_to(&mut token);
        Some((token, self.at.to_timestamp()?))
    }
}

/// The id of the token that a name or a row of the change log refers to. All bytes are zero if the
/// row refers to no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, BorrowDecode)]
pub(super) struct TokenIdRecordV1(pub(super) IdV1);

impl Record for TokenIdRecordV1 {}

/// An index entry from a token to one of its events. The entry is empty, because the key contains
/// the token id and the sequence of the event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, BorrowDecode)]
pub(super) struct TokenEventIndexEntryV1;

impl Record for TokenEventIndexEntryV1 {}

/// The schema number of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, BorrowDecode)]
pub(super) struct SchemaNumberV1(pub(super) u32);

impl Record for SchemaNumberV1 {}

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
