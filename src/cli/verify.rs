//! `verify`: the contract with scripts. Exit 0 is allowed, 1 is denied, everything else is no
//! answer and must be read as denied. A denial tells nothing about a record whose secret did
//! not match.

use std::fs::File;

use serde_json::json;

use super::{
    args::Verify,
    exit::{Exit, Failure},
    print::{Output, tell, time},
    prompt,
};
use crate::{
    domain::{Decision, Denial, Domain, Request, Scope},
    service::{Service, ServiceError, Verdict},
};

/// Decides, prints and answers by the exit code.
pub fn verify(service: &Service, args: &Verify, out: &Output) -> Result<Exit, Failure> {
    let request = request(args)?;
    let secret = match &args.secret_file {
        None => prompt::secret()?,
        Some(path) => {
            let file = File::open(path).map_err(|error| {
                Failure::usage(format!("{} could not be read ({error})", path.display()))
            })?;
            prompt::line(file)?
        }
    };
    let from = args.from.clone().or_else(|| service.actor().from.clone());
    let verdict = service.check(secret, request.as_ref(), from.as_deref())?;
    if let Some(fault) = &verdict.unrecorded {
        tell(&format!("the use was not recorded ({fault}); the decision stands"));
    }
    if out.json {
        as_json(service, &verdict, out)?;
    } else {
        as_text(service, &verdict, args.explain, out)?;
    }
    Ok(if verdict.is_allowed() { Exit::Done } else { Exit::No })
}

fn request(args: &Verify) -> Result<Option<Request>, Failure> {
    let Some(scope) = &args.scope else { return Ok(None) };
    let domain = args.domain.as_deref().map(Domain::parse).transpose();
    let domain = domain.map_err(ServiceError::from)?.or_else(|| scope.domain.clone());
    let Scope { entity_type, entity, operation, .. } = scope.clone();
    Ok(Some(Request { entity_type, entity, operation, domain }))
}

fn as_json(service: &Service, verdict: &Verdict, out: &Output) -> Result<(), Failure> {
    let (scope, reason) = match &verdict.decision {
        None => (None, None),
        Some(Decision::Allow(scope)) => (Some(scope.to_string()), None),
        Some(Decision::Deny(denial)) => (None, Some(denial)),
    };
    let missing = match reason {
        Some(Denial::NoScope(scope)) => Some(scope.to_string()),
        _ => None,
    };
    let token = match verdict.token {
        Some(id) => service.token(&id)?.map(|pat| {
            json!({
                "id": pat.id.as_str(),
                "name": pat.name.as_str(),
                "expires": pat.expires.map(time),
            })
        }),
        None => None,
    };
    out.object(json!({
        "allowed": verdict.is_allowed(),
        "token": token,
        "by_scope": scope,
        "reason": reason.map(code),
        "missing_scope": missing,
    }))?;
    Ok(())
}

/// The word for a denial that scripts can rely on.
fn code(denial: &Denial) -> &'static str {
    match denial {
        Denial::Malformed(_) => "malformed",
        Denial::Unknown => "unknown",
        Denial::Revoked(_) => "revoked",
        Denial::Expired(_) => "expired",
        Denial::NoScope(_) => "no-scope",
    }
}

fn as_text(
    service: &Service,
    verdict: &Verdict,
    explain: bool,
    out: &Output,
) -> Result<(), Failure> {
    let pat = match verdict.token {
        Some(id) => service.token(&id)?,
        None => None,
    };
    let name = pat.as_ref().map_or("", |pat| pat.name.as_str());
    match &verdict.decision {
        None => out.line(&format!("valid: {name}"))?,
        Some(Decision::Allow(scope)) if explain => {
            out.line(&format!("allowed: {name}, by {scope}"))?;
        }
        Some(Decision::Allow(_)) => out.line("allowed")?,
        Some(Decision::Deny(denial)) => {
            out.line(if explain { "denied:" } else { "denied" })
                .and_then(|()| if explain { out.line(&denial.to_string()) } else { Ok(()) })?;
            if let (true, Denial::NoScope(scope), Some(pat)) = (explain, denial, &pat) {
                out.line(&format!("to allow it: patdeck scope add {} {scope}", pat.id))?;
            }
        }
    }
    Ok(())
}
