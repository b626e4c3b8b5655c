//! Plans deletions and what leads out of the trash: restore and purge. A deletion is identified
//! by its time, which no other deletion shares. Also corrects these times when the operator
//! accepts a clock that was set back.

use std::sync::Arc;

use chrono::TimeDelta;

use super::{Change, Plan, PlanContext, ReadTokens, Refusal, TokenState};
use crate::domain::{
    Timestamp,
    command::RestoreTarget,
    event::{Actor, AuditAction},
    id::TokenId,
    token::Token,
};

/// How long a deleted token can be restored.
pub const TRASH_RETENTION: TimeDelta = TimeDelta::hours(24);

/// The smallest difference between two stored times.
const TIME_RESOLUTION: TimeDelta = TimeDelta::nanoseconds(1);

/// Moves a token to the trash.
pub(super) fn delete(plan: &mut Plan, token: &Arc<Token>, deleted_at: Timestamp) {
    let status = token.status(plan.at).as_str();
    plan.changes.push(Change {
        before: TokenState::Live(Arc::clone(token)),
        after: TokenState::Deleted(Arc::clone(token), deleted_at),
        event: Some((
            AuditAction::Deleted,
            format!("was {status}, can be brought back for 24 hours"),
        )),
    });
}

/// Purges what was deleted more than 24 hours ago. Returns the time for a deletion now: later
/// than that of any other.
pub(super) fn purge<R: ReadTokens>(plan: &mut Plan, tx: &R) -> Result<Timestamp, R::Error> {
    let deleted = tx.deleted()?;
    let newest = deleted.iter().map(|(_, at)| *at).max();
    let is_over = |at: Timestamp| plan.at - at >= TRASH_RETENTION;
    let purges = deleted.into_iter().filter(|(_, at)| is_over(*at)).map(|(token, at)| Change {
        before: TokenState::Deleted(Arc::new(token), at),
        after: TokenState::Absent,
        event: Some((AuditAction::Purged, String::new())),
    });
    plan.housekeeping = purges.collect();
    Ok(newest.map_or(plan.at, |newest| plan.at.max(newest + TIME_RESOLUTION)))
}

/// Restores deleted tokens, all that `target` names or none: refuses when there is none, when
/// its 24 hours are over, or when a name is taken.
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
        RestoreTarget::LastDeletion => Some(own_last_deletion(&deleted, tx, context.actor)?),
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
        plan.changes.push(Change {
            before: TokenState::Deleted(Arc::clone(&token), at),
            after: TokenState::Live(token),
            event: Some((AuditAction::Restored, String::new())),
        });
    }
    Ok(())
}

/// The time of the latest deletion by `actor`. What others deleted was their decision, and is not
/// restored in passing.
fn own_last_deletion<R: ReadTokens>(
    deleted: &[(Token, Timestamp)],
    tx: &R,
    actor: &Actor,
) -> Result<Timestamp, R::Error> {
    let (newest, _) = deleted.first().ok_or(Refusal::NothingToRestore)?;
    let mut checked = None;
    for (token, at) in deleted {
        // The tokens of one deletion have one time and one operator.
        if checked.replace(*at) != Some(*at)
            && let Some(by) = deleted_by(tx, &token.id)?
            && is_same_account(&by, actor)
        {
            return Ok(*at);
        }
    }
    let by = deleted_by(tx, &newest.id)?;
    let by = by.map_or_else(|| "somebody else".to_owned(), |by| by.to_string());
    Err(Refusal::DeletedByAnother { name: newest.name.clone(), by }.into())
}

/// Who deleted a token: the last event of a deleted token is its deletion.
fn deleted_by<R: ReadTokens>(tx: &R, id: &TokenId) -> Result<Option<Actor>, R::Error> {
    let last = tx.last_event(id)?;
    Ok(last.filter(|event| event.what.action == AuditAction::Deleted).map(|event| event.what.actor))
}

/// Whether both are the same account. The address differs after a dropped connection.
fn is_same_account(one: &Actor, other: &Actor) -> bool {
    (&one.user, &one.sudo_user) == (&other.user, &other.sudo_user)
}

/// Records that the clock is right. Deletions that a fast clock dated after it get times from now
/// on, in their order; otherwise they would be kept too long and count as the latest.
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
        plan.housekeeping.push(Change {
            before: TokenState::Deleted(Arc::clone(&token), at),
            after: TokenState::Deleted(token, new),
            event: None,
        });
    }
    let detail = tx.newest_event_at()?.map_or_else(String::new, |last| {
        format!("the last change was at {}", last.format("%Y-%m-%d %H:%M UTC"))
    });
    plan.changes.push(Change {
        before: TokenState::Absent,
        after: TokenState::Absent,
        event: Some((AuditAction::ClockAccepted, detail)),
    });
    Ok(())
}
