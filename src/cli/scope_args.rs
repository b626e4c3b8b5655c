//! Parses the scopes of an argument, `TYPE:ENTITY:OPERATION[,OPERATION...][@DOMAIN]`. Called by the
//! definition of the arguments.

use crate::domain::{Scope, ScopeError};

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
