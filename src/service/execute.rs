//! Previews and executes commands. All changes of tokens go through this module, except an import.
//! `domain::plan` makes the plan; this module adds the transaction, the clock and the secrets.
//! Refuses a command whose plan differs from the one that the operator confirmed.

use std::path::PathBuf;

use chrono::NaiveDateTime;

use super::{
    Service, ServiceError, Zone, issue::PrintSecret, plan_reader::PlanReader,
    secret_file::SecretFile,
};
use crate::{
    domain::{
        Actor, AuditAction, Command, ConfirmationProof, EventBody, Plan, Refusal, Secret,
        StoredToken, Timestamp, Token, TokenChange, TokenId, TokensToDelete, plan,
        plan::{NewSecretDigests, PURGE_BATCH, PlanContext},
    },
    store::{ReadOps, StoreError, Writer},
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
    /// The error that prevented the update of the revocation register; otherwise `None`. The change
    /// is stored, but an older copy of the store would undo it.
    pub unprotected: Option<StoreError>,
}

impl CommandResult {
    /// An executed plan without secrets.
    pub(super) fn of(plan: Plan) -> Self {
        Self { plan, issued: Vec::new(), secret_file: None, deferred: None, unprotected: None }
    }
}

impl Service {
    /// Plans `command` without executing it. Changes nothing and generates no secret. Fails if a
    /// rule refuses the command, or if its secret file cannot be created.
    pub fn preview(&self, command: &Command) -> Result<Plan, ServiceError> {
        if let Some(path) = self.secret_file_of(command) {
            SecretFile::require_free(path)?;
        }
        self.store.read(|tx| self.plan(tx, command, &NewSecretDigests::default()))
    }

    /// Executes `command` in one transaction, completely or not at all. If its plan is a job,
    /// executes it in batches, see `jobs`. Fails with [`ServiceError::ChangedMeanwhile`] if
    /// `confirmed` does not cover the plan. A secret file is flushed to disk before any previous
    /// secret stops working. The file is removed if nothing was changed.
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
        if let Some(executed) = self.execute_as_job(command, confirmed)? {
            return Ok(executed);
        }
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
        let mut plan = plan::plan(command, &PlanReader(tx), &PlanContext { at, ..context })?;
        if matches!(command, Command::Regenerate { .. }) {
            self.raise_new_generations(&mut plan)?;
        }
        self.explain_ended_tokens(&mut plan)?;
        Ok(plan)
    }

    /// Collects the inputs of a plan other than the tokens.
    fn plan_context<'a>(
        &'a self,
        tx: &impl ReadOps,
        digests: &'a NewSecretDigests,
    ) -> Result<PlanContext<'a>, StoreError> {
        Ok(PlanContext {
            at: self.clock.change_time(tx)?,
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

    /// Writes the changes of `plan` and their events, which name this process's actor. Fails with
    /// [`Refusal::StaleRecord`] if `plan` would give back what was taken from a token.
    pub(super) fn apply(&self, tx: &mut Writer<'_>, plan: &Plan) -> Result<(), ServiceError> {
        self.apply_for(tx, plan, &self.actor)
    }

    /// Writes the changes of `plan` and their events, which name `actor`.
    pub(super) fn apply_for(
        &self,
        tx: &mut Writer<'_>,
        plan: &Plan,
        actor: &Actor,
    ) -> Result<(), ServiceError> {
        self.require_current_records(plan)?;
        let mut events = Vec::with_capacity(plan.changes.len());
        for change in plan.housekeeping.iter().chain(&plan.changes) {
            let damaged = Self::apply_change(tx, change)?;
            for (action, detail) in &change.events {
                let mut event = self.new_event(plan.at, *action, change.token(), detail.clone());
                event.actor = actor.clone();
                if let Some((id, name)) = &damaged {
                    (event.token, event.name) = (Some(*id), name.clone());
                }
                events.push(event);
                if *action == AuditAction::ClockAccepted {
                    tx.accept_clock()?;
                }
            }
        }
        Ok(tx.append_events(&events)?)
    }

    /// Writes one change. Returns the id and a name of a damaged record that it removes.
    fn apply_change(
        tx: &mut Writer<'_>,
        change: &TokenChange,
    ) -> Result<Option<(TokenId, String)>, StoreError> {
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
            (StoredToken::Live(_), StoredToken::Deleted(after, when)) => {
                tx.delete_token(after, *when)?;
            }
            (_, StoredToken::Deleted(after, when)) => tx.put_trash(after, *when)?,
            (StoredToken::Live(before) | StoredToken::Deleted(before, _), StoredToken::Absent) => {
                tx.purge(&before.id)?;
            }
            (StoredToken::Absent, StoredToken::Absent) => {}
        }
        Ok(damaged)
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
        tx.put_usage(token)
    }

    /// Purges tokens that were deleted more than 24 hours ago in batches, each in its own
    /// transaction, so that other writers need not wait for all of them. Each write also stores the
    /// pending endings.
    pub fn purge_trash(&self) -> Result<(), ServiceError> {
        let pending = self.store.read(|rows| Ok::<_, StoreError>(rows.pending_count()));
        let mut is_due = pending.is_ok_and(|count| count > 0)
            || !self.preview(&Command::PurgeTrash)?.housekeeping.is_empty();
        while is_due {
            let purged = self.execute(&Command::PurgeTrash, &ConfirmationProof::NOT_REQUIRED)?;
            is_due = purged.plan.housekeeping.len() >= PURGE_BATCH;
        }
        Ok(())
    }

    /// Returns the time for a new deletion, which is later than that of every earlier deletion in
    /// the trash.
    pub(super) fn deletion_time(&self, tx: &impl ReadOps) -> Result<Timestamp, StoreError> {
        Ok(plan::deletion_time(self.clock.change_time(tx)?, tx.newest_deletion()?))
    }

    /// Deletes tokens whose names an import takes, in the transaction of the import. All calls of
    /// one import share `deletion`, the time of deletion, so that an undo restores the tokens
    /// together. Purges nothing: an import continues the counters of tokens in the trash.
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
        self.apply(tx, &Plan { housekeeping: Vec::new(), ..plan })
    }

    /// Purges old deleted tokens in the transaction of an import.
    pub(super) fn purge_in(&self, tx: &mut Writer<'_>) -> Result<(), ServiceError> {
        let plan = self.plan(tx, &Command::PurgeTrash, &NewSecretDigests::default())?;
        self.apply(tx, &plan)
    }
}

/// Fails if `confirmed` does not cover `plan`, if `plan` is a job, or if the plan skips a token
/// that its command names. Revoking leaked tokens may skip tokens: their leaked secrets no longer
/// work.
pub(super) fn require_confirmed(
    plan: &Plan,
    confirmed: &ConfirmationProof,
) -> Result<(), ServiceError> {
    let missing = plan.skipped.iter().find(|it| matches!(it.reason, Refusal::NotFound(_)));
    if let Some(missing) = missing {
        return Err(missing.reason.clone().into());
    }
    // The plan of a job has only the first tokens, so it is never applied in one transaction.
    if !plan.is_covered_by(confirmed) || plan.job.is_some() {
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
