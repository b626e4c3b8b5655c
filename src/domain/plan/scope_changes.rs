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

/// What an addition of scopes does to a set.
struct Additions {
    added: Vec<Scope>,
    /// The scopes that a wildcard replaced.
    absorbed: Vec<Scope>,
    /// Why the first scope that is not added is left out: the set has or covers it.
    held: Option<ScopeError>,
}

impl Additions {
    /// Adds each of `scopes` that the set does not have. Returns an error if one does not fit.
    fn to(set: &mut Scopes, scopes: &[Scope]) -> Result<Self, ScopeError> {
        let mut all = Self { added: Vec::new(), absorbed: Vec::new(), held: None };
        for scope in scopes {
            match set.add(scope.clone()) {
                Ok(more) => {
                    all.added.push(scope.clone());
                    all.absorbed.extend(more.absorbed);
                }
                Err(reason @ (ScopeError::Duplicate(_) | ScopeError::Covered { .. })) => {
                    all.held.get_or_insert(reason);
                }
                Err(reason) => return Err(reason),
            }
        }
        Ok(all)
    }
}

/// Adds each of `scopes` that `token` does not have. Skips the token if it has all of them.
pub(super) fn add_scopes(plan: &mut Plan, token: &Arc<Token>, scopes: &[Scope]) {
    let mut wider = Token::clone(token);
    let Additions { added, absorbed, held } = match Additions::to(&mut wider.scopes, scopes) {
        Ok(additions) => additions,
        Err(reason) => return plan.skip(token, reason),
    };
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

/// Removes each of `removed` from the token, then adds each of `added` that it does not have then.
/// Skips the token if it lacks a scope of `removed`, or if nothing is removed and it has all of
/// `added`.
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
    let Additions { added, absorbed, held } = match Additions::to(&mut changed.scopes, added) {
        Ok(additions) => additions,
        Err(reason) => {
            plan.skip(token, reason);
            return Ok(());
        }
    };
    if let Some(reason) = held.filter(|_| added.is_empty() && removed.is_empty()) {
        plan.skip(token, reason);
        return Ok(());
    }
    let mut events = Vec::new();
    if !removed.is_empty() {
        events.push((AuditAction::ScopesRemoved, scope_list(removed)));
    }
    if !added.is_empty() {
        events.push((AuditAction::ScopesAdded, added_text(&added, &absorbed)));
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
