//! What is stored, field by field: frozen structs to and from the domain, whose texts lie where
//! they are read from or written from. The order and the types of their fields are the format;
//! golden bytes in the tests fail when one changes. A new field is a new struct. A record that
//! the domain would refuse comes back as `None`.

use bincode::{BorrowDecode, Encode};
use chrono::{DateTime, Datelike as _};

use super::codec::Record;
use crate::domain::{
    Actor, AuditAction, Description, Digest, Domain, Entity, EntityType, EventDraft, EventHash,
    LastUse, Name, Operation, PreviousSecret, Scope, Scopes, Timestamp, Token, TokenId, newer,
};

type IdV1 = [u8; TokenId::LEN];

/// What `read` makes of a field that may be missing; an error if it refuses the value.
fn optional<T, U>(field: Option<T>, read: impl FnOnce(T) -> Option<U>) -> Result<Option<U>, ()> {
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
    /// The instant, in the years that a calendar has: sums and zones of others could overflow.
    pub(super) fn moment(self) -> Option<Timestamp> {
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

/// The entity is `*` for any; no id is spelled so.
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
    fn scope(self) -> Option<Scope> {
        Some(Scope {
            entity_type: EntityType::parse(self.entity_type).ok()?,
            entity: Entity::parse(self.entity).ok()?,
            operation: Operation::parse(self.operation).ok()?,
            domain: optional(self.domain, |text| Domain::parse(text).ok()).ok()?,
        })
    }
}

/// A token without its last uses, which live in a table of their own.
#[derive(Debug, Clone, PartialEq, Eq, Encode, BorrowDecode)]
pub(super) struct TokenV1<'a> {
    id: IdV1,
    name: &'a str,
    description: &'a str,
    scopes: Vec<ScopeV1<'a>>,
    prefix: &'a str,
    /// 1 is SHA-256 of the whole secret; nothing else is known yet.
    algorithm: u8,
    digest: [u8; 32],
    previous: Option<([u8; 32], TimestampV1)>,
    created: TimestampV1,
    created_by: ActorV1<'a>,
    issued: TimestampV1,
    expires: Option<TimestampV1>,
    revoked: Option<TimestampV1>,
    claimed: bool,
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
            claimed: token.delivered,
        }
    }
}

/// What an import event contains of a token: cheaper to decode than the whole token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenSummary {
    pub id: TokenId,
    pub name: Name,
    pub is_revoked: bool,
    pub expires: Option<Timestamp>,
}

impl TokenV1<'_> {
    /// The summary; `None` if the domain would not have made the token.
    pub(super) fn summary(&self) -> Option<TokenSummary> {
        Some(TokenSummary {
            id: TokenId::from_bytes(self.id)?,
            name: Name::parse(self.name).ok()?,
            is_revoked: self.revoked.is_some(),
            expires: optional(self.expires, TimestampV1::moment).ok()?,
        })
    }

    /// The token at the key `id`, as if it had never been used; `None` if the domain would not
    /// have made it.
    pub(super) fn token(self, id: &IdV1) -> Option<Token> {
        if self.id != *id || self.algorithm != SHA_256 {
            return None;
        }
        let scopes: Option<Vec<_>> = self.scopes.into_iter().map(ScopeV1::scope).collect();
        let previous = optional(self.previous, |(digest, until)| {
            let digest = Digest::from_bytes(digest);
            Some(PreviousSecret { digest, until: until.moment()?, last_used: None })
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
            created: self.created.moment()?,
            created_by: self.created_by.into(),
            issued: self.issued.moment()?,
            expires: optional(self.expires, TimestampV1::moment).ok()?,
            revoked: optional(self.revoked, TimestampV1::moment).ok()?,
            delivered: self.claimed,
            last_used: None,
        })
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, BorrowDecode)]
pub(super) struct UseV1<'a> {
    at: TimestampV1,
    from: Option<&'a str>,
    what: &'a str,
}

impl<'a> From<&'a LastUse> for UseV1<'a> {
    fn from(last: &'a LastUse) -> Self {
        Self { at: last.at.into(), from: last.from.as_deref(), what: &last.what }
    }
}

impl UseV1<'_> {
    fn last_use(self) -> Option<LastUse> {
        let (from, what) = (self.from.map(Into::into), self.what.into());
        Some(LastUse { at: self.at.moment()?, from, what })
    }
}

/// The last uses of a token: of its present secret, and of one that was retiring, which its
/// digest names, so that it is never taken for the use of another.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, BorrowDecode)]
pub(super) struct UsesV1<'a> {
    present: Option<UseV1<'a>>,
    previous: Option<([u8; 32], UseV1<'a>)>,
}

impl Record for UsesV1<'_> {}

impl<'a> From<&'a Uses> for UsesV1<'a> {
    fn from(uses: &'a Uses) -> Self {
        let previous = uses.previous.as_ref();
        Self {
            present: uses.present.as_ref().map(UseV1::from),
            previous: previous.map(|(digest, used)| (*digest.as_bytes(), used.into())),
        }
    }
}

impl UsesV1<'_> {
    pub(super) fn uses(self) -> Option<Uses> {
        let retired =
            |(digest, used): (_, UseV1<'_>)| Some((Digest::from_bytes(digest), used.last_use()?));
        Some(Uses {
            present: optional(self.present, UseV1::last_use).ok()?,
            previous: optional(self.previous, retired).ok()?,
        })
    }
}

/// What [`UsesV1`] keeps.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Uses {
    pub(super) present: Option<LastUse>,
    pub(super) previous: Option<(Digest, LastUse)>,
}

impl Uses {
    pub(super) fn of(token: &Token) -> Self {
        let previous = token.previous.as_ref();
        let previous = previous.and_then(|old| Some((old.digest, old.last_used.clone()?)));
        Self { present: token.last_used.clone(), previous }
    }

    /// Notes a use of the retiring secret behind `digest`. Of one that retired before it, what
    /// is known stays so.
    pub(super) fn retire(&mut self, digest: Digest, used: &LastUse) {
        if let Some((before, last)) = self.previous.replace((digest, used.clone()))
            && !before.matches(&digest)
        {
            self.present = newer(self.present.take(), Some(last));
        }
    }

    /// Tells `pat` when it was used. What was noted of a secret that is dead by now is a use of
    /// the token all the same.
    pub(super) fn tell(self, token: &mut Token) {
        match (&mut token.previous, self.previous) {
            (Some(old), Some((digest, used))) if old.digest.matches(&digest) => {
                old.last_used = Some(used);
                token.last_used = self.present;
            }
            (_, noted) => token.last_used = newer(self.present, noted.map(|(_, used)| used)),
        }
    }
}

/// One event; its hash is that of these bytes.
#[derive(Debug, Clone, PartialEq, Eq, Encode, BorrowDecode)]
pub(super) struct EventV1<'a> {
    pub(super) sequence: u64,
    pub(super) previous: [u8; 32],
    what: EventBodyV1<'a>,
}

impl Record for EventV1<'_> {}

impl<'a> EventV1<'a> {
    pub(super) fn new(sequence: u64, previous: EventHash, what: &'a EventDraft) -> Self {
        Self { sequence, previous: *previous.as_bytes(), what: what.into() }
    }

    pub(super) fn what(self) -> Option<EventDraft> {
        self.what.what()
    }
}

/// What an event says, wherever its place in the chain is.
#[derive(Debug, Clone, PartialEq, Eq, Encode, BorrowDecode)]
pub(super) struct EventBodyV1<'a> {
    at: TimestampV1,
    actor: ActorV1<'a>,
    token: Option<IdV1>,
    name: &'a str,
    action: u8,
    detail: &'a str,
}

impl<'a> From<&'a EventDraft> for EventBodyV1<'a> {
    fn from(what: &'a EventDraft) -> Self {
        Self {
            at: what.at.into(),
            actor: (&what.actor).into(),
            token: what.token.map(|id| *id.as_bytes()),
            name: &what.name,
            action: what.action.code(),
            detail: &what.detail,
        }
    }
}

impl EventBodyV1<'_> {
    fn what(self) -> Option<EventDraft> {
        Some(EventDraft {
            at: self.at.moment()?,
            actor: self.actor.into(),
            token: optional(self.token, TokenId::from_bytes).ok()?,
            name: self.name.to_owned(),
            action: AuditAction::from_code(self.action)?,
            detail: self.detail.to_owned(),
        })
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, BorrowDecode)]
pub(super) struct TrashV1<'a> {
    token: TokenV1<'a>,
    uses: UsesV1<'a>,
    at: TimestampV1,
}

impl Record for TrashV1<'_> {}

impl<'a> TrashV1<'a> {
    /// `uses` are those of `pat`.
    pub(super) fn new(token: &'a Token, uses: &'a Uses, at: Timestamp) -> Self {
        Self { token: token.into(), uses: uses.into(), at: at.into() }
    }

    pub(super) fn trashed(self, id: &IdV1) -> Option<(Token, Timestamp)> {
        let mut token = self.token.token(id)?;
        self.uses.uses()?.tell(&mut token);
        Some((token, self.at.moment()?))
    }
}

/// The token that a name or a row of the feed stands for; all zero for the store as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, BorrowDecode)]
pub(super) struct RefV1(pub(super) IdV1);

impl Record for RefV1 {}

/// A row whose key says all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, BorrowDecode)]
pub(super) struct MarkV1;

impl Record for MarkV1 {}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, BorrowDecode)]
pub(super) struct SchemaV1(pub(super) u32);

impl Record for SchemaV1 {}

/// Which store this is, and since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, BorrowDecode)]
pub(super) struct BirthV1 {
    pub(super) id: [u8; 16],
    pub(super) created: TimestampV1,
}

impl Record for BirthV1 {}

/// Where the chain of events ends. Kept apart from the events, so that a chain cut short shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, BorrowDecode)]
pub(super) struct HeadV1 {
    pub(super) events: u64,
    pub(super) hash: [u8; 32],
}

impl Record for HeadV1 {}

#[cfg(test)]
#[path = "record_tests.rs"]
mod tests;
