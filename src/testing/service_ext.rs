//! Methods that make a change in one call, for tests in which the confirmation is not the subject.
//! Each method previews a command, confirms the plan and executes the command, like a front end.

use std::path::PathBuf;

use crate::{
    domain::{
        Command, ConfirmationProof, DeliveryMethod, Description, Digest, FieldChanges, Lifetime,
        Name, NewToken, Scope, ScopesToRemove, SecretOverlap, Token, TokenId, TokensToDelete,
        TokensToRestore,
    },
    service::{CommandResult, IssuedToken, Service, ServiceError},
};

/// The arguments of a regeneration.
#[derive(Debug, Clone, Copy)]
pub struct RegenerateOptions {
    pub lifetime: Lifetime,
    pub overlap: SecretOverlap,
}

/// The command that undoes a change; `None` if the change cannot be undone.
pub type Undo = Option<Command>;

/// A method for each kind of change. Each method returns the error of the preview or of the
/// execution.
pub trait ServiceTestExt {
    /// Previews `command`, confirms the plan and executes the command. Fails if the plan skips a
    /// token.
    fn execute_confirmed(&self, command: &Command) -> Result<CommandResult, ServiceError>;

    /// Executes `command`, which must change one token. Returns the changed token.
    fn change_one(&self, command: &Command) -> Result<(Token, Undo), ServiceError> {
        let plan = self.execute_confirmed(command)?.plan;
        let mut tokens = plan.tokens().cloned();
        match (tokens.next(), tokens.next()) {
            (Some(token), None) => Ok((token, plan.inverse())),
            _ => Err(ServiceError::NotFound { given: "the only token".to_owned(), similar: None }),
        }
    }

    /// Executes `command`, which must issue one secret. Returns the secret and its token.
    fn issue_one(&self, command: &Command) -> Result<IssuedToken, ServiceError> {
        let mut committed = self.execute_confirmed(command)?;
        let not_found =
            || ServiceError::NotFound { given: "the only secret".to_owned(), similar: None };
        committed.issued.pop().ok_or_else(not_found)
    }

    /// Creates a token. Returns it with its secret.
    fn create(&self, token: &NewToken) -> Result<IssuedToken, ServiceError> {
        self.issue_one(&Command::Create { token: token.clone(), secret_file: None })
    }

    /// Regenerates the secret of a token. Returns the token with the new secret.
    fn regenerate(
        &self,
        id: &TokenId,
        renewal: RegenerateOptions,
    ) -> Result<IssuedToken, ServiceError> {
        let RegenerateOptions { lifetime, overlap } = renewal;
        let tokens = vec![*id];
        self.issue_one(&Command::Regenerate {
            tokens,
            lifetime: Some(lifetime),
            overlap,
            secret_file: None,
        })
    }

    /// Regenerates the secrets of tokens and writes them to `file`. Returns the path of the file.
    fn regenerate_into(
        &self,
        ids: &[TokenId],
        renewal: RegenerateOptions,
        file: &str,
    ) -> Result<Option<PathBuf>, ServiceError> {
        let RegenerateOptions { lifetime, overlap } = renewal;
        let secret_file = Some(file.to_owned());
        let tokens = ids.to_vec();
        let command =
            Command::Regenerate { tokens, lifetime: Some(lifetime), overlap, secret_file };
        Ok(self.execute_confirmed(&command)?.secret_file)
    }

    /// Sets name and description.
    fn edit(
        &self,
        id: &TokenId,
        name: &Name,
        description: &Description,
    ) -> Result<(Token, Undo), ServiceError> {
        let (name, description) = (Some(name.clone()), Some(description.clone()));
        let changes = FieldChanges { name, description, ..FieldChanges::default() };
        self.change_one(&Command::Edit { token: *id, changes })
    }

    fn add_scopes(&self, id: &TokenId, scopes: &[Scope]) -> Result<(Token, Undo), ServiceError> {
        self.change_one(&Command::AddScopes { tokens: vec![*id], scopes: scopes.to_vec() })
    }

    fn remove_scope(&self, id: &TokenId, scope: &Scope) -> Result<(Token, Undo), ServiceError> {
        let scopes = ScopesToRemove::Listed(vec![scope.clone()]);
        self.change_one(&Command::RemoveScopes { tokens: vec![*id], scopes })
    }

    /// Removes all scopes of a token.
    fn clear_scopes(&self, id: &TokenId) -> Result<(Token, Undo), ServiceError> {
        let scopes = ScopesToRemove::All;
        self.change_one(&Command::RemoveScopes { tokens: vec![*id], scopes })
    }

    fn revoke(&self, id: &TokenId) -> Result<Token, ServiceError> {
        Ok(self.change_one(&Command::Revoke { tokens: vec![*id] })?.0)
    }

    fn end_overlap(&self, id: &TokenId) -> Result<Token, ServiceError> {
        Ok(self.change_one(&Command::EndOverlap { tokens: vec![*id] })?.0)
    }

    fn delete(&self, id: &TokenId) -> Result<(Token, Undo), ServiceError> {
        let tokens = TokensToDelete::Listed(vec![*id]);
        self.change_one(&Command::Delete { tokens })
    }

    /// Deletes all tokens. Returns their number.
    fn delete_all(&self) -> Result<usize, ServiceError> {
        let plan = self.execute_confirmed(&Command::Delete { tokens: TokensToDelete::All })?.plan;
        Ok(plan.change_count())
    }

    /// Restores the latest deletion of the acting operator.
    fn restore_last(&self) -> Result<Vec<Token>, ServiceError> {
        self.undo(&Some(Command::Restore(TokensToRestore::LastDeletion)))
    }

    /// Restores the deleted token with the name, id or id prefix `text`.
    fn restore(&self, text: &str) -> Result<Token, ServiceError>;

    /// Executes an undo command and returns the tokens that the command changes. Returns no tokens
    /// if `undo` is `None`.
    fn undo(&self, undo: &Undo) -> Result<Vec<Token>, ServiceError> {
        let Some(command) = undo else { return Ok(Vec::new()) };
        Ok(self.execute_confirmed(command)?.plan.tokens().cloned().collect())
    }

    fn record_delivery(
        &self,
        id: &TokenId,
        digest: &Digest,
        how: DeliveryMethod,
    ) -> Result<Token, ServiceError> {
        let command = Command::RecordDelivery { token: *id, digest: *digest, method: how };
        Ok(self.change_one(&command)?.0)
    }

    fn accept_clock(&self) -> Result<(), ServiceError> {
        self.execute_confirmed(&Command::AcceptClock).map(drop)
    }
}

impl ServiceTestExt for Service {
    fn execute_confirmed(&self, command: &Command) -> Result<CommandResult, ServiceError> {
        let plan = self.preview(command)?;
        plan.require_all()?;
        let confirmed = match plan.confirmation() {
            crate::domain::Confirmation::None => ConfirmationProof::NOT_REQUIRED,
            _ => plan.confirm(),
        };
        self.execute(command, &confirmed)
    }

    fn restore(&self, text: &str) -> Result<Token, ServiceError> {
        let id = self.resolve_deleted(text)?.id;
        Ok(self.change_one(&Command::Restore(TokensToRestore::Token(id)))?.0)
    }
}
