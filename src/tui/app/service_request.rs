//! What the app asks of the service, and what comes back, as data. [`perform`] is the only place
//! where the app calls the service; the worker calls it on its thread.

use std::path::absolute;

use crate::{
    domain::{
        AccessRequest, AuditEvent, Command, Confirmed, Decision, NewToken, Plan, Refusal, Token,
        TokenId,
    },
    output::json,
    service::{Committed, Service, ServiceError, Trail},
};

/// Newest events that the trail and a token's history show.
const TRAIL_ROWS: usize = 10_000;
const HISTORY_ROWS: usize = 100;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServiceRequest {
    Fetch(Vec<TokenId>),
    Preview(Command),
    Execute(Command, Confirmed),
    /// Describe a new token like this one.
    Template(TokenId),
    /// Decide a request as if the token's secret had been presented.
    Check(TokenId, AccessRequest),
    History(TokenId),
    Json(TokenId),
    Trail,
}

impl ServiceRequest {
    /// Executes `command`, which needs no confirmation.
    pub fn execute(command: Command) -> Self {
        Self::Execute(command, Confirmed::NOTHING)
    }
}

#[derive(Debug)]
pub enum Response {
    /// Tokens as they are; `None` for one that is gone.
    Tokens(Vec<(TokenId, Option<Token>)>),
    Planned(Box<Plan>),
    Committed(Box<Committed>),
    /// The content of a new token like this one.
    Template(TokenId, Box<NewToken>),
    Decided(TokenId, AccessRequest, Decision),
    History(TokenId, Vec<AuditEvent>),
    Trail(Trail),
    /// A text for the clipboard, with its name.
    Text(&'static str, String),
    /// It was refused or failed; nothing was changed.
    Failed(ServiceError),
}

pub fn perform(service: &Service, request: &ServiceRequest) -> Response {
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
        ServiceRequest::Check(id, access) => {
            Response::Decided(*id, access.clone(), service.test(id, access)?)
        }
        ServiceRequest::History(id) => Response::History(*id, service.history(id, HISTORY_ROWS)?),
        ServiceRequest::Json(id) => Response::Text("JSON", json(service, id)?),
        ServiceRequest::Trail => Response::Trail(service.trail(TRAIL_ROWS)?),
    })
}

/// What `patdeck show --json` prints of the token.
fn json(service: &Service, id: &TokenId) -> Result<String, ServiceError> {
    let token = service.token(id)?.ok_or(Refusal::Gone(*id))?;
    let events = service.history(id, json::EVENTS)?;
    Ok(json::object(json::token_with_events(&token, &events, service.now()?)))
}
