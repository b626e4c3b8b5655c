//! The pending changes of scopes in the detail, for each token, and from which scopes on. Refuses
//! what the scopes of the token rule out. Changes nothing in the store: the screen requests the
//! command of this module. Called by the detail screen.

use std::collections::BTreeMap;

use crate::{
    domain::{
        Command, PendingScopes, Scope, ScopeCatalogue, Token, TokenId, added_and_removed, grouped,
    },
    keymap::{Action, Mode},
    tui::app::{effect::Effect, model::Model},
};

/// The changes of scopes that the operator has chosen and not applied.
#[derive(Debug, Default)]
pub(super) struct ScopeEdit {
    tokens: BTreeMap<TokenId, TokenEdit>,
}

/// The changes of one token.
#[derive(Debug, Default)]
struct TokenEdit {
    /// The scopes of the token when its changes were last compared with it.
    base: Vec<Scope>,
    pending: PendingScopes,
}

impl TokenEdit {
    fn rebased(&self, token: &Token) -> PendingScopes {
        let mut pending = self.pending.clone();
        if self.base != *token.scopes {
            pending.rebase(&self.base, &token.scopes);
        }
        pending
    }
}

impl ScopeEdit {
    /// The changes of `token`, without those that it has in its record by now.
    pub fn pending(&self, token: &Token) -> PendingScopes {
        self.tokens.get(&token.id).map(|edit| edit.rebased(token)).unwrap_or_default()
    }

    /// The first token with changes that it does not have in its record.
    pub fn unapplied(&self, ctx: &Model) -> Option<TokenId> {
        let has_changes = |(id, edit): &(&TokenId, &TokenEdit)| match ctx.token(id) {
            Some(token) => !edit.rebased(token).is_empty_on(&token.scopes),
            None => !ctx.is_gone(id) && !edit.pending.is_empty_on(&edit.base),
        };
        self.tokens.iter().find(has_changes).map(|(id, _)| *id)
    }

    pub fn has_changes(&self, token: &Token) -> bool {
        !self.pending(token).is_empty_on(&token.scopes)
    }

    /// Drops the changes that `token` has in its record by now.
    pub fn rebase(&mut self, token: &Token) {
        if let Some(edit) = self.tokens.get_mut(&token.id) {
            edit.pending = edit.rebased(token);
            edit.base = token.scopes.to_vec();
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
        let pending = self.pending_mut(token);
        let toggled = match scopes {
            [scope] => pending.toggle(scope.clone(), &token.scopes, catalogue),
            several => pending.toggle_all(several, &token.scopes, catalogue),
        };
        toggled.err().map(|error| Effect::warn(format!("{}: {error}", token.name)))
    }

    /// Adds those of `scopes` that the token will not have yet. The error says why there is nothing to
    /// add.
    pub fn add(
        &mut self,
        scopes: &[Scope],
        token: &Token,
        catalogue: &ScopeCatalogue,
    ) -> Result<(), String> {
        match self.pending_mut(token).add_all(scopes, &token.scopes, catalogue) {
            Ok(true) => Ok(()),
            Ok(false) => Err("The token has these scopes, or wider ones, already".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    fn pending_mut(&mut self, token: &Token) -> &mut PendingScopes {
        self.rebase(token);
        let new = || TokenEdit { base: token.scopes.to_vec(), ..TokenEdit::default() };
        &mut self.tokens.entry(token.id).or_insert_with(new).pending
    }

    /// Discards the changes of `token`.
    pub fn discard(&mut self, token: &Token) {
        self.tokens.remove(&token.id);
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
        let (added, removed) = (pending.added(&token.scopes), pending.removed(&token.scopes));
        let counts = added_and_removed(added.len(), removed.len());
        let key = |action| ctx.key(Mode::Detail, action);
        let (apply, discard) = (key(Action::Submit), key(Action::Back));
        let hint = format!("{counts}: {apply} applies, {discard} discards");
        (!counts.is_empty()).then_some(hint)
    }
}

/// Says that `action` needs a selected scope.
pub(super) fn no_scope_warning(action: Action, ctx: &Model) -> Effect {
    Effect::warn(format!("{} works on a scope. Select one first.", ctx.key(Mode::Detail, action)))
}

/// Says that the key pressed again discards the changes.
pub(super) fn discard_warning(ctx: &Model) -> Effect {
    let key = |action| ctx.key(Mode::Detail, action);
    let (discard, apply) = (key(Action::Back), key(Action::Submit));
    Effect::warn(format!(
        "Not applied. Press {discard} again to discard the changes, {apply} to apply them."
    ))
}
