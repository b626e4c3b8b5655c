//! What a set of scopes permits, in plain words, for people who decide whether to grant it.
//! Called by forms and the detail; the decision itself never reads this.

use std::collections::{BTreeMap, BTreeSet};

use super::scope::{Entity, Scope};

/// What an empty set of scopes means.
pub const NOTHING: &str = "no scopes: every operation is denied";

/// `scopes` as one sentence: `may publish, subscribe on channels c-42; read on any clients`.
pub fn describe_scopes<'a>(scopes: impl IntoIterator<Item = &'a Scope>) -> String {
    let mut grouped: BTreeMap<_, Vec<&str>> = BTreeMap::new();
    for scope in scopes {
        let key = (&scope.entity_type, &scope.entity, &scope.domain);
        grouped.entry(key).or_default().push(scope.operation.as_str());
    }
    if grouped.is_empty() {
        return NOTHING.to_owned();
    }
    // What is done to several types alike is said once.
    let mut said: Vec<(_, Vec<&str>)> = Vec::new();
    for ((entity_type, entity, domain), operations) in grouped {
        let what = (operations, entity, domain);
        match said.iter_mut().find(|(same, _)| *same == what) {
            Some((_, types)) => types.push(entity_type.as_str()),
            None => said.push((what, vec![entity_type.as_str()])),
        }
    }
    let parts: Vec<String> = said
        .into_iter()
        .map(|((operations, entity, domain), types)| {
            let on = match entity {
                Entity::Any => format!("any {}", types.join(", ")),
                Entity::Id(id) => format!("{} {id}", types.join(", ")),
            };
            let within =
                domain.as_ref().map_or_else(String::new, |domain| format!(" in domain {domain}"));
            format!("{} on {on}{within}", operations.join(", "))
        })
        .collect();
    format!("may {}", parts.join("; "))
}

/// What to know before granting `*`, in at most 42 columns for words that are not long; `None`
/// without one.
pub fn wildcard_warning<'a>(scopes: impl IntoIterator<Item = &'a Scope>) -> Option<String> {
    let any = scopes.into_iter().filter(|scope| scope.entity == Entity::Any);
    let types: BTreeSet<&str> = any.map(|scope| scope.entity_type.as_str()).collect();
    let types: Vec<_> = types.into_iter().collect();
    match types.as_slice() {
        [] => None,
        [_] | [_, _] => Some(format!("* includes {} made later", types.join(", "))),
        many => Some(format!("* includes what is made later, of {} types", many.len())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(scopes: &[&str]) -> String {
        let scopes: Vec<Scope> = scopes.iter().map(|s| s.parse().unwrap()).collect();
        describe_scopes(&scopes)
    }

    #[test]
    fn a_star_is_warned_of_with_its_types() {
        let warns = |scopes: &[&str]| {
            let scopes: Vec<Scope> = scopes.iter().map(|s| s.parse().unwrap()).collect();
            wildcard_warning(&scopes)
        };
        assert_eq!(warns(&["channels:c-42:publish"]), None);
        assert_eq!(
            warns(&["users:*:read", "channels:*:read", "channels:*:list", "groups:g:list"]),
            Some("* includes channels, users made later".to_owned())
        );
        assert_eq!(
            warns(&["users:*:read", "channels:*:read", "groups:*:list"]),
            Some("* includes what is made later, of 3 types".to_owned())
        );
    }

    #[test]
    fn operations_on_one_thing_are_said_together() {
        assert_eq!(says(&[]), NOTHING);
        assert_eq!(says(&["channels:c-42:publish"]), "may publish on channels c-42");
        assert_eq!(
            says(&["clients:*:read", "channels:c-42:publish", "channels:c-42:subscribe@d1"]),
            "may publish on channels c-42; subscribe on channels c-42 in domain d1; \
             read on any clients"
        );
    }

    #[test]
    fn types_that_are_treated_alike_are_said_together() {
        assert_eq!(
            says(&["users:*:read", "users:*:list", "groups:*:read", "groups:*:list"]),
            "may read, list on any groups, users"
        );
        assert_eq!(
            says(&["channels:c-42:publish", "messages:c-42:publish", "messages:c-7:publish"]),
            "may publish on channels, messages c-42; publish on messages c-7"
        );
    }
}
