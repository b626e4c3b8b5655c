//! Plans changes of scopes: additions and removals on each of several tokens, or both on one token.
//! The events of both kinds have the same texts, whichever command made the change.

use std::sync::Arc;

use super::{
    Plan, PlanContext, ReadTokens, Refusal, Warning,
    audit_text::{scope_count, scope_list},
    require_token,
};
use crate::domain::{
    command::ScopesToRemove,
    event::AuditAction,
    id::TokenId,
    scope::{Scope, ScopeError, Scopes},
    token::Token,
};

/// Returns an error for the first scope that is not in the catalogue.
pub(super) fn check_scopes(scopes: &[Scope], context: &PlanContext<'_>) -> Result<(), Refusal> {
    scopes.iter().try_for_each(|scope| Ok(context.catalogue.check(scope)?))
}

/// Adds each of `scopes` that `token` does not have. Skips the token if it has all of them.
pub(super) fn add_scopes(plan: &mut Plan, token: &Arc<Token>, scopes: &[Scope]) {
    let mut wider = Token::clone(token);
    let (mut added, mut absorbed, mut held) = (Vec::new(), Vec::new(), None);
    for scope in scopes {
        match wider.scopes.add(scope.clone()) {
            Ok(more) => {
                added.push(scope.clone());
                absorbed.extend(more.absorbed);
            }
            Err(reason @ (ScopeError::Duplicate(_) | ScopeError::Covered { .. })) => {
                held.get_or_insert(reason);
            }
            Err(reason) => return plan.skip(token, reason),
        }
    }
    match held {
        Some(reason) if added.is_empty() => return plan.skip(token, reason),
        None if added.is_empty() => return plan.push_unchanged(token),
        _ => {}
    }
    plan.push_change(token, wider, AuditAction::ScopesAdded, added_text(&added, &absorbed));
    if !absorbed.is_empty() {
        plan.warnings.push(Warning::Absorbs(absorbed));
    }
}

/// Removes scopes. Skips the token if it lacks any of the listed scopes.
pub(super) fn remove_scopes(plan: &mut Plan, token: &Arc<Token>, scopes: &ScopesToRemove) {
    let mut narrower = Token::clone(token);
    let detail = match scopes {
        ScopesToRemove::All => {
            narrower.scopes = Scopes::default();
            format!("all, {}", scope_count(token.scopes.len()))
        }
        ScopesToRemove::Listed(scopes) => {
            if let Err(reason) = scopes.iter().try_for_each(|scope| narrower.scopes.remove(scope)) {
                return plan.skip(token, reason);
            }
            scope_list(scopes)
        }
    };
    if narrower.scopes == token.scopes {
        plan.push_unchanged(token);
    } else {
        plan.push_change(token, narrower, AuditAction::ScopesRemoved, detail);
    }
}

/// Removes each of `removed` from the token, then adds each of `added`. Skips the token if it lacks
/// a scope of `removed`, or if it then has or covers a scope of `added`: all changes or none.
pub(super) fn change_scopes<R: ReadTokens>(
    plan: &mut Plan,
    token: &TokenId,
    (added, removed): (&[Scope], &[Scope]),
    tx: &R,
    context: &PlanContext<'_>,
) -> Result<(), R::Error> {
    check_scopes(added, context)?;
    let token = &require_token(tx, token)?;
    let mut changed = Token::clone(token);
    if let Err(reason) = removed.iter().try_for_each(|scope| changed.scopes.remove(scope)) {
        plan.skip(token, reason);
        return Ok(());
    }
    let mut absorbed = Vec::new();
    for scope in added {
        match changed.scopes.add(scope.clone()) {
            Ok(more) => absorbed.extend(more.absorbed),
            Err(reason) => {
                plan.skip(token, reason);
                return Ok(());
            }
        }
    }
    let mut events = Vec::new();
    if !removed.is_empty() {
        events.push((AuditAction::ScopesRemoved, scope_list(removed)));
    }
    if !added.is_empty() {
        events.push((AuditAction::ScopesAdded, added_text(added, &absorbed)));
    }
    if events.is_empty() {
        plan.push_unchanged(token);
    } else {
        plan.push_changes(token, changed, events);
    }
    if !absorbed.is_empty() {
        plan.warnings.push(Warning::Absorbs(absorbed));
    }
    Ok(())
}

/// The text of the event for added scopes and the scopes that they replace.
fn added_text(added: &[Scope], absorbed: &[Scope]) -> String {
    let added = scope_list(added);
    if absorbed.is_empty() { added } else { format!("{added}, absorbing {}", scope_list(absorbed)) }
}
