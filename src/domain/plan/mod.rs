//! Plans the effect of a command. For each token, the plan contains the state before and after with
//! the audit event, or the reason to skip the token. Pure: reads through [`ReadTokens`] and writes
//! nothing. Called by the service to preview a command, and again inside the transaction that
//! executes it.

mod audit_text;
mod confirm;
mod context;
mod create_and_edit;
mod large;
mod refusal;
mod scope_changes;
mod secret_changes;
mod trash;

use std::{collections::HashSet, sync::Arc};

pub use self::{
    audit_text::expiry_text,
    confirm::{Confirmation, ConfirmationProof, is_confirmed_by},
    context::{NewSecretDigests, PlanContext, ReadTokens},
    large::{
        JobPlan, deletion_batch, ended_overlaps, restoration_batch, scope_addition_batch,
        scope_removal_batch,
    },
    refusal::Refusal,
    trash::{PURGE_BATCH, TRASH_RETENTION, deletion_time},
};
use super::{
    Timestamp,
    clock_effects::ClockEffects,
    command::{Command, TokenEdit, TokensToRestore},
    count::counted,
    event::AuditAction,
    id::TokenId,
    job::MAX_PER_TRANSACTION,
    name::Name,
    scope::Scope,
    token::{PreviousSecret, Token, TransitionError},
};

/// Maximum number of tokens that a command may name. Above [`MAX_PER_TRANSACTION`], the change is
/// saved as a job.
pub const MAX_TOKENS: usize = 10_000;

/// Whether and where a token is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoredToken {
    Absent,
    /// The record of the token with this id is damaged. It can only be deleted.
    Damaged(TokenId),
    /// Stored and not deleted.
    Live(Arc<Token>),
    /// In the trash, deleted at this time.
    Deleted(Arc<Token>, Timestamp),
}

impl StoredToken {
    /// The record of a live or deleted token.
    pub fn token(&self) -> Option<&Token> {
        match self {
            Self::Absent | Self::Damaged(_) => None,
            Self::Live(token) | Self::Deleted(token, _) => Some(token),
        }
    }
}

/// The effect of a command on one token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenChange {
    pub before: StoredToken,
    pub after: StoredToken,
    /// The kind and the detail text of each audit event. Empty if the record does not change or
    /// only its deletion time is corrected.
    pub events: Vec<(AuditAction, String)>,
}

impl TokenChange {
    /// The token after the change, or before it if the change removes the token.
    pub fn token(&self) -> Option<&Token> {
        self.after.token().or_else(|| self.before.token())
    }

    /// When the token was deleted that the change restores or removes.
    pub fn deleted_at(&self) -> Option<Timestamp> {
        match self.before {
            StoredToken::Deleted(_, at) => Some(at),
            _ => None,
        }
    }

    /// The id of the token. `None` if the change concerns no token.
    pub fn id(&self) -> Option<TokenId> {
        match self.before {
            StoredToken::Damaged(id) => Some(id),
            _ => self.token().map(|token| token.id),
        }
    }
}

/// A token that a command names but does not change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedToken {
    pub id: TokenId,
    /// The record of the token. `None` if the token does not exist.
    pub token: Option<Arc<Token>>,
    pub reason: Refusal,
}

/// A side effect of an allowed command that the operator may not expect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Warning {
    /// These scopes are removed because a new scope on `*` covers them.
    Absorbs(Vec<Scope>),
    /// Accepting the clock has these effects.
    Clock(ClockEffects),
    /// This name has letters of several scripts.
    MixesScripts(Name),
    /// The first name looks like the second one, which another token has.
    LooksLike(Name, Name),
}

impl Warning {
    /// The number of scopes that are removed because another one covers them.
    pub fn absorbed_count(&self) -> usize {
        match self {
            Self::Absorbs(scopes) => scopes.len(),
            Self::Clock(_) | Self::MixesScripts(_) | Self::LooksLike(..) => 0,
        }
    }

    /// What is suspicious about the name of the token, if this warning is about a name.
    pub fn name_text(&self) -> Option<String> {
        match self {
            Self::Absorbs(_) | Self::Clock(_) => None,
            Self::MixesScripts(name) => {
                Some(format!("{name} mixes scripts: a letter may not be what it looks like"))
            }
            Self::LooksLike(name, other) => {
                Some(format!("{name} looks like {other}, the name of another token"))
            }
        }
    }
}

/// The effect of a command on the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    pub command: Command,
    /// The time at which statuses are evaluated, and the time of the events.
    pub at: Timestamp,
    /// The changes of the tokens that the command names, in the order of the command.
    pub changes: Vec<TokenChange>,
    /// The tokens that the command names but does not change.
    pub skipped: Vec<SkippedToken>,
    pub warnings: Vec<Warning>,
    /// Changes in the trash that the command does not name: purges and corrected deletion times.
    pub housekeeping: Vec<TokenChange>,
    /// Set if the change is saved as a job. Then `changes` may have only the first tokens.
    pub job: Option<JobPlan>,
}

impl Plan {
    fn new(command: &Command, at: Timestamp) -> Self {
        Self {
            command: command.clone(),
            at,
            changes: Vec::new(),
            skipped: Vec::new(),
            warnings: Vec::new(),
            housekeeping: Vec::new(),
            job: None,
        }
    }

    /// The tokens that the plan changes, each in its state after the change. A token that the
    /// change removes is in its state before the change.
    pub fn tokens(&self) -> impl Iterator<Item = &Token> {
        self.changes.iter().filter_map(TokenChange::token)
    }

    /// The ids of the tokens that the plan changes, including those with a damaged record.
    pub fn ids(&self) -> Vec<TokenId> {
        self.changes.iter().filter_map(TokenChange::id).collect()
    }

    /// The number of damaged records that the plan removes.
    pub fn damaged_count(&self) -> usize {
        let is_damaged = |change: &&TokenChange| matches!(change.before, StoredToken::Damaged(_));
        let changes = || self.changes.iter().filter(is_damaged).count();
        self.job.as_ref().map_or_else(changes, |job| job.damaged)
    }

    /// The number of changed tokens and, if there are any, of damaged records: `3 tokens and 1
    /// damaged record`.
    pub fn counted_tokens(&self) -> String {
        let damaged = self.damaged_count();
        let tokens = self.change_count().saturating_sub(damaged);
        match (tokens, damaged) {
            (tokens, 0) => counted(tokens, "token"),
            (0, damaged) => counted(damaged, "damaged record"),
            (tokens, damaged) => {
                format!("{} and {}", counted(tokens, "token"), counted(damaged, "damaged record"))
            }
        }
    }

    /// The tokens that the plan changes, each in its state before the change.
    pub fn tokens_before(&self) -> impl Iterator<Item = &Token> {
        self.changes.iter().filter_map(|change| change.before.token())
    }

    /// The previous secrets that the plan stops before the end of their overlap.
    pub fn ended_overlaps(&self) -> impl Iterator<Item = &PreviousSecret> {
        self.changes.iter().filter_map(|change| {
            let previous = change.before.token()?.active_overlap(self.at)?;
            let is_kept = matches!(&change.after, StoredToken::Live(after)
                if after.has_overlap(self.at) && after.accepts(&previous.digest, self.at));
            (!is_kept).then_some(previous)
        })
    }

    /// If the plan skips a token, returns the reason for the first skipped token as an error, with
    /// the token's name. A token that is already revoked is no error if others remain to be revoked:
    /// a revoke that was interrupted can be repeated.
    pub fn require_all(&self) -> Result<(), Refusal> {
        let is_done = |skipped: &SkippedToken| {
            let is_revoked = skipped.reason == Refusal::Transition(TransitionError::AlreadyRevoked);
            is_revoked && self.change_count() > 0
        };
        let mut open = self.skipped.iter().filter(|skipped| !is_done(skipped));
        let Some(SkippedToken { token, reason, .. }) = open.next() else {
            return Ok(());
        };
        match token {
            Some(token) => Err(reason.clone().for_token(&token.name)),
            None => Err(reason.clone()),
        }
    }

    /// Returns the command that undoes this plan, or `None` if the plan cannot be undone or changes
    /// nothing.
    pub fn inverse(&self) -> Option<Command> {
        let deleted_at = |change: &TokenChange| match change.after {
            StoredToken::Deleted(_, at) => Some(at),
            StoredToken::Absent | StoredToken::Damaged(_) | StoredToken::Live(_) => None,
        };
        match &self.command {
            // Without all tokens, only a deletion can be undone.
            command if self.job.is_some() && !matches!(command, Command::Delete { .. }) => None,
            Command::Edit { .. }
            | Command::AddScopes { .. }
            | Command::RemoveScopes { .. }
            | Command::ChangeScopes { .. } => {
                let edits: Vec<TokenEdit> =
                    self.changes.iter().filter_map(create_and_edit::token_edit).collect();
                (!edits.is_empty()).then_some(Command::Revert(edits))
            }
            Command::Delete { .. } => self
                .changes
                .iter()
                .find_map(deleted_at)
                .map(|at| Command::Restore(TokensToRestore::Deletion(at))),
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

    fn push_change(
        &mut self,
        before: &Arc<Token>,
        after: Token,
        action: AuditAction,
        detail: String,
    ) {
        self.push_changes(before, after, vec![(action, detail)]);
    }

    fn push_changes(
        &mut self,
        before: &Arc<Token>,
        after: Token,
        events: Vec<(AuditAction, String)>,
    ) {
        self.changes.push(TokenChange {
            before: StoredToken::Live(Arc::clone(before)),
            after: StoredToken::Live(Arc::new(after.changed_at(self.at, before))),
            events,
        });
    }

    fn push_unchanged(&mut self, token: &Arc<Token>) {
        let state = StoredToken::Live(Arc::clone(token));
        self.changes.push(TokenChange { before: state.clone(), after: state, events: Vec::new() });
    }

    fn skip_missing(&mut self, id: &TokenId) {
        let reason = Refusal::NotFound(*id);
        self.skipped.push(SkippedToken { id: *id, token: None, reason });
    }

    fn skip(&mut self, token: &Arc<Token>, reason: impl Into<Refusal>) {
        let reason = reason.into();
        self.skipped.push(SkippedToken { id: token.id, token: Some(Arc::clone(token)), reason });
    }
}

/// Plans `command` on the tokens that `tx` reads. A token that cannot be changed is skipped, with
/// the reason.
///
/// Returns an error for problems of the whole command: an unknown scope, a lifetime beyond the
/// limits, a name in use, more than [`MAX_TOKENS`] tokens, or a failed read.
pub fn plan<R: ReadTokens>(
    command: &Command,
    tx: &R,
    context: &PlanContext<'_>,
) -> Result<Plan, R::Error> {
    let count = command.tokens().len();
    if count > MAX_TOKENS {
        return Err(Refusal::TooManyTokens(count).into());
    }
    let mut plan = Plan::new(command, context.at);
    match command {
        Command::Create { token, .. } => create_and_edit::create(&mut plan, token, tx, context)?,
        Command::Edit { token, changes } => {
            let token = require_token(tx, token)?;
            create_and_edit::edit(&mut plan, &token, changes, tx, context)?;
        }
        Command::AddScopes { tokens, scopes } => {
            scope_changes::check_scopes(scopes, context)?;
            plan_each(&mut plan, tokens, tx, |plan, token| {
                scope_changes::add_scopes(plan, token, scopes);
            })?;
            large::change_scopes(&mut plan, tx)?;
        }
        Command::RemoveScopes { tokens, scopes } => {
            plan_each(&mut plan, tokens, tx, |plan, token| {
                scope_changes::remove_scopes(plan, token, scopes);
            })?;
            large::change_scopes(&mut plan, tx)?;
        }
        Command::ChangeScopes { token, added, removed } => {
            let scopes = (added.as_slice(), removed.as_slice());
            scope_changes::change_scopes(&mut plan, token, scopes, tx, context)?;
        }
        Command::Revoke { tokens } => plan_each(&mut plan, tokens, tx, secret_changes::revoke)?,
        Command::RevokeLeaked { secrets } => secret_changes::revoke_leaked(&mut plan, secrets, tx)?,
        Command::EndOverlap { tokens } => {
            plan_each(&mut plan, tokens, tx, secret_changes::end_overlap)?;
        }
        Command::Regenerate { tokens, .. } if tokens.len() > MAX_PER_TRANSACTION => {
            return Err(Refusal::TooManySecrets(count).into());
        }
        Command::Regenerate { tokens, lifetime, overlap, .. } => {
            context.granting_time()?;
            if let Some(lifetime) = lifetime {
                context.expiry(*lifetime)?;
            }
            plan_each(&mut plan, tokens, tx, |plan, token| {
                secret_changes::regenerate(plan, token, (*lifetime, *overlap), context);
            })?;
            secret_changes::require_overlap(&mut plan, *overlap);
        }
        Command::Delete { tokens } => trash::delete_tokens(&mut plan, tokens, tx, context)?,
        Command::Restore(target) => trash::restore(&mut plan, *target, tx, context)?,
        Command::Revert(edits) => create_and_edit::revert(&mut plan, edits, tx, context)?,
        Command::RecordDelivery { token, digest, method } => {
            let token = require_token(tx, token)?;
            secret_changes::record_delivery(&mut plan, &token, digest, *method)?;
        }
        Command::AcceptClock => trash::accept_clock(&mut plan, tx, context)?,
        Command::PurgeTrash => {
            trash::purge(&mut plan, tx)?;
        }
    }
    Ok(plan)
}

fn require_token<R: ReadTokens>(tx: &R, id: &TokenId) -> Result<Arc<Token>, R::Error> {
    tx.token(id)?.map(Arc::new).ok_or_else(|| Refusal::NotFound(*id).into())
}

/// Calls `plan_token` once for each distinct id. Skips tokens that do not exist.
fn plan_each<R: ReadTokens>(
    plan: &mut Plan,
    ids: &[TokenId],
    tx: &R,
    mut plan_token: impl FnMut(&mut Plan, &Arc<Token>),
) -> Result<(), R::Error> {
    let mut seen = HashSet::with_capacity(ids.len());
    for id in ids.iter().filter(|id| seen.insert(**id)) {
        if let Some(token) = tx.token(id)? {
            plan_token(plan, &Arc::new(token));
        } else {
            plan.skip_missing(id);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
