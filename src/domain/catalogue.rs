//! Catalogue of scopes: the operations of each entity type, and the entities, domains and presets
//! to suggest. Built in, and extended by the config file. The scope editors offer its entries; the
//! service rejects scopes that it does not contain.

use super::{
    preset::Preset,
    scope::{Domain, EntityType, Operation, Scope, ScopeError},
};

/// An entity type with its operations and suggested entities.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntityTypeEntry {
    pub entity_type: EntityType,
    /// The operations allowed in a scope on this type, in display order.
    pub operations: Vec<Operation>,
    /// Entity ids to suggest. Any other id can be typed.
    pub entities: Vec<String>,
}

/// The entity types, domains and presets that a store offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Catalogue {
    /// The entity types in display order, without duplicates.
    pub entity_types: Vec<EntityTypeEntry>,
    /// Domains to suggest. Any other domain can be typed.
    pub domains: Vec<Domain>,
    /// Named sets of scopes.
    pub presets: Vec<Preset>,
}

/// The built-in catalogue: seven entity types, each with its subset of the nine operations.
const BUILT_IN: [(&str, &[&str]); 7] = [
    ("domains", MANAGED),
    ("groups", MANAGED),
    (
        "channels",
        &["create", "read", "list", "update", "delete", "share", "unshare", "publish", "subscribe"],
    ),
    ("clients", MANAGED),
    ("users", &["create", "read", "list", "update", "delete"]),
    ("dashboards", MANAGED),
    ("messages", &["publish", "subscribe"]),
];

const MANAGED: &[&str] = &["create", "read", "list", "update", "delete", "share", "unshare"];

impl Default for Catalogue {
    fn default() -> Self {
        let parse = |list: &[&str]| list.iter().filter_map(|w| Operation::parse(w).ok()).collect();
        let entries = BUILT_IN
            .iter()
            .filter_map(|(name, operations)| {
                Some(EntityTypeEntry {
                    entity_type: EntityType::parse(name).ok()?,
                    operations: parse(operations),
                    entities: Vec::new(),
                })
            })
            .collect();
        Self { entity_types: entries, domains: Vec::new(), presets: Preset::built_in() }
    }
}

impl Catalogue {
    /// The entry of `entity_type`; `None` if the catalogue does not contain it.
    pub fn entry(&self, entity_type: &EntityType) -> Option<&EntityTypeEntry> {
        self.entity_types.iter().find(|entry| entry.entity_type == *entity_type)
    }

    /// The entry of `entity_type`. Returns [`ScopeError::UnknownType`], which lists the known
    /// types, if the catalogue does not contain it.
    pub fn require_entry(&self, entity_type: &EntityType) -> Result<&EntityTypeEntry, ScopeError> {
        self.entry(entity_type).ok_or_else(|| ScopeError::UnknownType {
            given: entity_type.to_string(),
            known: comma_separated(
                self.entity_types.iter().map(|entry| entry.entity_type.as_str()),
            ),
        })
    }

    /// Checks that the catalogue contains the entity type of `scope` and that the type has its
    /// operation. Returns an error that lists the valid choices otherwise.
    pub fn check(&self, scope: &Scope) -> Result<(), ScopeError> {
        let entry = self.require_entry(&scope.entity_type)?;
        if entry.operations.contains(&scope.operation) {
            return Ok(());
        }
        Err(ScopeError::NotOffered {
            operation: scope.operation.to_string(),
            entity_type: scope.entity_type.to_string(),
            offered: comma_separated(entry.operations.iter().map(Operation::as_str)),
        })
    }
}

fn comma_separated<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<(), String> {
        Catalogue::default().check(&text.parse().unwrap()).map_err(|e| e.to_string())
    }

    #[test]
    fn built_in_catalogue_has_7_types_and_9_operations() {
        let catalogue = Catalogue::default();
        assert_eq!(catalogue.entity_types.len(), BUILT_IN.len());
        let mut all: Vec<_> =
            catalogue.entity_types.iter().flat_map(|entry| &entry.operations).collect();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 9);
        for (entry, (_, operations)) in catalogue.entity_types.iter().zip(BUILT_IN) {
            assert_eq!(entry.operations.len(), operations.len(), "{}", entry.entity_type);
        }
    }

    #[test]
    fn unsupported_operation_error_lists_the_supported_ones() {
        assert_eq!(check("channels:*:publish"), Ok(()));
        assert_eq!(
            check("messages:*:delete").unwrap_err(),
            "operation `delete` is not available for messages: use one of publish, subscribe"
        );
        assert!(
            check("rockets:*:read")
                .unwrap_err()
                .starts_with("unknown entity type `rockets`: use one of domains, groups, channels")
        );
    }
}
