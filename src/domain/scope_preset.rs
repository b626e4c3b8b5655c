//! Presets: named sets of scopes for a typical bearer, applied to an entity. A preset consists of
//! grants of the form `TYPE:OPERATION,OPERATION`. In a grant, `*` stands for every type or every
//! operation of the catalogue. Called by forms, CLI and config.

use std::{fmt, str::FromStr};

use super::{
    catalogue::{EntityTypeEntry, ScopeCatalogue},
    scope::{Entity, EntityType, Operation, Scope, ScopeError, is_word},
    terminal_text::escape,
};

/// Why a preset is invalid or cannot be applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScopePresetError {
    #[error("unknown preset `{given}`: use one of {known}", given = escape(.given))]
    Unknown { given: String, known: String },
    /// The text does not contain a `:`.
    #[error(
        "invalid preset `{}`: use PRESET:ENTITY or PRESET:TYPE:ENTITY, e.g. publisher:c-42",
        escape(.0)
    )]
    Malformed(String),
    /// The preset applies to every type, so an entity id without a type is ambiguous.
    #[error(
        "preset {name} covers every entity type: say which type {entity} is, e.g. {name}:channels:{entity}"
    )]
    NeedsType { name: String, entity: String },
    #[error("preset {name} grants nothing on {given}: use one of the types {known}")]
    NotApplicable {
        name: String,
        given: EntityType,
        /// The types on which the preset grants operations, separated by commas.
        known: String,
    },
    /// The text before the entity is no type of the catalogue.
    #[error(
        "preset {name} has no type `{given}`: use one of {known}; before an entity with a `:`, name its type, e.g. {example}",
        given = crate::domain::terminal_text::escape(.given)
    )]
    UnknownType {
        name: String,
        given: String,
        /// The types on which the preset grants operations, separated by commas.
        known: String,
        example: String,
    },
    /// The grant does not contain a `:`.
    #[error(
        "invalid grant `{}`: use TYPE:OPERATION[,OPERATION...] without an entity, e.g. channels:publish or *:read,list",
        escape(.0)
    )]
    MalformedGrant(String),
    #[error("no entity type has the operation `{0}`: use another, or add it to the catalogue")]
    OperationNotOffered(String),
    #[error("all these scopes are already granted: nothing to add")]
    NothingToAdd,
    #[error(transparent)]
    Scope(#[from] ScopeError),
}

/// Operations on an entity type, or on every type that has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresetGrant {
    /// The entity type of the grant. `None` means every type.
    entity_type: Option<EntityType>,
    /// The granted operations. `None` means all operations of the type.
    operations: Option<Vec<Operation>>,
}

impl PresetGrant {
    fn applies_to(&self, entity_type: &EntityType) -> bool {
        self.entity_type.as_ref().is_none_or(|own| own == entity_type)
    }

    /// The operations of `entry` that this grant includes.
    fn operations_on<'a>(
        &'a self,
        entry: &'a EntityTypeEntry,
    ) -> impl Iterator<Item = &'a Operation> {
        let is_granted = |operation: &&Operation| {
            self.operations.as_ref().is_none_or(|own| own.contains(operation))
        };
        let operations = self.applies_to(&entry.entity_type).then_some(&entry.operations);
        operations.into_iter().flatten().filter(is_granted)
    }

    /// Returns an error if the catalogue lacks the entity type or one of the operations.
    fn check(&self, catalogue: &ScopeCatalogue) -> Result<(), ScopePresetError> {
        for operation in self.operations.iter().flatten() {
            if let Some(entity_type) = self.entity_type {
                let (entity, operation) = (Entity::Any, *operation);
                catalogue.check(&Scope { entity_type, entity, operation, domain: None })?;
            } else if !catalogue
                .entity_types
                .iter()
                .any(|entry| entry.operations.contains(operation))
            {
                return Err(ScopePresetError::OperationNotOffered(operation.to_string()));
            }
        }
        match &self.entity_type {
            Some(own) => Ok(catalogue.require_entry(own).map(drop)?),
            None => Ok(()),
        }
    }
}

impl FromStr for PresetGrant {
    type Err = ScopePresetError;

    fn from_str(text: &str) -> Result<Self, ScopePresetError> {
        let (kind, operations) = text
            .split_once(':')
            .ok_or_else(|| ScopePresetError::MalformedGrant(text.to_owned()))?;
        let entity_type = if kind == "*" { None } else { Some(EntityType::parse(kind)?) };
        let operations = match operations {
            "*" => None,
            words => Some(words.split(',').map(Operation::parse).collect::<Result<_, _>>()?),
        };
        Ok(Self { entity_type, operations })
    }
}

impl fmt::Display for PresetGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.entity_type.as_ref().map_or("*", EntityType::as_str))?;
        let Some(operations) = &self.operations else {
            return f.write_str(":*");
        };
        let words: Vec<_> = operations.iter().map(Operation::as_str).collect();
        write!(f, ":{}", words.join(","))
    }
}

/// A named set of grants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScopePreset {
    /// The name, which is unique in a catalogue and follows the grammar of operation names.
    pub name: String,
    pub grants: Vec<PresetGrant>,
}

const BUILT_IN: [(&str, &[&str]); 4] = [
    ("read-only", &["*:read,list"]),
    ("publisher", &["channels:publish", "messages:publish"]),
    ("subscriber", &["channels:subscribe", "messages:subscribe"]),
    ("full-access", &["*:*"]),
];

impl ScopePreset {
    /// The presets that exist without a config file.
    pub fn built_in() -> Vec<Self> {
        let preset = |(name, grants): &(&str, &[&str])| {
            let grants = grants.iter().filter_map(|grant| grant.parse().ok()).collect();
            Self { name: (*name).to_owned(), grants }
        };
        BUILT_IN.iter().map(preset).collect()
    }

    /// Creates a preset. Returns [`ScopeError::InvalidWord`] if the name does not match the
    /// grammar.
    pub fn new(name: &str, grants: Vec<PresetGrant>) -> Result<Self, ScopePresetError> {
        if is_word(name) {
            Ok(Self { name: name.to_owned(), grants })
        } else {
            Err(ScopeError::InvalidWord(name.to_owned()).into())
        }
    }

    /// The types on which the preset grants operations, in catalogue order.
    pub fn types<'a>(
        &'a self,
        catalogue: &'a ScopeCatalogue,
    ) -> impl Iterator<Item = &'a EntityType> {
        let has_grant = |entry: &&EntityTypeEntry| {
            self.grants.iter().any(|grant| grant.operations_on(entry).next().is_some())
        };
        catalogue.entity_types.iter().filter(has_grant).map(|entry| &entry.entity_type)
    }

    /// Returns the scopes of this preset on `entity`. They are limited to `entity_type`, or cover
    /// every type of the preset if `entity_type` is `None`.
    ///
    /// Returns an error if the preset grants nothing on `entity_type`. Also returns an error if the
    /// preset applies to every type, `entity` is an id and `entity_type` is `None`.
    pub fn scopes(
        &self,
        entity_type: Option<&EntityType>,
        entity: &Entity,
        catalogue: &ScopeCatalogue,
    ) -> Result<Vec<Scope>, ScopePresetError> {
        let name = || self.name.clone();
        if let Some(given) = entity_type
            && !self.types(catalogue).any(|own| own == given)
        {
            let known: Vec<_> = self.types(catalogue).map(EntityType::as_str).collect();
            let (given, known) = (*given, known.join(", "));
            return Err(ScopePresetError::NotApplicable { name: name(), given, known });
        }
        let is_for_all_types = self.grants.iter().any(|grant| grant.entity_type.is_none());
        if let (None, true, Entity::Id(id)) = (entity_type, is_for_all_types, entity) {
            return Err(ScopePresetError::NeedsType { name: name(), entity: id.to_string() });
        }
        let is_requested =
            |entry: &&EntityTypeEntry| entity_type.is_none_or(|own| *own == entry.entity_type);
        let mut scopes = Vec::new();
        for entry in catalogue.entity_types.iter().filter(is_requested) {
            for operation in self.grants.iter().flat_map(|grant| grant.operations_on(entry)) {
                let scope = Scope {
                    entity_type: entry.entity_type,
                    entity: entity.clone(),
                    operation: *operation,
                    domain: None,
                };
                if !scopes.contains(&scope) {
                    scopes.push(scope);
                }
            }
        }
        Ok(scopes)
    }
}

impl ScopeCatalogue {
    /// Parses a grant. Returns an error if it is malformed or not in the catalogue.
    pub fn parse_grant(&self, text: &str) -> Result<PresetGrant, ScopePresetError> {
        let grant: PresetGrant = text.parse()?;
        grant.check(self).map(|()| grant)
    }

    /// Returns the preset with this name. If there is none, returns an error that lists the known
    /// presets.
    pub fn preset(&self, name: &str) -> Result<&ScopePreset, ScopePresetError> {
        let preset = self.presets.iter().find(|preset| preset.name == name);
        preset.ok_or_else(|| {
            let known: Vec<_> = self.presets.iter().map(|preset| preset.name.as_str()).collect();
            ScopePresetError::Unknown { given: name.to_owned(), known: known.join(", ") }
        })
    }

    /// Parses `PRESET:ENTITY` or `PRESET:TYPE:ENTITY` and returns the scopes. The part before a second
    /// `:` is always a type: an unknown word there is more likely a mistake than a part of the entity,
    /// which may contain `:` after a type.
    pub fn expand_preset(&self, text: &str) -> Result<Vec<Scope>, ScopePresetError> {
        let (name, target) =
            text.split_once(':').ok_or_else(|| ScopePresetError::Malformed(text.to_owned()))?;
        let preset = self.preset(name)?;
        let Some((given, entity)) = target.split_once(':') else {
            return preset.scopes(None, &Entity::parse(target)?, self);
        };
        let entry = self.entity_types.iter().find(|entry| entry.entity_type.as_str() == given);
        let entry = entry.ok_or_else(|| {
            let known: Vec<_> = preset.types(self).map(EntityType::as_str).collect();
            let first = known.first().copied().unwrap_or("TYPE");
            ScopePresetError::UnknownType {
                name: name.to_owned(),
                given: given.to_owned(),
                known: known.join(", "),
                example: format!("{name}:{first}:{target}"),
            }
        })?;
        preset.scopes(Some(&entry.entity_type), &Entity::parse(entity)?, self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expand(text: &str) -> Result<Vec<String>, String> {
        let scopes =
            ScopeCatalogue::default().expand_preset(text).map_err(|error| error.to_string())?;
        Ok(scopes.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn built_in_presets_are_valid() {
        let (presets, catalogue) = (ScopePreset::built_in(), ScopeCatalogue::default());
        assert_eq!(presets.len(), BUILT_IN.len());
        for (preset, (name, grants)) in presets.into_iter().zip(BUILT_IN) {
            let parsed: Result<_, _> =
                grants.iter().map(|text| catalogue.parse_grant(text)).collect();
            assert_eq!(ScopePreset::new(name, parsed.unwrap()), Ok(preset.clone()));
            let printed: Vec<_> = preset.grants.iter().map(ToString::to_string).collect();
            assert_eq!(printed, grants);
        }
    }

    #[test]
    fn preset_expands_to_scopes_on_one_entity_or_any() {
        let publish = ["channels:c-42:publish", "messages:c-42:publish"];
        assert_eq!(expand("publisher:c-42").unwrap(), publish);
        assert_eq!(expand("publisher:messages:*").unwrap(), ["messages:*:publish"]);
        assert_eq!(expand("read-only:users:u-1").unwrap(), ["users:u-1:read", "users:u-1:list"]);
        assert_eq!(expand("read-only:*").unwrap().len(), 12, "two for each type but messages");
        assert_eq!(expand("full-access:channels:c-42").unwrap().len(), 9);
        assert_eq!(expand("publisher:channels:a:b").unwrap(), ["channels:a:b:publish"]);
        let all: usize =
            ScopeCatalogue::default().entity_types.iter().map(|it| it.operations.len()).sum();
        assert_eq!(expand("full-access:*").unwrap().len(), all);
    }

    #[test]
    fn invalid_presets_are_errors_with_a_hint() {
        let error = |text| expand(text).unwrap_err();
        assert_eq!(
            error("reader:*"),
            "unknown preset `reader`: use one of read-only, publisher, subscriber, full-access"
        );
        assert_eq!(
            error("full-access:c-42"),
            "preset full-access covers every entity type: say which type c-42 is, e.g. full-access:channels:c-42"
        );
        assert_eq!(
            error("publisher:users:u-1"),
            "preset publisher grants nothing on users: use one of the types channels, messages"
        );
        assert_eq!(
            error("publisher:devices:gw-1"),
            "preset publisher has no type `devices`: use one of channels, messages; before an entity \
             with a `:`, name its type, e.g. publisher:channels:devices:gw-1"
        );
        assert!(error("publisher").contains("use PRESET:ENTITY or PRESET:TYPE:ENTITY"));
        assert_eq!(error("publisher:"), "missing entity: type an entity id, or * for any entity");
        let catalogue = ScopeCatalogue::default();
        let publisher = catalogue.preset("publisher").unwrap();
        let users = EntityType::parse("users").unwrap();
        assert_eq!(
            publisher.scopes(Some(&users), &Entity::Any, &catalogue).unwrap_err().to_string(),
            "preset publisher grants nothing on users: use one of the types channels, messages"
        );
    }

    #[test]
    fn custom_presets_are_checked_against_the_catalogue() {
        let check = |name: &str, grant: &str| {
            let grant = ScopeCatalogue::default().parse_grant(grant);
            let preset = grant.and_then(|grant| ScopePreset::new(name, vec![grant]));
            preset.map(drop).map_err(|error| error.to_string())
        };
        assert_eq!(check("gateway", "clients:read,update"), Ok(()));
        assert_eq!(check("gateway", "clients:*"), Ok(()));
        assert!(check("Gate way", "*:read").unwrap_err().contains("invalid name"));
        assert!(check("g", "rockets:*").unwrap_err().starts_with("unknown entity type"));
        assert!(check("g", "messages:read").unwrap_err().contains("is not available for messages"));
        assert!(
            check("g", "*:launch")
                .unwrap_err()
                .starts_with("no entity type has the operation `launch`")
        );
        assert!(check("g", "channels").unwrap_err().starts_with("invalid grant `channels`"));
        assert!(check("g", "channels:").unwrap_err().contains("invalid name"));
    }
}
