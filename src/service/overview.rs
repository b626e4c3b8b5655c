//! Counts the figures of the whole store. Reads the tokens and their numbers of uses in batches,
//! each in its own transaction, and keeps only sums. Called by the app on a thread of its own and
//! by `patdeck status`.

use std::ops::ControlFlow;

use super::{Service, ServiceError};
use crate::{
    domain::{AttentionQueries, MostDenied, Overview, RegisterFaults, TokenId},
    store::{ChainCheckResult, ReadOps as _, StoreError, VerifiedChain},
};

/// Number of usage records per read transaction, which takes about 2 ms.
const USAGE_BATCH: usize = 4_096;

impl Service {
    /// Counts the figures of all tokens. Changes that are made meanwhile may be counted in part.
    pub fn overview(&self) -> Result<Overview, ServiceError> {
        let mut sum = Overview::empty(self.now()?);
        let (queries, empty) = (AttentionQueries::new(&self.policy.catalogue), sum.clone());
        self.for_each_batch(
            || empty.clone(),
            |part, token| match token {
                Ok(token) => queries.count(&token, part),
                Err(_) => part.damaged += 1,
            },
            |part| {
                sum.add_tokens_of(&part);
                ControlFlow::Continue(())
            },
        )?;
        sum.register = self.register_faults()?;
        sum.hook_runs = self.count_hook_runs()?;
        if let Some((id, attempts)) = self.add_checks(&mut sum)? {
            sum.most_denied = self.most_denied(id, attempts)?;
        }
        Ok(sum)
    }

    fn register_faults(&self) -> Result<RegisterFaults, ServiceError> {
        let overruled = self.overruled_tokens()?;
        // A process that was running before the copy was put back meets it here.
        let is_older = self.store.read(|rows| Ok::<_, StoreError>(rows.is_store_outdated()))?;
        Ok(RegisterFaults {
            is_missing: !self.store.has_register()?,
            was_store_older: is_older || self.was_store_outdated(),
            damaged: self.store.count_damaged_endings()?,
            out_of_date: overruled.stale.len(),
            denied: overruled.denied.len(),
        })
    }

    /// Adds the checks of all tokens to `sum`, also of those that were deleted. Returns the token with
    /// the most denied attempts today, and their number.
    fn add_checks(&self, sum: &mut Overview) -> Result<Option<(TokenId, u64)>, ServiceError> {
        let (at, mut most, mut after) = (sum.at, None, None);
        loop {
            after = self.store.read_once(|rows| {
                rows.visit_usage_days(after, USAGE_BATCH, |id, days| {
                    sum.add_days(days);
                    let denied = days.on_day_of(at).map_or(0, |day| day.denied);
                    let is_most = denied > most.map_or(0, |(_, most)| most);
                    if is_most && matches!(rows.token_without_usage(&id), Ok(Some(_))) {
                        most = Some((id, denied));
                    }
                })
            })?;
            if after.is_none() {
                return Ok(most);
            }
        }
    }

    fn most_denied(&self, id: TokenId, attempts: u64) -> Result<Option<MostDenied>, ServiceError> {
        let found = self.store.read(|rows| match rows.token(&id) {
            Err(StoreError::Damaged(_)) => Ok(None),
            token => token,
        })?;
        Ok(found.map(|token| {
            let from = token.last_denial().and_then(|denied| denied.from.clone());
            MostDenied { id, name: token.name, attempts, from }
        }))
    }

    /// Verifies the whole hash chain in steps, each in its own transaction.
    pub fn verify_chain(&self) -> Result<ChainCheckResult, ServiceError> {
        Ok(self.audit_trail_after(0, &mut VerifiedChain::default())?.chain)
    }
}
