//! Plans deletion, restore and purge. Each deletion has a unique time, which identifies it. The
//! module also corrects deletion times when the operator accepts a clock that was set back.

use std::{collections::HashSet, sync::Arc};

use chrono::TimeDelta;

use super::{Plan, PlanContext, ReadTokens, Refusal, StoredToken, TokenChange, Warning, large};
use crate::domain::{
    ClockEffects, Timestamp,
    command::{TokensToDelete, TokensToRestore},
    event::{Actor, AuditAction, EventBody},
    id::TokenId,
    job::MAX_PER_TRANSACTION,
    time_range::TIME_RESOLUTION,
    time_text::minute_text,
    token::Token,
};

/// How long a deleted token can be restored: 24 hours.
pub const TRASH_RETENTION: TimeDelta = TimeDelta::hours(24);

/// Maximum number of deleted tokens that one transaction purges.
pub const PURGE_BATCH: usize = 1_000;

/// Moves a token to the trash.
pub(super) fn delete(plan: &mut Plan, token: &Arc<Token>, deleted_at: Timestamp) {
    let status = token.status(plan.at).as_str();
    plan.changes.push(TokenChange {
        before: StoredToken::Live(Arc::clone(token)),
        after: StoredToken::Deleted(Arc::clone(token), deleted_at),
        events: vec![(
            AuditAction::Deleted,
            format!("was {status}, can be brought back for 24 hours"),
        )],
    });
}

/// Plans a purge of old deletions, then the deletion of `tokens`.
pub(super) fn delete_tokens<R: ReadTokens>(
    plan: &mut Plan,
    tokens: &TokensToDelete,
    tx: &R,
    context: &PlanContext<'_>,
) -> Result<(), R::Error> {
    let own_deletion = purge(plan, tx)?;
    let deleted_at = context.deletion.unwrap_or(own_deletion);
    let damaged;
    let listed = match tokens {
        TokensToDelete::Listed(tokens) => tokens,
        TokensToDelete::All if tx.token_count()? > MAX_PER_TRANSACTION => {
            return large::delete_all(plan, tx, deleted_at);
        }
        TokensToDelete::All => {
            let all = tx.tokens()?;
            for token in all.0 {
                delete(plan, &Arc::new(token), deleted_at);
            }
            damaged = all.1;
            &damaged
        }
    };
    let mut seen = HashSet::with_capacity(listed.len());
    for id in listed.iter().filter(|id| seen.insert(**id)) {
        match tx.stored(id)? {
            StoredToken::Live(token) => delete(plan, &token, deleted_at),
            StoredToken::Damaged(id) => delete_damaged(plan, id),
            StoredToken::Absent | StoredToken::Deleted(..) => plan.skip_missing(id),
        }
    }
    Ok(())
}

/// Removes a damaged record. It cannot be restored.
pub(super) fn delete_damaged(plan: &mut Plan, id: TokenId) {
    plan.changes.push(TokenChange {
        before: StoredToken::Damaged(id),
        after: StoredToken::Absent,
        events: vec![(AuditAction::Deleted, EventBody::RECORD_WAS_DAMAGED.to_owned())],
    });
}

/// Purges at most [`PURGE_BATCH`] tokens that were deleted at least 24 hours ago. Returns the time
/// for a new deletion.
pub(super) fn purge<R: ReadTokens>(plan: &mut Plan, tx: &R) -> Result<Timestamp, R::Error> {
    let newest = tx.newest_deletion()?;
    let due = match plan.at.checked_sub_signed(TRASH_RETENTION) {
        Some(until) => tx.deleted_until(until, PURGE_BATCH)?,
        None => Vec::new(),
    };
    let purges = due.into_iter().map(|(token, at)| TokenChange {
        before: StoredToken::Deleted(Arc::new(token), at),
        after: StoredToken::Absent,
        events: vec![(AuditAction::Purged, String::new())],
    });
    plan.housekeeping = purges.collect();
    Ok(deletion_time(plan.at, newest))
}

/// Returns the time for a new deletion: `at` or 1 ns after the latest deletion, whichever is later.
pub fn deletion_time(at: Timestamp, latest: Option<Timestamp>) -> Timestamp {
    latest.map_or(at, |latest| at.max(latest + TIME_RESOLUTION))
}

/// Plans the restoration of all deleted tokens that `target` names: as a job if they are too many
/// for one transaction. Returns an error if no such token was deleted in the last 24 hours. Also
/// returns an error if a name is in use; a job skips that token instead.
pub(super) fn restore<R: ReadTokens>(
    plan: &mut Plan,
    target: TokensToRestore,
    tx: &R,
    context: &PlanContext<'_>,
) -> Result<(), R::Error> {
    context.granting_time()?;
    let (deletion, only) = match target {
        TokensToRestore::Token(id) => {
            let (token, at) = tx.deleted_token(&id)?.ok_or(Refusal::NothingToRestore)?;
            (at, Some(token))
        }
        TokensToRestore::Deletion(at) => (at, None),
        TokensToRestore::LastDeletion => (last_deletion_by(plan.at, tx, context.actor)?, None),
    };
    if plan.at - deletion >= TRASH_RETENTION {
        return Err(Refusal::NothingToRestore.into());
    }
    let tokens = match only {
        Some(token) => vec![token],
        None if large::restore(plan, deletion, tx)? => return Ok(()),
        None => tx.deleted_at(deletion, MAX_PER_TRANSACTION)?,
    };
    if tokens.is_empty() {
        return Err(Refusal::NothingToRestore.into());
    }
    for token in tokens {
        if tx.id_of_name(&token.name)?.is_some() {
            return Err(Refusal::NameTaken(token.name).into());
        }
        push_restored(plan, token, deletion);
    }
    Ok(())
}

/// Moves a token out of the trash.
pub(super) fn push_restored(plan: &mut Plan, token: Token, deleted_at: Timestamp) {
    let token = Arc::new(token);
    plan.changes.push(TokenChange {
        before: StoredToken::Deleted(Arc::clone(&token), deleted_at),
        after: StoredToken::Live(Arc::new(Token::clone(&token).changed_at(plan.at, &token))),
        events: vec![(AuditAction::Restored, String::new())],
    });
}

/// Returns the time of the latest deletion by `actor` in the 24 hours before `now`. Deletions by
/// other operators are not restored implicitly: if `actor` has deleted nothing, the error names the
/// latest deletion by another operator.
fn last_deletion_by<R: ReadTokens>(
    now: Timestamp,
    tx: &R,
    actor: &Actor,
) -> Result<Timestamp, R::Error> {
    let (mut before, mut newest) = (None, None);
    while let Some((at, id)) =
        tx.deletion_before(before)?.filter(|(at, _)| now - *at < TRASH_RETENTION)
    {
        // All tokens of a deletion have the same time and actor: check only one of them.
        let by = deleted_by(tx, &id)?;
        if by.as_ref().is_some_and(|by| is_same_account(by, actor)) {
            return Ok(at);
        }
        newest.get_or_insert((id, by));
        before = Some(at);
    }
    let (id, by) = newest.ok_or(Refusal::NothingToRestore)?;
    let Some((token, _)) = tx.deleted_token(&id)? else {
        return Err(Refusal::NothingToRestore.into());
    };
    let by = by.map_or_else(|| "another user".to_owned(), |by| by.to_string());
    Err(Refusal::DeletedByAnother { name: token.name, by }.into())
}

/// Returns the actor of the token's newest change if it is a deletion, otherwise `None`.
fn deleted_by<R: ReadTokens>(tx: &R, id: &TokenId) -> Result<Option<Actor>, R::Error> {
    let last = tx.newest_event_of(id)?;
    Ok(last.filter(|event| event.body.action == AuditAction::Deleted).map(|event| event.body.actor))
}

/// Whether both actors have the same account. Ignores the address, which can change when an
/// operator reconnects.
fn is_same_account(one: &Actor, other: &Actor) -> bool {
    (&one.user, &one.sudo_user) == (&other.user, &other.sudo_user)
}

/// Records that the operator accepted the system clock. Changes nothing if the clock is not behind.
/// Moves deletion times that are in the future to the present, and keeps their order. These times
/// were written while the clock was fast: the tokens would be kept too long and count as the latest
/// deletion.
pub(super) fn accept_clock<R: ReadTokens>(
    plan: &mut Plan,
    tx: &R,
    context: &PlanContext<'_>,
) -> Result<(), R::Error> {
    if context.at <= context.clock {
        return Ok(());
    }
    let mut effects = ClockEffects::default();
    tx.visit_tokens(&mut |found| {
        if let Ok(token) = found {
            effects.add(&token, context.at, context.clock, context.limits);
        }
    })?;
    plan.warnings.push(Warning::Clock(effects));
    plan.at = context.clock;
    let (mut old, mut new) = (plan.at, plan.at);
    for (token, at) in tx.deleted()?.into_iter().rev().filter(|(_, at)| *at > plan.at) {
        if at > old {
            (old, new) = (at, new + TIME_RESOLUTION);
        }
        let token = Arc::new(token);
        plan.housekeeping.push(TokenChange {
            before: StoredToken::Deleted(Arc::clone(&token), at),
            after: StoredToken::Deleted(token, new),
            events: Vec::new(),
        });
    }
    let detail = format!("the last change was at {}", minute_text(context.at));
    plan.changes.push(TokenChange {
        before: StoredToken::Absent,
        after: StoredToken::Absent,
        events: vec![(AuditAction::ClockAccepted, detail)],
    });
    Ok(())
}
