//! The record of a queued run of a hook. It contains what the command of the hook can name, so that
//! it does not depend on the event, whose number a repair of the trail can change. The command itself
//! is in the config only.

use bincode::{BorrowDecode, Encode};

use super::{IdV1, TimestampV1, try_map};
use crate::{
    domain::{AuditAction, HookFailure, HookRun, TokenId},
    store::codec::{Record, RecordBody},
};

#[derive(Debug, Clone, PartialEq, Eq, Encode, BorrowDecode)]
struct HookFailureV1<'a> {
    attempts: u32,
    at: TimestampV1,
    reason: &'a str,
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, BorrowDecode)]
pub(in crate::store) struct HookRunV1<'a> {
    hook: &'a str,
    event: u64,
    at: TimestampV1,
    action: u8,
    token: Option<IdV1>,
    name: &'a str,
    lock: u64,
    failure: Option<HookFailureV1<'a>>,
}

impl Record for HookRunV1<'_> {}

impl<'a> From<&'a HookRun> for HookRunV1<'a> {
    fn from(run: &'a HookRun) -> Self {
        Self {
            hook: &run.hook,
            event: run.event,
            at: run.at.into(),
            action: run.action.code(),
            token: run.token.map(|id| *id.as_bytes()),
            name: &run.name,
            lock: run.lock,
            failure: run.failure.as_ref().map(|failure| HookFailureV1 {
                attempts: failure.attempts,
                at: failure.at.into(),
                reason: &failure.reason,
            }),
        }
    }
}

impl HookRunV1<'_> {
    /// Decodes the run. Returns `None` if the record is damaged.
    pub(in crate::store) fn decode_run(body: RecordBody<'_>) -> Option<HookRun> {
        body.decode::<HookRunV1<'_>>()?.into_run()
    }

    fn into_run(self) -> Option<HookRun> {
        let failure = |failure: HookFailureV1<'_>| {
            Some(HookFailure {
                attempts: failure.attempts,
                at: failure.at.to_timestamp()?,
                reason: failure.reason.to_owned(),
            })
        };
        Some(HookRun {
            hook: self.hook.to_owned(),
            event: self.event,
            at: self.at.to_timestamp()?,
            action: AuditAction::from_code(self.action)?,
            token: try_map(self.token, TokenId::from_bytes).ok()?,
            name: self.name.to_owned(),
            lock: self.lock,
            failure: try_map(self.failure, failure).ok()?,
        })
    }
}
