//! Plans what happens to secrets: revoke, end an overlap, regenerate, record a delivery.

use std::sync::Arc;

use super::{Plan, PlanContext, ReadTokens, Refusal, Warning, event_text::until};
use crate::domain::{
    Timestamp,
    command::{Delivery, LeakedSecret},
    event::AuditAction,
    secret::Digest,
    token::{Overlap, Status, Token, TransitionError},
};

/// Ends a token; leaves out one that is revoked.
pub(super) fn revoke(plan: &mut Plan, token: &Arc<Token>) {
    let detail = format!("was {}", token.status(plan.at).as_str());
    match Token::clone(token).revoke(plan.at) {
        Ok(revoked) => plan.change(token, revoked, AuditAction::Revoked, detail),
        Err(reason) => plan.leave_out(token, reason),
    }
}

/// Ends the tokens whose leaked secret still works, each once.
pub(super) fn revoke_leaked<R: ReadTokens>(
    plan: &mut Plan,
    secrets: &[LeakedSecret],
    tx: &R,
) -> Result<(), R::Error> {
    for leaked in secrets {
        if plan.tokens().any(|token| token.id == leaked.id) {
            continue;
        }
        let Some(token) = tx.token(&leaked.id)?.map(Arc::new) else { continue };
        let works =
            token.status(plan.at) == Status::Active && token.accepts(&leaked.digest, plan.at);
        match Token::clone(&token).revoke(plan.at) {
            Ok(revoked) if works => {
                let detail = "was active, its secret was found by a scan".to_owned();
                plan.change(&token, revoked, AuditAction::Revoked, detail);
            }
            _ => plan.leave_out(&token, Refusal::NotWorking),
        }
    }
    Ok(())
}

/// Ends the previous secret of a token, if it has one.
pub(super) fn end_overlap(plan: &mut Plan, token: &Arc<Token>) {
    if token.previous.is_none() {
        return plan.keep(token);
    }
    warn_of_overlap(plan, token);
    plan.change(token, Token::clone(token).end_overlap(), AuditAction::OverlapEnded, String::new());
}

/// Replaces the secret of a token. The overlap is for an active token only; what is delivered to
/// a file counts as delivered.
pub(super) fn regenerate(
    plan: &mut Plan,
    token: &Arc<Token>,
    (expires, overlap): (Option<Timestamp>, Overlap),
    context: &PlanContext<'_>,
) {
    let status = token.status(plan.at);
    let overlap = if status == Status::Active { overlap } else { Overlap::None };
    let digest = context.digests.of(&token.id);
    let prefix = context.prefix.as_str();
    let renewed = Token::clone(token).regenerate(digest, prefix, expires, overlap, plan.at);
    let mut renewed = match renewed {
        Ok(renewed) => renewed,
        Err(reason) => return plan.leave_out(token, reason),
    };
    let mut detail = format!("was {}, {}", status.as_str(), until(renewed.expires));
    if let Some(previous) = &renewed.previous {
        detail.push_str(", old secret works ");
        detail.push_str(&until(Some(previous.until)));
    }
    if plan.command.secret_file().is_some() {
        renewed.delivered = true;
        detail.push_str(", written to a file");
    }
    warn_of_overlap(plan, token);
    plan.change(token, renewed, AuditAction::Regenerated, detail);
}

/// Leaves out every token if an overlap was asked for and no token is active: it would be without
/// effect, and the operator expects one.
pub(super) fn require_overlap(plan: &mut Plan, overlap: Overlap) {
    let overlaps = plan.tokens().any(|token| token.previous.is_some());
    if overlap == Overlap::None || overlaps {
        return;
    }
    for change in std::mem::take(&mut plan.changes) {
        if let super::TokenState::Live(token) = &change.before {
            plan.leave_out(token, TransitionError::NothingToOverlap);
        }
    }
}

fn warn_of_overlap(plan: &mut Plan, token: &Token) {
    if let Some(previous) = token.overlap(plan.at) {
        plan.warnings.push(Warning::EndsOverlap { token: token.id, until: previous.until });
    }
}

/// Records how the current secret was delivered. Each way is recorded, though one is enough for
/// the token. Refuses a secret that was replaced.
pub(super) fn record_delivery(
    plan: &mut Plan,
    token: &Arc<Token>,
    digest: &Digest,
    how: Delivery,
) -> Result<(), Refusal> {
    if !token.digest.matches(digest) {
        return Err(Refusal::Replaced(token.name.clone()));
    }
    let delivered = Token { delivered: true, ..Token::clone(token) };
    plan.change(token, delivered, AuditAction::Claimed, how.as_str().to_owned());
    Ok(())
}
