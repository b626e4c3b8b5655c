//! Plans changes of secrets: revoke, end an overlap, regenerate, and record a delivery.

use std::sync::Arc;

use super::{Plan, PlanContext, ReadTokens, Refusal, audit_text::expiry_text};
use crate::domain::{
    command::{DeliveryMethod, LeakedSecret},
    event::AuditAction,
    lifetime::Lifetime,
    overlap::SecretOverlap,
    secret::Digest,
    secret_slot::SecretSlot,
    token::{Status, Token, TransitionError},
};

/// Revokes a token. Skips a token that is already revoked.
pub(super) fn revoke(plan: &mut Plan, token: &Arc<Token>) {
    let mut detail = format!("was {}", token.status(plan.at).as_str());
    push_ended_overlap(&mut detail, plan, token);
    match Token::clone(token).revoke(plan.at) {
        Ok(revoked) => plan.push_change(token, revoked, AuditAction::Revoked, detail),
        Err(reason) => plan.skip(token, reason),
    }
}

/// Revokes each token once if its leaked secret still works, and skips the others. Ignores ids of
/// unknown tokens.
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
        let works = !token.status(plan.at).is_ended();
        let found = secrets.iter().filter(|it| works && it.id == leaked.id);
        let slots: Vec<_> =
            found.filter_map(|it| token.matching_slot(&it.digest, plan.at)).collect();
        if !slots.contains(&SecretSlot::Current) && slots.contains(&SecretSlot::Previous) {
            // It was regenerated since the scan.
            end_overlap(plan, &token);
            continue;
        }
        match Token::clone(&token).revoke(plan.at) {
            Ok(revoked) if !slots.is_empty() => {
                let mut detail = "was active, its secret was found by a scan".to_owned();
                push_ended_overlap(&mut detail, plan, &token);
                plan.push_change(&token, revoked, AuditAction::Revoked, detail);
            }
            _ => plan.skip(&token, Refusal::SecretNotWorking),
        }
    }
    Ok(())
}

/// Ends the overlap of a token. Skips a token without a previous secret.
pub(super) fn end_overlap(plan: &mut Plan, token: &Arc<Token>) {
    if token.previous.is_none() {
        return plan.skip(token, TransitionError::NoPreviousSecret);
    }
    let detail = token.active_overlap(plan.at).map_or_else(String::new, |old| {
        format!("the old secret would have worked {}", expiry_text(Some(old.until)))
    });
    plan.push_change(token, Token::clone(token).end_overlap(), AuditAction::OverlapEnded, detail);
}

/// Replaces the secret of a token. Only an active token gets the overlap. A secret that
/// is written to a file or printed counts as delivered.
pub(super) fn regenerate(
    plan: &mut Plan,
    token: &Arc<Token>,
    (lifetime, overlap): (Option<Lifetime>, SecretOverlap),
    context: &PlanContext<'_>,
) {
    let status = token.status(plan.at);
    let overlap = if status == Status::Active { overlap } else { SecretOverlap::None };
    let expires = match context.renewed_expiry(lifetime, token) {
        Ok(expires) => expires,
        Err(reason) => return plan.skip(token, reason),
    };
    if let Err(reason) = token.limits.check_expiry(expires) {
        return plan.skip(token, reason);
    }
    let digest = context.digests.of(&token.id);
    let prefix = context.prefix.as_str();
    let renewed = context.granting_time().and_then(|issued| {
        Ok(Token::clone(token).regenerate(digest, prefix, expires, overlap, issued)?)
    });
    let mut renewed = match renewed {
        Ok(renewed) => renewed,
        Err(reason) => return plan.skip(token, reason),
    };
    let mut detail = format!("was {}, {}", status.as_str(), expiry_text(renewed.expires));
    if let Some(previous) = &renewed.previous {
        detail.push_str(", old secret works ");
        detail.push_str(&expiry_text(Some(previous.until)));
    }
    push_ended_overlap(&mut detail, plan, token);
    renewed.delivered = context.digests.delivery().is_some();
    if plan.command.secret_file().is_some() {
        detail.push_str(", written to a file");
    }
    plan.push_change(token, renewed, AuditAction::Regenerated, detail);
}

/// Skips every token if an overlap was requested but no token gets one. Otherwise the command would
/// ignore the overlap without a message.
pub(super) fn require_overlap(plan: &mut Plan, overlap: SecretOverlap) {
    let overlaps = plan.tokens().any(|token| token.previous.is_some());
    if overlap == SecretOverlap::None || overlaps {
        return;
    }
    for change in std::mem::take(&mut plan.changes) {
        if let super::StoredToken::Live(token) = &change.before {
            plan.skip(token, TransitionError::NothingToOverlap);
        }
    }
}

/// If the change ends an overlap early, adds this fact to the text of the event, with the time
/// until which the previous secret would have worked.
fn push_ended_overlap(detail: &mut String, plan: &Plan, token: &Token) {
    if let Some(previous) = token.active_overlap(plan.at) {
        if !detail.is_empty() {
            detail.push_str(", ");
        }
        detail.push_str("ended the overlap of a secret that would have worked ");
        detail.push_str(&expiry_text(Some(previous.until)));
    }
}

/// Records how the current secret was delivered. Every delivery has its own event. Returns an error
/// if `digest` is not the digest of the current secret.
pub(super) fn record_delivery(
    plan: &mut Plan,
    token: &Arc<Token>,
    digest: &Digest,
    method: DeliveryMethod,
) -> Result<(), Refusal> {
    if !token.digest.matches(digest) {
        return Err(Refusal::SecretReplaced(token.name.clone()));
    }
    let delivered = Token { delivered: true, ..Token::clone(token) };
    plan.push_change(token, delivered, AuditAction::Delivered, method.as_str().to_owned());
    Ok(())
}
