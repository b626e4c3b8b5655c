//! Reads `[catalogue]` and `[presets]` of the config file: additional operations, entities, domains
//! and entity types, and presets of scopes. Refuses words and ids that are invalid in a scope.
//! Called by `file`.

use super::toml_reader::{TomlEntry, TomlReader};
use crate::domain::{
    Domain, Entity, EntityType, EntityTypeEntry, Operation, ScopeCatalogue, ScopePreset,
};

/// Adds the presets of the table `[presets]` to `catalogue`. A preset with the name of a built-in
/// preset replaces the built-in preset. An empty list removes the built-in preset.
pub(super) fn read_presets<'a>(
    reader: &mut TomlReader<'a>,
    entry: &TomlEntry<'a>,
    catalogue: &mut ScopeCatalogue,
) {
    const LIKE: &str = "a list such as [\"channels:publish\"]";
    for entry in reader.table(Some(entry)) {
        let before = reader.faults.len();
        let grants = read_items(reader, Some(&entry), LIKE, |text| catalogue.parse_grant(text));
        if reader.faults.len() > before {
            continue;
        }
        let position = catalogue.presets.iter().position(|preset| preset.name == entry.key);
        let preset = ScopePreset::new(entry.key, grants);
        let Some(preset) = reader.value_or_fault(&entry, preset) else {
            continue;
        };
        match position {
            Some(at) if preset.grants.is_empty() => drop(catalogue.presets.remove(at)),
            Some(at) => catalogue.presets.splice(at..=at, [preset]).for_each(drop),
            None if preset.grants.is_empty() => reader.invalid_value(
                &entry,
                "a new preset needs at least one grant, such as [\"channels:publish\"]",
            ),
            None => catalogue.presets.push(preset),
        }
    }
}

/// Returns the built-in catalogue with the additions of the table `[catalogue]`. Records faults in
/// `reader`.
pub(super) fn read_catalogue<'a>(
    reader: &mut TomlReader<'a>,
    entry: &TomlEntry<'a>,
) -> ScopeCatalogue {
    let mut catalogue = ScopeCatalogue::default();
    let entries = reader.table(Some(entry));
    let [domains, types] = reader.take_known(entries, ["domains", "types"]);
    let domains = read_items(reader, domains.as_ref(), "a list of domains", parse_domain);
    add_missing(&mut catalogue.domains, domains);
    for entry in reader.table(types.as_ref()) {
        let Some(name) = reader.value_or_fault(&entry, EntityType::parse(entry.key)) else {
            continue;
        };
        let addition = read_entry(reader, &entry, name);
        let known = catalogue
            .entity_types
            .iter_mut()
            .find(|known| known.entity_type == addition.entity_type);
        match known {
            Some(known) => {
                add_missing(&mut known.operations, addition.operations);
                add_missing(&mut known.entities, addition.entities);
            }
            None if addition.operations.is_empty() => reader.invalid_value(
                &entry,
                "a new entity type needs operations, such as operations = [\"read\"]",
            ),
            None => catalogue.entity_types.push(addition),
        }
    }
    catalogue
}

fn read_entry<'a>(
    reader: &mut TomlReader<'a>,
    entry: &TomlEntry<'a>,
    entity_type: EntityType,
) -> EntityTypeEntry {
    let entries = reader.table(Some(entry));
    let [operations, entities] = reader.take_known(entries, ["operations", "entities"]);
    EntityTypeEntry {
        entity_type,
        operations: read_items(
            reader,
            operations.as_ref(),
            "a list of operations",
            Operation::parse,
        ),
        entities: read_items(reader, entities.as_ref(), "a list of entities", parse_entity),
    }
}

fn parse_entity(text: &str) -> Result<String, String> {
    match Entity::parse(text) {
        Ok(Entity::Id(id)) => Ok(id.into()),
        Ok(Entity::Any) => Err("remove `*` from this list: it is always allowed".to_owned()),
        Err(error) => Err(format!("`{text}`: {error}")),
    }
}

fn parse_domain(text: &str) -> Result<Domain, String> {
    Domain::parse(text).map_err(|error| format!("`{text}`: {error}"))
}

/// The valid items of a list. Each invalid item is a fault.
fn read_items<'a, T, E: ToString>(
    reader: &mut TomlReader<'a>,
    entry: Option<&TomlEntry<'a>>,
    expected: &'static str,
    parse: impl Fn(&str) -> Result<T, E>,
) -> Vec<T> {
    let items = reader.list(entry, expected).unwrap_or_default();
    items.iter().filter_map(|item| reader.value_or_fault(item, parse(item.text()?))).collect()
}

/// Adds the items that `to` does not contain yet, so that a built-in item can be repeated.
fn add_missing<T: PartialEq>(to: &mut Vec<T>, more: Vec<T>) {
    for item in more {
        if !to.contains(&item) {
            to.push(item);
        }
    }
}
