//! Plans of changes that are so large that they are saved as a job. Such a plan counts its tokens
//! and keeps only the first of them; the batches of the job plan each token. Called by `plan` for a
//! preview, and by the service for each batch.

use std::sync::Arc;

use super::{Plan, ReadTokens, Refusal, scope_changes, secret_changes, trash};
use crate::domain::{
    Scope, Timestamp,
    command::{Command, ScopesToRemove, TokensToDelete, TokensToRestore},
    event::EventHash,
    id::TokenId,
    job::MAX_PER_TRANSACTION,
    token::{Status, Token},
};

/// Number of tokens that the plan of a job keeps.
const KEPT: usize = 10;

/// The size of a change that is saved as a job.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct JobPlan {
    /// Number of tokens that the job changes, including damaged records. In the plan of an executed
    /// job, the number that it has changed.
    pub tokens: usize,
    /// Number of damaged records among them.
    pub damaged: usize,
    /// Number of active tokens among them.
    pub active: usize,
    /// Number of tokens among them that were used in the last 24 hours.
    pub recently_used: usize,
    /// Number of tokens that the executed job has skipped.
    pub skipped: usize,
    /// Number and hash of the newest event. Tokens with a later event are skipped.
    pub newest_event: (u64, EventHash),
}

impl Plan {
    /// The number of tokens and damaged records that the plan changes.
    pub fn change_count(&self) -> usize {
        self.job.as_ref().map_or(self.changes.len(), |job| job.tokens)
    }

    /// The number of active tokens that the plan changes.
    pub fn active_count(&self) -> usize {
        let is_active = |token: &&Token| token.status(self.at) == Status::Active;
        self.job
            .as_ref()
            .map_or_else(|| self.tokens_before().filter(is_active).count(), |job| job.active)
    }

    /// The plan of an executed job, which begins with the changes in `first`.
    pub fn of_job(command: &Command, first: Option<Self>, job: JobPlan) -> Self {
        let mut plan = first.unwrap_or_else(|| Self::new(command, Timestamp::default()));
        plan.command = command.clone();
        plan.changes.truncate(KEPT);
        plan.job = Some(job);
        plan
    }
}

/// Plans the deletion of all tokens as a job.
pub(super) fn delete_all<R: ReadTokens>(
    plan: &mut Plan,
    tx: &R,
    deleted_at: Timestamp,
) -> Result<(), R::Error> {
    let mut job = JobPlan { newest_event: tx.newest_event()?, ..JobPlan::default() };
    tx.visit_tokens(&mut |found| {
        job.tokens += 1;
        match found {
            Ok(token) => {
                job.active += usize::from(token.status(plan.at) == Status::Active);
                job.recently_used += usize::from(token.is_recently_used(plan.at));
                if plan.changes.len() < KEPT {
                    trash::delete(plan, &Arc::new(token), deleted_at);
                }
            }
            Err(_) => job.damaged += 1,
        }
    })?;
    plan.job = Some(job);
    Ok(())
}

/// Plans the restoration of the deletion at this time as a job, if it has too many tokens for one
/// transaction. Returns whether it has.
pub(super) fn restore<R: ReadTokens>(
    plan: &mut Plan,
    deletion: Timestamp,
    tx: &R,
) -> Result<bool, R::Error> {
    let tokens = tx.count_deleted_at(deletion)?;
    if tokens <= MAX_PER_TRANSACTION {
        return Ok(false);
    }
    for token in tx.deleted_at(deletion, KEPT)? {
        trash::push_restored(plan, token, deletion);
    }
    plan.command = Command::Restore(TokensToRestore::Deletion(deletion));
    let newest_event = tx.newest_event()?;
    plan.job = Some(JobPlan { tokens, newest_event, ..JobPlan::default() });
    Ok(true)
}

/// Turns the plan of a change of scopes with too many tokens for one transaction into that of a job.
pub(super) fn change_scopes<R: ReadTokens>(plan: &mut Plan, tx: &R) -> Result<(), R::Error> {
    let tokens = plan.changes.len();
    if tokens > MAX_PER_TRANSACTION {
        let newest_event = tx.newest_event()?;
        plan.job = Some(JobPlan { tokens, newest_event, ..JobPlan::default() });
    }
    Ok(())
}

/// Plans a batch of the deletion of all tokens: these tokens and damaged records.
pub fn deletion_batch(
    at: Timestamp,
    tokens: Vec<Token>,
    damaged: impl IntoIterator<Item = TokenId>,
    deletion: Timestamp,
) -> Plan {
    let mut plan = Plan::new(&Command::Delete { tokens: TokensToDelete::All }, at);
    for token in tokens {
        trash::delete(&mut plan, &Arc::new(token), deletion);
    }
    for id in damaged {
        trash::delete_damaged(&mut plan, id);
    }
    plan
}

/// Plans the end of the overlaps of `tokens`, which a deletion leaves because they were regenerated, although
/// it has ended their old secrets.
pub fn ended_overlaps(at: Timestamp, tokens: Vec<Token>) -> Plan {
    let ids = tokens.iter().map(|token| token.id).collect();
    let mut plan = Plan::new(&Command::EndOverlap { tokens: ids }, at);
    for token in tokens {
        secret_changes::end_overlap(&mut plan, &Arc::new(token));
    }
    plan
}

/// Plans a batch of a restoration. Skips tokens whose name another token has, and tokens that were
/// deleted too long ago.
pub fn restoration_batch<R: ReadTokens>(
    at: Timestamp,
    tokens: Vec<Token>,
    deletion: Timestamp,
    tx: &R,
) -> Result<Plan, R::Error> {
    let mut plan = Plan::new(&Command::Restore(TokensToRestore::Deletion(deletion)), at);
    let is_expired = at - deletion >= trash::TRASH_RETENTION;
    for token in tokens {
        if is_expired {
            plan.skip(&Arc::new(token), Refusal::NothingToRestore);
        } else if tx.id_of_name(&token.name)?.is_some() {
            let reason = Refusal::NameTaken(token.name.clone());
            plan.skip(&Arc::new(token), reason);
        } else {
            trash::push_restored(&mut plan, token, deletion);
        }
    }
    Ok(plan)
}

/// Plans a batch of an addition of scopes.
pub fn scope_addition_batch(at: Timestamp, tokens: Vec<Token>, scopes: &[Scope]) -> Plan {
    let ids = tokens.iter().map(|token| token.id).collect();
    let mut plan = Plan::new(&Command::AddScopes { tokens: ids, scopes: scopes.to_vec() }, at);
    for token in tokens {
        scope_changes::add_scopes(&mut plan, &Arc::new(token), scopes);
    }
    plan
}

/// Plans a batch of a removal of scopes.
pub fn scope_removal_batch(at: Timestamp, tokens: Vec<Token>, scopes: &ScopesToRemove) -> Plan {
    let ids = tokens.iter().map(|token| token.id).collect();
    let command = Command::RemoveScopes { tokens: ids, scopes: scopes.clone() };
    let mut plan = Plan::new(&command, at);
    for token in tokens {
        scope_changes::remove_scopes(&mut plan, &Arc::new(token), scopes);
    }
    plan
}
