//! What can be asked for: which operations each entity type offers, and the entities and
//! domains known by name to pick from. Built in, or extended by the config file.
//! Called by the scope editors to offer choices and by the service to check what was chosen.

use super::{
    preset::Preset,
    scope::{Domain, EntityType, Operation, Scope, ScopeError},
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    pub entity_type: EntityType,
    /// The operations that a scope on it may name, in the order they are shown.
    pub operations: Vec<Operation>,
    /// Entities known by name, to pick from; any other may be typed.
    pub entities: Vec<String>,
}

/// All entity types in the order they are shown, and the domains to pick from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Catalogue {
    /// The types with what they offer; a type stands here once.
    pub offers: Vec<Offer>,
    /// Domains known by name.
    pub domains: Vec<Domain>,
    /// Scopes by a short name.
    pub presets: Vec<Preset>,
}

/// The built-in catalogue: the entity types of the platform that patdeck comes from, each with
/// those of its nine operations that make sense there.
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
        let words = |list: &[&str]| list.iter().filter_map(|w| Operation::parse(w).ok()).collect();
        let offers = BUILT_IN
            .iter()
            .filter_map(|(name, operations)| {
                Some(Offer {
                    entity_type: EntityType::parse(name).ok()?,
                    operations: words(operations),
                    entities: Vec::new(),
                })
            })
            .collect();
        Self { offers, domains: Vec::new(), presets: Preset::built_in() }
    }
}

impl Catalogue {
    /// What `entity_type` offers, if the catalogue has it.
    pub fn offer(&self, entity_type: &EntityType) -> Option<&Offer> {
        self.offers.iter().find(|offer| offer.entity_type == *entity_type)
    }

    /// What `entity_type` offers; refuses one that the catalogue does not have.
    pub fn known(&self, entity_type: &EntityType) -> Result<&Offer, ScopeError> {
        self.offer(entity_type).ok_or_else(|| ScopeError::UnknownType {
            given: entity_type.to_string(),
            known: listed(self.offers.iter().map(|o| o.entity_type.as_str())),
        })
    }

    /// Whether `scope` may be given: its type must be known and offer its operation.
    pub fn check(&self, scope: &Scope) -> Result<(), ScopeError> {
        let offer = self.known(&scope.entity_type)?;
        if offer.operations.contains(&scope.operation) {
            return Ok(());
        }
        Err(ScopeError::NotOffered {
            operation: scope.operation.to_string(),
            entity_type: scope.entity_type.to_string(),
            offered: listed(offer.operations.iter().map(Operation::as_str)),
        })
    }
}

fn listed<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<(), String> {
        Catalogue::default().check(&text.parse().unwrap()).map_err(|e| e.to_string())
    }

    #[test]
    fn the_built_in_catalogue_has_seven_types_and_nine_operations() {
        let catalogue = Catalogue::default();
        assert_eq!(catalogue.offers.len(), BUILT_IN.len());
        let mut all: Vec<_> = catalogue.offers.iter().flat_map(|o| &o.operations).collect();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 9);
        for (offer, (_, operations)) in catalogue.offers.iter().zip(BUILT_IN) {
            assert_eq!(offer.operations.len(), operations.len(), "{}", offer.entity_type);
        }
    }

    #[test]
    fn what_the_type_does_not_offer_is_refused_with_what_it_does() {
        assert_eq!(check("channels:*:publish"), Ok(()));
        assert_eq!(
            check("messages:*:delete").unwrap_err(),
            "`delete` is not offered for messages: choose one of publish, subscribe"
        );
        assert!(check("rockets:*:read").unwrap_err().starts_with(
            "there is no entity type `rockets`: choose one of domains, groups, channels"
        ));
    }
}
