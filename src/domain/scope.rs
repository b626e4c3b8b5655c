//! A scope (operation on an entity type and entity, optionally within a domain) and the set of
//! scopes of a token. The set contains neither duplicates nor scopes that another scope of the set
//! covers. The catalogue decides which operations a type has. Called by forms, CLI and store.

use std::{fmt, ops::Deref, str::FromStr};

use arrayvec::ArrayString;
use compact_str::CompactString;

use super::{
    scan::contains_secret,
    terminal_text::{escape, first_unsafe},
};

/// Why a scope, or a part of one, is invalid or cannot be added or removed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScopeError {
    /// The name of an operation, entity type or preset does not match the grammar.
    #[error("invalid name `{}`: use at most 32 lower-case letters, digits, - and _", escape(.0))]
    InvalidWord(String),
    /// The entity is empty.
    #[error("missing entity: type an entity id, or * for any entity")]
    NoEntity,
    /// The entity has blanks or unsafe characters, or is too long.
    #[error("invalid entity: use 1 to 128 visible characters without spaces")]
    InvalidEntity,
    /// The domain is empty, has blanks, unsafe characters, `:` or `@`, or is too long.
    #[error("invalid domain: use 1 to 128 visible characters without spaces, : or @")]
    InvalidDomain,
    /// The entity contains `*` beside other characters.
    #[error("invalid entity: use * alone for any entity, or an id without *")]
    EntityPattern,
    /// The domain contains `*`.
    #[error("invalid domain: use a name without *, or leave it out for any domain")]
    DomainPattern,
    #[error("a scope contains the secret of a token: remove it")]
    Secret,
    /// The text does not have three parts separated by `:`.
    #[error("invalid scope `{}`: use TYPE:ENTITY:OPERATION, e.g. channels:c-42:publish", escape(.0))]
    Malformed(String),
    /// The catalogue does not contain this entity type.
    #[error("unknown entity type `{given}`: use one of {known}")]
    UnknownType {
        given: String,
        /// The types of the catalogue, separated by commas.
        known: String,
    },
    /// The entity type does not have this operation in the catalogue.
    #[error("operation `{operation}` is not available for {entity_type}: use one of {offered}")]
    NotOffered {
        operation: String,
        entity_type: String,
        /// The operations of the type, separated by commas.
        offered: String,
    },
    /// The token has the same scope already.
    #[error("{0} is already granted: nothing to add")]
    Duplicate(Box<Scope>),
    /// The token has a scope on `*` that covers the new scope.
    #[error("{scope} is already covered by {by}: nothing to add")]
    Covered {
        scope: Box<Scope>,
        /// The granted scope that covers `scope`.
        by: Box<Scope>,
    },
    /// The token has the maximum number of scopes.
    #[error("a token can have at most {max} scopes: remove some, or use * as the entity", max = Scopes::MAX)]
    TooMany,
    /// The token does not have the scope to remove.
    #[error("the token does not have {0}: nothing to remove")]
    Missing(Box<Scope>),
}

/// Declares a type for a name of the scope grammar: at most 32 lower-case letters, digits, `-` and
/// `_`. The type stores the text inline without a heap allocation, because loading a million tokens
/// reads millions of names.
macro_rules! word {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Word);

        impl $name {
            /// Parses `text`. Returns an error if `text` does not match the grammar.
            pub fn parse(text: &str) -> Result<Self, ScopeError> {
                let word = Word::from(text).ok().filter(|word| is_word(word));
                word.map(Self).ok_or_else(|| ScopeError::InvalidWord(text.to_owned()))
            }

            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple(stringify!($name)).field(&self.as_str()).finish()
            }
        }
    };
}

/// Maximum length of a word in bytes.
const MAX_WORD_LEN: usize = 32;

type Word = ArrayString<MAX_WORD_LEN>;

word! {
    /// The name of an operation: `publish`, `read`, …
    Operation
}
word! {
    /// The name of an entity type: `channels`, `clients`, …
    EntityType
}

/// Whether `text` matches the grammar of operations, entity types and presets.
pub(super) fn is_word(text: &str) -> bool {
    (1..=MAX_WORD_LEN).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-'))
}

/// Whether `text` is a valid entity or domain: 1 to 128 safe characters without blanks.
fn is_label(text: &str) -> bool {
    if text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return (1..=128).contains(&text.len());
    }
    let len = text.chars().count();
    (1..=128).contains(&len) && !text.contains(char::is_whitespace) && first_unsafe(text).is_none()
}

/// The entity of a scope: a single entity, or any entity of the type.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Entity {
    /// Any entity, written `*`.
    Any,
    /// The entity with this id.
    Id(CompactString),
}

impl Entity {
    /// Trims `text` and parses `*` or an id of 1 to 128 visible characters without spaces and `*`.
    /// Returns an error for any other text.
    pub fn parse(text: &str) -> Result<Self, ScopeError> {
        let entity = Self::parse_stored(text)?;
        entity.require_grantable().map(|()| entity)
    }

    /// Parses an entity that a token may already have. Earlier versions accepted an id that
    /// contains `*`; such an id matches only itself.
    pub fn parse_stored(text: &str) -> Result<Self, ScopeError> {
        match text.trim() {
            "" => Err(ScopeError::NoEntity),
            "*" => Ok(Self::Any),
            id if is_label(id) => Ok(Self::Id(id.into())),
            _ => Err(ScopeError::InvalidEntity),
        }
    }

    /// Returns an error if an id contains a secret, or `*`, which looks like a pattern but would be
    /// compared literally.
    fn require_grantable(&self) -> Result<(), ScopeError> {
        match self {
            Self::Id(id) if id.contains('*') => Err(ScopeError::EntityPattern),
            Self::Id(id) if contains_secret(id) => Err(ScopeError::Secret),
            Self::Any | Self::Id(_) => Ok(()),
        }
    }

    /// `*` or the id.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Any => "*",
            Self::Id(id) => id,
        }
    }
}

impl fmt::Display for Entity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The tenant to which a scope is limited. A domain contains neither `:` nor `@`, so that the text
/// of a scope can be parsed whatever characters the entity contains.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Domain(String);

impl Domain {
    /// Trims and parses `text`. Returns an error if it is not 1 to 128 visible characters without
    /// spaces, `:`, `@` and `*`.
    pub fn parse(text: &str) -> Result<Self, ScopeError> {
        let domain = Self::parse_stored(text)?;
        domain.require_grantable().map(|()| domain)
    }

    /// Parses a domain that a token may already have. Earlier versions accepted a domain that
    /// contains `*`; such a domain matches only itself.
    pub fn parse_stored(text: &str) -> Result<Self, ScopeError> {
        let text = text.trim();
        (is_label(text) && !text.contains([':', '@']))
            .then(|| Self(text.to_owned()))
            .ok_or(ScopeError::InvalidDomain)
    }

    fn require_grantable(&self) -> Result<(), ScopeError> {
        if self.0.contains('*') {
            return Err(ScopeError::DomainPattern);
        }
        if contains_secret(&self.0) {
            return Err(ScopeError::Secret);
        }
        Ok(())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// One permission. Prints as `type:entity:operation` or `type:entity:operation@domain`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope {
    pub entity_type: EntityType,
    pub entity: Entity,
    pub operation: Operation,
    /// The domain to which the scope is limited. `None` allows every domain.
    pub domain: Option<Domain>,
}

impl Scope {
    /// Whether `self` allows everything that `other` allows: both have the same type, operation and
    /// domain, and the entity of `self` is the same or `*`.
    pub fn covers(&self, other: &Self) -> bool {
        self.entity_type == other.entity_type
            && self.operation == other.operation
            && self.domain == other.domain
            && (self.entity == Entity::Any || self.entity == other.entity)
    }

    /// Parses the text of a scope that a token may already have, see `Entity::parse_stored`. The
    /// entity may contain `:` and `@`: the type ends at the first `:`, and the operation starts
    /// after the last `:`. Neither operation nor domain contains these characters.
    pub fn parse_stored(text: &str) -> Result<Self, ScopeError> {
        let malformed = || ScopeError::Malformed(text.to_owned());
        let (entity_type, rest) = text.split_once(':').ok_or_else(malformed)?;
        let (entity, rest) = rest.rsplit_once(':').ok_or_else(malformed)?;
        let (operation, domain) = match rest.split_once('@') {
            Some((operation, domain)) => (operation, Some(Domain::parse_stored(domain)?)),
            None => (rest, None),
        };
        Ok(Self {
            entity_type: EntityType::parse(entity_type)?,
            entity: Entity::parse_stored(entity)?,
            operation: Operation::parse(operation)?,
            domain,
        })
    }

    /// Returns an error for what only stored scopes may have: `*` beside other characters, or a secret.
    pub fn require_grantable(&self) -> Result<(), ScopeError> {
        self.entity.require_grantable()?;
        self.domain.as_ref().map_or(Ok(()), Domain::require_grantable)
    }

    /// The fields in sort order, as in the derived `Ord`.
    fn sort_key(&self) -> (&EntityType, &Entity, &Operation, Option<&Domain>) {
        (&self.entity_type, &self.entity, &self.operation, self.domain.as_ref())
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pieces = [self.entity_type.as_str(), ":", self.entity.as_str(), ":"];
        pieces.into_iter().try_for_each(|piece| f.write_str(piece))?;
        f.write_str(self.operation.as_str())?;
        match &self.domain {
            Some(domain) => f.write_str("@").and_then(|()| f.write_str(domain.as_str())),
            None => Ok(()),
        }
    }
}

impl FromStr for Scope {
    type Err = ScopeError;

    /// Parses the [`Display`](fmt::Display) form.
    fn from_str(text: &str) -> Result<Self, ScopeError> {
        let scope = Self::parse_stored(text)?;
        scope.require_grantable().map(|()| scope)
    }
}

/// The side effects of adding a scope.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AbsorbedScopes {
    /// The scopes that were removed because the new scope on `*` covers them.
    pub absorbed: Vec<Scope>,
}

/// The scopes of one token: sorted, without duplicates, none covered by another, at most
/// [`Scopes::MAX`]. An empty set denies every request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scopes(Vec<Scope>);

impl Scopes {
    /// Maximum number of scopes of a token.
    pub const MAX: usize = 256;

    /// Creates the set from the scopes of a stored record. Returns `None` if the scopes break a
    /// rule of the set: sorted, no duplicates, none covered by another, at most [`Scopes::MAX`].
    pub fn from_stored(stored: Vec<Scope>) -> Option<Self> {
        // Strictly ascending order excludes duplicates.
        let is_ascending = stored.is_sorted_by(|a, b| a < b);
        // Only a scope on `*` with the same type, operation and domain can cover another scope.
        let is_covered = |scope: &Scope| {
            let key = (&scope.entity_type, &Entity::Any, &scope.operation, scope.domain.as_ref());
            let contains = |key| stored.binary_search_by(|held| held.sort_key().cmp(&key)).is_ok();
            scope.entity != Entity::Any && contains(key)
        };
        let is_valid = stored.len() <= Self::MAX && is_ascending && !stored.iter().any(is_covered);
        is_valid.then_some(Self(stored))
    }

    /// Adds `scope` and removes the scopes that it covers. Returns an error if the set already
    /// contains or covers `scope`, or would have more than [`Scopes::MAX`] scopes.
    pub fn add(&mut self, scope: Scope) -> Result<AbsorbedScopes, ScopeError> {
        if self.0.contains(&scope) {
            return Err(ScopeError::Duplicate(Box::new(scope)));
        }
        if let Some(by) = self.0.iter().find(|held| held.covers(&scope)) {
            let by = Box::new(by.clone());
            return Err(ScopeError::Covered { scope: Box::new(scope), by });
        }
        if self.0.iter().filter(|held| !scope.covers(held)).count() >= Self::MAX {
            return Err(ScopeError::TooMany);
        }
        let absorbed = self.0.extract_if(.., |held| scope.covers(held)).collect();
        let at = self.0.partition_point(|held| *held < scope);
        self.0.insert(at, scope);
        Ok(AbsorbedScopes { absorbed })
    }

    /// Adds each of `scopes` that the set neither contains nor covers, and returns the added
    /// scopes. Returns an error if a scope does not fit because the set has [`Scopes::MAX`] scopes.
    /// Scopes added before the error stay in the set.
    pub fn add_missing(
        &mut self,
        scopes: impl IntoIterator<Item = Scope>,
    ) -> Result<Vec<Scope>, ScopeError> {
        let mut missing = Vec::new();
        for scope in scopes {
            if !self.0.iter().any(|held| held.covers(&scope)) {
                self.add(scope.clone())?;
                missing.push(scope);
            }
        }
        Ok(missing)
    }

    /// Removes this scope. Returns [`ScopeError::Missing`] if the set does not contain it.
    pub fn remove(&mut self, scope: &Scope) -> Result<(), ScopeError> {
        let at = self.0.iter().position(|held| held == scope);
        let at = at.ok_or_else(|| ScopeError::Missing(Box::new(scope.clone())))?;
        self.0.remove(at);
        Ok(())
    }

    /// The scopes in sort order.
    pub fn as_slice(&self) -> &[Scope] {
        &self.0
    }
}

impl Deref for Scopes {
    type Target = [Scope];

    fn deref(&self) -> &[Scope] {
        &self.0
    }
}

impl<'a> IntoIterator for &'a Scopes {
    type Item = &'a Scope;
    type IntoIter = std::slice::Iter<'a, Scope>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

#[cfg(test)]
#[path = "scope_tests.rs"]
mod tests;
