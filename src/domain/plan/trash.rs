//! Plans deletion, restore and purge. The time of a deletion is unique and identifies it. Also
//! corrects these times when the operator accepts a clock that was set back.

use std::sync::Arc;

use chrono::TimeDelta;

use super::{Plan, PlanContext, ReadTokens, Refusal, TokenChange, TokenState};
use crate::domain::{
    Timestamp,
    command::RestoreTarget,
    event::{Actor, AuditAction},
    id::TokenId,
    token::Token,
};

/// How long a deleted token can be restored: 24 hours.
pub const TRASH_RETENTION: TimeDelta = TimeDelta::hours(24);

/// The resolution of stored times.
const TIME_RESOLUTION: TimeDelta = TimeDelta::nanoseconds(1);

/// Moves a token to the trash.
pub(super) fn delete(plan: &mut Plan, token: &Arc<Token>, deleted_at: Timestamp) {
    let status = token.status(plan.at).as_str();
    plan.changes.push(TokenChange {
        before: TokenState::Live(Arc::clone(token)),
        after: TokenState::Deleted(Arc::clone(token), deleted_at),
        event: Some((
            AuditAction::Deleted,
            format!("was {status}, can be brought back for 24 hours"),
        )),
    });
}

/// Purges tokens that were deleted at least 24 hours ago. Returns a time for a new deletion: now,
/// or 1 ns after the latest deletion if that is later.
pub(super) fn purge<R: ReadTokens>(plan: &mut Plan, tx: &R) -> Result<Timestamp, R::Error> {
    let deleted = tx.deleted()?;
    let newest = deleted.iter().map(|(_, at)| *at).max();
    let is_due = |at: Timestamp| plan.at - at >= TRASH_RETENTION;
    let purges = deleted.into_iter().filter(|(_, at)| is_due(*at)).map(|(token, at)| TokenChange {
        before: TokenState::Deleted(Arc::new(token), at),
        after: TokenState::Absent,
        event: Some((AuditAction::Purged, String::new())),
    });
    plan.housekeeping = purges.collect();
    Ok(newest.map_or(plan.at, |newest| plan.at.max(newest + TIME_RESOLUTION)))
}

/// Restores the deleted tokens that `target` names, all or none. Returns an error if there are
/// none, if their 24 hours are over, or if a name is in use.
pub(super) fn restore<R: ReadTokens>(
    plan: &mut Plan,
    target: RestoreTarget,
    tx: &R,
    context: &PlanContext<'_>,
) -> Result<(), R::Error> {
    let mut deleted = tx.deleted()?;
    deleted.retain(|(_, at)| plan.at - *at < TRASH_RETENTION);
    let deletion = match target {
        RestoreTarget::Token(id) => {
            deleted.retain(|(token, _)| token.id == id);
            None
        }
        RestoreTarget::Deletion(at) => Some(at),
        RestoreTarget::LastDeletion => Some(last_deletion_by(&deleted, tx, context.actor)?),
    };
    if let Some(deletion) = deletion {
        deleted.retain(|(_, at)| *at == deletion);
    }
    if deleted.is_empty() {
        return Err(Refusal::NothingToRestore.into());
    }
    for (token, at) in deleted {
        if tx.id_of_name(&token.name)?.is_some() {
            return Err(Refusal::NameTaken(token.name).into());
        }
        let token = Arc::new(token);
        plan.changes.push(TokenChange {
            before: TokenState::Deleted(Arc::clone(&token), at),
            after: TokenState::Live(token),
            event: Some((AuditAction::Restored, String::new())),
        });
    }
    Ok(())
}

/// Returns the time of the latest deletion by `actor`. Deletions by other operators are not
/// restored implicitly: if `actor` has deleted nothing, the error names the latest deletion by
/// another operator.
fn last_deletion_by<R: ReadTokens>(
    deleted: &[(Token, Timestamp)],
    tx: &R,
    actor: &Actor,
) -> Result<Timestamp, R::Error> {
    let (newest, _) = deleted.first().ok_or(Refusal::NothingToRestore)?;
    let mut checked = None;
    for (token, at) in deleted {
        // All tokens of a deletion have the same time and actor: check only the first one.
        if checked.replace(*at) != Some(*at)
            && let Some(by) = deleted_by(tx, &token.id)?
            && is_same_account(&by, actor)
        {
            return Ok(*at);
        }
    }
    let by = deleted_by(tx, &newest.id)?;
    let by = by.map_or_else(|| "another user".to_owned(), |by| by.to_string());
    Err(Refusal::DeletedByAnother { name: newest.name.clone(), by }.into())
}

/// The actor who deleted a token, from its newest event. `None` if that event is not a deletion.
fn deleted_by<R: ReadTokens>(tx: &R, id: &TokenId) -> Result<Option<Actor>, R::Error> {
    let last = tx.newest_event_of(id)?;
    Ok(last.filter(|event| event.body.action == AuditAction::Deleted).map(|event| event.body.actor))
}

/// Whether both actors have the same account. Ignores the address, which can change when an
/// operator reconnects.
fn is_same_account(one: &Actor, other: &Actor) -> bool {
    (&one.user, &one.sudo_user) == (&other.user, &other.sudo_user)
}

/// Records that the operator accepted the system clock. Deletion times in the future, written by a
/// fast clock, are moved to now in their order. Otherwise these tokens would be kept too long and
/// count as the latest deletion.
pub(super) fn accept_clock<R: ReadTokens>(
    plan: &mut Plan,
    tx: &R,
    context: &PlanContext<'_>,
) -> Result<(), R::Error> {
    plan.at = context.clock;
    let (mut old, mut new) = (plan.at, plan.at);
    for (token, at) in tx.deleted()?.into_iter().rev().filter(|(_, at)| *at > plan.at) {
        if at > old {
            (old, new) = (at, new + TIME_RESOLUTION);
        }
        let token = Arc::new(token);
        plan.housekeeping.push(TokenChange {
            before: TokenState::Deleted(Arc::clone(&token), at),
            after: TokenState::Deleted(token, new),
            event: None,
        });
    }
    let detail = tx.newest_event_at()?.map_or_else(String::new, |last| {
        format!("the last change was at {}", last.format("%Y-%m-%d %H:%M UTC"))
    });
    plan.changes.push(TokenChange {
        before: TokenState::Absent,
        after: TokenState::Absent,
        event: Some((AuditAction::ClockAccepted, detail)),
    });
    Ok(())
}
