//! The answer to "may this token do this?": exact match of type and operation, an entity that
//! is the same or `*`, a domain that is the same or unset. No hierarchy, no cache, no I/O.
//! Called by the service's checks, and by the search for who may do something; there is one rule
//! for all faces.

use std::str::FromStr;

use super::{
    Timestamp,
    scope::{Domain, Entity, EntityType, Operation, Scope, ScopeError},
    token::{Status, Token},
};

/// What a bearer wants to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessRequest {
    /// The type of the entity.
    pub entity_type: EntityType,
    /// The entity; `*` asks for all of them at once.
    pub entity: Entity,
    /// The operation on it.
    pub operation: Operation,
    /// The domain of the entity, if the caller knows it.
    pub domain: Option<Domain>,
}

impl From<Scope> for AccessRequest {
    /// Asks for exactly what `scope` permits.
    fn from(scope: Scope) -> Self {
        let Scope { entity_type, entity, operation, domain } = scope;
        Self { entity_type, entity, operation, domain }
    }
}

impl FromStr for AccessRequest {
    type Err = ScopeError;

    /// Reads `TYPE:ENTITY:OPERATION`, with `@DOMAIN` at the end if one is known.
    fn from_str(text: &str) -> Result<Self, ScopeError> {
        text.parse::<Scope>().map(Self::from)
    }
}

impl AccessRequest {
    /// The narrowest scope that would allow this.
    pub fn as_scope(&self) -> Scope {
        Scope {
            entity_type: self.entity_type,
            entity: self.entity.clone(),
            operation: self.operation,
            domain: self.domain.clone(),
        }
    }
}

/// The answer of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Allowed by this scope of the token; without a request, the token is active and no scope
    /// was needed.
    Allow(Option<Scope>),
    /// Denied for this reason.
    Deny(Denial),
}

impl Decision {
    /// Whether the bearer may.
    pub fn is_allowed(&self) -> bool {
        matches!(self, Self::Allow(_))
    }
}

/// Why not. Only a bearer whose secret matched is told more than [`Denial::Malformed`] or
/// [`Denial::Unknown`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denial {
    /// The text is no secret, or has a typo.
    #[error("malformed: {0}")]
    Malformed(#[from] super::secret::SecretError),
    /// No token has this secret: it never existed, was replaced, or was deleted.
    #[error("unknown: no token has this secret")]
    Unknown,
    /// The token was revoked.
    #[error("revoked since {}", .0.format("%Y-%m-%d %H:%M UTC"))]
    Revoked(Timestamp),
    /// Its time is over.
    #[error("expired since {}", .0.format("%Y-%m-%d %H:%M UTC"))]
    Expired(Timestamp),
    /// It is valid, but may not do this; the scope that is missing.
    #[error("no scope allows it: {0} is missing")]
    NoScope(Scope),
}

/// Whether `pat`, whose secret has matched, may do what `request` asks at `at`.
pub fn decide(token: &Token, request: &AccessRequest, at: Timestamp) -> Decision {
    if let Err(denial) = check_active(token, at) {
        return Decision::Deny(denial);
    }
    match token.scopes.iter().find(|scope| allows(scope, request)) {
        Some(scope) => Decision::Allow(Some(scope.clone())),
        None => Decision::Deny(Denial::NoScope(request.as_scope())),
    }
}

/// Whether `pat` is active at `at`, whatever it may do.
pub fn check_active(token: &Token, at: Timestamp) -> Result<(), Denial> {
    match token.status(at) {
        Status::Active => Ok(()),
        Status::Revoked => Err(Denial::Revoked(token.revoked.unwrap_or(at))),
        Status::Expired => Err(Denial::Expired(token.expires.unwrap_or(at))),
    }
}

/// Whether `scope` by itself allows what `request` asks.
pub(super) fn allows(scope: &Scope, request: &AccessRequest) -> bool {
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

    fn with(scopes: &[&str]) -> Token {
        let mut token = sample_token();
        for scope in scopes {
            token.scopes.add(scope.parse().unwrap()).unwrap();
        }
        token
    }

    fn allowed_by(scopes: &[&str], asked: &str) -> Option<String> {
        match decide(&with(scopes), &request(asked), at(1)) {
            Decision::Allow(scope) => scope.map(|scope| scope.to_string()),
            Decision::Deny(Denial::NoScope(missing)) => {
                assert_eq!(missing.to_string(), asked);
                None
            }
            Decision::Deny(other) => panic!("{other}"),
        }
    }

    #[test]
    fn the_match_is_exact_but_for_star_and_unset_domain() {
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
    fn no_operation_implies_another() {
        assert_eq!(allowed_by(&["users:*:update"], "users:u1:read"), None);
    }

    #[test]
    fn a_dead_token_is_denied_whatever_its_scopes() {
        let asked = request("channels:c1:publish");
        let token = with(&["channels:*:publish"]);
        assert!(decide(&token, &asked, at(59)).is_allowed());
        assert_eq!(decide(&token, &asked, at(60)), Decision::Deny(Denial::Expired(at(60))));
        let revoked = token.revoke(at(5)).unwrap();
        assert_eq!(decide(&revoked, &asked, at(70)), Decision::Deny(Denial::Revoked(at(5))));
    }

    proptest! {
        #[test]
        fn the_missing_scope_is_just_what_was_missing(
            t in "[a-b]", e in "[x-z]", o in "[p-q]", d in prop::option::of("[d-e]"),
        ) {
            let domain = d.map(|d| format!("@{d}")).unwrap_or_default();
            let asked = format!("{t}:{e}:{o}{domain}");
            prop_assert_eq!(allowed_by(&[], &asked), None);
            prop_assert_eq!(allowed_by(&[&asked], &asked), Some(asked.clone()));
        }
    }
}
