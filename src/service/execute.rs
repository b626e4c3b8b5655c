//! Previews and executes commands. All changes of tokens go through this module, except an import.
//! `domain::plan` makes the plan; this module adds the transaction, the clock and the secrets.
//! Refuses a command whose plan differs from the one that the operator confirmed.

use std::path::PathBuf;

use chrono::NaiveDateTime;

use super::{Service, ServiceError, Zone, issue::PrintSecret, secret_file::SecretFile};
use crate::{
    domain::{
        AuditAction, AuditEvent, Command, ConfirmationProof, EventBody, Name, Plan, PreviousSecret,
        Refusal, Secret, StoredToken, Timestamp, Token, TokenChange, TokenId, TokensToDelete, plan,
        plan::{NewSecretDigests, PURGE_BATCH, PlanContext, ReadTokens},
    },
    store::{DamagedRecord, ReadOps, StoreError, Writer},
};

/// A token with its new secret. There is no other copy of the secret.
#[derive(Debug)]
pub struct IssuedToken {
    pub token: Token,
    pub secret: Secret,
}

/// The result of an executed command.
#[derive(Debug)]
pub struct CommandResult {
    /// The plan that was executed.
    pub plan: Plan,
    /// The new secrets in the order of the plan; empty if they were written to a file or printed.
    pub issued: Vec<IssuedToken>,
    /// The file that contains the secrets.
    pub secret_file: Option<PathBuf>,
    /// The error that prevented the update of the records; otherwise `None`. Despite the error, the
    /// secrets have stopped working, and the next write of any process updates the records.
    pub deferred: Option<StoreError>,
}

impl CommandResult {
    /// An executed plan without secrets.
    pub(super) fn of(plan: Plan) -> Self {
        Self { plan, issued: Vec::new(), secret_file: None, deferred: None }
    }
}

/// Adapts a transaction to the reads that a plan needs.
struct PlanReader<'a, R>(&'a R);

impl<R: ReadOps> ReadTokens for PlanReader<'_, R> {
    type Error = ServiceError;

    fn token(&self, id: &TokenId) -> Result<Option<Token>, ServiceError> {
        Ok(self.0.token(id)?)
    }

    fn stored(&self, id: &TokenId) -> Result<StoredToken, ServiceError> {
        match self.0.token(id) {
            Ok(token) => {
                Ok(token.map_or(StoredToken::Absent, |token| StoredToken::Live(token.into())))
            }
            Err(StoreError::Damaged(_)) => Ok(StoredToken::Damaged(*id)),
            Err(error) => Err(error.into()),
        }
    }

    fn id_of_name(&self, name: &Name) -> Result<Option<TokenId>, ServiceError> {
        Ok(self.0.id_of_name(name)?)
    }

    fn lookalike_of(&self, name: &Name) -> Result<Option<Name>, ServiceError> {
        let Some(id) = self.0.lookalike_of(name)? else { return Ok(None) };
        match self.0.token_without_usage(&id) {
            // The lookalike only causes a warning, so a damaged record must not make the command
            // fail.
            Err(StoreError::Damaged(_)) => Ok(None),
            token => Ok(token?.map(|token| token.name)),
        }
    }

    fn tokens(&self) -> Result<(Vec<Token>, Vec<TokenId>), ServiceError> {
        let all = self.0.tokens()?;
        Ok((all.rows, all.damaged.iter().filter_map(DamagedRecord::token_id).collect()))
    }

    fn deleted(&self) -> Result<Vec<(Token, Timestamp)>, ServiceError> {
        let trash = self.0.trash()?.rows;
        Ok(trash.into_iter().map(|deleted| (deleted.token, deleted.at)).collect())
    }

    fn newest_deletion(&self) -> Result<Option<Timestamp>, ServiceError> {
        Ok(self.0.newest_deletion()?)
    }

    fn deleted_until(
        &self,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<(Token, Timestamp)>, ServiceError> {
        let deleted = self.0.deleted_until(until, limit)?;
        Ok(deleted.into_iter().map(|deleted| (deleted.token, deleted.at)).collect())
    }

    fn newest_event_of(&self, id: &TokenId) -> Result<Option<AuditEvent>, ServiceError> {
        Ok(self.0.events_of(id, 1)?.rows.pop())
    }
}

impl Service {
    /// Plans `command` without executing it. Changes nothing and generates no secret. Fails if a
    /// rule refuses the command, or if its secret file cannot be created.
    pub fn preview(&self, command: &Command) -> Result<Plan, ServiceError> {
        if let Some(path) = command.secret_file() {
            SecretFile::require_free(path)?;
        }
        self.store.read(|tx| self.plan(tx, command, &NewSecretDigests::default()))
    }

    /// Executes `command` in one transaction, completely or not at all. Fails with
    /// [`ServiceError::ChangedMeanwhile`] if `confirmed` does not cover the plan. A secret file is
    /// flushed to disk before any previous secret stops working. The file is removed if nothing was
    /// changed.
    pub fn execute(
        &self,
        command: &Command,
        confirmed: &ConfirmationProof,
    ) -> Result<CommandResult, ServiceError> {
        self.run(command, confirmed, None)
    }

    /// Like [`Service::execute`], but passes each new secret to `print` before the commit, unless
    /// the command has a secret file. If `print` fails, nothing is changed.
    pub fn execute_printing(
        &self,
        command: &Command,
        confirmed: &ConfirmationProof,
        print: PrintSecret<'_>,
    ) -> Result<CommandResult, ServiceError> {
        self.run(command, confirmed, Some(print))
    }

    fn run(
        &self,
        command: &Command,
        confirmed: &ConfirmationProof,
        print: Option<PrintSecret<'_>>,
    ) -> Result<CommandResult, ServiceError> {
        match self.execute_ending(command, confirmed)? {
            Some(committed) => Ok(committed),
            None => self.issue(command, confirmed, print),
        }
    }

    /// Plans `command` on the snapshot `tx`.
    pub(super) fn plan(
        &self,
        tx: &impl ReadOps,
        command: &Command,
        digests: &NewSecretDigests,
    ) -> Result<Plan, ServiceError> {
        self.plan_not_before(tx, command, digests, None)
    }

    /// Like [`Service::plan`], but at `not_before` or later: the time that the operator has seen in
    /// an earlier plan of the same command.
    pub(super) fn plan_not_before(
        &self,
        tx: &impl ReadOps,
        command: &Command,
        digests: &NewSecretDigests,
        not_before: Option<Timestamp>,
    ) -> Result<Plan, ServiceError> {
        let context = self.plan_context(tx, digests)?;
        let at = match not_before {
            Some(at) => tx.newest_event()?.map_or(at, |newest| at.max(newest.body.at)),
            None => context.at,
        };
        plan::plan(command, &PlanReader(tx), &PlanContext { at, ..context })
    }

    /// Collects the inputs of a plan other than the tokens.
    fn plan_context<'a>(
        &'a self,
        tx: &impl ReadOps,
        digests: &'a NewSecretDigests,
    ) -> Result<PlanContext<'a>, StoreError> {
        Ok(PlanContext {
            at: self.clock.denial_time(tx)?,
            clock: self.clock.now(),
            actor: &self.actor,
            prefix: &self.policy.prefix,
            limits: &self.policy.limits,
            catalogue: &self.policy.catalogue,
            to_utc,
            deletion: None,
            digests,
        })
    }

    /// Writes the changes of `plan` and their events.
    pub(super) fn apply(&self, tx: &mut Writer<'_>, plan: &Plan) -> Result<(), StoreError> {
        for change in plan.housekeeping.iter().chain(&plan.changes) {
            self.apply_change(tx, plan.at, change)?;
        }
        Ok(())
    }

    fn apply_change(
        &self,
        tx: &mut Writer<'_>,
        at: Timestamp,
        change: &TokenChange,
    ) -> Result<(), StoreError> {
        let mut damaged = None;
        match (&change.before, &change.after) {
            (StoredToken::Damaged(id), _) | (_, StoredToken::Damaged(id)) => {
                damaged = Some((*id, tx.first_name_of(id)?));
                tx.remove_token(id)?;
            }
            (StoredToken::Live(before), StoredToken::Live(after)) => {
                if before != after {
                    tx.put_token(after)?;
                }
            }
            (_, StoredToken::Live(after)) => {
                Self::put_with_uses(tx, after)?;
                tx.remove_trash(&after.id)?;
            }
            (StoredToken::Live(before), StoredToken::Deleted(after, when)) => {
                tx.remove_token(&before.id)?;
                tx.put_trash(after, *when)?;
            }
            (_, StoredToken::Deleted(after, when)) => tx.put_trash(after, *when)?,
            (StoredToken::Live(before) | StoredToken::Deleted(before, _), StoredToken::Absent) => {
                tx.remove_trash(&before.id)?;
            }
            (StoredToken::Absent, StoredToken::Absent) => {}
        }
        if let Some((action, detail)) = &change.event {
            let mut event = self.new_event(at, *action, change.token(), detail.clone());
            if let Some((id, name)) = damaged {
                (event.token, event.name) = (Some(id), name);
            }
            tx.append_event(event)?;
            if *action == AuditAction::ClockAccepted {
                tx.accept_clock()?;
            }
        }
        Ok(())
    }

    /// Creates the event for `action` on `token`, or on the store if there is no token.
    pub(super) fn new_event(
        &self,
        at: Timestamp,
        action: AuditAction,
        token: Option<&Token>,
        detail: String,
    ) -> EventBody {
        EventBody {
            at,
            actor: self.actor.clone(),
            token: token.map(|token| token.id),
            name: token.map_or_else(String::new, |token| token.name.to_string()),
            action,
            detail,
        }
    }

    /// Inserts a token together with the last and counted uses of its secrets.
    pub(super) fn put_with_uses(tx: &mut Writer<'_>, token: &Token) -> Result<(), StoreError> {
        tx.put_token(token)?;
        tx.put_use_count(token)?;
        if let Some(used) = &token.last_used {
            tx.put_last_use(&token.id, used)?;
        }
        if let Some(PreviousSecret { digest, last_used: Some(used), .. }) = &token.previous {
            tx.put_previous_use(&token.id, *digest, used)?;
        }
        Ok(())
    }

    /// Purges tokens that were deleted more than 24 hours ago, and stores pending endings. Purges
    /// in batches, each in its own transaction, so that other writers need not wait for all of
    /// them.
    pub fn purge_trash(&self) -> Result<(), ServiceError> {
        let has_pending = self.store.pending_endings().is_ok_and(|pending| !pending.is_empty());
        let mut is_due =
            has_pending || !self.preview(&Command::PurgeTrash)?.housekeeping.is_empty();
        while is_due {
            let purged = self.execute(&Command::PurgeTrash, &ConfirmationProof::NOT_REQUIRED)?;
            is_due = purged.plan.housekeeping.len() >= PURGE_BATCH;
        }
        Ok(())
    }

    /// Returns the time for a new deletion, which is later than that of every earlier deletion in
    /// the trash.
    pub(super) fn deletion_time(&self, tx: &impl ReadOps) -> Result<Timestamp, StoreError> {
        Ok(plan::deletion_time(self.clock.denial_time(tx)?, tx.newest_deletion()?))
    }

    /// Deletes tokens whose names an import takes, in the transaction of the import. All calls of
    /// one import share `deletion`, the time of deletion, so that an undo restores the tokens
    /// together.
    pub(super) fn delete_displaced(
        &self,
        tx: &mut Writer<'_>,
        tokens: &[TokenId],
        deletion: Timestamp,
    ) -> Result<(), ServiceError> {
        let command = Command::Delete { tokens: TokensToDelete::Listed(tokens.to_vec()) };
        let digests = NewSecretDigests::default();
        let context = PlanContext { deletion: Some(deletion), ..self.plan_context(tx, &digests)? };
        let plan = plan::plan(&command, &PlanReader(tx), &context)?;
        plan.require_all()?;
        Ok(self.apply(tx, &plan)?)
    }
}

/// Fails if `confirmed` does not cover `plan`, or if the plan skips a token that its command names.
/// Revoking leaked tokens may skip tokens: their leaked secrets no longer work.
pub(super) fn require_confirmed(
    plan: &Plan,
    confirmed: &ConfirmationProof,
) -> Result<(), ServiceError> {
    let missing = plan.skipped.iter().find(|it| matches!(it.reason, Refusal::NotFound(_)));
    if let Some(missing) = missing {
        return Err(missing.reason.clone().into());
    }
    if !plan.is_covered_by(confirmed) {
        let expected = confirmed.count();
        return Err(ServiceError::ChangedMeanwhile { plan: Box::new(plan.clone()), expected });
    }
    if !matches!(plan.command, Command::RevokeLeaked { .. }) {
        plan.require_all()?;
    }
    Ok(())
}

/// Converts the operator's local time to UTC.
fn to_utc(wall: NaiveDateTime) -> Timestamp {
    Zone::Local.to_utc(wall)
}
