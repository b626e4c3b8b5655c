//! One permission (operation on entity type and entity, maybe within a domain) and the set of
//! them that a token holds, with its algebra: no duplicates, `*` absorbs, nothing covered.
//! What may be combined with what is the catalogue's word. Called by forms, CLI and store.

use std::{fmt, ops::Deref, str::FromStr};

use arrayvec::ArrayString;
use compact_str::CompactString;

use super::terminal_text::{escape, first_unsafe};

/// Why a scope, or a part of one, was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScopeError {
    /// An operation or entity type is no word.
    #[error("`{}` is not a word: use lower-case letters, digits, - and _, at most 32", escape(.0))]
    Word(String),
    /// No entity was named.
    #[error("an entity is needed: type its id, or * for any")]
    NoEntity,
    /// The entity has blanks, unsafe characters or is too long.
    #[error("an entity is 1 to 128 visible characters without spaces")]
    Entity,
    /// The domain has blanks, unsafe characters, a `:` or `@`, or is too long.
    #[error("a domain is 1 to 128 visible characters without spaces, : or @")]
    Domain,
    /// The text does not have the three parts.
    #[error("`{}` is not a scope: write TYPE:ENTITY:OPERATION, such as channels:*:publish", escape(.0))]
    Shape(String),
    /// The catalogue knows no such entity type.
    #[error("there is no entity type `{given}`: choose one of {known}")]
    UnknownType {
        /// What was asked for.
        given: String,
        /// What the catalogue has.
        known: String,
    },
    /// The catalogue does not offer this operation for the type.
    #[error("`{operation}` is not offered for {entity_type}: choose one of {offered}")]
    NotOffered {
        /// What was asked for.
        operation: String,
        /// On which type.
        entity_type: String,
        /// What is offered there.
        offered: String,
    },
    /// The very same scope is there already.
    #[error("{0} is there already: nothing to add")]
    Duplicate(Box<Scope>),
    /// A scope on `*` says the same and more.
    #[error("{scope} is covered by {by} already: nothing to add")]
    Covered {
        /// The one that was to be added.
        scope: Box<Scope>,
        /// The one that covers it.
        by: Box<Scope>,
    },
    /// The token holds as many scopes as it may.
    #[error("a token holds at most {max} scopes: remove some or use *", max = Scopes::MAX)]
    TooMany,
    /// The scope to remove is not there.
    #[error("{0} is not among the token's scopes: nothing to remove")]
    Missing(Box<Scope>),
}

/// Declares a word of the scope grammar: lower-case letters, digits, `-` and `_`, at most 32. It
/// lies in place, for a store of a million tokens is read with millions of words.
macro_rules! word {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Word);

        impl $name {
            /// The word that `text` spells.
            pub fn parse(text: &str) -> Result<Self, ScopeError> {
                let word = Word::from(text).ok().filter(|word| is_word(word));
                word.map(Self).ok_or_else(|| ScopeError::Word(text.to_owned()))
            }

            /// The word as text.
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

/// Most letters of a word.
const LONGEST_WORD: usize = 32;

type Word = ArrayString<LONGEST_WORD>;

word! {
    /// What is done: `publish`, `read`, …
    Operation
}
word! {
    /// What kind of thing it is done to: `channels`, `clients`, …
    EntityType
}

pub(super) fn is_word(text: &str) -> bool {
    (1..=LONGEST_WORD).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-'))
}

fn is_label(text: &str) -> bool {
    if text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return (1..=128).contains(&text.len());
    }
    let len = text.chars().count();
    (1..=128).contains(&len) && !text.contains(char::is_whitespace) && first_unsafe(text).is_none()
}

/// Which one of its type: any, or the one with this id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Entity {
    /// `*`
    Any,
    /// The one with this id.
    Id(CompactString),
}

impl Entity {
    /// `*`, or an id of 1 to 128 visible characters without spaces; blanks around it are cut.
    pub fn parse(text: &str) -> Result<Self, ScopeError> {
        match text.trim() {
            "" => Err(ScopeError::NoEntity),
            "*" => Ok(Self::Any),
            id if is_label(id) => Ok(Self::Id(id.into())),
            _ => Err(ScopeError::Entity),
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

/// The tenant within which a scope holds. It has no `:` and no `@`, so that a printed scope
/// reads back the same whatever its entity is called.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Domain(String);

impl Domain {
    /// The domain that `text` spells.
    pub fn parse(text: &str) -> Result<Self, ScopeError> {
        let text = text.trim();
        (is_label(text) && !text.contains([':', '@']))
            .then(|| Self(text.to_owned()))
            .ok_or(ScopeError::Domain)
    }

    /// The domain as text.
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
    /// What kind of thing.
    pub entity_type: EntityType,
    /// Which one of them.
    pub entity: Entity,
    /// What may be done to it.
    pub operation: Operation,
    /// Within which domain; `None` holds in every one.
    pub domain: Option<Domain>,
}

impl Scope {
    /// Whether `other` permits nothing that `self` does not: the same type, operation and
    /// domain, and an entity that is the same or falls under `*`.
    pub fn covers(&self, other: &Self) -> bool {
        self.entity_type == other.entity_type
            && self.operation == other.operation
            && self.domain == other.domain
            && (self.entity == Entity::Any || self.entity == other.entity)
    }

    /// Its parts in the order by which scopes are sorted.
    fn parts(&self) -> (&EntityType, &Entity, &Operation, Option<&Domain>) {
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

    /// Reads what [`Display`](fmt::Display) prints. The entity may hold `:` and `@` itself: the
    /// type ends at the first `:`, the operation starts at the last, and neither an operation
    /// nor a domain has either character.
    fn from_str(text: &str) -> Result<Self, ScopeError> {
        let shape = || ScopeError::Shape(text.to_owned());
        let (entity_type, rest) = text.split_once(':').ok_or_else(shape)?;
        let (entity, rest) = rest.rsplit_once(':').ok_or_else(shape)?;
        let (operation, domain) = match rest.split_once('@') {
            Some((operation, domain)) => (operation, Some(Domain::parse(domain)?)),
            None => (rest, None),
        };
        Ok(Self {
            entity_type: EntityType::parse(entity_type)?,
            entity: Entity::parse(entity)?,
            operation: Operation::parse(operation)?,
            domain,
        })
    }
}

/// What adding a scope did besides.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Added {
    /// The specific scopes that the new `*` made needless and that are gone now.
    pub absorbed: Vec<Scope>,
}

/// The scopes of one token: sorted, without duplicates, none covered by another, at most
/// [`Scopes::MAX`]. None at all is allowed and denies everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scopes(Vec<Scope>);

impl Scopes {
    /// Most scopes that a token may hold.
    pub const MAX: usize = 256;

    /// The scopes of a stored record, which obeyed the rules when it was written: sorted, too.
    /// Returns `None` if these do not.
    pub fn from_stored(stored: Vec<Scope>) -> Option<Self> {
        // Nothing is there twice where each is greater than the one before.
        let ascending = stored.is_sorted_by(|a, b| a < b);
        // Only the `*` of the same type, operation and domain can cover a specific one.
        let covered = |scope: &Scope| {
            let star = (&scope.entity_type, &Entity::Any, &scope.operation, scope.domain.as_ref());
            let held = |s| stored.binary_search_by(|held| held.parts().cmp(&s)).is_ok();
            scope.entity != Entity::Any && held(star)
        };
        let obey = stored.len() <= Self::MAX && ascending && !stored.iter().any(covered);
        obey.then_some(Self(stored))
    }

    /// Adds one. Refuses a duplicate, one that `*` covers already, and the 257th; a new `*`
    /// absorbs the specific ones under it.
    pub fn add(&mut self, scope: Scope) -> Result<Added, ScopeError> {
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
        Ok(Added { absorbed })
    }

    /// Adds those of `scopes` that are neither there nor covered; which these were. Refuses the
    /// 257th.
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

    /// Removes exactly this one.
    pub fn remove(&mut self, scope: &Scope) -> Result<(), ScopeError> {
        let at = self.0.iter().position(|held| held == scope);
        let at = at.ok_or_else(|| ScopeError::Missing(Box::new(scope.clone())))?;
        self.0.remove(at);
        Ok(())
    }

    /// The scopes in their order.
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
