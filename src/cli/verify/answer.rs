//! What came out of one check, in words, as JSON and as an exit code. A denial tells nothing about
//! a token whose secret did not match.

use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::super::exit::Exit;
use crate::{
    domain::{AccessRequest, Decision, Denial, Scope, Token},
    output::json::time,
    service::{ServiceError, Verifier},
};

/// What came out, whether a request was decided or a secret identified.
pub(super) struct Answer {
    by: Option<Scope>,
    denial: Option<Denial>,
    token: Option<Token>,
}

impl Answer {
    /// Checks whether the bearer of `secret` may do what `request` asks; without a request, whose
    /// secret it is.
    pub(super) fn of(
        verifier: &mut Verifier,
        secret: Zeroizing<String>,
        request: Option<&AccessRequest>,
        from: Option<&str>,
    ) -> Result<Self, ServiceError> {
        let verdict = verifier.check(secret, request, from)?;
        let (by, denial) = match verdict.decision {
            Decision::Allow(scope) => (scope, None),
            Decision::Deny(denial) => (None, Some(denial)),
        };
        Ok(Self { by, denial, token: verdict.token })
    }

    pub(super) fn exit(&self) -> Exit {
        if self.denial.is_none() { Exit::Done } else { Exit::No }
    }

    pub(super) fn as_json(&self) -> Value {
        let missing = match &self.denial {
            Some(Denial::NoScope(scope)) => Some(scope.to_string()),
            _ => None,
        };
        json!({
            "allowed": self.denial.is_none(),
            "token": self.token.as_ref().map(|token| json!({
                "id": token.id.as_str(),
                "name": token.name.as_str(),
                "expires": token.expires.map(time),
            })),
            "by_scope": self.by.as_ref().map(ToString::to_string),
            "reason": self.denial.as_ref().map(code),
            "missing_scope": missing,
        })
    }

    /// In one line; with `explain`, why.
    pub(super) fn line(&self, explain: bool) -> String {
        let name = self.token.as_ref().map_or("", |token| token.name.as_str());
        let word = if self.denial.is_some() { "denied" } else { "allowed" };
        match (&self.denial, &self.by) {
            (None, None) => format!("valid: {name}"),
            (None, Some(scope)) if explain => format!("{word}: by {scope} of {name}"),
            (Some(denial), _) if explain => format!("{word}: {denial}"),
            _ => word.to_owned(),
        }
    }

    /// The command that would allow it, if a scope would.
    pub(super) fn advice(&self) -> Option<String> {
        match (&self.denial, &self.token) {
            (Some(Denial::NoScope(scope)), Some(token)) => {
                Some(format!("to allow it: patdeck scope add {} {scope}", token.id))
            }
            _ => None,
        }
    }
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
