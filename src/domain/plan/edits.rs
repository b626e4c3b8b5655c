//! Plans what a token is made of: issue, name, description, scopes, and taking such changes back.

use std::sync::Arc;

use super::{
    Plan, PlanContext, ReadTokens, Refusal, TokenState, Warning,
    event_text::{scope_count, scope_list, until},
    find,
};
use crate::domain::{
    command::{Edited, NewToken, ScopeSelection},
    event::AuditAction,
    id::TokenId,
    name::{Description, Name},
    scope::{Scope, ScopeError, Scopes},
    token::Token,
};

/// A new token. Its scopes must be offered and must not repeat each other.
pub(super) fn create<R: ReadTokens>(
    plan: &mut Plan,
    new: &NewToken,
    tx: &R,
    context: &PlanContext<'_>,
) -> Result<(), R::Error> {
    let mut scopes = Scopes::default();
    check_scopes(&new.scopes, context)?;
    for scope in &new.scopes {
        scopes.add(scope.clone()).map_err(Refusal::from)?;
    }
    require_free(tx, &new.name, None)?;
    let id = context.digests.only_id();
    let token = Token {
        id,
        name: new.name.clone(),
        description: new.description.clone(),
        scopes,
        prefix: context.prefix.as_str().into(),
        digest: context.digests.of(&id),
        previous: None,
        created: plan.at,
        created_by: context.actor.clone(),
        issued: plan.at,
        expires: context.expiry(new.lifetime)?,
        revoked: None,
        delivered: plan.command.secret_file().is_some(),
        last_used: None,
    };
    let mut detail = format!("{}, {}", until(token.expires), scope_count(token.scopes.len()));
    if token.delivered {
        detail.push_str(", written to a file");
    }
    plan.changes.push(super::Change {
        before: TokenState::Absent,
        after: TokenState::Live(Arc::new(token)),
        event: Some((AuditAction::Created, detail)),
    });
    Ok(())
}

/// A new name, a new description, or both.
pub(super) fn edit<R: ReadTokens>(
    plan: &mut Plan,
    token: &Arc<Token>,
    (name, description): (Option<&Name>, Option<&Description>),
    tx: &R,
) -> Result<(), R::Error> {
    let mut edited = Token::clone(token);
    let mut details = Vec::new();
    if let Some(name) = name {
        require_free(tx, name, Some(&token.id))?;
        if *name != token.name {
            details.push(format!("name was {}", token.name));
            edited.name = name.clone();
        }
    }
    if let Some(description) = description.filter(|text| **text != token.description) {
        details.push("description changed".to_owned());
        edited.description = description.clone();
    }
    if details.is_empty() {
        plan.keep(token);
    } else {
        plan.change(token, edited, AuditAction::Edited, details.join(", "));
    }
    Ok(())
}

/// Refuses a name that a token other than `owner` has.
fn require_free<R: ReadTokens>(
    tx: &R,
    name: &Name,
    owner: Option<&TokenId>,
) -> Result<(), R::Error> {
    match tx.id_of_name(name)? {
        Some(holder) if owner != Some(&holder) => Err(Refusal::NameTaken(name.clone()).into()),
        _ => Ok(()),
    }
}

/// Refuses a scope that the catalogue does not offer.
pub(super) fn check_scopes(scopes: &[Scope], context: &PlanContext<'_>) -> Result<(), Refusal> {
    scopes.iter().try_for_each(|scope| Ok(context.catalogue.check(scope)?))
}

/// Adds those of `scopes` that `token` does not hold; leaves it out if it holds them all.
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
            Err(reason) => return plan.leave_out(token, reason),
        }
    }
    match held {
        Some(reason) if added.is_empty() => return plan.leave_out(token, reason),
        None if added.is_empty() => return plan.keep(token),
        _ => {}
    }
    let mut detail = scope_list(&added);
    if !absorbed.is_empty() {
        detail.push_str(", absorbing ");
        detail.push_str(&scope_list(&absorbed));
        plan.warnings.push(Warning::Absorbs(absorbed));
    }
    plan.change(token, wider, AuditAction::ScopesAdded, detail);
}

/// Removes scopes; leaves the token out if it does not hold one that is listed.
pub(super) fn remove_scopes(plan: &mut Plan, token: &Arc<Token>, scopes: &ScopeSelection) {
    let mut narrower = Token::clone(token);
    let detail = match scopes {
        ScopeSelection::All => {
            narrower.scopes = Scopes::default();
            format!("all, {}", scope_count(token.scopes.len()))
        }
        ScopeSelection::Listed(scopes) => {
            if let Err(reason) = scopes.iter().try_for_each(|it| narrower.scopes.remove(it)) {
                return plan.leave_out(token, reason);
            }
            scope_list(scopes)
        }
    };
    if narrower.scopes == token.scopes {
        plan.keep(token);
    } else {
        plan.change(token, narrower, AuditAction::ScopesRemoved, detail);
    }
}

/// Takes edits back, all or none: refuses when a field is not as the edit left it.
pub(super) fn revert<R: ReadTokens>(
    plan: &mut Plan,
    edits: &[Edited],
    tx: &R,
) -> Result<(), R::Error> {
    for Edited { before, after } in edits {
        let now = find(tx, &before.id)?;
        let since = |what| Refusal::ChangedSince { what, name: now.name.clone() };
        let mut reverted = Token::clone(&now);
        let mut details = Vec::new();
        if before.name != after.name {
            if now.name != after.name {
                return Err(since("name").into());
            }
            require_free(tx, &before.name, Some(&now.id))?;
            reverted.name = before.name.clone();
            details.push(format!("name was {}", now.name));
        }
        if before.description != after.description {
            if now.description != after.description {
                return Err(since("description").into());
            }
            reverted.description = before.description.clone();
            details.push("description is as before".to_owned());
        }
        if before.scopes != after.scopes {
            if now.scopes != after.scopes {
                return Err(since("scopes").into());
            }
            reverted.scopes = before.scopes.clone();
            details.push(format!("{} as before", scope_count(reverted.scopes.len())));
        }
        plan.change(&now, reverted, AuditAction::Undone, details.join(", "));
    }
    Ok(())
}
