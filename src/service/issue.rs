//! Issues secrets in this order: prepare the plan, deliver the secrets, commit. If a secret cannot
//! be delivered, nothing is changed. After a failed commit, the error states that the delivered
//! secrets do not work. Nothing waits for the receiver inside a transaction. Called by `execute`.

use std::{collections::HashMap, io, path::PathBuf};

use super::{
    CommandResult, IssuedToken, Service, ServiceError, execute::require_confirmed,
    secret_file::SecretFile,
};
use crate::{
    domain::{
        AuditAction, Command, ConfirmationProof, DeliveryMethod, Plan, Secret, Token, TokenChange,
        TokenId, plan::NewSecretDigests,
    },
    store::{StoreError, Writer},
};

/// Prints the new secret of a token. Must return only after the receiver has the text.
pub type PrintSecret<'a> = &'a mut dyn FnMut(&Token, &Secret) -> io::Result<()>;

/// Secrets that were delivered before the commit.
struct DeliveredSecrets {
    /// The plan for which they were delivered.
    plan: Plan,
    /// The file with the secrets; `None` if they were printed. Dropping this value removes the
    /// file.
    file: Option<SecretFile>,
}

impl Service {
    /// Executes a command that may issue secrets. A secret file is flushed to disk and `print` has
    /// returned before any previous secret stops working. Without a file and without `print`, the
    /// secrets are in the result, undelivered.
    pub(super) fn issue(
        &self,
        command: &Command,
        confirmed: &ConfirmationProof,
        print: Option<PrintSecret<'_>>,
    ) -> Result<CommandResult, ServiceError> {
        let mut secrets = self.generate_secrets(command)?;
        let digests = secrets.iter().map(|(id, secret)| (*id, secret.digest()));
        let delivery = match (command.secret_file(), &print) {
            (Some(_), _) => Some(DeliveryMethod::Written),
            (None, Some(_)) if command.issues_secrets() => Some(DeliveryMethod::Printed),
            (None, _) => None,
        };
        let digests = digests.collect::<NewSecretDigests>().delivered_by(delivery);
        self.require_intact_register(&secrets)?;
        let delivered = self.deliver(command, confirmed, &secrets, &digests, print)?;
        let executed = self.write(|tx| {
            let not_before = delivered.as_ref().map(|delivered| delivered.plan.at);
            let plan = self.plan_not_before(tx, command, &digests, not_before)?;
            require_confirmed(&plan, confirmed)?;
            if let Some(delivered) = &delivered {
                // Fail if the plan has changed since the delivery: the file or the printed text
                // already contains its names and secrets.
                require_confirmed(&plan, &delivered.plan.confirm())?;
            }
            self.apply(tx, &plan)?;
            if let Command::Restore(_) = &plan.command
                && let Some(at) = plan.changes.iter().find_map(TokenChange::deleted_at)
            {
                self.cancel_deletion(tx, at)?;
            }
            if digests.delivery() == Some(DeliveryMethod::Printed) {
                self.append_printed(tx, &plan)?;
            }
            Ok(plan)
        });
        let plan = match executed {
            Ok(plan) => plan,
            Err(cause) => return Err(self.failed_commit(cause, &secrets, delivered)),
        };
        let written = delivered.and_then(|it| it.file).map(SecretFile::keep);
        let unwritten = command.secret_file().filter(|_| !self.writes_secret_files);
        let secret_file = written.or(unwritten.map(PathBuf::from));
        let unprotected = match self.update_register(&plan) {
            // The change is saved, also if the store cannot be read any more.
            Err(ServiceError::Store(error)) => Some(error),
            result => result?,
        };
        let mut issued = Vec::new();
        if digests.delivery().is_none() {
            issued.extend(plan.tokens().filter_map(|token| {
                Some(IssuedToken { token: token.clone(), secret: secrets.remove(&token.id)? })
            }));
        }
        Ok(CommandResult { issued, secret_file, unprotected, ..CommandResult::of(plan) })
    }

    /// The path of the secret file that `command` writes; `None` in the demo, which writes no file.
    pub(super) fn secret_file_of<'a>(&self, command: &'a Command) -> Option<&'a str> {
        command.secret_file().filter(|_| self.writes_secret_files)
    }

    /// Appends the event of each printed secret. The event of a secret in a file mentions the file.
    fn append_printed(&self, tx: &mut Writer<'_>, plan: &Plan) -> Result<(), StoreError> {
        for token in plan.tokens() {
            let detail = DeliveryMethod::Printed.as_str().to_owned();
            tx.append_event(self.new_event(plan.at, AuditAction::Delivered, Some(token), detail))?;
        }
        Ok(())
    }

    /// Generates a secret for each token for which `command` issues one.
    fn generate_secrets(
        &self,
        command: &Command,
    ) -> Result<HashMap<TokenId, Secret>, ServiceError> {
        let new_id;
        let ids = match command {
            Command::Create { .. } => {
                new_id = TokenId::generate(|out| self.entropy.fill(out))?;
                std::slice::from_ref(&new_id)
            }
            Command::Regenerate { tokens, .. } => tokens,
            _ => &[],
        };
        let generate = |id: &TokenId| {
            let prefix = &self.policy.prefix;
            Ok((*id, Secret::generate(prefix, *id, |out| self.entropy.fill(out))?))
        };
        ids.iter().map(generate).collect()
    }

    /// Writes the secrets to the file that `command` names, or prints them. Returns `None` if they
    /// are delivered after the commit, or if there are none.
    fn deliver(
        &self,
        command: &Command,
        confirmed: &ConfirmationProof,
        secrets: &HashMap<TokenId, Secret>,
        digests: &NewSecretDigests,
        print: Option<PrintSecret<'_>>,
    ) -> Result<Option<DeliveredSecrets>, ServiceError> {
        if secrets.is_empty() || digests.delivery().is_none() {
            return Ok(None);
        }
        if self.is_read_only() {
            return Err(StoreError::ReadOnlyMode.into());
        }
        if let Some(path) = self.secret_file_of(command) {
            SecretFile::require_free(path)?;
        }
        let plan = self.store.read(|tx| self.plan(tx, command, digests))?;
        require_confirmed(&plan, confirmed)?;
        let issued = plan.tokens().filter_map(|it| Some((it, secrets.get(&it.id)?)));
        let mut issued = issued.collect::<Vec<_>>().into_iter();
        let file = match (self.secret_file_of(command).map(SecretFile::create).transpose()?, print)
        {
            (Some(mut file), _) => {
                match command.tokens() {
                    [] | [_] => issued.try_for_each(|(_, secret)| file.write_one(secret))?,
                    _ => file.write_many(issued.map(|(token, secret)| (&token.name, secret)))?,
                }
                Some(file)
            }
            (None, Some(print)) => {
                issued
                    .try_for_each(|(token, secret)| print(token, secret))
                    .map_err(ServiceError::NotPrinted)?;
                None
            }
            (None, None) => return Ok(None),
        };
        Ok(Some(DeliveredSecrets { plan, file }))
    }

    /// Returns the error for a commit that failed with `cause`. Removes the secret file if its
    /// secrets certainly do not work.
    fn failed_commit(
        &self,
        cause: ServiceError,
        secrets: &HashMap<TokenId, Secret>,
        delivered: Option<DeliveredSecrets>,
    ) -> ServiceError {
        let Some(DeliveredSecrets { file, .. }) = delivered else { return cause };
        let is_unknown = match &cause {
            ServiceError::Store(error) => {
                error.is_replaced_meanwhile() || !self.is_rolled_back(secrets)
            }
            _ => false,
        };
        let cause = Box::new(cause);
        match file {
            // The commit may have succeeded despite the error. In that case, only the receiver has
            // the working secrets.
            file if is_unknown => {
                ServiceError::ResultUnknown { cause, file: file.map(SecretFile::keep) }
            }
            Some(_) => *cause,
            None => ServiceError::PrintedSecretVoid(cause),
        }
    }

    /// Whether a failed commit certainly changed nothing. This is certain if a token does not exist
    /// or does not have its generated secret. One transaction writes all secrets, so checking one
    /// token is enough.
    fn is_rolled_back(&self, secrets: &HashMap<TokenId, Secret>) -> bool {
        secrets.iter().next().is_none_or(|(id, secret)| match self.token(id) {
            Ok(token) => token.is_none_or(|token| !token.digest.matches(&secret.digest())),
            Err(_) => false,
        })
    }
}
