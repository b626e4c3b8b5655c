//! The requests of the app to the service, and the responses, as data. [`execute_request`] is the
//! only place where the app calls the service; the worker runs it on its thread.

use std::path::absolute;

use crate::{
    domain::{
        AccessRequest, AuditEvent, Command, ConfirmationProof, Decision, DeniedAttempts,
        EntityType, NewToken, Overview, Plan, Refusal, Token, TokenId, UsageDays,
    },
    output::json,
    service::{AuditTrail, CommandResult, Service, ServiceError, VerifiedChain},
};

/// The maximum number of events that are read from the audit trail, newest first.
const MAX_TRAIL_EVENTS: usize = 10_000;
/// The maximum number of events in the history of a token: the newest events.
const MAX_HISTORY_EVENTS: usize = 100;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServiceRequest {
    Fetch(Vec<TokenId>),
    Preview(Command),
    Execute(Command, ConfirmationProof),
    /// Get the content for a new token that copies the token with this id.
    Template(TokenId),
    /// Decide an access request as if the secret of the token had been presented.
    /// The address is the one of the bearer, if it was entered.
    Check(TokenId, AccessRequest, Option<String>),
    History(TokenId),
    /// Get the entities of this type in the scopes of tokens, for suggestions.
    EntitiesInUse(EntityType),
    Json(TokenId),
    Trail,
    /// Count the figures of all tokens.
    Overview,
}

impl ServiceRequest {
    /// A request to execute a command that needs no confirmation.
    pub fn execute(command: Command) -> Self {
        Self::Execute(command, ConfirmationProof::NOT_REQUIRED)
    }

    /// Whether the request runs as a job or reads the whole store. The worker answers it on another
    /// thread, so that a revoke does not wait for it.
    pub fn can_take_minutes(&self, service: &Service) -> bool {
        match self {
            Self::Execute(command, proof) => service.runs_as_job(command, proof),
            Self::Overview => true,
            _ => false,
        }
    }
}

#[derive(Debug)]
pub enum Response {
    /// The fetched tokens. The second value of a pair is `None` if the token is deleted.
    Tokens(Vec<(TokenId, Option<Token>)>),
    Planned(Box<Plan>),
    Committed(Box<CommandResult>),
    /// The content for a new token that copies the token with this id.
    Template(TokenId, Box<NewToken>),
    /// The decision on a request from an address.
    Decided(TokenId, (AccessRequest, Option<String>), Decision),
    /// The newest events of a token, its numbers of uses on each day, and its last denied attempts.
    History(TokenId, Vec<AuditEvent>, UsageDays, DeniedAttempts),
    /// The entities of this type in the scopes of tokens, most used first.
    EntitiesInUse(EntityType, Vec<String>),
    Trail(AuditTrail),
    Overview(Box<Overview>),
    /// The name and the content of a text for the clipboard. The message shows the name.
    ClipboardText(&'static str, String),
    /// The request failed or was refused; nothing was changed.
    Failed(ServiceError),
}

pub fn execute_request(service: &Service, request: &ServiceRequest) -> Response {
    respond(service, request).unwrap_or_else(Response::Failed)
}

fn respond(service: &Service, request: &ServiceRequest) -> Result<Response, ServiceError> {
    Ok(match request {
        ServiceRequest::Fetch(ids) => Response::Tokens(service.get_many(ids)?),
        ServiceRequest::Preview(command) => Response::Planned(Box::new(service.preview(command)?)),
        ServiceRequest::Execute(command, confirmed) => {
            let mut committed = service.execute(command, confirmed)?;
            committed.secret_file =
                committed.secret_file.map(|file| absolute(&file).unwrap_or(file));
            Response::Committed(Box::new(committed))
        }
        ServiceRequest::Template(id) => {
            Response::Template(*id, Box::new(service.template_from(id)?))
        }
        ServiceRequest::Check(id, access, from) => {
            let decision = service.check_access(id, access, from.as_deref())?;
            Response::Decided(*id, (access.clone(), from.clone()), decision)
        }
        ServiceRequest::History(id) => {
            let events = service.history(id, MAX_HISTORY_EVENTS)?;
            let denied = service.denied_attempts(id)?;
            Response::History(*id, events, service.usage_days(id)?, denied)
        }
        ServiceRequest::EntitiesInUse(entity_type) => {
            Response::EntitiesInUse(*entity_type, service.entities_in_use(entity_type)?)
        }
        ServiceRequest::Json(id) => Response::ClipboardText("JSON", json(service, id)?),
        ServiceRequest::Overview => Response::Overview(Box::new(service.overview()?)),
        ServiceRequest::Trail => read_trail(service, &mut VerifiedChain::default()),
    })
}

/// Answers [`ServiceRequest::Trail`]. Verifies only the events after those of `verified`, which
/// then includes the new events. A long trail takes seconds, so the worker calls this function on a
/// separate thread.
pub fn read_trail(service: &Service, verified: &mut VerifiedChain) -> Response {
    let trail = service.audit_trail_after(MAX_TRAIL_EVENTS, verified);
    trail.map_or_else(Response::Failed, Response::Trail)
}

/// The JSON that `patdeck show --json` prints for the token.
fn json(service: &Service, id: &TokenId) -> Result<String, ServiceError> {
    let token = service.token(id)?.ok_or(Refusal::NotFound(*id))?;
    let days = service.usage_days(id)?;
    let denied = service.denied_attempts(id)?;
    let events = service.history(id, json::MAX_EVENTS)?;
    let details = json::token_details(&token, &days, &denied, &events, service.now()?);
    Ok(json::versioned_line(details))
}
