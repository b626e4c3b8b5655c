//! Adding and removing what a token may do. The algebra is the domain's; the catalogue decides
//! what is on offer. Each returns the way back, too.

use super::{Service, ServiceError, Undo, pats::counted};
use crate::domain::{Action, Added, Pat, Scope, ScopeError, Scopes, TokenId};

impl Service {
    /// Adds all of `scopes` to a token, or none: refuses what the catalogue does not offer, a
    /// duplicate, and what is covered. Tells which specific scopes a new `*` absorbed.
    pub fn add_scopes(
        &self,
        id: &TokenId,
        scopes: &[Scope],
    ) -> Result<(Pat, Added, Undo), ServiceError> {
        for scope in scopes {
            self.policy.catalogue.check(scope)?;
        }
        let add = |pat: &mut Pat| {
            let mut all = Added::default();
            for scope in scopes {
                all.absorbed.extend(pat.scopes.add(scope.clone())?.absorbed);
            }
            Ok::<_, ScopeError>(all)
        };
        let absorbed = std::cell::RefCell::new(Added::default());
        let (pat, undo) = self.change(id, Action::ScopesAdded, |mut pat, _| {
            let added = add(&mut pat)?;
            let mut detail = listed(scopes);
            if !added.absorbed.is_empty() {
                detail.push_str(", absorbing ");
                detail.push_str(&listed(&added.absorbed));
            }
            absorbed.replace(added);
            Ok::<_, ScopeError>((pat, detail))
        })?;
        Ok((pat, absorbed.into_inner(), undo))
    }

    /// Removes one scope from a token. Refuses one that is not there.
    pub fn remove_scope(&self, id: &TokenId, scope: &Scope) -> Result<(Pat, Undo), ServiceError> {
        self.change(id, Action::ScopesRemoved, |mut pat, _| {
            pat.scopes.remove(scope)?;
            Ok::<_, ScopeError>((pat, scope.to_string()))
        })
    }

    /// Removes all of `scopes` from a token, or none: refuses when one is not there.
    pub fn remove_scopes(
        &self,
        id: &TokenId,
        scopes: &[Scope],
    ) -> Result<(Pat, Undo), ServiceError> {
        self.change(id, Action::ScopesRemoved, |mut pat, _| {
            for scope in scopes {
                pat.scopes.remove(scope)?;
            }
            Ok::<_, ScopeError>((pat, listed(scopes)))
        })
    }

    /// Removes every scope from a token, which then is denied everything. Where there is none,
    /// nothing happens.
    pub fn clear_scopes(&self, id: &TokenId) -> Result<(Pat, Undo), ServiceError> {
        self.change(id, Action::ScopesRemoved, |pat, _| {
            let detail = format!("all, {}", counted(pat.scopes.len(), "scope"));
            Ok::<_, ScopeError>((Pat { scopes: Scopes::default(), ..pat }, detail))
        })
    }
}

/// Up to three of them by name, the rest by number: a trail is read, not parsed.
pub(super) fn listed(scopes: &[Scope]) -> String {
    let named: Vec<_> = scopes.iter().take(3).map(ToString::to_string).collect();
    match scopes.len().saturating_sub(3) {
        0 => named.join(" "),
        more => format!("{} and {more} more", named.join(" ")),
    }
}
