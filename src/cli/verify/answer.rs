//! The answer to one check, as text, as JSON and as an exit code. A denial reveals nothing about a
//! token unless its secret matched.

use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::super::exit::Exit;
use crate::{
    domain::{
        AccessRequest, Decision, Denial, Scope, ScopeCatalogue, SecretSlot, Timestamp, Token,
        time_text::minute_text,
    },
    output::json::format_time,
    service::{EndedSecret, ServiceError, Verifier},
};

/// Result of an access check, or of the identification of a secret.
pub(super) struct Answer {
    /// The scope that allows the access.
    by: Option<Scope>,
    denial: Option<Denial>,
    token: Option<Box<Token>>,
    /// The end of the overlap, if the old secret of an overlap was presented.
    old_until: Option<Timestamp>,
    /// What ended the secret, if no token has it any more.
    ended: Option<EndedSecret>,
    /// Whether the token has expired by the newest time in the store, but not by the clock.
    is_clock_behind: bool,
}

impl Answer {
    /// Checks whether `secret` allows `request`; without a request, only identifies the token.
    /// `from` is the address of the bearer, which is recorded with the last use.
    pub(super) fn check(
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
        let (ended, is_clock_behind) = (verdict.ended, verdict.is_clock_behind);
        let token = verdict.token;
        let old = token.as_ref().and_then(|token| token.previous.as_ref());
        let old_until = old.filter(|_| verdict.slot == Some(SecretSlot::Previous));
        let old_until = old_until.map(|old| old.until);
        Ok(Self { by, denial, token, old_until, ended, is_clock_behind })
    }

    pub(super) fn exit(&self) -> Exit {
        if self.denial.is_none() { Exit::Done } else { Exit::No }
    }

    /// Whether the access is allowed. `None` for a valid secret if no access was asked about, so that a
    /// caller that loses its scope does not take the answer for a permission.
    fn allowed(&self) -> Option<bool> {
        match (&self.denial, &self.by) {
            (Some(_), _) => Some(false),
            (None, Some(_)) => Some(true),
            (None, None) => None,
        }
    }

    pub(super) fn as_json(&self) -> Value {
        let missing = match &self.denial {
            Some(Denial::NoScope(scope)) => Some(scope.to_string()),
            _ => None,
        };
        json!({
            "allowed": self.allowed(),
            "valid": matches!(self.denial, None | Some(Denial::NoScope(_))),
            "token": self.token.as_ref().map(|token| json!({
                "id": token.id.as_str(),
                "name": token.name.as_str(),
                "expires": token.expires.map(format_time),
                "uses_left": token.uses_left().map(|(left, _)| left),
            })),
            "by_scope": self.by.as_ref().map(ToString::to_string),
            "reason": self.denial.as_ref().map(|denial| self.reason(denial)),
            "missing_scope": missing,
            "clock_behind": self.is_clock_behind,
            "retiring_until": self.old_until.map(format_time),
        })
    }

    /// The word for the reason of `denial`.
    fn reason(&self, denial: &Denial) -> &'static str {
        match self.ended {
            Some(EndedSecret::Replaced(_)) => "replaced",
            Some(EndedSecret::Deleted(_)) => "deleted",
            None => denial.reason().as_str(),
        }
    }

    /// Returns the answer in one line, with the reason if `explain` is set.
    pub(super) fn line(&self, explain: bool) -> String {
        let name = self.token.as_ref().map_or("", |token| token.name.as_str());
        let word = if self.denial.is_some() { "denied" } else { "allowed" };
        let line = match (&self.denial, &self.by) {
            (None, None) => format!("valid: {name}"),
            (None, Some(scope)) if explain => format!("{word}: by {scope} of {name}"),
            (Some(denial), _) if explain => format!("{word}: {}", self.explain(denial)),
            _ => return word.to_owned(),
        };
        match self.old_until.filter(|_| explain) {
            Some(until) => format!("{line} (old secret, until {})", minute_text(until)),
            None => line,
        }
    }

    /// Explains `denial`, with what ended the secret as far as the store still knows it.
    fn explain(&self, denial: &Denial) -> String {
        match self.ended {
            Some(EndedSecret::Replaced(at)) => {
                format!("replaced: a newer secret was issued on {}", minute_text(at))
            }
            Some(EndedSecret::Deleted(at)) => {
                format!("deleted: the token was deleted on {}", minute_text(at))
            }
            None if self.is_clock_behind => {
                format!(
                    "{denial}, but only because the clock is behind the newest time in the store"
                )
            }
            None => denial.to_string(),
        }
    }

    /// Why no token can have the scope that is missing: the catalogue does not offer it.
    pub(super) fn unknown_scope(&self, catalogue: &ScopeCatalogue) -> Option<String> {
        let Some(Denial::NoScope(scope)) = &self.denial else { return None };
        catalogue.check(scope).err().map(|error| error.to_string())
    }

    /// Returns a hint: the command that adds the missing scope, or why `catalogue` does not offer
    /// this scope, or the command that shows the clock if only the clock causes the denial. Returns
    /// `None` for all other answers.
    pub(super) fn remedy(&self, catalogue: &ScopeCatalogue) -> Option<String> {
        match (&self.denial, &self.token) {
            _ if self.is_clock_behind => {
                Some("hint: see both times with `patdeck clock`".to_owned())
            }
            (Some(Denial::NoScope(scope)), Some(token)) => {
                let add = || format!("allow it with `patdeck scope add {} {scope}`", token.id);
                Some(format!("hint: {}", self.unknown_scope(catalogue).unwrap_or_else(add)))
            }
            _ => None,
        }
    }
}
