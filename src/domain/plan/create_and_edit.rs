//! Plans creation, changes of name, description, limits, labels and owner, and the undo of these changes
//! and of changes of scopes.

use std::sync::Arc;

use super::{
    Plan, PlanContext, ReadTokens, Refusal, StoredToken, TokenChange, Warning,
    audit_text::{expiry_text, labels_text, limits_text, new_limits_text, owner_text, scope_count},
    require_token,
    scope_changes::check_scopes,
};
use crate::domain::{
    command::{FieldChanges, NewToken, TokenEdit},
    event::AuditAction,
    id::TokenId,
    label::Labels,
    limits::TokenLimits,
    mixes_scripts,
    name::Name,
    scope::Scopes,
    token::Token,
};

/// Plans a new token. Returns an error if a scope is not in the catalogue, or if another scope
/// duplicates or covers it. Also returns an error if the name is in use, or if the lifetime is
/// outside its limits, or if a limit is invalid.
pub(super) fn create<R: ReadTokens>(
    plan: &mut Plan,
    new: &NewToken,
    tx: &R,
    context: &PlanContext<'_>,
) -> Result<(), R::Error> {
    let issued = context.granting_time()?;
    let mut scopes = Scopes::default();
    check_scopes(&new.scopes, context)?;
    for scope in &new.scopes {
        scopes.add(scope.clone()).map_err(Refusal::from)?;
    }
    require_unused_name(tx, &new.name, None)?;
    warn_of_lookalikes(plan, &new.name, None, tx)?;
    let id = context.digests.only_id();
    let expires = context.expiry(new.lifetime)?;
    let no_limits = TokenLimits::default();
    let limits = context.changed_limits(&new.limits, &no_limits, expires)?;
    let token = Token {
        id,
        name: new.name.clone(),
        description: new.description.clone(),
        scopes,
        prefix: context.prefix.as_str().into(),
        digest: context.digests.of(&id),
        previous: None,
        created: issued,
        created_by: context.actor.clone(),
        issued,
        expires,
        revoked: None,
        version: Token::FIRST_VERSION,
        generation: 1,
        delivered: context.digests.delivery().is_some(),
        last_used: None,
        limits,
        uses_taken: 0,
        last_denied: None,
        labels: new.labels.clone(),
        owner: new.owner.clone(),
    };
    let summary = [expiry_text(token.expires), scope_count(token.scopes.len())];
    let limits = new_limits_text(&token.limits);
    let owner = (!token.owner.is_empty()).then(|| format!("owner {}", token.owner.as_str()));
    let labels = labels_text(&Labels::default(), &token.labels);
    let details = summary.into_iter().chain(limits).chain(owner).chain(labels);
    let mut detail = details.collect::<Vec<_>>().join(", ");
    if plan.command.secret_file().is_some() {
        detail.push_str(", written to a file");
    }
    plan.changes.push(super::TokenChange {
        before: StoredToken::Absent,
        after: StoredToken::Live(Arc::new(token)),
        events: vec![(AuditAction::Created, detail)],
    });
    Ok(())
}

/// Plans `changes` of the token. Returns an error if the new name is in use, or if the change of a
/// limit or a label is invalid.
pub(super) fn edit<R: ReadTokens>(
    plan: &mut Plan,
    token: &Arc<Token>,
    changes: &FieldChanges,
    tx: &R,
    context: &PlanContext<'_>,
) -> Result<(), R::Error> {
    let mut edited = Token::clone(token);
    let mut details = Vec::new();
    if let Some(name) = &changes.name {
        require_unused_name(tx, name, Some(&token.id))?;
        if *name != token.name {
            warn_of_lookalikes(plan, name, Some(&token.name), tx)?;
            details.push(format!("name was {}", token.name));
            edited.name = name.clone();
        }
    }
    let description = changes.description.as_ref();
    if let Some(description) = description.filter(|text| **text != token.description) {
        details.push("description changed".to_owned());
        edited.description = description.clone();
    }
    edited.limits = context.changed_limits(&changes.limits, &token.limits, token.expires)?;
    details.extend(limits_text(&token.limits, &edited.limits));
    edited.owner = changes.owner.clone().unwrap_or(edited.owner);
    details.extend(owner_text(token, &edited));
    edited.labels = token.labels.changed(&changes.labels).map_err(Refusal::from)?;
    details.extend(labels_text(&token.labels, &edited.labels));
    if details.is_empty() {
        plan.push_unchanged(token);
    } else {
        plan.push_change(token, edited, AuditAction::Edited, details.join(", "));
    }
    Ok(())
}

/// Returns an error if a token other than `owner` has this name.
fn require_unused_name<R: ReadTokens>(
    tx: &R,
    name: &Name,
    owner: Option<&TokenId>,
) -> Result<(), R::Error> {
    match tx.id_of_name(name)? {
        Some(holder) if owner != Some(&holder) => Err(Refusal::NameTaken(name.clone()).into()),
        _ => Ok(()),
    }
}

/// Warns if `name` mixes scripts or looks like another name than `old`.
fn warn_of_lookalikes<R: ReadTokens>(
    plan: &mut Plan,
    name: &Name,
    old: Option<&Name>,
    tx: &R,
) -> Result<(), R::Error> {
    if mixes_scripts(name.as_str()) {
        plan.warnings.push(Warning::MixesScripts(name.clone()));
    }
    if let Some(other) = tx.lookalike_of(name)?.filter(|other| Some(other) != old) {
        plan.warnings.push(Warning::LooksLike(name.clone(), other));
    }
    Ok(())
}

/// Undoes all edits or none of them. Returns an error if a field has changed since the edit, or if
/// the name to restore is in use.
pub(super) fn revert<R: ReadTokens>(
    plan: &mut Plan,
    edits: &[TokenEdit],
    tx: &R,
    context: &PlanContext<'_>,
) -> Result<(), R::Error> {
    for TokenEdit { before, after } in edits {
        let now = require_token(tx, &before.id)?;
        let changed = |field| Refusal::ChangedSince { field, name: now.name.clone() };
        let mut reverted = Token::clone(&now);
        let mut details = Vec::new();
        if before.name != after.name {
            if now.name != after.name {
                return Err(changed("name").into());
            }
            require_unused_name(tx, &before.name, Some(&now.id))?;
            reverted.name = before.name.clone();
            details.push(format!("name was {}", now.name));
        }
        if before.description != after.description {
            if now.description != after.description {
                return Err(changed("description").into());
            }
            reverted.description = before.description.clone();
            details.push("description is as before".to_owned());
        }
        if before.scopes != after.scopes {
            if now.scopes != after.scopes {
                return Err(changed("scopes").into());
            }
            reverted.scopes = before.scopes.clone();
            details.push(format!("{} as before", scope_count(reverted.scopes.len())));
        }
        if before.limits != after.limits {
            if now.limits != after.limits {
                return Err(changed("limits").into());
            }
            context.require_granting_to_loosen(&before.limits, &now.limits)?;
            reverted.limits = before.limits.clone();
            details.extend(limits_text(&now.limits, &reverted.limits));
        }
        if before.owner != after.owner {
            if now.owner != after.owner {
                return Err(changed("owner").into());
            }
            reverted.owner = before.owner.clone();
            details.extend(owner_text(&now, &reverted));
        }
        if before.labels != after.labels {
            if now.labels != after.labels {
                return Err(changed("labels").into());
            }
            reverted.labels = before.labels.clone();
            details.extend(labels_text(&now.labels, &reverted.labels));
        }
        plan.push_change(&now, reverted, AuditAction::Undone, details.join(", "));
    }
    Ok(())
}

/// The edit that a change of a live token is; `None` if it changes nothing.
pub(super) fn token_edit(change: &TokenChange) -> Option<TokenEdit> {
    match (&change.before, &change.after) {
        (StoredToken::Live(before), StoredToken::Live(after)) if !change.events.is_empty() => {
            Some(TokenEdit { before: Token::clone(before), after: Token::clone(after) })
        }
        _ => None,
    }
}
