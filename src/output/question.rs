//! The question that an operator confirms before a plan is executed. Both front ends show the
//! same one.

use crate::domain::{Change, Command, Overlap, Plan, ScopeSelection, Status, TokenSelection};

/// The question in a sentence, such as `Revoke ci-prod?`.
pub fn question(plan: &Plan) -> String {
    let tokens = tokens(plan);
    match &plan.command {
        Command::Create { token, .. } => format!("Create {}?", token.name),
        Command::Edit { .. } => format!("Change {tokens}?"),
        Command::AddScopes { .. } => format!("Add scopes to {tokens}?"),
        Command::RemoveScopes { scopes: ScopeSelection::Listed(scopes), .. } => {
            let scopes = if scopes.len() == 1 { "a scope" } else { "scopes" };
            format!("Remove {scopes} from {tokens}?")
        }
        Command::RemoveScopes { scopes: ScopeSelection::All, .. } => {
            format!("Remove every scope from {tokens}?")
        }
        Command::Revoke { .. } | Command::RevokeLeaked { .. } => format!("Revoke {tokens}?"),
        Command::EndOverlap { .. } => format!("End the old secret of {tokens}?"),
        Command::Regenerate { .. } => format!("Regenerate {tokens}?"),
        Command::Delete { tokens: TokenSelection::All } => format!("Delete all {tokens}?"),
        Command::Delete { .. } => format!("Delete {tokens}?"),
        Command::Restore(_) => format!("Restore {tokens}?"),
        Command::Revert(_) => format!("Undo the change of {tokens}?"),
        Command::RecordDelivery { .. } => format!("Mark the secret of {tokens} as saved?"),
        Command::AcceptClock => "Accept this machine's clock?".to_owned(),
        Command::PurgeTrash => "Purge deleted tokens?".to_owned(),
    }
}

/// What ends at once if a regenerate is confirmed, in a sentence; `None` for what the question
/// says by itself.
pub fn consequence(plan: &Plan) -> Option<String> {
    let Command::Regenerate { overlap: Overlap::None, .. } = &plan.command else {
        return None;
    };
    let active = |change: &&Change| {
        change.before.token().is_some_and(|token| token.status(plan.at) == Status::Active)
    };
    match (plan.changes.iter().filter(active).count(), plan.changes.len()) {
        (0, _) => None,
        (_, 1) => Some("The old secret will stop working immediately.".to_owned()),
        (active, _) => Some(format!(
            "The old secrets of {} will stop working immediately.",
            count(active, "active token")
        )),
    }
}

/// The name of one token, or the number of several.
fn tokens(plan: &Plan) -> String {
    match (plan.tokens().next(), plan.command.tokens().len()) {
        (Some(token), 1) => token.name.to_string(),
        _ => count(plan.changes.len(), "token"),
    }
}

/// `1 token`, `3 tokens`.
pub fn count(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}
