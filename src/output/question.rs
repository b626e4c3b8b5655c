//! The question that an operator confirms before a plan is executed, and its consequences. Both
//! front ends show the same texts.

use crate::domain::{
    Command, Plan, ScopesToRemove, SecretOverlap, Status, TokensToDelete, counted,
};

/// The question, such as `Revoke ci-prod?`.
pub fn question(plan: &Plan) -> String {
    let tokens = describe_tokens(plan);
    match &plan.command {
        Command::Create { token, .. } => format!("Create {}?", token.name),
        Command::Edit { .. } => format!("Change {tokens}?"),
        Command::AddScopes { .. } => format!("Add scopes to {tokens}?"),
        Command::RemoveScopes { scopes: ScopesToRemove::Listed(scopes), .. } => {
            let scopes = if scopes.len() == 1 { "a scope" } else { "scopes" };
            format!("Remove {scopes} from {tokens}?")
        }
        Command::RemoveScopes { scopes: ScopesToRemove::All, .. } => {
            format!("Remove every scope from {tokens}?")
        }
        Command::Revoke { .. } | Command::RevokeLeaked { .. } => format!("Revoke {tokens}?"),
        Command::EndOverlap { .. } => format!("End the old secret of {tokens}?"),
        Command::Regenerate { .. } => format!("Regenerate {tokens}?"),
        Command::Delete { tokens: TokensToDelete::All } if plan.changes.len() == 1 => {
            "Delete the only token?".to_owned()
        }
        Command::Delete { tokens: TokensToDelete::All } => format!("Delete all {tokens}?"),
        Command::Delete { .. } => format!("Delete {tokens}?"),
        Command::Restore(_) => format!("Restore {tokens}?"),
        Command::Revert(_) => format!("Undo the change of {tokens}?"),
        Command::RecordDelivery { .. } => format!("Mark the secret of {tokens} as saved?"),
        Command::AcceptClock => "Accept this machine's clock?".to_owned(),
        Command::PurgeTrash => "Purge deleted tokens?".to_owned(),
    }
}

/// Returns one sentence for each kind of secret that a regeneration stops immediately. For every
/// other command the result is empty, because the question already states the consequence.
pub fn immediate_effects(plan: &Plan) -> Vec<String> {
    let Command::Regenerate { overlap, .. } = &plan.command else {
        return Vec::new();
    };
    let before = || plan.changes.iter().filter_map(|change| change.before.token());
    let active = before().filter(|token| token.status(plan.at) == Status::Active).count();
    let overlapping = before().filter(|token| token.has_overlap(plan.at)).count();
    let is_one = plan.changes.len() == 1;
    let ended = if is_one {
        "The old secret will stop working immediately.".to_owned()
    } else {
        let tokens = counted(active, "active token");
        format!("The old secrets of {tokens} will stop working immediately.")
    };
    let previous = match overlapping {
        1 if is_one => {
            "The previous secret is still in its overlap. It will stop working immediately."
                .to_owned()
        }
        1 => "1 previous secret is still in its overlap. It will stop working immediately."
            .to_owned(),
        many => format!(
            "{} are still in their overlap. They will stop working immediately.",
            counted(many, "previous secret")
        ),
    };
    let ended = (*overlap == SecretOverlap::None && active > 0).then_some(ended);
    ended.into_iter().chain((overlapping > 0).then_some(previous)).collect()
}

/// The name of a single token, or the number of tokens.
fn describe_tokens(plan: &Plan) -> String {
    match (plan.tokens().next(), plan.command.tokens().len()) {
        (Some(token), 1) => token.name.to_string(),
        _ => counted(plan.changes.len(), "token"),
    }
}
