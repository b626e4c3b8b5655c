//! The record of an unfinished job.

use bincode::{BorrowDecode, Encode};

use super::{ActorV1, IdV1, ScopeV1, TimestampV1, try_map};
use crate::{
    domain::{Job, JobKind, ScopesToRemove, TokenId},
    store::codec::{Record, RecordBody},
};

/// A job. Fields that its kind does not need are empty.
#[derive(Debug, Clone, PartialEq, Eq, Encode, BorrowDecode)]
pub(in crate::store) struct JobV1<'a> {
    kind: u8,
    actor: ActorV1<'a>,
    started: TimestampV1,
    total: u64,
    done: u64,
    skipped: u64,
    cursor: Option<IdV1>,
    lock: u64,
    deletion: Option<TimestampV1>,
    /// The event after which tokens are skipped, or the CRC-32 of the ids of an import.
    reference: u64,
    scopes: Vec<ScopeV1<'a>>,
    remaining: Vec<IdV1>,
}

impl Record for JobV1<'_> {}

/// Codes of the kinds. They are stored and must not change their meaning.
const IMPORT: u8 = 1;
const DELETE_ALL: u8 = 2;
const RESTORE: u8 = 3;
const ADD_SCOPES: u8 = 4;
const REMOVE_SCOPES: u8 = 5;
const REMOVE_ALL_SCOPES: u8 = 6;

impl<'a> From<&'a Job> for JobV1<'a> {
    fn from(job: &'a Job) -> Self {
        let mut record = Self {
            kind: IMPORT,
            actor: (&job.actor).into(),
            started: job.started.into(),
            total: job.total,
            done: job.done,
            skipped: job.skipped,
            cursor: job.cursor,
            lock: job.lock,
            deletion: None,
            reference: 0,
            scopes: Vec::new(),
            remaining: Vec::new(),
        };
        let ids = |ids: &[TokenId]| ids.iter().map(|id| *id.as_bytes()).collect();
        match &job.kind {
            JobKind::Import { ids_crc } => record.reference = u64::from(*ids_crc),
            JobKind::DeleteAll { deletion, after_event } => {
                (record.kind, record.reference) = (DELETE_ALL, *after_event);
                record.deletion = Some((*deletion).into());
            }
            JobKind::Restore { deletion } => {
                record.kind = RESTORE;
                record.deletion = Some((*deletion).into());
            }
            JobKind::AddScopes { scopes, remaining } => {
                record.kind = ADD_SCOPES;
                record.scopes = scopes.iter().map(ScopeV1::from).collect();
                record.remaining = ids(remaining);
            }
            JobKind::RemoveScopes { scopes, remaining } => {
                record.kind = REMOVE_ALL_SCOPES;
                record.remaining = ids(remaining);
                if let ScopesToRemove::Listed(scopes) = scopes {
                    record.kind = REMOVE_SCOPES;
                    record.scopes = scopes.iter().map(ScopeV1::from).collect();
                }
            }
        }
        record
    }
}

impl JobV1<'_> {
    /// Decodes the job. Returns `None` if the record is damaged.
    pub(in crate::store) fn decode_job(body: RecordBody<'_>) -> Option<Job> {
        body.decode::<JobV1<'_>>()?.into_job()
    }

    /// The job; `None` if the domain would refuse one of its fields.
    fn into_job(self) -> Option<Job> {
        let deletion = try_map(self.deletion, TimestampV1::to_timestamp).ok()?;
        let scopes =
            self.scopes.into_iter().map(ScopeV1::into_scope).collect::<Option<Vec<_>>>()?;
        let remaining =
            self.remaining.into_iter().map(TokenId::from_bytes).collect::<Option<Vec<_>>>()?;
        let kind = match self.kind {
            IMPORT => JobKind::Import { ids_crc: u32::try_from(self.reference).ok()? },
            DELETE_ALL => JobKind::DeleteAll { deletion: deletion?, after_event: self.reference },
            RESTORE => JobKind::Restore { deletion: deletion? },
            ADD_SCOPES => JobKind::AddScopes { scopes, remaining },
            REMOVE_SCOPES => {
                JobKind::RemoveScopes { scopes: ScopesToRemove::Listed(scopes), remaining }
            }
            REMOVE_ALL_SCOPES => JobKind::RemoveScopes { scopes: ScopesToRemove::All, remaining },
            _ => return None,
        };
        Some(Job {
            kind,
            actor: self.actor.into(),
            started: self.started.to_timestamp()?,
            total: self.total,
            done: self.done,
            skipped: self.skipped,
            cursor: self.cursor,
            lock: self.lock,
        })
    }
}
