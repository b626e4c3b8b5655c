//! Previews and executes commands: the only way to change tokens, but for an import. The plan is
//! the domain's; this adds snapshot, clock, secrets and the transaction. Refuses a command whose
//! plan is not the one that the operator confirmed.

use std::{collections::HashMap, path::PathBuf};

use chrono::NaiveDateTime;

use super::{Service, ServiceError, Zone, secret_file::SecretFile};
use crate::{
    domain::{
        AuditAction, AuditEvent, Change, Command, Confirmed, EventDraft, Name, Plan,
        PreviousSecret, Refusal, Secret, Timestamp, Token, TokenId, TokenSelection, TokenState,
        plan,
        plan::{NewDigests, PlanContext, ReadTokens},
    },
    store::{ReadOps, StoreError, Writer},
};

/// A token with its new secret, which exists nowhere else.
#[derive(Debug)]
pub struct Issued {
    pub token: Token,
    /// The secret, once.
    pub secret: Secret,
}

/// A command that was executed.
#[derive(Debug)]
pub struct Committed {
    /// What it did.
    pub plan: Plan,
    /// The secrets that it issued, in the order of the plan; none if a file took them.
    pub issued: Vec<Issued>,
    /// The file that took the secrets.
    pub secret_file: Option<PathBuf>,
}

/// Adapts a transaction to what a plan reads.
struct Snapshot<'a, R>(&'a R);

impl<R: ReadOps> ReadTokens for Snapshot<'_, R> {
    type Error = ServiceError;

    fn token(&self, id: &TokenId) -> Result<Option<Token>, ServiceError> {
        Ok(self.0.token(id)?)
    }

    fn id_of_name(&self, name: &Name) -> Result<Option<TokenId>, ServiceError> {
        Ok(self.0.id_of_name(name)?)
    }

    fn tokens(&self) -> Result<Vec<Token>, ServiceError> {
        Ok(self.0.tokens()?.rows)
    }

    fn deleted(&self) -> Result<Vec<(Token, Timestamp)>, ServiceError> {
        let trash = self.0.trash()?.rows;
        Ok(trash.into_iter().map(|deleted| (deleted.token, deleted.at)).collect())
    }

    fn last_event(&self, id: &TokenId) -> Result<Option<AuditEvent>, ServiceError> {
        Ok(self.0.events_of(id, 1)?.rows.pop())
    }

    fn newest_event_at(&self) -> Result<Option<Timestamp>, ServiceError> {
        Ok(self.0.newest_event_at()?)
    }
}

impl Service {
    /// What `command` would do now. Changes nothing, draws no secret.
    pub fn preview(&self, command: &Command) -> Result<Plan, ServiceError> {
        if let Some(path) = command.secret_file() {
            SecretFile::require_free(path)?;
        }
        self.store.read(|tx| self.plan(tx, command, &NewDigests::default()))
    }

    /// Executes `command` in one transaction: all of it or nothing. Refuses with the new plan in
    /// [`ServiceError::ChangedMeanwhile`] if `confirmed` does not cover it. A secret file is on
    /// the disk before the first old secret stops working, and removed if nothing was changed.
    pub fn execute(
        &self,
        command: &Command,
        confirmed: &Confirmed,
    ) -> Result<Committed, ServiceError> {
        let mut secrets = self.draw_secrets(command)?;
        let file = self.write_secret_file(command, &secrets)?;
        let digests = secrets.iter().map(|(id, secret)| (*id, secret.digest())).collect();
        let executed = self.store.write(|tx| {
            let plan = self.plan(tx, command, &digests)?;
            require_confirmed(&plan, confirmed)?;
            if let Some((_, seen)) = &file {
                require_confirmed(&plan, seen)?;
            }
            self.apply(tx, &plan)?;
            Ok(plan)
        });
        let plan = match (executed, file) {
            (Ok(plan), Some((file, _))) => {
                let secret_file = Some(file.keep());
                return Ok(Committed { plan, issued: Vec::new(), secret_file });
            }
            (Ok(plan), None) => plan,
            // The commit may have succeeded: then the file has the only secrets that work.
            (Err(why @ ServiceError::Store(_)), Some((file, _)))
                if !self.is_unchanged(&secrets) =>
            {
                return Err(ServiceError::Unsure { why: Box::new(why), file: file.keep() });
            }
            (Err(error), _) => return Err(error),
        };
        let issue = |token: &Token| {
            let secret = secrets.remove(&token.id)?;
            Some(Issued { token: token.clone(), secret })
        };
        let issued = plan.tokens().filter_map(issue).collect();
        Ok(Committed { plan, issued, secret_file: None })
    }

    /// Plans `command` on the snapshot `tx`.
    fn plan(
        &self,
        tx: &impl ReadOps,
        command: &Command,
        digests: &NewDigests,
    ) -> Result<Plan, ServiceError> {
        plan::plan(command, &Snapshot(tx), &self.context(tx, digests)?)
    }

    /// What a plan depends on beside the tokens.
    fn context<'a>(
        &'a self,
        tx: &impl ReadOps,
        digests: &'a NewDigests,
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

    /// A new secret for each token that `command` issues one for.
    fn draw_secrets(&self, command: &Command) -> Result<HashMap<TokenId, Secret>, ServiceError> {
        let new_id;
        let ids = match command {
            Command::Create { .. } => {
                new_id = TokenId::draw(|out| self.entropy.fill(out))?;
                std::slice::from_ref(&new_id)
            }
            Command::Regenerate { tokens, .. } => tokens,
            _ => &[],
        };
        let draw = |id: &TokenId| {
            let prefix = &self.policy.prefix;
            Ok((*id, Secret::generate(prefix, *id, |out| self.entropy.fill(out))?))
        };
        ids.iter().map(draw).collect()
    }

    /// Writes the secrets to the file that `command` names, and returns it with the plan that it
    /// was written for: its names are in the file.
    fn write_secret_file(
        &self,
        command: &Command,
        secrets: &HashMap<TokenId, Secret>,
    ) -> Result<Option<(SecretFile, Confirmed)>, ServiceError> {
        let Some(path) = command.secret_file() else {
            return Ok(None);
        };
        let plan = self.preview(command)?;
        plan.require_all()?;
        let mut file = SecretFile::create(path)?;
        match (command.tokens(), secrets.values().next()) {
            ([] | [_], Some(secret)) => file.write_one(secret)?,
            _ => file.write_many(
                plan.tokens().filter_map(|it| Some((&it.name, secrets.get(&it.id)?))),
            )?,
        }
        Ok(Some((file, plan.confirmed())))
    }

    /// Writes `plan` and its events.
    fn apply(&self, tx: &mut Writer<'_>, plan: &Plan) -> Result<(), StoreError> {
        for change in plan.housekeeping.iter().chain(&plan.changes) {
            self.apply_change(tx, plan.at, change)?;
        }
        Ok(())
    }

    fn apply_change(
        &self,
        tx: &mut Writer<'_>,
        at: Timestamp,
        change: &Change,
    ) -> Result<(), StoreError> {
        match (&change.before, &change.after) {
            (TokenState::Live(before), TokenState::Live(after)) => {
                if before != after {
                    tx.put_token(after)?;
                }
            }
            (_, TokenState::Live(after)) => {
                Self::put_with_uses(tx, after)?;
                tx.remove_trash(&after.id)?;
            }
            (TokenState::Live(before), TokenState::Deleted(after, when)) => {
                tx.remove_token(&before.id)?;
                tx.put_trash(after, *when)?;
            }
            (_, TokenState::Deleted(after, when)) => tx.put_trash(after, *when)?,
            (TokenState::Live(before) | TokenState::Deleted(before, _), TokenState::Absent) => {
                tx.remove_trash(&before.id)?;
            }
            (TokenState::Absent, TokenState::Absent) => {}
        }
        if let Some((action, detail)) = &change.event {
            tx.append_event(self.event(at, *action, change.token(), detail.clone()))?;
        }
        Ok(())
    }

    /// The event of `action` on `token`, or on the store.
    pub(super) fn event(
        &self,
        at: Timestamp,
        action: AuditAction,
        token: Option<&Token>,
        detail: String,
    ) -> EventDraft {
        EventDraft {
            at,
            actor: self.actor.clone(),
            token: token.map(|token| token.id),
            name: token.map_or_else(String::new, |token| token.name.to_string()),
            action,
            detail,
        }
    }

    /// Writes a token that is not stored, with its last uses.
    pub(super) fn put_with_uses(tx: &mut Writer<'_>, token: &Token) -> Result<(), StoreError> {
        tx.put_token(token)?;
        if let Some(used) = &token.last_used {
            tx.put_use(&token.id, used)?;
        }
        if let Some(PreviousSecret { digest, last_used: Some(used), .. }) = &token.previous {
            tx.put_retiring_use(&token.id, *digest, used)?;
        }
        Ok(())
    }

    /// Whether certainly none of these secrets works: the token has another one, or is not there.
    fn is_unchanged(&self, secrets: &HashMap<TokenId, Secret>) -> bool {
        secrets.iter().next().is_none_or(|(id, secret)| match self.token(id) {
            Ok(token) => token.is_none_or(|token| !token.digest.matches(&secret.digest())),
            Err(_) => false,
        })
    }

    /// Purges deleted tokens whose 24 hours are over. Called when the app starts.
    pub fn purge(&self) -> Result<(), ServiceError> {
        if !self.preview(&Command::PurgeTrash)?.housekeeping.is_empty() {
            self.execute(&Command::PurgeTrash, &Confirmed::NOTHING)?;
        }
        Ok(())
    }

    /// Deletes tokens within the transaction of an import. All calls of one import share
    /// `deletion`, so that undoing it restores them together.
    pub(super) fn displace(
        &self,
        tx: &mut Writer<'_>,
        tokens: &[TokenId],
        deletion: &mut Option<Timestamp>,
    ) -> Result<(), ServiceError> {
        let command = Command::Delete { tokens: TokenSelection::Listed(tokens.to_vec()) };
        let digests = NewDigests::default();
        let context = PlanContext { deletion: *deletion, ..self.context(tx, &digests)? };
        let plan = plan::plan(&command, &Snapshot(tx), &context)?;
        plan.require_all()?;
        if let Some(Change { after: TokenState::Deleted(_, at), .. }) = plan.changes.first() {
            *deletion = Some(*at);
        }
        Ok(self.apply(tx, &plan)?)
    }
}

/// Refuses a plan that leaves out a token which its command names, and one that was not
/// confirmed. Tokens whose leaked secret no longer works are no reason: nothing is left to do.
fn require_confirmed(plan: &Plan, confirmed: &Confirmed) -> Result<(), ServiceError> {
    let gone = plan.left_out.iter().find(|it| matches!(it.reason, Refusal::Gone(_)));
    if let Some(gone) = gone {
        return Err(gone.reason.clone().into());
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

/// The instant at which the operator's clock shows `wall`.
fn to_utc(wall: NaiveDateTime) -> Timestamp {
    Zone::Local.instant(wall)
}
