//! Catalogue of scopes: the operations of each entity type, and the entities, domains and presets
//! to suggest. The catalogue is built in, and the config file can extend it. The scope editors
//! offer its entries. The service rejects scopes that the catalogue does not contain.

use super::{
    decision::{AccessRequest, allows},
    scope::{Domain, Entity, EntityType, Operation, Scope, ScopeError},
    scope_preset::ScopePreset,
};

/// An entity type with its operations and suggested entities.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntityTypeEntry {
    pub entity_type: EntityType,
    /// The operations allowed in a scope on this type, in display order.
    pub operations: Vec<Operation>,
    /// Entity ids that the scope editors suggest. Operators can also type any other id.
    pub entities: Vec<String>,
}

/// The entity types, domains and presets that a store offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScopeCatalogue {
    /// The entity types in display order, without duplicates.
    pub entity_types: Vec<EntityTypeEntry>,
    /// Domains that the scope editors suggest. Operators can also type any other domain.
    pub domains: Vec<Domain>,
    /// Named sets of scopes.
    pub presets: Vec<ScopePreset>,
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

impl Default for ScopeCatalogue {
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
        Self { entity_types: entries, domains: Vec::new(), presets: ScopePreset::built_in() }
    }
}

impl ScopeCatalogue {
    /// Returns the entry of `entity_type`, or `None` if the catalogue does not contain this type.
    pub fn entry(&self, entity_type: &EntityType) -> Option<&EntityTypeEntry> {
        self.entity_types.iter().find(|entry| entry.entity_type == *entity_type)
    }

    /// Returns the entry of `entity_type`. If the catalogue does not contain this type, returns
    /// [`ScopeError::UnknownType`], which lists the known types.
    pub fn require_entry(&self, entity_type: &EntityType) -> Result<&EntityTypeEntry, ScopeError> {
        self.entry(entity_type).ok_or_else(|| ScopeError::UnknownType {
            given: entity_type.to_string(),
            known: comma_separated(
                self.entity_types.iter().map(|entry| entry.entity_type.as_str()),
            ),
        })
    }

    /// The requests for each operation of each type on all entities.
    pub fn all_requests(&self) -> impl Iterator<Item = AccessRequest> {
        self.entity_types.iter().flat_map(|entry| {
            entry.operations.iter().map(|operation| AccessRequest {
                entity_type: entry.entity_type,
                entity: Entity::Any,
                operation: *operation,
                domain: None,
            })
        })
    }

    /// Whether `scopes` allow every operation on every entity.
    pub fn is_all_allowed_by(&self, scopes: &[Scope]) -> bool {
        self.all_requests().all(|request| scopes.iter().any(|scope| allows(scope, &request)))
    }

    /// Checks that the catalogue contains the entity type of `scope` and that this type has the
    /// operation of `scope`. Otherwise, returns an error that lists the valid choices. Also returns
    /// an error if an entity id or a domain contains `*` or a secret, which only earlier versions accepted.
    pub fn check(&self, scope: &Scope) -> Result<(), ScopeError> {
        scope.require_grantable()?;
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
        ScopeCatalogue::default().check(&text.parse().unwrap()).map_err(|e| e.to_string())
    }

    #[test]
    fn built_in_catalogue_has_7_types_and_9_operations() {
        let catalogue = ScopeCatalogue::default();
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
    fn stars_on_every_type_allow_everything() {
        let catalogue = ScopeCatalogue::default();
        let all = catalogue.all_requests().map(|request| Scope {
            entity_type: request.entity_type,
            entity: request.entity,
            operation: request.operation,
            domain: None,
        });
        let mut scopes: Vec<_> = all.collect();
        assert!(catalogue.is_all_allowed_by(&scopes));
        scopes.pop();
        assert!(!catalogue.is_all_allowed_by(&scopes));
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
