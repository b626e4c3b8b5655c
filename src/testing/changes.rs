//! Changes by one call each, confirmed without being asked, for tests that are about something
//! else. Each previews and executes a command as a front end does.

use std::path::PathBuf;

use crate::{
    domain::{
        Command, Confirmed, Delivery, Description, Digest, Lifetime, Name, NewToken, Overlap,
        RestoreTarget, Scope, ScopeSelection, Token, TokenId, TokenSelection,
    },
    service::{Committed, Issued, Service, ServiceError},
};

/// How a token is regenerated.
#[derive(Debug, Clone, Copy)]
pub struct Renewal {
    /// How long the new secret is valid.
    pub lifetime: Lifetime,
    /// How long the old one keeps working.
    pub overlap: Overlap,
}

/// What an undo takes back; `None` if the change cannot be undone.
pub type Undo = Option<Command>;

/// One method for each kind of change.
pub trait Changes {
    /// Previews `command`, requires that no token is left out, and executes it.
    fn confirm(&self, command: &Command) -> Result<Committed, ServiceError>;

    /// The only token that `command` changes, as it is afterwards.
    fn change_one(&self, command: &Command) -> Result<(Token, Undo), ServiceError> {
        let plan = self.confirm(command)?.plan;
        let mut tokens = plan.tokens().cloned();
        match (tokens.next(), tokens.next()) {
            (Some(token), None) => Ok((token, plan.inverse())),
            _ => Err(ServiceError::NotFound("the only token".to_owned())),
        }
    }

    /// The only token that `command` changes, with its new secret.
    fn issue_one(&self, command: &Command) -> Result<Issued, ServiceError> {
        let mut committed = self.confirm(command)?;
        let none = || ServiceError::NotFound("the only secret".to_owned());
        committed.issued.pop().ok_or_else(none)
    }

    /// Issues a token.
    fn create(&self, token: &NewToken) -> Result<Issued, ServiceError> {
        self.issue_one(&Command::Create { token: token.clone(), secret_file: None })
    }

    /// Gives a token a new secret.
    fn regenerate(&self, id: &TokenId, renewal: Renewal) -> Result<Issued, ServiceError> {
        let Renewal { lifetime, overlap } = renewal;
        let tokens = vec![*id];
        self.issue_one(&Command::Regenerate { tokens, lifetime, overlap, secret_file: None })
    }

    /// Gives tokens new secrets in a file.
    fn regenerate_into(
        &self,
        ids: &[TokenId],
        renewal: Renewal,
        file: &str,
    ) -> Result<Option<PathBuf>, ServiceError> {
        let Renewal { lifetime, overlap } = renewal;
        let secret_file = Some(file.to_owned());
        let tokens = ids.to_vec();
        let command = Command::Regenerate { tokens, lifetime, overlap, secret_file };
        Ok(self.confirm(&command)?.secret_file)
    }

    /// Changes name and description.
    fn edit(
        &self,
        id: &TokenId,
        name: &Name,
        description: &Description,
    ) -> Result<(Token, Undo), ServiceError> {
        let (name, description) = (Some(name.clone()), Some(description.clone()));
        self.change_one(&Command::Edit { token: *id, name, description })
    }

    /// Adds scopes to a token.
    fn add_scopes(&self, id: &TokenId, scopes: &[Scope]) -> Result<(Token, Undo), ServiceError> {
        self.change_one(&Command::AddScopes { tokens: vec![*id], scopes: scopes.to_vec() })
    }

    /// Removes a scope from a token.
    fn remove_scope(&self, id: &TokenId, scope: &Scope) -> Result<(Token, Undo), ServiceError> {
        let scopes = ScopeSelection::Listed(vec![scope.clone()]);
        self.change_one(&Command::RemoveScopes { tokens: vec![*id], scopes })
    }

    /// Removes every scope from a token.
    fn clear_scopes(&self, id: &TokenId) -> Result<(Token, Undo), ServiceError> {
        let scopes = ScopeSelection::All;
        self.change_one(&Command::RemoveScopes { tokens: vec![*id], scopes })
    }

    /// Ends a token.
    fn revoke(&self, id: &TokenId) -> Result<Token, ServiceError> {
        Ok(self.change_one(&Command::Revoke { tokens: vec![*id] })?.0)
    }

    /// Ends the previous secret of a token.
    fn end_overlap(&self, id: &TokenId) -> Result<Token, ServiceError> {
        Ok(self.change_one(&Command::EndOverlap { tokens: vec![*id] })?.0)
    }

    /// Deletes a token.
    fn delete(&self, id: &TokenId) -> Result<(Token, Undo), ServiceError> {
        let tokens = TokenSelection::Listed(vec![*id]);
        self.change_one(&Command::Delete { tokens })
    }

    /// Deletes every token; how many there were.
    fn delete_all(&self) -> Result<usize, ServiceError> {
        let plan = self.confirm(&Command::Delete { tokens: TokenSelection::All })?.plan;
        Ok(plan.changes.len())
    }

    /// Restores what the acting operator deleted last.
    fn restore_last(&self) -> Result<Vec<Token>, ServiceError> {
        self.undo(&Some(Command::Restore(RestoreTarget::LastDeletion)))
    }

    /// Restores the deleted token that `text` names.
    fn restore(&self, text: &str) -> Result<Token, ServiceError>;

    /// Undoes a change; the tokens that it concerned.
    fn undo(&self, undo: &Undo) -> Result<Vec<Token>, ServiceError> {
        let Some(command) = undo else { return Ok(Vec::new()) };
        Ok(self.confirm(command)?.plan.tokens().cloned().collect())
    }

    /// Records that a secret was delivered.
    fn record_delivery(
        &self,
        id: &TokenId,
        digest: &Digest,
        how: Delivery,
    ) -> Result<Token, ServiceError> {
        let command = Command::RecordDelivery { token: *id, digest: *digest, how };
        Ok(self.change_one(&command)?.0)
    }

    /// Accepts the machine's clock.
    fn accept_clock(&self) -> Result<(), ServiceError> {
        self.confirm(&Command::AcceptClock).map(drop)
    }
}

impl Changes for Service {
    fn confirm(&self, command: &Command) -> Result<Committed, ServiceError> {
        let plan = self.preview(command)?;
        plan.require_all()?;
        let confirmed = match plan.confirmation() {
            crate::domain::Confirmation::None => Confirmed::NOTHING,
            _ => plan.confirmed(),
        };
        self.execute(command, &confirmed)
    }

    fn restore(&self, text: &str) -> Result<Token, ServiceError> {
        let id = self.find_deleted(text)?.id;
        Ok(self.change_one(&Command::Restore(RestoreTarget::Token(id)))?.0)
    }
}
