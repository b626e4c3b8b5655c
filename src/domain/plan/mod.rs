//! What a command would do: for each token its state before and after and the audit event, or the
//! reason for leaving it out. Pure: reads through [`ReadTokens`], writes nothing. Called by the
//! service, once to preview a command and once more inside the transaction that executes it.

mod confirm;
mod context;
mod edits;
mod event_text;
mod refusal;
mod secrets;
mod trash;

use std::{collections::HashSet, sync::Arc};

pub use self::{
    confirm::{Confirmation, Confirmed},
    context::{NewDigests, PlanContext, ReadTokens},
    event_text::until,
    refusal::Refusal,
    trash::TRASH_RETENTION,
};
use super::{
    Timestamp,
    command::{Command, Edited, RestoreTarget, TokenSelection},
    event::AuditAction,
    id::TokenId,
    scope::Scope,
    token::Token,
};

/// Most tokens that a command may name. A transaction of so many takes well under the 2 s for
/// which other writers wait.
pub const MAX_TOKENS: usize = 10_000;

/// Whether and where a token is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenState {
    Absent,
    /// Among the tokens.
    Live(Arc<Token>),
    /// In the trash, deleted at this time.
    Deleted(Arc<Token>, Timestamp),
}

impl TokenState {
    /// The record, wherever it is stored.
    pub fn token(&self) -> Option<&Token> {
        match self {
            Self::Absent => None,
            Self::Live(token) | Self::Deleted(token, _) => Some(token),
        }
    }
}

/// What a command does to one token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its state before.
    pub before: TokenState,
    /// Its state afterwards.
    pub after: TokenState,
    /// The audit event and its detail; `None` if nothing changes.
    pub event: Option<(AuditAction, String)>,
}

impl Change {
    /// The token as it is afterwards, or as it was if it is gone then.
    pub fn token(&self) -> Option<&Token> {
        self.after.token().or_else(|| self.before.token())
    }
}

/// A token that a command names and leaves as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedToken {
    /// The token's id.
    pub id: TokenId,
    /// The record; `None` if there is no such token.
    pub token: Option<Arc<Token>>,
    pub reason: Refusal,
}

/// Something that an operator may not expect of a command that is allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Warning {
    /// These scopes are removed, because a new scope on `*` covers them.
    Absorbs(Vec<Scope>),
    /// A previous secret stops working before the end of its overlap.
    EndsOverlap {
        token: TokenId,
        /// When the overlap would have ended.
        until: Timestamp,
    },
}

/// What a command would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    pub command: Command,
    /// The time that the plan was made for, and that of its events.
    pub at: Timestamp,
    /// The tokens that the command changes, in its order.
    pub changes: Vec<Change>,
    /// The tokens that it names and leaves as they are.
    pub left_out: Vec<SkippedToken>,
    /// What an operator may not expect.
    pub warnings: Vec<Warning>,
    /// Changes of the trash that the command does not name: purges, corrected times.
    pub housekeeping: Vec<Change>,
}

impl Plan {
    fn new(command: &Command, at: Timestamp) -> Self {
        Self {
            command: command.clone(),
            at,
            changes: Vec::new(),
            left_out: Vec::new(),
            warnings: Vec::new(),
            housekeeping: Vec::new(),
        }
    }

    /// The tokens that are changed, as they are afterwards, or as they were if they are gone
    /// then.
    pub fn tokens(&self) -> impl Iterator<Item = &Token> {
        self.changes.iter().filter_map(Change::token)
    }

    /// The ids of [`Plan::tokens`].
    pub fn ids(&self) -> Vec<TokenId> {
        self.tokens().map(|token| token.id).collect()
    }

    /// Refuses a plan that leaves out a token, with the reason for the first one. Where the
    /// command names several tokens the reason names the token.
    pub fn require_all(&self) -> Result<(), Refusal> {
        let Some(SkippedToken { token, reason, .. }) = self.left_out.first() else {
            return Ok(());
        };
        match token {
            Some(token) if self.changes.len() + self.left_out.len() > 1 => {
                Err(Refusal::OneOfMany { name: token.name.clone(), why: Box::new(reason.clone()) })
            }
            _ => Err(reason.clone()),
        }
    }

    /// The command that undoes this one, or `None` if there is none or nothing to undo.
    pub fn inverse(&self) -> Option<Command> {
        let deleted_at = |change: &Change| match change.after {
            TokenState::Deleted(_, at) => Some(at),
            TokenState::Absent | TokenState::Live(_) => None,
        };
        match &self.command {
            Command::Edit { .. } | Command::AddScopes { .. } | Command::RemoveScopes { .. } => {
                let edits: Vec<Edited> = self.changes.iter().filter_map(edited).collect();
                (!edits.is_empty()).then_some(Command::Revert(edits))
            }
            Command::Delete { .. } => self
                .changes
                .first()
                .and_then(deleted_at)
                .map(|at| Command::Restore(RestoreTarget::Deletion(at))),
            Command::Create { .. }
            | Command::Revoke { .. }
            | Command::RevokeLeaked { .. }
            | Command::EndOverlap { .. }
            | Command::Regenerate { .. }
            | Command::Restore(_)
            | Command::Revert(_)
            | Command::RecordDelivery { .. }
            | Command::AcceptClock
            | Command::PurgeTrash => None,
        }
    }

    fn change(&mut self, before: &Arc<Token>, after: Token, action: AuditAction, detail: String) {
        self.changes.push(Change {
            before: TokenState::Live(Arc::clone(before)),
            after: TokenState::Live(Arc::new(after)),
            event: Some((action, detail)),
        });
    }

    fn keep(&mut self, token: &Arc<Token>) {
        let state = TokenState::Live(Arc::clone(token));
        self.changes.push(Change { before: state.clone(), after: state, event: None });
    }

    fn leave_out(&mut self, token: &Arc<Token>, reason: impl Into<Refusal>) {
        let reason = reason.into();
        self.left_out.push(SkippedToken { id: token.id, token: Some(Arc::clone(token)), reason });
    }
}

fn edited(change: &Change) -> Option<Edited> {
    match (&change.before, &change.after, &change.event) {
        (TokenState::Live(before), TokenState::Live(after), Some(_)) => {
            Some(Edited { before: Token::clone(before), after: Token::clone(after) })
        }
        _ => None,
    }
}

/// Plans `command` on the tokens that `tx` reads. Refuses what no token can be spared from: an
/// unknown scope, a lifetime beyond the limits, a name that is taken, more than [`MAX_TOKENS`]
/// tokens. A token for which the command is impossible is left out, with the reason.
pub fn plan<R: ReadTokens>(
    command: &Command,
    tx: &R,
    context: &PlanContext<'_>,
) -> Result<Plan, R::Error> {
    let count = command.tokens().len();
    if count > MAX_TOKENS {
        return Err(Refusal::TooMany(count).into());
    }
    let mut plan = Plan::new(command, context.at);
    match command {
        Command::Create { token, .. } => edits::create(&mut plan, token, tx, context)?,
        Command::Edit { token, name, description } => {
            let token = find(tx, token)?;
            edits::edit(&mut plan, &token, (name.as_ref(), description.as_ref()), tx)?;
        }
        Command::AddScopes { tokens, scopes } => {
            edits::check_scopes(scopes, context)?;
            each(&mut plan, tokens, tx, |plan, token| edits::add_scopes(plan, token, scopes))?;
        }
        Command::RemoveScopes { tokens, scopes } => {
            each(&mut plan, tokens, tx, |plan, token| edits::remove_scopes(plan, token, scopes))?;
        }
        Command::Revoke { tokens } => {
            each(&mut plan, tokens, tx, secrets::revoke)?;
        }
        Command::RevokeLeaked { secrets } => secrets::revoke_leaked(&mut plan, secrets, tx)?,
        Command::EndOverlap { tokens } => {
            each(&mut plan, tokens, tx, secrets::end_overlap)?;
        }
        Command::Regenerate { tokens, lifetime, overlap, .. } => {
            let expires = context.expiry(*lifetime)?;
            each(&mut plan, tokens, tx, |plan, token| {
                secrets::regenerate(plan, token, (expires, *overlap), context);
            })?;
            secrets::require_overlap(&mut plan, *overlap);
        }
        Command::Delete { tokens } => {
            let own_deletion = trash::purge(&mut plan, tx)?;
            let deleted_at = context.deletion.unwrap_or(own_deletion);
            match tokens {
                TokenSelection::Listed(tokens) => each(&mut plan, tokens, tx, |plan, token| {
                    trash::delete(plan, token, deleted_at);
                })?,
                TokenSelection::All => {
                    for token in tx.tokens()? {
                        trash::delete(&mut plan, &Arc::new(token), deleted_at);
                    }
                }
            }
        }
        Command::Restore(target) => trash::restore(&mut plan, *target, tx, context)?,
        Command::Revert(edits) => edits::revert(&mut plan, edits, tx)?,
        Command::RecordDelivery { token, digest, how } => {
            let token = find(tx, token)?;
            secrets::record_delivery(&mut plan, &token, digest, *how)?;
        }
        Command::AcceptClock => trash::accept_clock(&mut plan, tx, context)?,
        Command::PurgeTrash => {
            trash::purge(&mut plan, tx)?;
        }
    }
    Ok(plan)
}

fn find<R: ReadTokens>(tx: &R, id: &TokenId) -> Result<Arc<Token>, R::Error> {
    tx.token(id)?.map(Arc::new).ok_or_else(|| Refusal::Gone(*id).into())
}

/// Plans each of these tokens once; those that are gone are left out.
fn each<R: ReadTokens>(
    plan: &mut Plan,
    ids: &[TokenId],
    tx: &R,
    mut one: impl FnMut(&mut Plan, &Arc<Token>),
) -> Result<(), R::Error> {
    let mut seen = HashSet::with_capacity(ids.len());
    for id in ids.iter().filter(|id| seen.insert(**id)) {
        if let Some(token) = tx.token(id)? {
            one(plan, &Arc::new(token));
        } else {
            let reason = Refusal::Gone(*id);
            plan.left_out.push(SkippedToken { id: *id, token: None, reason });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
