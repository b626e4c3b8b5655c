//! Adapts a transaction of the store to the reads that a plan needs. Reports a damaged record where
//! a plan can go on without it. Called by `execute` and `job_batches`.

use super::{ServiceError, store_reads::newest_event};
use crate::{
    domain::{
        AuditEvent, EventHash, Name, StoredToken, Timestamp, Token, TokenId, plan::ReadTokens,
    },
    store::{DamagedRecord, JobReads as _, ReadOps, StoreError, TokenChanges as _},
};

/// Adapts a transaction to the reads that a plan needs.
pub(super) struct PlanReader<'a, R>(pub(super) &'a R);

impl<R: ReadOps> ReadTokens for PlanReader<'_, R> {
    type Error = ServiceError;

    fn token(&self, id: &TokenId) -> Result<Option<Token>, ServiceError> {
        Ok(self.0.token(id)?)
    }

    fn stored(&self, id: &TokenId) -> Result<StoredToken, ServiceError> {
        match self.0.token(id) {
            Ok(token) => {
                Ok(token.map_or(StoredToken::Absent, |token| StoredToken::Live(token.into())))
            }
            Err(StoreError::Damaged(_)) => Ok(StoredToken::Damaged(*id)),
            Err(error) => Err(error.into()),
        }
    }

    fn id_of_name(&self, name: &Name) -> Result<Option<TokenId>, ServiceError> {
        Ok(self.0.id_of_name(name)?)
    }

    fn lookalike_of(&self, name: &Name) -> Result<Option<Name>, ServiceError> {
        let Some(id) = self.0.lookalike_of(name)? else { return Ok(None) };
        match self.0.token_without_usage(&id) {
            // A warning must not depend on a readable record.
            Err(StoreError::Damaged(_)) => Ok(None),
            token => Ok(token?.map(|token| token.name)),
        }
    }

    fn tokens(&self) -> Result<(Vec<Token>, Vec<TokenId>), ServiceError> {
        let all = self.0.tokens()?;
        Ok((all.rows, all.damaged.iter().filter_map(DamagedRecord::token_id).collect()))
    }

    fn deleted(&self) -> Result<Vec<(Token, Timestamp)>, ServiceError> {
        let trash = self.0.trash()?.rows;
        Ok(trash.into_iter().map(|deleted| (deleted.token, deleted.at)).collect())
    }

    fn newest_deletion(&self) -> Result<Option<Timestamp>, ServiceError> {
        Ok(self.0.newest_deletion()?)
    }

    fn deleted_until(
        &self,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<(Token, Timestamp)>, ServiceError> {
        let deleted = self.0.deleted_until(until, limit)?;
        Ok(deleted.into_iter().map(|deleted| (deleted.token, deleted.at)).collect())
    }

    fn visit_tokens(
        &self,
        visit: &mut dyn FnMut(Result<Token, TokenId>),
    ) -> Result<(), ServiceError> {
        Ok(self.0.for_each_token(|token| match token {
            Ok(token) => visit(Ok(token)),
            Err(damage) => damage.token_id().into_iter().map(Err).for_each(&mut *visit),
        })?)
    }

    fn token_count(&self) -> Result<usize, ServiceError> {
        Ok(usize::try_from(self.0.token_count()?).unwrap_or(usize::MAX))
    }

    fn deleted_token(&self, id: &TokenId) -> Result<Option<(Token, Timestamp)>, ServiceError> {
        Ok(self.0.trashed(id)?.map(|deleted| (deleted.token, deleted.at)))
    }

    fn count_deleted_at(&self, at: Timestamp) -> Result<usize, ServiceError> {
        Ok(self.0.count_deleted_at(at)?)
    }

    fn deleted_at(&self, at: Timestamp, limit: usize) -> Result<Vec<Token>, ServiceError> {
        Ok(self.0.deleted_at(at, None, limit)?.0)
    }

    fn deletion_before(
        &self,
        before: Option<Timestamp>,
    ) -> Result<Option<(Timestamp, TokenId)>, ServiceError> {
        Ok(self.0.deletion_before(before)?)
    }

    fn newest_event(&self) -> Result<(u64, EventHash), ServiceError> {
        Ok(newest_event(self.0)?)
    }

    fn newest_event_of(&self, id: &TokenId) -> Result<Option<AuditEvent>, ServiceError> {
        Ok(self.0.newest_changes_of(id, 1)?.pop())
    }
}
