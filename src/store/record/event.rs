//! The records of audit events, whose encoding is also what the hash chain covers.

use bincode::{BorrowDecode, Encode};

use super::{ActorV1, IdV1, TimestampV1, try_map};
use crate::{
    domain::{AuditAction, EventBody, EventHash, TokenId},
    store::codec::Record,
};

/// An event in the chain. Its hash is the hash of its encoding.
#[derive(Debug, Clone, PartialEq, Eq, Encode, BorrowDecode)]
pub(in crate::store) struct EventV1<'a> {
    pub(in crate::store) sequence: u64,
    pub(in crate::store) previous: [u8; 32],
    body: EventBodyV1<'a>,
}

impl Record for EventV1<'_> {}

impl<'a> EventV1<'a> {
    pub(in crate::store) fn new(sequence: u64, previous: EventHash, body: &'a EventBody) -> Self {
        Self { sequence, previous: *previous.as_bytes(), body: body.into() }
    }

    pub(in crate::store) fn into_event_body(self) -> Option<EventBody> {
        self.body.into_event_body()
    }
}

/// The content of an event, without its position in the chain.
#[derive(Debug, Clone, PartialEq, Eq, Encode, BorrowDecode)]
pub(in crate::store) struct EventBodyV1<'a> {
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
