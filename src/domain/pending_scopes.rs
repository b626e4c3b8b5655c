//! Changes of the scopes of one token that the operator has chosen but not yet applied. Refuses a
//! scope that another scope covers, and one that the catalogue does not offer. Called by the detail
//! screen; `Command::ChangeScopes` applies the changes.

use std::collections::BTreeSet;

use super::{
    catalogue::ScopeCatalogue,
    scope::{Scope, ScopeError, Scopes},
};

/// Scopes to add to and to remove from a token. Contains each chosen scope once: it is removed if
/// the token has it, else added. So choosing a scope twice changes nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PendingScopes(BTreeSet<Scope>);

impl PendingScopes {
    /// Whether the changes add or remove a scope of a token that has `held`.
    pub fn is_empty_on(&self, held: &[Scope]) -> bool {
        self.added(held).is_empty() && self.removed(held).is_empty()
    }

    /// The scopes of `held` to remove.
    pub fn removed(&self, held: &[Scope]) -> Vec<Scope> {
        self.0.iter().filter(|scope| held.contains(scope)).cloned().collect()
    }

    /// The scopes to add to `held`, without those that another scope will cover.
    pub fn added(&self, held: &[Scope]) -> Vec<Scope> {
        let after = self.chosen(held);
        let is_covered = |scope: &Scope| after.iter().any(|it| it != scope && it.covers(scope));
        let added = self.0.iter().filter(|scope| !held.contains(scope) && !is_covered(scope));
        added.cloned().collect()
    }

    /// The scopes that the token has after the changes. Some of them may cover others.
    pub fn chosen(&self, held: &[Scope]) -> BTreeSet<Scope> {
        let held: BTreeSet<Scope> = held.iter().cloned().collect();
        held.symmetric_difference(&self.0).cloned().collect()
    }

    /// Adds `scope` or, if it is chosen already, removes it. Returns an error, and changes nothing,
    /// if another scope covers it, if `catalogue` does not offer it, or if the token would get more
    /// than [`Scopes::MAX`] scopes.
    pub fn toggle(
        &mut self,
        scope: Scope,
        held: &[Scope],
        catalogue: &ScopeCatalogue,
    ) -> Result<(), ScopeError> {
        let chosen = self.chosen(held);
        if !chosen.contains(&scope) && !held.contains(&scope) {
            catalogue.check(&scope)?;
            if let Some(by) = chosen.iter().find(|it| it.covers(&scope)) {
                let by = Box::new(by.clone());
                return Err(ScopeError::Covered { scope: Box::new(scope), by });
            }
        }
        let mut changed = self.clone();
        changed.flip(scope);
        changed.require_fit(held)?;
        *self = changed;
        Ok(())
    }

    /// Adds all of `scopes` that are offered and not covered; if there are none to add, removes all
    /// of them. Returns an error, and changes nothing, if the token would get more than
    /// [`Scopes::MAX`] scopes.
    pub fn toggle_all(
        &mut self,
        scopes: &[Scope],
        held: &[Scope],
        catalogue: &ScopeCatalogue,
    ) -> Result<(), ScopeError> {
        if !self.add_all(scopes, held, catalogue)? {
            let chosen = self.chosen(held);
            scopes.iter().filter(|it| chosen.contains(it)).for_each(|it| self.flip(it.clone()));
        }
        Ok(())
    }

    /// Adds all of `scopes` that are offered and not covered. Returns whether there were any. Fails like
    /// [`Self::toggle_all`].
    pub fn add_all(
        &mut self,
        scopes: &[Scope],
        held: &[Scope],
        catalogue: &ScopeCatalogue,
    ) -> Result<bool, ScopeError> {
        let mut wider = self.clone();
        for scope in scopes {
            let chosen = wider.chosen(held);
            let is_allowed = held.contains(scope) || catalogue.check(scope).is_ok();
            if is_allowed && !chosen.iter().any(|it| it.covers(scope)) {
                wider.flip(scope.clone());
            }
        }
        wider.require_fit(held)?;
        let has_changed = wider != *self;
        *self = wider;
        Ok(has_changed)
    }

    /// Drops the changes that were made in the meantime: `held` are the scopes that the token has
    /// now, `before` those for which the changes were chosen.
    pub fn rebase(&mut self, before: &[Scope], held: &[Scope]) {
        let chosen = self.0.clone();
        let is_covered =
            |scope: &Scope| held.iter().any(|it| !chosen.contains(it) && it.covers(scope));
        self.0.retain(|scope| {
            let is_held = held.contains(scope);
            before.contains(scope) == is_held && (is_held || !is_covered(scope))
        });
    }

    fn flip(&mut self, scope: Scope) {
        if !self.0.remove(&scope) {
            self.0.insert(scope);
        }
    }

    /// Returns an error if the token would get more than [`Scopes::MAX`] scopes.
    fn require_fit(&self, held: &[Scope]) -> Result<(), ScopeError> {
        Scopes::default().add_missing(self.widest_first(held)).map(drop)
    }

    /// The scopes of the token after the changes.
    pub fn scopes_after(&self, held: &[Scope]) -> Scopes {
        let mut after = Scopes::default();
        // `add_all` and `toggle` have refused what does not fit.
        let _ = after.add_missing(self.widest_first(held));
        after
    }

    /// The scopes after the changes; those that cover others come first.
    fn widest_first(&self, held: &[Scope]) -> Vec<Scope> {
        let mut scopes: Vec<_> = self.chosen(held).into_iter().collect();
        scopes.sort_by_key(|scope| scope.entity != super::scope::Entity::Any);
        scopes
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn scope(text: &str) -> Scope {
        text.parse().unwrap()
    }

    fn scopes(texts: &[&str]) -> Vec<Scope> {
        texts.iter().map(|text| scope(text)).collect()
    }

    fn toggle(pending: &mut PendingScopes, text: &str, held: &[Scope]) -> Result<(), String> {
        let toggled = pending.toggle(scope(text), held, &ScopeCatalogue::default());
        toggled.map_err(|error| error.to_string())
    }

    #[test]
    fn a_held_scope_is_removed_and_another_added() {
        let held = scopes(&["channels:*:publish", "channels:c-1:read"]);
        let mut pending = PendingScopes::default();
        toggle(&mut pending, "channels:c-1:read", &held).unwrap();
        toggle(&mut pending, "channels:c-1:list", &held).unwrap();
        assert_eq!(pending.added(&held), scopes(&["channels:c-1:list"]));
        assert_eq!(pending.removed(&held), scopes(&["channels:c-1:read"]));
    }

    #[test]
    fn a_covered_scope_and_one_that_is_not_offered_are_refused() {
        let held = scopes(&["channels:*:publish"]);
        let mut pending = PendingScopes::default();
        let refused = toggle(&mut pending, "channels:c-1:publish", &held).unwrap_err();
        assert!(refused.contains("already covered by channels:*:publish"), "{refused}");
        assert!(toggle(&mut pending, "users:u-1:publish", &held).is_err());
        assert!(pending.is_empty_on(&held));
        // Without the wider scope, the narrow one can replace it.
        toggle(&mut pending, "channels:*:publish", &held).unwrap();
        toggle(&mut pending, "channels:c-1:publish", &held).unwrap();
        assert_eq!(pending.added(&held), scopes(&["channels:c-1:publish"]));
        toggle(&mut pending, "channels:*:publish", &held).unwrap();
        assert_eq!(pending.added(&held), Vec::new());
    }

    #[test]
    fn all_of_a_row_are_added_then_removed() {
        let held = scopes(&["channels:c-1:read"]);
        let row = scopes(&["channels:c-1:read", "channels:c-1:list", "channels:c-1:publish"]);
        let catalogue = ScopeCatalogue::default();
        let mut pending = PendingScopes::default();
        pending.toggle_all(&row, &held, &catalogue).unwrap();
        assert_eq!((pending.added(&held).len(), pending.removed(&held).len()), (2, 0));
        pending.toggle_all(&row, &held, &catalogue).unwrap();
        assert_eq!((pending.added(&held).len(), pending.removed(&held).len()), (0, 1));
        pending.toggle_all(&row, &held, &catalogue).unwrap();
        pending.toggle_all(&row, &held, &catalogue).unwrap();
        assert_eq!((pending.added(&held).len(), pending.removed(&held).len()), (0, 1));
    }

    #[test]
    fn a_change_made_by_somebody_else_is_dropped() {
        let before = scopes(&["channels:c-1:read", "channels:c-2:read"]);
        let mut pending = PendingScopes::default();
        toggle(&mut pending, "channels:c-1:read", &before).unwrap();
        toggle(&mut pending, "channels:c-3:read", &before).unwrap();
        let held = scopes(&["channels:c-2:read", "channels:c-4:read"]);
        pending.rebase(&before, &held);
        assert_eq!(pending.added(&held), scopes(&["channels:c-3:read"]));
        assert_eq!(pending.removed(&held), Vec::new());
    }

    fn any_scope() -> impl Strategy<Value = Scope> {
        let entity = prop::sample::select(vec!["*", "c-1", "c-2"]);
        let operation = prop::sample::select(vec!["read", "list", "publish"]);
        let domain = prop::sample::select(vec!["", "@d"]);
        (entity, operation, domain).prop_map(|(entity, operation, domain)| {
            scope(&format!("channels:{entity}:{operation}{domain}"))
        })
    }

    proptest! {
        #[test]
        fn toggling_gives_changes_that_can_be_applied(
            held in prop::collection::vec(any_scope(), 0..8),
            toggles in prop::collection::vec(any_scope(), 0..12),
        ) {
            let mut set = Scopes::default();
            set.add_missing(held).unwrap();
            let held = set.as_slice().to_vec();
            let mut pending = PendingScopes::default();
            let catalogue = ScopeCatalogue::default();
            for scope in toggles {
                let before = pending.clone();
                if pending.toggle(scope.clone(), &held, &catalogue).is_ok() {
                    let mut again = pending.clone();
                    // Toggled twice, a scope is as before.
                    if again.toggle(scope, &held, &catalogue).is_ok() {
                        prop_assert_eq!(again, before);
                    }
                } else {
                    prop_assert_eq!(&pending, &before);
                }
                let mut after = set.clone();
                for scope in pending.removed(&held) {
                    after.remove(&scope).unwrap();
                }
                for scope in pending.added(&held) {
                    after.add(scope).unwrap();
                }
                let mut expected = Scopes::default();
                expected.add_missing(pending.widest_first(&held)).unwrap();
                prop_assert_eq!(&after, &expected);
            }
        }
    }
}
