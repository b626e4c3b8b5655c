//! The `[catalogue]` of the file: what it adds to the built-in entity types, and the types,
//! entities and domains of one's own; and its `[presets]`, made of these. Refuses words and ids
//! that no scope could hold. Called by `file`.

use super::table::{Entry, Reader};
use crate::domain::{Catalogue, Domain, Entity, EntityType, Offer, Operation, Preset};

/// The presets of the entry `[presets]`, over the built-in ones: one of the same name takes its
/// place, and one without grants goes.
pub(super) fn presets<'a>(reader: &mut Reader<'a>, entry: &Entry<'a>, catalogue: &mut Catalogue) {
    const LIKE: &str = "a list such as [\"channels:publish\"]";
    for entry in reader.table(Some(entry)) {
        let before = reader.faults.len();
        let grants = words(reader, Some(&entry), LIKE, |text| catalogue.grant(text));
        if reader.faults.len() > before {
            continue;
        }
        let place = catalogue.presets.iter().position(|preset| preset.name == entry.word);
        let made = Preset::new(entry.word, grants);
        let Some(preset) = reader.sound(&entry, made) else {
            continue;
        };
        match place {
            Some(at) if preset.grants.is_empty() => drop(catalogue.presets.remove(at)),
            Some(at) => catalogue.presets.splice(at..=at, [preset]).for_each(drop),
            None if preset.grants.is_empty() => reader.refuse(
                &entry,
                "a new preset must grant something: add [\"channels:publish\"] or the like",
            ),
            None => catalogue.presets.push(preset),
        }
    }
}

/// The built-in catalogue with what the entry `[catalogue]` adds; mistakes go to `reader`.
pub(super) fn read<'a>(reader: &mut Reader<'a>, entry: &Entry<'a>) -> Catalogue {
    let mut catalogue = Catalogue::default();
    let inside = reader.table(Some(entry));
    let [domains, types] = reader.pick(inside, ["domains", "types"]);
    let domains = words(reader, domains.as_ref(), "a list of domains", domain);
    add(&mut catalogue.domains, domains);
    for entry in reader.table(types.as_ref()) {
        let Some(name) = reader.sound(&entry, EntityType::parse(entry.word)) else {
            continue;
        };
        let offer = offer(reader, &entry, name);
        let known =
            catalogue.offers.iter_mut().find(|known| known.entity_type == offer.entity_type);
        match known {
            Some(known) => {
                add(&mut known.operations, offer.operations);
                add(&mut known.entities, offer.entities);
            }
            None if offer.operations.is_empty() => reader.refuse(
                &entry,
                "a new entity type must offer something: add operations = [\"read\"] or the like",
            ),
            None => catalogue.offers.push(offer),
        }
    }
    catalogue
}

fn offer<'a>(reader: &mut Reader<'a>, entry: &Entry<'a>, entity_type: EntityType) -> Offer {
    let inside = reader.table(Some(entry));
    let [operations, entities] = reader.pick(inside, ["operations", "entities"]);
    Offer {
        entity_type,
        operations: words(reader, operations.as_ref(), "a list of operations", Operation::parse),
        entities: words(reader, entities.as_ref(), "a list of entities", entity),
    }
}

fn entity(text: &str) -> Result<String, String> {
    match Entity::parse(text) {
        Ok(Entity::Id(id)) => Ok(id.into()),
        Ok(Entity::Any) => Err("`*` is always offered: leave it out".to_owned()),
        Err(error) => Err(format!("`{text}`: {error}")),
    }
}

fn domain(text: &str) -> Result<Domain, String> {
    Domain::parse(text).map_err(|error| format!("`{text}`: {error}"))
}

/// The sound items of a list; each other one is a mistake of its own.
fn words<'a, T, E: ToString>(
    reader: &mut Reader<'a>,
    entry: Option<&Entry<'a>>,
    expected: &'static str,
    parse: impl Fn(&str) -> Result<T, E>,
) -> Vec<T> {
    let items = reader.list(entry, expected).unwrap_or_default();
    items.iter().filter_map(|item| reader.sound(item, parse(item.text()?))).collect()
}

/// Adds what is not there yet: naming what is built in does no harm.
fn add<T: PartialEq>(to: &mut Vec<T>, more: Vec<T>) {
    for one in more {
        if !to.contains(&one) {
            to.push(one);
        }
    }
}
