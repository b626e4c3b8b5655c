//! Parses the scopes of an argument, `TYPE:ENTITY:OPERATION[,OPERATION...][@DOMAIN]`, merges those of
//! several arguments, and names those that a token has already. Called by the definition of the
//! arguments and by `change_commands`.

use super::print::print_message;
use crate::domain::{Command, Plan, Scope, ScopeError, Scopes, list_first};

/// Maximum number of scopes that the notice on scopes which a token has already lists.
const MAX_LISTED: usize = 5;

/// The scopes that one argument lists.
#[derive(Debug, Clone)]
pub struct ScopeList(pub Vec<Scope>);

/// Parses `TYPE:ENTITY:OPERATION[,OPERATION...][@DOMAIN]`.
pub(super) fn scopes(text: &str) -> Result<ScopeList, String> {
    scope_list(text, str::parse)
}

/// Parses the same form for scopes to remove, which an earlier version may have accepted.
pub(super) fn held_scopes(text: &str) -> Result<ScopeList, String> {
    scope_list(text, Scope::parse_stored)
}

fn scope_list(
    text: &str,
    parse: impl Fn(&str) -> Result<Scope, ScopeError>,
) -> Result<ScopeList, String> {
    let (target, operations) = text.rsplit_once(':').unwrap_or((text, ""));
    let (operations, domain) = match operations.split_once('@') {
        Some((operations, domain)) => (operations, format!("@{domain}")),
        None => (operations, String::new()),
    };
    // The message quotes what was typed, not the part that was parsed.
    let malformed = || ScopeError::Malformed(text.to_owned()).to_string();
    let scopes = operations.split(',').map(|operation| {
        if operation == "*" {
            return Err("operations have no wildcard: list them, or use --preset".to_owned());
        }
        let one = format!("{target}:{operation}{domain}");
        parse(&one).map_err(|error| match error {
            ScopeError::Malformed(_) => malformed(),
            _ if operation.is_empty() => malformed(),
            error => error.to_string(),
        })
    });
    scopes.collect::<Result<_, _>>().map(ScopeList)
}

/// Parses the scope of a check, which asks for one operation.
pub(super) fn one_scope(text: &str) -> Result<Scope, String> {
    text.parse()
        .map_err(|error: ScopeError| one_operation_advice(text).unwrap_or(error.to_string()))
}

/// The advice for a scope that lists several operations, where only one is possible.
pub(super) fn one_operation_advice(text: &str) -> Option<String> {
    let list = scopes(text).ok().filter(|list| list.0.len() > 1)?;
    let first = list.0.first()?;
    Some(format!("a check takes one operation: check each of them, such as {first}"))
}

/// Returns `first` without what its other scopes cover, then those of `more` that are not covered yet.
pub(super) fn merge_scopes(
    first: impl Iterator<Item = Scope>,
    more: Vec<Scope>,
) -> Result<Vec<Scope>, ScopeError> {
    let mut set = Scopes::default();
    set.add_missing(first)?;
    let mut all = set.as_slice().to_vec();
    all.extend(set.add_missing(more)?);
    Ok(all)
}

/// Prints which of the scopes to add each token of the executed plan had already.
pub(super) fn print_held_scopes(plan: &Plan) {
    let (added, removed) = match &plan.command {
        Command::AddScopes { scopes, .. } => (scopes, &[][..]),
        Command::ChangeScopes { added, removed, .. } => (added, removed.as_slice()),
        _ => return,
    };
    for token in plan.tokens_before() {
        let kept = || token.scopes.iter().filter(|held| !removed.contains(held));
        let held = added.iter().filter(|scope| kept().any(|held| held.covers(scope)));
        let held: Vec<_> = held.map(ToString::to_string).collect();
        if !held.is_empty() {
            let list = list_first(held.iter().map(String::as_str), MAX_LISTED, held.len());
            print_message(&format!("Skipped {list}: already granted to {}", token.name));
        }
    }
}
