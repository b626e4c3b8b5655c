//! Access decisions. A scope allows a request if three conditions hold. The types and the
//! operations are equal. The scope's entity is `*` or equals the requested entity. The scope has no
//! domain, or its domain equals the requested domain. Scopes have no hierarchy. The module has no
//! cache and no I/O. The service's checks and the search term `may:` call it, so that both apply
//! the same rule.

use std::str::FromStr;

use compact_str::{CompactString, ToCompactString as _};

use super::{
    Timestamp,
    limits::{MaxUses, uses_left_text},
    scope::{Domain, Entity, EntityType, Operation, Scope, ScopeError},
    secret_slot::SecretSlot,
    source_networks::SourceAddress,
    time_text::minute_text,
    token::{Status, Token},
};

/// An operation that the bearer of a secret requests.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AccessRequest {
    pub entity_type: EntityType,
    /// The entity that the bearer wants to access. `*` requests access to all entities of the type.
    pub entity: Entity,
    pub operation: Operation,
    /// The domain of the entity, if the caller knows it.
    pub domain: Option<Domain>,
}

impl From<Scope> for AccessRequest {
    /// Requests exactly what `scope` allows.
    fn from(scope: Scope) -> Self {
        let Scope { entity_type, entity, operation, domain } = scope;
        Self { entity_type, entity, operation, domain }
    }
}

impl FromStr for AccessRequest {
    type Err = ScopeError;

    /// Parses `TYPE:ENTITY:OPERATION` or `TYPE:ENTITY:OPERATION@DOMAIN`.
    fn from_str(text: &str) -> Result<Self, ScopeError> {
        text.parse::<Scope>().map(Self::from)
    }
}

impl AccessRequest {
    /// The narrowest scope that allows this request.
    pub fn as_scope(&self) -> Scope {
        Scope {
            entity_type: self.entity_type,
            entity: self.entity.clone(),
            operation: self.operation,
            domain: self.domain.clone(),
        }
    }
}

/// The result of an access check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Access is allowed by this scope of the token. The scope is `None` if the check contained no
    /// request and only confirmed that the token is active.
    Allow(Option<Scope>),
    Deny(Denial),
}

impl Decision {
    pub fn is_allowed(&self) -> bool {
        matches!(self, Self::Allow(_))
    }
}

/// Why access is denied. If the presented secret matches no token, callers learn only
/// [`Denial::Malformed`] or [`Denial::Unknown`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denial {
    /// The presented text is not a secret, or its checksum does not match.
    #[error("malformed: {0}")]
    Malformed(#[from] super::secret::SecretError),
    /// No token has this secret. Either the secret never existed or was replaced, or its token was
    /// deleted.
    #[error("unknown: no token has this secret, or it was replaced or deleted")]
    Unknown,
    /// The token was revoked at this time.
    #[error("revoked on {}", minute_text(*.0))]
    Revoked(Timestamp),
    /// The token expired at this time.
    #[error("expired on {}", minute_text(*.0))]
    Expired(Timestamp),
    /// The token is valid only from this time on.
    #[error("not yet valid: valid from {}", minute_text(*.0))]
    NotYetValid(Timestamp),
    /// The token does not accept the address of the bearer, or the caller gave none. Contains the
    /// address, or what is wrong with it.
    #[error("source not allowed: {0}")]
    SourceNotAllowed(CompactString),
    /// All uses that the token allows are taken.
    #[error("uses exhausted: {}", uses_left_text(0, *.0))]
    UsesExhausted(MaxUses),
    /// The record of the token is older than the revocation register: the store lost a change.
    #[error("stale record: the store is older than its revocation register")]
    StaleRecord,
    /// The token is active but none of its scopes allows the request. Contains the missing scope.
    #[error("missing scope {0}")]
    NoScope(Scope),
}

/// The circumstances of a check, apart from the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckContext<'a> {
    /// The time for denial, at which the status is evaluated.
    pub at: Timestamp,
    /// The time of the clock. A later time would make a token valid too early.
    pub clock: Timestamp,
    /// The address of the bearer.
    pub source: SourceAddress<'a>,
    /// The secret that was presented.
    pub slot: SecretSlot,
}

impl CheckContext<'_> {
    /// The check of the current secret at `at`, by a clock that is right, without an address.
    pub fn at(at: Timestamp) -> Self {
        Self { at, clock: at, source: SourceAddress::Missing, slot: SecretSlot::Current }
    }
}

/// Decides whether `token` may perform `request`; without a request, whether its secret is valid.
/// Checks the status, then the limits, then the scopes. The caller has already matched the secret.
/// Takes no use.
pub fn decide(
    token: &Token,
    request: Option<&AccessRequest>,
    context: &CheckContext<'_>,
) -> Decision {
    if let Err(denial) = check_status(token, context).and_then(|()| check_limits(token, context)) {
        return Decision::Deny(denial);
    }
    let Some(request) = request else { return Decision::Allow(None) };
    match token.scopes.iter().find(|scope| allows(scope, request)) {
        Some(scope) => Decision::Allow(Some(scope.clone())),
        None => Decision::Deny(Denial::NoScope(request.as_scope())),
    }
}

fn check_status(token: &Token, context: &CheckContext<'_>) -> Result<(), Denial> {
    let at = context.at;
    match token.status(at) {
        Status::Revoked => return Err(Denial::Revoked(token.revoked.unwrap_or(at))),
        Status::Expired => return Err(Denial::Expired(token.expires.unwrap_or(at))),
        Status::NotYetValid | Status::Active => {}
    }
    match token.limits.not_before {
        Some(start) if at.min(context.clock) < start => Err(Denial::NotYetValid(start)),
        _ => Ok(()),
    }
}

fn check_limits(token: &Token, context: &CheckContext<'_>) -> Result<(), Denial> {
    if let Some(sources) = &token.limits.sources {
        let is_allowed =
            matches!(context.source, SourceAddress::Address(it) if sources.contains(it));
        if !is_allowed {
            return Err(Denial::SourceNotAllowed(context.source.to_compact_string()));
        }
    }
    match token.limits.max_uses {
        Some(max) if max.left(token.uses_taken(context.slot)) == 0 => {
            Err(Denial::UsesExhausted(max))
        }
        _ => Ok(()),
    }
}

/// Whether `scope` alone allows `request`.
pub fn allows(scope: &Scope, request: &AccessRequest) -> bool {
    scope.entity_type == request.entity_type
        && scope.operation == request.operation
        && (scope.domain.is_none() || scope.domain == request.domain)
        && (scope.entity == Entity::Any || scope.entity == request.entity)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::token::tests::{at, sample_token};

    fn request(text: &str) -> AccessRequest {
        let scope: Scope = text.parse().unwrap();
        AccessRequest {
            entity_type: scope.entity_type,
            entity: scope.entity,
            operation: scope.operation,
            domain: scope.domain,
        }
    }

    fn token_with(scopes: &[&str]) -> Token {
        let mut token = sample_token();
        for scope in scopes {
            token.scopes.add(scope.parse().unwrap()).unwrap();
        }
        token
    }

    fn allowed_by(scopes: &[&str], requested: &str) -> Option<String> {
        match decide(&token_with(scopes), Some(&request(requested)), &CheckContext::at(at(1))) {
            Decision::Allow(scope) => scope.map(|scope| scope.to_string()),
            Decision::Deny(Denial::NoScope(missing)) => {
                assert_eq!(missing.to_string(), requested);
                None
            }
            Decision::Deny(other) => panic!("{other}"),
        }
    }

    #[test]
    fn match_is_exact_except_for_star_and_unset_domain() {
        let one = &["channels:c1:publish"][..];
        assert_eq!(allowed_by(one, "channels:c1:publish").as_deref(), Some("channels:c1:publish"));
        assert_eq!(
            allowed_by(one, "channels:c1:publish@d9").as_deref(),
            Some("channels:c1:publish")
        );
        for other in [
            "channels:c2:publish",
            "channels:c1:subscribe",
            "clients:c1:publish",
            "channels:*:publish",
        ] {
            assert_eq!(allowed_by(one, other), None, "{other}");
        }
        let star = &["channels:*:publish@d1"][..];
        assert!(allowed_by(star, "channels:anything:publish@d1").is_some());
        assert!(allowed_by(star, "channels:*:publish@d1").is_some());
        assert_eq!(allowed_by(star, "channels:c1:publish"), None);
        assert_eq!(allowed_by(star, "channels:c1:publish@d2"), None);
    }

    #[test]
    fn operations_do_not_imply_each_other() {
        assert_eq!(allowed_by(&["users:*:update"], "users:u1:read"), None);
    }

    #[test]
    fn expired_and_revoked_tokens_are_denied() {
        let request = request("channels:c1:publish");
        let token = token_with(&["channels:*:publish"]);
        let decide = |token: &Token, minute| {
            super::decide(token, Some(&request), &CheckContext::at(at(minute)))
        };
        assert!(decide(&token, 59).is_allowed());
        assert_eq!(decide(&token, 60), Decision::Deny(Denial::Expired(at(60))));
        let revoked = token.revoke(at(5)).unwrap();
        assert_eq!(decide(&revoked, 70), Decision::Deny(Denial::Revoked(at(5))));
    }

    #[test]
    fn each_limit_has_a_denial_after_the_status() {
        let mut token = token_with(&["channels:*:publish"]);
        token.limits.sources = "10.0.0.0/8".parse().ok();
        token.limits.not_before = Some(at(10));
        token.limits.max_uses = MaxUses::new(2);
        token.uses_taken = 2;
        let publish = request("channels:c1:publish");
        let denial = |token: &Token, minute, from| {
            let source = SourceAddress::parse(from);
            let context = CheckContext { source, ..CheckContext::at(at(minute)) };
            match decide(token, Some(&publish), &context) {
                Decision::Deny(denial) => denial.to_string(),
                Decision::Allow(_) => "allowed".to_owned(),
            }
        };
        let inside = Some("::ffff:10.1.2.3");
        assert!(denial(&token, 60, inside).starts_with("expired"));
        let early = "not yet valid: valid from 2026-11-24 12:10 UTC";
        assert_eq!(denial(&token, 9, None), early);
        assert_eq!(denial(&token, 10, None), "source not allowed: no address was given");
        assert_eq!(denial(&token, 10, Some("192.0.2.7")), "source not allowed: 192.0.2.7");
        assert_eq!(denial(&token, 10, Some("x")), "source not allowed: `x` is not an IP address");
        assert_eq!(denial(&token, 10, inside), "uses exhausted: 0 of 2 uses left");
        token.uses_taken = 1;
        assert_eq!(denial(&token, 10, inside), "allowed");
    }

    #[test]
    fn a_fast_time_for_denial_makes_no_token_valid_early() {
        let mut token = token_with(&[]);
        token.limits.not_before = Some(at(10));
        let context = CheckContext { clock: at(9), ..CheckContext::at(at(20)) };
        assert_eq!(decide(&token, None, &context), Decision::Deny(Denial::NotYetValid(at(10))));
    }

    proptest! {
        #[test]
        fn granting_the_missing_scope_allows_the_request(
            t in "[a-b]", e in "[x-z]", o in "[p-q]", d in prop::option::of("[d-e]"),
        ) {
            let domain = d.map(|d| format!("@{d}")).unwrap_or_default();
            let requested = format!("{t}:{e}:{o}{domain}");
            prop_assert_eq!(allowed_by(&[], &requested), None);
            prop_assert_eq!(allowed_by(&[&requested], &requested), Some(requested.clone()));
        }
    }
}
