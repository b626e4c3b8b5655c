//! Scopes by a short name: what a reader, a publisher or a subscriber needs, on the entity that
//! is asked for. A preset is made of grants, `TYPE:OPERATION,OPERATION`, in which `*` stands for
//! every type or every operation of the catalogue. Called by forms, CLI and config.

use std::{fmt, str::FromStr};

use super::{
    catalogue::{Catalogue, Offer},
    scope::{Entity, EntityType, Operation, Scope, ScopeError, is_word},
    terminal_text::escape,
};

/// Why a preset was refused, or could not be applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PresetError {
    #[error("there is no preset `{given}`: choose one of {known}", given = escape(.given))]
    Unknown { given: String, known: String },
    /// The text does not have its parts.
    #[error(
        "`{}` names no preset and entity: write PRESET:ENTITY or PRESET:TYPE:ENTITY, such as publisher:c-42",
        escape(.0)
    )]
    Shape(String),
    /// An id means one thing, and the preset is for things of every type.
    #[error(
        "{name} is for every entity type: choose the one of {entity}, as in {name}:channels:{entity}"
    )]
    NeedsType { name: String, entity: String },
    #[error("{name} grants nothing on {given}: choose one of {known}")]
    NotOf {
        name: String,
        given: EntityType,
        /// The types on which it grants something.
        known: String,
    },
    /// A grant does not have its two parts.
    #[error(
        "`{}` is not a grant: write TYPE:OPERATION,OPERATION, such as channels:publish or *:read,list",
        escape(.0)
    )]
    Grant(String),
    #[error("no entity type offers `{0}`: choose other operations, or add it to the catalogue")]
    Nowhere(String),
    #[error("all of this is there already: nothing to add")]
    Nothing,
    #[error(transparent)]
    Scope(#[from] ScopeError),
}

/// Some operations on a type, or on every type that offers them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// `None` for every type.
    entity_type: Option<EntityType>,
    /// Which operations; `None` for all that the type offers.
    operations: Option<Vec<Operation>>,
}

impl Grant {
    fn is_on(&self, entity_type: &EntityType) -> bool {
        self.entity_type.as_ref().is_none_or(|own| own == entity_type)
    }

    /// What it grants of what the type offers.
    fn of<'a>(&'a self, offer: &'a Offer) -> impl Iterator<Item = &'a Operation> {
        let granted = |operation: &&Operation| {
            self.operations.as_ref().is_none_or(|own| own.contains(operation))
        };
        let offered = self.is_on(&offer.entity_type).then_some(&offer.operations);
        offered.into_iter().flatten().filter(granted)
    }

    /// Whether the catalogue has what it names.
    fn check(&self, catalogue: &Catalogue) -> Result<(), PresetError> {
        for operation in self.operations.iter().flatten() {
            if let Some(entity_type) = self.entity_type {
                let (entity, operation) = (Entity::Any, *operation);
                catalogue.check(&Scope { entity_type, entity, operation, domain: None })?;
            } else if !catalogue.offers.iter().any(|offer| offer.operations.contains(operation)) {
                return Err(PresetError::Nowhere(operation.to_string()));
            }
        }
        match &self.entity_type {
            Some(own) => Ok(catalogue.known(own).map(drop)?),
            None => Ok(()),
        }
    }
}

impl FromStr for Grant {
    type Err = PresetError;

    fn from_str(text: &str) -> Result<Self, PresetError> {
        let (kind, operations) =
            text.split_once(':').ok_or_else(|| PresetError::Grant(text.to_owned()))?;
        let entity_type = if kind == "*" { None } else { Some(EntityType::parse(kind)?) };
        let operations = match operations {
            "*" => None,
            words => Some(words.split(',').map(Operation::parse).collect::<Result<_, _>>()?),
        };
        Ok(Self { entity_type, operations })
    }
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.entity_type.as_ref().map_or("*", EntityType::as_str))?;
        let Some(operations) = &self.operations else {
            return f.write_str(":*");
        };
        let words: Vec<_> = operations.iter().map(Operation::as_str).collect();
        write!(f, ":{}", words.join(","))
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preset {
    /// A word, unique in a catalogue.
    pub name: String,
    pub grants: Vec<Grant>,
}

const BUILT_IN: [(&str, &[&str]); 4] = [
    ("read-only", &["*:read,list"]),
    ("publisher", &["channels:publish", "messages:publish"]),
    ("subscriber", &["channels:subscribe", "messages:subscribe"]),
    ("full-access", &["*:*"]),
];

impl Preset {
    /// Those that there are without any settings.
    pub fn built_in() -> Vec<Self> {
        let preset = |(name, grants): &(&str, &[&str])| {
            let grants = grants.iter().filter_map(|grant| grant.parse().ok()).collect();
            Self { name: (*name).to_owned(), grants }
        };
        BUILT_IN.iter().map(preset).collect()
    }

    /// The preset of this name made of `grants`. Refuses a name that is no word.
    pub fn new(name: &str, grants: Vec<Grant>) -> Result<Self, PresetError> {
        if is_word(name) {
            Ok(Self { name: name.to_owned(), grants })
        } else {
            Err(ScopeError::Word(name.to_owned()).into())
        }
    }

    /// The types on which it grants something, in the order of the catalogue.
    pub fn types<'a>(&'a self, catalogue: &'a Catalogue) -> impl Iterator<Item = &'a EntityType> {
        let granting = |offer: &&Offer| self.grants.iter().any(|it| it.of(offer).next().is_some());
        catalogue.offers.iter().filter(granting).map(|offer| &offer.entity_type)
    }

    /// What it grants on `entity`: on that of `entity_type`, else on that of every type that it
    /// is for. Refuses an id where it is not told of which type it is.
    pub fn scopes(
        &self,
        entity_type: Option<&EntityType>,
        entity: &Entity,
        catalogue: &Catalogue,
    ) -> Result<Vec<Scope>, PresetError> {
        let name = || self.name.clone();
        if let Some(given) = entity_type
            && !self.types(catalogue).any(|own| own == given)
        {
            let known: Vec<_> = self.types(catalogue).map(EntityType::as_str).collect();
            let (given, known) = (*given, known.join(", "));
            return Err(PresetError::NotOf { name: name(), given, known });
        }
        let everywhere = self.grants.iter().any(|grant| grant.entity_type.is_none());
        if let (None, true, Entity::Id(id)) = (entity_type, everywhere, entity) {
            return Err(PresetError::NeedsType { name: name(), entity: id.to_string() });
        }
        let asked = |offer: &&Offer| entity_type.is_none_or(|own| *own == offer.entity_type);
        let mut scopes = Vec::new();
        for offer in catalogue.offers.iter().filter(asked) {
            for operation in self.grants.iter().flat_map(|grant| grant.of(offer)) {
                let scope = Scope {
                    entity_type: offer.entity_type,
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

impl Catalogue {
    /// The grant that `text` spells. Refuses what is not on offer.
    pub fn grant(&self, text: &str) -> Result<Grant, PresetError> {
        let grant: Grant = text.parse()?;
        grant.check(self).map(|()| grant)
    }

    pub fn preset(&self, name: &str) -> Result<&Preset, PresetError> {
        let found = self.presets.iter().find(|preset| preset.name == name);
        found.ok_or_else(|| {
            let known: Vec<_> = self.presets.iter().map(|preset| preset.name.as_str()).collect();
            PresetError::Unknown { given: name.to_owned(), known: known.join(", ") }
        })
    }

    /// The scopes that `PRESET:ENTITY` or `PRESET:TYPE:ENTITY` stands for. What stands before a
    /// further `:` is a type if the preset is for it, else the entity begins there.
    pub fn by_preset(&self, text: &str) -> Result<Vec<Scope>, PresetError> {
        let (name, target) =
            text.split_once(':').ok_or_else(|| PresetError::Shape(text.to_owned()))?;
        let preset = self.preset(name)?;
        let typed = target.split_once(':').and_then(|(kind, entity)| {
            let known = preset.types(self).find(|own| own.as_str() == kind)?;
            Some((known, entity))
        });
        match typed {
            Some((kind, entity)) => preset.scopes(Some(kind), &Entity::parse(entity)?, self),
            None => preset.scopes(None, &Entity::parse(target)?, self),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn means(text: &str) -> Result<Vec<String>, String> {
        let scopes = Catalogue::default().by_preset(text).map_err(|error| error.to_string())?;
        Ok(scopes.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn the_built_in_ones_are_all_there_and_sound() {
        let (presets, catalogue) = (Preset::built_in(), Catalogue::default());
        assert_eq!(presets.len(), BUILT_IN.len());
        for (preset, (name, grants)) in presets.into_iter().zip(BUILT_IN) {
            let read: Result<_, _> = grants.iter().map(|text| catalogue.grant(text)).collect();
            assert_eq!(Preset::new(name, read.unwrap()), Ok(preset.clone()));
            let printed: Vec<_> = preset.grants.iter().map(ToString::to_string).collect();
            assert_eq!(printed, grants);
        }
    }

    #[test]
    fn a_preset_names_its_scopes_on_one_entity_or_on_any() {
        let publish = ["channels:c-42:publish", "messages:c-42:publish"];
        assert_eq!(means("publisher:c-42").unwrap(), publish);
        assert_eq!(means("publisher:messages:*").unwrap(), ["messages:*:publish"]);
        assert_eq!(means("read-only:users:u-1").unwrap(), ["users:u-1:read", "users:u-1:list"]);
        assert_eq!(means("read-only:*").unwrap().len(), 12, "two for each type but messages");
        assert_eq!(means("full-access:channels:c-42").unwrap().len(), 9);
        assert_eq!(means("publisher:a:b").unwrap()[0], "channels:a:b:publish");
        let all: usize = Catalogue::default().offers.iter().map(|it| it.operations.len()).sum();
        assert_eq!(means("full-access:*").unwrap().len(), all);
    }

    #[test]
    fn what_it_cannot_mean_is_refused_with_advice() {
        let refused = |text| means(text).unwrap_err();
        assert_eq!(
            refused("reader:*"),
            "there is no preset `reader`: choose one of read-only, publisher, subscriber, full-access"
        );
        assert_eq!(
            refused("full-access:c-42"),
            "full-access is for every entity type: choose the one of c-42, as in full-access:channels:c-42"
        );
        assert!(refused("publisher").contains("write PRESET:ENTITY or PRESET:TYPE:ENTITY"));
        assert_eq!(refused("publisher:"), "an entity is needed: type its id, or * for any");
        let catalogue = Catalogue::default();
        let publisher = catalogue.preset("publisher").unwrap();
        let users = EntityType::parse("users").unwrap();
        assert_eq!(
            publisher.scopes(Some(&users), &Entity::Any, &catalogue).unwrap_err().to_string(),
            "publisher grants nothing on users: choose one of channels, messages"
        );
    }

    #[test]
    fn a_preset_of_ones_own_is_checked_against_the_catalogue() {
        let made = |name: &str, grant: &str| {
            let grant = Catalogue::default().grant(grant);
            let made = grant.and_then(|grant| Preset::new(name, vec![grant]));
            made.map(drop).map_err(|error| error.to_string())
        };
        assert_eq!(made("gateway", "clients:read,update"), Ok(()));
        assert_eq!(made("gateway", "clients:*"), Ok(()));
        assert!(made("Gate way", "*:read").unwrap_err().contains("is not a word"));
        assert!(made("g", "rockets:*").unwrap_err().starts_with("there is no entity type"));
        assert!(made("g", "messages:read").unwrap_err().contains("is not offered for messages"));
        assert!(made("g", "*:launch").unwrap_err().starts_with("no entity type offers `launch`"));
        assert!(made("g", "channels").unwrap_err().starts_with("`channels` is not a grant"));
        assert!(made("g", "channels:").unwrap_err().contains("is not a word"));
    }
}
