//! Describes scopes in English, for operators who decide whether to grant them. Called by the
//! forms and by the detail page; access decisions never use these texts.

use std::collections::{BTreeMap, BTreeSet};

use super::scope::{Entity, Scope};

/// The description of an empty set of scopes.
pub const NO_SCOPES: &str = "no scopes: every operation is denied";

/// Describes `scopes` in one sentence: `may publish, subscribe to c-42, c-43 (channels); read all
/// clients`.
pub fn describe_scopes<'a>(scopes: impl IntoIterator<Item = &'a Scope>) -> String {
    let mut grouped: BTreeMap<_, Vec<&str>> = BTreeMap::new();
    for scope in scopes {
        let key = (&scope.entity_type, &scope.entity, &scope.domain);
        grouped.entry(key).or_default().push(scope.operation.as_str());
    }
    if grouped.is_empty() {
        return NO_SCOPES.to_owned();
    }
    // Types with the same operations, entity and domain share one clause.
    let mut clauses: Vec<(_, Vec<&str>)> = Vec::new();
    for ((entity_type, entity, domain), operations) in grouped {
        add_to_group(&mut clauses, (operations, entity, domain), entity_type.as_str());
    }
    // Ids with the same operations, types and domain share one clause, too.
    let mut with_ids: Vec<(_, Vec<&str>)> = Vec::new();
    for ((operations, entity, domain), types) in clauses {
        let key = (operations, types, domain, *entity == Entity::Any);
        add_to_group(&mut with_ids, key, entity.as_str());
    }
    let clauses: Vec<String> = with_ids
        .into_iter()
        .map(|((operations, types, domain, is_any), ids)| {
            let types = types.join(", ");
            let object = if is_any {
                format!("all {types}")
            } else {
                format!("{} ({types})", ids.join(", "))
            };
            let domain =
                domain.as_ref().map_or_else(String::new, |domain| format!(" in domain {domain}"));
            format!("{}{} {object}{domain}", operations.join(", "), preposition(&operations))
        })
        .collect();
    format!("may {}", clauses.join("; "))
}

/// Adds `word` to the group with this key, or to a new group at the end.
fn add_to_group<'a, K: PartialEq>(groups: &mut Vec<(K, Vec<&'a str>)>, key: K, word: &'a str) {
    match groups.iter_mut().find(|(other, _)| *other == key) {
        Some((_, words)) => words.push(word),
        None => groups.push((key, vec![word])),
    }
}

/// Describes `scope` with its operation as the verb: `publish to all channels`, `subscribe to c-42
/// (channels) in domain factory`.
pub fn describe_scope(scope: &Scope) -> String {
    let sentence = describe_scopes([scope]);
    sentence.strip_prefix("may ").unwrap_or(&sentence).to_owned()
}

/// Returns the preposition between `operations` and their object: `read clients`, `publish to
/// channels`, `publish, read on channels`.
pub(super) fn preposition(operations: &[&str]) -> &'static str {
    const TRANSITIVE: [&str; 7] =
        ["create", "read", "list", "update", "delete", "share", "unshare"];
    if operations.iter().all(|operation| TRANSITIVE.contains(operation)) {
        ""
    } else if operations.iter().all(|operation| ["publish", "subscribe"].contains(operation)) {
        " to"
    } else {
        " on"
    }
}

/// Returns a warning about scopes on `*`, or `None` if no scope is on `*`. The warning has at most
/// 42 columns unless the names of the entity types are long.
pub fn wildcard_warning<'a>(scopes: impl IntoIterator<Item = &'a Scope>) -> Option<String> {
    let wildcards = scopes.into_iter().filter(|scope| scope.entity == Entity::Any);
    let types: BTreeSet<&str> = wildcards.map(|scope| scope.entity_type.as_str()).collect();
    let types: Vec<_> = types.into_iter().collect();
    match types.as_slice() {
        [] => None,
        [_] | [_, _] => Some(format!("* also covers future {}", types.join(", "))),
        many => Some(format!("* also covers future entities ({} types)", many.len())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn describe(scopes: &[&str]) -> String {
        let scopes: Vec<Scope> = scopes.iter().map(|s| s.parse().unwrap()).collect();
        describe_scopes(&scopes)
    }

    #[test]
    fn wildcard_warning_names_the_entity_types() {
        let warning = |scopes: &[&str]| {
            let scopes: Vec<Scope> = scopes.iter().map(|s| s.parse().unwrap()).collect();
            wildcard_warning(&scopes)
        };
        assert_eq!(warning(&["channels:c-42:publish"]), None);
        assert_eq!(
            warning(&["users:*:read", "channels:*:read", "channels:*:list", "groups:g:list"]),
            Some("* also covers future channels, users".to_owned())
        );
        assert_eq!(
            warning(&["users:*:read", "channels:*:read", "groups:*:list"]),
            Some("* also covers future entities (3 types)".to_owned())
        );
    }

    #[test]
    fn operations_on_the_same_entity_share_a_clause() {
        assert_eq!(describe(&[]), NO_SCOPES);
        assert_eq!(describe(&["channels:c-42:publish"]), "may publish to c-42 (channels)");
        assert_eq!(
            describe(&["clients:*:read", "channels:c-42:publish", "channels:c-42:subscribe@d1"]),
            "may publish to c-42 (channels); subscribe to c-42 (channels) in domain d1; \
             read all clients"
        );
    }

    #[test]
    fn types_with_the_same_operations_share_a_clause() {
        assert_eq!(
            describe(&["users:*:read", "users:*:list", "groups:*:read", "groups:*:list"]),
            "may read, list all groups, users"
        );
        assert_eq!(
            describe(&["channels:c-42:publish", "messages:c-42:publish", "messages:c-7:publish"]),
            "may publish to c-42 (channels, messages); publish to c-7 (messages)"
        );
        assert_eq!(
            describe(&["channels:*:publish", "channels:*:read"]),
            "may publish, read on all channels"
        );
    }

    #[test]
    fn ids_with_the_same_operations_share_a_clause() {
        assert_eq!(
            describe(&["domains:c-1:create", "domains:c-2:create", "domains:*:read"]),
            "may read all domains; create c-1, c-2 (domains)"
        );
        assert_eq!(
            describe(&["channels:a:publish", "messages:a:publish", "channels:b:publish@eu"]),
            "may publish to a (channels, messages); publish to b (channels) in domain eu"
        );
    }
}
