//! The pending changes of scopes in the detail: for which token, and from which scopes on. Refuses
//! what the scopes of the token rule out. Changes nothing in the store: the screen requests the
//! command of this module. Called by the detail screen.

use crate::{
    domain::{Command, PendingScopes, Scope, ScopeCatalogue, Token, TokenId, grouped},
    keymap::{Action, Mode},
    tui::app::{effect::Effect, model::Model},
};

/// The changes of scopes that the operator has chosen for one token.
#[derive(Debug, Default)]
pub(super) struct ScopeEdit {
    token: Option<TokenId>,
    /// The scopes of the token when its changes were last compared with it.
    base: Vec<Scope>,
    pending: PendingScopes,
}

impl ScopeEdit {
    /// The changes of `token`; none if those of another token are kept.
    pub fn pending(&self, token: &Token) -> PendingScopes {
        if self.token == Some(token.id) { self.pending.clone() } else { PendingScopes::default() }
    }

    pub fn has_changes(&self, token: &Token) -> bool {
        !self.pending(token).is_empty_on(&token.scopes)
    }

    /// Drops the changes that `token` has in its record by now.
    pub fn rebase(&mut self, token: &Token) {
        if self.token == Some(token.id) && self.base != *token.scopes {
            self.pending.rebase(&self.base, &token.scopes);
            self.base = token.scopes.to_vec();
        }
    }

    /// Adds or removes these scopes. One scope is toggled; of several, all are added, or removed if
    /// none can be added. Returns a warning if a rule refuses the change.
    pub fn toggle(
        &mut self,
        scopes: &[Scope],
        token: &Token,
        catalogue: &ScopeCatalogue,
    ) -> Option<Effect> {
        if self.token != Some(token.id) {
            *self = Self { token: Some(token.id), base: token.scopes.to_vec(), ..Self::default() };
        }
        self.rebase(token);
        let toggled = match scopes {
            [scope] => self.pending.toggle(scope.clone(), &token.scopes, catalogue),
            several => self.pending.toggle_all(several, &token.scopes, catalogue),
        };
        toggled.err().map(|error| Effect::warn(format!("{}: {error}", token.name)))
    }

    /// Discards the changes of `token`. Returns whether there were any.
    pub fn discard(&mut self, token: &Token) -> bool {
        let had_changes = self.has_changes(token);
        if had_changes {
            *self = Self::default();
        }
        had_changes
    }

    /// The command that applies the changes; `None` if there are none.
    pub fn command(&self, token: &Token) -> Option<Command> {
        let pending = self.pending(token);
        let (added, removed) = (pending.added(&token.scopes), pending.removed(&token.scopes));
        let has_changes = !(added.is_empty() && removed.is_empty());
        has_changes.then_some(Command::ChangeScopes { token: token.id, added, removed })
    }

    /// The number of scopes with the numbers of pending changes: `14 +2 -1`.
    pub fn count_text(&self, token: &Token) -> String {
        let pending = self.pending(token);
        let changes = [('+', pending.added(&token.scopes)), ('-', pending.removed(&token.scopes))];
        let changes = changes.into_iter().filter(|(_, scopes)| !scopes.is_empty());
        changes.fold(grouped(token.scopes.len()), |text, (sign, scopes)| {
            format!("{text} {sign}{}", grouped(scopes.len()))
        })
    }

    /// The numbers of changes, and the keys that apply and discard them; `None` without changes.
    pub fn hint(&self, token: &Token, ctx: &Model) -> Option<String> {
        let pending = self.pending(token);
        let counts = [
            (pending.added(&token.scopes).len(), "added"),
            (pending.removed(&token.scopes).len(), "removed"),
        ];
        let counts = counts.iter().filter(|(count, _)| *count > 0);
        let counts: Vec<_> =
            counts.map(|(count, word)| format!("{} {word}", grouped(*count))).collect();
        let key = |action| ctx.key(Mode::Detail, action);
        let (apply, discard) = (key(Action::Submit), key(Action::Back));
        let counts = (!counts.is_empty()).then(|| counts.join(", "))?;
        Some(format!("{counts}: {apply} applies, {discard} discards"))
    }
}
