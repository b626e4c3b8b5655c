//! Access decisions. A scope allows a request if three conditions hold. The types and the
//! operations are equal. The scope's entity is `*` or equals the requested entity. The scope has no
//! domain, or its domain equals the requested domain. Scopes have no hierarchy. The module has no
//! cache and no I/O. The service's checks and the search term `may:` call it, so that both apply
//! the same rule.

use std::str::FromStr;

use super::{
    Timestamp,
    scope::{Domain, Entity, EntityType, Operation, Scope, ScopeError},
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
    #[error("unknown: no token has this secret")]
    Unknown,
    /// The token was revoked at this time.
    #[error("revoked on {}", .0.format("%Y-%m-%d %H:%M UTC"))]
    Revoked(Timestamp),
    /// The token expired at this time.
    #[error("expired on {}", .0.format("%Y-%m-%d %H:%M UTC"))]
    Expired(Timestamp),
    /// The record of the token is older than the revocation register: the store lost a change.
    #[error("stale record: the store is older than its revocation register")]
    StaleRecord,
    /// The token is active but none of its scopes allows the request. Contains the missing scope.
    #[error("missing scope {0}")]
    NoScope(Scope),
}

/// Decides whether `token` may perform `request` at `at`. The caller has already matched the
/// secret.
pub fn decide(token: &Token, request: &AccessRequest, at: Timestamp) -> Decision {
    if let Err(denial) = check_active(token, at) {
        return Decision::Deny(denial);
    }
    match token.scopes.iter().find(|scope| allows(scope, request)) {
        Some(scope) => Decision::Allow(Some(scope.clone())),
        None => Decision::Deny(Denial::NoScope(request.as_scope())),
    }
}

/// Returns the denial if `token` is revoked or expired at `at`, regardless of its scopes.
pub fn check_active(token: &Token, at: Timestamp) -> Result<(), Denial> {
    match token.status(at) {
        Status::Active => Ok(()),
        Status::Revoked => Err(Denial::Revoked(token.revoked.unwrap_or(at))),
        Status::Expired => Err(Denial::Expired(token.expires.unwrap_or(at))),
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
        match decide(&token_with(scopes), &request(requested), at(1)) {
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
        assert!(decide(&token, &request, at(59)).is_allowed());
        assert_eq!(decide(&token, &request, at(60)), Decision::Deny(Denial::Expired(at(60))));
        let revoked = token.revoke(at(5)).unwrap();
        assert_eq!(decide(&revoked, &request, at(70)), Decision::Deny(Denial::Revoked(at(5))));
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
