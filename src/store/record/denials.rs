//! The record of the last denied attempts of a token. It has its own table, because checks and lists
//! do not need it.

use bincode::{BorrowDecode, Encode};

use super::TimestampV1;
use crate::{
    domain::{DenialReason, DeniedAttempt, DeniedAttempts, SecretSlot},
    store::codec::{Record, RecordBody},
};

#[derive(Debug, Clone, PartialEq, Eq, Encode, BorrowDecode)]
struct DeniedAttemptV1<'a> {
    at: TimestampV1,
    reason: u8,
    request: &'a str,
    from: Option<&'a str>,
    is_previous: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, BorrowDecode)]
pub(in crate::store) struct DeniedAttemptsV1<'a>(Vec<DeniedAttemptV1<'a>>);

impl Record for DeniedAttemptsV1<'_> {}

impl<'a> From<&'a DeniedAttempts> for DeniedAttemptsV1<'a> {
    fn from(attempts: &'a DeniedAttempts) -> Self {
        let record = |attempt: &'a DeniedAttempt| DeniedAttemptV1 {
            at: attempt.at.into(),
            reason: attempt.reason.code(),
            request: &attempt.request,
            from: attempt.from.as_deref(),
            is_previous: attempt.slot == SecretSlot::Previous,
        };
        Self(attempts.as_slice().iter().map(record).collect())
    }
}

impl DeniedAttemptsV1<'_> {
    /// Decodes the attempts. Returns `None` if the record is damaged.
    pub(in crate::store) fn decode_attempts(body: RecordBody<'_>) -> Option<DeniedAttempts> {
        let records = body.decode::<DeniedAttemptsV1<'_>>()?.0;
        let attempts = records.into_iter().map(DeniedAttemptV1::into_attempt);
        DeniedAttempts::from_stored(attempts.collect::<Option<_>>()?)
    }
}

impl DeniedAttemptV1<'_> {
    fn into_attempt(self) -> Option<DeniedAttempt> {
        Some(DeniedAttempt {
            at: self.at.to_timestamp()?,
            reason: DenialReason::from_code(self.reason)?,
            request: self.request.into(),
            from: self.from.map(Into::into),
            slot: if self.is_previous { SecretSlot::Previous } else { SecretSlot::Current },
        })
    }
}
